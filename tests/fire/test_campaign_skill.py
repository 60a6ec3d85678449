"""Ensembles that are drawn as the truth is are as wrong as they say; drawn too narrow, they are found out."""

import numpy as np
import pytest

from fire.ground import patchy, wind
from geolabel.errors import FireError
from geolabel.fire.campaign.campaign import campaign, random_fires
from geolabel.fire.campaign.skill import _crps, spread_skill
from geolabel.fire.campaign.uncertainty import Uncertainty

HOURS, MEMBERS, CASES = (0.5, 1.0), 20, 48
AIR = wind(4.0, 200.0)


@pytest.fixture(scope="module")
def ground():
    return patchy(40, seed=4, share_bare=0.05)


@pytest.fixture(scope="module")
def starts(ground):
    rng = np.random.default_rng(1)
    return [ground.nearest_burnable(*rng.integers(8, 32, 2)) for _ in range(CASES)]


@pytest.fixture(scope="module")
def ensembles(ground, starts):
    """Of the usual uncertainty."""
    seeds = range(1000, 1000 + CASES)
    return [
        campaign(ground, AIR, start, HOURS, members=MEMBERS, seed=seed, bin_min=5.0)
        for start, seed in zip(starts, seeds, strict=True)
    ]


def scored(ground, starts, ensembles, truths):
    fires = random_fires(ground, AIR, starts, HOURS[-1], seed=5, unsure=truths)
    return spread_skill((one, truth.arrival_min) for one, truth in zip(ensembles, fires, strict=True))


@pytest.fixture(scope="module")
def honest(ground, starts, ensembles):
    return scored(ground, starts, ensembles, Uncertainty())


@pytest.fixture(scope="module")
def narrow(ground, starts, ensembles):
    return scored(ground, starts, ensembles, Uncertainty().times(2))


def test_truths_of_the_same_draw_are_as_far_off_as_the_spread_says(honest):
    low, high = honest.ratio_interval()
    assert low < 1 < high
    assert honest.ratio == pytest.approx(1, abs=0.2)
    assert honest.outer_ranks == pytest.approx(0.2, abs=0.07)
    assert np.corrcoef(honest.spread_min, honest.error_min)[0, 1] > 0.9
    assert np.abs(honest.forecast - honest.observed).max() < 0.15
    share = (honest.size_ranks + 0.5) / (honest.members + 1)
    assert share.mean() == pytest.approx(0.5, abs=0.12)


def test_truths_of_twice_the_uncertainty_show_that_the_ensembles_are_too_sure(honest, narrow):
    _, high = narrow.ratio_interval()
    assert high < 0.95
    assert narrow.ratio < honest.ratio - 0.15
    assert narrow.outer_ranks > honest.outer_ranks + 0.05
    assert narrow.crps_min > honest.crps_min
    share = (narrow.size_ranks + 0.5) / (narrow.members + 1)
    assert np.mean((share < 0.1) | (share > 0.9)) > 0.3


def test_tables_hold_the_figures(honest):
    assert list(honest.table()) == ["spread_min", "error_min", "share"]
    assert honest.table()["share"].sum() == pytest.approx(1)
    assert honest.reliability()["share"].sum() == pytest.approx(1)
    assert honest.ranks.sum() == pytest.approx(1)


def test_crps_is_the_integral_over_time():
    """Against sums over a fine clock, members even within their bins."""
    rng, begins, n = np.random.default_rng(0), np.array([0.0, 5, 10, 20, 60]), 12
    counts = rng.multinomial(n, [0.2, 0.3, 0.2, 0.1, 0.2], size=7).T.astype(float)
    truth = np.array([0.0, 3.0, 5.0, 12.0, 33.0, 59.0, 60.0])
    clock = (np.arange(60_000) + 0.5) / 1000
    for cell in range(7):
        share = np.interp(clock, begins, np.concatenate([[0], np.cumsum(counts[:-1, cell])]) / n)
        exact = ((share - (clock >= truth[cell])) ** 2).mean() * 60
        assert _crps(counts[:, [cell]], truth[[cell]], begins, n)[0] == pytest.approx(exact, rel=1e-3)


def test_what_is_refused(ground):
    with pytest.raises(FireError, match="no case"):
        spread_skill([])
    start = ground.nearest_burnable(20, 20)
    some = [campaign(ground, wind(), start, hours, members=2, seed=0) for hours in ((0.5,), (1.0,))]
    with pytest.raises(FireError, match=r"up to \[30.0, 60.0\]"):
        spread_skill([(one, np.zeros((40, 40))) for one in some])
    with pytest.raises(FireError, match=r"shape \(3, 3\)"):
        spread_skill([(some[0], np.zeros((3, 3)))])
