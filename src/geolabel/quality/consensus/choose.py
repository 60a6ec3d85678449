"""Which method to fuse each class with: the one that gold speaks for, where it speaks clearly; else the majority.

Every gold task is fused with its own truth withheld. A method's score is its intersection over union minus the relative
error of its area, pooled over the gold tasks. Few tasks speak loudly by chance, so that not the gain over the majority
counts but its lower bound: the jackknife's standard error (Efron & Tibshirani 1993, chapter 11) and Student's t. A method
whose areas are better but whose shapes are worse than the majority's is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from geolabel.errors import QualityError, nearest
from geolabel.quality.consensus.fuse import METHODS, NEEDS_GOLD, methods_for
from geolabel.quality.consensus.fused import Fit, Floats, Fuse, Fused
from geolabel.quality.consensus.votes import Codes, Votes

LEAST_GOLD = 3
"""Gold tasks that hold a class, below which there is nothing to choose on."""
MARGIN = 0.01
"""The lower bound of another method's gain must be more than this."""
CONFIDENCE = 0.75
"""One-sided confidence of that bound."""
PLAIN = "majority"
Evidence = dict[str, dict[str, float]]
"""Method -> score, iou, area_bias, gain over the majority, se of the gain, n_gold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A method for each class, and what gold said of all of them."""

    methods: dict[str, str]
    """Class -> method."""
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """Class -> evidence; only classes that gold could speak of."""

    @property
    def name(self) -> str:
        """The method, or all of them by name, joined by +."""
        return "+".join(sorted(set(self.methods.values())))


def choose(
    votes: Sequence[Votes], gold: Mapping[str, Codes], *, classes: Sequence[str], method: str | None = None
) -> Choice:
    """Method of each class, with the evidence; the majority where gold holds too little of a class, ties by name.

    Raises
    ------
    QualityError
        For a method that is not known, cannot fuse these classes, or needs gold where there is none.
    """
    known = methods_for(classes)
    if method is not None and method not in known:
        raise QualityError(f"no method {method!r} for {len(classes)} classes", hint=nearest(method, known))
    several = [one for one in votes if len(one.annotators) > 1]
    if method in NEEDS_GOLD and several and not gold:
        hint = f"{', '.join(name for name in known if name not in NEEDS_GOLD)} need none"
        raise QualityError(f"method {method!r} learns from gold and there is none", hint=hint)
    counts = _counts(several, gold, known)
    evidence = {name: _evidence(counts[name]) for name in sorted(classes) if _speaks(counts.get(name, {}))}
    chosen = {name: method or (_best(evidence[name]) if name in evidence else PLAIN) for name in sorted(classes)}
    return Choice(chosen, evidence)


def chosen_fuse(choice: Choice, votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Fuse:
    """What fuses each class by its own method; the probabilities of a pixel are then scaled to sum to 1."""
    ways = {name: METHODS[name](votes, gold)(None) for name in sorted(set(choice.methods.values()))}
    if len(ways) == 1:
        return next(iter(ways.values()))
    return lambda one: _joined({name: way(one) for name, way in ways.items()}, choice, one)


def _joined(each: Mapping[str, Fused], choice: Choice, votes: Votes) -> Fused:
    nothing = np.mean([fused.probability[0] for fused in each.values()], 0)
    own = [each[choice.methods[name]].probability[code] for code, name in enumerate(votes.classes, start=1)]
    together = np.stack([nothing, *own])
    weights = {name: float(np.mean([fused.weights[name] for fused in each.values()])) for name in votes.annotators}
    return Fused(together / together.sum(0), weights)


# ---------------------------------------------------------------------- what gold says
def _counts(votes: Sequence[Votes], gold: Mapping[str, Codes], known: Sequence[str]) -> dict[str, dict[str, Floats]]:
    """Class -> method -> (gold task, 4): pixels of intersection, union, found and truth; each with its truth withheld."""
    tried = [one for one in votes if one.task.id in gold]
    if len(tried) < LEAST_GOLD:
        return {}
    found: dict[str, dict[str, Floats]] = {name: {} for name in tried[0].classes}
    for method in known:
        fit = METHODS[method](votes, gold)
        rows = np.array([_of_task(fit, one, gold[one.task.id]) for one in tried], float)
        for code, name in enumerate(tried[0].classes):
            found[name][method] = rows[:, code]
    return found


def _of_task(fit: Fit, votes: Votes, truth: Codes) -> list[tuple[int, int, int, int]]:
    found = fit(votes.task.id)(votes).winner
    judged = (found >= 0) & (truth >= 0)
    return [_overlap((found == k) & judged, (truth == k) & judged) for k in range(1, len(votes.classes) + 1)]


def _overlap(found: Codes, truth: Codes) -> tuple[int, int, int, int]:
    return int((found & truth).sum()), int((found | truth).sum()), int(found.sum()), int(truth.sum())


def _speaks(counts: Mapping[str, Floats]) -> bool:
    """Whether enough gold tasks hold the class."""
    return bool(counts) and int((counts[PLAIN][:, 3] > 0).sum()) >= LEAST_GOLD


def _evidence(counts: Mapping[str, Floats]) -> Evidence:
    plain = counts[PLAIN]
    return {name: dict(_figures(own, plain)) for name, own in sorted(counts.items())}


def _figures(own: Floats, plain: Floats) -> Iterator[tuple[str, float]]:
    yield "score", round(_score(own), 6)
    yield "iou", round(_iou(own), 6)
    yield "area_bias", round(_area_bias(own), 6)
    yield "gain", round(_score(own) - _score(plain), 6)
    yield "se", round(_standard_error(own, plain), 6)
    yield "n_gold", len(own)


def _iou(counts: Floats) -> float:
    shared, union, *_ = counts.sum(0)
    return float(shared / union) if union else 1.0


def _area_bias(counts: Floats) -> float:
    *_, found, truth = counts.sum(0)
    return float((found - truth) / max(truth, 1.0))


def _score(counts: Floats) -> float:
    return _iou(counts) - abs(_area_bias(counts))


def _standard_error(own: Floats, plain: Floats) -> float:
    """Jackknife standard error of the gain, over gold tasks."""
    rest = ~np.eye(len(own), dtype=bool)
    gains = np.array([_score(own[keep]) - _score(plain[keep]) for keep in rest])
    return float(np.sqrt((len(own) - 1) / len(own) * ((gains - gains.mean()) ** 2).sum()))


def lower_bound(figures: Mapping[str, float]) -> float:
    """Gain over the majority that a method has with `CONFIDENCE`."""
    return figures["gain"] - float(stats.t.ppf(CONFIDENCE, figures["n_gold"] - 1)) * figures["se"]


def _best(evidence: Evidence) -> str:
    good = [name for name, figures in evidence.items() if figures["iou"] >= evidence[PLAIN]["iou"]]
    bounds = {name: lower_bound(evidence[name]) for name in good}
    best = min(bounds, key=lambda name: (-bounds[name], name))
    return best if bounds[best] > MARGIN else PLAIN
