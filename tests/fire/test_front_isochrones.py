"""Isochrones: nested outlines that hold what burned by each time, and nothing that did not."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from fire.ground import START, flat, grid, patchy, wind
from geolabel.errors import FireError
from geolabel.fire.front.arrival import Fire, spread
from geolabel.fire.front.ignition import Ignition
from geolabel.fire.front.isochrones import isochrones
from geolabel.shapes import polygonise, rasterise
from geolabel.tables import ISOCHRONES, check

HOURS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0)


def fire_of(arrival, hours):
    """A fire of which only arrival matters."""
    none = np.full(arrival.shape, np.nan, np.float32)
    return Fire(grid(*arrival.shape), hours, arrival.astype(np.float32), none, none, none, none)


@pytest.fixture(scope="module", params=[1, 2, 3])
def fire(request):
    ground = patchy(70, seed=request.param, share_bare=0.2)
    return spread(ground, wind(5.0, 200.0), ground.nearest_burnable(45, 30), 4)


def test_each_holds_the_centres_that_burned_by_then(fire):
    lines = isochrones(fire, HOURS)
    for hour in HOURS:
        mask = rasterise(lines[lines.hour == hour], fire.grid).astype(bool)
        assert np.array_equal(mask, fire.burned_by(hour))


def test_nested_valid_and_about_as_large_as_the_cells(fire):
    lines = isochrones(fire, HOURS)
    check(lines, ISOCHRONES)
    for early, late in pairwise(lines.geometry):
        assert late.covers(early)
        assert early.area < late.area
    for row in lines.itertuples():
        cells = polygonise(fire.burned_by(row.hour), fire.grid).union_all()
        assert abs(row.area_ha * 1e4 - cells.area) < 0.25 * 30 * cells.length
        assert row.area_ha == pytest.approx(row.geometry.area / 1e4)


def test_never_on_ground_that_did_not_burn(fire):
    walls = polygonise(~fire.burned, fire.grid).union_all()
    assert isochrones(fire, HOURS).geometry.iloc[-1].intersection(walls).area < 1e-6


def test_a_circle():
    size, rate = 101, 2.0
    rows, cols = np.indices((size, size))
    arrival = np.hypot(rows - 50, cols - 50) * 30 / rate
    lines = isochrones(fire_of(arrival, 12), (2, 4, 8, 10), start=START)
    for row in lines.itertuples():
        assert row.area_ha * 1e4 == pytest.approx(np.pi * (rate * row.minutes) ** 2, rel=0.012)
        assert row.geometry.geom_type == "Polygon"
    assert list(lines.time) == [pd.Timestamp(START) + pd.Timedelta(hours=h) for h in (2, 4, 8, 10)]
    assert isochrones(fire_of(arrival, 12), (2,)).time.isna().all()


def test_holes_are_kept_and_a_wall_is_no_bridge():
    """Early on one side of a wall, late on the other: the outline ends at the wall until the fire is round it."""
    arrival = np.full((21, 41), np.inf)
    arrival[:, :20] = np.arange(20)[::-1] * 3.0
    arrival[:, 21:] = 600 + np.arange(20) * 3.0
    arrival[10, 5] = np.inf
    fire = fire_of(arrival, 12)
    first, last = isochrones(fire, (8, 12)).geometry
    west, south, _, north = fire.grid.bounds
    near, hole = shapely.box(west, south, west + 20 * 30, north), 900
    assert first.area == pytest.approx(near.area - hole)
    assert near.covers(first)
    assert last.area == pytest.approx(near.area * 2 - hole)
    assert len(first.interiors) == 1


def test_two_cells_that_touch_at_a_closed_corner_stay_apart():
    arrival = np.full((4, 4), np.inf)
    arrival[:2, :2], arrival[2:, 2:] = 10.0, 500.0
    early = isochrones(fire_of(arrival, 10), (5,)).geometry.iloc[0]
    assert early.area <= 4 * 900
    assert early.area > 3.4 * 900
    late = isochrones(fire_of(arrival, 10), (10,)).geometry.iloc[0]
    assert late.geom_type == "MultiPolygon"
    assert late.area == pytest.approx(8 * 900)


def test_nothing_burns_before_it_is_lit():
    ground = flat(31)
    fire = spread(ground, wind(), Ignition.points((15, 15), 90), 3)
    lines = isochrones(fire, (1, 2, 3), start=START)
    assert list(lines.hour) == [2, 3]


def test_hours_outside_the_fire(fire):
    for hours in ((), (0, 1), (5,)):
        with pytest.raises(FireError, match="isochrones at hours"):
            isochrones(fire, hours)
