"""Ignitions: points, lines and perimeters with times of their own, and the forms that were there before."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fire.ground import START, flat, grid, patchy, wind
from geolabel.errors import FireError
from geolabel.fire.front.arrival import first_arrival, spread
from geolabel.fire.front.ignition import AREA, Ignition

RES, RATE = 10.0, 5.0


def even(shape, lit, minutes=1e4, **more):
    ones = np.ones(shape)
    return first_arrival(RATE * ones, 0 * ones, 0 * ones, lit, minutes, res_m=RES, **more)


def test_points_lit_one_after_the_other_are_the_first_of_each():
    shape, cells, minutes = (61, 61), [(30, 10), (12, 48), (31, 12)], [0.0, 17.5, 40.0]
    rows, cols = np.indices(shape)
    truth = np.min([m + np.hypot(rows - r, cols - c) * RES / RATE for (r, c), m in zip(cells, minutes, strict=True)], 0)
    ours, normal, _ = even(shape, Ignition.points(cells, minutes))
    far = np.min([np.hypot(rows - r, cols - c) for r, c in cells], 0) > 3
    assert np.abs(ours[far] / truth[far] - 1).max() < 0.01
    assert ours[12, 48] == 17.5
    assert ours[31, 12] < 5  # the first fire was there before: the third is lit on burned ground
    assert np.isnan(normal[12, 48])
    assert np.isfinite(normal[31, 12])


def test_lit_after_the_end_does_not_burn():
    ours, _, _ = even((21, 21), Ignition.points([(5, 5), (15, 15)], [0, 30]), 20)
    assert np.isinf(ours[15, 15])
    ours, _, _ = even((21, 21), Ignition.points((5, 5), 30), 20)
    assert np.isinf(ours).all()


def test_a_fire_shifted_with_its_weather_is_shifted():
    ones = np.ones((41, 41))
    rate = np.stack([ones, 4 * ones, 2 * ones])
    common = (rate, 0.3 * rate, 0 * rate + 0.6)
    now, _, _ = first_arrival(*common, (20, 20), 300, res_m=RES, starts_min=(0, 60, 120))
    then, _, _ = first_arrival(*common, Ignition.points((20, 20), 25), 325, res_m=RES, starts_min=(0, 85, 145))
    assert np.allclose(then - 25, now, rtol=1e-4, atol=1e-3)


def test_a_line_is_lit_all_along():
    at = grid(41)
    row, first, last = 20, 8, 32
    line = shapely.LineString([at.xy(row, first), at.xy(row, last)])
    lit = Ignition.line(line, at, 10)
    assert sorted(lit.cells.tolist()) == [[row, col] for col in range(first, last + 1)]
    ours, _, _ = even(at.shape, lit)
    rows, cols = np.indices(at.shape)
    away = np.hypot(rows - row, np.clip(np.maximum(first - cols, cols - last), 0, None))
    assert np.abs(ours - 10 - away * RES / RATE)[away > 2].max() < 0.6
    lonlat = gpd.GeoSeries([line], crs=at.crs.proj).to_crs("EPSG:4326")
    for same in (Ignition.line(lonlat, at, 10), Ignition.line(lonlat.iloc[0], at, 10, crs="EPSG:4326")):
        assert np.array_equal(same.cells, lit.cells)


def test_a_line_over_water_is_lit_beside_it():
    ground = patchy(40, seed=1)
    line = shapely.LineString([ground.grid.xy(5, 5), ground.grid.xy(30, 33)])
    fire = spread(ground, wind(hours=3), Ignition.line(line, ground.grid), 1)
    lit = Ignition.line(line, ground.grid).cells
    wet = ~ground.burnable[tuple(lit.T)]
    assert 0 < wet.sum() < len(lit)
    assert (fire.arrival_min[tuple(lit[~wet].T)] == 0).all()
    assert np.isinf(fire.arrival_min[tuple(lit[wet].T)]).all()


def test_a_drawn_perimeter_is_the_mask_of_its_centres():
    at = grid(40)
    west, _, _, north = at.bounds
    outline = shapely.box(west + 30 * 8, north - 30 * 14, west + 30 * 20, north - 30 * 10)
    mask = np.zeros(at.shape, bool)
    mask[10:14, 8:20] = True
    drawn, old = even(at.shape, Ignition.perimeter(outline, at)), even(at.shape, mask)
    assert np.array_equal(drawn[0], old[0])
    late, _, _ = even(at.shape, Ignition.perimeter(mask, minutes=12.0))
    assert np.allclose(late, old[0] + 12, atol=1e-3)


def test_a_fire_goes_on_from_its_perimeter():
    """What burned in two hours, taken as a perimeter seen then, burns on to about the same fire."""
    ground, air = patchy(80, seed=9, share_bare=0.05), wind(4.0, 250.0, hours=8).hourly(8)
    air = air.changed(from_deg=(air.from_deg + 15 * np.arange(8)) % 360)
    start = ground.nearest_burnable(40, 20)
    whole = spread(ground, air, start, 5)
    seen = Ignition.perimeter(whole.burned_by(2))
    after = spread(ground, air.from_time("2025-07-01T14:00Z"), seen, 3)
    assert START == "2025-07-01T12:00Z"
    assert (after.arrival_min[whole.burned_by(2)] == 0).all()
    both = after.burned & whole.burned
    assert both.sum() / (after.burned | whole.burned).sum() > 0.93
    new = both & ~whole.burned_by(2)
    assert np.abs(after.arrival_min[new] + 120 - whole.arrival_min[new]).mean() < 6


def test_the_plain_forms_say_the_same():
    shape = (25, 25)
    cells, mask = [(5, 5), (20, 12)], np.zeros((25, 25), bool)
    mask[3:6, 4:9] = True
    assert np.array_equal(even(shape, cells)[0], even(shape, Ignition.points(cells))[0])
    assert np.array_equal(even(shape, (5, 5))[0], even(shape, Ignition.points((5, 5)))[0])
    assert np.array_equal(even(shape, mask)[0], even(shape, Ignition.perimeter(mask))[0])
    both = Ignition.perimeter(mask) + Ignition.points((20, 12), 8)
    assert (both.how == AREA).sum() == mask.sum()
    expected = np.minimum(even(shape, mask)[0], even(shape, Ignition.points((20, 12), 8))[0])
    assert np.allclose(even(shape, both)[0], expected, rtol=2e-3, atol=0.05)


def test_points_by_longitude_and_latitude():
    at = grid(25)
    lit = Ignition.points([at.lonlat(3, 4), at.lonlat(20, 21)], [0, 5], grid=at)
    assert lit.cells.tolist() == [[3, 4], [20, 21]]
    assert Ignition.points(at.lonlat(3, 4), grid=at).cells.tolist() == [[3, 4]]
    with pytest.raises(FireError, match="without a grid"):
        Ignition.points(at.lonlat(3, 4))


def test_what_is_no_ignition():
    at = grid(9)
    with pytest.raises(FireError, match="at minute -1"):
        Ignition.points((1, 1), -1)
    with pytest.raises(FireError, match="2 minutes for 1 points"):
        Ignition.points([(1, 1)], [0, 1])
    with pytest.raises(FireError, match="holds no cell"):
        Ignition.line(shapely.LineString([(0, 0), (10, 10)]), at)
    with pytest.raises(FireError, match="drawn for an area"):
        Ignition.perimeter(shapely.LineString([at.xy(0, 0), at.xy(8, 8)]), at)
    with pytest.raises(FireError, match="without a grid"):
        Ignition.perimeter(shapely.box(0, 0, 1, 1))
    water = flat(9, fuel=np.full((9, 9), 98, np.int16))
    with pytest.raises(FireError, match="no cell of the line"):
        spread(water, wind(), Ignition.line(shapely.LineString([at.xy(0, 0), at.xy(8, 8)]), at), 1)
