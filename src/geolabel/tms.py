"""Tiles of a tile matrix set (web mercator and others): the same names `z/x/y` for all scenes and all web maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geolabel.errors import CRSError, InputError, MissingExtra, nearest
from geolabel.grid import Grid, Tile, Tiling
from geolabel.tiling import on_plane

EDGE = 1e-6
"""Share of a tile by which ground must reach into it."""


def tms_tiles(grid: Grid, zoom: int, *, tms: Any = "WebMercatorQuad", margin: int = 0) -> Tiling:
    """Tiles of one zoom that have ground in common with a grid, named `z/x/y`, row by row.

    Their parent grid is the matrix of that zoom, cropped to these tiles; put scenes on it with
    `gl.align({"scene": scene}, grid=tiling.grid)`.

    Parameters
    ----------
    tms
        Name of a set that `morecantile` knows, or a `morecantile.TileMatrixSet`.

    Raises
    ------
    InputError
        For a zoom or a set that is not known, and for ground that its CRS tears apart (the antimeridian).
    MissingExtra
        Without morecantile.

    Source: OGC Two Dimensional Tile Matrix Set 2.0 (17-083r4), section 6.
    """
    matrix_set = _matrix_set(tms)
    matrix = _matrix(matrix_set, zoom)
    crs, cell, wide, high = matrix_set.crs.to_wkt(), matrix.cellSize, matrix.tileWidth, matrix.tileHeight
    x0, y0 = _corner(matrix_set, matrix)
    ground = _ground(grid, crs, matrix.matrixWidth * wide * cell)
    west, south, east, north = ground.bounds
    across = _span((west - x0) / (cell * wide), (east - x0) / (cell * wide), matrix.matrixWidth)
    down = _span((y0 - north) / (cell * high), (y0 - south) / (cell * high), matrix.matrixHeight)
    if not (across and down):
        raise InputError(f"{grid!r} has no ground in common with {matrix_set.id}", hint="take another tile matrix set")
    transform = Affine(cell, 0, x0 + across.start * wide * cell, 0, -cell, y0 - down.start * high * cell)
    parent = Grid.of(crs, transform, (len(down) * high, len(across) * wide))
    flip = matrix.matrixHeight - 1 if matrix.cornerOfOrigin == "bottomLeft" else None
    tiles = [Tile((y - down.start) * high, (x - across.start) * wide, high, wide, margin) for y in down for x in across]
    names = [f"{zoom}/{x}/{y if flip is None else flip - y}" for y in down for x in across]
    return Tiling(parent, tuple(tiles), tuple(names)).intersecting(ground, crs=crs)


def _matrix_set(tms: Any) -> Any:
    try:
        import morecantile
    except ImportError:
        raise MissingExtra("tile matrix sets need morecantile", hint="pip install 'geolabel[tms]'") from None
    if not isinstance(tms, str):
        return tms
    known = morecantile.tms.list()
    if tms not in known:
        raise InputError(f"unknown tile matrix set {tms!r}", hint=nearest(tms, known))
    return morecantile.tms.get(tms)


def _matrix(matrix_set: Any, zoom: int) -> Any:
    found = next((one for one in matrix_set.tileMatrices if one.id == str(zoom)), None)
    if found is None:
        ids = [one.id for one in matrix_set.tileMatrices]
        raise InputError(f"{matrix_set.id} has no zoom {zoom}", hint=f"it has {ids[0]} to {ids[-1]}")
    if found.variableMatrixWidths:
        raise InputError(
            f"zoom {zoom} of {matrix_set.id} has rows of different widths", hint="use a set of plain rows and columns"
        )
    return found


def _corner(matrix_set: Any, matrix: Any) -> tuple[float, float]:
    """(x, y) of a matrix's upper left corner; the axes of its CRS may be the other way round in the set's own text."""
    first = matrix_set.xy_bounds(0, 0, int(matrix.id))
    if matrix.cornerOfOrigin == "bottomLeft":
        return first.left, first.bottom + matrix.matrixHeight * matrix.tileHeight * matrix.cellSize
    return first.left, first.top


def _ground(grid: Grid, crs: str, world: float) -> BaseGeometry:
    """A grid's rectangle in another CRS whose x spans `world`."""
    ground = on_plane(shapely.box(*grid.bounds), grid.crs.to_wkt(), crs)
    steps = np.abs(np.diff(shapely.get_coordinates(ground)[:, 0]))
    if steps.max() > world / 2:
        raise CRSError(f"{grid!r} crosses the antimeridian, where this CRS ends", hint="tile it on its own grid: size=")
    return ground


def _span(first: float, last: float, count: int) -> range:
    """Tiles along one axis; edges that only touch by rounding do not count."""
    return range(max(int(np.floor(first + EDGE)), 0), min(int(np.ceil(last - EDGE)), count))
