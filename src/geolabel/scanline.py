"""Polygons laid on pixels, row by row. Compiled, safe from several threads at once, and the same in any window of a grid.

A pixel belongs to a polygon where its centre does. Centres on an edge are decided as GDAL does: inside on the east and on
the north and south side of a polygon, outside on its west side. Winding does not count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from affine import Affine
from numba import njit
from numpy.typing import NDArray

from geolabel.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Outlines(NamedTuple):
    """Polygons as flat arrays: each polygon a run of rings, each ring a run of points in pixels of one grid."""

    cols: Floats
    """Points, pixels east of the grid's corner."""
    rows: Floats
    """Points, pixels south of the grid's corner."""
    rings: Ints
    """(n + 1,) where each ring begins among the points."""
    parts: Ints
    """(n + 1,) where each polygon begins among the rings."""
    owners: Ints
    """(n,) the geometry each polygon is of."""
    boxes: Ints
    """(n, 4) first row, first column, and those after the last, of pixels whose centres may lie inside."""


def outlines(geometries: NDArray[Any], transform: Affine) -> Outlines:
    """Polygons (of MultiPolygons too) in pixels of the grid with this transform; missing and empty ones are left out.

    Raises
    ------
    InputError
        For geometries that are no polygons.
    """
    parts, owners = shapely.get_parts(geometries, return_index=True)
    kinds = shapely.get_type_id(parts)
    if (kinds != shapely.GeometryType.POLYGON).any():
        found = parts[kinds != shapely.GeometryType.POLYGON][0].geom_type
        raise InputError(f"a {found} has no inside", hint="polygons and MultiPolygons can be laid on a grid")
    rings, of_part = shapely.get_rings(parts, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    cols, rows = _in_pixels(points, transform)
    begins = np.searchsorted(of_ring, np.arange(len(rings) + 1))
    firsts = np.searchsorted(of_part, np.arange(len(parts) + 1))
    full = np.flatnonzero(np.diff(firsts))  # parts without rings have no points
    boxes = _boxes(cols, rows, begins[firsts[full]])
    return Outlines(cols, rows, begins, np.r_[firsts[full], len(rings)], owners[full], boxes)


def _in_pixels(points: Floats, transform: Affine) -> tuple[Floats, Floats]:
    """(cols, rows) of points; on north-up grids by division, which is exact where corners lie on whole pixels."""
    a, b, c, d, e, f = transform[:6]
    if not b and not d:
        return (points[:, 0] - c) / a, (points[:, 1] - f) / e
    a, b, c, d, e, f = (~transform)[:6]
    x, y = points.T
    return a * x + b * y + c, d * x + e * y + f


def _boxes(cols: Floats, rows: Floats, begins: Ints) -> Ints:
    if not len(begins):
        return np.empty((0, 4), np.int64)
    spans = [(np.minimum.reduceat(v, begins), np.maximum.reduceat(v, begins)) for v in (rows, cols)]
    lows = [np.floor(low) for low, _ in spans]
    return np.stack([*lows, *(np.ceil(high) for _, high in spans)], axis=1).astype(np.int64)


def fill(out: NDArray[Any], corner: tuple[int, int], shapes: Outlines, which: Ints, codes: NDArray[Any]) -> None:
    """Write codes into `out`, a window of the grid that begins at (row, col) `corner`; later polygons lie on top.

    Parameters
    ----------
    which
        Numbers of the polygons to lay, in their order.
    codes
        Of each geometry, in the type of `out`.
    """
    _fill(out, corner[0], corner[1], shapes.cols, shapes.rows, shapes.rings, shapes.parts, shapes.owners, which, codes)


@njit(cache=True, nogil=True)
def _fill(  # type: ignore[no-untyped-def]
    out, top, left, cols, rows, rings, parts, owners, which, codes
):
    for part in which:
        first, last = rings[parts[part]], rings[parts[part + 1]]
        high, low = rows[first], rows[first]
        for i in range(first, last):
            high, low = min(high, rows[i]), max(low, rows[i])
        begin = max(int(np.ceil(high - 0.5)), top)
        end = min(int(np.ceil(low - 0.5)), top + out.shape[0])
        if begin < end:
            counts = np.zeros(end - begin + 1, np.int64)
            _cross(counts, np.empty(0), begin, cols, rows, rings, parts[part], parts[part + 1])
            starts = np.zeros(end - begin + 1, np.int64)
            starts[1:] = np.cumsum(counts[:-1])
            counts[:] = starts
            crossings = np.empty(starts[-1])
            _cross(counts, crossings, begin, cols, rows, rings, parts[part], parts[part + 1])
            for row in range(end - begin):
                _runs(out[begin - top + row], left, crossings[starts[row] : starts[row + 1]], codes[owners[part]])
        for ring in range(parts[part], parts[part + 1]):
            _southern(out, top, left, cols[rings[ring] : rings[ring + 1]], rows[rings[ring] : rings[ring + 1]],
                      codes[owners[part]])  # fmt: skip


@njit(cache=True, nogil=True)
def _cross(counts, crossings, begin, cols, rows, rings, first, last):  # type: ignore[no-untyped-def]
    """Where the edges of rings `first` to `last` cross the centres of rows: counted, or written after `counts`."""
    end = begin + len(counts) - 1
    for ring in range(first, last):
        for i in range(rings[ring], rings[ring + 1] - 1):
            upper, lower = (i, i + 1) if rows[i] < rows[i + 1] else (i + 1, i)
            y, x = rows[upper], cols[upper]
            high, wide = rows[lower] - y, cols[lower] - x
            for row in range(max(int(np.ceil(y - 0.5)), begin), min(int(np.ceil(rows[lower] - 0.5)), end)):
                if len(crossings):
                    crossings[counts[row - begin]] = (row + 0.5 - y) * wide / high + x
                counts[row - begin] += 1


@njit(cache=True, nogil=True)
def _runs(line, left, crossings, code):  # type: ignore[no-untyped-def]
    """Write the code between the first crossing and the second, the third and the fourth, ..."""
    crossings.sort()
    for i in range(0, len(crossings) - 1, 2):
        begin = max(int(np.floor(crossings[i] + 0.5)) - left, 0)
        end = min(int(np.floor(crossings[i + 1] + 0.5)) - left, len(line))
        for col in range(begin, end):
            line[col] = code


@njit(cache=True, nogil=True)
def _southern(out, top, left, cols, rows, code):  # type: ignore[no-untyped-def]
    """Write the code where a southern edge of a ring runs along the centres of a row: no crossing tells of it."""
    for i in range(len(cols) - 1):
        row = int(np.floor(rows[i]))
        if not (rows[i] == rows[i + 1] == row + 0.5 and 0 <= row - top < out.shape[0]):
            continue
        if (cols[i] > cols[i + 1]) == (_signed_area(cols, rows) > 0):
            west, east = min(cols[i], cols[i + 1]), max(cols[i], cols[i + 1])
            begin, end = max(int(np.floor(west + 0.5)) - left, 0), int(np.floor(east + 0.5)) - left
            for col in range(begin, min(end, out.shape[1])):
                out[row - top, col] = code


@njit(cache=True, nogil=True)
def _signed_area(cols, rows):  # type: ignore[no-untyped-def]
    """Twice the area of a ring, positive where it runs clockwise on the screen."""
    total = 0.0
    for i in range(len(cols) - 1):
        total += (cols[i] - cols[0]) * (rows[i + 1] - rows[0]) - (cols[i + 1] - cols[0]) * (rows[i] - rows[0])
    return total
