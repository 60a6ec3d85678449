"""Labels through a project: in from other programs, out to them, edited and back, under one class list and the next."""

from dataclasses import replace
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geolabel as gl
from geolabel.config import Config
from geolabel.dataset.formats.images import Look
from geolabel.errors import ConfigError, InputError, OntologyError, StoreError
from geolabel.ontology import WILDFIRE, Migration, Ontology, known
from geolabel.steps import rules
from geolabel.tables import LABELS, SHAPES, check

START = datetime(2003, 6, 2, 9, tzinfo=UTC)
TASKS = {"tasks": {"tile": 32}, "title": "Labels"}


@pytest.fixture(scope="module")
def truth(window):
    """What an agency mapped: three fires, one with an island, in geographic coordinates, with fields of its own."""
    grid = window.scene("after").grid
    west, south, east, _ = grid.bounds
    width = east - west

    def box(x, y, size):
        return shapely.box(west + x * width, south + y * width, west + (x + size) * width, south + (y + size) * width)

    island = box(0.3, 0.3, 0.3) - box(0.4, 0.4, 0.05)
    frame = gpd.GeoDataFrame(
        {
            "FIRE_ID": ["A-1", "A-2", "A-3"],
            "TYP": ["Waldbrand", "Waldbrand", "Übung"],
            "WHO": ["Anna Rossi", "Bo Li", "Anna Rossi"],
            "SEEN": pd.to_datetime(["2003-05-31T10:00Z", "2003-06-01T11:30Z", None], utc=True),
        },
        geometry=[island, box(0.75, 0.05, 0.1), box(0.05, 0.8, 0.1)],
        crs=grid.crs.proj,
    )
    return frame.to_crs("EPSG:4326")


MAPPED = {
    "fields": {"class": "TYP", "label_id": "FIRE_ID", "annotator": "WHO", "labeled_at": "SEEN"},
    "classes": {"Waldbrand": "burned", "Übung": None},
}


@pytest.fixture
def project(tmp_path, window):
    with gl.Project.create(tmp_path / "project", config=Config.read(TASKS, where="test")) as made:
        made.add(before=window.scene("before"), after=window.scene("after"))
        yield made


@pytest.fixture
def agency(tmp_path, truth):
    path = tmp_path / "fires.gpkg"
    truth.to_file(path)
    return path


def taken(project, agency):
    return project.import_labels(agency, **MAPPED)


# ---------------------------------------------------------------------- in
def test_labels_of_an_agency_become_answers_of_the_people_it_names(project, agency, truth):
    found = taken(project, agency)
    answers = project.answers()
    assert {one.uuid for one in found.answers} == {one.uuid for one in answers}
    assert {one.ontology for one in answers} == {WILDFIRE.id}
    assert all(one.how.startswith("import:fires.gpkg@") for one in answers)
    people = {one.annotator for one in answers}
    assert len(people) == 2
    assert not any("Anna" in name or "Bo" in name for name in people)  # pseudonyms; the names stay in a table of people
    assert {one.annotator for one in project.ledger.people.find("Anna Rossi")} < people
    whole = gpd.GeoDataFrame(pd.concat([one.shapes for one in answers]), crs=answers[0].shapes.crs)
    by_id = whole.dissolve("label_id").to_crs("EPSG:4326").geometry
    assert list(by_id.index) == ["A-1", "A-2"]
    for key, place in (("A-1", 0), ("A-2", 1)):
        gap = by_id[key].symmetric_difference(truth.geometry[place]).area / truth.geometry[place].area
        assert gap < 1e-5  # a straight edge in degrees is none in metres
    assert shapely.get_num_interior_rings(shapely.get_parts(by_id["A-1"])).sum() == 1
    at = {one.at for one in answers if "A-2" in set(one.shapes["label_id"])}
    assert {moment.isoformat() for moment in at} == {"2003-06-01T11:30:00+00:00"}
    assert project.check() == []


