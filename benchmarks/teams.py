"""Teams of simulated annotators whose truth is known: what each way to fuse makes of their answers, seed by seed.

A seed is a project of 30 tasks of 256 pixels, each with a truth of its own: a smooth blob with unburned islands, whose
sizes are those for which a random annotator and the majority come nearest to the table in TARGETS, section 3. Three tasks
are gold; figures are of the other 27, pooled. Everybody answers every task, afresh (`quality.simulate.draw`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray
from scipy import stats

from geolabel.grid import Grid, Tile
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.choose import choose
from geolabel.quality.consensus.fuse import METHODS
from geolabel.quality.consensus.fused import Fuse
from geolabel.quality.consensus.votes import Codes, Votes
from geolabel.quality.simulate import HABITS, OTHERS, draw, smooth_noise
from geolabel.tables import IGNORE, SHAPES, empty

Mask = NDArray[np.bool_]
Annotator = tuple[str, int]
"""Habit, and the number of the annotator who has it."""
SIZE, TASKS, GOLD, SEEDS = 256, 30, 3, 20
CHOSEN, RANDOM = "chosen", "a random annotator"


def kind(habit: str, n: int = 3) -> tuple[Annotator, ...]:
    return tuple((habit, k) for k in range(1, n + 1))


def each(*habits: str) -> tuple[Annotator, ...]:
    return tuple((habit, 1) for habit in habits)


MIXED: dict[str, tuple[Annotator, ...]] = {
    "all five": each(*HABITS),
    "over + coarse + careless": each("over", "coarse", "careless"),
    "expert + under + careless": each("expert", "under", "careless"),
    "all five + spammer": each(*HABITS, "spammer"),
    "all five + one who misses islands": each(*HABITS, "misses"),
}
OTHER_TEAMS: dict[str, tuple[Annotator, ...]] = {
    **{f"three of {habit}": kind(habit) for habit in (*HABITS, "misses")},
    "expert + spammer + coarse": each("expert", "spammer", "coarse"),
    "over + under": each("over", "under"),
}


# ---------------------------------------------------------------------- what is there, and what everybody draws
def truth_of(seed: int, number: int) -> Mask:
    """(y, x) bool: the scar of one task."""
    generator = np.random.default_rng([seed, number])
    row, col = np.indices((SIZE, SIZE)) - SIZE / 2
    blob = 0.5 * smooth_noise((SIZE, SIZE), SIZE / 10, generator) + 1 - (np.hypot(row, col) / (0.26 * SIZE)) ** 2
    return np.asarray((blob > 0) & ~(smooth_noise((SIZE, SIZE), SIZE / 33, generator) > 1.2))


def drawn(truth: Mask, annotator: Annotator, seed: int, number: int) -> Mask:
    """(y, x) bool: what this annotator draws of the task."""
    habit, n = annotator
    place = [*HABITS, *OTHERS].index(habit)
    return draw(truth, (HABITS | OTHERS)[habit], np.random.default_rng([seed, number, place, n]))


def grid() -> Grid:
    """The view of one seed: its tasks side by side."""
    return Grid.of("EPSG:32610", Affine(30, 0, 500_000, 0, -30, 4_200_000), (SIZE, SIZE * TASKS))


def tasks() -> list[Task]:
    """The tasks of one seed; the first `GOLD` are gold."""
    tiles = [Tile(0, SIZE * n, SIZE, SIZE, 0) for n in range(TASKS)]
    return [Task("teams", grid().digest, tile, "burn", "wildfire@1") for tile in tiles]


@lru_cache(maxsize=1)
def _nobody() -> Answer:
    crs = grid().crs.to_wkt()
    return Answer(
        "", "sim:nobody-1", "empty", empty(SHAPES, crs), empty(IGNORE, crs), datetime(2024, 7, 1, 12, tzinfo=UTC)
    )


def votes_of(task: Task, masks: Mapping[Annotator, Mask], team: Sequence[Annotator]) -> Votes:
    """Votes from masks: those that `quality.consensus.votes.collect` gives for the outlines of these masks (tested)."""
    own = sorted(team, key=_name)
    return Votes(
        task=task,
        grid=grid().crop(task.tile),
        classes=("burned",),
        answers=tuple(replace(_nobody(), task_id=task.id, annotator=_name(one)) for one in own),
        codes=np.stack([masks[one] for one in own]).astype(np.int8),
        independence=(1.0,) * len(own),
        unheard=(),
        reasons=("unsure",),
        reason=np.zeros((SIZE, SIZE), np.uint8),
    )


def _name(annotator: Annotator) -> str:
    return f"sim:{annotator[0]}-{annotator[1]}"


# ---------------------------------------------------------------------- one seed
@dataclass
class Sums:
    """Pixels of intersection, union, found and truth, task by task."""

    counts: NDArray[np.int64]

    @classmethod
    def none(cls) -> Sums:
        return cls(np.zeros(4, np.int64))

    def add(self, found: Mask, truth: Mask) -> None:
        self.counts += [(found & truth).sum(), (found | truth).sum(), found.sum(), truth.sum()]

    @property
    def iou(self) -> float:
        return float(self.counts[0] / self.counts[1])

    @property
    def area_bias(self) -> float:
        return float(self.counts[2] / self.counts[3] - 1)


def one_seed(seed: int, teams: Mapping[str, Sequence[Annotator]] | None = None) -> pd.DataFrame:
    """One row for each team and method: iou and area_bias on the tasks that are not gold; and what was chosen."""
    teams = {**MIXED, **OTHER_TEAMS} if teams is None else teams
    people = sorted({one for team in teams.values() for one in team})
    truths = [truth_of(seed, n) for n in range(TASKS)]
    masks = [{one: drawn(truth, one, seed, n) for one in people} for n, truth in enumerate(truths)]
    asked = tasks()
    votes = {name: [votes_of(t, m, team) for t, m in zip(asked, masks, strict=True)] for name, team in teams.items()}
    gold = {task.id: truth.astype(np.int8) for task, truth in zip(asked[:GOLD], truths[:GOLD], strict=True)}
    chosen = {name: choose(own, gold, classes=("burned",)).methods["burned"] for name, own in votes.items()}
    ways = {name: _ways(own, gold, name in MIXED, chosen[name]) for name, own in votes.items()}
    sums = {(name, way): Sums.none() for name in teams for way in (*ways[name], RANDOM)}
    for n in range(GOLD, TASKS):
        for name, team in teams.items():
            for way, fuse in ways[name].items():
                sums[name, way].add(fuse(votes[name][n]).winner > 0, truths[n])
            for one in team:
                sums[name, RANDOM].add(masks[n][one], truths[n])
    rows = [(seed, name, way, total.iou, total.area_bias, chosen[name]) for (name, way), total in sums.items()]
    told = pd.DataFrame(rows, columns=["seed", "team", "method", "iou", "area_bias", "chosen"])
    picked = told[told["method"] == told["chosen"]].assign(method=CHOSEN)
    return pd.concat([told, picked], ignore_index=True)


def _ways(votes: Sequence[Votes], gold: Mapping[str, Codes], every: bool, chosen: str) -> dict[str, Fuse]:
    names = METHODS if every else {"majority", chosen}
    return {name: METHODS[name](votes, gold)(None) for name in METHODS if name in names}


def all_seeds(seeds: Sequence[int] = range(SEEDS), workers: int = 2) -> pd.DataFrame:
    """The rows of all seeds."""
    with ProcessPoolExecutor(workers) as pool:
        return pd.concat(pool.map(one_seed, seeds), ignore_index=True)


# ---------------------------------------------------------------------- over the seeds
def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): 95 % interval of the mean over seeds (Student's t)."""
    found = np.asarray(values, float)
    half = stats.t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found))
    return float(found.mean()), float(found.mean() - half), float(found.mean() + half)


