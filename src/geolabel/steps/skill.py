"""How good annotators are and how far they agree, of a project's answers; and who is paused for being careless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.ontology import Kind, Ontology
from geolabel.quality.people.sequential import Sprt, Verdict, judge
from geolabel.steps import gold as golds
from geolabel.steps.consensus import used
from geolabel.steps.options import Options
from geolabel.tables import PAUSES

if TYPE_CHECKING:
    from geolabel.quality.people.agreement import Strata
    from geolabel.steps.record import Record
    from geolabel.store.events import Event
    from geolabel.store.ledger import Ledger

SYSTEM, PAUSED, REINSTATED = "system:geolabel", "paused", "reinstated"
SHORT = (
    "annotator",
    "n_gold",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "iou",
    "sensitivity",
    "specificity",
    "bias_m",
)
"""Columns of a table that a person reads at a glance."""


class SkillOptions(Options):
    """What is a passed gold task, and when somebody is paused."""

    pass_iou: float = Field(default=0.7, gt=0, le=1, description="IoU from which a gold task is passed")
    band_px: int = Field(default=2, ge=1, description="width of the band of the boundary IoU in pixels")
    level: float = Field(default=0.95, gt=0, lt=1, description="how often an interval should cover the truth")
    resamples: int = Field(default=1000, ge=100, description="how often gold tasks are drawn again for an interval")
    seed: int = Field(default=0, description="draws them")
    careful: float = Field(default=0.85, gt=0, lt=1, description="share of gold that somebody careful passes at least")
    careless: float = Field(default=0.55, gt=0, lt=1, description="share of gold that somebody careless passes at most")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="share of careful annotators ever paused, at most")
    beta: float = Field(
        default=0.05, gt=0, lt=1, description="share of careless ones cleared by their first test, at most"
    )
    most: int | None = Field(default=None, ge=1, description="gold tasks after which a test without a decision ends")

    @property
    def test(self) -> Sprt:
        """The sequential test."""
        return Sprt(self.careful, self.careless, self.alpha, self.beta, self.most)


@dataclass(frozen=True, slots=True)
class Heard:
    """Answers of one kind of task that are votes, and the truth of its gold tasks."""

    tasks: Sequence[Task]
    grid: Grid
    answers: Sequence[Answer]
    classes: tuple[str, ...]
    gold: Mapping[str, NDArray[Any]]
    """Task id -> (y, x) codes by `classes`, -1 unknown."""

    @classmethod
    def of(cls, record: Record, tasks: Sequence[Task], grid: Grid, ontology: Ontology) -> Heard:
        """What a project heard of these tasks.

        Raises
        ------
        QualityError
            Where gold contradicts itself.
        """
        from geolabel.quality.people.marks import drawn_codes

        ids, known = {task.id: task for task in tasks}, golds.states(record.ledger)
        truth = {key: one for key, one in golds.standing_gold(record).items() if key in ids}
        answers = [one for one in golds.voters(record.answers(), known) if one.task_id in ids]
        classes = tuple(sorted(used(sorted({task.kind for task in tasks}), [*answers, *truth.values()], ontology)))
        codes = {key: drawn_codes(ids[key], grid, one, classes) for key, one in truth.items()}
        return cls(golds.with_purposes(tasks, known), grid, answers, classes, codes)


def kind_of(task_id: str) -> Kind:
    """The kind that stands at the end of a task's id."""
    return cast("Kind", task_id.rpartition("#")[2])


def active(heard: Heard, ledger: Ledger) -> set[str]:
    """People who answered a task and are not paused."""
    from geolabel.quality.consensus.votes import is_machine

    return {one.annotator for one in heard.answers if not is_machine(one.annotator)} - paused(ledger)


