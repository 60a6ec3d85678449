"""Labeled tiles and masks read back: whole labels under their ids, tiles where nobody found anything, who said what."""

import json

import geopandas as gpd
import jsonschema
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from benchmarks.roundtrip import TILES, UTM, sample
from rasterio.features import rasterize

from geolabel.dataset.about import About
from geolabel.dataset.export import export
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import by_path, read
from geolabel.dataset.formats.tiled import read_tiles
from geolabel.dataset.tiles import export_tiles, schema
from geolabel.errors import GeolabelWarning, InputError, OntologyError, SourceError
from geolabel.ontology import WILDFIRE
from geolabel.shapes import area_m2
from geolabel.tables import IGNORE, empty
from labels import answer, scar, tasks_of, utm_grid

GIVEN = sample()


# ---------------------------------------------------------------------- labeled tiles
@pytest.mark.parametrize("clipped", [True, False])
def test_labels_of_tiles_are_whole_again(tmp_path, clipped):
    folder = export(GIVEN, tmp_path / "t", format="geojson", tiles=TILES, clipped=clipped)
    assert by_path(folder).name == "geojson"
    labels, tiles = read_tiles(folder)
    assert len(tiles) == len(TILES)
    told = edits(GIVEN, labels).set_index("label_id")
    assert sorted(told.index) == sorted(GIVEN["label_id"])
    assert not told["what"].str.contains("geometry|attributes|start|end|annotator|labeled_at").any()
    assert set(edits(labels, read(folder))["change"]) == {"unchanged"}


def test_own_words_of_a_label_are_in_its_tile(tmp_path):
    about = About(start=pd.Timestamp("2000-01-01T00:00Z").to_pydatetime(), access="internal")
    folder = export(GIVEN, tmp_path / "t", format="geojson", tiles=TILES, about=about)
    seen = {}
    for path in folder.glob("*_*.geojson"):
        document = json.loads(path.read_text())
        jsonschema.validate(document, schema())
        assert document["features"][0]["properties"]["access"] == "internal"
        seen |= {f["properties"]["label_id"]: f["properties"] for f in document["features"][1:]}
    assert seen["scar/1"]["start"] == "2009-08-26T22:00:00Z"
    assert seen["4"]["start"] == "2000-01-01T00:00:00Z"  # the export's, where the label says nothing
    assert seen["scar/1"]["annotator"] == "person:ann"
    own = GIVEN.set_index("label_id").loc["Hügel № 2", "attributes"]
    assert seen["Hügel № 2"]["attributes"] == own


def test_a_tile_where_nothing_was_found_is_still_there(tmp_path):
    one = GIVEN[GIVEN["label_id"] == "4"]
    labels, tiles = read_tiles(export(one, tmp_path / "t", format="geojson", tiles=TILES))
    assert labels["label_id"].tolist() == ["4"]
    assert tiles["outcome"].value_counts().to_dict() == {"empty": 3, "labeled": 1}
    assert area_m2(tiles).sum() == pytest.approx(float(UTM.cell_area_m2() * 64 * 64), rel=1e-3)
    nothing, all_of_them = read_tiles(export(one.iloc[:0], tmp_path / "n", format="geojson", tiles=TILES))
    assert len(nothing) == 0
    assert set(all_of_them["outcome"]) == {"empty"}


def test_answers_come_back_with_who_and_when_and_corrections_only_once(tmp_path):
    grid = utm_grid(64, 64)
    (task,) = tasks_of(grid)
    mask = scar(64)
    first = answer(task, grid, mask, by="rule:burned@1")
    corrected = answer(task, grid, ~mask & (scar(64, seed=3)), by="rule:burned@1", supersedes=first.uuid)
    none = answer(task, grid, np.zeros((64, 64), bool), by="sim:careless-1")
    folder = export_tiles(
        tmp_path / "t", view_id="v", grid=grid, tiles=grid.tiles(64), answers=[first, corrected, none]
    )
    labels, tiles = read_tiles(folder / "answers.geojson")
    assert set(labels["annotator"]) == {"rule:burned@1"}
    assert set(labels["labeled_at"]) == {pd.Timestamp(first.at)}
    back = shapely.union_all(labels.to_crs(grid.crs.to_wkt()).geometry.array)
    assert back.symmetric_difference(shapely.union_all(corrected.shapes.geometry.array)).area < 100
    assert tiles[["annotator", "outcome"]].value_counts().to_dict() == {
        ("rule:burned@1", "labeled"): 2,
        ("sim:careless-1", "empty"): 1,
    }
    assert len(empty(IGNORE)) == 0


