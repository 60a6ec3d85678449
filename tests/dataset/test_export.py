import json

import geopandas as gpd
import pytest
import shapely

from geolabel.dataset.export import export
from geolabel.errors import InputError
from geolabel.grid import Tiling
from labels import scar, shapes_of, utm_grid

GRID = utm_grid(128, 128)
SCAR = shapes_of(scar(), GRID)
LAYER = {"gpkg": "labels", "geojson": None}


@pytest.mark.parametrize(
    ("kind", "name"), [("gpkg", "labels.gpkg"), ("geoparquet", "labels.parquet"), ("geojson", "labels.geojson")]
)
def test_every_format_comes_back(tmp_path, kind, name):
    path = export(SCAR, tmp_path, format=kind)
    assert path == tmp_path / name
    back = gpd.read_parquet(path) if kind == "geoparquet" else gpd.read_file(path, layer=LAYER[kind])
    back = back.set_index("label_id").to_crs(SCAR.crs)
    assert sorted(back.index) == sorted(SCAR["label_id"])
    for label, geometry in SCAR.set_index("label_id").geometry.items():
        assert back.geometry[label].symmetric_difference(geometry).area < 1e-4 * geometry.area
    assert set(back["class"]) == {"burned"}


def test_one_geojson_is_rfc_7946(tmp_path):
    document = json.loads(export(SCAR, tmp_path / "scar.geojson", format="geojson").read_text())
    assert "crs" not in document
    assert [one["id"] for one in document["features"]] == sorted(SCAR["label_id"])
    assert all(one["properties"]["area_m2"] > 0 for one in document["features"])
    assert all(
        abs(x) <= 180
        for one in document["features"]
        for x, _ in shapely.get_coordinates(shapely.geometry.shape(one["geometry"]))
    )


def test_tiles_make_a_folder(tmp_path):
    folder = export(SCAR, tmp_path / "tiles", format="geojson", tiles=Tiling(GRID, GRID.tiles(64)))
    assert len(list(folder.glob("*_*.geojson"))) == 4
    assert (folder / "index.geojson").is_file()


def test_writing_twice_replaces(tmp_path):
    for kind in ("gpkg", "geoparquet", "geojson"):
        export(SCAR, tmp_path, format=kind)
        assert export(SCAR.iloc[:1], tmp_path, format=kind).is_file()
    assert len(gpd.read_file(tmp_path / "labels.gpkg", layer="labels")) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "labels.geojson",
        "labels.gpkg",
        "labels.parquet",
        "labels.qml",
    ]


def test_bad_input_is_told(tmp_path):
    with pytest.raises(InputError, match="'geojsn'") as raised:
        export(SCAR, tmp_path, format="geojsn")
    assert "geojson" in raised.value.hint
    with pytest.raises(InputError, match="Shapefile is read, not written") as raised:
        export(SCAR, tmp_path, format="shapefile")
    assert "gpkg" in raised.value.hint
