"""Dawid & Skene's EM on the distinct patterns of votes: a million pixels hold a few hundred different ones.

Source: Dawid & Skene (1979), Applied Statistics 28(1); clamping known items as in Warfield et al. (2004), section III.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.quality.consensus.votes import Codes, Votes
from geolabel.quality.patterns import distinct

Floats = NDArray[np.float64]
PSEUDO = 1.0
"""Pixels added to each cell of a confusion matrix, so that nothing is impossible."""
ITERATIONS, TOLERANCE = 200, 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """How often each pattern of votes occurs, on ground of unknown and of known truth."""

    annotators: tuple[str, ...]
    patterns: Codes
    """(pattern, annotator): code, -1 where the annotator did not judge."""
    weights: Floats
    """(pattern, annotator): independence of the vote; patterns of unlike weights are kept apart."""
    unknown: Floats
    """(pattern,) pixels of unknown truth."""
    known: dict[str, Floats]
    """Gold task -> (pattern, category) pixels of that truth."""
    categories: int

    @classmethod
    def of(cls, votes: Sequence[Votes], gold: Mapping[str, Codes]) -> Table:
        """Table over all tasks."""
        annotators = tuple(sorted({name for one in votes for name in one.annotators}))
        categories = len(votes[0].classes) + 1
        found = [_task_patterns(one, annotators, categories) for one in votes]
        sets, which = np.unique(np.stack([one.weights for one in found]), axis=0, return_inverse=True)
        marked = [np.insert(one.rows, 0, mark, 1) for mark, one in zip(which.ravel(), found, strict=True)]
        patterns, place = np.unique(np.concatenate(marked), axis=0, return_inverse=True)
        parts = np.split(place.ravel(), np.cumsum([len(one.rows) for one in found])[:-1])
        unknown, known = np.zeros(len(patterns)), {}
        for one, own, part in zip(votes, found, parts, strict=True):
            if one.task.id in gold:
                true = gold[one.task.id].ravel()
                key = (part[own.index] * categories + true)[true >= 0]
                counts = np.bincount(key, minlength=len(patterns) * categories)
                known[one.task.id] = counts.reshape(-1, categories).astype(float)
            else:
                unknown[part] += own.counts
        codes = patterns[:, 1:].astype(np.int8)
        return cls(annotators, codes, sets[patterns[:, 0]], unknown, known, categories)

    def forget(self, task_id: str) -> Table:
        """Table in which the truth of one gold task is not known."""
        left = {name: counts for name, counts in self.known.items() if name != task_id}
        return replace(self, unknown=self.unknown + self.known[task_id].sum(1), known=left)

    @property
    def clamped(self) -> Floats:
        """(pattern, category) pixels of known truth."""
        return sum(self.known.values(), np.zeros((len(self.patterns), self.categories)))


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """The patterns of one task over all annotators."""

    rows: NDArray[np.int32]
    """(pattern, annotator)"""
    index: NDArray[Any]
    """(pixel,) number of its pattern."""
    counts: NDArray[np.int64]
    """(pattern,) pixels."""
    weights: Floats
    """(annotator,) independence of the vote; 1 for who is not heard."""


def _task_patterns(votes: Votes, annotators: Sequence[str], categories: int) -> Said:
    rows, index, counts = distinct(votes.codes.reshape(len(votes.codes), -1), categories)
    columns = [annotators.index(name) for name in votes.annotators]
    wide, weights = np.full((len(rows), len(annotators)), -1, np.int32), np.ones(len(annotators))
    wide[:, columns], weights[columns] = rows, votes.independence
    return Said(wide, index, counts, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Prevalence of the categories and each annotator's confusion matrix."""

    annotators: tuple[str, ...]
    prevalence: Floats
    """(category,)"""
    confusion: Floats
    """(annotator, true category, category said)"""

    def of_patterns(self, patterns: Codes, annotators: Sequence[str], weights: Floats) -> Floats:
        """(pattern, category) posterior of the truth, given what these annotators said; a vote's log is times its weight."""
        log = np.tile(np.log(self.prevalence), (len(patterns), 1))
        for column, weight, name in zip(patterns.T, weights.T, annotators, strict=True):
            said = np.log(self.confusion[self.annotators.index(name)]).T  # (said, true)
            log += np.where(column >= 0, weight, 0.0)[:, None] * said[column]
        log -= log.max(1, keepdims=True)
        weight = np.exp(log)
        return weight / weight.sum(1, keepdims=True)

    def posterior(self, votes: Votes) -> Floats:
        """(category, y, x) posterior of each pixel; NaN where nobody judged."""
        rows, index, _ = distinct(votes.codes.reshape(len(votes.codes), -1), len(self.prevalence))
        each = self.of_patterns(rows, votes.annotators, np.broadcast_to(votes.independence, rows.shape))
        each[(rows < 0).all(1)] = np.nan
        return np.take(each.T, index, axis=1).reshape(-1, *votes.grid.shape)

    def informedness(self, annotator: str) -> float:
        """Chance that this annotator tells the truth beyond guessing: 1 perfect, 0 useless (Youden's J for two)."""
        right = float(np.trace(self.confusion[self.annotators.index(annotator)]))
        return (right - 1) / (len(self.prevalence) - 1)


def fit(table: Table, *, pseudo: float = PSEUDO) -> Model:
    """Model of greatest likelihood near the start: the confusion on gold where there is gold, else the majority's."""
    clamped, judged = table.clamped, (table.patterns >= 0).any(1)
    expected = clamped + (table.unknown * judged)[:, None] * _shares(table)
    model = _maximise(table, clamped if clamped.any() else expected, expected, pseudo)
    for _ in range(ITERATIONS):
        posterior = model.of_patterns(table.patterns, table.annotators, table.weights)
        expected = clamped + (table.unknown * judged)[:, None] * posterior
        new = _maximise(table, expected, expected, pseudo)
        moved = np.abs(new.confusion - model.confusion).max()
        model = new
        if moved < TOLERANCE:
            break
    return model


def _shares(table: Table) -> Floats:
    """(pattern, category) share of the weight of the votes."""
    said = np.stack([((table.patterns == code) * table.weights).sum(1) for code in range(table.categories)], 1)
    total = said.sum(1, keepdims=True)
    return np.asarray(said / np.where(total > 0, total, 1.0))


def _maximise(table: Table, confused: Floats, expected: Floats, pseudo: float) -> Model:
    """Model of greatest likelihood for these expected counts (pattern, true category)."""
    said = np.stack([table.patterns == code for code in range(table.categories)]).astype(float)
    counts = np.einsum("pt,spa->ats", confused, said) + pseudo
    prevalence = expected.sum(0) + pseudo
    return Model(table.annotators, prevalence / prevalence.sum(), counts / counts.sum(2, keepdims=True))
