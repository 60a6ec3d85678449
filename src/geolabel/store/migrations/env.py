"""Run by alembic: migrate over the connection, and in the transaction, that the ledger gives."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
