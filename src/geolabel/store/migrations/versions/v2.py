"""Schema 2: ontology, way and ground time of answers; numbered shapes with time and attributes, found by place; people.

Events, and all that the digests of schema 1 cover, stay byte for byte.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from geolabel.store import postgres, sqlite

revision, down_revision = "2", "1"

KEPT = (
    "answer, position, reason, label_id, class, severity, severity_scheme, confidence, masked_share, "
    "geometry, west, south, east, north"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ON_POSTGRES = "ALTER TABLE answers ALTER CONSTRAINT answers_event_fkey DEFERRABLE INITIALLY DEFERRED"


def upgrade() -> None:
    """Answers get columns; shapes are written anew, numbered in their order."""
    for name, kind in (("ontology", sa.Text), ("how", sa.Text), ("start", sa.BigInteger), ("end", sa.BigInteger)):
        op.add_column("answers", sa.Column(name, kind))
    op.execute(f"CREATE TABLE shapes_1 AS SELECT {KEPT} FROM shapes")  # noqa: S608 - our own names
    op.drop_table("shapes")
    _make_shapes()
    op.execute(
        f"INSERT INTO shapes (id, since, until, {KEPT}) "  # noqa: S608 - our own names
        f"SELECT row_number() OVER (ORDER BY answer, position), 0, 0, {KEPT} FROM shapes_1"
    )
    op.drop_table("shapes_1")
    _date_shapes(op.get_bind())
    text = sa.Text
    op.create_table(
        "people",
        sa.Column("pseudonym", text, primary_key=True),
        sa.Column("name", text, nullable=False),
        sa.Column("contact", text),
        sa.Column("added", text, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(ON_POSTGRES)
        postgres.make_boxes(op.get_bind())
    else:
        sqlite.make_places(op.get_bind())


def _make_shapes() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "shapes",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("answer", sa.Integer, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("reason", "label_id", "class", "severity", "severity_scheme")),
        *(sa.Column(name, sa.Float) for name in ("confidence", "masked_share")),
        *(sa.Column(name, sa.BigInteger) for name in ("start", "end")),
        sa.Column("attributes", sa.Text),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("since", "until")),
        sa.Column("geometry", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("west", "south", "east", "north")),
        sa.UniqueConstraint("answer", "position"),
    )
    op.create_index("shapes_by_class", "shapes", ["class", "since", "until"])


def _date_shapes(connection: sa.Connection) -> None:
    """The time that a query compares: no shape of schema 1 names its ground's, so it is when it was labeled."""
    told = connection.execute(sa.text("SELECT id, at FROM answers")).all()
    dated = [{"answer": number, "ns": _ns(at)} for number, at in told]
    if dated:
        connection.execute(sa.text("UPDATE shapes SET since = :ns, until = :ns WHERE answer = :answer"), dated)


def _ns(at: str) -> int:
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(microseconds=1) * 1000
