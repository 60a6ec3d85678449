"""Decisions on edge cases: what was asked, decided and why, in the ledger, so that the next one asks no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from geolabel.errors import QualityError, nearest
from geolabel.grid import LonLat
from geolabel.ontology import Instructions, Ontology
from geolabel.tables import DECISIONS, check

if TYPE_CHECKING:
    from geolabel.store.ledger import Ledger

Case = Literal["shadow", "slc-off", "island", "clear-cut", "other"]
CASES: dict[Case, str] = {
    "shadow": "Shadow of clouds, ridges or trees",
    "slc-off": "Gaps of Landsat 7 since its scan line corrector failed",
    "island": "Unburned islands inside a scar",
    "clear-cut": "Clear-cuts and other bare ground beside or inside a scar",
    "other": "Other cases",
}
"""Case -> its heading."""


@dataclass(frozen=True, slots=True)
class Said:
    """A decision in words."""

    case: str
    question: str
    decision: str
    why: str
    classes: tuple[str, ...] = ()
    """That it is about; none: all."""
    examples: tuple[str | LonLat, ...] = ()
    """Ids of tasks, and places."""

    def checked(self, ontology: Ontology, tasks: Collection[str]) -> dict[str, Any]:
        """Plain JSON values, once the case, the classes and the examples are known.

        Raises
        ------
        QualityError
            For an unknown case, words that are missing, or an example that is no task and no place.
        OntologyError
            For a class that the ontology does not have.
        """
        _check_case(self.case)
        said = {name: getattr(self, name).strip() for name in ("question", "decision", "why")}
        empty = [name for name, text in said.items() if not text]
        if empty:
            raise QualityError(
                f"a decision without {' and '.join(empty)}", hint="question, decision and why: a sentence each"
            )
        for name in self.classes:
            ontology[name]
        where = [_example(one, tasks) for one in self.examples]
        return {"case": self.case, **said, "classes": sorted(self.classes), "examples": where, "ontology": ontology.id}


def log(ledger: Ledger, said: Mapping[str, Any], instructions: Instructions, actor: str) -> int:
    """Number of a decision, once it is in the ledger."""
    payload = {**said, "instructions": instructions.version, "by": actor}
    written = ledger.append("decision", actor=actor, payload=payload)
    return next(event.seq for event in ledger.each_event("decision") if event.digest == written)


def _check_case(case: str) -> None:
    if case not in CASES:
        raise QualityError(f"unknown case {case!r}", hint=nearest(case, CASES))


def _example(one: str | LonLat, tasks: Collection[str]) -> str:
    """A task's id, or `lon,lat` in degrees."""
    if isinstance(one, LonLat):
        return f"{one.lon:.6f},{one.lat:.6f}"
    if one in tasks:
        return one
    try:
        return _example(LonLat.parse(one), tasks)
    except ValueError:
        raise QualityError(
            f"the example {one!r} is no task and no place", hint="a task's id, or LON,LAT in degrees"
        ) from None


def decisions(ledger: Ledger, *, case: str | None = None, class_: str | None = None, text: str = "") -> Any:
    """`tables.DECISIONS` in the order they were made: of one case, one class (and those for all), holding a text.

    Raises
    ------
    QualityError
        For an unknown case.
    """
    if case is not None:
        _check_case(case)
    told = [(event.seq, event.at, event.payload) for event in ledger.events("decision")]
    rows = [
        {
            "number": number,
            "at": datetime.fromisoformat(at),
            **{name: said[name] for name in ("by", "case", "question", "decision", "why", "instructions")},
            "classes": ", ".join(said["classes"]),
            "examples": "; ".join(said["examples"]),
        }
        for number, at, said in told
        if case in (None, said["case"]) and (class_ is None or not said["classes"] or class_ in said["classes"])
    ]
    found = [row for row in rows if text.lower() in f"{row['question']} {row['decision']} {row['why']}".lower()]
    frame = pd.DataFrame(found, columns=list(DECISIONS))
    return check(frame.astype({"at": "datetime64[ns, UTC]", "number": "int64", "instructions": "int64"}), DECISIONS)


def appendix(frame: Any) -> str:
    """Markdown for the end of the instructions: `tables.DECISIONS` by case; "" where nothing was decided."""
    parts = []
    for case, title in CASES.items():
        own = frame[frame["case"] == case]
        if len(own):
            parts.append(f"### {title}\n\n" + "\n".join(_entry(row) for row in own.to_dict("records")))
    return "## Decisions on edge cases\n\n" + "\n".join(parts) if parts else ""


def _entry(row: dict[str, Any]) -> str:
    whose = f" ({row['classes']})" if row["classes"] else ""
    where = f" Examples: {row['examples']}." if row["examples"] else ""
    return f"- **{row['question']}**{whose} {row['decision']} Why: {row['why']}{where} (decision {row['number']}, {row['at']:%Y-%m-%d})\n"
