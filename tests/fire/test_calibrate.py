"""Calibration on scars: what is identified, what is not, and that it says so."""

import dataclasses

import numpy as np
import pytest

from fire.ground import flat, patchy, wind
from geolabel.errors import FireError
from geolabel.fire.calibrate.fit import calibrate
from geolabel.fire.calibrate.likelihood import Perimeter
from geolabel.fire.calibrate.posterior import COLUMNS, scaled
from geolabel.fire.calibrate.prior import Prior
from geolabel.fire.front.arrival import spread
from geolabel.fire.score import sorensen

START, RUNS = (30, 30), 160
AIR = wind(4.0, 200.0, hours=10)
RATE, WIND, HOURS = 0.7, 1.3, 3.0
PRIOR = Prior(hours=(1.0, 6.0))


@pytest.fixture(scope="module")
def ground():
    return patchy(61, seed=5, fuels=(102, 122, 165))


@pytest.fixture(scope="module")
def start(ground):
    return ground.nearest_burnable(*START)


@pytest.fixture(scope="module")
def fire(ground, start):
    return spread(ground, scaled(AIR, WIND), start, HOURS, rate_factor=RATE)


def learned(ground, start, *perimeters, **more):
    return calibrate(ground, AIR, start, perimeters, **{"seed": 1, "runs": RUNS, "prior": PRIOR, "pieces": 4.0, **more})


@pytest.fixture(scope="module")
def untimed(ground, start, fire):
    return learned(ground, start, Perimeter(fire.burned))


@pytest.fixture(scope="module")
def timed(ground, start, fire):
    return learned(ground, start, *(Perimeter(fire.burned_by(h), h) for h in (1.0, 2.0, HOURS)))


def holds(found, name, truth):
    low, high = found.interval(name)[1:]
    return low <= truth <= high


# ------------------------------------------------------------------ what is identified
def test_a_scar_without_time_gives_rate_times_duration_and_not_the_rate(untimed, timed):
    assert holds(untimed, "reach", RATE * HOURS)
    assert untimed.narrowed("reach") > 0.5
    assert untimed.narrowed("rate_factor") < 0.45 < timed.narrowed("rate_factor")
    assert untimed.correlation < -0.7
    assert any("never rate" in sentence and "rate factor x hours" in sentence for sentence in untimed.words)


def test_timed_perimeters_give_the_rate(timed, untimed):
    assert holds(timed, "rate_factor", RATE)
    assert holds(timed, "wind_factor", WIND)
    assert timed.narrowed("rate_factor") > untimed.narrowed("rate_factor") + 0.2
    assert np.isnan(timed.correlation)
    assert not any("never rate" in sentence for sentence in timed.words)


def test_times_before_a_last_outline_without_one(ground, start, fire):
    found = learned(ground, start, Perimeter(fire.burned_by(1.4), 1.4), Perimeter(fire.burned))
    assert holds(found, "rate_factor", RATE)
    assert holds(found, "hours", HOURS)
    assert found.draws["hours"].min() > 1.4


def test_a_clock_that_runs_twice_as_fast_halves_the_rate(ground, start, fire, timed):
    """Weather that does not change: times twice as long and rates half as high leave the same perimeters."""
    slow = learned(ground, start, *(Perimeter(fire.burned_by(h), 2 * h) for h in (1.0, 2.0, HOURS)))
    assert slow.interval("rate_factor")[0] == pytest.approx(timed.interval("rate_factor")[0] / 2, rel=0.15)


def test_walls_bound_the_extent_from_above(start):
    """A fire that filled all it could reach may have been as fast as you like, but not slow."""
    fuel = np.full((61, 61), 102, np.int16)
    fuel[[20, 40], 20:41] = fuel[20:41, [20, 40]] = 99
    inside = np.zeros(fuel.shape, bool)
    inside[21:40, 21:40] = True
    found = learned(flat(61, fuel=fuel), START, Perimeter(inside))
    (_, low, high), (_, low_before, high_before) = found.interval("reach"), found.interval("reach", before=True)
    assert low > 1.5 * low_before
    assert high > 0.9 * high_before


def test_suppression_that_nobody_observed_looks_like_a_slow_fire(ground, start, fire):
    """People contained it after half the time: a low rate where nobody says so, the right one where it is told."""
    closes = np.full(fire.burned.shape, HOURS * 30, np.float32)
    stopped = spread(ground, scaled(AIR, WIND), start, HOURS, rate_factor=RATE, closes_min=closes)
    assert np.array_equal(stopped.burned, fire.burned_by(HOURS / 2))
    seen = Perimeter(stopped.burned, HOURS)
    silent, told = learned(ground, start, seen), learned(ground, start, seen, closes_min=closes)
    assert silent.interval("rate_factor")[2] < RATE < told.interval("rate_factor")[2]
    assert told.interval("rate_factor")[0] > 1.4 * silent.interval("rate_factor")[0]
    assert holds(told, "rate_factor", RATE)
    assert silent.words[0].startswith("Suppression bias: fires are simulated without suppression")
    assert told.words[0].startswith("Suppression bias: only the control lines given")


