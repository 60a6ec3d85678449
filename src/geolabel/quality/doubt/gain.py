"""What one more answer to a tile is expected to mend: the same sum for a tile nobody answered and for one to be asked again.

A model that has not seen the tile says what is likely before anybody answers; answers are weighed by their annotators'
skill. The share of wrong pixels that remains after the next answer, in expectation over what it may say, is taken from
the share that is wrong now.

Source: Branson, Van Horn & Perona 2017, CVPR (a model beside annotators); Lin, Mausam & Weld 2016, AAAI (re-active
learning: relabel or label anew by what is gained).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import QualityError

Floats = NDArray[np.float64]
NOT_JUDGED = -1
LEAST_CHANCE = 0.01
"""No model is trusted further than this, and no annotator."""


def posterior(prior: ArrayLike, answers: ArrayLike, skill: ArrayLike) -> Floats:
    """(class, n) chance of each class at each pixel, given a model and the answers so far.

    Parameters
    ----------
    prior
        (class, n) out-of-sample probabilities of a model; uniform where there is none.
    answers
        (annotator, n) number of the class each annotator gave, 0-based, -1 not judged.
    skill
        (annotator,) chance that an annotator's pixel is right, 0-1, or (annotator, class) where the truth is that class;
        errors fall on the other classes alike.

    Raises
    ------
    QualityError
        For answers beyond the classes, or skills that are not within 0-1.

    Source: Dawid & Skene 1979, equation 2.5, with one coin an annotator, or one an annotator and class.
    """
    chances, given, right = _checked(prior, answers, skill)
    logs = np.log(chances)
    for said, own in zip(given, right, strict=True):
        hit = np.arange(len(chances))[:, None] == said
        logs += np.where(
            said == NOT_JUDGED, 0.0, np.log(np.where(hit, own[:, None], (1 - own[:, None]) / (len(chances) - 1)))
        )
    return _normal(np.exp(logs - logs.max(0)))


def expected_gain(chances: Floats, skill: ArrayLike) -> Floats:
    """(n,) by how much the chance of a wrong class is expected to fall by one more answer of this skill.

    Parameters
    ----------
    chances
        (class, n) of `posterior`.
    skill
        Chance that the next annotator's pixel is right, or (class,) where the truth is that class.
    """
    k = len(chances)
    right = np.clip(np.broadcast_to(np.asarray(skill, float), k), 1 / k, 1 - LEAST_CHANCE)[:, None]
    named, missed = right * chances, (1 - right) / (k - 1) * chances
    best = np.sort(missed, axis=0)[-2:]  # after an answer, the class it names or the best of the others is taken
    rival = np.where(missed == best[1], best[0], best[1])
    return np.maximum(np.maximum(named, rival).sum(0) - chances.max(0), 0.0)


def _checked(prior: ArrayLike, answers: ArrayLike, skill: ArrayLike) -> tuple[Floats, NDArray[np.int64], Floats]:
    chances = np.asarray(prior, float)
    right = np.asarray(skill, float)
    given = np.asarray(answers, np.int64).reshape(len(right), chances.shape[1])
    if given.size and not (given.min() >= NOT_JUDGED and given.max() < len(chances)):
        raise QualityError(f"answers {given.min()} to {given.max()} for {len(chances)} classes", hint="-1: not judged")
    if right.size and not (right.min() >= 0 and right.max() <= 1):
        raise QualityError(f"skills {right.min()} to {right.max()}", hint="the share of pixels that are right, 0-1")
    inside = np.clip(right, 1 / len(chances), 1 - LEAST_CHANCE)  # who is worse than chance is heard as chance
    inside = np.broadcast_to(inside if inside.ndim == 2 else inside[:, None], (len(right), len(chances)))
    return _normal(np.clip(chances, LEAST_CHANCE, None)), given, inside


def _normal(chances: Floats) -> Floats:
    return np.asarray(chances / chances.sum(0))
