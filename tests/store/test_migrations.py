"""Older ledgers are migrated, whole or not at all; what was acknowledged stays as it was."""

import multiprocessing
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.operations import Operations
from sqlalchemy import inspect

import first_schema
import second_schema
from geolabel import files
from geolabel.errors import SourceError, StoreError
from geolabel.store import sqlite
from geolabel.store.ledger import Ledger
from geolabel.store.schema import VERSION
from labels import NOW, answer, scar, tasks_of, utm_grid


@pytest.fixture
def first(where):
    """Where a ledger of schema 1 lies."""
    first_schema.make(where)
    return where


@pytest.fixture
def second(where):
    """Where a ledger of schema 2 lies."""
    second_schema.make(where)
    return where


def test_a_first_ledger_is_migrated_and_nothing_it_said_is_changed(first):
    ledger = Ledger.open(first)
    assert [event.digest for event in ledger.events()] == first_schema.LINKS
    assert {one.uuid: one.digest for one in ledger.answers(current=False)} == first_schema.ANSWERS
    assert [one.uuid for one in ledger.answers()] == ["two", "three"]
    assert ledger.check() == []
    ledger.close()


def test_a_migrated_ledger_goes_on(first):
    ledger = Ledger.open(first)
    grid = utm_grid()
    more = answer(tasks_of(grid)[0], grid, scar()[:64, :64], ontology="wildfire@2")
    ledger.append_answers([more], actor="a")
    found = ledger.shapes((-123.1, 37.9, -122.9, 38), start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1))
    assert set(found["answer"]) == {"three", more.uuid}  # "one" was corrected, "two" is empty
    assert ledger.answers()[-1].digest == more.digest
    assert ledger.person("Anna").startswith("person:")
    assert ledger.check() == []
    ledger.close()


def test_what_schema_1_said_is_still_guarded(first, tamper):
    ledger = Ledger.open(first)
    tamper(ledger, "UPDATE shapes SET confidence = 0.5 WHERE label_id = 'other'")
    tamper(ledger, "UPDATE answers SET how = 'edit:qgis' WHERE uuid = 'two'")
    assert len(ledger.check()) == 2
    ledger.close()


def test_a_second_ledger_is_migrated_and_goes_on(second):
    ledger = Ledger.open(second)
    assert [event.digest for event in ledger.events()] == first_schema.LINKS
    assert {one.uuid: one.digest for one in ledger.answers(current=False)} == first_schema.ANSWERS
    assert [one.name for one in ledger.people.find()] == ["Anna Rossi"]
    assert ledger.leases.find() == []
    places = [("v/g/0_0#burn", 2), ("v/g/0_64#burn", 2)]
    assert ledger.leases.take(places, "person:ann", now=NOW).task_id == "v/g/0_64#burn"  # who answered the first
    assert ledger.check() == []
    ledger.close()


@pytest.mark.filterwarnings("ignore:Did not recognize type .geometry.")  # of SQLAlchemy, which knows no PostGIS
def test_a_migrated_ledger_has_the_tables_of_a_new_one(first, request, tmp_path):
    url = request.getfixturevalue("postgres").fresh() if isinstance(first, str) else None
    old, new = Ledger.open(first), Ledger.open(url or tmp_path / "new.sqlite", create=True)
    assert tables(old) == tables(new)
    old.close()
    new.close()


def tables(ledger):
    """What the database says of each table: columns, keys and indexes."""
    seen = inspect(ledger.engine)
    return {
        name: [
            [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted((i["name"] or "", tuple(i["column_names"]), bool(i["unique"])) for i in seen.get_indexes(name)),
            sorted(tuple(u["column_names"]) for u in seen.get_unique_constraints(name)),
            sorted((tuple(k["constrained_columns"]), k["referred_table"]) for k in seen.get_foreign_keys(name)),
        ]
        for name in ("events", "crs", "answers", "shapes", "people", "leases")
    }


# ---------------------------------------------------------------------- files
@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "ledger.sqlite"
    first_schema.make(path)
    return path


def test_the_older_file_is_kept_beside(file):
    Ledger.open(file)
    kept = file.with_name("ledger.sqlite.v1.bak")
    assert sorted(p.name for p in file.parent.iterdir()) == [file.name, kept.name]
    with sqlite3.connect(kept) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert [row[0] for row in connection.execute("SELECT digest FROM events ORDER BY seq")] == first_schema.LINKS
    connection.close()
    kept.rename(file)
    assert Ledger.open(file).check() == []  # it is a ledger of schema 1, which is migrated again


@pytest.mark.parametrize("when", ["no room", "cut"])
def test_without_room_for_a_copy_the_ledger_stays_as_it_was(file, monkeypatch, when):
    before = dump(file)

    def full(*_):
        raise SourceError("the disk is full", hint="free some space")

    monkeypatch.setattr(*((sqlite, "require_space", full) if when == "no room" else (files, "_sync", full)))
    with pytest.raises(StoreError, match="not migrated") as raised:
        Ledger.open(file)
    assert "free some space" in raised.value.hint
    assert dump(file) == before
    assert not file.with_name("ledger.sqlite.v1.bak").exists()


def test_a_migration_that_fails_midway_leaves_the_first_schema(file, monkeypatch):
    before = dump(file)

    def fails(_):
        raise RuntimeError("power")

    monkeypatch.setattr(sqlite, "make_places", fails)  # the last thing that the script does
    with pytest.raises(RuntimeError):
        Ledger.open(file)
    assert dump(file) == before
    monkeypatch.undo()
    assert Ledger.open(file).check() == []


def test_a_second_file_is_kept_beside_and_left_as_it_was_where_the_third_script_fails(tmp_path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    second_schema.make(path)
    before = dump(path)
    make = Operations.create_index

    def fails(*given, **more):
        make(*given, **more)
        raise RuntimeError("power")

    monkeypatch.setattr(Operations, "create_index", fails)
    with pytest.raises(RuntimeError):
        Ledger.open(path)
    assert dump(path) == before
    monkeypatch.undo()
    assert Ledger.open(path).check() == []
    assert dump(path.with_name("ledger.sqlite.v2.bak")) == before


def dump(path):
    connection = sqlite3.connect(path)
    lines = [*connection.iterdump(), connection.execute("PRAGMA user_version").fetchone()]
    connection.close()
    return lines


def test_two_who_open_it_at_once_migrate_it_once(file):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(versions, [file, file]) == [VERSION, VERSION]
    assert Ledger.open(file).check() == []


def versions(path):
    with Ledger.open(path).backend.reading() as connection:
        return connection.exec_driver_sql("PRAGMA user_version").scalar_one()