def test_the_same_file_again_changes_nothing_and_a_corrected_one_corrects(project, agency, truth):
    first = taken(project, agency)
    events = len(project.ledger.events())
    again = taken(project, agency)
    assert (again.answers, again.unchanged) == ((), len(first.answers))
    assert len(project.ledger.events()) == events
    moved = truth.assign(geometry=[truth.geometry[0].buffer(-2e-4), *truth.geometry[1:]])
    moved.to_file(agency)
    corrected = taken(project, agency)
    old = {one.uuid for one in first.answers if "A-1" in set(one.shapes["label_id"])}
    assert {one.supersedes for one in corrected.answers} == old
    assert len(project.ledger.answers(current=False)) == len(first.answers) + len(old)


def test_what_lies_outside_is_named_and_what_was_looked_at_may_be_all(project, truth):
    far = truth.iloc[[0]].assign(FIRE_ID="far", geometry=truth.geometry.iloc[[0]].translate(1, 0))
    labels = gl.read_labels(_written(project, pd.concat([truth, far])), **MAPPED)
    found = project.import_labels(labels.assign(annotator="person:one"), complete=True)
    assert found.outside == ("far",)
    tasks = project.tasks("burn")
    assert {one.task_id for one in found.answers} == {task.id for task in tasks}
    assert {one.outcome for one in found.answers} == {"labeled", "empty"}


def test_who_looked_and_drew_nothing_is_heard(project, truth):
    """Labeling tools say which images were looked at; an empty answer is an answer."""
    labels = gl.read_labels(_written(project, truth.iloc[[0]]), **MAPPED)
    bare = next(
        task.tile.key
        for task in project.plan("burn")
        if not _on(project, task, labels.to_crs(_crs(project)).geometry[0])
    )
    labels.attrs["looked"] = (Look(f"{bare}.tif", "Bo Li", START, "empty", 12.0), Look("elsewhere.tif", "Bo Li"))
    found = project.import_labels(labels)
    (one,) = [given for given in found.answers if given.outcome == "empty"]
    assert (one.at, one.active_s, one.task_id.endswith(f"/{bare}#burn")) == (START, 12.0, True)
    assert one.annotator == project.ledger.person("Bo Li")
    assert {given.annotator for given in found.answers if given.outcome == "labeled"} == {
        project.ledger.person("Anna Rossi")
    }


def _crs(project):
    return project.view.grid.crs.proj


def test_what_the_class_list_does_not_allow_is_refused(project, truth):
    labels = gl.read_labels(_written(project, truth), **{**MAPPED, "classes": {"Waldbrand": "building", "Übung": None}})
    with pytest.raises(OntologyError, match="A-1"):
        project.import_labels(labels.assign(attributes='{"height_m":"tall"}'))
    assert project.answers() == ()


def test_labels_of_nobody_are_refused(project, truth):
    path = _written(project, truth)
    nameless = {**MAPPED, "fields": {key: one for key, one in MAPPED["fields"].items() if key != "annotator"}}
    with pytest.raises(InputError, match="say not whose"):
        project.import_labels(path, **nameless)
    with pytest.raises(OntologyError, match="Waldbrand"):
        project.import_labels(path, annotator="person:one", **{**nameless, "classes": {}})
    assert project.answers() == ()
    found = project.import_labels(path, annotator="rule:agency@1", **nameless)
    assert {one.annotator for one in found.answers} == {"rule:agency@1"}


def _written(project, frame):
    path = project.folder / "given.gpkg"
    frame.to_file(path)
    return path


# ---------------------------------------------------------------------- out, edited, and back
def test_edits_made_in_a_gis_come_back_under_the_same_ids(project, agency, tmp_path):
    taken(project, agency)
    path = project.export("gpkg", tmp_path / "labels.gpkg")
    shown = gpd.read_file(path, layer="labels")
    ids = shown["label_id"].tolist()
    assert len(ids) == len(set(ids)) >= 2
    assert project.import_edits(path, annotator="Cy Gis").answers == ()  # nothing was edited
    largest = shown.area.idxmax()
    was = shown.geometry[largest]
    shown.loc[largest, "geometry"] = shown.geometry[largest].buffer(-40)
    shown.to_file(path, layer="labels")
    found = project.import_edits(path, annotator="Cy Gis")
    touched = {task.id for task in project.tasks("burn") if _on(project, task, was)}
    assert {one.task_id for one in found.answers} == touched
    assert all(one.how.startswith("edit:labels.gpkg@") and one.shown == ("consensus",) for one in found.answers)
    assert {key for one in found.answers for key in one.shapes["label_id"]} <= set(ids)
    back = pd.concat([one.shapes for one in found.answers])
    edited = back[back["label_id"] == ids[largest]].dissolve("label_id").geometry.iloc[0]
    expected = shown.to_crs(back.crs).geometry[largest]
    assert edited.symmetric_difference(expected).area / expected.area < 1e-6
    assert project.import_edits(path, annotator="Cy Gis").answers == ()  # once is enough