# ------------------------------------------------------------------ the result
def test_draws_are_weighted_and_agree_with_fires_burned_anew(ground, start, fire, untimed):
    draws = untimed.draws
    assert tuple(draws.columns) == COLUMNS
    assert draws[["weight", "before"]].sum().tolist() == pytest.approx([1, 1])
    one = draws.loc[draws["weight"].idxmax()]
    air = AIR.changed(speed_m_s=AIR.speed_m_s * one["wind_factor"], from_deg=(AIR.from_deg + one["turn_deg"]) % 360)
    again = spread(ground, air, start, one["hours"], setting="fast", rate_factor=one["rate_factor"]).burned
    new = np.ones(again.shape, bool)
    new[start] = False
    assert one["sorensen"] == pytest.approx(sorensen((fire.burned & new), (again & new)), abs=1e-6)
    assert untimed.interval("sorensen")[0] > untimed.interval("sorensen", before=True)[0] + 0.2


def test_the_prior_is_what_it_was(untimed):
    """Before the scar is looked at, reweighted draws have the prior's quantiles, whatever the rounds drew."""
    weight = untimed.draws["before"].to_numpy()
    for name, sd in (("rate_factor", PRIOR.log_rate_sd), ("wind_factor", PRIOR.log_wind_sd)):
        log = np.log(untimed.values(name)) / sd
        assert weight @ log == pytest.approx(0, abs=0.25)
        assert np.sqrt(weight @ log**2) == pytest.approx(1, abs=0.25)
    assert untimed.interval("hours", before=True)[0] == pytest.approx(np.sqrt(6), rel=0.05)


def test_probability_of_having_burned(ground, start, fire, untimed):
    chance = untimed.burned_probability
    assert chance[start] == 1
    assert (chance[~ground.burnable] == 0).all()
    assert ((chance >= 0) & (chance <= 1)).all()
    assert chance[fire.burned].mean() > 0.75 > 0.25 > chance[~fire.burned & ground.burnable].mean()


def test_factors_for_another_fire(untimed, ground):
    air, rate = untimed.apply(AIR)
    assert rate == untimed.interval("rate_factor")[0]
    assert air.speed_m_s[0] == pytest.approx(AIR.speed_m_s[0] * untimed.interval("wind_factor")[0])
    rng = np.random.default_rng(0)
    members = [untimed.member(AIR, rng)[1] for _ in range(300)]
    assert np.median(members) == pytest.approx(rate, rel=0.15)
    assert np.std(np.log(members)) > 0.2  # a draw each: the spread goes on


def test_same_seed_same_draws_for_any_number_of_threads(ground, start, fire):
    seen, done = Perimeter(fire.burned), []
    one = learned(ground, start, seen, runs=80, threads=1)
    two = learned(ground, start, seen, runs=80, threads=3, progress=lambda *step: done.append(step))
    other = learned(ground, start, seen, runs=80, seed=2)
    assert one.draws.equals(two.draws)
    assert np.array_equal(one.burned_probability, two.burned_probability)
    assert one.digest == two.digest != other.digest
    assert not one.draws.equals(other.draws)
    assert ("fires of round 4 of 4", 20, 20) in done


def test_words_go_with_the_numbers(untimed, ground, start, fire):
    page = untimed._repr_html_()
    for sentence in untimed.words:
        assert sentence in str(untimed)
    assert "Suppression bias" in page
    assert "rate factor x hours" in page
    few = dataclasses.replace(untimed, draws=untimed.draws.assign(weight=(untimed.draws.index == 0) * 1.0))
    assert few.effective_runs == 1
    assert "more of them" in few.words[-1]


def test_what_a_fire_cannot_reach_is_counted_and_told(start):
    fuel = np.full((61, 61), 102, np.int16)
    fuel[:, 36] = 99
    ground = flat(61, fuel=fuel)
    scar = np.zeros(fuel.shape, bool)
    scar[24:33, 26:42] = True
    found = learned(ground, START, Perimeter(scar), runs=80)
    assert found.unreachable == 9 * 6  # the wall's own cells and those behind it
    assert found.interval("sorensen")[2] <= 2 * 89 / (89 + 89 + 54) + 1e-6
    assert any("54 burned cells cannot be reached" in sentence for sentence in found.words)


# ------------------------------------------------------------------ what is refused
def test_what_is_refused(ground, start, fire):
    late, short = Perimeter(fire.burned, 2.0), wind(3.0, 200.0, hours=2)
    with pytest.raises(FireError, match="perimeters at"):
        learned(ground, start, late, Perimeter(fire.burned, 1.0))
    with pytest.raises(FireError, match="perimeters at"):
        learned(ground, start, Perimeter(fire.burned), late)
    with pytest.raises(FireError, match="no perimeter"):
        learned(ground, start)
    with pytest.raises(FireError, match="without a burned cell"):
        Perimeter(fire.burned & False)
    with pytest.raises(FireError, match="a perimeter of"):
        learned(ground, start, Perimeter(fire.burned[1:]))
    with pytest.raises(FireError, match="the weather ends"):
        calibrate(ground, short, start, [Perimeter(fire.burned)], seed=1, prior=PRIOR)
    with pytest.raises(FireError, match="its duration was to be"):
        learned(ground, start, Perimeter(fire.burned_by(1), 7.0), Perimeter(fire.burned))
    with pytest.raises(FireError, match="simulated fires"):
        learned(ground, start, late, runs=10)
    elsewhere = np.zeros(fire.burned.shape, bool)
    elsewhere[start] = True
    with pytest.raises(FireError, match="none of the"):
        learned(ground, start, Perimeter(elsewhere))
    with pytest.raises(FireError, match="impossible prior"):
        Prior(log_rate_sd=0)
    with pytest.raises(FireError, match="a duration between"):
        Prior(hours=(3, 1))
