"""Consensus: fuse the answers to each task, by the method that gold speaks for, into shapes that can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality.consensus.agreed import NamedPatches, agreed_shapes, agreeing_share, shapes_of_one
from geolabel.quality.consensus.anchoring import likenesses, measured_rho
from geolabel.quality.consensus.choose import Choice, Evidence, choose, chosen_fuse
from geolabel.quality.consensus.fused import Fused, count
from geolabel.quality.consensus.independence import proposals_of
from geolabel.quality.consensus.votes import Codes, Votes, collect, gold_codes
from geolabel.shapes import polygonise
from geolabel.tables import IGNORE, empty

SINGLE = "single"
"""Method of a task that one annotator answered: their shapes, as they are."""
DISPUTED_BELOW = 0.7
"""Mean share on the winning side of the ground that anybody claimed: for two annotators an overlap (IoU) of 0.4."""


def agree(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    *,
    gold: Mapping[str, NDArray[np.generic]],
    classes: Sequence[str],
    method: str | None = None,
) -> dict[str, Consensus]:
    """Task id -> Consensus, for every task that somebody judged or was unsure of; no order of the answers matters.

    Complete answers vote, areas to ignore are masked for their annotator, and as soon as a person answered, rules and
    models weigh 0; people who were shown the same proposal weigh less than 1 (`independence`). A task with one voice keeps
    that annotator's shapes (agreement NaN). The method of each class is chosen by leaving out each gold task in turn, and
    the evidence is kept. Polygons of neighbouring tiles that belong together share their `label_id`.

    Parameters
    ----------
    gold
        Task id -> (y, x) truth of the tile's core: bool, or numbers from 1 in the order of `classes`.
    method
        One of `fuse.METHODS` for all classes (`distance` for one class only) instead of the choice on gold.

    Raises
    ------
    QualityError
        For tasks of several kinds or grids, a class that was not asked for, gold that is not of its tile or these classes,
        an unknown method, or one that needs gold where there is none.
    """
    _check(tasks, grid)
    given: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        given[answer.task_id].append(answer)
    asked = [task for task in sorted(tasks, key=lambda t: t.tile) if _was_judged(given[task.id])]
    rho = _rho(asked, grid, answers)
    votes = [collect(task, grid, given[task.id], classes, rho=rho) for task in asked]
    truth = gold_codes(gold, votes, classes)
    several = [one for one in votes if len(one.annotators) > 1]
    choice = choose(several, truth, classes=classes, method=method)
    fuse = chosen_fuse(choice, several, truth) if several else count
    fused = {one.task.id: fuse(one) for one in several}
    patches = _patches(several, fused, grid)
    return {
        one.task.id: _of_several(one, fused[one.task.id], patches, choice) if one.task.id in fused else _of_one(one)
        for one in votes
    }


def _rho(tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer]) -> dict[str, float]:
    """Proposal -> how far those who were shown it lean together, where enough answers without it tell."""
    if not any(proposals_of(answer) for answer in answers):
        return {}
    return measured_rho(likenesses(tasks, grid, answers, answers))


def _check(tasks: Sequence[Task], grid: Grid) -> None:
    if len({(task.kind, task.view_id) for task in tasks}) > 1:
        raise QualityError("tasks of several kinds or views", hint="agree on one kind and view at a time")
    foreign = [task.id for task in tasks if task.grid_digest != grid.digest]
    if foreign:
        raise QualityError(f"{len(foreign)} tasks belong to another grid than {grid!r}: {foreign[0]}")


def _was_judged(answers: Sequence[Answer]) -> bool:
    return any(answer.outcome != "skipped" for answer in answers)


def _patches(votes: Sequence[Votes], fused: Mapping[str, Fused], grid: Grid) -> dict[int, NamedPatches]:
    """Code -> patches of that class over the whole view."""
    if not votes:
        return {}
    winners = np.zeros(grid.shape, np.int8)
    for one in votes:
        winners[one.task.tile.slices] = np.maximum(fused[one.task.id].winner, 0)
    view_id = votes[0].task.view_id
    return {
        code: NamedPatches.of(winners == code, f"{view_id}/{name}")
        for code, name in enumerate(votes[0].classes, start=1)
    }


# ---------------------------------------------------------------------- one task
def _of_one(votes: Votes) -> Consensus:
    """Consensus of one annotator, or of none (everybody was unsure): there is nothing to agree with."""
    return _consensus(votes, count(votes), shapes_of_one(votes), method=SINGLE)


def _of_several(votes: Votes, fused: Fused, patches: Mapping[int, NamedPatches], choice: Choice) -> Consensus:
    shapes = agreed_shapes(votes, fused, patches)
    return _consensus(votes, fused, shapes, method=choice.name, evidence=choice.evidence)


def _consensus(
    votes: Votes, fused: Fused, shapes: gpd.GeoDataFrame, *, method: str, evidence: Mapping[str, Evidence] | None = None
) -> Consensus:
    agreement, disputed = _agreement(votes, fused.winner)
    return Consensus(
        task_id=votes.task.id,
        grid=votes.grid,
        shapes=shapes,
        ignore=_ignore(votes),
        classes=votes.classes,
        probability=fused.probability[1:].astype(np.float32),
        agreement=agreement,
        weights=dict(sorted({**fused.weights, **dict.fromkeys(votes.unheard, 0.0)}.items())),
        method=method,
        evidence=dict(evidence or {}),
        answers=tuple(answer.digest for answer in votes.answers),
        status="disputed" if disputed else "agreed",
    )


def _agreement(votes: Votes, winner: Codes) -> tuple[float, bool]:
    """(mean share on the winning side, whether the task is disputed): NaN for one annotator, disputed without any."""
    if len(votes.annotators) < 2 or not votes.judged.any():
        return float("nan"), not votes.judged.any()
    agreeing, claimed = agreeing_share(votes, winner), votes.claimed
    disputed = claimed.any() and float(agreeing[claimed].mean()) < DISPUTED_BELOW
    return float(agreeing[votes.judged].mean()), bool(disputed)


def _ignore(votes: Votes) -> gpd.GeoDataFrame:
    """IGNORE: ground that no heard annotator judged, with the reason they gave."""
    areas = polygonise(np.where(votes.judged, 0, votes.reason).astype(np.uint8), votes.grid)
    if not len(areas):
        return empty(IGNORE, areas.crs)
    return areas.assign(reason=[votes.reasons[code - 1] for code in areas["code"]])[list(IGNORE)]
