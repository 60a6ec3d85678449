"""Answer: one annotator's complete submission for one task. Empty is an answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from geolabel.digests import digest, digest_shapes
from geolabel.errors import InputError
from geolabel.nouns.times import iso
from geolabel.tables import IGNORE, SHAPES, check

Outcome = Literal["labeled", "empty", "unsure", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("labeled", "empty", "unsure", "skipped")
ANNOTATOR_KINDS = ("person", "rule", "model", "sim")


@dataclass(frozen=True, slots=True)
class Answer:
    """Shapes, areas to ignore, and how they came about. Append-only: a correction is a new answer that supersedes."""

    task_id: str
    annotator: str
    """`person:<id>`, `rule:burned@1`, `model:unet@<digest>`, `sim:<habit>-<n>`."""
    outcome: Outcome
    shapes: Any
    """GeoDataFrame, `tables.SHAPES`, in the view's CRS."""
    ignore: Any
    """GeoDataFrame, `tables.IGNORE`, in the view's CRS."""
    at: datetime
    """When it was submitted, UTC."""
    active_s: float = 0.0
    """Seconds the annotator was active; 0 for machines."""
    shown: tuple[str, ...] = ()
    """What was shown: bands, proposals. Who saw a proposal is not an independent vote."""
    supersedes: str | None = None
    """uuid of the answer that this one corrects."""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    ontology: str | None = None
    """Class list `name@version` it was given under; None: the task's."""
    how: str | None = None
    """What the annotator's name does not say of the way it came: `import:<file>@<digest>`, `migrate:<from>-><to>`."""

    def __post_init__(self) -> None:
        check(self.shapes, SHAPES)
        check(self.ignore, IGNORE)
        self._check_words()

    @classmethod
    def part(cls, **fields: Any) -> Self:
        """An answer whose tables are slices of ones that `tables.check` has seen whole; every field must be given.

        For who reads very many: a check of a table takes as long for a few rows as for thousands.
        """
        answer = object.__new__(cls)
        for name in cls.__dataclass_fields__:
            object.__setattr__(answer, name, fields[name])
        answer._check_words()
        return answer

    def _check_words(self) -> None:
        if self.annotator.partition(":")[0] not in ANNOTATOR_KINDS or ":" not in self.annotator:
            raise InputError(
                f"unknown kind of annotator {self.annotator!r}",
                hint="person:<id>, rule:<name>@<version>, model: or sim:",
            )
        if self.outcome not in OUTCOMES:
            raise InputError(f"unknown outcome {self.outcome!r}", hint=f"one of {', '.join(OUTCOMES)}")
        if (self.outcome == "labeled") != bool(len(self.shapes)):
            raise InputError(
                f"outcome {self.outcome!r} with {len(self.shapes)} shapes",
                hint="labeled has shapes; empty, unsure and skipped have none",
            )
        if self.at.tzinfo is None:
            raise InputError(f"the answer of {self.annotator!r} has a naive time", hint="datetime.now(UTC)")

    @property
    def digest(self) -> str:
        """Sha-256 over everything a reader could rely on."""
        head = [self.task_id, self.annotator, self.outcome, iso(self.at), float(self.active_s), list(self.shown)]
        more = {"ontology": self.ontology, "how": self.how}
        said = {name: value for name, value in more.items() if value is not None}
        return digest(
            head,
            self.supersedes,
            self.uuid,
            digest_shapes(self.shapes, [*SHAPES, *SHAPES.said(self.shapes)]),
            digest_shapes(self.ignore, list(IGNORE)),
            *([said] if said else []),  # nothing for answers of the first schema, whose digests stand
        )