def test_a_folder_that_is_not_whole_is_told(tmp_path):
    folder = export(GIVEN, tmp_path / "t", format="geojson", tiles=TILES)
    (folder / "0_0.geojson").unlink()
    with pytest.raises(SourceError, match=r"0_0\.geojson is not there"):
        read(folder)
    with pytest.raises(InputError, match=r"has no index\.geojson"):
        read(tmp_path, "geojson")


# ---------------------------------------------------------------------- masks
def test_masks_show_the_uppermost_class(tmp_path):
    folder = export(GIVEN, tmp_path / "m", format="masks", tiles=TILES)
    assert by_path(folder).name == "masks"
    pairs = [(shape, WILDFIRE[name].code) for shape, name in zip(GIVEN.geometry, GIVEN["class"], strict=True)]
    truth = rasterize(pairs, out_shape=UTM.shape, transform=UTM.transform)  # they do not overlap
    for tile in TILES:
        with rasterio.open(folder / "masks" / f"{tile.key}.tif") as file:
            assert np.array_equal(file.read(1), truth[tile.slices])
            assert file.nodata == 255
            assert file.tags()[f"CLASS_{WILDFIRE['burned'].code}"] == "burned"
            red, green, blue = bytes.fromhex(WILDFIRE["forest"].colour[1:])
            assert file.colormap(1)[WILDFIRE["forest"].code] == (red, green, blue, 255)
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_gdal_knows_the_names_of_a_masks_values(tmp_path):
    folder = export(GIVEN, tmp_path / "m", format="masks", tiles=TILES)
    from defusedxml.ElementTree import parse

    names = [one.text for one in parse(folder / "masks" / "0_0.tif.aux.xml").iter("Category")]
    assert all(names[one.code] == one.title for one in WILDFIRE)
    assert not names[0]


def test_labels_under_others_are_left_out_with_a_warning(tmp_path):
    hidden = GIVEN.iloc[[3]].assign(label_id="below", **{"class": "forest"})
    speck = GIVEN.iloc[[3]].assign(label_id="speck", geometry=shapely.box(500_001, 4_199_001, 500_002, 4_199_002))
    with pytest.warns(GeolabelWarning, match="2 labels left out.*below, speck"):
        folder = export(pd.concat([hidden, GIVEN, speck]), tmp_path / "m", format="masks", tiles=TILES)
    assert sorted(read(folder)["label_id"]) == sorted(GIVEN["label_id"])


def test_a_foreign_mask_gives_a_label_a_patch(tmp_path):
    path = tmp_path / "cover.tif"
    codes = np.zeros((8, 9), np.uint8)
    codes[1:4, 1:4], codes[4, 4], codes[6:, 6:], codes[0, 8] = 7, 7, 9, 255
    place = {"crs": "EPSG:32610", "transform": UTM.transform, "nodata": 255}
    with rasterio.open(path, "w", driver="GTiff", height=8, width=9, count=1, dtype="uint8", **place) as file:
        file.write(codes, 1)
    background = {0: None, 7: "water", 9: "forest"}
    back = read(path, classes=background)
    assert back["class"].value_counts().to_dict() == {"water": 2, "forest": 1}  # corners that touch are two
    assert sorted(back.area / 900) == [1, 6, 9]
    with pytest.raises(OntologyError):
        read(path, classes={0: None, 7: "lake", 9: "forest"})


def test_masks_need_tiles():
    with pytest.raises(InputError, match="pixels of tiles"):
        export(GIVEN, "nowhere", format="masks")


def test_numbers_lie_where_the_labels_do(tmp_path):
    folder = export(GIVEN, tmp_path / "m", format="masks", tiles=TILES)
    back = read(folder).set_index("label_id")
    assert isinstance(back, gpd.GeoDataFrame)
    for key, shape in GIVEN.set_index("label_id").geometry.items():
        own = rasterize([shape], out_shape=UTM.shape, transform=UTM.transform)
        again = rasterize([back.geometry[key]], out_shape=UTM.shape, transform=UTM.transform)
        assert np.array_equal(own, again)
