"""Patches of a mask and their polygons: one row for each patch of a tile, whole patches named over the view."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.grid import Grid
from geolabel.shapes import polygonise

Patches = NDArray[np.int32]
EIGHT = np.ones((3, 3), bool)
"""Structure that joins diagonal neighbours too."""


def patches_of(mask: NDArray[np.bool_]) -> Patches:
    """(y, x) int32: a number for each 4-connected patch, in reading order from 1; 0 outside."""
    return ndimage.label(mask)[0].astype(np.int32)


def origins(patches: Patches) -> dict[int, tuple[int, int]]:
    """Patch -> (row, col) of its first pixel in reading order, which names it whatever else is on the ground."""
    flat = patches.ravel()
    used = np.flatnonzero(flat)
    numbers, first = np.unique(flat[used], return_index=True)
    rows, cols = np.unravel_index(used[first], patches.shape)
    return {int(n): (int(r), int(c)) for n, r, c in zip(numbers, rows, cols, strict=True)}


def patch_polygons(patches: Patches, grid: Grid) -> gpd.GeoSeries:
    """Polygon or MultiPolygon of each patch on this grid, holes kept; the index is the patch's number, rising."""
    traced = polygonise(patches, grid)
    merged = traced.groupby("code", sort=True).geometry.agg(lambda own: shapely.union_all(own.to_numpy()))
    return gpd.GeoSeries(list(merged), index=merged.index.to_numpy(np.int64), crs=traced.crs)
