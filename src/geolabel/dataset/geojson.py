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
from geolabel.nouns.times import iso
from geolabel.shapes import polygons_of

DECIMALS = 7
"""A centimetre on the ground (RFC 7946, section 11.2)."""
EARTH_RADIUS_M = 6_371_000.0
BOW_PX = 0.01
"""How far a straight edge may bow when its ends are moved to longitude and latitude, pixels."""
Feature = dict[str, Any]


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
    found = np.array(list(geometries), dtype=object)
    if math.isfinite(longest):
        found = shapely.segmentize(found, longest)
    moved = shapely.transform(found, _to_lonlat(_text(crs)))
    return [_rfc7946(geometry) for geometry in np.atleast_1d(moved)]


def _text(crs: Any) -> str:
    return CRS(crs).to_wkt()


@lru_cache(maxsize=32)
def _to_lonlat(crs: str) -> Any:
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return move


def _snapped(whole: BaseGeometry, rounded: BaseGeometry) -> BaseGeometry:
    """The geometry on the grid of decimals, valid; GEOS cannot always snap a shape with many holes in one go."""
    for start in (whole, shapely.make_valid(rounded, method="structure", keep_collapsed=False)):
        try:
            return shapely.set_precision(start, 10**-DECIMALS)
        except shapely.errors.GEOSException:
            continue
    return shapely.make_valid(rounded, method="structure", keep_collapsed=False)


def _rfc7946(geometry: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = geometry.bounds
    whole = _cut(geometry) if east - west > 180 else geometry
    rounded = shapely.transform(whole, lambda points: np.round(points, DECIMALS) + 0.0)
    if not rounded.is_valid:
        rounded = polygons_of(_snapped(whole, rounded))
    if rounded.area <= 0:
        raise InputError(
            f"a shape near {west:.5f}, {geometry.bounds[1]:.5f} has no area at {DECIMALS} decimals of a degree",
            hint="drop shapes smaller than a centimetre",
        )
    return shapely.orient_polygons(rounded)


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


def bbox(geometries: Iterable[BaseGeometry]) -> list[float]:
    """[west, south, east, north] of RFC 7946 geometries; west > east where they cross the antimeridian."""
    parts = shapely.get_parts(np.array(list(geometries), dtype=object))
    boxes = shapely.bounds(parts)
    south, north = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    west, east = boxes[:, 0], boxes[:, 2]
    if (east == 180).any() and (west == -180).any() and east.max() - west.min() > 180:
        return [float(west[west >= 0].min()), south, float(east[east <= 0].max()), north]
    return [float(west.min()), south, float(east.max()), north]


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
    if isinstance(value, datetime):
        return iso(value)
    if value is None or bool(value != value) or value in (math.inf, -math.inf):  # noqa: PLR0124 - NaN and NaT
        return None
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
