"""A crowd that works on one ledger at once: processes that ask for tasks, answer, dawdle, and are killed; and the tally.

`python crowd.py LEDGER --tasks 200 --workers 8 --kills 10 --seed 7`. LEDGER is a path or an address of a ledger that is
there. Every worker is a process with a ledger of its own; who is killed is replaced by somebody new.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from geolabel.errors import StoreError
from geolabel.nouns.answer import Answer
from geolabel.steps import review
from geolabel.steps.assign import assign
from geolabel.steps.board import Board, ReviewOptions, Terms
from geolabel.store.ledger import Ledger
from geolabel.tables import IGNORE, SHAPES, empty
from labels import tasks_of, utm_grid

LIMIT_S = 300
LEASE_S = 5.0
DAWDLES = 0.02
"""Share of assignments that a worker keeps beyond the lease."""
SIZE = 16


def tasks(count):
    """So many tasks on one grid."""
    return tasks_of(utm_grid(SIZE, SIZE * count), SIZE)


def terms(overlap=2):
    """Short leases, so that they run out within a test."""
    return Terms(ReviewOptions(overlap=overlap, minutes=LEASE_S / 60, gold_rate=0))


# ---------------------------------------------------------------------- workers
def work(where, who, asked, told, generator):
    """Ask for tasks and answer them until nobody holds one and nothing is left."""
    nothing = empty(SHAPES, "EPSG:32610"), empty(IGNORE, "EPSG:32610")
    ledger, parent = Ledger.open(where), os.getppid()
    while os.getppid() == parent:
        given = assign(ledger, asked, who, told, now=datetime.now(UTC))
        if given is None:
            if not ledger.leases.open(datetime.now(UTC)):
                return
            time.sleep(0.3)
            continue
        if generator.random() < DAWDLES:
            time.sleep(1.2 * LEASE_S)
        one = Answer(given.task.id, who, "empty", *nothing, datetime.now(UTC), 1.0)
        try:
            review.submit(ledger, [one], told)
        except StoreError as error:
            if "holds no open lease" not in error.message:
                raise


def begin(where, who, asked, told, seed):
    """Number of a new process that works; it never returns here."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work(where, who, asked, told, random.Random(seed))
        status = 0
    finally:
        os._exit(status)


def kill_one(team, where, asked, told, n, generator):
    time.sleep(0.3 * generator.random())
    at = generator.randrange(len(team))
    os.kill(team[at], signal.SIGKILL)
    os.waitpid(team[at], 0)
    team[at] = begin(where, f"person:new-{n}", asked, told, 1000 + n)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger")
    for name, value in {"tasks": 200, "workers": 8, "kills": 10, "overlap": 2, "seed": 7}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    asked, told, generator = tasks(args.tasks), terms(args.overlap), random.Random(args.seed)
    begun = time.perf_counter()
    team = [begin(args.ledger, f"person:{n}", asked, told, args.seed + n) for n in range(args.workers)]
    try:
        for n in range(args.kills):
            kill_one(team, args.ledger, asked, told, n, generator)
        ended = [os.waitpid(child, 0)[1] for child in team]
    except BaseException:
        for child in team:
            os.kill(child, signal.SIGKILL)
        raise
    sys.stdout.write(f"{time.perf_counter() - begun}\n")
    return sum(map(bool, ended))


# ---------------------------------------------------------------------- tally
@dataclass(frozen=True)
class Tally:
    """What a crowd left behind."""

    tasks: int
    workers: int
    kills: int
    seconds: float
    leases: int
    expired: int
    answers: int
    twice: int
    """Times that somebody was given, or answered, a task again."""
    over: int
    """Times that a task was held or answered by more people than it needs, at the moment it was given."""
    unfinished: int
    """Tasks without their answers, or not told to be `answered` exactly once."""
    faults: tuple[str, ...]
    """What `Ledger.check` found."""

    @property
    def violations(self) -> int:
        return self.twice + self.over + self.unfinished + len(self.faults)

    @property
    def rate(self) -> float:
        """Assignments that were answered, a second."""
        return self.answers / self.seconds


def crowd(where: Path | str, *, tasks: int, workers: int, kills: int = 0, overlap: int = 2, seed: int = 7) -> Tally:
    """Tally of a crowd that works on a new ledger until everything is done."""
    Ledger.open(where, create=True).close()
    told = {"tasks": tasks, "workers": workers, "kills": kills, "overlap": overlap, "seed": seed}
    order = [
        sys.executable,
        __file__,
        str(where),
        *(word for name, n in told.items() for word in (f"--{name}", str(n))),
    ]
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(order, check=True, timeout=LIMIT_S, env=env, stdout=subprocess.PIPE, text=True)
    with closing(Ledger.open(where)) as ledger:
        return judged(ledger, tasks, workers, kills, overlap, float(done.stdout))


def judged(ledger, count, workers, kills, overlap, seconds) -> Tally:
    """Tally of a ledger on which a crowd worked, from all that it left."""
    leases, heads = ledger.leases.find(), ledger.heads()
    pairs = [[(one.task_id, one.annotator) for one in rows] for rows in (leases, heads)]
    board = Board.of(ledger)
    steps = Counter(event.stream for event in ledger.events("review"))
    ids = [task.id for task in tasks(count)]
    return Tally(
        count,
        workers,
        kills,
        seconds,
        len(leases),
        sum(one.how == "expired" for one in leases),
        len(heads),
        sum(len(rows) - len(set(rows)) for rows in pairs),
        sum(_holding(leases, one) > overlap for one in leases) + sum(len(board.answered(key)) > overlap for key in ids),
        sum(len(board.answered(key)) != overlap or steps[key] != 1 for key in ids),
        tuple(ledger.check()),
    )


def _holding(leases, given) -> int:
    """How many held a task or had answered it at the moment when it was given to somebody, that one among them."""
    own = [one for one in leases if one.task_id == given.task_id and one.taken_at <= given.taken_at]
    return sum(one.how == "answered" or one.ended_at is None or one.ended_at > given.taken_at for one in own)


if __name__ == "__main__":
    sys.exit(main())
