import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import event

from geolabel.errors import StoreError
from geolabel.nouns.answer import Answer
from geolabel.store.ledger import Ledger
from geolabel.store.schema import VERSION
from geolabel.tables import IGNORE, SHAPES, empty
from labels import NOW, answer, box_shapes, scar, tasks_of, team, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID)
MASK = scar()[:64, :64]


@pytest.fixture
def file(tmp_path):
    """A ledger in a file, for what only files do."""
    return Ledger.open(tmp_path / "ledger.sqlite", create=True)


def test_answers_come_back_exactly(ledger):
    shapes = box_shapes([(500_000.1, 4_199_000, 500_300, 4_199_900 + 1 / 3), (500_400, 4_199_000, 500_500, 4_199_100)])
    shapes = shapes.assign(
        severity=["low", None], severity_scheme=["key-benson-dnbr", None], confidence=[1.0, 0.1 + 0.2]
    )
    clouds = MASK & (np.arange(64) > 40)
    given = [
        Answer(
            TASKS[0].id,
            "person:zoë",
            "labeled",
            shapes,
            empty(IGNORE, "EPSG:32610"),
            NOW,
            12,
            ("swir22", "rule:burned@1"),
        ),
        answer(TASKS[0], GRID, MASK, ignore=clouds, at=NOW + timedelta(microseconds=1), active_s=3.25),
        answer(TASKS[0], GRID, MASK & False),
        answer(TASKS[1], GRID, MASK & False, outcome="unsure", ignore=clouds | True),
        *team(scar(), GRID, TASKS, ["over", "careless"]),
    ]
    ledger.append_answers(given, actor="test")
    back = ledger.answers()
    assert [a.digest for a in back] == [a.digest for a in given]
    for one, other in zip(given, back, strict=True):
        assert (one.at, one.active_s, one.shown, one.uuid) == (other.at, other.active_s, other.shown, other.uuid)
        assert [g.wkb for g in one.shapes.geometry] == [g.wkb for g in other.shapes.geometry]
        assert str(one.shapes.crs) == str(other.shapes.crs)
        assert list(one.ignore["reason"]) == list(other.ignore["reason"])
    assert [a.uuid for a in ledger.answers(TASKS[0].id, "person:zoë")] == [given[0].uuid]
    assert ledger.check() == []


def test_whole_numbers_keep_their_digest(ledger):
    """A column of integers is a column of floats to a database; the answer is still the same."""
    shapes = box_shapes([(500_000, 4_199_000, 500_300, 4_199_900)]).assign(confidence=1, masked_share=0)
    one = Answer(TASKS[0].id, "person:a", "labeled", shapes, empty(IGNORE, "EPSG:32610"), NOW, active_s=60)
    ledger.append_answers([one], actor="person:a")
    assert ledger.answers()[0].digest == one.digest


def test_a_correction_supersedes_and_both_stay(ledger):
    first = answer(TASKS[0], GRID, MASK)
    second = answer(TASKS[0], GRID, ~MASK, supersedes=first.uuid)
    ledger.append_answers([first], actor="person:ann")
    ledger.append_answers([second], actor="person:ann")
    assert [a.uuid for a in ledger.answers()] == [second.uuid]
    assert [a.uuid for a in ledger.answers(current=False)] == [first.uuid, second.uuid]
    assert [e.kind for e in ledger.events(stream=TASKS[0].id)] == ["answer", "supersede"]
    assert ledger.events(stream=TASKS[0].id)[1].prev == ledger.events(stream=TASKS[0].id)[0].digest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda old: {"supersedes": "nobody"}, "not in the ledger"),
        (lambda old: {"supersedes": old.uuid, "task_id": TASKS[1].id}, "belongs to task"),
        (lambda old: {"uuid": old.uuid}, "already in the ledger"),
    ],
)
def test_an_impossible_correction_is_refused_and_nothing_written(ledger, change, says):
    old, other = answer(TASKS[0], GRID, MASK), answer(TASKS[0], GRID, MASK)
    ledger.append_answers([old], actor="a")
    with pytest.raises(StoreError, match=says):
        ledger.append_answers([answer(TASKS[2], GRID, MASK), replace(other, **change(old))], actor="a")
    assert len(ledger.events()) == 1
    assert len(ledger.answers(current=False)) == 1


