"""STAC items as scenes: which band is which, what its numbers mean, and what is refused with the reason."""

import json
import pickle
import sys
import warnings

import numpy as np
import pytest

from geolabel.errors import (
    BandError,
    ConfigError,
    GeolabelWarning,
    InputError,
    MissingExtra,
    SourceError,
    UndatedError,
    UnitError,
)
from geolabel.scene.open import open_scene
from geolabel.scene.products import Wanted
from geolabel.scene.products.stac import finds, product_of
from servers import serving
from stac import X, Y, asset, cog, constant, item, sentinel2

DN = np.tile(np.array([[1452, 0, 2452]], np.uint16), (600, 234))[:, :700]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, value in {"LOW_SPEED_TIME": "1", "RETRY_DELAY": "0.05", "TIMEOUT": "3"}.items():
        monkeypatch.setenv(f"GDAL_HTTP_{name}", value)


@pytest.fixture
def web():
    with serving() as served:
        for key in ("B04", "B8A", "B12"):
            served.files[f"/{key}.tif"] = cog(DN)
        scl = constant(4, dtype="uint8")
        scl[:, 350:] = 9
        served.files["/SCL.tif"] = cog(scl)
        yield served


def bands(product):
    return {one.name: one.path.rpartition("/")[2] for one in product.assets}


def offsets(product):
    return {round(one.offset, 9) for one in product.assets}


def said(product, words):
    return any(words in line for line in product.audit)


# ---------------------------------------------------------------- the whole way
def test_an_item_opens_without_asking_anybody_and_its_pixels_are_reflectance_without_clouds(web):
    scene = open_scene(sentinel2(base=f"{web.url}/"))
    assert web.asked == []
    assert scene.bands == ("red", "nir08", "swir22")
    assert (scene.sensor, scene.quantity, scene.grid.shape) == ("sentinel-2-l2a", "reflectance", (600, 700))
    assert scene.start.isoformat() == "2023-07-14T10:20:30+00:00"
    values = scene.read(["red"], slice(0, 10), slice(0, 700))[0]
    np.testing.assert_allclose(values[0, :3], [0.0452, np.nan, 0.1452], atol=1e-6)
    assert np.isnan(values[:, 350:]).all(), "class 9 is high cloud"
    np.testing.assert_array_equal(scene.band("red")[:10].values, values)


def test_only_the_bands_asked_for_are_fetched(web):
    scene = open_scene(sentinel2(base=f"{web.url}/"), bands=["nir08"])
    scene.read(["nir08"], slice(0, 10), slice(0, 10))
    assert {one.path for one in web.asked} == {"/B8A.tif", "/SCL.tif"}


def test_an_item_is_read_from_its_address_and_relative_files_lie_beside_it(web):
    web.files["/items/x.json"] = json.dumps(sentinel2(base="../")).encode()
    scene = open_scene(f"{web.url}/items/x.json?token=SECRET", bands=["red"])
    assert scene.read(["red"], slice(0, 1), slice(0, 1))[0, 0, 0] == pytest.approx(0.0452)
    assert "SECRET" not in repr((scene.source, scene.audit, scene.digest, scene.id))


def test_an_item_in_a_file_has_its_files_beside_it(tmp_path):
    (tmp_path / "bands").mkdir()
    for key in ("B04", "B8A", "B12", "SCL"):
        (tmp_path / "bands" / f"{key}.tif").write_bytes(cog(DN if key != "SCL" else constant(4, dtype="uint8")))
    path = tmp_path / "item.json"
    path.write_text(
        json.dumps(sentinel2(base="bands/") | {"links": [{"rel": "self", "href": "https://gone/item.json"}]})
    )
    scene = open_scene(path)
    assert scene.band("red").values[0, 0] == pytest.approx(0.0452)
    assert scene.recipe["path"] == str(path)
    assert open_scene(scene.recipe["path"]).digest == scene.digest


