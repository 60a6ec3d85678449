"""What a way to fuse gives, and the plainest of them: the shares of the votes.

A method is `method(votes, gold) -> fit`, `fit(without) -> fuse` and `fuse(votes) -> Fused`, where `without` names a gold
task whose truth is withheld: counting is done once, however many gold tasks are left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.quality.consensus.votes import Codes, Votes

Floats = NDArray[np.float64]


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
    """(1 + class, y, x): share of the weight of those who judged a pixel that said this of it; NaN where nobody did."""
    said = np.zeros((len(votes.classes) + 1, *votes.grid.shape))
    for weight, codes in zip(votes.independence, votes.codes, strict=True):
        for code in range(len(said)):
            said[code] += weight * (codes == code)
    total = said.sum(0)
    return np.divide(said, total, out=np.full_like(said, np.nan), where=total > 0)


def majority(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:  # noqa: ARG001 - the methods' interface
    """Every independent vote counts the same; needs no gold."""
    return lambda without: count  # noqa: ARG005 - no gold is used, so none is withheld


def count(votes: Votes) -> Fused:
    """The shares of the votes, each of the weight of its independence."""
    return Fused(shares(votes), dict(zip(votes.annotators, votes.independence, strict=True)))
