"""Answers to consensus, and the consensus of all tiles to whole labels without seams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from geolabel import files, shapes
from geolabel.digests import digest_shapes
from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import NODATA, WILDFIRE, Kind, Ontology
from geolabel.steps.burns import change_index
from geolabel.steps.options import Options
from geolabel.stream import Progress, silent, walk
from geolabel.tables import AGREED, check, empty

GOLD = "sim:truth-1"
"""Who gives the answers of gold tasks in the demo, where the truth is simulated."""


class ConsensusOptions(Options):
    """How answers are fused."""

    method: str | None = Field(default=None, description="a fusion method; without one the best on gold is chosen")


def agree(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Iterable[Answer],
    options: ConsensusOptions,
    *,
    experts: Sequence[str] = (GOLD,),
    gold: Mapping[str, Answer] | None = None,
    ontology: Ontology = WILDFIRE,
    progress: Progress = silent,
) -> dict[str, Consensus]:
    """Consensus of each task (task id -> Consensus); neither gold nor what the experts said is a vote.

    Objects are matched one by one, all else is fused pixel by pixel.

    Parameters
    ----------
    gold
        Task id -> the answer that is its truth, of any tasks but those for calibration, whose truth is shown; default: what
        the experts said of the tasks that are gold.

    Raises
    ------
    QualityError
        Where gold contradicts itself, and as `quality.consensus.agree`.
    """
    by_id, answers = {task.id: task for task in tasks}, list(answers)
    truths = _truths(answers, by_id, experts) if gold is None else gold
    truths = {key: one for key, one in truths.items() if key in by_id and by_id[key].purpose != "calibration"}
    hidden = {one.uuid for one in truths.values()}
    votes = [a for a in answers if a.annotator not in experts and a.uuid not in hidden and a.task_id in by_id]
    fused: dict[str, Consensus] = {}
    kinds = sorted({task.kind for task in tasks})
    for done, kind in enumerate(kinds, start=1):
        own = {key: task for key, task in by_id.items() if task.kind == kind}
        known = {key: one for key, one in truths.items() if key in own}
        heard = [a for a in votes if a.task_id in own]
        fused |= _of_kind(kind, own, grid, heard, known, options, ontology)
        progress("consensus", done, len(kinds))
    return fused


def _of_kind(
    kind: Kind,
    tasks: Mapping[str, Task],
    grid: Grid,
    heard: Sequence[Answer],
    truths: Mapping[str, Answer],
    options: ConsensusOptions,
    ontology: Ontology,
) -> dict[str, Consensus]:
    from geolabel.quality.consensus.agree import agree as fuse
    from geolabel.quality.consensus.fuse import NEEDS_GOLD
    from geolabel.quality.instances import agree_objects

    names = used([kind], [*heard, *truths.values()], ontology)
    gold = {key: truth_codes(one, grid, tasks[key], names) for key, one in sorted(truths.items())}
    if kind == "object":
        return agree_objects(list(tasks.values()), grid, heard, gold=gold, classes=names)
    method = options.method if gold or options.method not in NEEDS_GOLD else None
    return fuse(list(tasks.values()), grid, heard, gold=gold, classes=names, method=method)


def _truths(answers: Sequence[Answer], tasks: Mapping[str, Task], experts: Sequence[str]) -> dict[str, Answer]:
    """Gold task -> what the experts said of it."""
    found: dict[str, Answer] = {}
    for answer in sorted(answers, key=lambda a: (a.task_id, a.annotator, a.at, a.uuid)):
        task = tasks.get(answer.task_id)
        if task is not None and task.purpose == "gold" and answer.annotator in experts:
            check_same_truth(found.get(task.id), answer)
            found[task.id] = answer
    return found


def check_same_truth(one: Answer | None, other: Answer) -> None:
    """Raise QualityError where two answers are both the gold of a task and do not show the same."""
    if one is None or one.uuid in (other.uuid, other.supersedes):
        return
    said = [(a.outcome, digest_shapes(a.shapes, ["class", "geometry"]), digest_shapes(a.ignore)) for a in (one, other)]
    if said[0] != said[1]:
        who = f"{one.annotator} ({one.uuid}) and {other.annotator} ({other.uuid})"
        raise QualityError(
            f"gold of task {one.task_id!r} contradicts itself: {who} say different things",
            hint="decide which is the truth; an answer that corrects another names it in `supersedes`",
        )


def used(kinds: Sequence[Kind], answers: Sequence[Answer], ontology: Ontology) -> tuple[str, ...]:
    """Classes of these kinds that an answer has, in the ontology's order; the first of each kind where none has any."""
    drawn = {name for answer in answers for name in answer.shapes["class"].unique()}
    known = [ontology.of_kind(kind) for kind in kinds]
    there = [[c.name for c in own if c.name in drawn] or [own[0].name] for own in known]
    return tuple(name for own in there for name in own)


