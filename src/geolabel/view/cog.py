"""Cloud-optimised GeoTIFFs: any bands on a grid, and a whole RiskMap that comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from geolabel.errors import InputError, SourceError
from geolabel.files import atomic, named_errors, write_json
from geolabel.grid import Grid, LonLat
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.times import iso, utc

SHARE_STEPS, SHARE_NODATA = 250, 255
"""Probabilities as uint8: 0-250 for 0-1 (steps of 0.4 %), 255 where nothing is known."""
SCHEMA = "geolabel-risk/1"
RASTERS = ("arrival_min", "bearing_deg", "rate_m_min", "confidence")
UNITS = {"arrival_min": "min", "bearing_deg": "degree", "rate_m_min": "m/min", "confidence": "1", "ground": "1"}
WORDS = ("title", "timezone", "model", "calibration", "weather", "status", "approver")


def write_cog(
    path: Path | str,
    arrays: NDArray[Any] | Sequence[NDArray[Any]],
    grid: Grid,
    *,
    names: Sequence[str],
    nodata: float | None = None,
    scales: Sequence[float] | None = None,
    units: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Path of a cloud-optimised GeoTIFF (tiled, overviews by nearest neighbour, deflate), written atomically.

    Parameters
    ----------
    arrays
        (band, y, x) on `grid`, one dtype.
    names, scales, units
        One a band: description, what a value is multiplied by to give the quantity, unit.

    Raises
    ------
    InputError
        Where shapes, dtypes or numbers of names do not agree.
    SourceError
        On a full disk and the like; the file is then absent.
    """
    bands = [np.asarray(band) for band in arrays]
    _check(bands, grid, names)
    profile = {
        "driver": "COG",
        "height": grid.height,
        "width": grid.width,
        "count": len(bands),
        "dtype": bands[0].dtype,
        "crs": grid.crs.to_wkt(),
        "transform": grid.transform,
        "nodata": nodata,
        "compress": "deflate",
        "predictor": "yes",
        "blocksize": 256,
        "overview_resampling": "nearest",
    }
    with atomic(path) as tmp, _named(Path(path)), rasterio.open(tmp, "w", **profile) as file:
        for number, (band, name) in enumerate(zip(bands, names, strict=True), start=1):
            file.write(band, number)
            file.set_band_description(number, name)
        file.scales = tuple(scales or [1.0] * len(bands))
        file.units = tuple(units or [""] * len(bands))
        file.update_tags(**(tags or {}))
    return Path(path)


def _check(bands: list[NDArray[Any]], grid: Grid, names: Sequence[str]) -> None:
    if not bands or len(bands) != len(names) or len(set(names)) != len(names):
        raise InputError(f"{len(bands)} bands with the names {list(names)}", hint="one name of its own a band")
    shapes, kinds = {b.shape for b in bands}, {str(b.dtype) for b in bands}
    if shapes != {grid.shape} or len(kinds) > 1:
        raise InputError(f"bands of shapes {sorted(shapes)} and dtypes {sorted(kinds)} on a grid of {grid.shape}")


