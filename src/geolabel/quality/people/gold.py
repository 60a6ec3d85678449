"""Gold: tasks whose truth two experts agree on, or a third decided; rotated, open to appeal, read from events alone.

proposed -> standing                         two experts agree
proposed -> disputed -> standing             a third person adjudicates
standing -> appealed -> upheld | overturned  another expert decides
any of those in force -> retired             shown to everybody, or given up
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError, nearest
from geolabel.nouns.answer import Answer
from geolabel.quality import scores
from geolabel.quality.consensus.votes import COMPLETE, NOT_JUDGED, Codes, is_machine
from geolabel.quality.distance import signed_distance_px

GoldState = Literal["proposed", "disputed", "standing", "appealed", "upheld", "overturned", "retired"]
Use = Literal["evaluation", "calibration"]
STATES: tuple[str, ...] = get_args(GoldState)
USES: tuple[str, ...] = get_args(Use)
IN_FORCE = ("standing", "appealed", "upheld", "overturned")
"""States in which a gold task scores annotators, where it has an answer: an appeal suspends nothing."""
FOLLOWS: Mapping[str | None, tuple[str, ...]] = {
    None: ("proposed", "disputed", "standing"),
    "proposed": ("disputed", "standing", "retired"),
    "disputed": ("standing", "retired"),
    "standing": ("standing", "appealed", "retired"),  # to another use
    "appealed": ("upheld", "overturned", "retired"),
    "upheld": ("upheld", "appealed", "retired"),
    "overturned": ("overturned", "appealed", "proposed", "disputed", "standing", "retired"),
    "retired": ("proposed", "disputed", "standing"),
}
AGREE_IOU = 0.8
"""IoU from which two experts agree on a class."""


@dataclass(frozen=True, slots=True)
class Gold:
    """What stands of one gold task."""

    task_id: str
    state: GoldState
    answers: tuple[str, ...] = ()
    """uuids of the answers it was made from: two experts', then the adjudicator's or that of who overturned it."""
    answer: str | None = None
    """uuid of the answer that is the truth; None where there is none."""
    experts: tuple[str, ...] = ()
    """Who gave them: no voters on this task, and not scored on it."""
    iou: float | None = None
    """Of the two experts, the least over the classes."""
    adjudicator: str | None = None
    """The third person: who decided a dispute, or overturned the gold on an appeal."""
    appellant: str | None = None
    use: Use = "evaluation"
    why: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise QualityError(f"gold of {self.task_id!r} is {self.state!r}", hint=nearest(self.state, STATES))
        if self.use not in USES:
            raise QualityError(f"gold of {self.task_id!r} is used for {self.use!r}", hint=nearest(self.use, USES))

    @property
    def in_force(self) -> bool:
        """Whether it says now what is true."""
        return self.state in IN_FORCE and self.answer is not None

    def to_row(self) -> dict[str, Any]:
        """As plain JSON values: the payload of a `gold` event."""
        return {
            "task_id": self.task_id,
            "state": self.state,
            "answers": list(self.answers),
            "answer": self.answer,
            "experts": list(self.experts),
            "iou": self.iou,
            "adjudicator": self.adjudicator,
            "appellant": self.appellant,
            "use": self.use,
            "why": self.why,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Gold:
        """The gold of `to_row`."""
        return cls(**{**row, "answers": tuple(row["answers"]), "experts": tuple(row["experts"])})

    def to(self, state: GoldState, **changes: Any) -> Gold:
        """The same gold in a state that may follow its own.

        Raises
        ------
        QualityError
            Where it may not.
        """
        _check_follows(self, state)
        return replace(self, state=state, **changes)


def read(rows: Iterable[Mapping[str, Any]]) -> dict[str, Gold]:
    """Task id -> what stands of its gold, of the payloads of all events in their order.

    Raises
    ------
    QualityError
        Where a state does not follow the one before, or two truths stand for one task.
    """
    found: dict[str, Gold] = {}
    for row in rows:
        new = Gold.from_row(row)
        check_next(found.get(new.task_id), new)
        found[new.task_id] = new
    return found


def check_next(old: Gold | None, new: Gold) -> None:
    """Raise QualityError where gold cannot follow what stood of its task, or contradicts it."""
    _check_follows(old, new.state, task_id=new.task_id)
    if old is None or new.state == "overturned" or not (old.in_force and new.in_force):
        return
    if new.answer != old.answer:
        raise QualityError(
            f"gold of {new.task_id!r} contradicts itself: {old.answer} and {new.answer} stand",
            hint="appeal against it, and decide which one is true",
        )


def _check_follows(old: Gold | None, state: str, *, task_id: str = "") -> None:
    allowed = FOLLOWS[old.state if old else None]
    if state not in allowed:
        raise QualityError(
            f"gold of {old.task_id if old else task_id!r} is {old.state if old else 'not there'}, not {state} next",
            hint=f"what may follow: {', '.join(allowed)}",
        )


# ---------------------------------------------------------------------- two experts
def check_experts(answers: Sequence[Answer], task_id: str, *, barred: Iterable[str] = ()) -> None:
    """Raise QualityError where these answers can make no gold: incomplete, by a machine, of one person, of another task."""
    for one in answers:
        if one.task_id != task_id:
            raise QualityError(f"{one.annotator} answered {one.task_id!r}, not {task_id!r}")
        if one.outcome not in COMPLETE or is_machine(one.annotator):
            raise QualityError(
                f"{one.annotator} ({one.outcome}) makes no gold for {task_id!r}",
                hint="an expert's complete answer, labeled or empty",
            )
    names = [one.annotator for one in answers]
    taken = sorted(set(names) & set(barred) | {name for name in names if names.count(name) > 1})
    if taken:
        raise QualityError(f"{taken[0]} would decide twice on {task_id!r}", hint="another expert")


def expert_iou(one: Codes, other: Codes, classes: Sequence[str]) -> dict[str, float]:
    """Class -> IoU of two experts on ground that both judged; classes that neither drew are left out."""
    both = (one >= 0) & (other >= 0)
    found = {
        name: scores.iou(both & (one == code), both & (other == code)) for code, name in enumerate(classes, start=1)
    }
    return {name: value for name, value in found.items() if not np.isnan(value)}


def agrees(iou: Mapping[str, float], least: float = AGREE_IOU, of_class: Mapping[str, float] | None = None) -> bool:
    """Whether two experts agree on each class: at least at the IoU stated for it, else `least`."""
    return all(value >= (of_class or {}).get(name, least) for name, value in iou.items())


def midway(one: Codes, other: Codes, n_classes: int) -> Codes:
    """(y, x) codes whose outlines lie midway between two experts'; ground that either left out is not judged.

    The mean of two independent outlines is nearer to the truth than either, which is what a boundary bias is held
    against. A class is true where its mean signed distance is positive and the greatest.
    """
    mean = np.stack([np.zeros(one.shape), *(_mean_distance(one == k, other == k) for k in range(1, n_classes + 1))])
    mean[0] = np.where((mean[1:] > 0).any(0), -np.inf, 0)
    codes = mean.argmax(0).astype(np.int8)
    codes[(one < 0) | (other < 0)] = NOT_JUDGED
    return codes


def _mean_distance(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.float64]:
    reach = float(np.hypot(*one.shape))  # stands for "no outline in this tile": farther away than any pixel
    return (np.clip(signed_distance_px(one), -reach, reach) + np.clip(signed_distance_px(other), -reach, reach)) / 2


# ---------------------------------------------------------------------- rotation
def exposure(task_ids: Iterable[str], answers: Iterable[Answer], makers: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Task id -> how many people answered it, without those who made its gold."""
    seen: dict[str, set[str]] = {task_id: set() for task_id in task_ids}
    for one in answers:
        if one.task_id in seen and not is_machine(one.annotator) and one.annotator not in makers.get(one.task_id, ()):
            seen[one.task_id].add(one.annotator)
    return {task_id: len(names) for task_id, names in seen.items()}


def spent(golds: Mapping[str, Gold], answers: Sequence[Answer], people: Iterable[str]) -> list[str]:
    """Ids of hidden gold tasks in force that all of these people have answered or made, by name; none without people."""
    active = set(people)
    done: dict[str, set[str]] = {key: set(one.experts) for key, one in golds.items() if one.in_force}
    for answer in answers:
        if answer.task_id in done:
            done[answer.task_id].add(answer.annotator)
    hidden = (key for key in sorted(done) if golds[key].use == "evaluation")
    return [key for key in hidden if active and active <= done[key]]


def easiest(golds: Mapping[str, Gold], n: int) -> list[str]:
    """Ids of the `n` hidden gold tasks in force on which the two experts agreed most; ties by name."""
    open_ones = [one for one in golds.values() if one.in_force and one.state != "appealed"]
    known = [one for one in open_ones if one.use == "evaluation" and one.iou is not None]
    return [one.task_id for one in sorted(known, key=lambda one: (-(one.iou or 0.0), one.task_id))[:n]]
