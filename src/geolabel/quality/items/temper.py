"""Temperature of a posterior: votes are not independent given the truth, so models of votes are too sure of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from geolabel.quality.items.models import Scores
from geolabel.quality.items.table import Index, Said

Floats = NDArray[np.float64]
MOST = 50.0
ROUNDS = 25


def tempered(log: Floats, temperature: float) -> Floats:
    """(task, label) posterior of a log posterior at a temperature; above 1 it is less sure, its best label stays.

    Source: Guo et al. (2017), ICML, section 4.2 (temperature scaling).
    """
    return np.asarray(softmax(log / temperature, axis=1))


def without_truth(said: Said, scores: Scores) -> float:
    """Temperature, 1 or more, from how far log likelihood ratios spread beyond what independent votes would give.

    Where votes are independent given the truth, the ratio of two labels on the items of one of them has the mean and the
    variance that the annotators' confusions say. A normal ratio whose variance is f times that speaks for f times fewer
    votes: its odds are calibrated at the temperature f (quasi-likelihood). What all annotators get wrong together cannot
    be seen without truth, so this is a lower bound.

    Source: Wedderburn (1974), Biometrika 61(3) (dispersion of a quasi-likelihood).
    """
    temperature = 1.0
    if scores.votes is None or len(said.labels) < 2:
        return temperature
    pairs = _pairs(said, *scores.votes)
    for _ in range(ROUNDS):
        belief = tempered(scores.log, temperature)
        weight = belief.sum(0)
        total = sum(weight[s] for s, _, _ in pairs)
        spread = sum(
            weight[s] * float(belief[:, s] @ square) / max(float(belief[:, s] @ variance), 1e-12)
            for s, square, variance in pairs
        )
        new = float(np.clip(spread / total, 1.0, MOST))
        if abs(new - temperature) < 1e-4:
            return new
        temperature = new
    return temperature


def _pairs(said: Said, chance: Floats, group: Index) -> list[tuple[int, Floats, Floats]]:
    """For each two labels s, t: (s, (task,) squared distance of the ratio from its mean under s, (task,) its variance)."""
    log, n = np.log(np.maximum(chance, 1e-300)), len(said.tasks)
    found = []
    for s in range(len(said.labels)):
        for t in range(len(said.labels)):
            if s != t:
                ratio = log[:, s] - log[:, t]
                mean = (chance[:, s] * ratio).sum(1)
                variance = (chance[:, s] * ratio**2).sum(1) - mean**2
                seen = said.weight * (ratio[group, said.label] - mean[group])
                square = np.square(np.bincount(said.task, seen, n), dtype=np.float64)
                found.append((s, square, np.bincount(said.task, said.weight * variance[group], n).astype(np.float64)))
    return found


def on_gold(log: Floats, truth: Index, start: float) -> float:
    """Temperature of least log loss on items of known truth, drawn towards `start` as one doubtful item would.

    `log` is of items whose truth the model was not told.
    """
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(log / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, truth].sum() + 0.5 * (log_temperature - np.log(start)) ** 2)

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(MOST)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))
