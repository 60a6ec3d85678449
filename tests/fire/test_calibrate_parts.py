"""The parts of a calibration against closed forms: importance sampling, and the likelihood of perimeters."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import ndtr

from fire.ground import flat
from geolabel.fire.calibrate.likelihood import BEYOND, OUTLIERS, Likelihood, Perimeter, observed, reachable
from geolabel.fire.calibrate.posterior import quantiles
from geolabel.fire.calibrate.prior import ERRORS, Prior, error_prior
from geolabel.fire.calibrate.sampling import Proposal, effective, flattened, normalised, sample


# ------------------------------------------------------------------ importance sampling
def test_a_normal_posterior_is_found():
    """Normal prior, normal likelihood far from it: mean, covariance and evidence in closed form."""
    prior = Proposal(np.zeros(3), np.diag([1.0, 4.0, 0.25]))
    seen, noise = np.array([2.0, -3.0, 0.4]), np.diag([0.01, 0.04, 1.0])

    def log_likelihood(x, _):
        return -0.5 * ((x - seen) ** 2 / np.diag(noise)).sum(1)

    x, log_weight = sample(prior, 5, 400, log_likelihood, np.random.default_rng(0))
    share = normalised(log_weight)
    gain = prior.covariance @ np.linalg.inv(prior.covariance + noise)
    mean, covariance = gain @ seen, prior.covariance - gain @ prior.covariance
    found = share @ x
    assert np.abs((found - mean) / np.sqrt(np.diag(covariance))).max() < 0.12
    spread = ((x - found) ** 2 * share[:, None]).sum(0)
    assert spread.tolist() == pytest.approx(np.diag(covariance).tolist(), rel=0.2)
    assert effective(share) > 400
    both = prior.covariance + noise
    evidence = np.exp(-0.5 * seen @ np.linalg.inv(both) @ seen) * np.sqrt(np.linalg.det(noise) / np.linalg.det(both))
    assert np.exp(log_weight).mean() == pytest.approx(evidence, rel=0.15)


def test_no_weight_exceeds_the_likelihood_times_the_rounds():
    prior = Proposal(np.zeros(1), np.eye(1))
    _, log_weight = sample(prior, 4, 50, lambda x, _: -50 * (x[:, 0] - 2) ** 2, np.random.default_rng(1))
    assert log_weight.max() <= np.log(4) + 1e-9


def test_flattened_weights_keep_enough_draws():
    sharp = -(np.arange(100.0) ** 2)
    assert effective(normalised(sharp)) < 3
    assert 24 < effective(flattened(sharp)) < 30
    assert np.array_equal(flattened(np.zeros(100)), np.full(100, 0.01))


def test_weighted_quantiles():
    values = np.random.default_rng(2).random(1001)
    even = quantiles(values, np.full(1001, 1 / 1001))
    assert even.tolist() == pytest.approx(np.quantile(values, (0.5, 0.05, 0.95)).tolist(), abs=2e-3)
    assert quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.0, 0.2, 0.8])).tolist() == [2, 1, 2]


# ------------------------------------------------------------------ priors
def test_durations_are_even_in_the_logarithm():
    found = Prior(hours=(0.5, 6.0)).durations_h()
    assert np.diff(np.log(found)).tolist() == pytest.approx([np.log(12) / len(found)] * (len(found) - 1))
    assert 0.5 < found[0] < found[-1] < 6.0
    assert Prior(hours=(0.5, 6.0)).durations_h(after=3.0)[0] > 3.0
    assert np.ptp(Prior(hours=(2.0, 2.0)).durations_h()) == 0
    assert error_prior().sum() == pytest.approx(1)


# ------------------------------------------------------------------ the likelihood
@pytest.fixture
def arrival():
    rows, cols = np.indices((31, 31))
    return (np.hypot(rows - 15, 1.7 * (cols - 15)) * 6).astype(np.float32)


def seen_of(arrival, *perimeters, pieces=10.0):
    ground, start = flat(31), arrival == 0
    return observed(ground, start, perimeters, Prior(hours=(0.5, 4.0)), pieces=pieces)


def by_hand(arrival, rings, times_min, error):
    """Log-probability of every cell's ring, added up cell by cell."""
    by = [np.zeros(arrival.shape), *(ndtr(np.log(t / arrival) / error) for t in times_min), np.ones(arrival.shape)]
    chance = np.choose(rings, [later - earlier for earlier, later in pairwise(by)])
    return np.log(OUTLIERS / len(by[:-1]) + (1 - OUTLIERS) * chance)


