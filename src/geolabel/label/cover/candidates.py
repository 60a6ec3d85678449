"""Candidates of a pixel classifier, from plain to rich, and what each reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from geolabel.errors import InputError, nearest
from geolabel.label.cover.features import What

TREES = 60
RIDGE = 0.1
"""Share of the unit matrix in a class's covariance of standardised features."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model and the kinds of features it reads."""

    model: str
    """Key of `MODELS`."""
    reads: tuple[What, ...]

    @property
    def name(self) -> str:
        """`nearest mean of bands, ratios`."""
        return f"{self.model} of {', '.join(self.reads)}"

    def make(self, seed: int, n_classes: int) -> Any:
        """An untrained scikit-learn estimator with `predict_proba`; classes weigh the same."""
        return MODELS[self.model](seed, n_classes)


def _nearest_mean(_: int, __: int) -> Any:
    from sklearn.neighbors import NearestCentroid

    return _scaled(NearestCentroid(priors="uniform"))


def _linear(_: int, n: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return _scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[1 / n] * n))


def _logistic(_: int, __: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _scaled(LogisticRegression(class_weight="balanced", max_iter=3000))


def _quadratic(_: int, n: int) -> Any:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return _scaled(QuadraticDiscriminantAnalysis(reg_param=RIDGE, priors=[1 / n] * n))


def _forest(seed: int, _: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, class_weight="balanced", random_state=seed, min_samples_leaf=2)


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


MODELS: dict[str, Callable[[int, int], Any]] = {
    "nearest mean": _nearest_mean,
    "linear discriminant": _linear,
    "logistic regression": _logistic,
    "quadratic discriminant": _quadratic,
    "random forest": _forest,
}
"""From plain to rich. Nearest mean: standardised Euclidean; linear: Ledoit & Wolf (2004) shrinkage; quadratic:
Friedman (1989) regularisation; forest: Breiman (2001)."""


BASELINE = Candidate("nearest mean", ("bands",))
"""What every classifier is compared with."""


def candidates(kinds: tuple[What, ...], models: Sequence[str] | None = None) -> tuple[Candidate, ...]:
    """Every model of ever more kinds of features, plain before rich; a forest, which picks its own, of all of them.

    Parameters
    ----------
    models
        Names of the models to try, default all. `BASELINE` is always among the candidates.

    Raises
    ------
    InputError
        For a model that does not exist.
    """
    for name in models or ():
        if name not in MODELS:
            raise InputError(f"there is no model {name!r}", hint=nearest(name, MODELS))
    richer = [kinds[: i + 1] for i in range(len(kinds))]
    plain = [Candidate(model, reads) for model in MODELS if model != "random forest" for reads in richer]
    every = (*plain, Candidate("random forest", kinds))
    return tuple(one for one in every if models is None or one.model in models or one == BASELINE)
