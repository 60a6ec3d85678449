"""The same ledger, in a file and in a database."""

import pytest

from geolabel.store.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """A place for a ledger where none is yet: a path, then an address."""
    return tmp_path / "ledger.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def ledger(where):
    """A new ledger there."""
    ledger = Ledger.open(where, create=True)
    yield ledger
    ledger.close()


@pytest.fixture
def tamper():
    """Somebody with the right to write changes rows behind the ledger's back: `tamper(ledger, "SQL; SQL")`."""

    def change(ledger, sql):
        with ledger.engine.connect() as connection:
            for statement in sql.split(";"):
                connection.exec_driver_sql(statement.replace("%", "%%"))
            connection.exec_driver_sql("COMMIT")

    return change
