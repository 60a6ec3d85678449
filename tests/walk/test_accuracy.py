"""A map assessed through a project: points drawn, given out blind, labeled, and read back into areas with limits."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geolabel as gl
from geolabel.errors import ConfigError, InputError, QualityError
from geolabel.quality.simulate import TRUTH, annotate
from geolabel.steps.accuracy_sample import NONE, Sample, conjecture
from geolabel.steps.view import read_mask
from labels import NOW


@pytest.fixture(scope="module")
def begun(tmp_path_factory, window):
    """(project whose burn map is a rule's, the truth of its window)."""
    project = gl.Project.create(tmp_path_factory.mktemp("assessed") / "project", title="Assessed")
    project.add(before=window.scene("before"), after=window.scene("after"))
    project.rule("burned")
    yield project, read_mask(window.path("truth"))
    project.close()


@pytest.fixture(scope="module")
def sample(begun):
    return begun[0].accuracy_plan("burn", n=400)


def told(sample, truth, **more):
    """What somebody who knows the truth says of the points."""
    rows = sample.blind
    said = np.where(truth[rows["row"], rows["col"]], "burned", "unburned")
    return rows.assign(**{"class": said, "annotator": "Anna Rossi", **more})


def true_ha(project, truth, sample):
    """Hectares that are burned where the map shows anything."""
    codes = project._shown("burn").codes
    return (truth & (codes != 255)).sum() * sample.grid.cell_area_m2() / 1e4


# ---------------------------------------------------------------------- the sample
def test_a_sample_is_drawn_once_and_kept(begun, sample):
    project, _ = begun
    events = len(project.ledger.events())
    assert project.accuracy_plan("burn", n=400) is sample
    assert len(project.ledger.events()) == events
    folder = project.folder / "products" / project.ledger.products("accuracy-sample")[0]["folder"]
    again = Sample.load(folder)
    pd.testing.assert_frame_equal(again.points, sample.points)
    assert (again.design.n, str(again)) == (sample.design.n, str(sample))
    assert project.accuracy_plan("burn", n=400, seed=1).name != sample.name
    assert not project.check()


def test_points_lie_in_their_strata_and_say_nothing_of_them(begun, sample, tmp_path):
    project, _ = begun
    shown = project._shown("burn")
    assert shown.at(sample.points) == sample.points["stratum"].tolist()
    assert set(sample.points["stratum"]) == {"burned", NONE}
    for suffix in (".csv", ".geojson", ".gpkg"):
        path = sample.write(tmp_path / f"points{suffix}")
        frame = pd.read_csv(path) if suffix == ".csv" else gpd.read_file(path)
        assert "stratum" not in frame.columns
        assert "inclusion" not in frame.columns
        assert frame["class"].isna().all()
        assert frame["point_id"].tolist() == sample.points["point_id"].tolist()
    assert list(pd.read_csv(tmp_path / "points.csv").columns[:3]) == ["LON", "LAT", "PLOTID"]
    with pytest.raises(InputError, match=r"\.shp"):
        sample.write(tmp_path / "points.shp")


def test_tasks_of_a_sample_are_pixels_that_change_no_label(begun, sample):
    project, _ = begun
    tasks = sample.tasks(project.view.id)
    assert {(task.purpose, task.tile.height, task.tile.width) for task in tasks} == {("review", 1, 1)}
    assert not {task.id for task in tasks} & {task.id for task in project.tasks() if task.tile.height == 1}
    assert len(project.tasks("burn")) == len(project.plan("burn"))


def test_as_much_is_missed_as_is_found_wrongly():
    assert conjecture({"burned": 10.0, NONE: 90.0}, 0.8) == pytest.approx({"burned": 0.8, NONE: 1 - 2 / 90})
    assert conjecture({"a": 1.0, "b": 2.0}, 0.8) == {"a": 0.8, "b": 0.8}
    with pytest.raises(QualityError, match="burn"):
        conjecture({"burned": 10.0, NONE: 90.0}, {"burnt": 0.8})


# ---------------------------------------------------------------------- the assessment
@pytest.mark.parametrize("suffix", [".csv", ".geojson", ".gpkg"])
def test_a_file_that_was_filled_in_gives_the_area_with_limits_that_hold(begun, sample, tmp_path, suffix):
    project, truth = begun
    path, frame = tmp_path / f"points{suffix}", told(sample, truth)
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326).to_file(path)
    found = project.accuracy("burn", path)
    row = found.table.set_index("class").loc["burned"]
    assert row["area_low_m2"] / 1e4 < true_ha(project, truth, sample) < row["area_high_m2"] / 1e4
    assert abs(row["area_m2"] / 1e4 - true_ha(project, truth, sample)) < abs(
        row["mapped_m2"] / 1e4 - true_ha(project, truth, sample)
    )
    assert found.about["sample"] == sample.name
    assert found.about["map"] == sample.map_digest[:12]
    assert found.about["unlabeled"] == 0
    kept = project.folder / "products" / project.ledger.products("accuracy")[-1]["folder"] / "reference.csv"
    assert "Anna" not in kept.read_text()
    assert not project.check()


def test_it_is_kept_and_read_again_whatever_the_order_of_the_lines(begun, sample):
    project, truth = begun
    first = project.accuracy("burn", told(sample, truth))
    events = len(project.ledger.events())
    again = project.accuracy("burn", told(sample, truth).sample(frac=1, random_state=3))
    assert again is first
    assert len(project.ledger.events()) == events
    normal = project.accuracy("burn", told(sample, truth), method="normal")
    assert normal.overall.se == first.overall.se
    assert normal.overall.low != first.overall.low


