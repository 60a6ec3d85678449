"""Gold, skill, agreement and pauses through a project, on a window of a real scene with simulated annotators."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import geolabel as gl
from geolabel.config import Config
from geolabel.errors import LeakageError, QualityError
from geolabel.quality.simulate import TRUTH, Habit, annotate
from geolabel.steps.gold import FUSED, HIDDEN
from geolabel.steps.skill import paused
from geolabel.steps.view import read_mask
from geolabel.tables import AGREEMENT, GOLD, PAIRWISE, PAUSES, SKILL, check

AT = datetime(2024, 7, 1, 12, tzinfo=UTC)
TOLD = {"title": "Golden", "tasks": {"gold_share": 0.0, "tile": 32}}
EXACT = Habit("exact", 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
KEEN = Habit("keen", 0.0, 0.5, 6.0, 0.3, 1.0, 0.0)
A, B = "sim:keen-1", "sim:keen-2"


class Team:
    """A project whose burn tasks two experts answered."""

    def __init__(self, project, window):
        self.project = project
        self.tasks, self.grid = project.plan("burn"), project.view.grid
        self.mask = read_mask(window.path("truth"))

    def give(self, habit, tasks=None, n=1, **how):
        return self.project.submit(annotate(self.mask, self.grid, tasks or self.tasks, habit=habit, n=n, at=AT, **how))

    def states(self):
        return self.project.gold_tasks("burn").set_index("task")["state"].to_dict()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, window):
    """A project in which all tasks that the two experts agree on are gold."""
    folder = tmp_path_factory.mktemp("golden") / "project"
    with gl.Project.create(folder, config=Config.read(TOLD, where="test")) as project:
        project.add(before=window.scene("before"), after=window.scene("after"), dem=window.path("dem"))
        team = Team(project, window)
        for n in (1, 2):
            team.give(KEEN, n=n)
        for task in team.tasks:
            project.gold(task.id, by=(A, B))
    return folder


@pytest.fixture
def golden(folder, tmp_path, window):
    """A copy of it."""
    with gl.Project.open(shutil.copytree(folder, tmp_path / "project")) as project:
        yield Team(project, window)


def own(table):
    return table[table["class"] == "all"].set_index("annotator")


# ---------------------------------------------------------------------- made, disputed, decided
def test_two_experts_make_gold_and_a_third_decides_where_they_dispute(golden):
    project, states = golden.project, golden.states()
    assert set(states.values()) == {"standing", "disputed"}
    disputed = sorted(key for key, state in states.items() if state == "disputed")
    check(project.gold_tasks("burn"), GOLD)
    assert set(project.standing_gold()) == set(states) - set(disputed)
    golden.give(EXACT, [task for task in golden.tasks if task.id in disputed])
    decided = project.adjudicate(disputed[0], by="sim:exact-1", why="the northern edge is smoke")
    assert (decided.state, decided.adjudicator) == ("standing", "sim:exact-1")
    truth = project.standing_gold()[disputed[0]]
    assert truth.annotator == "sim:exact-1"
    if len(disputed) > 1:
        first = project.adjudicate(
            disputed[1], by="sim:exact-1", why="A is right", answer=decided_first(project, disputed[1])
        )
        assert project.standing_gold()[disputed[1]].uuid == first.answers[0]
    assert project.check() == []


def decided_first(project, task_id):
    """The first expert's answer to a task."""
    return next(one.uuid for one in project.answers() if one.task_id == task_id and one.annotator == A)


def test_made_again_it_is_what_it_was(golden):
    events = len(golden.project.ledger.events())
    for task in golden.tasks:
        golden.project.gold(task.id, by=(B, A))
    assert len(golden.project.ledger.events()) == events


def test_gold_has_its_purpose_and_its_id_hides_it(golden):
    before = {task.id for task in golden.tasks}
    now = golden.project.tasks("burn")
    assert {task.id for task in now} == before
    assert {task.id for task in now if task.purpose == "gold"} == set(golden.project.standing_gold())


