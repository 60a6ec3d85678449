"""Landsat bundles: numbers of DOMAIN section 1 from DN on disk, names by spacecraft, masks, and what is refused."""

import math
import shutil
import tarfile

import numpy as np
import pytest

from geolabel.errors import BandError, ConfigError, CRSError, GeolabelWarning, InputError, SourceError
from geolabel.scene.indices import index, nbr
from geolabel.scene.open import open_scene
from products import L2_NAMES, SHAPE_M, landsat, mtl_groups, mtl_text

ROWS, COLS = SHAPE_M[0] // 30, SHAPE_M[1] // 30
L1 = "LC08_L1TP_044033_20210629_20210707_02_T1"


def value(scene, band, row=0, col=0):
    return float(scene.data[band].values[row, col])


# ---------------------------------------------------------------- numbers
def test_surface_reflectance_takes_the_scaling_of_level_2_and_zero_is_no_data(tmp_path):
    dn = np.full((ROWS, COLS), 18000)
    dn[0, :5] = 7273, 10000, 20000, 43636, 0
    scene = open_scene(landsat(tmp_path / "l8", dn={"4": dn}))
    expected = [7.5e-6, 0.075, 0.35, 0.99999, np.nan]
    np.testing.assert_allclose(scene.data.red.values[0, :5], expected, atol=1e-7)
    assert scene.quantity == "reflectance"
    assert scene.sensor == "landsat-c2-l2"


@pytest.mark.parametrize(("spacecraft", "nir", "thermal"), [(5, "4", "lwir"), (7, "4", "lwir"), (8, "5", "lwir11"), (9, "5", "lwir11")])  # fmt: skip
def test_the_spacecraft_decides_what_a_band_number_means(tmp_path, spacecraft, nir, thermal):
    scene = open_scene(landsat(tmp_path / "l", spacecraft, dn={nir: 18000, "7": 12000}))
    assert value(scene, "nir08") == pytest.approx(0.295)
    assert nbr(scene).values[0, 0] == pytest.approx(0.388235, abs=1e-6)
    coastal = ("coastal",) if spacecraft >= 8 else ()
    assert scene.bands == (*coastal, "blue", "green", "red", "nir08", "swir16", "swir22")
    assert open_scene(tmp_path / "l", bands=[thermal]).bands == (thermal,)


def test_surface_temperature_is_kelvin_says_so_and_comes_only_when_asked_for(tmp_path):
    folder = landsat(tmp_path / "l8", dn={"10": 44000})
    assert "lwir11" not in open_scene(folder).bands
    scene = open_scene(folder, bands=["nir08", "lwir11"])
    assert value(scene, "lwir11") == pytest.approx(299.39288, abs=1e-4)
    assert scene.data.lwir11.attrs["units"] == "K"
    assert "units" not in scene.data.nir08.attrs
    assert any("lwir11 (K)" in line for line in scene.audit)


def test_level_1_is_reflectance_at_the_top_of_the_atmosphere_corrected_for_the_sun(tmp_path):
    scene = open_scene(landsat(tmp_path / "l1", identity=L1, dn={"5": 20000, "10": 30000}, sun=30.0))
    assert value(scene, "nir08") == pytest.approx((20000 * 2e-5 - 0.1) / 0.5, abs=1e-6)
    assert (scene.quantity, scene.sensor) == ("toa_reflectance", "landsat-c2-l1")
    assert "lwir11" not in scene.bands
    assert any("thermal bands are left out" in line for line in scene.audit)
    assert math.isfinite(float(index(scene, "mirbi").mean()))


def test_the_panchromatic_band_comes_only_when_asked_for(tmp_path):
    folder = landsat(tmp_path / "l1", identity=L1, dn={"8": 20000})
    groups = mtl_groups(8, L1)
    groups["LEVEL1_RADIOMETRIC_RESCALING"] |= {"REFLECTANCE_MULT_BAND_8": "2.0E-05", "REFLECTANCE_ADD_BAND_8": "-0.1"}
    (folder / f"{L1}_MTL.txt").write_text(mtl_text(groups))
    assert "pan" not in open_scene(folder).bands
    scene = open_scene(folder, bands=["pan"])
    assert scene.grid.res_m == 15
    assert open_scene(folder, bands=["red", "pan"]).grid.res_m == 30


