"""Ensembles: the same for any number of threads, honest about chance, and about the fire they are drawn around."""

import numpy as np
import pytest

from fire.ground import flat, patchy, wind
from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.campaign.campaign import BIN_MIN, campaign, random_fires
from geolabel.fire.campaign.uncertainty import Uncertainty, drawn_weather
from geolabel.fire.front.arrival import spread
from geolabel.fire.landscape import fuel_from_terrain
from geolabel.fire.weather.field import Zones

HOURS = (0.5, 1.0, 3.0)
SURE = Uncertainty(speed_share=0, direction_deg=0, log_rate=0, log_moisture=0)


@pytest.fixture(scope="module")
def ground():
    return patchy(48, seed=11)


@pytest.fixture(scope="module")
def start(ground):
    return ground.nearest_burnable(24, 24)


@pytest.fixture(scope="module")
def ensemble(ground, start):
    return campaign(ground, wind(5.0, 200.0), start, HOURS, members=40, seed=5)


RASTERS = (
    "counts",
    "arrivals",
    "flames",
    "rose",
    "east",
    "north",
    "rate_m_min",
    "bearing_deg",
    "probability",
    "size_ha",
)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(ground, start, ensemble, threads):
    again = campaign(ground, wind(5.0, 200.0), start, HOURS, members=40, seed=5, threads=threads)
    for name in RASTERS:
        assert np.array_equal(getattr(again, name), getattr(ensemble, name), equal_nan=True), name


def test_another_seed_is_another_draw(ground, start, ensemble):
    other = campaign(ground, wind(5.0, 200.0), start, HOURS, members=40, seed=6)
    assert not np.array_equal(other.counts, ensemble.counts)


def test_probability_grows_and_stays_on_burnable_ground(ground, start, ensemble):
    p = ensemble.probability
    assert p.shape == (3, 48, 48)
    assert (np.diff(p, axis=0) >= 0).all()
    assert p.min() == 0
    assert (p[:, start[0], start[1]] == 1).all()
    assert not p[-1][~ground.burnable].any()
    assert ensemble.counts[-1].sum() == ensemble.arrivals.sum()


def test_without_uncertainty_it_is_one_fire(ground, start):
    air = wind(5.0, 200.0)
    sure = campaign(ground, air, start, HOURS, members=3, seed=1, unsure=SURE, setting="accurate")
    fire = spread(ground, air, start, HOURS[-1])
    for i, hour in enumerate(HOURS):
        assert np.array_equal(sure.probability[i] == 1, fire.burned_by(hour))
        assert np.array_equal(sure.probability[i] > 0, fire.burned_by(hour))
    burned = fire.burned
    assert np.abs(sure.arrival_min(0.5) - fire.arrival_min)[burned].max() <= BIN_MIN / 2 + 1e-3
    moving = np.isfinite(fire.bearing_deg)
    assert difference(sure.bearing_deg, fire.bearing_deg)[moving].max() < 0.01
    assert sure.rate_m_min[moving] == pytest.approx(fire.rate_m_min[moving], rel=1e-3)


def test_quantiles_of_arrival_are_in_order(ensemble):
    early, middle, late = (ensemble.arrival_min(q) for q in (0.1, 0.5, 0.9))
    came = ensemble.counts[-1] > 0
    assert np.isnan(early[~came]).all()
    assert (early <= middle)[came].all()
    assert (middle <= late)[came].all()
    assert (early < late)[came].any()


def test_error_is_that_of_repeated_campaigns(ground, start):
    """The spread of the probability over many small campaigns is the standard error each of them claims."""
    runs = [campaign(ground, wind(5.0, 200.0), start, (2.0,), members=16, seed=s) for s in range(30)]
    p = np.stack([run.probability[0] for run in runs])
    unsettled = (p.mean(0) > 0.2) & (p.mean(0) < 0.8)
    claimed = np.mean([run.error[0][unsettled].mean() for run in runs])
    assert p.std(0)[unsettled].mean() == pytest.approx(claimed, rel=0.15)
    assert runs[0].error.min() > 0  # sixteen fires that all spare a cell are no proof


