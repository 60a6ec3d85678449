from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from geolabel.errors import QualityError
from geolabel.nouns.answer import Answer
from geolabel.quality.consensus.agree import agree
from geolabel.quality.consensus.fuse import METHODS
from geolabel.quality.scores import iou
from geolabel.quality.simulate import HABITS, Habit, annotate
from geolabel.shapes import rasterise
from geolabel.tables import IGNORE, empty
from labels import NOW, answer, scar, shapes_of, tasks_of, team, utm_grid

GRID = utm_grid(64, 64)
(TASK,) = tasks_of(GRID)
BURN = ("burned",)


def mask(top, left, bottom, right):
    out = np.zeros(GRID.shape, bool)
    out[top:bottom, left:right] = True
    return out


def one(answers, classes=BURN, **more):
    return agree([TASK], GRID, answers, gold={}, classes=classes, **more)[TASK.id]


# ---------------------------------------------------------------------- who is heard
def test_the_majority_wins_and_a_tie_is_nothing():
    a, b, c = mask(0, 0, 32, 32), mask(0, 16, 32, 48), mask(0, 16, 16, 48)
    three = one([answer(TASK, GRID, m, by=f"person:{n}") for n, m in enumerate((a, b, c))])
    assert ((three.probability[0] > 0.5) == (a.astype(int) + b + c >= 2)).all()
    assert three.probability[0, 0, 20] == 1
    two = one([answer(TASK, GRID, m, by=f"person:{n}") for n, m in enumerate((a, b))])
    assert (rasterise(two.shapes, GRID).astype(bool) == (a & b)).all()
    assert two.shapes["n_votes"].tolist() == [2]
    assert two.method == "majority"


def test_empty_is_a_vote_and_unsure_is_none():
    drawn = answer(TASK, GRID, mask(0, 0, 32, 32), by="person:a")
    nothing = [answer(TASK, GRID, mask(0, 0, 0, 0), by=f"person:{n}") for n in "bc"]
    unsure = [answer(TASK, GRID, mask(0, 0, 0, 0), by=f"person:{n}", outcome="unsure") for n in "de"]
    assert len(one([drawn, *nothing]).shapes) == 0
    assert one([drawn, *unsure]).n_annotators == 1
    assert len(one([drawn, *unsure]).shapes) == 1


def test_nobody_sure_is_disputed_and_all_ignored():
    got = one([answer(TASK, GRID, mask(0, 0, 0, 0), outcome="unsure")])
    assert got.status == "disputed"
    assert np.isnan(got.probability).all()
    assert rasterise(got.ignore, GRID).all()
    assert got.ignore["reason"].tolist() == ["unsure"]
    skipped = answer(TASK, GRID, mask(0, 0, 0, 0), outcome="skipped")
    assert agree([TASK], GRID, [skipped], gold={}, classes=BURN) == {}


def test_ignored_ground_is_masked_for_its_annotator_only():
    a, b = mask(0, 0, 64, 32), mask(0, 0, 64, 32)
    clouded = answer(TASK, GRID, a & ~mask(0, 0, 32, 64), by="person:a", ignore=mask(0, 0, 32, 64))
    both = one([clouded, answer(TASK, GRID, b, by="person:b")])
    assert (rasterise(both.shapes, GRID).astype(bool) == b).all()
    assert len(both.ignore) == 0
    alone = one([clouded])
    assert (np.isnan(alone.probability[0]) == mask(0, 0, 32, 64)).all()
    assert alone.ignore["reason"].tolist() == ["cloud"]


def test_rules_weigh_nothing_beside_people_and_are_recorded():
    a, b, rule = mask(0, 0, 32, 32), mask(0, 0, 32, 30), mask(32, 32, 64, 64)
    people = [answer(TASK, GRID, m, by=f"person:{n}") for n, m in zip("ab", (a, b), strict=True)]
    machines = [answer(TASK, GRID, rule, by=by) for by in ("rule:burned@1", "model:unet@1", "rule:burned@2")]
    got = one([*machines, *people])
    assert (rasterise(got.shapes, GRID).astype(bool) == (a & b)).all()
    assert got.weights["rule:burned@1"] == got.weights["model:unet@1"] == 0
    assert got.weights["person:a"] == 1
    only = one(machines)
    assert (rasterise(only.shapes, GRID).astype(bool) == rule).all()
    assert only.shapes["n_votes"].tolist() == [0]
    assert len(only.weights) == 3


def test_the_last_answer_of_an_annotator_counts():
    old = answer(TASK, GRID, mask(0, 0, 9, 9), by="person:a", at=NOW)
    new = answer(TASK, GRID, mask(9, 9, 30, 30), by="person:a", at=NOW + timedelta(hours=1))
    late = answer(TASK, GRID, mask(0, 0, 3, 3), by="person:a", at=NOW + timedelta(hours=2))
    corrected = answer(TASK, GRID, mask(5, 5, 6, 6), by="person:a", at=NOW, supersedes=late.uuid)
    assert rasterise(one([new, old]).shapes, GRID).sum() == 21 * 21
    assert rasterise(one([new, old, late, corrected]).shapes, GRID).sum() == 21 * 21


