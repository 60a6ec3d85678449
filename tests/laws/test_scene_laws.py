"""Laws of resampling and terrain: nothing crosses nodata, nothing overshoots, chunks do not count."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.scene.align import align
from geolabel.scene.resample import Place, bilinear, onto, positions
from geolabel.scene.terrain import slope_aspect
from rasters import metric_grid, scene_of

small = st.integers(1, 12)


@st.composite
def fields(draw):
    """A field with holes, as float32, and a seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(small), draw(small)
    values = rng.normal(0, 10, shape).astype(np.float32)
    values[rng.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.6]))] = np.nan
    return values, rng


@settings(deadline=None)
@given(fields())
def test_a_value_is_where_the_pixel_under_it_has_one_and_lies_among_its_neighbours(field):
    values, rng = field
    row, col = (rng.uniform(-1.5, n + 0.5, (5, 6)) for n in values.shape)
    found = bilinear(values[None], row, col)[0]
    near = np.floor(np.stack([row, col]) + 0.5).astype(int)
    inside = (near >= 0).all(0) & (near[0] < values.shape[0]) & (near[1] < values.shape[1])
    held = np.zeros(row.shape, bool)
    held[inside] = np.isfinite(values[near[0][inside], near[1][inside]])
    np.testing.assert_array_equal(np.isfinite(found), held)
    if held.any():
        assert np.nanmin(values) - 1e-4 <= np.nanmin(found)
        assert np.nanmax(found) <= np.nanmax(values) + 1e-4


@settings(deadline=None)
@given(fields())
def test_at_pixel_centres_resampling_changes_nothing(field):
    values, _ = field
    place = Place.of(metric_grid(*values.shape))
    np.testing.assert_array_equal(onto(values[None], place, place)[0], values)


@settings(deadline=None)
@given(fields(), st.integers(1, 4))
def test_a_coarser_grid_holds_the_mean_of_what_it_covers(field, factor):
    values, _ = field
    height, width = (n // factor for n in values.shape)
    if not (height and width):
        return
    fine = metric_grid(height * factor, width * factor, res_m=10.0)
    coarse = metric_grid(height, width, res_m=10.0 * factor)
    cut = values[: fine.height, : fine.width]
    found = onto(cut[None], Place.of(fine), Place.of(coarse), factor)[0]
    blocks = cut.reshape(height, factor, width, factor)
    count = np.isfinite(blocks).sum((1, 3))
    mean = np.where(2 * count >= factor**2, np.nansum(blocks, (1, 3)) / np.maximum(count, 1), np.nan)
    np.testing.assert_allclose(found, mean, rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-1e5, 1e5))
def test_positions_there_and_back_are_the_same(angle, east):
    one = Place.of(metric_grid(40, 40, x=400_000.0 + east))
    two = Place.of(align({"a": scene_of({"red": np.ones((40, 40))}, metric_grid(40, 40, x=400_000.0 + east))}).grid)
    rows, cols = np.array([0.0, 12.25, 39.0]), np.array([39.0, 3.5 + angle / 360, 0.0])
    back = positions(*positions(rows, cols, of=one, on=two), of=two, on=one)
    np.testing.assert_allclose(np.stack(back), np.stack([rows, cols]), atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(fields(), st.integers(2, 9), st.integers(2, 9))
def test_slope_does_not_depend_on_the_chunks(field, rows, cols):
    values, _ = field
    cut, whole = (
        slope_aspect(scene_of({"elevation": values}, quantity="elevation_m", chunks=c)).to_array().values
        for c in ((rows, cols), -1)
    )
    np.testing.assert_array_equal(cut, whole)
