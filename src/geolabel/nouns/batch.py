"""Batch: tasks that are labeled, inspected, delivered and paid together, and under which terms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from geolabel.digests import digest
from geolabel.errors import InputError
from geolabel.nouns.times import exact, utc
from geolabel.ontology import KINDS, Kind

State = Literal["planned", "open", "delivered", "reopened"]
STATES: tuple[State, ...] = get_args(State)
NAME = re.compile(r"[0-9a-z][0-9a-z_-]*")
"""Names of batches: they are names of folders on any machine."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The quality that a delivery is held to, and the risks of judging it by a sample. All are shares, 0-1.

    A tile is defective where its labels are not those of the inspector: see `quality.flow.defects`.
    """

    aql: float = 0.04
    """Acceptance quality limit: a lot no worse than this passes with probability 1 - `producer_risk` or more."""
    rejectable: float | None = 0.15
    """Lot tolerance (LTPD): a lot as bad as this or worse passes with probability `consumer_risk` or less; None: the
    plan is that of ISO 2859-1, general level II, normal inspection, which is indexed by the AQL alone."""
    producer_risk: float = 0.05
    consumer_risk: float = 0.10
    least_iou: float = 0.7
    """IoU with the inspector's truth, of any class, below which a tile is defective."""
    least_px: int = 10
    """Classes that cover fewer pixels of a tile, with the labels and with the truth, are not judged."""

    def __post_init__(self) -> None:
        for name in ("aql", "producer_risk", "consumer_risk", "least_iou"):
            _check_share(name, getattr(self, name))
        if self.rejectable is not None and not self.aql < self.rejectable < 1:
            raise InputError(
                f"rejectable={self.rejectable} with aql={self.aql}", hint="aql < rejectable < 1, e.g. 0.04 and 0.15"
            )
        if self.producer_risk + self.consumer_risk >= 1:
            raise InputError(
                f"risks of {self.producer_risk} and {self.consumer_risk}",
                hint="together below 1; 0.05 and 0.10 are usual",
            )
        if self.least_px < 1:
            raise InputError(f"least_px={self.least_px}", hint="1 pixel or more")

    def to_row(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour of a person's active time costs."""

    per_hour: float
    currency: str = "EUR"
    """ISO 4217."""

    def __post_init__(self) -> None:
        if not 0 <= self.per_hour < float("inf"):
            raise InputError(f"a rate of {self.per_hour} an hour", hint="0 or more")
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise InputError(f"currency {self.currency!r}", hint="three capital letters of ISO 4217, e.g. EUR")

    def to_row(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"per_hour": self.per_hour, "currency": self.currency}


@dataclass(frozen=True, slots=True)
class Batch:
    """Tasks of one kind with priority, due date, overlap and the plan by which their labels are accepted."""

    name: str
    kind: Kind
    task_ids: tuple[str, ...]
    """In order, each once."""
    priority: int = 0
    """Higher goes first."""
    due: datetime | None = None
    """UTC."""
    overlap: int = 1
    """Independent answers that every task is to have."""
    acceptance: Acceptance = field(default_factory=Acceptance)
    rate: Rate | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InputError(f"batch {self.name!r}", hint="lower case letters, digits, - and _, e.g. north-2026-01")
        if self.kind not in KINDS:
            raise InputError(f"batch {self.name!r} is of kind {self.kind!r}", hint=f"one of {', '.join(KINDS)}")
        if not self.task_ids or len(set(self.task_ids)) != len(self.task_ids):
            raise InputError(
                f"batch {self.name!r} has {len(self.task_ids)} tasks, {len(set(self.task_ids))} of them different",
                hint="one task or more, each once",
            )
        if self.overlap < 1:
            raise InputError(f"batch {self.name!r} has an overlap of {self.overlap}", hint="1 answer a task, or more")
        if self.due is not None and self.due.tzinfo is None:
            raise InputError(f"batch {self.name!r} is due at a naive time", hint="datetime(..., tzinfo=UTC)")
        object.__setattr__(self, "task_ids", tuple(sorted(self.task_ids)))

    @property
    def order(self) -> tuple[float, float, str]:
        """What batches are worked on by: the higher priority, then the earlier due date, then the name."""
        return -self.priority, self.due.timestamp() if self.due else float("inf"), self.name

    @property
    def digest(self) -> str:
        """Sha-256 over all of it."""
        return digest(self.to_row())

    def to_row(self) -> dict[str, Any]:
        """Plain JSON values; `from_row` gives an equal batch."""
        return {
            "name": self.name,
            "kind": self.kind,
            "tasks": list(self.task_ids),
            "priority": self.priority,
            "due": exact(self.due) if self.due else None,
            "overlap": self.overlap,
            "acceptance": self.acceptance.to_row(),
            "rate": self.rate.to_row() if self.rate else None,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Batch:
        """The batch of `to_row`."""
        said = {name: row[name] for name in ("name", "kind", "priority", "overlap")}
        return cls(
            **said,
            task_ids=tuple(row["tasks"]),
            due=utc(row["due"], what="due") if row["due"] else None,
            acceptance=Acceptance(**row["acceptance"]),
            rate=Rate(**row["rate"]) if row["rate"] else None,
        )


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name} of {value}", hint="a share between 0 and 1: 4 % is 0.04")
