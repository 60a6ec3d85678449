"""Ways to fuse votes into the probability of each class at each pixel, behind one interface.

A method is `fit(votes, gold) -> fuse`, and `fuse(votes) -> Fused`. None wins everywhere (Warfield et al. 2004 and the
measurements in this project's targets), so the method is chosen on gold (`choose`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from geolabel.quality import em
from geolabel.quality.distance import offset_px, signed_distance_px
from geolabel.quality.votes import Codes, Votes

Floats = NDArray[np.float64]
REACH_PX = 10.0
"""Signed distances are cut here: how far inside is settled ground, and one who drew nothing is not infinitely far."""
LEAST_SD_PX = 0.5
"""Spread of outlines below which pixels cannot tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """What a method makes of one task's votes."""

    probability: Floats
    """(1 + class, y, x), the first for nothing; they sum to 1; NaN where nobody judged."""
    weights: dict[str, float]
    """How much each heard annotator counts in this method."""

    @property
    def winner(self) -> Codes:
        """(y, x): code of the most probable class, -1 where nobody judged; ties go to nothing, then by name."""
        judged = np.isfinite(self.probability[0])
        best = np.nan_to_num(self.probability).argmax(0)
        return np.where(judged, best, -1).astype(np.int8)


Fuse = Callable[[Votes], Fused]
Fit = Callable[[Sequence[Votes], Mapping[str, Codes]], Fuse]


def shares(votes: Votes) -> Floats:
    """(1 + class, y, x): share of the annotators who judged a pixel and said this of it; NaN where nobody did."""
    categories = np.arange(len(votes.classes) + 1)
    said = np.stack([(votes.codes == code).sum(0) for code in categories]).astype(float)
    total = said.sum(0)
    return np.divide(said, total, out=np.full_like(said, np.nan), where=total > 0)


def majority(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fuse:  # noqa: ARG001 - the methods' interface
    """Every vote counts the same; needs no gold."""
    return lambda one: Fused(shares(one), dict.fromkeys(one.annotators, 1.0))


def dawid_skene(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fuse:
    """Each annotator's confusion of classes is estimated over all tasks by EM, gold held fixed (Dawid & Skene 1979).

    With one class these are two coins an annotator: sensitivity and specificity (STAPLE's model, pooled over tasks).
    """
    model = em.fit(em.Table.of(votes, gold))
    return lambda one: Fused(model.posterior(one), {name: model.informedness(name) for name in one.annotators})


def distance(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fuse:
    """Mean of the annotators' signed distances, each freed of the bias it shows on gold; for one class.

    The probability is that of a normal outline: mean distance over the standard deviation of the annotators' outlines.
    """
    bias = gold_bias_px(votes, gold)
    return lambda one: _mean_distance(one, bias)


def gold_bias_px(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> dict[str, float]:
    """Annotator -> median distance of their outline outside (+) of the true one on gold tasks, pixels; 0 if unknown."""
    offsets: dict[str, list[Floats]] = {}
    for one in votes:
        if one.task.id in gold:
            truth = gold[one.task.id] > 0
            for name, codes in zip(one.annotators, one.codes, strict=True):
                offsets.setdefault(name, []).append(offset_px(codes > 0, truth))
    pooled = {name: np.concatenate(found) for name, found in offsets.items()}
    return {name: float(np.median(values)) if len(values) else 0.0 for name, values in pooled.items()}


def _mean_distance(votes: Votes, bias_px: Mapping[str, float]) -> Fused:
    judged = votes.codes >= 0
    away = [
        np.clip(signed_distance_px(codes > 0) - bias_px.get(name, 0.0), -REACH_PX, REACH_PX)
        for name, codes in zip(votes.annotators, votes.codes, strict=True)
    ]
    count = np.maximum(judged.sum(0), 1)
    mean = (np.stack(away) * judged).sum(0) / count
    spread = np.sqrt((((np.stack(away) - mean) ** 2) * judged).sum(0) / count)
    inside = np.where(votes.judged, ndtr(mean / np.maximum(spread, LEAST_SD_PX)), np.nan)
    return Fused(np.stack([1 - inside, inside]), dict.fromkeys(votes.annotators, 1.0))


METHODS: dict[str, Fit] = {"majority": majority, "dawid-skene": dawid_skene, "distance": distance}


def methods_for(classes: Sequence[str]) -> list[str]:
    """Names of the methods that can fuse these classes."""
    return [name for name in METHODS if name != "distance" or len(classes) == 1]
