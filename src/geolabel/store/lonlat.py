"""WGS84 boxes of shapes in any CRS: what the index of places holds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

LARGE_DEG = 0.1
"""Size of a shape above which its edges, straight in its own CRS, may leave the box of its corners noticeably."""
STEPS = 256
"""Pieces that the outline of a large shape is cut into."""
WORLD = (-180.0, -90.0, 180.0, 90.0)

Boxes = NDArray[np.float64]
Geometries = NDArray[np.object_]


def lonlat_boxes(geometry: Geometries, crs: str) -> Boxes:
    """(n, 4) boxes in degrees: west, south, east, north; west > east across the antimeridian.

    Never smaller than the shape: edges of large ones are followed, one around a pole has the box of its cap, and one
    that the CRS cannot place has the box of the world.
    """
    if not len(geometry):
        return np.empty((0, 4))
    if CRS(crs).is_geographic:
        return _geographic(geometry, crs)
    boxes = _boxes(geometry, crs)
    large = np.maximum(np.mod(boxes[:, 2] - boxes[:, 0], 360), boxes[:, 3] - boxes[:, 1]) > LARGE_DEG
    if large.any():
        edges = shapely.length(geometry[large]) / STEPS
        boxes[large] = _boxes(shapely.segmentize(geometry[large], edges), crs)
    boxes[~np.isfinite(boxes).all(axis=1)] = WORLD
    return boxes


def _geographic(geometry: Geometries, crs: str) -> Boxes:
    """A polygon in degrees is where its numbers say; parts on both sides of the antimeridian are one shape across it."""
    boxes, raw = _boxes(geometry, crs), shapely.bounds(geometry)
    for row in np.flatnonzero(raw[:, 2] - raw[:, 0] > 180):
        parts = shapely.bounds(shapely.get_parts(geometry[row]))
        if (parts[:, 2] - parts[:, 0]).max() > 180:
            boxes[row, [0, 2]] = WORLD[0], WORLD[2]
    return boxes


def _boxes(geometry: Geometries, crs: str) -> Boxes:
    """Boxes of the corners."""
    points, owner = shapely.get_coordinates(geometry, return_index=True)
    lon, lat = _to_lonlat(crs).transform(points[:, 0], points[:, 1])
    starts = np.searchsorted(owner, np.arange(len(geometry)))
    wide = np.maximum.reduceat(lon, starts) - np.minimum.reduceat(lon, starts) > 180
    lon = np.where(wide[owner] & (lon < 0), lon + 360, lon)
    west, east = np.minimum.reduceat(lon, starts), np.maximum.reduceat(lon, starts)
    south, north = np.minimum.reduceat(lat, starts), np.maximum.reduceat(lat, starts)
    around = east - west > 180
    west, east = np.where(around, -180, west), np.where(around, 180, east)
    south, north = np.where(around & (south < 0), -90, south), np.where(around & (north > 0), 90, north)
    return np.column_stack([west, south, np.where(east > 180, east - 360, east), north])


@lru_cache(maxsize=64)
def _to_lonlat(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
