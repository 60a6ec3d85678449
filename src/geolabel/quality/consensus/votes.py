"""Answers to votes: what each annotator says of each pixel of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.independence import independence
from geolabel.shapes import rasterise

Codes = NDArray[np.int8]
NOTHING, NOT_JUDGED = 0, -1
COMPLETE = ("labeled", "empty")
MACHINES = ("rule", "model")
UNSURE = "unsure"


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The complete answers to one task as numbers; annotators are in the order of their names."""

    task: Task
    grid: Grid
    """Of the tile's core."""
    classes: tuple[str, ...]
    """In the order of their names; class k is code k + 1."""
    answers: tuple[Answer, ...]
    """The heard answers, one an annotator."""
    codes: Codes
    """(annotator, y, x): code of the class drawn there, 0 nothing, -1 not judged."""
    independence: tuple[float, ...]
    """Weight of each heard annotator: below 1 for those who were shown the same proposal."""
    unheard: tuple[str, ...]
    """Rules and models that answered beside people: recorded with weight 0."""
    reasons: tuple[str, ...]
    """Why ground was not judged, in the order of their names."""
    reason: NDArray[np.uint8]
    """(y, x): number of the reason from 1, 0 where nobody gave one."""

    @property
    def annotators(self) -> tuple[str, ...]:
        """Who is heard, by name."""
        return tuple(answer.annotator for answer in self.answers)

    @property
    def n_votes(self) -> int:
        """Independent votes of people and simulated people, in whole votes; 0 where only rules or models answered.

        People who were shown the same proposal count together for as many as their weights sum to.
        """
        people = [w for name, w in zip(self.annotators, self.independence, strict=True) if not is_machine(name)]
        return int(sum(people) + 1e-9)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(y, x): at least one heard annotator judged the pixel."""
        return np.asarray((self.codes >= 0).any(0))

    @property
    def claimed(self) -> NDArray[np.bool_]:
        """(y, x): at least one heard annotator drew a class there."""
        return np.asarray((self.codes > 0).any(0))


def is_machine(annotator: str) -> bool:
    """Whether this is a rule or a model, which is no independent vote: people see and correct what it says."""
    return annotator.partition(":")[0] in MACHINES


def standing(answers: Sequence[Answer]) -> list[Answer]:
    """One answer an annotator, by name: the last that is not superseded (ties by uuid)."""
    old = {answer.supersedes for answer in answers}
    last = {
        answer.annotator: answer for answer in sorted(answers, key=lambda a: (a.at, a.uuid)) if answer.uuid not in old
    }
    return [last[name] for name in sorted(last)]


def collect(
    task: Task,
    grid: Grid,
    answers: Sequence[Answer],
    classes: Sequence[str],
    *,
    rho: Mapping[str, float] = MappingProxyType({}),
) -> Votes:
    """Votes of one task; as soon as one person answered, rules and models are recorded but not heard.

    Only complete answers (labeled, empty) vote; `unsure` and `skipped` do not.

    Parameters
    ----------
    rho
        Proposal -> correlation of the people who were shown it (`independence`).

    Raises
    ------
    QualityError
        Where an answer holds a class that is not asked for.
    """
    tile, names = grid.crop(task.tile), tuple(sorted(classes))
    complete = [answer for answer in standing(answers) if answer.outcome in COMPLETE]
    people = [answer for answer in complete if not is_machine(answer.annotator)]
    heard = tuple(people or complete)
    reasons, given = _reasons(answers, heard, tile)
    codes = [_codes(answer, tile, names) for answer in heard]
    for code, own in zip(codes, given, strict=True):
        code[own > 0] = NOT_JUDGED
    return Votes(
        task=task,
        grid=tile,
        classes=names,
        answers=heard,
        codes=np.stack(codes) if codes else np.empty((0, *tile.shape), np.int8),
        independence=independence(heard, rho),
        unheard=tuple(answer.annotator for answer in complete if answer not in heard),
        reasons=reasons,
        reason=np.max(given, axis=0) if given else np.full(tile.shape, reasons.index(UNSURE) + 1, np.uint8),
    )


def _codes(answer: Answer, tile: Grid, classes: tuple[str, ...]) -> Codes:
    unknown = set(answer.shapes["class"]) - set(classes)
    if unknown:
        raise QualityError(
            f"{answer.annotator} answered {sorted(unknown)} to task {answer.task_id!r}, which asks for {list(classes)}",
            hint=nearest(min(unknown), classes),
        )
    numbers = [classes.index(name) + 1 for name in answer.shapes["class"]]
    return rasterise(answer.shapes, tile, np.array(numbers, np.uint8)).astype(np.int8)


def _reasons(
    answers: Sequence[Answer], heard: Sequence[Answer], tile: Grid
) -> tuple[tuple[str, ...], list[NDArray[np.uint8]]]:
    """(reasons by name, for each heard answer the number of its reason at each pixel)."""
    names = tuple(sorted({UNSURE, *(str(r) for answer in answers for r in answer.ignore["reason"])}))
    return names, [
        rasterise(answer.ignore, tile, np.array([names.index(r) + 1 for r in answer.ignore["reason"]], np.uint8))
        for answer in heard
    ]


def gold_codes(
    gold: Mapping[str, NDArray[np.generic]], votes: Sequence[Votes], classes: Sequence[str]
) -> dict[str, Codes]:
    """Task -> (y, x) codes of its truth, as votes count them; `gold` counts classes in the order of `classes`.

    -1 is ground whose truth is not known.

    Raises
    ------
    QualityError
        Where a truth does not have its tile's shape, or holds a number that is none of the classes.
    """
    tiles = {vote.task.id: vote.grid.shape for vote in votes}
    known = {task_id: np.asarray(gold[task_id]).astype(np.int16) for task_id in sorted(set(gold) & set(tiles))}
    for task_id, truth in known.items():
        if truth.shape != tiles[task_id]:
            raise QualityError(f"gold of {truth.shape} for task {task_id!r} of {tiles[task_id]}")
        if truth.size and not (truth.min() >= NOT_JUDGED and truth.max() <= len(classes)):
            raise QualityError(
                f"gold of task {task_id!r} holds {truth.min()} to {truth.max()} for {len(classes)} classes",
                hint="numbers from 1 in the order of the classes, 0 nothing, -1 unknown",
            )
    order = np.array([NOTHING, *(sorted(classes).index(name) + 1 for name in classes), NOT_JUDGED], np.int8)
    return {task_id: order[truth] for task_id, truth in known.items()}
