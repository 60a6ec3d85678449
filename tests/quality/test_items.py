"""Consensus of items: what is found of simulated annotators whose truth is known, laws, and bad input."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geolabel.errors import QualityError, TableError
from geolabel.quality.items import METHODS, Names, agree_items, agreed_points, calibration, pair
from geolabel.quality.items.choose import choice
from geolabel.quality.items.models import dawid_skene
from geolabel.quality.items.table import said_in
from geolabel.quality.items.temper import without_truth

MODELS = sorted(set(METHODS) - {"majority"})


def crowd(accuracies, *, items=300, k=3, seed=0, votes=None, confusing=0.0):
    """(long table, truth): annotators who are right with these chances and err evenly.

    On a share `confusing` of the items everybody takes the next label for the true one.
    """
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, k, items)
    seen = np.where(generator.random(items) < confusing, (truth + 1) % k, truth)
    rows = []
    for who, right in enumerate(accuracies):
        asked = np.arange(items) if votes is None else generator.choice(items, votes, replace=False)
        wrong = (seen[asked] + generator.integers(1, k, len(asked))) % k
        said = np.where(generator.random(len(asked)) < right, seen[asked], wrong)
        rows.append(pd.DataFrame({"task": asked, "annotator": f"person:{who}", "label": said}))
    named = [f"i{number:04d}" for number in range(items)]
    frame = pd.concat(rows, ignore_index=True)
    frame = frame.assign(task=[named[n] for n in frame["task"]], label=[f"class {n}" for n in frame["label"]])
    return frame, pd.Series([f"class {n}" for n in truth], index=named)


def right(found, truth):
    return (found.label == truth.reindex(found.label.index)).mean()


@pytest.mark.parametrize("method", MODELS)
def test_models_beat_the_majority_where_annotators_differ(method):
    frame, truth = crowd([0.95, 0.9, 0.4, 0.4, 0.4])
    plain, found = agree_items(frame, method="majority"), agree_items(frame, method=method)
    assert right(found, truth) > right(plain, truth) + 0.05
    skill = found.annotators
    assert list(skill.index) == [f"person:{n}" for n in range(5)]
    assert skill["accuracy"].iloc[:2].to_numpy() == pytest.approx([0.95, 0.9], abs=0.05)
    assert skill["accuracy"].iloc[2:].to_numpy() == pytest.approx([0.4] * 3, abs=0.1)
    assert skill["informedness"].iloc[2:].max() < 0.25 < 0.8 < skill["informedness"].iloc[:2].min()


def test_who_always_swaps_two_labels_is_understood():
    """Only a confusion matrix can learn from somebody who is always wrong in the same way."""
    frame, truth = crowd([0.8, 0.8, 0.8])
    swap = {"class 0": "class 1", "class 1": "class 0", "class 2": "class 2"}
    steady = pd.DataFrame({"task": truth.index, "annotator": "person:swap", "label": truth.map(swap).to_numpy()})
    found = agree_items(pd.concat([frame, steady]), method="dawid-skene")
    assert right(found, truth) > 0.99
    assert found.annotators.loc["person:swap", "accuracy"] < 0.4


def test_glad_tells_hard_items_from_easy_ones():
    """Two who agree on an item that others dispute are surer on an easy one."""
    frame, truth = crowd([0.9] * 6, items=120, k=2, seed=4)
    easy = frame["task"] < "i0060"
    frame.loc[easy, "label"] = truth.reindex(frame.loc[easy, "task"]).to_numpy()  # everybody is right
    found = agree_items(frame, method="glad")
    assert found.confidence[:60].mean() > found.confidence[60:].mean()
    assert right(found, truth) > 0.95


@pytest.mark.parametrize("method", sorted(METHODS))
def test_posteriors_are_probabilities_and_say_how_they_came(method):
    frame, _ = crowd([0.8, 0.7, 0.6], items=40)
    found = agree_items(frame, method=method)
    assert found.posterior.to_numpy().sum(1) == pytest.approx(np.ones(40))
    assert (found.confidence == found.posterior.max(axis=1)).all()
    assert (found.table["n_votes"] == 3).all()
    assert found.method == method
    assert not len(found.evidence)
    assert found.temperature >= 1


# ---------------------------------------------------------------------- calibration
def test_independent_votes_need_no_tempering_and_shared_errors_do():
    """The temperature without truth sees that votes hang together, here by twins who copy each other."""
    frame, _ = crowd([0.75] * 6, items=800, k=2, seed=1)
    twins = [frame.assign(annotator=frame["annotator"] + f"-{n}") for n in range(3)]
    alone, copied = said_in(frame, Names()), said_in(pd.concat(twins), Names())
    one = without_truth(alone, dawid_skene(alone, alone.known({})))
    three = without_truth(copied, dawid_skene(copied, copied.known({})))
    assert one < 1.3
    assert three > 1.7 * one
    assert three <= 3.5  # three times the same vote is one vote


@pytest.mark.parametrize("method", ["dawid-skene", "one-coin", "glad"])
def test_gold_takes_certainty_from_models_that_are_misled(method):
    """A seventh of the items mislead everybody: without truth nobody can know, with gold the temperature does."""
    frame, truth = crowd([0.8] * 9, items=400, k=2, seed=2, confusing=0.15)
    blind = agree_items(frame, method=method)
    told = agree_items(frame, method=method, gold=truth.iloc[::8])
    rest = truth.drop(truth.index[::8])
    before, after = blind.calibration(rest), told.calibration(rest)
    assert after.n == len(rest)
    assert after.log_loss < before.log_loss - 0.3
    assert told.temperature > blind.temperature


def test_gold_makes_probabilities_believable_where_votes_hang_together():
    """Annotators who copy each other are over-counted; gold says how far, and then the shares hold in every bin."""
    frame, truth = crowd([0.75] * 5, items=1500, k=2, seed=6)
    copies = pd.concat([frame.assign(annotator=frame["annotator"] + f"-{n}") for n in range(3)])
    rest = truth.drop(truth.index[::5])
    blind, told = (agree_items(copies, method="dawid-skene", gold=gold) for gold in (None, truth.iloc[::5]))
    raw = agree_items(frame, method="dawid-skene").calibration(rest)  # the votes without the copies
    assert told.calibration(rest).ece < 0.05
    assert told.calibration(rest).log_loss == pytest.approx(raw.log_loss, abs=0.02)
    assert blind.calibration(rest).log_loss < 1.1 * raw.log_loss  # the dispersion sees most of it


def test_figures_of_a_known_posterior():
    """Worked by hand: two items at .8, one right; one at .6, right."""
    found = calibration([[0.8, 0.2], [0.2, 0.8], [0.6, 0.4]], [0, 0, 0])
    assert (found.n, found.accuracy) == (3, pytest.approx(2 / 3))
    assert found.ece == pytest.approx((2 * 0.3 + 0.4) / 3)
    assert found.brier == pytest.approx((0.04 + 0.64 + 0.16) / 3)
    assert found.log_loss == pytest.approx(-np.log([0.8, 0.2, 0.6]).mean())
    assert found.bins["n"].tolist() == [1, 2]
    with pytest.raises(QualityError, match="0 items"):
        calibration(np.empty((0, 2)), [])
    with pytest.raises(QualityError, match="true labels 0 to 2"):
        calibration([[0.5, 0.5]] * 2, [0, 2])


# ---------------------------------------------------------------------- gold and the choice
def test_gold_is_certain_and_teaches():
    frame, truth = crowd([0.95, 0.4, 0.4], items=200, seed=3)
    gold = truth.iloc[:50]
    found = agree_items(frame, gold=gold, method="dawid-skene")
    assert (found.label[:50] == gold).all()
    assert (found.confidence[:50] == 1).all()
    assert found.table["gold"].sum() == 50
    skill = found.annotators
    assert (skill["n_gold"] == 50).all()
    said = frame[frame["annotator"] == "person:0"].set_index("task")["label"]
    assert skill.loc["person:0", "gold_accuracy"] == (said[gold.index] == gold).mean()
    rest = truth.iloc[50:]
    assert right(found, rest) > right(agree_items(frame, method="majority"), rest) + 0.1


def test_the_method_is_chosen_on_gold_left_out_and_is_the_majority_without():
    frame, truth = crowd([0.95, 0.9, 0.4, 0.4, 0.4])
    assert agree_items(frame).method == "majority"
    assert agree_items(frame, gold=truth.iloc[:9]).method == "majority"  # too little to choose on
    for by in ("log_loss", "accuracy"):
        found = agree_items(frame, gold=truth.iloc[::6], by=by)
        assert found.method in MODELS
        assert list(found.evidence.index) == sorted(METHODS)
        assert (found.evidence["n"] == 50).all()
        assert found.evidence.loc[found.method, "accuracy"] > found.evidence.loc["majority", "accuracy"]
    equal = pd.DataFrame({"log_loss": [0.5, 0.495], "accuracy": [0.9, 0.905]}, index=["majority", "glad"])
    assert choice(equal, "log_loss") == choice(equal, "accuracy") == "majority"  # not by more than the margin


def test_a_gold_label_that_nobody_said_is_possible():
    frame = pd.DataFrame({"task": ["a", "b"], "annotator": "x", "label": ["crop", "crop"]})
    found = agree_items(frame, gold={"a": "water"})
    assert found.label["a"] == "water"
    assert list(found.posterior) == ["crop", "water"]


def test_gold_that_contradicts_itself_is_refused():
    frame, _ = crowd([0.9], items=3)
    with pytest.raises(QualityError, match=r"i0001.*'class 0' and 'class 2'"):
        agree_items(frame, gold=pd.Series(["class 0", "class 2"], index=["i0001", "i0001"]))
    with pytest.raises(QualityError, match="no label"):
        agree_items(frame, gold={"i0001": np.nan})


# ---------------------------------------------------------------------- laws
@pytest.mark.parametrize("method", [None, *sorted(METHODS)])
def test_the_order_of_the_rows_does_not_matter(method):
    frame, truth = crowd([0.8, 0.7, 0.5, 0.5], items=60, votes=40, seed=5)
    gold = truth.iloc[:20]
    one = agree_items(frame, gold=gold, method=method)
    for seed in range(3):
        other = agree_items(
            frame.sample(frac=1, random_state=seed), gold=gold.sample(frac=1, random_state=seed), method=method
        )
        assert other.method == one.method
        pd.testing.assert_frame_equal(other.posterior, one.posterior, check_exact=True)
        pd.testing.assert_frame_equal(other.annotators, one.annotators, check_exact=True)
        pd.testing.assert_frame_equal(other.evidence, one.evidence, check_exact=True)


def test_ties_go_by_name_and_numbers_are_ordered_as_numbers():
    frame = pd.DataFrame({"task": ["a", "a"], "annotator": ["x", "y"], "label": ["water", "crop"]})
    assert agree_items(frame).label["a"] == "crop"
    numbers = frame.assign(label=[10, 9])
    assert agree_items(numbers).label["a"] == 9
    assert list(agree_items(frame.assign(label=[1, "one"])).posterior) == [1, "one"]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_one_annotator_and_one_label(method):
    frame = pd.DataFrame({"task": ["a", "b"], "annotator": "x", "label": ["crop", "water"]})
    found = agree_items(frame, method=method)
    assert found.label.tolist() == ["crop", "water"]
    only = agree_items(frame.assign(label="crop"), method=method)
    assert only.confidence.tolist() == [1, 1]


def test_rules_and_models_weigh_nothing_beside_people():
    frame = pd.DataFrame(
        [
            ("a", "person:1", "crop"),
            ("a", "rule:x@1", "water"),
            ("a", "model:y@1", "water"),
            ("b", "rule:x@1", "water"),
        ],
        columns=["task", "annotator", "label"],
    )
    found = agree_items(frame)
    assert found.label.to_dict() == {"a": "crop", "b": "water"}
    assert (found.unheard, found.table.loc["a", "n_votes"]) == (2, 1)


# ---------------------------------------------------------------------- input
def test_answers_without_a_label_are_dropped_and_counted():
    frame = pd.DataFrame({"task": ["a", "a", "b"], "annotator": ["x", "y", "x"], "label": ["crop", None, None]})
    found = agree_items(frame)
    assert (found.missing, found.label.to_dict()) == (2, {"a": "crop"})


@pytest.mark.parametrize(("repeated", "expected"), [("first", "crop"), ("last", "water")])
def test_a_second_answer_counts_by_the_rule_that_was_told(repeated, expected):
    frame = pd.DataFrame({"task": "a", "annotator": "x", "label": ["crop", "water"], "when": [2, 1]})
    with pytest.raises(QualityError, match="'x' answered 'a' more than once"):
        agree_items(frame)
    found = agree_items(frame, names=Names(repeated=repeated))
    assert (found.label["a"], found.repeated) == (expected, 1)
    for rows in (frame, frame.iloc[::-1]):  # by time the order of the rows does not matter
        timed = agree_items(rows, names=Names(repeated=repeated, at="when"))
        assert timed.label["a"] != expected


def test_bad_tables_are_refused():
    frame = pd.DataFrame({"task": ["a"], "annotator": ["x"], "label": ["crop"]})
    with pytest.raises(QualityError, match="no label among"):
        agree_items(frame.iloc[:0])
    with pytest.raises(QualityError, match="no label among"):
        agree_items(frame.assign(label=None))
    with pytest.raises(TableError, match="no column 'worker'"):
        agree_items(frame, names=Names(annotator="worker"))
    with pytest.raises(QualityError, match="do not say whose"):
        agree_items(frame.assign(annotator=None))
    with pytest.raises(QualityError, match="no method 'dawid'"):
        agree_items(frame, method="dawid")
    with pytest.raises(QualityError, match="chosen by 'f1'"):
        agree_items(frame, by="f1")
    with pytest.raises(QualityError, match="repeated answers 'newest'"):
        Names(repeated="newest")
    found = agree_items(frame, gold={"a": "crop"})
    with pytest.raises(QualityError, match="not gold"):
        found.calibration({"a": "crop"})
    with pytest.raises(QualityError, match="nobody said 'sea'"):
        agree_items(frame).calibration({"a": "sea"})


# ---------------------------------------------------------------------- pairs and points
def test_kappa_of_a_published_table():
    """Cohen's grant proposals as Fleiss, Levin & Paik (2003), table 18.1, has it: 100 subjects, .85 and .676."""
    counts = {("p", "p"): 75, ("p", "n"): 1, ("p", "o"): 4, ("n", "p"): 5, ("n", "n"): 4, ("n", "o"): 1, ("o", "o"): 10}
    rows = [one for one, n in counts.items() for _ in range(n)]
    first, second = (pd.Series([row[side] for row in rows]) for side in (0, 1))
    found = pair(first, second)
    assert (found.n, found.agreement) == (100, pytest.approx(0.89))
    assert found.kappa == pytest.approx(0.676, abs=5e-4)
    assert found.kappa_interval.low < 0.676 < found.kappa_interval.high
    assert found.agreement_interval.low < 0.89 < found.agreement_interval.high


