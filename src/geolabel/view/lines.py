"""The lines of a risk map, in longitude and latitude: arrival, direction of spread, outlines.

An arrival line shows where the front is at a given hour *where it comes at all*: it is drawn only where at least
`SHOWN_FROM` of the outcomes burn, and ends there; it is no edge of danger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from contourpy import contour_generator
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import gaussian_filter

from geolabel.bearings import mean_resultant
from geolabel.errors import CRSError
from geolabel.grid import Grid, LonLat
from geolabel.nouns.risk import RiskMap
from geolabel.shapes import polygons_of
from geolabel.view.palette import ARRIVAL

SHOWN_FROM = 0.05
"""Probability from which arrival and direction are drawn: below it they rest on too few outcomes."""
SMOOTH_CELLS, SMOOTH_SHARE = 1.5, 1 / 250
"""Standard deviation of the smoothing of arrival times before they are contoured: cells, or a share of the fire's extent."""
SHORTEST_CELLS, SHORTEST_SHARE = 20, 1 / 20
"""Shorter lines are not drawn, unless an hour has no longer one."""
ARROWS_ACROSS = 13
DOMINANT_R = 0.7
"""Mean resultant length within a block from which an arrow is drawn."""
MAX_VERTICES = 40_000
DIGITS = 6
"""Decimals of a degree: a tenth of a metre."""

Point = tuple[float, float]
"""(longitude, latitude)."""
Path = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Isochrone:
    """Where the front is `hours` after the start: lines, and where their label stands."""

    hours: float
    paths: tuple[Path, ...]
    label: Point


def to_lonlat(grid: Grid, cols: NDArray[Any], rows: NDArray[Any]) -> Path:
    """Points (lon, lat) of pixel coordinates counted from the centre of the first pixel."""
    a, b, c, d, e, f = grid.transform[:6]
    cols, rows = np.asarray(cols, float) + 0.5, np.asarray(rows, float) + 0.5
    transformer = Transformer.from_crs(grid.crs.proj, "EPSG:4326", always_xy=True)
    lon, lat = transformer.transform(a * cols + b * rows + c, d * cols + e * rows + f)
    return tuple(zip(np.round(lon, DIGITS).tolist(), np.round(lat, DIGITS).tolist(), strict=True))


def smoothed(values: NDArray[Any], known: NDArray[np.bool_], sigma: float) -> NDArray[np.float64]:
    """(y, x) Gaussian mean of the known neighbours; NaN where a cell itself is not known."""
    filled, weight = np.where(known, values, 0.0).astype(float), known.astype(float)
    total = gaussian_filter(filled, sigma, mode="constant")
    share = gaussian_filter(weight, sigma, mode="constant")
    return np.where(known, total / np.maximum(share, 1e-12), np.nan)


def isochrones(risk: RiskMap) -> tuple[Isochrone, ...]:
    """Arrival lines at 1, 3, 6, 12, 24 and 48 h, as far as the map reaches; they never cross."""
    known = np.isfinite(risk.arrival_min) & (np.nan_to_num(risk.final) >= SHOWN_FROM)
    if min(risk.grid.shape) < 2 or not known.any() or risk.ignition is None:
        return ()
    extent = max(map(np.ptp, np.nonzero(known)))
    field = smoothed(risk.arrival_min, known, max(SMOOTH_CELLS, SMOOTH_SHARE * extent))
    generator = contour_generator(z=np.ma.masked_invalid(field), corner_mask=True, name="serial")
    found, taken = [], [start_pixel(risk.grid, risk.ignition)]
    for hours in (h for h in ARRIVAL if h <= risk.hours[-1]):
        lines = _long(generator.lines(hours * 60.0), max(SHORTEST_CELLS, SHORTEST_SHARE * extent))
        if lines:
            label = _apart(lines[0], taken)
            taken.append(label)
            paths = tuple(to_lonlat(risk.grid, line[:, 0], line[:, 1]) for line in lines)
            found.append(Isochrone(hours, paths, to_lonlat(risk.grid, label[:1], label[1:])[0]))
    return tuple(found)


def start_pixel(grid: Grid, ignition: LonLat) -> NDArray[Any]:
    """(col, row) of an ignition, counted from the centre of the first pixel."""
    to_grid = Transformer.from_crs("EPSG:4326", grid.crs.proj, always_xy=True)
    col, row = ~grid.transform * to_grid.transform(ignition.lon, ignition.lat)
    return np.array([col - 0.5, row - 0.5])


