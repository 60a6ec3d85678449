"""Sentinel-2 folders: numbers of DOMAIN section 1 from DN on disk, names, resolutions, masks, and what is refused."""

import shutil
import warnings
import zipfile

import numpy as np
import pytest

from geolabel.errors import BandError, ConfigError, CRSError, GeolabelWarning, InputError, SourceError
from geolabel.scene.indices import nbr
from geolabel.scene.open import open_scene
from products import SHAPE_M, mtd, pixels, place, safe, write_jp2


def value(scene, band, row=0, col=0):
    return float(scene.data[band].values[row, col])


# ---------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("baseline", "offset", "expected"),
    [
        ("02.14", None, 0.1452),  # before the offset
        ("04.00", -1000, 0.0452),
        ("05.09", -1000, 0.0452),  # an old scene reprocessed later: the date says 2019
        ("02.14", 0, 0.1452),
    ],
)
def test_reflectance_is_dn_plus_the_listed_offset(tmp_path, baseline, offset, expected):
    folder = safe(tmp_path / "a.SAFE", dn={"B12": 1452}, baseline=baseline, offset=offset)
    with warnings.catch_warnings():
        warnings.simplefilter("error", GeolabelWarning)
        scene = open_scene(folder)
    assert value(scene, "swir22") == pytest.approx(expected, abs=1e-7)
    assert scene.quantity == "reflectance"
    assert scene.start.isoformat().startswith("2019-06-29T21:25:29")
    assert any(f"baseline {baseline}" in line and f"offset {offset or 0:g} DN" in line for line in scene.audit)


