"""Label errors: confident learning against cleanlab, and errors put into labels whose truth is known."""

import numpy as np
import pytest
from hypothesis import given as drawn_from
from hypothesis import settings
from hypothesis import strategies as st

from geolabel.errors import QualityError
from geolabel.quality.doubt import confident, tally
from geolabel.quality.doubt.suspects import NOTHING, suspects
from geolabel.tables import SUSPECTS, check
from labels import box_shapes, utm_grid

GRID = utm_grid(96, 96)
CLASSES = ("forest", "water")


def noisy(k, n=400, share=0.15, seed=0):
    """(probabilities that know the truth, labels of which some are wrong, which)."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    labels = np.where(rng.random(n) < share, rng.integers(0, k, n), truth)
    chances = 0.5 * rng.dirichlet(np.full(k, 0.4), n)
    chances[np.arange(n), truth] += 0.5
    return chances, labels, labels != truth


# ---------------------------------------------------------------------- confident learning
@pytest.mark.parametrize("k", [2, 5])
def test_joint_thresholds_and_noise_rates_are_those_of_the_known_noise(k):
    chances, labels, wrong = noisy(k, n=4000)
    found = confident.noise(chances, labels)
    assert found.joint.sum() == pytest.approx(1)
    assert found.joint.sum(1) == pytest.approx(np.bincount(labels, minlength=k) / len(labels))
    assert found.wrong == pytest.approx(wrong.mean(), abs=0.03)
    assert found.true_of_given.sum(1) == pytest.approx(1)
    assert found.given_of_true.sum(0) == pytest.approx(1)
    caught = confident.candidates(chances, labels)
    assert (caught & wrong).sum() > 0.45 * wrong.sum()  # it is careful: what no threshold reaches is not counted
    assert (caught & ~wrong).sum() < 0.02 * (~wrong).sum()


def test_perfect_probabilities_find_exactly_the_wrong_labels():
    _, labels, wrong = noisy(3)
    truth = np.where(wrong, (labels + 1) % 3, labels)
    assert (confident.candidates(np.eye(3)[truth], labels) == wrong).all()


@drawn_from(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 10))
@settings(deadline=None, max_examples=50)
def test_softmin_lies_between_the_smallest_value_and_the_mean(values, temperature):
    soft = confident.softmin(values, np.zeros(len(values)), 1, temperature=temperature)[0]
    assert min(values) - 1e-9 <= soft <= np.mean(values) + 1e-9


def test_softmin_of_an_empty_group_is_unknown_and_missing_values_do_not_count():
    soft = confident.softmin([0.5, np.nan, 0.5], [0, 0, 2], 3)
    assert soft[[0, 2]] == pytest.approx(0.5)
    assert np.isnan(soft[1])


@pytest.mark.parametrize(
    ("chances", "labels"),
    [([[0.5, 0.5]], [2]), ([[0.5, 0.5]], [0, 1]), ([[np.nan, 0.5]], [0]), ([[1.5, 0.5]], [0]), (np.ones((0, 2)), [])],
)
def test_what_is_no_probability_or_no_label_is_refused(chances, labels):
    with pytest.raises(QualityError):
        confident.noise(chances, labels)


# ---------------------------------------------------------------------- polygons
def ground(masks, sure=0.95):
    """(class, y, x) probabilities of two classes that know where water is."""
    water = np.where(masks, sure, 1 - sure).astype(np.float32)
    return np.stack([1 - water, water])


def boxes_px(*boxes, label="water"):
    """SHAPES of boxes (row, col, row, col) in pixels of the grid."""
    corners = [(*GRID.xy(r1 - 0.5, c0 - 0.5), *GRID.xy(r0 - 0.5, c1 - 0.5)) for r0, c0, r1, c1 in boxes]
    return box_shapes(corners, label=label)


def lakes(*boxes):
    mask = np.zeros(GRID.shape, bool)
    for r0, c0, r1, c1 in boxes:
        mask[r0:r1, c0:c1] = True
    return mask


HERE, THERE = (10, 10, 40, 40), (50, 50, 80, 85)


def table_of(labels, mask, **how):
    return suspects(labels, ground(mask), CLASSES, GRID, **how).table.set_index("label_id")


def test_a_swapped_class_comes_first_and_says_what_the_model_sees():
    labels = boxes_px(HERE, THERE).assign(**{"class": ["water", "forest"]})
    table = table_of(labels, lakes(HERE, THERE))
    assert list(table.index) == ["box/1", "box/0"]
    assert list(table["error"]) == ["class", "none"]
    assert table["likely"]["box/1"] == "water"
    assert table["confident"].tolist() == [1, 0]
    assert table["score"]["box/1"] < 0.1 < 0.9 < table["score"]["box/0"]
    assert "100% of it otherwise, mostly water" in table["reason"]["box/1"]


@pytest.mark.parametrize(("by", "words"), [(2, "too wide"), (-2, "too narrow")])
def test_an_outline_that_is_off_is_no_wrong_class(by, words):
    r0, c0, r1, c1 = HERE
    table = table_of(boxes_px((r0 - by, c0 - by, r1 + by, c1 + by), THERE), lakes(HERE, THERE))
    assert table["error"]["box/0"] == "boundary"
    assert f"{words}" in table["reason"]["box/0"]
    column = "over_px" if by > 0 else "under_px"
    assert table[column]["box/0"] == pytest.approx(2, abs=0.4)  # the band has corners
    assert table["error"]["box/1"] == "none"
    assert table["score"]["box/0"] > 0.9


def test_a_lake_nobody_labeled_is_found_with_its_area_and_a_strip_along_an_outline_is_not():
    r0, c0, r1, c1 = HERE
    labels = boxes_px((r0 + 2, c0 + 2, r1 - 2, c1 - 2))
    table = table_of(labels, lakes(HERE, THERE), judged=np.ones(GRID.shape, bool))
    missed = table[table["error"] == "missed"]
    assert list(missed.index) == ["missed/water/50_50"]
    assert missed["area_m2"]["missed/water/50_50"] == pytest.approx(30 * 35 * 900, rel=2e-3)
    assert missed.loc["missed/water/50_50", "reason"].startswith("missed: 94.")
    assert not table_of(labels, lakes(HERE, THERE))["error"].eq("missed").any()


def test_ground_that_nobody_looked_at_and_small_areas_are_not_missed():
    labels, mask = boxes_px(HERE), lakes(HERE, THERE, (90, 5, 92, 7))
    judged = np.ones(GRID.shape, bool)
    judged[45:85, 45:90] = False
    table = table_of(labels, mask, judged=judged)
    assert "missed/water/50_50" not in table.index
    assert "missed/water/90_5" not in table.index


def test_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(3)
    chances = rng.dirichlet([1, 1], GRID.shape).transpose(2, 0, 1).astype(np.float32)
    labels = boxes_px(HERE, THERE, (5, 60, 90, 70))
    whole = suspects(labels, chances, CLASSES, GRID, judged=np.ones(GRID.shape, bool), min_area_m2=0).table
    monkeypatch.setattr(tally, "BLOCK_PX", 17)
    cut = suspects(labels, chances, CLASSES, GRID, judged=np.ones(GRID.shape, bool), min_area_m2=0).table
    assert list(cut["label_id"]) == list(whole["label_id"])
    for column in ("score", "share", "probability", "over_px", "under_px"):
        assert cut[column].to_numpy() == pytest.approx(whole[column].to_numpy(), nan_ok=True)


def test_a_class_that_was_not_taught_says_nothing_of_its_labels():
    chances = ground(lakes(HERE, THERE))
    chances[1, 45:, 45:] = np.nan  # no water was known to the model that speaks of this ground
    found = suspects(boxes_px(HERE, THERE), chances, CLASSES, GRID)
    assert found.untested == ("box/1",)
    assert list(found.table["label_id"]) == ["box/0"]


def test_the_table_keeps_its_columns_and_other_labels_are_refused():
    labels = boxes_px(HERE)
    check(suspects(labels, ground(lakes(HERE)), CLASSES, GRID).table, SUSPECTS)
    with pytest.raises(QualityError, match="which the model does not know"):
        suspects(labels.assign(**{"class": "lava"}), ground(lakes(HERE)), CLASSES, GRID)
    with pytest.raises(QualityError, match="probabilities of"):
        suspects(labels, ground(lakes(HERE))[:1], CLASSES, GRID)
    with pytest.raises(QualityError, match="says nothing"):
        suspects(labels, np.full((2, *GRID.shape), np.nan, np.float32), CLASSES, GRID)


def test_nothing_is_a_class_of_its_own():
    chances = ground(lakes(HERE))
    found = suspects(boxes_px(HERE), chances, (NOTHING, "water"), GRID, judged=np.ones(GRID.shape, bool))
    assert not found.table["error"].eq("missed").any()
