"""Ledger: append and read. An event is one transaction, chained to the one before it in its stream."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, and_, func, insert, or_, select

from geolabel.digests import canonical, digest
from geolabel.errors import StoreError, nearest
from geolabel.nouns.answer import Answer
from geolabel.store import rows
from geolabel.store.connect import connect, prepare, reading, writing
from geolabel.store.events import KINDS, PROJECT, Event, broken_links, event_digest
from geolabel.store.schema import answers, crs, events, shapes

Bounds = tuple[float, float, float, float]
ANSWERED = ("answer", "supersede")
TIMEOUT_S = 60.0
"""How long a writer waits for the writers before it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """An append-only record of a project in one SQLite file; many processes may write, one at a time."""

    path: Path
    engine: Engine

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, timeout_s: float = TIMEOUT_S) -> Ledger:
        """Ledger at `path`; with `create` it is made where there is none.

        Raises
        ------
        StoreError
            For a missing file, a file that is no ledger, or a ledger of another version.
        """
        path = Path(path)
        if not create and not path.is_file():
            raise StoreError(f"no ledger at {path}", hint="check the path, or begin one: gl.Project.create(folder)")
        if create and not path.parent.is_dir():
            raise StoreError(f"no folder {path.parent} for a ledger", hint="make the folder first")
        ledger = cls(path, connect(path, timeout_s=timeout_s))
        prepare(ledger.engine, path, create=create)
        return ledger

    # ------------------------------------------------------------------ append
    def append(self, kind: str, *, stream: str = PROJECT, actor: str, payload: Mapping[str, Any]) -> str:
        """Digest of the new event; when this returns, the event is on disk.

        Raises
        ------
        StoreError
            For an unknown kind, a payload that is no JSON, a ledger that stays locked, or a full disk.
        """
        if kind in ANSWERED:
            raise StoreError(f"{kind!r} events come with answers", hint="append_answers([...], actor=...)")
        with writing(self.engine, self.path) as connection:
            return _append(connection, kind, stream, actor, payload)[1]

    def append_answers(self, given: Sequence[Answer], *, actor: str) -> str:
        """Digest of the one event that holds all these answers, in the same transaction as their rows.

        One answer goes to its task's stream, several to the project's, with a digest over all rows. Columns beyond
        `tables.SHAPES` and `tables.IGNORE` are not kept.

        Raises
        ------
        StoreError
            Where nothing is given, an answer is already there, or one corrects an answer that is not there, belongs
            to another task or was corrected before. Nothing is written then.
        """
        if not given:
            raise StoreError("no answers to append", hint="an annotator who found nothing gives an Answer 'empty'")
        with writing(self.engine, self.path) as connection:
            _check_corrections(connection, given)
            return _append_answers(connection, given, actor)

    # ------------------------------------------------------------------ read
    def answers(
        self,
        task_id: str | None = None,
        annotator: str | None = None,
        *,
        current: bool = True,
        bounds: Bounds | None = None,
    ) -> list[Answer]:
        """Answers in the order they were appended; `current` leaves out those that a later one supersedes.

        Parameters
        ----------
        bounds
            (west, south, east, north) in degrees: only answers with a shape whose box meets it.
        """
        query = select(answers).order_by(answers.c.id)
        if task_id is not None:
            query = query.where(answers.c.task_id == task_id)
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        if current:
            later = answers.alias("later")
            query = query.where(~select(later.c.id).where(later.c.supersedes == answers.c.uuid).exists())
        if bounds is not None:
            query = query.where(answers.c.id.in_(select(shapes.c.answer).where(_meets(bounds))))
        with reading(self.engine, self.path) as connection:
            return list(rows.to_answers(list(_stored(connection, query))))

    def events(self, kind: str | None = None, stream: str | None = None) -> list[Event]:
        """Events in the order they were appended."""
        query = select(events).order_by(events.c.seq)
        if kind is not None:
            query = query.where(events.c.kind == _known(kind))
        if stream is not None:
            query = query.where(events.c.stream == stream)
        with reading(self.engine, self.path) as connection:
            return [_event(row) for row in connection.execute(query)]

    def products(self, name: str | None = None) -> list[dict[str, Any]]:
        """Payloads of the products in the order they were made, the latest last; of one `name` where given."""
        payloads = [event.payload for event in self.events("product")]
        return [payload for payload in payloads if name is None or payload.get("name") == name]

    def check(self) -> list[str]:
        """One sentence for each stream's first broken link and each event whose answers were changed; [] is sound."""
        with reading(self.engine, self.path) as connection:
            found = [_event(row) for row in connection.execute(select(events).order_by(events.c.seq))]
            faults = list(broken_links(found))
            stored: dict[int, list[str]] = defaultdict(list)
            for row, texts, drawn in _stored(connection, select(answers).order_by(answers.c.id)):
                stored[row["event"]].append(rows.rows_digest(row, texts, drawn))
        return faults + list(_changed_answers(found, stored))

    def _repr_html_(self) -> str:
        with reading(self.engine, self.path) as connection:
            counts = connection.execute(select(events.c.kind, func.count()).group_by(events.c.kind)).all()
        lines = "".join(
            f"<tr><th style='text-align:left'>{k}</th><td>{n}</td></tr>" for k, n in sorted(map(tuple, counts))
        )
        return f"<table><caption>Ledger {escape(self.path.name)}</caption>{lines}</table>"