# ---------------------------------------------------------------- masks
@pytest.mark.parametrize(
    ("flag", "kept"),
    [(21824, True), (21952, True), (22280, False), (1, False), (1 << 1, False), (1 << 2, False), (1 << 4, False), (1 << 5, False)],
)  # fmt: skip
def test_qa_pixel_hides_cloud_shadow_snow_and_fill_and_keeps_water(tmp_path, flag, kept):
    qa = np.full((ROWS, COLS), 21824)
    qa[3, 2] = flag
    scene = open_scene(landsat(tmp_path / "l8", dn={"4": 10000}, qa=qa), bands=["red"])
    hidden = np.argwhere(np.isnan(scene.data.red.values)).tolist()
    assert hidden == ([] if kept else [[3, 2]])
    assert "bit 3 cloud" in scene.valid.attrs["legend"]


@pytest.mark.parametrize(
    ("flag", "kept"),
    [
        (2720, True),  # Collection 1, clear: USGS LSDS-1656
        (2800, False),  # cloud, high confidence
        (2976, False),  # cloud shadow, high confidence
        (6816, False),  # cirrus, high confidence
        (3744, False),  # snow, high confidence
        (1, False),
    ],
)
def test_collection_1_has_other_bits(tmp_path, flag, kept):
    identity = "LC08_L1TP_044033_20180629_20180716_01_T1"
    qa = np.full((ROWS, COLS), 2720)
    qa[0, 0] = flag
    folder = landsat(tmp_path / "c1", identity=identity, dn={"4": 10000}, qa=qa, quality="BQA")
    groups = mtl_groups(8, identity)
    groups["RADIOMETRIC_RESCALING"] = groups.pop("LEVEL1_RADIOMETRIC_RESCALING")
    groups["PRODUCT_CONTENTS"]["COLLECTION_NUMBER"] = "01"
    (folder / f"{identity}_MTL.txt").write_text(mtl_text(groups))
    scene = open_scene(folder, bands=["red"])
    assert scene.sensor == "landsat-c1-l1"
    assert bool(np.isfinite(scene.data.red.values[0, 0])) is kept


# ---------------------------------------------------------------- the same bundle in other clothes
def test_text_json_xml_folder_file_and_tar_are_one_product(tmp_path):
    first = open_scene(landsat(tmp_path / "txt"))
    sources = [landsat(tmp_path / form, form=form) for form in ("json", "xml")]
    sources.append(next(sources[0].glob("*_MTL.json")))
    with tarfile.open(tmp_path / "bundle.tar", "w") as archive:
        for path in sorted((tmp_path / "txt").iterdir()):
            archive.add(path, path.name)
    for source in [*sources, tmp_path / "bundle.tar"]:
        scene = open_scene(source)
        assert (scene.id, scene.start, scene.bands) == (first.id, first.start, first.bands)
        np.testing.assert_array_equal(scene.data.swir22.values, first.data.swir22.values)


def test_three_forms_of_one_mtl_are_one_product_and_two_bundles_are_two(tmp_path):
    folder = landsat(tmp_path / "l", form="txt")
    (folder / f"{L2_NAMES[8]}_MTL.json").write_text(mtl_text(mtl_groups(8, L2_NAMES[8]), "json"))
    assert open_scene(folder).id == L2_NAMES[8]
    landsat(folder, 9)
    with pytest.raises(InputError, match="2 Landsat products"):
        open_scene(folder)
    assert open_scene(folder / f"{L2_NAMES[9]}_MTL.txt").id == L2_NAMES[9]


def test_files_that_were_renamed_together_are_found_by_their_beginning(tmp_path):
    folder = landsat(tmp_path / "l")
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace(L2_NAMES[8], "mine"))
    text = (folder / "mine_MTL.txt").read_text()
    (folder / "mine_MTL.txt").write_text(f"somebody wrote a line here\n{text}")
    scene = open_scene(folder)
    assert scene.id == L2_NAMES[8]
    assert scene.start.isoformat() == "2021-06-29T18:43:21.791742+00:00"


# ---------------------------------------------------------------- what is refused
def test_the_mtl_of_another_product_is_refused_by_name(tmp_path):
    folder = landsat(tmp_path / "l")
    (folder / f"{L2_NAMES[8]}_MTL.txt").write_text(mtl_text(mtl_groups(9, L2_NAMES[9])))
    with pytest.raises(InputError, match="says that it is of LC09"):
        open_scene(folder)


def test_the_mtl_of_another_place_is_refused_where_files_were_renamed(tmp_path):
    folder = landsat(tmp_path / "l")
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace(L2_NAMES[8], "mine"))
    groups = mtl_groups(8, L2_NAMES[8])
    groups["PROJECTION_ATTRIBUTES"] = {
        key: str(float(text) + 6) for key, text in groups["PROJECTION_ATTRIBUTES"].items()
    }
    (folder / "mine_MTL.txt").write_text(mtl_text(groups))
    with pytest.raises(InputError, match="lies at"):
        open_scene(folder)


