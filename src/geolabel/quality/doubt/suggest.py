"""What to label next: a batch under a budget of minutes, new tiles and tiles to be asked again in one order.

A candidate's worth is uncertainty x diversity x balance, per minute. Uncertainty is what one more answer is expected to
mend (`quality.doubt.gain`), so a doubtful label competes with unseen ground. Diversity is 1 less the likeness to what is
known: labels count as far as they can be relied on, and so does what the batch already holds, so that it is not the same
tile ten times. Balance favours tiles on which classes are expected of which little is labeled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geolabel.errors import QualityError
from geolabel.tables import SUGGESTED, check

Floats = NDArray[np.float64]
Action = Literal["new", "relabel"]
COMPONENTS = 5
"""Principal components in which tiles are compared."""
LEAST_SHARE = 0.02
"""Of a tile, for a class to be there."""
NEIGHBOURS = 5
"""The median distance to the last of so many neighbours is the length over which tiles are alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Tiles that may be labeled; rows of every array are in the order of `names`."""

    names: tuple[str, ...]
    """Task ids."""
    labeled: NDArray[np.bool_]
    """(n,) whether a tile has an answer: then it would be asked again."""
    open: NDArray[np.bool_]
    """(n,) whether it may be suggested; others only say what is known."""
    gain: Floats
    """(n,) share of wrong pixels that one more answer is expected to mend."""
    reliable: Floats
    """(n,) 0-1: how far its label can be relied on; 0 without one."""
    features: Floats
    """(n, feature) what a tile looks like: means and spreads of what the model reads."""
    shares: Floats
    """(n, class) expected share of each class."""
    minutes: Floats
    """(n,) that an answer is expected to take."""
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.names)
        arrays = (self.labeled, self.open, self.gain, self.reliable, self.features, self.shares, self.minutes)
        if any(len(one) != n for one in arrays):
            raise QualityError(f"{n} candidates with columns of {[len(one) for one in arrays]}")
        if n and not (np.isfinite(self.minutes).all() and self.minutes.min() > 0):
            raise QualityError("an answer that takes no time", hint="minutes of every candidate are above 0")


@dataclass(frozen=True, slots=True)
class Worth:
    """Exponents of what makes up a candidate's worth; 0 leaves a part out."""

    uncertainty: float = 1.0
    diversity: float = 1.0
    balance: float = 1.0
    minutes: float = 1.0


def suggest(candidates: Candidates, minutes: float, *, worth: Worth | None = None) -> pd.DataFrame:
    """`tables.SUGGESTED`: the batch for a budget of minutes, chosen one after another; ties break by name.

    The score is that at the moment of choice: what was chosen before makes the tiles like it worth less.

    Raises
    ------
    QualityError
        For a budget that is not above 0.
    """
    if not minutes > 0:
        raise QualityError(f"a budget of {minutes} minutes", hint="above 0")
    order = np.argsort(np.array(candidates.names, object), kind="stable")
    points, even = places(candidates.features), balance(candidates)
    rows, left, weights = [], float(minutes), worth or Worth()
    novelty, free = novelty_of(candidates, points), candidates.open.copy()
    doubt = uncertainty(candidates, novelty)
    while (fits := free & (candidates.minutes <= left + 1e-9)).any():
        parts = (doubt, weights.uncertainty), (novelty, weights.diversity), (even, weights.balance)
        value = np.prod([one**power for one, power in parts], axis=0) / candidates.minutes**weights.minutes
        best = int(order[int(np.argmax(np.where(fits, value, -1.0)[order]))])
        said = {"score": value, "uncertainty": doubt, "diversity": novelty, "balance": even}
        rows.append(_row(candidates, best, {name: float(one[best]) for name, one in said.items()}))
        free[best], left = False, left - candidates.minutes[best]
        novelty = np.minimum(novelty, 1 - likeness(points, best))
    return check(pd.DataFrame(rows, columns=list(SUGGESTED)).astype(_KINDS), SUGGESTED)


_KINDS = {name: float if kind == "float" else object for name, kind in SUGGESTED.kinds.items()}


