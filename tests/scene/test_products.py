"""HLS, Sentinel-1, NAIP, plain files; and what holds for every kind of product: lazy, once, both ways to the pixels."""

import shutil
import threading

import numpy as np
import pytest

from geolabel.errors import BandError, ConfigError, GeolabelWarning, InputError, SourceError, UndatedError, UnitError
from geolabel.scene import reading
from geolabel.scene.indices import nbr
from geolabel.scene.open import open_scene
from products import HLS_NAMES, HYP3, OPERA, OPERA_TAGS, hls, landsat, radar, safe
from rasters import write_raster

L30 = {"B02": 400, "B04": 800, "B05": 3000, "B06": 2000, "B07": 1000, "B10": 2500}
S30 = {"B02": 400, "B04": 800, "B08": 2900, "B8A": 3000, "B11": 2000, "B12": 1000}


def value(scene, band, row=0, col=0):
    return float(scene.data[band].values[row, col])


# ---------------------------------------------------------------- HLS
@pytest.mark.parametrize(("kind", "bands", "names"), [
    ("L30", L30, ("blue", "red", "nir08", "swir16", "swir22")),
    ("S30", S30, ("blue", "red", "nir", "nir08", "swir16", "swir22")),
])  # fmt: skip
def test_hls_is_scaled_named_by_band_id_and_dated_by_its_name(tmp_path, kind, bands, names):
    scene = open_scene(hls(tmp_path / "h", kind, bands))
    assert scene.bands == names
    assert value(scene, "nir08") == pytest.approx(0.3)
    assert nbr(scene).values[0, 0] == pytest.approx(0.5, abs=1e-6)
    day = {"L30": "2021-06-29T18:43:21", "S30": "2021-06-30T18:59:19"}[kind]
    assert scene.start.isoformat().startswith(day)


def test_hls_has_no_data_at_minus_9999_and_keeps_what_is_darker_than_nothing(tmp_path):
    dn = np.full((40, 36), 3000)
    dn[0, :2] = -9999, -50
    got = open_scene(hls(tmp_path / "h", "S30", {"B8A": dn})).data.nir08.values[0, :3]
    np.testing.assert_allclose(got, [np.nan, -0.005, 0.3], atol=1e-7)


@pytest.mark.parametrize(
    ("flag", "kept"),
    [(0, True), (1 << 5, True), (0b11000000, True), (1 << 1, False), (1 << 2, False), (1 << 3, False), (1 << 4, False), (255, False)],
)  # fmt: skip
def test_fmask_hides_cloud_its_surroundings_shadow_and_snow_and_keeps_water(tmp_path, flag, kept):
    fmask = np.zeros((40, 36))
    fmask[1, 1] = flag
    hidden = np.isnan(open_scene(hls(tmp_path / "h", "S30", {"B12": 1000}, fmask=fmask)).data.swir22.values)
    assert np.argwhere(hidden).tolist() == ([] if kept else [[1, 1]])


def test_thermal_bands_of_hls_are_kelvin_when_they_are_asked_for(tmp_path):
    folder = hls(tmp_path / "h", "L30", L30)
    scene = open_scene(folder, bands=["lwir11"])
    assert value(scene, "lwir11") == pytest.approx(298.15, abs=1e-4)
    assert scene.data.lwir11.attrs["units"] == "K"
    with pytest.raises(BandError, match="lwir12"):
        open_scene(folder, bands=["lwir12"])


def test_a_scale_in_the_file_against_the_products_is_decided_with_a_warning(tmp_path):
    folder = hls(tmp_path / "h", "S30", {"B12": 1000}, scale="0.001")
    with pytest.warns(GeolabelWarning, match=r"0\.001"):
        assert value(open_scene(folder), "swir22") == pytest.approx(0.1)


def test_two_granules_in_one_folder_are_refused(tmp_path):
    folder = hls(tmp_path / "h", "S30", S30)
    hls(folder, "L30", L30)
    with pytest.raises(InputError, match="2 HLS granules"):
        open_scene(folder)


# ---------------------------------------------------------------- Sentinel-1
@pytest.mark.parametrize(
    ("name", "tags", "quantity"),
    [
        (HYP3, None, "gamma0_linear"),
        (HYP3.replace("gpuned", "gduned"), None, "gamma0_db"),
        (HYP3.replace("gpuned", "spuned"), None, "sigma0_linear"),
        (OPERA, OPERA_TAGS, "gamma0_linear"),
    ],
)
def test_metadata_say_what_backscatter_is(tmp_path, name, tags, quantity):
    stored = -17.0 if quantity.endswith("db") else 0.02
    scene = open_scene(radar(tmp_path / "s1", name, {"VV": stored, "VH": stored}, tags=tags))
    assert (scene.quantity, scene.sensor, scene.bands) == (quantity, "sentinel-1-rtc", ("vv", "vh"))
    assert value(scene, "vv") == pytest.approx(stored)
    assert scene.start.isoformat() == "2020-09-23T18:15:39+00:00"


