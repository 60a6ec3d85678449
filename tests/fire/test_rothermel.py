"""The point model against Behave, and against its own limits."""

import csv

import numpy as np
import pytest

from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.behave.flame import eccentricity, flame_length_m, length_to_width, rate_toward
from geolabel.fire.behave.fuel import beds, fuel_models
from geolabel.fire.behave.midflame import (
    map_bearing_deg,
    sheltered_adjustment,
    unsheltered_adjustment,
    wind_on_slope_m_min,
)
from geolabel.fire.behave.rothermel import cured_share, head_fire, surface_fuel, wind_factor
from support import shared_folder

D2L2 = np.array([0.06, 0.07, 0.08, 0.60, 0.90])[:, None]


@pytest.fixture(scope="module")
def behave():
    path = shared_folder("reference") / "rothermel_surface.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    numbers = [k for k in rows[0] if k not in ("code", "case", "moisture")]
    return {k: np.array([float(r[k]) if r[k] else np.nan for r in rows]) for k in numbers} | {
        "case": np.array([r["case"] for r in rows])
    }


def of(table, **options):
    fuel = surface_fuel(
        beds(table["fuel_model"].astype(int)),
        np.stack([table[f"m_{part}"] for part in ("1h", "10h", "100h", "lherb", "lwoody")]),
    )
    at = (table[k] for k in ("midflame_wind_m_min", "wind_from_deg", "slope_rise_run", "aspect_deg"))
    return head_fire(fuel, *at, **options)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("rate_m_min", "behave_ros_m_min"), ("flame_m", "behave_flame_m"), ("intensity_kw_m", "behave_fli_kw_m")],
)
def test_within_three_permille_of_behave(behave, ours, theirs):
    value, reference = getattr(of(behave), ours), behave[theirs]
    error = np.abs(value - reference) / np.maximum(reference, 1e-9)
    spreads = behave["behave_ros_m_min"] > 0.05
    assert spreads.sum() > 350
    assert error[spreads].max() < 0.003
    assert error[~spreads & (reference > 0)].max() < 0.02


def test_direction_and_backing_rate_of_behave(behave):
    fire = of(behave)
    moves = behave["behave_ros_m_min"] > behave["behave_back_ros_m_min"] * 1.01
    apart = np.abs((fire.bearing_deg - behave["behave_dir_deg"] + 180) % 360 - 180)
    assert apart[moves].max() < 0.05
    back = rate_toward(fire.rate_m_min, fire.eccentricity, 180.0)
    reference = behave["behave_back_ros_m_min"]
    assert np.abs(back / reference - 1)[reference > 0.01].max() < 0.003


def test_without_the_wind_limit_as_pyretechnics(behave):
    level = (behave["slope_rise_run"] == 0) & ~np.isin(behave["fuel_model"], [4, 5, 7, 10])
    error = of(behave, wind_limit=False).rate_m_min / behave["pyret_nolimit_ros_m_min"] - 1
    assert np.nanmax(np.abs(error[level & (behave["behave_ros_m_min"] > 0.05)])) < 0.005


@pytest.mark.parametrize("limit", [True, False])
def test_projected_as_pyretechnics_lays_wind_on_slopes(behave, limit):
    """All cases on slopes; not the models whose live load pyretechnics has as herbs, nor close to extinction."""
    theirs = behave["pyret_limit_ros_m_min" if limit else "pyret_nolimit_ros_m_min"]
    known = (behave["slope_rise_run"] > 0) & ~np.isin(behave["fuel_model"], [4, 5, 7, 10]) & (theirs > 0.05)
    fire = of(behave, wind_on_slope="projected", wind_limit=limit)
    error = np.abs(fire.rate_m_min / theirs - 1)[known]
    assert known.sum() > 120
    assert error.max() < 0.004
    assert np.median(error) < 3e-4
    assert difference(fire.bearing_deg, behave["pyret_nolimit_dir_deg"])[known].max() < 0.001
    upslope = known & (behave["case"] == "c11")
    assert np.median(fire.rate_m_min[upslope] / behave["behave_ros_m_min"][upslope]) == pytest.approx(1.05, abs=0.01)


