"""Ways to fuse votes into the probability of each class at each pixel, by name.

No method wins everywhere (`benchmarks/evidence/quality/teams.py`), so one is chosen on gold (`choose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geolabel.quality.consensus import em
from geolabel.quality.consensus.debias import distance
from geolabel.quality.consensus.fused import Fit, Floats, Fuse, Fused, Method, count, majority, shares
from geolabel.quality.consensus.medoid import medoid
from geolabel.quality.consensus.stack import stack
from geolabel.quality.consensus.votes import Codes, Votes

__all__ = [
    "METHODS",
    "NEEDS_GOLD",
    "Fit",
    "Floats",
    "Fuse",
    "Fused",
    "Method",
    "count",
    "majority",
    "methods_for",
    "shares",
]


def dawid_skene(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:  # noqa: ARG001 - the methods' interface
    """Each annotator's confusion of classes, estimated over all tasks by EM (Dawid & Skene 1979); needs no gold.

    With one class these are two coins an annotator: sensitivity and specificity (STAPLE's model, pooled over tasks).
    """
    fuse = _posterior(em.fit(em.Table.of(votes, {})))
    return lambda without: fuse  # noqa: ARG005 - no gold is used, so none is withheld


def dawid_skene_gold(votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fit:
    """As `dawid_skene`, with the truth of gold held fixed (Warfield et al. 2004, section III)."""
    table = em.Table.of(votes, gold)
    return lambda without: _posterior(em.fit(table.forget(without) if without else table))


def _posterior(model: em.Model) -> Fuse:
    return lambda one: Fused(model.posterior(one), _informedness(model, one))


def _informedness(model: em.Model, votes: Votes) -> dict[str, float]:
    pairs = zip(votes.annotators, votes.independence, strict=True)
    return {name: model.informedness(name) * weight for name, weight in pairs}


METHODS: dict[str, Method] = {
    "majority": majority,
    "medoid": medoid,
    "dawid-skene": dawid_skene,
    "dawid-skene-gold": dawid_skene_gold,
    "distance": distance,
    "stack": stack,
}
NEEDS_GOLD = ("dawid-skene-gold", "distance", "stack")


def methods_for(classes: Sequence[str]) -> list[str]:
    """Names of the methods that can fuse these classes."""
    return [name for name in METHODS if name != "distance" or len(classes) == 1]