def truth_codes(answer: Answer, grid: Grid, task: Task, classes: Sequence[str]) -> NDArray[np.int16]:
    """(y, x) what a gold answer says of its task's tile: numbers from 1 in the order of `classes`, 0 nothing, -1 unknown."""
    tile = grid.crop(task.tile)
    numbers = np.array([classes.index(name) + 1 for name in answer.shapes["class"]], np.uint8)
    codes = shapes.rasterise(answer.shapes, tile, numbers).astype(np.int16)
    codes[shapes.rasterise(answer.ignore, tile) > 0] = -1
    return codes


def save_all(fused: Mapping[str, Consensus], folder: Path, *, progress: Progress = silent) -> None:
    """Each consensus in a folder named by its digest, and `index.json` (task id -> digest), written last."""
    from geolabel.quality.consensus.products import save_consensus

    homes = walk(
        list(fused.values()), lambda one: save_consensus(one, folder).name, what="keep consensus", progress=progress
    )
    files.write_json(folder / "index.json", dict(zip(fused, homes, strict=True)))


def load_all(folder: Path) -> dict[str, Consensus]:
    """Task id -> Consensus that `save_all` kept."""
    from geolabel.quality.consensus.products import load_consensus

    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    found = walk(list(index.values()), lambda name: load_consensus(folder / name), what="read consensus")
    return dict(zip(index, found, strict=True))


