"""The mean of the annotators' signed distances, each freed of the bias that gold shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from scipy.special import ndtr

from geolabel.quality.consensus.fused import Fit, Floats, Fused
from geolabel.quality.consensus.votes import Codes, Votes
from geolabel.quality.distance import cut_distance_px, offset_px

REACH_PX = 10.0
"""Signed distances are cut here: how far inside is settled ground, and one who drew nothing is not infinitely far."""
LEAST_SD_PX = 0.5
"""Spread of outlines below which pixels cannot tell."""


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
    names = sorted({name for name, _ in known})
    return {one: float(np.median(np.concatenate([values for name, values in known if name == one]))) for one in names}


def _mean_distance(votes: Votes, bias_px: Mapping[str, float]) -> Fused:
    weight = np.array(votes.independence)[:, None, None] * (votes.codes >= 0)
    away = np.stack(
        [
            np.clip(cut_distance_px(codes > 0, 2 * REACH_PX) - bias_px.get(name, 0.0), -REACH_PX, REACH_PX)
            for name, codes in zip(votes.annotators, votes.codes, strict=True)
        ]
    )
    total = weight.sum(0)
    total = np.where(total > 0, total, 1.0)
    mean = (away * weight).sum(0) / total
    spread = np.sqrt((((away - mean) ** 2) * weight).sum(0) / total)
    inside = np.where(votes.judged, ndtr(mean / np.maximum(spread, LEAST_SD_PX)), np.nan)
    return Fused(np.stack([1 - inside, inside]), dict(zip(votes.annotators, votes.independence, strict=True)))
