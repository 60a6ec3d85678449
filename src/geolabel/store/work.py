"""What was done on tasks, without the shapes: heads of answers, and a snapshot of all that routing and review go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from geolabel.store.events import Event
from geolabel.store.leases import Lease, read_leases
from geolabel.store.schema import answers, events, leases


@dataclass(frozen=True, slots=True)
class Head:
    """An answer without its shapes."""

    task_id: str
    annotator: str
    outcome: str
    uuid: str
    at: str
    """UTC, ISO 8601 with microseconds."""
    active_s: float
    event: int
    """Number of the event that it came with."""
    corrected: bool
    """Whether a later answer supersedes it."""


def heads(connection: Connection, task_id: str | None = None) -> Iterator[Head]:
    """Heads in the order of appending, of one task where it is given."""
    later = answers.alias("later")
    names = ("task_id", "annotator", "outcome", "uuid", "at", "active_s", "event")
    query: Select[Any] = select(*(answers.c[name] for name in names), later.c.uuid.is_not(None))
    query = query.join(later, later.c.supersedes == answers.c.uuid, isouter=True).order_by(answers.c.id)
    if task_id is not None:
        query = query.where(answers.c.task_id == task_id)
    for task, who, outcome, uuid, at, active_s, event, corrected in connection.execute(query):
        yield Head(task, who, outcome, uuid, at, active_s, event, bool(corrected))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the ledger holds of the work on all tasks, or on one, at one moment."""

    lasts: Mapping[str, str]
    """Stream -> digest of its last event: who decides on what is here appends `after` it."""
    reviews: Sequence[Event]
    heads: Sequence[Head]
    leases: Sequence[Lease]
    """The ended ones too."""
    annotators: Sequence[Event]
    """Events of kind `annotator`."""


def snapshot(connection: Connection, task_id: str | None = None) -> Snapshot:
    """What is there as the transaction sees it."""
    latest = select(func.max(events.c.seq)).group_by(events.c.stream)
    told = select(events).order_by(events.c.seq)
    held = select(leases).order_by(leases.c.id)
    if task_id is not None:
        latest = latest.where(events.c.stream == task_id)
        held = held.where(leases.c.task_id == task_id)
    lasts = select(events.c.stream, events.c.digest).where(events.c.seq.in_(latest))
    reviews = told.where(events.c.kind == "review")
    if task_id is not None:
        reviews = reviews.where(events.c.stream == task_id)
    return Snapshot(
        {row.stream: row.digest for row in connection.execute(lasts)},
        [Event(*row) for row in connection.execute(reviews)],
        list(heads(connection, task_id)),
        list(read_leases(connection, held)),
        [Event(*row) for row in connection.execute(told.where(events.c.kind == "annotator"))],
    )
