"""Simulated annotators with known habits, scored on gold: how often who is paused, and whether intervals cover the truth.

A scene is a scar of `teams.truth_of`, a gold task one of its 16 tiles of 64 pixels, empty ones too. An annotator draws the
whole scene afresh; a career is a row of gold tasks, each drawn from another place of the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy import stats

from benchmarks.teams import truth_of
from geolabel.grid import Grid
from geolabel.nouns.task import Task
from geolabel.quality.intervals import bootstrap, median, ratio, wilson
from geolabel.quality.people.agreement import alpha, coded, coincidences, fleiss, fleiss_sums
from geolabel.quality.people.marks import PASS_IOU, Mark, marks
from geolabel.quality.people.sequential import Sprt, Verdict, judge
from geolabel.quality.people.skill import skill
from geolabel.quality.simulate import HABITS, OTHERS, annotate, draw

SIZE, TILE, SCENES = 256, 64, 100
CAREERS, TASKS = 2000, 60
"""Simulated careers, and gold tasks of each."""
BLANK = "draws nothing"
BURN = ("burned",)
RES_M = 30.0


# ---------------------------------------------------------------------- what habits make of gold tasks
@lru_cache
def pool(habit: str, scenes: int = SCENES) -> tuple[Mark, ...]:
    """Marks of this habit's answers to all gold tasks of these scenes."""
    found = []
    for seed in range(scenes):
        truth = truth_of(1000 + seed, 0)
        known = HABITS | OTHERS
        drawn = (
            draw(truth, known[habit], np.random.default_rng([seed, len(habit)])) if habit in known else truth & False
        )
        for top, left in np.ndindex(SIZE // TILE, SIZE // TILE):
            at = np.s_[top * TILE : (top + 1) * TILE, left * TILE : (left + 1) * TILE]
            found.append(marks(drawn[at].astype(np.int8), truth[at].astype(np.int8), 1)[0])
    return tuple(found)


def passes(habit: str) -> NDArray[np.bool_]:
    """Whether each gold task of the pool is passed."""
    return np.array([mark.iou >= PASS_IOU for mark in pool(habit)])


def careers(habit: str, test: Sprt, *, count: int = CAREERS, tasks: int = TASKS, seed: int = 0) -> list[Verdict]:
    """Verdicts at the end of each career."""
    given, generator = passes(habit), np.random.default_rng(seed)
    return [judge(given[generator.permutation(len(given))[:tasks]].tolist(), test) for _ in range(count)]


def coins(pass_rate: float, test: Sprt, *, count: int = 5000, tasks: int = 200, seed: int = 0) -> list[Verdict]:
    """Verdicts on careers of somebody who passes exactly this share of tasks."""
    drawn = np.random.default_rng(seed).random((count, tasks)) < pass_rate
    return [judge(one.tolist(), test) for one in drawn]


def paused_within(verdicts: Sequence[Verdict], tasks: int) -> tuple[float, float, float]:
    """(share of careers that are paused within so many gold tasks, ends of its interval)."""
    hit = sum(one.state == "pause" and one.n <= tasks for one in verdicts)
    return hit / len(verdicts), *wilson(hit, len(verdicts))


# ---------------------------------------------------------------------- whether intervals cover
def wilson_coverage(n: int, shares: NDArray[np.float64], level: float = 0.95) -> NDArray[np.float64]:
    """Exact coverage of Wilson's interval for each true share: no simulation, all outcomes are weighed."""
    ends = np.array([wilson(k, n, level=level) for k in range(n + 1)])
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, shares)
    return np.asarray((chances * ((ends[:, :1] <= shares) & (shares <= ends[:, 1:]))).sum(0))


def bootstrap_coverage(habit: str, n: int, *, way: str, draws: int = 600, seed: int = 0) -> float:
    """Share of samples of `n` gold tasks whose interval of the IoU holds that of the whole pool."""
    shared, union = (np.array([getattr(mark, name) for mark in pool(habit)]) for name in ("shared", "union"))
    return _covered(
        lambda at: ratio(shared[at], union[at]), shared.sum() / union.sum(), len(union), n, way, draws, seed
    )