def test_an_answer_is_corrected_once(ledger):
    old = answer(TASKS[0], GRID, MASK)
    ledger.append_answers([old, answer(TASKS[0], GRID, MASK, supersedes=old.uuid)], actor="a")
    with pytest.raises(StoreError, match="corrected before"):
        ledger.append_answers([answer(TASKS[0], GRID, MASK, supersedes=old.uuid)], actor="a")


TAMPERINGS = {
    "payload": ("UPDATE events SET payload = replace(payload, '2', '3') WHERE seq = 2", "event 2"),
    "no JSON": ("UPDATE events SET payload = 'x' WHERE seq = 4", "event 4"),
    "actor": ("UPDATE events SET actor = 'somebody' WHERE seq = 3", "event 3"),
    "removed": ("DELETE FROM events WHERE seq = 2", "events 2 to 2 are missing"),
    "swapped": ("UPDATE events SET stream = 'other' WHERE seq = 2", "stream 'other'"),
    "outcome": ("UPDATE answers SET outcome = 'empty' WHERE id = 1", "answers or shapes of event 4"),
    "class": ("UPDATE shapes SET class = 'water' WHERE answer = 2", "answers or shapes of event 4"),
    "geometry": (
        "UPDATE shapes SET geometry = (SELECT geometry FROM shapes WHERE answer = 1) WHERE answer = 2",
        "event 4",
    ),
    "answer lost": ("DELETE FROM shapes WHERE answer = 5; DELETE FROM answers WHERE id = 5", "event 5"),
    "crs": ("UPDATE crs SET text = 'EPSG:4326'", "event 4"),
    "ontology": ("UPDATE answers SET ontology = 'wildfire@9' WHERE id = 1", "event 4"),
    "time": ("UPDATE shapes SET since = 0 WHERE answer = 1", "event 4"),
    "box": ("UPDATE shapes SET west = 0 WHERE answer = 1", "event 4"),
    "moved": ("UPDATE answers SET event = 4 WHERE id = 5", "event 4"),
    "orphans": ("UPDATE events SET kind = 'product' WHERE seq = 5", "belong to event 5, which is no event of answers"),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_check_names_what_was_tampered_with(ledger, tamper, how):
    for n in range(1, 4):
        ledger.append("product", actor="a", payload={"name": "p", "n": n})
    ledger.append_answers([answer(t, GRID, MASK & (np.arange(64) < 60 - n)) for n, t in enumerate(TASKS)], actor="a")
    ledger.append_answers([answer(TASKS[0], GRID, ~MASK)], actor="a")
    assert ledger.check() == []
    sql, says = TAMPERINGS[how]
    tamper(ledger, sql)
    faults = ledger.check()
    assert any(says in fault for fault in faults), faults


def test_products_are_found_again(ledger):
    for n in range(3):
        ledger.append(
            "product", actor="a", payload={"name": "model" if n else "samples", "digest": f"d{n}", "inputs": "i"}
        )
    assert [p["digest"] for p in ledger.products("model")] == ["d1", "d2"]
    assert "product" in ledger._repr_html_()


def test_shapes_are_found_by_place(ledger):
    pacific = box_shapes([(780_000, 8_100_000, 860_000, 8_180_000)], crs="EPSG:32760")  # across the antimeridian
    here = answer(TASKS[0], GRID, MASK)
    there = Answer(TASKS[1].id, "person:b", "labeled", pacific, empty(IGNORE, "EPSG:32760"), NOW)
    ledger.append_answers([here, there, answer(TASKS[2], GRID, MASK & False)], actor="a")
    found = {name: [a.uuid for a in ledger.answers(bounds=b)] for name, b in {
        "california": (-123.5, 37, -122, 38.5),
        "nothing": (0, 0, 10, 10),
        "east of it": (179.0, -18, 180, -16),
        "west of it": (-180, -18, -179.9, -16),
        "across": (179.9, -18, -179.9, -16),
        "away": (-170, -18, -100, -16),
    }.items()}  # fmt: skip
    assert found["california"] == [here.uuid]
    assert found["nothing"] == found["away"] == []
    assert found["east of it"] == found["west of it"] == found["across"] == [there.uuid]


@pytest.mark.parametrize("kind", ["produkt", "answer"])
def test_kinds_are_known(ledger, kind):
    with pytest.raises(StoreError) as raised:
        ledger.append(kind, actor="a", payload={})
    assert raised.value.hint


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": object()}])
def test_payloads_are_json(ledger, payload):
    with pytest.raises(StoreError, match="JSON"):
        ledger.append("product", actor="a", payload=payload)
    assert ledger.events() == []


def test_what_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "text").write_text("not a database, though long enough to be looked at" * 100)
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    (tmp_path / "empty").touch()
    for name in ("missing", "text", "other", "empty"):
        with pytest.raises(StoreError) as raised:
            Ledger.open(tmp_path / name)
        assert raised.value.hint, name
    with pytest.raises(StoreError, match="not a geolabel ledger"):
        Ledger.open(tmp_path / "other", create=True)
    with pytest.raises(StoreError, match="no folder"):
        Ledger.open(tmp_path / "no" / "ledger.sqlite", create=True)


