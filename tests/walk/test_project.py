"""The whole flow through a project: each step once, then the same ever after; every product says what it is."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from functools import partial

import geopandas as gpd
import numpy as np
import pytest
import rasterio

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import ConfigError, InputError, SourceError
from geolabel.nouns.risk import NO_DATA, NON_BURNABLE
from geolabel.steps.consensus import GOLD
from geolabel.steps.risk import calibration_words
from geolabel.steps.view import read_mask
from small import IGNITION

START = datetime(2003, 5, 31, 12, tzinfo=UTC)
NOTE = "Simulated fire on a real scene"
FEW = {
    "spread": {"fires": 12, "epochs": 1, "seconds": None, "starts_h": (0.0,), "window": 32, "held_out": 32, "width": 8},
    "risk": {"members": 12, "val_fires": 1, "val_members": 4, "hours": (1.0, 3.0)},
}


def fit(project):
    return project.fit("spread", ignition=IGNITION, start=START, hindcast=True)


def forecast(project, model, wind):
    return project.risk(model, weather=wind, ignition=IGNITION, start=START, hindcast=True)


def answer(project, window):
    """The rules' answers and those of three simulated annotators, with gold."""
    from geolabel.quality.simulate import TRUTH, annotate

    for name in ("burned", "terrain", "settlement"):
        project.rule(name)
    truth, grid, tasks = read_mask(window.path("truth")), project.view.grid, project.tasks("burn")
    gold = [task for task in tasks if task.purpose == "gold"]
    drawn = [a for habit in ("expert", "over", "careless") for a in annotate(truth, grid, tasks, habit=habit, at=START)]
    project.submit([*drawn, *annotate(truth, grid, gold, habit=TRUTH, at=START)])


class Walked:
    """A project after every step, with what each of them gave."""

    def __init__(self, folder, window):
        self.window, self.project = (
            window,
            gl.Project.create(folder, config=Config.read(self.told(window), where="test")),
        )
        self.view = self.project.add(before=window.scene("before"), after=window.scene("after"), dem=window.path("dem"))
        answer(self.project, window)
        self.agreed = self.project.agree()
        self.model = fit(self.project)
        self.risk = forecast(self.project, self.model, window.wind)

    @staticmethod
    def told(window):
        return {"title": "Small", "notes": window.notes, **FEW}


@pytest.fixture(scope="module")
def walked(tmp_path_factory, window):
    done = Walked(tmp_path_factory.mktemp("walk") / "project", window)
    yield done
    done.project.close()


@pytest.fixture
def copy(walked, tmp_path):
    """A copy of the walked project's folder, to be tampered with."""
    return shutil.copytree(walked.project.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".lock"))


def counted(project):
    return len(project.ledger.events())


# ---------------------------------------------------------------------- laws of the risk map
def test_the_risk_map_keeps_the_laws(walked):
    risk, known = walked.risk, walked.risk.ground != NO_DATA
    values = risk.probability[:, known]
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values, axis=0) >= 0).all()
    assert (risk.probability[:, risk.ground == NON_BURNABLE] == 0).all()
    assert (risk.ground == NON_BURNABLE).any()  # a town and water are in the window
    assert np.isnan(risk.probability[:, ~known]).all()
    row, col = risk.grid.index(IGNITION)
    assert risk.final[row, col] == 1
    assert 0 < risk.area_ha(0.2) < known.sum() * risk.grid.cell_area_m2() / 1e4


def test_the_sheet_claims_no_calibration_that_the_map_has_not(walked):
    assert walked.risk.calibration.startswith("not calibrated")
    assert calibration_words("fitted", 0.0) == "not calibrated: ensemble alone; the learned model earned no weight"
    assert "fitted" in calibration_words("fitted", 0.4)
    assert "learned" not in calibration_words("", 0.0)


