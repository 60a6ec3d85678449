"""What to label next in a project: new tiles and tiles to be asked again, in one order, for a budget of minutes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.votes import Votes, collect, is_machine
from geolabel.quality.doubt.gain import expected_gain, posterior
from geolabel.quality.doubt.pace import Pace, outline_px
from geolabel.quality.doubt.suggest import Candidates
from geolabel.quality.doubt.suggest import suggest as chosen

if TYPE_CHECKING:
    from geolabel.steps.skill import Heard
    from geolabel.steps.unseen import Unseen

SKILL = 0.9
"""Chance that a pixel of an annotator is right, of whom gold says nothing."""


def suggest(
    found: Unseen, heard: Heard, *, minutes: float, skill: Mapping[str, float], out: Collection[str]
) -> pd.DataFrame:
    """`tables.SUGGESTED` for a budget of minutes.

    A tile that only rules or models answered is new: no person has looked at it.

    Parameters
    ----------
    skill
        Annotator -> chance that one of their pixels is right; `SKILL` for others.
    out
        Ids of tasks that are never suggested: gold, and what somebody holds now.

    Raises
    ------
    QualityError
        For a budget that is not above 0, or where no task may be suggested.
    """
    open_ = [task.id not in out for task in heard.tasks]
    if not any(open_):
        raise QualityError("no task may be suggested", hint="all are gold, or somebody works on them now")
    given = _given(heard.answers)
    rows = [_Tile(found, task, given.get(task.id, []), heard, skill) for task in heard.tasks]
    pace = _pace(heard)
    return chosen(
        Candidates(
            names=tuple(task.id for task in heard.tasks),
            labeled=np.array([one.labeled for one in rows]),
            open=np.array(open_),
            gain=np.array([one.gain for one in rows]),
            reliable=np.array([one.reliable for one in rows]),
            features=np.stack([found.features[task.id] for task in heard.tasks]),
            shares=np.stack([one.shares for one in rows]),
            minutes=pace.minutes([one.outline for one in rows]),
            classes=found.classes,
        ),
        minutes,
    )


def _given(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.task_id, []).append(answer)
    return found


class _Tile:
    """One tile as model and answers see it."""

    def __init__(
        self, found: Unseen, task: Task, answers: Sequence[Answer], heard: Heard, skill: Mapping[str, float]
    ) -> None:
        votes = collect(task, heard.grid, answers, heard.classes)
        prior = found.probability[(slice(None), *task.tile.slices)].reshape(len(found.classes), -1)
        seen = np.isfinite(prior).all(0)
        right = [skill.get(name, SKILL) for name in votes.annotators]
        chances = posterior(prior[:, seen].astype(float), _said(votes, found.classes)[:, seen], right)
        mean = float(np.mean(list(skill.values()))) if skill else SKILL
        self.labeled = any(not is_machine(name) for name in votes.annotators)
        self.gain = float(expected_gain(chances, mean).sum()) / seen.size
        self.reliable = float(chances.max(0).mean()) if self.labeled and seen.any() else 0.0
        self.shares = chances.mean(1) if seen.any() else np.full(len(found.classes), 1 / len(found.classes))
        named = np.zeros(seen.size, np.int64)
        named[seen] = chances.argmax(0)
        self.outline = outline_px(named.reshape(task.tile.height, task.tile.width))


def _said(votes: Votes, classes: Sequence[str]) -> NDArray[np.int64]:
    """(annotator, pixel) place of the class that each gave, -1 not judged or a class that nobody agrees on."""
    place = {name: number for number, name in enumerate(classes)}
    numbers = np.array([0, *(place.get(name, -1) for name in votes.classes), -1])  # the last for -1
    return np.asarray(numbers[votes.codes.reshape(len(votes.codes), votes.grid.height * votes.grid.width)], np.int64)


def _pace(heard: Heard) -> Pace:
    """How long people took, by the outlines they drew."""
    by_id = {task.id: task for task in heard.tasks}
    timed = [answer for answer in heard.answers if answer.active_s > 0 and not is_machine(answer.annotator)]
    lengths = [_outline(collect(by_id[one.task_id], heard.grid, [one], heard.classes)) for one in timed]
    return Pace.of(lengths, [answer.active_s for answer in timed])


def _outline(votes: Votes) -> int:
    return outline_px(votes.codes[0]) if len(votes.codes) else 0
