"""Which method to take for items: the one that does best on gold items whose truth it was not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError, nearest
from geolabel.quality.items.calibration import calibration
from geolabel.quality.items.glad import glad
from geolabel.quality.items.models import Method, dawid_skene, majority, one_coin
from geolabel.quality.items.table import UNKNOWN, Index, Said
from geolabel.quality.items.temper import on_gold, tempered, without_truth

Floats = NDArray[np.float64]
By = Literal["log_loss", "accuracy"]
METHODS: dict[str, Method] = {"majority": majority, "one-coin": one_coin, "dawid-skene": dawid_skene, "glad": glad}
LEAST_GOLD = 10
"""Gold items below which there is nothing to choose on."""
FOLDS = 5
MARGIN = 0.01
"""Another method must beat the majority by more than this."""
EVIDENCE = ["n", "accuracy", "log_loss", "brier", "ece", "temperature"]


def check_choice(method: str | None, by: str) -> None:
    """Raise QualityError for a method or a criterion that is none."""
    if method is not None and method not in METHODS:
        raise QualityError(f"no method {method!r} for items", hint=nearest(method, METHODS))
    if by not in get_args(By):
        raise QualityError(f"methods cannot be chosen by {by!r}", hint=nearest(by, get_args(By)))


def left_out(said: Said, known: Index, method: Method) -> tuple[Floats, Floats]:
    """((gold item, label) log posterior, (gold item,) temperature) of gold items, each with its own truth withheld.

    A fold of them is withheld at a time, every fifth by name; the temperature needs no truth.
    """
    gold = np.flatnonzero(known != UNKNOWN)
    log, temperature = np.zeros((len(gold), len(said.labels))), np.ones(len(gold))
    for own in folds(len(gold)):
        rest = known.copy()
        rest[gold[own]] = UNKNOWN
        scores = method(said, rest)
        log[own], temperature[own] = scores.log[gold[own]], without_truth(said, scores)
    return log, temperature


def folds(n: int) -> list[Index]:
    """Places of each fold of `n` gold items."""
    return [np.arange(fold, n, FOLDS) for fold in range(min(FOLDS, n))]


def evidence_of(said: Said, known: Index, methods: Mapping[str, Method]) -> pd.DataFrame:
    """A row for each method: its figures on gold items left out, and the temperature that all of them ask for.

    Each item's posterior is scored at the temperature that the other folds ask for: nothing is fitted to what it is
    scored on.
    """
    truth, rows = known[known != UNKNOWN], {}
    for name, method in sorted(methods.items()):
        log, temperature = left_out(said, known, method)
        start = float(np.exp(np.log(temperature).mean()))
        own = np.zeros_like(log)
        for fold in folds(len(truth)):
            others = np.setdiff1d(np.arange(len(truth)), fold)
            own[fold] = tempered(log[fold], on_gold(log[others], truth[others], start))
        told = calibration(own, truth)
        figures = [told.n, told.accuracy, told.log_loss, told.brier, told.ece]
        rows[name] = [*figures, on_gold(log, truth, start)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=EVIDENCE).rename_axis("method")


def choice(evidence: pd.DataFrame, by: By) -> str:
    """The best method; the majority where none beats it by more than `MARGIN` or there is no evidence; ties by name."""
    if not len(evidence):
        return "majority"
    score = -evidence["log_loss"] if by == "log_loss" else evidence["accuracy"]
    best = min(score.index, key=lambda name: (-score[name], name))
    return str(best) if score[best] > score.get("majority", -np.inf) + MARGIN else "majority"
