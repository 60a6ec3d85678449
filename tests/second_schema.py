"""A ledger of schema 2: the first one, as the scripts of that version left it, with what only schema 2 could hold."""

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import first_schema
from geolabel.store.migrate import SCRIPTS

PERSON = "INSERT INTO people VALUES ('abcdefgh', 'Anna Rossi', NULL, '2026-11-24T08:00:00+00:00')"


def make(where):
    """Write it at a path, or into a database as `Ledger.open(url)` would find it."""
    first_schema.make(where)
    on_file = not isinstance(where, str)
    engine = create_engine(f"sqlite:///{where}" if on_file else where.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        if not on_file:
            connection.execute(text('SET search_path TO "geolabel_project", public'))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCRIPTS))
        command.upgrade(config, "2")
        connection.execute(text(PERSON))
        if on_file:
            connection.execute(text("PRAGMA user_version=2"))
    engine.dispose()
