"""Consensus of items (points, whole images): labels with probabilities that can be believed, from one long table."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.quality.items.calibration import Calibration, calibration
from geolabel.quality.items.choose import EVIDENCE, LEAST_GOLD, METHODS, By, check_choice, choice, evidence_of
from geolabel.quality.items.models import PSEUDO, clamped, expected
from geolabel.quality.items.table import UNKNOWN, Index, Names, Said, said_in
from geolabel.quality.items.temper import tempered, without_truth

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What the answers to all items agree on, how sure that is, and how it was decided."""

    posterior: pd.DataFrame
    """Task by label, rows sum to 1; gold items are certain."""
    table: pd.DataFrame
    """By task: label (ties by name), confidence (its probability), n_votes, share (of the votes for it, by weight), gold."""
    annotators: pd.DataFrame
    """By annotator: n, accuracy (expected share right), informedness (beyond guessing: 1 perfect, 0 useless), n_gold,
    gold_accuracy."""
    method: str
    evidence: pd.DataFrame
    """By method, on gold left out: n, accuracy, log_loss, brier, ece, temperature; empty with too little gold."""
    temperature: float
    """By which the log posterior was divided: above 1, votes were not as independent as the method takes them to be."""
    missing: int
    """Rows without a label."""
    repeated: int
    """Answers that another one of the same annotator to the same item stands for."""
    unheard: int
    """Votes of rules and models on items that a person answered."""

    @property
    def label(self) -> pd.Series:
        """Label of each task."""
        return self.table["label"]

    @property
    def confidence(self) -> pd.Series:
        """Probability of each task's label."""
        return self.table["confidence"]

    def calibration(self, truth: Mapping[Hashable, Hashable]) -> Calibration:
        """How far the posterior can be believed, on items of known truth that were not gold.

        Raises
        ------
        QualityError
            Where no item has a truth that was not told, or a truth is no label.
        """
        own = [task for task in self.table.index[~self.table["gold"]] if task in truth]
        if not own:
            raise QualityError("no item with a truth that is not gold", hint="truth: task -> label")
        place: dict[Hashable, int] = {label: number for number, label in enumerate(self.posterior.columns)}
        unknown = [truth[task] for task in own if truth[task] not in place]
        if unknown:
            raise QualityError(f"nobody said {unknown[0]!r}", hint=f"labels: {list(place)}")
        return calibration(self.posterior.loc[own].to_numpy(), [place[truth[task]] for task in own])


def agree_items(
    frame: pd.DataFrame,
    *,
    gold: Mapping[Hashable, Hashable] | pd.Series | None = None,
    method: str | None = None,
    by: By = "log_loss",
    names: Names | None = None,
) -> Items:
    """Consensus of a long table with one row an answer (task, annotator, label); no order of the rows matters.

    The method is chosen on gold items left out in turn, the majority where there are fewer than ten or nothing beats it.
    Its posterior is tempered: with gold by the log loss on gold left out, without by how far the votes spread beyond what
    independent ones would. As soon as a person answered an item, rules and models weigh 0 on it.

    Parameters
    ----------
    gold
        Task -> true label, taken as certain.
    method
        majority, one-coin, dawid-skene or glad, instead of the choice on gold.
    by
        What the choice goes by: log_loss or accuracy.
    names
        Names of the columns, and which of several answers of one annotator to one item counts.

    Raises
    ------
    TableError
        Where a column is missing.
    QualityError
        Where there is no label, somebody answered twice and no rule was told, gold contradicts itself, or for an unknown
        method.
    """
    truth = known_items(gold)
    said = said_in(frame, names or Names(), truth.values())
    known = said.known(truth)
    return _items(said, known, decide(said, known, method=method, by=by))


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The method that was taken, why, and what it says."""

    method: str
    evidence: pd.DataFrame
    temperature: float
    posterior: Floats
    """(task, label) of the votes: gold items taught, but are not certain."""


def decide(said: Said, known: Index, *, method: str | None = None, by: By = "log_loss") -> Decision:
    """Decision on votes whose truth is `known` (place of the label, -1 where it is not); as `agree_items` says.

    Raises
    ------
    QualityError
        For an unknown method or criterion.
    """
    check_choice(method, by)
    enough = (known != UNKNOWN).sum() >= LEAST_GOLD
    tried = {name: way for name, way in METHODS.items() if method in (None, name)}
    evidence = evidence_of(said, known, tried) if enough else pd.DataFrame(columns=EVIDENCE)
    chosen = method or choice(evidence, by)
    scores = METHODS[chosen](said, known)
    temperature = float(evidence["temperature"][chosen]) if enough else without_truth(said, scores)
    return Decision(chosen, evidence, temperature, tempered(scores.log, temperature))


def known_items(gold: Mapping[Hashable, Hashable] | pd.Series | None) -> dict[Hashable, Hashable]:
    """Task -> true label.

    Raises
    ------
    QualityError
        Where an item has two truths, or none.
    """
    if gold is None:
        return {}
    pairs: Iterable[tuple[Hashable, Hashable]] = gold.items()
    truth: dict[Hashable, Hashable] = {}
    for task, label in pairs:
        if label is None or label != label:  # noqa: PLR0124 - NaN, of whatever type
            raise QualityError(f"gold item {task!r} has no label", hint="leave out what the experts could not tell")
        if truth.setdefault(task, label) != label:
            raise QualityError(f"gold of item {task!r} says {truth[task]!r} and {label!r}", hint="adjudicate it first")
    return truth


def _items(said: Said, known: Index, made: Decision) -> Items:
    sure = clamped(made.posterior, known)
    return Items(
        posterior=pd.DataFrame(sure, pd.Index(said.tasks, name="task"), pd.Index(said.labels, name="label")),
        table=_table(said, sure, known),
        annotators=skill_of(said, sure, known),
        method=made.method,
        evidence=made.evidence,
        temperature=made.temperature,
        missing=said.missing,
        repeated=said.repeated,
        unheard=said.unheard,
    )


def _table(said: Said, sure: Floats, known: Index) -> pd.DataFrame:
    best, rows = sure.argmax(1), np.arange(len(sure))
    counts = said.counts
    data = {
        "label": pd.Series(list(said.labels)).to_numpy()[best],
        "confidence": sure[rows, best],
        "n_votes": np.bincount(said.task, minlength=len(sure)),
        "share": counts[rows, best] / counts.sum(1),
        "gold": known != UNKNOWN,
    }
    return pd.DataFrame(data, index=pd.Index(said.tasks, name="task"))


def skill_of(said: Said, sure: Floats, known: Index) -> pd.DataFrame:
    """What a posterior and the gold items say of each annotator, as `Items.annotators` has it."""
    n, k = len(said.annotators), len(said.labels)
    counts = expected(said, sure)  # by weight, as all shares here
    confusion = (counts + PSEUDO) / (counts + PSEUDO).sum(2, keepdims=True)
    of_gold = known[said.task] != UNKNOWN
    right = of_gold & (known[said.task] == said.label)
    on_gold = np.bincount(said.annotator, of_gold, n)
    answers = np.bincount(said.annotator, minlength=n)
    data = {
        "n": answers,
        "accuracy": np.trace(counts, axis1=1, axis2=2) / counts.sum((1, 2)),
        "informedness": (np.trace(confusion, axis1=1, axis2=2) - 1) / max(k - 1, 1),
        "n_gold": on_gold.astype(int),
        "gold_accuracy": np.divide(
            np.bincount(said.annotator, right, n), on_gold, out=np.full(n, np.nan), where=on_gold > 0
        ),
    }
    return pd.DataFrame(data, index=pd.Index(said.annotators, name="annotator"))
