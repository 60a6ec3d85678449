"""Topographic wetness: planes and cones whose catchment is known, depressions, conservation of area."""

import numpy as np
import pytest
from affine import Affine
from scipy import ndimage

from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid
from geolabel.scene import flow
from geolabel.scene.flow import MIN_SLOPE, fill, gather, twi
from rasters import metric_grid, scene_of

RES = 10.0


def dem_of(heights, **more):
    grid = metric_grid(*np.shape(heights), res_m=RES)
    return scene_of({"elevation": heights}, grid, quantity="elevation_m", **more)


def around(n):
    """Metres east and north of the centre pixel of an n x n grid."""
    row, col = np.mgrid[:n, :n] - n // 2
    return col * RES, -row * RES


def hills(shape=(80, 90), seed=0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3) * 300 + 500


@pytest.mark.parametrize("bearing", [0, 17, 30, 45, 60, 90, 151])
def test_on_a_slope_in_any_direction_the_catchment_is_the_way_to_the_ridge(bearing):
    """A roof of slope .2: a pixel d metres from its ridge drains d m2 a metre of contour."""
    east, north = around(161)
    d = abs(east * np.sin(np.radians(bearing)) + north * np.cos(np.radians(bearing)))
    drained = np.exp(twi(dem_of(500 - 0.2 * d)).values) * 0.2
    inner = (np.hypot(east, north) < 480) & (d > 100)  # where water from beyond the raster's sides would not come
    metres_per_metre, _ = np.polyfit(d[inner], drained[inner], 1)
    assert metres_per_metre == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(drained[inner], d[inner], rtol=0.06)  # half a pixel more: that of the ridge itself


def test_on_a_cone_the_catchment_is_half_the_radius():
    radius = np.hypot(*around(161))
    drained = np.exp(twi(dem_of(900 - 0.3 * radius)).values) * 0.3
    ring = (radius > 150) & (radius < 750)
    assert np.median(drained[ring] / (radius[ring] / 2)) == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(drained[ring], radius[ring] / 2, rtol=0.08)


def test_all_ground_leaves_over_the_border_and_nothing_twice():
    filled, order = fill(hills())
    pixels, fall = gather(filled, order)
    assert pixels[fall == 0].sum() == pytest.approx(filled.size)
    border = np.ones(filled.shape, bool)
    border[1:-1, 1:-1] = False
    assert border[fall == 0].all()


def test_a_depression_is_filled_to_its_outlet_and_other_ground_stays():
    heights = np.full((9, 9), 10.0)
    heights[2:7, 2:7] = 3
    heights[4, 0:3] = 6  # a way out to the west
    filled, _ = fill(heights)
    np.testing.assert_allclose(filled[2:7, 2:7], 6, atol=1e-9)
    np.testing.assert_allclose(filled[0], 10, atol=1e-9)
    assert (filled >= heights).all()


def test_every_inner_pixel_has_a_lower_neighbour_even_on_a_plain():
    filled, order = fill(np.round(hills() / 40) * 40)  # terraces
    lowest = ndimage.minimum_filter(filled, 3)
    assert (lowest[1:-1, 1:-1] < filled[1:-1, 1:-1]).all()
    assert (np.diff(filled.reshape(-1)[order]) >= 0).all()


def test_flat_ground_counts_as_the_least_slope():
    found = twi(dem_of(np.full((7, 7), 100.0))).values
    assert np.isfinite(found[1:-1, 1:-1]).all()
    assert np.nanmin(found) == pytest.approx(np.log(RES / MIN_SLOPE), abs=0.01)


def test_missing_ground_is_an_outlet_and_its_neighbours_have_no_index():
    heights = hills((30, 31))
    heights[10, 12] = np.nan
    found = twi(dem_of(heights)).values
    expected = np.ones(heights.shape, bool)
    expected[1:-1, 1:-1] = False
    expected[9:12, 11:14] = True
    np.testing.assert_array_equal(np.isnan(found), expected)


@pytest.mark.parametrize("chunks", [(7, 5), (30, 3)])
def test_chunks_change_nothing(chunks):
    heights = hills((41, 37)).astype(np.float32)
    cut = twi(dem_of(heights, chunks=chunks))
    assert cut.chunks == dem_of(heights, chunks=chunks).band("elevation").chunks
    np.testing.assert_array_equal(cut.values, twi(dem_of(heights)).values)


def test_rows_that_run_north_give_the_same_ground():
    down, heights = metric_grid(30, 40, res_m=RES), hills((30, 40))
    up = Grid.of("EPSG:32611", Affine(RES, 0, 400_000, 0, RES, 3_800_000 - 30 * RES), (30, 40))
    one, two = (
        twi(scene_of({"elevation": z}, grid, quantity="elevation_m")).values
        for z, grid in ((heights, down), (heights[::-1], up))
    )
    np.testing.assert_allclose(one, two[::-1], rtol=1e-6)


def test_a_dem_of_nothing_is_named_when_it_is_computed():
    index = twi(dem_of(np.full((6, 6), np.nan)))
    with pytest.raises(InputError, match="without any height") as error:
        index.compute()
    assert "nodata" in error.value.hint


def test_what_does_not_fit_one_piece_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(flow, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="11 x 10 pixels"):
        twi(dem_of(np.zeros((11, 10))))


def test_heights_that_are_none_and_pixels_that_are_not_square_are_refused():
    oblong = Grid.of("EPSG:32611", Affine(10, 0, 400_000, 0, -20, 3_800_000), (6, 6))
    with pytest.raises(CRSError, match="square"):
        twi(scene_of({"elevation": np.zeros((6, 6))}, oblong, quantity="elevation_m"))
    with pytest.raises(UnitError):
        twi(scene_of({"elevation": np.zeros((6, 6))}, quantity="dn"))
