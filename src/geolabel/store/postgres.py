"""A ledger in its own schema of a PostgreSQL database: queued writers, a PostGIS box, COPY, and errors that say what to do.

A ledger's schema is `geolabel_<name>`, so many projects share a database. The server's role needs the right to create
a schema in the database once; PostGIS must be there (`CREATE EXTENSION postgis`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from geolabel.errors import MissingExtra, StoreError
from geolabel.store.backend import Backend, Bounds, Values, make_tables
from geolabel.store.migrate import upgrade

PREFIX = "geolabel_"
NAME_BYTES = 63
"""Of an identifier; PostgreSQL cuts longer ones silently."""
CONNECT_S = 10
MANY = 10_000
"""New shapes after which the planner's statistics are taken anew."""

BOX = """
ALTER TABLE shapes ADD COLUMN box geometry(Polygon, 4326) GENERATED ALWAYS AS (
  CASE WHEN west > east THEN ST_MakeEnvelope(-180, south, 180, north, 4326)
       ELSE ST_MakeEnvelope(west, south, east, north, 4326) END) STORED
"""
"""A box across the antimeridian is a band around the world in the index; the row's own columns then decide."""
INDEX = "CREATE INDEX shapes_by_place ON shapes USING gist (box)"
MEETS = "shapes.box && ST_MakeEnvelope(:west{n}, :south, :east{n}, :north, 4326)"

BY_STATE = {
    "53100": "free some space on the server's disk, then run again; nothing of this event was written",
    "53": "the server has no memory or connections left: try again later; nothing of this event was written",
    "40": "another transaction came first: run again; nothing of this event was written",
    "55P03": "another process has been writing for long (locked): wait for it, then run the same command again",
    "57014": "the server's statement_timeout is too short for this: raise it for this role, or ask for less",
    "57P": "the server is shutting down: try again when it is back; nothing of this event was written",
    "08": "the server went away: check that it runs, then run again; nothing of this event was written",
    "25006": "the server only reads (a standby): give the address of the primary",
    "28": "check the user, the password (PGPASSWORD or ~/.pgpass) and the server's pg_hba.conf",
    "3D000": "no such database: createdb it, then CREATE EXTENSION postgis in it",
    "42501": "ask the database's owner: GRANT CREATE ON DATABASE ... TO ...; or open a ledger of your own",
    "22": "PostgreSQL cannot hold this value: texts may have no NUL character",
}
"""SQLSTATE, or how it begins -> what to do about it. The first that fits."""
BY_WORDS = {
    "password authentication failed": BY_STATE["28"],
    "no password supplied": BY_STATE["28"],
    'role "': BY_STATE["28"],
    "does not exist": BY_STATE["3D000"],
    "pg_hba.conf": BY_STATE["28"],
    "refused": "no server listens there: check host and port, and that PostgreSQL runs",
    "resolve host": "check the host's name",
    "timeout expired": "the server does not answer: check host, port and firewall",
    "too many": BY_STATE["53"],
    "NUL": BY_STATE["22"],
    "": BY_STATE["08"],
}
"""Part of the message, for errors without an SQLSTATE (they come from the way to the server) -> what to do."""


