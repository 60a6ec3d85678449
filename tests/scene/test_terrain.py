"""Slope and aspect (DOMAIN, section 3), hillshade and topographic position: planes in every direction, every grid."""

import numpy as np
import pytest
from affine import Affine

from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid
from geolabel.scene.terrain import hillshade, slope_aspect, tpi
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


# ---------------------------------------------------------------------- light
@pytest.mark.parametrize("azimuth", [0, 45, 135, 200, 315])
@pytest.mark.parametrize("altitude", [30, 45, 80])
def test_ground_that_faces_the_light_is_white_and_level_ground_has_its_sine(azimuth, altitude):
    grid, light = metric_grid(6, 7), np.radians(azimuth)
    steep = np.tan(np.radians(90 - altitude))  # falls towards the light, so it rises away from it
    facing = dem_of(plane(grid, -steep * np.sin(light), -steep * np.cos(light)), grid)
    np.testing.assert_allclose(hillshade(facing, azimuth, altitude).values[1:-1, 1:-1], 1, atol=1e-6)
    level = hillshade(dem_of(np.full((5, 5), 7.0)), azimuth, altitude).values[1:-1, 1:-1]
    np.testing.assert_allclose(level, np.sin(np.radians(altitude)), atol=1e-6)


def test_light_is_that_of_slope_and_aspect():
    """Horn's formula by angles: cos z cos s + sin z sin s cos(azimuth - aspect), nothing below 0."""
    heights = np.random.default_rng(5).normal(0, 20, (30, 31)).cumsum(0)
    dem = dem_of(heights)
    slope, aspect = (np.radians(slope_aspect(dem)[name].values) for name in ("slope_deg", "aspect_deg"))
    zenith, azimuth = np.radians(45), np.radians(315)
    expected = np.cos(zenith) * np.cos(slope) + np.sin(zenith) * np.sin(slope) * np.cos(azimuth - aspect)
    np.testing.assert_allclose(hillshade(dem).values, np.maximum(expected, 0), atol=2e-6)


def test_ground_turned_away_is_black_and_a_light_below_the_horizon_is_refused():
    grid = metric_grid(6, 7)
    away = dem_of(plane(grid, 5, -5), grid)  # a steep slope that faces the north-west, light from the south-east
    assert (hillshade(away, 135, 20).values[1:-1, 1:-1] == 0).all()
    with pytest.raises(InputError, match="horizon"):
        hillshade(away, 315, -5)


# ---------------------------------------------------------------------- topographic position
def test_a_plane_has_no_position_up_to_its_edge():
    grid = metric_grid(21, 23)
    heights = plane(grid, 0.3, -0.2)
    found = tpi(dem_of(heights, grid), 150).values
    assert np.isfinite(found).mean() > 0.6
    np.testing.assert_allclose(found[np.isfinite(found)], 0, atol=1e-3)
    found = tpi(dem_of(np.where(np.arange(23) < 8, np.nan, heights), grid), 150).values  # ground missing on one side
    assert np.isfinite(found[10, 12])
    np.testing.assert_allclose(found[np.isfinite(found)], 0, atol=1e-3)


def test_a_bowl_lies_below_its_ring_by_the_mean_square_of_the_distance():
    """z = c d^2: the mean over the ring less the centre is c times the mean of d^2 over its pixels."""
    grid = metric_grid(41, 41, res_m=10.0)
    row, col = np.mgrid[:41, :41] - 20.0
    d2 = (row**2 + col**2) * 100
    for inner, outer in ((0, 100), (60, 120)):
        ring = (d2 > inner**2) & (d2 <= outer**2)
        found = tpi(dem_of(0.002 * d2, grid), outer, inner_m=inner).values[20, 20]
        assert found == pytest.approx(-0.002 * d2[ring].mean(), rel=1e-5)


def test_a_peak_stands_above_and_a_gap_has_no_position():
    heights = np.zeros((15, 15))
    heights[7, 7], heights[2, 2] = 12, np.nan
    found = tpi(dem_of(heights), 90).values
    assert found[7, 7] == pytest.approx(12)
    assert found[7, 8] == pytest.approx(-12 / 28)  # 28 pixels lie within three
    assert np.isnan(found[2, 2])


@pytest.mark.parametrize("chunks", [(7, 5), (2, 3), (23, 1)])
def test_chunks_do_not_change_position_and_light(chunks):
    heights = np.random.default_rng(2).normal(500, 80, (23, 19))
    heights[5, 6] = np.nan
    cut, whole = dem_of(heights, chunks=chunks), dem_of(heights)
    for what in (hillshade, lambda dem: tpi(dem, 100, inner_m=40)):
        assert what(cut).chunks is not None
        np.testing.assert_array_equal(what(cut).values, what(whole).values)


def test_rings_without_a_pixel_and_ground_in_degrees_are_refused():
    with pytest.raises(InputError, match="no pixel"):
        tpi(dem_of(np.zeros((5, 5))), 20)
    degrees = Grid.of("EPSG:4326", Affine(1e-3, 0, -118, 0, -1e-3, 34), (5, 5))
    for what in (hillshade, lambda dem: tpi(dem, 100)):
        with pytest.raises(CRSError, match="degree"):
            what(dem_of(np.zeros((5, 5)), degrees))
        with pytest.raises(UnitError):
            what(scene_of({"elevation": np.zeros((5, 5))}, quantity="reflectance"))