def test_the_truth_votes_nowhere_and_is_not_given_out(golden, tmp_path):
    golden.give("over")
    agreed = golden.project.agree()
    gold = set(golden.project.standing_gold())
    for key, one in agreed.items():
        assert not set(one.weights) & set(HIDDEN)
        assert (A in one.weights) == (key not in gold)  # experts vote where they made no gold
    path = golden.project.export("geoparquet", tmp_path / "answers.parquet", what="answers", lossy=True)
    import geopandas as gpd

    assert not set(gpd.read_parquet(path)["annotator"]) & set(HIDDEN)


def test_gold_that_changes_makes_another_consensus(golden):
    golden.give("over")
    golden.project.agree()
    golden.project.retire(sorted(golden.project.standing_gold())[0], by="sim:exact-1", why="the scene was cloudy")
    golden.project.agree()
    assert len(golden.project.ledger.products("consensus")) == 2


def test_refused(golden):
    project, (task, *_) = golden.project, sorted(golden.project.standing_gold())
    golden.give(EXACT)
    refused = {
        "two, and a third": lambda: project.gold(task, by=(A,)),
        "no task": lambda: project.gold("nowhere", by=(A, B)),
        "did not answer": lambda: project.gold(task, by=(A, "sim:over-1")),
        "contradicts itself": lambda: project.gold(task, by=(A, "sim:exact-1")),
        "not disputed": lambda: project.adjudicate(task, by="sim:exact-1", why="x"),
        "without a reason": lambda: project.appeal(task, by="sim:exact-1", why=" "),
        "not upheld next": lambda: project.decide(task, by="sim:exact-1", upheld=True, why="x"),
        "tests of": lambda: project.calibrate("burn", 999),
    }
    for words, do in refused.items():
        with pytest.raises(QualityError) as error:
            do()
        assert error.value.hint, words
    assert set(golden.states().values()) == {"standing", "disputed"}


# ---------------------------------------------------------------------- appeal
def hardest(team):
    """Id of the gold task with the most burned ground."""
    return max(team.project.standing_gold().items(), key=lambda one: one[1].shapes.area.sum())[0]


def test_an_appeal_that_is_won_changes_the_scores(golden):
    """The gold of one task is wrong (both experts drew a shape that is not there); overturned, who was right passes."""
    project, task = golden.project, next(task for task in golden.tasks if task.id == hardest(golden))
    golden.give(EXACT)
    for n in (1, 2):
        golden.give(Habit("late", -4.0, 0.1, 9.0, 0.0, 1.0, 0.0), [task], n=n)
    project.retire(task.id, by="sim:exact-1", why="made anew")
    assert project.gold(task.id, by=("sim:late-1", "sim:late-2")).state == "standing"
    wrong = own(project.skill("burn")).loc["sim:exact-1"]
    appealed = project.appeal(task.id, by="sim:exact-1", why="the scar reaches farther")
    assert appealed.in_force
    assert own(project.skill("burn")).loc["sim:exact-1"].equals(wrong)
    with pytest.raises(QualityError, match="decide twice"):
        project.decide(task.id, by="sim:exact-1", upheld=False, why="I say so")
    golden.give(EXACT, [task], n=2)
    project.decide(task.id, by="sim:exact-2", upheld=False, why="it does")
    right = own(project.skill("burn")).loc["sim:exact-1"]
    assert right["iou"] > wrong["iou"]
    assert golden.states()[task.id] == "overturned"


def test_an_appeal_that_is_lost_changes_nothing_but_the_record(golden):
    golden.give("over")
    project, task = golden.project, hardest(golden)
    before = project.skill("burn")
    project.appeal(task, by="sim:over-1", why="I see more")
    golden.give(EXACT, [one for one in golden.tasks if one.id == task])
    project.decide(task, by="sim:exact-1", upheld=True, why="there is no more")
    assert golden.states()[task] == "upheld"
    after = project.skill("burn")
    columns = ["iou", "accuracy", "bias_m"]
    assert own(after).loc["sim:over-1", columns].equals(own(before).loc["sim:over-1", columns])