# ---------------------------------------------------------------------- tables
def skill(heard: Heard, options: SkillOptions) -> pd.DataFrame:
    """`tables.SKILL` of every annotator who answered gold tasks, by name."""
    from geolabel.quality.people.skill import Standard
    from geolabel.quality.people.skill import skill as scored

    standard = Standard(options.pass_iou, options.band_px, options.level, options.resamples, options.seed)
    return scored(heard.tasks, heard.grid, heard.answers, heard.gold, classes=heard.classes, standard=standard)


def short(table: pd.DataFrame) -> pd.DataFrame:
    """The rows over all classes of a `tables.SKILL`, and the columns that a person reads at a glance."""
    return table.loc[table["class"] == "all", list(SHORT)].reset_index(drop=True)


def right(heard: Heard, options: SkillOptions) -> dict[str, float]:
    """Annotator -> chance that one of their pixels is right, of all whom gold speaks of."""
    if not heard.gold:
        return {}
    table = skill(heard, options)
    known = table.loc[(table["class"] == "all") & table["pixel_accuracy"].notna(), ["annotator", "pixel_accuracy"]]
    return dict(known.itertuples(index=False, name=None))


def agreement(heard: Heard, options: SkillOptions, strata: Strata | None = None) -> pd.DataFrame:
    """`tables.AGREEMENT` of the people who answered the same tasks, whole and by stratum."""
    from geolabel.quality.people.agreement import agreement as found

    how: dict[str, Any] = {"level": options.level, "resamples": options.resamples, "seed": options.seed}
    return found(heard.tasks, heard.grid, heard.answers, classes=heard.classes, strata=strata, **how)


def pairwise(heard: Heard, strata: Strata | None = None) -> pd.DataFrame:
    """`tables.PAIRWISE`: IoU of each two people who answered the same tasks."""
    from geolabel.quality.people.agreement import pairwise as found

    return found(heard.tasks, heard.grid, heard.answers, classes=heard.classes, strata=strata)


def anchoring(heard: Heard, options: SkillOptions) -> pd.DataFrame:
    """How far proposals pull people: for each annotator and proposal IoU with it where shown and where withheld."""
    from geolabel.quality.consensus.anchoring import anchoring as found

    return found(heard.tasks, heard.grid, heard.answers, heard.answers, seed=options.seed)


def feedback(heard: Heard, answer: Answer, options: SkillOptions) -> dict[str, Any]:
    """What the truth of a calibration task says of an answer to it: IoU, whether it is a pass, bias in metres.

    Raises
    ------
    QualityError
        For any other task: whether it is gold, and what is true there, stays hidden.
    """
    from geolabel.quality.people.marks import ALL
    from geolabel.quality.people.skill import marked

    shown = [task for task in heard.tasks if task.id == answer.task_id and task.purpose == "calibration"]
    if not shown or answer.task_id not in heard.gold:
        raise QualityError(f"{answer.task_id!r} is no calibration task", hint="feedback is given on those only")
    found = marked(shown, heard.grid, [answer], heard.gold, classes=heard.classes, band_px=options.band_px)
    if not found:
        raise QualityError(f"an answer that is {answer.outcome} says nothing of the truth", hint="labeled or empty")
    mark = found[0][2][ALL]
    bias = float(np.median(mark.offsets_px)) * heard.grid.res_m if len(mark.offsets_px) else float("nan")
    passed = mark.iou >= options.pass_iou
    return {"iou": mark.iou, "passed": passed, "pass_iou": options.pass_iou, "bias_m": bias}


# ---------------------------------------------------------------------- who is paused
def outcomes(heard: Heard, options: SkillOptions) -> dict[str, list[tuple[Answer, bool]]]:
    """Annotator -> their answers to hidden gold tasks as they came, and whether each is a pass; people only."""
    from geolabel.quality.consensus.votes import is_machine
    from geolabel.quality.people.marks import ALL
    from geolabel.quality.people.skill import marked

    found: dict[str, list[tuple[Answer, bool]]] = defaultdict(list)
    every = marked(heard.tasks, heard.grid, heard.answers, heard.gold, classes=heard.classes, band_px=options.band_px)
    for task, answer, marks in sorted(every, key=lambda one: (one[1].at, one[1].uuid)):
        if task.purpose != "calibration" and not is_machine(answer.annotator):
            found[answer.annotator].append((answer, marks[ALL].iou >= options.pass_iou))
    return dict(sorted(found.items()))


