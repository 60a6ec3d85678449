"""Answers to the columns of the ledger's tables: geometry as WKB in the view's CRS, beside a WGS84 box and a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geolabel.digests import canonical
from geolabel.errors import StoreError
from geolabel.nouns.answer import Answer
from geolabel.store.lonlat import lonlat_boxes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = ("reason", "label_id", "class", "severity", "severity_scheme", "attributes")
FLOATS = ("confidence", "masked_share")
TIMES = ("start", "end")
BOX = ("west", "south", "east", "north")
OF_SHAPES = frozenset((*TEXTS[1:], *FLOATS, *TIMES))
OF_IGNORE = frozenset(("reason",))
NOT_A_TIME = np.iinfo(np.int64).min

Columns = dict[str, list[Any]]


def answer_columns(given: Sequence[Answer], crs_id: Callable[[str], int]) -> Columns:
    """Columns of the answers table but `id` and `event`; `crs_id` gives the number of a CRS text."""
    spans = [_span(answer) for answer in given]
    return {
        **{name: [getattr(answer, name) for answer in given] for name in ("uuid", "task_id", "annotator", "outcome")},
        "at": [answer.at.astimezone(UTC).isoformat(timespec="microseconds") for answer in given],
        "active_s": [float(answer.active_s) for answer in given],
        "shown": [canonical(list(answer.shown)).decode() for answer in given],
        **{name: [getattr(answer, name) for answer in given] for name in ("supersedes", "digest", "ontology", "how")},
        "start": [first for first, _ in spans],
        "end": [last for _, last in spans],
        "shapes_crs": [crs_id(str(answer.shapes.crs)) for answer in given],
        "ignore_crs": [crs_id(str(answer.ignore.crs)) for answer in given],
    }


def _span(answer: Answer) -> tuple[int | None, int | None]:
    """First start and last end that the shapes name."""
    start, end = ([t for t in _times(answer.shapes, name) if t is not None] for name in TIMES)
    return min(start, default=None), max(end, default=None)


def ns(at: datetime) -> int:
    """Nanoseconds since 1970, exact to the microsecond."""
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


# ---------------------------------------------------------------------- shapes
def shape_columns(given: Sequence[Answer], size: int) -> Iterator[Columns]:
    """Columns of the shapes table but `id`, in pieces of at most `size` rows; `answer` counts the given from 0."""
    held: list[tuple[str, Columns]] = []
    count = 0
    for owner, answer in enumerate(given):
        for frame, first, names in ((answer.shapes, 0, OF_SHAPES), (answer.ignore, len(answer.shapes), OF_IGNORE)):
            for start in range(0, len(frame), size):
                part = frame.iloc[start : start + size] if len(frame) > size else frame
                if count + len(part) > size:
                    yield _joined(held)
                    held, count = [], 0
                place = {
                    "answer": [owner] * len(part),
                    "position": list(range(first + start, first + start + len(part))),
                }
                held.append((str(frame.crs), {**place, **_drawn(part, names, ns(answer.at))}))
                count += len(part)
    if held:
        yield _joined(held)


def _drawn(frame: Any, names: frozenset[str], labeled: int) -> Columns:
    """What some rows of one frame say under these names; `geometry` still as geometries."""
    blank = [None] * len(frame)
    there = names & set(frame.columns)
    texts = {name: _texts(frame[name]) if name in there else blank for name in TEXTS}
    floats = {name: _floats(frame[name]) if name in there else blank for name in FLOATS}
    start, end = (_times(frame, name) if name in there else blank for name in TIMES)
    spans = [_when(a, b, labeled) for a, b in zip(start, end, strict=True)]
    dated = {"start": start, "end": end, "since": [a for a, _ in spans], "until": [b for _, b in spans]}
    return {**texts, **floats, **dated, "geometry": list(frame.geometry.to_numpy())}


def _when(start: int | None, end: int | None, labeled: int) -> tuple[int, int]:
    """What a query by time compares: the ground's time where it is said, else when it was labeled."""
    since = end if start is None else start
    until = start if end is None else end
    return (labeled, labeled) if since is None or until is None else (since, until)


def _texts(column: Any) -> list[Any]:
    return [value if isinstance(value, str) else None for value in column.tolist()]


def _floats(column: Any) -> list[Any]:
    values = column.to_numpy(dtype=float, na_value=np.nan).tolist()
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN


def _times(frame: Any, name: str) -> list[Any]:
    """Nanoseconds since 1970, None where nothing is said.

    Raises
    ------
    StoreError
        For a year that nanoseconds do not reach (before 1678, after 2261).
    """
    if name not in frame.columns or frame[name].isna().all():
        return [None] * len(frame)
    try:
        values = frame[name].astype("datetime64[ns, UTC]").to_numpy("datetime64[ns]").astype(np.int64)
    except (OverflowError, pd.errors.OutOfBoundsDatetime) as error:
        raise StoreError(f"{name} of a shape is no time of the ground: {error}", hint="years 1678 to 2261") from error
    return [None if value == NOT_A_TIME else value for value in values.tolist()]


def _joined(held: Sequence[tuple[str, Columns]]) -> Columns:
    """One table of several, with WKB and boxes."""
    whole: Columns = {name: [] for name in held[0][1]}
    for _, part in held:
        for name, values in part.items():
            whole[name] += values
    names = np.repeat([crs for crs, _ in held], [len(part["answer"]) for _, part in held])
    geometry = np.array(whole["geometry"], dtype=object)
    boxes = np.empty((len(names), 4))
    for crs in np.unique(names):
        boxes[names == crs] = lonlat_boxes(geometry[names == crs], str(crs))
    whole["geometry"] = shapely.to_wkb(geometry).tolist()
    return {**whole, **{name: boxes[:, n].tolist() for n, name in enumerate(BOX)}}