def test_who_moves_a_scar_says_nothing_of_the_terrain_beside_it(project, agency, tmp_path):
    taken(project, agency)
    project.rule("terrain")
    path = project.export("gpkg", tmp_path / "labels.gpkg")
    shown = gpd.read_file(path, layer="labels")
    scar = shown[shown["class"] == "burned"].area.idxmax()
    shown.loc[scar, "geometry"] = shown.geometry[scar].buffer(-40)
    shown.to_file(path, layer="labels")
    found = project.import_edits(path, annotator="Cy Gis")
    assert found.answers
    assert {one.task_id.rpartition("#")[2] for one in found.answers} == {"burn"}


def test_a_label_that_was_removed_in_a_gis_leaves_an_empty_answer(project, agency, tmp_path):
    taken(project, agency)
    path = project.export("geoparquet", tmp_path / "labels.parquet")
    gpd.read_parquet(path).iloc[:0].to_parquet(path)
    found = project.import_edits(path, annotator="person:gis")
    assert found.answers
    assert {one.outcome for one in found.answers} == {"empty"}


def _on(project, task, shape):
    return shapely.box(*project.view.grid.crop(task.tile).bounds).intersects(shape)


@pytest.mark.parametrize("what", ["labels", "answers"])
def test_what_is_exported_comes_back_as_labels(project, agency, tmp_path, what):
    taken(project, agency)
    path = project.export("geoparquet", tmp_path / "x.parquet", what=what)
    back = check(gl.read_labels(path), LABELS)
    assert len(back)
    if what == "answers":
        assert set(back["label_id"]) == {"A-1", "A-2"}
        assert back["annotator"].str.fullmatch(r"person:[0-9a-f]{8}").all()
    else:
        assert back["start"].notna().all()
        assert back["annotator"].isna().all()


def test_a_format_that_would_lose_something_is_refused_until_told(project, agency, tmp_path):
    taken(project, agency)
    with pytest.raises(InputError, match="holes"):
        project.export("yolo", tmp_path / "yolo", what="answers")
    assert not (tmp_path / "yolo").exists()
    project.export("yolo", tmp_path / "yolo", what="answers", lossy=True)
    project.export("coco", tmp_path / "coco")
    with pytest.raises(InputError, match="tiles are of agreed labels"):
        project.export("geojson", tmp_path / "tiles", what="answers")
    with pytest.raises(InputError, match="unknown format 'kml2'"):
        project.export("kml2", tmp_path / "x")


