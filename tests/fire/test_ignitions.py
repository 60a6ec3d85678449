"""Where fires start: densities that fall with distance from objects, and draws that follow them."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fire.ground import flat, grid, patchy
from geolabel.errors import CRSError, FireError
from geolabel.fire.campaign.ignitions import Ignitions, density_near, even_density, mixed_density
from geolabel.grid import Tile

GRID = grid(60)


def at(row, col, on=GRID):
    return shapely.Point(*on.xy(row, col))


def frame(*shapes, crs=None):
    made = gpd.GeoDataFrame(geometry=list(shapes), crs=GRID.crs.proj)
    return made if crs is None else made.to_crs(crs)


def test_density_falls_to_a_third_within_the_reach():
    """exp(-d / reach) from a road along one row: d is 0 there, and a cell further for each row."""
    road = shapely.LineString([GRID.xy(20, 0), GRID.xy(20, 59)])
    density = density_near(frame(road), GRID, reach_m=300.0)
    away = np.abs(np.arange(60) - 20) * 30.0
    assert density[:, 30] == pytest.approx(np.exp(-away / 300.0), rel=1e-5)
    assert density[30, 5] == pytest.approx(np.exp(-1), rel=1e-5)


@given(st.integers(0, 59), st.integers(0, 59))
def test_any_crs_and_kind_of_object_gives_the_distance_to_the_nearest(row, col):
    pole, lake = at(row, col), at(5, 40).buffer(100)
    density = density_near(frame(pole, lake, crs=4326), GRID, reach_m=200.0)
    rows, cols = np.indices(GRID.shape)
    from_pole = np.exp(-np.hypot(rows - row, cols - col) * 30 / 200.0)
    assert density[row, col] == 1
    assert (density >= from_pole * (1 - 1e-5)).all()
    assert density[5, 40] == 1
    assert np.allclose(density, np.maximum(from_pole, density_near(frame(lake), GRID, reach_m=200.0)), rtol=1e-5)


def test_a_road_beside_the_landscape_counts_as_it_does_on_a_wider_one():
    wide = grid(100)
    inner = wide.crop(Tile(20, 20, 60, 60))
    road = frame(shapely.LineString([wide.xy(12, 3), wide.xy(12, 97)]))
    expected = density_near(road, wide, reach_m=150.0)[20:80, 20:80]
    assert density_near(road, inner, reach_m=150.0) == pytest.approx(expected, rel=1e-5)
    assert expected[0, 30] == pytest.approx(np.exp(-240 / 150), rel=1e-5)


def test_draws_follow_the_density():
    """Chi-squared over the cells of four densities, one of them 0."""
    ground = flat(20)
    density = np.zeros((20, 20), np.float32)
    density[:10, :10], density[:10, 10:], density[10:, :10] = 1, 3, 6
    ignitions, rng = Ignitions.of(density, ground), np.random.default_rng(3)
    cells = np.array([ignitions.draw(rng, ground) for _ in range(4000)])
    quarter = 2 * (cells[:, 0] >= 10) + (cells[:, 1] >= 10)
    counts = np.bincount(quarter, minlength=4)
    assert counts[3] == 0
    assert stats.chisquare(counts[:3], 4000 * np.array([0.1, 0.3, 0.6])).pvalue > 0.001
    own = np.bincount(cells[quarter == 2] @ [20, 1], minlength=400).reshape(20, 20)[10:, :10]
    assert stats.chisquare(own.ravel()).pvalue > 0.001


def test_fires_start_only_where_they_can_spread():
    ground = patchy(40, seed=3, share_bare=0.6)
    ignitions, rng = Ignitions.of(even_density(ground.grid), ground), np.random.default_rng(0)
    assert set(ignitions.cells.tolist()) == set(np.flatnonzero(ground.has_burnable_neighbour()).tolist())
    for _ in range(200):
        ground.check_ignition(*ignitions.draw(rng, ground))


def test_under_drawn_fuel_the_density_is_that_of_the_members_own_ground():
    ground = flat(20, fuel=102)
    fuel = np.full((20, 20), 99, np.int16)
    fuel[3:5, 3:9] = 102
    own = ground.with_fuel(fuel)
    rng, anywhere = np.random.default_rng(1), Ignitions.of(even_density(ground.grid), ground, drawn_fuel=True)
    cells = np.array([anywhere.draw(rng, own) for _ in range(1200)])
    counts = np.bincount(cells @ [20, 1], minlength=400).reshape(20, 20)
    assert counts[3:5, 3:9].sum() == 1200
    assert stats.chisquare(counts[3:5, 3:9].ravel()).pvalue > 0.001
    with pytest.raises(FireError, match="none of 10000 draws"):
        anywhere.draw(rng, ground.with_fuel(np.full((20, 20), 99, np.int16)))


def test_causes_have_the_shares_they_are_given():
    ground = patchy(60, seed=5)
    road = density_near(frame(shapely.LineString([GRID.xy(20, 0), GRID.xy(20, 59)])), ground.grid, reach_m=60.0)
    both = mixed_density([(0.7, road), (0.3, even_density(ground.grid))], ground)
    here = ground.has_burnable_neighbour()
    assert both[here].sum() == pytest.approx(1, rel=1e-4)
    near = here & (np.abs(np.indices(here.shape)[0] - 20) <= 20)
    expected = 0.7 * road[near].sum() / road[here].sum() + 0.3 * near.sum() / here.sum()
    assert both[near].sum() == pytest.approx(expected, rel=1e-3)


def test_what_is_refused():
    ground = flat(60)
    with pytest.raises(CRSError, match="no CRS"):
        density_near(gpd.GeoDataFrame(geometry=[at(3, 3)]), GRID)
    with pytest.raises(FireError, match="no objects"):
        density_near(frame(), GRID)
    with pytest.raises(FireError, match="no object within 600 m"):
        density_near(frame(shapely.Point(0, 0)), GRID, reach_m=100.0)
    with pytest.raises(FireError, match="reach of 0 m"):
        density_near(frame(at(3, 3)), GRID, reach_m=0)
    with pytest.raises(FireError, match="0 wherever"):
        Ignitions.of(np.zeros(GRID.shape), ground)
    with pytest.raises(FireError, match=r"shape \(2, 2\)"):
        Ignitions.of(np.ones((2, 2)), ground)
    with pytest.raises(FireError, match="3600 cells of known ground"):
        Ignitions.of(np.full(GRID.shape, -1.0), ground)
    with pytest.raises(FireError, match="share of -1"):
        mixed_density([(-1.0, even_density(GRID))], ground)
