"""Vector formats: what comes back, what anyone's files look like, what is refused; other readers as oracles."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from benchmarks.roundtrip import sample

from geolabel.dataset.export import export
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import by_path, read
from geolabel.errors import (
    CRSError,
    GeolabelWarning,
    InputError,
    OntologyError,
    SourceError,
    TableError,
)
from geolabel.shapes import area_m2
from geolabel.tables import LABELS, SHAPES

GIVEN = sample()
NAMES = {"geojson": "x.geojson", "gpkg": "x.gpkg", "geoparquet": "x.parquet", "flatgeobuf": "x.fgb"}
LAYER = {"gpkg": "labels"}


def written(tmp_path, name, frame=GIVEN, **more):
    return export(frame, tmp_path / NAMES[name], format=name, **more)


@pytest.mark.parametrize("name", NAMES)
def test_everything_a_label_says_comes_back(tmp_path, name):
    path = written(tmp_path, name)
    assert by_path(path).name == name
    back = read(path)
    assert list(back.columns) == list(LABELS)
    told = edits(GIVEN, back)
    assert set(told["change"]) == {"unchanged"}
    assert len(told) == len(GIVEN)


@pytest.mark.parametrize("name", ["gpkg", "geoparquet", "flatgeobuf"])
def test_formats_with_a_crs_keep_every_bit_of_a_corner(tmp_path, name):
    back = read(written(tmp_path, name)).set_index("label_id").geometry
    assert back.crs == GIVEN.crs
    for key, shape in GIVEN.set_index("label_id").geometry.items():
        assert set(map(tuple, shapely.get_coordinates(back[key]))) == set(map(tuple, shapely.get_coordinates(shape)))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_labels_in_any_order_give_the_same_bytes(tmp_path, name):
    first = written(tmp_path, name).read_bytes()
    shuffled = GIVEN.sample(frac=1, random_state=3)
    (tmp_path / NAMES[name]).unlink()
    assert written(tmp_path, name, shuffled).read_bytes() == first


@pytest.mark.parametrize("name", NAMES)
def test_other_readers_see_the_same_labels(tmp_path, name):
    path = written(tmp_path, name)
    seen = gpd.read_parquet(path) if name == "geoparquet" else pyogrio.read_dataframe(path, layer=LAYER.get(name))
    seen = seen.set_index("label_id").to_crs(GIVEN.crs)
    assert sorted(seen.index) == sorted(GIVEN["label_id"])
    for key, row in GIVEN.set_index("label_id").iterrows():
        assert seen.loc[key, "class"] == row["class"]
        assert seen.geometry[key].symmetric_difference(row["geometry"]).area < 1e-4 * row["geometry"].area
        assert seen.loc[key, "confidence"] == row["confidence"] or np.isnan(row["confidence"])


@pytest.mark.parametrize("name", NAMES)
def test_no_label_is_a_file_too(tmp_path, name):
    path = written(tmp_path, name, GIVEN.iloc[:0])
    back = read(path)
    assert len(back) == 0
    assert list(back.columns) == list(LABELS)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_of_a_plain_function_lack_nothing(tmp_path, name):
    shapes = GIVEN[list(SHAPES)].assign(area_m2=area_m2(GIVEN), notes="simulated")
    back = read(written(tmp_path, name, shapes))
    assert back["annotator"].isna().all()
    assert back["labeled_at"].isna().all()
    assert {json.loads(text)["notes"] for text in back["attributes"]} == {"simulated"}
    assert not any("area_m2" in text for text in back["attributes"])  # the shape says it


@pytest.mark.parametrize("name", ["gpkg", "geoparquet", "flatgeobuf"])
def test_a_crs_without_a_code_is_carried(tmp_path, name):
    own = pyproj.CRS.from_proj4("+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +datum=WGS84 +units=m")
    back = read(written(tmp_path, name, GIVEN.to_crs(own)))
    assert back.crs.equals(own, ignore_axis_order=True)


# ---------------------------------------------------------------------- DOMAIN, section 4
def utm(box, zone):
    row = {**dict.fromkeys(SHAPES), "label_id": "a", "class": "burned", "geometry": shapely.box(*box)}
    kinds = {"confidence": float, "masked_share": float}
    return gpd.GeoDataFrame(pd.DataFrame([row]), crs=f"EPSG:{zone}").astype(kinds)


def test_a_utm_box_in_degrees(tmp_path):
    path = export(utm((500_000, 4_200_000, 500_100, 4_200_100), 32610), tmp_path / "a.geojson", format="geojson")
    document = json.loads(path.read_text())
    west, south, east, north = document["bbox"]
    assert (west, east) == (-123.0, -122.9988618)
    assert (south, north) == (37.9475896, 37.9484909)
    (one,) = document["features"]
    assert one["properties"]["area_m2"] == pytest.approx(10_008.0, abs=0.05)
    ring = shapely.LinearRing(one["geometry"]["coordinates"][0])
    assert ring.is_ccw
    assert "crs" not in document


def test_a_box_over_the_antimeridian(tmp_path):
    given = utm((780_000, 8_100_000, 860_000, 8_180_000), 32760)
    document = json.loads(export(given, tmp_path / "a.geojson", format="geojson").read_text())
    west, _, east, _ = document["bbox"]
    assert west > east
    shape = shapely.geometry.shape(document["features"][0]["geometry"])
    assert shape.geom_type == "MultiPolygon"
    assert np.abs(shapely.get_coordinates(shape)[:, 0]).max() <= 180
    back = read(tmp_path / "a.geojson")
    assert area_m2(back)[0] == pytest.approx(area_m2(given)[0], rel=1e-4)


# ---------------------------------------------------------------------- GeoParquet 1.1
def test_geoparquet_metadata_are_as_the_specification_asks(tmp_path):
    import pyarrow.parquet as pq

    path = written(tmp_path, "geoparquet")
    file = pq.ParquetFile(path)
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert column["encoding"] == "WKB"
    assert column["edges"] == "planar"
    assert set(column["geometry_types"]) == set(GIVEN.geom_type)
    assert pyproj.CRS.from_json_dict(column["crs"]) == GIVEN.crs
    assert column["bbox"] == list(GIVEN.total_bounds)
    rows = file.read().to_pydict()
    boxes = [list(box.values()) for box in rows["bbox"]]
    shapes = shapely.from_wkb(rows["geometry"])
    assert boxes == shapely.bounds(shapes).tolist()
    rings = [ring for one in shapely.get_parts(shapes) for ring in [one.exterior]]
    assert all(ring.is_ccw for ring in rings)  # what `orientation` promises
    assert str(file.schema_arrow.field("labeled_at").type) == "timestamp[us, tz=UTC]"


def test_a_box_reads_only_what_lies_in_it(tmp_path):
    path = written(tmp_path, "geoparquet")
    west, south, east, north = GIVEN.geometry.iloc[0].bounds
    near = gpd.read_parquet(path, bbox=(west, south, east, north))
    assert "scar/1" in set(near["label_id"])
    assert len(near) < len(GIVEN)


def test_geoparquet_without_crs_is_longitude_and_latitude(tmp_path):
    import pyarrow.parquet as pq

    path = written(tmp_path, "geoparquet", GIVEN.to_crs("EPSG:4326"))
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    del geo["columns"]["geometry"]["crs"]  # GeoParquet 1.1: OGC:CRS84 then
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert set(edits(GIVEN, read(path))["change"]) == {"unchanged"}


# ---------------------------------------------------------------------- anyone's files
AGENCY = gpd.GeoDataFrame(
    {
        "FIRE_ID": [101, 102, 103],
        "TYP": ["Wald", "Wald", "Übung"],
        "WER": ["Jörg", "Jörg", "Ann"],
        "DATUM": pd.to_datetime(["2017-07-23", "2017-07-24", "2018-01-01"]),
        "HA": [3.5, 4.0, 1.0],
    },
    geometry=[
        shapely.box(0, 0, 50, 50).difference(shapely.box(10, 10, 20, 20)),
        shapely.MultiPolygon([shapely.box(60, 0, 70, 10), shapely.box(80, 0, 90, 10)]),
        shapely.box(100, 0, 120, 20),
    ],
    crs="EPSG:25832",
)
AGENCY = AGENCY.set_geometry(AGENCY.translate(500_000, 5_500_000))
MAPPED = {
    "fields": {"label_id": "FIRE_ID", "class": "TYP", "start": "DATUM", "end": "DATUM", "annotator": "WER"},
    "classes": {"Wald": "burned", "Übung": None},
}
MAPPED["fields"].pop("end")


def shapefile(tmp_path, frame=AGENCY, encoding="UTF-8", **more):
    """With a field of dates, which only the raw writer makes."""
    path = tmp_path / "Brände.shp"
    values = [np.asarray(frame[name]) for name in AGENCY.columns[:-1]]
    values[3] = values[3].astype("datetime64[D]")
    shapes = np.asarray(frame.geometry.to_wkb())
    names = list(AGENCY.columns[:-1])
    about = {"crs": frame.crs.to_wkt(), "geometry_type": "MultiPolygon", "promote_to_multi": True}
    pyogrio.raw.write(path, shapes, values, names, driver="ESRI Shapefile", encoding=encoding, **about, **more)
    return path


def test_an_agencys_shapefile_with_its_fields_mapped(tmp_path):
    back = read(shapefile(tmp_path), **MAPPED)
    assert back["label_id"].tolist() == ["101", "102"]  # a class that maps to nothing stays out
    assert set(back["class"]) == {"burned"}
    assert back["start"].tolist() == [pd.Timestamp("2017-07-23", tz="UTC"), pd.Timestamp("2017-07-24", tz="UTC")]
    assert back["annotator"].tolist() == ["Jörg", "Jörg"]
    assert [json.loads(text)["HA"] for text in back["attributes"]] == [3.5, 4.0]
    assert back.crs == AGENCY.crs
    assert [len(one.interiors) for one in shapely.get_parts(back.geometry.iloc[0])] == [1]
    assert back.geometry.iloc[1].geom_type == "MultiPolygon"  # one label, two parts
    assert back.area.tolist() == AGENCY.area.tolist()[:2]


def test_a_bare_date_is_a_whole_day_of_the_files_zone(tmp_path):
    days = {**MAPPED, "fields": {**MAPPED["fields"], "end": MAPPED["fields"]["start"]}}
    del days["fields"]["start"]
    back = read(shapefile(tmp_path), **days, tz="Europe/Berlin")
    assert back["end"].iloc[0] == pd.Timestamp("2017-07-23 23:59:59", tz="Europe/Berlin")
    assert read(shapefile(tmp_path), **days)["end"].iloc[0] == pd.Timestamp("2017-07-23 23:59:59", tz="UTC")


def test_times_in_a_shapefile_are_texts_as_gdal_writes_them(tmp_path):
    path = tmp_path / "times.shp"
    rows = {"NR": ["a"], "AT": ["2003/06/02 10:11:12"], "DAY": ["2003/06/02 00:00:00"]}
    gpd.GeoDataFrame(rows, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326").to_file(path)
    told = {"fields": {"label_id": "NR", "labeled_at": "AT", "end": "DAY"}, "values": {"class": "burned"}}
    (row,) = read(path, **told, tz="Etc/GMT+3").to_dict("records")
    assert row["labeled_at"] == pd.Timestamp("2003-06-02T13:11:12Z")
    assert row["end"] == pd.Timestamp("2003-06-03T02:59:59Z")


def test_naive_times_need_a_zone(tmp_path):
    late = AGENCY.assign(DATUM=pd.to_datetime("2017-07-23 22:30"))
    path = tmp_path / "naive.gpkg"
    pyogrio.write_dataframe(late, path)
    with pytest.raises(TableError, match="no time zone") as raised:
        read(path, **MAPPED)
    assert "tz=" in raised.value.hint
    assert read(path, **MAPPED, tz="Europe/Berlin")["start"].iloc[0] == pd.Timestamp("2017-07-23T20:30Z")


def test_text_in_an_old_encoding(tmp_path):
    path = shapefile(tmp_path, encoding="CP1252")
    path.with_suffix(".cpg").unlink()
    back = read(path, **MAPPED, encoding="CP1252")
    assert set(back["annotator"]) == {"Jörg"}
    (path.with_suffix(".cpg")).write_text("UTF-8")
    with pytest.raises(InputError, match="utf-8") as raised:
        read(path, **MAPPED)
    assert "encoding=" in raised.value.hint


def test_without_a_crs_it_must_be_told(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(CRSError, match="names no CRS"):
        read(path, **MAPPED)
    assert read(path, **MAPPED, crs="EPSG:25832").crs == AGENCY.crs


def test_labels_without_an_id_get_one_of_their_content(tmp_path):
    nameless = {**MAPPED, "fields": {k: v for k, v in MAPPED["fields"].items() if k != "label_id"}}
    first = read(shapefile(tmp_path), **nameless)
    again = read(shapefile(tmp_path, AGENCY.iloc[::-1]), **nameless)
    assert first["label_id"].is_unique
    assert set(first["label_id"]) == set(again["label_id"])
    assert first["label_id"].str.startswith("Brände/").all()


def test_a_field_that_is_not_there_is_named(tmp_path):
    path = shapefile(tmp_path)
    with pytest.raises(TableError, match="'FIREID'") as raised:
        read(path, fields={"label_id": "FIREID", "class": "TYP"})
    assert "FIRE_ID" in raised.value.hint
    with pytest.raises(TableError, match="no column 'clas'") as raised:
        read(path, fields={"clas": "TYP"})
    assert "class" in raised.value.hint
    with pytest.raises(OntologyError, match="Wald"):
        read(path, fields={"class": "TYP"})
    with pytest.raises(TableError, match="told 'fildes'"):
        read(path, fildes={})


def test_heights_go_with_a_warning(tmp_path):
    high = AGENCY.set_geometry(shapely.force_3d(AGENCY.geometry.array, 12.0))
    path = tmp_path / "high.gpkg"
    pyogrio.write_dataframe(high, path)
    with pytest.warns(GeolabelWarning, match="heights"):
        back = read(path, **MAPPED)
    assert not back.has_z.any()


def test_kml_is_read_through_gdal(tmp_path):
    path = tmp_path / "fires.kml"
    pyogrio.write_dataframe(AGENCY.to_crs("EPSG:4326")[["TYP", "geometry"]], path, driver="KML")
    back = read(path, values={"class": "burned"})
    assert by_path(path).name == "vector"
    assert back.to_crs(AGENCY.crs).area.tolist() == pytest.approx(AGENCY.area.tolist(), rel=1e-3)


def test_the_layer_must_be_said_where_there_are_several(tmp_path):
    path = tmp_path / "two.gpkg"
    for name in ("fires", "drills"):
        pyogrio.write_dataframe(AGENCY, path, layer=name)
    with pytest.raises(InputError, match="2 layers") as raised:
        read(path, **MAPPED)
    assert "drills" in raised.value.hint
    assert len(read(path, **MAPPED, layer="fires")) == 2


def test_lines_are_no_labels(tmp_path):
    path = tmp_path / "lines.gpkg"
    pyogrio.write_dataframe(AGENCY.set_geometry(AGENCY.boundary), path)
    with pytest.raises(InputError, match="LineString"):
        read(path, **MAPPED)


# ---------------------------------------------------------------------- GeoJSON of anyone
def geojson(path, features, **members):
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}), encoding="utf-8")
    return path


def square(x, y, size=0.01, **more):
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "geometry": shape, "properties": {"class": "burned"}, **more}


def test_ids_and_nested_properties_of_a_plain_geojson(tmp_path):
    one = square(7, 50, id=17)
    one["properties"] = {"class": "burned", "tags": ["a", {"b": 1}], "empty": None}
    back = read(geojson(tmp_path / "a.json", [one]))
    assert back["label_id"].tolist() == ["17"]
    assert json.loads(back["attributes"][0]) == {"tags": ["a", {"b": 1}]}
    assert back.crs == "EPSG:4326"


def test_metres_called_degrees_are_refused(tmp_path):
    path = geojson(tmp_path / "metres.geojson", [square(500_000, 4_200_000, 100)])
    with pytest.raises(CRSError, match=r"EPSG:4326.*500000 to 500100.*UTM") as raised:
        read(path)
    assert "crs=" in raised.value.hint
    with pytest.warns(GeolabelWarning, match="taken as EPSG:32610"):
        back = read(path, crs="EPSG:32610")
    assert back.area[0] == 10_000


def test_latitude_first_is_told(tmp_path):
    path = geojson(tmp_path / "swapped.geojson", [square(34.0, -118.0)])
    with pytest.raises(CRSError, match="latitude before longitude"):
        read(path)
    near = geojson(tmp_path / "nad.geojson", [square(50.0, -80.0)], crs=named("EPSG:4269"))
    with pytest.warns(GeolabelWarning, match="latitude may come first"):
        read(near)


def named(crs):
    return {"type": "name", "properties": {"name": crs}}


def test_the_old_crs_member_is_heeded(tmp_path):
    path = geojson(
        tmp_path / "old.geojson", [square(500_000, 4_200_000, 100)], crs=named("urn:ogc:def:crs:EPSG::32610")
    )
    assert read(path).crs == "EPSG:32610"
    with pytest.raises(CRSError, match="nobody knows"):
        read(geojson(tmp_path / "odd.geojson", [square(7, 50)], crs=named("mars")))


def test_degrees_called_metres_are_doubted(tmp_path):
    path = geojson(tmp_path / "deg.geojson", [square(7, 50)], crs=named("EPSG:32632"))
    with pytest.warns(GeolabelWarning, match="would do as degrees"):
        read(path)


def test_what_is_no_geojson_is_told(tmp_path):
    torn = tmp_path / "torn.geojson"
    torn.write_text('{"type": "FeatureColl')
    with pytest.raises(InputError, match="no JSON"):
        read(torn)
    other = tmp_path / "other.geojson"
    other.write_text('{"rows": []}')
    with pytest.raises(InputError, match="no GeoJSON"):
        read(other)
    with pytest.raises(SourceError, match="not there"):
        read(tmp_path / "nothing.geojson")
    with pytest.raises(InputError, match="does not say which format") as raised:
        read(tmp_path)
    assert "geoparquet" in raised.value.hint
    for name in ("x.gpkg", "x.parquet", "x.fgb"):
        (tmp_path / name).write_bytes(b"no such thing")
        with pytest.raises(SourceError, match=name):
            read(tmp_path / name)


def test_values_fill_what_no_field_says(tmp_path):
    path = geojson(tmp_path / "a.geojson", [square(7, 50, id="a"), square(8, 50, id="b")])
    back = read(path, annotator="person:ann", at=("2009-08-26", "2009-10-15"), labeled_at="2024-07-01T12:00Z")
    assert set(back["annotator"]) == {"person:ann"}
    assert set(back["start"]) == {pd.Timestamp("2009-08-26T00:00:00Z")}
    assert set(back["end"]) == {pd.Timestamp("2009-10-15T23:59:59Z")}
    assert set(back["labeled_at"]) == {pd.Timestamp("2024-07-01T12:00Z")}
