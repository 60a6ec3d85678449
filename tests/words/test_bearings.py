"""DOMAIN section 5: wind FROM, fire TO."""

import math

import pytest

from geolabel import bearings
from geolabel.errors import InputError
from geolabel.grid import Grid, LonLat


@pytest.mark.parametrize(
    ("uv", "from_deg", "to_deg"),
    [((5, 0), 270, 90), ((0, 5), 180, 0), ((-5, 0), 90, 270), ((0, -5), 0, 180), ((3, 3), 225, 45)],
)
def test_wind_from_and_fire_to(uv, from_deg, to_deg):
    speed, found = bearings.wind_from_uv(*uv)
    assert found == pytest.approx(from_deg)
    assert bearings.opposite(found) == pytest.approx(to_deg)
    assert speed == pytest.approx(math.hypot(*uv))
    assert bearings.uv_from_wind(speed, found) == pytest.approx(uv)


def test_calm_has_no_direction():
    assert math.isnan(bearings.wind_from_uv(0, 0)[1])


@pytest.mark.parametrize(
    ("angles", "mean", "length"), [([350, 10], 0, 0.9848), ([80, 90, 100], 90, 0.9899), ([0, 90, 180, 270], None, 0)]
)
def test_circular_mean(angles, mean, length):
    found, r = bearings.mean_resultant(angles)
    assert r == pytest.approx(length, abs=5e-5)
    if mean is None:
        assert math.isnan(found)
    else:
        assert bearings.difference(found, mean) < 1e-9


@pytest.mark.parametrize(
    ("bearing", "name"), [(11.24, "N"), (11.25, "NNE"), (348.75, "N"), (348.74, "NNW"), (360, "N")]
)
def test_sector_edges_belong_to_the_next(bearing, name):
    assert bearings.sector(bearing) == name
    assert bearings.sector(bearings.from_sector(name)) == name


def test_grid_north_is_not_true_north():
    grid = Grid.utm((-120.001, 39.999, -119.999, 40.001), "EPSG:4326", 10)
    assert grid.crs_name == "EPSG:32611" or grid.crs_name == "EPSG:32610"
    ten = Grid.of("EPSG:32610", grid.transform, grid.shape)
    x, y = ten._to_lonlat.transform(-120.0, 40.0, direction="INVERSE")
    import affine

    at = Grid.of("EPSG:32610", affine.Affine(30, 0, x - 15, 0, -30, y + 15), (1, 1))
    assert at.convergence_deg() == pytest.approx(1.929, abs=5e-4)
    # law: a step along grid north has exactly this azimuth
    from pyproj import Geod

    a = at.lonlat(0, 0)
    b = LonLat(*at._to_lonlat.transform(x, y + 10))
    azimuth = Geod(ellps="WGS84").inv(a.lon, a.lat, b.lon, b.lat)[0]
    assert azimuth == pytest.approx(at.convergence_deg(), abs=1e-3)
    assert bearings.true_from_grid(0, at.convergence_deg()) == pytest.approx(azimuth % 360, abs=1e-3)


def test_speeds():
    assert bearings.convert_speed(36, "km/h", "m/s") == pytest.approx(10)
    assert bearings.convert_speed(1, "mph", "ft/min") == pytest.approx(88, rel=1e-6)
    assert bearings.wind_20ft_from_10m(23) == pytest.approx(20)
    with pytest.raises(InputError, match="kph"):
        bearings.convert_speed(1, "kph", "m/s")