def bias_coverage(habit: str, n: int, *, draws: int = 200, seed: int = 0) -> float:
    """The same of the median distance of outlines."""
    offsets = [mark.offsets_px for mark in pool(habit)]
    whole = float(np.median(np.concatenate(offsets)))

    def statistic(at):  # type: ignore[no-untyped-def]
        own = [offsets[k] for k in at]
        return median(np.concatenate(own), np.repeat(np.arange(n), [len(one) for one in own]), n)

    return _covered(statistic, whole, len(offsets), n, "bca", draws, seed)


def _covered(statistic, truth: float, size: int, n: int, way: str, draws: int, seed: int) -> float:  # type: ignore[no-untyped-def]
    generator, held, known = np.random.default_rng(seed), 0, 0
    for k in range(draws):
        low, high = bootstrap(statistic(generator.integers(0, size, n)), n, way=way, resamples=500, seed=k)  # type: ignore[arg-type]
        known += bool(np.isfinite(low))
        held += bool(low <= truth <= high)
    return held / known


def pixels_coverage(habit: str, n: int, *, draws: int = 600, seed: int = 0) -> float:
    """Coverage of Wilson's interval that takes every pixel for a witness: what is wrong with it."""
    shared, union = (np.array([getattr(mark, name) for mark in pool(habit)]) for name in ("shared", "union"))
    generator, truth, held = np.random.default_rng(seed), shared.sum() / union.sum(), 0
    for _ in range(draws):
        at = generator.integers(0, len(union), n)
        low, high = wilson(int(shared[at].sum()), int(union[at].sum()))
        held += low <= truth <= high
    return held / draws


# ---------------------------------------------------------------------- whether the bias is found
def biases(habit: str, seeds: Sequence[int] = range(20)) -> tuple[NDArray[np.float64], float]:
    """((seed, (bias, low, high)) metres by 16 gold tasks, share of intervals that hold the bias of the whole outline)."""
    found, held = [], 0
    for seed in seeds:
        truth = truth_of(2000 + seed, 0)
        place, tasks = _ground()
        given = annotate(truth, place, tasks, habit=habit, seed=seed, at=datetime(2024, 7, 1, tzinfo=UTC))
        gold = {task.id: truth[task.tile.slices] for task in tasks}
        row = skill(tasks, place, given, gold, classes=BURN).iloc[0]
        found.append((row["bias_m"], row["bias_low"], row["bias_high"]))
        held += row["bias_low"] - RES_M / 2 <= HABITS[habit].bias_px * RES_M <= row["bias_high"] + RES_M / 2
    return np.array(found), held / len(seeds)


def _ground() -> tuple[Grid, list[Task]]:
    place = Grid.of("EPSG:32610", Affine(RES_M, 0, 500_000, 0, -RES_M, 4_200_000), (SIZE, SIZE))
    return place, [Task("v", place.digest, tile, "burn", "wildfire@1", "gold") for tile in place.tiles(TILE)]


# ---------------------------------------------------------------------- agreement against other programs
def against_packages(seed: int = 0) -> dict[str, tuple[float, float, float, float]]:
    """Coefficient -> (own, theirs, own seconds, their seconds) on the pixels of five annotators."""
    import krippendorff
    from statsmodels.stats.inter_rater import fleiss_kappa

    truth, (place, tasks) = truth_of(3000, seed), _ground()
    given = [a for h in HABITS for a in annotate(truth, place, tasks, habit=h, at=datetime(2024, 7, 1, tzinfo=UTC))]
    codes = np.concatenate([one.codes.reshape(len(HABITS), -1) for one in coded(tasks, place, given, BURN)], 1)
    gone = np.random.default_rng(seed).random(codes.shape) < 0.1
    some = np.where(gone, -1, codes)
    counts, whole = ([(one == value).sum(0) for value in (0, 1)] for one in (some, codes))
    counts, whole = np.stack(counts, 1), np.stack(whole, 1)
    table = np.where(some < 0, np.nan, some)
    return {
        "Krippendorff's alpha": _timed(
            lambda: alpha(coincidences(counts)),
            lambda: krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"),
        ),
        "Fleiss' kappa": _timed(lambda: fleiss(fleiss_sums(whole)), lambda: fleiss_kappa(whole)),
    }


def _timed(own, theirs) -> tuple[float, float, float, float]:  # type: ignore[no-untyped-def]
    times, values = [], []
    for one in (own, theirs):
        start = perf_counter()
        values.append(float(one()))
        times.append(perf_counter() - start)
    return values[0], values[1], times[0], times[1]
