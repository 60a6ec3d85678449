"""Tables of the ledger, and the version that says how to read them.

Texts and numbers that mean the same on SQLite and PostgreSQL. What only one of them has (the R-tree, the PostGIS box)
lies in `sqlite.py` and `postgres.py`. A change here is a new version and a script in `migrations/versions/`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 3
"""Of these tables; kept in `alembic_version`, and in a SQLite file's header (`PRAGMA user_version`)."""

metadata = MetaData()
NUMBER = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER names SQLite's row number

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("uuid", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False, index=True),
    Column("at", Text, nullable=False),  # UTC, ISO 8601 with microseconds
    Column("actor", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("payload", Text, nullable=False),  # canonical JSON, as it was digested
    Column("prev", Text),  # digest of the previous event of the stream; null for its first
    Column("digest", Text, nullable=False, unique=True),
    UniqueConstraint("stream", "prev"),  # a stream never forks
    Index("events_by_stream", "stream", "seq"),
)

crs = Table(
    "crs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False, unique=True),  # as `str(frame.crs)` gives it
)

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    # answers are written as they are drawn, and their event, which digests them all, after the last of them
    Column(
        "event", Integer, ForeignKey("events.seq", deferrable=True, initially="DEFERRED"), nullable=False, index=True
    ),
    Column("uuid", Text, nullable=False, unique=True),
    Column("task_id", Text, nullable=False, index=True),
    Column("annotator", Text, nullable=False, index=True),
    Column("outcome", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("active_s", Float, nullable=False),
    Column("shown", Text, nullable=False),  # JSON list
    Column("supersedes", Text, ForeignKey("answers.uuid"), unique=True),  # one correction an answer
    Column("shapes_crs", Integer, ForeignKey("crs.id"), nullable=False),
    Column("ignore_crs", Integer, ForeignKey("crs.id"), nullable=False),
    Column("digest", Text, nullable=False),  # `Answer.digest`
    Column("ontology", Text),  # `name@version`; null: the task's
    Column("how", Text),
    Column("start", BigInteger),  # first and last time of the ground that its shapes name, ns since 1970, UTC
    Column("end", BigInteger),
)

shapes = Table(
    "shapes",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("answer", Integer, ForeignKey("answers.id"), nullable=False),
    Column("position", Integer, nullable=False),  # shapes first, then areas to ignore, each in its own order
    Column("reason", Text),  # why the area is to be ignored; null for a shape
    Column("label_id", Text),
    Column("class", Text),
    Column("severity", Text),
    Column("severity_scheme", Text),
    Column("confidence", Float),
    Column("masked_share", Float),
    Column("start", BigInteger),  # of the ground, as the shape says it; ns since 1970, UTC
    Column("end", BigInteger),
    Column("attributes", Text),
    Column("since", BigInteger, nullable=False),  # what a query by time compares: the ground's time where the
    Column("until", BigInteger, nullable=False),  # shape says it, else the time it was labeled
    Column("geometry", LargeBinary, nullable=False),  # WKB in the view's CRS
    Column("west", Float, nullable=False),  # WGS84 box; west > east where it crosses the antimeridian
    Column("south", Float, nullable=False),
    Column("east", Float, nullable=False),
    Column("north", Float, nullable=False),
    UniqueConstraint("answer", "position"),
    Index("shapes_by_class", "class", "since", "until"),
)

people = Table(
    "people",
    metadata,
    Column("pseudonym", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("contact", Text),
    Column("added", Text, nullable=False),  # UTC, ISO 8601
)
"""Outside the chain: who is behind `person:<pseudonym>`; a row may be deleted and every stream still holds."""

leases = Table(
    "leases",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("task_id", Text, nullable=False),
    Column("annotator", Text, nullable=False),
    Column("role", Text, nullable=False),  # answer / review / adjudicate
    Column("taken_at", Text, nullable=False),  # UTC, ISO 8601 with microseconds, as the next two
    Column("expires_at", Text, nullable=False),
    Column("ended_at", Text),  # null while it is open
    Column("how", Text),  # answered / expired / released
    UniqueConstraint("task_id", "annotator", "role"),  # nobody is given a task twice
    Index("leases_by_end", "ended_at", "annotator"),
)
"""Outside the chain: who was given which task until when; rows stay when they have ended, and may be deleted."""

versions = Table("alembic_version", metadata, Column("version_num", Text, primary_key=True))
