"""The numbers of DOMAIN, sections 1 to 3, row by row and through the public functions: the list of cases covered.

Rules with more than a number have tests of their own: masks and names in `test_open.py` and `test_products*.py`, severity
in `tests/label`, classes in `test_classes.py`, radar in `test_radar.py`.
"""

import numpy as np
import pytest

from geolabel.grid import Grid
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.indices import dnbr, index, nbr, rbr, rdnbr
from geolabel.scene.open import open_scene
from geolabel.scene.radar import log_ratio, to_db
from geolabel.scene.speckle import temporal_mean
from geolabel.scene.terrain import slope_aspect
from rasters import metric_grid, scene_of, write_raster

NIR_SWIR = ("nir08", "swir22")


def opened(folder, values, names, **more):
    """Scene of a file with one row of DN per band."""
    tags = more.pop("tags", None)
    values = np.asarray(values).reshape(len(names), 1, -1)
    path = write_raster(folder / f"{len(list(folder.iterdir()))}.tif", values, names=names, tags=tags)
    return open_scene(path, at="2023-06-01", **more)


def pair(pre, post):
    grid = metric_grid(1, 1)
    scenes = (scene_of(dict(zip(NIR_SWIR, values, strict=True)), grid) for values in (pre, post))
    return View("v", grid, dict(zip(("before", "after"), scenes, strict=True)))


def one(array):
    return float(array.values.reshape(-1)[0])


# ---------------------------------------------------------------------- section 1: sensors
def test_sentinel_2_number_1452_with_its_offset_is_0_0452_and_0_is_no_data(tmp_path):
    dn = np.array([1452, 0], np.uint16)
    scene = opened(tmp_path, dn, ["B04"], sensor="sentinel-2-l2a", tags={"PROCESSING_BASELINE": "04.00"})
    np.testing.assert_allclose(scene.band("red").values[0], [0.0452, np.nan], atol=1e-6)


def test_1500_less_2500_is_minus_1000(tmp_path):
    scene = opened(tmp_path, np.array([1500, 2500], np.uint16), ["red", "green"])
    assert one(scene.band("red") - scene.band("green")) == -1000


def test_ground_that_did_not_burn_shows_no_change_though_one_scene_has_the_offset(tmp_path):
    """Reflectance .25 and .15 before and after, as DN of baseline 02.14 and of 04.00."""
    old = opened(tmp_path, np.array([2500, 1500], np.uint16), ["B8A", "B12"], sensor="sentinel-2-l2a",
                 tags={"PROCESSING_BASELINE": "02.14"})  # fmt: skip
    dn, names = np.array([3500, 2500], np.uint16), ["B8A", "B12"]
    new = opened(tmp_path, dn, names, sensor="sentinel-2-l2a", tags={"PROCESSING_BASELINE": "04.00"})
    assert abs(one(dnbr(align({"before": old, "after": new})))) < 1e-6
    ignored = opened(tmp_path, dn, names, sensor="sentinel-2-l2a", offset=0)
    assert one(dnbr(align({"before": old, "after": ignored}))) == pytest.approx(0.0833, abs=5e-5)


@pytest.mark.parametrize(("dn", "value"), [(7273, 7.5e-6), (10000, 0.075), (20000, 0.35), (43636, 0.99999)])
def test_landsat_numbers(tmp_path, dn, value):
    scene = opened(tmp_path, np.array([dn], np.uint16), ["red"], sensor="landsat-c2-l2")
    assert one(scene.band("red")) == pytest.approx(value, abs=1e-7)


def test_nbr_of_landsat_numbers(tmp_path):
    dn = np.array([18000, 12000], np.uint16)
    assert one(nbr(opened(tmp_path, dn, NIR_SWIR, sensor="landsat-c2-l2"))) == pytest.approx(0.388235, abs=1e-6)
    assert one(nbr(opened(tmp_path, dn, NIR_SWIR))) == pytest.approx(0.200)


@pytest.mark.parametrize(("flags", "kept"), [(21824, True), (21952, True), (22280, False), (1, False)])
def test_qa_pixel(tmp_path, flags, kept):
    dn = np.array([20000, flags], np.uint16)
    scene = opened(tmp_path, dn, ["red", "QA_PIXEL"], sensor="landsat-c2-l2")
    assert bool(np.isfinite(one(scene.band("red")))) is kept


