"""The medoid shape: of everything that was drawn on one piece of ground, what is most like the rest. Nothing is averaged,
so what wins is what a person drew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from geolabel.quality.fused import Fit, Floats, Fused
from geolabel.quality.patches import patches_of
from geolabel.quality.votes import NOT_JUDGED, Codes, Votes


def medoid(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:  # noqa: ARG001 - the methods' interface
    """On each patch that anybody claimed, the drawing with the greatest mean overlap with the others'; needs no gold.

    The overlap of two annotators is the share of the ground that either of them labeled and both judged on which they
    say the same class, 1 where neither labeled. Ties go to the greater weight, then by name.
    """
    return lambda without: nearest_to_all  # noqa: ARG005 - no gold is used, so none is withheld


def nearest_to_all(votes: Votes) -> Fused:
    """The medoid drawing of each claimed patch, with probability 1."""
    patches = patches_of(votes.claimed)
    numbers = np.arange(patches.max() + 1)
    weights = np.array(votes.independence)
    likeness = np.stack([_likeness(votes.codes, k, weights, patches, numbers) for k in range(len(weights))])
    best = likeness.argmax(0)  # the first by name
    said = np.take_along_axis(votes.codes, best[patches][None], 0)[0]
    unseen = said == NOT_JUDGED  # the medoid did not judge this: the first by name who did
    said = np.where(unseen, _first_judged(votes.codes), said)
    known = np.arange(len(votes.classes) + 1)[:, None, None] == said
    return Fused(
        np.where(said >= 0, known.astype(float), np.nan), dict(zip(votes.annotators, votes.independence, strict=True))
    )


def _likeness(codes: Codes, own: int, weights: Floats, patches: Codes, numbers: Codes) -> Floats:
    """(patch,) weighted mean overlap of this annotator's drawing with those of the others."""
    total = np.zeros(len(numbers))
    for other, weight in enumerate(weights):
        if other != own:
            total += weight * _overlap(codes[own], codes[other], patches, numbers)
    return total / max(weights.sum() - weights[own], 1e-12)


def _overlap(one: Codes, other: Codes, patches: Codes, numbers: Codes) -> Floats:
    both = (one >= 0) & (other >= 0)
    union = ndimage.sum_labels(both & ((one > 0) | (other > 0)), patches, numbers)
    shared = ndimage.sum_labels(both & (one > 0) & (one == other), patches, numbers)
    return np.divide(shared, union, out=np.ones(len(numbers)), where=union > 0)


def _first_judged(codes: Codes) -> Codes:
    """(y, x) what the first annotator by name who judged a pixel says of it; -1 where nobody did."""
    first = (codes >= 0).argmax(0)
    return np.asarray(np.take_along_axis(codes, first[None], 0)[0])
