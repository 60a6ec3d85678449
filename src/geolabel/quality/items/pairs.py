"""Two annotators, or two teams, who labeled the same items: how far they agree, and how far beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.quality.intervals import Interval, bootstrap, wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Agreement of two labels an item."""

    n: int
    """Items that both labeled."""
    agreement: float
    """Share of them with the same label."""
    agreement_interval: Interval
    """Wilson's, 95 %."""
    kappa: float
    """Agreement beyond what chance gives; NaN where chance explains everything."""
    kappa_interval: Interval
    """By drawing the items again, 95 %."""


def pair(first: pd.Series, second: pd.Series, *, seed: int = 0) -> Pair:
    """Agreement of two series of labels with the items as index; missing labels, and items that one lacks, do not count.

    Raises
    ------
    QualityError
        Where an item stands twice in one of them, or both have no item in common.

    Source: Cohen (1960), Educational and Psychological Measurement 20(1).
    """
    for one in (first, second):
        again = one.index[one.index.duplicated()].tolist()
        if again:
            raise QualityError(f"item {again[0]!r} is labeled more than once", hint="keep the first answer or the last")
    both = pd.concat([first.rename("first"), second.rename("second")], axis=1, join="inner").dropna().sort_index()
    if not len(both):
        raise QualityError(f"{len(first)} and {len(second)} labeled items, none of them the same")
    codes = pd.factorize(both.to_numpy().ravel())[0].reshape(-1, 2)
    k, n = int(codes.max()) + 1, len(both)
    cell = np.eye(k * k)[codes[:, 0] * k + codes[:, 1]]
    same = int((codes[:, 0] == codes[:, 1]).sum())

    def kappa(weights: Floats) -> Floats:
        return _kappa((weights @ cell).reshape(-1, k, k))

    value = float(kappa(np.ones((1, n)))[0])
    return Pair(n, same / n, wilson(same, n), value, bootstrap(kappa, n, way="percentile", seed=seed))


def _kappa(table: Floats) -> Floats:
    """(resample,) Cohen's kappa of (resample, first, second) counts."""
    share = table / table.sum((1, 2), keepdims=True)
    chance = (share.sum(1) * share.sum(2)).sum(1)
    gain = np.trace(share, axis1=1, axis2=2) - chance
    return np.divide(gain, 1 - chance, out=np.full(len(table), np.nan), where=chance < 1 - 1e-12)
