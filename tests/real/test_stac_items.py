"""Every real STAC document at hand opens with the right harmonisation or is refused with the reason.

What each file should give was read from its JSON by eye, not taken from the program.
"""

import json
import warnings

import pytest

from geolabel.errors import BandError, InputError
from geolabel.scene.items import items
from geolabel.scene.products.stac import product_of
from support import data_folder

pytestmark = pytest.mark.real

S2 = (
    "coastal",
    "blue",
    "green",
    "red",
    "rededge071",
    "rededge075",
    "rededge078",
    "nir",
    "nir08",
    "nir09",
    "swir16",
    "swir22",
)
OLI = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")
TM = ("blue", "green", "red", "nir08", "swir16", "swir22")
FRACTIONS = tuple(f"{what}_pc_{n}" for what in ("bs", "pv", "npv") for n in (10, 50, 90))
RGB = ("red", "green", "blue")

OPENED = {
    # file: (quantity, bands, scale, offset, nodata, mask, file of one band)
    "LC08_L2SP_028030_20200114_20200824_02_T1_SR.json": ("reflectance", OLI, 2.75e-5, -0.2, (0,), "qa_pixel", ("nir08", "SR_B5.TIF")),
    "LC08_L2SR_081119_20200101_20200823_02_T2.json": ("reflectance", OLI, 2.75e-5, -0.2, (0,), "qa_pixel", ("blue", "SR_B2_small.TIF")),
    "LE07_L2SP_044033_20210329_20210424_02_T1_SR.json": ("reflectance", TM, 2.75e-5, -0.2, (0,), "qa_pixel", ("nir08", "SR_B4.TIF")),
    "S2A_28QCH_20200714_0_L2A.json": ("reflectance", S2, 1e-4, 0.0, (0,), "scl", ("nir08", "B8A.tif")),
    "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json": ("reflectance", S2, 1e-4, 0.0, (0,), "scl", ("nir08", "B8A_20m.tif")),
    "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531_raster_ext.json": ("reflectance", S2, 1e-4, 0.0, (0,), "scl", ("nir", "B08_10m.tif")),
    "ga_ls8c_ard_3-1-0_088080_2020-05-25_final.stac-item.json": (
        "reflectance", ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan"), 1e-4, 0.0, (-999,), "oa_fmask", ("nir08", "band05.tif"),
    ),
    "lidar_dem.json": ("elevation_m", ("elevation",), 1.0, 0.0, (), None, ("elevation", "lidar_id.tif")),
    "only_crs_proj.json": ("dn", FRACTIONS, 1.0, 0.0, (), None, ("pv_pc_50", "PV_PC_50.tif")),
    "20170831_162740_ssc1d1.json": ("dn", RGB, 1.0, 0.0, (), None, ("red", "20170831T162740Z.tif")),
    "20170831_195425_SS02.json": ("dn", RGB, 1.0, 0.0, (), None, ("red", "20170831T195425Z.tif")),
    "2017831_195552_SS02.json": ("dn", RGB, 1.0, 0.0, (), None, ("red", ".tif")),
    "20170831_172754_101c.json": ("dn", ("blue", "green", "red", "nir08"), 1.0, 0.0, (), None, ("nir08", "AnalyticMS.tif")),
    "CBERS_4_MUX_20190510_027_069_L2.json": ("dn", ("blue", "green", "red", "nir08"), 1.0, 0.0, (), None, ("nir08", "L2_BAND8.tif")),
    "example-sentinel2.json": ("toa_reflectance", (*S2[:10], "cirrus", *S2[10:]), 1e-4, 0.0, (0,), None, ("nir08", "B8A.jp2")),
    "extended-item.json": ("dn", ("blue", "green", "red", "nir08"), 1.0, 0.0, (), None, ("red", "CS2_analytic.tif")),
    "proj-example.json": ("dn", ("coastal", "pan"), 1.0, 0.0, (0,), None, ("coastal", "RT_B1.TIF")),
    "simple-item.json": ("dn", RGB, 1.0, 0.0, (), None, ("red", "CS2.tif")),
}  # fmt: skip
UNNAMED = ("imagery", "665946", "core-item", "Houston-East")
"""Items with raster files whose bands nobody names: parts of their files' names."""


def documents():
    return sorted(data_folder("stac-items").rglob("*json"))


