"""Calibration: how often intervals hold the truth, and the fire of Houffalize."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import calibration, houffalize
from benchmarks.evidence import Row, row

KIN = ("src/geolabel/fire/calibrate", "src/geolabel/fire/front")


@row(*KIN, "benchmarks/calibration.py", long=True)
def coverage() -> Iterator[Row]:
    """Share of 90 % intervals that hold the truth, over simulated fires."""
    table = calibration.summary(calibration.study())
    for one in table.to_dict("records"):
        name = f"calibration, {one['observed']}: 90 % intervals of {one['quantity']} that hold the truth"
        beside = f"{one['low']:.2f} to {one['high']:.2f} over {one['truths']} truths; {one['narrowed']:.0%} narrower than the prior"
        yield Row(
            name, float(one["held"]), "", beside, ".90 within its interval", bool(one["low"] <= 0.9 <= one["high"])
        )


@row(*KIN, "benchmarks/houffalize.py", needs="fire-houffalize", long=True)
def fire() -> Iterator[Row]:
    """The scar of Houffalize (2025), duration unknown: agreement before and after, which is a fit and no validation."""
    for roads in (True, False):
        one = houffalize.case(roads=roads)
        found = houffalize.fitted(one)
        for name, words in (
            ("sorensen", "Sorensen"),
            ("rate_factor", "rate factor"),
            ("wind_factor", "wind factor"),
            ("reach", "rate factor x hours"),
        ):
            middle, low, high = found.interval(name)
            before = found.interval(name, before=True)
            beside = f"90 %: {low:.2f} to {high:.2f}; before {before[0]:.2f} ({before[1]:.2f} to {before[2]:.2f})"
            yield Row(f"Houffalize, {one.name}: {words} after", float(middle), "", beside)
