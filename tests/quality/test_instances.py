"""Consensus on objects: which are the same, which are there, their shapes; on simulated annotators and by hand."""

from itertools import permutations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from benchmarks.people import TEAM, Hand, grid_of_boxes, scene, shapes_of
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.errors import CRSError, QualityError
from geolabel.nouns.answer import Answer
from geolabel.quality.consensus.products import load_consensus, save_consensus
from geolabel.quality.instances import agree_objects, match, object_skill
from geolabel.quality.instances.clusters import clusters
from geolabel.quality.instances.matching import assigned, ordered
from geolabel.quality.instances.shape import boundary_sd_m, fused
from geolabel.shapes import rasterise
from geolabel.tables import AGREED, IGNORE, check, empty
from labels import NOW, tasks_of, utm_grid

GRID = utm_grid(64, 64, res_m=1.0)
(TASK,) = tasks_of(GRID, 64, kind="object")
WEST, SOUTH, _, NORTH = GRID.bounds


def box(x, y, width=8.0, height=8.0):
    """A box whose upper left corner lies `x` and `y` metres from the grid's."""
    return shapely.box(WEST + x, NORTH - y - height, WEST + x + width, NORTH - y)


def said(shapes, by, *, task=TASK, ignore=(), outcome=None, name="building"):
    frame = shapes_of(gpd.GeoSeries(list(shapes), crs=GRID.crs.proj), name, by)
    left = empty(IGNORE, frame.crs)
    if ignore:
        left = gpd.GeoDataFrame({"reason": ["cloud"] * len(ignore)}, geometry=list(ignore), crs=frame.crs)
    return Answer(
        task.id, by, outcome or ("labeled" if len(frame) else "empty"), frame, left, NOW, uuid=f"{by}/{task.id}"
    )


def agreed(answers, *, tasks=(TASK,), grid=GRID, classes=("building",), **how):
    return agree_objects(tasks, grid, answers, classes=classes, **{"gold": {}, **how})


def only(answers, **how):
    return agreed(answers, **how)[TASK.id]


# ---------------------------------------------------------------------- matching
@given(seed=st.integers(0, 10_000), n=st.integers(0, 4), m=st.integers(0, 4))
@settings(max_examples=40)
def test_the_assignment_is_the_best_of_all(seed, n, m):
    generator = np.random.default_rng(seed)
    first, second = (
        np.array([box(*generator.uniform(0, 8, 2)) for _ in range(count)], object).reshape(count) for count in (n, m)
    )
    i, j, iou = assigned(first, second, 0.1)
    assert len(set(i)) == len(i)
    assert len(set(j)) == len(j)
    shared = np.array([[_iou(a, b) for b in second] for a in first]).reshape(n, m)
    worth = np.where(shared >= 0.1, shared, 0)
    if n > m:
        worth = worth.T
    best = max(
        (sum(worth[r, c] for r, c in enumerate(way)) for way in permutations(range(max(n, m)), min(n, m))), default=0
    )
    assert iou.sum() == pytest.approx(best)
    assert iou == pytest.approx(shared[i, j])


def _iou(a, b):
    return a.intersection(b).area / a.union(b).area


def test_figures_of_found_objects():
    truth = gpd.GeoSeries([box(0, 0), box(20, 0), box(40, 0)], crs=GRID.crs.proj)
    found = gpd.GeoSeries([box(40, 0), box(0, 2), box(0, 40), box(0, 1)], crs=GRID.crs.proj)
    told = match(found, truth)
    assert [(a, b) for a, b, _ in told.pairs] == [(0, 2), (3, 0)]  # of two on one true object the closer one
    assert (told.precision, told.recall, told.f1) == (0.5, pytest.approx(2 / 3), pytest.approx(4 / 7))
    assert told.mean_iou == pytest.approx((1 + 7 / 9) / 2)
    nothing = match(found[:0], truth[:0])
    assert np.isnan([nothing.precision, nothing.recall, nothing.f1, nothing.mean_iou]).all()
    both = object_skill({"a": told, "b": match(truth, truth), "c": nothing})
    assert (both.n_found, both.n_truth, both.n_matched) == (7, 6, 5)
    assert (both.precision, both.recall) == (pytest.approx(5 / 7), pytest.approx(5 / 6))
    assert both.f1_interval.low <= both.f1 <= both.f1_interval.high
    assert object_skill([told]).f1 == told.f1
    with pytest.raises(QualityError, match="no tasks"):
        object_skill([])
    with pytest.raises(QualityError, match="IoU of 0"):
        match(found, truth, iou=0)
    with pytest.raises(CRSError, match="UTM zone"):
        match(found, truth.to_crs("EPSG:4326"))


