"""The rules of RFC 7946 and the numbers of DOMAIN section 4."""

import json
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geolabel.dataset.geojson import bbox, feature, lonlat, text
from geolabel.errors import InputError
from geolabel.shapes import area_m2


def ring(geometry):
    return np.array(geometry.exterior.coords)


def test_a_utm_box():
    """UTM 10N, 100 m at (500000, 4200000)."""
    square = shapely.box(500_000, 4_200_000, 500_100, 4_200_100)
    (moved,) = lonlat([square], "EPSG:32610")
    assert moved.bounds == (-123.0, 37.9475896, -122.9988618, 37.9484909)
    assert area_m2(gpd.GeoDataFrame(geometry=[square], crs="EPSG:32610"))[0] == pytest.approx(10_008.0, abs=0.05)


def test_exteriors_run_counter_clockwise_and_holes_clockwise():
    for winding in (1, -1):
        outer = [(500_000, 0), (500_900, 0), (500_900, 900), (500_000, 900)][::winding]
        hole = [(500_300, 300), (500_600, 300), (500_600, 600), (500_300, 600)][::winding]
        (moved,) = lonlat([shapely.Polygon(outer, [hole])], "EPSG:32633")
        assert moved.exterior.is_ccw
        assert not moved.interiors[0].is_ccw


def test_the_antimeridian_cuts():
    """UTM 60S (780000-860000, 8100000-8180000) reaches beyond 180 degrees."""
    (moved,) = lonlat([shapely.box(780_000, 8_100_000, 860_000, 8_180_000)], "EPSG:32760", longest=5_000)
    assert moved.geom_type == "MultiPolygon"
    points = shapely.get_coordinates(moved)
    assert np.abs(points[:, 0]).max() == 180
    assert all(part.exterior.is_ccw for part in moved.geoms)
    west, south, east, north = bbox([moved])
    assert west > 0 > east
    assert west > east
    assert -18 < south < north < -16
    original = gpd.GeoDataFrame(geometry=[shapely.box(780_000, 8_100_000, 860_000, 8_180_000)], crs="EPSG:32760")
    cut = gpd.GeoDataFrame(geometry=list(moved.geoms), crs="EPSG:4326")
    assert area_m2(cut).sum() == pytest.approx(area_m2(original.segmentize(1_000))[0], rel=1e-6)


def test_a_hole_on_the_antimeridian_stays_open():
    outer, hole = (
        shapely.box(779_000, 8_100_000, 860_000, 8_180_000),
        shapely.box(810_000, 8_130_000, 830_000, 8_150_000),
    )
    (moved,) = lonlat([outer - hole], "EPSG:32760")
    (inside,) = lonlat([hole], "EPSG:32760")
    assert moved.intersection(inside).area < 1e-6


def test_a_pole_is_refused():
    with pytest.raises(InputError, match="degrees of longitude"):
        lonlat([shapely.box(-1e5, -1e5, 1e5, 1e5)], "EPSG:3413", longest=1e4)


def test_too_small_to_have_an_area():
    with pytest.raises(InputError, match="no area"):
        lonlat([shapely.box(500_000, 4_200_000, 500_000.001, 4_200_000.001)], "EPSG:32610")


def test_long_edges_are_bent():
    """The middle of a 100 km edge in UTM lies where UTM says, not on the chord in degrees."""
    line = shapely.box(500_000, 5_500_000, 600_000, 5_500_100)
    (moved,) = lonlat([line], "EPSG:32610", longest=2_000)
    back = gpd.GeoSeries([moved], crs="EPSG:4326").to_crs("EPSG:32610").iloc[0]
    assert back.symmetric_difference(line).area < 0.02 * line.area
    (chord,) = lonlat([line], "EPSG:32610")
    coarse = gpd.GeoSeries([chord], crs="EPSG:4326").segmentize(0.001).to_crs("EPSG:32610").iloc[0]
    assert coarse.symmetric_difference(line).area > 0.5 * line.area


def test_properties_are_plain_json():
    when = datetime(2009, 8, 26, 22, tzinfo=UTC)
    values = {
        "a": np.float32("nan"),
        "b": np.int64(3),
        "c": when,
        "d": None,
        "e": float("inf"),
        "f": np.bool_(True),
        "g": "ö",
    }
    one = feature("x", shapely.box(0, 0, 1, 1), values)
    assert json.loads(text([one]))["features"][0]["properties"] == {
        "a": None, "b": 3, "c": "2009-08-26T22:00:00Z", "d": None, "e": None, "f": True, "g": "ö",
    }  # fmt: skip
    with pytest.raises(InputError, match="no plain value"):
        feature("x", shapely.box(0, 0, 1, 1), {"a": [1, 2]})
    assert set(json.loads(text([one]))) == {"type", "bbox", "features"}
    assert json.loads(text([])) == {"type": "FeatureCollection", "features": []}
