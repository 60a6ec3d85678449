"""What a fire may reach: objects laid over probability and arrival."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
from affine import Affine
from rasterio.features import rasterize
from scipy.ndimage import maximum_filter, minimum_filter

from geolabel.errors import FireError
from geolabel.fire.arrays import F32
from geolabel.grid import Grid
from geolabel.shapes import area_m2, to_grid_crs
from geolabel.tables import EXPOSED, check, empty

REACH_CELLS = 1
"""A fire at the edge of a settlement exposes it: settlements themselves are non-burnable fuel."""


def exposed(objects: gpd.GeoDataFrame, probability: F32, arrival_min: F32, grid: Grid) -> gpd.GeoDataFrame:
    """Objects a fire may reach (`tables.EXPOSED`), the most probable first; probability 0 is left out.

    An object is exposed by every cell it touches, however little, and by the cells beside them: settlements do not burn
    on the map, but a fire at their edge reaches them. The probability is the largest of these cells, the arrival the
    earliest; the geometry is in the grid's CRS.

    Parameters
    ----------
    objects
        `label_id`, `class` and polygons in any CRS.
    probability, arrival_min
        (y, x) on `grid`: probability by the last hour, median arrival; NaN where unknown or not reached.

    Raises
    ------
    FireError
        Rasters of another shape than the grid.
    """
    if not probability.shape == arrival_min.shape == grid.shape:
        raise FireError(f"rasters of {probability.shape} and {arrival_min.shape} on {grid!r}")
    placed = to_grid_crs(objects, grid)
    size = 2 * REACH_CELLS + 1
    near = maximum_filter(np.nan_to_num(probability, nan=0.0), size)
    soon = minimum_filter(np.nan_to_num(arrival_min, nan=np.inf), size)
    found = [_worst(geometry, near, soon, grid) for geometry in placed.geometry]
    keep = np.array([chance > 0 for chance, _ in found], bool)
    if not keep.any():
        return empty(EXPOSED, grid.crs.to_wkt())
    out = placed.loc[keep, ["label_id", "class", "geometry"]].reset_index(drop=True)
    chances, times = (np.array([pair[i] for pair in found])[keep] for i in (0, 1))
    out = out.assign(probability=chances, arrival_min=np.where(np.isfinite(times), times, np.nan), area_m2=area_m2(out))
    out = out.sort_values(["probability", "label_id"], ascending=[False, True], ignore_index=True)
    return check(out[list(EXPOSED)], EXPOSED)


def _worst(geometry: Any, near: F32, soon: F32, grid: Grid) -> tuple[float, float]:
    """(largest probability, earliest arrival) over the cells a geometry touches; (0, inf) off the grid."""
    left, bottom, right, top = geometry.bounds
    inverse = ~grid.transform
    (col0, row0), (col1, row1) = inverse * (left, top), inverse * (right, bottom)
    rows = max(int(np.floor(row0)), 0), min(int(np.floor(row1)) + 1, grid.height)
    cols = max(int(np.floor(col0)), 0), min(int(np.floor(col1)) + 1, grid.width)
    if rows[0] >= rows[1] or cols[0] >= cols[1]:
        return 0.0, np.inf
    shift = grid.transform * Affine.translation(cols[0], rows[0])
    shape = rows[1] - rows[0], cols[1] - cols[0]
    touched = rasterize([geometry], out_shape=shape, transform=shift, all_touched=True, dtype=np.uint8) > 0
    window = slice(*rows), slice(*cols)
    if not touched.any():
        return 0.0, np.inf
    return float(near[window][touched].max()), float(soon[window][touched].min())
