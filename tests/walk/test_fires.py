"""A fire and many fires on a landscape, as an analyst asks for them: words in, files out."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from fire.ground import START, patchy
from geolabel.errors import FireError
from geolabel.steps import fires
from geolabel.view.cog import load_risk

WIND, HOURS = "25 km/h from 225", 3.0


@pytest.fixture(scope="module")
def ground():
    return patchy(90, seed=3)


@pytest.fixture(scope="module")
def point(ground):
    return ground.grid.lonlat(*ground.nearest_burnable(45, 40))


@pytest.fixture(scope="module")
def fire(ground, point):
    return fires.spread(ground, WIND, point, start=START, hours=HOURS)


def placed(ground, *shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=ground.grid.crs.to_wkt())


def test_isochrones_are_rfc_7946_and_nest(ground, fire, tmp_path):
    written = fires.write_fire(fire, tmp_path, start=START)
    said = json.loads(written["isochrones"].read_text())
    assert "crs" not in said
    assert [one["id"] for one in said["features"]] == ["1h", "3h"]
    assert said["features"][0]["properties"]["time"] == "2025-07-01T13:00:00Z"
    first, last = (shapely.geometry.shape(one["geometry"]) for one in said["features"])
    assert last.buffer(1e-6).contains(first)
    for polygon in shapely.get_parts(last):
        assert polygon.exterior.is_ccw
    here = gpd.read_file(written["isochrones"]).to_crs(ground.grid.crs.to_wkt())
    assert here.area.iloc[-1] / 1e4 == pytest.approx(fire.area_ha, rel=0.05)


def test_rasters_are_those_of_the_fire(fire, tmp_path):
    written = fires.write_fire(fire, tmp_path, start=START)
    with rasterio.open(written["cog"]) as file:
        arrival = file.read(1)
        assert file.descriptions[:2] == ("arrival_min", "bearing_deg")
        assert file.units[0] == "min"
    assert np.array_equal(np.isfinite(arrival), fire.burned)
    assert np.array_equal(arrival[fire.burned], fire.arrival_min[fire.burned])


def test_a_start_may_be_a_point_or_a_shape_in_any_crs(ground, point, fire):
    drawn = gpd.GeoDataFrame(geometry=[shapely.Point(point.lon, point.lat)], crs="EPSG:4326")
    again = fires.spread(ground, WIND, drawn, start=START, hours=HOURS)
    assert np.array_equal(again.arrival_min, fire.arrival_min)
    x, y = ground.grid.xy(*ground.grid.cell(point))
    burning = placed(ground, shapely.box(x - 100, y - 100, x + 100, y + 100))
    larger = fires.spread(ground, WIND, burning, start=START, hours=HOURS)
    assert larger.burned[fire.burned].all()
    line = placed(ground, shapely.LineString([(x - 300, y), (x + 300, y)]))
    assert fires.spread(ground, WIND, line, start=START, hours=HOURS).burned.sum() > fire.burned.sum()


def test_a_line_that_is_cut_in_time_holds_the_fire(ground, point, fire):
    """North-east of the start, from edge to edge: closed at once it holds the fire, closed at the end it does nothing."""
    row, col = ground.grid.cell(point)
    x, y = ground.grid.xy(row - 6, col + 6)
    across = shapely.LineString([(x - 4000, y + 4000), (x + 4000, y - 4000)])
    burned = {}
    for minutes in (0.0, 45.0, 999.0):
        cut = placed(ground, across, minutes=[minutes])
        burned[minutes] = fires.spread(ground, WIND, point, start=START, hours=HOURS, barriers=cut).burned
    assert (burned[0.0] <= burned[45.0]).all()
    assert burned[0.0].sum() < burned[45.0].sum() < burned[999.0].sum()
    assert np.array_equal(burned[999.0], fire.burned)


def test_fires_from_anywhere_leave_a_map_rasters_and_tables(ground, tmp_path):
    x, y = ground.grid.xy(30, 30)
    towns = placed(
        ground, shapely.Point(x, y).buffer(200), shapely.Point(x + 900, y - 900).buffer(200), name=["A", "B"]
    )
    ensemble = fires.burn_probability(ground, WIND, start=START, hours=HOURS, fires=40, communities=towns)
    made = fires.regional_map(
        ensemble, ground, title="Test", start=START, weather=WIND, starts=fires.starts_words(), status="research"
    )
    written = fires.write_campaign(ensemble, made, ground, tmp_path)
    assert load_risk(tmp_path).digest == made.digest
    with rasterio.open(written["shares"]) as file:
        assert file.descriptions[1] == "share_burned_by_3h"
        shares = file.read(2)
    assert np.array_equal(shares, made.final)
    assert "How often a fire that starts in this area burns a place" in written["field"].read_text()
    reached = pd.read_csv(written["communities"])
    assert reached["community"].tolist() == ["A", "B"]
    assert (reached["came"] / reached["members"]).to_numpy() == pytest.approx(reached["probability"])
    roses = pd.read_csv(written["rose"])
    assert (roses.groupby("community")["came"].sum().to_numpy() <= reached["came"].to_numpy()).all()


def test_fires_start_near_what_is_given(ground):
    x, y = ground.grid.xy(10, 10)
    road = placed(ground, shapely.LineString([(x - 500, y), (x + 500, y)]))
    near, anywhere = (
        fires.burn_probability(ground, WIND, start=START, hours=0.2, fires=60, near=given, reach_m=100.0)
        for given in (road, None)
    )
    rows = np.arange(ground.grid.height)[:, None]
    middle = [(e.probability[-1] * rows).sum() / e.probability[-1].sum() for e in (near, anywhere)]
    assert middle[0] < 15 < middle[1]
    assert "near 1 objects" in fires.starts_words(road, 100.0)


def test_what_is_refused(ground, point):
    with pytest.raises(FireError, match="CRS"):
        fires.spread(ground, WIND, gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)]), start=START, hours=1)
    with pytest.raises(FireError, match="no crown fire without canopy"):
        fires.spread(ground, WIND, point, start=START, hours=1, crown="cruz")
    bare = ground.grid.lonlat(*np.argwhere(~ground.burnable)[0])
    with pytest.raises(FireError) as error:
        fires.spread(ground, WIND, bare, start=START, hours=1)
    assert "nearest burnable cell" in error.value.hint
