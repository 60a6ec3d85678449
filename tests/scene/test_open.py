"""open_scene: names, scales, masks, laziness, and what it says of a bad file."""

import threading
import warnings

import numpy as np
import pytest

from geolabel.errors import BandError, ConfigError, CRSError, GeolabelWarning, InputError, SourceError
from geolabel.scene import reading
from geolabel.scene.open import open_scene
from rasters import LANDSAT, metric_grid, write_raster

DN = np.array([[7273, 10000], [20000, 43636]], np.uint16)


def six(first=DN, dtype=np.uint16):
    return np.stack([first.astype(dtype)] * 6)


# ---------------------------------------------------------------- numbers (DOMAIN, section 1)
def test_landsat_numbers_are_reflectance_and_zero_is_no_data(tmp_path):
    values = six()
    values[:, 0, 0] = 0
    scene = open_scene(write_raster(tmp_path / "a.tif", values, names=LANDSAT), sensor="landsat-c2-l2", at="2009-10-15")
    red = scene.band("red").values
    assert red.dtype == np.float32
    assert np.isnan(red[0, 0])
    np.testing.assert_allclose(red[[0, 1, 1], [1, 0, 1]], [0.075, 0.35, 0.99999], atol=1e-7)
    assert scene.quantity == "reflectance"
    assert any("2.75e-05" in line for line in scene.audit)


def test_the_smallest_landsat_number_stays_above_zero(tmp_path):
    path = write_raster(tmp_path / "a.tif", DN, names=["red"])
    value = open_scene(path, sensor="landsat-c2-l2", at="2009-10-15").band("red").values[0, 0]
    assert value == pytest.approx(7.5e-6, abs=1e-7)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PROCESSING_BASELINE": "04.00"}, 0.0452),
        ({"PROCESSING_BASELINE": "N0509"}, 0.0452),
        ({"PROCESSING_BASELINE": "N0214"}, 0.1452),
        ({"PROCESSING_BASELINE": "02.14"}, 0.1452),
        ({"BOA_ADD_OFFSET": "-1000"}, 0.0452),
        ({"BOA_OFFSET_APPLIED": "True"}, 0.1452),
    ],
)
def test_sentinel_offset_comes_from_metadata(tmp_path, tags, expected):
    path = write_raster(tmp_path / "s.tif", np.array([[1452, 0]], np.uint16), names=["B04"], tags=tags)
    scene = open_scene(path, sensor="sentinel-2-l2a", at="2021-06-01")
    values = scene.band("red").values
    assert values[0, 0] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(values[0, 1])


def test_sentinel_offset_that_metadata_dispute_is_decided_with_a_warning(tmp_path):
    tags = {"PROCESSING_BASELINE": "05.00", "BOA_OFFSET_APPLIED": "true"}
    path = write_raster(tmp_path / "s.tif", np.array([[1452]], np.uint16), names=["B04"], tags=tags)
    with pytest.warns(GeolabelWarning, match="disagree"):
        scene = open_scene(path, sensor="sentinel-2-l2a", at="2021-06-01")
    assert scene.band("red").values[0, 0] == pytest.approx(0.1452, abs=1e-6)
    assert any("although" in line for line in scene.audit)


def test_sentinel_offset_that_nobody_says_is_assumed_with_a_warning_and_an_argument_decides(tmp_path):
    path = write_raster(tmp_path / "s.tif", np.array([[1452]], np.uint16), names=["B04"])
    with pytest.warns(GeolabelWarning, match="assumed"):
        assumed = open_scene(path, sensor="sentinel-2-l2a", at="2021-06-01")
    given = open_scene(path, sensor="sentinel-2-l2a", at="2021-06-01", offset=0)
    assert assumed.band("red").values[0, 0] == pytest.approx(0.0452, abs=1e-6)
    assert given.band("red").values[0, 0] == pytest.approx(0.1452, abs=1e-6)
    assert given.digest != assumed.digest


def test_integer_differences_cannot_underflow(tmp_path):
    values = np.array([[[1500]], [[2500]]], np.uint16)
    scene = open_scene(write_raster(tmp_path / "a.tif", values, names=["red", "nir"]), at="2020-01-01")
    assert float(scene.band("red").values[0, 0] - scene.band("nir08").values[0, 0]) == -1000


def test_generic_scene_holds_dn_and_says_so(tmp_path):
    scene = open_scene(write_raster(tmp_path / "a.tif", DN, nodata=10000), at="2020-01-01", bands=["red"])
    assert scene.quantity == "dn"
    assert "uncalibrated" in scene.audit[0]
    np.testing.assert_array_equal(scene.band("red").values, [[7273, np.nan], [20000, 43636]])