# ---------------------------------------------------------------------- one annotator
def test_one_annotators_map_of_terrain_is_the_consensus():
    parts = {"forest": mask(0, 0, 64, 30), "water": mask(0, 30, 20, 64), "grass": mask(20, 30, 64, 64)}
    shapes = pd.concat([shapes_of(m, GRID, label=name, prefix=name) for name, m in parts.items()], ignore_index=True)
    rule = Answer(TASK.id, "rule:terrain@1", "labeled", shapes, empty(IGNORE, shapes.crs), NOW)
    got = one([rule], classes=("water", "grass", "forest"))
    assert np.isnan(got.agreement)
    assert got.method == "single"
    assert set(got.shapes["label_id"]) == set(shapes["label_id"])
    for name, m in parts.items():
        assert (got.probability[got.classes.index(name)] == m).all()
    assert got.probability.sum(0) == pytest.approx(1)


def test_several_annotators_of_several_classes():
    a = answer(TASK, GRID, mask(0, 0, 64, 40), by="person:a", label="forest")
    b = answer(TASK, GRID, mask(0, 0, 64, 30), by="person:b", label="forest")
    c = answer(TASK, GRID, mask(0, 0, 64, 64), by="person:c", label="grass")
    got = one([a, b, c], classes=("forest", "grass"), method="majority")
    forest = got.shapes[got.shapes["class"] == "forest"]
    assert (rasterise(forest, GRID).astype(bool) == mask(0, 0, 64, 30)).all()
    shares = one([a, b, c], classes=("forest", "grass"), method="majority").probability
    assert shares[0, 0, 0] == pytest.approx(2 / 3)
    assert shares[1, 0, 63] == pytest.approx(1 / 3)


