"""Real files of agencies and of other programs: taken as they are, or refused with the reason."""

import json

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
import shapely

from geolabel.dataset.export import export
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import read
from geolabel.errors import CRSError, GeolabelWarning
from geolabel.shapes import area_m2
from support import data_folder

pytestmark = pytest.mark.real


def interiors(shape):
    return int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum())


# ---------------------------------------------------------------------- wrong CRS
def test_metres_that_a_file_calls_degrees_are_refused_with_the_reason():
    folder = data_folder("objects-atlanta-buildings")
    path = folder / "geotiff_custom_proj_labels.geojson"
    assert gpd.read_file(path).crs == "EPSG:4326"  # what it says, and what other readers believe
    with pytest.raises(CRSError) as raised:
        read(path, values={"class": "building"})
    for word in ("EPSG:4326", "degrees", "-663347.2812", "2129938.417", "metres"):
        assert word in raised.value.message
    assert "crs=" in raised.value.hint
    assert "raster" in raised.value.hint


def test_told_the_crs_of_the_raster_beside_it_the_file_is_taken():
    folder = data_folder("objects-atlanta-buildings")
    with rasterio.open(folder / "sample_geotiff_custom_proj.tif") as file:
        crs, bounds = file.crs.to_wkt(), file.bounds
    with pytest.warns(GeolabelWarning, match="as told"):
        found = read(folder / "geotiff_custom_proj_labels.geojson", values={"class": "building"}, crs=crs)
    assert len(found) == 19
    assert found.intersects(shapely.box(*bounds)).all()  # circles around what is on it


def test_its_pair_states_its_crs_in_the_old_way_and_lies_on_its_raster():
    folder = data_folder("objects-atlanta-buildings")
    found = read(folder / "geotiff_labels.geojson", values={"class": "building"})
    with rasterio.open(folder / "sample_geotiff.tif") as file:
        assert found.crs == file.crs.to_wkt()
        assert found.total_bounds.tolist() == list(file.bounds)
    assert len(found) == 43
    assert {json.loads(text)["building"] for text in found["attributes"]} == {"yes"}


# ---------------------------------------------------------------------- agencies
def test_a_scar_in_a_shapefile():
    path = data_folder("fire-houffalize") / "observed_scar" / "observed_scar.shp"
    found = read(path, fields={"label_id": "name"}, values={"class": "burned"}, at="2025-04-12")
    (one,) = found.to_dict("records")
    assert one["label_id"] == "HOULAIZA 12042025M"
    assert one["start"] == pd.Timestamp("2025-04-12T00:00Z")
    assert json.loads(one["attributes"])["Surface_m2"] == 52021
    assert area_m2(found)[0] == pytest.approx(52_021, rel=0.01)  # the agency's own figure
    assert found.is_valid.all()


@pytest.mark.parametrize("name", ["geojson", "gpkg", "geoparquet", "flatgeobuf"])
def test_a_perimeter_keeps_its_islands_through_every_format(tmp_path, name):
    path = data_folder("burn-llutxent") / "perimeter.geojson"
    found = read(path, fields={"class": "GRIDCODE", "label_id": "ID"}, classes={2: "burned"})
    raw = gpd.read_file(path).geometry[0]
    assert (len(raw.interiors), raw.is_valid) == (88, False)  # islands that touch themselves
    assert found.geometry[0].area == pytest.approx(raw.area, rel=1e-12)
    assert interiors(found.geometry[0]) >= 88
    back = read(export(found, tmp_path, format=name))
    assert interiors(back.geometry[0]) == interiors(found.geometry[0])
    assert set(edits(found, back)["change"]) == {"unchanged"}


def test_dated_perimeters_keep_their_dates(tmp_path):
    path = data_folder("fire-nifc-progression") / "progression_dev.parquet"
    mapped = {"end": "polygon_dt", "labeled_at": "first_seen"}
    found = read(path, fields=mapped, values={"class": "burned"})
    raw = gpd.read_parquet(path)
    assert len(found) == len(raw) == 755
    assert found["labeled_at"].tolist() == raw["first_seen"].tolist()
    assert found["end"].isna().mean() == pytest.approx(raw["polygon_dt"].isna().mean())
    assert found.crs == "EPSG:5070"
    again = read(path, fields=mapped, values={"class": "burned"})
    assert again["label_id"].tolist() == found["label_id"].tolist()
    assert found["label_id"].is_unique
    out = export(found, tmp_path / "all.parquet", format="geoparquet")
    assert set(edits(found, read(out))["change"]) == {"unchanged"}


def test_training_polygons_with_their_classes_mapped():
    path = data_folder("terrain-amazon-s2") / "training_polygons.geojson"
    raw = gpd.read_file(path)
    found = read(path, classes={"dryout": "bare", "village": "built_up"})
    assert len(found) == len(raw) == 25
    assert (
        found["class"].value_counts().to_dict()
        == raw["class"].replace({"dryout": "bare", "village": "built_up"}).value_counts().to_dict()
    )
