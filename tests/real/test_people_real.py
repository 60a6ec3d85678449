"""Real people: two crowds whose truth is known, one set of points that two teams labeled, and real objects."""

import pandas as pd
import pytest
from benchmarks.cover import trees
from benchmarks.people import QUESTION, crowd, scene, sudan, sudan_pairs

from geolabel.quality.items import Names, agree_items, agreed_points
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder():
    return data_folder("crowd")


def test_bluebirds(folder):
    """Published here: majority .759; crowd-kit's Dawid-Skene .889 of the 108 items (oracle rows of the evidence)."""
    one = crowd(folder, "bluebirds")
    majority, found = (one.agree(method=name).calibration(one.truth) for name in ("majority", "dawid-skene"))
    assert majority.accuracy == pytest.approx(0.759, abs=5e-4)
    assert found.accuracy >= 96 / 108
    assert found.log_loss < 0.65  # crowd-kit's: 1.14


def test_bluebirds_with_a_fifth_of_the_items_as_gold(folder):
    one = crowd(folder, "bluebirds")
    gold = one.gold(0.2)
    found = one.agree(gold=gold)
    assert found.method == "dawid-skene"
    told = found.calibration(one.truth)
    assert (told.n, found.evidence.loc["dawid-skene", "n"]) == (108 - len(gold), len(gold))
    assert told.log_loss < 0.4
    assert told.ece < 0.1


def test_product(folder):
    """Published here: majority .897; crowd-kit's Dawid-Skene .9397 of the 8,315 items."""
    one = crowd(folder, "product")
    assert one.agree(method="majority").calibration(one.truth).accuracy == pytest.approx(0.897, abs=5e-4)
    told = one.agree(method="dawid-skene").calibration(one.truth)
    assert told.n == 8315
    assert told.accuracy >= 0.9397
    assert told.ece < 0.04


def test_the_sudan_pair(folder):
    """The data's README: .8661 and .7160 on 1,195 plots; .865 and .711 without the 55 rows of one annotator.

    The latter are those of all rows, in which a plot that was answered twice counts twice; with one answer a plot they
    are .863 and .708.
    """
    found = sudan_pairs(folder)
    plots, rows, independent = (found[name] for name in ("plots", "independent rows", "independent plots"))
    assert (plots.n, round(plots.agreement, 4), round(plots.kappa, 4)) == (1195, 0.8661, 0.7160)
    assert (rows.n, round(rows.agreement, 3), round(rows.kappa, 3)) == (1152, 0.865, 0.711)
    assert (independent.n, round(independent.agreement, 3), round(independent.kappa, 3)) == (1140, 0.863, 0.708)
    assert plots.kappa_interval.low < 0.716 < plots.kappa_interval.high


def test_the_sudan_points_on_the_ground(folder):
    """Both sets as one table: who labeled a plot in both sets is one voice, and the points keep their places."""
    first, second = sudan(folder)
    both = pd.concat([first, second], ignore_index=True)
    names = Names("plotid", "annotator", QUESTION, at="collection_time", repeated="first")
    items = agree_items(both, names=names)
    assert items.missing == 1
    assert items.repeated >= 55
    points = agreed_points(items, both, task="plotid")
    assert len(points) == both["plotid"].nunique()
    assert points.geometry.x.between(21, 39).all()
    assert set(points["label"]) == {"Crop", "Non-crop"}


def test_simulated_annotators_of_real_tree_crowns_are_beaten_by_their_consensus():
    truth = trees(data_folder("objects-osbs-trees"))[1].geometry
    one = scene(truth, name="tree_crown", res_m=0.1, tile=200)
    whole = one.skill(one.agreed())
    assert whole.f1 > max(one.skill(one.of(name)).f1 for name in one.annotators) + 0.02
    assert whole.n_truth >= 61  # cut by tiles
