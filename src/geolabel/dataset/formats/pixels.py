"""Shapes in pixels: x to the right and y down from the upper left corner of an image, whole numbers between pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes
from shapely.geometry import shape as geometry_of
from shapely.geometry.base import BaseGeometry

from geolabel.grid import Grid
from geolabel.shapes import polygons_of

ROUNDING_PX = 9
"""Decimals of a pixel that are kept: beyond them lies the rounding of coordinates on the ground."""


def to_pixels(geometries: Any, grid: Grid) -> NDArray[Any]:
    """(n,) the shapes (in the grid's CRS) in pixels of the grid, whatever its affine."""
    return shapely.transform(np.asarray(geometries, object), _moved(~grid.transform, decimals=ROUNDING_PX))


def to_ground(geometries: Any, grid: Grid) -> NDArray[Any]:
    """(n,) shapes in pixels of the grid in its CRS."""
    return shapely.transform(np.asarray(geometries, object), _moved(grid.transform))


def _moved(affine: Affine, *, decimals: int | None = None) -> Callable[[NDArray[Any]], NDArray[Any]]:
    a, b, c, d, e, f = affine[:6]

    def move(points: NDArray[Any]) -> NDArray[Any]:
        x, y = points[:, 0], points[:, 1]
        moved = np.column_stack([a * x + b * y + c, d * x + e * y + f])
        return moved if decimals is None else np.round(moved, decimals) + 0.0

    return move


def burned(shape: BaseGeometry, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(y, x) pixels of an image of `size` (height, width) whose centre lies inside a shape in pixels."""
    mask = np.zeros(size, bool)
    left, top, right, bottom = shape.bounds
    rows = slice(max(0, int(top)), min(size[0], int(np.ceil(bottom))))
    cols = slice(max(0, int(left)), min(size[1], int(np.ceil(right))))
    window = (rows.stop - rows.start, cols.stop - cols.start)
    if min(window) > 0:
        place = Affine.translation(cols.start, rows.start)
        mask[rows, cols] = rasterize([(shape, 1)], out_shape=window, transform=place, dtype=np.uint8) > 0
    return mask


def traced(mask: NDArray[np.bool_]) -> BaseGeometry:
    """Polygon or MultiPolygon in pixels of a mask's 4-connected patches, holes kept; empty of an empty mask."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return shapely.Polygon()
    part = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].astype(np.uint8)
    found = shapes(part, mask=part > 0, connectivity=4, transform=Affine.translation(int(cols[0]), int(rows[0])))
    patches = [geometry_of(patch) for patch, _ in found]
    return patches[0] if len(patches) == 1 else shapely.MultiPolygon(patches)


def box(left: float, top: float, right: float, bottom: float) -> BaseGeometry:
    """Upright box in pixels, whichever corner comes first."""
    return shapely.box(min(left, right), min(top, bottom), max(left, right), max(top, bottom))


def turned(shape: BaseGeometry, degrees: float, about: tuple[float, float]) -> BaseGeometry:
    """A shape in pixels turned clockwise, as one sees it on the image, about a point."""
    angle, centre = np.radians(degrees), np.array(about)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # y grows downward
    return shapely.transform(shape, lambda points: (points - centre) @ turn + centre)


def ellipse(x: float, y: float, rx: float, ry: float) -> BaseGeometry:
    """Polygon of 64 corners on an upright ellipse in pixels (its area is .2 % smaller)."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return shapely.Polygon(np.column_stack([x + rx * np.cos(angles), y + ry * np.sin(angles)]))


def ring(points: Any) -> BaseGeometry:
    """Polygon of the corners of a ring, MultiPolygon where it crosses itself; empty below three corners."""
    corners = np.asarray(points, float).reshape(-1, 2)
    if len(corners) < 3:
        return shapely.Polygon()
    return polygons_of(shapely.make_valid(shapely.Polygon(corners), method="structure", keep_collapsed=False))
