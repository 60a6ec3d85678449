"""Who said what of which item: one long table (task, annotator, label) as numbers, in an order of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError, TableError, nearest
from geolabel.quality.consensus.votes import is_machine

Index = NDArray[np.intp]
Repeated = Literal["error", "first", "last"]
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Names:
    """What the columns of the long table are called, and what a second answer to the same item means."""

    task: str = "task"
    annotator: str = "annotator"
    label: str = "label"
    at: str | None = None
    """Column that orders an annotator's answers to one item; without it the order of the rows does."""
    repeated: Repeated = "error"
    """Which answer counts where an annotator has several to one item: none (an error), the first or the last."""
    weight: str | None = None
    """Column of how much of a vote each answer is, above 0 to 1: less for people who were shown the same proposal."""

    def __post_init__(self) -> None:
        if self.repeated not in get_args(Repeated):
            raise QualityError(
                f"unknown rule for repeated answers {self.repeated!r}", hint=nearest(self.repeated, get_args(Repeated))
            )


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Votes as numbers, sorted by item and annotator, so that no sum depends on the order of the rows."""

    tasks: tuple[Hashable, ...]
    annotators: tuple[str, ...]
    labels: tuple[Hashable, ...]
    """All in the order of their names."""
    task: Index
    annotator: Index
    label: Index
    """(vote,) places in `tasks`, `annotators` and `labels`."""
    weight: NDArray[np.float64]
    """(vote,) how much of a vote it is."""
    missing: int = 0
    """Rows without a label, dropped."""
    repeated: int = 0
    """Answers that another one of the same annotator to the same item stands for."""
    unheard: int = 0
    """Votes of rules and models on items that a person answered: recorded, weight 0."""

    @property
    def counts(self) -> NDArray[np.float64]:
        """(task, label) how many votes it has."""
        n, k = len(self.tasks), len(self.labels)
        return np.bincount(self.task * k + self.label, self.weight, n * k).reshape(n, k).astype(np.float64)

    def known(self, gold: Mapping[Hashable, Any]) -> Index:
        """(task,) place of the true label, -1 where it is not known."""
        place = {name: number for number, name in enumerate(self.labels)}
        return np.array([place[gold[name]] if name in gold else UNKNOWN for name in self.tasks], np.intp)


def said_in(frame: pd.DataFrame, names: Names, labels: Iterable[Hashable] = ()) -> Said:
    """Votes of a long table; rows without a label are dropped and counted, machines are not heard beside people.

    Parameters
    ----------
    labels
        Labels that may be true although nobody said them.

    Raises
    ------
    TableError
        Where a column is missing.
    QualityError
        Where no label is left, an item or annotator has no name, a weight is not above 0 and at most 1, or somebody
        answered twice and no rule was told.
    """
    _check_columns(frame, names)
    rows = frame[frame[names.label].notna()]
    if not len(rows):
        raise QualityError(
            f"{len(frame)} rows and no label among them", hint="one row an answer: task, annotator, label"
        )
    nameless = rows[names.task].isna() | rows[names.annotator].isna()
    if nameless.any():
        raise QualityError(
            f"{int(nameless.sum())} answers do not say whose they are or of which item",
            hint=f"the first is row {rows.index[nameless.to_numpy()][0]!r}",
        )
    _check_weights(rows, names)
    once = _once(rows, names)
    heard = once[~_beside_people(once, names)]
    whole = named([*heard[names.label].unique(), *labels])
    return _numbered(
        heard,
        names,
        whole,
        missing=len(frame) - len(rows),
        repeated=len(rows) - len(once),
        unheard=len(once) - len(heard),
    )


def named(values: Iterable[Hashable]) -> tuple[Hashable, ...]:
    """The different values in the order of their names: numbers as numbers, anything mixed by its text."""
    unique = {value.item() if isinstance(value, np.generic) else value for value in values}
    try:
        return tuple(sorted(unique))  # type: ignore[type-var]
    except TypeError:
        return tuple(sorted(unique, key=lambda value: (str(value), type(value).__name__)))


def _numbered(heard: pd.DataFrame, names: Names, labels: Sequence[Hashable], **counts: int) -> Said:
    who = heard[names.annotator].astype(str)
    tasks, annotators = named(heard[names.task].unique()), named(who.unique())
    task, annotator = _places(heard[names.task], tasks), _places(who, annotators)
    order = np.lexsort((annotator, task))
    label = _places(heard[names.label], labels)
    weight = np.ones(len(heard)) if names.weight is None else heard[names.weight].to_numpy(float)
    return Said(
        tasks=tasks,
        annotators=tuple(map(str, annotators)),
        labels=tuple(labels),
        task=task[order],
        annotator=annotator[order],
        label=label[order],
        weight=weight[order],
        **counts,
    )


def _places(column: pd.Series, values: Sequence[Hashable]) -> Index:
    """(row,) place of each value of a column."""
    place = {value: number for number, value in enumerate(values)}
    return np.array([place[value] for value in column], np.intp)


def _check_columns(frame: pd.DataFrame, names: Names) -> None:
    wanted = [names.task, names.annotator, names.label, *filter(None, (names.at, names.weight))]
    lost = [name for name in wanted if name not in frame.columns]
    if lost:
        raise TableError(
            f"the table of answers has no column {lost[0]!r}; it has {list(map(str, frame.columns))}",
            hint=nearest(lost[0], map(str, frame.columns)) + "; name them: Names(task=..., annotator=..., label=...)",
        )


def _check_weights(rows: pd.DataFrame, names: Names) -> None:
    if names.weight is not None:
        weight = rows[names.weight].to_numpy(float)
        bad = ~((weight > 0) & (weight <= 1))
        if bad.any():
            raise QualityError(f"a vote of weight {weight[bad][0]}", hint="above 0, and 1 for an independent vote")


def _once(rows: pd.DataFrame, names: Names) -> pd.DataFrame:
    """One answer an annotator and item."""
    key = [names.task, names.annotator]
    twice = rows.duplicated(key, keep=False)
    if not twice.any():
        return rows
    if names.repeated == "error":
        one = rows[twice].iloc[0]
        raise QualityError(
            f"'{one[names.annotator]}' answered '{one[names.task]}' more than once ({int(twice.sum())} such answers)",
            hint="Names(repeated='first') or 'last' says which counts",
        )
    if names.at is not None:  # of answers at the same moment the order of their labels decides
        rows = rows.iloc[np.lexsort((rows[names.label].astype(str), rows[names.at]))]
    return rows.drop_duplicates(key, keep=names.repeated)


def _beside_people(rows: pd.DataFrame, names: Names) -> NDArray[np.bool_]:
    """(row,) answers of rules and models to items that a person answered."""
    machine = rows[names.annotator].astype(str).map(is_machine).to_numpy(bool)
    answered = set(rows.loc[~machine, names.task])
    return np.asarray(machine & rows[names.task].isin(answered).to_numpy())
