"""Schema 1: events, crs, answers, shapes. Ledgers of that time carry no `alembic_version`; nothing is to be done."""

revision, down_revision = "1", None


def upgrade() -> None:
    """Nothing: these tables are there."""
