"""Indices against spyndex, thresholds against scikit-image and against every cut, resampling against GDAL."""

import itertools
import warnings

import numpy as np
import pytest
import rasterio.warp

from geolabel.grid import Grid
from geolabel.label.otsu import _best_cuts, _gain, thresholds
from geolabel.scene.indices import INDICES, index
from geolabel.scene.resample import Place, onto
from rasters import scene_of

SPYNDEX = {
    "nbr": "NBR",
    "ndvi": "NDVI",
    "mndwi": "MNDWI",
    "nbr2": "NBR2",
    "nbr_plus": "NBRplus",
    "mirbi": "MIRBI",
    "bai": "BAI",
    "bais2": "BAIS2",
    "ndwi": "NDWI",
    "awei_sh": "AWEIsh",
}
LETTERS = {
    "blue": "B", "green": "G", "red": "R", "rededge075": "RE2", "rededge078": "RE3", "swir16": "S1", "swir22": "S2",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SPYNDEX))
def test_indices_equal_spyndex(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spyndex = pytest.importorskip("spyndex")
        rng = np.random.default_rng(0)
        bands = {band: rng.uniform(0.02, 0.6, (20, 30)).astype(np.float32) for band in INDICES[name].bands}
        nir = "N2" if name in ("nbr_plus", "bais2") else "N"
        given = {LETTERS.get(band, nir): values.astype(float) for band, values in bands.items()}
        expected = spyndex.computeIndex(SPYNDEX[name], params=given)
    np.testing.assert_allclose(index(scene_of(bands), name).values, expected, rtol=2e-5, atol=1e-6)


def test_no_index_that_both_define_is_left_out_but_the_one_whose_brackets_are_wrong():
    spyndex = pytest.importorskip("spyndex")
    theirs = {name.lower(): name for name in spyndex.indices if name != "BaI"}  # bareness: only its case tells it apart
    both = {ours: theirs[ours.replace("_", "")] for ours in INDICES if ours.replace("_", "") in theirs}
    assert both == {**SPYNDEX, "baim": "BAIM"}
    burned = {"N": 0.15, "S2": 0.25}
    assert spyndex.computeIndex("BAIM", params=burned) == pytest.approx(100.0, abs=0.01)  # 1/(.1^2) + .05^2
    ours = index(scene_of({"nir08": 0.15, "swir22": 0.25}), "baim").values[0, 0]
    assert ours == pytest.approx(80.0)  # Martin et al. 2006: 1 / (.1^2 + .05^2)


def groups(classes, seed):
    rng = np.random.default_rng(seed)
    means, counts = rng.uniform(-3, 3, classes), rng.integers(100, 2000, classes)
    return np.concatenate([rng.normal(m, 0.3, n) for m, n in zip(means, counts, strict=True)])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_thresholds_lie_half_a_bin_above_those_of_scikit_image(classes, seed):
    """It names the centre of the last bin below, we its upper edge."""
    filters = pytest.importorskip("skimage.filters")
    values = groups(classes, seed)
    half = np.ptp(values) / 512
    expected = filters.threshold_multiotsu(values, classes, nbins=256) + half
    np.testing.assert_allclose(thresholds(values, classes), expected, atol=half / 50)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_cuts_are_the_best_of_all(classes):
    counts, centres = np.random.default_rng(classes).integers(0, 6, 14).astype(float), np.arange(14.0)
    gain = _gain(counts, centres)

    def total(cuts):
        return sum(gain[a, b] for a, b in itertools.pairwise((0, *cuts, 14)))

    best = max(total(cuts) for cuts in itertools.combinations(range(1, 14), classes - 1))
    assert total(_best_cuts(counts, centres, classes)) == pytest.approx(best)


def test_resampling_equals_gdal_on_smooth_ground():
    """GDAL places pixels within an eighth; on a smooth surface that is little."""
    source = Grid.of("EPSG:4326", _degrees(), (80, 80))
    target = Grid.utm(source.bounds, source.crs, 30.0)
    row, col = np.mgrid[0:80, 0:80]
    values = (np.sin(row / 15) + np.cos(col / 11)).astype(np.float32)
    expected = np.full(target.shape, np.nan, np.float32)
    rasterio.warp.reproject(
        values, expected, src_transform=source.transform, src_crs="EPSG:4326", dst_transform=target.transform,
        dst_crs="EPSG:32611", src_nodata=np.nan, dst_nodata=np.nan, resampling=rasterio.warp.Resampling.bilinear,
    )  # fmt: skip
    ours = onto(values[None], Place.of(source), Place.of(target))[0]
    both = np.isfinite(ours) & np.isfinite(expected)
    assert (np.isfinite(ours) == np.isfinite(expected)).mean() > 0.995
    np.testing.assert_allclose(ours[both], expected[both], atol=0.02)


def _degrees():
    from affine import Affine

    return Affine(0.00027, 0, -118.1, 0, -0.00027, 34.35)
