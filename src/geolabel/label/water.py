"""Open water from a water index: threshold, sure seeds, slope guard, smallest unit."""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.label.otsu import thresholds
from geolabel.label.patches import FOUR, Mask, as_array, pixels_of, shapes_of, without_small

MIN_AREA_M2 = 1_000.0
MAX_SLOPE_DEG = 10.0
"""Standing water is level; a DEM's errors on it are not."""
Threshold = float | Literal["otsu"]


def water(
    index: Any,
    grid: Grid,
    *,
    threshold: Threshold = 0.0,
    seed: float | None = None,
    slope_deg: Any = None,
    max_slope_deg: float = MAX_SLOPE_DEG,
    min_area_m2: float = MIN_AREA_M2,
) -> gpd.GeoDataFrame:
    """Polygons of open water, `tables.SHAPES` with `area_m2` and `index_mean`, class `water`; in the grid's CRS; computes.

    `confidence` is declared, not calibrated: 0.5 for a mean index at the threshold, 0.82 at the mean of all water found,
    towards 1 beyond. `masked_share` is the part of a polygon's filled outline that no clear pixel saw. The threshold is
    `attrs["threshold"]` of the table. Islands stay holes.

    Parameters
    ----------
    index
        (y, x) NDWI, MNDWI or AWEI, high over water, NaN = no data.
    threshold
        From which value on ground is water. `otsu` parts the scene's own values in two, and so finds "water" on any
        scene: for scenes that show a good deal of it.
    seed
        Value that one pixel of each patch must reach. Default: none.
    slope_deg
        (y, x) slope of the ground, degrees; steeper than `max_slope_deg` is shadow, not water. NaN counts as level.

    Raises
    ------
    InputError
        Where a layer does not lie on the grid, or Otsu has nothing to part.
    """
    values = as_array(index, grid, "a water index").astype(np.float64)
    level = None if slope_deg is None else as_array(slope_deg, grid, "a slope")
    cut = thresholds(values)[0] if threshold == "otsu" else float(threshold)
    mask = water_mask(values, threshold=cut, seed=seed, slope_deg=level, max_slope_deg=max_slope_deg)
    mask = without_small(mask, pixels_of(min_area_m2, grid))
    table, numbers, rows = shapes_of(mask.astype(np.uint8), grid, np.isfinite(values), name=lambda _: "water")
    found = numbers > 0
    sums = np.bincount(numbers[found], values[found], minlength=int(numbers.max()) + 1)
    mean = (sums / np.maximum(np.bincount(numbers[found], minlength=len(sums)), 1))[rows]
    table["confidence"] = _confidence(mean, cut, float(values[found].mean()) if found.any() else cut)
    table["index_mean"] = mean
    table.attrs["threshold"] = cut
    return table.drop(columns="code")


def water_mask(
    values: NDArray[Any],
    *,
    threshold: float,
    seed: float | None = None,
    slope_deg: NDArray[Any] | None = None,
    max_slope_deg: float = MAX_SLOPE_DEG,
) -> Mask:
    """(y, x) bool: at or above the threshold, level enough, in a 4-connected patch with a pixel at or above the seed.

    Raises
    ------
    InputError
        Where the seed lies below the threshold.
    """
    if seed is not None and seed < threshold:
        raise InputError(f"a seed of {seed:g} below the threshold {threshold:g}", hint="seeds are surer than the rest")
    with np.errstate(invalid="ignore"):
        mask = values >= threshold
        if slope_deg is not None:
            mask &= ~(slope_deg > max_slope_deg)
    if seed is None:
        return mask
    patch, n = ndimage.label(mask, FOUR)
    sure = np.bincount(patch[mask & (values >= seed)], minlength=n + 1) > 0
    sure[0] = False
    return sure[patch]


def _confidence(mean: NDArray[np.float64], threshold: float, typical: float) -> NDArray[np.float64]:
    """(n,) 0.5-1 from the distance of mean index values to the threshold; see `water`."""
    width = max(typical - threshold, 1e-9)
    return 1 - 0.5 * np.exp(-np.maximum(mean - threshold, 0) / width)
