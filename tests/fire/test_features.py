"""What a model reads: finite, in step with the physics, and turning with the image."""

import numpy as np
import pytest

from fire.ground import flat, grid, patchy, wind
from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.features import CHANNELS, features, mean_weather
from geolabel.fire.front.arrival import spread
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.model.channels import turned as turned_image
from geolabel.model.channels import turned_bearing, vector_pairs

SIZE = 24


def burning(size=SIZE):
    mask = np.zeros((size, size), bool)
    mask[5:8, 9:13] = True
    return mask


def plane(array, name):
    return array[CHANNELS.index(name)]


def test_finite_everywhere_also_on_unknown_ground():
    ground = patchy(SIZE, seed=1)
    slope, aspect, known = ground.slope_deg.copy(), ground.aspect_deg.copy(), ground.known.copy()
    slope[:4], aspect[:4], known[:4] = np.nan, np.nan, False
    names, array = features(
        Landscape(ground.grid, ground.fuel, ground.elevation_m, slope, aspect, known), wind(), burning()
    )
    assert names == CHANNELS
    assert array.shape == (len(CHANNELS), SIZE, SIZE)
    assert array.dtype == np.float32
    assert np.isfinite(array).all()
    assert not plane(array, "known")[:4].any()
    assert not plane(array, "head_rate")[:4].any()


def test_the_head_is_that_of_the_front():
    """On even ground the fastest cells of a simulated fire move at the rate and in the direction of the channels."""
    ground, air = flat(81, fuel=104), wind(4.0, 250.0)
    _, array = features(ground, air, np.eye(81, dtype=bool))
    fire = spread(ground, air, (40, 40), 0.6)
    assert np.expm1(3 * plane(array, "head_rate")[0, 0]) == pytest.approx(np.nanmax(fire.rate_m_min), rel=0.01)
    to = np.degrees(np.arctan2(plane(array, "head_east"), plane(array, "head_north")))[0, 0]
    assert difference(to, 70.0) < 0.01
    wind_to = np.degrees(np.arctan2(plane(array, "wind_east"), plane(array, "wind_north")))[0, 0]
    assert difference(wind_to, 70.0) < 0.01
    assert np.hypot(plane(array, "wind_east"), plane(array, "wind_north"))[0, 0] == pytest.approx(0.4)


def test_wind_is_turned_to_the_grid():
    ground = Landscape.flat(grid(8, easting=743_000), 102)
    _, array = features(ground, wind(5.0, 180.0), np.eye(8, dtype=bool))
    to = np.degrees(np.arctan2(plane(array, "wind_east"), plane(array, "wind_north")))[0, 0]
    assert to == pytest.approx(-ground.grid.convergence_deg(), abs=0.01)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_features_of_the_turned_landscape_are_the_turned_features(quarters, flip):
    ground, air, mask = patchy(SIZE, seed=2), wind(5.0, 215.0), burning()

    def image(raster):
        return np.rot90(raster[:, ::-1] if flip else raster, quarters).copy()

    def bearing(degrees):
        return ((-degrees if flip else degrees) - 90 * quarters) % 360

    turned = Landscape(
        ground.grid,
        image(ground.fuel),
        image(ground.elevation_m),
        image(ground.slope_deg),
        bearing(image(ground.aspect_deg)),
        image(ground.known),
    )
    _, expected = features(turned, wind(5.0, bearing(215.0)), image(mask))
    names, plain = features(ground, air, mask)
    how = {"quarters": quarters, "mirrored": flip}
    assert turned_image(plain, vector_pairs(names), **how) == pytest.approx(expected, abs=1e-5)
    fires = [spread(ground, air, mask, 1.0), spread(turned, wind(5.0, bearing(215.0)), image(mask), 1.0)]
    there = turned_bearing(fires[0].bearing_deg, **how)
    both = np.isfinite(there) & np.isfinite(fires[1].bearing_deg)
    assert both.sum() > 50
    assert np.percentile(difference(there, fires[1].bearing_deg)[both], 95) < 1.0


def test_the_mean_of_a_turning_wind():
    air = Weather(
        "2025-07-01T12:00Z",
        np.array([0.0, 3.0]),
        4.0,
        np.array([4.0, 4.0]),
        np.array([350.0, 10.0]),
        **{name: np.array([0.05, 0.09]) for name in ("m1", "m10", "m100")},
        **{name: np.full(2, 0.9) for name in ("live_herb", "live_woody")},
        source="made",
    )
    mean = mean_weather(air)
    assert mean.m1[0] == pytest.approx(0.06)
    assert difference(mean.from_deg[0], 355) < 0.2  # 3 h of 350, 1 h of 10: not 95
    assert mean_weather(air, 2).from_deg[0] == pytest.approx(350)


def test_what_is_refused():
    with pytest.raises(FireError, match="burning area"):
        features(flat(8), wind(), np.zeros((7, 8), bool))
    with pytest.raises(FireError, match="nothing burns"):
        features(flat(8, fuel=98), wind(), np.zeros((8, 8), bool))
