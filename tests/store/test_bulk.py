"""Many answers at once: drawn as they are written, digested whatever the pieces, whole or not at all."""

import os
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolabel.errors import StoreError
from geolabel.store import append
from geolabel.store.columns import shape_columns
from geolabel.store.ledger import Ledger
from geolabel.store.rowdigest import SHAPES, RowDigest
from labels import answer, scar, tasks_of, team, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID)
MASK = scar()[:64, :64]


@pytest.mark.parametrize("rows", [1, 7, 20_000])
def test_the_pieces_of_an_append_leave_no_trace(ledger, monkeypatch, rows):
    given = team(scar(), GRID, TASKS, ["over", "under", "expert"])
    monkeypatch.setattr(append, "ROWS", rows)
    ledger.append_answers(iter(given), actor="a")
    assert [one.digest for one in ledger.answers()] == [one.digest for one in given]
    (event,) = ledger.events()
    assert (event.payload["n"], event.payload["shapes"]) == (
        len(given),
        sum(len(a.shapes) + len(a.ignore) for a in given),
    )
    assert ledger.check() == []


def test_a_generator_that_fails_leaves_nothing(ledger, monkeypatch):
    monkeypatch.setattr(append, "ROWS", 1)

    def failing():
        yield answer(TASKS[0], GRID, MASK)
        raise RuntimeError("the rule broke")

    with pytest.raises(RuntimeError, match="the rule broke"):
        ledger.append_answers(failing(), actor="a")
    assert ledger.events() == ledger.answers() == []
    assert not len(ledger.shapes())
    ledger.append_answers([answer(TASKS[0], GRID, MASK)], actor="a")
    assert ledger.check() == []


@pytest.mark.parametrize("rows", [1, 20_000])
def test_corrections_are_looked_at_across_pieces(ledger, monkeypatch, rows):
    monkeypatch.setattr(append, "ROWS", rows)
    old = answer(TASKS[0], GRID, MASK)
    new, late = (answer(TASKS[0], GRID, ~MASK, supersedes=old.uuid) for _ in range(2))
    with pytest.raises(StoreError, match="not in the ledger"):
        ledger.append_answers([new, old], actor="a")
    with pytest.raises(StoreError, match="corrected before"):
        ledger.append_answers([old, new, late], actor="a")
    with pytest.raises(StoreError, match="already in the ledger"):
        ledger.append_answers([old, replace(old)], actor="a")
    assert ledger.events() == []
    ledger.append_answers([old, new], actor="a")
    assert [one.uuid for one in ledger.answers()] == [new.uuid]


def test_memory_goes_with_the_pieces_not_with_all_answers(tmp_path, monkeypatch):
    one = answer(TASKS[0], GRID, MASK)

    def peak(rows):
        monkeypatch.setattr(append, "ROWS", rows)
        ledger = Ledger.open(tmp_path / f"{rows}.sqlite", create=True)
        tracemalloc.start()
        ledger.append_answers((replace(one, uuid=str(n)) for n in range(600)), actor="a")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(49)  # what is imported and cached once
    assert peak(50) < peak(10**6) / 4


@given(cuts=st.sets(st.integers(1, 40)), seed=st.integers(0, 3))
def test_a_row_digest_does_not_depend_on_the_pieces(cuts, seed):
    drawn = list(team(scar(seed=seed), GRID, TASKS, ["over", "coarse"]))
    (whole,) = shape_columns(drawn, 10**6)
    whole = {**whole, "owner": whole["answer"]}
    count = len(whole["owner"])
    edges = [0, *sorted(cut for cut in cuts if cut < count), count]
    pieces, once = RowDigest(), RowDigest()
    once.add_shapes(whole)
    for first, last in pairwise(edges):
        pieces.add_shapes({name: values[first:last] for name, values in whole.items()})
    assert pieces.hex == once.hex


VALUES = {"reason": "cloud", "attributes": "{}", "position": 77, "start": 5, "confidence": 0.123, "geometry": b"xyz"}


@pytest.mark.parametrize("name", [*VALUES, *(f"{name} shifted" for name in ("label_id", "geometry"))])
def test_a_row_digest_sees_every_value(name):
    """Also a text that moves from one row into the next."""
    (columns,) = shape_columns([answer(TASKS[0], GRID, MASK)] * 2, 10**6)
    columns = {**columns, "owner": columns["answer"], "label_id": ["ab", "c", *columns["label_id"][2:]]}
    assert set(SHAPES) <= set(columns)
    changed = {key: list(values) for key, values in columns.items()}
    key, _, moved = name.partition(" ")
    if moved:
        first, second = changed[key][:2]
        changed[key][:2] = [first[:-1], first[-1:] + second]
    else:
        changed[key][0] = VALUES[key]
    digests = [RowDigest() for _ in range(2)]
    for running, values in zip(digests, (columns, changed), strict=True):
        running.add_shapes(values)
    assert digests[0].hex != digests[1].hex


def test_a_forked_process_uses_the_ledger_too(ledger):
    ledger.append("view", actor="parent", payload={})
    child = os.fork()
    if not child:
        try:
            ledger.append("view", actor="child", payload={"n": len(ledger.events())})
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    ledger.append("view", actor="parent", payload={})
    assert [event.actor for event in ledger.events()] == ["parent", "child", "parent"]
    assert ledger.check() == []


def test_progress_is_told_while_all_is_verified(ledger):
    ledger.append_answers(team(scar(), GRID, TASKS, ["over"]), actor="a")
    ledger.append_answers([answer(TASKS[0], GRID, np.zeros_like(MASK))], actor="a")
    told = []
    assert ledger.check(progress=lambda *step: told.append(step)) == []
    assert told == [("verifying events", 2, 2), ("verifying answers", 4, 5), ("verifying answers", 5, 5)]