def test_the_likelihood_of_a_scar_is_the_sum_over_its_cells(arrival):
    seen = seen_of(arrival, Perimeter(arrival < 62))
    assert (seen.ring >= 0).sum() == arrival.size - 1  # all but the start
    table = Likelihood(seen).log(arrival)
    assert table.shape == (len(seen.durations_h), len(ERRORS))
    new = arrival > 0
    cells = (arrival < 62)[new].sum()
    for d, error in ((4, 1), (10, 3), (20, 5)):
        minutes = seen.durations_h[d] * 60
        direct = by_hand(arrival[new], np.where(arrival[new] < 62, 0, 1), [minutes], ERRORS[error])
        assert table[d, error] == pytest.approx(direct.sum() * 10 / cells, rel=0.02, abs=0.02)
    best = np.unravel_index(table.argmax(), table.shape)
    assert seen.durations_h[best[0]] * 60 == pytest.approx(62, rel=0.07)
    assert best[1] == 0  # the arrival is the true one


def test_the_likelihood_of_timed_perimeters(arrival):
    seen = seen_of(arrival, Perimeter(arrival < 30, 0.5), Perimeter(arrival < 60, 1.0))
    (table,) = Likelihood(seen).log(arrival)
    new = arrival > 0
    rings = np.digitize(arrival[new], [30, 60])
    came = np.where(arrival[new] > 90, 90 * BEYOND, arrival[new])  # fires run 90 minutes; what came later is not known
    for i, error in enumerate(ERRORS):
        direct = by_hand(came, rings, [30, 60], error).sum() * 10 / (rings < 2).sum()
        assert table[i] == pytest.approx(direct, rel=0.02, abs=0.02)
    off = Likelihood(seen)
    assert max(off.log(arrival * 1.5).max(), off.log(arrival / 1.5).max()) < table.max() - 2


def test_slower_and_longer_is_the_same(arrival):
    """The ridge: arrival and duration multiplied by the same number have the same likelihood."""
    seen = seen_of(arrival, Perimeter(arrival < 62))
    judge, shift = Likelihood(seen), 6
    slower = np.float32(seen.durations_h[shift] / seen.durations_h[0])
    one, two = judge.log(arrival)[8:20], judge.log(arrival * slower)[8 + shift : 20 + shift]
    assert np.abs(one - two).max() < 0.1 + 0.02 * np.abs(one).max()


def test_what_is_not_scored(arrival):
    """Ground that does not burn says nothing of how far a fire would have gone, nor what lies behind it."""
    fuel = np.full((31, 31), 102, np.int16)
    fuel[:, 20] = 99
    ground, scar = flat(31, fuel=fuel), arrival < 62
    seen = observed(ground, arrival == 0, [Perimeter(scar)], Prior(hours=(0.5, 4.0)))
    assert (seen.ring[:, 20:] == -1).all()
    assert (seen.ring[:, :20] >= 0).sum() == 31 * 20 - 1
    assert seen.unreachable == scar[:, 20:].sum()
    reach = reachable(ground.burnable, arrival == 0)
    assert reach[:, :20].all()
    assert not reach[:, 20:].any()


def test_a_later_outline_holds_all_of_an_earlier_one(arrival):
    """Mapped perimeters shrink at times; ground that burned stays burned."""
    seen = seen_of(arrival, Perimeter(arrival < 40, 0.5), Perimeter((arrival < 60) & (arrival > 12), 1.0))
    assert (seen.ring[(arrival < 12) & (arrival > 0)] == 0).all()
    assert np.array_equal(seen.burned, (arrival < 60) & (arrival > 0))


def test_fires_run_past_the_last_time_and_no_longer_than_the_weather(arrival):
    one, start = Perimeter(arrival < 60, 1.0), arrival == 0
    assert seen_of(arrival, one).horizon_h == BEYOND
    assert observed(flat(31), start, [one], Prior(), lasts_h=1.2).horizon_h == 1.2
    assert not seen_of(arrival, Perimeter(arrival < 60)).timed
    assert seen_of(arrival, one).timed
