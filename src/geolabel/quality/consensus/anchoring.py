"""Anchoring: whether people who are shown a proposal answer more like it than they would alone.

From a random tenth of the tasks the proposal is withheld, so that the same people answer with and without it. What an
answer was shown stands in `Answer.shown` as `proposal:<annotator that made it>`, or `consensus` for edits of agreed labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from geolabel.digests import digest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.independence import PROPOSAL
from geolabel.quality.consensus.votes import COMPLETE, is_machine, standing
from geolabel.shapes import rasterise

Floats = NDArray[np.float64]
SHARE = 0.1
"""Part of the tasks whose proposal is withheld from an annotator."""
LEAST = 5
"""Tasks with and tasks without the proposal below which nothing can be said of its pull."""
COLUMNS = ["annotator", "proposal", "n_shown", "n_withheld", "iou_shown", "iou_withheld", "difference", "low", "high"]
RESAMPLES = 1000


def withheld(task_id: str, annotator: str, seed: int = 0, *, share: float = SHARE) -> bool:
    """Whether this annotator is to see this task without its proposal: random, and the same whenever it is asked."""
    return int(digest("withheld", task_id, annotator, seed)[:12], 16) / 16**12 < share


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a proposal one person's answer to one task is."""

    annotator: str
    proposal: str
    """`proposal:<annotator that made it>`."""
    shown: bool
    iou: float


def likenesses(
    tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer], proposals: Sequence[Answer]
) -> list[Likeness]:
    """One for each complete answer of a person and each proposal to its task, in the order of tasks and names.

    Tasks on which neither drew anything say nothing of anchoring and are left out.
    """
    people, machines = _by_task(answers, machine=False), _by_task(proposals, machine=True)
    both = [task for task in sorted(tasks, key=lambda t: t.tile) if people[task.id] and machines[task.id]]
    return [one for task in both for one in _of_task(people[task.id], machines[task.id], grid.crop(task.tile))]


def _by_task(answers: Sequence[Answer], *, machine: bool) -> dict[str, list[Answer]]:
    own: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if is_machine(answer.annotator) == machine:
            own[answer.task_id].append(answer)
    still = {key: [one for one in standing(found) if one.outcome in COMPLETE] for key, found in own.items()}
    return defaultdict(list, still)


def _of_task(people: Sequence[Answer], machines: Sequence[Answer], tile: Grid) -> Iterator[Likeness]:
    drawn = [rasterise(one.shapes, tile) > 0 for one in people]
    for machine in machines:
        proposed, name = rasterise(machine.shapes, tile) > 0, PROPOSAL + machine.annotator
        for person, mask in zip(people, drawn, strict=True):
            union = (mask | proposed).sum()
            if union:
                yield Likeness(person.annotator, name, name in person.shown, float((mask & proposed).sum() / union))


def anchoring(
    tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer], proposals: Sequence[Answer], *, seed: int = 0
) -> pd.DataFrame:
    """Table of each annotator and proposal: mean IoU with it where shown and where withheld, and the difference.

    `low` and `high` bound the difference with 95 % confidence (percentile bootstrap over tasks); NaN where it was never
    shown or never withheld. An interval above 0 says that showing the proposal moves the annotator towards it.
    """
    pairs: dict[tuple[str, str], list[Likeness]] = defaultdict(list)
    for one in likenesses(tasks, grid, answers, proposals):
        pairs[one.annotator, one.proposal].append(one)
    return pd.DataFrame([_row(*key, pairs[key], seed) for key in sorted(pairs)], columns=COLUMNS)


def _row(annotator: str, proposal: str, found: Sequence[Likeness], seed: int) -> dict[str, object]:
    shown, alone = _ious(found, shown=True), _ious(found, shown=False)
    with_, without = (float(part.mean()) if len(part) else float("nan") for part in (shown, alone))
    low, high = _interval(shown, alone, seed)
    head = {"annotator": annotator, "proposal": proposal, "n_shown": len(shown), "n_withheld": len(alone)}
    return {
        **head,
        "iou_shown": with_,
        "iou_withheld": without,
        "difference": with_ - without,
        "low": low,
        "high": high,
    }


def _ious(found: Sequence[Likeness], *, shown: bool) -> Floats:
    return np.array([one.iou for one in found if one.shown == shown])


def _interval(shown: Floats, alone: Floats, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the difference of two means; NaN with fewer than two values on a side."""
    if min(len(shown), len(alone)) < 2:
        return float("nan"), float("nan")
    drawn = stats.bootstrap(
        (shown, alone),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def measured_rho(found: Sequence[Likeness]) -> dict[str, float]:
    """Proposal -> share of the room to agree with it that showing it filled, 0-1; only where enough was withheld.

    With mean IoU w where it was withheld and s where it was shown this is (s - w) / (1 - w): 0 where people are not moved,
    1 where they leave what they were shown.
    """
    pairs: dict[str, list[Likeness]] = defaultdict(list)
    for one in found:
        pairs[one.proposal].append(one)
    parts = {name: (_ious(own, shown=True), _ious(own, shown=False)) for name, own in sorted(pairs.items())}
    return {
        name: float(np.clip((shown.mean() - alone.mean()) / max(1 - alone.mean(), 1e-9), 0, 1))
        for name, (shown, alone) in parts.items()
        if min(len(shown), len(alone)) >= LEAST
    }
