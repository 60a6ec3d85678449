"""Calibration of P(burned by h), fitted on validation ground only, and the figures that say how good it is.

Per hour, logit p' = slope * logit p + shift with slope > 0 (Platt 1999; Cox 1958 for the reading of slope and shift).
It rises strictly, so it makes no ties and leaves the ranking within an hour as it was; isotonic steps would not. Where
it would let the probability fall with the hour, the earlier hour's is kept. A weak prior holds slope 1 and shift 0,
because thousands of cells of a few fires are few independent observations.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from geolabel.errors import ModelError

PRIOR_SD = 0.5
"""Standard deviation of log(slope) and of the shift before any cell was seen."""
CELLS_A_FIRE = 5.0
"""Independent observations that one fire's cells are counted as at most: the cells of a fire share its weather."""
LEAST_BURNED = 50
"""Burned cells below which an hour is left as it is."""
LOW = 0.05
"""Probability below which calibration error is not reported: at 2 % prevalence predicting zero would look perfect."""
TINY = 1e-12

Floats64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope and one shift per hour, in logits."""

    slope: tuple[float, ...]
    shift: tuple[float, ...]
    note: str
    """What it was fitted on, in words."""

    def apply(self, probability: Floats64) -> Floats64:
        """Calibrated probability, same shape (..., hour, y, x), not falling with the hour."""
        slope, shift = (np.array(v)[:, None, None] for v in (self.slope, self.shift))
        return np.maximum.accumulate(expit(slope * _logit(probability) + shift), axis=-3)


def identity(hours: int, why: str) -> Calibration:
    """The calibration that changes nothing."""
    return Calibration((1.0,) * hours, (0.0,) * hours, f"not calibrated: {why}")


def _logit(probability: Any) -> Floats64:
    return logit(np.clip(np.asarray(probability, np.float64), TINY, 1 - TINY))


def fit_calibration(
    probability: Floats64, burned: NDArray[np.bool_], scored: NDArray[np.bool_], fire: NDArray[np.int64]
) -> Calibration:
    """Calibration of predictions (n, hour, y, x) for validation windows; `fire` (n,) says how much they can tell."""
    hours = probability.shape[1]
    fires = len(np.unique(fire))
    if not scored.any():
        return identity(hours, "no validation ground")
    pairs, kept = [], 0
    for k in range(hours):
        outcome = burned[:, k][scored]
        enough = min(outcome.sum(), (~outcome).sum()) >= LEAST_BURNED
        kept += not enough
        weight = min(1.0, fires * CELLS_A_FIRE / len(outcome))
        pairs.append(_platt(_logit(probability[:, k][scored]), outcome, weight) if enough else (1.0, 0.0))
    note = f"slope and shift in logits per hour, fitted on {int(scored.sum())} cells of {fires} validation fires"
    note += f"; {kept} of {hours} hours left as they were (fewer than {LEAST_BURNED} cells burned or spared)" * bool(
        kept
    )
    return Calibration(tuple(a for a, _ in pairs), tuple(b for _, b in pairs), note)


def _platt(x: Floats64, outcome: NDArray[np.bool_], weight: float) -> tuple[float, float]:
    """(slope, shift) of the largest posterior; the slope is the exponential of what is searched, so it is above 0."""
    sign = np.where(outcome, 1.0, -1.0)

    def cost(v: Floats64) -> tuple[float, Floats64]:
        slope, shift = np.exp(v[0]), v[1]
        margin = sign * (slope * x + shift)
        pull = -sign * expit(-margin)
        value = weight * np.logaddexp(0, -margin).sum() + (v**2).sum() / (2 * PRIOR_SD**2)
        return value, weight * np.array([slope * (pull * x).sum(), pull.sum()]) + v / PRIOR_SD**2

    found = minimize(cost, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-2, 2), (-4, 4)])
    return float(np.exp(found.x[0])), float(found.x[1])


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities can be taken at their word, over scored cells."""

    n_cells: int
    n_at_least_5_percent: int
    """Cells with p >= .05: what the calibration error is over."""
    calibration_error: float | None
    """Expected calibration error, ten equally filled bins, cells with p >= .05 only; None without such cells."""
    expected: float
    """Sum of the probabilities."""
    observed: int
    """Cells that burned."""
    expected_to_observed: float | None
    slope: float | None
    """Of the outcome on logit p, 1 at best; below 1 says overconfident. None where all or nothing burned."""
    brier: float
    brier_skill: float | None
    """1 - Brier / Brier of the prevalence; None where all or nothing burned."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a card."""
        return asdict(self)


def reliability(probability: NDArray[Any], burned: NDArray[np.bool_]) -> Reliability:
    """Reliability of probabilities (n,) for outcomes (n,).

    Raises
    ------
    ModelError
        Shapes that differ, no cell, or values outside 0-1.
    """
    p, y = np.asarray(probability, np.float64).ravel(), np.asarray(burned, bool).ravel()
    if p.shape != y.shape or not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise ModelError(f"probabilities {p.shape} for outcomes {y.shape}", hint="equal, not empty, within 0-1")
    both, brier, prevalence = bool(y.any() and not y.all()), float(np.square(p - y).mean()), float(y.mean())
    return Reliability(
        n_cells=len(p),
        n_at_least_5_percent=int((p >= LOW).sum()),
        calibration_error=calibration_error(p[p >= LOW], y[p >= LOW]),
        expected=float(p.sum()),
        observed=int(y.sum()),
        expected_to_observed=float(p.sum() / y.sum()) if y.any() else None,
        slope=_slope(p, y) if both else None,
        brier=brier,
        brier_skill=1 - brier / (prevalence * (1 - prevalence)) if both else None,
    )


def calibration_error(p: Floats64, y: NDArray[np.bool_], bins: int = 10) -> float | None:
    """Mean over cells of |mean probability - burned share| of the cell's bin; equally filled bins; None for no cell."""
    if not len(p):
        return None
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(abs(p[part].mean() - y[part].mean()) * len(part) for part in parts) / len(p))


def _slope(p: Floats64, y: NDArray[np.bool_]) -> float | None:
    """Slope of a plain logistic regression of the outcome on logit p; None where p says nothing."""
    x = _logit(p)
    if np.ptp(x) < TINY:
        return None
    sign = np.where(y, 1.0, -1.0)

    def cost(v: Floats64) -> tuple[float, Floats64]:
        margin = sign * (v[0] * x + v[1])
        pull = -sign * expit(-margin)
        return np.logaddexp(0, -margin).mean(), np.array([(pull * x).mean(), pull.mean()])

    found = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(-20, 20), (-20, 20)])
    return float(found.x[0])
