"""GeoPackages as QGIS finds them, styles by structure (no QGIS is here), and edits that come back under their ids."""

import sqlite3
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from benchmarks.roundtrip import TILES, sample

from geolabel.dataset.export import export
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import read
from geolabel.errors import InputError
from geolabel.ontology import WILDFIRE

GIVEN = sample()


@pytest.fixture
def package(tmp_path):
    return export(GIVEN, tmp_path / "labels.gpkg", format="gpkg", tiles=TILES, outcomes={"0_32": "unsure"})


def rows(path, query):
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


# ---------------------------------------------------------------------- what QGIS finds
def test_a_geopackage_has_labels_tiles_and_their_styles(package):
    layers = dict(pyogrio.list_layers(package).tolist())
    assert layers == {"labels": "MultiPolygon", "tiles": "MultiPolygon", "layer_styles": None}
    kinds = {row["table_name"]: row["data_type"] for row in rows(package, "SELECT * FROM gpkg_contents")}
    assert kinds == {"labels": "features", "tiles": "features", "layer_styles": "attributes"}
    names = {row["column_name"] for row in rows(package, "SELECT * FROM gpkg_geometry_columns")}
    assert names == {"geom"}
    assert rows(package, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_styles_are_in_the_table_that_qgis_reads(package):
    styles = rows(package, "SELECT * FROM layer_styles")
    columns = (  # QGIS 3, QgsOgrProviderMetadata: names it asks for
        "id f_table_catalog f_table_schema f_table_name f_geometry_column styleName styleQML styleSLD useAsDefault "
        "description owner ui update_time"
    )
    assert list(styles[0]) == columns.split()
    assert {(s["f_table_name"], s["f_geometry_column"], s["useAsDefault"]) for s in styles} == {
        ("labels", "geom", 1),
        ("tiles", "geom", 1),
    }
    assert {(s["f_table_catalog"], s["f_table_schema"]) for s in styles} == {("", "")}
    own = next(s for s in styles if s["f_table_name"] == "labels")
    assert own["styleQML"] == package.with_suffix(".qml").read_text(encoding="utf-8")


def renderer(package):
    text = package.with_suffix(".qml").read_text(encoding="utf-8")
    head, _, body = text.partition("\n")
    assert head.startswith("<!DOCTYPE qgis")
    return ET.fromstring(body).find("renderer-v2")


def test_every_class_has_its_colour_and_severity_a_pattern(package):
    made = renderer(package)
    assert made.get("type") == "categorizedSymbol"
    symbols = {one.get("name"): one for one in made.iter("symbol")}
    shown = {}
    for category in made.iter("category"):
        options = {o.get("name"): o.get("value") for o in symbols[category.get("symbol")].iter("Option")}
        shown[category.get("value")] = (category.get("label"), options["outline_color"], options["style"])
    assert set(symbols) == {str(n) for n in range(len(shown))}
    for one in WILDFIRE:
        red, green, blue = bytes.fromhex(one.colour[1:])
        assert shown[one.name] == (one.title, f"{red},{green},{blue},255", "solid")
    burned = WILDFIRE["burned"].title
    assert shown["burned / high"][0] == f"{burned}, high"
    assert shown["burned / high"][2] != shown["burned"][2]


def test_the_pattern_is_asked_of_fields_that_are_there(package):
    expression = renderer(package).get("attr")
    there = set(pyogrio.read_info(package, layer="labels")["fields"])
    quoted = {part for n, part in enumerate(expression.split('"')) if n % 2}
    assert quoted <= there
    found = rows(package, f"SELECT {expression} AS shown FROM labels ORDER BY label_id")  # QGIS's CASE is SQL's
    assert "burned / high" in {row["shown"] for row in found}


def test_tiles_say_what_came_of_them(package):
    tiles = pyogrio.read_dataframe(package, layer="tiles")
    assert len(tiles) == len(TILES)
    by_key = {f"{row.row}_{row.col}": row.outcome for row in tiles.itertuples()}
    assert by_key.pop("0_32") == "unsure"
    assert set(by_key.values()) == {"labeled"}


def test_severities_differ_without_colour(tmp_path):
    many = pd.concat([GIVEN.iloc[[0]].assign(label_id=s, severity=s) for s in ("unburned", "low", "moderate", "high")])
    made = renderer(export(many, tmp_path / "x.gpkg", format="gpkg"))
    symbols = {one.get("name"): one for one in made.iter("symbol")}
    values = {c.get("value"): symbols[c.get("symbol")] for c in made.iter("category") if " / " in c.get("value")}
    brushes = {o.get("value") for one in values.values() for o in one.iter("Option") if o.get("name") == "style"}
    assert len(brushes) == len(values) == 4


# ---------------------------------------------------------------------- edits
def edited(package, change):
    """Read as a GIS does, change, write the layer back; then what we make of it."""
    frame = pyogrio.read_dataframe(package, layer="labels")
    frame = change(frame)
    pyogrio.write_dataframe(frame, package, layer="labels", driver="GPKG")
    return edits(GIVEN, read(package)).set_index("label_id")


def test_nothing_edited_is_nothing_changed(package):
    assert set(edited(package, lambda frame: frame)["change"]) == {"unchanged"}
    assert set(edited(package, lambda frame: frame.iloc[::-1])["change"]) == {"unchanged"}


def test_a_moved_corner_a_renamed_class_and_a_removed_label(package):
    def change(frame):
        frame = frame.set_index("label_id", drop=False)
        frame.loc["scar/1", "geometry"] = frame.geometry["scar/1"].buffer(5)
        frame.loc["4", ["class", "confidence"]] = ["settlement", 0.5]
        return frame.drop(index="s:3").reset_index(drop=True)

    told = edited(package, change)
    assert told["change"].to_dict() == {
        "scar/1": "changed",
        "4": "changed",
        "s:3": "removed",
        "Hügel № 2": "unchanged",
    }
    assert told.loc["scar/1", "what"] == "geometry"
    assert told.loc["4", "what"] == "class,confidence"
    assert told.loc["4", "class"] == "settlement"


def test_a_split_label_keeps_its_id_on_the_larger_part(package):
    whole = GIVEN.set_index("label_id").geometry["4"]
    west, south, east, north = whole.bounds
    cut = west + 0.3 * (east - west)
    small, large = shapely.box(west, south, cut, north), shapely.box(cut, south, east, north)

    def change(frame):
        own = frame[frame["label_id"] == "4"]
        parts = [own.assign(geometry=[part]) for part in (small, large)]
        return pd.concat([frame[frame["label_id"] != "4"], *parts], ignore_index=True)

    told = edited(package, change)
    assert told.loc["4", "change"] == "changed"
    assert told.geometry["4"].equals(large)
    assert (told.loc["4~2", "change"], told.loc["4~2", "was"]) == ("added", "4")
    assert told.geometry["4~2"].equals(small)
    again = edited(package, lambda frame: frame.iloc[::-1])
    assert again["change"].to_dict() == told["change"].to_dict()


def test_a_new_shape_gets_the_same_new_id_each_time():
    drawn = GIVEN.iloc[[3]].assign(label_id=[None], geometry=[shapely.box(5e5, 4.2e6, 500_100, 4_200_050)])
    after = pd.concat([GIVEN, drawn, drawn.assign(geometry=[shapely.box(6e5, 4.2e6, 600_100, 4_200_050)])])
    told = edits(GIVEN, after)
    new = told[told["change"] == "added"]["label_id"].tolist()
    assert len(new) == 2
    assert all(one.startswith("new/") for one in new)
    assert new == edits(GIVEN, after.iloc[::-1])[lambda t: t["change"] == "added"]["label_id"].tolist()


def test_rounding_is_no_edit_and_two_metres_are(tmp_path):
    path = export(GIVEN, tmp_path / "x.geojson", format="geojson")
    assert set(edits(GIVEN, read(path))["change"]) == {"unchanged"}
    moved = GIVEN.set_geometry(GIVEN.translate(2, 0))
    assert set(edits(GIVEN, moved)["what"]) == {"geometry"}
    wound = GIVEN.set_geometry(shapely.reverse(GIVEN.geometry.array))
    assert set(edits(GIVEN, wound)["change"]) == {"unchanged"}


def test_an_island_filled_is_an_edit():
    filled = GIVEN.copy()
    filled.loc[0, "geometry"] = shapely.Polygon(GIVEN.geometry[0].exterior)
    told = edits(GIVEN, filled).set_index("label_id")
    assert told.loc[GIVEN["label_id"][0], "what"] == "geometry"


def test_everything_removed_and_everything_new():
    nothing = GIVEN.iloc[:0]
    assert set(edits(GIVEN, nothing)["change"]) == {"removed"}
    assert set(edits(nothing, GIVEN)["change"]) == {"added"}
    assert len(edits(nothing, nothing)) == 0
    assert isinstance(edits(nothing, nothing), gpd.GeoDataFrame)


def test_ids_twice_before_an_edit_are_refused():
    with pytest.raises(InputError, match="twice"):
        edits(pd.concat([GIVEN, GIVEN]), GIVEN)
