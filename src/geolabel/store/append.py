"""Appending: events at the end of their streams, and answers in pieces under one event that digests them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select

from geolabel.digests import canonical
from geolabel.errors import OvertakenError, StoreError, nearest
from geolabel.nouns.answer import Answer
from geolabel.store import leases
from geolabel.store.backend import Backend
from geolabel.store.columns import Columns, answer_columns, shape_columns
from geolabel.store.events import ANYWHERE, KINDS, PROJECT, NewEvent, event_digest
from geolabel.store.rowdigest import ROWS_V, RowDigest
from geolabel.store.schema import answers, crs, events, shapes

ROWS = 20_000
"""Answers and shapes that are turned into rows at once: what bounds the memory of an append."""
PARAMETERS = 500
"""Values in one `IN (...)`."""
FEW = 4
"""Streams whose ends are looked up one by one."""


def known_kind(kind: str) -> str:
    """The kind itself, once it is known to be one."""
    if kind not in KINDS:
        raise StoreError(f"unknown kind of event {kind!r}", hint=nearest(kind, KINDS))
    return kind


def append(connection: Connection, kind: str, stream: str, actor: str, payload: Mapping[str, Any]) -> str:
    """Digest of a new event at the end of its stream; the caller holds the write lock."""
    return append_many(connection, [NewEvent(kind, payload, actor, stream)])[0]


def append_many(connection: Connection, given: Sequence[NewEvent]) -> list[str]:
    """Digests of new events, each at the end of its stream; the caller holds the write lock and called `check_after`."""
    seq = next_number(connection, events.c.seq)
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    last: dict[str, str | None] = dict(_lasts(connection, {one.stream for one in given}))
    links: list[str] = []
    rows = []
    for number, one in enumerate(given, start=seq):
        text = _text(one)
        prev = last.get(one.stream)
        head = [number, str(uuid4()), known_kind(one.kind), at, one.actor, one.stream]
        last[one.stream] = link = event_digest(prev, head, text)
        rows.append(dict(zip(events.columns.keys(), [*head, text, prev, link], strict=True)))
        links.append(link)
    if rows:
        connection.execute(insert(events), rows)
    return links


def _text(event: NewEvent) -> str:
    try:
        return canonical(dict(event.payload)).decode()
    except (TypeError, ValueError) as error:
        hint = "no NaN, plain values only"
        raise StoreError(f"the payload of {event.kind!r} is no JSON: {error}", hint=hint) from error


def _lasts(connection: Connection, streams: Collection[str]) -> dict[str, str]:
    """Stream -> digest of its last event, of those that have one."""
    few, many = (
        ([*streams], []) if len(streams) < FEW else ([PROJECT] * (PROJECT in streams), [*{*streams} - {PROJECT}])
    )
    found: dict[str, str] = {}
    for stream in few:  # straight to the end of a long stream
        query = select(events.c.digest).where(events.c.stream == stream).order_by(events.c.seq.desc()).limit(1)
        found.update((stream, link) for link in connection.execute(query).scalars())
    for start in range(0, len(many), PARAMETERS):
        own = events.c.stream.in_(many[start : start + PARAMETERS])
        latest = select(func.max(events.c.seq)).where(own).group_by(events.c.stream)
        rows = connection.execute(select(events.c.stream, events.c.digest).where(events.c.seq.in_(latest)))
        found.update((row.stream, row.digest) for row in rows)
    return found


def afters(given: Sequence[NewEvent]) -> dict[str, str | None]:
    """Stream -> digest that its first new event comes after, where one says so."""
    return {one.stream: one.after for one in reversed(given) if one.after != ANYWHERE}


def check_after(connection: Connection, afters: Mapping[str, str | None]) -> None:
    """Raise OvertakenError where a stream does not end with this event any more; the caller holds the write lock."""
    lasts = _lasts(connection, afters.keys())
    for stream, after in afters.items():
        if lasts.get(stream) != after:
            query = select(events).where(events.c.stream == stream).order_by(events.c.seq.desc()).limit(1)
            row = connection.execute(query).first()
            said = f"event {row.seq} ({row.kind} by {row.actor}, {row.at})" if row else "no event, not the one named"
            hint = "read the task again and decide on what it says now"
            raise OvertakenError(f"somebody was faster: stream {stream!r} ends with {said}", hint=hint)


def next_number(connection: Connection, column: Any) -> int:
    """One more than the greatest so far; nobody else takes it while the caller holds the write lock."""
    return (connection.execute(select(func.max(column))).scalar() or 0) + 1


def append_answers(
    backend: Backend, connection: Connection, given: Iterable[Answer], actor: str, *, leased: bool = False
) -> str:
    """Digest of the event that holds the answers, which are drawn and written piece by piece; their leases end."""
    writer, ending = _Writer(backend, connection), leases.Ending(connection, strict=leased)
    for piece in _pieces(given):
        writer.write(piece)
        ending.end(piece)
    if not writer.count:
        raise StoreError("no answers to append", hint="an annotator who found nothing gives an Answer 'empty'")
    backend.settle(connection, writer.shapes)
    kind = "supersede" if writer.corrections == writer.count else "answer"
    return append(connection, kind, writer.stream, actor, writer.payload())


def _pieces(given: Iterable[Answer]) -> Iterator[list[Answer]]:
    """Lists of answers that hold about `ROWS` answers and shapes; an answer is never parted."""
    held: list[Answer] = []
    rows = 0
    for answer in given:
        held.append(answer)
        rows += 1 + len(answer.shapes) + len(answer.ignore)
        if rows >= ROWS:
            yield held
            held, rows = [], 0
    if held:
        yield held


class _Writer:
    """Writes answers and their shapes under the number of an event that is yet to come, and counts and digests them."""

    def __init__(self, backend: Backend, connection: Connection) -> None:
        self.backend, self.connection = backend, connection
        self.seq = next_number(connection, events.c.seq)
        self.first = next_number(connection, answers.c.id)
        self.shape = next_number(connection, shapes.c.id)
        self.crs = _Crs(connection)
        self.digest = RowDigest()
        self.annotators: Counter[str] = Counter()
        self.count = self.shapes = self.corrections = 0
        self.last: Answer | None = None

    def write(self, piece: Sequence[Answer]) -> None:
        """Rows of some answers more."""
        check_corrections(self.connection, piece)
        rows = answer_columns(piece, self.crs.number)
        number = self.first + self.count
        named = {"id": list(range(number, number + len(piece))), "event": [self.seq] * len(piece)}
        self.backend.insert(self.connection, answers, {**named, **rows})
        self.digest.add_answers({**rows, **{name: self.crs.named(rows[name]) for name in ("shapes_crs", "ignore_crs")}})
        for drawn in shape_columns(piece, ROWS):
            self._draw(drawn)
        self.count += len(piece)
        self.annotators.update(answer.annotator for answer in piece)
        self.corrections += sum(answer.supersedes is not None for answer in piece)
        self.last = piece[-1]

    def _draw(self, drawn: Columns) -> None:
        owners = [self.count + owner for owner in drawn["answer"]]
        numbers = list(range(self.shape, self.shape + len(owners)))
        self.digest.add_shapes({**drawn, "owner": owners})
        own = {"id": numbers, **drawn, "answer": [self.first + owner for owner in owners]}
        self.backend.insert(self.connection, shapes, own)
        self.shape += len(owners)
        self.shapes += len(owners)

    @property
    def stream(self) -> str:
        """One answer goes to its task's stream, several to the project's."""
        return self.last.task_id if self.last is not None and self.count == 1 else PROJECT

    def payload(self) -> dict[str, Any]:
        """What the event says of its answers."""
        rows = {"n": self.count, "rows": self.digest.hex, "rows_v": ROWS_V}
        if self.last is None or self.count > 1:
            return {**rows, "shapes": self.shapes, "annotators": dict(self.annotators)}
        one = self.last
        head = {"uuid": one.uuid, "annotator": one.annotator, "outcome": one.outcome, "answer": one.digest}
        return {**rows, **head, "supersedes": one.supersedes}


class _Crs:
    """Numbers of CRS texts in the ledger; a new text gets a new number."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.numbers: dict[str, int] = {row.text: row.id for row in connection.execute(select(crs))}
        self.texts = {number: text for text, number in self.numbers.items()}

    def number(self, text: str) -> int:
        if text not in self.numbers:
            number = len(self.numbers) + 1
            self.connection.execute(insert(crs).values(id=number, text=text))
            self.numbers[text], self.texts[number] = number, text
        return self.numbers[text]

    def named(self, numbers: Sequence[int]) -> list[str]:
        return [self.texts[number] for number in numbers]