# ---------------------------------------------------------------------- writing
def _known(kind: str) -> str:
    if kind not in KINDS:
        raise StoreError(f"unknown kind of event {kind!r}", hint=nearest(kind, KINDS))
    return kind


def _append(connection: Connection, kind: str, stream: str, actor: str, payload: Mapping[str, Any]) -> tuple[int, str]:
    """(seq, digest) of a new event at the end of its stream; the caller holds the write lock."""
    try:
        text = canonical(dict(payload)).decode()
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"the payload of a {kind!r} event is no JSON: {error}", hint="no NaN, arrays or objects"
        ) from None
    last = select(events.c.digest).where(events.c.stream == stream).order_by(events.c.seq.desc()).limit(1)
    prev = connection.execute(last).scalar()
    seq = (connection.execute(select(func.max(events.c.seq))).scalar() or 0) + 1
    head = [seq, str(uuid4()), _known(kind), datetime.now(UTC).isoformat(timespec="microseconds"), actor, stream]
    link = event_digest(prev, head, text)
    connection.execute(insert(events).values([*head, text, prev, link]))
    return seq, link


def _append_answers(connection: Connection, given: Sequence[Answer], actor: str) -> str:
    numbers = _Crs(connection)
    new = [(rows.answer_row(answer, numbers.number), rows.shape_rows(answer)) for answer in given]
    each = [rows.rows_digest(row, _texts(row, numbers.texts), drawn) for row, drawn in new]
    kind = "supersede" if all(answer.supersedes for answer in given) else "answer"
    stream = given[0].task_id if len(given) == 1 else PROJECT
    seq, link = _append(connection, kind, stream, actor, {**_summary(given), "rows": digest(each)})
    first = (connection.execute(select(func.max(answers.c.id))).scalar() or 0) + 1
    connection.execute(insert(answers), [{"id": first + i, "event": seq, **row} for i, (row, _) in enumerate(new)])
    drawn = [{"answer": first + i, **shape} for i, (_, own) in enumerate(new) for shape in own]
    if drawn:
        connection.execute(insert(shapes), drawn)
    return link


def _summary(given: Sequence[Answer]) -> dict[str, Any]:
    if len(given) > 1:
        return {"n": len(given), "annotators": dict(Counter(answer.annotator for answer in given))}
    (one,) = given
    head = {"uuid": one.uuid, "annotator": one.annotator, "outcome": one.outcome, "answer": one.digest}
    return {"n": 1, **head, "supersedes": one.supersedes}


