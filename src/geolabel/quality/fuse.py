"""Ways to fuse votes into the probability of each class at each pixel, behind one interface.

A method is `method(votes, gold) -> fit`, `fit(without) -> fuse` and `fuse(votes) -> Fused`, where `without` names a gold
task whose truth is withheld: counting is done once, however many gold tasks are left out in turn. No method wins
everywhere (measured in this project's targets), so it is chosen on gold (`choose`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
Fit = Callable[[str | None], Fuse]
Method = Callable[[Sequence[Votes], Mapping[str, Codes]], Fit]


def shares(votes: Votes) -> Floats:
    """(1 + class, y, x): share of the annotators who judged a pixel and said this of it; NaN where nobody did."""
    categories = np.arange(len(votes.classes) + 1)
    said = np.stack([(votes.codes == code).sum(0) for code in categories]).astype(float)
    total = said.sum(0)
    return np.divide(said, total, out=np.full_like(said, np.nan), where=total > 0)


def majority(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:  # noqa: ARG001 - the methods' interface
    """Every vote counts the same; needs no gold."""
    return lambda without: count  # noqa: ARG005 - no gold is used, so none is withheld


def count(votes: Votes) -> Fused:
    """The shares of the votes, each of weight 1."""
    return Fused(shares(votes), dict.fromkeys(votes.annotators, 1.0))


def dawid_skene(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:
    """Each annotator's confusion of classes is estimated over all tasks by EM, gold held fixed (Dawid & Skene 1979).

    With one class these are two coins an annotator: sensitivity and specificity (STAPLE's model, pooled over tasks).
    """
    table = em.Table.of(votes, gold)
    return lambda without: _posterior(em.fit(table.forget(without) if without else table))


def _posterior(model: em.Model) -> Fuse:
    return lambda one: Fused(model.posterior(one), {name: model.informedness(name) for name in one.annotators})


def distance(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:
    """Mean of the annotators' signed distances, each freed of the bias it shows on gold; for one class.

    The bias is the median distance of the annotator's outlines outside (+) of the true ones. The probability is that of
    a normal outline: mean distance over the standard deviation of the annotators' outlines.
    """
    offsets = [
        (one.task.id, name, offset_px(codes > 0, gold[one.task.id] > 0))
        for one in votes
        if one.task.id in gold
        for name, codes in zip(one.annotators, one.codes, strict=True)
    ]
    return lambda without: partial(_mean_distance, bias_px=_bias_px(offsets, without))


def _bias_px(offsets: Sequence[tuple[str, str, Floats]], without: str | None) -> dict[str, float]:
    known = [(name, values) for task_id, name, values in offsets if task_id != without and len(values)]
    names = {name for name, _ in known}
    return {one: float(np.median(np.concatenate([values for name, values in known if name == one]))) for one in names}


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


METHODS: dict[str, Method] = {"majority": majority, "dawid-skene": dawid_skene, "distance": distance}


def methods_for(classes: Sequence[str]) -> list[str]:
    """Names of the methods that can fuse these classes."""
    return [name for name in METHODS if name != "distance" or len(classes) == 1]
