"""Intervals around a figure: Wilson's for a share of tasks, the bootstrap over tasks for everything else.

The unit is the task, never the pixel: the pixels of one task stand or fall together, and counting them as witnesses
would make every interval far too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from geolabel.errors import QualityError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Way = Literal["bca", "percentile"]
LEVEL, RESAMPLES = 0.95, 1000
LEAST_UNITS = 2
"""Units below which a bootstrap says nothing."""


class Interval(NamedTuple):
    """Lower and upper end; NaN where too little is known."""

    low: float
    high: float


NONE = Interval(float("nan"), float("nan"))


def wilson(passed: int, n: int, *, level: float = LEVEL) -> Interval:
    """Interval of a share that was seen `passed` times in `n`; NaN without any trial.

    Raises
    ------
    QualityError
        Where `passed` is not within 0 to `n`, or the level not between 0 and 1.

    Source: Wilson 1927, Journal of the American Statistical Association 22:209 (score interval).
    """
    _check_level(level)
    if not 0 <= passed <= n:
        raise QualityError(f"{passed} of {n} trials", hint="a share is of 0 to n")
    if n == 0:
        return NONE
    z = float(stats.norm.ppf((1 + level) / 2))
    share, weight = passed / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z * np.sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    low, high = (0.0 if passed == 0 else centre - half), (1.0 if passed == n else centre + half)
    return Interval(float(max(low, 0.0)), float(min(high, 1.0)))


EDGE = 1e-15
"""Nearest to 0 and 1 that a quantile is looked up at."""


def resampled(n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Counts:
    """(resample, unit) how often each of `n` units is drawn in each resample; the same for a seed."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)


def bootstrap(
    statistic: Callable[[Floats], Floats],
    n: int,
    *,
    way: Way = "bca",
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
    expand: bool = True,
) -> Interval:
    """Interval of a statistic over `n` units, by drawing the units again with replacement; NaN for fewer than two.

    Resamples in which the statistic is not defined (NaN) are left out.

    Parameters
    ----------
    statistic
        (k, n) weight of each unit in k resamples -> (k,) values; all weights 1 give the figure itself.
    way
        `bca` corrects bias and skewness by the jackknife; `percentile` reads the quantiles off.
    expand
        Read quantiles farther out, for a bootstrap of few units is too narrow as a normal interval beside Student's is.

    Raises
    ------
    QualityError
        For a level that is not between 0 and 1.

    Source: Efron 1987, Journal of the American Statistical Association 82:171 (BCa: equations 2.3 and 6.6); Hesterberg
    2015, The American Statistician 69:371 (the expanded percentile interval).
    """
    _check_level(level)
    if n < LEAST_UNITS:
        return NONE
    drawn = statistic(resampled(n, resamples=resamples, seed=seed).astype(float))
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return NONE
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    if expand:
        ends = stats.norm.cdf(stats.t.ppf(ends, n - 1) * np.sqrt(n / (n - 1)))
    if way == "bca":
        ends = _corrected(ends, drawn, float(statistic(np.ones((1, n)))[0]), statistic(1 - np.eye(n)))
    low, high = np.quantile(drawn, ends)
    return Interval(float(low), float(high))


def _corrected(ends: Floats, drawn: Floats, value: float, left_out: Floats) -> Floats:
    """Quantiles to read off, once bias and acceleration are taken into account."""
    if not np.isfinite(value) or np.ptp(drawn) == 0:
        return ends
    below = (np.count_nonzero(drawn < value) + np.count_nonzero(drawn == value) / 2) / len(drawn)
    bias = stats.norm.ppf(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn)))
    away = np.nanmean(left_out) - left_out[np.isfinite(left_out)]
    scale = 6 * (away**2).sum() ** 1.5
    acceleration = (away**3).sum() / scale if scale else 0.0
    z = bias + stats.norm.ppf(np.clip(ends, EDGE, 1 - EDGE))  # with two units the expanded ends are 0 and 1
    room = 1 - acceleration * z  # at 0 and below it the end lies beyond all that was drawn
    return np.asarray(np.where(room > 0, stats.norm.cdf(bias + z / np.where(room > 0, room, 1)), z > 0))


def ratio(parts: ArrayLike, wholes: ArrayLike) -> Callable[[Floats], Floats]:
    """Statistic for `bootstrap`: the sum of the parts over the sum of the wholes, NaN where that is 0."""
    upper, lower = np.asarray(parts, float), np.asarray(wholes, float)

    def pooled(weights: Floats) -> Floats:
        total = weights @ lower
        return np.divide(weights @ upper, total, out=np.full(len(weights), np.nan), where=total > 0)

    return pooled


def median(values: ArrayLike, units: ArrayLike, n: int) -> Callable[[Floats], Floats]:
    """Statistic for `bootstrap`: the median of values that each belong to one of `n` units (its number), NaN without any."""
    known, place = np.unique(np.asarray(values, float), return_inverse=True)
    counts = np.zeros((n, len(known)))
    np.add.at(counts, (np.asarray(units, np.int64), place), 1)

    def middle(weights: Floats) -> Floats:
        reached = np.cumsum(weights @ counts, axis=1)
        if not len(known) or not reached[:, -1].any():
            return np.full(len(weights), np.nan)
        half = reached[:, -1:] / 2
        found = (known[(reached >= half).argmax(1)] + known[(reached > half).argmax(1)]) / 2
        return np.where(reached[:, -1] > 0, found, np.nan)

    return middle


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise QualityError(f"an interval at the level {level}", hint="0.95 covers the truth 95 times in 100")