def _long(lines: Any, shortest: float) -> list[NDArray[Any]]:
    """Lines of at least `shortest` cells (or the longest one), longest first, without points that change nothing."""
    ordered = sorted((shapely.LineString(line) for line in lines if len(line) > 1), key=lambda line: -line.length)
    kept = [line for line in ordered if line.length >= shortest] or ordered[:1]
    return [shapely.get_coordinates(line.simplify(0.05)) for line in kept]


def _apart(line: NDArray[Any], taken: list[NDArray[Any]]) -> NDArray[Any]:
    """The vertex of a line that lies farthest from the start and from the labels already set."""
    distance = np.min([np.hypot(*(line - other).T) for other in taken], axis=0)
    return line[int(distance.argmax())]


def arrows(risk: RiskMap) -> tuple[Path, ...]:
    """Arrows toward where the fire spreads, one a block of cells, only where one direction dominates.

    None where fires start anywhere: near the edge of the area all come from within it, which is no direction of spread.
    """
    known = np.isfinite(risk.bearing_deg) & (np.nan_to_num(risk.final) >= SHOWN_FROM)
    if not known.any() or risk.ignition is None:
        return ()
    rows, cols = np.nonzero(known)
    step = max(4, round(max(np.ptp(rows), np.ptp(cols)) / ARROWS_ACROSS))
    drawn = []
    for row in range(int(rows.min()), int(rows.max()) + 1, step):
        for col in range(int(cols.min()), int(cols.max()) + 1, step):
            block = (slice(row, row + step), slice(col, col + step))
            if known[block].mean() >= 0.5:
                drawn.append(_arrow(risk, block, known[block], step))
    return tuple(arrow for arrow in drawn if arrow)


def _arrow(risk: RiskMap, block: tuple[slice, slice], known: NDArray[np.bool_], step: int) -> Path:
    bearing, length = mean_resultant(risk.bearing_deg[block][known])
    if length < DOMINANT_R:
        return ()
    rows, cols = np.nonzero(known)
    centre = risk.grid.lonlat(block[0].start + float(rows.mean()), block[1].start + float(cols.mean()))
    return arrow((centre.lon, centre.lat), bearing, 0.52 * step * risk.grid.res_m)


def arrow(centre: Point, bearing_deg: float, length_m: float) -> Path:
    """One stroke: tail, tip, left barb, tip, right barb; bearing from true north (web mercator keeps angles)."""
    lon, lat = centre
    metre_lat = 1 / 111_320.0
    metre_lon = metre_lat / np.cos(np.radians(lat))

    def step(start: Point, bearing: float, metres: float) -> Point:
        angle = np.radians(bearing)
        return start[0] + metres * np.sin(angle) * metre_lon, start[1] + metres * np.cos(angle) * metre_lat

    tail, tip = step((lon, lat), bearing_deg + 180, length_m / 2), step((lon, lat), bearing_deg, length_m / 2)
    barbs = [step(tip, bearing_deg + turn, 0.36 * length_m) for turn in (150, 210)]
    path = (tail, tip, barbs[0], tip, barbs[1])
    return tuple((round(float(x), DIGITS), round(float(y), DIGITS)) for x, y in path)


def outline(frame: gpd.GeoDataFrame, tolerance_m: float) -> tuple[dict[str, Any], float]:
    """(GeoJSON geometry of the union in WGS84, the tolerance in metres it took to stay within 40,000 vertices).

    Raises
    ------
    CRSError
        Where the shapes have no CRS.
    """
    if frame.crs is None:
        raise CRSError(
            "shapes without a CRS cannot be drawn", hint="frame.set_crs(...) with the CRS they were drawn in"
        )
    metric = frame if frame.crs.is_projected else frame.to_crs(frame.estimate_utm_crs())
    whole = polygons_of(shapely.union_all(metric.geometry.to_numpy()))
    simple, tolerance = whole.simplify(tolerance_m), tolerance_m
    while shapely.get_num_coordinates(simple) > MAX_VERTICES:
        tolerance *= 2
        simple = polygons_of(shapely.make_valid(whole.buffer(0).simplify(tolerance)))
        parts = [p for p in shapely.get_parts(simple) if p.area >= tolerance**2]
        simple = shapely.union_all(parts)
    lonlat = gpd.GeoSeries([simple], crs=metric.crs).to_crs("EPSG:4326")
    geometry = shapely.set_precision(lonlat.iloc[0], 10.0**-DIGITS, mode="pointwise")
    return shapely.geometry.mapping(geometry), tolerance
