"""Cells that drawn lines and areas cover: what starts or stops a fire is drawn on a map and acts on cells."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geolabel.errors import CRSError, FireError
from geolabel.fire.arrays import Mask
from geolabel.grid import Grid
from geolabel.shapes import rasterise

Drawn: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
"""Geometries with their CRS, or one geometry in the grid's CRS where no other is said."""
AREAS = ("Polygon", "MultiPolygon")
INSIDE = 1e-9
"""Share of a piece between two cell borders below which it is rounding."""


def on_grid(drawn: Drawn, grid: Grid, crs: Any = None) -> gpd.GeoSeries:
    """The geometries in the grid's CRS.

    Raises
    ------
    CRSError
        A table without CRS.
    FireError
        Nothing drawn, or missing, empty or invalid geometries.
    """
    if isinstance(drawn, gpd.GeoDataFrame | gpd.GeoSeries):
        if drawn.crs is None:
            raise CRSError("drawn lines or areas without a CRS", hint="set_crs(...) with the CRS they were drawn in")
        series = drawn.geometry
    else:
        series = gpd.GeoSeries([drawn], crs=grid.crs.proj if crs is None else crs)
    if not len(series) or (series.isna() | series.is_empty | ~series.is_valid).any():
        raise FireError(
            f"{len(series)} drawn geometries, not all of them valid", hint="geolabel.shapes.repair(frame) mends areas"
        )
    return series if series.crs == grid.crs.proj else series.to_crs(grid.crs.proj)


def touched(drawn: Drawn, grid: Grid, crs: Any = None) -> Mask:
    """(y, x): cells that lines, the edges of areas and points pass through, and those with their centre in an area.

    A line's cells hang together side by side (4-connected), so that a line stops a fire wherever it meets it.
    """
    series, mask = on_grid(drawn, grid, crs), np.zeros(grid.shape, bool)
    areas = series[series.geom_type.isin(AREAS)]
    if len(areas):
        mask |= rasterise(gpd.GeoDataFrame(geometry=areas), grid).astype(bool)
    for part in shapely.get_parts(np.array(list(series), dtype=object)):
        edges = shapely.get_rings(part) if part.geom_type in AREAS else [part]
        for edge in edges:
            rows, cols = _along(shapely.get_coordinates(edge), grid).T
            on = (rows >= 0) & (cols >= 0) & (rows < grid.height) & (cols < grid.width)
            mask[rows[on], cols[on]] = True
    return mask


def inside(drawn: Drawn, grid: Grid, crs: Any = None) -> Mask:
    """(y, x): cells with their centre in one of the areas.

    Raises
    ------
    FireError
        Where something else than areas is drawn.
    """
    series = on_grid(drawn, grid, crs)
    other = sorted(set(series.geom_type) - set(AREAS))
    if other:
        raise FireError(f"{other[0]} drawn for an area", hint="draw polygons, or light a line or points")
    return rasterise(gpd.GeoDataFrame(geometry=series), grid).astype(bool)


def _along(xy: NDArray[np.float64], grid: Grid) -> NDArray[np.int64]:
    """(n, 2) row, col of the cells that a chain of straight pieces passes, in order and side by side."""
    col, row = ~grid.transform * xy.T
    places = np.column_stack([row, col])
    pieces = [_piece(a, b) for a, b in pairwise(places)]
    cells = np.concatenate(pieces) if pieces else np.floor(places).astype(np.int64)
    diagonal = np.flatnonzero((np.diff(cells, axis=0) != 0).all(1))  # through a corner: a cell beside it as well
    return np.insert(cells, diagonal + 1, np.column_stack([cells[diagonal, 0], cells[diagonal + 1, 1]]), axis=0)


def _piece(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, 2) row, col of the cells between two points: the middles between one cell border and the next."""
    cuts = [0.0, 1.0]
    for start, end in zip(a, b, strict=True):
        low, high = sorted((start, end))
        cuts += [(border - start) / (end - start) for border in range(int(np.floor(low)) + 1, int(np.ceil(high)))]
    share = np.unique(cuts)
    share = share[np.concatenate([[True], np.diff(share) > INSIDE])]
    middle = (share[1:] + share[:-1]) / 2 if len(share) > 1 else np.zeros(1)
    return np.floor(a + middle[:, None] * (b - a)).astype(np.int64)
