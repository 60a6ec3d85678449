"""Verifying: every stream's links, and for every event of answers the rows that it digested. Nothing is held at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, func, select

from geolabel.digests import digest
from geolabel.store.events import ANSWERED, Event, broken_links
from geolabel.store.rowdigest import ROWS_V, RowDigest
from geolabel.store.rows import crs_texts, rows_digest
from geolabel.store.schema import answers, events, shapes
from geolabel.stream import Progress

AT_ONCE = 10_000
"""Rows that are held at once."""
SECOND_ANSWERS = ("ontology", "how", "start", "end")
SECOND_SHAPES = ("start", "end", "attributes")
"""Columns that schema 1 did not have: empty where its digest speaks for a row."""

Group = tuple[int, Iterator[Any]]


def faults(connection: Connection, progress: Progress) -> Iterator[str]:
    """One sentence for each stream's first broken link and each event whose answers or shapes were changed."""
    total = connection.execute(select(func.count()).select_from(events)).scalar_one()
    yield from broken_links(_told(_events(connection), total, progress))
    yield from _changed_answers(connection, progress)


def _told(found: Iterator[Event], total: int, progress: Progress) -> Iterator[Event]:
    for n, event in enumerate(found, 1):
        yield event
        if n % AT_ONCE == 0 or n == total:
            progress("verifying events", n, total)


def _events(connection: Connection, *kinds: str) -> Iterator[Event]:
    query = select(events).order_by(events.c.seq)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    return (Event(*row) for row in connection.execute(query.execution_options(yield_per=AT_ONCE)))


# ---------------------------------------------------------------------- rows
def _changed_answers(connection: Connection, progress: Progress) -> Iterator[str]:
    """Walks events, answers and shapes side by side, all in the order of their events."""
    total = connection.execute(select(func.count()).select_from(answers)).scalar_one()
    rows = _Rows(connection)
    done = 0
    for event in _events(connection, *ANSWERED):
        yield from rows.orphans(before=event.seq)
        sound, count = rows.hold(event)
        done += count
        progress("verifying answers", min(done, total), total)
        if not sound and event.computed == event.digest:
            yield f"stream {event.stream!r}: the answers or shapes of event {event.seq} were changed since they were appended"
    yield from rows.orphans(before=None)


class _Rows:
    """Answers and shapes in the order of their events, each read once."""

    def __init__(self, connection: Connection) -> None:
        self.crs = crs_texts(connection)
        self.answers = _Ahead(
            _streamed(connection, select(answers.c.event, answers).order_by(answers.c.event, answers.c.id))
        )
        inside = select(answers.c.event, shapes).join(answers, shapes.c.answer == answers.c.id)
        self.shapes = _Ahead(
            _streamed(connection, inside.order_by(answers.c.event, shapes.c.answer, shapes.c.position))
        )

    def orphans(self, before: int | None) -> Iterator[str]:
        """Sentences for answers that name an event which is none of answers."""
        while (event := self.answers.event) is not None and (before is None or event < before):
            count = sum(1 for _ in self.answers.rows())
            self.shapes.skip(event)
            yield f"{count} answers belong to event {event}, which is no event of answers"

    def hold(self, event: Event) -> tuple[bool, int]:
        """Whether the rows of this event are those that it digested, and how many answers it has."""
        self.shapes.skip(event.seq - 1)
        if self.answers.event != event.seq:
            return False, 0
        own = self.shapes.rows() if self.shapes.event == event.seq else iter(())
        payload = event.payload if event.computed == event.digest else {}
        check = self._second if payload.get("rows_v") == ROWS_V else self._first
        found, count = check(self.answers.rows(), own)
        return found == payload.get("rows"), count

    def _second(self, heads: Iterator[Any], drawn: Iterator[Any]) -> tuple[str, int]:
        """Row digest of schema 2."""
        running, first, count = RowDigest(), None, 0
        while part := list(islice(heads, AT_ONCE)):
            values = dict(zip(HEADS, zip(*part, strict=True), strict=True))
            named = {name: [self.crs.get(n, "") for n in values[name]] for name in ("shapes_crs", "ignore_crs")}
            running.add_answers({**values, **named})
            first = values["id"][0] if first is None else first
            count += len(part)
        while part := list(islice(drawn, AT_ONCE)):
            values = dict(zip(DRAWN, zip(*part, strict=True), strict=True))
            running.add_shapes({**values, "owner": [number - (first or 0) for number in values["answer"]]})
        return running.hex, count

    def _first(self, heads: Iterator[Any], drawn: Iterator[Any]) -> tuple[str, int]:
        """Digest over the row digests of schema 1, where nothing is said that it does not cover."""
        each: list[str] = []
        own = groupby((dict(zip(DRAWN, row, strict=True)) for row in drawn), itemgetter("answer"))
        ahead: Any = next(own, None)
        for row in heads:
            head = dict(zip(HEADS, row, strict=True))
            shapes_ = list(ahead[1]) if ahead is not None and ahead[0] == head["id"] else []
            ahead = next(own, None) if shapes_ else ahead
            more = [head[name] for name in SECOND_ANSWERS] + [s[name] for s in shapes_ for name in SECOND_SHAPES]
            texts = self.crs.get(head["shapes_crs"], ""), self.crs.get(head["ignore_crs"], "")
            each.append("" if any(value is not None for value in more) else rows_digest(head, texts, shapes_))
        return digest(each), len(each)


HEADS = ("of", *(column.name for column in answers.columns))
DRAWN = ("of", *(column.name for column in shapes.columns))


class _Ahead:
    """Groups of rows by their event, with the next one's event known."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self.groups = groupby(rows, itemgetter(0))
        self.ahead: Group | None = next(self.groups, None)

    @property
    def event(self) -> int | None:
        """Of the group that comes next; None at the end."""
        return None if self.ahead is None else self.ahead[0]

    def rows(self) -> Iterator[Any]:
        """The rows of the group that comes next, which must be walked to their end."""
        if self.ahead is not None:
            yield from self.ahead[1]
            self.ahead = next(self.groups, None)

    def skip(self, to: int) -> None:
        """Leave out the groups up to that event."""
        while self.event is not None and self.event <= to:
            self.ahead = next(self.groups, None)


def _streamed(connection: Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execute(query.execution_options(yield_per=AT_ONCE)))
