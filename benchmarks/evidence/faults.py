"""Rows of the ledger's faults: writers and servers killed at random, by the harness that the tests use (tests/faults.py)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence import ROOT, Row, row

sys.path.append(str(ROOT / "tests"))  # faults.py, postgres.py, labels.py: the same harness and server as in the tests

from faults import Tally, killed_servers, killed_writers
from postgres import NoServerError, running

KILLS, OF_TEAM = (140, 60), (1, 3)
"""SQLite: writers killed alone, and in a team of three; 200 in all."""
STORE = ("src/geolabel/store", "tests/faults.py", "tests/store/writer.py")


@row(*STORE)
def sqlite() -> Iterator[Row]:
    """A SQLite ledger whose writers are killed (SIGKILL) at random moments."""
    with tempfile.TemporaryDirectory() as name:
        folder, tallies = Path(name), []
        for kills, team in zip(KILLS, OF_TEAM, strict=True):
            where, log = folder / f"{team}.sqlite", folder / f"{team}.log"
            tallies.append(killed_writers(where, log, kills=kills, team=team))
    yield from told("SQLite, writers killed", tallies[0] + tallies[1])


@row(*STORE, "tests/postgres.py")
def postgresql() -> Iterator[Row]:
    """A PostgreSQL ledger whose writers are killed, and then the server under its writers."""
    try:
        with running() as server, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            writers = killed_writers(server.fresh(), folder / "writers", kills=60, team=2)
            servers = killed_servers(server, server.fresh(), folder / "servers", kills=10)
    except NoServerError as error:
        yield Row("PostgreSQL: events lost", None, "", str(error))
        return
    yield from told("PostgreSQL, writers killed", writers)
    yield from told("PostgreSQL, server killed or stopped at once", servers)


def told(what: str, tally: Tally) -> Iterator[Row]:
    """The tally as a row: events lost, beside all that was counted."""
    beside = (
        f"{tally.kills} kills, {tally.acknowledged} events acknowledged ({tally.answers} answers compared), "
        f"{tally.untold} written and not told, {tally.gaps} gaps, {len(tally.faults)} faults found by check"
    )
    more = f", writers told {tally.errors} times that an append failed" if tally.errors else ""
    yield Row(f"{what}: acknowledged events lost", tally.lost, "events", beside + more, "0 lost, sound", tally.sound)