def test_labels_of_a_restricted_scene_stay(tmp_path, window):
    with gl.Project.create(tmp_path / "project", config=Config.read(TASKS, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"), access="restricted")
        project.rule("burned")
        with pytest.raises(InputError, match="restricted"):
            project.export("geojson", tmp_path / "tiles")
        assert not (tmp_path / "tiles").exists()
        folder = project.export("geojson", tmp_path / "tiles", restricted=True)
        assert '"access":"restricted"' in (folder / "index.geojson").read_text().replace(" ", "")
        assert {event.payload["access"] for event in project.ledger.events("scene")} == {"restricted"}


# ---------------------------------------------------------------------- class lists
def test_a_project_keeps_its_class_list_and_goes_to_the_next(tmp_path, window, agency):
    old = known("wildfire@1")
    with gl.Project.create(tmp_path / "p", config=Config.read(TASKS, where="test"), ontology=old) as project:
        project.add(before=window.scene("before"), after=window.scene("after"))
        taken(project, agency)
        project.rule("terrain")
        before = {one.uuid: one for one in project.answers()}
        assert {task.ontology for task in project.tasks()} == {"wildfire@1"}
        moves = {"grass": "bare"}
        moved = project.migrate(Migration(old, known("wildfire@2"), moves, note="grass was bare ground"))
        assert project.ontology.id == "wildfire@2"
        assert {one.supersedes for one in moved} == set(before)
        assert len(project.ledger.answers(current=False)) == 2 * len(before)
        for one in moved:
            first = before[one.supersedes]
            assert (one.annotator, one.at, one.task_id) == (first.annotator, first.at, first.task_id)
            assert one.how == "migrate:wildfire@1->wildfire@2"
            assert list(one.shapes["label_id"]) == list(first.shapes["label_id"])
            assert list(one.shapes["class"]) == [moves.get(name, name) for name in first.shapes["class"]]
        (event,) = [e for e in project.ledger.events("ontology") if "migration" in e.payload]
        assert event.payload["migration"]["note"] == "grass was bare ground"
        with pytest.raises(OntologyError, match="under wildfire@2"):
            project.migrate(Migration(old, known("wildfire@2")))
    with gl.Project.open(tmp_path / "p") as again:
        assert again.ontology.id == "wildfire@2"
        assert again.labels("burn")["class"].unique().tolist() == ["burned"]
        assert again.check() == []


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_a_migration_that_was_stopped_goes_on(tmp_path, window, agency, monkeypatch):
    """Between its answers and the class list that holds: the same call finishes it, and corrects nothing twice."""
    old, new = known("wildfire@1"), known("wildfire@2")
    with gl.Project.create(tmp_path / "p", config=Config.read(TASKS, where="test"), ontology=old) as project:
        project.add(before=window.scene("before"), after=window.scene("after"))
        taken(project, agency)
        with monkeypatch.context() as stopped:
            stopped.setattr(type(project.record), "keep_ontology", interrupted)
            with pytest.raises(KeyboardInterrupt):
                project.migrate(Migration(old, new))
        before = len(project.ledger.answers(current=False))
    with gl.Project.open(tmp_path / "p") as again:
        assert again.migrate(Migration(old, new)) == []
        assert again.ontology.id == "wildfire@2"
        assert len(again.ledger.answers(current=False)) == before
        assert {one.ontology for one in again.answers()} == {"wildfire@2"}


def test_one_version_of_a_class_list_is_one_list(project):
    renamed = replace(WILDFIRE, classes=(replace(WILDFIRE["burned"], title="Something else"),))
    with pytest.raises(OntologyError, match="recorded with other classes"):
        project.record.keep_ontology(renamed)


def test_own_classes_from_a_file(tmp_path, window, agency):
    path = WILDFIRE.write(tmp_path / "own.toml")
    own = Ontology.read(path)
    assert own == WILDFIRE
    with gl.Project.create(tmp_path / "p", config=Config.read(TASKS, where="test"), ontology=own) as project:
        project.add(before=window.scene("before"), after=window.scene("after"))
        first = project.instructions
        told = project.instruct("Draw what is black.\n\n### `burned`\nChar and ash.")
        assert told.version == first.version + 1
        taken(project, agency)
        assert {task.instructions for task in project.tasks()} == {told.version}
    with gl.Project.open(tmp_path / "p") as again:
        assert again.instructions == told


def test_a_rule_of_another_version_takes_over_from_the_one_before(project, monkeypatch):
    before = project.rule("burned")
    newer = replace(rules.RULES["burned"], version=rules.RULES["burned"].version + 1)
    monkeypatch.setitem(rules.RULES, "burned", newer)
    after = project.rule("burned")
    assert {one.supersedes for one in after} == {one.uuid for one in before}
    assert {one.annotator for one in project.answers()} == {newer.annotator}
    assert [one.uuid for one in project.rule("burned")] == [one.uuid for one in after]


# ---------------------------------------------------------------------- terrain learned from people
def test_terrain_is_learned_from_what_people_drew(project):
    """People draw a few squares in classes that a rule sees there; the rest of the view is learned from them."""
    seen = gl.terrain(project.view["before"])
    large = seen[seen.area > seen.area.quantile(0.6)]
    common = [one for _, one in large.groupby("class") if len(one) >= 4]
    drawn = pd.concat([_inside(one) for one in common], ignore_index=True)
    with pytest.raises(InputError):
        project.learn()  # nobody drew anything yet
    project.import_labels(gl.read_labels(_written(project, drawn)).assign(annotator="person:ann"))
    answers, report = project.learn()
    assert {one.annotator for one in answers} == {"rule:terrain-learned@1"}
    assert {one.task_id for one in answers} == {task.id for task in project.tasks("terrain")}
    assert 0 < report["accuracy"] <= 1
    again, same = project.learn()
    assert ({one.uuid for one in again}, same) == ({one.uuid for one in answers}, report)
    fewer, _ = project.learn(drawn.iloc[::2])
    assert {one.supersedes for one in fewer} == {one.uuid for one in answers}
    assert project.check() == []


def _inside(frame):
    """A disc inside each shape, as far from its edge as can be."""
    centres = frame.geometry.representative_point()
    discs = [
        one.buffer(max(30.0, one.distance(shape.boundary))) for one, shape in zip(centres, frame.geometry, strict=True)
    ]
    return frame.set_geometry(gpd.GeoSeries(discs, index=frame.index, crs=frame.crs))[list(SHAPES)]


# ---------------------------------------------------------------------- one ledger for a team
@pytest.mark.parametrize("name", ["station", "other"])
def test_a_team_shares_a_database(tmp_path, window, monkeypatch, postgres_url, name):
    """Two projects in one database: each has its own ledger, by its title."""
    monkeypatch.setenv("GEOLABEL_LEDGER", postgres_url)
    for place in ("one", "two"):
        with gl.Project.create(tmp_path / place, title=name) as project:
            project.add(before=window.scene("before"), after=window.scene("after"))
            assert len(project.rule("burned")) == len(project.tasks("burn"))
            assert project.check() == []
            heard = len(project.ledger.answers())
    assert not (tmp_path / "one" / "ledger.sqlite").exists()
    assert heard == len(project.tasks("burn"))  # the second found the first one's answers
    with pytest.raises(OntologyError, match="is under wildfire@2"):
        gl.Project.create(tmp_path / "three", title=name, ontology=known("wildfire@1"))
    with gl.Project.open(tmp_path / "one") as again:
        assert len(again.answers()) == heard
    assert "postgres" in project.ledger.place


def test_a_project_stays_with_the_ledger_it_began_with(tmp_path, monkeypatch, postgres_url, project):
    """Neither does a file give way to a database, nor a database to an empty file."""
    folder = project.folder
    project.close()
    monkeypatch.setenv("GEOLABEL_LEDGER", postgres_url)
    with gl.Project.open(folder) as own:
        assert own.ledger.path == folder / "ledger.sqlite"
    gl.Project.create(tmp_path / "team", title="Team").close()
    monkeypatch.delenv("GEOLABEL_LEDGER")
    with pytest.raises(ConfigError, match="ledger of team is in a database"):
        gl.Project.open(tmp_path / "team")
    assert not (tmp_path / "team" / "ledger.sqlite").exists()


def test_a_database_that_does_not_answer_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOLABEL_LEDGER", "postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError) as caught:
        gl.Project.create(tmp_path / "p")
    assert "secret" not in str(caught.value)


def test_shapes_keep_what_the_file_says_of_them(project, agency):
    """Dates and attributes of single labels survive the ledger."""
    labels = gl.read_labels(agency, **MAPPED).assign(
        start=pd.Timestamp("2003-05-30T12:00Z"), attributes='{"cause":"lightning"}', confidence=0.8
    )
    project.import_labels(labels)
    drawn = pd.concat([one.shapes for one in project.ledger.answers()])
    assert drawn["attributes"].eq('{"cause":"lightning"}').all()
    assert (drawn["start"] == pd.Timestamp("2003-05-30T12:00Z")).all()
    assert np.allclose(drawn["confidence"], 0.8)
    assert set(SHAPES) <= set(drawn.columns)