def test_amplitude_is_squared(tmp_path):
    folder = radar(tmp_path / "s1", HYP3.replace("gpuned", "gauned"), {"VV": 0.2})
    scene = open_scene(folder)
    assert scene.quantity == "gamma0_linear"
    assert value(scene, "vv") == pytest.approx(0.04)


def test_radar_that_does_not_say_what_it_is_is_refused_until_the_user_says_it(tmp_path):
    folder = radar(tmp_path / "s1", "mine_20200923T181539", {"VV": -17.0, "VH": -20.0})
    with pytest.raises(UnitError, match="dB or linear") as error:
        open_scene(folder)
    assert "gamma0_db" in error.value.hint
    scene = open_scene(folder, quantity="gamma0_db")
    assert (scene.quantity, value(scene, "vh")) == ("gamma0_db", -20.0)
    with pytest.raises(UnitError, match="reflectance"):
        open_scene(folder, quantity="reflectance")


def test_db_given_as_linear_is_refused_when_it_is_read(tmp_path):
    scene = open_scene(radar(tmp_path / "s1", HYP3, {"VV": -17.0}))
    with pytest.raises(UnitError):
        scene.data.vv.compute()


@pytest.mark.parametrize(("name", "hiding", "kept"), [(HYP3, (3, 5, 9, 17, 31), (0, 1)), (OPERA, (1, 2, 3, 255), (0,))])
def test_layover_and_shadow_are_masked(tmp_path, name, hiding, kept):
    mask = np.zeros((40, 36), int)
    mask[0, : len(hiding) + len(kept)] = *hiding, *kept
    tags = OPERA_TAGS if name == OPERA else None
    scene = open_scene(radar(tmp_path / "s1", name, {"VV": 0.02}, tags=tags, mask=mask))
    hidden = np.argwhere(np.isnan(scene.data.vv.values))
    assert hidden.tolist() == [[0, i] for i in range(len(hiding))]
    assert "shadow" in scene.valid.attrs["legend"]


def test_a_pair_in_its_zip_is_the_pair_in_its_folder(tmp_path):
    folder = radar(tmp_path / HYP3, HYP3, {"VV": 0.02, "VH": 0.01}, mask=1)
    shutil.make_archive(str(tmp_path / "pair"), "zip", tmp_path, HYP3)
    one, two = open_scene(folder), open_scene(tmp_path / "pair.zip")
    assert (one.id, one.bands, one.quantity) == (two.id, two.bands, two.quantity)
    np.testing.assert_array_equal(one.data.vh.values, two.data.vh.values)
    assert str(tmp_path) not in repr(two) + "".join(two.source)


def test_an_undated_name_needs_a_date_and_two_products_a_choice(tmp_path):
    folder = radar(tmp_path / "s1", "mine_gamma0", {"VV": -17.0})
    with pytest.raises(UndatedError, match="when it was taken"):
        open_scene(folder, quantity="gamma0_db")
    assert open_scene(folder, quantity="gamma0_db", at="2020-09-23").start.day == 23
    radar(folder, HYP3, {"VV": 0.1})
    with pytest.raises(InputError, match="2 radar products"):
        open_scene(folder)


