"""What the evidence on teams rests on: its votes are those of real answers, and gold that contradicts itself is told."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import teams
from geolabel.errors import QualityError
from geolabel.quality.consensus.votes import collect
from geolabel.quality.simulate import HABITS, OTHERS, draw
from geolabel.steps.consensus import ConsensusOptions, agree, truth_codes
from labels import answer, scar, tasks_of, utm_grid

GRID = utm_grid(64, 64)
(TASK,) = tasks_of(GRID)


def test_votes_from_masks_are_those_of_answers():
    view, task = teams.grid(), teams.tasks()[1]
    truth = teams.truth_of(3, 1)
    team = teams.MIXED["all five + spammer"]
    masks = {one: teams.drawn(truth, one, 3, 1) for one in team}
    answers = [answer(task, view, mask, by=f"sim:{habit}-{n}") for (habit, n), mask in masks.items()]
    short, real = teams.votes_of(task, masks, team), collect(task, view, answers, ["burned"])
    assert short.annotators == real.annotators
    assert (short.codes == real.codes).all()
    assert (short.independence, short.grid, short.classes) == (real.independence, real.grid, real.classes)


def test_a_spammer_knows_nothing_and_who_misses_islands_fills_them():
    truth = scar(256, 1)
    overlap = [
        (draw(truth, OTHERS["spammer"], np.random.default_rng(seed)) & truth).sum() / truth.sum() for seed in range(8)
    ]
    assert np.mean(overlap) == pytest.approx(0.2, abs=0.12)
    missing = draw(truth, OTHERS["misses"], np.random.default_rng(0))
    expert = draw(truth, HABITS["expert"], np.random.default_rng(0))
    assert missing.sum() > expert.sum()


# ---------------------------------------------------------------------- gold as the step reads it
def test_gold_that_contradicts_itself_is_told():
    task = replace(TASK, purpose="gold")
    left, right = np.indices((64, 64))[1] < 20, np.indices((64, 64))[1] >= 44
    people = [answer(task, GRID, left, by=f"person:{n}") for n in "ab"]
    one, other = (answer(task, GRID, mask, by=by) for mask, by in ((left, "person:x"), (right, "person:y")))
    experts = ("person:x", "person:y")
    with pytest.raises(QualityError, match="contradicts itself") as told:
        agree([task], GRID, [*people, one, other], ConsensusOptions(), experts=experts)
    assert "person:x" in told.value.message
    same = answer(task, GRID, left, by="person:y")
    got = agree([task], GRID, [*people, one, same], ConsensusOptions(), experts=experts)[task.id]
    assert set(got.weights) == {"person:a", "person:b"}


def test_standing_gold_is_no_vote():
    left = np.indices((64, 64))[1] < 20
    people = [answer(TASK, GRID, left, by=f"person:{n}") for n in "ab"]
    truth = answer(TASK, GRID, ~left, by="person:c")
    got = agree([TASK], GRID, [*people, truth], ConsensusOptions(), gold={TASK.id: truth})[TASK.id]
    assert set(got.weights) == {"person:a", "person:b"}


def test_truth_has_all_classes_and_unknown_ground():
    water = np.indices((64, 64))[1] < 20
    cloud = np.indices((64, 64))[0] < 5
    said = answer(TASK, GRID, water, by="person:x", label="water", ignore=cloud)
    codes = truth_codes(said, GRID, TASK, ("forest", "water"))
    assert (codes == np.where(cloud, -1, np.where(water, 2, 0))).all()
