"""Rows of giving tasks out: many workers at once on both stores, what a request costs at size, what a review queue finds."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.evidence import ROOT, Row, row
from benchmarks.routing import WRONG_IOU, asked, queued

sys.path.append(str(ROOT / "tests"))  # crowd.py, postgres.py: the same crowd and server as in the tests

from crowd import Tally, crowd
from postgres import NoServerError, running

STORE = ("src/geolabel/store", "src/geolabel/steps/assign.py", "src/geolabel/steps/board.py", "tests/crowd.py")
PURE = ("src/geolabel/quality/flow/review.py", "src/geolabel/quality/flow/routing.py", "src/geolabel/steps/review.py")
MADE_FROM = (*STORE, *PURE, "benchmarks/routing.py")
TASKS, WORKERS, KILLS = 200, 8, 12
SEEDS = 5
SIDE = 100


@row(*MADE_FROM, long=True)
def sqlite() -> Iterator[Row]:
    """Eight processes on one file, some killed, some too slow."""
    with tempfile.TemporaryDirectory() as name:
        seen = crowd(Path(name) / "many.sqlite", tasks=TASKS, workers=WORKERS, kills=KILLS)
        alone = crowd(Path(name) / "one.sqlite", tasks=TASKS // 4, workers=1, overlap=1)
    yield from told("SQLite", seen, alone)


@row(*MADE_FROM, "tests/postgres.py", long=True)
def postgresql() -> Iterator[Row]:
    """Eight processes on one database, some killed, some too slow."""
    try:
        with running() as server:
            seen = crowd(server.fresh(), tasks=TASKS, workers=WORKERS, kills=KILLS)
            alone = crowd(server.fresh(), tasks=TASKS // 4, workers=1, overlap=1)
    except NoServerError as error:
        yield Row("many workers on PostgreSQL: violations", None, "", str(error))
        return
    yield from told("PostgreSQL", seen, alone)


def told(where: str, seen: Tally, alone: Tally) -> Iterator[Row]:
    """Violations, and how many assignments were answered a second, with who dawdled and was killed among them."""
    beside = (
        f"{seen.workers} processes, {seen.kills} killed, {seen.tasks} tasks x 2 answers: {seen.leases} leases, "
        f"{seen.expired} ran out; {seen.twice} twice, {seen.over} over, {seen.unfinished} unfinished, {len(seen.faults)} faults"
    )
    yield Row(f"many workers on {where}: violations", seen.violations, "", beside, "0", not seen.violations)
    beside = f"leases that run out waited for; one worker without anybody else {alone.rate:.1f}"
    yield Row(f"many workers on {where}: given out and answered", seen.rate, "answers/s", beside)


@row(*MADE_FROM)
def size() -> Iterator[Row]:
    """One request on a ledger of 10,000 tasks."""
    with tempfile.TemporaryDirectory() as name:
        seen = asked(Path(name) / "ledger.sqlite", SIDE)
    beside = f"median of {len(seen.next_ms)} people on {seen.tasks:,} tasks, half of them answered twice; worst"
    yield Row("the next task at size", float(np.median(seen.next_ms)), "ms", f"{beside} {seen.next_ms.max():.0f}")
    yield Row("an answer at size", float(np.median(seen.submit_ms)), "ms", f"{beside} {seen.submit_ms.max():.0f}")


@row(*MADE_FROM, "src/geolabel/quality/consensus/agree.py", "src/geolabel/quality/simulate.py")
def reviews() -> Iterator[Row]:
    """What the first fifth of a review queue by disagreement finds."""
    seen = [queued(seed) for seed in range(SEEDS)]
    found, share = np.array([one.found(0.2) for one in seen]), np.mean([one.wrong / one.tiles for one in seen])
    beside = (
        f"in random order 0.20; {SEEDS} seeds, {found.min():.2f} to {found.max():.2f}; two of six habits a tile, "
        f"{100 * share:.0f} % of the tiles wrong (IoU < {WRONG_IOU})"
    )
    name = "wrong tiles found by reviewing the most disputed fifth"
    yield Row(name, float(found.mean()), "share", beside, "> 0.4, twice chance", bool(found.mean() > 0.4))
    needed = float(np.mean([one.needed(0.8) for one in seen]))
    yield Row("tiles reviewed until 80 % of the wrong ones are found", needed, "share", "in random order 0.80")
