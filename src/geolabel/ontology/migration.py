"""Migration of labels from one version of an ontology to the next: explicit, told in numbers, and recorded.

A class is unchanged (the target has it by name), moved (renamed, or merged with others), dropped, or asked: where one
class becomes several, no rule can say which, and its labels wait for a person.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geolabel.errors import OntologyError, nearest
from geolabel.ontology.ontology import Ontology
from geolabel.ontology.shipped import known


@dataclass(frozen=True, slots=True)
class Question:
    """What a person must decide label by label: which of these classes it is now."""

    choices: tuple[str, ...]
    why: str = ""


Move = str | None | Question
"""New name, None for dropped, or a question."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a migration does to the labels of one frame, in numbers."""

    unchanged: int
    moved: dict[str, int]
    """`old -> new` -> labels."""
    dropped: dict[str, int]
    """Class -> labels."""
    open: dict[str, tuple[str, ...]]
    """Class that was split -> label ids that wait for a person."""
    foreign: dict[str, int]
    """`class.attribute` that the class no longer has -> labels; the values are kept under their names."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What becomes of each class of `source` in `target`."""

    source: Ontology
    target: Ontology
    moves: Mapping[str, Move] = field(default_factory=dict)
    """Class of the source -> what becomes of it. Classes that the target has by the same name need not be said."""
    note: str = ""

    def __post_init__(self) -> None:
        for old, move in self.moves.items():
            kind = self.source[old].kind
            for new in move.choices if isinstance(move, Question) else [move] if move is not None else []:
                if self.target[new].kind != kind:
                    raise OntologyError(
                        f"{kind} class {old!r} cannot become {new!r}, a {self.target[new].kind} class",
                        hint="a task asks for one kind: drop it (None) and label it in a task of the other kind",
                    )

    @property
    def id(self) -> str:
        """`a@1->a@2`."""
        return f"{self.source.id}->{self.target.id}"

    def move(self, name: str) -> Move:
        """What becomes of a class of the source; a question without choices where nobody said."""
        was = self.source[name]
        if name in self.moves:
            return self.moves[name]
        if name in self.target and self.target[name].kind == was.kind:
            return name
        return Question((), f"{self.target.id} has no {was.kind} class {name!r}, and the migration does not name it")

    def apply(self, frame: Any, decided: Mapping[str, str] | None = None) -> Any:
        """The labels of a frame under the target's classes; dropped ones are left out, all other columns are kept.

        Parameters
        ----------
        frame
            `tables.SHAPES` or `tables.LABELS` under the source.
        decided
            Label id -> class, for labels whose class was split.

        Raises
        ------
        OntologyError
            For labels that nobody decided, a decision that was no choice, and classes that the source does not have.
        """
        new = self._names(frame, decided or {})
        waiting = np.array([isinstance(move, Question) for move in new], bool)
        if waiting.any():
            raise self._undecided(frame[waiting])
        kept = np.array([move is not None for move in new], bool)
        return frame[kept].assign(**{"class": np.array([move for move in new if move is not None], object)})

    def _names(self, frame: Any, decided: Mapping[str, str]) -> list[Move]:
        moves = {name: self.move(name) for name in frame["class"].unique()}
        return [
            _chosen(moves[name], decided[key], key) if key in decided else moves[name]
            for name, key in zip(frame["class"], frame["label_id"], strict=True)
        ]

    def _undecided(self, waiting: Any) -> OntologyError:
        counts = Counter(waiting["class"])
        asked = {name: self.move(name) for name in sorted(counts)}
        never = [name for name, move in asked.items() if isinstance(move, Question) and not move.choices]
        if never:
            return OntologyError(
                f"the migration {self.id} does not say what becomes of {never}",
                hint=f"name them in moves: a class, None, or Question. {nearest(never[0], [c.name for c in self.target])}",
            )
        ids = ", ".join(map(str, waiting["label_id"].head(3)))
        return OntologyError(
            f"{sum(counts.values())} labels of {dict(counts)} were split in {self.target.id}; a person decides: {ids}",
            hint=f"decided={{label_id: class}}; one of {', '.join(_choices(asked.values()))}",
        )

    def tally(self, frame: Any) -> Tally:
        """What `apply` would do, without doing it; labels to be asked are counted, not refused."""
        counts = Counter(frame["class"])
        moves = {name: self.move(name) for name in counts}
        return Tally(
            unchanged=sum(n for name, n in counts.items() if moves[name] == name),
            moved={
                f"{a} -> {b}": counts[a] for a, b in sorted(moves.items(), key=str) if isinstance(b, str) and a != b
            },
            dropped={name: counts[name] for name in sorted(counts) if moves[name] is None},
            open={
                name: tuple(frame.loc[frame["class"] == name, "label_id"])
                for name in sorted(counts)
                if isinstance(moves[name], Question)
            },
            foreign=dict(sorted(self._foreign(frame, moves).items())),
        )

    def _foreign(self, frame: Any, moves: Mapping[str, Move]) -> Counter[str]:
        found: Counter[str] = Counter()
        texts = frame["attributes"] if "attributes" in frame.columns else [None] * len(frame)
        for name, text in zip(frame["class"], texts, strict=True):
            new = moves[name]
            if isinstance(text, str) and isinstance(new, str):
                lost = set(self.source.attributes(name)) - set(self.target.attributes(new))
                found.update(f"{new}.{key}" for key in json.loads(text) if key in lost)
        return found

    def then(self, after: Migration) -> Migration:
        """One migration for this and the next: `a@1->a@2` then `a@2->a@3` is `a@1->a@3`.

        Raises
        ------
        OntologyError
            Where the next does not start from this one's target.
        """
        if self.target != after.source:
            raise OntologyError(f"{after.id} does not follow {self.id}", hint="the target of one is the next's source")
        moves = {c.name: _composed(self.move(c.name), after) for c in self.source}
        note = "; ".join(part for part in (self.note, after.note) if part)
        return Migration(self.source, after.target, moves, note)

    # ------------------------------------------------------------------ records
    def to_row(self) -> dict[str, Any]:
        """JSON values for the ledger: ids and digests of both ontologies, moves and note."""
        ends = {name: [one.id, one.digest] for name, one in (("source", self.source), ("target", self.target))}
        moves = {name: _move_row(move) for name, move in self.moves.items()}
        return {**ends, "moves": moves, "note": self.note}

    @classmethod
    def from_row(cls, row: Mapping[str, Any], find: Callable[[str], Ontology] = known) -> Migration:
        """Migration of what `to_row` gave; `find` gives an ontology by its id.

        Raises
        ------
        OntologyError
            Where an ontology found is not the one that was meant.
        """
        (source_id, source), (target_id, target) = row["source"], row["target"]
        ends = _found(source_id, source, find), _found(target_id, target, find)
        return cls(*ends, {name: _move_of(move) for name, move in row["moves"].items()}, row["note"])


