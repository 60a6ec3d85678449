"""Open water from radar: smooth surfaces send little back. VV and VH are looked at together."""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.label.otsu import thresholds
from geolabel.label.patches import Mask, as_array, pixels_of, shapes_of, without_small

MIN_AREA_M2 = 5_000.0
LEAST_GAP_DB = 4.0
"""Mean backscatter of the two classes must lie this far apart, or there is no water: speckle alone, filtered, is parted by
about half a dB; water and land lay 9 dB apart on the scene of `tests/real/test_radar.py`."""
MOST_SURE = 0.8
"""Confidence that no shape passes: 81 % of what the rule calls water on that scene is water by the hand-made label.
Shadow, asphalt, dry sand and wet snow are as dark."""
Threshold = Literal["otsu"] | float


def water_radar(
    level_db: Any, grid: Grid, *, threshold: Threshold = "otsu", min_area_m2: float = MIN_AREA_M2
) -> gpd.GeoDataFrame:
    """Open water as polygons, `tables.SHAPES` with `level_db_mean` and `area_m2` (geodesic), in the grid's CRS.

    Water is where the level lies below the threshold. The table's `attrs` say `threshold` and `gap_db`, by how much the
    land is brighter; with Otsu's threshold nothing is water where that is below `LEAST_GAP_DB`. `confidence` is declared,
    not calibrated: 0.5 at the threshold towards `MOST_SURE` below it.

    Parameters
    ----------
    level_db
        (y, x) mean of VV and VH in dB, speckle filtered, NaN = no data; computed here.

    Raises
    ------
    InputError
        Where it does not fit the grid, no pixel has a value, or the threshold is unknown.
    """
    level = as_array(level_db, grid, "backscatter").astype(np.float64)
    known = np.isfinite(level)
    if not known.any():
        raise InputError("no pixel of the backscatter has a value", hint="look at scene.valid")
    limit = _limit(level[known], threshold)
    dark = known & (level < limit)
    gap = float(level[known & ~dark].mean() - level[dark].mean()) if dark.any() and not dark[known].all() else 0.0
    if threshold == "otsu" and gap < LEAST_GAP_DB:
        dark[:] = False
    table = _table(without_small(dark, pixels_of(min_area_m2, grid)), level, grid, limit)
    table.attrs.update(threshold=limit, gap_db=gap)
    return table


def _limit(values: NDArray[np.float64], threshold: Threshold) -> float:
    if threshold != "otsu":
        try:
            return float(threshold)
        except ValueError:
            raise InputError(f"unknown threshold {threshold!r}", hint="'otsu' or a number in dB") from None
    return thresholds(values)[0] if np.unique(values).size > 1 else float(values[0])


def _table(water: Mask, level: NDArray[np.float64], grid: Grid, limit: float) -> gpd.GeoDataFrame:
    codes = water.astype(np.uint8)
    table, numbers, rows = shapes_of(codes, grid, np.isfinite(level), name=lambda _: "water")
    below = (
        np.bincount(numbers[water], level[water]) / np.maximum(np.bincount(numbers[water]), 1) if len(rows) else rows
    )
    mean = below[rows].astype(np.float64)
    sure = MOST_SURE - (MOST_SURE - 0.5) * np.exp(-(limit - mean) / LEAST_GAP_DB)
    return table.assign(confidence=sure, level_db_mean=mean).drop(columns="code")
