"""A pixel classifier learned from polygons: what it learns, and that it says truly how well."""

import dask.array as da
import geopandas as gpd
import numpy as np
import pytest
import shapely

from geolabel.errors import BandError, GeolabelWarning, InputError
from geolabel.label.classify import Classifier, cover
from geolabel.label.cover.features import Features
from geolabel.label.cover.holdout import hold_out
from geolabel.scene.frame import dataset
from geolabel.shapes import rasterise
from geolabel.tables import SHAPES, check
from rasters import metric_grid, scene_of

QUICK = ("linear discriminant", "quadratic discriminant")
SIZE, CELL = 96, 16
"""Pixels of the scene and of one field of the chessboard."""


def chessboard(n_classes=3, seed=0):
    """Classes of a 6 x 6 board, and its polygons: the inner part of every field."""
    rng = np.random.default_rng(seed)
    board = rng.permutation(np.arange(36) % n_classes).reshape(6, 6)
    return np.kron(board, np.ones((CELL, CELL), int))


def polygons_of(truth, grid, *, every=2, inset=4, names="abc"):
    rows = [
        (names[truth[r + CELL // 2, c + CELL // 2]], _box(grid, r + inset, c + inset, CELL - 2 * inset))
        for k, (r, c) in enumerate((r, c) for r in range(0, SIZE, CELL) for c in range(0, SIZE, CELL))
        if k % every == 0
    ]
    return gpd.GeoDataFrame({"class": [name for name, _ in rows]}, geometry=[g for _, g in rows], crs=grid.crs.proj)


def _box(grid, row, col, size):
    (x0, y0), (x1, y1) = grid.transform * (col, row + size), grid.transform * (col + size, row)
    return shapely.box(x0, y0, x1, y1)


def spectral(truth, seed=0, noise=0.02):
    rng = np.random.default_rng(seed)
    levels = np.array([[0.05, 0.1, 0.3], [0.05, 0.3, 0.1], [0.2, 0.2, 0.2]])
    bands = {
        name: levels[truth, i] + rng.normal(0, noise, truth.shape) for i, name in enumerate(("green", "nir08", "red"))
    }
    return scene_of(bands, metric_grid(SIZE, SIZE))


def test_classes_that_differ_in_colour_are_learned_and_the_report_says_so():
    truth = chessboard()
    scene = spectral(truth)
    learned = Classifier.fit(scene.data, polygons_of(truth, scene.grid), scene.grid, models=QUICK)
    assert learned.classes == ("a", "b", "c")
    assert learned.report.accuracy > 0.99
    assert learned.report.confusion.to_numpy().sum() == len(learned.samples.polygon)
    assert np.trace(learned.report.confusion) == round(learned.report.accuracy * len(learned.samples.polygon))
    named = learned.predict(scene.data)
    assert isinstance(named["code"].data, da.Array)
    assert (named["code"].values - 1 == truth).mean() > 0.95  # also in fields that nobody drew
    assert "held-out polygons" in learned._repr_html_()


def test_a_texture_without_a_colour_is_learned():
    truth = chessboard(2)
    rng = np.random.default_rng(1)
    scene = scene_of({"pan": 0.5 + np.where(truth, 0.1, 0.01) * rng.normal(0, 1, truth.shape)}, metric_grid(SIZE, SIZE))
    report = Classifier.fit(scene.data, polygons_of(truth, scene.grid), scene.grid, models=QUICK).report
    assert report.accuracy > 0.95
    assert "texture" in report.model
    assert report.baseline < 0.8


def test_classes_that_differ_in_height_only_need_the_ground():
    truth = chessboard(2)
    rng = np.random.default_rng(2)
    scene = scene_of({"pan": rng.normal(0.5, 0.1, truth.shape)}, metric_grid(SIZE, SIZE))
    heights = (100 * truth + rng.normal(0, 5, truth.shape)).astype(np.float32)
    heights[:, :3] = np.nan
    ground = dataset({"elevation": heights}, scene.grid)
    drawn = polygons_of(truth, scene.grid)
    assert Classifier.fit(scene.data, drawn, scene.grid, models=QUICK).report.accuracy < 0.7
    learned = Classifier.fit(scene.data, drawn, scene.grid, ground=ground, models=QUICK)
    assert learned.report.accuracy > 0.95
    named = learned.predict(scene.data, ground)
    assert (named["code"].values != 255).all()  # ground that is not known hides nothing
    with pytest.raises(BandError, match="elevation"):
        learned.predict(scene.data)


def test_labels_that_mean_nothing_are_not_learned_whatever_is_tried():
    """The best of many candidates looks good by luck; the reported accuracy must not. Copies must not leak either."""
    rng = np.random.default_rng(3)
    scene = scene_of(
        {"a": rng.normal(0, 1, (SIZE, SIZE)), "b": rng.normal(0, 1, (SIZE, SIZE))}, metric_grid(SIZE, SIZE)
    )
    drawn = polygons_of(chessboard(2, seed=5), scene.grid, every=1)
    drawn["class"] = rng.permutation(drawn["class"])
    twice = gpd.GeoDataFrame({"class": [*drawn["class"]] * 2}, geometry=[*drawn.geometry] * 2, crs=drawn.crs)
    for polygons in (drawn, twice):
        assert Classifier.fit(scene.data, polygons, scene.grid, most_px=40, models=QUICK).report.accuracy < 0.65


@pytest.mark.parametrize(
    ("chunks", "models"), [((7, 50), QUICK), ((96, 1), ("random forest",)), ((13, 96), ("logistic regression",))]
)
def test_the_prediction_does_not_depend_on_how_the_scene_is_cut(chunks, models):
    truth = chessboard()
    scene = spectral(truth, noise=0.1)
    drawn = polygons_of(truth, scene.grid, every=3)
    cut = scene_of({name: scene.data[name].values for name in scene.bands}, scene.grid, chunks=chunks)
    one, two = (Classifier.fit(s.data, drawn, s.grid, models=models, seed=4, most_px=30) for s in (scene, cut))
    assert one.candidate == two.candidate
    np.testing.assert_array_equal(one.samples.values, two.samples.values)
    for layer in ("code", "probability"):
        np.testing.assert_array_equal(one.predict(scene.data)[layer].values, two.predict(cut.data)[layer].values)


def test_texture_is_the_mean_and_deviation_of_the_known_pixels_of_a_window():
    rng = np.random.default_rng(6)
    layers = rng.normal(5, 2, (1, 20, 21)).astype(np.float32)
    layers[0, rng.random((20, 21)) < 0.1] = np.nan
    layers[0, 9, 8] = 5.0
    features = Features(("pan",))
    found = dict(zip(features.names, features.compute(layers)[:, 9, 8], strict=True))
    for size in (3, 7):
        half = size // 2
        window = layers[0, 9 - half : 10 + half, 8 - half : 9 + half]
        assert found[f"pan_mean{size}"] == pytest.approx(np.nanmean(window), rel=1e-5)
        assert found[f"pan_sd{size}"] == pytest.approx(np.nanstd(window), rel=1e-4)


def test_a_direction_is_read_as_one_that_comes_round():
    layers = np.array([[[0.5, 0.5, 0.5]], [[1.0, 359.0, np.nan]]], np.float32)
    features = Features(("pan",), ("aspect_deg",), ("aspect_deg",))
    values = dict(zip(features.names, features.compute(layers), strict=True))
    assert abs(values["aspect_deg_cos"][0, 0] - values["aspect_deg_cos"][0, 1]) < 1e-6
    assert abs(values["aspect_deg_sin"][0, 0] - values["aspect_deg_sin"][0, 1]) < 0.04
    assert values["aspect_deg_cos"][0, 2] == values["aspect_deg_sin"][0, 2] == 0  # flat ground faces nowhere


def test_a_missing_band_is_no_data_there_and_nowhere_else():
    truth = chessboard()
    scene = spectral(truth)
    drawn = polygons_of(truth, scene.grid)
    holed = scene.data.copy(deep=True).compute()
    holed["red"][50, 60] = np.nan
    learned = Classifier.fit(holed, drawn, scene.grid, models=QUICK)
    named = learned.predict(holed)
    for layer in ("code", "probability"):
        assert np.argwhere(named[layer].values == 255).tolist() == [[50, 60]]


def test_a_class_of_one_place_is_learned_but_not_tested():
    truth = chessboard()
    scene = spectral(truth)
    drawn = polygons_of(truth, scene.grid)
    lone = drawn.drop(drawn.index[drawn["class"] == "c"][1:])
    with pytest.warns(GeolabelWarning, match="not tested: c"):
        learned = Classifier.fit(scene.data, lone, scene.grid, models=QUICK)
    assert learned.report.untested == ("c",)
    assert learned.report.polygons == len(lone) - 1
    assert (learned.predict(scene.data)["code"].values == 3).any()


def test_without_two_places_of_any_class_nothing_can_be_said():
    truth = chessboard()
    scene = spectral(truth)
    drawn = polygons_of(truth, scene.grid).drop_duplicates("class")
    with pytest.raises(InputError, match="two polygons"):
        Classifier.fit(scene.data, drawn, scene.grid, models=QUICK)


def test_polygons_that_cannot_be_used_are_refused_with_the_reason():
    truth = chessboard()
    scene = spectral(truth)
    drawn = polygons_of(truth, scene.grid)
    with pytest.raises(InputError, match="no column 'cover'"):
        Classifier.fit(scene.data, drawn, scene.grid, column="cover")
    with pytest.raises(InputError, match="no polygon lies on the scene"):
        Classifier.fit(scene.data, drawn.set_geometry(drawn.translate(1e6)), scene.grid)
    with pytest.raises(InputError, match="no model 'forest'"):
        Classifier.fit(scene.data, drawn, scene.grid, models=["forest"])
    with pytest.raises(InputError, match="1 classes"):
        Classifier.fit(scene.data, drawn[drawn["class"] == "a"], scene.grid)


def test_many_polygons_are_held_out_several_at_a_time_and_each_once():
    truth = chessboard()
    scene = spectral(truth)
    learned = Classifier.fit(scene.data, polygons_of(truth, scene.grid, every=1), scene.grid, models=QUICK)
    held = hold_out(learned.samples, learned.features, [learned.candidate], seed=0, most_folds=4)
    assert held.tested.all()
    np.testing.assert_allclose(held.probability.sum(axis=2), 1, atol=1e-5)
    assert held.right.mean() > 0.99


def test_polygons_cover_known_ground_once_and_small_patches_lower_the_confidence():
    truth = chessboard()
    scene = spectral(truth, noise=0.06)
    learned = Classifier.fit(scene.data, polygons_of(truth, scene.grid), scene.grid, models=QUICK)
    named = learned.predict(scene.data)
    fine, coarse = (cover(named, learned.classes, scene.grid, min_area_m2=area) for area in (0, 20_000))
    check(coarse, SHAPES)
    assert len(coarse) < len(fine)
    assert coarse.geometry.area.sum() == pytest.approx(900 * SIZE**2)
    assert coarse.geometry.area.min() >= 20_000
    painted = rasterise(fine, scene.grid, [learned.classes.index(name) + 1 for name in fine["class"]])
    np.testing.assert_array_equal(painted, named["code"].values)
    assert coarse["confidence"].between(0, 1).all()
    weighed = [np.average(one["confidence"], weights=one.geometry.area) for one in (coarse, fine)]
    assert weighed[0] < weighed[1]  # what was joined was named otherwise


def test_the_same_seed_gives_the_same_forest_and_polygons_in_degrees_are_the_same():
    truth = chessboard()
    scene = spectral(truth, noise=0.1)
    drawn = polygons_of(truth, scene.grid, every=3)
    one = Classifier.fit(scene.data, drawn, scene.grid, models=["random forest"], seed=1, most_px=20)
    two = Classifier.fit(
        scene.data, drawn.to_crs("EPSG:4326"), scene.grid, models=["random forest"], seed=1, most_px=20
    )
    np.testing.assert_array_equal(one.samples.values, two.samples.values)
    np.testing.assert_array_equal(one.predict(scene.data)["code"].values, two.predict(scene.data)["code"].values)
    assert np.bincount(one.samples.polygon).max() == 20