def test_every_product_names_what_it_is_made_of(walked):
    project, made_of = walked.project, walked.risk.made_of
    assert made_of["view"] == project.view.digest
    assert made_of["model"] == walked.model.digest
    heard = {event.payload["name"]: event.payload for event in project.ledger.events("product")}
    assert set(heard) >= {"consensus", "spread-model", "risk"}
    assert heard["risk"]["inputs"]["answers"] == heard["consensus"]["inputs"]["answers"] == made_of["answers"]
    assert heard["spread-model"]["inputs"]["landscape"] == made_of["landscape"]


def test_the_consensus_hears_annotators_and_keeps_gold_apart(walked):
    project = walked.project
    gold = [task.id for task in project.tasks("burn") if task.purpose == "gold"]
    assert gold
    assert {a.task_id for a in project.ledger.answers(annotator=GOLD)} == set(gold)
    assert set(walked.agreed) == {task.id for task in project.tasks()}
    assert all(GOLD not in dict(one.weights) for one in walked.agreed.values())


# ---------------------------------------------------------------------- a second call, another day
def test_a_second_call_of_each_step_makes_nothing_new(walked):
    project, before = walked.project, counted(walked.project)
    for name in ("burned", "terrain", "settlement"):
        project.rule(name)
    assert {key: one.digest for key, one in project.agree().items()} == {k: o.digest for k, o in walked.agreed.items()}
    assert fit(project).digest == walked.model.digest
    assert forecast(project, walked.model, walked.window.wind).digest == walked.risk.digest
    assert counted(project) == before


def test_a_project_opened_again_gives_the_same(walked, copy):
    with gl.Project.open(copy) as again:
        before = counted(again)
        assert again.view.digest == walked.view.digest
        model = fit(again)
        assert model.digest == walked.model.digest
        assert forecast(again, model, walked.window.wind).digest == walked.risk.digest
        assert counted(again) == before
        assert again.check() == []


def test_one_process_holds_a_project(walked):
    with pytest.raises(SourceError, match="in use"):
        gl.Project.open(walked.project.folder)
    with pytest.raises(InputError, match="is a geolabel project"):
        gl.Project.create(walked.project.folder)


def test_another_model_than_spread_and_another_rule_are_named(walked):
    with pytest.raises(ConfigError, match="no model 'segment'"):
        walked.project.fit("segment", ignition=IGNITION, start=START)
    with pytest.raises(ConfigError, match="no rule 'burnt'") as caught:
        walked.project.rule("burnt")
    assert "'burned'" in caught.value.hint
    with pytest.raises(ConfigError, match="memberz") as caught:
        walked.project.configure(risk={"memberz": 3})
    assert "'members'" in caught.value.hint


# ---------------------------------------------------------------------- check
def test_check_is_clean(walked):
    assert walked.project.check() == []


