"""Connections to a SQLite ledger: write-ahead log, full sync, writers queue, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from geolabel.errors import StoreError
from geolabel.store.schema import APPLICATION_ID, VERSION, metadata


def connect(path: Path, *, timeout_s: float) -> Engine:
    """Engine on one file; each transaction opens its own connection, so threads and forked processes may share it."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": timeout_s})

    @event.listens_for(engine, "connect")
    def settings(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        how = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {how}")

    return engine


@contextlib.contextmanager
def writing(engine: Engine, path: Path) -> Iterator[Connection]:
    """A transaction that holds the write lock from its start: all of it is kept, or nothing.

    Raises
    ------
    StoreError
        Where the ledger stays locked, the disk is full, or the file cannot be written.
    """
    with named_errors(path), engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextlib.contextmanager
def reading(engine: Engine, path: Path) -> Iterator[Connection]:
    """A transaction that sees the ledger as it was when it began."""
    with named_errors(path), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors on `path` into StoreError with what to do."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        raise StoreError(f"ledger {path}: {said}", hint=_hint(said, path)) from error


def _hint(said: str, path: Path) -> str:
    hints = {
        "locked": "another process has been writing for long: wait for it, then run the same command again",
        "full": f"free some space on the disk of {path.parent}, then run again; nothing of this event was written",
        "not a database": "this file is no ledger: choose another path",
        "readonly": f"no right to write {path.name} and beside it in {path.parent}",
        "unable to open": f"check that {path.parent} exists and may be written",
        "malformed": "the file is damaged: restore it from a copy; `geolabel check` says how far it can be read",
        "I/O error": f"the disk of {path.parent} failed or is full; nothing of this event was written",
    }
    return next((hint for sign, hint in hints.items() if sign in said), "")


def prepare(engine: Engine, path: Path, *, create: bool) -> None:
    """Make the tables where the file is empty and `create`; else check that the file is a ledger of this version.

    Raises
    ------
    StoreError
        For another kind of file, an empty one, and a ledger of a newer or older version.
    """
    with reading(engine, path) as connection:
        application, version, tables = _header(connection)
    if not application and not tables and create:
        with writing(engine, path) as connection:
            if not _header(connection)[2]:  # another process may have been faster
                _make_tables(connection)
    elif application != APPLICATION_ID:
        raise StoreError(f"{path} is not a geolabel ledger", hint="choose another path, or remove the file")
    elif version != VERSION:
        _refuse(path, version)


def _header(connection: Connection) -> tuple[int, int, int]:
    """(application id, schema version, number of tables) of the open file."""
    queries = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    application, version, tables = (int(connection.execute(text(query)).scalar_one()) for query in queries)
    return application, version, tables


def _make_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")


def _refuse(path: Path, version: int) -> None:
    age, way = (
        ("newer", "update geolabel") if version > VERSION else ("older", "open it with the geolabel that wrote it")
    )
    raise StoreError(f"ledger {path} has schema version {version}; this geolabel reads {VERSION}", hint=f"{age}: {way}")
