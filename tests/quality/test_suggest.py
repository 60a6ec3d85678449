"""What to label next: what an answer mends by enumeration, batches within their budget, and laws of the order."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.doubt.gain import expected_gain, posterior
from geolabel.quality.doubt.pace import Pace, outline_px
from geolabel.quality.doubt.suggest import Candidates, Worth, likeness, places, suggest, uncertainty, unseen
from geolabel.tables import SUGGESTED, check


# ---------------------------------------------------------------------- what one more answer mends
@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("skill", [0.6, 0.9])
def test_posterior_and_gain_are_those_of_all_that_could_be_true_and_said(k, skill):
    rng = np.random.default_rng(k)
    prior = np.clip(rng.dirichlet(np.ones(k), 7).T, 0.02, None)
    prior /= prior.sum(0)
    answers, right = rng.integers(0, k, (2, 7)), np.array([0.8, 0.7])

    def says(answer, truth, chance):
        return chance if answer == truth else (1 - chance) / (k - 1)

    after, gain = posterior(prior, answers, right), expected_gain(posterior(prior, answers, right), skill)
    for i in range(7):
        joint = np.array(
            [prior[t, i] * np.prod([says(a[i], t, r) for a, r in zip(answers, right, strict=True)]) for t in range(k)]
        )
        joint /= joint.sum()
        assert after[:, i] == pytest.approx(joint)
        table = np.zeros((k, k))
        for said, truth in product(range(k), range(k)):
            table[said, truth] = joint[truth] * says(said, truth, skill)
        assert gain[i] == pytest.approx(table.max(1).sum() - joint.max())


def test_an_answer_mends_nothing_where_all_is_sure_and_most_where_nothing_is_known():
    sure, unsure = posterior([[0.999], [0.001]], np.empty((0, 1)), []), posterior([[0.5], [0.5]], np.empty((0, 1)), [])
    assert expected_gain(sure, 0.9) == pytest.approx(0)
    assert expected_gain(unsure, 0.9) == pytest.approx(0.4)


def test_a_label_against_the_model_is_worth_asking_again_and_one_with_it_is_not():
    prior = np.array([[0.1], [0.9]])
    against, along = (posterior(prior, [[code]], [0.9]) for code in (0, 1))
    assert expected_gain(against, 0.9) > 0.3
    assert expected_gain(along, 0.9) == pytest.approx(0)


def test_who_is_no_better_than_chance_changes_nothing_and_what_was_not_judged_does_not_count():
    prior = np.array([[0.3, 0.6], [0.7, 0.4]])
    assert posterior(prior, [[0, 1]], [0.2]) == pytest.approx(prior)
    assert posterior(prior, [[-1, -1]], [0.9]) == pytest.approx(prior)


def test_answers_beyond_the_classes_and_skills_that_are_no_share_are_refused():
    with pytest.raises(QualityError, match="for 2 classes"):
        posterior([[0.5], [0.5]], [[2]], [0.9])
    with pytest.raises(QualityError, match="skills"):
        posterior([[0.5], [0.5]], [[1]], [1.5])


# ---------------------------------------------------------------------- the batch
def candidates(n=12, seed=0, labeled=(0, 1), **more):
    rng = np.random.default_rng(seed)
    marked = np.isin(np.arange(n), labeled)
    known = {
        "names": tuple(f"tile/{i:02d}" for i in range(n)),
        "labeled": marked,
        "open": np.ones(n, bool),
        "gain": rng.uniform(0.05, 0.4, n),
        "reliable": np.where(marked, 0.9, 0.0),
        "features": rng.normal(size=(n, 6)),
        "shares": rng.dirichlet([1, 1], n),
        "minutes": rng.uniform(0.5, 2, n),
        "classes": ("nothing", "water"),
    }
    return Candidates(**(known | more))


def shuffled(given, order):
    rows = ("labeled", "open", "gain", "reliable", "features", "shares", "minutes")
    return replace(
        given, names=tuple(given.names[i] for i in order), **{name: getattr(given, name)[order] for name in rows}
    )


def test_a_batch_keeps_its_budget_its_columns_and_no_task_twice():
    for budget in (0.1, 1, 3, 100):
        told = check(suggest(candidates(), budget), SUGGESTED)
        assert told["minutes"].sum() <= budget + 1e-6
        assert told["task"].is_unique
    assert len(told) == 12
    assert set(told["action"]) == {"new", "relabel"}
    assert set(told.loc[told["action"] == "relabel", "task"]) == {"tile/00", "tile/01"}


def test_the_order_of_the_candidates_does_not_matter_and_ties_break_by_name():
    given = candidates()
    order = np.random.default_rng(1).permutation(12)
    assert list(suggest(shuffled(given, order), 5)["task"]) == list(suggest(given, 5)["task"])
    same = candidates(
        4, labeled=(), gain=np.full(4, 0.2), features=np.zeros((4, 2)), shares=np.full((4, 2), 0.5), minutes=np.ones(4)
    )
    first = suggest(shuffled(same, np.array([2, 3, 1, 0])), 1)["task"]
    assert list(first) == ["tile/00"]


def test_what_is_not_open_is_never_suggested():
    closed = np.arange(12) % 2 == 0
    told = suggest(candidates(open=~closed), 100)
    assert {int(name[-2:]) % 2 for name in told["task"]} == {1}


def test_a_batch_is_not_the_same_tile_ten_times():
    """Ten copies of the most doubtful tile, and one other: the other comes second."""
    features = np.vstack([np.zeros((10, 3)), [[5.0, 5.0, 5.0]], [[-5.0, 5.0, 0.0]], [[-5.0, 5.0, 0.0]]])
    gain = np.r_[np.full(10, 0.4), 0.1, 0.05, 0.05]
    alike = candidates(
        13, labeled=(11, 12), features=features, gain=gain, minutes=np.ones(13), shares=np.full((13, 2), 0.5)
    )
    assert suggest(alike, 2)["task"].tolist() == ["tile/00", "tile/10"]
    assert "tile/10" not in suggest(alike, 2, worth=Worth(diversity=0))["task"].tolist()


def test_a_rare_class_is_favoured_and_the_reason_names_it():
    shares = np.array([[1.0, 0.0]] * 5 + [[0.2, 0.8]])
    rare = candidates(
        6, labeled=(0, 1, 2, 3), shares=shares, gain=np.full(6, 0.2), features=np.eye(6), minutes=np.ones(6)
    )
    told = suggest(rare, 1)
    assert told["task"].tolist() == ["tile/05"]
    assert "water expected" in told["reason"][0]


def test_a_doubtful_label_comes_before_new_ground_and_a_sure_one_after_it():
    for doubt, action in ((0.4, "relabel"), (0.001, "new")):
        one = candidates(
            2,
            labeled=(0,),
            gain=np.array([doubt, 0.1]),
            features=np.eye(2),
            minutes=np.ones(2),
            shares=np.full((2, 2), 0.5),
        )
        assert suggest(one, 1)["action"].tolist() == [action]


def test_classes_that_one_label_has_alone_mean_that_more_are_to_come():
    """Good 1953: one of three labeled tiles shows a class that the others have not."""
    some = candidates(5, labeled=(0, 1, 2), shares=np.array([[1, 0], [1, 0], [0, 1], [1, 0], [1, 0]], float))
    assert unseen(some) == pytest.approx(1 / 3)
    assert unseen(candidates(labeled=())) == 1
    assert unseen(candidates(shares=np.full((12, 2), 0.5))) == 0
    same = uncertainty(candidates(shares=np.full((12, 2), 0.5)), np.ones(12))
    assert same == pytest.approx(candidates().gain)


def test_likeness_is_one_with_oneself_and_falls_with_distance():
    points = places(np.array([[0.0], [1.0], [3.0], [np.nan]]))
    like = np.stack([likeness(points, i) for i in range(4)])
    assert np.diag(like) == pytest.approx(1)
    assert like == pytest.approx(like.T)
    assert like[0, 1] > like[0, 2]
    assert likeness(places(np.zeros((3, 2))), 0) == pytest.approx(1)
    assert likeness(places(np.full((3, 2), np.nan)), 0) == pytest.approx(1)


@pytest.mark.parametrize("budget", [0, -1, float("nan")])
def test_no_budget_and_tiles_without_time_are_refused(budget):
    with pytest.raises(QualityError, match="budget"):
        suggest(candidates(), budget)
    with pytest.raises(QualityError, match="no time"):
        candidates(minutes=np.zeros(12))
    with pytest.raises(QualityError, match="candidates with columns"):
        candidates(gain=np.zeros(3))


# ---------------------------------------------------------------------- minutes
def test_a_pace_is_learned_back_from_times_it_made():
    outline = np.arange(0, 200, 10)
    true = Pace(0.25, 0.01)
    found = Pace.of(outline, true.minutes(outline) * 60)
    assert (found.look_min, found.px_min) == pytest.approx((0.25, 0.01))
    assert Pace.of([10, 20], [30, 0]) == Pace()  # too few are timed
    with pytest.raises(QualityError):
        Pace.of([1, 2], [3])


def test_the_outline_of_a_square_is_its_border_and_the_edge_of_a_tile_is_none():
    codes = np.zeros((20, 20), int)
    codes[5:10, 5:10] = 1
    assert outline_px(codes) == 16
    assert outline_px(np.ones((20, 20), int)) == 0
    codes[:] = 0
    codes[:, :7] = 2
    assert outline_px(codes) == 20
