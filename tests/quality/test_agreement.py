import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.people.agreement import (
    Strata,
    agreement,
    alpha,
    coincidences,
    fleiss,
    fleiss_sums,
    matrix,
    overlaps,
    pairwise,
)
from geolabel.quality.scores import iou
from geolabel.tables import AGREEMENT, PAIRWISE, check
from labels import answer, scar, tasks_of, team, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID, 32)
TRUTH = scar()
BURN = ("burned",)


def halves(split=64):
    """Western and eastern half."""
    return Strata(np.where(np.arange(128) < split, 1, 2)[None].repeat(128, 0), ("west", "east"))


def test_alpha_of_krippendorffs_example():
    """Krippendorff 2011, Computing Krippendorff's alpha-reliability, example C: four observers, missing data, nominal."""
    table = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    counts = np.array([[sum(row[u] == v for row in table) for v in range(1, 6)] for u in range(12)])
    assert alpha(coincidences(counts)) == pytest.approx(0.743, abs=5e-4)


def test_kappa_of_fleiss_example():
    """The worked example on the Wikipedia page of the coefficient: 10 subjects, 14 raters, 5 values; kappa .210."""
    counts = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ]
    )  # fmt: skip
    assert fleiss(fleiss_sums(counts)) == pytest.approx(0.210, abs=5e-4)


def test_full_agreement_is_one_and_chance_is_none():
    generator = np.random.default_rng(0)
    said = generator.integers(0, 2, 20_000)
    same = np.stack([said == 0, said == 1], 1) * 3
    assert alpha(coincidences(same)) == pytest.approx(1)
    assert fleiss(fleiss_sums(same)) == pytest.approx(1)
    ones = generator.binomial(3, 0.4, 20_000)
    free = np.stack([3 - ones, ones], 1)
    assert alpha(coincidences(free)) == pytest.approx(0, abs=0.03)
    assert fleiss(fleiss_sums(free)) == pytest.approx(0, abs=0.03)


def test_two_annotators_overlap_as_their_masks_do():
    generator = np.random.default_rng(1)
    codes = generator.integers(-1, 3, (3, 500)).astype(np.int8)
    shared, claimed = overlaps(codes, 2)
    both = (codes[0] >= 0) & (codes[1] >= 0)
    for k in (1, 2):
        assert shared[k, 0, 1] / claimed[k, 0, 1] == pytest.approx(iou(both & (codes[0] == k), both & (codes[1] == k)))
    assert claimed[0, 0, 1] == (both & ((codes[0] > 0) | (codes[1] > 0))).sum()


def test_a_table_of_a_team():
    table = check(
        agreement(TASKS, GRID, team(TRUTH, GRID, TASKS, ["expert", "over", "under"]), classes=BURN), AGREEMENT
    )
    (row,) = table.itertuples()
    assert (row.stratum, row.n_tasks, row.n_annotators, row.n_pixels) == ("all", 16, 3, 128 * 128)
    assert row.alpha_low < row.alpha < row.alpha_high
    assert row.kappa == pytest.approx(row.alpha, abs=1e-3)  # nothing is missing: they differ by 1 / n only


def test_agreement_is_split_by_stratum():
    """In the west all draw the same; in the east one of them draws nothing."""
    west = np.where(np.arange(128) < 64, TRUTH, False)
    one = [answer(t, GRID, TRUTH[t.tile.slices], by="person:a") for t in TASKS]
    other = [answer(t, GRID, west[t.tile.slices], by="person:b") for t in TASKS]
    table = agreement(TASKS, GRID, [*one, *other], classes=BURN, strata=halves()).set_index("stratum")
    assert list(table.index) == ["all", "west", "east"]
    assert table["alpha"]["west"] == pytest.approx(1)
    assert table["alpha"]["east"] < 0
    assert table["iou"]["east"] == 0
    assert 0 < table["iou"]["all"] < 1
    pairs = check(pairwise(TASKS, GRID, [*one, *other], classes=BURN, strata=halves()), PAIRWISE)
    assert list(pairs["iou"]) == [pytest.approx(table["iou"][name]) for name in ("all", "west", "east")]


def test_strata_of_a_part_of_the_ground_leave_the_rest_out():
    whole = agreement(TASKS, GRID, team(TRUTH, GRID, TASKS, ["expert", "over"]), classes=BURN, strata=halves(40))
    assert whole["n_pixels"].tolist() == [128 * 128, 40 * 128, 88 * 128]


