"""From a grid to a web map: codes and pictures warped to EPSG:3857, and the corners between which they lie.

A picture that is only stretched between the corners of a UTM grid lies up to 1.5 km off on a 50 km scene; a warped one
lies within a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform_bounds

from geolabel.errors import InputError
from geolabel.grid import Grid

WEB = "EPSG:3857"
MAX_PIXELS = 1400
"""Longest edge of a warped picture: sharp on a screen, small in a file."""
MAX_PER_CELL = 8

Corners = tuple[tuple[float, float], tuple[float, float]]
"""((south, west), (north, east)) in degrees, as Leaflet takes them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of square pixels in web mercator."""

    left: float
    top: float
    res: float
    """Edge of a pixel in mercator metres (longer than on the ground by 1 / cos latitude)."""
    height: int
    width: int

    @property
    def transform(self) -> Affine:
        """Affine from (col, row) to mercator (x, y)."""
        return Affine(self.res, 0, self.left, 0, -self.res, self.top)

    @property
    def corners(self) -> Corners:
        """South-west and north-east corner, (latitude, longitude)."""
        to_lonlat = Transformer.from_crs(WEB, "EPSG:4326", always_xy=True)
        west, south = to_lonlat.transform(self.left, self.top - self.res * self.height)
        east, north = to_lonlat.transform(self.left + self.res * self.width, self.top)
        return (south, west), (north, east)


def frame_of(grid: Grid, *, max_pixels: int = MAX_PIXELS) -> Frame:
    """Mercator frame around a grid: up to 8 pixels a cell, `max_pixels` along the longer edge."""
    left, bottom, right, top = transform_bounds(grid.crs.proj, WEB, *grid.bounds, densify_pts=51)
    if not all(map(math.isfinite, (left, bottom, right, top))):
        raise InputError(f"{grid!r} does not fit on a web map", hint="web mercator ends at 85 degrees of latitude")
    longest = max(right - left, top - bottom)
    cells = max(grid.shape)
    res = longest / min(max_pixels, cells * MAX_PER_CELL)
    return Frame(left, top, res, math.ceil((top - bottom) / res), math.ceil((right - left) / res))


@lru_cache(maxsize=2)
def cell_index(grid: Grid, frame: Frame) -> NDArray[np.int32]:
    """(frame.height, frame.width) int32: which cell of the grid, counted row by row, lies there; -1 beyond the grid."""
    cells = np.arange(grid.height * grid.width, dtype=np.int32).reshape(grid.shape)
    out = np.full((frame.height, frame.width), -1, np.int32)
    _reproject(cells, out, grid, frame, Resampling.nearest)
    out.setflags(write=False)
    return out


def warp_codes(codes: NDArray[np.uint8], grid: Grid, frame: Frame, *, outside: int) -> NDArray[np.uint8]:
    """(frame.height, frame.width) uint8: nearest code; `outside` beyond the grid."""
    cells = cell_index(grid, frame)
    return np.where(cells >= 0, codes.ravel()[cells], outside).astype(np.uint8)


def warp_picture(picture: NDArray[np.uint8], grid: Grid, frame: Frame) -> NDArray[np.uint8]:
    """(frame.height, frame.width, 4) uint8 RGBA from (y, x) grey or (y, x, 3) colour; clear beyond the grid."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    out = np.zeros((4, frame.height, frame.width), np.uint8)
    bands = [*np.moveaxis(colour, 2, 0), np.full(grid.shape, 255, np.uint8)]
    for source, target, how in zip(bands, out, [Resampling.bilinear] * 3 + [Resampling.nearest], strict=True):
        _reproject(np.ascontiguousarray(source), target, grid, frame, how)
    return np.moveaxis(out, 0, 2)


def _reproject(source: NDArray[Any], target: NDArray[Any], grid: Grid, frame: Frame, how: Resampling) -> None:
    if source.shape != grid.shape:
        raise InputError(f"a picture of {source.shape} on a grid of {grid.shape}")
    reproject(
        source,
        target,
        src_transform=grid.transform,
        src_crs=grid.crs.proj,
        dst_transform=frame.transform,
        dst_crs=WEB,
        resampling=how,
        init_dest_nodata=False,
        tolerance=0.05,
    )
