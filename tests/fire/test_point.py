"""The whole point model in one call: its parts, how wind comes down to the flames, and input that cannot be."""

import numpy as np
import pytest

from geolabel.bearings import difference
from geolabel.errors import FireError, GeolabelWarning
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.fuel import beds
from geolabel.fire.behave.midflame import sheltered_adjustment, unsheltered_adjustment, wind_adjustment
from geolabel.fire.behave.point import Conditions, Options, Site, point_fire
from geolabel.fire.behave.rothermel import head_fire, surface_fuel

DRY = (0.06, 0.07, 0.08, 0.60, 0.90)


def test_wind_adjustment_takes_shelter_where_there_is_some():
    depth = np.array([1.0, 1.0, 1.0, 1.0])
    both = wind_adjustment(depth, [0.0, 0.2, 0.7, 0.7], [0.0, 15.0, 15.0, 1.5], [0.4, 0.4, 0.5, 0.9])
    assert both[2] == sheltered_adjustment(0.7, 15.0, 0.5)
    assert both[[0, 1, 3]].tolist() == [unsheltered_adjustment(1.0)] * 3  # no trees, thin crowns, shrubs
    # by hand: 60 ft trees that fill 10 and 30 % of the space under their tops
    assert wind_adjustment(1.0, [0.3, 0.9], 60 * 0.3048, 1.0) == pytest.approx([0.1354, 0.0781], abs=1e-4)
    with pytest.raises(FireError, match="cover of 40"):
        wind_adjustment(1.0, 40.0, 15.0)


def test_a_point_is_its_parts():
    site, weather = Site([2, 165], 20.0, 180.0), Conditions(8.0, 180.0, DRY)
    fire = point_fire(site, weather)
    bed = beds([2, 165])
    midflame = 8.0 * 60 / 1.15 * unsheltered_adjustment(bed.depth_ft)
    parts = head_fire(surface_fuel(bed, np.array(DRY)[:, None]), midflame, 180.0, np.tan(np.radians(20)), 180.0)
    assert fire.surface.rate_m_min == pytest.approx(parts.rate_m_min)
    assert difference(fire.surface.bearing_deg, 0.0) == pytest.approx(np.zeros(2), abs=1e-9)
    assert fire.crown is None


def test_trees_take_wind_from_the_flames():
    weather = Conditions(10.0, 270.0, DRY)
    open_air = point_fire(Site(165), weather)
    under = point_fire(Site(165, canopy=Canopy(cover=0.7, height_m=18.0)), weather)
    assert under.wind_adjustment < 0.5 * open_air.wind_adjustment
    assert under.surface.rate_m_min < open_air.surface.rate_m_min
    assert under.surface.bearing_deg == pytest.approx(90.0)


def test_many_weathers_at_many_sites():
    speeds = np.array([2.0, 8.0, 15.0])[:, None]
    wet = np.broadcast_to(np.array(DRY)[:, None, None], (5, 3, 1))
    fire = point_fire(Site([1, 2, 10]), Conditions(speeds, 200.0, wet), Options(wind_limit=False))
    assert fire.surface.rate_m_min.shape == (3, 3)
    assert (np.diff(fire.surface.rate_m_min, axis=0) > 0).all()
    alone = point_fire(Site(2), Conditions(8.0, 200.0, DRY), Options(wind_limit=False))
    assert fire.surface.rate_m_min[1, 1] == pytest.approx(alone.surface.rate_m_min[0])


@pytest.mark.parametrize(
    ("site", "message", "hint"),
    [
        ({"fuel": 97}, "97", "98"),
        ({"fuel": [1, 98]}, "Open water", "burnable"),
        ({"fuel": 1, "slope_deg": 120.0, "aspect_deg": 90.0}, "120", "percent"),
        ({"fuel": 1, "slope_deg": -5.0, "aspect_deg": 90.0}, "-5", "percent"),
        ({"fuel": 1, "slope_deg": 20.0, "aspect_deg": 400.0}, "400", "0-360"),
        ({"fuel": 1, "slope_deg": 20.0, "aspect_deg": -1.0}, "-1", "NaN"),
        ({"fuel": 1, "slope_deg": 20.0}, "without an aspect", "azimuth"),
    ],
)
def test_sites_that_cannot_be(site, message, hint):
    with pytest.raises(FireError, match=message) as error:
        Site(**site)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("conditions", "message", "hint"),
    [
        ((72.0, 180.0, DRY), "72", "km/h"),
        ((-1.0, 180.0, DRY), "-1", "km/h"),
        ((8.0, 370.0, DRY), "370", "0-360"),
        ((8.0, 180.0, (6.0, 7.0, 8.0, 60.0, 90.0)), "moisture of 8", "0.06"),
        ((8.0, 180.0, (1.2, 0.07, 0.08, 0.6, 0.9)), "moisture of 1.2", "0.06"),
        ((8.0, 180.0, (0.06, 0.07, 0.08, 60.0, 90.0)), "live fuel moisture of 90", "0.9"),
        ((8.0, 180.0, (0.06, 0.07, 0.08)), "shape", "1-h, 10-h"),
    ],
)
def test_conditions_that_cannot_be(conditions, message, hint):
    with pytest.raises(FireError, match=message) as error:
        Conditions(*conditions)
    assert hint in error.value.hint


def test_a_hurricane_is_doubted():
    with pytest.warns(GeolabelWarning, match="km/h"):
        Conditions(45.0, 180.0, DRY)


def test_the_models_that_may_be_chosen():
    with pytest.raises(FireError, match="wagner"):
        point_fire(Site(1), Conditions(5.0, 0.0, DRY), Options(crown="wagner"))
    steep = Site(165, slope_deg=25.0, aspect_deg=180.0)
    rates = [
        point_fire(steep, Conditions(6.0, 180.0, DRY), Options(wind_on_slope=way)) for way in ("behave", "projected")
    ]
    assert rates[1].surface.rate_m_min > rates[0].surface.rate_m_min
    with pytest.raises(FireError, match="tilted"):
        point_fire(Site(1), Conditions(5.0, 0.0, DRY), Options(wind_on_slope="tilted"))