def test_a_downloaded_item_has_its_files_where_it_came_from(tmp_path):
    path = tmp_path / "item.json"
    path.write_text(
        json.dumps(sentinel2(base="./") | {"links": [{"rel": "self", "href": "https://there/x/item.json"}]})
    )
    assert product_of(path).assets[0].path == "/vsicurl/https://there/x/B04.tif"


def test_what_an_item_says_wrongly_of_its_grid_is_found_when_pixels_are_read(web):
    wrong = sentinel2(base=f"{web.url}/", shape=(600, 701))
    scene = open_scene(wrong)
    with pytest.raises(SourceError, match=r"600 x 700 pixels.*its metadata say.*600 x 701"):
        scene.read(["red"], slice(0, 10), slice(0, 10))


def test_headers_are_read_where_the_item_does_not_say_where_its_pixels_lie(web):
    scene = open_scene(sentinel2(base=f"{web.url}/", shape=None))
    assert scene.grid.shape == (600, 700)
    assert web.bytes_sent < 4 * 40_000


def test_a_band_that_is_gone_is_named(web):
    scene = open_scene(sentinel2(base=f"{web.url}/", bands=("B04", "B11")))
    with pytest.raises(SourceError, match=r"B11\.tif.*not there"):
        scene.read(["swir16"], slice(0, 10), slice(0, 10))


# ---------------------------------------------------------------- Sentinel-2: offset by what the item says
@pytest.mark.parametrize(
    ("properties", "offset", "words"),
    [
        ({"baseline": "02.12"}, 0.0, "baseline 02.12"),
        ({"baseline": "03.99"}, 0.0, "baseline 03.99"),
        ({"baseline": "04.00"}, -0.1, "baseline 04.00"),
        ({"baseline": "05.00", "datetime": "2019-06-01T10:00:00Z"}, -0.1, "baseline 05.00"),
        ({"baseline": "05.09", "earthsearch:boa_offset_applied": True}, 0.0, "boa_offset_applied"),
        ({"baseline": "05.09", "sentinel:boa_offset_applied": "true"}, 0.0, "boa_offset_applied"),
        ({"baseline": "05.09", "earthsearch:boa_offset_applied": False}, -0.1, "baseline 05.09"),
        ({"baseline": "02.12", "earthsearch:boa_offset_applied": False}, 0.0, "baseline 02.12"),
        (
            {"baseline": None, "s2:product_uri": "S2A_MSIL2A_20230714T102030_N0509_R065_T32TMR_20230714T140000.SAFE"},
            -0.1,
            "05.09",
        ),
        (
            {"baseline": None, "sentinel:product_id": "S2A_MSIL2A_20200714T115221_N0214_R123_T28QCH_20200714T191310"},
            0.0,
            "02.14",
        ),
        ({"baseline": None, "processing:version": "05.10"}, -0.1, "05.10"),
    ],
)
def test_the_offset_of_sentinel_2_is_what_the_item_says_not_its_date(properties, offset, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        product = product_of(sentinel2(base="https://host/", **properties))
    assert offsets(product) == {offset}
    assert said(product, words)


def raster(offset, scale=1e-4):
    return {"raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": scale, "offset": offset}]}


def with_raster(offset, scale=1e-4, **properties):
    found = sentinel2(base="https://host/", **properties)
    for key in ("B04", "B8A", "B12"):
        found["assets"][key] |= raster(offset, scale)
    return found


def test_a_wrong_offset_in_raster_bands_gives_way_to_what_was_applied_with_a_warning():
    wrong = with_raster(-0.1, baseline="05.09", **{"earthsearch:boa_offset_applied": True})
    with pytest.warns(GeolabelWarning, match="raster:bands says -1000"):
        product = product_of(wrong)
    assert offsets(product) == {0.0}
    assert said(product, "although raster:bands says -1000")


def test_a_wrong_offset_in_raster_bands_gives_way_to_the_baseline_with_a_warning():
    with pytest.warns(GeolabelWarning, match="disagree"):
        product = product_of(with_raster(0, baseline="05.09"))
    assert offsets(product) == {-0.1}