def test_wind_laid_on_a_slope_by_hand():
    for wind_to, speed in ((0.0, 100 * np.hypot(1, 0.3)), (180.0, 100 * np.hypot(1, 0.3)), (90.0, 100.0)):
        along, to = wind_on_slope_m_min(100.0, wind_to, 0.3, 180.0)  # the slope rises to the north
        assert along == pytest.approx(speed)
        assert difference(to, wind_to) == pytest.approx(0.0, abs=1e-9)
    bearings = np.linspace(0, 359, 60)
    _, in_plane = wind_on_slope_m_min(1.0, bearings, 0.7, 250.0)
    assert difference(map_bearing_deg(in_plane, 0.7, 250.0), bearings) == pytest.approx(np.zeros(60), abs=1e-9)
    assert difference(in_plane, bearings).max() > 5


def test_curing_runs_from_120_to_30_percent():
    assert cured_share([0.29, 0.30, 0.75, 1.2, 1.5]) == pytest.approx([1, 1, 0.5005, 0.001, 0], abs=1e-6)


def test_herbs_cure_only_in_dynamic_models():
    wet, dry = D2L2.copy(), D2L2.copy()
    wet[3], dry[3] = 1.20, 0.30
    rates = [surface_fuel(beds([101, 2]), m).rate_m_min for m in (wet, dry)]
    assert rates[1][0] > 2 * rates[0][0]  # GR1 is dynamic
    assert surface_fuel(beds([1]), wet).rate_m_min == surface_fuel(beds([1]), dry).rate_m_min  # FM1 has no herbs


def test_extinction_stops_the_fire():
    soaked = np.array([0.5, 0.5, 0.5, 1.5, 1.5])[:, None]
    fuel = surface_fuel(beds(fuel_models()), soaked)
    assert fuel.rate_m_min == pytest.approx(np.zeros(53), abs=1e-9)


def test_wind_limit_holds_the_rate():
    fuel = surface_fuel(beds([101]), D2L2)
    gale = [head_fire(fuel, wind, 180.0, 0.0, np.nan).rate_m_min[0] for wind in (500.0, 1000.0)]
    assert gale[0] == pytest.approx(gale[1])
    assert gale[0] == pytest.approx((fuel.rate_m_min * (1 + wind_factor(fuel, fuel.max_wind_m_min)))[0])
    free = head_fire(fuel, 1000.0, 180.0, 0.0, np.nan, wind_limit=False).rate_m_min[0]
    assert free > 2 * gale[1]


@pytest.mark.parametrize(
    ("wind", "from_deg", "slope", "aspect", "to"),
    [
        (100.0, 180.0, 0.0, np.nan, 0),
        (100.0, 270.0, 0.0, np.nan, 90),
        (0.0, 0.0, 0.5, 180.0, 0),
        (0.0, 0.0, 0.5, 90.0, 270),
    ],
)
def test_wind_comes_from_and_slope_pulls_up(wind, from_deg, slope, aspect, to):
    fire = head_fire(surface_fuel(beds([102]), D2L2), wind, from_deg, slope, aspect)
    assert difference(fire.bearing_deg, to) == pytest.approx(0.0, abs=1e-9)


def test_an_unknown_way_to_put_wind_on_a_slope():
    with pytest.raises(FireError, match="tilted"):
        head_fire(surface_fuel(beds([1]), D2L2), 1.0, 0.0, 0.0, 0.0, wind_on_slope="tilted")


def test_ellipse_and_flame_by_hand():
    assert length_to_width(0.0) == pytest.approx(1.0)
    assert length_to_width(5 * 26.8224) == pytest.approx(1.590, abs=1e-3)  # Anderson (1983) at 5 mph
    assert length_to_width(1e5) == 8.0
    assert eccentricity(2.0) == pytest.approx(np.sqrt(0.75))
    assert flame_length_m(100 * 3.46146) == pytest.approx(0.45 * 100**0.46 * 0.3048, rel=1e-5)


def test_wind_adjustment_by_hand():
    # unsheltered, for the depths of fuel models 1, 3, 4 and 8: Andrews (2012), RMRS-GTR-266
    assert unsheltered_adjustment([1.0, 2.5, 6.0, 0.2]) == pytest.approx([0.36, 0.44, 0.55, 0.28], abs=5e-3)
    assert sheltered_adjustment(0.6, 15.0) < 0.2 < unsheltered_adjustment(1.0)
    with pytest.raises(FireError, match="fill"):
        sheltered_adjustment(0.1, 15.0)
