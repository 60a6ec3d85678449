"""Every figure that a document quotes is a row here: `make evidence` prints them.

A room's rows live in `benchmarks/evidence/<room>.py`, or in a folder of that name: functions marked with `@row`, each
giving one or more `Row`.
Long rows run under LONG=1, keep value, commit and date in `results.json`, and print as stale when their sources change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, its baseline and its goal."""

    name: str
    value: float | None
    """None where it could not be measured; `baseline` says why."""
    unit: str = ""
    baseline: str = ""
    """What stands beside it, in words with its value."""
    goal: str = ""
    """In words; empty for a figure that is only reported."""
    holds: bool | None = None
    """None where there is no goal."""


@dataclass(frozen=True, slots=True)
class Source:
    """A function that measures, and what it depends on."""

    room: str
    measure: Callable[[], Iterable[Row]]
    sources: tuple[str, ...] = ()
    """Paths (from the repository's root) that make a kept value stale when they change."""
    long: bool = False
    needs: str = ""
    """Folder of ../shared/data (or GEOLABEL_DATA) without which it cannot run."""
    notes: str = field(default="")

    @property
    def name(self) -> str:
        return f"{self.room}.{self.measure.__name__}"

    def digest(self) -> str:
        total = hashlib.sha256()
        for path in sorted(p for name in self.sources for p in files(ROOT / name)):
            total.update(path.relative_to(ROOT).as_posix().encode())
            total.update(path.read_bytes())
        return total.hexdigest()[:16]


def files(path: Path) -> list[Path]:
    """The Python files of a folder, or the file itself."""
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


SOURCES: list[Source] = []


def row(
    *sources: str, long: bool = False, needs: str = ""
) -> Callable[[Callable[[], Iterable[Row]]], Callable[[], Iterable[Row]]]:
    """Register a measuring function; its room is the name of its module, or of the folder that this lies in."""

    def register(measure: Callable[[], Iterable[Row]]) -> Callable[[], Iterable[Row]]:
        SOURCES.append(Source(measure.__module__.split(".")[2], measure, sources, long, needs))
        return measure

    return register
