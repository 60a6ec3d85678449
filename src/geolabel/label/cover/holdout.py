"""How good candidates are on polygons they have not seen, and which of them to take."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import GeolabelWarning, InputError
from geolabel.label.cover.candidates import Candidate
from geolabel.label.cover.features import Features
from geolabel.label.cover.samples import Samples
from geolabel.stream import Progress, silent

MOST_FOLDS = 50
"""With more polygons several are held out together, whole ones, of every class alike."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """What each candidate says of each pixel, trained without its polygon and those near it."""

    candidates: tuple[Candidate, ...]
    probability: NDArray[np.float32]
    """(candidate, n, class)."""
    samples: Samples
    tested: NDArray[np.bool_]
    """(polygon,) whether its class had another polygon to be learned from."""

    @property
    def right(self) -> NDArray[np.float64]:
        """(candidate, polygon) share of a polygon's pixels named right; NaN where it was not tested."""
        hits = self.probability.argmax(axis=2) == self.samples.truth
        n = len(self.samples.codes)
        pixels = np.bincount(self.samples.polygon, minlength=n)
        shares = np.stack([np.bincount(self.samples.polygon, one, n) / pixels for one in hits])
        return np.where(self.tested, shares, np.nan)

    @property
    def best(self) -> int:
        """Place of the candidate to take."""
        return _best(self.right[:, self.tested])

    def nested(self) -> NDArray[np.float32]:
        """(n, class) what the candidate says of each polygon that is best on the others."""
        right, result = self.right, np.empty(self.probability.shape[1:], np.float32)
        for i in range(len(self.samples.codes)):
            others = self.tested & (np.arange(len(self.tested)) != i)
            there = self.samples.polygon == i
            result[there] = self.probability[_best(right[:, others]), there]
        return result


def _best(right: NDArray[np.float64]) -> int:
    """Place of the candidate with the largest mean over polygons; of equal ones the plainest."""
    mean = right.mean(axis=1) if right.shape[1] else np.zeros(len(right))
    return int(np.flatnonzero(mean >= mean.max() - 1e-9)[0])


def hold_out(
    samples: Samples,
    features: Features,
    candidates: Sequence[Candidate],
    *,
    seed: int,
    most_folds: int = MOST_FOLDS,
    progress: Progress = silent,
) -> Holdout:
    """Every polygon named by candidates trained without it and without those near it.

    Raises
    ------
    InputError
        Where no class has two polygons apart from one another.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    folds = _folds(samples, most_folds)
    tested = np.array([_taught(samples, i, folds) for i in range(len(samples.codes))])
    _check(samples, tested)
    said = np.zeros((len(candidates), len(samples.polygon), len(samples.classes)), np.float32)
    outs = [folds == fold for fold in np.unique(folds[tested])]
    with threadpool_limits(1):  # matrices this small cost more to share out than to multiply
        for i, out in enumerate(outs, start=1):
            said[:, out[samples.polygon]] = _fold(out, samples, features, candidates, seed)
            progress("holding out", i, len(outs))
    return Holdout(tuple(candidates), said, samples, tested)


def _fold(
    out: NDArray[np.bool_], samples: Samples, features: Features, candidates: Sequence[Candidate], seed: int
) -> NDArray[np.float32]:
    """(candidate, n, class) what is said of the pixels of the polygons that are out.

    A candidate that too few pixels of a class leave without a covariance says nothing, and so is not chosen.
    """
    there, taught = out[samples.polygon], ~_excluded(samples, out)[samples.polygon]
    said = np.zeros((len(candidates), np.count_nonzero(there), len(samples.classes)), np.float32)
    for place, candidate in enumerate(candidates):
        with contextlib.suppress(np.linalg.LinAlgError):
            model = fit(candidate, samples, features, seed=seed, where=taught)
            said[place] = probabilities(model, samples.values[there][:, reads(candidate, features)], samples)
    return said


def fit(candidate: Candidate, samples: Samples, features: Features, *, seed: int, where: NDArray[np.bool_]) -> Any:
    """A trained scikit-learn estimator of the candidate's kind."""
    truth = samples.truth[where]
    model = candidate.make(seed, len(np.unique(truth)))
    return model.fit(samples.values[where][:, reads(candidate, features)], truth)


def reads(candidate: Candidate, features: Features) -> NDArray[np.intp]:
    """Places of the features that a candidate reads."""
    return np.flatnonzero([kind in candidate.reads for kind in features.kinds.values()])


def probabilities(model: Any, values: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
    """(n, class) float32 over all classes; 0 for one that the model was not taught."""
    result = np.zeros((len(values), len(samples.classes)), np.float32)
    result[:, model.classes_] = model.predict_proba(values)
    return result


def _folds(samples: Samples, most: int) -> NDArray[np.int64]:
    """(polygon,) number of the fold: one a polygon, or `most` with polygons of a class dealt out in turn."""
    n = len(samples.codes)
    if n <= most:
        return np.arange(n)
    order = np.argsort(samples.codes, kind="stable")
    folds = np.empty(n, np.int64)
    folds[order] = np.arange(n) % most
    return folds


def _excluded(samples: Samples, out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(samples.near[out].any(axis=0))


def _taught(samples: Samples, i: int, folds: NDArray[np.int64]) -> bool:
    left = ~_excluded(samples, folds == folds[i])
    return bool((samples.codes[left] == samples.codes[i]).any() and len(np.unique(samples.codes[left])) > 1)


def _check(samples: Samples, tested: NDArray[np.bool_]) -> None:
    if not tested.any():
        raise InputError(
            "no class has two polygons apart from one another, so nothing says how good a classifier is",
            hint="draw at least two polygons of each class, in different places",
        )
    lone = [name for i, name in enumerate(samples.classes) if not tested[samples.codes == i].any()]
    if lone:
        words = f"classes with one place only are learned but not tested: {', '.join(lone)}"
        warnings.warn(words, GeolabelWarning, stacklevel=4)