def test_backscatter_changes_by_minus_2_218487_dB_and_its_mean_is_minus_16_9897_dB():
    grid = metric_grid(1, 1)
    scenes = [scene_of({"vv": v}, grid, quantity="gamma0_linear") for v in (0.020, 0.012, 0.01, 0.03)]
    change = log_ratio(View("v", grid, {"before": scenes[0], "after": scenes[1]}), "vv")
    assert one(change) == pytest.approx(-2.218487, abs=2e-6)
    assert one(to_db(temporal_mean(scenes[2:])).band("vv")) == pytest.approx(-16.9897, abs=1e-4)


def test_reflectance_is_resampled_and_the_index_taken_then():
    bands = {"nir08": [[0.05, 0.20], [0.05, 0.20]], "swir22": [[0.15, 0.05], [0.15, 0.05]]}
    fine, coarse = scene_of(bands, metric_grid(2, 2, res_m=10.0)), metric_grid(1, 1, res_m=20.0)
    assert one(nbr(align({"s": fine}, grid=coarse)["s"])) == pytest.approx(0.1111, abs=5e-5)
    assert float(nbr(fine).mean()) == pytest.approx(0.05, abs=1e-6)  # the wrong order


# ---------------------------------------------------------------------- section 2: indices
@pytest.mark.parametrize(
    ("what", "value"),
    [
        (lambda v: nbr(v["before"]), 0.428571),
        (lambda v: nbr(v["after"]), -0.25),
        (dnbr, 0.678571),
        (rdnbr, 1036.535),
        (rbr, 0.474668),
    ],
    ids=["nbr before", "nbr after", "dnbr", "rdnbr", "rbr"],
)
def test_burn_indices_of_a_burned_pixel(what, value):
    assert one(what(pair((0.30, 0.12), (0.15, 0.25)))) == pytest.approx(value, rel=2e-6)


def test_rdnbr_of_ground_that_was_bare_before():
    assert one(rdnbr(pair((0.475, 0.525), (0.375, 0.625)))) == pytest.approx(894.43, abs=5e-3)


BANDS = ("blue", "green", "red", "rededge075", "rededge078", "nir08", "swir16", "swir22")
BURNED, GREEN = (0.04, 0.045, 0.05, 0.12, 0.14, 0.15, 0.24, 0.25), (0.03, 0.05, 0.03, 0.22, 0.28, 0.30, 0.16, 0.08)


@pytest.mark.parametrize(
    ("values", "name", "value"),
    [
        (BURNED, "bais2", 0.898118), (BURNED, "mirbi", 2.148), (BURNED, "nbr2", -0.020408), (BURNED, "nbr_plus", 0.030928),
        (GREEN, "bais2", 0.138361), (GREEN, "mirbi", 1.232), (GREEN, "nbr2", 0.333333), (GREEN, "nbr_plus", -0.652174),
        (BURNED, "baim", 80.0),
    ],
)  # fmt: skip
def test_indices_of_burned_and_of_green_ground(values, name, value):
    scene = scene_of(dict(zip(BANDS, values, strict=True)))
    assert one(index(scene, name)) == pytest.approx(value, rel=1e-6, abs=6e-7)


def test_nothing_over_nothing_is_nan_without_a_warning():
    assert np.isnan(one(nbr(scene_of({"nir08": 0.0, "swir22": 0.0}))))


# ---------------------------------------------------------------------- section 3: terrain
@pytest.mark.parametrize(
    ("east", "north", "slope", "aspect"),
    [(0, 1, 45, 180), (1, 0, 45, 270), (0, -1, 45, 0), (-1, 0, 45, 90), (1, 1, 54.7356, 225)],
    ids=["rises N", "rises E", "rises S", "rises W", "rises NE"],
)
def test_slope_and_aspect_of_a_plane(east, north, slope, aspect):
    grid = metric_grid(3, 3)
    x, y = np.meshgrid(grid.coords()["x"] - 400_000, grid.coords()["y"] - 3_800_000)
    both = slope_aspect(scene_of({"elevation": east * x + north * y}, grid, quantity="elevation_m"))
    assert float(both.slope_deg[1, 1]) == pytest.approx(slope, abs=1e-3)
    assert float(both.aspect_deg[1, 1]) == pytest.approx(aspect, abs=1e-3)


def test_aspect_on_cells_of_10_by_1_metres():
    from affine import Affine

    grid = Grid.of("EPSG:32611", Affine(10, 0, 400_000, 0, -1, 3_800_000), (3, 3))
    heights = 10.0 * np.arange(3)[None, :] - np.arange(3.0)[:, None]
    aspect = slope_aspect(scene_of({"elevation": heights}, grid, quantity="elevation_m")).aspect_deg
    assert float(aspect[1, 1]) == pytest.approx(225, abs=1e-3)
