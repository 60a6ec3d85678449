"""STAC out: required fields of the specifications, pystac and stac-geoparquet as readers, labels back from the assets."""

import json
import warnings
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pystac
import pytest
import rasterio
from benchmarks.roundtrip import TILES, sample
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.version import ItemVersionExtension

from geolabel.dataset.about import About
from geolabel.dataset.export import export
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import read
from geolabel.errors import InputError
from geolabel.grid import Tiling
from geolabel.ontology import WILDFIRE

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pystac finds the extension unfinished; STAC has no other
    from pystac.extensions.label import LabelExtension, LabelType

GIVEN = sample()
ABOUT = About(
    project="station",
    start=datetime(2009, 3, 17, tzinfo=UTC),
    end=datetime(2009, 10, 15, tzinfo=UTC),
    before_href="../scenes/before.tif",
    after_href="https://example.org/after.tif",
    licence="CC-BY-4.0",
    export_version=3,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("stac") / "out"
    return export(GIVEN, path, format="stac", tiles=TILES, about=ABOUT, view_id="v")


def test_a_collection_of_one_item_a_tile(folder):
    collection = pystac.Collection.from_file(str(folder / "collection.json"))
    items = list(collection.get_items())
    assert len(items) == len(TILES)
    assert collection.license == "CC-BY-4.0"
    west, south, east, north = collection.extent.spatial.bboxes[0]
    for item in items:
        assert item.collection_id == collection.id
        assert west <= item.bbox[0] <= item.bbox[2] <= east
        assert south <= item.bbox[1] <= item.bbox[3] <= north
        assert item.get_root().id == collection.id
        assert item.datetime is None  # then start and end are required, STAC 1.1, common metadata
        assert item.common_metadata.start_datetime <= item.common_metadata.end_datetime
    first, last = collection.extent.temporal.intervals[0]
    assert (first, last) == (ABOUT.start, GIVEN["end"].max())  # a label that speaks of later ground is in it


def test_items_round_trip_through_pystac(folder):
    for path in sorted((folder / "items").glob("*.json")):
        written = json.loads(path.read_text())
        again = pystac.Item.from_dict(written).to_dict(include_self_link=False, transform_hrefs=False)
        assert again["properties"] == written["properties"]
        assert again["assets"] == written["assets"]
        assert again["stac_extensions"] == written["stac_extensions"]


def test_the_label_extension_says_what_is_labeled(folder):
    found = {}
    for path in (folder / "items").glob("*.json"):
        item = pystac.Item.from_file(str(path))
        label = LabelExtension.ext(item)
        assert label.label_type is LabelType.VECTOR
        assert label.label_description
        assert label.label_tasks == ["segmentation"]
        classes = {one.name: one.classes for one in label.label_classes}
        assert classes["class"] == [one.name for one in WILDFIRE]
        for overview in label.label_overviews or []:
            for count in overview.counts:
                found.setdefault(overview.property_key, {}).setdefault(count.name, 0)
                found[overview.property_key][count.name] += count.count
        assert {link.get_href(transform_href=False) for link in item.get_links("source")} == {
            "../../scenes/before.tif",
            "https://example.org/after.tif",
        }
        assert ItemVersionExtension.ext(item).version == "3"
    assert set(found["class"]) == set(GIVEN["class"])
    assert set(found["severity"]) == {"high"}


def test_the_mask_asset_is_classified_as_its_pixels_are(folder):
    for path in (folder / "items").glob("*.json"):
        item = pystac.Item.from_file(str(path))
        asset = item.assets["mask"]
        classes = {one.value: one.name for one in ClassificationExtension.ext(asset).classes}
        with rasterio.open(asset.get_absolute_href()) as file:
            assert set(np.unique(file.read(1)).tolist()) <= set(classes)
            assert file.crs.to_string() == asset.extra_fields["proj:code"]
            assert list(file.shape) == asset.extra_fields["proj:shape"]
            assert list(file.transform[:6]) == asset.extra_fields["proj:transform"]
            assert asset.extra_fields["nodata"] == file.nodata


def test_assets_lie_where_items_say(folder):
    for path in (folder / "items").glob("*.json"):
        item = pystac.Item.from_file(str(path))
        labels = gpd.read_file(item.assets["labels"].get_absolute_href())
        assert labels["feature_type"].iloc[0] == "tile"


def test_labels_come_back_whole(folder):
    told = edits(GIVEN, read(folder)).set_index("label_id")
    assert sorted(told.index) == sorted(GIVEN["label_id"])
    assert not told["what"].str.contains("geometry|class|attributes|annotator").any()
    one = read(next((folder / "items").glob("*.0_0.json")))
    assert 0 < len(one) < len(GIVEN)


def test_tiles_that_are_gone_take_their_items_along(tmp_path):
    path = export(GIVEN, tmp_path / "out", format="stac", tiles=TILES, about=ABOUT)
    first = {one.name: one.read_bytes() for one in (path / "items").iterdir()}
    export(GIVEN, path, format="stac", tiles=TILES, about=ABOUT)
    assert {one.name: one.read_bytes() for one in (path / "items").iterdir()} == first
    fewer = Tiling(TILES.grid, TILES.tiles[:1])
    export(GIVEN, path, format="stac", tiles=fewer, about=ABOUT)
    assert len(list((path / "items").iterdir())) == 1


def test_an_item_without_a_time_is_refused(tmp_path):
    timeless = GIVEN.assign(start=None, end=None).astype({"start": GIVEN["start"].dtype, "end": GIVEN["end"].dtype})
    with pytest.raises(InputError, match="of which time") as raised:
        export(timeless, tmp_path / "out", format="stac", tiles=TILES)
    assert "About(start=" in raised.value.hint
    with pytest.raises(InputError, match="an item a tile"):
        export(GIVEN, tmp_path / "out", format="stac")


def test_stac_geoparquet_gives_the_same_items(tmp_path, folder):
    arrow = pytest.importorskip("stac_geoparquet.arrow")
    import pyarrow.parquet as pq

    path = export(GIVEN, tmp_path / "out", format="stac-geoparquet", tiles=TILES, about=ABOUT, view_id="v")
    back = {one["id"]: one for one in arrow.stac_table_to_items(pq.read_table(path / "items.parquet"))}
    written = [json.loads(one.read_text()) for one in (folder / "items").glob("*.json")]
    assert set(back) == {one["id"] for one in written}
    for one in written:
        again = back[one["id"]]
        assert again["bbox"] == pytest.approx(one["bbox"])
        assert again["assets"]["mask"]["proj:transform"] == one["assets"]["mask"]["proj:transform"]
        said = {name: value for name, value in one["properties"].items() if "datetime" not in name and value}
        assert {name: again["properties"].get(name) for name in said} == said
        assert datetime.fromisoformat(again["properties"]["start_datetime"]) == datetime.fromisoformat(
            one["properties"]["start_datetime"]
        )
    table = gpd.read_parquet(path / "items.parquet")
    assert len(table) == len(TILES)
    assert set(edits(GIVEN, read(path))["label_id"]) == set(GIVEN["label_id"])
