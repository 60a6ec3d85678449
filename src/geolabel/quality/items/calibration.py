"""How far stated probabilities can be believed: log loss, Brier score and expected calibration error, with counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import QualityError

BINS = 10
LEAST = 1e-12
"""Probability of the truth is not counted below this, so that one error that was thought impossible keeps a finite loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Figures of a posterior on items of known truth."""

    n: int
    accuracy: float
    log_loss: float
    """Mean of -log of the probability of the true label, nats."""
    brier: float
    """Mean squared distance of the probability of the true label from 1, and of the others from 0, halved: 0-1."""
    ece: float
    """Mean over the items of |share right - mean confidence| of their bin of confidence."""
    bins: pd.DataFrame
    """A row a bin that holds items: low, high, n, confidence, accuracy."""


def calibration(posterior: ArrayLike, truth: ArrayLike, *, bins: int = BINS) -> Calibration:
    """Calibration of a (item, label) posterior whose rows sum to 1, against the place of each item's true label.

    Confidence is the largest probability of an item; bins are of equal width from 0 to 1.

    Raises
    ------
    QualityError
        Without items, or where the two do not match.

    Source: Guo et al. (2017), ICML, equation 3 (ECE); Brier (1950) as the mean over items, halved.
    """
    p, t = np.asarray(posterior, float), np.asarray(truth, np.intp)
    _check(p, t)
    of_truth = p[np.arange(len(t)), t]
    confidence, right = p.max(1), p.argmax(1) == t
    table = _bins(confidence, right, bins)
    gap = (table["accuracy"] - table["confidence"]).abs()
    return Calibration(
        n=len(t),
        accuracy=float(right.mean()),
        log_loss=float(-np.log(np.maximum(of_truth, LEAST)).mean()),
        brier=float((((p - np.eye(p.shape[1])[t]) ** 2).sum(1) / 2).mean()),
        ece=float((gap * table["n"]).sum() / len(t)),
        bins=table,
    )


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int) -> pd.DataFrame:
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(number, minlength=bins)
    with np.errstate(invalid="ignore"):
        sums = {
            "confidence": np.bincount(number, confidence, bins) / n,
            "accuracy": np.bincount(number, right, bins) / n,
        }
    edges = {"low": np.arange(bins) / bins, "high": (np.arange(bins) + 1) / bins, "n": n}
    return pd.DataFrame({**edges, **sums})[n > 0].reset_index(drop=True)


def _check(posterior: NDArray[np.float64], truth: NDArray[np.intp]) -> None:
    if posterior.ndim != 2 or len(posterior) != len(truth) or not len(truth):
        raise QualityError(f"a posterior of {posterior.shape} for {len(truth)} items of known truth")
    if truth.min() < 0 or truth.max() >= posterior.shape[1]:
        raise QualityError(f"true labels {truth.min()} to {truth.max()} of {posterior.shape[1]}")
