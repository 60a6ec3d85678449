"""Gold of a project: which answers are the truth now, who is no voter there, and what no model may learn from.

Everything is read from `gold` events, so a decision on an appeal changes every score that is asked for after it. Those
who make gold and decide on it work in `adjudication`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from geolabel.digests import digest
from geolabel.errors import LeakageError
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Purpose, Task
from geolabel.ontology import Kind
from geolabel.quality.people import gold as golds
from geolabel.quality.people.gold import Gold
from geolabel.steps.consensus import GOLD as TRUTH
from geolabel.steps.consensus import check_same_truth
from geolabel.steps.options import Options
from geolabel.tables import GOLD

if TYPE_CHECKING:
    from geolabel.steps.record import Record
    from geolabel.store.ledger import Ledger

FUSED = "rule:gold@1"
"""Who gives the outlines midway between two experts."""
SAME_OUTLINE = 0.99
"""Share of the greater of two polygons from which they are the same one, through files that round."""
HIDDEN = (TRUTH, FUSED)
"""Annotators whose answers are the truth itself: they vote nowhere, and nobody is shown them."""


class GoldOptions(Options):
    """How gold is made and rotated."""

    agree_iou: float = Field(default=golds.AGREE_IOU, gt=0, le=1, description="IoU from which two experts agree")
    agree_iou_of: dict[str, float] = Field(default_factory=dict, description="the same for single classes, by name")
    seed: int = Field(default=0, description="draws the tasks that take the place of retired gold")


# ---------------------------------------------------------------------- what the ledger says
def states(ledger: Ledger) -> dict[str, Gold]:
    """Task id -> what stands of its gold; only tasks of which something was ever said.

    Raises
    ------
    QualityError
        Where gold contradicts itself.
    """
    return golds.read(event.payload for event in ledger.events("gold"))


def inputs(ledger: Ledger) -> dict[str, str]:
    """Digest of all that was said of gold, for what is made of it; nothing where nothing was said."""
    links = [event.digest for event in ledger.events("gold")]
    return {"gold": digest("gold", links)} if links else {}


def with_purposes(tasks: Iterable[Task], known: Mapping[str, Gold]) -> list[Task]:
    """The tasks with the purpose that they have now: gold in force is `gold` or `calibration`, retired gold is `new`."""
    return [replace(task, purpose=_purpose(known[task.id], task)) if task.id in known else task for task in tasks]


def _purpose(one: Gold, task: Task) -> Purpose:
    if one.in_force:
        return "calibration" if one.use == "calibration" else "gold"
    return "new" if one.state in ("retired", "overturned") else task.purpose  # not made yet: as it was planned


def standing_gold(record: Record) -> dict[str, Answer]:
    """Task id -> the answer that is its truth now, of hidden and of calibration tasks.

    Where the truth is simulated, `sim:truth-1` gives it for tasks that were planned as gold.

    Raises
    ------
    QualityError
        Where gold contradicts itself: two truths stand for one task.
    """
    known = states(record.ledger)
    given = {answer.uuid: answer for answer in record.answers()}
    found = _simulated([task for task in record.tasks() if task.id not in known], given.values())
    for task_id, one in known.items():
        if one.in_force:
            found[task_id] = given.get(str(one.answer)) or earlier(record.ledger, one)
    return dict(sorted(found.items()))


def earlier(ledger: Ledger, one: Gold) -> Answer:
    """An answer that its giver has corrected since: what was decided on stays."""
    return next(answer for answer in ledger.answers(one.task_id, current=False) if answer.uuid == one.answer)


def _simulated(tasks: Sequence[Task], answers: Iterable[Answer]) -> dict[str, Answer]:
    planned = {task.id for task in tasks if task.purpose in ("gold", "calibration")}
    found: dict[str, Answer] = {}
    for answer in answers:
        if answer.annotator == TRUTH and answer.task_id in planned:
            check_same_truth(found.get(answer.task_id), answer)
            found[answer.task_id] = answer
    return found


def voters(answers: Iterable[Answer], known: Mapping[str, Gold]) -> list[Answer]:
    """The answers that are votes: without the truth itself, and those of experts to tasks whose gold they made."""
    made = {key: set(one.experts) for key, one in known.items() if one.in_force}
    return [
        answer
        for answer in answers
        if answer.annotator not in HIDDEN and answer.annotator not in made.get(answer.task_id, ())
    ]


# ---------------------------------------------------------------------- gold never teaches
def held_out(tasks: Iterable[Task], known: Mapping[str, Gold]) -> set[str]:
    """Ids of tasks that no model may learn from: gold and calibration, planned, proposed, in force or retired."""
    return {task.id for task in tasks if task.purpose in ("gold", "calibration")} | set(known)


def teachable(answers: Iterable[Answer], out: Collection[str]) -> list[Answer]:
    """The answers that a model may learn from."""
    return [answer for answer in answers if answer.task_id not in out and answer.annotator not in HIDDEN]


def check_unleaked(polygons: Any, answers: Iterable[Answer], out: Collection[str]) -> None:
    """Raise LeakageError where one of these `tables.SHAPES` was drawn in an answer to a held-out task.

    It was where it meets a shape of such an answer and has its `label_id`, or its outline.
    """
    drawn = [answer.shapes for answer in answers if answer.task_id in out and len(answer.shapes)]
    if not drawn or not len(polygons):
        return
    metric = drawn[0].crs
    known = pd.concat([frame.to_crs(metric)[["label_id", "geometry"]] for frame in drawn], ignore_index=True)
    given = polygons.to_crs(metric)
    own, other = known.sindex.query(given.geometry, predicate="intersects")
    one, two = given.iloc[own].reset_index(drop=True), known.iloc[other].reset_index(drop=True)
    shared = one.geometry.intersection(two.geometry).area
    alike = shared >= SAME_OUTLINE * np.maximum(one.geometry.area, two.geometry.area)
    leaked = (shared > 0) & (alike | (one["label_id"] == two["label_id"]))
    if leaked.any():
        names = sorted(set(one.loc[leaked, "label_id"].astype(str)))
        raise LeakageError(
            f"{len(names)} polygons were drawn on gold tasks: {', '.join(names[:3])}",
            hint="gold scores people and models, and teaches none: leave them out",
        )


# ---------------------------------------------------------------------- what is shown
def table(record: Record, kind: Kind) -> pd.DataFrame:
    """`tables.GOLD` of a kind: everything of which something was said, by task."""
    known = {key: one for key, one in sorted(states(record.ledger).items()) if key.endswith(f"#{kind}")}
    shown = golds.exposure(known, record.answers(), {key: one.experts for key, one in known.items()})
    rows = [
        {
            "task": key,
            "state": one.state,
            "use": one.use,
            "iou": float("nan") if one.iou is None else one.iou,
            "experts": ", ".join(one.experts),
            "adjudicator": one.adjudicator,
            "n_shown": shown[key],
            "why": one.why,
        }
        for key, one in known.items()
    ]
    return pd.DataFrame(rows, columns=list(GOLD))
