"""How far annotators agree beyond chance: Krippendorff's alpha, Fleiss' kappa and pairwise IoU, whole and by stratum.

The unit that is coded is the pixel, the unit that is drawn again for intervals the task. Nobody needs to have answered
every task, and ground that somebody left out is missing for that annotator only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.votes import COMPLETE, Codes, collect, is_machine, standing
from geolabel.quality.intervals import LEVEL, RESAMPLES, bootstrap
from geolabel.tables import AGREEMENT, PAIRWISE

Floats = NDArray[np.float64]
ALL = "all"
"""The stratum of all ground, which comes first."""


@dataclass(frozen=True, slots=True)
class Strata:
    """A partition of a view's ground: what agreement is split by."""

    codes: NDArray[Any]
    """(y, x) on the view's grid: k is `names[k - 1]`, 0 belongs to no stratum."""
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.codes.size and not 0 <= self.codes.min() <= self.codes.max() <= len(self.names):
            raise QualityError(
                f"strata {self.codes.min()} to {self.codes.max()} with {len(self.names)} names",
                hint="0 for none, 1 for the first name",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """What people said of the pixels of one task."""

    task: Task
    annotators: tuple[str, ...]
    codes: Codes
    """(annotator, y, x): 0 nothing, k class k, -1 not judged."""


def coded(tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer], classes: Sequence[str]) -> list[Coded]:
    """Tasks with complete answers of two people or more, in order; rules and models are no people."""
    given: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.outcome in COMPLETE and not is_machine(answer.annotator):
            given[answer.task_id].append(answer)
    found = []
    for task in sorted(tasks, key=lambda one: one.tile):
        own = standing(given[task.id])
        if len(own) > 1:
            codes = [collect(task, grid, [answer], classes).codes[0] for answer in own]
            found.append(Coded(task, tuple(answer.annotator for answer in own), np.stack(codes)))
    return found


# ---------------------------------------------------------------------- coefficients of counts
def alpha(coincidences: Floats) -> Floats:
    """(...) Krippendorff's alpha of (..., value, value) coincidences, nominal; NaN where only one value was ever said.

    Source: Krippendorff 2019, Content Analysis (4th ed.), section 12.3.3 (nominal data, missing values allowed).
    """
    of_value = coincidences.sum(-1)
    n = of_value.sum(-1)
    observed = n - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = n**2 - (of_value**2).sum(-1)
    return 1 - np.divide((n - 1) * observed, expected, out=np.full(n.shape, np.nan), where=expected > 1e-9)


def coincidences(counts: NDArray[np.integer]) -> Floats:
    """(value, value) how often two values were said of one unit, of (unit, value) counts of annotators.

    A unit that m annotators coded gives its m (m - 1) ordered pairs the weight 1 / (m - 1); one that fewer than two
    coded gives none.
    """
    pairable = counts[counts.sum(1) > 1].astype(float)
    weight = 1 / (pairable.sum(1) - 1)
    weighted = pairable * weight[:, None]
    return np.asarray(weighted.T @ pairable - np.diag(weighted.sum(0)))


def fleiss(sums: Floats) -> Floats:
    """(...) Fleiss' kappa of (..., value + 2) sums of `fleiss_sums`; NaN where only one value was ever said.

    Source: Fleiss 1971, Psychological Bulletin 76:378, equations 3 to 7; units with missing codes as in Gwet 2014,
    Handbook of Inter-Rater Reliability (4th ed.), section 3.3: each unit counts once, by the shares of its own codes.
    """
    n = sums[..., :1]
    means = np.divide(sums[..., 1:], n, out=np.full(sums[..., 1:].shape, np.nan), where=n > 0)
    chance = (means[..., 1:] ** 2).sum(-1)
    return np.divide(means[..., 0] - chance, 1 - chance, out=np.full(chance.shape, np.nan), where=1 - chance > 1e-12)


def fleiss_sums(counts: NDArray[np.integer]) -> Floats:
    """(value + 2,) over the units that two annotators or more coded: how many, their agreement, their share of each value."""
    pairable = counts[counts.sum(1) > 1].astype(float)
    m = pairable.sum(1)
    agreeing = ((pairable**2).sum(1) - m) / (m * (m - 1))
    return np.array([len(m), agreeing.sum(), *(pairable / m[:, None]).sum(0)])


