"""The way of tasks through a project: given out, answered, disputed, sent back, corrected, accepted; and on the command line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import QualityError, StoreError
from geolabel.steps.board import Board
from geolabel.steps.consensus import GOLD
from geolabel.tables import STATES, check
from labels import answer

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
TOLD = {"title": "Reviewed", "tasks": {"tile": 64}, "review": {"gold_rate": 0.0, "more_if_disputed": 1}}
SIDE = np.arange(64) < 32
HALF, NARROW, ALL = (np.broadcast_to(row, (64, 64)) for row in (SIDE, np.arange(64) < 8, SIDE | ~SIDE))


@pytest.fixture
def project(tmp_path, window):
    with gl.Project.create(tmp_path / "project", config=Config.read(TOLD, where="test")) as made:
        made.add(before=window.scene("before"), after=window.scene("after"))
        made.plan("burn")  # 2 x 2 tiles
        yield made


def tell(project, task, by, mask=HALF, **more):
    return answer(task, project.view.grid, mask, by=by, **more)


def work(project, who, mask=HALF, now=NOW):
    """Somebody asks for a task and answers it."""
    given = project.next(who, now=now)
    project.submit([tell(project, given.task, given.lease.annotator, mask, at=now)])
    return given.task


def states(project):
    return dict(project.states("burn")[["task", "state"]].itertuples(index=False))


def test_four_tasks_go_to_two_people_each_and_nobody_gets_one_twice(project):
    given = {who: [work(project, f"person:{who}").id for _ in range(4)] for who in "ab"}
    assert all(len(set(own)) == 4 for own in given.values())
    assert project.next("person:a", now=NOW) is None
    assert project.next("person:c", now=NOW) is None  # nothing is left, for anybody
    assert project.held(NOW) == []
    assert set(states(project).values()) == {"answered"}
    events = project.ledger.events("review")
    assert {(one.payload["from"], one.payload["to"], one.payload["by"]) for one in events} == {
        ("new", "answered", "system:geolabel")
    }
    assert project.check() == []


def test_the_whole_way_of_a_disputed_task(project):
    task = work(project, "person:a", HALF)
    project.submit([tell(project, task, "person:b", NARROW)])
    assert project.settle() == 1
    assert project.settle() == 0  # nothing changed: nothing is written
    assert states(project)[task.id] == "disputed"
    queue = project.review_queue()
    assert list(queue["task"]) == [task.id]
    assert queue["agreement"][0] < 1
    given = project.next("person:c", now=NOW)
    assert given.task.id == task.id  # where they dispute one more is asked, before anything new
    project.release(given, now=NOW)

    with pytest.raises(QualityError, match="may not review"):
        project.review(task, "person:a", "accept", why="mine")
    back = project.review(task, "person:rev", "send back", why="the edge is 200 m off", minutes=2)
    assert (back.state, back.rounds, back.minutes) == ("sent back", 1, 2.0)
    old = project.ledger.answers(task.id, "person:b")[0]
    project.submit([tell(project, task, "person:b", HALF, supersedes=old.uuid)])
    assert states(project)[task.id] == "answered"
    project.settle()
    assert states(project)[task.id] == "agreed"
    assert project.review(task, "person:rev", "accept", why="as the image shows it").state == "accepted"
    assert project.rework([task], by="Lead", why="the instruction changed") == 1
    assert [event.payload["to"] for event in project.ledger.events("review", task.id)] == [
        "answered", "disputed", "reviewed", "sent back", "answered", "agreed", "reviewed", "accepted", "answered",
    ]  # fmt: skip
    assert project.states("burn").set_index("task")["review_min"][task.id] == 2
    assert project.check() == []


def test_the_state_is_that_of_the_ledger_and_of_nothing_else(project):
    for who in ("a", "b"):
        work(project, f"person:{who}")
    project.settle()
    before = project.states()
    check(before, STATES)
    project.close()
    with gl.Project.open(project.folder) as again:
        pd.testing.assert_frame_equal(again.states(), before)


def test_a_reviewers_correction_stands_until_the_task_is_reopened(project):
    task = work(project, "person:a", HALF)
    project.submit([tell(project, task, who, HALF) for who in ("person:b", "person:c")])
    project.settle()
    given = project.next("person:rev", role="review", now=NOW)
    assert given.task.id == task.id
    whole = tell(project, task, "person:rev", ALL)
    done = project.review(task, "person:rev", "accept", why="they missed the east", correction=whole)
    assert (done.state, done.correction) == ("accepted", whole.uuid)
    assert project.held(NOW) == []
    assert np.nanmean(project.agree()[task.id].probability[0]) == 1
    assert project.settle() == 0
    project.rework([task], by="person:lead", why="the correction was of another date")
    assert np.nanmean(project.agree()[task.id].probability[0] > 0.5) == 0.5  # three votes against one


@pytest.mark.parametrize("change", [{"annotator": "person:z"}, {"outcome": "unsure"}, {"task_id": "another"}])
def test_a_correction_is_the_reviewers_own_answer_to_this_task(project, change):
    task = work(project, "person:a")
    project.submit([tell(project, task, "person:b")])
    project.settle()
    mask = HALF if "outcome" not in change else HALF & False
    wrong = replace(tell(project, task, "person:rev", mask), **change)
    count = len(project.ledger.events())
    with pytest.raises(QualityError, match="correction"):
        project.review(task, "person:rev", "accept", why="w", correction=wrong)
    assert len(project.ledger.events()) == count


def test_a_review_of_what_changed_meanwhile_is_refused(project, monkeypatch):
    task = work(project, "person:a")
    project.submit([tell(project, task, "person:b")])
    project.settle()
    seen = Board.of(project.ledger, task.id)
    project.submit([tell(project, task, "person:c", ALL)])
    monkeypatch.setattr(Board, "of", lambda *_: seen)
    with pytest.raises(StoreError, match=r"faster.*answer by person:c"):
        project.review(task, "person:rev", "accept", why="both agree")


def test_skips_rules_and_gold_fill_no_place(project):
    task = project.tasks()[0]
    nothing = HALF & False
    project.submit([tell(project, task, "person:a", nothing, outcome="skipped")])
    project.submit([tell(project, task, "rule:burned@1")])
    project.submit([tell(project, task, GOLD), tell(project, task, "person:b")])
    assert states(project)[task.id] == "new"
    project.submit([tell(project, task, "person:c")])
    assert states(project)[task.id] == "answered"


def test_a_lease_runs_out_and_what_comes_late_is_kept(project):
    later = NOW + timedelta(minutes=31)
    first = project.next("person:a", now=NOW)
    assert project.next("person:a", now=NOW + timedelta(minutes=1)) == first
    renewed = project.renew(first, now=NOW + timedelta(minutes=20))
    assert [lease.expires_at for lease in project.held(later)] == [renewed.lease.expires_at]
    other = project.next("person:a", now=NOW + timedelta(minutes=60))
    assert other.task.id != first.task.id  # their first is lost to them
    project.submit([tell(project, first.task, "person:a")])
    assert len(project.answers()) == 1
    with pytest.raises(StoreError, match="expired"):
        project.renew(first, now=later)


def test_batches_say_how_many_and_what_first(project):
    tasks = project.tasks()
    project.batch("later", [tasks[0]], priority=0, overlap=1)
    project.batch("urgent", [tasks[3]], priority=5, overlap=3)
    given = [work(project, f"person:{n}").id for n in range(5)]
    assert given[:3] == [tasks[3].id] * 3
    assert given[3] == tasks[0].id
    assert given[4] in {tasks[1].id, tasks[2].id}


def test_who_is_paused_is_given_nothing(project):
    told = {"annotator": "person:a", "state": "paused", "why": "3 of 4 gold tasks missed"}
    project.ledger.append("annotator", actor="system:geolabel", payload=told)
    with pytest.raises(QualityError, match="3 of 4 gold tasks missed"):
        project.next("person:a", now=NOW)
    project.ledger.append("annotator", actor="person:lead", payload={"annotator": "person:a", "state": "reinstated"})
    assert project.next("person:a", now=NOW) is not None


def test_nobody_can_tell_gold_from_an_assignment(tmp_path, window):
    told = {"title": "Gold", "tasks": {"tile": 32, "gold_share": 1.0}, "review": {"gold_rate": 0.5}}
    with gl.Project.create(tmp_path / "gold", config=Config.read(told, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"))
        tiles = [tile.key for tile in project.view.grid.tiles(32)]
        project.plan("burn", promising=tiles[:5])
        purposes = {task.id: task.purpose for task in project.tasks()}
        given = []
        for _ in range(8):
            given.append(one := project.next("person:a", now=NOW))
            nothing = np.zeros((32, 32), bool)
            project.submit([tell(project, one.task, "person:a", nothing)])
        assert {one.task.purpose for one in given} == {"new"}
        assert {purposes[one.task.id] for one in given} == {"new", "gold"}


def test_proposals_are_withheld_from_a_share_of_tasks(tmp_path, window):
    told = {"title": "Shown", "tasks": {"tile": 16}, "review": {"withheld": 0.5}}
    with gl.Project.create(tmp_path / "shown", config=Config.read(told, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"))
        project.plan("burn")
        shown = [project.next(f"person:{n}", now=NOW).proposals for n in range(40)]
        assert 8 < sum(shown) < 32


def test_an_unknown_task_is_named_with_its_neighbour(project):
    task = project.tasks()[0]
    with pytest.raises(QualityError) as raised:
        project.review(task.id.replace("burn", "bum"), "person:a", "accept", why="w")
    assert task.id in raised.value.hint


# ---------------------------------------------------------------------- command line
def test_review_on_the_command_line(project, geolabel, refused):
    task = work(project, "person:a")
    project.submit([tell(project, task, "person:b", NARROW)])
    project.close()
    folder = project.folder
    assert "answered" in geolabel("status", folder)[1]
    code, said, _ = geolabel("queue", folder)
    assert (code, task.id in said, "1 tasks await a review" in said) == (0, True, True)
    assert "--accept or --send-back" in refused("review", folder, task.id, "--by", "Eva", "--why", "w")
    assert "answered this task" in refused("review", folder, task.id, "--by", "person:a", "--why", "w", "--accept")
    how = "--by", "Eva", "--why", "as the image shows it", "--minutes", "1.5"
    assert f"{task.id} is sent back" in geolabel("review", folder, task.id, *how, "--send-back")[1]
    code, said, _ = geolabel("next", folder, "--by", "Zoe")
    assert (code, "until 20" in said) == (0, True)
    assert "nothing is left" in geolabel("next", folder, "--by", "Zoe", "--review")[1]
    code, said, _ = geolabel("status", folder)
    assert (code, "sent back" in said, "1 tasks are being worked on" in said) == (0, True, True)
