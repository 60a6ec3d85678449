"""Landforms from a DEM: the ten commonest geomorphons (Jasiewicz & Stepinski 2013), and their class list `LANDFORM`.

A landform says how the ground lies, not what covers it: its classes are an ontology of their own, so that they never
vote against land cover in a consensus of terrain.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import geopandas as gpd
import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.label.patches import as_array, merged, pixels_of, shapes_of
from geolabel.ontology import NODATA, Class, Ontology

SEARCH_M = 300.0
FLAT_DEG = 1.0
MIN_AREA_M2 = 10_000.0

_FORMS = (
    ("flat", "Flat", "#d9d9d9"),
    ("peak", "Peak", "#67001f"),
    ("ridge", "Ridge", "#b2182b"),
    ("shoulder", "Shoulder", "#f4a582"),
    ("spur", "Spur", "#fddbc7"),
    ("slope", "Slope", "#f6e8a6"),
    ("hollow", "Hollow", "#d1e5f0"),
    ("footslope", "Footslope", "#92c5de"),
    ("valley", "Valley", "#2166ac"),
    ("pit", "Pit", "#053061"),
)
LANDFORM = Ontology(
    "landform", 1, tuple(Class(name, title, i, "terrain", colour) for i, (name, title, colour) in enumerate(_FORMS, 1))
)
"""Codes 1-10 in the order of Jasiewicz & Stepinski (2013), figure 3."""
_FL, _PK, _RI, _SH, _SP, _SL, _HL, _FS, _VL, _PT = range(1, 11)
_NO = NODATA
FORM_OF = np.array(
    [
        [_FL, _FL, _FL, _FS, _FS, _VL, _VL, _VL, _PT],
        [_FL, _FL, _FS, _FS, _FS, _VL, _VL, _VL, _NO],
        [_FL, _SH, _SL, _SL, _HL, _HL, _VL, _NO, _NO],
        [_SH, _SH, _SL, _SL, _SL, _HL, _NO, _NO, _NO],
        [_SH, _SH, _SP, _SL, _SL, _NO, _NO, _NO, _NO],
        [_RI, _RI, _SP, _SP, _NO, _NO, _NO, _NO, _NO],
        [_RI, _RI, _RI, _NO, _NO, _NO, _NO, _NO, _NO],
        [_RI, _RI, _NO, _NO, _NO, _NO, _NO, _NO, _NO],
        [_PK, _NO, _NO, _NO, _NO, _NO, _NO, _NO, _NO],
    ],
    np.uint8,
)
"""[lower, higher]: the form of a pixel from how many of eight directions fall and rise (ibid., figure 4)."""
_AROUND = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)])


def landform_codes(elevation: Any, grid: Grid, *, search_m: float = SEARCH_M, flat_deg: float = FLAT_DEG) -> Any:
    """Lazy uint8 DataArray (y, x) of codes of `LANDFORM`, 255 = no data; the same however the DEM is cut.

    In each of eight directions the steepest lines of sight up and down within `search_m` are compared: the direction
    rises, falls, or is level where they differ by no more than `flat_deg`. A line ends at ground without a height and at
    the border, so forms within `search_m` of either are less certain; where it ends at once the direction is level.

    Parameters
    ----------
    elevation
        (y, x) heights in metres on `grid`, NaN = no data, lazy or not.
    search_m
        How far to look: forms are of this size or smaller.
    flat_deg
        Difference of the two angles, degrees, up to which a direction is level.

    Raises
    ------
    InputError
        Where `search_m` is less than a pixel or `flat_deg` not within 0-90.
    CRSError
        On a grid that is not metric with square pixels.

    Source: Jasiewicz & Stepinski 2013, Geomorphology 182:147, section 2 (pattern), figure 4 (forms).
    """
    reach = round(search_m / grid.res_m)
    if reach < 1 or not 0 <= flat_deg < 90:
        raise InputError(
            f"a search of {search_m:g} m on pixels of {grid.res_m:g} m, level within {flat_deg:g} degrees",
            hint="search_m of several pixels; flat_deg 0-90, 1 as a rule",
        )
    heights = da.asarray(getattr(elevation, "data", elevation))
    if heights.shape != grid.shape:
        raise InputError(f"heights of {heights.shape} on a grid of {grid.shape}", hint="open_dem(path, grid)")
    kernel = partial(geomorphons, reach=reach, res_m=grid.res_m, flat_deg=flat_deg)
    meta = np.empty((0, 0), np.uint8)
    depth = tuple(min(reach, size) for size in grid.shape)
    codes = da.map_overlap(kernel, heights, depth=depth, boundary=np.nan, dtype=np.uint8, meta=meta)
    coords = elevation.coords if isinstance(elevation, xr.DataArray) else None
    words = {"ontology": LANDFORM.id, "nodata": NODATA, "search_m": search_m, "flat_deg": flat_deg}
    return xr.DataArray(codes, dims=("y", "x"), coords=coords, name="landform", attrs=words)


def landform(codes: Any, grid: Grid, *, min_area_m2: float = MIN_AREA_M2) -> gpd.GeoDataFrame:
    """Landform polygons, `tables.SHAPES` with `area_m2`, that cover all known ground once; in the grid's CRS; computes.

    Patches smaller than `min_area_m2` join their largest neighbour; holes are kept; no confidence is declared.

    Raises
    ------
    InputError
        Where the codes do not lie on the grid.
    """
    values = as_array(codes, grid, "landform codes").astype(np.uint8)
    known = values != NODATA
    kept = merged(values, known, pixels_of(min_area_m2, grid))
    table, _, _ = shapes_of(kept, grid, known, name=lambda code: LANDFORM.by_code(code).name)
    return table.drop(columns="code")


def geomorphons(z: NDArray[Any], *, reach: int, res_m: float, flat_deg: float) -> NDArray[np.uint8]:
    """(y, x) uint8 forms of heights (y, x), m; see `landform_codes`."""
    codes = np.empty(z.shape, np.uint8)
    _forms(z.astype(np.float64), reach, res_m, np.radians(flat_deg), FORM_OF, codes)
    return codes


@njit(nogil=True, cache=True)
def _forms(z, reach, res_m, flat, form_of, codes):  # type: ignore[no-untyped-def]
    for row in range(z.shape[0]):
        for col in range(z.shape[1]):
            higher = lower = 0
            for down, right in _AROUND:
                turn = _turn(z, row, col, down, right, reach, res_m, flat)
                higher += turn > 0
                lower += turn < 0
            codes[row, col] = form_of[lower, higher] if np.isfinite(z[row, col]) else NODATA


@njit(nogil=True, cache=True)
def _turn(z, row, col, down, right, reach, res_m, flat):  # type: ignore[no-untyped-def]
    """1 where a direction rises, -1 where it falls, 0 where it is level."""
    step = res_m * np.sqrt(float(down * down + right * right))
    up, fall = -np.inf, -np.inf
    for k in range(1, int(reach * res_m / step + 1e-9) + 1):
        r, c = row + k * down, col + k * right
        if r < 0 or c < 0 or r >= z.shape[0] or c >= z.shape[1] or not np.isfinite(z[r, c]):
            break
        slope = (z[r, c] - z[row, col]) / (k * step)
        up, fall = max(up, slope), max(fall, -slope)
    if up == -np.inf:
        return 0
    difference = np.arctan(up) - np.arctan(fall)
    return 1 if difference > flat else -1 if difference < -flat else 0
