from dataclasses import replace

import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.people.marks import ALL, marks
from geolabel.quality.people.skill import Standard, outline_km, skill
from geolabel.quality.scores import boundary_iou, boundary_region, iou
from geolabel.quality.simulate import TRUTH, Habit, annotate
from geolabel.tables import SKILL, check
from labels import NOW, answer, scar, tasks_of, team, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID, 32)
WHOLE = scar()
BURN = ("burned",)
FIVE = ("expert", "over", "under", "coarse", "careless")
GOLD = {task.id: WHOLE[task.tile.slices] for task in TASKS[::2]}
(ONE,) = tasks_of(utm_grid(), 64)


def mask(*box, size=64):
    drawn = np.zeros((size, size), bool)
    top, left, bottom, right = box
    drawn[top:bottom, left:right] = True
    return drawn


def over_all(table):
    return table[table["class"] == "all"].set_index("annotator")


@pytest.fixture(scope="module")
def table():
    return skill(TASKS, GRID, team(WHOLE, GRID, TASKS, FIVE), GOLD, classes=BURN)


# ---------------------------------------------------------------------- what a team's habits show
def test_the_table_is_one(table):
    check(table, SKILL)
    assert list(table["annotator"].unique()) == sorted(table["annotator"].unique())
    assert (table.groupby("annotator")["class"].first() == "all").all()
    assert (over_all(table)["n_gold"] == len(GOLD)).all()


def test_ends_of_intervals_hold_the_figure(table):
    ends = {
        "accuracy": "accuracy",
        "pixel_accuracy": "pixel",
        "iou": "iou",
        "boundary_iou": "boundary",
        "bias_m": "bias",
    }
    for value, end in ends.items():
        assert (table[f"{end}_low"] <= table[value]).all()
        assert (table[value] <= table[f"{end}_high"]).all()


def test_habits_are_found_out(table):
    own = over_all(table)
    assert own["bias_m"]["sim:over-1"] > 60  # +4.5 pixels of 30 m, noise apart
    assert own["bias_m"]["sim:under-1"] < -60
    assert own["over_m"]["sim:over-1"] > 5 * own["under_m"]["sim:over-1"]
    assert own["under_m"]["sim:under-1"] > 5 * own["over_m"]["sim:under-1"]
    assert own["iou"].idxmax() == own["boundary_iou"].idxmax() == own["accuracy"].idxmax() == "sim:expert-1"
    assert own["sensitivity"]["sim:over-1"] > own["sensitivity"]["sim:under-1"]
    assert own["specificity"]["sim:over-1"] < own["specificity"]["sim:under-1"]


@pytest.mark.parametrize("bias_px", [-3, 0, 4])
def test_the_true_bias_is_within_its_interval(bias_px):
    """Outlines that lie so many pixels off everywhere, but for a smooth noise of one pixel."""
    grid = utm_grid(256, 256)
    tasks, truth = tasks_of(grid, 64), scar(256)
    given = annotate(truth, grid, tasks, habit=Habit("told", bias_px, 1.0, 6.0, 0.0, 1.0, 0.0), at=NOW)
    (row, _) = skill(tasks, grid, given, {t.id: truth[t.tile.slices] for t in tasks}, classes=BURN).itertuples()
    assert row.bias_low - 15 <= bias_px * 30 <= row.bias_high + 15  # half a pixel: outlines lie between centres
    assert row.bias_m == pytest.approx(bias_px * 30, abs=25)


def test_who_draws_the_truth_has_full_skill():
    given = annotate(WHOLE, GRID, TASKS, habit=TRUTH, at=NOW)
    for row in skill(TASKS, GRID, given, GOLD, classes=BURN).itertuples():
        assert (row.accuracy, row.pixel_accuracy, row.iou, row.boundary_iou) == (1, 1, 1, 1)
        assert (row.sensitivity, row.specificity, row.bias_m, row.over_m, row.under_m) == (1, 1, 0, 0, 0)
        assert row.accuracy_low < 1  # eight tasks do not prove it
        assert row.n_passed == row.n_gold


