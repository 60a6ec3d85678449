"""Rows of the ledger to answers and tables: the geometry in the view's CRS, as it was appended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, Select, select

from geolabel.digests import digest
from geolabel.nouns.answer import Answer
from geolabel.store.schema import answers, crs, shapes
from geolabel.tables import IGNORE, SHAPES, Columns, check, empty

AT_ONCE = 5_000
"""Answers that are turned from rows into tables at once."""
KEPT = {
    **{name: kind for name, kind in SHAPES.kinds.items() if name != "geometry"},
    **SHAPES.optional,
}
"""Columns of a shape beside its geometry."""


def crs_texts(connection: Connection) -> dict[int, str]:
    """Number -> text of every CRS in the ledger."""
    return {row.id: row.text for row in connection.execute(select(crs))}


def read_answers(connection: Connection, query: Select[Any]) -> Iterator[Answer]:
    """The answers that `query` selects, by number, exactly as they were appended."""
    known = crs_texts(connection)
    wanted = query.with_only_columns(answers.c.id).order_by(None)
    drawn = select(shapes).where(shapes.c.answer.in_(wanted)).order_by(shapes.c.answer, shapes.c.position)
    pieces = groupby(_streamed(connection, drawn).mappings(), itemgetter("answer"))
    ahead = next(pieces, None)
    heads = iter(_streamed(connection, query.order_by(answers.c.id)).mappings())
    while held := list(islice(heads, AT_ONCE)):
        own: dict[int, list[Any]] = {}
        while ahead is not None and ahead[0] <= held[-1]["id"]:
            own[ahead[0]] = list(ahead[1])
            ahead = next(pieces, None)
        yield from _answers(held, [own.get(head["id"], []) for head in held], known)


def _streamed(connection: Connection, query: Select[Any]) -> Any:
    return connection.execute(query.execution_options(yield_per=AT_ONCE))


def _answers(heads: Sequence[Any], drawn: Sequence[Sequence[Any]], known: Mapping[int, str]) -> Iterator[Answer]:
    parted = [([s for s in own if s["reason"] is None], [s for s in own if s["reason"] is not None]) for own in drawn]
    kept = _frames([(own, known[h["shapes_crs"]]) for h, (own, _) in zip(heads, parted, strict=True)], SHAPES)
    left = _frames([(own, known[h["ignore_crs"]]) for h, (_, own) in zip(heads, parted, strict=True)], IGNORE)
    for head, own, ignore in zip(heads, kept, left, strict=True):
        yield Answer.part(
            **{name: head[name] for name in ("task_id", "annotator", "outcome", "active_s", "supersedes", "uuid")},
            **{name: head[name] for name in ("ontology", "how")},
            shapes=own,
            ignore=ignore,
            at=datetime.fromisoformat(head["at"]),
            shown=tuple(json.loads(head["shown"])),
        )


def _frames(groups: Sequence[tuple[Sequence[Any], str]], columns: Columns) -> list[gpd.GeoDataFrame]:
    """One frame a group of shape rows; all groups of one CRS are read as one table, which is then sliced."""
    whole = {
        name: check(frame_of([row for own, its in groups if its == name for row in own], columns, name), columns)
        for name in {its for _, its in groups}
    }
    begin = dict.fromkeys(whole, 0)
    frames = []
    for own, name in groups:
        part = whole[name].iloc[begin[name] : begin[name] + len(own)]
        unsaid = [n for n in columns.optional if n in part.columns and not part[n].notna().any()]
        frames.append(part.drop(columns=unsaid) if unsaid else part)
        begin[name] += len(own)
    return frames


def frame_of(rows: Sequence[Any], columns: Columns, name: str) -> gpd.GeoDataFrame:
    """Table of shape rows in the CRS `name`; of the optional columns those in which a row says something."""
    blank = empty(columns, name)
    data = {n: pd.Series([row[n] for row in rows], dtype=blank[n].dtype) for n in columns if n != "geometry"}
    geometry = gpd.GeoSeries(shapely.from_wkb([row["geometry"] for row in rows]), crs=name)
    frame = gpd.GeoDataFrame(data, geometry=geometry)[list(columns)]
    said = {n: [row[n] for row in rows] for n in columns.optional}
    for n, values in said.items():
        if any(value is not None for value in values):
            frame[n] = times(values) if columns.optional[n].startswith("time") else pd.Series(values, dtype=object)
    return frame.set_axis([row["position"] for row in rows], axis=0)


def times(values: Iterable[int | None]) -> pd.Series[Any]:
    """Aware times from nanoseconds since 1970."""
    whole = np.array([np.iinfo(np.int64).min if value is None else value for value in values], np.int64)
    return pd.Series(whole.view("datetime64[ns]")).dt.tz_localize("UTC")


# ---------------------------------------------------------------------- digests of schema 1
FIRST_ANSWERS = ("uuid", "task_id", "annotator", "outcome", "at", "active_s", "shown", "supersedes", "digest")
"""What the row digest of schema 1 covers of an answer, in this order; then the two CRS texts and the shapes."""
FIRST_SHAPES = (
    "position",
    "reason",
    "label_id",
    "class",
    "severity",
    "severity_scheme",
    "confidence",
    "masked_share",
)


def rows_digest(answer: Mapping[str, Any], crs: Sequence[str], shapes: Sequence[Mapping[str, Any]]) -> str:
    """Sha-256 over one answer's rows as schema 1 took it: canonical JSON row by row."""
    head = [answer[name] for name in FIRST_ANSWERS]
    values = [[shape[name] for name in FIRST_SHAPES] for shape in shapes]
    return digest(_plain(head), list(crs), [_plain(row) for row in values], *(bytes(s["geometry"]) for s in shapes))


def _plain(values: Sequence[Any]) -> list[Any]:
    """JSON values in which 1.0 is 1, since a database may give either."""
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