class _Crs:
    """Numbers of CRS texts in the ledger; a new text gets a new number."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.texts: dict[int, str] = {row.id: row.text for row in connection.execute(select(crs))}

    def number(self, text: str) -> int:
        for number, known in self.texts.items():
            if known == text:
                return number
        number = len(self.texts) + 1
        self.connection.execute(insert(crs).values(id=number, text=text))
        self.texts[number] = text
        return number


def _check_corrections(connection: Connection, given: Sequence[Answer]) -> None:
    corrected = [answer.supersedes for answer in given if answer.supersedes]
    twice = [uuid for uuid, n in Counter(answer.uuid for answer in given).items() if n > 1]
    there = _tasks(connection, answers.c.uuid, [answer.uuid for answer in given] + corrected)
    known = [answer.uuid for answer in given if answer.uuid in there] + twice
    if known:
        raise StoreError(f"{len(known)} answers are already in the ledger: {known[0]}", hint="append an answer once")
    taken = set(_tasks(connection, answers.c.supersedes, corrected))
    tasks = {**there, **{answer.uuid: answer.task_id for answer in given}}
    for answer in given:
        if answer.supersedes:
            _check_correction(answer, tasks, taken)
            taken.add(answer.supersedes)


def _check_correction(answer: Answer, tasks: Mapping[str, str], taken: set[str]) -> None:
    old = answer.supersedes or ""
    if tasks.get(old) != answer.task_id:
        where = f"belongs to task {tasks[old]!r}" if old in tasks else "is not in the ledger"
        raise StoreError(f"answer {answer.uuid} corrects {old}, which {where}", hint="name an answer to the same task")
    if old in taken:
        raise StoreError(f"answer {old} was corrected before", hint="read the task's current answers and correct those")


def _tasks(connection: Connection, column: Any, values: Sequence[str]) -> dict[str, str]:
    """Value of `column` -> task id, for those of `values` that are in the answers table."""
    found: dict[str, str] = {}
    for start in range(0, len(values), 500):  # SQLite allows some thousand parameters in one statement
        query = select(column, answers.c.task_id).where(column.in_(values[start : start + 500]))
        found.update((key, task) for key, task in connection.execute(query))
    return found


# ---------------------------------------------------------------------- reading
def _event(row: Any) -> Event:
    return Event(*row)


def _texts(row: Any, known: Mapping[int, str]) -> tuple[str, str]:
    return known.get(row["shapes_crs"], ""), known.get(row["ignore_crs"], "")


def _stored(connection: Connection, query: Select[Any]) -> Iterator[tuple[Any, tuple[str, str], list[Any]]]:
    """(answer row, its two CRS texts, its shape rows) of the answers that `query` selects, by number."""
    known = {row.id: row.text for row in connection.execute(select(crs))}
    wanted = query.with_only_columns(answers.c.id).order_by(None)
    drawn: dict[int, list[Any]] = defaultdict(list)
    inside = select(shapes).where(shapes.c.answer.in_(wanted)).order_by(shapes.c.answer, shapes.c.position)
    for shape in connection.execute(inside).mappings():
        drawn[shape["answer"]].append(shape)
    for row in connection.execute(query).mappings():
        yield row, _texts(row, known), drawn.get(row["id"], [])


def _changed_answers(found: Sequence[Event], stored: Mapping[int, list[str]]) -> Iterator[str]:
    told = {event.seq: event for event in found if event.kind in ANSWERED and event.computed == event.digest}
    for seq in sorted(set(stored) - {event.seq for event in found if event.kind in ANSWERED}):
        yield f"{len(stored[seq])} answers belong to event {seq}, which is no event of answers"
    for seq, event in told.items():
        if digest(stored.get(seq, [])) != event.payload.get("rows"):
            yield f"stream {event.stream!r}: the answers or shapes of event {seq} were changed since they were appended"


def _meets(bounds: Bounds) -> Any:
    """SQL: the shape's box meets these bounds, either of which may cross the antimeridian (west > east)."""
    west, south, east, north = bounds
    crosses = shapes.c.west > shapes.c.east
    plain = and_(shapes.c.west <= east, shapes.c.east >= west)
    either = or_(shapes.c.west <= east, shapes.c.east >= west)
    overlap = or_(either, crosses) if west > east else or_(plain, and_(crosses, either))
    return and_(shapes.c.south <= north, shapes.c.north >= south, overlap)
