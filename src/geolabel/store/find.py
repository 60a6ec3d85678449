"""Finding shapes by place, class, time and annotator: one table of those that still hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, Select, and_, func, or_, select

from geolabel.errors import InputError
from geolabel.nouns.times import When, utc
from geolabel.store.backend import Backend, Bounds
from geolabel.store.columns import TIMES, ns
from geolabel.store.rows import KEPT, crs_texts, times
from geolabel.store.schema import answers, shapes
from geolabel.tables import LABELS, empty

WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query asks of shapes; None asks nothing."""

    bounds: Bounds | None = None
    classes: tuple[str, ...] | None = None
    start: When | None = None
    end: When | None = None
    annotator: str | None = None
    current: bool = True
    limit: int | None = 1000

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InputError(f"a limit of {self.limit} shapes", hint="1 or more; None for all")


def found(backend: Backend, connection: Connection, wanted: Wanted) -> gpd.GeoDataFrame:
    """The first shapes, in the order they were appended, that are as wanted (see `Ledger.shapes`)."""
    numbers = _numbers(backend, connection, wanted).subquery()
    names = answers.c.uuid, answers.c.task_id, answers.c.annotator, answers.c.at, answers.c.shapes_crs
    query = select(shapes, *names).join(numbers, numbers.c.id == shapes.c.id)
    query = query.join(answers, answers.c.id == shapes.c.answer).order_by(shapes.c.id)
    return _table(connection.execute(query).mappings().all(), crs_texts(connection))


def _numbers(backend: Backend, connection: Connection, wanted: Wanted) -> Select[Any]:
    """Numbers of the shapes, by whichever index leaves the fewest to look at."""
    indexed = None if wanted.bounds is None else backend.near(connection, wanted.bounds)
    query = select(shapes.c.id).where(shapes.c.reason.is_(None), *_of_shapes(wanted, by_place=indexed is not None))
    if wanted.bounds is not None:
        query = query.where(meets(wanted.bounds))
    if indexed is not None:
        query = query.where(indexed)
    if wanted.annotator is not None or wanted.current:
        query = query.join(answers, answers.c.id == shapes.c.answer).where(*_of_answers(wanted))
    return query.order_by(shapes.c.id).limit(wanted.limit)


def _of_shapes(wanted: Wanted, *, by_place: bool) -> list[Any]:
    """SQL: class and time; `by_place` hides them from their own index, which leaves many more shapes than a box does."""
    columns: tuple[Any, Any, Any] = shapes.c["class"], shapes.c.since, shapes.c.until
    name, since, until = (func.coalesce(columns[0], ""), columns[1] + 0, columns[2] + 0) if by_place else columns
    terms: list[Any] = []
    if wanted.classes is not None:
        terms.append(name.in_(wanted.classes))
    if wanted.start is not None:
        terms.append(until >= ns(utc(wanted.start, what="start")))
    if wanted.end is not None:
        terms.append(since <= ns(utc(wanted.end, what="end")))
    return terms


def _of_answers(wanted: Wanted) -> list[Any]:
    terms = [not_corrected()] if wanted.current else []
    return terms if wanted.annotator is None else [*terms, answers.c.annotator == wanted.annotator]


def not_corrected() -> Any:
    """SQL: no later answer supersedes this one."""
    later = answers.alias("later")
    return ~select(later.c.id).where(later.c.supersedes == answers.c.uuid).exists()


def near(backend: Backend, connection: Connection, bounds: Bounds) -> list[Any]:
    """SQL: the shape's box meets these bounds; by the index of places where that is the shorter way."""
    indexed = backend.near(connection, bounds)
    return [meets(bounds)] if indexed is None else [indexed, meets(bounds)]


def meets(bounds: Bounds) -> Any:
    """SQL: the shape's box meets these bounds, either of which may cross the antimeridian (west > east)."""
    west, south, east, north = bounds
    crosses = shapes.c.west > shapes.c.east
    plain = and_(shapes.c.west <= east, shapes.c.east >= west)
    either = or_(shapes.c.west <= east, shapes.c.east >= west)
    overlap = or_(either, crosses) if west > east else or_(plain, and_(crosses, either))
    return and_(shapes.c.south <= north, shapes.c.north >= south, overlap)


@cache
def _dtypes() -> Mapping[str, Any]:
    return dict(empty(LABELS, WGS84).dtypes)


def _table(rows: Sequence[Any], known: Mapping[int, str]) -> gpd.GeoDataFrame:
    """`tables.LABELS` with task and answer, in the shapes' CRS; shapes of several CRS are brought to WGS84."""
    data = {name: [row[name] for row in rows] for name in KEPT}
    kinds = _dtypes()
    columns = {name: times(data[name]) if name in TIMES else pd.Series(data[name], dtype=kinds[name]) for name in KEPT}
    columns["annotator"] = pd.Series([row["annotator"] for row in rows], dtype=object)
    columns["labeled_at"] = times(ns(datetime.fromisoformat(row["at"])) for row in rows)
    columns["task_id"] = pd.Series([row["task_id"] for row in rows], dtype=object)
    columns["answer"] = pd.Series([row["uuid"] for row in rows], dtype=object)
    return gpd.GeoDataFrame(columns, geometry=_geometry(rows, known))


def _geometry(rows: Sequence[Any], known: Mapping[int, str]) -> gpd.GeoSeries:
    shapes_ = shapely.from_wkb(np.array([bytes(row["geometry"]) for row in rows], dtype=object))
    names = np.array([known[row["shapes_crs"]] for row in rows], dtype=object)
    each = list(dict.fromkeys(names))
    if len(each) > 1:
        for name in each:
            shapes_[names == name] = gpd.GeoSeries(shapes_[names == name], crs=name).to_crs(WGS84).to_numpy()
    return gpd.GeoSeries(shapes_, crs=each[0] if len(each) == 1 else WGS84)