def test_scikit_learn_counts_the_same():
    metrics = pytest.importorskip("sklearn.metrics")
    truth = gpd.GeoSeries([box(x, 0) for x in range(0, 60, 10)], crs=GRID.crs.proj)
    found = gpd.GeoSeries([box(x + 1, 0) for x in range(0, 40, 10)] + [box(0, 30)] * 2, crs=GRID.crs.proj)
    told = match(found, truth)
    y_true, y_found = [1] * 6 + [0] * 2, [1] * 4 + [0] * 2 + [1] * 2
    expected = metrics.precision_recall_fscore_support(y_true, y_found, average="binary")[:3]
    assert (told.precision, told.recall, told.f1) == pytest.approx(expected)


# ---------------------------------------------------------------------- who means the same
def drawn(**shapes):
    return {name: np.array(own, object)[ordered(np.array(own, object))] for name, own in shapes.items()}


def test_objects_of_several_people_are_grouped():
    given = drawn(a=[box(0, 0), box(20, 0)], b=[box(1, 0), box(40, 0)], c=[box(0, 1), box(21, 0)])
    groups = [{name for name, _ in own} for own in clusters(given)]
    assert sorted(map(sorted, groups)) == [["a", "b", "c"], ["a", "c"], ["b"]]


def test_a_row_of_neighbours_does_not_grow_together():
    """Each overlaps the next by more than the least, the ends have nothing in common."""
    given = drawn(**{f"p{n}": [box(4 * n, 0)] for n in range(6)})
    groups = clusters(given)
    assert max(map(len, groups)) == 2
    assert sum(map(len, groups)) == 6


def test_nobody_is_twice_in_a_group_and_everything_is_in_one():
    given = drawn(a=[box(0, 0), box(1, 0)], b=[box(0, 0), box(0, 1)], c=[box(0.5, 0.5)])
    groups = clusters(given)
    assert all(len({name for name, _ in own}) == len(own) for own in groups)
    assert sorted(member for own in groups for member in own) == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 0)]
    assert clusters({"a": np.empty(0, object), "b": np.empty(0, object)}) == []


# ---------------------------------------------------------------------- one shape of many
def test_boxes_give_the_box_of_their_median_sides():
    shapes = np.array([box(0, 0, 8, 8), box(1, 1, 8, 8), box(2, -20, 30, 60)], object)
    assert fused(shapes).equals(shapely.box(WEST + 1, NORTH - 9, WEST + 9, NORTH))


@given(seed=st.integers(0, 10_000), n=st.sampled_from([3, 5]))
@settings(max_examples=15)
def test_polygons_give_the_ground_that_half_of_them_hold(seed, n):
    """Against pixels of 5 cm: an odd number leaves no doubt."""
    generator = np.random.default_rng(seed)
    centre = shapely.Point(WEST + 16, NORTH - 16)
    shapes = np.array(
        [
            shapely.affinity.translate(centre.buffer(r, quad_segs=4) - centre.buffer(2, quad_segs=2), *move)
            for r, move in zip(generator.uniform(6, 10, n), generator.normal(0, 1, (n, 2)), strict=True)
        ],
        object,
    )
    fine = utm_grid(640, 640, res_m=0.05)
    held = sum(rasterise(gpd.GeoDataFrame(geometry=[one], crs=fine.crs.proj), fine).astype(int) for one in shapes)
    whole = rasterise(gpd.GeoDataFrame(geometry=[fused(shapes)], crs=fine.crs.proj), fine) > 0
    expected = held * 2 > n
    assert (whole & expected).sum() / (whole | expected).sum() > 0.99
    assert fused(shapes[::-1]).equals(fused(shapes))