# ---------------------------------------------------------------------- what counts
def test_a_task_is_passed_at_the_stated_iou():
    drawn = answer(ONE, utm_grid(), mask(10, 10, 40, 34))  # 24 of 30 columns: IoU 0.8
    gold = {ONE.id: mask(10, 10, 40, 40)}
    for least, passed in ((0.8, 1), (0.81, 0)):
        own = skill([ONE], utm_grid(), [drawn], gold, classes=BURN, standard=Standard(pass_iou=least))
        assert own["n_passed"].tolist() == [passed, passed]
        assert own["iou"].tolist() == [0.8, 0.8]


def test_an_empty_task_left_empty_is_passed_and_is_no_task_of_the_class():
    nothing = np.zeros((64, 64), bool)
    own = skill([ONE], utm_grid(), [answer(ONE, utm_grid(), nothing)], {ONE.id: nothing}, classes=BURN)
    assert own[["class", "n_gold", "n_passed"]].to_numpy().tolist() == [["all", 1, 1]]
    assert np.isnan(own[["iou", "bias_m", "sensitivity"]].to_numpy(float)).all()
    drawn = skill([ONE], utm_grid(), [answer(ONE, utm_grid(), mask(0, 0, 9, 9))], {ONE.id: nothing}, classes=BURN)
    assert drawn["n_passed"].tolist() == [0, 0]


def test_calibration_does_not_count():
    tasks = [replace(task, purpose="calibration") if task.id in GOLD else task for task in TASKS]
    assert not len(skill(tasks, GRID, team(WHOLE, GRID, TASKS, ["expert"]), GOLD, classes=BURN))


def test_left_out_ground_does_not_count():
    """The annotator's cloud, and ground that the gold does not know, hide what is wrong there."""
    truth, wrong = mask(10, 10, 40, 40), mask(10, 30, 40, 40)
    clouded = answer(ONE, utm_grid(), truth & ~wrong, ignore=wrong)
    own = skill([ONE], utm_grid(), [clouded], {ONE.id: truth}, classes=BURN)
    unknown = np.where(wrong, -1, truth)
    other = skill([ONE], utm_grid(), [answer(ONE, utm_grid(), truth & ~wrong)], {ONE.id: unknown}, classes=BURN)
    assert own["iou"].tolist() == other["iou"].tolist() == [1, 1]
    assert own["bias_m"].tolist() == [0, 0]


def test_an_island_that_is_named_unburned_is_a_hole():
    hole = mask(10, 10, 40, 40) & ~mask(20, 20, 30, 30)
    burned, island = (
        answer(ONE, utm_grid(), mask(10, 10, 40, 40)),
        answer(ONE, utm_grid(), mask(20, 20, 30, 30), label="unburned"),
    )
    import pandas as pd

    both = replace(burned, shapes=pd.concat([burned.shapes, island.shapes], ignore_index=True))
    own = skill([ONE], utm_grid(), [both], {ONE.id: hole}, classes=("burned", "unburned"))
    assert own[["class", "iou"]].to_numpy().tolist() == [["all", 1.0], ["burned", 1.0]]


def test_classes_are_told_apart():
    """Water is right, grass is drawn as crops: each class has its own row, and all classes share what is right."""
    import pandas as pd

    def of(second):
        parts = [
            answer(ONE, utm_grid(), mask(0, 0, 64, 32), label="water"),
            answer(ONE, utm_grid(), mask(0, 32, 64, 64), label=second),
        ]
        return replace(parts[0], shapes=pd.concat([one.shapes for one in parts], ignore_index=True))

    classes = ("water", "grass", "crops")
    truth = np.where(mask(0, 0, 64, 32), 1, 2)  # in the order that is given, not by name
    own = skill([ONE], utm_grid(), [of("crops")], {ONE.id: truth}, classes=classes).set_index("class")
    assert list(own.index) == ["all", "crops", "grass", "water"]
    assert own["iou"].tolist() == [0.5, 0, 0, 1]
    assert own["pixel_accuracy"]["all"] == 0.5
    assert own["n_passed"].tolist() == [0, 0, 0, 1]
    assert own["sensitivity"]["grass"] == 0


