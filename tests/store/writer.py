"""Run by test_killed_writer: forks writers, kills each at a random moment, and keeps what they acknowledged."""

import os
import random
import signal
import sys
import time
from pathlib import Path

from geolabel.store.ledger import Ledger
from labels import answer, tasks_of, utm_grid

path, rounds = Path(sys.argv[1]), int(sys.argv[2])
grid = utm_grid()
task = tasks_of(grid)[0]
mask = [[True] * 8 + [False] * 56] * 64


def write(acknowledged):
    ledger = Ledger.open(path)
    for n in range(10**6):
        if n % 2:
            link = ledger.append("product", actor="writer", payload={"name": "p", "n": n})
        else:
            link = ledger.append_answers([answer(task, grid, mask) for _ in range(n % 3 + 1)], actor="writer")
        os.write(acknowledged, (link + "\n").encode())


def told():
    return os.fstat(log).st_size // 65  # a digest and a newline


Ledger.open(path, create=True)
log = os.open(path.with_suffix(".log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
generator = random.Random(7)
for _ in range(rounds):
    enough = told() + generator.randint(1, 4)
    child = os.fork()
    if not child:
        write(log)
    while told() < enough:
        time.sleep(0.001)
    time.sleep(0.02 * generator.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
