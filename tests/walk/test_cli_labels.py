"""Labels on the command line: in, out, edited and back, from one format to another, and the classes they are made under."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geolabel as gl
from geolabel.config import Config
from geolabel.ontology import WILDFIRE, Ontology, known
from rasters import write_raster

TASKS = {"tasks": {"tile": 32}, "title": "Labels"}


@pytest.fixture
def folder(tmp_path, window):
    with gl.Project.create(tmp_path / "project", config=Config.read(TASKS, where="test")) as made:
        made.add(before=window.scene("before"), after=window.scene("after"))
    return tmp_path / "project"


@pytest.fixture
def fires(tmp_path, window):
    """A shapefile of an agency, in its own words."""
    west, south, east, _ = window.scene("after").grid.bounds
    size = (east - west) / 4
    places = [shapely.box(west + size, south + n * size, west + 2 * size, south + (n + 0.8) * size) for n in (0, 2)]
    rows = {"NR": ["1", "2"], "ART": ["Brand", "Probe"]}
    path = tmp_path / "fires.shp"
    gpd.GeoDataFrame(rows, geometry=places, crs=window.scene("after").grid.crs.proj).to_file(path)
    return path


SAID = ["--field=class=ART", "--field=label_id=NR", "--class=Brand=burned", "--class=Probe="]


def test_labels_in_out_edited_and_back(geolabel, folder, fires, tmp_path):
    code, said, _ = geolabel("import", folder, fires, "--annotator=Anna Rossi", *SAID)
    assert (code, "0 corrections" in said) == (0, True)
    assert "0 answers, 0 corrections" in geolabel("import", folder, fires, "--annotator=Anna Rossi", *SAID)[1]
    path = tmp_path / "labels.gpkg"
    assert geolabel("export", folder, path, "--format=gpkg")[0] == 0
    assert "0 answers" in geolabel("edits", folder, path, "--annotator=Bo Li")[1]
    shown = gpd.read_file(path, layer="labels")
    shown["geometry"] = shown.buffer(-40)
    shown.to_file(path, layer="labels")
    edited = geolabel("edits", folder, path, "--annotator=Bo Li")[1]
    assert not edited.startswith("0 answers")
    assert geolabel("check", folder)[0] == 0
    with gl.Project.open(folder) as project:
        assert len({one.annotator for one in project.answers()}) == 2
        assert not any("Anna" in one.annotator for one in project.answers())


def test_what_was_not_said_is_asked_for(refused, folder, fires):
    assert "ART" in refused("import", folder, fires, "--annotator=person:a")
    assert "Brand" in refused("import", folder, fires, "--annotator=person:a", "--field=class=ART")
    assert "whose" in refused("import", folder, fires, *SAID)
    assert "no '='" in refused("import", folder, fires, "--field=class")
    assert "is not there" in refused("import", folder, fires.with_name("none.shp"), "--annotator=person:a")
    assert "unknown format 'shape'" in refused("import", folder, fires, "--from=shape", "--annotator=person:a")


def test_convert_says_what_would_be_lost(geolabel, refused, fires, tmp_path, window):
    code, said, _ = geolabel("convert", fires, tmp_path / "fires.parquet", *SAID)
    assert (code, said.splitlines()[0]) == (0, "1 labels")
    back = gl.read_labels(tmp_path / "fires.parquet")
    assert (back["label_id"].tolist(), back["class"].tolist()) == (["1"], ["burned"])
    assert back.crs == window.scene("after").grid.crs.proj
    assert geolabel("convert", tmp_path / "fires.parquet", tmp_path / "fires.geojson")[0] == 0
    assert "does not say which format" in refused("convert", fires, tmp_path / "fires.xyz", *SAID)
    assert "cannot carry ids" in refused("convert", fires, tmp_path / "yolo", "--to=yolo", *SAID)
    assert "tiles" in refused("convert", fires, tmp_path / "yolo", "--to=yolo", "--lossy=ids", *SAID)


def test_burn_scars_of_an_index_that_is_there(geolabel, refused, tmp_path):
    values = np.zeros((40, 40), np.float32)
    values[5:25, 5:25], values[14, 14] = 0.5, 0.0
    raster = write_raster(tmp_path / "dnbr.tif", values)
    code, said, _ = geolabel(
        "burned-index", raster, tmp_path / "scar.parquet", "--offset=0", "--cleanup=none", "--units=x1"
    )
    assert (code, said.splitlines()[0]) == (0, "1 polygons, 36 ha burned")
    scar = gl.read_labels(tmp_path / "scar.parquet")
    assert (scar["severity"].tolist(), len(scar.geometry[0].interiors)) == (["moderate"], 1)
    high = ["--breaks=0.1,0.2,0.4", "--citation=the incident's team", "--offset=0"]
    assert geolabel("burned-index", raster, tmp_path / "high.gpkg", "--units=x1", *high)[0] == 0
    assert gl.read_labels(tmp_path / "high.gpkg")["severity"].tolist() == ["high"]
    assert "breaks" in refused("burned-index", raster, tmp_path / "x.gpkg", "--breaks=0.1,a,0.4")
    assert "does not say which format" in refused("burned-index", raster, tmp_path / "x.shq")


def test_formats_says_what_each_carries(geolabel):
    code, said, _ = geolabel("formats")
    assert code == 0
    for word in ("geoparquet", "coco", "label-studio", "holes", "exact", "pixels"):
        assert word in said


def test_classes_are_shown_changed_and_gone_over_to(geolabel, refused, folder, fires, tmp_path):
    geolabel("import", folder, fires, "--annotator=person:a", *SAID)
    path = tmp_path / "own.toml"
    code, said, _ = geolabel("ontology", folder, f"--out={path}")
    assert (code, "maquis" in said) == (0, True)
    own = Ontology.read(path)
    assert own == WILDFIRE
    text = path.read_text().replace("version = 2", "version = 3", 1).replace('name = "burned"', 'name = "scar"', 1)
    path.write_text(text)
    assert Ontology.read(path).id == "wildfire@3"
    assert "does not say what becomes of ['burned']" in refused("migrate", folder, path)
    code, said, _ = geolabel("migrate", folder, path, "--move=burned=scar", "--note=renamed")
    assert (code, "are now under wildfire@3" in said) == (0, True)
    with gl.Project.open(folder) as project:
        assert {name for one in project.answers() for name in one.shapes["class"]} == {"scar"}
        assert project.ontology.id == "wildfire@3"
    assert known("wildfire@1").id in geolabel("ontology", known("wildfire@1").write(tmp_path / "one.json"))[1]
