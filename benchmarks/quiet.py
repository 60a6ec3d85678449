"""Candidates measured beside each other: each in a process of its own, repeated until the machine is quiet.

Only ratios inside one run mean anything. `Run.cold` is the first repeat (empty caches of the library; the system's page
cache holds the file for all), `Run.warm` the best of the later ones, quiet ones before loaded ones. Goals are judged on
rounds in which limit and candidate take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.peers.child import QUIET

PEERS = Path(__file__).parent / "peers"
LEAST, MOST, LIMIT_S = 3, 6, 60.0
"""Repeats, and the time after which no further one is begun."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to do a piece of work: a program under `peers/`, and what it is asked."""

    title: str
    program: str
    task: Mapping[str, Any]
    ours: bool = False
    """Whether it runs in geolabel's environment (geolabel itself, and the limit) or in the peers'."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """What one repeat took."""

    wall_s: float
    cpu_s: float
    others: float
    """Share of the machine's CPU that others used meanwhile, 0-1."""

    @property
    def quiet(self) -> bool:
        return self.others <= QUIET


@dataclass(frozen=True, slots=True)
class Run:
    """All repeats of one candidate, or why there are none."""

    title: str
    repeats: tuple[Repeat, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    peak_rss_mb: float = float("nan")
    imports_mb: float = float("nan")
    """Resident before the work began: what the imports hold."""
    versions: Mapping[str, str] = field(default_factory=dict)
    not_run: str = ""

    @property
    def cold_s(self) -> float:
        """Seconds of the first repeat."""
        return self.repeats[0].wall_s

    @property
    def best(self) -> Repeat:
        """The fastest later repeat, a quiet one where there is one."""
        later = self.repeats[1:] or self.repeats
        return min([r for r in later if r.quiet] or later, key=lambda r: r.wall_s)

    @property
    def warm_s(self) -> float:
        return self.best.wall_s

    @property
    def loaded(self) -> bool:
        """Whether no repeat after the first was quiet, so that the times say little."""
        return not self.best.quiet

    def per_s(self, seconds: float) -> float:
        """Pieces a second."""
        return float(self.answer["count"]) / seconds


def measured(candidate: Candidate, peers: Path | None = None, *, timeout_s: float = 600) -> Run:
    """Run of a candidate in a process of its own; a failure is a run that says why."""
    python = Path(sys.executable) if candidate.ours else peers
    if python is None:
        return Run(candidate.title, not_run="no environment for peers: --peers PYTHON or GEOLABEL_PEERS")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        task = {"least": LEAST, "most": MOST, "limit_s": LIMIT_S, **candidate.task}
        call = [str(python), str(PEERS / f"{candidate.program}.py"), json.dumps(task), str(result)]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=folder)
        except (subprocess.TimeoutExpired, OSError) as error:
            return Run(candidate.title, not_run=f"{type(error).__name__} after {timeout_s:.0f} s")
        if done.returncode or not result.is_file():
            return Run(candidate.title, not_run=_reason(done))
        return run_of(candidate.title, json.loads(result.read_text()))


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"exit status {done.returncode}"


def run_of(title: str, result: Mapping[str, Any]) -> Run:
    """Run from what a program wrote."""
    repeats = tuple(Repeat(**one) for one in result["repeats"])
    memory = {name: result[name] for name in ("peak_rss_mb", "imports_mb")}
    return Run(title, repeats, result["answer"], versions=result["versions"], **memory)


def in_turns(candidates: Sequence[Candidate], peers: Path | None, *, rounds: int = 3) -> list[list[Run]]:
    """For each candidate its runs, one a round; in a round the candidates take turns."""
    each: list[list[Run]] = [[] for _ in candidates]
    for _ in range(rounds):
        for runs, candidate in zip(each, candidates, strict=True):
            runs.append(measured(candidate, peers))
    return each


def ratios(runs: Sequence[Run], limits: Sequence[Run]) -> tuple[list[float], bool]:
    """(time over the limit's in each round, whether they were quiet): the quiet rounds, or all where none was."""
    ran = [(run, limit) for run, limit in zip(runs, limits, strict=True) if not (run.not_run or limit.not_run)]
    quiet = [(run, limit) for run, limit in ran if not (run.loaded or limit.loaded)]
    return [run.warm_s / limit.warm_s for run, limit in quiet or ran], bool(quiet)


def joined(runs: Sequence[Run]) -> Run:
    """One run of all repeats; cold is the first round's, the peak the largest."""
    ran = [run for run in runs if not run.not_run]
    if not ran:
        return runs[0]
    first = ran[0].repeats[:1]
    later = tuple(repeat for run in ran for repeat in run.repeats[1:])
    return replace(ran[0], repeats=first + later, peak_rss_mb=max(run.peak_rss_mb for run in ran))


def peers_python(given: str | None = None) -> Path | None:
    """Interpreter of the peers' environment: as given, GEOLABEL_PEERS, or `.venv-peers` beside the code (`make peers`)."""
    own = PEERS.parents[1] / ".venv-peers" / "bin" / "python"
    named = given or os.environ.get("GEOLABEL_PEERS")
    if named:
        return Path(named).absolute()  # not resolved: a link of a virtual environment leads out of it
    return own if own.is_file() else None