@pytest.mark.parametrize("name", ["consensus", "spread-model", "risk"])
def test_check_names_a_product_that_was_changed_or_is_missing(walked, copy, name):
    (payload,) = walked.project.ledger.products(name)
    home = copy / "products" / payload["folder"]
    victim = max((path for path in home.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    with gl.Project.open(copy) as project:
        assert project.check() == [f"the product {name} in {home.name} was changed since it was made"]
        shutil.rmtree(home)
        assert project.check() == [f"the product {name} in {home.name} is missing"]


def test_check_names_a_ledger_that_was_changed(copy):
    with sqlite3.connect(copy / "ledger.sqlite") as connection:
        connection.execute("UPDATE answers SET annotator='person:somebody' WHERE annotator LIKE 'sim:careless%'")
    connection.close()
    with gl.Project.open(copy) as project:
        faults = project.check()
    assert len(faults) == 1
    assert "changed since they were appended" in faults[0]


# ---------------------------------------------------------------------- scenes stay what they were
def test_a_changed_scene_file_is_refused(copy, window, tmp_path):
    moved = tmp_path / "scenes"
    shutil.copytree(window.folder, moved)
    text = (copy / "project.toml").read_text().replace(str(window.folder), str(moved))
    (copy / "project.toml").write_text(text)
    with gl.Project.open(copy) as project:
        assert set(project.view.scenes) == {"before", "after", "dem"}  # moved, not changed: the same scenes
    with rasterio.open(moved / "after.tif", "r+") as file:
        file.write(np.zeros((32, 32), "uint8"), 1, window=rasterio.windows.Window(0, 0, 32, 32))
    with gl.Project.open(copy) as project, pytest.raises(InputError, match="not the one that was labeled"):
        _ = project.view


def test_another_scene_in_a_role_is_refused(copy, window):
    with gl.Project.open(copy) as project, pytest.raises(InputError, match="already has a before scene"):
        project.add(before=window.scene("after"))


def test_a_project_without_scenes_says_so(tmp_path, window):
    with gl.Project.create(tmp_path / "new") as project, pytest.raises(InputError) as caught:
        project.add(dem=window.path("dem"))
    assert "project.add(before=" in caught.value.hint


# ---------------------------------------------------------------------- products for people
def test_tiles_geopackage_and_geoparquet_say_what_is_simulated(walked, tmp_path):
    folder = walked.project.export("geojson", tmp_path / "tiles")
    index = json.loads((folder / "index.geojson").read_text())["features"]
    assert len(index) == len(walked.project.tasks("burn"))
    for one in index:
        assert NOTE in one["properties"]["notes"]
        own = json.loads((folder / one["properties"]["href"]).read_text())["features"][0]["properties"]
        assert NOTE in own["notes"]
    burned = walked.project.labels("burn")
    layer = partial(gpd.read_file, layer="labels")
    for kind, name, read in (("gpkg", "x.gpkg", layer), ("geoparquet", "x.parquet", gpd.read_parquet)):
        back = read(walked.project.export(kind, tmp_path / name))
        assert back["notes"].str.contains(NOTE).all()
        assert set(burned["label_id"]) <= set(back["label_id"])
    with pytest.raises(InputError, match="Shapefile is read, not written"):
        walked.project.export("shapefile", tmp_path / "x.shp")


def test_tiles_say_how_many_were_heard_and_hide_the_gold(walked, tmp_path):
    folder = walked.project.export("geojson", tmp_path / "heard")
    features = [f for path in folder.glob("*_*.geojson") for f in json.loads(path.read_text())["features"]]
    labels = [f["properties"] for f in features if f["properties"]["feature_type"] == "label"]
    burned = [row for row in labels if row["class"] == "burned"]
    people = {a.annotator for a in walked.project.answers() if a.annotator.startswith("sim:")} - {"sim:truth-1"}
    assert burned
    assert {row["n_votes"] for row in burned} == {len(people)}
    assert all(0 < row["agreement"] <= 1 for row in burned)
    assert {row["n_votes"] for row in labels if row["kind"] == "terrain"} == {1}  # one rule, and it says so
    assert "sim:truth-1" not in (folder / "answers.geojson").read_text()


def test_maps_say_what_is_simulated(walked, tmp_path):
    extras = walked.project.beside(walked.risk)
    gl.draw(walked.risk, **extras).save(str(tmp_path / "risk.html"))
    gl.field_map(walked.risk, tmp_path / "field.html", **extras)
    for name in ("risk.html", "field.html"):
        assert NOTE in (tmp_path / name).read_text(encoding="utf-8")
    (payload,) = walked.project.ledger.products("risk")
    with rasterio.open(walked.project.folder / "products" / payload["folder"] / "probability.tif") as file:
        assert NOTE in file.tags()["NOTES"]
        assert file.tags()["STATUS"] == "exercise"


def test_the_model_is_scored_on_ground_it_never_saw(walked):
    grid, (row, col) = walked.risk.grid, walked.risk.grid.index(IGNITION)
    assert all(
        not (tile.row <= row < tile.row + tile.height and tile.col <= col < tile.col + tile.width)
        for tile in walked.model.val
    )
    assert grid.shape[0] >= 32
