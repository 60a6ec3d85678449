"""A real Landsat 8 product from before the collections (2015), its files renamed: what the MTL says against plain arithmetic."""

import math
import re
import warnings

import numpy as np
import pytest
import rasterio

from geolabel.errors import GeolabelWarning, SourceError, UnitError
from geolabel.scene.open import open_scene
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder():
    return data_folder("landsat8-full-product")


@pytest.fixture(scope="module")
def scene(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", GeolabelWarning)  # nothing in it disagrees
        return open_scene(folder)


def dn(folder, band):
    with rasterio.open(folder / f"l8_{band}.tif") as file:
        return file.read(1)


def test_it_is_dated_named_and_described_by_its_mtl(scene):
    assert scene.id == "LC80200392015216LGN00"
    assert scene.start.isoformat() == "2015-08-04T16:19:21.791742+00:00"
    assert scene.bands == ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "cirrus")
    assert (scene.quantity, scene.sensor) == ("toa_reflectance", "landsat-l1")
    assert scene.grid.crs.epsg == 32616
    assert scene.grid.shape == (603, 627)


def test_reflectance_is_that_of_the_mtls_own_numbers(scene, folder):
    text = (folder / "l8_MTL.txt").read_text()
    mult, add, sun = (
        float(re.search(rf"{key} = (\S+)", text)[1])
        for key in ("REFLECTANCE_MULT_BAND_5", "REFLECTANCE_ADD_BAND_5", "SUN_ELEVATION")
    )
    expected = (dn(folder, "B5") * mult + add) / math.sin(math.radians(sun))
    got = scene.data.nir08.values
    seen = np.isfinite(got)
    np.testing.assert_allclose(got[seen], expected[seen], rtol=1e-5, atol=1e-6)
    limits = [float(re.search(rf"REFLECTANCE_{which}IMUM_BAND_5 = (\S+)", text)[1]) for which in ("MIN", "MAX")]
    assert limits[0] <= np.nanmin(got) * math.sin(math.radians(sun))
    assert np.nanmax(got) * math.sin(math.radians(sun)) <= limits[1]


def test_its_old_quality_band_hides_what_is_bright_and_cold_and_little_else(scene, folder):
    bqa = dn(folder, "BQA")
    cloud, cirrus, snow = ((bqa >> shift) & 3 for shift in (14, 12, 10))
    hidden = np.isnan(scene.data.blue.values)
    np.testing.assert_array_equal(hidden, (cloud >= 2) | (cirrus >= 2) | (snow >= 2) | (bqa & 1 == 1))
    blue, high, heat = (dn(folder, band).astype(float) for band in ("B2", "B9", "B10"))
    for masked in (cloud >= 2, cirrus >= 2):  # physics, not flags: clouds are bright and cold, cirrus shows in band 9
        assert np.median(blue[masked]) > np.percentile(blue[~hidden], 75)
        assert np.median(heat[masked]) < np.percentile(heat[~hidden], 10)
    assert np.median(high[cirrus >= 2]) > np.percentile(high[~hidden], 95)


def test_the_sharp_band_comes_when_asked_for_on_its_own_grid_or_on_the_others(folder):
    sharp = open_scene(folder, bands=["pan"])
    assert sharp.grid.res_m == 15
    both = open_scene(folder, bands=["red", "pan"])
    assert both.grid.res_m == 30
    red, pan = both.data.red.values, both.data.pan.values
    seen = np.isfinite(red) & np.isfinite(pan)
    assert np.corrcoef(red[seen], pan[seen])[0, 1] > 0.9  # the same ground lies under the same pixel


def test_a_window_read_directly_is_that_of_the_lazy_data(scene):
    rows, cols = slice(101, 333), slice(40, 620)
    lazy = [scene.data[band][rows, cols].values for band in ("swir22", "red")]
    np.testing.assert_array_equal(scene.read(["swir22", "red"], rows, cols), np.stack(lazy))


def test_a_folder_of_radar_and_optical_files_is_no_product_and_its_radar_says_nothing():
    folder = data_folder("radar-spain-s1s2")
    with pytest.raises(SourceError, match="no product that is known"):
        open_scene(folder)
    radar = folder / "Spain_7370579_S1Hand.tif"
    with pytest.raises(UnitError, match="dB or linear"):
        open_scene(radar, at="2019-09-01")
    scene = open_scene(radar, at="2019-09-01", quantity="gamma0_db")
    assert -30 < float(np.nanmedian(scene.data.vv.values)) < 0
    with pytest.raises(UnitError):
        open_scene(radar, at="2019-09-01", quantity="gamma0_linear").data.vv.compute()