def uncertainty(candidates: Candidates, novelty: Floats) -> Floats:
    """(n,) gain of an answer, also where classes may show up that no label has yet: of those the model knows nothing.

    On a tile wholly unlike the labeled ones a class is new with the chance `unseen`, and then the model's word is worth
    what a guess is; on a tile like them, or one that has an answer, the model's word stands.
    """
    blind = np.where(candidates.labeled, 0.0, unseen(candidates) * novelty)
    guess = 1 - 1 / max(candidates.shares.shape[1], 2)
    return np.asarray((1 - blind) * np.maximum(candidates.gain, 0) + blind * guess)


def unseen(candidates: Candidates) -> float:
    """Chance that the next tile shows a class that no label has yet: the share of tiles on which one appears that is on
    no other labeled tile; 1 without any label.

    Source: Good 1953, Biometrika 40:237 (equation 9: mass of what was not seen).
    """
    there = candidates.shares[candidates.labeled] >= LEAST_SHARE
    once = np.count_nonzero(there.sum(0) == 1)
    return min(once / len(there), 1.0) if len(there) else 1.0


def places(features: Floats) -> Floats:
    """(n, component) where tiles stand by what they look like: principal components, in typical distances.

    The typical distance is the median of those from a tile to its fifth neighbour (of those above 0). Features are
    standardised; NaN is read as their mean.
    """
    known = np.isfinite(features)
    count = np.maximum(known.sum(0), 1)
    centred = np.where(known, features - np.where(known, features, 0).sum(0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(0) / count)
    left, size, _ = np.linalg.svd(centred / np.where(spread > 0, spread, 1.0), full_matrices=False)
    points = left[:, :COMPONENTS] * size[:COMPONENTS]
    if len(points) < 2:
        return np.zeros_like(points)
    away = cKDTree(points).query(points, min(NEIGHBOURS, len(points) - 1) + 1)[0][:, -1]
    apart = away[away > 1e-9]
    return points / np.median(apart) if len(apart) else np.zeros_like(points)


def likeness(points: Floats, place: int) -> Floats:
    """(n,) how alike each tile is to one of them, 0-1: a Gaussian of the distance between their `places`."""
    return np.asarray(np.exp(-((points - points[place]) ** 2).sum(1) / 2))


def novelty_of(candidates: Candidates, points: Floats) -> Floats:
    """(n,) 1 less the likeness to the labels, each as far as it can be relied on; a labeled tile is held against others."""
    known = np.zeros(len(points))
    for place in np.flatnonzero(candidates.labeled):
        like = likeness(points, int(place)) * candidates.reliable[place]
        like[place] = 0.0
        known = np.maximum(known, like)
    return 1 - known


def balance(candidates: Candidates) -> Floats:
    """(n,) mean weight of the classes expected on a tile; a class weighs 1 / sqrt of its share of what is labeled.

    Shares are smoothed by one tile of every class alike; the weights of all candidates that are open have mean 1.
    """
    known = candidates.shares[candidates.labeled]
    k = candidates.shares.shape[1]
    share = (known.sum(0) + 1 / k) / (len(known) + 1)
    raw = candidates.shares @ (1 / np.sqrt(share))
    mean = raw[candidates.open].mean() if candidates.open.any() else 1.0
    return np.asarray(raw / mean if mean > 0 else np.ones(len(raw)))


def _row(candidates: Candidates, place: int, said: dict[str, float]) -> dict[str, object]:
    action: Action = "relabel" if candidates.labeled[place] else "new"
    expected = _expected(candidates, place, said["balance"])
    return {
        "task": candidates.names[place],
        "action": action,
        **said,
        "minutes": float(candidates.minutes[place]),
        "reason": _reason(action, said["uncertainty"], said["diversity"], expected),
    }


def _expected(candidates: Candidates, place: int, even: float) -> str:
    """Words on the class for which a tile is favoured, if it is."""
    names: Sequence[str] = candidates.classes
    if even <= 1.2 or not names:
        return ""
    return f"; {names[int(candidates.shares[place].argmax())]} expected, of which little is labeled"


def _reason(action: Action, gain: float, novelty: float, expected: str) -> str:
    doubt = f"another answer should mend {gain:.1%} of it"
    who = {"new": f"the model is unsure: {doubt}", "relabel": f"answers and the model disagree: {doubt}"}[action]
    unlike = "unlike what is labeled" if novelty > 0.5 else "like other tiles" if novelty < 0.1 else "partly new ground"
    return f"{who}; {unlike}{expected}"
