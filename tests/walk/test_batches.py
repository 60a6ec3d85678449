"""Batches from plan to delivery and rework, through a project on a window of a real scene with simulated annotators."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import geopandas as gpd
import pytest

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import InputError, QualityError
from geolabel.nouns.batch import Acceptance, Batch, Rate
from geolabel.ontology import Migration
from geolabel.quality.simulate import TRUTH, Habit, annotate
from geolabel.shapes import area_m2
from geolabel.steps.view import read_mask

AT = datetime(2024, 7, 1, 12, tzinfo=UTC)
EXACT = Habit("exact", 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
"""Draws the truth, and votes: answers of `TRUTH` are gold, which nobody hears."""
AGAIN = Habit("exact", 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
"""Another one who does."""
TERMS = {"overlap": 2, "acceptance": Acceptance(0.04, 0.3), "rate": Rate(36, "EUR")}


class Team:
    """A project with burn tasks, what simulated people answer to them, and the truth."""

    def __init__(self, folder, window, tile):
        told = {"title": "Batched", "tasks": {"gold_share": 0.0, "tile": tile}}
        self.project = gl.Project.create(folder, config=Config.read(told, where="test"))
        self.project.add(before=window.scene("before"), after=window.scene("after"))
        self.tasks, self.grid = self.project.plan("burn"), self.project.view.grid
        self.mask = read_mask(window.path("truth"))

    def drawn(self, habit, tasks, **how):
        return annotate(self.mask, self.grid, tasks, habit=habit, at=AT, **how)

    def truth(self, ids):
        asked = [task for task in self.tasks if task.id in set(ids)]
        return {answer.task_id: answer for answer in self.drawn(TRUTH, asked)}


@pytest.fixture
def team(tmp_path, window):
    """Four tasks."""
    made = Team(tmp_path / "project", window, 64)
    yield made
    made.project.close()


@pytest.fixture
def large(tmp_path, window):
    """Sixteen tasks."""
    made = Team(tmp_path / "project", window, 32)
    yield made
    made.project.close()


def answered(team, *habits):
    for habit in habits:
        team.project.submit(team.drawn(habit, team.tasks, n=2 if habit is AGAIN else 1))


def accepted(team, name="all"):
    """A batch that is answered by experts, drawn and found without defect."""
    answered(team, EXACT, AGAIN)
    team.project.batch(name, team.tasks, **TERMS)
    sample = team.project.draw_sample(name)
    return team.project.inspect(name, team.truth(sample.task_ids), by="Ina Inspector", minutes=12.0)


def states(project):
    return dict(zip(*(project.batches()[name] for name in ("batch", "state")), strict=True))


# ---------------------------------------------------------------------- the flow
def test_a_batch_from_plan_to_a_second_version(large):
    project = large.project
    project.batch("all", large.tasks, due=datetime(2026, 2, 1, tzinfo=UTC), **TERMS)
    assert states(project) == {"all": "planned"}
    answered(large, "over")
    assert states(project) == {"all": "open"}
    with pytest.raises(QualityError, match=f"{len(large.tasks)} of {len(large.tasks)} tasks .* fewer than 2 answers"):
        project.draw_sample("all")
    answered(large, "coarse")
    sample = project.draw_sample("all")
    assert project.draw_sample("all", seed=9) == sample  # nobody draws for luck
    said = project.inspect("all", large.truth(sample.task_ids), by="Ina Inspector", minutes=10)
    assert said.decision == "reject"  # over-tracers both
    with pytest.raises(QualityError, match="rejected"):
        project.deliver("all")
    answered(large, EXACT, AGAIN)
    with pytest.raises(QualityError, match="changed since they were inspected"):
        project.deliver("all")
    again = project.draw_sample("all")
    assert again.labels != sample.labels
    project.inspect("all", dict.fromkeys(again.task_ids), by="Ina Inspector", minutes=5)
    first = project.deliver("all", by="Lea Lead")
    assert (first.version, states(project), first.check()) == (1, {"all": "delivered"}, [])
    assert project.deliver("all") == first
    answered(large, "under")
    with pytest.raises(QualityError, match="no longer those of its version 1"):
        project.deliver("all")
    project.reopen("all", "the scar is too large in the north", by="Lea Lead")
    assert states(project) == {"all": "reopened"}
    second = project.deliver("all", despite="the customer waits")
    assert second.version == 2
    assert project.check() == []
    assert [one.version for one in project.deliveries("all")] == [1, 2]
    assert project.batches()["review_min"].tolist() == [15.0]
    assert "Reopened: the scar is too large in the north" in second.changelog
    assert second.manifest["despite"] == "the customer waits"
    assert second.changelog.count("## Version") == 2


def test_a_reopened_batch_without_changes_is_the_same_version(team):
    accepted(team)
    first = team.project.deliver("all")
    team.project.reopen("all", "a doubt")
    assert team.project.deliver("all") == first
    assert states(team.project) == {"all": "delivered"}
    with pytest.raises(QualityError, match="without a reason"):
        team.project.reopen("all", " ")


def test_a_project_opened_again_knows_its_batches(team):
    accepted(team)
    first, before = team.project.deliver("all"), team.project.batches()
    team.project.close()
    with gl.Project.open(team.project.folder) as again:
        assert again.batches().equals(before)
        assert again.deliver("all") == first
        assert again.check() == []
    team.project = gl.Project.open(team.project.folder)


# ---------------------------------------------------------------------- what a delivery says
def test_a_delivery_says_what_it_holds_and_hides_people(team):
    said = accepted(team)
    folder = team.project.deliver("all", by="Lea Lead").folder
    told = json.loads((folder / "manifest.json").read_text())
    listed = {one["path"] for one in told["files"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert listed == there - {"manifest.json"}
    assert {"labels.parquet", "CHANGELOG.md", "tiles/index.geojson", "tiles/masks/0_0.tif"} <= listed
    assert told["sampling"]["decision"] == "accept" == said.decision
    assert told["counts"]["tiles"] == len(team.tasks)
    assert told["terms"]["overlap"] == 2
    assert told["ontology"]["digest"] == team.project.ontology.digest
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not any(name in content for name in (b"Ina Inspector", b"Lea Lead"))
    index = json.loads((folder / "tiles" / "index.geojson").read_text())["features"]
    assert {(one["properties"]["batch"], one["properties"]["export_version"]) for one in index} == {("all", 1)}
    labels = gpd.read_parquet(folder / "labels.parquet")
    assert told["counts"]["area_m2"]["burned"] == pytest.approx(labels["area_m2"].sum(), rel=1e-6)
    assert all(not path.stat().st_mode & 0o222 for path in folder.rglob("*") if path.is_file())


def test_a_batch_holds_its_own_tiles_only(team):
    answered(team, EXACT, AGAIN)
    left = [task for task in team.tasks if task.tile.col < 64]
    team.project.batch("west", left, **TERMS)
    folder = team.project.deliver("west", despite="a test").folder
    assert len(list((folder / "tiles" / "masks").iterdir())) == len(left)
    answers = json.loads((folder / "tiles" / "answers.geojson").read_text())["features"]
    tiles = {one["properties"]["tile_id"] for one in answers}
    assert tiles == {task.tile_id for task in left}


def test_the_changelog_tells_what_changed(team):
    answered(team, EXACT)
    team.project.batch("all", team.tasks, acceptance=Acceptance())
    first = team.project.deliver("all", despite="a first look")
    assert first.changelog.count("First version") == 1
    there = [one for one in team.project.answers() if len(one.shapes)]
    victim = max(there, key=lambda one: one.shapes.area.sum())
    team.project.reopen("all", "one tile is no scar")
    gone = replace(victim, shapes=victim.shapes.iloc[:0], outcome="empty", supersedes=victim.uuid, uuid=str(uuid4()))
    team.project.submit([gone])
    second = team.project.deliver("all", despite="a second look")
    told = second.manifest["changes"]
    key = next(task.tile.key for task in team.tasks if task.id == victim.task_id)
    assert told["tiles"] == {"added": [], "changed": [key], "removed": []}
    was, now = told["area_m2"]["burned"]
    assert was - now == pytest.approx(area_m2(victim.shapes).sum(), rel=1e-3)
    before = set(gpd.read_parquet(first.folder / "labels.parquet")["label_id"])
    after = set(gpd.read_parquet(second.folder / "labels.parquet")["label_id"])
    changed = told["labels"]["changed"]
    assert {*told["labels"]["removed"], *(a for a, b in changed if a != b)} == before - after
    assert {*told["labels"]["added"], *(b for a, b in changed if a != b)} == after - before


# ---------------------------------------------------------------------- what is refused
def test_a_changed_a_missing_and_an_added_file_are_found(team):
    accepted(team)
    one = team.project.deliver("all")
    victim = one.folder / "tiles" / "masks" / "0_0.tif"
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(content)
    assert team.project.check() == ["the delivery v1 of batch all: tiles/masks/0_0.tif was changed"]
    victim.unlink()
    (one.folder / "note.txt").write_text("x")
    assert one.check() == ["tiles/masks/0_0.tif is missing", "note.txt is not in the manifest"]
    (one.folder / "manifest.json").chmod(0o644)
    (one.folder / "manifest.json").write_text("{}")
    assert one.check() == ["manifest.json was changed"]
    shutil.rmtree(one.folder)
    assert one.check() == ["the folder v1 is missing"]


def test_a_task_is_in_one_batch_until_it_is_delivered(large):
    project = large.project
    terms = {"acceptance": Acceptance()}
    planned = project.batch("one", large.tasks[:4], **terms)
    assert project.batch("one", large.tasks[:4], **terms) == planned
    with pytest.raises(QualityError, match="with other terms"):
        project.batch("one", large.tasks[:4], priority=3)
    with pytest.raises(QualityError, match="2 tasks of batch 'two' are in batch 'one', which is not delivered"):
        project.batch("two", large.tasks[2:6])
    with pytest.raises(QualityError, match="no burn tasks of this project"):
        project.batch("two", ["elsewhere#burn"])
    with pytest.raises(QualityError, match="no batch 'onn'") as caught:
        project.deliver("onn")
    assert "'one'" in caught.value.hint
    answered(large, EXACT)
    project.deliver("one", despite="a test")
    assert project.batch("two", large.tasks[2:6]).name == "two"


def test_the_order_of_work(large):
    project, day = large.project, datetime(2026, 3, 1, tzinfo=UTC)
    project.batch("late", large.tasks[:2])
    project.batch("soon", large.tasks[2:4], due=day)
    project.batch("first", large.tasks[4:6], priority=1)
    assert project.batches()["batch"].tolist() == ["first", "soon", "late"]
    assert project.change_batch("late", priority=2, by="Lea Lead").task_ids == tuple(
        sorted(t.id for t in large.tasks[:2])
    )
    assert project.batches()["batch"].tolist() == ["late", "first", "soon"]


def test_an_inspection_is_of_the_drawn_sample_once(team):
    answered(team, EXACT, AGAIN)
    team.project.batch("all", team.tasks, **TERMS)
    with pytest.raises(QualityError, match="no sample was drawn"):
        team.project.inspect("all", {}, by="Ina Inspector")
    sample = team.project.draw_sample("all")
    with pytest.raises(QualityError, match="not those that were drawn"):
        team.project.inspect("all", dict.fromkeys(sample.task_ids[1:]), by="Ina Inspector")
    told = {**dict.fromkeys(sample.task_ids), sample.task_ids[0]: "the island is missed"}
    said = team.project.inspect("all", told, by="Ina Inspector")
    assert said.defects == 1
    with pytest.raises(QualityError, match="was inspected"):
        team.project.inspect("all", dict.fromkeys(sample.task_ids), by="Ina Inspector")


def test_labels_of_a_restricted_scene_stay(tmp_path, window):
    with gl.Project.create(tmp_path / "closed") as project:
        project.add(before=window.scene("before"), after=window.scene("after"), access="restricted")
        tasks = project.plan("burn")
        project.submit(annotate(read_mask(window.path("truth")), project.view.grid, tasks, habit="expert", at=AT))
        project.batch("all", tasks)
        with pytest.raises(InputError, match="restricted"):
            project.deliver("all", despite="a test")
        assert project.deliver("all", despite="a test", restricted=True).manifest["access"] == "restricted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "North 1"}, {"task_ids": ()}, {"task_ids": ("a", "a")}, {"overlap": 0}, {"kind": "cloud"},
        {"due": datetime(2026, 1, 1)},
    ],
)  # fmt: skip
def test_impossible_batches_are_refused(wrong):
    given = {"name": "north", "kind": "burn", "task_ids": ("a", "b"), **wrong}
    with pytest.raises(InputError):
        Batch(**given)
    with pytest.raises(InputError):
        Rate(-1)
    with pytest.raises(InputError):
        Rate(1, "euro")


def test_a_batch_comes_back_from_plain_values():
    one = Batch("north", "burn", ("b", "a"), 2, datetime(2026, 1, 1, tzinfo=UTC), 3, Acceptance(), Rate(20.5, "USD"))
    assert Batch.from_row(json.loads(json.dumps(one.to_row()))) == one
    assert one.task_ids == ("a", "b")


def test_a_version_that_no_event_speaks_of_is_made_anew(team):
    accepted(team)
    left = team.project.folder / "deliveries" / "all" / "v1"  # of a run that was killed before it could say so
    left.mkdir(parents=True)
    (left / "half.geojson").write_text("{")
    assert team.project.deliver("all").check() == []
    assert not (left / "half.geojson").exists()


# ---------------------------------------------------------------------- what is accepted, and what it took
def test_a_lot_that_passes_accepts_its_agreed_tasks_and_rework_asks_again(team):
    project = team.project
    accepted(team)
    project.settle()
    project.deliver("all", by="Lea Lead")
    moved = project.states().set_index("task")["state"]
    assert set(moved) == {"accepted"}
    victim = team.tasks[3].id
    with pytest.raises(QualityError, match="no task of batch"):
        project.reopen("all", "why", tasks=["x#burn"])
    project.reopen("all", "the island", tasks=[victim], by="Lea Lead")
    again = project.states().set_index("task")["state"]
    assert again[victim] == "answered"
    assert set(again.drop(victim)) == {"accepted"}


def test_the_cost_of_what_was_accepted(team):
    project = team.project
    answered(team, "over", EXACT)
    early = project.cost()
    assert early.accepted_km2 == 0
    assert early.label_min == pytest.approx(sum(one.active_s for one in project.answers()) / 60)
    west = [task for task in team.tasks if task.tile.col < 64]
    project.batch("west", west, overlap=2, rate=Rate(36, "EUR"))
    sample = project.draw_sample("west")
    project.inspect("west", dict.fromkeys(sample.task_ids), by="Ina Inspector", minutes=6)
    project.deliver("west")
    found = project.cost(batch="west")
    own = {task.id for task in west}
    minutes = sum(one.active_s for one in project.answers() if one.task_id in own) / 60 + 6
    assert (found.tasks, found.accepted_tasks) == (len(west), len(west))
    assert found.minutes == pytest.approx(minutes)
    assert found.accepted_km2 == pytest.approx(64 * 128 * team.grid.cell_area_m2() / 1e6, rel=2e-3)
    assert found.money_per_km2 == pytest.approx(minutes / 60 * 36 / found.accepted_km2)
    assert set(found.by_annotator["annotator"].str.partition(":")[0]) == {"sim", "person"}
    whole = project.cost(rate=36)
    assert whole.accepted_km2 == found.accepted_km2
    assert whole.minutes > found.minutes
    assert 0 < found.labeled_km2 < found.accepted_km2


# ---------------------------------------------------------------------- words that change, and edge cases
def test_answers_before_a_change_of_the_instructions_are_flagged(team):
    project = team.project
    answered(team, EXACT)
    project.rule("burned")
    assert not len(project.outdated())
    project.instruct(project.instructions.text + "\n### `burned`\n\nChar counts, ash too.\n")
    found = project.outdated("burn")
    assert set(found["annotator"]) == {"sim:exact-1"}
    assert set(found["task"]) == {task.id for task in team.tasks}
    drawn = {one.task_id for one in project.answers() if one.annotator == "sim:exact-1" and len(one.shapes)}
    assert set(found.loc[found["touch"] == "uses", "task"]) == drawn
    assert found["why"].str.contains("instructions 1 -> 2").all()


def test_answers_that_were_migrated_are_flagged_for_what_nobody_looked_at(team):
    project = team.project
    answered(team, EXACT)
    was = project.ontology
    meant = replace(was["burned"], description="Killed or scorched by fire.")
    now = replace(was, version=was.version + 1, classes=tuple(meant if one.name == "burned" else one for one in was))
    project.migrate(Migration(was, now))
    found = project.outdated()
    assert set(found["class"]) == {"burned"}
    assert set(found["why"]) == {f"{was.id} -> {now.id}: it has another description"}
    assert set(found["task"]) == {task.id for task in team.tasks}
    fresh = replace(team.drawn(AGAIN, team.tasks[:1], n=2)[0], ontology=now.id)
    project.submit([fresh])
    assert fresh.uuid not in set(project.outdated()["answer"])


def test_decisions_on_edge_cases_are_kept_found_and_told(team):
    project = team.project
    assert project.casebook() == ""
    first = project.log_decision(
        "island", "Is an unburned island of three pixels drawn?", "Yes, from two pixels on.", why="Crews use them.",
        by="Lea Lead", classes=["burned"], examples=[team.tasks[0].id, "-34.87,-7.99"],
    )  # fmt: skip
    second = project.log_decision(
        "shadow", "Is shadow burned?", "No.", why="It is dark before the fire too.", by="Lea Lead"
    )
    assert first < second
    assert project.decisions()["number"].tolist() == [first, second]
    assert project.decisions(case="island")["number"].tolist() == [first]
    assert project.decisions(class_="water")["number"].tolist() == [second]  # one that is on all classes
    assert project.decisions(text="THREE pixels")["number"].tolist() == [first]
    assert project.decisions().iloc[0]["examples"].endswith("-34.870000,-7.990000")
    told = project.casebook()
    assert told.startswith("## Decisions on edge cases")
    assert told.index("### Shadow") < told.index("### Unburned islands")
    assert "(burned) Yes, from two pixels on. Why: Crews use them." in told
    told_now = project.instruct(project.instructions.text + "\n" + told)
    assert "### Shadow" in told_now.text
    for wrong in (
        {"case": "cloud"}, {"question": " "}, {"examples": ["nowhere"]},
    ):  # fmt: skip
        given = {"case": "other", "question": "a", "decision": "b", "why": "c", "by": "Lea Lead", **wrong}
        with pytest.raises(QualityError):
            project.log_decision(given.pop("case"), given.pop("question"), given.pop("decision"), **given)


# ---------------------------------------------------------------------- the command line
def test_the_same_by_command(team, geolabel, refused):
    answered(team, EXACT, AGAIN)
    team.project.close()
    folder, by = team.project.folder, ("--by", "Lea Lead")
    assert "north" in geolabel("batch", folder, "north", "--overlap", 2, "--rate", 30, *by)[1]
    assert "not inspected" not in refused("deliver", folder, "north", *by)
    lines = geolabel("sample", folder, "north", *by)[1].splitlines()
    assert lines[-1].startswith(f"inspect these {len(lines) - 1} of {len(team.tasks)} tiles")
    assert "does not say what is wrong" in refused("inspect", folder, "north", "--defect", lines[0], *by)
    assert geolabel("inspect", folder, "north", "--minutes", 4, *by)[1].startswith("accept: 0 of")
    assert "version 1 of batch north" in geolabel("deliver", folder, "north", *by)[1]
    assert "delivered" in geolabel("batch", folder)[1]
    assert "EUR for each km2 of accepted ground" in geolabel("cost", folder, "north")[1].replace("\n", " ")
    assert "another version" in geolabel("reopen", folder, "north", "--why", "a doubt", *by)[1]
    said = ("--question", "Is it?", "--decision", "No.", "--why", "It is not.")
    assert "--by NAME" in refused("decide", folder, "shadow", *said)
    assert "on shadow" in geolabel("decide", folder, "shadow", *said, *by)[1]
    assert "**Is it?** No." in geolabel("decide", folder)[1]
    assert geolabel("outdated", folder)[1].startswith("0 answers")
    assert geolabel("check", folder)[0] == 0
    team.project = gl.Project.open(folder)
