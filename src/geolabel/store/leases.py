"""Leases: who was given which task until when. A mutable table outside the chain, safe for many workers at once.

A lease is taken in one transaction that holds the write lock, so that however many workers ask at once, a task is never
given to more people than it has places, and never twice to the same person: rows stay when a lease has ended. Time is
always an argument, so that a clock is read in one place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select, update

from geolabel.errors import InputError, StoreError
from geolabel.nouns.answer import Answer
from geolabel.store.backend import Backend
from geolabel.store.schema import answers, events, leases

Role = Literal["answer", "review", "adjudicate"]
ROLES: tuple[Role, ...] = get_args(Role)
How = Literal["answered", "expired", "released"]
Places = tuple[str, int | None]
"""(task id, how many people may have it in this role; None: any number)."""
VOTERS = ("person:", "sim:")
"""Annotators whose answers fill a place: rules and models are heard beside people, not instead of them."""
AT_ONCE = 200
"""Tasks that are looked at in one query: the first of a worker's list is nearly always free."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A task that was given to somebody."""

    id: int
    task_id: str
    annotator: str
    role: Role
    taken_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    how: How | None = None
    """Why it ended; None while it is open."""


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of one ledger."""

    backend: Backend

    def take(
        self, wanted: Sequence[Places], annotator: str, *, now: datetime, minutes: float = 30.0, role: Role = "answer"
    ) -> Lease | None:
        """A lease on the first of these tasks that has a place for this annotator; None where none has.

        Who holds an open lease in this role is given that one again: a page that is loaded anew is no second task.
        A task is never given to who answered, reviewed, holds or once held it, in whatever role. Its places are filled by
        the people who answered it (`skipped` is no answer; rules and models fill none) and by open leases in this role.
        Leases that have run out by `now` end first.

        Raises
        ------
        InputError
            For a time without offset, minutes that are not positive, or an unknown role.
        """
        _check(now, minutes, role)
        with self.backend.writing() as connection:
            _expire(connection, now)
            held = _open(connection, annotator, role)
            if held:
                return held[0]
            for start in range(0, len(wanted), AT_ONCE):
                found = _free(connection, wanted[start : start + AT_ONCE], annotator, role)
                if found is not None:
                    return _given(connection, found, annotator, role, (now, now + timedelta(minutes=minutes)))
        return None

    def renew(self, lease: Lease, *, now: datetime, minutes: float = 30.0) -> Lease:
        """The lease with `minutes` from now; one that ran out and was not given to anybody yet is revived.

        Raises
        ------
        StoreError
            Where it has ended.
        """
        _check(now, minutes, lease.role)
        until = now + timedelta(minutes=minutes)
        with self.backend.writing() as connection:
            _change(connection, lease, {"expires_at": _text(until)})
        return replace(lease, expires_at=until)

    def release(self, lease: Lease, *, now: datetime, how: How = "released") -> Lease:
        """The lease, ended: its place is free, and for others only.

        Raises
        ------
        StoreError
            Where it has ended before.
        """
        _check(now, 1, lease.role)
        with self.backend.writing() as connection:
            _change(connection, lease, {"ended_at": _text(now), "how": how})
        return replace(lease, ended_at=now, how=how)

    def end(self, task_id: str, annotator: str, *, role: Role, now: datetime, how: How = "answered") -> bool:
        """Whether this annotator held an open lease of the task in this role, which is ended now."""
        _check(now, 1, role)
        with self.backend.writing() as connection:
            own = [one for one in _open(connection, annotator, role) if one.task_id == task_id]
            for lease in own:
                _change(connection, lease, {"ended_at": _text(now), "how": how})
        return bool(own)

    def expire(self, now: datetime) -> int:
        """How many leases have run out by `now` and were ended."""
        _check(now, 1, "answer")
        with self.backend.writing() as connection:
            return _expire(connection, now)

    def open(self, now: datetime, *, annotator: str | None = None, role: Role | None = None) -> list[Lease]:
        """Leases that are open at `now`, in the order they were taken."""
        _check(now, 1, role or "answer")
        with self.backend.reading() as connection:
            return [one for one in _open(connection, annotator, role) if one.expires_at > now]

    def find(self, task_id: str | None = None, *, annotator: str | None = None) -> list[Lease]:
        """All leases, the ended ones too, of a task and of an annotator where given, in the order they were taken."""
        query = select(leases).order_by(leases.c.id)
        if task_id is not None:
            query = query.where(leases.c.task_id == task_id)
        if annotator is not None:
            query = query.where(leases.c.annotator == annotator)
        with self.backend.reading() as connection:
            return list(read_leases(connection, query))


class Ending:
    """Ends the open leases under which answers were given, in the transaction that appends them."""

    def __init__(self, connection: Connection, *, strict: bool) -> None:
        self.connection, self.strict = connection, strict
        self.held = {(one.task_id, one.annotator): one for one in _open(connection, None, "answer")}

    def end(self, given: Sequence[Answer]) -> None:
        """End the leases of these answers.

        Raises
        ------
        StoreError
            For an answer without an open lease, where one is asked for.
        """
        if not self.held and not self.strict:
            return
        for one in given:
            lease = self.held.pop((one.task_id, one.annotator), None)
            if lease is not None:
                _change(self.connection, lease, {"ended_at": _text(one.at), "how": "answered"})
            elif self.strict:
                hint = "its place may be somebody else's by now: ask for the next task; renew() in time keeps a lease"
                raise StoreError(f"{one.annotator} holds no open lease of {one.task_id!r}", hint=hint)


# ---------------------------------------------------------------------- what is free
def _free(connection: Connection, wanted: Sequence[Places], annotator: str, role: Role) -> str | None:
    """The first task that has a place for this annotator."""
    ids = [task for task, _ in wanted]
    known = _Known.of(connection, ids)
    reviewed = select(events.c.stream).where(
        events.c.kind == "review", events.c.actor == annotator, events.c.stream.in_(ids)
    )
    own = set(connection.execute(reviewed).scalars())
    fills = known.holders if role != "answer" else known.fills
    for task, places in wanted:
        seen = task in own or annotator in known.seen[task]
        if not seen and (places is None or len(fills(task, role)) < places):
            return task
    return None


@dataclass(frozen=True, slots=True)
class _Known:
    """What answers and leases say of some tasks."""

    seen: Mapping[str, set[str]]
    """Everybody who ever answered or was given a task."""
    voted: Mapping[str, set[str]]
    held: Mapping[tuple[str, str], set[str]]

    @classmethod
    def of(cls, connection: Connection, ids: Sequence[str]) -> _Known:
        seen: dict[str, set[str]] = defaultdict(set)
        voted: dict[str, set[str]] = defaultdict(set)
        held: dict[tuple[str, str], set[str]] = defaultdict(set)
        columns = answers.c.task_id, answers.c.annotator, answers.c.outcome
        for task, who, outcome in connection.execute(select(*columns).where(answers.c.task_id.in_(ids))):
            seen[task].add(who)
            if outcome != "skipped" and who.startswith(VOTERS):
                voted[task].add(who)
        names = leases.c.task_id, leases.c.annotator, leases.c.role, leases.c.ended_at
        for task, who, role, ended in connection.execute(select(*names).where(leases.c.task_id.in_(ids))):
            seen[task].add(who)
            if ended is None:
                held[task, role].add(who)
        return cls(seen, voted, held)

    def holders(self, task: str, role: Role) -> set[str]:
        return self.held[task, role]

    def fills(self, task: str, role: Role) -> set[str]:
        return self.voted[task] | self.held[task, role]


# ---------------------------------------------------------------------- rows
def _given(connection: Connection, task: str, annotator: str, role: Role, time: tuple[datetime, datetime]) -> Lease:
    number = (connection.execute(select(leases.c.id).order_by(leases.c.id.desc()).limit(1)).scalar() or 0) + 1
    taken, until = map(_text, time)
    row = {"id": number, "task_id": task, "annotator": annotator, "role": role}
    connection.execute(insert(leases).values(**row, taken_at=taken, expires_at=until))
    return Lease(number, task, annotator, role, *time)


def _expire(connection: Connection, now: datetime) -> int:
    over = update(leases).where(leases.c.ended_at.is_(None), leases.c.expires_at <= _text(now))
    return connection.execute(over.values(ended_at=leases.c.expires_at, how="expired")).rowcount


def _change(connection: Connection, lease: Lease, values: Mapping[str, Any]) -> None:
    done = connection.execute(update(leases).where(leases.c.id == lease.id, leases.c.ended_at.is_(None)).values(values))
    if not done.rowcount:
        there = next(read_leases(connection, select(leases).where(leases.c.id == lease.id)), None)
        said = f"ended ({there.how}) at {there.ended_at:%Y-%m-%dT%H:%MZ}" if there else "is not in the ledger"
        hint = "the task may be somebody else's by now: take another"
        raise StoreError(f"the lease of {lease.annotator} on {lease.task_id!r} {said}", hint=hint)


def _open(connection: Connection, annotator: str | None, role: Role | None) -> list[Lease]:
    query = select(leases).where(leases.c.ended_at.is_(None)).order_by(leases.c.id)
    if annotator is not None:
        query = query.where(leases.c.annotator == annotator)
    if role is not None:
        query = query.where(leases.c.role == role)
    return list(read_leases(connection, query))


def read_leases(connection: Connection, query: Any) -> Iterator[Lease]:
    """The leases that `query` selects."""
    for row in connection.execute(query):
        taken, until = map(datetime.fromisoformat, (row.taken_at, row.expires_at))
        ended = None if row.ended_at is None else datetime.fromisoformat(row.ended_at)
        yield Lease(row.id, row.task_id, row.annotator, row.role, taken, until, ended, row.how)


def _text(moment: datetime) -> str:
    """Of one width, so that texts come in the order of their times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _check(now: datetime, minutes: float, role: str) -> None:
    if now.tzinfo is None:
        raise InputError(f"the time {now.isoformat()} has no offset", hint="datetime.now(UTC)")
    if not minutes > 0:
        raise InputError(f"a lease of {minutes} minutes", hint="more than 0; 30 is usual")
    if role not in ROLES:
        raise InputError(f"unknown role {role!r}", hint=f"one of {', '.join(ROLES)}")