class Postgres(Backend):
    """One schema of one database; each transaction opens its own connection, so threads and forked processes may share it."""

    def __init__(self, address: str, name: str, *, timeout_s: float) -> None:
        url = _url(address)
        self.schema = self.title = schema_of(name)
        self.secrets = _secrets(url)
        self.place = f"{_open(url)} schema {self.schema}"
        self.timeout_s = timeout_s
        options = {"connect_timeout": CONNECT_S, "application_name": "geolabel"}
        self.engine = create_engine(url, poolclass=NullPool, connect_args={**options, **url.query})
        event.listen(self.engine, "connect", self._settings)

    def _settings(self, connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            found = cursor.execute(
                "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'postgis'"
            ).fetchone()
            path = ", ".join(_quoted(name) for name in (self.schema, *(found or ()), "public"))
            cursor.execute("SELECT set_config('search_path', %s, false)", (path,))
        connection.commit()

    # ------------------------------------------------------------------ transactions
    @contextlib.contextmanager
    def begin_writing(self) -> Iterator[Connection]:
        """A transaction that holds this ledger's advisory lock: numbers have no gaps and streams never fork."""
        with self.engine.begin() as connection:
            wait = {"wait": f"{max(1, round(self.timeout_s * 1000))}ms", "schema": self.schema}
            connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), wait)
            connection.execute(text("SET LOCAL synchronous_commit = on"))  # whatever the role's setting is
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('geolabel'), hashtext(:schema))"), wait)
            yield connection

    @contextlib.contextmanager
    def begin_reading(self) -> Iterator[Connection]:
        """A read-only transaction on one snapshot."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def named(self, error: BaseException) -> StoreError | None:
        """PostgreSQL's error with what to do about it, without any password."""
        import psycopg

        found = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(found, psycopg.Error):
            return None
        said = str(found).strip().split("\nMultiple connection attempts")[0]
        for secret in self.secrets:
            said = said.replace(secret, "***")
        return StoreError(f"ledger {self.place}: {said}", hint=_hint(found.sqlstate, said))

    # ------------------------------------------------------------------ tables
    def version(self, connection: Connection) -> int | None:
        """What `alembic_version` says in the ledger's schema; None where the schema has no tables."""
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
        tables = set(connection.execute(query, {"schema": self.schema}).scalars())
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise StoreError(f"{self.place} holds tables of something else", hint="choose another name for the ledger")
        return int(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def missing(self) -> StoreError:
        """The error for a database without this ledger."""
        return StoreError(f"no ledger at {self.place}", hint="check the name, or begin one: gl.Project.create(folder)")

    def make(self, connection: Connection) -> None:
        """Schema, tables and box.

        Raises
        ------
        StoreError
            Without PostGIS.
        """
        if not connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).scalar():
            hint = "as a superuser, in this database: CREATE EXTENSION postgis; then open the ledger again"
            raise StoreError(f"the database of {self.place} has no PostGIS", hint=hint)
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_quoted(self.schema)}")
        make_tables(connection)
        make_boxes(connection)

    def migrate(self, connection: Connection, _: int) -> None:
        """Bring the tables to this version in one transaction (a copy is the server's `pg_dump`)."""
        upgrade(connection)

    # ------------------------------------------------------------------ rows
    def insert(self, connection: Connection, table: Table, values: Values) -> None:
        """Rows by COPY."""
        names = ", ".join(f'"{name}"' for name in values)
        cursor = connection.connection.cursor()
        with contextlib.closing(cursor), cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in zip(*values.values(), strict=True):
                copy.write_row(row)

    def settle(self, connection: Connection, count: int) -> None:
        """Statistics anew after many shapes, so that the next query takes the right index."""
        if count >= MANY:
            connection.exec_driver_sql("ANALYZE shapes, answers")

    def near(self, _: Connection, bounds: Bounds) -> Any | None:
        """The box's index, by `&&`; two boxes where the bounds cross the antimeridian."""
        west, south, east, north = bounds
        sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
        terms = " OR ".join(MEETS.format(n=n) for n in range(len(sides)))
        given = {f"{name}{n}": side[k] for n, side in enumerate(sides) for k, name in enumerate(("west", "east"))}
        return text(f"({terms})").bindparams(south=south, north=north, **given)

    def forgotten(self) -> None:
        """The deleted row's bytes go with a VACUUM, which runs outside any transaction."""
        with self._named_errors(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM people")


def make_boxes(connection: Connection) -> None:
    """Give the shapes their WGS84 box as a geometry, and its index."""
    connection.exec_driver_sql(BOX)
    connection.exec_driver_sql(INDEX)


def schema_of(name: str) -> str:
    """`geolabel_<name>`, the ledger's schema.

    Raises
    ------
    StoreError
        For a name that PostgreSQL would cut or cannot hold.
    """
    schema = PREFIX + name
    if not name or "\0" in name or len(schema.encode()) > NAME_BYTES:
        hint = f"1 to {NAME_BYTES - len(PREFIX)} bytes"
        raise StoreError(f"a ledger cannot be named {name!r} in PostgreSQL", hint=hint)
    return schema


def is_address(where: object) -> bool:
    """Whether this is the address of a PostgreSQL database rather than a path."""
    return isinstance(where, str) and where.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))


def _url(address: str) -> URL:
    try:
        import psycopg  # noqa: F401 - SQLAlchemy's own message would not say how to get it
    except ImportError:
        hint = "pip install 'geolabel[postgis]'"
        raise MissingExtra("a ledger in PostgreSQL needs psycopg, which is not installed", hint=hint) from None
    try:
        return make_url(address).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):  # their messages repeat the address, and with it the password
        hint = "postgresql://user@host:5432/database; the password in PGPASSWORD or ~/.pgpass"
        raise StoreError("this is no address of a PostgreSQL database", hint=hint) from None


def _secrets(url: URL) -> list[str]:
    given = (url.password, url.query.get("password"), url.query.get("sslpassword"))
    return [str(value) for value in given if value]


def _open(url: URL) -> str:
    """The address without what nobody should read."""
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _hint(state: str | None, said: str) -> str:
    if state:
        return next((hint for sign, hint in BY_STATE.items() if state.startswith(sign)), "")
    return next(hint for sign, hint in BY_WORDS.items() if sign in said)
