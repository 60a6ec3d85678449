"""Laws of scars in strips: nothing depends on strips, blocks or threads; steps ask what values ask."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geolabel.label.burned import burned
from geolabel.label.scars.quanta import LEAST, MOST, counts_of, level_table, median_of, quantised, steps_of, value_of
from geolabel.label.scars.walk import How
from geolabel.label.severity import SCHEMES, levels
from geolabel.shapes import rasterise
from rasters import metric_grid
from sources import ArraySource, same

UNITS = st.sampled_from(["x1", "x1000"])
SPAN = {"x1": 3.25, "x1000": 3250.0}


@st.composite
def images(draw):
    """Smooth, rough or speckled, with gaps; its first pixel was seen (an image that nobody saw is refused)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    index = ndimage.gaussian_filter(rng.normal(0, 1, shape), draw(st.sampled_from([0.0, 0.7, 1.5, 4.0])))
    index = (index - index.mean()) / max(index.std(), 1e-9) * 0.4 + draw(st.sampled_from([0.0, 0.3]))
    gone = rng.random(shape) < draw(st.sampled_from([0.0, 0.1, 0.5]))
    gone[0, 0] = False
    index[gone] = np.nan
    return index.astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    images(),
    st.integers(1, 61),
    st.tuples(st.integers(1, 61), st.integers(1, 61)),
    st.integers(1, 4),
    st.sampled_from([0, 2_000, 20_000]),
    st.sampled_from([{}, {"seed": 0.5}, {"severity": False}, {"offset": 0.05}]),
)
def test_strips_blocks_and_threads_change_nothing(index, rows, block, threads, min_area_m2, more):
    grid = metric_grid(*index.shape)
    definition = {"threshold": 0.1, "min_area_m2": min_area_m2, **more}
    whole = burned(index, grid, how=How(strip_rows=len(index), threads=1), **definition)
    strips = burned(ArraySource(index, block), grid, how=How(strip_rows=rows, threads=threads), **definition)
    assert same(whole, strips)
    assert whole.geometry.is_valid.all()
    assert not len(whole) or whole.geometry.area.min() >= min_area_m2


@settings(max_examples=30, deadline=None)
@given(images(), st.integers(1, 20))
def test_turning_the_image_turns_the_scars(index, rows):
    """A transposed image has the same scars, transposed: no direction is special."""
    here, there = metric_grid(*index.shape, x=0.0, y=0.0), metric_grid(*index.T.shape, x=0.0, y=0.0)
    how = {"how": How(strip_rows=rows), "severity": False, "min_area_m2": 4_000, "threshold": 0.2}
    one, two = burned(index, here, **how), burned(index.T.copy(), there, **how)
    turned = two.geometry.affine_transform([0, -1, -1, 0, 0, 0])
    assert len(one) == len(two)
    assert sorted(one.geometry.normalize().to_wkb()) == sorted(turned.normalize().to_wkb())
    assert sorted(one.dnbr_mean) == sorted(two.dnbr_mean)
    assert sorted(one.masked_share) == sorted(two.masked_share)


@settings(max_examples=30, deadline=None)
@given(images(), st.integers(-2_000, 2_000))
def test_an_offset_is_the_same_as_another_index(index, steps):
    """On an index in whole steps, taking `steps` off the index or as the offset is one and the same."""
    whole = np.round(index.astype(float) * 10_000)
    moved = burned(((whole - steps) / 10_000).astype(np.float32), metric_grid(*index.shape), threshold=0.1)
    offset = burned(
        (whole / 10_000).astype(np.float32), metric_grid(*index.shape), threshold=0.1, offset=steps / 10_000
    )
    assert offset.attrs.pop("offset") == steps / 10_000
    assert moved.attrs.pop("offset") == 0
    assert same(moved, offset)


