"""Slope and aspect (DOMAIN, section 3): planes in every direction, grids of every kind."""

import numpy as np
import pytest
from affine import Affine

from geolabel.errors import CRSError, UnitError
from geolabel.grid import Grid
from geolabel.scene.terrain import slope_aspect
from rasters import metric_grid, scene_of


def dem_of(heights, grid=None, **more):
    return scene_of({"elevation": heights}, grid or metric_grid(*heights.shape), quantity="elevation_m", **more)


def plane(grid, east, north):
    coords = grid.coords()
    return east * (coords["x"][None, :] - 400_000) + north * (coords["y"][:, None] - 3_800_000)


def inner(dem):
    both = slope_aspect(dem).compute()
    return both.slope_deg.values[1:-1, 1:-1], both.aspect_deg.values[1:-1, 1:-1]


@pytest.mark.parametrize(
    ("east", "north", "slope", "aspect"),
    [(0, 1, 45, 180), (1, 0, 45, 270), (0, -1, 45, 0), (-1, 0, 45, 90), (1, 1, 54.7356, 225), (-0.1, -0.1, 8.0495, 45)],
)
def test_a_plane_faces_away_from_where_it_rises(east, north, slope, aspect):
    grid = metric_grid(6, 7)
    slopes, aspects = inner(dem_of(plane(grid, east, north), grid))
    np.testing.assert_allclose(slopes, slope, atol=1e-3)
    np.testing.assert_allclose(aspects, aspect, atol=1e-2)
    assert aspects.max() < 360


def test_cells_that_are_not_square_are_measured_both_ways():
    grid = Grid.of("EPSG:32611", Affine(10, 0, 400_000, 0, -1, 3_800_000), (8, 8))
    heights = 10.0 * np.arange(8)[None, :] - np.arange(8.0)[:, None]
    assert inner(dem_of(heights, grid))[1] == pytest.approx(225, abs=1e-3)


def test_flat_ground_has_no_aspect():
    slopes, aspects = inner(dem_of(np.full((5, 5), 7.0)))
    assert (slopes == 0).all()
    assert np.isnan(aspects).all()


def test_rows_that_run_north_give_the_same_ground():
    rng = np.random.default_rng(0)
    down = metric_grid(9, 11)
    up = Grid.of("EPSG:32611", Affine(30, 0, 400_000, 0, 30, 3_800_000 - 270), (9, 11))
    heights = rng.normal(0, 50, down.shape)
    one, two = slope_aspect(dem_of(heights, down)), slope_aspect(dem_of(heights[::-1], up))
    for name in ("slope_deg", "aspect_deg"):
        np.testing.assert_array_equal(one[name].values, two[name].values[::-1])


def test_a_missing_neighbour_and_the_border_are_nan():
    heights = plane(metric_grid(7, 7), 0.2, 0.1)
    heights[3, 3] = np.nan
    slopes = slope_aspect(dem_of(heights)).slope_deg.values
    expected = np.ones((7, 7), bool)
    expected[1:-1, 1:-1] = False
    expected[2:5, 2:5] = True
    np.testing.assert_array_equal(np.isnan(slopes), expected)


@pytest.mark.parametrize("chunks", [(7, 5), (1, 4), (3, 50)])
def test_chunks_change_nothing_borders_included(chunks):
    heights = np.random.default_rng(2).normal(500, 80, (23, 19))
    heights[5, 6] = np.nan
    cut, whole = slope_aspect(dem_of(heights, chunks=chunks)), slope_aspect(dem_of(heights))
    assert cut.slope_deg.chunks is not None
    for name in ("slope_deg", "aspect_deg"):
        np.testing.assert_array_equal(cut[name].values, whole[name].values)


def test_heights_on_degrees_and_bands_that_are_no_heights_are_refused():
    degrees = Grid.of("EPSG:4326", Affine(1e-3, 0, -118, 0, -1e-3, 34), (5, 5))
    with pytest.raises(CRSError, match="degree"):
        slope_aspect(dem_of(np.zeros((5, 5)), degrees))
    with pytest.raises(UnitError):
        slope_aspect(scene_of({"elevation": np.zeros((5, 5))}, quantity="dn"))
