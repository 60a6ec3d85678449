"""What only a server can do wrong is told with what to do, and never with a password."""

import sys

import psycopg
import pytest

from geolabel.errors import MissingExtra, StoreError
from geolabel.store.ledger import Ledger
from labels import answer, box_shapes, scar, tasks_of, utm_grid

SECRET = "correct-horse-battery"


def with_secret(url, user="geolabel"):
    return url.replace("geolabel@", f"{user}:{SECRET}@", 1)


def refused(where, **more):
    """Message, hint and repr of the error and of all it came from, once they are known not to tell the password."""
    with pytest.raises(StoreError) as raised:
        Ledger.open(where, create=True, **more)
    error = raised.value
    assert error.hint
    assert SECRET not in f"{error} {error!r} {error.__cause__!r} {error.__cause__}"
    return str(error)


def test_projects_share_a_database(postgres_url):
    first, second = (Ledger.open(postgres_url, name=name, create=True) for name in ("station-fire", 'a "b" ü'))
    first.append("view", actor="a", payload={"id": "v"})
    assert [len(ledger.events()) for ledger in (first, second)] == [1, 0]
    second.append("view", actor="a", payload={"id": "w"})
    assert [ledger.check() for ledger in (first, second)] == [[], []]
    again = Ledger.open(postgres_url.replace("postgresql:", "postgresql+psycopg:"), name="station-fire")
    assert again.events() == first.events()
    with pytest.raises(StoreError, match="no ledger at") as raised:
        Ledger.open(postgres_url, name="another")
    assert raised.value.hint
    for ledger in (first, second, again):
        ledger.close()


def test_tables_of_others_are_left_alone(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE public.events (mine int); CREATE TABLE public.alembic_version (theirs int)")
        connection.execute("CREATE SCHEMA geolabel_other; CREATE TABLE geolabel_other.events (mine int)")
    ledger = Ledger.open(postgres_url, create=True)
    ledger.append("view", actor="a", payload={})
    assert len(ledger.events()) == 1
    assert "something else" in refused(postgres_url, name="other")
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM public.events").fetchone() == (0,)
    ledger.close()


def test_no_password_is_told(postgres_url):
    ledger = Ledger.open(with_secret(postgres_url), create=True)
    assert SECRET not in f"{ledger!r} {ledger.place} {ledger.engine!r} {ledger._repr_html_()}"
    ledger.close()
    assert "no such database" in refused(with_secret(postgres_url) + "_not_there")
    assert "check the user" in refused(with_secret(postgres_url, user="nobody_known"))
    assert "no server listens" in refused(f"postgresql://a:{SECRET}@127.0.0.1:1/db")
    assert "postgresql://user@host" in refused(f"postgresql://a:{SECRET}@127.0.0.1:port/db")


def test_what_the_database_lacks_is_told(postgres, postgres_url):
    name = postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}_plain TEMPLATE template0")
        connection.execute(f"CREATE ROLE {name}_guest LOGIN")
    assert "CREATE EXTENSION postgis" in refused(f"{postgres_url}_plain")
    assert "GRANT CREATE" in refused(postgres_url.replace("geolabel@", f"{name}_guest@"))
    assert "1 to 54 bytes" in refused(postgres_url, name="x" * 60)


def test_a_writer_that_waits_too_long_is_told(postgres_url):
    impatient = Ledger.open(postgres_url, create=True, timeout_s=0.05)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('geolabel'), hashtext('geolabel_project'))")
        with pytest.raises(StoreError, match="lock timeout") as raised:
            impatient.append("view", actor="a", payload={})
        assert "wait for it" in raised.value.hint
        assert impatient.events() == []  # readers do not wait
    impatient.close()


STATES = {"53100": "free some space", "40001": "run again", "57014": "statement_timeout", "25006": "primary"}


def test_what_the_server_runs_out_of_is_told(postgres_url):
    ledger, grid = Ledger.open(postgres_url, create=True), utm_grid()
    for state, hint in STATES.items():
        failing(postgres_url, state)
        with pytest.raises(StoreError) as raised:
            ledger.append_answers([answer(tasks_of(grid)[0], grid, scar()[:64, :64])], actor="a")
        assert hint in raised.value.hint
    assert ledger.events() == ledger.answers() == []
    ledger.close()


def failing(url, state):
    """Make the database answer every new shape with this error."""
    with psycopg.connect(url) as connection:
        connection.execute('SET search_path TO "geolabel_project"')
        body = f"BEGIN RAISE 'no' USING ERRCODE = '{state}'; END"
        connection.execute(f"CREATE OR REPLACE FUNCTION fails() RETURNS trigger AS $$ {body} $$ LANGUAGE plpgsql")
        connection.execute(
            "CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON shapes FOR EACH ROW EXECUTE FUNCTION fails()"
        )


def test_a_connection_that_was_cut_is_opened_anew(postgres_url):
    ledger = Ledger.open(postgres_url, create=True)
    ledger.append("view", actor="a", payload={})
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert len(ledger.events()) == 1
    ledger.close()


def test_a_text_that_the_server_cannot_hold_is_told(postgres_url):
    ledger = Ledger.open(postgres_url, create=True)
    grid = utm_grid()
    odd = box_shapes([(500_000, 4_199_000, 500_300, 4_199_900)]).assign(label_id="a\0b")
    one = answer(tasks_of(grid)[0], grid, scar()[:64, :64])
    with pytest.raises(StoreError) as raised:
        ledger.append_answers([type(one)(one.task_id, "person:a", "labeled", odd, one.ignore, one.at)], actor="a")
    assert "NUL" in raised.value.hint
    ledger.close()


def test_a_ledger_in_a_database_is_no_file(postgres_url):
    ledger = Ledger.open(postgres_url, create=True)
    with pytest.raises(StoreError, match="is no file"):
        _ = ledger.path
    ledger.close()


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra) as raised:
        Ledger.open(f"postgresql://a:{SECRET}@127.0.0.1/db")
    assert "geolabel[postgis]" in raised.value.hint
    assert SECRET not in str(raised.value)