def test_a_hole_that_most_drew_stays():
    ring = box(0, 0, 20, 20) - box(6, 6, 4, 4)
    found = fused(np.array([ring, ring, box(0, 0, 20, 20)], object))
    assert found.equals(ring)


def test_two_polygons_give_what_is_nearer_to_their_mean_area():
    """Their union is too large, what they share too small."""
    one, other = box(0, 0, 10, 10) - box(0, 0, 1, 1), box(1, 0, 10, 10) - box(1, 0, 1, 1)
    assert fused(np.array([one, other], object)).equals(one & other)
    disjoint = np.array(
        [box(0, 0) - box(0, 0, 1, 1), box(0, 20) - box(0, 20, 1, 1), box(0, 40) - box(0, 40, 1, 1)], object
    )
    assert fused(disjoint).equals(disjoint[ordered(disjoint)][0])  # nothing is shared: one of them, whatever the order


def test_the_spread_of_an_outline_is_in_metres():
    shapes = np.array([box(-d, -d, 20 + 2 * d, 20 + 2 * d) for d in (-1.0, 0.0, 1.0)], object)
    assert boundary_sd_m(shapes[1], shapes) == pytest.approx(1.0, abs=0.02)
    assert np.isnan(boundary_sd_m(shapes[1], shapes[:1]))


# ---------------------------------------------------------------------- simulated annotators
@pytest.mark.parametrize("seed", [0, 1])
def test_the_consensus_is_better_than_every_member(seed):
    one = scene(grid_of_boxes(9), name="building", res_m=1.0, tile=90, seed=seed)
    whole = one.skill(one.agreed())
    members = [one.skill(one.of(name)) for name in one.annotators]
    assert whole.f1 > max(member.f1 for member in members) + 0.03
    assert whole.mean_iou > np.mean([member.mean_iou for member in members])
    assert whole.f1_interval.low <= whole.f1 <= whole.f1_interval.high


def test_what_the_figures_of_objects_say_is_so():
    one = scene(grid_of_boxes(9), name="building", res_m=1.0, tile=90)
    found = agree_objects(one.tasks, one.grid, one.answers, gold={}, classes=("building",))
    for task in one.tasks:
        shapes = check(found[task.id].shapes, AGREED)
        assert shapes["probability"].isin(np.arange(3, 6) / 5).all()
        assert (shapes["n_votes"] == 5).all()
        assert shapes["agreement"].between(0.3, 1).all()
        assert shapes["boundary_sd_m"].between(0, 3).all()
        assert found[task.id].method == "majority"
        assert set(found[task.id].weights) == set(one.annotators)
        assert found[task.id].probability.shape == (1, *one.grid.crop(task.tile).shape)
    ids = [key for task in one.tasks for key in found[task.id].shapes["label_id"]]
    assert len(ids) == len(set(ids))  # no object crosses a border here


def test_gold_finds_that_two_who_know_outweigh_four_who_do_not():
    """The four miss most and invent much: half of all votes is hardly ever reached."""
    weak = tuple(Hand(f"weak{n}", 0.1, 0.1, 0.8, 0.5) for n in range(4))
    strong = tuple(Hand(f"strong{n}", 0.04, 0.04, 0.04, 0.04) for n in range(2))
    one = scene(grid_of_boxes(8), name="building", res_m=1.0, tile=80, team=strong + weak)
    gold = one.gold(2)
    rest = tuple(task for task in one.tasks if task.id not in gold)
    majority, chosen = one.skill(one.agreed(), rest), one.skill(one.agreed(gold=gold), rest)
    assert chosen.f1 > majority.f1 + 0.2
    found = agree_objects(one.tasks, one.grid, one.answers, gold=gold, classes=("building",))[rest[0].id]
    assert found.method != "majority"
    assert found.evidence["building"][found.method]["gain"] > 0.05
    assert min(found.weights[f"sim:strong{n}-1"] for n in range(2)) > max(
        found.weights[f"sim:weak{n}-1"] for n in range(4)
    )


