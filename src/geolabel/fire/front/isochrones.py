"""Isochrones: where a fire is at each time, as nested polygons.

Arrival is known at the centres of cells; between them it is interpolated over the quarters of the cells (bilinear between
a centre, the middles of two edges and a corner), and a fire's outline at a time is where that surface has the time. So an
outline runs smoothly through cells, holds exactly the centres that burned by then, and never leaves the cells that burned:
a wall that did not burn stays out, and up to the wall the ground counts with the cell it belongs to. Arrival is not
interpolated across a wall, nor through a corner between two cells that did not burn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from contourpy import FillType, contour_generator
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geolabel.errors import FireError
from geolabel.fire.arrays import F64
from geolabel.fire.front.arrival import Fire
from geolabel.nouns.times import When, utc
from geolabel.shapes import polygons_of
from geolabel.tables import ISOCHRONES, check


def isochrones(fire: Fire, hours: Sequence[float], *, start: When | None = None) -> gpd.GeoDataFrame:
    """One row a time at which something has burned, `tables.ISOCHRONES`: each outline holds those before it, holes kept.

    Parameters
    ----------
    hours
        After the start of the forecast, above 0 and no later than its end.
    start
        When the forecast starts; without it `time` is missing.

    Raises
    ------
    FireError
        No hours, or hours outside the forecast.
    """
    when = np.unique(np.asarray(hours, float))
    if not len(when) or when[0] <= 0 or when[-1] > fire.hours + 1e-9:
        raise FireError(f"isochrones at hours {list(hours)} of a fire of {fire.hours:g} h", hint="0 < hour <= its end")
    outlines = _outlines(fire, when * 60)
    there = [i for i, outline in enumerate(outlines) if not outline.is_empty]
    kept = when[there]
    after = pd.to_timedelta(kept, unit="h")
    columns = {
        "hour": kept,
        "minutes": kept * 60,
        "time": _never(len(kept)) if start is None else pd.Timestamp(utc(start, what="start of the fire")) + after,
        "area_ha": shapely.area([outlines[i] for i in there]) / 1e4,
    }
    frame = gpd.GeoDataFrame(columns, geometry=[outlines[i] for i in there], crs=fire.grid.crs.to_wkt())
    return check(frame, ISOCHRONES)


def _never(n: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.NaT] * n, tz="UTC")


def _outlines(fire: Fire, minutes: F64) -> list[BaseGeometry]:
    """The polygon or MultiPolygon at each of the rising minutes, empty where nothing has burned."""
    rows, cols = np.nonzero(fire.burned)
    if not len(rows):
        return [shapely.Polygon() for _ in minutes]
    top, left = rows.min(), cols.min()
    part = fire.arrival_min[top : rows.max() + 1, left : cols.max() + 1].astype(float)
    surface = _surface(part)
    place = fire.grid.transform * Affine.translation(left, top) * Affine.scale(0.5)
    lines = contour_generator(z=surface, fill_type=FillType.OuterOffset, corner_mask=False)
    floor = float(surface.min()) - 1
    return [_polygons(lines.filled(floor, minute), place) for minute in minutes]


def _polygons(filled: Any, place: Affine) -> BaseGeometry:
    """One geometry of the filled contours of one level, from half cells to the grid's CRS."""
    parts = []
    for points, offsets in zip(*filled, strict=True):
        x, y = place * points.T
        rings = [np.column_stack([x, y])[a:b] for a, b in pairwise(offsets)]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    sound = [polygons_of(shapely.make_valid(one, method="structure", keep_collapsed=False)) for one in parts]
    return shapely.union_all(sound) if sound else shapely.Polygon()


def _surface(arrival: F64) -> NDArray[Any]:
    """(2 h + 1, 2 w + 1) arrival at centres, middles of edges and corners of cells; masked at centres never reached."""
    h, w = arrival.shape
    out = np.full((2 * h + 1, 2 * w + 1), np.inf)
    reached = np.pad(arrival, 2, constant_values=np.inf)
    out[1::2, 1::2] = arrival
    out[1::2, ::2] = _middles(reached[2:-2])[:, :]
    out[::2, 1::2] = _middles(reached[:, 2:-2].T).T
    out[::2, ::2] = _corners(reached[1:-1, 1:-1])
    centres = np.zeros(out.shape, bool)
    centres[1::2, 1::2] = np.isinf(arrival)
    return np.ma.masked_array(np.where(np.isfinite(out), out, 0.0), centres)


def _middles(rows: F64) -> F64:
    """(h, w + 1) at the edges between cells of (h, w + 4): their mean; beside a cell never reached, the same way on."""
    before, left, right, after = rows[:, :-3], rows[:, 1:-2], rows[:, 2:-1], rows[:, 3:]
    with np.errstate(invalid="ignore"):
        on = left + np.nan_to_num(np.maximum(left - before, 0), nan=0.0, neginf=0.0) / 2
        back = right + np.nan_to_num(np.maximum(right - after, 0), nan=0.0, neginf=0.0) / 2
        return np.where(np.isinf(right), on, np.where(np.isinf(left), back, (left + right) / 2))


def _corners(cells: F64) -> F64:
    """(h + 1, w + 1) at the corners of (h + 2, w + 2): mean of the cells reached; the later of two that only touch there."""
    four = np.stack([cells[:-1, :-1], cells[:-1, 1:], cells[1:, 1:], cells[1:, :-1]])
    there = np.isfinite(four)
    n = there.sum(0)
    mean = np.where(there, four, 0).sum(0) / np.maximum(n, 1)
    apart = (n == 2) & (there[0] == there[2])
    return np.where(n == 0, np.inf, np.where(apart, np.where(there, four, -np.inf).max(0), mean))
