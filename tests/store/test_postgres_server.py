"""The PostgreSQL that other tests stand on: it syncs, listens on loopback only, and comes back from a crash."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from postgres import _alive


def said(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def test_a_fresh_database_holds_postgis_and_nothing_else(postgres, postgres_url):
    assert said(postgres_url, "SELECT ST_Area(ST_GeomFromText('POLYGON((0 0,2 0,2 3,0 3,0 0))'))") == 6
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'spatial_ref_sys'"
    assert said(postgres_url, tables) == 0
    assert postgres.fresh() != postgres_url


@pytest.mark.parametrize(("name", "value"), [("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", "127.0.0.1")])  # fmt: skip
def test_it_syncs_and_listens_on_loopback(postgres_url, name, value):
    assert said(postgres_url, f"SHOW {name}") == value


@pytest.mark.parametrize("how", ["crash", "abort"])
def test_it_comes_back_with_what_was_committed(postgres, postgres_url, how):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS x")
        getattr(postgres, how)()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.start()
    assert said(postgres_url, "SELECT x FROM t") == 7


def test_nothing_stays_when_its_owner_is_killed():
    code = (
        f"import sys, os; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from postgres import running\n"
        "with running() as server:\n"
        "    print(server.process.pid, server.folder, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    pid, folder = done.stdout.split()
    last = time.monotonic() + 20
    while (_alive(int(pid)) or Path(folder).exists()) and time.monotonic() < last:
        time.sleep(0.02)
    assert not _alive(int(pid))
    assert not Path(folder).exists()
