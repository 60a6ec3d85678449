"""Heads of answers: who answered what and when, read without the shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from geolabel.store.schema import answers


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
    query = select(*(answers.c[name] for name in names), later.c.uuid.is_not(None))
    query = query.join(later, later.c.supersedes == answers.c.uuid, isouter=True).order_by(answers.c.id)
    if task_id is not None:
        query = query.where(answers.c.task_id == task_id)
    for row in connection.execute(query):
        yield Head(*row[:-1], corrected=bool(row[-1]))
