"""Confidence limits of shares and ratios of a stratified sample: as published, and such that hold where errors are few.

The published intervals (estimate +- z standard errors) fail where a rare class is missed in a large stratum: samples that
show none of it have no variance, and the interval says so. The limits here give every stratum the limits of a binomial
share and add the distances as variances are added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from scipy import special

from geolabel.errors import QualityError, nearest
from geolabel.quality.survey.stratified import Cells, Floats, Stratified

Method = Literal["normal", "jeffreys", "wilson"]
METHODS: tuple[Method, ...] = get_args(Method)
Limits = tuple[float, float]
NEAR = 1e-7
"""Within which roots are real, and where they are looked for."""


def check_method(method: str, confidence: float) -> None:
    """Raise QualityError for a method that is none, or a confidence that is no share."""
    if method not in METHODS:
        raise QualityError(f"unknown method of intervals {method!r}", hint=nearest(method, METHODS))
    if not 0 < confidence < 1:
        raise QualityError(f"a confidence of {confidence}", hint="a share, e.g. 0.95")


def normal(estimate: float, error: float, confidence: float) -> Limits:
    """Limits of estimate +- z standard errors, within 0 and 1. Source: Olofsson et al. 2014, section 4.2."""
    z = float(special.ndtri((1 + confidence) / 2))
    return float(np.clip(estimate - z * error, 0, 1)), float(np.clip(estimate + z * error, 0, 1))


def of_share(sample: Stratified, cells: Cells, method: Method, confidence: float) -> Limits:
    """Limits of the share of the area in these cells.

    Source: distances of the strata's limits added as variances: Zou and Donner 2008; Yan and Su 2010.
    """
    estimate, error = sample.share(cells)
    if method == "normal":
        return normal(estimate, error, confidence)
    below, above = _distances(sample, cells, method, confidence)
    return max(estimate - float(np.hypot.reduce(below)), 0.0), min(estimate + float(np.hypot.reduce(above)), 1.0)


def of_ratio(sample: Stratified, cells: Cells, of: Cells, method: Method, confidence: float) -> Limits:
    """Limits of the share of the area of `of` that lies in `cells`, a part of it; NaN where there is none.

    They hold every ratio r at which the limits of (1 - r) share(cells) - r share(the rest of `of`) enclose 0, so that
    a ratio within one stratum gets that stratum's own limits.

    Source: Fieller 1954, with the distances of Zou and Donner 2008 instead of standard errors; correlation within a
    stratum is that of a multinomial.
    """
    estimate, error = sample.ratio(cells, of)
    if np.isnan(estimate):
        return float("nan"), float("nan")
    if method == "normal":
        return normal(estimate, error, confidence)
    rest = of & ~cells
    inside, outside = (float(sample.weights @ sample.shares(one)) for one in (cells, rest))
    below, above = _distances(sample, cells, method, confidence)
    rest_below, rest_above = _distances(sample, rest, method, confidence)
    together = _correlation(sample.shares(cells), sample.shares(rest))
    low = _root((inside, outside), (below, rest_above), together, upper=False)
    high = _root((inside, outside), (above, rest_below), together, upper=True)
    return min(low, estimate), max(high, estimate)


def _root(shares: tuple[float, float], distances: tuple[Floats, Floats], correlation: Floats, *, upper: bool) -> float:
    """The ratio r from 0 to 1 at which ((1 - r) a - r b)**2 equals the squared distance of that difference's limit."""
    (inside, outside), (first, second) = shares, distances
    whole = inside + outside
    own, other, both = first @ first, second @ second, -(correlation * first) @ second
    square = whole**2 - own - other + 2 * both
    linear = -2 * whole * inside + 2 * own - 2 * both
    roots = np.roots([square, linear, inside**2 - own])
    real = np.real(roots[np.abs(np.imag(roots)) < NEAR])
    estimate = inside / whole
    first_side, second_side = (estimate, 1.0) if upper else (0.0, estimate)  # exactly one root lies between
    between = real[(real > first_side - NEAR) & (real < second_side + NEAR)]
    if not len(between):
        return 1.0 if upper else 0.0
    return float(np.clip(between.min() if upper else between.max(), 0, 1))


def _correlation(part: Floats, rest: Floats) -> Floats:
    """(stratum,) correlation of two exclusive shares of one sample: -1 where there is nothing else, 0 where one is 0."""
    others = (1 - part) * (1 - rest)
    only = part + rest > 1 - NEAR
    return -np.sqrt(np.where(only, 1.0, part * rest / np.where(only, 1.0, others)))


def _distances(sample: Stratified, cells: Cells, method: Method, confidence: float) -> tuple[Floats, Floats]:
    """((stratum,) distance from share to lower limit, to upper limit), weighted by area."""
    share = sample.shares(cells)
    low, high = BINOMIAL[method](share * sample.n, sample.n, confidence)
    scale = sample.weights * np.sqrt(sample.left) * sample.holds(cells)
    return scale * (share - low), scale * (high - share)


def _wilson(hits: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Source: Wilson 1927."""
    z2, share = special.ndtri((1 + confidence) / 2) ** 2, hits / n
    middle, half = share + z2 / (2 * n), np.sqrt(z2 * (share * (1 - share) + z2 / (4 * n)) / n)
    scale = 1 + z2 / n
    return np.clip((middle - half) / scale, 0, share), np.clip((middle + half) / scale, share, 1)


def _jeffreys(hits: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Source: Brown, Cai and DasGupta 2001, section 3.3: equal tails of Beta(1/2, 1/2), 0 without hits, 1 without misses."""
    tail = (1 - confidence) / 2
    low = special.betaincinv(hits + 0.5, n - hits + 0.5, tail)
    high = special.betaincinv(hits + 0.5, n - hits + 0.5, 1 - tail)
    share = hits / n
    return np.where(hits > 0, np.minimum(low, share), 0.0), np.where(hits < n, np.maximum(high, share), 1.0)


BINOMIAL: dict[str, Callable[[Floats, Floats, float], tuple[Floats, Floats]]] = {
    "jeffreys": _jeffreys,
    "wilson": _wilson,
}
"""Method -> limits of the share of hits among n."""
