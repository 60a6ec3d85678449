"""Rows of the ledger at size: appended, found, verified; in a SQLite file and in PostgreSQL (`benchmarks/ledger.py`)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.evidence import ROOT, Row, row
from benchmarks.ledger import BOXES, Measured, measured

sys.path.append(str(ROOT / "tests"))  # postgres.py: the same server as in the tests

from postgres import NoServerError, running

MADE_FROM = ("src/geolabel/store", "src/geolabel/digests.py", "src/geolabel/nouns/answer.py", "benchmarks/ledger.py")
RATE, QUERY_MS = 20_000, 50.0
"""Goals of the issue."""
SMALL, LARGE = 100_000, 1_000_000


@row(*MADE_FROM)
def sqlite() -> Iterator[Row]:
    """A file of 100,000 shapes."""
    with tempfile.TemporaryDirectory() as name:
        yield from told("SQLite", measured(Path(name) / "ledger.sqlite", Path(name), SMALL))


@row(*MADE_FROM, "tests/postgres.py")
def postgresql() -> Iterator[Row]:
    """A database of 100,000 shapes."""
    yield from _on_a_server(SMALL)


@row(*MADE_FROM, long=True)
def million() -> Iterator[Row]:
    """A file of 1,000,000 shapes."""
    with tempfile.TemporaryDirectory() as name:
        yield from told("SQLite", measured(Path(name) / "ledger.sqlite", Path(name), LARGE))


@row(*MADE_FROM, "tests/postgres.py", long=True)
def million_postgresql() -> Iterator[Row]:
    """A database of 1,000,000 shapes."""
    yield from _on_a_server(LARGE)


def _on_a_server(count: int) -> Iterator[Row]:
    try:
        with running() as server, tempfile.TemporaryDirectory() as name:
            seen = measured(server.fresh(), Path(name), count)
    except NoServerError as error:
        yield Row(f"ledger in PostgreSQL, {count:,} shapes", None, "", str(error))
        return
    yield from told("PostgreSQL", seen)


def told(where: str, seen: Measured) -> Iterator[Row]:
    """One row a figure; the goals are those of a file."""
    of, file = f"ledger in {where}, {seen.shapes:,} shapes", where == "SQLite"
    bare = f"bare table without digests or indexes {seen.shapes / seen.bare_s:,.0f}; RSS {seen.rss_mb:.0f} MB"
    goal = f">= {RATE:,}" if file else ""
    yield Row(f"{of}: appended as one event", seen.rate, "shapes/s", bare, goal, seen.rate >= RATE if file else None)
    median, tail = float(np.median(seen.query_ms)), float(np.quantile(seen.query_ms, 0.95))
    many = f"{BOXES} random boxes, 2 of 8 classes, 2 years; {np.median(seen.found):.0f} to {seen.found.max()} shapes"
    goal = f"< {QUERY_MS:.0f}" if file else ""
    yield Row(f"{of}: box + class + time, median", median, "ms", many, goal, median < QUERY_MS if file else None)
    yield Row(f"{of}: box + class + time, 95 %", tail, "ms", many, goal, tail < QUERY_MS if file else None)
    yield Row(f"{of}: whole check", seen.check_s, "s", f"sound: {seen.sound}")
    yield Row(f"{of}: size", seen.file_mb, "MB", f"{1e6 * seen.file_mb / seen.shapes:.0f} bytes a shape of 8 corners")
