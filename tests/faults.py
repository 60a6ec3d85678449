"""What a ledger keeps when its writers or its server are killed: the harness, and the tally it gives."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from geolabel.store.ledger import Ledger

WRITER = Path(__file__).resolve().parent / "store" / "writer.py"
LIMIT_S = 400


@dataclass(frozen=True)
class Tally:
    """What writers were told, and what is there."""

    kills: int
    acknowledged: int
    """Events whose digest a writer was given."""
    present: int
    """Events in the ledger."""
    lost: int
    """Acknowledged events that are not there, or not with the content that was acknowledged."""
    answers: int
    """Acknowledged answers whose geometry and attributes were compared."""
    untold: int
    """Events that are there though no writer lived to be told."""
    gaps: int
    """Numbers missing in the sequence of events."""
    faults: tuple[str, ...]
    """What `Ledger.check` found."""
    errors: int = 0
    """Times a living writer was told that nothing was written, or that it cannot be known."""

    @property
    def sound(self) -> bool:
        """Nothing acknowledged was lost, nothing is broken, and at most one event a kill was not told."""
        return not (self.lost or self.gaps or self.faults)

    def __add__(self, other: "Tally") -> "Tally":
        mine, its = vars(self), vars(other)
        return Tally(**{name: value + its[name] for name, value in mine.items()})


def judged(where: Path | str, log: Path, *, kills: int) -> Tally:
    """Tally of a ledger against the log of its writers."""
    with closing(Ledger.open(where)) as ledger:
        events = {event.digest: event for event in ledger.events()}
        answers = {one.uuid: one.digest for one in ledger.answers(current=False)}
        faults = tuple(ledger.check())
    told = [json.loads(line) for line in log.read_text().splitlines()]
    acknowledged = {line["link"]: line for line in told if "link" in line}
    good = [link for link, line in acknowledged.items() if link in events and _right(line, events[link], answers)]
    return Tally(
        kills=kills,
        acknowledged=len(acknowledged),
        present=len(events),
        lost=len(acknowledged) - len(good),
        answers=sum(len(line.get("answers", ())) for line in acknowledged.values()),
        untold=len(events.keys() - acknowledged.keys()),
        gaps=len(set(range(1, len(events) + 1)) - {event.seq for event in events.values()}),
        faults=faults,
        errors=sum("error" in line for line in told),
    )


def _right(line, event, answers) -> bool:
    """Whether the event and its answers are those whose digests the writer logged."""
    if "payload" in line:
        return event.payload == line["payload"]
    return event.payload["n"] == len(line["answers"]) and all(answers.get(u) == d for u, d in line["answers"].items())


def killed_writers(where: Path | str, log: Path, *, kills: int, team: int = 1, seed: int = 7) -> Tally:
    """Tally after `kills` of a team's writers, at random moments; the ledger is made where there is none."""
    Ledger.open(where, create=True).close()
    order = ["--kills", str(kills), "--team", str(team), "--seed", str(seed)]
    subprocess.run([sys.executable, WRITER, str(where), log, *order], check=True, timeout=LIMIT_S, env=_home())
    return judged(where, log, kills=kills)


def killed_servers(server, url: str, log: Path, *, kills: int, team: int = 2, seed: int = 7) -> Tally:
    """Tally after `kills` of the PostgreSQL itself under a team of writers: by SIGKILL and by an immediate stop in turn."""
    Ledger.open(url, create=True).close()
    generator = random.Random(seed)
    with _team(url, log, team):
        for n in range(kills):
            _grown(log, by=generator.randint(3, 6))
            time.sleep(0.02 * generator.random())
            (server.crash, server.abort)[n % 2]()
            server.start()
        _grown(log, by=2)
    return judged(url, log, kills=kills)


@contextmanager
def _team(where: str, log: Path, team: int):
    """Writers that go on after errors, in a process group that is killed at the end."""
    order = [sys.executable, WRITER, where, log, "--kills", "-1", "--team", str(team)]
    process = subprocess.Popen(order, env=_home(), start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _grown(log: Path, *, by: int) -> None:
    """Wait until so many more events were acknowledged."""
    enough, last = _acknowledged(log) + by, time.monotonic() + 60
    while _acknowledged(log) < enough:
        if time.monotonic() > last:
            raise TimeoutError(f"no writer was told anything for 60 s; the log ends {log.read_text()[-500:]}")
        time.sleep(0.005)


def _acknowledged(log: Path) -> int:
    return log.read_text().count('{"link"') if log.is_file() else 0


def _home() -> dict[str, str]:
    paths = [str(WRITER.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