def reason(path, said):
    """(type of error, words) with which a document that does not open is refused, by its JSON alone."""
    if said.get("type") == "FeatureCollection":
        return InputError, f"holds {len(said['features'])} items"
    if said.get("type") != "Feature":
        return InputError, "(catalog|collection) '"
    if any("label" in extension for extension in said["stac_extensions"]):
        return BandError, "holds labels, no pixels: .*geo\\+json"
    if path.name == "collectionless-item.json":
        return BandError, "band1 occurs twice"
    return BandError, "does not say which bands its files hold"


def test_every_document_opens_or_is_refused_with_the_reason():
    opened, refused = set(), 0
    paths = documents()
    assert len(paths) == 214
    for path in paths:
        said = json.loads(path.read_text())
        if path.name in OPENED:
            product_of(path)
            opened.add(path.name)
            continue
        kind, words = reason(path, said)
        with pytest.raises(kind, match=words) as told:
            product_of(path)
        assert told.value.hint, f"{path.name} is refused without a way out"
        refused += 1
    assert (len(opened), refused) == (18, 196)


@pytest.mark.parametrize("name", sorted(OPENED))
def test_what_each_item_gives(name):
    quantity, bands, scale, offset, nodata, mask, (band, file) = OPENED[name]
    path = next(path for path in documents() if path.name == name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        product = product_of(path)
    assert (product.quantity, {one.name for one in product.assets}) == (quantity, set(bands))
    assert {(one.scale, one.offset, one.nodata) for one in product.assets} == {(scale, offset, nodata)}
    assert [one.name for one in product.masks] == ([] if mask is None else [mask])
    assert next(one.path for one in product.assets if one.name == band).endswith(file)


def test_the_items_of_collections_open_one_by_one():
    folder = data_folder("stac-items")
    for name, count, sensor in (
        ("odc-stac/tests/data/site1-20200606-tall-strip-africa.geojson", 9, "sentinel-2-l2a"),
        ("odc-stac/tests/data/site2-2020_jun_jul-35MNM.geojson", 13, "sentinel-2-l2a"),
        ("pystac/tests/data-files/item-collection/sample-item-collection.json", 10, "hls-l30"),
    ):
        found = items(folder / name)
        assert len(found) == len(found.frame) == count
        products = [product_of(one) for one in found]
        assert {one.sensor for one in products} == {sensor}
        assert {asset.offset for one in products for asset in one.assets if asset.name == "red"} == {0.0}
        assert all("nir08" in {asset.name for asset in one.assets} for one in products)


def test_hls_takes_band_5_of_landsat_for_nir08_and_its_own_flags():
    folder = data_folder("stac-items") / "pystac/tests/data-files/item-collection"
    product = product_of(items(folder / "sample-item-collection.json")[0])
    paths = {one.name: one.path for one in product.assets}
    assert paths["nir08"].endswith("v1.5.B05.tif")
    assert paths["swir22"].endswith("v1.5.B07.tif")
    assert product.assets[0].nodata == (-9999.0,)
    assert product.masks[0].path.endswith("Fmask.tif")


def test_items_that_call_b8a_rededge_are_told_and_named_by_its_id():
    path = next(p for p in documents() if p.name.endswith("20201006T080531.json"))
    assert any("B8A is nir08, although the item calls it rededge" in line for line in product_of(path).audit)


def test_all_items_of_each_static_catalog_are_found():
    folder = data_folder("stac-items") / "pystac/tests/data-files/catalogs"
    for name, count in (
        ("test-case-1", 8),
        ("test-case-2", 2),
        ("test-case-4", 62),
        ("test-case-5", 1),
        ("test-case-6", 10),
        ("label_catalog-v0.8.1", 62),
    ):
        assert len(items(folder / name / "catalog.json")) == count
        assert (
            len([p for p in (folder / name).rglob("*.json") if json.loads(p.read_text()).get("type") == "Feature"])
            == count
        )


def test_unnamed_bands_are_named_by_the_user():
    from geolabel.scene.products import Wanted

    path = next(p for p in documents() if p.name == "665946.json")
    product = product_of(path, Wanted(bands=("red", "green", "blue")))
    assert [(one.name, one.index) for one in product.assets] == [("red", 1), ("green", 2), ("blue", 3)]