def test_an_mtl_without_its_images_is_refused(tmp_path):
    folder = landsat(tmp_path / "l")
    shutil.move(folder / f"{L2_NAMES[8]}_MTL.txt", folder / f"{L2_NAMES[9]}_MTL.txt")
    (folder / f"{L2_NAMES[9]}_MTL.txt").write_text(mtl_text(mtl_groups(9, L2_NAMES[9])))
    with pytest.raises(InputError, match="no Level-2 band"):
        open_scene(folder)


def test_a_missing_image_is_named_when_it_is_asked_for_and_warned_of_when_not(tmp_path):
    folder = landsat(tmp_path / "l")
    (folder / f"{L2_NAMES[8]}_SR_B7.TIF").unlink()
    with pytest.raises(SourceError, match="SR_B7"):
        open_scene(folder, bands=["nir08", "swir22"])
    with pytest.warns(GeolabelWarning, match="swir22"):
        assert "swir22" not in open_scene(folder).bands


def test_a_band_that_is_cut_short_is_refused_on_opening(tmp_path):
    folder = landsat(tmp_path / "l")
    image = folder / f"{L2_NAMES[8]}_SR_B5.TIF"
    image.write_bytes(image.read_bytes()[:-300])
    with pytest.raises(SourceError, match=r"SR_B5\.TIF"):
        open_scene(folder)


def test_bands_in_different_crs_are_refused(tmp_path):
    folder = landsat(tmp_path / "l", crs={"7": "EPSG:32611"})
    groups = mtl_groups(8, L2_NAMES[8])
    del groups["PROJECTION_ATTRIBUTES"]
    (folder / f"{L2_NAMES[8]}_MTL.txt").write_text(mtl_text(groups))
    with pytest.raises(CRSError, match="32611"):
        open_scene(folder)


@pytest.mark.parametrize(
    ("groups", "text", "error", "match"),
    [
        ("IMAGE_ATTRIBUTES", None, InputError, "SPACECRAFT_ID"),
        ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", None, InputError, "LEVEL2_SURFACE_REFLECTANCE"),
        (None, "no metadata at all", SourceError, "no GROUP"),
        (None, "", SourceError, "no GROUP"),
    ],
)
def test_an_mtl_that_lacks_what_is_needed_is_named(tmp_path, groups, text, error, match):
    folder = landsat(tmp_path / "l")
    kept = {name: keys for name, keys in mtl_groups(8, L2_NAMES[8]).items() if name != groups}
    (folder / f"{L2_NAMES[8]}_MTL.txt").write_text(mtl_text(kept) if text is None else text)
    with pytest.raises(error, match=match):
        open_scene(folder)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_mtl_of_broken_form_is_named(tmp_path, form):
    folder = landsat(tmp_path / "l", form=form)
    (folder / f"{L2_NAMES[8]}_MTL.{form}").write_text("{<")
    with pytest.raises(SourceError, match=f"MTL.{form}"):
        open_scene(folder)


def test_a_night_scene_and_level_2_of_collection_1_are_refused(tmp_path):
    with pytest.raises(InputError, match="-12 deg"):
        open_scene(landsat(tmp_path / "night", identity=L1, sun=-12))
    folder = landsat(tmp_path / "c1")
    groups = mtl_groups(8, L2_NAMES[8])
    groups["PRODUCT_CONTENTS"]["COLLECTION_NUMBER"] = "01"
    (folder / f"{L2_NAMES[8]}_MTL.txt").write_text(mtl_text(groups))
    with pytest.raises(BandError, match="Collection 1"):
        open_scene(folder)


@pytest.mark.parametrize("said", [{"sensor": "sentinel-2-l2a"}, {"offset": -1000}, {"quantity": "dn"}])
def test_what_the_user_says_against_the_product_is_refused(tmp_path, said):
    with pytest.raises(ConfigError, match="LC08"):
        open_scene(landsat(tmp_path / "l"), **said)


def test_a_sensor_and_aliases_that_fit_are_taken(tmp_path):
    folder = landsat(tmp_path / "l")
    scene = open_scene(folder, sensor="landsat-c2-l2", bands=["nir", "swir2"])
    assert scene.bands == ("nir08", "swir22")
    assert any("nir -> nir08" in line for line in scene.audit)
    assert open_scene(folder, bands=["SR_B5"]).bands == ("nir08",)