# ---------------------------------------------------------------- masks
@pytest.mark.parametrize(("flag", "kept"), [(21824, True), (21952, True), (22280, False), (1, False), (1 << 5, False)])
def test_qa_pixel_masks_clouds_snow_and_fill_and_keeps_water(tmp_path, flag, kept):
    values = np.array([[[20000]], [[flag]]], np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["red", "QA_PIXEL"])
    scene = open_scene(path, sensor="landsat-c2-l2", at="2020-01-01")
    assert scene.bands == ("red",)
    assert bool(np.isfinite(scene.band("red").values[0, 0])) is kept
    assert any("snow" in line for line in scene.audit)


@pytest.mark.parametrize(
    ("scl", "kept"), [(4, True), (5, True), (2, True), (6, True), (0, False), (3, False), (9, False)]
)
def test_scene_classification_masks_clouds_and_keeps_dark_ground(tmp_path, scl, kept):
    values = np.array([[[2000]], [[scl]]], np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["B04", "SCL"])
    scene = open_scene(path, sensor="sentinel-2-l2a", at="2020-01-01", offset=-1000)
    assert bool(np.isfinite(scene.band("red").values[0, 0])) is kept


# ---------------------------------------------------------------- names
def test_names_come_from_the_file_under_their_common_name(tmp_path):
    names = ("blue", "green", "red", "nir", "swir1", "swir2")
    scene = open_scene(write_raster(tmp_path / "a.tif", six(), names=names), sensor="landsat-c2-l2", at="2009-10-15")
    assert scene.bands == LANDSAT
    assert "nir -> nir08" in scene.audit[0]


def test_sentinel_bands_are_named_by_their_id_so_that_nir_is_not_nir08(tmp_path):
    values = np.ones((3, 2, 2), np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["B08", "B8A", "B12"])
    scene = open_scene(path, sensor="sentinel-2-l2a", at="2020-01-01", offset=0)
    assert scene.bands == ("nir", "nir08", "swir22")


def test_names_given_by_the_caller_overrule_the_file(tmp_path):
    path = write_raster(tmp_path / "a.tif", six(), names=("a", "b", "c", "d", "e", "f"))
    assert open_scene(path, at="2020-01-01", bands=LANDSAT).bands == LANDSAT


@pytest.mark.parametrize(
    ("bands", "message"), [(None, "have no names"), (LANDSAT[:5], "5 names"), ((*LANDSAT[:5], "blue"), "occurs twice")]
)
def test_bands_without_a_name_each_are_refused(tmp_path, bands, message):
    path = write_raster(tmp_path / "a.tif", six())
    with pytest.raises(BandError, match=message):
        open_scene(path, at="2020-01-01", bands=bands)


# ---------------------------------------------------------------- what the noun promises
def test_scene_knows_its_place_and_time_and_hides_the_folder(tmp_path):
    scene = open_scene(write_raster(tmp_path / "a.tif", DN, names=["red"]), at=("2020-01-01", "2020-01-31"))
    assert scene.data.rio.crs.to_epsg() == 32611
    assert scene.data.odc.geobox.crs.epsg == 32611
    assert scene.data.odc.geobox.transform.almost_equals(scene.grid.transform, precision=1e-6)
    assert scene.data.red.dims == ("y", "x")
    assert scene.source == ("a.tif",)
    assert str(tmp_path) not in repr(scene) + "".join(scene.audit)
    assert (scene.start.isoformat(), scene.end.isoformat()) == (
        "2020-01-01T00:00:00+00:00",
        "2020-01-31T23:59:59+00:00",
    )


def test_degrees_keep_the_dims_y_and_x(tmp_path):
    from affine import Affine

    path = write_raster(
        tmp_path / "a.tif", DN, names=["red"], crs="EPSG:4326", transform=Affine(1e-3, 0, -118, 0, -1e-3, 34)
    )
    assert open_scene(path, at="2020-01-01").data.red.dims == ("y", "x")


def test_digest_is_of_name_and_content_not_of_the_folder(tmp_path):
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        paths.append(write_raster(tmp_path / folder / "a.tif", DN, names=["red"]))
    other = write_raster(tmp_path / "b.tif", DN, names=["red"])
    one, two, third = (open_scene(path, at="2020-01-01").digest for path in (*paths, other))
    assert one == two != third


