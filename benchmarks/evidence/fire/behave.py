"""The point model: surface fire and crown fire against Behave, the Fire Weather Index against its equations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import point
from benchmarks.evidence import Row, row


@row("src/geolabel/fire/behave", "benchmarks/point.py", needs="../reference")
def rothermel() -> Iterator[Row]:
    """53 fuel models in 8 cases against Behave: relative errors by group of models, near extinction apart."""
    reference = point.table(point.REFERENCE / "rothermel_surface.csv")
    fire = point.surface(reference)
    peers = "Behave and pyretechnics agree to 0.02 % median, 0.3 % at the 95th percentile (TARGETS)"
    for name, error, _ in point.errors_by_group(reference, fire.rate_m_min, "behave_ros_m_min"):
        beside = f"median {100 * np.median(error):.4f} % of {len(error)}"
        worst = 100 * float(error.max())
        yield Row(f"rate, {name}: largest error against Behave", worst, "%", beside, "within 0.3 %", worst <= 0.3)
    for what, ours, theirs in (
        ("rate", fire.rate_m_min, "behave_ros_m_min"),
        ("flame length", fire.flame_m, "behave_flame_m"),
        ("intensity", fire.intensity_kw_m, "behave_fli_kw_m"),
    ):
        groups = list(point.errors_by_group(reference, ours, theirs))
        moving = 100 * np.concatenate([error for _, error, _ in groups])
        close = 100 * np.concatenate([error for _, _, error in groups])
        yield Row(f"{what}, all 53 models: median error", float(np.median(moving)), "%", peers)
        good = moving.max() <= 0.3
        yield Row(f"{what}, all 53 models: largest error", float(moving.max()), "%", peers, "within 0.3 %", bool(good))
        beside = f"{len(close)} cases below {point.SPREADS_M_MIN:g} m/min"
        good = close.max() <= 2
        yield Row(f"{what}, near extinction: largest error", float(close.max()), "%", beside, "within 2 %", bool(good))
    error = 100 * point.projected(reference)
    beside = f"pyretechnics, {len(error)} cases on slopes; median {np.median(error):.4f} %"
    good = error.max() <= 0.5
    yield Row(
        'rate, wind_on_slope="projected": largest error', float(error.max()), "%", beside, "within 0.5 %", bool(good)
    )


@row("src/geolabel/fire/behave", "benchmarks/point.py", needs="../reference")
def danger() -> Iterator[Row]:
    """60 days of the Canadian Fire Weather Index against two transcriptions of it."""
    reference = point.table(point.REFERENCE / "fwi_daily.csv")
    days = point.danger(reference)
    for name in ("ffmc", "dmc", "dc", "isi", "bui", "fwi"):
        ours = getattr(days, name)
        apart = {whose: float(np.abs(ours - reference[f"{whose}_{name}"]).max()) for whose in ("vw87", "wfwi")}
        beside = f"against wildfire-fwi (program of 1985) {apart['wfwi']:.2g}"
        good = apart["vw87"] <= 1e-6
        words = f"{name.upper()}: largest difference in 60 days from Van Wagner (1987)"
        yield Row(words, apart["vw87"], "", beside, "the 6 decimals of the table", good)


@row("src/geolabel/fire/behave", "benchmarks/point.py", "tests/fire/behave_crown.csv")
def crowns() -> Iterator[Row]:
    """Crown fire in 288 cases against Behave (Scott & Reinhardt's links)."""
    behave = point.table(point.CROWN)
    fire = point.crowns(behave).crown
    assert fire is not None
    same = float(np.mean([point.TYPES[k] == name for k, name in zip(fire.kind, behave["fire_type"], strict=True)]))
    yield Row("crown fire: same type as Behave", same, "", f"{len(behave['fire_type'])} cases, 4 types", "1", same == 1)
    slower = behave["ros_m_min"] < behave["surface_ros_m_min"] * (1 - 1e-6)
    beside = f"without {int(slower.sum())} cases in which Behave's crowns slow the fire down"
    at_the_edge = "in fires that are only just lit: Behave's kJ in a Btu, 0.08 % off, shifts the threshold"
    for what, ours, theirs in (
        ("rate", fire.rate_m_min, "ros_m_min"),
        ("intensity", fire.intensity_kw_m, "fli_kw_m"),
        ("flame length", fire.flame_m, "flame_m"),
    ):
        error = 100 * np.abs(ours / behave[theirs] - 1)[~slower]
        yield Row(f"crown fire, {what}: median error against Behave", float(np.median(error)), "%", beside)
        yield Row(f"crown fire, {what}: largest error against Behave", float(error.max()), "%", at_the_edge)
