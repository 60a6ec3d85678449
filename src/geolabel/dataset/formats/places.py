"""Where a file's shapes lie: the CRS that it states or that was told, held against the numbers in it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geolabel.errors import CRSError, GeolabelWarning
from geolabel.grid import crs_key

TURN, POLE = 360.0, 90.0
"""Longitudes up to a whole turn are known from files about the antimeridian; a latitude ends at the pole."""
SLACK = 1e-6
HINT = "say in which CRS they were drawn: crs='EPSG:...' (a raster beside the file may know it)"


def placed(frame: gpd.GeoDataFrame, told: Any, *, path: Path) -> gpd.GeoDataFrame:
    """The frame in the CRS that its file states, where its numbers can be that; `told` fills in for none or a false one.

    Raises
    ------
    CRSError
        Where neither the file nor the user names a CRS, or the numbers cannot be in it.
    """
    if frame.crs is None:
        if told is None:
            raise CRSError(f"{path.name} names no CRS; {_extent(frame)}", hint=HINT)
        frame = frame.set_crs(pyproj.CRS(told))
    wrong = _impossible(frame)
    if wrong and told is not None and not frame.crs.equals(pyproj.CRS(told)):
        _warn(f"{path.name}: {wrong}; they were taken as {_name(pyproj.CRS(told))}, as told")
        frame = frame.set_crs(pyproj.CRS(told), allow_override=True)
        wrong = _impossible(frame)
    if wrong:
        raise CRSError(f"{path.name}: {wrong}", hint=_way_out(frame))
    _doubt(frame, path)
    return frame


def _impossible(frame: gpd.GeoDataFrame) -> str:
    """Why the numbers cannot be in the frame's CRS; empty where they can."""
    bounds = _bounds(frame)
    if not np.isfinite(bounds).all() or not frame.crs.is_geographic:
        return ""
    beyond = np.abs(bounds) > np.array([TURN, POLE, TURN, POLE]) + SLACK
    if not beyond.any():
        return ""
    return f"its CRS is {_name(frame.crs)}, in degrees, but {_extent(frame)}: {_look(bounds)}"


def _look(bounds: NDArray[np.float64]) -> str:
    """What numbers that are no degrees look like, in words."""
    x, y = np.abs(bounds[[0, 2]]).max(), np.abs(bounds[[1, 3]]).max()
    if x <= POLE and y <= TURN:
        return "they look like latitude before longitude"
    if bounds[0] >= 1e5 and bounds[2] <= 9e5 and bounds[1] >= 0 and bounds[3] <= 1e7:
        return "they look like metres of a UTM zone"
    return "they look like metres or feet of a projected CRS"


def _way_out(frame: gpd.GeoDataFrame) -> str:
    if "latitude" in _look(_bounds(frame)):
        return "swap them when the file is made: GeoJSON and shapefiles have longitude first"
    return f"the file's CRS is wrong or missing; {HINT}"


def _doubt(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Warn of numbers that can be in the CRS, but hardly are."""
    bounds = _bounds(frame)
    if not np.isfinite(bounds).all():
        return
    if frame.crs.is_projected and (np.abs(bounds) <= [180, 90, 180, 90]).all():
        _warn(f"{path.name}: {_name(frame.crs)} is projected, but {_extent(frame)} would do as degrees: check its CRS")
    area = frame.crs.area_of_use
    if frame.crs.is_geographic and area is not None:
        known = _ground(area)
        if not known.intersects(shapely.box(*bounds)) and known.intersects(shapely.box(*bounds[[1, 0, 3, 2]])):
            _warn(f"{path.name}: {_extent(frame)} lies outside {area.name}; latitude may come first in it")


def _ground(area: Any) -> BaseGeometry:
    """A CRS's area of use in degrees; it may cross the antimeridian."""
    if area.west <= area.east:
        return shapely.box(area.west, area.south, area.east, area.north)
    sides = [(area.west, area.south, 180.0, area.north), (-180.0, area.south, area.east, area.north)]
    return shapely.MultiPolygon([shapely.box(*side) for side in sides])


def _bounds(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    return np.asarray(frame.total_bounds, np.float64)


def _extent(frame: gpd.GeoDataFrame) -> str:
    west, south, east, north = (f"{value:.10g}" for value in _bounds(frame))
    return f"x is {west} to {east} and y {south} to {north}"


def _name(crs: pyproj.CRS) -> str:
    key = crs_key(crs.to_wkt())
    return key if len(key) < len(crs.to_wkt()) else str(crs.name)


def _warn(words: str) -> None:
    warnings.warn(words, GeolabelWarning, stacklevel=2)
