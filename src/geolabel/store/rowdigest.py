"""RowDigest: one digest over any number of rows, column by column, whatever pieces they come in.

Schema 1 digested every row as canonical JSON (`rows.rows_digest`); an event says with `rows_v` which way it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from geolabel.digests import digest
from geolabel.store.backend import Values

ROWS_V = 2
END, MISSING = b"\xff", b"\xfe"
"""Bytes that no UTF-8 text holds: the end of a value, and a value that is missing."""
NO_NUMBER = -(2**63)


def _text(values: Sequence[Any]) -> bytes:
    return END.join([MISSING if value is None else value.encode() for value in values]) + END


def _number(values: Sequence[Any]) -> bytes:
    return np.array([NO_NUMBER if value is None else value for value in values], "<i8").tobytes()


def _float(values: Sequence[Any]) -> bytes:
    numbers = np.array(values, "<f8") + 0.0  # -0.0 is 0.0, since a database may give either
    numbers[np.isnan(numbers)] = np.nan
    return numbers.tobytes()


def _wkb(values: Sequence[Any]) -> bytes:
    return b"".join(bytes(value) for value in values)


def _lengths(values: Sequence[Any]) -> bytes:
    return np.array([len(value) for value in values], "<i8").tobytes()


Bytes = Callable[[Sequence[Any]], bytes]
TEXTS = ("uuid", "task_id", "annotator", "outcome", "at", "shown", "supersedes", "digest", "ontology", "how")
ANSWERS: dict[str, Bytes] = {
    **dict.fromkeys((*TEXTS, "shapes_crs", "ignore_crs"), _text),
    "active_s": _float,
    **dict.fromkeys(("start", "end"), _number),
}
"""What is digested of answers, the CRS by their texts."""
SHAPES: dict[str, Bytes] = {
    **dict.fromkeys(("owner", "position", "start", "end", "since", "until"), _number),
    **dict.fromkeys(("reason", "label_id", "class", "severity", "severity_scheme", "attributes"), _text),
    **dict.fromkeys(("confidence", "masked_share", "west", "south", "east", "north"), _float),
    "geometry": _wkb,
}
"""What is digested of shapes; `owner` is the answer's number within its event, from 0."""


class RowDigest:
    """A running sha-256 a column; the same rows give the same digest in whatever pieces they are added."""

    def __init__(self) -> None:
        names = [f"answers.{name}" for name in ANSWERS] + [f"shapes.{name}" for name in SHAPES]
        self.running = {name: hashlib.sha256() for name in (*names, "shapes.lengths")}

    def add_answers(self, values: Values) -> None:
        """Go on with these answers; their CRS as texts."""
        self._add("answers", ANSWERS, values)

    def add_shapes(self, values: Values) -> None:
        """Go on with these shapes."""
        self._add("shapes", SHAPES, values)
        self.running["shapes.lengths"].update(_lengths(values["geometry"]))

    def _add(self, table: str, kinds: Mapping[str, Bytes], values: Values) -> None:
        if values["digest" if table == "answers" else "geometry"]:
            for name, encoded in kinds.items():
                self.running[f"{table}.{name}"].update(encoded(values[name]))

    @property
    def hex(self) -> str:
        """Sha-256 over the columns' names and digests, 64 hexadecimal digits."""
        return digest([[name, running.hexdigest()] for name, running in self.running.items()])
