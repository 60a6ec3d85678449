"""Stacking: gold teaches how much each annotator's outline and word count, and which way each of them errs.

A logistic regression of the truth on every annotator's signed distance and vote. A coefficient is one that all annotators
share plus the annotator's own, both shrunk, the own more: who has little gold is taken for an average annotator, who has
none for exactly that. Source: Wolpert (1992), Neural Networks 5; shrinkage as in a mixed model with a random slope each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from geolabel.quality.consensus.debias import REACH_PX
from geolabel.quality.consensus.fused import Fit, Floats, Fuse, Fused, count
from geolabel.quality.consensus.votes import Codes, Votes
from geolabel.quality.distance import cut_distance_px

Rows = NDArray[np.float64]
SCALE_PX = 3.0
"""Pixels of distance that count like one vote."""
FEATURES = 3
"""Of each annotator: one, signed distance, vote (-1 or +1)."""
SHARED, OWN = 0.1, 0.1
"""Penalty of half the square of a coefficient that all share, and of an annotator's own."""
CLUSTER_PX = 64
"""Pixels that tell as much as one: neighbours share their errors."""
ROWS = 6000
"""Pixels of a gold task that are looked at, at most."""
STEPS, TOLERANCE = 25, 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one gold task teaches: for each code, who said what on the pixels that are looked at, and the truth."""

    features: Floats
    """(code, pixel, annotator, feature), each annotator's weighed by its share of the votes there; 0 where not judged."""
    truth: NDArray[np.bool_]
    """(code, pixel)"""
    weight: float
    """Independent pixels that each pixel stands for."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Coefficients for one code: of the constant, and (annotator, feature) of all who ever answered."""

    constant: float
    of: Floats
    annotators: tuple[str, ...]

    def log_odds(self, features: Floats, annotators: Sequence[str]) -> Floats:
        """(...,) log odds of the code, from (..., annotator, feature)."""
        rows = [self.annotators.index(name) for name in annotators]
        return np.asarray(self.constant + np.tensordot(features, self.of[rows], 2))


def stack(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:
    """Each class's truth on gold, regressed on all annotators' signed distances and votes; the shares without gold."""
    annotators = tuple(sorted({name for one in votes for name in one.annotators}))
    lessons = {one.task.id: _lesson(one, gold[one.task.id], annotators) for one in votes if one.task.id in gold}
    return lambda without: _taught([lesson for key, lesson in lessons.items() if key != without], annotators)


def _taught(lessons: Sequence[Lesson], annotators: tuple[str, ...]) -> Fuse:
    if not lessons:
        return count
    learned = [_learn(lessons, code, annotators) for code in range(len(lessons[0].truth))]
    return lambda one: _apply(one, learned)


# ---------------------------------------------------------------------- what annotators say, as numbers
def _codes_asked(votes: Votes) -> list[int]:
    """Codes with a regression of their own: the class where there is one, else nothing and every class."""
    return [1] if len(votes.classes) == 1 else list(range(len(votes.classes) + 1))


def _features(votes: Votes, code: int) -> Floats:
    """(y, x, annotator, feature) of one code."""
    judged = votes.codes >= 0
    weight = np.array(votes.independence)[:, None, None] * judged
    total = weight.sum(0)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    away = np.stack([cut_distance_px(codes == code, REACH_PX) for codes in votes.codes]) / SCALE_PX
    said = np.where(votes.codes == code, 1.0, -1.0)
    return np.moveaxis(np.stack([weight, weight * away, weight * said]), (0, 1), (3, 2))


def _lesson(votes: Votes, truth: Codes, annotators: Sequence[str]) -> Lesson:
    codes, judged = _codes_asked(votes), np.flatnonzero(votes.judged & (truth >= 0))
    every = max(-(-len(judged) // ROWS), 1)
    seen = judged[every // 2 :: every]
    wide = np.zeros((len(codes), len(seen), len(annotators), FEATURES))
    columns = [annotators.index(name) for name in votes.annotators]
    for k, code in enumerate(codes):
        wide[k][:, columns] = _features(votes, code).reshape(-1, len(columns), FEATURES)[seen]
    return Lesson(wide, np.stack([truth.ravel()[seen] == code for code in codes]), every / CLUSTER_PX)


# ---------------------------------------------------------------------- learning and telling
def _learn(lessons: Sequence[Lesson], code: int, annotators: tuple[str, ...]) -> Learned:
    own = np.concatenate([lesson.features[code] for lesson in lessons])
    truth = np.concatenate([lesson.truth[code] for lesson in lessons]).astype(float)
    weight = np.concatenate([np.full(lesson.truth.shape[1], lesson.weight) for lesson in lessons])
    shared = own[..., 1:].sum(1)  # distance and vote of the mean annotator
    rows = np.concatenate([np.ones((len(own), 1)), shared, own.reshape(len(own), -1)], 1)
    penalty = np.r_[1e-6, np.full(FEATURES - 1, SHARED), np.full(own[0].size, OWN)]
    found = regress(rows, truth, weight, penalty)
    of = found[FEATURES:].reshape(len(annotators), FEATURES) + np.r_[0.0, found[1:FEATURES]]
    return Learned(float(found[0]), of, annotators)


def regress(rows: Rows, truth: Floats, weight: Floats, penalty: Floats) -> Floats:
    """(column,) coefficients of the penalised logistic regression of the truth on the rows, by Newton's method.

    Minimised is the weighted sum of log losses plus half the sum of penalty times squared coefficient.
    """
    found = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = expit(rows @ found)
        slope = rows.T @ (weight * (truth - chance)) - penalty * found
        curve = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found = found + step
        if np.abs(step).max() < TOLERANCE:
            break
    return found


def _apply(votes: Votes, learned: Sequence[Learned]) -> Fused:
    codes = _codes_asked(votes)
    odds = [one.log_odds(_features(votes, code), votes.annotators) for one, code in zip(learned, codes, strict=True)]
    each = expit(np.stack(odds))
    chance = np.concatenate([1 - each, each]) if len(codes) == 1 else each / each.sum(0)
    return Fused(np.where(votes.judged, chance, np.nan), _weights(votes, learned))


def _weights(votes: Votes, learned: Sequence[Learned]) -> dict[str, float]:
    """What a full change of an annotator's word and outline moves the log odds, over the mean annotator's."""
    pull = np.mean([np.abs(one.of[:, 1:].sum(1)) for one in learned], 0)
    mean = pull.mean() or 1.0
    place = learned[0].annotators.index
    return {
        name: float(pull[place(name)] / mean * weight)
        for name, weight in zip(votes.annotators, votes.independence, strict=True)
    }
