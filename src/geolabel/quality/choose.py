"""Which method to fuse with: the one that does best on gold tasks whose truth it was not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geolabel.errors import QualityError, nearest
from geolabel.quality.fuse import METHODS, Fit, methods_for
from geolabel.quality.votes import Codes, Votes

LEAST_GOLD = 2
"""Gold tasks below which there is nothing to choose on."""
MARGIN = 0.01
"""Another method must beat the majority by more than this."""


def choose(
    votes: Sequence[Votes], gold: Mapping[str, Codes], *, classes: Sequence[str], method: str | None = None
) -> tuple[str, dict[str, float]]:
    """(method, score of each method on gold left out); the majority where there is too little gold.

    A score is the intersection over union minus the relative error of the areas, both pooled over the gold tasks, each
    fused with its own truth withheld; ties go by name.

    Raises
    ------
    QualityError
        For a method that is not known or cannot fuse these classes.
    """
    known = methods_for(classes)
    if method is not None and method not in known:
        raise QualityError(f"no method {method!r} for {len(classes)} classes", hint=nearest(method, known))
    several = [one for one in votes if len(one.annotators) > 1]
    tried = [one for one in several if one.task.id in gold]
    if len(tried) < LEAST_GOLD:
        return method or "majority", {}
    evidence = {name: left_out_score(METHODS[name](several, gold), tried, gold) for name in known}
    best = min(known, key=lambda name: (-evidence[name], name))
    chosen = best if evidence[best] > evidence["majority"] + MARGIN else "majority"
    return method or chosen, evidence


def left_out_score(fit: Fit, tried: Sequence[Votes], gold: Mapping[str, Codes]) -> float:
    """Pooled intersection over union minus relative area error on gold tasks, each with its own truth withheld."""
    found = [fit(one.task.id)(one).winner.ravel() for one in tried]
    truth = [gold[one.task.id].ravel() for one in tried]
    return _score(np.concatenate(found), np.concatenate(truth))


def _score(found: Codes, truth: Codes) -> float:
    found, truth = found[found >= 0], truth[found >= 0]
    union = ((found > 0) | (truth > 0)).sum()
    if not union:
        return 1.0
    overlap = ((found == truth) & (truth > 0)).sum() / union
    codes = range(1, int(max(found.max(), truth.max())) + 1)
    wrong = sum(abs(int((found == c).sum()) - int((truth == c).sum())) for c in codes)
    return float(overlap - wrong / max(int((truth > 0).sum()), 1))