def test_raster_bands_speak_where_nobody_else_does():
    product = product_of(with_raster(-0.1, baseline=None))
    assert offsets(product) == {-0.1}
    assert said(product, "from raster:bands")


def test_an_offset_that_nobody_says_is_assumed_with_a_warning_and_the_user_decides():
    silent = sentinel2(base="https://host/", baseline=None)
    with pytest.warns(GeolabelWarning, match="assumed"):
        assert product_of(silent).assets[0].offset == pytest.approx(-0.1)
    assert product_of(silent, Wanted(offset=0)).assets[0].offset == 0


def test_baselines_that_disagree_are_told():
    uri = "S2A_MSIL2A_20230714T102030_N0212_R065_T32TMR_20230714T140000.SAFE"
    with pytest.warns(GeolabelWarning, match="although the baseline in product_uri 02.12 says 0"):
        assert product_of(sentinel2(base="https://host/", **{"s2:product_uri": uri})).assets[0].offset == pytest.approx(
            -0.1
        )


def test_a_wrong_scale_in_raster_bands_gives_way_with_a_warning():
    with pytest.warns(
        GeolabelWarning, match="scale 0.0001 of sentinel-2-l2a taken, although raster:bands declare 0.001"
    ):
        product = product_of(with_raster(-0.1, scale=1e-3, baseline=None, **{"s2:processing_baseline": None}))
    assert {one.scale for one in product.assets} == {1e-4}


# ---------------------------------------------------------------- Sentinel-2: names
def test_the_id_of_a_band_decides_its_name_never_its_common_name():
    found = sentinel2(base="https://host/", bands=("B08", "B8A", "B05"))
    for key in ("B08", "B8A", "B05"):
        found["assets"][key]["eo:bands"] = [{"name": key, "common_name": "rededge"}]
    product = product_of(found)
    assert bands(product) == {"rededge071": "B05.tif", "nir": "B08.tif", "nir08": "B8A.tif"}
    assert said(product, "B8A is nir08, although the item calls it rededge")
    assert said(product, "B08 is nir, although the item calls it rededge")


def test_keys_of_earth_search_and_its_two_copies_of_each_band():
    keys = {"red": "B04", "nir": "B08", "nir08": "B8A", "rededge1": "B05", "swir22": "B12"}
    assets = {key: asset(f"https://host/{name}.tif", shape=(10, 10)) for key, name in keys.items()}
    assets |= {f"{key}-jp2": asset(f"s3://box/{name}.jp2", media="image/jp2") for key, name in keys.items()}
    assets["scl"] = asset("https://host/SCL.tif", shape=(10, 10))
    assets["visual"] = asset("https://host/TCI.tif", shape=(10, 10))
    product = product_of(item("S2A_32TMR_20230714_0_L2A", assets, constellation="sentinel-2", collection="sentinel-2-l2a",
                              **{"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": True}))  # fmt: skip
    assert bands(product) == {
        "red": "B04.tif",
        "rededge071": "B05.tif",
        "nir": "B08.tif",
        "nir08": "B8A.tif",
        "swir22": "B12.tif",
    }
    assert product.masks[0].path == "/vsicurl/https://host/SCL.tif"


@pytest.mark.parametrize(("res_m", "chosen"), [(None, "B04_20m.jp2"), (10, "B04_10m.jp2"), (60, "B04_60m.jp2")])
def test_of_a_band_in_several_resolutions_the_working_one_is_read(res_m, chosen):
    assets = {f"B04_{r}m": asset(f"https://host/B04_{r}m.jp2", media="image/jp2", gsd=r) for r in (10, 20, 60)}
    assets["SCL_20m"] = asset("https://host/SCL_20m.jp2", media="image/jp2")
    product = product_of(sentinel2() | {"assets": assets}, Wanted(res_m=res_m))
    assert bands(product) == {"red": chosen}
    assert product.masks[0].name == "scl"


