"""Who was shown the same proposal leans the same way; how far is measured where it was withheld."""

import numpy as np
import pytest

from geolabel.quality.consensus.agree import agree
from geolabel.quality.consensus.anchoring import LEAST, anchoring, likenesses, measured_rho, withheld
from geolabel.quality.consensus.fuse import METHODS
from geolabel.quality.consensus.independence import RHO
from geolabel.shapes import rasterise
from labels import answer, tasks_of, utm_grid

GRID = utm_grid(64, 64)
(TASK,) = tasks_of(GRID)
RULE, SHOWN = "rule:burned@1", ("swir22", "proposal:rule:burned@1")
LEFT, RIGHT = np.indices(GRID.shape)[1] < 20, np.indices(GRID.shape)[1] >= 44


def one(answers, **more):
    return agree([TASK], GRID, answers, gold={}, classes=("burned",), **more)[TASK.id]


def test_two_who_were_shown_one_proposal_do_not_outvote_one_who_was_not():
    led = [answer(TASK, GRID, LEFT, by=f"person:{n}", shown=SHOWN) for n in "ab"]
    alone = answer(TASK, GRID, RIGHT, by="person:c")
    got = one([*led, alone, answer(TASK, GRID, LEFT, by=RULE)])
    weight = 1 / (1 + RHO)
    assert got.weights == {"person:a": weight, "person:b": weight, "person:c": 1.0, RULE: 0.0}
    assert got.probability[0, 0, 0] == pytest.approx(2 * weight / (2 * weight + 1))
    assert set(one([*led, answer(TASK, GRID, LEFT, by=RULE)]).shapes["n_votes"]) == {1}
    assert set(one([answer(TASK, GRID, LEFT, by=f"person:{n}") for n in "ab"]).shapes["n_votes"]) == {2}


def test_edits_of_agreed_labels_lean_on_them_and_one_alone_does_not():
    edits = [answer(TASK, GRID, LEFT, by=f"person:{n}", shown=("consensus",)) for n in "ab"]
    assert set(one(edits).weights.values()) == {1 / (1 + RHO)}
    lone = [answer(TASK, GRID, LEFT, by="person:a", shown=SHOWN), answer(TASK, GRID, LEFT, by="person:b")]
    assert set(one(lone).weights.values()) == {1.0}


@pytest.mark.parametrize("method", ["majority", "dawid-skene"])
def test_bands_that_were_shown_change_nothing(method):
    answers = [answer(TASK, GRID, mask, by=f"person:{n}") for n, mask in enumerate((LEFT, LEFT, RIGHT))]
    seen = [answer(TASK, GRID, mask, by=f"person:{n}", shown=("b4",)) for n, mask in enumerate((LEFT, LEFT, RIGHT))]
    assert (one(answers, method=method).probability == one(seen, method=method).probability).all()


def test_all_methods_that_need_no_gold_know_of_it():
    """Three who follow a proposal against two who saw none: counted as one and a half, they lose."""
    led = [answer(TASK, GRID, LEFT, by=f"person:{n}", shown=SHOWN) for n in "abc"]
    free = [answer(TASK, GRID, LEFT & False, by=f"person:{n}") for n in "de"]
    assert rasterise(one([*led, *free], method="majority").shapes, GRID).sum() == 0
    assert "medoid" in METHODS
    assert rasterise(one([*led], method="medoid").shapes, GRID).sum() == LEFT.sum()


# ---------------------------------------------------------------------- anchoring
def walked(pull, tasks, shown, seed=0):
    """(answers, proposals): a person whose outline goes `pull` of the way from their own to the proposal's where shown."""
    generator = np.random.default_rng(seed)
    columns, given, proposed = np.indices((16, 16))[1], [], []
    for task, was_shown in zip(tasks, shown, strict=True):
        own, rule = generator.integers(4, 8), 12
        edge = round(own + pull * (rule - own)) if was_shown else own
        given.append(answer(task, BIG, columns < edge, by="person:a", shown=SHOWN if was_shown else ()))
        proposed.append(answer(task, BIG, columns < rule, by=RULE))
    return given, proposed


BIG = utm_grid(16 * 6, 16 * 6)
TASKS = tasks_of(BIG, 16)
HALF = [n % 2 == 0 for n in range(len(TASKS))]


def test_who_follows_the_proposal_is_seen_to():
    (row,) = anchoring(TASKS, BIG, *walked(0.8, TASKS, HALF)).itertuples()
    assert (row.annotator, row.proposal, row.n_shown, row.n_withheld) == ("person:a", f"proposal:{RULE}", 18, 18)
    assert row.low > 0.2
    assert row.low <= row.difference <= row.high
    (row,) = anchoring(TASKS, BIG, *walked(0.0, TASKS, HALF)).itertuples()
    assert row.low < 0 < row.high


def test_rho_is_what_showing_did_and_needs_enough_that_was_withheld():
    for pull, low, high in ((0.0, 0.0, 0.15), (1.0, 1.0, 1.0)):
        given, proposed = walked(pull, TASKS, HALF)
        (rho,) = measured_rho(likenesses(TASKS, BIG, given, proposed)).values()
        assert low <= rho <= high
    few = [n >= LEAST - 1 for n in range(len(TASKS))]
    given, proposed = walked(1.0, TASKS, few)
    assert measured_rho(likenesses(TASKS, BIG, given, proposed)) == {}


def test_measured_rho_weighs_in_the_consensus():
    given, proposed = walked(1.0, TASKS, HALF)
    second = [answer(t, BIG, np.indices((16, 16))[1] < 12, by="person:b", shown=SHOWN) for t in TASKS[:1]]
    got = agree(TASKS, BIG, [*given, *proposed, *second], gold={}, classes=("burned",))[TASKS[0].id]
    assert got.weights["person:a"] == got.weights["person:b"] == pytest.approx(0.5)


def test_a_random_tenth_is_withheld_and_the_same_tenth_again():
    drawn = np.array([[withheld(f"t{n}", f"person:{who}", 7) for n in range(2000)] for who in "ab"])
    assert (abs(drawn.mean(1) - 0.1) < 0.03).all()
    assert 0 < (drawn[0] & drawn[1]).mean() < 0.03  # independently for each person
    assert withheld("t1", "person:a", 7) == withheld("t1", "person:a", 7)
    assert any(withheld(f"t{n}", "person:a", 8) != drawn[0, n] for n in range(2000))
