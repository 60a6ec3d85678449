"""Consensus on objects: which things several annotators mean, which of them are there, and one shape for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality.consensus.agree import DISPUTED_BELOW, agree
from geolabel.quality.consensus.votes import Votes, collect, gold_codes, is_machine
from geolabel.quality.instances.matching import Shapes
from geolabel.quality.instances.naming import Part, named
from geolabel.quality.instances.shape import boundary_sd_m, ious
from geolabel.quality.instances.things import Thing, things_of
from geolabel.quality.instances.voting import Verdict, verdicts
from geolabel.shapes import polygonise
from geolabel.tables import AGREED, empty

Floats = NDArray[np.float64]


def agree_objects(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    *,
    gold: Mapping[str, NDArray[np.generic]],
    classes: Sequence[str],
    method: str | None = None,
) -> dict[str, Consensus]:
    """Task id -> Consensus on separate objects, for every task that somebody judged; no order of the answers matters.

    Per task and class the annotators' objects are matched with each other (`clusters`); an object is there where the
    votes of those who judged its place give it a probability of one half or more, and gets the shape that stands for its
    members' shapes (`shape.fused`). Who left the place out did not judge it; rules and models weigh 0 beside people. A
    task with one voice keeps that annotator's shapes. It is disputed where the voters agree on less than 0.7 of the
    objects that anybody drew (for two annotators: where fewer than 0.4 of them are drawn by both).

    `probability` of a shape is that of the object; the raster is the share of the votes for each pixel, and so is the
    agreement. Parts of an object on neighbouring tiles share their `label_id`.

    Parameters
    ----------
    gold
        Task id -> (y, x) truth of the tile's core: bool, or numbers from 1 in the order of `classes`. Its objects are its
        patches: true ones that touch count as one.
    method
        majority, one-coin, dawid-skene or glad (of votes on objects) instead of the choice on gold, which is made for
        each class where gold speaks of ten objects or more.

    Raises
    ------
    QualityError
        For tasks of several kinds, views or grids, a class that was not asked for, gold that is not of its tile, or an
        unknown method.
    """
    base = agree(tasks, grid, answers, gold={}, classes=classes, method="majority")
    given: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        given[answer.task_id].append(answer)
    asked = [task for task in sorted(tasks, key=lambda one: one.tile) if task.id in base]
    votes = [collect(task, grid, given[task.id], classes) for task in asked]
    several = [one for one in votes if len(one.annotators) > 1]
    things = [thing for one in several for thing in things_of(one, base[one.task.id].weights)]
    truth = _true_objects(gold_codes(gold, votes, classes), {one.task.id: one for one in several})
    found = verdicts(things, truth, sorted(classes), method)
    there = _shapes(things, found, several, grid)
    return base | {one.task.id: _of_task(base[one.task.id], one, things, found, there) for one in several}


def _true_objects(codes: Mapping[str, NDArray[np.int8]], votes: Mapping[str, Votes]) -> dict[tuple[str, str], Shapes]:
    """(Task, class) -> patches of the gold truth."""
    found: dict[tuple[str, str], Shapes] = {}
    for task_id, truth in codes.items():
        if task_id in votes:
            for code, name in enumerate(votes[task_id].classes, start=1):
                traced = polygonise((truth == code).astype(np.uint8), votes[task_id].grid)
                found[task_id, name] = traced.geometry.to_numpy()
    return found


# ---------------------------------------------------------------------- what is there
def _shapes(
    things: Sequence[Thing], found: Mapping[str, Verdict], several: Sequence[Votes], grid: Grid
) -> dict[str, gpd.GeoDataFrame]:
    """Task id -> AGREED rows of the objects that are there."""
    if not several:
        return {}
    crs, tiles = several[0].grid.crs.to_wkt(), {one.task.id: one.grid for one in several}
    kept = [thing for thing in things if found[thing.class_name].there(thing.key)]
    parts = [
        Part(
            thing.task_id,
            thing.class_name,
            shapely.box(*tiles[thing.task_id].bounds),
            thing.shape,
            {(who, label): shape for who, (label, shape) in thing.members.items()},
        )
        for thing in kept
    ]
    ids = named(parts, grid, several[0].task.view_id)
    rows: dict[str, list[dict[str, object]]] = defaultdict(list)
    for thing, label_id in zip(kept, ids, strict=True):
        rows[thing.task_id].append(_row(thing, label_id, found[thing.class_name].probability[thing.key]))
    return {one.task.id: _agreed(rows[one.task.id], crs) for one in several}


def _row(thing: Thing, label_id: str, probability: float) -> dict[str, object]:
    people = [weight for name, weight in thing.weights.items() if not is_machine(name)]
    return {
        "label_id": label_id,
        "class": thing.class_name,
        "severity": None,
        "severity_scheme": None,
        "confidence": np.nan,
        "masked_share": np.nan,
        "geometry": thing.shape,
        "probability": probability,
        "n_votes": int(sum(people) + 1e-9),
        "agreement": float(ious(thing.shape, thing.shapes).mean()) if len(thing.members) > 1 else np.nan,
        "boundary_sd_m": boundary_sd_m(thing.shape, thing.shapes),
    }


def _agreed(rows: Sequence[Mapping[str, object]], crs: str) -> gpd.GeoDataFrame:
    if not rows:
        return empty(AGREED, crs)
    frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=crs)
    return frame.astype({"severity": object, "severity_scheme": object})[list(AGREED)]


def _of_task(
    base: Consensus,
    votes: Votes,
    things: Sequence[Thing],
    found: Mapping[str, Verdict],
    there: Mapping[str, gpd.GeoDataFrame],
) -> Consensus:
    own = [thing for thing in things if thing.task_id == votes.task.id]
    agreeing = [_winning_share(thing, found[thing.class_name].there(thing.key)) for thing in own]
    weights = {name: _weight(name, base.weights[name], found) for name in base.weights}
    return replace(
        base,
        shapes=there[votes.task.id],
        weights=weights,
        method="+".join(sorted({one.method for one in found.values()})),
        evidence={name: one.evidence for name, one in found.items() if one.evidence},
        status="disputed" if (own and np.mean(agreeing) < DISPUTED_BELOW) or not votes.judged.any() else "agreed",
    )


def _winning_share(thing: Thing, there: bool) -> float:
    """Share of the votes on an object that say what was decided of it."""
    for_it = sum(thing.weights[name] for name in thing.members) / sum(thing.weights.values())
    return for_it if there else 1 - for_it


def _weight(annotator: str, base: float, found: Mapping[str, Verdict]) -> float:
    """Mean over the classes of how much an annotator's word counts; the independence of the vote where none was learned."""
    learned = [one.weights[annotator] for one in found.values() if annotator in one.weights]
    return float(np.mean(learned)) * base if learned and base else base
