"""Skill: what gold tasks, time and the other annotators say of each annotator and class, with intervals over tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.votes import COMPLETE, standing
from geolabel.quality.intervals import LEVEL, NONE, RESAMPLES, bootstrap, median, ratio, wilson
from geolabel.quality.people.agreement import coded, overlaps
from geolabel.quality.people.marks import ALL, BAND_PX, PASS_IOU, Mark, drawn_codes, marks, true_codes
from geolabel.shapes import to_grid_crs
from geolabel.tables import SKILL

ALL_CLASSES = "all"
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Standard:
    """What is a pass, and how intervals are made."""

    pass_iou: float = PASS_IOU
    """IoU from which a gold task is passed."""
    band_px: int = BAND_PX
    """Width of the band of the boundary IoU."""
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(slots=True)
class _Heard:
    """What is known of one annotator."""

    marks: list[Mapping[int, Mark]] = field(default_factory=list)
    """Of each gold task."""
    active_s: list[float] = field(default_factory=list)
    """Of each complete answer to which time was given."""
    outline_km: list[float] = field(default_factory=list)
    """Of the same answers."""
    n_answers: int = 0
    n_agreement: int = 0
    with_others: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 1)))
    """(shared or claimed, class + 1) pixels, with each other annotator, of tasks that are not gold."""


def skill(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    gold: Mapping[str, NDArray[np.generic]],
    *,
    classes: Sequence[str],
    standard: Standard | None = None,
) -> pd.DataFrame:
    """SKILL of everybody who answered gold tasks, by name: a row for all classes, then one for each class they met.

    `accuracy` is the share of gold tasks passed at `standard.pass_iou`, with Wilson's interval; the other intervals draw
    gold tasks again (BCa bootstrap), for the pixels of one task are no witnesses of their own. A task that is truly
    empty and was left empty is passed. `bias_m` is the median distance of the drawn outlines outside (+) of the true
    ones. NaN where the gold tasks cannot tell. Calibration tasks, whose truth is shown, do not count, nor does ground
    that the annotator or the gold left out.

    Parameters
    ----------
    gold
        Task id -> (y, x) truth of the tile's core: bool, or numbers from 1 in the order of `classes`, -1 unknown.

    Raises
    ------
    QualityError
        For a class that is not asked for, or a truth that does not have its tile's shape.
    """
    standard = standard or Standard()
    heard: dict[str, _Heard] = defaultdict(_Heard)
    _hear_all(heard, tasks, grid, answers)
    for task, answer, one in marked(tasks, grid, answers, gold, classes=classes, band_px=standard.band_px):
        if task.purpose != "calibration":
            heard[answer.annotator].marks.append(one)
    open_tasks = [task for task in tasks if task.id not in gold and task.purpose not in ("gold", "calibration")]
    _hear_others(heard, open_tasks, grid, answers, classes)
    rows = [
        row
        for name in sorted(heard)
        if heard[name].marks
        for row in _rows(name, heard[name], sorted(classes), grid.res_m, standard)
    ]
    return pd.DataFrame(rows, columns=list(SKILL))


def marked(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    gold: Mapping[str, NDArray[np.generic]],
    *,
    classes: Sequence[str],
    band_px: int = BAND_PX,
) -> list[tuple[Task, Answer, Mapping[int, Mark]]]:
    """(task, answer, marks) of each standing complete answer to a task with gold, by task and annotator."""
    given = _by_task(answers)
    found = []
    for task in sorted(tasks, key=lambda one: one.tile):
        if task.id not in gold:
            continue
        truth = true_codes(gold[task.id], task, classes)
        for answer in standing(given[task.id]):
            drawn = drawn_codes(task, grid, answer, classes)
            found.append((task, answer, marks(drawn, truth, len(classes), band_px=band_px)))
    return found


def _by_task(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    given: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.outcome in COMPLETE:
            given[answer.task_id].append(answer)
    return given


# ---------------------------------------------------------------------- time and the others
def _hear_all(heard: dict[str, _Heard], tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer]) -> None:
    given = _by_task(answers)
    for task in sorted(tasks, key=lambda one: one.tile):
        for answer in standing(given[task.id]):
            one = heard[answer.annotator]
            one.n_answers += 1
            if answer.active_s > 0:
                one.active_s.append(answer.active_s)
                one.outline_km.append(outline_km(answer, task, grid))


def outline_km(answer: Answer, task: Task, grid: Grid) -> float:
    """Kilometres of outline that were drawn; where a tile cuts a shape nobody drew a line."""
    if not len(answer.shapes):
        return 0.0
    tile = grid.crop(task.tile)
    within = shapely.box(*tile.bounds).buffer(-tile.res_m / 1000)
    lines = np.array(list(to_grid_crs(answer.shapes, tile).boundary), dtype=object)
    return float(shapely.length(shapely.intersection(lines, within)).sum()) / 1000


def _hear_others(
    heard: dict[str, _Heard], tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer], classes: Sequence[str]
) -> None:
    for one in coded(tasks, grid, answers, classes):
        shared, claimed = overlaps(one.codes.reshape(len(one.codes), -1), len(classes))
        for k, name in enumerate(one.annotators):
            others = np.arange(len(one.annotators)) != k
            heard[name].n_agreement += 1
            own = np.stack([shared[:, k, others].sum(1), claimed[:, k, others].sum(1)])
            heard[name].with_others = heard[name].with_others + own


# ---------------------------------------------------------------------- rows
def _rows(name: str, one: _Heard, classes: Sequence[str], res_m: float, standard: Standard) -> list[dict[str, Any]]:
    """The rows of one annotator: all classes first, then those that a gold task has or that they drew in one."""
    met = sorted({code for marks_ in one.marks for code in marks_})
    pace = _pace(one)
    found = []
    for code in met:
        own = [marks_[code] for marks_ in one.marks if code in marks_]
        head = {"annotator": name, "class": ALL_CLASSES if code == ALL else classes[code - 1]}
        found.append({**head, **_on_gold(own, res_m, standard), **pace, **_with_others(one, code)})
    return found


def _on_gold(own: Sequence[Mark], res_m: float, standard: Standard) -> dict[str, Any]:
    passed = sum(mark.iou >= standard.pass_iou for mark in own)
    low, high = wilson(passed, len(own), level=standard.level)
    return {
        "n_gold": len(own),
        "n_passed": passed,
        "accuracy": passed / len(own),
        "accuracy_low": low,
        "accuracy_high": high,
        **_pooled("pixel", own, lambda m: m.right, lambda m: m.judged, standard, value="pixel_accuracy"),
        **_pooled("iou", own, lambda m: m.shared, lambda m: m.union, standard),
        **_pooled("boundary", own, lambda m: m.band_shared, lambda m: m.band_union, standard, value="boundary_iou"),
        "sensitivity": _share(own, lambda m: m.found, lambda m: m.true),
        "specificity": _share(own, lambda m: m.left_out, lambda m: m.other),
        **_bias(own, res_m, standard),
    }


def _pooled(
    name: str,
    own: Sequence[Mark],
    part: Callable[[Mark], int],
    whole: Callable[[Mark], int],
    standard: Standard,
    *,
    value: str | None = None,
) -> dict[str, float]:
    """A share pooled over tasks, with the ends of its interval."""
    low, high = _interval(ratio([part(m) for m in own], [whole(m) for m in own]), len(own), standard)
    return {value or name: _share(own, part, whole), f"{name}_low": low, f"{name}_high": high}


def _share(own: Sequence[Mark], part: Callable[[Mark], int], whole: Callable[[Mark], int]) -> float:
    total = sum(whole(m) for m in own)
    return sum(part(m) for m in own) / total if total else NAN


def _interval(statistic: Callable[[Any], Any], n: int, standard: Standard) -> tuple[float, float]:
    return bootstrap(statistic, n, level=standard.level, resamples=standard.resamples, seed=standard.seed)


def _bias(own: Sequence[Mark], res_m: float, standard: Standard) -> dict[str, float]:
    """Signed bias of the outlines and its interval; how far they lie outside and inside, on average; metres."""
    there = [mark.offsets_px * res_m for mark in own if len(mark.offsets_px)]
    offsets = np.concatenate(there) if there else np.empty(0)
    of_task = np.repeat(np.arange(len(there)), [len(one) for one in there])
    middle = median(offsets, of_task, len(there))
    low, high = _interval(middle, len(there), standard) if there else NONE
    return {
        "bias_m": float(np.median(offsets)) if there else NAN,
        "bias_low": low,
        "bias_high": high,
        "over_m": float(np.maximum(offsets, 0).mean()) if there else NAN,
        "under_m": float(np.maximum(-offsets, 0).mean()) if there else NAN,
    }


def _pace(one: _Heard) -> dict[str, Any]:
    km = sum(one.outline_km)
    return {
        "n_answers": one.n_answers,
        "active_s": float(np.mean(one.active_s)) if one.active_s else NAN,
        "s_per_km": sum(one.active_s) / km if km else NAN,
    }


def _with_others(one: _Heard, code: int) -> dict[str, Any]:
    shared, claimed = one.with_others[:, code] if one.with_others.shape[1] > 1 else (0.0, 0.0)
    return {"n_agreement": one.n_agreement, "agreement": float(shared / claimed) if claimed else NAN}