# ---------------------------------------------------------------- lazy, whatever the chunks
@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_nothing_is_read_on_open_and_each_chunk_once_on_computing_all_bands(tmp_path, monkeypatch, interleave):
    rng = np.random.default_rng(0)
    values = rng.integers(1, 60000, (6, 100, 70)).astype(np.uint16)
    tiled = {"tiled": True, "blockxsize": 32, "blockysize": 32, "interleave": interleave}
    path = write_raster(tmp_path / "a.tif", values, names=LANDSAT, **tiled)
    windows, lock, read = [], threading.Lock(), reading.read_window

    def counting(path, bands, window):
        with lock:
            windows.append((tuple(bands), window))
        return read(path, bands, window)

    monkeypatch.setattr(reading, "read_window", counting)
    scene = open_scene(path, at="2020-01-01", chunks=32)
    assert windows == []
    np.testing.assert_array_equal(scene.data.compute().to_array().values, values)
    assert len(windows) == len(set(windows)) == (12 if interleave == "pixel" else 72)


@pytest.mark.parametrize("chunks", [1, 7, 33, 512])
def test_values_do_not_depend_on_the_chunks(tmp_path, chunks):
    values = np.random.default_rng(1).integers(0, 60000, (2, 45, 37)).astype(np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["red", "nir"], blockysize=5)
    scene = open_scene(path, sensor="landsat-c2-l2", at="2020-01-01", chunks=chunks)
    whole = open_scene(path, sensor="landsat-c2-l2", at="2020-01-01")
    np.testing.assert_array_equal(scene.data.red.values, whole.data.red.values)


def test_the_graph_has_the_same_names_every_time(tmp_path):
    path = write_raster(tmp_path / "a.tif", DN, names=["red"])
    one, two = (set(open_scene(path, at="2020-01-01").data.red.data.dask) for _ in range(2))
    assert one == two


# ---------------------------------------------------------------- what is refused
def test_a_missing_file_is_named_with_the_nearest_name(tmp_path):
    write_raster(tmp_path / "before.tif", DN, names=["red"])
    with pytest.raises(SourceError, match="does not exist") as error:
        open_scene(tmp_path / "befor.tif", at="2020-01-01")
    assert "before.tif" in error.value.hint


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError) as error:
        open_scene(tmp_path / "nowhere" / "a.tif", at="2020-01-01")
    assert "nowhere" in error.value.hint


def test_a_scene_without_crs_is_refused_with_the_way_out(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rasterio's own, on writing
        path = write_raster(tmp_path / "a.tif", DN, crs=None, names=["red"])
    with pytest.raises(CRSError) as error:
        open_scene(path, at="2020-01-01")
    assert "gdal_edit" in error.value.hint


def test_an_unknown_sensor_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError) as error:
        open_scene(tmp_path / "a.tif", sensor="landsat-c2l2", at="2020-01-01")
    assert "'landsat-c2-l2'" in error.value.hint


@pytest.mark.parametrize("content", [b"", b"not a raster at all", b"II*\x00\x08\x00\x00\x00"])
def test_a_file_that_is_no_raster_is_refused(tmp_path, content):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.tif"):
        open_scene(path, at="2020-01-01")


def test_a_file_that_is_cut_short_is_refused_on_opening(tmp_path):
    values = np.random.default_rng(0).integers(0, 60000, (200, 200)).astype(np.uint16)
    path = write_raster(tmp_path / "a.tif", values)  # its index lies before its pixels
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SourceError, match="cut short"):
        open_scene(path, at="2020-01-01", bands=["red"])


def test_a_file_whose_index_is_cut_off_is_refused(tmp_path):
    values = np.random.default_rng(0).integers(0, 60000, (200, 200)).astype(np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["red"])  # names are written after the pixels
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SourceError, match="cannot read"):
        open_scene(path, at="2020-01-01")


def test_a_file_whose_pixels_rot_is_named_when_they_are_read(tmp_path):
    values = np.random.default_rng(0).integers(0, 60000, (200, 200)).astype(np.uint16)
    path = write_raster(tmp_path / "a.tif", values, names=["red"], compress="deflate")
    data = bytearray(path.read_bytes())
    data[2000:-2000] = bytes(len(data) - 4000)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.tif"):
        open_scene(path, at="2020-01-01").band("red").values  # noqa: B018


def test_a_rotated_grid_is_refused(tmp_path):
    from affine import Affine

    path = write_raster(tmp_path / "a.tif", DN, names=["red"], transform=metric_grid().transform * Affine.rotation(10))
    with pytest.raises(InputError, match="rotated"):
        open_scene(path, at="2020-01-01")