# ---------------------------------------------------------------------- steps
@settings(deadline=None)
@given(UNITS, st.integers(LEAST, MOST))
def test_a_break_of_whole_steps_is_met_exactly(units, step):
    """The value of a step has that step, the next smaller float32 the one below."""
    value = np.float32(value_of(step, units))
    below = np.nextafter(value, np.float32(-np.inf))
    assert steps_of(float(value_of(step, units)), units) == step
    assert quantised(np.array([[value]]), units)[0, 0] == step
    assert quantised(np.array([[below]]), units)[0, 0] == max(step - 1, LEAST)


@settings(deadline=None)
@given(UNITS, st.data())
def test_steps_ask_what_values_ask(units, data):
    """`value >= threshold` and `step >= step of it`, for any value and every threshold of whole steps."""
    values = np.array([[data.draw(st.floats(-SPAN[units], SPAN[units], width=32)) for _ in range(5)]], np.float32)
    step = data.draw(st.integers(LEAST, MOST))
    threshold = float(value_of(step, units))
    above = quantised(values, units) >= steps_of(threshold, units)
    np.testing.assert_array_equal(above, values >= np.float32(threshold))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(SCHEMES)), st.integers(0, 2**32 - 1))
def test_the_level_of_a_step_is_the_level_of_its_values(name, seed):
    scheme = SCHEMES[name]
    rng = np.random.default_rng(seed)
    values = rng.uniform(-SPAN[scheme.units], SPAN[scheme.units], (20, 20)).astype(np.float32)
    values.ravel()[: len(scheme.breaks)] = scheme.breaks
    values[3, 3] = np.nan
    table = level_table(scheme)
    found = table[quantised(values, scheme.units).astype(int) + 32768]
    np.testing.assert_array_equal(found, levels(values, scheme, units=scheme.units))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(LEAST, MOST), st.just(-32768)), min_size=1, max_size=40))
def test_the_median_of_counts_is_the_lower_middle_value(steps):
    quanta = np.array([steps], np.int16)
    known = np.sort(quanta[quanta != -32768])
    counts = counts_of(quanta)
    assert counts.sum() == len(known)
    if len(known):
        assert median_of(counts) == known[(len(known) - 1) // 2]


def test_values_without_a_number_are_no_data_and_large_ones_stay_at_the_ends():
    values = np.array([[np.nan, np.inf, -np.inf, 9.0, -9.0, 0.0, -0.0]], np.float32)
    assert quantised(values, "x1").tolist() == [[-32768, -32768, -32768, MOST, LEAST, 0, 0]]


@settings(max_examples=20, deadline=None)
@given(images(), st.integers(-2_000, 2_000), st.sampled_from([{"threshold": "otsu"}, {"per_fire": True}]))
def test_what_the_data_suggest_does_not_depend_on_what_is_taken_off(index, steps, told):
    """Otsu's threshold and breaks of the fire follow the index: a shift taken off again changes no polygon."""
    whole = np.clip(np.round(index.astype(float) * 10_000), -25_000, 25_000)
    grid = metric_grid(*index.shape)
    if np.unique(whole[np.isfinite(whole)]).size < 300 or not (whole >= 3_000).any():
        return
    here, there = (
        burned(((whole + more) / 10_000).astype(np.float32), grid, offset=more / 10_000, min_area_m2=0, **told)
        for more in (0, steps)
    )
    assert [g.wkb for g in here.geometry] == [g.wkb for g in there.geometry]
    assert here.severity.tolist() == there.severity.tolist()
    assert there.attrs["breaks"] == here.attrs["breaks"]
    assert there.attrs["threshold"] == here.attrs["threshold"]


@settings(max_examples=30, deadline=None)
@given(images(), st.integers(1, 61), st.integers(1, 3))
def test_without_clean_up_the_scar_is_what_lies_above_the_threshold(index, rows, threads):
    grid = metric_grid(*index.shape)
    scar = burned(index, grid, cleanup=None, min_area_m2=0, threshold=0.1, how=How(strip_rows=rows, threads=threads))
    np.testing.assert_array_equal(rasterise(scar, grid) > 0, index >= np.float32(0.1))
