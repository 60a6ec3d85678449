"""Barriers that appear at a time: what they stop, what they leave, and what a line on the map closes."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.ndimage import label

from fire.ground import flat, grid, wind
from geolabel.errors import CRSError, FireError
from geolabel.fire.front.arrival import first_arrival, spread
from geolabel.fire.front.barrier import closing_min
from geolabel.fire.front.drawn import touched

RES, RATE = 10.0, 5.0
BOTH = pytest.mark.parametrize("setting", ["accurate", "fast"])


def circle(shape, start, minutes, closes=None, **more):
    even = np.ones(shape)
    return first_arrival(RATE * even, 0 * even, 0 * even, start, minutes, res_m=RES, closes_min=closes, **more)[0]


@BOTH
def test_a_wall_lets_through_what_came_before_it(setting):
    """A circle meets a column that closes after 40 min: it has crossed near its axis, and goes on from there alone."""
    shape, start, wall, shuts = (81, 81), (40, 30), 45, 40.0
    closes = np.full(shape, np.inf, np.float32)
    closes[:, wall] = shuts
    free, ours = circle(shape, start, 200, setting=setting), circle(shape, start, 200, closes, setting=setting)
    assert np.allclose(ours[:, :wall], free[:, :wall], rtol=1e-3)  # before the wall nothing changes
    inside = free[:, wall] < shuts
    assert inside.sum() > 10
    assert (np.isfinite(ours[:, wall]) == inside).all()
    ahead = ours[40, wall + 1 :]  # on the axis
    assert np.allclose(ahead, free[40, wall + 1 :], rtol=1e-3)
    rows, cols = np.indices(shape)
    gate = np.flatnonzero(free[:, wall + 1] < shuts)  # beyond the wall the fire starts from where it had come through
    past = (cols > wall) & (rows < gate.min() - 2)
    late = ours[past] - free[past]
    assert (late > -1e-3).all()
    assert late.max() > 5


@BOTH
def test_a_gap_that_closes(setting):
    shape, start = (31, 31), (15, 5)
    closes = np.full(shape, np.inf, np.float32)
    closes[:, 15] = 0
    closes[15, 15] = 1e9
    through = circle(shape, start, 1e4, closes, setting=setting)
    comes = through[15, 15]
    closes[15, 15] = comes - 0.5
    stopped = circle(shape, start, 1e4, closes, setting=setting)
    assert np.isfinite(through[:, 16:]).all()
    assert np.isinf(stopped[:, 15:]).all()


@BOTH
def test_no_leak_between_diagonal_cells_closed_in_time(setting):
    size = 21
    closes = np.full((size, size), np.inf, np.float32)
    steps = np.arange(size)
    closes[steps, steps] = 1.0
    below = np.tril(np.ones((size, size), bool), -1)
    ours = circle((size, size), (15, 3), 1e4, closes, setting=setting)
    assert (np.isfinite(ours) == below).all()


def test_a_perimeter_stays_burned_and_a_closed_edge_holds():
    shape = (30, 30)
    mask = np.zeros(shape, bool)
    mask[10:20, 10:20] = True
    closes = np.full(shape, np.inf, np.float32)
    closes[10:20, 19] = closes[10, 10:20] = closes[19, 10:20] = 0  # contained but for the west
    ours = circle(shape, mask, 6, closes)
    assert (ours[mask] == 0).all()
    assert np.isfinite(ours[12:18, 8]).all()
    assert np.isinf(ours[:, 20:]).all()
    assert np.isinf(ours[12:18, 7 - 1]).all()


def test_a_line_across_the_way_of_a_fire():
    ground = flat(61)
    west, south, east, north = ground.grid.bounds
    middle = (south + north) / 2
    line = shapely.LineString([(west - 50, middle + 310), (east + 50, middle + 317)])
    closes = closing_min(line, ground.grid, 0)
    rows = np.nonzero(np.isfinite(closes))[0]
    fire = spread(ground, wind(5.0, 180.0), (40, 30), 3, closes_min=closes)
    assert fire.burned[rows.max() + 1].any()
    assert not fire.burned[: rows.max()].any()
    late = closing_min(line, ground.grid, 3 * 60)
    assert np.array_equal(
        spread(ground, wind(5.0, 180.0), (40, 30), 3, closes_min=late).arrival_min,
        spread(ground, wind(5.0, 180.0), (40, 30), 3).arrival_min,
    )


def test_lines_and_areas_each_at_their_minute():
    at = grid(20)
    west, south, *_ = at.bounds
    frame = gpd.GeoDataFrame(
        geometry=[
            shapely.box(west + 60, south + 60, west + 180, south + 180),
            shapely.LineString([(west, south + 1), (west + 600, south + 1)]),
        ],
        crs=at.crs.proj,
    )
    closes = closing_min(frame.to_crs("EPSG:4326"), at, [30, 60])
    assert (closes[19] == 60).all()
    assert (closes[14:18, 2:6] == 30).all()
    assert set(np.unique(closes)) == {30, 60, np.inf}


def test_a_line_closes_all_cells_it_passes_and_hangs_together():
    at, rng = grid(40), np.random.default_rng(5)
    west, _, _, north = at.bounds
    rows, cols = np.indices(at.shape)
    cells = shapely.box(west + 30 * cols, north - 30 * rows - 30, west + 30 * cols + 30, north - 30 * rows)
    for i in range(60):
        bends = rng.uniform(0, 40, (rng.integers(2, 6), 2))
        bends = np.round(2 * bends) / 2 if i % 3 == 0 else bends  # through corners and along borders
        line = shapely.LineString(np.column_stack([west + 30 * bends[:, 0], north - 30 * bends[:, 1]]))
        mask = touched(line, at)
        passed = shapely.intersects(shapely.buffer(cells, -1e-3), line)
        assert mask[passed].all()
        assert shapely.intersects(cells[mask], line).mean() > 0.7
        assert label(mask)[1] == 1


def test_what_is_no_barrier():
    at = grid(9)
    line = shapely.LineString([at.xy(0, 0), at.xy(8, 8)])
    with pytest.raises(FireError, match="closing minutes for"):
        closing_min(line, at, [1, 2])
    with pytest.raises(CRSError):
        closing_min(gpd.GeoSeries([line]), at)
    with pytest.raises(FireError, match="on a grid of"):
        circle((5, 5), (2, 2), 10, np.zeros((4, 5), np.float32))
    with pytest.raises(FireError, match="closed from minute 0"):
        circle((5, 5), (2, 2), 10, np.zeros((5, 5), np.float32))
    with pytest.raises(FireError, match="NaN"):
        circle((5, 5), (2, 2), 10, np.full((5, 5), np.nan, np.float32))
