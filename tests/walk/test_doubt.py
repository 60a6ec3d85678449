"""Label errors and what to label next, through a project and the command line, on a window of a real scene."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyogrio
import pytest

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import QualityError
from geolabel.ontology import WILDFIRE
from geolabel.quality.consensus.anchoring import withheld
from geolabel.quality.simulate import annotate
from geolabel.steps import unseen
from geolabel.steps.view import read_mask
from geolabel.tables import SUGGESTED, SUSPECTS, check

AT = datetime(2024, 7, 1, 12, tzinfo=UTC)
TOLD = {"title": "Doubted", "tasks": {"gold_share": 0.2, "tile": 16}}
OPTIONS = unseen.UnseenOptions()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, window):
    """A project whose burn tasks are answered: two thirds of the tiles by one person, none by anybody on the last rows."""
    folder = tmp_path_factory.mktemp("doubted") / "project"
    with gl.Project.create(folder, config=Config.read(TOLD, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"), dem=window.path("dem"))
        tasks, mask = project.plan("burn", promising=[]), read_mask(window.path("truth"))
        half = [task for task in tasks if task.tile.row < 0.7 * project.view.grid.height]
        project.submit(annotate(mask, project.view.grid, half, habit="expert", at=AT))
    return folder


@pytest.fixture
def project(folder):
    with gl.Project.open(folder) as project:
        yield project


def truth_of(window):
    return read_mask(window.path("truth"))


def agreed(window, wrong=()):
    codes = np.where(truth_of(window), WILDFIRE["burned"].code, 0).astype(np.uint8)
    for tile in wrong:
        codes[tile.slices] = np.where(codes[tile.slices] == 0, WILDFIRE["burned"].code, 0)
    return codes


def said(project, codes, out=()):
    tasks = project.tasks("burn")
    return unseen.unseen(project.view, "burn", tasks, codes, WILDFIRE, out=set(out), options=OPTIONS)


def test_a_fold_is_named_without_its_own_labels(project, window):
    """Labels of one block turned upside down change nothing of what is said of that block."""
    tasks = project.tasks("burn")
    block = [t for t in tasks if unseen._block(t.tile, OPTIONS.block) == unseen._block(tasks[0].tile, OPTIONS.block)]
    before = said(project, agreed(window)).probability
    after = said(project, agreed(window, [task.tile for task in block])).probability
    for task in block:
        np.testing.assert_array_equal(before[(slice(None), *task.tile.slices)], after[(slice(None), *task.tile.slices)])
    assert not np.array_equal(before, after, equal_nan=True)


def test_gold_does_not_teach(project, window):
    gold = [task for task in project.tasks("burn") if task.purpose == "gold"] or project.tasks("burn")[:3]
    right = said(project, agreed(window), [task.id for task in gold]).probability
    wrong = said(project, agreed(window, [task.tile for task in gold]), [task.id for task in gold]).probability
    np.testing.assert_array_equal(right, wrong)


def test_what_is_said_of_unseen_ground_is_mostly_true(project, window):
    found = said(project, agreed(window))
    assert found.classes == ("nothing", "burned")
    known = np.isfinite(found.probability).all(0)
    truth = truth_of(window)
    right = (found.probability.argmax(0) == truth)[known]
    assert known.mean() > 0.5
    assert right.mean() > 0.8
    assert found.probability[:, known].sum(0) == pytest.approx(1, abs=1e-5)


def test_suspects_are_ranked_with_reasons(project):
    table = check(project.suspects("burn"), SUSPECTS)
    assert table["score"].is_monotonic_increasing
    assert set(table["error"]) <= {"class", "boundary", "missed", "none"}
    assert table.crs == project.view.grid.crs.to_wkt()


def test_a_model_of_ones_own_is_heard(project, window):
    """A model that knows the truth doubts nothing that is right, and finds what was left out."""
    truth = truth_of(window).astype(np.float32)
    table = project.suspects(
        "burn", probability=np.stack([1 - truth, truth]) * 0.96 + 0.02, classes=("nothing", "burned")
    )
    assert (table["error"] != "class").all()
    with pytest.raises(QualityError, match="nothing of burned"):
        project.suspects("burn", probability=np.stack([truth, truth]), classes=("nothing", "water"))
    with pytest.raises(QualityError, match="probabilities of"):
        project.suspects("burn", probability=np.ones((2, 3, 3)), classes=("nothing", "burned"))


def test_suggestions_keep_the_budget_and_leave_gold_alone(project):
    table = check(project.suggest("burn", minutes=3), SUGGESTED)
    gold = {task.id for task in project.tasks("burn") if task.purpose == "gold"}
    assert 0 < table["minutes"].sum() <= 3
    assert not set(table["task"]) & gold
    assert table["task"].is_unique
    answered = {answer.task_id for answer in project.answers()}
    assert ((table["action"] == "relabel") == table["task"].isin(answered)).all()
    again = project.suggest("burn", minutes=3)
    assert list(again["task"]) == list(table["task"])


def test_before_anything_is_labeled_tiles_are_told_apart_by_what_they_look_like(tmp_path, window):
    with gl.Project.create(tmp_path / "new", config=Config.read(TOLD, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"), dem=window.path("dem"))
        project.plan("burn")
        table = check(project.suggest("burn", minutes=1), SUGGESTED)
        assert set(table["action"]) == {"new"}
        assert len(table) > 3
        with pytest.raises(QualityError, match="too little"):
            project.suspects("burn")


def test_what_somebody_holds_is_not_suggested(project):
    first = project.suggest("burn", minutes=1)["task"].iloc[0]
    task = next(one for one in project.tasks("burn") if one.id == first)
    lease = project.ledger.leases.take([(task.id, None)], "person:x", now=datetime.now(UTC))
    assert first not in set(project.suggest("burn", minutes=1)["task"])
    project.ledger.leases.release(lease, now=datetime.now(UTC))


def test_who_copies_what_is_shown_is_found_out(folder, tmp_path, window):
    """One who takes every proposal as it is, and draws the truth where it was withheld: the pull is the whole difference."""
    with gl.Project.open(shutil.copytree(folder, tmp_path / "project")) as project:
        proposals = {one.task_id: one for one in project.rule("burned")}
        name = f"proposal:{next(iter(proposals.values())).annotator}"
        alone = annotate(truth_of(window), project.view.grid, project.tasks("burn"), habit="over", at=AT)
        given = [
            one
            if withheld(one.task_id, one.annotator, share=0.5)
            else replace(proposals[one.task_id], annotator=one.annotator, uuid=one.uuid, at=AT, shown=(name,))
            for one in alone
        ]
        project.submit(given)
        table = project.anchoring("burn").set_index("annotator")
    row = table.loc[alone[0].annotator]
    assert (row["n_shown"] > 5, row["n_withheld"] > 5) == (True, True)
    assert row["iou_shown"] == 1
    assert row["low"] > 0
    assert table.loc["sim:expert-1", "n_shown"] == 0


def test_bad_input_is_told(project, window):
    with pytest.raises(QualityError, match="budget"):
        project.suggest("burn", minutes=0)
    with pytest.raises(QualityError, match="too little is labeled"):
        said(project, np.zeros_like(agreed(window)))
    with pytest.raises(QualityError, match="no task may teach"):
        said(project, agreed(window), [task.id for task in project.tasks("burn")])
    odd = OPTIONS.model_copy(update={"model": "random tree"})
    with pytest.raises(gl.GeolabelError, match="no model"):
        unseen.unseen(project.view, "burn", project.tasks("burn"), agreed(window), WILDFIRE, out=(), options=odd)


def test_verbs_print_tables(folder, geolabel, refused, tmp_path):
    code, text, _ = geolabel("suggest", folder, "--kind", "burn", "--minutes", "2", "--json")
    assert code == 0
    assert {"task", "action", "reason"} <= set(json.loads(text)[0])
    code, text, _ = geolabel("suspects", folder, "--kind", "burn", "--out", tmp_path / "suspects.gpkg")
    assert code == 0
    assert pyogrio.read_info(tmp_path / "suspects.gpkg")["features"] > 0
    assert "gpkg" in refused("suspects", folder, "--kind", "burn", "--out", tmp_path / "suspects.txt")
