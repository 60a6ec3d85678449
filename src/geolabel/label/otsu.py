"""Thresholds that data themselves suggest: Otsu's, for two classes or several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError

BINS = 256


def thresholds(
    values: NDArray[Any], classes: int = 2, *, bins: int = BINS, counts: NDArray[Any] | None = None
) -> tuple[float, ...]:
    """`classes - 1` rising values that part the finite `values` into classes of largest between-class variance.

    Exact over a histogram of `bins` equal bins (dynamic programming over the cuts); a threshold is the upper edge of
    the bin after which it cuts, so a value on it belongs to the upper class.

    Parameters
    ----------
    counts
        How often each of the (finite) values occurs. Default: once.

    Raises
    ------
    InputError
        With fewer different values than classes.

    Source: Otsu 1979, IEEE Transactions SMC 9:62; several classes: Liao, Chen & Chung 2001, JISE 17:713.
    """
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)] if counts is None else finite
    if np.unique(finite).size < classes:
        raise InputError(
            f"{np.unique(finite).size} different values cannot be parted into {classes} classes",
            hint="give a fixed threshold or the breaks of a scheme",
        )
    found, edges = np.histogram(finite, bins=bins, weights=counts)
    cuts = _best_cuts(found.astype(np.float64), (edges[:-1] + edges[1:]) / 2, classes)
    return tuple(float(edges[cut]) for cut in cuts)


def _best_cuts(counts: NDArray[np.float64], centres: NDArray[np.float64], classes: int) -> list[int]:
    """Numbers of the bins at which the second, third ... class starts."""
    gain = _gain(counts, centres)
    best, starts = gain[0, 1:], []  # best[j]: bins 0..j in one class
    for _ in range(classes - 1):
        total = best[:-1, None] + gain[1:-1, 2:] if len(best) > 1 else np.empty((0, 0))
        total = np.where(np.tri(*total.shape).T > 0, total, -np.inf)
        starts.append(1 + total.argmax(axis=0))
        best = np.concatenate([[-np.inf], total.max(axis=0)])
    return _walk_back(starts, len(counts) - 1)


def _gain(counts: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(bins + 1, bins + 1): squared sum over count of bins i..j-1, the part of the between-class variance that varies."""
    mass = np.concatenate([[0], np.cumsum(counts)])
    moment = np.concatenate([[0], np.cumsum(counts * centres)])
    weight = mass[None, :] - mass[:, None]
    total = moment[None, :] - moment[:, None]
    return np.where(weight > 0, total**2 / np.where(weight > 0, weight, 1), 0.0)


def _walk_back(starts: list[NDArray[np.intp]], last: int) -> list[int]:
    cuts = []
    for choice in reversed(starts):
        cuts.append(int(choice[last - 1]))
        last = cuts[-1] - 1
    return cuts[::-1]