def test_drawn_weather_scatters_as_it_says():
    rng = np.random.default_rng(0)
    unsure = Uncertainty(speed_share=0.2, direction_deg=15, correlation=0.7, log_moisture=0.1)
    drawn = [drawn_weather(wind(10.0, 350.0), 12, unsure, rng) for _ in range(400)]
    speed = np.stack([d.speed_m_s for d in drawn])
    assert speed.mean() == pytest.approx(10, abs=0.3)
    assert speed.std(0) == pytest.approx(2.0 * np.ones(12), rel=0.15)
    assert np.corrcoef(speed[:, 3], speed[:, 4])[0, 1] == pytest.approx(0.7, abs=0.1)
    turned = (np.stack([d.from_deg for d in drawn]) - 350 + 180) % 360 - 180
    assert turned.std() == pytest.approx(15, rel=0.1)
    assert np.log([d.m1[0] for d in drawn]).std() == pytest.approx(0.1, rel=0.15)
    assert len(drawn[0].hours) == 12


def test_moisture_of_zones_errs_as_that_of_the_weather_does():
    """One factor for all: a zone with the weather's own moistures stays equal to them, one twice as wet twice."""
    air = wind(5.0, 200.0, m1=0.05, m10=0.06, m100=0.07, live_herb=0.7, live_woody=0.9)
    own = air.moisture[None, :, :1] * np.array([1.0, 2.0])[:, None, None]
    zoned = air.changed(zones=Zones(np.zeros((4, 4), np.int16), own))
    drawn = drawn_weather(zoned, 3, Uncertainty(log_moisture=0.1), np.random.default_rng(1))
    assert drawn.zones.moisture[0] == pytest.approx(drawn.moisture)
    assert drawn.zones.moisture[1] == pytest.approx(2 * drawn.moisture)
    assert drawn.m1[0] != 0.05


def test_a_calm_stays_uncertain_by_metres_a_second():
    rng, unsure = np.random.default_rng(0), Uncertainty(speed_share=0.3, speed_m_s=0.8, correlation=0)
    windy = np.concatenate([drawn_weather(wind(2.0), 24, unsure, rng).speed_m_s for _ in range(100)])
    assert windy.std() == pytest.approx(1.0, rel=0.05)  # hypot(.6, .8)
    calm = np.concatenate([drawn_weather(wind(0.0), 24, unsure, rng).speed_m_s for _ in range(100)])
    assert (calm > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_twice_the_uncertainty_is_twice_each_deviation():
    twice = Uncertainty(speed_m_s=0.4).times(2)
    assert twice == Uncertainty(0.5, 60.0, 0.8, 0.7, 0.3, 0.8)


def test_fuel_is_drawn_for_each_member():
    codes = np.full((31, 31), 4, np.uint8)
    mixed = campaign(
        flat(31, fuel=102),
        wind(3.0),
        (15, 15),
        (1.0,),
        members=30,
        seed=3,
        unsure=SURE,
        fuels=lambda rng: fuel_from_terrain(codes, {4: {102: 0.5, 188: 0.5}}, rng),
    )
    values = set(np.unique(mixed.counts[-1]).tolist())
    assert len(values) == 3  # none, the members of the fast fuel, all


def test_random_fires_are_reproducible_and_differ(ground):
    cells = [ground.nearest_burnable(*at) for at in ((10, 10), (10, 10), (35, 30))]
    fires = list(random_fires(ground, wind(5.0, 200.0), cells, 2.0, seed=9))
    again = list(random_fires(ground, wind(5.0, 200.0), cells, 2.0, seed=9, threads=1))
    assert all(np.array_equal(a.arrival_min, b.arrival_min) for a, b in zip(fires, again, strict=True))
    assert not np.array_equal(fires[0].arrival_min, fires[1].arrival_min)
    assert all(fire.arrival_min[cell] == 0 for fire, cell in zip(fires, cells, strict=True))


def test_what_is_refused(ground, start):
    with pytest.raises(FireError, match="1 members"):
        campaign(ground, wind(), start, HOURS, members=1, seed=0)
    with pytest.raises(FireError, match="asks for 30 h"):
        campaign(ground, wind(hours=24), start, (30.0,), members=2, seed=0)
    with pytest.raises(FireError, match="correlation"):
        Uncertainty(correlation=1.0)
    bare = tuple(np.argwhere(~ground.burnable)[0].tolist())
    with pytest.raises(FireError, match="Bare ground"):
        campaign(ground, wind(), bare, HOURS, members=2, seed=0)
