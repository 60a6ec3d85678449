from itertools import product

import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.people.sequential import Sprt, judge, operating

TEST = Sprt()


def careers(pass_rate, n=120, count=3000, test=TEST, seed=0):
    """Verdicts on simulated annotators who pass this share of their tasks."""
    drawn = np.random.default_rng(seed).random((count, n)) < pass_rate
    return [judge(one.tolist(), test) for one in drawn]


def test_who_fails_everything_is_paused_at_once():
    verdict = judge([False] * 50, TEST)
    needed = np.ceil(np.log(2 / TEST.alpha) / np.log((1 - TEST.careless) / (1 - TEST.careful)))
    assert (verdict.state, verdict.n, verdict.failed) == ("pause", needed, needed)
    assert verdict.llr >= verdict.upper


def test_who_passes_everything_is_cleared_and_goes_on():
    verdict = judge([True] * 50, TEST)
    needed = int(np.ceil(np.log(1 / TEST.beta) / np.log(TEST.careful / TEST.careless)))
    assert (verdict.state, verdict.n, verdict.cleared) == ("cleared", 50, 50 // needed)
    assert judge([True] * (needed - 1), TEST).state == "continue"
    assert verdict.upper > TEST.upper(0)  # each test after a clearance spends less


def test_nothing_seen_is_nothing_said():
    verdict = judge([], TEST)
    assert (verdict.state, verdict.n, verdict.llr) == ("continue", 0, 0.0)


def test_a_careful_annotator_is_hardly_ever_paused_however_long():
    """Wald's inequality, over a whole career of tests; the exact figure does not come near it by chance."""
    exact = operating(TEST, TEST.careful, 400).paused_by[-1]
    assert exact <= TEST.alpha
    seen = np.mean([one.state == "pause" for one in careers(TEST.careful)])
    assert seen <= TEST.alpha


def test_a_careless_one_is_cleared_by_the_first_test_in_at_most_beta():
    cleared = np.mean([one.cleared > 0 for one in careers(TEST.careless)])
    assert cleared <= TEST.beta + 0.01
    known = operating(TEST, TEST.careless, 200)
    assert known.paused_by[-1] >= 1 - TEST.beta


@pytest.mark.parametrize("pass_rate", [0.4, 0.62, 0.9])
def test_simulation_agrees_with_the_exact_figures(pass_rate):
    known, seen = operating(TEST, pass_rate, 120), careers(pass_rate)
    share = np.mean([one.state == "pause" for one in seen])
    assert share == pytest.approx(known.paused_by[-1], abs=0.04)  # four standard errors and more


def test_exact_figures_are_those_of_all_careers_counted():
    test, n = Sprt(alpha=0.3, beta=0.3), 9
    for pass_rate in (0.2, 0.7):
        total = 0.0
        for career in product((True, False), repeat=n):
            chance = np.prod([pass_rate if passed else 1 - pass_rate for passed in career])
            total += chance * (judge(career, test).state == "pause")
        assert operating(test, pass_rate, n).paused_by[-1] == pytest.approx(total)


def test_expected_tasks_are_near_walds_approximation():
    """Wald 1945, equation 4.8: the bounds divided by what a task adds; overshoot makes it somewhat longer."""
    p, (ok, bad) = TEST.careless, TEST.steps
    drift = p * ok + (1 - p) * bad
    wald = ((1 - TEST.beta) * TEST.upper() + TEST.beta * TEST.lower) / drift
    assert wald * 0.9 < operating(TEST, p, 400).expected_tasks < wald * 1.4


def test_the_better_somebody_is_the_later_they_are_paused():
    paused = [operating(TEST, rate, 60).paused_by[-1] for rate in (0.0, 0.3, 0.55, 0.85, 1.0)]
    assert paused == sorted(paused, reverse=True)
    assert (paused[0], paused[-1]) == (pytest.approx(1), 0)
    assert operating(TEST, 0.0, 60).within(0.95) == 4
    assert operating(TEST, 1.0, 60).within(0.95) is None


def test_a_truncated_test_ends_in_favour_of_the_annotator():
    test = Sprt(most=3)
    verdict = judge([True, False, True, True], test)
    assert (verdict.state, verdict.cleared, verdict.failed) == ("cleared", 1, 1)
    assert operating(test, test.careful, 100).paused_by[-1] <= test.alpha


@pytest.mark.parametrize(
    "bad", [{"careful": 0.5, "careless": 0.6}, {"alpha": 0}, {"beta": 1}, {"most": 0}, {"careful": 1.0}]
)
def test_a_test_that_makes_no_sense_is_told(bad):
    with pytest.raises(QualityError) as told:
        Sprt(**bad)
    assert told.value.hint
    with pytest.raises(QualityError):
        operating(TEST, 1.5)
