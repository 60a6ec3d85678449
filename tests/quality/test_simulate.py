from dataclasses import replace

import numpy as np
import pytest

from geolabel.errors import InputError
from geolabel.quality.scores import area_bias, iou
from geolabel.quality.simulate import HABITS, Habit, annotate, draw
from geolabel.shapes import rasterise
from labels import NOW, scar, tasks_of, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID, 32)
TRUTH = scar()
EXACT = Habit("exact", 0.0, 0.0, 5.0, 0.0, 1.0, 0.0)


def laid(answers, grid=GRID, tasks=TASKS):
    """(y, x) bool of all answers together."""
    whole = np.zeros(grid.shape, bool)
    for task, answer in zip(tasks, answers, strict=True):
        assert answer.task_id == task.id
        whole[task.tile.slices] = rasterise(answer.shapes, grid.crop(task.tile)) > 0
    return whole


def disc(radius, size=128):
    row, col = np.indices((size, size)) - size / 2
    return np.hypot(row, col) < radius


def test_who_makes_no_mistake_draws_the_truth():
    answers = annotate(TRUTH, GRID, TASKS, habit=EXACT, at=NOW)
    assert (laid(answers) == TRUTH).all()
    assert {a.outcome for a in answers} == {"labeled", "empty"}


@pytest.mark.parametrize("bias_px", [4, -4])
def test_bias_is_a_distance(bias_px):
    """A disc drawn b pixels outside of its outline is a disc of a radius b larger."""
    drawn = draw(disc(30), replace(EXACT, bias_px=bias_px), np.random.default_rng(0))
    radius = np.sqrt(drawn.sum() / np.pi)
    assert radius == pytest.approx(30 + bias_px, abs=0.5)


def test_islands_are_left_out_by_share():
    truth = disc(50)
    row, col = np.indices(truth.shape)
    truth &= ~((row % 12 < 3) & (col % 12 < 3) & disc(40))
    holes = (disc(50) & ~truth).sum()
    kept = [
        (disc(50) & ~draw(truth, replace(EXACT, islands=s), np.random.default_rng(1))).sum() for s in (0.0, 0.5, 1.0)
    ]
    assert kept[0] == 0
    assert kept[2] == holes
    assert 0.25 < kept[1] / holes < 0.75


def test_a_lazy_annotator_draws_ellipses():
    """A rectangle's ellipse of the same spread covers as much and leaves out the corners."""
    truth = np.zeros((128, 128), bool)
    truth[50:70, 30:90] = True
    drawn = draw(truth, replace(EXACT, lazy=1.0), np.random.default_rng(0))
    assert not drawn[50, 30]
    assert drawn[60, 60]
    assert drawn.sum() == pytest.approx(np.pi * 20 * 60 / 3, rel=0.05)  # semi-axes are edge / sqrt(3)


def test_the_habits_do_what_their_names_say():
    truth = scar(256)
    found = {name: [draw(truth, habit, np.random.default_rng(s)) for s in range(3)] for name, habit in HABITS.items()}
    bias = {name: np.mean([area_bias(m, truth) for m in masks]) for name, masks in found.items()}
    score = {name: np.mean([iou(m, truth) for m in masks]) for name, masks in found.items()}
    assert bias["over"] > 0.1
    assert bias["under"] < -0.1
    assert abs(bias["expert"]) < 0.05
    assert score["expert"] > 0.9
    assert max(score, key=score.get) == "expert"


def test_tiles_agree_at_their_borders():
    """One outline is drawn over the whole view: another tiling of the ground shows the same."""
    coarse = tasks_of(GRID, 64)
    fine = laid(annotate(TRUTH, GRID, TASKS, habit="careless", at=NOW))
    assert (fine == laid(annotate(TRUTH, GRID, coarse, habit="careless", at=NOW), tasks=coarse)).all()


def test_a_patch_across_tiles_has_one_label_id():
    answers = annotate(disc(40), GRID, TASKS, habit=EXACT, at=NOW)
    assert len({label for a in answers for label in a.shapes["label_id"]}) == 1
    assert all(a.shapes["label_id"].is_unique for a in answers)


def test_the_same_seed_gives_the_same_answers_in_any_order():
    one = annotate(TRUTH, GRID, TASKS, habit="over", seed=5, at=NOW)
    other = annotate(TRUTH, GRID, TASKS[::-1], habit="over", seed=5, at=NOW)[::-1]
    assert [a.digest for a in one] == [a.digest for a in other]
    assert len({a.uuid for a in one}) == len(one)
    again = annotate(TRUTH, GRID, TASKS, habit="over", seed=6, at=NOW)
    assert (laid(again) != laid(one)).any()
    assert (laid(annotate(TRUTH, GRID, TASKS, habit="over", n=2, seed=5, at=NOW)) != laid(one)).any()


def test_nothing_there_gives_empty_answers():
    answers = annotate(np.zeros(GRID.shape, bool), GRID, TASKS, habit="over", at=NOW)
    assert {a.outcome for a in answers} == {"empty"}
    assert all(a.active_s > 0 for a in answers)


def test_bad_input_is_told():
    with pytest.raises(InputError, match="habit 'expret'") as raised:
        annotate(TRUTH, GRID, TASKS, habit="expret", at=NOW)
    assert "expert" in raised.value.hint
    with pytest.raises(InputError, match="truth of"):
        annotate(TRUTH[:5], GRID, TASKS, habit="over", at=NOW)
    with pytest.raises(InputError, match="another grid"):
        annotate(TRUTH, GRID, tasks_of(utm_grid(32, 32)), habit="over", at=NOW)
