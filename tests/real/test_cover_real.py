"""Terrain learned from polygons, water, landforms and object proposals on real scenes."""

import numpy as np
import pytest
from benchmarks.cover import best_iou, buildings, halves, learned, spain, squares, told, trees

import geolabel as gl
from geolabel.label.landform import LANDFORM, landform_codes
from geolabel.scene.terrain import tpi
from geolabel.steps.cover import segments
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def amazon():
    return learned(data_folder("terrain-amazon-s2"))


def test_amazon_polygons_are_named_right_when_they_are_left_out(amazon):
    """The data's README: nearest mean reaches .962. The choice of the model counts as learning, too."""
    report = amazon.report
    assert report.polygons == 25
    assert not report.untested
    assert report.baseline == pytest.approx(0.962, abs=0.006)  # theirs on degrees, ours on metres
    assert report.accuracy >= 0.962
    assert report.accuracy > report.baseline
    assert report.by_polygon > 0.95
    assert report.stated == pytest.approx(report.accuracy, abs=0.03)


def test_amazon_confusion_counts_every_pixel_once_and_each_class_is_found(amazon):
    table = amazon.report.confusion
    assert table.to_numpy().sum() == len(amazon.samples.polygon)
    share = np.diag(table) / table.sum(axis=1)
    assert share.drop("dryout").min() > 0.98
    assert share["dryout"] > 0.75  # four polygons, one of them wet


def test_water_of_the_spanish_scene_beside_a_threshold_fitted_to_the_truth_itself():
    view = spain(data_folder("radar-spain-s1s2"))
    whole, each = halves(view, ("awei_sh", "mndwi", "ndwi"))
    assert whole > 0.717  # NDWI with the best threshold of all, fitted on the scene it is scored on
    assert min(each) > 0.6
    assert told(view, None, 0.0) > 0.7  # nothing fitted
    assert told(view, "mndwi", "otsu") > 0.7


def test_tree_crowns_are_proposed_better_than_by_as_many_squares():
    pytest.importorskip("skimage")
    scene, truth = trees(data_folder("objects-osbs-trees"))
    found, grid = segments(scene, size_m=3.6, way="crowns", class_name="tree_crown"), squares(scene, 3.6)
    assert len(found) <= len(grid)
    ours, theirs = best_iou(found, truth, boxes=True), best_iou(grid, truth, boxes=True)
    assert (ours >= 0.5).mean() > (theirs >= 0.5).mean() + 0.2
    assert (ours >= 0.3).mean() > 0.75


def test_buildings_under_trees_are_proposed_poorly_and_we_know_how_poorly():
    """Shaded roofs in one panchromatic band: a goal for nobody; the bounds hold what the documents say."""
    pytest.importorskip("skimage")
    scene, truth = buildings(data_folder("objects-atlanta-buildings"))
    found = segments(scene, size_m=15)
    best = best_iou(found, truth)
    assert (best >= 0.3).mean() > 0.6
    assert (best >= 0.5).mean() > 0.1
    assert len(found) < 40 * len(truth)


def test_landforms_of_real_ground_lie_where_topographic_position_says():
    folder = data_folder("landscape-napa-landfire")
    path = next(path for name in ("dem.tif", "*dem*.tif") for path in sorted(folder.rglob(name)))
    from rasterio import open as open_raster

    from geolabel.grid import Grid

    with open_raster(path) as file:
        grid = Grid.of(file.crs.to_wkt(), file.transform, file.shape)
    dem = gl.open_dem(path, grid)
    codes = landform_codes(dem.band("elevation"), grid, search_m=600).values
    height = tpi(dem, 600.0).values
    mean = {one.name: np.nanmean(height[codes == one.code]) for one in LANDFORM}
    assert mean["peak"] > mean["ridge"] > mean["spur"] > mean["slope"] > mean["hollow"] > mean["valley"] > mean["pit"]
    assert mean["shoulder"] > 0 > mean["footslope"]
