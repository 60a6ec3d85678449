"""A ledger in one SQLite file: write-ahead log, full sync, queued writers, an R-tree, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from geolabel.errors import SourceError, StoreError
from geolabel.files import atomic, require_space
from geolabel.store.backend import Backend, Bounds, Values, make_tables
from geolabel.store.migrate import upgrade
from geolabel.store.schema import VERSION, shapes

APPLICATION_ID = 0x67656F6C
"""`geol` in the file's header: this SQLite file is a ledger."""
CACHE_KIB = 65_536
"""Page cache of a connection: an R-tree of a million boxes fits, so that each of its pages is written about once."""
WIDE = 30_000
"""Shapes in a box beyond which walking the table in its order finds the first thousand sooner than the R-tree."""

PLACES = "CREATE VIRTUAL TABLE places USING rtree(id, west, east, south, north)"
PLACE = """
INSERT INTO places
SELECT id, iif(west > east, -180, west), iif(west > east, 180, east), south, north FROM shapes WHERE id >= ?
"""
"""A box across the antimeridian is a band around the world in the index; the row's own columns then decide."""
WITHIN = "SELECT id FROM places WHERE south <= :north AND north >= :south AND {lon}"
PLAIN, ACROSS = "west <= :east AND east >= :west", "(west <= :east OR east >= :west)"

HINTS = {
    "locked": "another process has been writing for long: wait for it, then run the same command again",
    "full": "free some space on the disk of {folder}, then run again; nothing of this event was written",
    "not a database": "this file is no ledger: choose another path",
    "readonly": "no right to write {name} and beside it in {folder}",
    "unable to open": "check that {name} is still in {folder}, and that it may be read and written",
    "malformed": "the file is damaged: restore it from a copy; `geolabel check` says how far it can be read",
    "I/O error": "the disk of {folder} failed or is full; nothing of this event was written",
}
"""Part of SQLite's message -> what to do about it."""


class Sqlite(Backend):
    """One file; each transaction opens its own connection, so threads and forked processes may share it."""

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self.path = path
        self.place, self.title = str(path), path.name
        address = f"{path.absolute().as_uri()}?mode=rw"  # a file that was removed is told, not made anew
        opened = partial(sqlite3.connect, address, uri=True, timeout=timeout_s, check_same_thread=False)
        self.engine = create_engine("sqlite://", poolclass=NullPool, creator=opened)
        event.listen(self.engine, "connect", _settings)
        event.listen(self.engine, "begin", _begin)

    # ------------------------------------------------------------------ transactions
    @contextlib.contextmanager
    def begin_writing(self) -> Iterator[Connection]:
        """A transaction begun IMMEDIATE; foreign keys are looked at when it ends."""
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            yield connection

    @contextlib.contextmanager
    def begin_reading(self) -> Iterator[Connection]:
        """A transaction begun DEFERRED: readers never wait."""
        with self.engine.begin() as connection:
            yield connection

    def named(self, error: BaseException) -> StoreError | None:
        """SQLite's error with what to do about it."""
        found = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(found, sqlite3.Error):
            return None
        said = str(found)
        hint = next((hint for sign, hint in HINTS.items() if sign in said), "")
        return StoreError(f"ledger {self.path}: {said}", hint=hint.format(folder=self.path.parent, name=self.path.name))

    # ------------------------------------------------------------------ tables
    def version(self, connection: Connection) -> int | None:
        """`PRAGMA user_version` of a ledger; None for an empty file."""
        queries = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        application, version, tables = (int(connection.execute(text(query)).scalar_one()) for query in queries)
        if not application and not tables:
            return None
        if application != APPLICATION_ID:
            raise StoreError(f"{self.path} is not a geolabel ledger", hint="choose another path, or remove the file")
        return version

    def missing(self) -> StoreError:
        """The error for an empty file."""
        return StoreError(f"{self.path} is not a geolabel ledger", hint="choose another path, or remove the file")

    def make(self, connection: Connection) -> None:
        """Tables, R-tree, and the header that says what the file is."""
        make_tables(connection)
        make_places(connection)
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")

    def migrate(self, connection: Connection, version: int) -> None:
        """Copy the file to `<name>.v<version>.bak`, then bring the tables to this version in the same transaction.

        Raises
        ------
        StoreError
            Where the disk has no room for the copy and the new tables; the ledger is then as it was.
        """
        try:
            self._keep_copy(version)
        except SourceError as error:
            why = f"ledger {self.path} of schema {version} was not migrated: {error.message}"
            raise StoreError(why, hint=error.hint) from error
        upgrade(connection)
        connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")

    def _keep_copy(self, version: int) -> None:
        log = self.path.with_name(f"{self.path.name}-wal")
        size = self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)
        require_space(self.path.parent, 4 * size)  # the copy, the new tables, and the log of their making
        closing = contextlib.closing
        with (
            atomic(self.path.with_name(f"{self.path.name}.v{version}.bak")) as tmp,
            closing(sqlite3.connect(self.path)) as ours,
            closing(sqlite3.connect(tmp)) as copy,
        ):
            ours.backup(copy)

    # ------------------------------------------------------------------ rows
    def insert(self, connection: Connection, table: Table, values: Values) -> None:
        """Rows in one prepared statement."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        rows = list(zip(*values.values(), strict=True))
        if rows:
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names
        if rows and table is shapes:  # not by a trigger, which takes ten times as long
            connection.exec_driver_sql(PLACE, (values["id"][0],))

    def settle(self, _: Connection, __: int) -> None:
        """Nothing: the queries say themselves which index serves them."""

    def near(self, connection: Connection, bounds: Bounds) -> Any | None:
        """Numbers from the R-tree, unless the box holds more than `WIDE` shapes."""
        query = WITHIN.format(lon=ACROSS if bounds[0] > bounds[2] else PLAIN)
        given = dict(zip(("west", "south", "east", "north"), bounds, strict=True))
        some = text(f"SELECT count(*) FROM ({query} LIMIT {WIDE + 1})")  # noqa: S608 - our own words
        if connection.execute(some, given).scalar_one() > WIDE:
            return None
        return text(f"shapes.id IN ({query})").bindparams(**given)

    def forgotten(self) -> None:
        """Deleted rows are overwritten at once (`secure_delete`); the log that still holds them is emptied."""
        with self._named_errors(), self.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def make_places(connection: Connection) -> None:
    """Make the R-tree over the shapes' boxes, filled from those that are there."""
    connection.exec_driver_sql(PLACES)
    connection.exec_driver_sql(PLACE, (0,))


def _settings(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"cache_size=-{CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    how = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {how}")