def test_overturned_without_another_truth_there_is_no_gold(golden):
    golden.give("over")
    task = hardest(golden)
    golden.project.appeal(task, by="sim:over-1", why="it is cloud")
    golden.project.decide(task, by="person:judge", upheld=False, why="nobody can say")
    assert task not in golden.project.standing_gold()
    assert next(one for one in golden.project.tasks("burn") if one.id == task).purpose == "new"


# ---------------------------------------------------------------------- skill and agreement
def test_experts_are_not_scored_on_what_they_made(golden):
    golden.give("over")
    table = check(golden.project.skill("burn"), SKILL)
    assert set(table["annotator"]) == {"sim:over-1"}
    assert own(table)["bias_m"]["sim:over-1"] > 0


def test_agreement_by_severity_slope_and_cloud(golden):
    golden.give("over")
    for by, names in {
        None: ["all"],
        "severity": ["all", "unburned", "low", "moderate", "high"],
        "slope": ["all", "below 5 deg", "5 to 15 deg", "15 to 30 deg", "30 deg and more"],
        "cloud": ["all", "clear", "some cloud near", "much cloud near"],
    }.items():
        table = check(golden.project.agreement("burn", by=by), AGREEMENT)
        assert table["stratum"].tolist() == names
        parts = table["n_pixels"].tolist()
        assert sum(parts[1:]) <= parts[0]
    check(golden.project.pairwise("burn", by="slope"), PAIRWISE)
    with pytest.raises(QualityError, match="agreement by 'weather'"):
        golden.project.agreement("burn", by="weather")


# ---------------------------------------------------------------------- rotation and calibration
def test_gold_that_everybody_saw_rotates(golden):
    project, gold = golden.project, sorted(golden.project.standing_gold())
    seen = [task for task in golden.tasks if task.id in gold[:3]]
    golden.give("over", seen)
    golden.give("under", seen[:2])
    people = ("sim:over-1", "sim:under-1")
    assert project.gold_tasks("burn").set_index("task")["n_shown"][gold[0]] == 2
    retired, proposed = project.rotate("burn", people)
    assert [one.task_id for one in retired] == [task.id for task in seen[:2]]
    assert not {one.task_id for one in proposed} & set(gold)
    states = golden.states()
    assert [states[one.task_id] for one in retired] == ["retired"] * 2
    assert all(states[one.task_id] == "proposed" for one in proposed)
    assert project.rotate("burn", people) == ([], [])


def test_calibration_tells_its_truth_and_hidden_gold_does_not(golden):
    project = golden.project
    (easy,) = project.calibrate("burn", 1)
    hidden = next(key for key in sorted(project.standing_gold()) if key != easy.task_id)
    golden.give("over")
    given = {one.task_id: one for one in project.answers() if one.annotator == "sim:over-1"}
    told = project.feedback(given[easy.task_id])
    assert 0 <= told["iou"] <= 1
    assert told["passed"] == (told["iou"] >= told["pass_iou"])
    with pytest.raises(QualityError, match="no calibration task"):
        project.feedback(given[hidden])
    with pytest.raises(QualityError, match="says nothing"):
        project.feedback(replace(given[easy.task_id], outcome="unsure", shapes=given[easy.task_id].shapes[:0]))
    assert own(project.skill("burn"))["n_gold"].tolist() == [len(project.standing_gold()) - 1]


# ---------------------------------------------------------------------- gold never teaches
def test_gold_never_trains_a_model(golden):
    project, view, team = golden.project, golden.project.view, golden
    tasks = project.plan("terrain")
    drawn = [
        replace(one, shapes=one.shapes.assign(**{"class": "forest"}), annotator=name, uuid=f"{name}{one.uuid}"[:36])
        for n, name in ((1, "person:a"), (2, "person:b"))
        for one in annotate(team.mask, view.grid, tasks, habit=EXACT, n=n, at=AT)
    ]
    project.submit(drawn)
    gold = next(one.task_id for one in drawn if one.outcome == "labeled")
    project.gold(gold, by=("person:a", "person:b"))
    leaked = next(one for one in drawn if one.task_id == gold).shapes
    with pytest.raises(LeakageError, match="drawn on gold tasks"):
        project.learn(leaked)
    with pytest.raises(LeakageError):
        project.learn(leaked.assign(label_id="renamed").to_crs("EPSG:4326"))
    from geolabel.steps import gold as golds

    held = golds.held_out(project.tasks(), golds.states(project.ledger))
    assert gold in held
    assert gold not in {one.task_id for one in golds.teachable(project.answers(), held)}
    assert FUSED not in {one.annotator for one in golds.teachable(project.answers(), held)}


