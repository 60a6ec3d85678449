"""Ensemble and learned model together: pooled probability and how sure it is. Two arrays in, one out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, Mask

WEIGHT_STEPS = 20
"""Steps in which the model's share is tried."""
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
        raise FireError(f"the model's weight is {weight}", hint="a share, 0-1; earned_weight finds one")
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


def earned_weight(fires: Sequence[tuple[F32, F32, Mask]]) -> float:
    """The model's share in the pool, 0-1, that its gain over validation fires makes safe; 0 where it earns none.

    For each share the gain is the fall of a fire's Brier score from that of the ensemble alone. Taken is the share whose
    mean gain less one standard error over fires is largest: few fires, or fires that disagree, keep the model small.

    Parameters
    ----------
    fires
        For each fire (ensemble's probability, model's probability, whether it burned), flat and of one length.

    Raises
    ------
    FireError
        Without a fire, or arrays of different lengths.
    """
    if not fires or any(not len(p) == len(q) == len(y) or not len(y) for p, q, y in fires):
        raise FireError(f"{len(fires)} validation fires, or arrays of different lengths", hint="one triple a fire")
    shares = np.linspace(0, 1, WEIGHT_STEPS + 1)
    gains = np.array([[_brier(p, y) - _brier((1 - w) * p + w * q, y) for w in shares] for p, q, y in fires])
    error = gains.std(0, ddof=1) / np.sqrt(len(fires)) if len(fires) > 1 else np.abs(gains[0])
    safe = gains.mean(0) - error
    return float(shares[safe.argmax()]) if safe.max() > 0 else 0.0


def _brier(probability: F32, burned: Mask) -> float:
    return float(((probability.astype(float) - burned) ** 2).mean())
