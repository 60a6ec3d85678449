"""Ways to fuse, each against what is known of it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from geolabel.errors import QualityError
from geolabel.quality.consensus.agree import agree
from geolabel.quality.consensus.choose import lower_bound
from geolabel.quality.consensus.stack import regress
from geolabel.quality.simulate import Habit, annotate
from geolabel.shapes import rasterise
from labels import NOW, answer, scar, tasks_of, team, utm_grid

GRID = utm_grid(64, 64)
(TASK,) = tasks_of(GRID)


def mask(top, left, bottom, right):
    out = np.zeros(GRID.shape, bool)
    out[top:bottom, left:right] = True
    return out


def one(answers, **more):
    return agree([TASK], GRID, answers, **{"gold": {}, "classes": ("burned",), **more})[TASK.id]


def test_the_medoid_is_a_drawing_of_somebody_on_each_patch():
    left = [mask(5, 5, 30, 20), mask(5, 5, 30, 22), mask(5, 5, 30, 30)]
    right = [mask(40, 40, 50, 60), mask(40, 44, 50, 60), mask(40, 45, 50, 60)]
    got = one(
        [answer(TASK, GRID, a | b, by=f"person:{n}") for n, (a, b) in enumerate(zip(left, right, strict=True))],
        method="medoid",
    )
    assert (rasterise(got.shapes, GRID).astype(bool) == (left[1] | right[1])).all()


def test_the_regression_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    rows = np.c_[np.ones(400), generator.normal(size=(400, 3))]
    truth = (generator.random(400) < 1 / (1 + np.exp(-rows @ [0.3, 2, -1, 0]))).astype(float)
    weight = generator.random(400) + 0.5
    own = regress(rows, truth, weight, np.full(4, 0.7))
    peer = LogisticRegression(C=1 / 0.7, fit_intercept=False, tol=1e-10, max_iter=1000).fit(rows, truth, weight)
    assert own == pytest.approx(peer.coef_[0], abs=1e-4)


def test_who_has_no_gold_counts_like_the_mean_annotator():
    """A spammer is found out on gold; a newcomer who has none is neither ignored nor followed blindly."""
    grid, truth = utm_grid(128, 128), scar(128, 3)
    tasks = tasks_of(grid, 32)
    inner = [t for t in tasks if truth[t.tile.slices].any()]
    gold = {t.id: truth[t.tile.slices] for t in inner[:4]}
    new = [a for a in annotate(truth, grid, tasks, habit="expert", n=9, at=NOW) if a.task_id not in gold]
    answers = [*team(truth, grid, tasks, ["expert", "over", "spammer"]), *new]
    got = agree(tasks, grid, answers, gold=gold, classes=("burned",), method="stack")
    weights = got[inner[-1].id].weights
    assert weights["sim:spammer-1"] < weights["sim:expert-9"] < weights["sim:expert-1"]


def test_gold_that_is_partly_unknown_counts_where_it_is_known():
    """Where the truth is -1 nothing is learned: nonsense there changes nothing."""
    grid, truth = utm_grid(128, 128), scar(128, 3)
    tasks = tasks_of(grid, 64)
    answers = team(truth, grid, tasks, ["expert", "over", "under"])
    gold = {t.id: truth[t.tile.slices].astype(int) for t in tasks[:3]}
    for one in gold.values():
        one[:20] = -1
    for method in (None, "stack", "dawid-skene-gold"):
        got = agree(tasks, grid, answers, gold=gold, classes=("burned",), method=method)
        assert np.isfinite(got[tasks[3].id].probability).all()
        assert got[tasks[0].id].evidence["burned"]["majority"]["n_gold"] == 3


def test_each_class_has_its_own_choice():
    """Water is drawn too wide by all and gold says so; grass is drawn rightly."""
    grid = utm_grid(128, 128)
    tasks = tasks_of(grid, 32)
    water = scar(128, 3)
    grass = np.zeros_like(water)
    grass[:12] = ~water[:12]
    habits = [Habit(f"wide{n}", 3.0, 0.5, 6.0, 0.0, 1.0, 0.0) for n in range(3)]
    answers = []
    for habit in habits:
        drawn = annotate(water, grid, tasks, habit=habit, at=NOW, label="water")
        for task, own in zip(tasks, drawn, strict=True):
            said = rasterise(own.shapes, grid.crop(task.tile)) > 0 if len(own.shapes) else np.zeros((32, 32), bool)
            other = answer(task, grid, grass[task.tile.slices] & ~said, by=own.annotator, label="grass")
            both = [f for f in (own.shapes, other.shapes) if len(f)]
            merged = pd.concat(both, ignore_index=True) if both else own.shapes
            answers.append(type(own)(task.id, own.annotator, "labeled" if both else "empty", merged, own.ignore, NOW))
    codes = np.where(water, 1, np.where(grass, 2, 0))
    gold = {t.id: codes[t.tile.slices] for t in tasks[:10]}
    got = agree(tasks, grid, answers, gold=gold, classes=("water", "grass"))[tasks[-1].id]
    evidence = got.evidence
    assert set(evidence) == {"grass", "water"}
    assert lower_bound(evidence["water"]["stack"]) > 0.01
    assert "stack" in got.method
    assert got.probability.sum(0).max() <= 1 + 1e-6


# ---------------------------------------------------------------------- bad input
def test_nothing_or_nobody_has_a_defined_result():
    assert agree([TASK], GRID, [], gold={}, classes=("burned",)) == {}
    assert agree([], GRID, [], gold={}, classes=("burned",)) == {}
    for method in ("majority", "medoid", "dawid-skene"):
        nothing = one([answer(TASK, GRID, mask(0, 0, 0, 0), by=f"person:{n}") for n in "abc"], method=method)
        assert len(nothing.shapes) == 0
        assert nothing.agreement == 1
        assert nothing.status == "agreed"
        apart = one([answer(TASK, GRID, mask(k, 0, k + 9, 9), by=f"person:{k}") for k in (0, 20, 40)], method=method)
        assert apart.status == "disputed"
        assert np.isfinite(apart.probability).all()


def test_what_cannot_be_is_told():
    two = [answer(TASK, GRID, mask(0, 0, 9, 9), by=f"person:{n}") for n in "ab"]
    with pytest.raises(QualityError, match="'stack' learns from gold") as told:
        one(two, method="stack")
    assert "medoid" in told.value.hint
    with pytest.raises(QualityError, match="holds 0 to 3 for 1 classes"):
        one(two, gold={TASK.id: mask(0, 0, 9, 9) * 3})