def codes(
    consensuses: Mapping[str, Consensus], tasks: Sequence[Task], grid: Grid, kind: Kind, ontology: Ontology = WILDFIRE
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """((y, x) class code, (y, x) probability of the most probable class) of a kind over the whole grid.

    The code is that of the most probable class where it has more than one half, 0 none, 255 where nobody judged.
    """
    values, certainty = np.full(grid.shape, NODATA, np.uint8), np.zeros(grid.shape, np.float32)
    for task in tasks:
        if task.kind == kind and task.id in consensuses:
            one = consensuses[task.id]
            numbers = np.array([ontology[name].code for name in one.classes], np.uint8)
            filled = np.nan_to_num(one.probability)
            best = np.where(filled.max(0) > 0.5, numbers[filled.argmax(0)], 0)
            values[task.tile.slices] = np.where(np.isfinite(one.probability).any(0), best, NODATA)
            certainty[task.tile.slices] = filled.max(0)
    return values, certainty


def labels(
    view: View,
    consensuses: Mapping[str, Consensus],
    tasks: Sequence[Task],
    kind: Kind,
    *,
    min_area_m2: float = 5000.0,
    ontology: Ontology = WILDFIRE,
) -> gpd.GeoDataFrame:
    """Whole labels of a kind over the view (`tables.AGREED` and `area_m2`), without seams between tiles.

    Burn scars are cut by severity, from the change index of the pixels inside the agreed scar; patches of one severity
    smaller than `min_area_m2` join their neighbours. Objects stay the ones that were agreed on, whole across tiles.
    """
    from geolabel.label.patches import shapes_of

    own = [task for task in tasks if task.kind == kind]
    if kind == "object":
        return _objects([consensuses[task.id].shapes for task in own if task.id in consensuses], view.grid)
    values, certainty = codes(consensuses, tasks, view.grid, kind, ontology)
    known, values = values != NODATA, np.where(values == NODATA, 0, values)
    if kind == "burn":
        values = _severity(view, values == ontology["burned"].code, min_area_m2)
    name = (lambda _: ontology["burned"].name) if kind == "burn" else (lambda code: ontology.by_code(code).name)
    frame, patch, rows = shapes_of(values.astype(np.uint8), view.grid, known, name=name)
    if frame.empty:
        return empty(AGREED, view.grid.crs.to_wkt()).assign(area_m2=[])
    if kind == "burn":
        from geolabel.label.severity import LEVELS

        frame["severity"] = [LEVELS[code - 1] for code in frame["code"]]
        frame["severity_scheme"] = change_index(view, "dnbr")[1].name
    votes, accord, spread = _heard(consensuses, own, view.grid)
    frame = frame.assign(
        probability=np.round(ndimage.mean(certainty, patch, rows), 4),
        n_votes=np.asarray(ndimage.median(votes, patch, rows)).astype(int),
        agreement=np.round(ndimage.mean(accord, patch, rows), 4),
        boundary_sd_m=np.round(_mean_known(spread, patch, rows), 2),
    )
    return check(frame[[*AGREED, "area_m2"]], AGREED)


def _severity(view: View, scar: NDArray[np.bool_], min_area_m2: float) -> NDArray[np.uint8]:
    """(y, x) severity level of the change index (2 low to 4 high) inside the scar, 0 elsewhere.

    A pixel that the annotators agreed on is burned, so it is at least low.
    """
    from geolabel.label.patches import merged, pixels_of
    from geolabel.label.severity import LEVELS, levels

    values, scheme = change_index(view, "dnbr")
    level = np.asarray(levels(np.asarray(values), scheme))
    least = LEVELS.index("low") + 1
    level = np.where(level == NODATA, least, np.maximum(level, least)).astype(np.uint8)
    return merged(level, scar, pixels_of(min_area_m2, view.grid))


def _objects(agreed: Sequence[gpd.GeoDataFrame], grid: Grid) -> gpd.GeoDataFrame:
    """AGREED and `area_m2` of objects, the parts on several tiles as one: the probability is their greatest."""
    found = pd.concat(
        [frame for frame in agreed if len(frame)] or [empty(AGREED, grid.crs.to_wkt())], ignore_index=True
    )
    if len(found):
        rules = {"probability": "max", "n_votes": "max", "agreement": "mean", "boundary_sd_m": "mean"}
        kept = {name: rules.get(name, "first") for name in AGREED if name not in ("label_id", "class", "geometry")}
        found = found.dissolve(["label_id", "class"], aggfunc=kept, sort=True, as_index=False)
        text = dict.fromkeys(("severity", "severity_scheme"), object)
        found = found.astype(text).assign(**{name: found[name].where(found[name].notna(), None) for name in text})
    return check(found[list(AGREED)], AGREED).assign(area_m2=np.round(shapes.area_m2(found), 1))


def _mean_known(values: NDArray[np.float32], patch: NDArray[Any], rows: Any) -> NDArray[np.float64]:
    """(n,) mean of the finite values in each patch; NaN where there is none."""
    known = np.isfinite(values)
    total = ndimage.sum_labels(np.where(known, values, 0), patch, rows)
    count = ndimage.sum_labels(known, patch, rows)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def _heard(
    consensuses: Mapping[str, Consensus], tasks: Sequence[Task], grid: Grid
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]:
    """(y, x) of each pixel's task or shape: votes, agreement, and spread of the outlines in metres.

    Votes are independent ones; where only rules or models spoke, as many as did.
    """
    votes, accord = np.zeros(grid.shape, np.int16), np.full(grid.shape, np.nan, np.float32)
    spread = accord.copy()
    for task in tasks:
        if task.id in consensuses:
            one = consensuses[task.id]
            independent = one.shapes["n_votes"].max() if len(one.shapes) else 0
            votes[task.tile.slices] = independent or sum(weight > 0 for weight in one.weights.values())
            accord[task.tile.slices] = one.agreement
            spread[task.tile.slices] = _spread(one)
    return votes, accord, spread


def _spread(one: Consensus) -> NDArray[np.float32]:
    """(y, x) `boundary_sd_m` of the shape that a pixel lies in; NaN outside."""
    found = np.full(one.grid.shape, np.nan, np.float32)
    told = one.shapes[one.shapes["boundary_sd_m"].notna()]
    for start in range(0, len(told), 255):  # as many as a mask of bytes can number
        part = told.iloc[start : start + 255]
        number = shapes.rasterise(part, one.grid, np.arange(1, len(part) + 1))
        found = np.where(number > 0, np.r_[np.nan, part["boundary_sd_m"]].astype(np.float32)[number], found)
    return found
