"""Ensemble and learned model together: pooled probability and how sure it is. Two arrays in, one out."""

from __future__ import annotations

import numpy as np

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, Mask

Z_90 = 1.6449
"""Half-width of a 90 % interval in standard errors."""


def pool(ensemble: F32, model: F32, weight: float) -> F32:
    """(hour, y, x) probability of having burned by each hour, in 0-1 and never falling: linear pool of two such.

    Parameters
    ----------
    weight
        Share of the model, 0-1; the ensemble has the rest. NaN in either stays NaN.

    Raises
    ------
    FireError
        Different shapes, or a weight outside 0-1.
    """
    if ensemble.shape != model.shape:
        raise FireError(f"ensemble of {ensemble.shape}, model of {model.shape}")
    if not 0 <= weight <= 1:
        raise FireError(f"the model's weight is {weight}", hint="a share, 0-1; best_weight finds one")
    both = (1 - weight) * ensemble + weight * model
    return np.clip(np.maximum.accumulate(both, axis=0), 0, 1).astype(np.float32)


def confidence(ensemble: F32, model: F32, n_members: int) -> F32:
    """(y, x) 0-1: one minus the disagreement of ensemble and model, less the ensemble's Monte-Carlo error at 90 %.

    Parameters
    ----------
    ensemble, model
        (y, x) probability by the last hour. The error uses the shares of Agresti & Coull (1998), so that no or every
        member burning is not taken for certainty.
    """
    if n_members < 2:
        raise FireError(f"{n_members} members have no Monte-Carlo error", hint="at least 2")
    share = (ensemble * n_members + 2) / (n_members + 4)
    error = Z_90 * np.sqrt(share * (1 - share) / (n_members + 4))
    return np.clip(1 - np.abs(ensemble - model) - error, 0, 1).astype(np.float32)


def best_weight(ensemble: F32, model: F32, burned: Mask, scored: Mask) -> float:
    """The model's share in the pool that has the lowest Brier score over validation fires, 0-1; 0 where they agree.

    All arrays have one shape, e.g. (fire, hour, y, x); only cells of `scored` count. The Brier score is a parabola in the
    weight, so its minimum is exact.
    """
    if not ensemble.shape == model.shape == burned.shape == scored.shape:
        raise FireError(f"shapes {ensemble.shape}, {model.shape}, {burned.shape}, {scored.shape} differ")
    p, q, y = (part[scored].astype(float) for part in (ensemble, model, burned))
    apart = float(((q - p) ** 2).sum())
    return float(np.clip(((y - p) * (q - p)).sum() / apart, 0, 1)) if apart > 0 else 0.0
