"""Laws of resampling, terrain and radar: nothing crosses nodata, nothing overshoots, chunks do not count."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.grid import Tile
from geolabel.scene.align import align
from geolabel.scene.flow import fill, gather
from geolabel.scene.radar import db_of_power, power_of_db
from geolabel.scene.resample import Place, onto, positions
from geolabel.scene.sample import blend
from geolabel.scene.speckle import despeckled
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
    found = blend(values[None], row, col)[0]
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


@given(fields(), st.integers(1, 4), st.permutations(range(4)))
def test_the_mode_is_a_class_that_is_there_and_does_not_hang_on_its_number(field, factor, other):
    values, rng = field
    codes = np.where(np.isfinite(values), rng.integers(0, 4, values.shape), np.nan).astype(np.float32)
    renamed = np.where(np.isfinite(codes), np.array(other)[np.nan_to_num(codes).astype(int)], np.nan).astype(np.float32)
    height, width = (n // factor for n in values.shape)
    if not (height and width):
        return
    source = Place.of(metric_grid(*values.shape, res_m=10.0))
    target = Place.of(metric_grid(height, width, res_m=10.0 * factor))
    one, two = (onto(c[None], source, target, factor, way="mode")[0] for c in (codes, renamed))
    np.testing.assert_array_equal(np.isnan(one), np.isnan(two))
    for row, col in np.argwhere(np.isfinite(one)):
        block = codes[row * factor : (row + 1) * factor, col * factor : (col + 1) * factor]
        found, counts = np.unique(block[np.isfinite(block)], return_counts=True)
        assert one[row, col] == found[counts.argmax()]
        if (counts == counts.max()).sum() == 1:
            assert two[row, col] == other[int(one[row, col])]


@given(fields(), st.floats(0, 360), st.sampled_from([1, 2, 3]))
def test_turning_all_directions_turns_what_they_become(field, turn, factor):
    values, _ = field
    height, width = (n // factor for n in values.shape)
    if not (height and width):
        return
    source, target = (
        Place.of(metric_grid(*values.shape, res_m=10.0)),
        Place.of(metric_grid(height, width, res_m=10.0 * factor)),
    )
    bearings = (values * 40) % 360
    one, two = (onto(b[None], source, target, factor, way="circular")[0] for b in (bearings, (bearings + turn) % 360))
    both = np.isfinite(one) & np.isfinite(two)
    apart = abs((two - one - turn + 180) % 360 - 180)[both]
    assert (apart < 0.05).all()
    assert ((one[both] >= 0) & (one[both] < 360)).all()


@given(st.integers(0, 2**32 - 1))
def test_power_to_dB_and_back_and_order_is_kept(seed):
    power = np.random.default_rng(seed).gamma(1.0, 0.1, 50).astype(np.float32) + np.float32(1e-6)
    db = db_of_power(power)
    np.testing.assert_allclose(power_of_db(db), power, rtol=1e-5)
    assert (np.diff(db[np.argsort(power)]) >= 0).all()


@given(fields(), st.sampled_from([0.5, 1.0, 4.4, 50.0]), st.booleans())
def test_a_speckle_filter_stays_among_the_values_it_sees_and_scales_with_them(field, looks, halves):
    power = np.exp(field[0] / 5)
    quiet = despeckled(power, looks=looks, half=3, halves=halves)
    np.testing.assert_array_equal(np.isnan(quiet), np.isnan(power))
    if np.isfinite(power).any():
        assert np.nanmin(power) * (1 - 1e-6) <= np.nanmin(quiet)
        assert np.nanmax(quiet) <= np.nanmax(power) * (1 + 1e-6)
    twice = despeckled(power * np.float32(4), looks=looks, half=3, halves=halves)  # by 4: exact in binary
    np.testing.assert_array_equal(twice, quiet * np.float32(4))


@given(fields())
def test_filled_ground_is_nowhere_lower_drains_and_is_not_filled_again(field):
    heights = field[0]
    if not np.isfinite(heights).any():
        return
    filled, order = fill(heights)
    known = np.isfinite(heights)
    assert len(order) == known.sum() == len(set(order.tolist()))
    assert (filled[known] >= heights[known]).all()
    np.testing.assert_allclose(fill(filled)[0], filled, atol=1e-9)
    pixels, fall = gather(filled, order)
    assert np.isclose(pixels[known & (fall == 0)].sum(), known.sum())  # all ground leaves, none twice


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_a_part_of_a_dataset_lies_where_the_tile_lies(height, width, data):
    grid = metric_grid(height, width, res_m=30.1, x=400_000.123)
    row, col = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    tile = Tile(row, col, data.draw(st.integers(1, height - row)), data.draw(st.integers(1, width - col)))
    rows, cols = tile.slices
    part = scene_of({"red": np.ones(grid.shape)}, grid).data.isel(y=rows, x=cols)
    assert part.geolabel.grid.digest == grid.crop(tile).digest
