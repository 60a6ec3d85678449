"""Moisture of dead fuel: the printed equations, the lag's closed form, and units that cannot be."""

import numpy as np
import pytest

from geolabel.errors import FireError
from geolabel.fire.behave.rothermel import cured_share
from geolabel.fire.danger.moisture import (
    TIME_LAG_H,
    Air,
    at_fuel,
    dead_moisture,
    equilibrium_moisture,
    herb_moisture_of_curing,
    lagged,
    settled,
)


def fahrenheit(degrees):
    return (degrees - 32) / 1.8


@pytest.mark.parametrize(
    ("temp_f", "rh", "percent"),
    # by hand from Cohen & Deeming (1985), eq. 1a-1c
    [(80.0, 5.0, 1.2065), (80.0, 30.0, 5.8480), (80.0, 80.0, 15.7807), (32.0, 100.0, 27.2707), (100.0, 10.0, 2.3502)],
)
def test_equilibrium_by_hand(temp_f, rh, percent):
    assert equilibrium_moisture(fahrenheit(temp_f), rh) * 100 == pytest.approx(percent, abs=1e-3)


def test_equilibrium_rises_with_humidity_and_falls_with_heat():
    rh = np.linspace(1, 100, 400)
    for temp in (-20.0, 0.0, 20.0, 42.0):
        moist = equilibrium_moisture(temp, rh)
        assert (np.diff(moist) > 0).all()
        assert 0 < moist.min() < moist.max() < 0.32
    warmer = equilibrium_moisture(np.linspace(-30, 45, 60)[:, None], rh)
    assert (np.diff(warmer, axis=0) <= 0).all()


def test_the_sun_dries():
    assert at_fuel(20.0, 40.0, 0) == pytest.approx((20 + 25 / 1.8, 30.0))
    assert at_fuel(20.0, 40.0, 3) == pytest.approx((20 + 5 / 1.8, 40.0))
    assert at_fuel(20.0, 40.0, np.nan) == pytest.approx((20.0, 40.0))
    with pytest.raises(FireError, match="state of weather of 7"):
        at_fuel(20.0, 40.0, 7)
    clear, overcast = (dead_moisture(Air(np.ones(5), 25.0 + np.zeros(5), 30.0, 0.0, s)).m1[-1] for s in (0, 3))
    assert clear < overcast


def test_a_time_lag_is_63_percent_of_the_way():
    for lag in TIME_LAG_H.values():
        assert lagged(0.2, 0.05, lag, lag) == pytest.approx(0.05 + 0.15 / np.e)
    assert lagged(0.2, 0.05, 0.0, 10.0) == 0.2
    assert lagged(0.2, 0.05, 1e4, 10.0) == pytest.approx(0.05)


def test_steady_air_brings_every_size_to_its_equilibrium():
    air = Air(np.full(60, 24.0), np.full(60, 22.0), 35.0)
    end = dead_moisture(air, start={"m1": 0.3, "m10": 0.3, "m100": 0.3})
    for name in TIME_LAG_H:
        assert getattr(end, name)[-1] == pytest.approx(float(equilibrium_moisture(22.0, 35.0)), abs=1e-6)
    assert end.m1[1] < end.m10[1] < end.m100[1] < 0.3


def test_without_a_start_a_day_that_repeats_goes_on_as_it_was():
    hour = np.arange(24.0)
    temp, rh = 20 + 8 * np.sin(hour / 24 * 2 * np.pi), 50 - 30 * np.sin(hour / 24 * 2 * np.pi)
    once = dead_moisture(Air(np.ones(24), temp, rh))
    for name in TIME_LAG_H:
        assert getattr(once, name)[0] == pytest.approx(getattr(once, name)[-1])
    assert np.ptp(once.m1) > 2.5 * np.ptp(once.m10) > 12 * np.ptp(once.m100)
    # what runs before day after day does not matter: the same from a long run
    long = dead_moisture(
        Air(np.ones(24 * 40), np.tile(temp, 40), np.tile(rh, 40)), start={"m1": 0.3, "m10": 0.3, "m100": 0.3}
    )
    assert long.m100[-1] == pytest.approx(once.m100[0], abs=1e-4)
    assert settled(np.array([0.1, 0.2]), np.array([30.0, 5.0]), 10.0) == pytest.approx(0.1)  # only the first 24 h


def test_rain_wets_fine_fuel_first():
    air = Air(np.ones(8), np.full(8, 15.0), 90.0, rain_mm_h=np.r_[0, 0, 3, 3, 3, 0, 0, 0])
    wet = dead_moisture(air, start={"m1": 0.1, "m10": 0.1, "m100": 0.1})
    assert wet.m1[5] > 0.32
    assert wet.m1[5] > wet.m10[5] > wet.m100[5] > 0.1
    assert wet.m1[8] < wet.m1[5]
    drizzle = dead_moisture(Air(np.ones(3), np.full(3, 15.0), 40.0, rain_mm_h=0.01))
    assert drizzle.m1[-1] < 0.1


def test_places_broadcast():
    temp = np.array([[10.0, 30.0], [12.0, 33.0]])
    both = dead_moisture(Air(np.array([2.0, 1.0]), temp, np.array([[80.0, 20.0]])))
    for place in (0, 1):
        alone = dead_moisture(Air(np.array([2.0, 1.0]), temp[:, place], [80.0, 20.0][place]))
        assert both.m10[:, place] == pytest.approx(alone.m10)


def test_curing_seen_in_the_field():
    assert herb_moisture_of_curing([0, 1]).tolist() == [1.2, 0.3]
    assert cured_share(herb_moisture_of_curing([0.1, 0.5, 0.9])) == pytest.approx([0.1, 0.5, 0.9])
    with pytest.raises(FireError, match="60"):
        herb_moisture_of_curing(60.0)


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"temp_c": [293.0, 295.0]}, "295", "kelvin"),
        ({"rh_percent": [0.3, 0.4]}, "0.4", "percent: 42"),
        ({"rh_percent": [30.0, np.nan]}, "1 values of rh_percent are missing", "fill"),
        ({"rain_mm_h": -99.0}, "-99", "negative"),
        ({"hours": [1.0, 0.0]}, "steps", "above 0"),
        ({"hours": [1.0]}, "2 values", "one a step"),
    ],
)
def test_other_units_are_told(wrong, message, hint):
    with pytest.raises(FireError, match=message) as error:
        Air(**({"hours": [1.0, 1.0], "temp_c": [20.0, 21.0], "rh_percent": 40.0} | wrong))
    assert hint in error.value.hint


def test_starts_are_fractions():
    air = Air(np.ones(2), np.full(2, 20.0), 40.0)
    with pytest.raises(FireError, match="m10 moisture of 7") as error:
        dead_moisture(air, start={"m10": 7.0})
    assert "6 % is 0.06" in error.value.hint
    with pytest.raises(FireError, match="m1000"):
        dead_moisture(air, start={"m1000": 0.1})
