"""Labels that name tiles come back into the project that they are of; those of another project are refused."""

import json

import geopandas as gpd
import pytest
import shapely

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import InputError


@pytest.fixture(scope="module")
def projects(tmp_path_factory, window):
    """Two projects on the same scenes; the first has answers and exported them as tiles."""
    made, folder = [], tmp_path_factory.mktemp("foreign")
    for name in ("Ours", "Theirs"):
        config = Config.read({"tasks": {"tile": 32}, "title": name}, where="test")
        one = gl.Project.create(folder / name, config=config)
        one.add(before=window.scene("before"), after=window.scene("after"))
        made.append(one)
    made[0].rule("burned")
    made[0].export("geojson", folder / "tiles")
    yield *made, folder / "tiles"
    for one in made:
        one.close()


def test_tiles_of_another_project_are_refused(projects, tmp_path):
    ours, theirs, path = projects
    first = json.loads((path / "index.geojson").read_text())["features"][0]["properties"]
    for given in (path, path / first["href"], gl.read_labels(path)):
        with pytest.raises(InputError, match=r"labels are of tile 'ours/.*not of this project \(its tiles are theirs/"):
            theirs.import_labels(given, annotator="person:ann")
    assert theirs.answers() == ()
    theirs.rule("burned")
    heard = theirs.answers()
    theirs.export("gpkg", tmp_path / "theirs.gpkg")
    with pytest.raises(InputError, match="labels are of tile 'ours/"):
        theirs.import_edits(path, annotator="person:ann")
    assert theirs.answers() == heard
    found = ours.import_labels(path, annotator="person:ann")
    assert found.answers
    assert theirs.check() == ours.check() == []


def test_a_tile_on_which_nobody_found_anything_is_refused_too(projects):
    """Else `complete` would make it an empty answer to tasks of this project."""
    _, theirs, path = projects
    index = json.loads((path / "index.geojson").read_text())["features"]
    bare = next(one["properties"] for one in index if one["properties"]["outcome"] == "empty")
    labels = gl.read_labels(path / bare["href"])
    assert not len(labels)
    with pytest.raises(InputError, match=bare["tile_id"]):
        theirs.import_labels(labels, annotator="person:ann", complete=True)


@pytest.mark.parametrize("column", ["tile_id", "task", "task_id", "view_id"])
def test_tables_and_files_that_name_other_tiles_are_refused(projects, tmp_path, column):
    ours, theirs, tiles = projects
    labels = gl.read_labels(tiles).assign(annotator="person:ann")
    labels.attrs.clear()
    task = ours.tasks("burn")[0]
    value = {"tile_id": task.tile_id, "view_id": task.view_id}.get(column, task.id)
    path = tmp_path / "labels.gpkg"
    gpd.GeoDataFrame(labels[["label_id", "class", "annotator", "geometry"]]).assign(**{column: value}).to_file(path)
    for given in (path, labels.assign(**{column: value})):
        with pytest.raises(InputError, match=f"'{value}', which is not of this project"):
            theirs.import_labels(given)
        ours.import_labels(given)


def test_what_others_call_a_tile_is_none_of_ours(projects, tmp_path):
    """An agency's file with a field `tile_id`, and tiles that a plain function wrote, are of no project."""
    _, theirs, tiles = projects
    found = gl.read_labels(tiles).iloc[:1]
    scar = found.set_geometry(
        found.geometry.representative_point().map(lambda point: shapely.box(*point.buffer(1e-3).bounds))
    )
    plain = gl.export(scar, tmp_path / "plain", format="geojson", tiles=gl.tiles(theirs.view, size=64))
    assert theirs.import_labels(plain, annotator="person:ann").answers
    agency = scar.assign(tile_id="T10SEG", annotator="person:bo")
    agency.attrs.clear()
    assert theirs.import_labels(agency).answers
    assert {one.annotator for one in theirs.answers()} >= {"person:ann", "person:bo"}
