"""How good a forecast of spread is, on new growth only, and the baselines it stands beside.

Labels and scores are those of the cells to be scored (burnable, known, not burning at the start); who calls says which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.arrays import F64, Mask

WITHIN_DEG = 45.0


def _pairs(labels: ArrayLike, scores: ArrayLike) -> tuple[Mask, F64]:
    y, s = np.asarray(labels, bool).ravel(), np.asarray(scores, float).ravel()
    if len(y) != len(s) or not len(y):
        raise FireError(f"{len(y)} labels for {len(s)} scores")
    if not np.isfinite(s).all():
        raise FireError(f"{int((~np.isfinite(s)).sum())} scores are missing", hint="score known ground only")
    return y, s


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Average precision, 0-1; cells of equal score enter together, so a constant score gives the prevalence.

    NaN where nothing burned. Source: Davis & Goadrich (2006), without interpolation.
    """
    y, s = _pairs(labels, scores)
    if not y.any():
        return float("nan")
    order = np.argsort(-s, kind="stable")
    last = np.append(np.diff(s[order]) != 0, True)
    hits = np.cumsum(y[order])[last]
    precision = hits / (np.flatnonzero(last) + 1)
    return float((np.diff(hits, prepend=0) * precision).sum() / hits[-1])


def brier(labels: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared error of a probability, 0 (best) to 1 (Brier 1950)."""
    y, p = _pairs(labels, probability)
    return float(((p - y) ** 2).mean())


def brier_skill(labels: ArrayLike, probability: ArrayLike, reference: ArrayLike | None = None) -> float:
    """One minus the Brier score over that of a reference (default: the prevalence); 0 is no skill, NaN without variance."""
    y, _ = _pairs(labels, probability)
    base = (
        np.full(len(y), y.mean())
        if reference is None
        else np.broadcast_to(np.asarray(reference, float).ravel(), y.shape)
    )
    worst = brier(y, base)
    return 1 - brier(y, probability) / worst if worst > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class DirectionError:
    """Angle between forecast and true direction over cells that have both, degrees."""

    n: int
    median_deg: float
    mean_deg: float
    within_45: float
    """Share within 45 degrees."""


def direction_error(forecast_deg: ArrayLike, truth_deg: ArrayLike) -> DirectionError:
    """Circular error of a forecast of direction; cells where either is NaN are left out and not counted."""
    apart = np.asarray(difference(np.asarray(forecast_deg, float).ravel(), np.asarray(truth_deg, float).ravel()))
    apart = apart[np.isfinite(apart)]
    if not len(apart):
        return DirectionError(0, float("nan"), float("nan"), float("nan"))
    return DirectionError(len(apart), float(np.median(apart)), float(apart.mean()), float((apart <= WITHIN_DEG).mean()))


# ---------------------------------------------------------------------------------------------- outlines
def _agreed(seen: ArrayLike, forecast: ArrayLike) -> tuple[float, float, float]:
    """(cells in both, burned but not forecast, forecast but not burned)."""
    a, b = np.asarray(seen, bool), np.asarray(forecast, bool)
    if a.shape != b.shape:
        raise FireError(f"a burned area of {a.shape} beside a forecast of {b.shape}")
    both = float((a & b).sum())
    return both, float(a.sum()) - both, float(b.sum()) - both


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def jaccard(seen: ArrayLike, forecast: ArrayLike) -> float:
    """Cells in both over cells in either, 0-1; NaN where neither burned."""
    both, missed, false = _agreed(seen, forecast)
    return _share(both, both + missed + false)


def sorensen(seen: ArrayLike, forecast: ArrayLike) -> float:
    """Twice the cells in both over the sum of the two areas, 0-1 (Sorensen 1948); NaN where neither burned."""
    both, missed, false = _agreed(seen, forecast)
    return _share(2 * both, 2 * both + missed + false)


def shape_deviation(seen: ArrayLike, forecast: ArrayLike) -> float:
    """Missed and false cells over the burned ones, 0 (best) and up: SDI (Duff et al. 2016); NaN where nothing burned."""
    both, missed, false = _agreed(seen, forecast)
    return _share(missed + false, both + missed)


def area_difference(seen: ArrayLike, forecast: ArrayLike) -> float:
    """Missed and false cells over those in both, 0 (best) and up: ADI (Duff et al. 2016); NaN without overlap."""
    both, missed, false = _agreed(seen, forecast)
    return _share(missed + false, both)


# ---------------------------------------------------------------------------------------------- baselines
def _offsets(shape: tuple[int, int], centre: tuple[float, float]) -> tuple[F64, F64]:
    rows, cols = np.indices(shape)
    return np.asarray(cols - centre[1], float), np.asarray(centre[0] - rows, float)


def centre_of(mask: Mask) -> tuple[float, float]:
    """(row, col) of the centroid of a burning area."""
    if not mask.any():
        raise FireError("no burning cell to start from")
    rows, cols = np.nonzero(mask)
    return float(rows.mean()), float(cols.mean())


def distance_score(burning: Mask) -> F64:
    """(y, x) baseline that knows only where the fire is: minus the distance to its centroid, in cells."""
    east, north = _offsets((burning.shape[0], burning.shape[1]), centre_of(burning))
    return -np.hypot(east, north)


def ellipse_score(burning: Mask, wind_to_deg: float, eccentricity: float) -> F64:
    """(y, x) baseline of one ellipse downwind over uniform fuel: minus its time to each cell, in cells at head rate.

    Parameters
    ----------
    wind_to_deg
        Direction the wind blows TO, clockwise from grid north.
    """
    east, north = _offsets((burning.shape[0], burning.shape[1]), centre_of(burning))
    to = np.radians(wind_to_deg)
    along = east * np.sin(to) + north * np.cos(to)
    return -(np.hypot(east, north) - eccentricity * along) / (1 - eccentricity)


def bearing_from(burning: Mask) -> F64:
    """(y, x) baseline of direction: away from the centroid of the burning area, degrees clockwise from grid north."""
    east, north = _offsets((burning.shape[0], burning.shape[1]), centre_of(burning))
    return np.degrees(np.arctan2(east, north)) % 360
