"""Answers to consensus, and the consensus of all tiles to whole labels without seams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from geolabel import files, shapes
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
    ontology: Ontology = WILDFIRE,
    progress: Progress = silent,
) -> dict[str, Consensus]:
    """Consensus of each task (task id -> Consensus); the experts' answers to gold tasks are the gold, not votes."""
    from geolabel.quality.agree import agree as fuse

    votes, masks = _heard_and_gold(tasks, grid, answers, experts)
    fused: dict[str, Consensus] = {}
    kinds = sorted({task.kind for task in tasks})
    for done, kind in enumerate(kinds, start=1):
        own = [task for task in tasks if task.kind == kind]
        ids = {task.id for task in own}
        heard = [a for a in votes if a.task_id in ids]
        names = used([kind], heard, ontology)
        known = {key: mask for key, mask in masks.items() if key in ids}
        fused |= fuse(own, grid, heard, gold=known, classes=names, method=options.method if masks else None)
        progress("consensus", done, len(kinds))
    return fused


def _heard_and_gold(
    tasks: Sequence[Task], grid: Grid, answers: Iterable[Answer], experts: Sequence[str]
) -> tuple[list[Answer], dict[str, NDArray[np.bool_]]]:
    """(answers that vote, task id -> what the experts said of each gold task)."""
    answers, by_id = list(answers), {task.id: task for task in tasks}
    gold = {a.task_id: a for a in answers if a.annotator in experts and a.task_id in by_id}
    masks = {key: gold_mask(a, grid, by_id[key]) for key, a in gold.items() if by_id[key].purpose == "gold"}
    return [a for a in answers if a.annotator not in experts and a.task_id in by_id], masks


def used(kinds: Sequence[Kind], answers: Sequence[Answer], ontology: Ontology) -> tuple[str, ...]:
    """Classes of these kinds that an answer has, in the ontology's order; the first of each kind where none has any."""
    drawn = {name for answer in answers for name in answer.shapes["class"].unique()}
    known = [ontology.of_kind(kind) for kind in kinds]
    there = [[c.name for c in own if c.name in drawn] or [own[0].name] for own in known]
    return tuple(name for own in there for name in own)


def gold_mask(answer: Answer, grid: Grid, task: Task) -> NDArray[np.bool_]:
    """(y, x) what a gold answer says is labeled, on the task's tile; islands that are named unburned are not."""
    drawn = answer.shapes[answer.shapes["class"] != "unburned"]
    return shapes.rasterise(drawn, grid.crop(task.tile)).astype(bool)


def save_all(fused: Mapping[str, Consensus], folder: Path, *, progress: Progress = silent) -> None:
    """Each consensus in a folder named by its digest, and `index.json` (task id -> digest), written last."""
    from geolabel.quality.products import save_consensus

    homes = walk(
        list(fused.values()), lambda one: save_consensus(one, folder).name, what="keep consensus", progress=progress
    )
    files.write_json(folder / "index.json", dict(zip(fused, homes, strict=True)))


def load_all(folder: Path) -> dict[str, Consensus]:
    """Task id -> Consensus that `save_all` kept."""
    from geolabel.quality.products import load_consensus

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
    smaller than `min_area_m2` join their neighbours.
    """
    from geolabel.label.patches import shapes_of

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
    votes, accord = _heard(consensuses, [task for task in tasks if task.kind == kind], view.grid)
    frame = frame.assign(
        probability=np.round(ndimage.mean(certainty, patch, rows), 4),
        n_votes=np.asarray(ndimage.median(votes, patch, rows)).astype(int),
        agreement=np.round(ndimage.mean(accord, patch, rows), 4),
        boundary_sd_m=np.nan,
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


def _heard(
    consensuses: Mapping[str, Consensus], tasks: Sequence[Task], grid: Grid
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """((y, x) annotators whose word had weight, (y, x) agreement) of each pixel's task."""
    votes, accord = np.zeros(grid.shape, np.int16), np.full(grid.shape, np.nan, np.float32)
    for task in tasks:
        if task.id in consensuses:
            votes[task.tile.slices] = sum(weight > 0 for weight in consensuses[task.id].weights.values())
            accord[task.tile.slices] = consensuses[task.id].agreement
    return votes, accord