def test_em_learns_who_confuses_which_classes():
    """Two careful annotators and three who call half of the shrub grass: the majority follows the three."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.repeat(generator.integers(1, 4, (16, 16)), 4, 0), 4, 1)
    names = ("forest", "grass", "shrub")

    def said(wrong):
        codes = np.where((truth == 3) & (generator.random(truth.shape) < wrong), 2, truth)
        codes = np.where(generator.random(truth.shape) < 0.02, generator.integers(1, 4, truth.shape), codes)
        frames = [shapes_of(codes == k, GRID, label=name, prefix=name) for k, name in enumerate(names, 1)]
        return pd.concat(frames, ignore_index=True)

    answers = [
        Answer(TASK.id, f"person:{n}", "labeled", shapes, empty(IGNORE, shapes.crs), NOW)
        for n, shapes in enumerate(said(wrong) for wrong in (0.02, 0.02, 0.6, 0.6, 0.6))
    ]
    right = {
        method: (one(answers, classes=names, method=method).probability.argmax(0) + 1 == truth).mean()
        for method in ("majority", "dawid-skene")
    }
    assert right["dawid-skene"] > right["majority"] + 0.02
    assert right["dawid-skene"] > 0.98


# ---------------------------------------------------------------------- what comes out
def test_holes_are_kept_and_measured():
    ring = mask(10, 10, 50, 50) & ~mask(20, 20, 30, 30)
    got = one([answer(TASK, GRID, ring, by=f"person:{n}") for n in range(3)])
    (shape,) = got.shapes.geometry
    assert len(shape.interiors) == 1
    assert got.agreement == 1
    assert got.shapes["agreement"].tolist() == [1]
    assert got.shapes["boundary_sd_m"].tolist() == [0]
    assert got.status == "agreed"


def test_boundary_spread_is_in_metres():
    """Three straight fronts 2 pixels of 30 m apart: the standard deviation of (-2, 0, 2) is 2 pixels."""
    fronts = [answer(TASK, GRID, mask(0, 0, 64, col), by=f"person:{col}") for col in (30, 32, 34)]
    assert one(fronts).shapes["boundary_sd_m"].tolist() == pytest.approx([60.0])


def test_one_polygon_across_tiles_has_one_label_id():
    tasks = tasks_of(GRID, 32)
    answers = [answer(t, GRID, mask(20, 20, 44, 44)[t.tile.slices], by=f"person:{n}") for t in tasks for n in range(3)]
    got = agree(tasks, GRID, answers, gold={}, classes=BURN)
    assert {label for c in got.values() for label in c.shapes["label_id"]} == {"v/burned/20_20"}


def test_low_overlap_is_a_dispute():
    a, b = mask(0, 0, 20, 20), mask(0, 14, 20, 34)  # IoU 6 / 34
    assert one([answer(TASK, GRID, m, by=f"person:{n}") for n, m in enumerate((a, b))]).status == "disputed"
    near = mask(0, 2, 20, 22)  # IoU 18 / 22
    assert one([answer(TASK, GRID, m, by=f"person:{n}") for n, m in enumerate((a, near))]).status == "agreed"


def test_severity_is_the_one_with_most_pixels():
    answers = []
    for n, (low, high) in enumerate(((30, 34), (40, 24), (34, 30))):
        base = answer(TASK, GRID, mask(0, 0, low, 64), by=f"person:{n}")
        drawn = [
            shapes_of(mask(0, 0, low, 64), GRID, prefix="l", severity="low"),
            shapes_of(mask(low, 0, low + high, 64), GRID, prefix="h", severity="high"),
        ]
        answers.append(replace(base, shapes=pd.concat(drawn, ignore_index=True)))
    got = one(answers).shapes
    assert got["severity"].tolist() == ["low"]  # 104 rows of low against 88 of high
    assert got["severity_scheme"].tolist() == [None]


# ---------------------------------------------------------------------- on simulation, where the truth is known
@pytest.fixture(scope="module")
def simulated():
    grid, truth = utm_grid(256, 256), scar(256, 1)
    tasks = tasks_of(grid, 64)
    answers = team(truth, grid, tasks, ["expert", "over", "under", "coarse", "careless"], seed=2)
    mixed = [t for t in tasks if 0.1 < truth[t.tile.slices].mean() < 0.9]
    return grid, truth, tasks, answers, {t.id: truth[t.tile.slices] for t in mixed[::3]}


def score(simulated, **more):
    grid, truth, tasks, answers, gold = simulated
    got = agree(tasks, grid, answers, classes=BURN, **{"gold": gold, **more})
    found, open_ground = np.zeros(grid.shape, bool), np.ones(grid.shape, bool)
    for task in tasks:
        found[task.tile.slices] = got[task.id].probability[0] > 0.5
        open_ground[task.tile.slices] = task.id not in gold
    return iou(found[open_ground], truth[open_ground]), got


def test_the_team_is_better_than_its_members(simulated):
    grid, truth, tasks, answers, gold = simulated
    single = []
    for habit in HABITS:
        own = [a for a in answers if a.annotator.startswith(f"sim:{habit}")]
        single.append(score((grid, truth, tasks, own, gold))[0])
    assert score(simulated)[0] > np.mean(single) + 0.03


def test_what_was_learned_on_gold_is_better_than_the_majority(simulated):
    plain = score(simulated, method="majority")[0]
    assert score(simulated, method="stack")[0] > plain + 0.02
    assert score(simulated, method="dawid-skene-gold")[0] >= plain - 0.03


def test_the_method_is_chosen_on_gold_and_the_evidence_kept(simulated):
    chosen = score(simulated)[1]
    evidence = next(iter(chosen.values())).evidence
    assert all(one.evidence == evidence for one in chosen.values())
    assert set(evidence) == {"burned"}
    assert set(evidence["burned"]) == set(METHODS)
    (method,) = {c.method for c in chosen.values()}
    figures = evidence["burned"][method]
    assert figures["gain"] > 0.01
    assert figures["score"] == pytest.approx(figures["iou"] - abs(figures["area_bias"]), abs=1e-5)
    assert figures["gain"] == pytest.approx(figures["score"] - evidence["burned"]["majority"]["score"], abs=1e-5)
    without = score(simulated, gold={})[1]
    assert {c.method for c in without.values()} == {"majority"}
    assert all(not c.evidence for c in without.values())


def test_a_common_bias_is_undone():
    """All annotators draw 4 pixels outside: gold shows it, and it is taken off."""
    grid, truth = utm_grid(128, 128), scar(128, 3)
    tasks = tasks_of(grid, 32)
    habits = [Habit(f"wide{n}", 4.0, 1.0, 6.0, 0.0, 1.0, 0.0) for n in range(3)]
    answers = [a for h in habits for a in annotate(truth, grid, tasks, habit=h, at=NOW)]
    gold = {t.id: truth[t.tile.slices] for t in [*tasks[5:7], *tasks[9:11]]}
    case = grid, truth, tasks, answers, gold
    found, got = score(case)
    assert got[tasks[0].id].method in ("distance", "stack")
    plain = score(case, method="majority")[0]
    assert min(found, score(case, method="distance")[0]) > plain + 0.1


# ---------------------------------------------------------------------- bad input
def test_bad_input_is_told():
    drawn = answer(TASK, GRID, mask(0, 0, 9, 9), label="water")
    with pytest.raises(QualityError, match="water"):
        one([drawn])
    two = [answer(TASK, GRID, mask(0, 0, 9, 9), by=f"person:{n}") for n in "ab"]
    with pytest.raises(QualityError, match="no method 'mojority'") as raised:
        one(two, method="mojority")
    assert "majority" in raised.value.hint
    with pytest.raises(QualityError, match="no method 'distance'"):
        one(two, method="distance", classes=("burned", "water"))
    with pytest.raises(QualityError, match="another grid"):
        agree([TASK], utm_grid(65, 65), two, gold={}, classes=BURN)
    with pytest.raises(QualityError, match="gold of"):
        agree([TASK], GRID, two, gold={TASK.id: np.zeros((3, 3), bool)}, classes=BURN)
    with pytest.raises(QualityError, match="several kinds"):
        agree([TASK, *tasks_of(GRID, kind="terrain")], GRID, two, gold={}, classes=BURN)
