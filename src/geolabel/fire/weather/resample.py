"""From the cells of a coarse grid of weather to those of a landscape: which cells, with which shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer
from scipy.spatial import Delaunay, QhullError, cKDTree

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, I32
from geolabel.grid import Grid


@dataclass(frozen=True, slots=True)
class Shares:
    """Each landscape cell as a weighted mean of weather cells; weights are the same for all quantities."""

    of: I32
    """(k, y, x) weather cells, flat."""
    share: F32
    """(k, y, x), sum 1."""

    def of_values(self, values: Any) -> F64:
        """(y, x) values of one period, of (cell,) or (row, col) weather values."""
        flat = np.asarray(values, float).ravel()
        made = np.zeros(self.of.shape[1:])
        for of, share in zip(self.of, self.share, strict=True):
            made += flat[of] * share
        return made

    @property
    def nearest(self) -> I32:
        """(y, x) the weather cell with the largest share."""
        return np.asarray(np.take_along_axis(self.of, self.share.argmax(0)[None], 0)[0])


def centres(grid: Grid, crs: Any) -> tuple[F64, F64]:
    """(x, y) of the cells of a grid in another CRS, (y, x) each; lon and lat where that is geographic."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    a, b, c, d, e, f = grid.transform[:6]
    x, y = Transformer.from_crs(grid.crs.proj, crs, always_xy=True).transform(
        a * cols + b * rows + c, d * cols + e * rows + f
    )
    return np.asarray(x, float), np.asarray(y, float)


def on_axes(y_axis: F64, x_axis: F64, y: F64, x: F64) -> Shares:
    """Bilinear shares of cells with centres at `y_axis` times `x_axis`, at points (y, x).

    Beyond the outermost centres the outermost value holds: the caller checks that points lie within their cells.
    """
    row, down = _along(y_axis, y)
    col, right = _along(x_axis, x)
    next_row, next_col = np.minimum(row + 1, len(y_axis) - 1), np.minimum(col + 1, len(x_axis) - 1)
    n = len(x_axis)
    of = np.stack([row * n + col, row * n + next_col, next_row * n + col, next_row * n + next_col])
    share = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
    return Shares(of.astype(np.int32), share.astype(np.float32))


def _along(axis: F64, at: F64) -> tuple[Any, Any]:
    """(cell before a point, how far to the next one in 0-1) along a rising or falling axis."""
    if len(axis) == 1:
        return np.zeros(at.shape, np.int64), np.zeros(at.shape)
    sign = 1.0 if axis[1] > axis[0] else -1.0
    place = np.interp(sign * at, sign * axis, np.arange(len(axis), dtype=float))
    before = np.minimum(np.floor(place), len(axis) - 2).astype(np.int64)
    return before, place - before


def on_points(x_of: F64, y_of: F64, x: F64, y: F64) -> Shares:
    """Linear shares of scattered cells with centres (x_of, y_of), at points of the same plane; at the rim the nearest cell.

    Raises
    ------
    FireError
        Points farther from every cell than cells from each other.
    """
    places, wanted = np.column_stack([x_of.ravel(), y_of.ravel()]), np.column_stack([x.ravel(), y.ravel()])
    tree = cKDTree(places)
    far, near = tree.query(wanted)
    spacing = float(np.median(tree.query(places, k=2)[0][:, 1])) if len(places) > 1 else np.inf
    if far.max() > 1.5 * spacing:
        raise FireError(
            f"the landscape lies up to {far.max() / 1000:.1f} km from the nearest weather, which stands every {spacing / 1000:.1f} km",
            hint="weather must cover the whole landscape",
        )
    of = np.repeat(near[:, None], 3, 1)
    share = np.tile([1.0, 0.0, 0.0], (len(wanted), 1))
    try:
        mesh = Delaunay(places)
    except (QhullError, ValueError):  # too few cells for a triangle
        mesh = None
    if mesh is not None:
        face = mesh.find_simplex(wanted)
        inside = face >= 0
        plane = mesh.transform[face[inside]]
        two = np.einsum("nij,nj->ni", plane[:, :2], wanted[inside] - plane[:, 2])
        of[inside], share[inside] = mesh.simplices[face[inside]], np.column_stack([two, 1 - two.sum(1)])
    shape = (3, *x.shape)
    return Shares(of.T.reshape(shape).astype(np.int32), share.T.reshape(shape).astype(np.float32))
