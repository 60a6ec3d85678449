"""Tables of the ledger, and the version that says how to read them."""

from __future__ import annotations

from sqlalchemy import (
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

VERSION = 1
"""Of these tables; written into the file's header (`PRAGMA user_version`)."""
APPLICATION_ID = 0x67656F6C
"""`geol` in the file's header: this SQLite file is a ledger."""

metadata = MetaData()

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
    Column("event", Integer, ForeignKey("events.seq"), nullable=False, index=True),
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
)

shapes = Table(
    "shapes",
    metadata,
    Column("answer", Integer, ForeignKey("answers.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # shapes first, then areas to ignore, each in its own order
    Column("reason", Text),  # why the area is to be ignored; null for a shape
    Column("label_id", Text, index=True),
    Column("class", Text),
    Column("severity", Text),
    Column("severity_scheme", Text),
    Column("confidence", Float),
    Column("masked_share", Float),
    Column("geometry", LargeBinary, nullable=False),  # WKB in the view's CRS
    Column("west", Float, nullable=False),  # WGS84 box; west > east where it crosses the antimeridian
    Column("south", Float, nullable=False),
    Column("east", Float, nullable=False),
    Column("north", Float, nullable=False),
    Index("shapes_by_place", "south", "north", "west", "east"),
)
