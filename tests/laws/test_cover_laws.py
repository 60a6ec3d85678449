"""Laws of water and learned cover: what a mask, a patch and a feature must do whatever the scene."""

import dask.array as da
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geolabel.label.classify import cover
from geolabel.label.cover.features import Features
from geolabel.label.water import water, water_mask
from geolabel.scene.frame import dataset
from geolabel.shapes import rasterise
from rasters import metric_grid


@st.composite
def fields(draw):
    """Smooth values about 0 with holes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(3, 30)), draw(st.integers(3, 30))
    values = ndimage.gaussian_filter(rng.normal(0, 1, shape), draw(st.sampled_from([0.5, 2.0])))
    values[rng.random(shape) < draw(st.sampled_from([0.0, 0.1]))] = np.nan
    return values


@settings(max_examples=30, deadline=None)
@given(fields(), st.floats(-0.3, 0.3), st.sampled_from([0, 2_000, 10_000]))
def test_water_polygons_are_the_mask_without_its_small_patches(values, threshold, min_area_m2):
    grid = metric_grid(*values.shape)
    found = water(values, grid, threshold=threshold, min_area_m2=min_area_m2)
    mask = water_mask(values, threshold=threshold)
    drawn = rasterise(found, grid) > 0
    assert not (drawn & ~mask).any()
    if not min_area_m2:
        np.testing.assert_array_equal(drawn, mask)
    assert (found.geometry.area >= min_area_m2).all()
    assert found["confidence"].between(0.5, 1).all()
    assert (found["index_mean"] >= threshold - 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(fields(), st.floats(-0.3, 0.3), st.floats(0, 0.5))
def test_a_higher_seed_and_a_steeper_guard_leave_less_water(values, threshold, above):
    wide = water_mask(values, threshold=threshold)
    seeded = water_mask(values, threshold=threshold, seed=threshold + above)
    assert not (seeded & ~wide).any()
    slope = np.nan_to_num(np.abs(values) * 40)
    gentle, steep = (water_mask(values, threshold=threshold, slope_deg=slope, max_slope_deg=d) for d in (5, 15))
    assert not (gentle & ~steep).any()
    assert not (steep & ~wide).any()


@settings(max_examples=25, deadline=None)
@given(fields(), st.tuples(st.integers(3, 9), st.integers(3, 9)))
def test_features_do_not_depend_on_how_the_scene_is_cut(values, chunks):
    values = values.astype(np.float32)
    features = Features(("red", "nir08"))
    grid = metric_grid(*values.shape)
    whole = features.compute(np.stack([values, values[::-1]]))
    bands = dataset({n: da.from_array(v, chunks=chunks) for n, v in (("red", values), ("nir08", values[::-1]))}, grid)
    np.testing.assert_array_equal(features.lazy(features.stack(bands)).compute(), whole)
    unseen = np.isnan(values) | np.isnan(values[::-1])
    np.testing.assert_array_equal(np.isnan(whole).any(axis=0), unseen)


@settings(max_examples=25, deadline=None)
@given(fields(), st.sampled_from([0, 3_000, 20_000]))
def test_learned_cover_takes_all_known_ground_once(values, min_area_m2):
    grid = metric_grid(*values.shape)
    known = np.isfinite(values)
    code = np.where(known, np.digitize(values, [-0.1, 0.1]) + 1, 255).astype(np.uint8)
    sure = np.where(known, np.clip(np.nan_to_num(np.abs(values)) * 250, 0, 250), 255).astype(np.uint8)
    table = cover(dataset({"code": code, "probability": sure}, grid), ("a", "b", "c"), grid, min_area_m2=min_area_m2)
    painted = rasterise(table, grid, ["abc".index(name) + 1 for name in table["class"]], fill=255)
    np.testing.assert_array_equal(painted == 255, ~known)
    assert table.geometry.area.sum() == 900 * known.sum()
    if not min_area_m2:
        np.testing.assert_array_equal(painted, code)
        mean = np.average(table["confidence"], weights=table.geometry.area) if len(table) else 0
        np.testing.assert_allclose(mean, sure[known].mean() / 250 if known.any() else 0, atol=1e-9)