def verdicts(heard: Heard, options: SkillOptions, ledger: Ledger) -> dict[str, Verdict]:
    """Annotator -> where their test stands; who was taken back by somebody begins a new one then."""
    back = {name: datetime.fromisoformat(event.at) for name, event in _last(ledger).items() if _taken_back(event)}
    given, found = outcomes(heard, options), {}
    for name in sorted({*given, *paused(ledger)}):
        counted = [passed for answer, passed in given.get(name, ()) if name not in back or answer.at > back[name]]
        found[name] = judge(counted, options.test)
    return found


def _last(ledger: Ledger) -> dict[str, Event]:
    """Annotator -> the last event that paused them or took them back."""
    states = (PAUSED, REINSTATED)
    return {e.payload["annotator"]: e for e in ledger.events("annotator") if e.payload.get("state") in states}


def _taken_back(event: Event) -> bool:
    return event.payload["state"] == REINSTATED and event.actor != SYSTEM


def paused(ledger: Ledger) -> frozenset[str]:
    """Annotators who are given no task now."""
    return frozenset(name for name, event in _last(ledger).items() if event.payload["state"] == PAUSED)


def pause(ledger: Ledger, found: Mapping[str, Verdict], kind: str) -> pd.DataFrame:
    """`tables.PAUSES` of all tests, after those who fail are paused.

    Who was paused by a test of the same kind that gold, as it stands now, does not fail is taken back: gold was
    overturned.
    """
    for name, verdict in found.items():
        last = _last(ledger).get(name)
        now = last.payload if last is not None and last.payload["state"] == PAUSED else None
        figures = {"kind": kind, "n": verdict.n, "failed": verdict.failed, "llr": verdict.llr, "upper": verdict.upper}
        if verdict.state == "pause" and now is None:
            why = f"failed {verdict.failed} of {verdict.n} gold tasks"
            _say(ledger, name, PAUSED, why, SYSTEM, figures)
        elif verdict.state != "pause" and now is not None and now["figures"].get("kind") == kind:
            _say(ledger, name, REINSTATED, "gold as it stands now does not fail them", SYSTEM, figures)
    return _table(found, ledger)


def reinstate(ledger: Ledger, annotator: str, *, by: str, why: str) -> None:
    """Take a paused annotator back; their next test begins with the gold tasks they answer from now on.

    Raises
    ------
    QualityError
        For somebody who is not paused, or without a reason.
    """
    if annotator not in paused(ledger):
        raise QualityError(
            f"{annotator} is not paused", hint=f"paused: {', '.join(sorted(paused(ledger))) or 'nobody'}"
        )
    if not why.strip():
        raise QualityError(f"{annotator} taken back without a reason", hint="why=..., it stays in the ledger")
    _say(ledger, annotator, REINSTATED, why, by, {})


def _say(ledger: Ledger, name: str, state: str, why: str, by: str, figures: Mapping[str, Any]) -> None:
    ledger.append("annotator", actor=by, payload={"annotator": name, "state": state, "why": why, "figures": figures})


def _table(found: Mapping[str, Verdict], ledger: Ledger) -> pd.DataFrame:
    gone, last = paused(ledger), _last(ledger)
    rows = [
        {
            "annotator": name,
            "state": one.state,
            "n_gold": one.n,
            "n_failed": one.failed,
            "llr": one.llr,
            "lower": one.lower,
            "upper": one.upper,
            "paused": last[name].at if name in gone else None,
        }
        for name, one in found.items()
    ]
    return pd.DataFrame(rows, columns=list(PAUSES))