# ---------------------------------------------------------------------- laws
@given(order=st.randoms(use_true_random=False), seed=st.integers(0, 500), with_gold=st.booleans())
@settings(max_examples=5)
def test_order_does_not_matter(order, seed, with_gold):
    one = scene(grid_of_boxes(4, gap=4), name="building", res_m=1.0, tile=24, seed=seed, team=TEAM[:3])
    gold = one.gold(2) if with_gold else {}
    shuffled = [_mixed(given, order) for given in order.sample(one.answers, len(one.answers))]
    found = agree_objects(one.tasks, one.grid, one.answers, gold=gold, classes=("building",))
    again = agree_objects(order.sample(one.tasks, len(one.tasks)), one.grid, shuffled, gold=gold, classes=("building",))
    for key, first in found.items():
        assert first.shapes.equals(again[key].shapes)
        assert (first.method, first.weights, first.evidence, first.status) == (
            again[key].method,
            again[key].weights,
            again[key].evidence,
            again[key].status,
        )


def _mixed(given, order):
    """The same answer with its shapes in another order."""
    rows = order.sample(range(len(given.shapes)), len(given.shapes))
    more = {name: getattr(given, name) for name in given.__dataclass_fields__} | {"shapes": given.shapes.iloc[rows]}
    return Answer(**more)


def test_who_has_which_name_decides_nothing():
    shapes = [[box(0, 0), box(20, 0)], [box(1, 0), box(21, 1)], [box(0, 1)]]
    one, other = (
        only([said(own, f"person:{name}") for own, name in zip(shapes, names, strict=True)]).shapes
        for names in ("abc", "cab")
    )
    assert one.equals(other)


# ---------------------------------------------------------------------- one task
def test_half_of_the_votes_make_an_object():
    found = only(
        [
            said([box(0, 0), box(20, 0)], "person:a"),
            said([box(0, 0)], "person:b"),
            said([], "person:c"),
            said([], "person:d"),
        ]
    )
    assert found.shapes["probability"].tolist() == [0.5]
    assert found.shapes.geometry.iloc[0].equals(box(0, 0))
    assert found.status == "disputed"  # two against two on the one, three against one on the other


def test_one_annotator_keeps_their_shapes():
    found = only([said([box(0, 0)], "person:a")])
    assert found.method == "single"
    assert found.shapes["label_id"].tolist() == ["person:a/0"]
    assert np.isnan(found.agreement)


def test_all_empty_all_unsure_and_nobody():
    nothing = only([said([], "person:a"), said([], "person:b")])
    assert (len(nothing.shapes), nothing.status, nothing.agreement) == (0, "agreed", 1.0)
    unsure = only([said([], f"person:{n}", outcome="unsure") for n in "ab"])
    assert (len(unsure.shapes), unsure.status) == (0, "disputed")
    assert agreed([]) == {}
    assert agreed([said([], "person:a", outcome="skipped")]) == {}


def test_disjoint_objects_are_disputed():
    found = only([said([box(0, 0)], "person:a"), said([box(30, 30)], "person:b"), said([box(50, 0)], "person:c")])
    assert len(found.shapes) == 0
    assert found.status == "disputed"  # two of three say of each that nothing is there: no object has more for it
    both = only([said([box(0, 0)], "person:a"), said([box(30, 30)], "person:b")])
    assert both.status == "disputed"
    assert both.shapes["probability"].tolist() == [0.5, 0.5]


