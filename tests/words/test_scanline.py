"""Laws of pixels inside polygons, and rasterio as the oracle."""

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from geolabel import shapes
from geolabel.errors import InputError
from geolabel.grid import Grid
from rasters import metric_grid

GRID = metric_grid(40, 50, 32.0, x=409_600.0, y=3_801_088.0)
"""Powers of two, so that GDAL has corners and centres of pixels exactly too."""
HALVES = st.integers(-8, 112).map(lambda n: n / 2)
"""Corners and centres of pixels, inside the grid and beyond it: where ties are."""
ANYWHERE = st.floats(-5, 55, allow_nan=False).map(lambda v: round(v, 6))


def ground(points, grid=GRID):
    return [grid.transform @ point for point in points]


def polygon(points):
    """A valid polygon or MultiPolygon through these pixel positions, or an empty one."""
    return shapes.polygons_of(shapely.make_valid(shapely.Polygon(ground(points))))


def frame(geometries, crs="EPSG:32611"):
    return gpd.GeoDataFrame(geometry=list(geometries), crs=crs)


def by_rasterio(geometries, codes=None):
    drawn = [(g, i + 1) for i, g in enumerate(geometries) if not g.is_empty]
    if not drawn:
        return np.zeros(GRID.shape, np.uint8)
    return rasterize(drawn, out_shape=GRID.shape, transform=GRID.transform, dtype=np.uint8)


def rings(coordinate):
    return st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9).map(polygon)


@settings(max_examples=150)
@given(st.lists(rings(HALVES) | rings(ANYWHERE), min_size=1, max_size=4))
def test_the_pixels_are_those_of_rasterio(geometries):
    laid = shapes.rasterise(frame(geometries), GRID, np.arange(len(geometries)) + 1)
    np.testing.assert_array_equal(laid, by_rasterio(geometries))


@settings(max_examples=60)
@given(st.lists(rings(HALVES) | rings(ANYWHERE), min_size=1, max_size=6), st.integers(1, 60))
def test_blocks_of_any_size_give_the_whole(geometries, size):
    given_codes = np.arange(len(geometries)) + 1
    whole = shapes.rasterise(frame(geometries), GRID, given_codes, fill=9)
    parts = np.zeros_like(whole)
    for tile, mask in shapes.rasterise_blocks(frame(geometries), GRID, given_codes, fill=9, size=size):
        parts[tile.slices] += mask
    np.testing.assert_array_equal(parts, whole)


@settings(max_examples=60)
@given(rings(HALVES))
def test_winding_does_not_count(geometry):
    turned = shapely.orient_polygons(geometry), shapely.orient_polygons(geometry, exterior_cw=True)
    one, other = (shapes.rasterise(frame([g]), GRID) for g in turned)
    np.testing.assert_array_equal(one, other)


@settings(max_examples=40)
@given(ANYWHERE, HALVES)
def test_neighbours_leave_no_pixel_out(col, row):
    """Four rectangles that meet in one point cover the grid, and share at most the row whose centres their edge is on."""
    ends = (-1, col, 51), (-1, row, 41)
    quarters = [
        shapely.box(*ground([(ends[0][i], ends[1][j + 1])])[0], *ground([(ends[0][i + 1], ends[1][j])])[0])
        for i in (0, 1)
        for j in (0, 1)
    ]
    covered = np.sum([shapes.rasterise(frame([q]), GRID) for q in quarters], axis=0)
    if 0 < col < 50 and 0 < row < 40:
        assert covered.min() == 1
        assert set(np.flatnonzero((covered > 1).any(axis=1))) <= {int(row)}


def test_any_grid_gives_a_mask_back():
    """Turned, skewed and south-up grids: the outlines of a mask are filled to that mask."""
    mask = np.random.default_rng(1).random((30, 31)) < 0.4
    for transform in (
        Affine(10, 0, 4e5, 0, 10, 4e6),
        Affine.rotation(30) @ Affine.scale(7, -3),
        Affine(8, 3, 0, 1, -9, 5),
    ):
        grid = Grid.of("EPSG:32611", transform, mask.shape)
        np.testing.assert_array_equal(shapes.rasterise(shapes.polygonise(mask, grid), grid) > 0, mask)


def test_threads_do_not_disturb_each_other():
    """rasterio's own way warned now and then when two threads met in it."""
    generator = np.random.default_rng(0)
    many = [frame([shapely.Point(*p).buffer(200) for p in ground(generator.random((5, 2)) * 40)]) for _ in range(40)]
    alone = [shapes.rasterise(one, GRID) for one in many]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: shapes.rasterise(one, GRID), many * 10))
    for one, other in zip(alone * 10, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_gives_nothing():
    for none in (frame([]), frame([shapely.Polygon()]), frame([None]), frame([shapely.Point(0, 0).buffer(1)])):
        assert not shapes.rasterise(none, GRID).any()
        assert not any(mask.any() for _, mask in shapes.rasterise_blocks(none, GRID))


@pytest.mark.parametrize("codes", [256, -1, [1, 300]])
def test_codes_that_do_not_fit_are_refused(codes):
    with pytest.raises(InputError, match="uint8"):
        shapes.rasterise(frame([shapely.box(0, 0, 1, 1)] * 2), GRID, codes)


def test_lines_and_points_are_refused():
    with pytest.raises(InputError, match="LineString"):
        shapes.rasterise(frame([shapely.LineString([(0, 0), (1, 1)])]), GRID)
