import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from geolabel.errors import ModelError
from geolabel.model.calibrate import Calibration, calibration_error, fit_calibration, identity, reliability

probabilities = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=30, unique=True)


def stack(p):
    return np.asarray(p)[None, :, None, :]  # (n, hour, y, x)


@settings(deadline=None)
@given(probabilities, st.floats(0.2, 5), st.floats(-3, 3))
def test_calibration_keeps_the_ranking_and_makes_no_ties(values, slope, shift):
    p = np.sort(np.round(values, 7))
    keep = np.concatenate([[True], np.diff(p) > 1e-6])
    out = Calibration((slope,), (shift,), "").apply(stack([p[keep]])).ravel()
    inside = (out > 1e-12) & (out < 1 - 1e-12)
    assert (np.diff(out[inside]) > 0).all()


@given(st.lists(st.tuples(st.floats(0.2, 5), st.floats(-3, 3)), min_size=3, max_size=3), st.integers(0, 99))
def test_calibrated_probability_does_not_fall_with_the_hour(lines, seed):
    p = np.sort(np.random.default_rng(seed).random((3, 20)), axis=0)
    out = Calibration(tuple(a for a, _ in lines), tuple(b for _, b in lines), "").apply(stack(p))
    assert (np.diff(out, axis=1) >= 0).all()


def test_overconfidence_is_taken_back():
    rng = np.random.default_rng(0)
    truth = rng.normal(-1.5, 1.5, (900, 1, 8, 8))
    burned = rng.random(truth.shape) < expit(truth)
    said = expit(2 * truth + 1)  # twice too sure, and too high
    found = fit_calibration(said, burned, np.ones((900, 8, 8), bool), np.arange(900))
    assert found.slope[0] == pytest.approx(0.5, abs=0.05)
    assert found.shift[0] == pytest.approx(-0.5, abs=0.1)
    before, after = (reliability(p, burned) for p in (said, found.apply(said)))
    assert after.calibration_error < 0.02 < before.calibration_error
    assert after.expected_to_observed == pytest.approx(1, abs=0.03)
    assert after.brier < before.brier


def test_cells_of_one_fire_tell_little():
    rng = np.random.default_rng(1)
    truth = rng.normal(-1.5, 1.5, (40, 1, 30, 30))
    burned, scored = rng.random(truth.shape) < expit(truth), np.ones((40, 30, 30), bool)
    one, many = (fit_calibration(expit(2 * truth), burned, scored, fire) for fire in (np.zeros(40), np.arange(40)))
    assert 1 > one.slope[0] > many.slope[0]


def test_an_hour_with_too_few_burned_cells_is_left_alone_and_said_so():
    p = np.full((2, 2, 20, 20), 0.3)
    burned = np.zeros((2, 2, 20, 20), bool)
    burned[:, 1, :10] = True
    found = fit_calibration(p, burned, np.ones((2, 20, 20), bool), np.arange(2))
    assert (found.slope[0], found.shift[0]) == (1.0, 0.0)
    assert "1 of 2 hours left as they were" in found.note
    assert "no validation" in fit_calibration(p, burned, np.zeros((2, 20, 20), bool), np.arange(2)).note
    np.testing.assert_allclose(identity(2, "why").apply(p), p)


def test_figures_of_known_cases():
    known = reliability(np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 0, 1, 0]))
    assert known.brier == pytest.approx(0.1875)
    assert (known.n_cells, known.n_at_least_5_percent, known.observed) == (4, 4, 2)
    assert known.expected_to_observed == pytest.approx(1.25)
    constant = reliability(np.full(10, 0.3), np.arange(10) < 3)
    assert constant.brier_skill == pytest.approx(0)
    assert constant.calibration_error == pytest.approx(0.42)  # bins of one cell each: .3 * .7 + .7 * .3
    zero = reliability(np.zeros(50), np.arange(50) < 1)
    assert zero.calibration_error is None  # predicting zero does not look calibrated
    assert reliability(np.full(4, 0.2), np.zeros(4)).brier_skill is None


def test_calibration_error_by_hand():
    p, y = np.array([0.1] * 10 + [0.9] * 10), np.array([0] * 8 + [1] * 2 + [1] * 10, bool)
    assert calibration_error(p, y, bins=2) == pytest.approx((0.1 + 0.1) / 2)


def test_the_slope_is_that_of_a_logistic_regression():
    rng = np.random.default_rng(2)
    x = rng.normal(-1, 1.5, 4000)
    y = rng.random(4000) < expit(0.7 * x + 0.2)
    oracle = LogisticRegression(C=np.inf, tol=1e-8).fit(x[:, None], y).coef_[0, 0]
    assert reliability(expit(x), y).slope == pytest.approx(oracle, abs=1e-3)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ModelError):
        reliability(np.array([0.5, 1.2]), np.array([0, 1]))
    with pytest.raises(ModelError):
        reliability(np.array([0.5]), np.array([0, 1]))
