"""Answers to rows and back: geometry as WKB in the view's CRS, beside a WGS84 box that a query can use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geolabel.digests import canonical, digest
from geolabel.nouns.answer import Answer
from geolabel.tables import IGNORE, SHAPES, Columns, empty

Row = dict[str, Any]
SHAPE_VALUES = tuple(name for name in SHAPES if name != "geometry")
ANSWER_COLUMNS = (
    "uuid",
    "task_id",
    "annotator",
    "outcome",
    "at",
    "active_s",
    "shown",
    "supersedes",
    "digest",
)
"""What the row digest covers of an answer, in this order; then the two CRS texts and the shapes."""
SHAPE_COLUMNS = ("position", "reason", *SHAPE_VALUES)


def answer_row(answer: Answer, crs_id: Callable[[str], int]) -> Row:
    """Row of the answers table; `crs_id` gives the number of a CRS text."""
    return {
        "uuid": answer.uuid,
        "task_id": answer.task_id,
        "annotator": answer.annotator,
        "outcome": answer.outcome,
        "at": answer.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "active_s": float(answer.active_s),
        "shown": canonical(list(answer.shown)).decode(),
        "supersedes": answer.supersedes,
        "digest": answer.digest,
        "shapes_crs": crs_id(str(answer.shapes.crs)),
        "ignore_crs": crs_id(str(answer.ignore.crs)),
    }


def shape_rows(answer: Answer) -> list[Row]:
    """Rows of the shapes table, without the answer's number: shapes first, then areas to ignore."""
    drawn = _frame_rows(answer.shapes, SHAPE_VALUES)
    ignored = _frame_rows(answer.ignore, ("reason",))
    return [{"position": position, **row} for position, row in enumerate(drawn + ignored)]


def _frame_rows(frame: gpd.GeoDataFrame, names: Sequence[str]) -> list[Row]:
    blank = dict.fromkeys(("reason", *SHAPE_VALUES))
    boxes = lonlat_boxes(frame)
    wkb = shapely.to_wkb(frame.geometry.to_numpy())
    columns = zip(*(frame[name] for name in names), strict=True)
    return [
        {
            **blank,
            **{name: _value(value) for name, value in zip(names, values, strict=True)},
            "geometry": bytes(data),
            **dict(zip(("west", "south", "east", "north"), (float(v) for v in box), strict=True)),
        }
        for values, data, box in zip(columns, wkb, boxes, strict=True)
    ]


def _value(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def lonlat_boxes(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(n, 4) WGS84 boxes of the shapes' corners: west, south, east, north; west > east across the antimeridian."""
    if not len(frame):
        return np.empty((0, 4))
    points, owner = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    lon, lat = _to_lonlat(str(frame.crs)).transform(points[:, 0], points[:, 1])
    starts = np.searchsorted(owner, np.arange(len(frame)))
    wide = np.maximum.reduceat(lon, starts) - np.minimum.reduceat(lon, starts) > 180
    lon = np.where(wide[owner] & (lon < 0), lon + 360, lon)
    west, east = np.minimum.reduceat(lon, starts), np.maximum.reduceat(lon, starts)
    south, north = np.minimum.reduceat(lat, starts), np.maximum.reduceat(lat, starts)
    return np.column_stack([west, south, np.where(east > 180, east - 360, east), north])


@lru_cache(maxsize=64)
def _to_lonlat(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def rows_digest(answer: Mapping[str, Any], crs_texts: Sequence[str], shapes: Sequence[Mapping[str, Any]]) -> str:
    """Sha-256 over one answer's rows as they lie in the tables."""
    head = [answer[name] for name in ANSWER_COLUMNS]
    values = [[shape[name] for name in SHAPE_COLUMNS] for shape in shapes]
    return digest(_plain(head), list(crs_texts), [_plain(row) for row in values], *(s["geometry"] for s in shapes))


def _plain(values: Sequence[Any]) -> list[Any]:
    """JSON values in which 1.0 is 1, since a database may give either."""
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def to_answers(stored: Sequence[tuple[Any, tuple[str, str], Sequence[Any]]]) -> Iterator[Answer]:
    """The answers that were appended, digest included, from (answer row, its two CRS texts, its shape rows)."""
    drawn = _frames([([s for s in own if s["reason"] is None], texts[0]) for _, texts, own in stored], SHAPES)
    ignored = _frames([([s for s in own if s["reason"] is not None], texts[1]) for _, texts, own in stored], IGNORE)
    for (row, _, _), shapes, ignore in zip(stored, drawn, ignored, strict=True):
        yield Answer(
            task_id=row["task_id"],
            annotator=row["annotator"],
            outcome=row["outcome"],
            shapes=shapes,
            ignore=ignore,
            at=datetime.fromisoformat(row["at"]),
            active_s=row["active_s"],
            shown=tuple(json.loads(row["shown"])),
            supersedes=row["supersedes"],
            uuid=row["uuid"],
        )


def _frames(groups: Sequence[tuple[Sequence[Any], str]], columns: Columns) -> list[gpd.GeoDataFrame]:
    """One frame a group of shape rows; all groups of one CRS are read as one table, which is then sliced."""
    whole = {
        crs: _frame([row for own, its in groups if its == crs for row in own], columns, crs)
        for crs in {its for _, its in groups}
    }
    begin = dict.fromkeys(whole, 0)
    frames = []
    for own, crs in groups:
        frames.append(whole[crs].iloc[begin[crs] : begin[crs] + len(own)])
        begin[crs] += len(own)
    return frames


def _frame(rows: Sequence[Any], columns: Columns, crs: str) -> gpd.GeoDataFrame:
    blank = empty(columns, crs)
    data = {
        name: pd.Series([row[name] for row in rows], dtype=blank[name].dtype) for name in columns if name != "geometry"
    }
    geometry = gpd.GeoSeries(shapely.from_wkb([row["geometry"] for row in rows]), crs=crs)
    frame = gpd.GeoDataFrame(data, geometry=geometry)[list(columns)]
    return frame.set_axis([row["position"] for row in rows], axis=0)