def test_time_is_told_by_task_and_by_km():
    """A square of 20 pixels of 30 m: 2.4 km, of which the tile's edge drew none."""
    inner = answer(ONE, utm_grid(), mask(10, 10, 30, 30), active_s=24.0)
    own = skill([ONE], utm_grid(), [inner], {ONE.id: mask(10, 10, 30, 30)}, classes=BURN)
    assert own["active_s"].tolist() == [24, 24]
    assert own["s_per_km"].to_numpy() == pytest.approx([10, 10])
    at_edge = answer(ONE, utm_grid(), mask(0, 10, 20, 30))
    assert outline_km(at_edge, ONE, utm_grid()) == pytest.approx(1.8, abs=1e-3)
    assert np.isnan(skill([ONE], utm_grid(), [at_edge], {ONE.id: mask(0, 10, 20, 30)}, classes=BURN)["active_s"]).all()


def test_agreement_with_others_is_of_tasks_that_are_not_gold(table):
    own = over_all(table)
    assert (own["n_agreement"] == len(TASKS) - len(GOLD)).all()
    assert own["agreement"].between(0.3, 1).all()
    alone = skill(TASKS, GRID, team(WHOLE, GRID, TASKS, ["expert"]), GOLD, classes=BURN)
    assert (alone["n_agreement"] == 0).all()
    assert np.isnan(alone["agreement"]).all()


def test_no_order_of_the_answers_matters(table):
    given = team(WHOLE, GRID, TASKS, FIVE)
    order = np.random.default_rng(2).permutation(len(given))
    assert skill(TASKS[::-1], GRID, [given[k] for k in order], GOLD, classes=BURN).equals(table)


def test_bad_input_is_told():
    with pytest.raises(QualityError, match="gold of"):
        skill([ONE], utm_grid(), [], {ONE.id: np.zeros((3, 3), bool)}, classes=BURN)
    with pytest.raises(QualityError, match="water"):
        skill(
            [ONE],
            utm_grid(),
            [answer(ONE, utm_grid(), mask(0, 0, 9, 9), label="water")],
            {ONE.id: mask(0, 0, 9, 9)},
            classes=BURN,
        )
    assert not len(check(skill([ONE], utm_grid(), [], {}, classes=BURN), SKILL))
    unsure = answer(ONE, utm_grid(), np.zeros((64, 64), bool), outcome="unsure")
    assert not len(skill([ONE], utm_grid(), [unsure], {ONE.id: mask(0, 0, 9, 9)}, classes=BURN))


# ---------------------------------------------------------------------- boundaries
def test_a_band_is_counted_by_hand():
    square = mask(10, 10, 30, 30)
    assert boundary_region(square, 2).sum() == 20**2 - 16**2
    shifted = mask(10, 12, 30, 32)
    shared = (boundary_region(square, 2) & boundary_region(shifted, 2)).sum()
    assert boundary_iou(square, shifted, 2) == shared / (2 * (20**2 - 16**2) - shared)
    assert boundary_iou(square, shifted, 2) < iou(square, shifted)
    assert boundary_region(mask(0, 10, 20, 30), 2).sum() == 20**2 - 18 * 16  # nothing along the tile's edge
    assert np.isnan(boundary_iou(np.ones((9, 9), bool), np.ones((9, 9), bool)))


def test_boundary_iou_is_that_of_a_wide_band_where_the_band_is_wide():
    one, other = scar(64, 1), scar(64, 2)
    assert boundary_iou(one, other, 64) == iou(one, other)


def test_marks_of_all_classes_pool_their_bands():
    truth, drawn = (
        np.where(mask(0, 0, 64, 32), 1, 2).astype(np.int8),
        np.where(mask(0, 0, 64, 30), 1, 2).astype(np.int8),
    )
    found = marks(drawn, truth, 2)
    assert found[ALL].band_shared == found[1].band_shared + found[2].band_shared
    assert found[ALL].shared == (truth == drawn).sum()
    assert found[ALL].iou == (truth == drawn).mean()