def test_level_1c_is_another_quantity():
    found = item("S2A_MSIL1C_20230714T102030", {"B04": asset("https://host/B04.jp2", media="image/jp2")}, constellation="Sentinel 2",
                 **{"s2:product_type": "S2MSI1C", "s2:processing_baseline": "05.09"})  # fmt: skip
    product = product_of(found)
    assert (product.sensor, product.quantity, product.assets[0].offset) == (
        "sentinel-2-l1c",
        "toa_reflectance",
        pytest.approx(-0.1),
    )
    assert said(product, "clouds are not masked")


# ---------------------------------------------------------------- Landsat, HLS, DEA, NAIP
@pytest.mark.parametrize(
    ("platform", "name", "expected"),
    [
        ("landsat-9", "LC09_L2SP_044033_20230714_20230716_02_T1", {"red": "B4", "nir08": "B5", "swir22": "B7"}),
        ("landsat-5", "LT05_L2SP_044033_20030714_20200905_02_T1", {"nir08": "B4", "swir16": "B5", "swir22": "B7"}),
    ],
)
def test_band_numbers_of_landsat_mean_other_bands_on_other_satellites(platform, name, expected):
    assets = {f"SR_{n}": asset(f"https://host/{name}_SR_{n}.TIF", shape=(9, 9), res_m=30) for n in expected.values()}
    assets["qa_pixel"] = asset(f"https://host/{name}_QA_PIXEL.TIF", shape=(9, 9), res_m=30)
    product = product_of(item(name, assets, platform=platform, collection="landsat-c2-l2"))
    assert bands(product) == {common: f"{name}_SR_{n}.TIF" for common, n in expected.items()}
    assert {(one.scale, one.offset, one.nodata) for one in product.assets} == {(2.75e-5, -0.2, (0.0,))}
    assert set(product.masks[0].bits) == {0, 1, 2, 3, 4, 5}


def test_surface_temperature_is_kelvin_and_opened_when_it_is_asked_for(web):
    name = "LC09_L2SP_044033_20230714_20230716_02_T1"
    web.files["/ST_B10.TIF"] = cog(constant(44000), res_m=30)
    web.files["/SR_B4.TIF"] = cog(constant(10000), res_m=30)
    assets = {"red": asset(f"{web.url}/SR_B4.TIF", **{"eo:bands": [{"name": "OLI_B4", "common_name": "red"}]}),
              "lwir11": asset(f"{web.url}/ST_B10.TIF", **{"eo:bands": [{"name": "TIRS_B10", "common_name": "lwir11"}]})}  # fmt: skip
    found = item(name, assets, platform="landsat-9")
    assert open_scene(found).bands == ("red",)
    both = open_scene(found, bands=["lwir11", "red"])
    assert both.data["lwir11"].attrs["units"] == "K"
    values = both.read(["lwir11", "red"], slice(0, 1), slice(0, 1))[:, 0, 0]
    np.testing.assert_allclose(values, [299.39288, 0.075], rtol=1e-6)


@pytest.mark.parametrize(
    ("letter", "ids"),
    [
        ("L", {"red": "B04", "nir08": "B05", "swir16": "B06", "swir22": "B07"}),
        ("S", {"red": "B04", "nir08": "B8A", "swir16": "B11", "swir22": "B12"}),
    ],
)
def test_both_sensors_of_hls(letter, ids):
    start = f"https://host/HLS.{letter}30.T10SEG.2023195T184921.v2.0"
    assets = {band: asset(f"{start}.{band}.tif") for band in ids.values()} | {"Fmask": asset(f"{start}.Fmask.tif")}
    product = product_of(item(f"HLS.{letter}30.T10SEG.2023195T184921.v2.0", assets, collection=f"HLS{letter}30_2.0"))
    assert {name: path.split(".")[-2] for name, path in bands(product).items()} == ids
    assert {(one.scale, one.offset, one.nodata) for one in product.assets} == {(1e-4, 0.0, (-9999.0,))}
    assert set(product.masks[0].bits) == {1, 2, 3, 4}, "water is kept"