# ---------------------------------------------------------------------- tables
def agreement(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    *,
    classes: Sequence[str],
    strata: Strata | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """AGREEMENT: a row for all ground, then one for each stratum; intervals by drawing tasks again (BCa).

    NaN where nobody can disagree: fewer than two people, or one value only. The mean pairwise IoU counts each pair of
    annotators once, whatever they have in common.

    Raises
    ------
    QualityError
        For a class that is not asked for, or strata that do not lie on the grid.
    """
    found, how = coded(tasks, grid, answers, classes), {"level": level, "resamples": resamples, "seed": seed}
    rows = []
    for name, inside in _strata(found, grid, strata):
        counts = [_counts(one.codes[:, mask], len(classes)) for one, mask in zip(found, inside, strict=True)]
        told = [k for k, one in enumerate(counts) if (one.sum(1) > 1).any()]
        pairs = _pairwise(found, inside, len(classes))
        row: dict[str, Any] = {
            "stratum": name,
            "n_tasks": len(told),
            "n_annotators": len({who for k in told for who in found[k].annotators}),
            "n_pixels": sum(int((counts[k].sum(1) > 1).sum()) for k in told),
        }
        row |= _with_interval("alpha", alpha, [coincidences(counts[k]) for k in told], how)
        row |= _with_interval("kappa", fleiss, [fleiss_sums(counts[k]) for k in told], how)
        known = [shared / union for shared, union, _ in pairs.values() if union]
        rows.append({**row, "iou": float(np.mean(known)) if known else float("nan")})
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def pairwise(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    *,
    classes: Sequence[str],
    strata: Strata | None = None,
) -> pd.DataFrame:
    """PAIRWISE: IoU of each two people who answered the same tasks, pooled over them, in all ground and by stratum.

    A pixel is shared where both say the same class. `matrix` lays the rows of a stratum out as a square.
    """
    found = coded(tasks, grid, answers, classes)
    rows = [
        (name, one, other, tasks_, shared / union if union else float("nan"))
        for name, inside in _strata(found, grid, strata)
        for (one, other), (shared, union, tasks_) in sorted(_pairwise(found, inside, len(classes)).items())
    ]
    return pd.DataFrame(rows, columns=list(PAIRWISE))


def matrix(pairs: pd.DataFrame, stratum: str = ALL) -> pd.DataFrame:
    """Square of IoU, annotators by annotators by name, of the rows of `pairwise`; NaN where two share no task."""
    own = pairs[pairs["stratum"] == stratum]
    names = sorted({*own["annotator"], *own["other"]})
    laid = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for one in names:
        for other in names:
            if one < other:
                value = own.loc[(own["annotator"] == one) & (own["other"] == other), "iou"]
                laid.loc[one, other] = laid.loc[other, one] = value.iloc[0] if len(value) else np.nan
    return laid


# ---------------------------------------------------------------------- pieces
def _strata(found: Sequence[Coded], grid: Grid, strata: Strata | None) -> list[tuple[str, list[NDArray[np.bool_]]]]:
    """(name, for each task the pixels inside) of all ground and of each stratum."""
    if strata is not None and strata.codes.shape != grid.shape:
        raise QualityError(f"strata of {strata.codes.shape} on a grid of {grid.shape}")
    every: list[tuple[str, list[NDArray[np.bool_]]]] = [(ALL, [np.ones(one.codes.shape[1:], bool) for one in found])]
    for code, name in enumerate(strata.names if strata else (), start=1):
        every.append((name, [strata.codes[one.task.tile.slices] == code for one in found]))  # type: ignore[union-attr]
    return every


def _counts(codes: Codes, n_classes: int) -> NDArray[np.int64]:
    """(pixel, value) annotators who said each value, of (annotator, pixel) codes; not judged is no value."""
    return np.stack([(codes == value).sum(0) for value in range(n_classes + 1)], axis=1)


def overlaps(codes: Codes, n_classes: int) -> tuple[Floats, Floats]:
    """((class + 1, annotator, annotator) pixels that both drew as a class, that at least one of them did).

    Index 0 is any class: shared where both say the same. Only ground that both judged counts.

    Parameters
    ----------
    codes
        (annotator, pixel) 0 nothing, k class k, -1 not judged.
    """
    judged = (codes >= 0).astype(np.float32)
    drawn = np.stack([codes > 0, *(codes == value for value in range(1, n_classes + 1))]).astype(np.float32)
    shared = np.matmul(drawn, drawn.transpose(0, 2, 1)).astype(float)
    told = np.matmul(drawn, judged.T).astype(float)
    claimed = told + told.transpose(0, 2, 1) - shared
    shared[0] = shared[1:].sum(0)
    return shared, claimed


def _pairwise(
    found: Sequence[Coded], inside: Sequence[NDArray[np.bool_]], n_classes: int
) -> dict[tuple[str, str], tuple[float, float, int]]:
    """(annotator, other) -> (pixels of one class with both, pixels of a class with one of them, tasks)."""
    sums: dict[tuple[str, str], NDArray[np.float64]] = defaultdict(lambda: np.zeros(3))
    for one, mask in zip(found, inside, strict=True):
        codes = one.codes[:, mask]
        shared, claimed = overlaps(codes, n_classes)
        for a, b in zip(*np.triu_indices(len(codes), 1), strict=True):
            met = ((codes[a] >= 0) & (codes[b] >= 0)).any()
            sums[one.annotators[a], one.annotators[b]] += [shared[0, a, b], claimed[0, a, b], met]
    return {pair: (s, u, int(n)) for pair, (s, u, n) in sums.items() if n}


def _with_interval(
    name: str, coefficient: Callable[[Floats], Floats], parts: Sequence[Floats], how: Mapping[str, Any]
) -> dict[str, float]:
    """A coefficient of sums over tasks, with the ends of its interval."""
    if not parts:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), float("nan"))
    stacked = np.stack(parts)

    def pooled(weights: Floats) -> Floats:
        return coefficient(np.tensordot(weights, stacked, axes=1))

    value = float(pooled(np.ones((1, len(parts))))[0])
    low, high = bootstrap(pooled, len(parts), **how)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
