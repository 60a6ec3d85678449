"""Schema 3: leases. Nothing that was there is touched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "3", "2"


def upgrade() -> None:
    """A table more, and its index."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "leases",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("task_id", "annotator", "role")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("taken_at", "expires_at")),
        *(sa.Column(name, sa.Text) for name in ("ended_at", "how")),
        sa.UniqueConstraint("task_id", "annotator", "role"),
    )
    op.create_index("leases_by_end", "leases", ["ended_at", "annotator"])