def test_digital_earth_australia_counts_its_bands_otherwise():
    keys = ("nbart_nir_1", "nbart_nir_2", "nbart_swir_2", "nbart_swir_3", "nbart_red")
    assets = {key: asset(f"https://host/{key}.tif") for key in keys} | {"oa_fmask": asset("https://host/fmask.tif")}
    product = product_of(item("x", assets, collection="ga_s2am_ard_3", platform="sentinel-2a"))
    assert bands(product) == {"red": "nbart_red.tif", "nir": "nbart_nir_1.tif", "nir08": "nbart_nir_2.tif",
                              "swir16": "nbart_swir_2.tif", "swir22": "nbart_swir_3.tif"}  # fmt: skip
    assert product.assets[0].nodata == (-999.0,)
    flags = np.array([0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(product.masks[0].hides(flags), [True, False, True, True, True, False])


def test_naip_is_dn_of_four_bands_in_its_own_order(web):
    web.files["/n.tif"] = cog(np.stack([constant(v, dtype="uint8") for v in (1, 2, 3, 4)]), res_m=1)
    scene = open_scene(item("ca_m_1", {"image": asset(f"{web.url}/n.tif")}, collection="naip"))
    assert (scene.quantity, scene.bands) == ("dn", ("red", "green", "blue", "nir08"))
    np.testing.assert_array_equal(scene.read(["nir08", "red"], slice(0, 1), slice(0, 1)).ravel(), [4, 1])


# ---------------------------------------------------------------- radar and elevation
def radar(web, **more):
    web.files["/vv.tif"] = cog(np.full((600, 700), 0.02, np.float32))
    assets = {"vv": asset(f"{web.url}/vv.tif", **more)}
    return item("S1A_IW", assets, platform="SENTINEL-1A", **{"sar:product_type": "RTC"})


def test_radar_that_does_not_say_its_unit_is_refused_and_the_user_decides(web):
    silent = radar(web, title="VV", description="Terrain-corrected gamma naught values")
    with pytest.raises(UnitError, match="dB or linear"):
        product_of(silent)
    scene = open_scene(silent, quantity="gamma0_linear")
    assert scene.quantity == "gamma0_linear"
    assert scene.read(["vv"], slice(0, 1), slice(0, 1))[0, 0, 0] == pytest.approx(0.02)


def test_radar_by_the_unit_of_its_band(web):
    found = radar(web, description="gamma naught", **{"raster:bands": [{"unit": "dB"}]})
    assert product_of(found).quantity == "gamma0_db"
    found = radar(web, description="sigma nought in linear power")
    assert product_of(found).quantity == "sigma0_linear"


@pytest.mark.parametrize(
    ("collection", "keys"),
    [("cop-dem-glo-30", ("data",)), ("nasadem", ("elevation",)), ("alos-dem", ("DSM", "MSK", "STK")), ("x", ("dtm",))],
)
def test_elevation_by_its_collection_or_its_key(collection, keys):
    found = item("x", {key: asset(f"https://host/{key}.tif") for key in keys}, collection=collection)
    product = product_of(found)
    assert (product.quantity, bands(product)) == ("elevation_m", {"elevation": f"{keys[0]}.tif"})


def test_a_file_with_fewer_bands_than_its_item_says_is_refused(web):
    web.files["/v.tif"] = cog(constant(7, dtype="uint8"))
    with pytest.raises(BandError, match=r"green should be band 2 of v\.tif, which has 1"):
        open_scene(item("x", {"visual": asset(f"{web.url}/v.tif")}))


def test_elevation_in_feet_is_refused():
    found = item("x", {"dem": asset("https://host/d.tif", **{"raster:bands": [{"unit": "ft"}]})})
    with pytest.raises(UnitError, match="'ft'"):
        product_of(found)


# ---------------------------------------------------------------- items whose sensor is not known
def four(**more):
    names = ("blue", "green", "red", "nir")
    return asset(
        "https://host/a.tif", **{"eo:bands": [{"name": f"b{i}", "common_name": n} for i, n in enumerate(names)]}, **more
    )


def test_bands_by_the_items_own_names_stay_dn_where_it_does_not_say_what_they_are():
    scaled = four(**{"raster:bands": [{"scale": 1e-4, "offset": 0.0, "nodata": 0}] * 4})
    product = product_of(item("x", {"analytic": scaled}))
    assert [(one.name, one.index) for one in product.assets] == [("blue", 1), ("green", 2), ("red", 3), ("nir08", 4)]
    assert (product.quantity, product.assets[0].scale, product.assets[0].nodata) == ("dn", 1.0, (0.0,))
    assert said(product, "the scale it declares is not applied")


def test_a_declared_scale_of_reflectance_is_applied_band_by_band():
    scales = [{"scale": s, "offset": o} for s, o in ((1e-4, 0), (2e-4, 0), (3e-4, -0.1), (4e-4, 0))]
    found = four(roles=["data", "reflectance"], **{"raster:bands": scales})
    product = product_of(item("x", {"analytic": found}))
    assert product.quantity == "reflectance"
    assert [(one.scale, one.offset) for one in product.assets] == [(1e-4, 0), (2e-4, 0), (3e-4, -0.1), (4e-4, 0)]
    bare = four(**{"raster:bands": scales})
    assert product_of(item("x", {"a": bare}), Wanted(sensor="reflectance")).assets[1].scale == 2e-4


def test_bands_as_stac_1_1_describes_them():
    one = [
        {
            "name": "r",
            "eo:common_name": "red",
            "raster:scale": 1e-4,
            "raster:offset": -0.1,
            "nodata": 0,
            "data_type": "uint16",
        }
    ]
    found = item("x", {"a": asset("https://host/a.tif", shape=(9, 9), bands=one, roles=["data", "reflectance"])}) | {
        "stac_version": "1.1.0"
    }
    product = product_of(found)
    assert (product.assets[0].name, product.assets[0].scale, product.assets[0].offset) == ("red", 1e-4, -0.1)
    assert product.assets[0].header.claimed


def test_a_file_whose_bands_nobody_names_is_named_by_the_user(web):
    web.files["/a.tif"] = cog(np.stack([constant(7), constant(8)]))
    found = item("x", {"image": asset(f"{web.url}/a.tif"), "udm": asset(f"{web.url}/u.tif")})
    with pytest.raises(BandError, match="does not say which bands") as told:
        open_scene(found)
    assert "bands=" in told.value.hint
    assert open_scene(found, bands=("red", "nir")).read(["nir08"], slice(0, 1), slice(0, 1)).item() == 8


@pytest.mark.parametrize(
    ("assets", "words"),
    [
        ({"labels": {"href": "l.geojson", "type": "application/geo+json"}}, "no raster asset: labels"),
        ({"thumbnail": {"href": "t.jpg", "type": "image/jpeg", "roles": ["thumbnail"]}}, "no raster asset: thumbnail"),
        ({"points": {"href": "p.laz", "type": "application/vnd.laszip+copc"}}, "no raster asset: points"),
        ({}, "no assets at all"),
        ({"a": asset("https://h/a.tif"), "b": asset("https://h/b.tif")}, "which bands its files hold: a, b"),
        ({"a": asset("https://h/a.tif", **{"eo:bands": [{"name": "x"}, {"name": "x"}]})}, "x occurs twice"),
    ],
)
def test_items_without_pixels_that_are_understood_are_refused_with_the_reason(assets, words):
    with pytest.raises(BandError, match=words):
        open_scene(item("x", assets))


def test_what_the_user_says_against_the_item_is_refused():
    with pytest.raises(ConfigError, match="not 'landsat-c2-l2'"):
        product_of(sentinel2(base="https://host/"), Wanted(sensor="landsat-c2-l2"))
    with pytest.raises(BandError, match="no band 'swir16'"):
        open_scene(sentinel2(base="https://host/"), bands=["swir16"])


def test_an_undated_item_is_dated_by_the_user():
    found = item("x", {"dem": asset("https://host/d.tif")}, datetime=None)
    found["properties"].pop("datetime")
    found["properties"]["datetime"] = None
    with pytest.raises((UndatedError, InputError)):
        product_of(found)


# ---------------------------------------------------------------- what is STAC, and what is not
def test_what_is_taken_for_stac_without_asking_anybody(tmp_path):
    (tmp_path / "a.json").write_text('{"stac_version": "1.0.0"}')
    (tmp_path / "LC08_MTL.json").write_text('{"LANDSAT_METADATA_FILE": {}}')
    yes = [tmp_path / "a.json", str(tmp_path / "a.json"), "https://api/collections/c/items/S2A.SAFE", sentinel2()]
    no = [
        tmp_path / "LC08_MTL.json",
        "https://host/a.tif",
        "https://host/items/a.tif",
        tmp_path / "a.tif",
        tmp_path,
        None,
    ]
    assert [finds(one) for one in yes] == [True] * len(yes)
    assert [finds(one) for one in no] == [False] * len(no)


@pytest.mark.parametrize("text", ['{"stac_version": "1.0.0", "type": "Feature"}', '{"stac_version": "1.0.0", "type":'])
def test_broken_items_are_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises((InputError, SourceError), match=r"a\.json"):
        open_scene(tmp_path / "a.json")


def test_a_missing_library_is_named_with_the_line_that_gets_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pystac", None)
    with pytest.raises(MissingExtra, match="pystac") as told:
        open_scene(sentinel2())
    assert told.value.hint == "pip install 'geolabel[stac]'"


@pytest.mark.parametrize("height", [37, 512])
def test_both_ways_to_the_pixels_agree_whatever_the_chunks(web, height):
    scene = open_scene(sentinel2(base=f"{web.url}/"), chunks=height)
    for name in ("red", "swir22"):
        whole = scene.band(name).values
        parts = [scene.read([name], slice(at, min(at + height, 600)), slice(0, 700))[0] for at in range(0, 600, height)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


# ---------------------------------------------------------------- items of one day
def neighbours(web, **second):
    """Two tiles that overlap by 200 pixels; the second has another baseline, so another offset."""
    for name, value, x in (("a", 2000, X), ("b", 3000, X + 500 * 20)):
        values = constant(value)
        values[:100] = 0 if name == "a" else value
        web.files[f"/{name}/B04.tif"] = cog(values, x=x)
        web.files[f"/{name}/SCL.tif"] = cog(constant(4, dtype="uint8"), x=x)
    first = sentinel2("S2A_a_L2A", f"{web.url}/a/", bands=("B04",), baseline="03.01", shape=None)
    other = sentinel2("S2A_b_L2A", f"{web.url}/b/", bands=("B04",), baseline="05.09", shape=None, **second)
    return first, other


def test_items_of_one_day_are_harmonised_each_by_itself_and_the_first_by_id_gives_the_pixel(web):
    first, other = neighbours(web)
    scene = open_scene([other, first])
    assert scene.grid.shape == (600, 1200)
    assert scene.grid.bounds == (X, Y - 600 * 20, X + 1200 * 20, Y)
    values = scene.read(["red"], slice(0, 600), slice(0, 1200))[0]
    assert values[300, 600] == pytest.approx(0.2), "both have it: a comes first, without offset"
    assert values[300, 800] == pytest.approx(0.2), "3000 with the offset of its own baseline"
    assert values[50, 600] == pytest.approx(0.2), "a has no data here, b has"
    assert np.isnan(values[50, 100])
    np.testing.assert_array_equal(scene.band("red").values, values)
    np.testing.assert_array_equal(open_scene([first, other]).band("red").values, values)
    away = pickle.loads(pickle.dumps(scene.reader))
    np.testing.assert_array_equal(away.read(["red"], slice(90, 110), slice(490, 720))[0], values[90:110, 490:720])
    assert open_scene([first, other]).digest == scene.digest
    assert any("S2A_b_L2A: reflectance" in line for line in scene.audit)


def test_items_of_two_days_are_no_scene(web):
    with pytest.raises(InputError, match="from 2023-07-14 to 2023-07-20"):
        open_scene(neighbours(web, datetime="2023-07-20T10:20:30Z"))