def test_answers_to_the_tasks_say_the_same_as_a_file(begun):
    project, truth = begun
    few = project.accuracy_plan("burn", n=60)
    project.accuracy_plan("burn", n=60, seed=9)
    answers = annotate(truth, project.view.grid, few.tasks(project.view.id), habit=TRUTH, at=NOW)
    before = project.record.answers_digest
    found = project.accuracy("burn", answers)
    assert found.about["sample"] == few.name
    pd.testing.assert_frame_equal(found.matrix, project.accuracy("burn", told(few, truth)).matrix)
    assert project.record.answers_digest == before  # the reference is no vote
    with pytest.raises(QualityError, match="tasks of no sample"):
        project.accuracy("burn", annotate(truth, project.view.grid, project.tasks("burn")[:1], habit=TRUTH, at=NOW))


def test_most_annotators_decide_and_the_unsure_do_not(begun, sample):
    project, truth = begun
    right = told(sample, truth)
    wrong = told(sample, ~truth).assign(annotator="Bo Li")
    second = told(sample, truth).assign(annotator="Cy Twombly")
    found = project.accuracy("burn", pd.concat([wrong, right, second]))
    assert found.matrix.equals(project.accuracy("burn", right).matrix)
    assert found.about["contested"] == 400
    twice = pd.concat([wrong.assign(annotator="Anna Rossi"), right])  # she corrected herself
    assert project.accuracy("burn", twice).matrix.equals(project.accuracy("burn", right).matrix)
    half = right.assign(**{"class": right["class"].where(np.arange(400) % 2 == 0, "unsure")})
    assert project.accuracy("burn", half).about["unlabeled"] == 200
    assert project.accuracy("burn", half).matrix.to_numpy().sum() == 200


def test_columns_may_have_other_names(begun, sample):
    project, truth = begun
    theirs = told(sample, truth).rename(
        columns={"point_id": "pl_point_id", "class": "Is it burned?", "annotator": "email"}
    )
    found = project.accuracy("burn", theirs, fields={"class": "Is it burned?"})
    assert found.matrix.equals(project.accuracy("burn", told(sample, truth)).matrix)
    with pytest.raises(InputError, match="the class of a point"):
        project.accuracy("burn", theirs)
    with pytest.raises(InputError, match="klass"):
        project.accuracy("burn", theirs, fields={"klass": "Is it burned?"})


# ---------------------------------------------------------------------- refused
def test_points_of_others_and_unknown_classes_are_refused(begun, sample):
    project, truth = begun
    right = told(sample, truth)
    with pytest.raises(QualityError, match="points of"):
        project.accuracy("burn", right.assign(point_id="other-001"))
    with pytest.raises(QualityError, match="1 points are not in sample"):
        project.accuracy("burn", pd.concat([right, right.iloc[:1].assign(point_id=f"{sample.name}-999")]))
    with pytest.raises(QualityError, match="unknown class 'brunt'"):
        project.accuracy("burn", right.assign(**{"class": "brunt"}))
    with pytest.raises(QualityError, match="fewer than 2 samples in burned"):
        project.accuracy("burn", right[(sample.points["stratum"] == NONE).to_numpy()])
    with pytest.raises(QualityError, match="nobody judged"):
        project.accuracy_plan("terrain")
    with pytest.raises(ConfigError, match="alocation"):
        project.accuracy_plan("burn", alocation="equal")
    with pytest.raises(QualityError, match="no sample of the terrain map"):
        project.accuracy("terrain", [])


@pytest.fixture
def copy(begun, sample, tmp_path):
    """A copy of the project's folder, with the sample."""
    return shutil.copytree(begun[0].folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".lock"))


def test_a_map_that_changed_needs_a_new_sample_or_the_old_strata(begun, sample, copy):
    truth = begun[1]
    with gl.Project.open(copy) as project:
        right = told(sample, truth)
        old = project.accuracy("burn", right)
        project.submit(annotate(truth, project.view.grid, project.tasks("burn"), habit="expert", at=NOW))
        with pytest.raises(QualityError, match=r"it is \w{8} now"):
            project.accuracy("burn", right)
        found = project.accuracy("burn", right, earlier=True)
        assert found.about["map"] != old.about["map"]
        assert "of the map" in found.about["strata"]
        areas = [one.table.set_index("class")["area_m2"]["burned"] for one in (old, found)]
        assert areas[0] == pytest.approx(areas[1], rel=0.02)  # the ground is what it was; pixels nobody judged differ
        assert found.table["mapped_m2"].tolist() != old.table["mapped_m2"].tolist()


# ---------------------------------------------------------------------- the command line
def test_the_command_line_draws_and_assesses(begun, copy, tmp_path, geolabel, refused):
    truth = begun[1]
    code, said, _ = geolabel("accuracy", copy, "-n", 200, "--plan", tmp_path / "points.csv")
    assert code == 0
    assert "200 points, compromise: burned 75, none 125" in said
    rows = pd.read_csv(tmp_path / "points.csv")
    rows["class"] = np.where(truth[rows["row"], rows["col"]], "burned", NONE)
    filled = tmp_path / "filled.csv"
    rows.to_csv(filled, index=False)
    code, said, _ = geolabel("accuracy", copy, "--reference", filled)
    assert code == 0
    assert "overall accuracy 0.9" in said
    assert "burned: " in said
    assert "points of" in refused("accuracy", copy, "--reference", foreign(rows, tmp_path))


def foreign(rows, folder):
    """A file of points of another project."""
    path = folder / "foreign.csv"
    rows.assign(point_id="abc123-001").to_csv(path, index=False)
    return path