# ---------------------------------------------------------------- NAIP
def test_naip_is_named_ordered_and_dated_by_its_file_name(tmp_path):
    dn = np.arange(1, 5, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    scene = open_scene(write_raster(tmp_path / "m_3411861_ne_11_060_20200522_20200807.tif", dn))
    assert (scene.bands, scene.quantity, scene.sensor) == (("red", "green", "blue", "nir08"), "dn", "naip")
    assert [value(scene, band) for band in scene.bands] == [1, 2, 3, 4]
    assert scene.start.date().isoformat() == "2020-05-22"
    assert "public domain" in scene.licence


def test_a_name_of_naip_with_a_date_that_is_none_is_refused(tmp_path):
    path = write_raster(tmp_path / "m_3411861_ne_11_060_20209999.tif", np.ones((4, 4, 4), np.uint8))
    with pytest.raises(InputError, match="no date"):
        open_scene(path)
    assert open_scene(path, at="2020-05-22").bands[3] == "nir08"


# ---------------------------------------------------------------- plain files
@pytest.mark.parametrize(
    ("sensor", "names", "common"),
    [
        ("landsat-8-9-c2-l2", ("SR_B4", "SR_B5"), ("red", "nir08")),
        ("landsat-4-7-c2-l2", ("SR_B4", "SR_B5"), ("nir08", "swir16")),
        ("hls-l30", ("B05", "B07"), ("nir08", "swir22")),
        ("hls-s30", ("B8A", "B12"), ("nir08", "swir22")),
        ("sentinel-2-l2a", ("B8A", "B12"), ("nir08", "swir22")),
    ],
)
def test_band_ids_in_one_file_are_named_by_the_sensor(tmp_path, sensor, names, common):
    path = write_raster(
        tmp_path / "a.tif", np.full((2, 3, 3), 9000, np.uint16), names=names, tags={"BOA_ADD_OFFSET": "-1000"}
    )
    assert open_scene(path, sensor=sensor, at="2020-01-01").bands == common


def test_a_landsat_band_number_needs_the_spacecraft(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.full((1, 3, 3), 9000, np.uint16), names=("SR_B5",))
    with pytest.raises(BandError, match="another one on Landsat 4-7") as error:
        open_scene(path, sensor="landsat-c2-l2", at="2020-01-01")
    assert "landsat-8-9-c2-l2" in error.value.hint


def test_the_end_of_a_files_name_names_its_only_band(tmp_path):
    path = write_raster(tmp_path / "LC08_044033_SR_B5.TIF", np.full((3, 3), 18000, np.uint16))
    scene = open_scene(path, sensor="landsat-8-9-c2-l2", at="2020-01-01")
    assert scene.bands == ("nir08",)
    assert value(scene, "nir08") == pytest.approx(0.295)


def test_temperature_stacked_on_reflectance_keeps_its_own_scale(tmp_path):
    values = np.stack([np.full((3, 3), dn, np.uint16) for dn in (18000, 44000)])
    path = write_raster(tmp_path / "a.tif", values, names=("SR_B5", "ST_B10"))
    scene = open_scene(path, sensor="landsat-8-9-c2-l2", at="2020-01-01")
    assert value(scene, "lwir11") == pytest.approx(299.39288, abs=1e-4)
    assert value(scene, "nir08") == pytest.approx(0.295)
    assert scene.data.lwir11.attrs["units"] == "K"


def test_polarisations_in_one_file_are_radar_and_must_say_what_they_are(tmp_path):
    values = np.full((2, 3, 3), -17, np.float32)
    path = write_raster(tmp_path / "a.tif", values, names=("VV", "VH"))
    with pytest.raises(UnitError, match="dB or linear"):
        open_scene(path, at="2020-01-01")
    assert open_scene(path, at="2020-01-01", quantity="sigma0_db").quantity == "sigma0_db"
    said = write_raster(tmp_path / "b.tif", values, names=("VV", "VH"), units="dB", tags={"calibration": "gamma0"})
    assert open_scene(said, at="2020-01-01").quantity == "gamma0_db"


def test_a_vrt_over_files_opens_as_they_do(tmp_path):
    from rasterio.shutil import copy

    path = write_raster(tmp_path / "a.tif", np.arange(1, 10, dtype=np.uint16).reshape(3, 3), names=["red"])
    copy(path, tmp_path / "a.vrt", driver="VRT")
    plain, virtual = (open_scene(tmp_path / name, at="2020-01-01") for name in ("a.tif", "a.vrt"))
    np.testing.assert_array_equal(plain.data.red.values, virtual.data.red.values)


def test_a_declared_nodata_that_occurs_nowhere_hides_nothing_more_than_the_sensor_knows(tmp_path):
    dn = np.full((3, 3), 9000, np.uint16)
    dn[0] = 0  # the border that a careless export filled, and declared as 65535
    path = write_raster(tmp_path / "a.tif", dn, names=["red"], nodata=65535)
    plain = open_scene(path, at="2020-01-01")
    assert np.isfinite(plain.data.red.values).all()  # 0 may be a number: nothing in the file says otherwise
    assert any("no data where DN is 65535" in line for line in plain.audit)
    known = open_scene(path, sensor="landsat-c2-l2", at="2020-01-01")
    assert np.isnan(known.data.red.values[0]).all()
    assert any("no data where DN is 0 or 65535" in line for line in known.audit)


# ---------------------------------------------------------------- every kind
KINDS = {
    "sentinel2": lambda folder: safe(folder, bands=("B04", "B08", "B12"), scl=_scl()),
    "sentinel2-10m": lambda folder: safe(folder, bands=("B04", "B12"), jp2=True, scl=_scl()),
    "landsat": lambda folder: landsat(folder, 9, qa=np.where(_scl(40, 36) == 9, 22280, 21824)),
    "hls": lambda folder: hls(folder, "S30", S30, fmask=np.where(_scl(40, 36) == 9, 2, 0)),
    "sentinel1": lambda folder: radar(folder, HYP3, {"VV": 0.02, "VH": 0.01}, mask=np.where(_scl(40, 36) == 9, 5, 1)),
}


def _scl(height=60, width=54):
    return np.where(np.random.default_rng(7).random((height, width)) < 0.2, 9, 5)


@pytest.fixture
def reads(monkeypatch):
    seen, lock, read = [], threading.Lock(), reading.read_window

    def counting(path, bands, window, **more):
        with lock:
            seen.append((str(path), tuple(bands), window))
        return read(path, bands, window, **more)

    monkeypatch.setattr(reading, "read_window", counting)
    return seen


@pytest.mark.parametrize("kind", KINDS)
def test_opening_reads_no_pixel_and_computing_reads_each_block_once(tmp_path, reads, kind):
    KINDS[kind](tmp_path / "p")
    scene = open_scene(tmp_path / "p", chunks=16, res_m=10 if kind.endswith("10m") else None)
    assert reads == []
    scene.data.compute()
    files = {path for path, _, _ in reads}
    assert len(files) == len(scene.bands) + 1  # the mask
    own = [one for one in reads if not one[0].endswith(("SCL_20m.tif", "SCL_20m.jp2"))]
    assert len(own) == len(set(own))


@pytest.mark.parametrize("chunks", [7, 512])
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_read_directly_is_that_of_the_lazy_data_whatever_the_chunks(tmp_path, kind, chunks):
    KINDS[kind](tmp_path / "p")
    scene = open_scene(tmp_path / "p", chunks=chunks, res_m=10 if kind.endswith("10m") else None)
    whole = open_scene(tmp_path / "p", res_m=10 if kind.endswith("10m") else None)
    height, width = scene.grid.shape
    assert np.isnan(scene.data[scene.bands[0]].values).any()
    for rows, cols in (
        (slice(0, height), slice(0, width)),
        (slice(3, 17), slice(5, 6)),
        (slice(height - 5, height), slice(0, 9)),
    ):
        lazy = np.stack([whole.data[band][rows, cols].values for band in scene.bands])
        np.testing.assert_array_equal(scene.read(scene.bands, rows, cols), lazy)
        np.testing.assert_array_equal(np.stack([scene.data[band][rows, cols].values for band in scene.bands]), lazy)


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_can_open_it_again(tmp_path, kind):
    from geolabel.steps.view import open_source, source_of

    KINDS[kind](tmp_path / "p")
    scene = open_scene(tmp_path / "p")
    again = open_source(source_of(scene, "after"), "after")
    assert again.digest == scene.digest
    assert again.audit == scene.audit


def test_a_folder_that_is_no_product_is_answered_with_what_was_looked_for(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(SourceError, match="no product that is known") as error:
        open_scene(tmp_path, at="2020-01-01")
    for words in ("MTD_MSIL2A.xml", "_MTL.txt", "HLS.S30", "_VV.tif"):
        assert words in str(error.value)


def test_another_sensor_than_the_products_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="hls-s30"):
        open_scene(hls(tmp_path / "h", "S30", S30), sensor="landsat-c2-l2")
    assert HLS_NAMES["S30"] == open_scene(tmp_path / "h").id


def test_surface_and_top_of_atmosphere_are_never_compared_unnoticed(tmp_path):
    import geolabel as gl
    from geolabel.scene.indices import dnbr

    uri = "S2B_MSIL1C_20190629T212529_N0500_R043_T10SGJ_20230706T080531.SAFE"
    before = open_scene(safe(tmp_path / "b.SAFE", bands=("B8A", "B12"), level="1C", uri=uri, baseline="05.00"))
    after = open_scene(safe(tmp_path / "a.SAFE", bands=("B8A", "B12")))
    with pytest.raises(UnitError, match="toa_reflectance"):
        dnbr(gl.align({"before": before, "after": after}))
    with pytest.raises(UnitError, match="toa_reflectance"):
        gl.burned(before, after)
