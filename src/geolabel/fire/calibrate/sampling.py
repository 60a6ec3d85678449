"""Weighted draws from a posterior on a few numbers: adaptive importance sampling from a normal prior.

Each round draws from a normal fitted to the rounds before; all draws are weighted by the mixture of all rounds
(deterministic mixture: Owen & Zhou 2000; adaptive multiple importance sampling: Cornuet, Marin, Mira & Robert 2012). The
first round is the prior itself, so that no weight exceeds the likelihood times the number of rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geolabel.fire.arrays import F64

WIDER = 1.5
"""A proposal's covariance over that of the draws it is fitted to: tails that are too light cost more than wide ones."""
FEWEST = 25.0
"""Effective draws to which a proposal is fitted at least, by flattening the weights."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A normal distribution."""

    mean: F64
    covariance: F64

    def draw(self, n: int, rng: np.random.Generator) -> F64:
        """(n, k) draws, in antithetic pairs."""
        half = rng.standard_normal(((n + 1) // 2, len(self.mean)))
        z = np.stack([half, -half], 1).reshape(-1, len(self.mean))[:n]
        return np.asarray(self.mean + z @ np.linalg.cholesky(self.covariance).T)

    def log_density(self, x: F64) -> F64:
        """(n,) up to a constant that all normals of this dimension share."""
        root = np.linalg.cholesky(self.covariance)
        z = np.linalg.solve(root, (x - self.mean).T)
        return np.asarray(-0.5 * (z**2).sum(0) - np.log(np.diag(root)).sum())


def weights(x: F64, log_likelihood: F64, proposals: list[Proposal]) -> F64:
    """(n,) log-weights of draws from the proposals (equally many each; the first is the prior)."""
    densities = np.stack([one.log_density(x) for one in proposals])
    mixture = np.logaddexp.reduce(densities, axis=0) - np.log(len(proposals))
    return np.asarray(log_likelihood + densities[0] - mixture)


def normalised(log_weight: F64) -> F64:
    """Weights of sum 1."""
    share = np.exp(log_weight - log_weight.max())
    return np.asarray(share / share.sum())


def effective(share: F64) -> float:
    """Effective number of draws of weights of sum 1 (Kong 1992)."""
    return float(1 / (share**2).sum())


def fitted(x: F64, log_weight: F64, prior: Proposal) -> Proposal:
    """Normal of the weighted draws, somewhat wider, never degenerate."""
    share = flattened(log_weight)
    mean = share @ x
    spread = (x - mean).T @ ((x - mean) * share[:, None])
    return Proposal(mean, WIDER * spread + 0.01 * prior.covariance)


def flattened(log_weight: F64) -> F64:
    """Weights of sum 1 to a power of at most 1, such that about `FEWEST` draws count."""
    least = min(FEWEST, 0.5 * len(log_weight))
    low, high = 0.0, 1.0
    if effective(normalised(log_weight)) >= least:
        return normalised(log_weight)
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(normalised(middle * log_weight)) >= least else (low, middle)
    return normalised(low * log_weight)


def sample(
    prior: Proposal, rounds: int, each: int, log_likelihood: Callable[[F64, int], F64], rng: np.random.Generator
) -> tuple[F64, F64]:
    """((rounds * each, k) draws, their log-weights).

    Parameters
    ----------
    log_likelihood
        Of (n, k) draws and the number of the round: (n,) log-likelihoods.
    """
    proposals, x, likely = [prior], np.zeros((0, len(prior.mean))), np.zeros(0)
    for number in range(rounds):
        if number:
            proposals.append(fitted(x, weights(x, likely, proposals), prior))
        fresh = proposals[-1].draw(each, rng)
        x, likely = np.concatenate([x, fresh]), np.concatenate([likely, log_likelihood(fresh, number)])
    return x, weights(x, likely, proposals)
