"""GLAD: how hard an item is and how able an annotator is, found together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

from geolabel.quality.items.models import Scores, clamped, coins, likelihood
from geolabel.quality.items.table import UNKNOWN, Index, Said

Floats = NDArray[np.float64]
MEAN = 1.0
"""Prior mean of ability and of the log of ease; both have the variance 1."""
ITERATIONS, TOLERANCE = 100, 1e-7
LEAST = 1e-9


def glad(said: Said, known: Index) -> Scores:
    """An annotator of ability a is right on an item of ease b with chance expit(a b), and errs evenly otherwise.

    Abilities (of any sign) and log eases maximise the posterior, over which the truth is summed, all labels alike
    beforehand; its gradient is that of EM's expected likelihood, so that no EM is needed.

    Source: Whitehill et al. (2009), NeurIPS 22, equations 1 to 5, normal priors as in its section 3.1.
    """
    n_annotators, n_tasks, k = len(said.annotators), len(said.tasks), len(said.labels)
    start = np.full(n_annotators + n_tasks, MEAN)
    how = {"maxiter": ITERATIONS, "ftol": TOLERANCE}
    found = minimize(_loss, start, (said, known), jac=True, method="L-BFGS-B", options=how).x
    confusion, group = coins(_right(found[:n_annotators], found[n_annotators:], said), k), np.arange(len(said.task))
    return Scores(likelihood(said, confusion, group), (confusion, group))


def _right(ability: Floats, ease: Floats, said: Said) -> Floats:
    """(vote,) chance to be right."""
    chance = expit(ability[said.annotator] * np.exp(np.clip(ease, -20, 20))[said.task])
    return np.clip(chance, LEAST, 1 - LEAST)


def _loss(values: Floats, said: Said, known: Index) -> tuple[float, Floats]:
    """(negative log posterior, gradient)."""
    n_annotators, n_tasks = len(said.annotators), len(said.tasks)
    ability, ease = values[:n_annotators], values[n_annotators:]
    log, slope = _votes(_right(ability, ease, said), said, known)
    factor = np.exp(np.clip(ease, -20, 20))[said.task]
    of_ability = np.bincount(said.annotator, slope * factor, n_annotators)
    of_ease = np.bincount(said.task, slope * factor * ability[said.annotator], n_tasks)
    away = values - MEAN
    return 0.5 * float(away @ away) - _total(log, known), away - np.concatenate([of_ability, of_ease])


def _votes(right: Floats, said: Said, known: Index) -> tuple[Floats, Floats]:
    """((task, label) log likelihood, (vote,) slope of its expectation along ability times ease)."""
    n, k = len(said.tasks), len(said.labels)
    wrong = (1 - right) / max(k - 1, 1)
    gain = np.bincount(said.task * k + said.label, said.weight * np.log(right / wrong), n * k).reshape(n, k)
    log = np.bincount(said.task, said.weight * np.log(wrong), n)[:, None] + gain
    belief = clamped(softmax(log, axis=1), known)
    return np.asarray(log, np.float64), said.weight * (belief[said.task, said.label] - right)


def _total(log: Floats, known: Index) -> float:
    """Log likelihood of all items, the truth summed over where it is not known."""
    there = known != UNKNOWN
    return float(logsumexp(log[~there], axis=1).sum() + log[there, known[there]].sum())