class _named:  # noqa: N801 - reads as the verb it is
    """Turn rasterio's errors on `path` into one that says what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, rasterio.errors.RasterioError):
            raise SourceError(f"cannot write {self.path}: {error}", hint="is the disk full?") from error


def shares(probability: NDArray[np.floating]) -> NDArray[np.uint8]:
    """uint8 0-250 for probabilities 0-1, 255 for NaN."""
    known = np.isfinite(probability)
    return np.where(known, np.round(np.nan_to_num(probability) * SHARE_STEPS), SHARE_NODATA).astype(np.uint8)


def hour_names(risk: RiskMap) -> tuple[str, ...]:
    """Band names of the probabilities: `burned_by_6h`."""
    return tuple(f"burned_by_{h:g}h" for h in risk.hours)


def risk_tags(risk: RiskMap) -> dict[str, str]:
    """What a GeoTIFF of this map says of itself: times, status, model, digest."""
    texts = {name.upper(): str(getattr(risk, name)) for name in WORDS}
    more = {
        "SCHEMA": SCHEMA,
        "ISSUED": iso(risk.issued),
        "VALID_FROM": iso(risk.start),
        "VALID_TO": iso(risk.valid_to),
        "N_MEMBERS": str(risk.n_members),
        "NOTES": " ".join(risk.notes),
        "DIGEST": risk.digest,
    }
    return {**texts, **more}


def write_probability(risk: RiskMap, path: Path | str) -> Path:
    """Path of a COG for any GIS: one uint8 band an hour, 0-250 with scale 0.004, 255 nodata."""
    names = hour_names(risk)
    return write_cog(
        path,
        shares(risk.probability),
        risk.grid,
        names=names,
        nodata=SHARE_NODATA,
        scales=[1 / SHARE_STEPS] * len(names),
        tags=risk_tags(risk),
    )


def save_risk(risk: RiskMap, folder: Path | str) -> Path:
    """Path of `risk.json` in a folder with `risk.tif` (float32, exact) and `probability.tif` (uint8, for any GIS)."""
    folder = Path(folder)
    names = (*hour_names(risk), *RASTERS, "ground")
    bands = [*risk.probability, *(getattr(risk, name) for name in RASTERS), risk.ground]
    units = [UNITS.get(name, "1") for name in names]
    floats = [np.asarray(band, np.float32) for band in bands]
    tags = risk_tags(risk)
    write_cog(folder / "risk.tif", floats, risk.grid, names=names, nodata=float("nan"), units=units, tags=tags)
    write_probability(risk, folder / "probability.tif")
    return write_json(folder / "risk.json", _head(risk))


def _head(risk: RiskMap) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        **{name: getattr(risk, name) for name in WORDS},
        "crs": risk.grid.crs.to_wkt(),
        "hours": list(risk.hours),
        "issued": risk.issued.isoformat(),
        "start": risk.start.isoformat(),
        "valid_to": risk.valid_to.isoformat(),
        "ignition": None if risk.ignition is None else [risk.ignition.lon, risk.ignition.lat],
        "starts": risk.starts,
        "n_members": risk.n_members,
        "notes": list(risk.notes),
        "made_of": dict(risk.made_of),
        "files": {"exact": "risk.tif", "probability": "probability.tif"},
        "digest": risk.digest,
    }


def load_risk(folder: Path | str) -> RiskMap:
    """The RiskMap that `save_risk` wrote into a folder, equal to the bit.

    Raises
    ------
    SourceError
        Where a file is missing.
    InputError
        Where it is of another schema, or pixels and text no longer belong together.
    """
    folder = Path(folder)
    with named_errors(folder / "risk.json"):
        head = json.loads((folder / "risk.json").read_text(encoding="utf-8"))
    if head.get("schema") != SCHEMA:
        raise InputError(f"{folder / 'risk.json'} is of schema {head.get('schema')!r}, not {SCHEMA}")
    # a GeoTIFF's keys rewrite the WKT of its CRS, and a grid's digest is over that text
    grid, bands = _read(folder / "risk.tif", head["crs"])
    hours = tuple(head["hours"])
    count = len(hours)
    risk = RiskMap(
        grid=grid,
        hours=hours,
        probability=bands[:count],
        **dict(zip(RASTERS, bands[count : count + len(RASTERS)], strict=True)),
        ground=bands[-1].astype(np.uint8),
        issued=utc(head["issued"]),
        start=utc(head["start"]),
        ignition=None if head["ignition"] is None else LonLat(*head["ignition"]),
        starts=head.get("starts", ""),
        n_members=head["n_members"],
        notes=tuple(head["notes"]),
        made_of=head["made_of"],
        **{name: head[name] for name in WORDS},
    )
    if risk.digest != head["digest"]:
        raise InputError(f"the pixels of {folder / 'risk.tif'} are not those its risk.json speaks of")
    return risk


def _read(path: Path, crs: str) -> tuple[Grid, NDArray[np.float32]]:
    try:
        with rasterio.open(path) as file:
            return Grid.of(crs, file.transform, file.shape), file.read()
    except rasterio.errors.RasterioIOError as error:
        raise SourceError(f"cannot read {path}: {error}", hint="save_risk(...) writes it") from error