def test_missing_answers_are_missing():
    some = [
        a
        for a in team(TRUTH, GRID, TASKS, ["expert", "over", "under"])
        if a.annotator != "sim:under-1" or a.task_id in {t.id for t in TASKS[:4]}
    ]
    pairs = pairwise(TASKS, GRID, some, classes=BURN)
    assert dict(zip(zip(pairs["annotator"], pairs["other"], strict=True), pairs["n_tasks"], strict=True)) == {
        ("sim:expert-1", "sim:over-1"): 16,
        ("sim:expert-1", "sim:under-1"): 4,
        ("sim:over-1", "sim:under-1"): 4,
    }
    square = matrix(pairs)
    assert (square.to_numpy() == square.to_numpy().T).all()
    assert (np.diag(square) == 1).all()


def test_ground_that_one_left_out_is_not_theirs():
    """b leaves out what they would have drawn otherwise: on the rest the two agree."""
    task = TASKS[0]
    box, half = np.zeros((32, 32), bool), np.zeros((32, 32), bool)
    box[4:20, 4:20], half[4:20, 12:32] = True, True
    a = answer(task, GRID, box, by="person:a")
    b = answer(task, GRID, box & ~half, by="person:b", ignore=half)
    (row,) = agreement([task], GRID, [a, b], classes=BURN).itertuples()
    assert (row.n_pixels, row.iou, row.alpha) == (32 * 32 - half.sum(), 1, pytest.approx(1))


def test_no_order_of_the_answers_matters():
    given = team(TRUTH, GRID, TASKS, ["expert", "over", "careless"])
    order = np.random.default_rng(0).permutation(len(given))
    one = agreement(TASKS, GRID, given, classes=BURN)
    other = agreement(TASKS[::-1], GRID, [given[k] for k in order], classes=BURN)
    assert one.equals(other)


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_people_agree_on_nothing(count):
    given = team(TRUTH, GRID, TASKS, ["expert"])[:: 1 if count else -1] if count else []
    (row,) = check(agreement(TASKS, GRID, given, classes=BURN), AGREEMENT).itertuples()
    assert (row.n_tasks, row.n_annotators) == (0, 0)
    assert np.isnan([row.alpha, row.kappa, row.iou]).all()
    assert not len(pairwise(TASKS, GRID, given, classes=BURN))


def test_rules_are_no_people():
    drawn = [answer(t, GRID, TRUTH[t.tile.slices], by="rule:burned@2") for t in TASKS]
    (row,) = agreement(TASKS, GRID, [*drawn, *team(TRUTH, GRID, TASKS, ["expert"])], classes=BURN).itertuples()
    assert row.n_tasks == 0


def test_all_empty_is_no_disagreement_and_no_figure():
    nothing = [answer(t, GRID, np.zeros((32, 32), bool), by=f"person:{n}") for t in TASKS for n in "ab"]
    (row,) = agreement(TASKS, GRID, nothing, classes=BURN).itertuples()
    assert row.n_tasks == 16
    assert np.isnan([row.alpha, row.kappa, row.iou]).all()


def test_an_annotator_who_answers_twice_counts_once():
    first = answer(TASKS[0], GRID, np.ones((32, 32), bool), by="person:a")
    box = np.zeros((32, 32), bool)
    box[:9, :9] = True
    again = answer(TASKS[0], GRID, box, by="person:a", supersedes=first.uuid)
    other = answer(TASKS[0], GRID, box, by="person:b")
    (row,) = agreement([TASKS[0]], GRID, [first, again, other], classes=BURN).itertuples()
    assert (row.n_annotators, row.iou) == (2, 1)


def test_disjoint_shapes_and_other_classes():
    west, east = np.zeros((32, 32), bool), np.zeros((32, 32), bool)
    west[:, :8], east[:, 24:] = True, True
    two = [answer(TASKS[0], GRID, west, by="person:a"), answer(TASKS[0], GRID, east, by="person:b")]
    (row,) = agreement([TASKS[0]], GRID, two, classes=BURN).itertuples()
    assert row.iou == 0
    assert row.alpha < 0
    with pytest.raises(QualityError, match="water"):
        agreement([TASKS[0]], GRID, [two[0], answer(TASKS[0], GRID, east, by="person:b", label="water")], classes=BURN)
    with pytest.raises(QualityError, match="strata of"):
        agreement(TASKS, GRID, two, classes=BURN, strata=Strata(np.ones((3, 3), int), ("a",)))
    with pytest.raises(QualityError, match="names"):
        Strata(np.full((3, 3), 2), ("a",))
