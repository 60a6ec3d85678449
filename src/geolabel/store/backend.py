"""Backend: what the ledger asks of a database; SQLite and PostgreSQL answer in their own modules."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, insert

from geolabel.errors import GeolabelError, StoreError
from geolabel.store.schema import VERSION, metadata, versions

Bounds = tuple[float, float, float, float]
"""(west, south, east, north) in degrees; west > east across the antimeridian."""
Values = Mapping[str, Sequence[Any]]
"""Column -> its values, all of one length, None where missing."""


class Backend(ABC):
    """A database that holds one ledger."""

    engine: Engine
    place: str
    """Where the ledger is, for messages: a path, or an address without its password."""
    title: str
    """Short name: of the file or of the schema."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place})"

    # ------------------------------------------------------------------ transactions
    @abstractmethod
    def begin_writing(self) -> contextlib.AbstractContextManager[Connection]:
        """A transaction in which nobody else writes to this ledger, and which is on disk when it ends."""

    @abstractmethod
    def begin_reading(self) -> contextlib.AbstractContextManager[Connection]:
        """A transaction that sees the ledger as it was when it began."""

    @abstractmethod
    def named(self, error: BaseException) -> StoreError | None:
        """What a database's error means and what to do about it; None for an error that is not the database's."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: all of it is kept, or nothing.

        Raises
        ------
        StoreError
            Where the ledger stays locked, the disk is full, or it cannot be reached or written.
        """
        with self._named_errors(), self.begin_writing() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the ledger as it was when it began."""
        with self._named_errors(), self.begin_reading() as connection:
            yield connection

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            said = None if isinstance(error, GeolabelError) else self.named(error)
            if said is None:
                raise
            raise said from error

    # ------------------------------------------------------------------ tables
    @abstractmethod
    def version(self, connection: Connection) -> int | None:
        """Schema version of the ledger that is there; None where there is nothing yet.

        Raises
        ------
        StoreError
            Where something else than a ledger is there.
        """

    @abstractmethod
    def make(self, connection: Connection) -> None:
        """Make the tables of this version."""

    @abstractmethod
    def migrate(self, connection: Connection, version: int) -> None:
        """Bring the tables from an older `version` to this one; the caller holds the write lock."""

    def prepare(self, *, create: bool) -> None:
        """See that a ledger of this version is there: an empty place gets one with `create`, an older one is migrated.

        Raises
        ------
        StoreError
            For something that is no ledger, a newer one, and an older one that cannot be migrated.
        """
        with self.reading() as connection:
            version = self.version(connection)
        if version is None and not create:
            raise self.missing()
        if version is not None and not 1 <= version <= VERSION:
            raise self._refused(version)
        if version != VERSION:
            with self.writing() as connection:
                self._renew(connection)

    def _renew(self, connection: Connection) -> None:
        version = self.version(connection)  # again: another process may have been faster
        if version is None:
            self.make(connection)
        elif version < VERSION:
            self.migrate(connection, version)

    @abstractmethod
    def missing(self) -> StoreError:
        """The error for a place that holds nothing."""

    def _refused(self, version: int) -> StoreError:
        hint = "newer: update geolabel" if version > VERSION else "older than any released geolabel: restore a copy"
        return StoreError(
            f"ledger {self.place} has schema version {version}; this geolabel reads 1 to {VERSION}", hint=hint
        )

    # ------------------------------------------------------------------ rows
    @abstractmethod
    def insert(self, connection: Connection, table: Table, values: Values) -> None:
        """Append rows in bulk."""

    @abstractmethod
    def settle(self, connection: Connection, count: int) -> None:
        """What a database wants after `count` new shapes: its statistics brought up to date."""

    @abstractmethod
    def near(self, connection: Connection, bounds: Bounds) -> Any | None:
        """SQL condition that finds the shapes whose box may meet `bounds` through the index; None: better without."""

    @abstractmethod
    def forgotten(self) -> None:
        """See that what was deleted from `people` is not left lying in the database's files."""


def make_tables(connection: Connection) -> None:
    """Make the tables that both databases share, stamped with their version."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(versions).values(version_num=str(VERSION)))