def test_pairs_that_cannot_be_compared():
    one = pd.Series(["a", "b", None], index=[1, 2, 3])
    assert pair(one, one).n == 2
    assert np.isnan(pair(one[:1], one[:1]).kappa)  # chance explains everything
    with pytest.raises(QualityError, match="none of them the same"):
        pair(one, one.set_axis([7, 8, 9]))
    with pytest.raises(QualityError, match="item 1 is labeled more than once"):
        pair(one.set_axis([1, 1, 2]), one)


def test_points_carry_the_consensus():
    frame = pd.DataFrame(
        {"task": ["a", "a", "b"], "annotator": ["x", "y", "x"], "label": "crop", "lon": [1.0, 1.0, 2.0], "lat": 5.0}
    )
    items = agree_items(frame)
    points = agreed_points(items, frame)
    assert points.crs.to_epsg() == 4326
    assert points.geometry.x.tolist() == [1, 2]
    assert points["label"].tolist() == ["crop", "crop"]
    assert points["p_crop"].tolist() == [1, 1]
    own = gpd.GeoDataFrame(frame[["task"]], geometry=gpd.points_from_xy([10, 10, 20], [0, 0, 0]), crs="EPSG:32633")
    assert agreed_points(items, own).crs.to_epsg() == 32633
    with pytest.raises(QualityError, match="'b' has no place"):
        agreed_points(items, frame.iloc[:2])
    with pytest.raises(QualityError, match="'a' has places that differ"):
        agreed_points(items, frame.assign(lat=[5.0, 6.0, 5.0]))
    with pytest.raises(TableError, match="no column 'lon'"):
        agreed_points(items, frame.drop(columns="lon"))
