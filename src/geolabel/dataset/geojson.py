"""GeoJSON as RFC 7946 has it: WGS84, exteriors counter-clockwise, 7 decimals, cut at the antimeridian, no NaN, no `crs`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.nouns.times import exact
from geolabel.shapes import polygons_of

DECIMALS = 7
"""A centimetre on the ground (RFC 7946, section 11.2)."""
EARTH_RADIUS_M = 6_371_000.0
BOW_PX = 0.01
"""How far a straight edge may bow when its ends are moved to longitude and latitude, pixels."""
HALF_TURN = 180.0
"""A shape wider than this, in degrees, crosses the antimeridian."""
Feature = dict[str, Any]
Geometries = NDArray[Any]


def longest_edge(grid: Grid) -> float:
    """Length above which edges get more corners, metres: the bow of an arc is length**2 / (8 * radius); inf in degrees."""
    return math.sqrt(8 * EARTH_RADIUS_M * BOW_PX * grid.res_m) if grid.is_metric else math.inf


def lonlat(geometries: Iterable[BaseGeometry], crs: Any, *, longest: float = math.inf) -> list[BaseGeometry]:
    """Polygons and MultiPolygons in WGS84, as RFC 7946 wants them.

    Parameters
    ----------
    longest
        Edges longer than this (in units of `crs`) get more corners first.

    Raises
    ------
    InputError
        For a geometry without area at 7 decimals, or one that holds a pole.
    """
    return list(rounded(degrees(geometries, crs, longest=longest)))


def degrees(geometries: Iterable[BaseGeometry], crs: Any, *, longest: float = math.inf) -> Geometries:
    """(n,) the geometries in longitude and latitude, corner by corner, unrounded and not yet cut."""
    found = np.array(list(geometries), dtype=object)
    if math.isfinite(longest):
        found = shapely.segmentize(found, longest)
    return np.atleast_1d(shapely.transform(found, _to_lonlat(_text(crs))))


def rounded(moved: Geometries) -> Geometries:
    """(n,) geometries in degrees as RFC 7946 wants them; `lonlat` says what it refuses."""
    bounds = shapely.bounds(moved)
    near = shapely.transform(moved, _round)
    ill = ~shapely.is_valid(near) | ~(shapely.area(near) > 0) | (bounds[:, 2] - bounds[:, 0] > HALF_TURN)
    near = shapely.orient_polygons(near)
    near[ill] = [_rfc7946(geometry) for geometry in moved[ill]]
    return near


def _round(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(points, DECIMALS) + 0.0


def _text(crs: Any) -> str:
    return CRS(crs).to_wkt()


@lru_cache(maxsize=32)
def _to_lonlat(crs: str) -> Any:
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return move


def _snapped(whole: BaseGeometry, near: BaseGeometry) -> BaseGeometry:
    """The geometry on the grid of decimals, valid; GEOS cannot always snap a shape with many holes in one go."""
    for start in (whole, shapely.make_valid(near, method="structure", keep_collapsed=False)):
        try:
            return shapely.set_precision(start, 10**-DECIMALS)
        except shapely.errors.GEOSException:
            continue
    return shapely.make_valid(near, method="structure", keep_collapsed=False)


def _rfc7946(geometry: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = geometry.bounds
    whole = _cut(geometry) if east - west > HALF_TURN else geometry
    near = shapely.transform(whole, _round)
    if not near.is_valid:
        near = polygons_of(_snapped(whole, near))
    if near.area <= 0:
        raise InputError(
            f"a shape near {west:.5f}, {geometry.bounds[1]:.5f} has no area at {DECIMALS} decimals of a degree",
            hint="drop shapes smaller than a centimetre",
        )
    return shapely.orient_polygons(near)


def _cut(geometry: BaseGeometry) -> BaseGeometry:
    """The parts on either side of the antimeridian (RFC 7946, section 3.1.9)."""
    east_of_zero = shapely.transform(geometry, lambda points: points + np.where(points[:, :1] < 0, [360.0, 0.0], 0.0))
    west, south, east, north = east_of_zero.bounds
    if east - west > 180:
        raise InputError(f"a shape spans {east - west:.0f} degrees of longitude", hint="cut shapes that hold a pole")
    near = polygons_of(east_of_zero & shapely.box(west, south, 180.0, north))
    far = shapely.transform(
        polygons_of(east_of_zero & shapely.box(180.0, south, east, north)), lambda p: p - [360.0, 0.0]
    )
    return shapely.MultiPolygon([*shapely.get_parts(near), *shapely.get_parts(far)])


class Box:
    """The bounding box of RFC 7946 geometries as they come; west > east where they cross the antimeridian."""

    def __init__(self) -> None:
        self.low = np.full(2, np.inf)
        self.high = np.full(2, -np.inf)
        self.west_of_line, self.east_of_line = np.inf, -np.inf

    def add(self, geometries: Iterable[BaseGeometry]) -> None:
        """Take in more geometries."""
        boxes = shapely.bounds(shapely.get_parts(np.array(list(geometries), dtype=object)))
        self.low = np.minimum(self.low, boxes[:, :2].min(axis=0))
        self.high = np.maximum(self.high, boxes[:, 2:].max(axis=0))
        west, east = boxes[:, 0], boxes[:, 2]
        self.west_of_line = min(self.west_of_line, west[west >= 0].min(initial=np.inf))
        self.east_of_line = max(self.east_of_line, east[east <= 0].max(initial=-np.inf))

    @property
    def values(self) -> list[float]:
        """[west, south, east, north]."""
        (west, south), (east, north) = self.low.tolist(), self.high.tolist()
        if (west, east) == (-HALF_TURN, HALF_TURN) and np.isfinite([self.west_of_line, self.east_of_line]).all():
            west, east = float(self.west_of_line), float(self.east_of_line)
        return [west, south, east, north]


def bbox(geometries: Iterable[BaseGeometry]) -> list[float]:
    """[west, south, east, north] of RFC 7946 geometries."""
    box = Box()
    box.add(geometries)
    return box.values


def feature(key: str, geometry: BaseGeometry, properties: Mapping[str, Any]) -> Feature:
    """A Feature with a top-level string id and flat properties."""
    return {
        "type": "Feature",
        "id": key,
        "geometry": shapely.geometry.mapping(geometry),
        "properties": {name: scalar(value) for name, value in properties.items()},
    }


def scalar(value: Any) -> Any:
    """A JSON scalar: missing values are null, times ISO 8601 with Z.

    Raises
    ------
    InputError
        For a list or another value that is no scalar.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or bool(value != value) or value in (math.inf, -math.inf):  # noqa: PLR0124 - NaN and NaT
        return None
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, str | int | float | bool):
        return value
    raise InputError(f"{value!r} is no plain value", hint="properties are flat: text, numbers, true, false or null")


def text(features: Iterable[Feature]) -> str:
    """A FeatureCollection with its bounding box, one feature a line; equal features give equal text."""
    features = list(features)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for one in features)
    box = bbox([shapely.geometry.shape(one["geometry"]) for one in features]) if features else None
    head = f'"bbox":{json.dumps(box)},' if box else ""
    return f'{{"type":"FeatureCollection",{head}"features":[\n{lines}\n]}}\n'
