"""Laws of labels by rule: polygons and masks are one thing, smallest units hold, ids follow the ground."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geolabel.label.burned import burned, burned_mask
from geolabel.label.otsu import thresholds
from geolabel.label.patches import FOUR, merged, patches, without_small
from geolabel.label.severity import KEY_BENSON
from geolabel.label.terrain import terrain
from geolabel.ontology import WILDFIRE
from geolabel.shapes import rasterise
from rasters import metric_grid


@st.composite
def indices(draw):
    """A smooth dNBR with holes: scars of every shape."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(5, 40)), draw(st.integers(5, 40))
    index = ndimage.gaussian_filter(rng.normal(0, 1, shape), draw(st.sampled_from([0.5, 1.0, 3.0])))
    index = ((index - index.mean()) / max(index.std(), 1e-9) * 0.3).astype(np.float32)
    gone = rng.random(shape) < draw(st.sampled_from([0.0, 0.1]))
    gone[0, 0] = False  # an image that nobody saw is refused
    index[gone] = np.nan
    return index


@settings(max_examples=40, deadline=None)
@given(indices(), st.sampled_from([0, 3_000, 20_000]), st.sampled_from([0.05, 0.1, 0.4]))
def test_scar_polygons_are_the_scar_mask_and_keep_the_smallest_unit(index, min_area_m2, threshold):
    grid = metric_grid(*index.shape)
    how = {"threshold": threshold, "min_area_m2": min_area_m2}
    scar, mask = burned(index, grid, **how), burned_mask(index, grid, **how)
    np.testing.assert_array_equal(rasterise(scar, grid) > 0, mask)
    assert scar.geometry.is_valid.all()
    assert scar.label_id.is_unique
    assert scar.geometry.area.sum() == 900 * mask.sum()
    assert not mask[np.isnan(index)].any()
    whole, n = ndimage.label(mask, FOUR)
    assert not n or np.bincount(whole.ravel())[1:].min() * 900 >= min_area_m2
    assert scar.confidence.between(0.5, 1).all()
    assert scar.masked_share.between(0, 1).all()
    if threshold >= KEY_BENSON.burned_from:
        assert "unburned" not in set(scar.severity)


@settings(max_examples=30, deadline=None)
@given(indices(), st.integers(1, 12))
def test_merging_small_patches_keeps_the_ground(index, min_pixels):
    inside = np.isfinite(index)
    codes = np.digitize(index, [-0.2, 0.0, 0.3]).astype(np.uint8) + 1
    kept = merged(codes, inside, min_pixels)
    np.testing.assert_array_equal(kept > 0, inside)
    assert set(np.unique(kept[inside])) <= set(np.unique(codes[inside]))


@settings(max_examples=30, deadline=None)
@given(indices(), st.integers(1, 30))
def test_small_patches_go_and_large_ones_stay(index, min_pixels):
    mask = index > 0
    kept = without_small(mask, min_pixels)
    assert not (kept & ~mask).any()
    for number in range(1, ndimage.label(mask, FOUR)[1] + 1):
        patch = ndimage.label(mask, FOUR)[0] == number
        assert kept[patch].all() == (patch.sum() >= min_pixels)
        assert kept[patch].any() == (patch.sum() >= min_pixels)


@settings(max_examples=30, deadline=None)
@given(indices())
def test_patches_number_every_coded_pixel_with_one_code_each(index):
    codes = np.nan_to_num(np.digitize(index, [0.0, 0.3])).astype(np.uint8)
    numbers = patches(codes)
    np.testing.assert_array_equal(numbers > 0, codes > 0)
    for number in range(1, numbers.max() + 1):
        assert np.unique(codes[numbers == number]).size == 1
        assert ndimage.label(numbers == number, FOUR)[1] == 1


@settings(max_examples=20, deadline=None)
@given(indices())
def test_terrain_polygons_make_the_codes_again(index):
    codes = np.where(np.isfinite(index), np.digitize(index, [-0.3, -0.1, 0, 0.1, 0.3]) + 1, 255).astype(np.uint8)
    grid = metric_grid(*index.shape)
    cover = terrain(codes, grid, min_area_m2=0)
    back = rasterise(cover, grid, [WILDFIRE[name].code for name in cover["class"]], fill=255)
    np.testing.assert_array_equal(back, codes)


@settings(deadline=None)
@given(st.integers(2, 4), st.floats(0.001, 1000), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_otsu_follows_scale_and_shift(classes, scale, shift, seed):
    values = np.random.default_rng(seed).integers(0, 200, 300) / 8.0
    found, moved = thresholds(values, classes), thresholds(values * scale + shift, classes)
    parts, parts_moved = np.digitize(values, found), np.digitize(values * scale + shift, moved)
    assert (parts == parts_moved).mean() > 0.97  # a bin's edge may fall on either side of a value
