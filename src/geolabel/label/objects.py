"""Objects that may be lost, proposed from terrain: settlements."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
from scipy import ndimage

from geolabel.grid import Grid
from geolabel.label.patches import as_array, pixels_of, shapes_of, without_small
from geolabel.ontology import NODATA, WILDFIRE

MIN_AREA_M2 = 20_000.0
"""Two hectares."""
GAP_M = 30.0
"""Built-up patches less than twice this apart are one settlement."""
_BUILT_UP, _WATER = WILDFIRE["built_up"].code, WILDFIRE["water"].code


def settlements(codes: Any, grid: Grid, *, min_area_m2: float = MIN_AREA_M2) -> gpd.GeoDataFrame:
    """Polygons of groups of built-up ground, `tables.SHAPES` with `area_m2`, class `settlement`; in the grid's CRS.

    Built-up pixels are closed over gaps of `GAP_M` on either side (never over water or nodata), groups below
    `min_area_m2` dropped, holes kept. Proposals for people to correct: pixels know no buildings.

    Parameters
    ----------
    codes
        (y, x) uint8 terrain codes of the ontology `WILDFIRE`, 255 = no data; computed here.

    Raises
    ------
    InputError
        Where the codes do not fit the grid.
    """
    values = as_array(codes, grid, "terrain codes").astype(np.uint8)
    known = values != NODATA
    reach = max(1, round(GAP_M / grid.res_m))
    padded = np.pad(values == _BUILT_UP, reach)  # closing eats what touches the border
    closed = ndimage.binary_closing(padded, np.ones((3, 3), bool), iterations=reach)[reach:-reach, reach:-reach]
    groups = without_small(closed & known & (values != _WATER), pixels_of(min_area_m2, grid))
    table, _, _ = shapes_of(groups.astype(np.uint8), grid, known, name=lambda _: "settlement")
    return table.drop(columns="code")