# ---------------------------------------------------------------------- pauses
def test_a_careless_annotator_is_paused_and_an_expert_is_not(golden):
    golden.give("spammer")
    golden.give(EXACT)
    table = check(golden.project.pauses("burn"), PAUSES).set_index("annotator")
    assert table["state"]["sim:spammer-1"] == "pause"
    assert table["state"]["sim:exact-1"] != "pause"
    assert paused(golden.project.ledger) == {"sim:spammer-1"}
    events = len(golden.project.ledger.events())
    golden.project.pauses("burn")
    assert len(golden.project.ledger.events()) == events  # said once
    golden.project.reinstate("sim:spammer-1", by="person:lead", why="has been trained")
    assert paused(golden.project.ledger) == frozenset()
    again = golden.project.pauses("burn").set_index("annotator")
    assert again["n_gold"]["sim:spammer-1"] == 0  # what was before is not held against them
    with pytest.raises(QualityError, match="is not paused"):
        golden.project.reinstate("sim:spammer-1", by="person:lead", why="again")


def test_a_pause_falls_with_the_gold_that_it_rests_on(golden):
    golden.give("spammer")
    golden.project.pauses("burn")
    assert paused(golden.project.ledger) == {"sim:spammer-1"}
    for task in sorted(golden.project.standing_gold()):
        golden.project.retire(task, by="person:lead", why="the experts had the wrong scene")
    golden.project.pauses("burn")
    assert paused(golden.project.ledger) == frozenset()


def test_simulated_truth_that_contradicts_itself_is_told(golden):
    team = golden
    tasks = [replace(task, purpose="gold") for task in team.tasks]
    team.project.record.keep_tasks([replace(task, kind="terrain") for task in tasks])
    terrain = team.project.tasks("terrain")
    for n, mask in enumerate((team.mask, ~team.mask)):
        given = annotate(mask, team.grid, terrain[:1], habit=TRUTH, at=AT, label="forest")
        team.project.submit([replace(one, uuid=f"truth-{n}") for one in given])
    with pytest.raises(QualityError, match="contradicts itself"):
        team.project.skill("terrain")


# ---------------------------------------------------------------------- command line
def test_on_the_command_line(golden, geolabel, refused):
    project, folder = golden.project, golden.project.folder
    golden.give("over")
    golden.give("under")
    gold, task = len(project.standing_gold()), hardest(golden)
    project.close()
    code, said, _ = geolabel("skill", folder, "--kind=burn")
    assert code == 0
    assert "sim:over-1" in said
    rows = json.loads(geolabel("skill", folder, "--json")[1])
    assert set(rows[0]) == set(SKILL.kinds)
    assert {row["n_gold"] for row in rows if row["class"] == "all"} == {gold}
    assert "sim:over-1" in geolabel("skill", folder, "--pause")[1]
    assert "5 to 15 deg" in geolabel("agreement", folder, "--by=slope")[1]
    assert "sim:under-1" in geolabel("agreement", folder, "--pairs")[1]
    assert "standing" in geolabel("gold", folder)[1]
    said = geolabel("gold", folder, "--do=appeal", f"--task={task}", "--by=sim:over-1", "--why=too small", "--json")[1]
    assert {row["task"]: row["state"] for row in json.loads(said)}[task] == "appealed"
    assert "once" in refused("gold", folder, "--do=retire", f"--task={task}", "--why=old")
    assert "no gold" in refused("gold", folder, "--do=appeal", "--task=nowhere", "--by=sim:over-1", "--why=x")