# ---------------------------------------------------------------------- corrections
def check_corrections(connection: Connection, given: Sequence[Answer]) -> None:
    """Raise StoreError where an answer is already there, or corrects one that it cannot."""
    corrected = [answer.supersedes for answer in given if answer.supersedes]
    twice = [uuid for uuid, n in Counter(answer.uuid for answer in given).items() if n > 1]
    tasks = _tasks(connection, answers.c.uuid, [answer.uuid for answer in given] + corrected)
    known = [answer.uuid for answer in given if answer.uuid in tasks] + twice
    if known:
        raise StoreError(f"{len(known)} answers are already in the ledger: {known[0]}", hint="append an answer once")
    taken = set(_tasks(connection, answers.c.supersedes, corrected))
    for answer in given:
        if answer.supersedes:
            _check_correction(answer, tasks, taken)
            taken.add(answer.supersedes)
        tasks[answer.uuid] = answer.task_id


def _check_correction(answer: Answer, tasks: Mapping[str, str], taken: set[str]) -> None:
    old = answer.supersedes or ""
    if tasks.get(old) != answer.task_id:
        where = f"belongs to task {tasks[old]!r}" if old in tasks else "is not in the ledger"
        hint = "name an answer to the same task that was appended before"
        raise StoreError(f"answer {answer.uuid} corrects {old}, which {where}", hint=hint)
    if old in taken:
        raise StoreError(f"answer {old} was corrected before", hint="read the task's current answers and correct those")


def _tasks(connection: Connection, column: Any, values: Sequence[str]) -> dict[str, str]:
    """Value of `column` -> task id, for those of `values` that are in the answers table."""
    found: dict[str, str] = {}
    for start in range(0, len(values), PARAMETERS):
        query = select(column, answers.c.task_id).where(column.in_(values[start : start + PARAMETERS]))
        found.update((key, task) for key, task in connection.execute(query))
    return found
