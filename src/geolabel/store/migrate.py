"""Migrations by alembic, whose scripts lie beside this module: older tables become those of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

SCRIPTS = Path(__file__).resolve().parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Run every script that the open ledger lacks, inside the caller's transaction."""
    from alembic import command  # seconds of import that an up-to-date ledger does not need
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    command.upgrade(config, "head")