def test_zero_is_no_data_before_the_offset_and_saturation_is_no_measurement(tmp_path):
    dn = np.full((SHAPE_M[0] // 20, SHAPE_M[1] // 20), 1452)
    dn[0, :3] = 0, 65535, 1000
    got = open_scene(safe(tmp_path / "a.SAFE", bands=("B12",), dn={"B12": dn})).data.swir22.values[0, :3]
    np.testing.assert_allclose(got, [np.nan, np.nan, 0.0], atol=1e-7)


def test_each_band_takes_its_own_offset_and_the_products_own_divisor(tmp_path):
    offsets = {"B04": -1000, "B12": -800}
    folder = safe(tmp_path / "a.SAFE", dn={"B04": 3000, "B12": 3000}, offsets=offsets, quantification=20000)
    with pytest.warns(GeolabelWarning, match="-800 DN, from BOA_ADD_OFFSET, although processing baseline"):
        scene = open_scene(folder, bands=["red", "swir22"])
    assert value(scene, "red") == pytest.approx(0.1)
    assert value(scene, "swir22") == pytest.approx(0.11)


def test_unburned_ground_shows_no_change_between_a_scene_with_and_one_without_the_offset(tmp_path):
    old = safe(tmp_path / "o.SAFE", dn={"B8A": 2500, "B12": 1500}, baseline="02.14", offset=None)
    new = safe(tmp_path / "n.SAFE", dn={"B8A": 3500, "B12": 2500}, baseline="04.00", offset=-1000)
    before, after = (nbr(open_scene(folder)).values for folder in (old, new))
    assert abs(before - after).max() < 1e-6
    ignored = nbr(open_scene(old)).values[0, 0] - nbr(open_scene(new, offset=0)).values[0, 0]
    assert ignored == pytest.approx(0.0833, abs=1e-4)


# ---------------------------------------------------------------- metadata that disagree or are silent
@pytest.mark.parametrize(
    ("baseline", "offset", "expected", "match"),
    [
        ("02.14", -1000, 0.0452, "disagree"),  # what is listed decides
        ("05.09", 0, 0.1452, "disagree"),
        ("05.09", None, 0.0452, "list no offset"),
        ("99.99", None, 0.1452, "says nothing"),
        ("", None, 0.1452, "says nothing"),
    ],
)
def test_a_decision_is_taken_with_a_warning_and_recorded(tmp_path, baseline, offset, expected, match):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",), dn={"B12": 1452}, baseline=baseline, offset=offset)
    with pytest.warns(GeolabelWarning, match=match):
        scene = open_scene(folder)
    assert value(scene, "swir22") == pytest.approx(expected, abs=1e-7)


def test_an_offset_that_is_given_decides(tmp_path):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",), dn={"B12": 1452})
    scene = open_scene(folder, offset=0)
    assert value(scene, "swir22") == pytest.approx(0.1452)
    assert any("as given" in line for line in scene.audit)


# ---------------------------------------------------------------- names and resolutions
def test_bands_are_named_by_their_id_so_nir_is_b08_and_nir08_is_b8a(tmp_path):
    dn = {"B08": 3000, "B8A": 4000}
    scene = open_scene(safe(tmp_path / "a.SAFE", dn=dn))
    assert scene.bands == ("red", "nir", "nir08", "swir16", "swir22")
    assert value(scene, "nir") == pytest.approx(0.2)
    assert value(scene, "nir08") == pytest.approx(0.3)
    assert open_scene(tmp_path / "a.SAFE", bands=("B12", "B8A")).bands == ("swir22", "nir08")


@pytest.mark.parametrize(("res_m", "red"), [(None, "R20m"), (20, "R20m"), (10, "R10m"), (60, "R60m")])
def test_a_band_is_read_at_the_wanted_resolution_where_the_product_has_it(tmp_path, res_m, red):
    scene = open_scene(safe(tmp_path / "a.SAFE", bands=("B04", "B12")), res_m=res_m)
    assert scene.grid.res_m == (res_m or 20)
    paths = {layer.asset.name: layer.asset.path for layer in scene.reader.layers}
    assert red in paths["red"]
    assert ("R60m" if res_m == 60 else "R20m") in paths["swir22"]
    resampled = [line for line in scene.audit if "resampled" in line]
    assert bool(resampled) is (res_m == 10)


def test_a_band_without_a_file_at_the_working_resolution_is_the_mean_of_what_a_pixel_covers(tmp_path):
    fine = pixels(10, 5, low=2000)
    fine[fine == 0] = 2000
    scene = open_scene(safe(tmp_path / "a.SAFE", bands=("B08", "B12"), dn={"B08": fine}))
    mean = fine.reshape(60, 2, 54, 2).mean((1, 3)) / 1e4 - 0.1
    np.testing.assert_allclose(scene.data.nir.values, mean, atol=1e-6)


def test_at_10_m_reflectance_is_resampled_before_an_index_is_taken(tmp_path):
    scene = open_scene(safe(tmp_path / "a.SAFE", dn={"B08": 5000, "B12": 2000}), res_m=10)
    both = nbr(scene, nir="nir").values
    assert both.shape == (120, 108)
    np.testing.assert_allclose(both, (0.4 - 0.1) / (0.4 + 0.1), atol=1e-6)


# ---------------------------------------------------------------- masks
@pytest.mark.parametrize("masked", [0, 1, 3, 8, 9, 10])
def test_scl_hides_clouds_shadow_saturation_and_no_data(tmp_path, masked):
    scl = np.full((60, 54), 5)
    scl[2, 3] = masked
    scl[4:9, 0] = 2, 4, 6, 7, 11  # dark ground is char: kept
    folder = safe(tmp_path / "a.SAFE", bands=("B12",), dn={"B12": 1452}, scl=scl)
    hidden = np.isnan(open_scene(folder).data.swir22.values)
    assert np.argwhere(hidden).tolist() == [[2, 3]]


def test_valid_carries_the_legend_of_its_masks(tmp_path):
    scene = open_scene(safe(tmp_path / "a.SAFE", bands=("B12",)))
    legend = next(line for line in scene.audit if line.startswith("masked by scl"))
    assert "8 cloud" in legend
    assert legend in scene.valid.attrs["legend"]


# ---------------------------------------------------------------- the same product in other clothes
def test_jpeg_2000_geotiff_zip_and_the_metadata_file_give_the_same_pixels(tmp_path):
    plain = safe(tmp_path / "S2B.SAFE", bands=("B04", "B12"))
    packed = safe(tmp_path / "jp2" / "S2B.SAFE", bands=("B04", "B12"), jp2=True)
    archive = tmp_path / "S2B.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(packed.rglob("*")):
            file.write(path, path.relative_to(packed.parent))
    sources = [packed, archive, packed / "MTD_MSIL2A.xml", packed.parent]
    first = open_scene(plain)
    for source in sources:
        scene = open_scene(source)
        assert (scene.id, scene.start, scene.grid) == (first.id, first.start, first.grid)
        for band in first.bands:
            np.testing.assert_array_equal(scene.data[band].values, first.data[band].values)


def test_level_1c_is_reflectance_at_the_top_of_the_atmosphere_and_says_so(tmp_path):
    uri = "S2B_MSIL1C_20190629T212529_N0500_R043_T10SGJ_20230706T080531.SAFE"
    scene = open_scene(safe(tmp_path / "a.SAFE", dn={"B12": 1452}, level="1C", uri=uri, baseline="05.00"))
    assert (scene.quantity, scene.sensor) == ("toa_reflectance", "sentinel-2-l1c")
    assert value(scene, "swir22") == pytest.approx(0.0452, abs=1e-7)
    assert any("top of the atmosphere" in line for line in scene.audit)
    assert any("clouds are not masked" in line for line in scene.audit)


def test_a_scene_knows_its_product_and_hides_the_folder(tmp_path):
    scene = open_scene(safe(tmp_path / "a.SAFE", bands=("B12",)))
    assert scene.id == "S2B_MSIL2A_20190629T212529_N0509_R043_T10SGJ_20230706T080531"
    assert "Copernicus" in scene.licence
    assert str(tmp_path) not in repr(scene) + "".join(scene.audit) + "".join(scene.source)


# ---------------------------------------------------------------- what is refused
def test_a_missing_image_is_named_when_it_is_asked_for_and_warned_of_when_not(tmp_path):
    folder = safe(tmp_path / "a.SAFE", bands=("B04", "B12"))
    for path in folder.rglob("*_B12_*.tif"):
        path.unlink()
    with pytest.raises(SourceError, match="T10SGJ_20190629T212529_B12"):
        open_scene(folder, bands=["swir22"])
    with pytest.warns(GeolabelWarning, match="swir22"):
        assert open_scene(folder).bands == ("red",)


def test_a_band_that_the_product_never_had_is_refused_with_those_it_has(tmp_path):
    with pytest.raises(BandError, match="lwir11") as error:
        open_scene(safe(tmp_path / "a.SAFE"), bands=["lwir11"])
    assert "swir22" in error.value.hint


@pytest.mark.parametrize("jp2", [True, False])
def test_an_image_that_is_cut_short_is_refused_on_opening(tmp_path, jp2):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",), jp2=jp2)
    image = next(folder.glob("GRANULE/*/IMG_DATA/R20m/*B12*"))
    image.write_bytes(image.read_bytes()[:-600])
    with pytest.raises(SourceError, match="B12_20m"):
        open_scene(folder)


def test_jpeg_2000_that_rots_is_refused_when_its_pixels_are_read(tmp_path):
    image = write_jp2(tmp_path / "a.jp2", pixels(2, 1), transform=place(2), tile=320)
    data = bytearray(image.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100_000] = bytes(100_000)
    image.write_bytes(data)
    scene = open_scene(image, at="2020-01-01", bands=["red"])
    with pytest.raises(SourceError, match=r"a\.jp2"):
        scene.read(["red"], *(slice(0, edge) for edge in scene.grid.shape))
    with pytest.raises(SourceError, match=r"a\.jp2"):
        scene.data.red.compute()


def test_bands_in_different_crs_are_refused(tmp_path):
    folder = safe(tmp_path / "a.SAFE", crs={"B12": "EPSG:32611"})
    with pytest.raises(CRSError, match="32611"):
        open_scene(folder)


def test_metadata_of_another_tile_are_refused(tmp_path):
    uri = "S2B_MSIL2A_20190629T212529_N0509_R043_T11SKU_20230706T080531.SAFE"
    with pytest.raises(InputError, match="another product"):
        open_scene(safe(tmp_path / "a.SAFE", uri=uri))


def test_two_products_in_one_folder_are_named(tmp_path):
    for name in ("a", "b"):
        safe(tmp_path / f"{name}.SAFE", bands=("B12",))
    with pytest.raises(InputError, match="2 Sentinel-2 products"):
        open_scene(tmp_path)


def test_two_granules_are_refused(tmp_path):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",))
    first = next((folder / "GRANULE").iterdir())
    shutil.copytree(first, first.with_name("L2A_T10SGK_A012075"))
    with pytest.raises(InputError, match="granules"):
        open_scene(folder)


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("<xml", SourceError, "cannot read"),
        ("<a/>", InputError, "PRODUCT_START_TIME"),
        (mtd().replace(">10000<", ">ten<"), InputError, "'ten'"),
        (mtd(offsets={"B04": 0}).replace('band_id="3"', 'band_id="77"'), InputError, "77"),
    ],
)
def test_metadata_that_cannot_be_read_are_named(tmp_path, text, error, match):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",))
    (folder / "MTD_MSIL2A.xml").write_text(text)
    with pytest.raises(error, match=match):
        open_scene(folder)


def test_a_folder_with_metadata_alone_is_refused(tmp_path):
    (tmp_path / "MTD_MSIL2A.xml").write_text(mtd())
    with pytest.raises(SourceError, match="no image"):
        open_scene(tmp_path)


def test_a_broken_archive_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 half an archive")
    with pytest.raises(SourceError, match=r"a\.zip"):
        open_scene(tmp_path / "a.zip")


@pytest.mark.parametrize("said", [{"sensor": "landsat-c2-l2"}, {"sensor": "generic"}, {"quantity": "dn"}])
def test_what_the_user_says_against_the_product_is_refused(tmp_path, said):
    with pytest.raises(ConfigError, match=r"sentinel-2-l2a|reflectance"):
        open_scene(safe(tmp_path / "a.SAFE", bands=("B12",)), **said)


def test_a_date_against_the_products_own_is_taken_with_a_warning(tmp_path):
    folder = safe(tmp_path / "a.SAFE", bands=("B12",))
    assert open_scene(folder, at="2019-06-29").start.day == 29
    with pytest.warns(GeolabelWarning, match="although the product says 2019-06-29"):
        assert open_scene(folder, at="2018-08-01").start.year == 2018