def test_who_left_the_place_out_does_not_vote_against():
    shapes, cloud = [box(0, 0)], box(-2, -2, 14, 14)
    answers = [said(shapes, "person:a"), said([], "person:b", ignore=[cloud]), said([], "person:c", ignore=[cloud])]
    found = only(answers)
    assert found.shapes[["probability", "n_votes"]].iloc[0].tolist() == [1, 1]
    assert len(only([answers[0], said([], "person:b"), said([], "person:c")]).shapes) == 0


def test_rules_weigh_nothing_beside_people_and_something_alone():
    rule = said([box(30, 30)], "rule:segments@1")
    found = only([said([box(0, 0)], "person:a"), said([box(0, 0)], "person:b"), rule])
    assert len(found.shapes) == 1
    assert found.weights["rule:segments@1"] == 0
    machines = only([rule, said([box(30, 30)], "model:m@1")])
    assert machines.shapes["n_votes"].tolist() == [0]
    assert machines.shapes["probability"].tolist() == [1]


def test_classes_are_apart():
    answers = [said([box(0, 0)], "person:a"), said([box(0, 0)], "person:b"), said([box(0, 0)], "person:c", name="tank")]
    found = only(answers, classes=("tank", "building"))
    assert found.shapes["class"].tolist() == ["building"]
    assert found.classes == ("building", "tank")
    with pytest.raises(QualityError, match="asks for"):
        only(answers)


def test_an_object_across_a_border_keeps_one_id():
    tasks = tasks_of(GRID, 32, kind="object")
    across, apart = box(28, 4), box(40, 40)
    answers = [
        said(
            [part for part in [shape & shapely.box(*GRID.crop(task.tile).bounds)] if part.area],
            f"person:{n}",
            task=task,
        )
        for n in "ab"
        for task in tasks
        for shape in [across if task.tile.row == 0 else apart]
    ]
    found = agreed(answers, tasks=tasks)
    ids = [found[task.id].shapes["label_id"].tolist() for task in tasks]
    assert ids[0] == ids[1] == ["v/building/4_28"]
    assert ids[2:] == [[], ["v/building/40_40"]]


def test_neighbours_at_a_border_are_two_objects():
    """A small one that touches the side of a large one is another."""
    tasks = tasks_of(GRID, 32, kind="object")
    parts = {0: box(12, 4, 20, 20), 1: box(32, 4, 3, 3)}
    answers = [
        said([parts[n]] if n in parts else [], f"person:{who}/{n}", task=task)
        for who in "ab"
        for n, task in enumerate(tasks)
    ]
    found = agreed(answers, tasks=tasks)
    assert found[tasks[0].id].shapes["label_id"].tolist() != found[tasks[1].id].shapes["label_id"].tolist()


def test_two_objects_from_one_pixel_have_two_ids():
    shapes = [box(0, 0, 8, 8), box(0.2, 0.2, 1.5, 1.5)]
    found = only([said(shapes, "person:a"), said(shapes, "person:b")])
    assert sorted(found.shapes["label_id"]) == ["v/building/0_0", "v/building/0_0~2"]
    large = found.shapes.set_index("label_id").geometry["v/building/0_0"]
    assert large.equals(shapes[0])


def test_it_is_kept_and_read_back(tmp_path):
    found = only([said([box(0, 0)], "person:a"), said([box(1, 0)], "person:b")])
    back = load_consensus(save_consensus(found, tmp_path))
    assert back.digest == found.digest
    assert back.shapes["label_id"].tolist() == found.shapes["label_id"].tolist()


def test_bad_input_is_refused():
    answers = [said([box(0, 0)], "person:a"), said([box(0, 0)], "person:b")]
    with pytest.raises(QualityError, match="no method 'distance'"):
        only(answers, method="distance")
    with pytest.raises(QualityError, match="gold"):
        only(answers, gold={TASK.id: np.zeros((3, 3), bool)})
    with pytest.raises(QualityError, match="another grid"):
        agreed(answers, grid=utm_grid(32, 32))
    twice = [*answers, said([box(30, 0)], "person:a")]
    assert (
        len(only([*answers, twice[-1]]).shapes) >= 1
    )  # of two answers of one person the later by time, then uuid, stands