@pytest.mark.parametrize(("version", "says"), [(VERSION + 1, "update geolabel"), (0, "older")])
def test_another_version_is_refused(ledger, where, tamper, version, says):
    on_file, in_base = f"PRAGMA user_version={version}", f"UPDATE alembic_version SET version_num={version}"
    tamper(ledger, in_base if isinstance(where, str) else on_file)
    with pytest.raises(StoreError, match="schema version") as raised:
        Ledger.open(where)
    assert says in raised.value.hint


def test_create_opens_what_is_there(file):
    file.append("view", actor="a", payload={"id": "v"})
    assert len(Ledger.open(file.path, create=True).events()) == 1


def test_a_full_disk_leaves_nothing_half_written(file):
    file.append("view", actor="a", payload={"id": "v"})

    @event.listens_for(file.engine, "connect")
    def fill(connection, _):
        connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0] + 2}")

    with pytest.raises(StoreError, match="full") as raised:
        file.append_answers(team(scar(), GRID, TASKS, ["expert", "over", "under"]), actor="a")
    assert "free some space" in raised.value.hint
    event.remove(file.engine, "connect", fill)
    assert [e.kind for e in file.events()] == ["view"]
    assert file.answers(current=False) == []
    assert file.check() == []


def test_a_writer_that_waits_too_long_is_told(file):
    blocker = sqlite3.connect(file.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    impatient = Ledger.open(file.path, timeout_s=0.05)
    with pytest.raises(StoreError, match="locked") as raised:
        impatient.append("view", actor="a", payload={})
    assert "wait" in raised.value.hint
    assert impatient.events() == []  # readers do not wait
    blocker.close()


def test_many_writers_queue(ledger):
    def write(n):
        return [ledger.append("product", stream=f"s{n % 2}", actor=f"w{n}", payload={"n": n, "i": i}) for i in range(8)]

    with ThreadPoolExecutor(6) as pool:
        links = [link for found in pool.map(write, range(6)) for link in found]
    assert sorted(e.digest for e in ledger.events()) == sorted(links)
    assert ledger.check() == []


def test_an_empty_table_keeps_its_columns(ledger):
    ledger.append_answers([answer(TASKS[0], GRID, MASK & False)], actor="a")
    back = ledger.answers()[0]
    assert list(back.shapes.columns) == list(SHAPES)
    assert back.outcome == "empty"


def test_nothing_to_append_is_an_error(ledger):
    with pytest.raises(StoreError, match="no answers"):
        ledger.append_answers([], actor="a")
