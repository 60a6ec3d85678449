"""Ledger: append and read. An event is one transaction, chained to the one before it in its stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, func, select

from geolabel.errors import StoreError
from geolabel.nouns.answer import Answer
from geolabel.nouns.times import When
from geolabel.store import append, find, rows, verify
from geolabel.store.backend import Backend, Bounds
from geolabel.store.events import ANSWERED, ANYWHERE, PROJECT, Event, NewEvent
from geolabel.store.leases import Leases
from geolabel.store.people import People
from geolabel.store.postgres import Postgres, is_address
from geolabel.store.schema import answers, events, shapes
from geolabel.store.sqlite import Sqlite
from geolabel.store.work import Head, Snapshot, heads, snapshot
from geolabel.stream import Progress, silent

TIMEOUT_S = 60.0
"""How long a writer waits for the writers before it."""
AT_ONCE = 1_000
"""Events that are read at once."""
NOWHERE: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ledger:
    """An append-only record of a project, in a SQLite file or a PostgreSQL schema; many processes may write, one at a time."""

    backend: Backend

    @classmethod
    def open(
        cls, where: Path | str, *, name: str = "project", create: bool = False, timeout_s: float = TIMEOUT_S
    ) -> Ledger:
        """Ledger at a path or a PostgreSQL address; with `create` it is made where there is none.

        An older one is migrated: a SQLite file after a copy `<file>.v<version>.bak` was made beside it.

        Parameters
        ----------
        where
            Path of a SQLite file, or `postgresql://user@host:port/database`. A password is better left to PGPASSWORD
            or `~/.pgpass`; it appears in no message.
        name
            Of the ledger in its database, whose schema is `geolabel_<name>`; a file holds one ledger and needs none.
        timeout_s
            How long a writer waits for the writers before it.

        Raises
        ------
        StoreError
            For a missing ledger, something that is none, a newer one, a server that cannot be reached or lacks PostGIS.
        MissingExtra
            For PostgreSQL without psycopg.
        """
        backend: Backend
        if is_address(where):
            backend = Postgres(str(where), name, timeout_s=timeout_s)
        else:
            backend = Sqlite(_file(Path(where), create=create), timeout_s=timeout_s)
        ledger = cls(backend)
        try:
            backend.prepare(create=create)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """End all connections; the ledger opens new ones when it is used again."""
        self.backend.engine.dispose()

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine on the database."""
        return self.backend.engine

    @property
    def path(self) -> Path:
        """File of a SQLite ledger.

        Raises
        ------
        StoreError
            For a ledger in PostgreSQL.
        """
        if not isinstance(self.backend, Sqlite):
            raise StoreError(f"the ledger {self.place} is no file", hint="ledger.place says where it is")
        return self.backend.path

    @property
    def place(self) -> str:
        """Where it is: the path, or the address and schema without the password."""
        return self.backend.place

    # ------------------------------------------------------------------ append
    def append(
        self, kind: str, *, stream: str = PROJECT, actor: str, payload: Mapping[str, Any], after: str | None = ANYWHERE
    ) -> str:
        """Digest of the new event; when this returns, the event is on disk.

        Parameters
        ----------
        after
            Digest of the event that the caller knows as the stream's last (None: it has none), where what it says
            depends on that.

        Raises
        ------
        StoreError
            For an unknown kind, a payload that is no JSON, a ledger that stays locked, or a full disk.
        OvertakenError
            Where the stream does not end with `after` any more.
        """
        return self.append_many([NewEvent(kind, payload, actor, stream, after)])[0]

    def append_many(self, given: Sequence[NewEvent]) -> list[str]:
        """Digests of the new events, in their order: all of them are on disk in one transaction, or none.

        Several events of one stream follow one another; the first says which event it comes `after`. Raises as `append`.
        """
        _check_no_answers(given)
        with self.backend.writing() as connection:
            append.check_after(connection, append.afters(given))
            return append.append_many(connection, given)

    def append_answers(
        self,
        given: Iterable[Answer],
        *,
        actor: str,
        then: Sequence[NewEvent] = (),
        after: Mapping[str, str | None] = NOWHERE,
        leased: bool = False,
    ) -> str:
        """Digest of the one event that holds all these answers, in the same transaction as their rows.

        One answer goes to its task's stream, several to the project's, with a digest over all rows. Columns beyond
        `tables.SHAPES` and `tables.IGNORE` are not kept. Answers may be drawn from a generator: they are written as
        they come, some 20,000 rows at a time, so memory does not grow with their number; other writers wait meanwhile.
        The leases under which they were given end with them.

        Parameters
        ----------
        then
            Events that follow the answers in the same transaction.
        after
            Stream -> digest of the event that the caller knows as its last (None: it has none), where `then` rests on
            that; held against the ledger as it is before the answers.
        leased
            Refuse answers whose lease is not open any more: their place may be somebody else's by now.

        Raises
        ------
        StoreError
            Where nothing is given, an answer is already there, or one corrects an answer that does not come before
            it, belongs to another task or was corrected before; without an open lease where one is asked for.
            Nothing is written then.
        OvertakenError
            Where a stream does not end as the caller knows it.
        """
        _check_no_answers(then)
        with self.backend.writing() as connection:
            append.check_after(connection, {**after, **append.afters(then)})
            link = append.append_answers(self.backend, connection, given, actor, leased=leased)
            append.append_many(connection, then)
        return link

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
            (west, south, east, north) in degrees: only answers with a shape, or an area to ignore, whose box meets it.
        """
        query = select(answers)
        if task_id is not None:
            query = query.where(answers.c.task_id == task_id)
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        if current:
            query = query.where(find.not_corrected())
        with self.backend.reading() as connection:
            if bounds is not None:
                near = find.near(self.backend, connection, bounds)
                query = query.where(answers.c.id.in_(select(shapes.c.answer).where(*near)))
            return list(rows.read_answers(connection, query))

    def shapes(
        self,
        bounds: Bounds | None = None,
        *,
        classes: str | Sequence[str] | None = None,
        start: When | None = None,
        end: When | None = None,
        annotator: str | None = None,
        current: bool = True,
        limit: int | None = 1000,
    ) -> Any:
        """GeoDataFrame of shapes (`tables.LABELS`, then `task_id` and `answer`, its uuid), in the order of appending.

        In the CRS that they were drawn in; shapes of several CRS are brought to EPSG:4326. Areas to ignore are none.

        Parameters
        ----------
        bounds
            (west, south, east, north) in degrees, west > east across the antimeridian: shapes whose box meets it.
        start, end
            Shapes of a time that meets this one: the ground's where the shape says it, else when it was labeled.
        current
            Leave out shapes of answers that were superseded.
        limit
            The first so many; None: all.

        Raises
        ------
        InputError
            For a time without offset, or a limit below 1.
        """
        names = (classes,) if isinstance(classes, str) else None if classes is None else tuple(classes)
        wanted = find.Wanted(bounds, names, start, end, annotator, current, limit)
        with self.backend.reading() as connection:
            return find.found(self.backend, connection, wanted)

    def events(self, kind: str | None = None, stream: str | None = None) -> list[Event]:
        """Events in the order they were appended."""
        return list(self.each_event(kind, stream))

    def each_event(self, kind: str | None = None, stream: str | None = None) -> Iterator[Event]:
        """Events in the order they were appended, one by one, as the ledger was at the first."""
        query = select(events).order_by(events.c.seq)
        if kind is not None:
            query = query.where(events.c.kind == append.known_kind(kind))
        if stream is not None:
            query = query.where(events.c.stream == stream)
        with self.backend.reading() as connection:
            for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
                yield Event(*row)

    def last(self, stream: str = PROJECT) -> Event | None:
        """The last event of a stream; None of one that has none."""
        query = select(events).where(events.c.stream == stream).order_by(events.c.seq.desc()).limit(1)
        with self.backend.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Event(*row)

    def heads(self, task_id: str | None = None) -> list[Head]:
        """Who answered what and when, without the shapes, in the order of appending; the superseded too, and so told."""
        with self.backend.reading() as connection:
            return list(heads(connection, task_id))

    def snapshot(self, task_id: str | None = None) -> Snapshot:
        """What was done on all tasks, or on one, at one moment: reviews, heads of answers, leases, ends of streams."""
        with self.backend.reading() as connection:
            return snapshot(connection, task_id)

    def products(self, name: str | None = None) -> list[dict[str, Any]]:
        """Payloads of the products in the order they were made, the latest last; of one `name` where given."""
        payloads = [event.payload for event in self.each_event("product")]
        return [payload for payload in payloads if name is None or payload.get("name") == name]

    def check(self, progress: Progress = silent) -> list[str]:
        """One sentence for each stream's first broken link and each event whose answers were changed; [] is sound.

        Reads the ledger once, some 10,000 rows at a time.
        """
        with self.backend.reading() as connection:
            return list(verify.faults(connection, progress))

    # ------------------------------------------------------------------ outside the chain
    @property
    def leases(self) -> Leases:
        """Who was given which task until when: safe for many workers at once."""
        return Leases(self.backend)

    @property
    def people(self) -> People:
        """Who is behind the pseudonyms: outside the chain, and deletable."""
        return People(self.backend)

    def person(self, name: str, contact: str | None = None) -> str:
        """`person:<pseudonym>` of this person, made where there is none: what their answers are given under."""
        return self.people.add(name, contact).annotator

    def _repr_html_(self) -> str:
        with self.backend.reading() as connection:
            counts = connection.execute(select(events.c.kind, func.count()).group_by(events.c.kind)).all()
        lines = "".join(
            f"<tr><th style='text-align:left'>{k}</th><td>{n}</td></tr>" for k, n in sorted(map(tuple, counts))
        )
        return f"<table><caption>Ledger {escape(self.backend.title)}</caption>{lines}</table>"


def _check_no_answers(given: Sequence[NewEvent]) -> None:
    for one in given:
        if one.kind in ANSWERED:
            raise StoreError(f"{one.kind!r} events come with answers", hint="append_answers([...], actor=...)")


def _file(path: Path, *, create: bool) -> Path:
    if not create and not path.is_file():
        raise StoreError(f"no ledger at {path}", hint="check the path, or begin one: gl.Project.create(folder)")
    if create and not path.parent.is_dir():
        raise StoreError(f"no folder {path.parent} for a ledger", hint="make the folder first")
    try:
        if not path.exists():
            path.touch()
    except OSError as error:
        raise StoreError(f"no ledger can be made at {path}: {error.strerror}", hint="choose another folder") from error
    return path
