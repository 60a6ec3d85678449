"""A team of writers of one ledger, each killed (SIGKILL) at random moments and replaced; what they were told is logged.

`python writer.py LEDGER LOG --team 3 --kills 200 --seed 7`. LEDGER is a path or an address. With `--kills -1` nobody is
killed: the team writes, and goes on after errors of the ledger, until this process is killed itself.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from geolabel.errors import StoreError
from geolabel.store.ledger import Ledger
from labels import answer, tasks_of, utm_grid

GRID = utm_grid()
TASK = tasks_of(GRID)[0]
DRAWN = [answer(TASK, GRID, [[col < 8 * n for col in range(64)]] * 64) for n in (1, 2, 3)]
SLOW_S = 60
"""A team that is told nothing for so long is stuck: the run fails instead of hanging."""


def say(log, **what):
    """One line, in one write: whole, or not there."""
    os.write(log, (json.dumps(what) + "\n").encode())


def lines(log):
    return os.pread(log, os.fstat(log).st_size, 0).count(b"\n")


def write_one(ledger, log, who, n):
    """Append one event and log what the ledger acknowledged: its digest, and the digests of its content."""
    if n % 2:
        payload = {"name": "product", "who": who, "n": n}
        say(log, link=ledger.append("product", actor=f"person:{who}", payload=payload), payload=payload)
    else:
        given = [replace(one, annotator=f"person:{who}", uuid=str(uuid4())) for one in DRAWN[: n % 3 + 1]]
        link = ledger.append_answers(given, actor=f"person:{who}")
        say(log, link=link, answers={one.uuid: one.digest for one in given})


def write(where, log, who, *, stubborn):
    ledger, parent = None, os.getppid()
    for n in range(10**9):
        if os.getppid() != parent:
            return  # who began this team was killed: nobody else would end it
        try:
            ledger = ledger or Ledger.open(where)
            write_one(ledger, log, who, n)
        except StoreError as error:
            if not stubborn:
                raise
            say(log, error=str(error))
            ledger = None
            time.sleep(0.01)


def begin(where, log, who, *, stubborn=False):
    """Number of a new process that writes; it never returns here."""
    child = os.fork()
    if child:
        return child
    try:
        write(where, log, who, stubborn=stubborn)
    finally:
        os._exit(1)


def wait_for(log, enough):
    last = time.monotonic() + SLOW_S
    while lines(log) < enough:
        if time.monotonic() > last:
            sys.exit(f"the writers were told nothing for {SLOW_S} s")
        time.sleep(0.001)


def kill_one(team, where, log, name, generator):
    """Kill one of the team after none or one more event, somewhere within the next write, and replace it."""
    wait_for(log, lines(log) + generator.randint(0, 1))
    time.sleep(0.05 * generator.random())
    at = generator.randrange(len(team))
    os.kill(team[at], signal.SIGKILL)
    _, status = os.waitpid(team[at], 0)
    if not os.WIFSIGNALED(status):
        sys.exit(f"a writer ended by itself with status {status}")
    say(log, killed=name)
    team[at] = begin(where, log, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger")
    parser.add_argument("log", type=Path)
    parser.add_argument("--team", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    log = os.open(args.log, os.O_CREAT | os.O_RDWR | os.O_APPEND)
    generator = random.Random(args.seed)
    with closing(Ledger.open(args.ledger)) as ledger:  # what is imported late is imported once, not by each writer
        for n in range(2):
            write_one(ledger, log, "parent", n)
    endless = args.kills < 0
    team = [begin(args.ledger, log, f"first-{n}", stubborn=endless) for n in range(args.team)]
    try:
        for n in range(args.kills):
            kill_one(team, args.ledger, log, f"next-{n}", generator)
        parent = os.getppid()
        while endless and os.getppid() == parent:
            time.sleep(0.2)
    finally:
        for child in team:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