def of(table: pd.DataFrame, team: str, method: str, column: str = "iou") -> NDArray[np.float64]:
    """(seed,) a figure of one team and method."""
    own = table[(table["team"] == team) & (table["method"] == method)].sort_values("seed")
    return own[column].to_numpy(float)


# ---------------------------------------------------------------------- speed
def big_votes(size: int = 2048, annotators: int = 5, seed: int = 0) -> NDArray[np.int8]:
    """(annotator, y, x): smooth truth, and people who err on more and more of the pixels."""
    generator = np.random.default_rng(seed)
    truth = smooth_noise((size, size), 40, generator) > 0.5
    wrong = np.linspace(0.04, 0.2, annotators)
    return np.stack([truth ^ (generator.random(truth.shape) < share) for share in wrong]).astype(np.int8)


def big_task(codes: NDArray[np.int8]) -> Votes:
    """These votes as one task."""
    view = Grid.of("EPSG:32610", Affine(30, 0, 500_000, 0, -30, 4_200_000), codes.shape[1:])
    task = Task("big", view.digest, next(iter(view.tiles(max(view.shape)))), "burn", "wildfire@1")
    names = [f"sim:big-{n}" for n in range(len(codes))]
    answers = tuple(replace(_nobody(), task_id=task.id, annotator=name) for name in names)
    more = {"unheard": (), "reasons": ("unsure",), "reason": np.zeros(view.shape, np.uint8)}
    return Votes(task, view, ("burned",), answers, codes, (1.0,) * len(names), **more)


def timed(work: Callable[[], NDArray[Any]], repeats: int) -> tuple[float, NDArray[Any]]:
    """(seconds of the fastest repeat, its result)."""
    best, result = float("inf"), np.empty(0)
    for _ in range(repeats):
        begin = perf_counter()
        result = work()
        best = min(best, perf_counter() - begin)
    return best, result


def ours(votes: Votes) -> NDArray[np.float64]:
    """(y, x) posterior of the class, by EM on the distinct patterns."""
    return METHODS["dawid-skene"]([votes], {})(None)(votes).probability[1]


def crowd_kit(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """(y, x) the label that crowd-kit's Dawid-Skene gives every pixel."""
    from crowdkit.aggregation import DawidSkene

    n, size = codes.shape[0], codes[0].size
    long = pd.DataFrame(
        {"task": np.tile(np.arange(size), n), "worker": np.repeat(np.arange(n), size), "label": codes.ravel()}
    )
    return DawidSkene(n_iter=100).fit_predict(long).sort_index().to_numpy(bool).reshape(codes.shape[1:])


def simple_itk(codes: NDArray[np.int8]) -> NDArray[np.float64]:
    """(y, x) probability that SimpleITK's STAPLE gives every pixel."""
    import SimpleITK

    images = [SimpleITK.GetImageFromArray(one.astype(np.uint8)) for one in codes]
    return np.asarray(SimpleITK.GetArrayFromImage(SimpleITK.STAPLE(images, 1.0)))
