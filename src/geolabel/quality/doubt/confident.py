"""Confident learning: what a model's probabilities say of the labels it was not taught with.

Every function needs OUT-OF-SAMPLE probabilities: those a model gives for an example that it has not seen, nor its
neighbours. A model that was taught a wrong label repeats it, and finds nothing.

Source: Northcutt, Jiang & Chuang 2021, Journal of Artificial Intelligence Research 70:1373 (sections 3.1 and 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import QualityError

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
TEMPERATURE = 1.0
"""Of the softmin: nearer to 0 it is the smallest value, far above it the mean. Lad & Mueller 2023 set 0.1; on real polygons
with errors put into them 1 finds more of them (average precision .92 against .78 on Spanish water, .87 against .82 on the
Amazon, four seeds, on which it was chosen; `benchmarks/evidence/quality/suspects.py` measures it on twelve)."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How labels were confused, estimated from examples alone; rows are given classes, columns true ones."""

    thresholds: Floats
    """(class,) mean probability of a class among the examples labeled so; NaN of one that nothing is labeled."""
    counts: Numbers
    """(given, true) the confident joint: examples whose probability of the column's class reaches its threshold."""
    joint: Floats
    """(given, true) share of all examples, calibrated to what was given; sums to 1."""

    @property
    def true_of_given(self) -> Floats:
        """(given, true) chance of each true class of a label; rows sum to 1, NaN of a class that nothing is labeled."""
        return _shares(self.joint, self.joint.sum(1, keepdims=True))

    @property
    def given_of_true(self) -> Floats:
        """(given, true) chance of each label of a true class: the noise rates; columns sum to 1 (NaN where empty)."""
        return _shares(self.joint, self.joint.sum(0, keepdims=True))

    @property
    def wrong(self) -> float:
        """Share of all examples whose label is wrong."""
        return float(1 - np.trace(self.joint))


def thresholds(probability: ArrayLike, given: ArrayLike) -> Floats:
    """(class,) mean self-confidence: of the examples labeled as a class, its mean probability; NaN without any.

    Parameters
    ----------
    probability
        (n, class), out of sample, 0-1.
    given
        (n,) number of each example's class, 0-based.

    Raises
    ------
    QualityError
        For probabilities that are none, or a class that they do not know.

    Source: Northcutt et al. 2021, equation 2.
    """
    chances, labels = _checked(probability, given)
    own, k = chances[np.arange(len(labels)), labels], chances.shape[1]
    return _shares(np.bincount(labels, own, k), np.bincount(labels, minlength=k).astype(float))


def named(probability: ArrayLike, least: ArrayLike) -> Numbers:
    """(n,) the class that an example is confidently of: the most probable that reaches its threshold; -1 without any.

    Source: Northcutt et al. 2021, equation 1 (ties and collisions go to the larger probability, then to the first).
    """
    chances = np.asarray(probability, float)
    reached = chances >= np.nan_to_num(np.asarray(least, float), nan=np.inf) - 1e-9
    return np.where(reached.any(1), np.where(reached, chances, -1.0).argmax(1), -1)


def noise(probability: ArrayLike, given: ArrayLike) -> Noise:
    """How labels were confused: thresholds, confident joint and its calibration. Arguments as `thresholds`.

    A class with labels of which none is confidently of any class is taken as right.

    Source: Northcutt et al. 2021, equations 1-3.
    """
    chances, labels = _checked(probability, given)
    least, k = thresholds(chances, labels), chances.shape[1]
    sure = named(chances, least)
    counts = np.bincount(labels[sure >= 0] * k + sure[sure >= 0], minlength=k * k).reshape(k, k)
    there = np.bincount(labels, minlength=k)
    diagonal = np.where(counts.sum(1) == 0, there, 0)
    scaled = _shares((counts + np.diag(diagonal)).astype(float), (counts.sum(1) + diagonal)[:, None].astype(float))
    calibrated = np.nan_to_num(scaled) * there[:, None]
    return Noise(least, counts.astype(np.int64), calibrated / calibrated.sum())


def candidates(probability: ArrayLike, given: ArrayLike) -> NDArray[np.bool_]:
    """(n,) whether an example lies off the diagonal of the confident joint: confidently of another class than given.

    Arguments as `thresholds`.

    Source: Northcutt et al. 2021, section 3.2 (method `confident joint`).
    """
    chances, labels = _checked(probability, given)
    sure = named(chances, thresholds(chances, labels))
    return np.asarray((sure >= 0) & (sure != labels))


def softmin(values: ArrayLike, groups: ArrayLike, n: int, *, temperature: float = TEMPERATURE) -> Floats:
    """(n,) soft minimum of the values of each group, within its smallest value and its mean; NaN of an empty group.

    Parameters
    ----------
    values
        (m,) such as the probability, at each pixel of a polygon, of the class it is labeled; NaN does not count.
    groups
        (m,) number of each value's group, 0-based.

    Source: Lad & Mueller 2023, arXiv:2307.05080 (section 3: softmin).
    """
    given, owner = np.asarray(values, float), np.asarray(groups, np.int64)
    known = np.isfinite(given)
    given, owner = given[known], owner[known]
    weight = softmin_weight(given, temperature)
    return _shares(np.bincount(owner, weight * given, n), np.bincount(owner, weight, n))


def softmin_weight(values: Floats, temperature: float = TEMPERATURE) -> Floats:
    """Weight of each value (0-1) in a soft minimum: sums over the parts of a polygon add up, in whatever blocks."""
    return np.asarray(np.exp((1.0 - values) / temperature))


def _checked(probability: ArrayLike, given: ArrayLike) -> tuple[Floats, Numbers]:
    chances, labels = np.asarray(probability, float), np.asarray(given, np.int64)
    if chances.ndim != 2 or chances.shape[0] != len(labels) or not len(labels):
        raise QualityError(f"probabilities of {chances.shape} for {len(labels)} labels", hint="(n, class) and (n,)")
    if not (np.isfinite(chances).all() and chances.min() >= 0 and chances.max() <= 1 + 1e-6):
        raise QualityError("probabilities that are missing or not within 0-1", hint="leave out what was not tested")
    if labels.min() < 0 or labels.max() >= chances.shape[1]:
        raise QualityError(f"labels {labels.min()} to {labels.max()} for {chances.shape[1]} classes", hint="from 0")
    return chances, labels


def _shares(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)