def _chosen(move: Move, choice: str, label_id: str) -> Move:
    if not isinstance(move, Question):
        return move
    if choice not in move.choices:
        raise OntologyError(
            f"label {label_id!r} was decided to be {choice!r}", hint=f"one of {', '.join(move.choices)}"
        )
    return choice


def _choices(moves: Any) -> list[str]:
    return sorted({name for move in moves if isinstance(move, Question) for name in move.choices})


def _composed(move: Move, after: Migration) -> Move:
    if move is None:
        return None
    if isinstance(move, str):
        return after.move(move)
    ends = [after.move(choice) for choice in move.choices]
    names = [end for end in ends if isinstance(end, str)]
    if len(set(names)) == 1 and len(names) == len(ends):
        return names[0]  # split, and merged again
    if ends and all(end is None for end in ends):
        return None
    return Question(tuple(sorted({*names, *_choices(ends)})), move.why)


def _move_row(move: Move) -> Any:
    return {"choices": list(move.choices), "why": move.why} if isinstance(move, Question) else move


def _move_of(row: Any) -> Move:
    return Question(tuple(row["choices"]), row["why"]) if isinstance(row, Mapping) else row


def _found(ontology_id: str, digest: str, find: Callable[[str], Ontology]) -> Ontology:
    one = find(ontology_id)
    if one.digest != digest:
        raise OntologyError(
            f"{ontology_id} is not the one that was migrated ({one.digest[:12]}, not {digest[:12]})",
            hint="a class list that changes takes a new version",
        )
    return one
