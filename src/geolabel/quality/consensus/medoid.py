"""The medoid shape: of everything that was drawn on one piece of ground, what is most like the rest.

Nothing is averaged, so what wins is what a person drew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from geolabel.quality.consensus.fused import Fit, Floats, Fused
from geolabel.quality.consensus.votes import NOT_JUDGED, Codes, Votes
from geolabel.quality.patches import Patches, patches_of


def medoid(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:  # noqa: ARG001 - the methods' interface
    """On each patch that anybody claimed, the drawing with the greatest mean overlap with the others'; needs no gold.

    The overlap of two annotators is the share of the ground that either of them labeled and both judged on which they
    say the same class, 1 where neither labeled. Ties go to the greater weight, then by name.
    """
    return lambda without: nearest_to_all  # noqa: ARG005 - no gold is used, so none is withheld


def nearest_to_all(votes: Votes) -> Fused:
    """The medoid drawing of each claimed patch, with probability 1."""
    patches = patches_of(votes.claimed)
    best = _likeness(votes, patches).argmax(0)  # the first by name
    said = np.take_along_axis(votes.codes, best[patches][None], 0)[0]
    said = np.where(said == NOT_JUDGED, _first_judged(votes.codes), said)
    known = np.arange(len(votes.classes) + 1)[:, None, None] == said
    weights = dict(zip(votes.annotators, votes.independence, strict=True))
    return Fused(np.where(said >= 0, known.astype(float), np.nan), weights)


def _likeness(votes: Votes, patches: Patches) -> Floats:
    """(annotator, patch) weighted mean overlap of each one's drawing with those of the others; 0 for the ground around."""
    claimed = patches > 0
    codes, places = votes.codes[:, claimed], patches[claimed]
    total = np.zeros((len(codes), int(patches.max()) + 1))
    for one, other in combinations(range(len(codes)), 2):
        overlap = _overlap(codes[one], codes[other], places, total.shape[1])
        total[one] += votes.independence[other] * overlap
        total[other] += votes.independence[one] * overlap
    rest = sum(votes.independence) - np.array(votes.independence)
    return np.asarray(total / rest[:, None])


def _overlap(one: Codes, other: Codes, places: Patches, n: int) -> Floats:
    both = (one >= 0) & (other >= 0)
    union = np.bincount(places[both & ((one > 0) | (other > 0))], minlength=n)
    shared = np.bincount(places[both & (one > 0) & (one == other)], minlength=n)
    return np.divide(shared, union, out=np.ones(n), where=union > 0)


def _first_judged(codes: Codes) -> Codes:
    """(y, x) what the first annotator by name who judged a pixel says of it; -1 where nobody did."""
    first = (codes >= 0).argmax(0)
    return np.asarray(np.take_along_axis(codes, first[None], 0)[0])
