"""Arrival lines, arrows and outlines against geodesy."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from geolabel.errors import CRSError
from geolabel.view import lines
from geolabel.view.lines import arrow, arrows, isochrones, outline
from view import make

WGS84 = Geod(ellps="WGS84")


def round_fire(pace_m_min=10.0, shape=(300, 300)):
    """A fire that spreads alike to all sides: every line is a circle of known radius."""
    where = make.grid(shape)
    rows, cols = np.indices(shape)
    metres = np.hypot(rows - 150, cols - 150) * 30.0
    east, north = (cols - 150) * 30.0, (150 - rows) * 30.0
    reached = metres < 4200
    return make.risk(
        shape,
        probability=np.repeat(np.where(reached, 0.5, 0.0)[None], len(make.HOURS), axis=0).astype(np.float32),
        arrival_min=np.where(reached, metres / pace_m_min, np.nan).astype(np.float32),
        bearing_deg=np.where(reached & (metres > 0), np.degrees(np.arctan2(east, north)) % 360, np.nan).astype(
            np.float32
        ),
        ground=np.full(shape, 2, np.uint8),
        ignition=where.lonlat(150, 150),
    )


def distances(risk, one):
    lon, lat = np.concatenate([np.array(path) for path in one.paths]).T
    start = np.full(lon.shape, risk.ignition.lon), np.full(lat.shape, risk.ignition.lat)
    return WGS84.inv(*start, lon, lat)[2]


def test_lines_of_a_round_fire_are_circles_of_the_distance_travelled():
    risk = round_fire()
    found = {one.hours: one for one in isochrones(risk)}
    assert list(found) == [1, 3, 6]  # it is out before 12 h
    for hours, one in found.items():
        assert distances(risk, one) == pytest.approx(hours * 600, abs=45)
        assert one.paths[0][0] == one.paths[0][-1]


def test_lines_nest_and_never_cross():
    found = isochrones(make.risk())
    shapes = [shapely.MultiLineString(list(one.paths)) for one in found]
    assert len(found) >= 4
    for i, early in enumerate(shapes):
        assert not any(early.intersects(late) for late in shapes[i + 1 :])


def test_no_line_beyond_the_hours_of_the_map_nor_where_few_outcomes_burn():
    risk = round_fire()
    short = make.risk(
        (300, 300),
        hours=(1.0, 3.0),
        probability=risk.probability[:2],
        **{name: getattr(risk, name) for name in ("arrival_min", "bearing_deg", "ground", "ignition")},
    )
    assert [one.hours for one in isochrones(short)] == [1, 3]
    faint = make.risk((300, 300), probability=np.where(risk.probability > 0, np.float32(0.04), 0).astype(np.float32),
                      arrival_min=risk.arrival_min, bearing_deg=risk.bearing_deg, ground=risk.ground)  # fmt: skip
    assert isochrones(faint) == ()
    assert arrows(faint) == ()


def test_labels_stand_on_their_line_and_apart_from_each_other():
    risk = make.risk()
    found = isochrones(risk)
    for one in found:
        assert one.label in one.paths[0]
    points = np.array([one.label for one in found])
    gaps = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + 9 * np.eye(len(points))
    assert gaps.min() > 0.002


@pytest.mark.parametrize("bearing", [0, 37, 90, 180, 271.5])
def test_an_arrow_points_toward_its_bearing_from_true_north(bearing):
    tail, tip, left, again, right = arrow((-118.07, 34.34), bearing, 600)
    azimuth, _, length = WGS84.inv(*tail, *tip)
    assert (azimuth - bearing + 180) % 360 - 180 == pytest.approx(0, abs=0.3)
    assert length == pytest.approx(600, rel=0.01)
    assert again == tip
    assert WGS84.inv(*tail, *left)[2] == pytest.approx(WGS84.inv(*tail, *right)[2], rel=0.02)


def test_arrows_follow_the_fire_outward():
    risk = round_fire()
    drawn = arrows(risk)
    assert len(drawn) > 60
    for tail, tip, *_ in drawn:
        outward, _, metres = WGS84.inv(risk.ignition.lon, risk.ignition.lat, *np.mean([tail, tip], axis=0))
        if metres > 1500:
            azimuth = WGS84.inv(*tail, *tip)[0]
            assert abs((azimuth - outward + 180) % 360 - 180) < 12


def test_no_arrow_where_no_direction_dominates():
    risk = round_fire()
    rows, cols = np.indices(risk.grid.shape)
    mixed = np.where((rows + cols) % 2, 90, 270).astype(np.float32)
    mixed[np.isnan(risk.bearing_deg)] = np.nan
    confused = make.risk((300, 300), probability=risk.probability, arrival_min=risk.arrival_min, bearing_deg=mixed,
                         ground=risk.ground)  # fmt: skip
    assert arrows(confused) == ()


def test_an_outline_keeps_its_hole_and_its_area():
    risk = make.risk()
    scar = make.scar(risk.grid)
    geometry, tolerance_m = outline(scar, 15.0)
    back = gpd.GeoSeries([shapely.geometry.shape(geometry)], crs="EPSG:4326").to_crs("EPSG:31985").iloc[0]
    assert tolerance_m == 15.0
    assert len(back.interiors) == 1
    assert back.area == pytest.approx(scar.area.sum(), rel=0.01)


def test_an_outline_of_many_fragments_is_simplified_until_it_fits_and_says_so(monkeypatch):
    monkeypatch.setattr(lines, "MAX_VERTICES", 500)
    angles = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    radius = 3000 + 60 * np.sin(300 * angles)
    ring = shapely.Polygon(np.column_stack([290000 + radius * np.cos(angles), 9120000 + radius * np.sin(angles)]))
    geometry, tolerance_m = outline(gpd.GeoDataFrame(geometry=[ring], crs="EPSG:31985"), 1.0)
    assert tolerance_m > 1
    assert shapely.get_num_coordinates(shapely.geometry.shape(geometry)) <= 500


def test_shapes_without_a_crs_are_refused():
    with pytest.raises(CRSError, match="without a CRS"):
        outline(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]), 1.0)
