"""What it costs to give a task out on a ledger of size, and what a review queue by disagreement finds."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality.consensus.agree import agree
from geolabel.quality.flow.review import Standing
from geolabel.quality.flow.routing import queue
from geolabel.quality.simulate import HABITS, OTHERS, annotate, smooth_noise
from geolabel.steps.assign import assign
from geolabel.steps.board import ReviewOptions, Terms
from geolabel.steps.review import submit
from geolabel.store.ledger import Ledger
from geolabel.tables import IGNORE, SHAPES, empty

CRS = "EPSG:32630"
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
SIZE = 32


def tasks_on(rows: int, cols: int, size: int = SIZE) -> tuple[Grid, list[Task]]:
    """A grid of tiles, and a task on each."""
    grid = Grid.of(CRS, Affine(10, 0, 500_000, 0, -10, 4_200_000), (rows * size, cols * size))
    return grid, [Task("v", grid.digest, tile, "burn", "wildfire@1") for tile in grid.tiles(size)]


# ---------------------------------------------------------------------- at size
@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds of single requests on a ledger of so many tasks, half of them answered twice."""

    tasks: int
    next_ms: NDArray[np.float64]
    submit_ms: NDArray[np.float64]


def asked(where: Path | str, side: int, requests: int = 20) -> Asked:
    """Times of `requests` people who ask for a task and answer it, on side x side tasks."""
    _, tasks = tasks_on(side, side)
    terms = Terms(ReviewOptions(gold_rate=0))
    with closing(Ledger.open(where, create=True)) as ledger:
        half = [_nothing(task.id, who) for task in tasks[: len(tasks) // 2] for who in ("person:a", "person:b")]
        submit(ledger, half, terms, leased=False)
        taken, given = [], []
        for n in range(requests):
            begun = time.perf_counter()
            one = assign(ledger, tasks, f"person:{n}", terms, now=NOW)
            taken.append(time.perf_counter() - begun)
            answer = _nothing(one.task.id, f"person:{n}")  # type: ignore[union-attr]
            begun = time.perf_counter()
            submit(ledger, [answer], terms)
            given.append(time.perf_counter() - begun)
    return Asked(len(tasks), np.array(taken) * 1e3, np.array(given) * 1e3)


def _nothing(task_id: str, who: str) -> Answer:
    return Answer(task_id, who, "empty", *_tables(), NOW, 1.0)


@cache
def _tables() -> tuple[Any, Any]:
    return empty(SHAPES, CRS), empty(IGNORE, CRS)


# ---------------------------------------------------------------------- the review queue
TEAM = ("expert", "over", "under", "coarse", "careless", "spammer")
WRONG_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Queue:
    """How wrong tiles lie in a review queue."""

    tiles: int
    wrong: int
    """Tiles whose consensus has an IoU with the truth below `WRONG_IOU`."""
    reached: NDArray[np.float64]
    """Share of the wrong tiles that was found after each review."""

    def found(self, share: float) -> float:
        """Share of the wrong tiles that is found when this share of the tiles was reviewed."""
        return float(self.reached[round(share * self.tiles) - 1])

    def needed(self, share: float) -> float:
        """Share of the tiles that is reviewed until this share of the wrong ones is found."""
        return (int(np.argmax(self.reached >= share)) + 1) / self.tiles


def queued(seed: int, side: int = 12) -> Queue:
    """The queue of side x side tiles, each answered by two of a team of six, drawn at random, and fused by majority."""
    generator = np.random.default_rng(seed)
    grid, tasks = tasks_on(side, side)
    truth = smooth_noise(grid.shape, 20.0, generator) > 0.7
    pairs = {task.id: generator.choice(TEAM, 2, replace=False) for task in tasks}
    given = []
    for habit in TEAM:
        own = [task for task in tasks if habit in pairs[task.id]]
        given += annotate(truth, grid, own, habit=HABITS.get(habit) or OTHERS[habit], seed=seed, at=NOW)
    fused = agree(tasks, grid, given, gold={}, classes=("burned",), method="majority")
    standings = {key: Standing(one.status, agreement=one.agreement) for key, one in fused.items()}
    by_id = {task.id: task for task in tasks}
    wrong = np.array([_wrong(fused[key], truth[by_id[key].tile.slices]) for key in queue(standings)])
    return Queue(len(wrong), int(wrong.sum()), np.cumsum(wrong) / max(1, wrong.sum()))


def _wrong(consensus: Consensus, truth: NDArray[np.bool_]) -> bool:
    said = consensus.probability[0] > 0.5
    either = (said | truth).sum()
    return bool(either) and (said & truth).sum() / either < WRONG_IOU
