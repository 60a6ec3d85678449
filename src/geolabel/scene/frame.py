"""Lazy arrays as xarray: dims (y, x), coordinates of the grid's pixel centres, the CRS where rioxarray and odc-geo look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rioxarray  # noqa: F401 - registers `.rio` for whoever holds the data
import xarray as xr
from odc.geo.xr import xr_coords

from geolabel.grid import Grid
from geolabel.scene import accessor  # noqa: F401 - registers `.geolabel`


def dataset(arrays: Mapping[str, Any], grid: Grid, *, attrs: Mapping[str, Mapping[str, str]] | None = None) -> Any:
    """xarray.Dataset (y, x) of arrays that lie on `grid`, one variable each, lazy where they are."""
    attrs = attrs or {}
    variables = {name: (("y", "x"), array, dict(attrs.get(name, {}))) for name, array in arrays.items()}
    return xr.Dataset(variables, coords=xr_coords(grid.geobox, always_yx=True))
