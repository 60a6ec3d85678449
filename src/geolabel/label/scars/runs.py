"""A strip of quanta to runs: what of each row is scar, at which level, and which runs are one patch. Compiled.

A run is a stretch of equal code in one row. Patches (4-connected runs of one level) and what touches what are found by
union-find over the runs of neighbouring rows, so the cost goes with the outline, not with the ground.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.label.scars.quanta import COMPILE, Quanta

UNSEEN = 255
"""Code of a pixel that no clear pixel saw; 0 is no scar, 1-4 are levels."""
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.uint8]


class Runs(NamedTuple):
    """Runs of a strip, row by row, west to east; rows count from the strip's first."""

    start: I64
    """(rows + 1,) number of each row's first run."""
    first: I32
    """(n,) first column."""
    last: I32
    """(n,) column after the last."""
    code: Codes


def codes_of(quanta: Quanta, limit: int, table: Codes, *, majority: bool = True) -> Codes:
    """(y, x) codes of a strip: level where most of the known 3 x 3 neighbourhood is at or above `limit`, 255 unseen.

    Without `majority` a pixel speaks for itself: level where it is at or above `limit`.

    Parameters
    ----------
    quanta
        (y + 2, x): the strip and one row on either side, no data beyond the image.
    table
        Level of each step; see `quanta.level_table`.
    """
    codes = np.empty((quanta.shape[0] - 2, quanta.shape[1]), np.uint8)
    if majority:
        _clean(quanta, limit, table, codes)
    else:
        _plain(quanta[1:-1], limit, table, codes)
    return codes


@njit(**COMPILE)
def _plain(quanta: Quanta, limit: int, table: Codes, codes: Codes) -> None:
    for row in range(codes.shape[0]):
        for col in range(codes.shape[1]):
            step = quanta[row, col]
            if step == -32768:
                codes[row, col] = 255
            else:
                codes[row, col] = table[np.int64(step) + 32768] if step >= limit else 0


@njit(**COMPILE)
def _clean(quanta: Quanta, limit: int, table: Codes, codes: Codes) -> None:
    height, width = codes.shape
    heard = np.zeros((3, width), np.uint8)  # per pixel: 1 known, 17 known and above; three rows and columns fit a byte
    votes = np.zeros(width + 2, np.uint8)
    for row in range(-2, height):
        fresh = heard[(row + 2) % 3]
        for col in range(width):
            step = quanta[row + 2, col]
            fresh[col] = np.uint8(step != -32768) + np.uint8(16) * np.uint8(step >= limit)
        if row < 0:
            continue
        for col in range(width):
            votes[col + 1] = heard[0, col] + heard[1, col] + heard[2, col]
        for col in range(width):
            total = np.uint8(votes[col] + votes[col + 1] + votes[col + 2])
            codes[row, col] = np.uint8(2 * (total >> 4) > (total & 15))
        for col in range(width):
            step = quanta[row + 1, col]
            if step == -32768:
                codes[row, col] = 255
            elif codes[row, col] != 0:
                codes[row, col] = table[np.int64(step) + 32768]


def runs_of(codes: Codes) -> Runs:
    """Runs of equal code that is not 0."""
    height = codes.shape[0]
    start = np.zeros(height + 1, np.int64)
    _count_runs(codes, start)
    n = int(start[-1])
    runs = Runs(start, np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.uint8))
    _fill_runs(codes, runs)
    return runs


@njit(**COMPILE)
def _count_runs(codes: Codes, start: I64) -> None:
    for row in range(codes.shape[0]):
        n = 0
        before = np.uint8(0)
        for col in range(codes.shape[1]):
            code = codes[row, col]
            n += (code != before) & (code != 0)
            before = code
        start[row + 1] = start[row] + n


@njit(**COMPILE)
def _fill_runs(codes: Codes, runs: Runs) -> None:
    width = codes.shape[1]
    for row in range(codes.shape[0]):
        run = runs.start[row] - 1
        if runs.start[row + 1] == run + 1:
            continue
        before = np.uint8(0)
        for col in range(width):
            code = codes[row, col]
            if code == before:
                continue
            if before != 0:
                runs.last[run] = col
            if code != 0:
                run += 1
                runs.first[run] = col
                runs.code[run] = code
            before = code
        if before != 0:
            runs.last[run] = width


def split(runs: Runs) -> tuple[Runs, Runs]:
    """(runs of scar, runs of unseen ground)."""
    unseen = runs.code == UNSEEN
    return _only(runs, ~unseen), _only(runs, unseen)


def _only(runs: Runs, kept: NDArray[np.bool_]) -> Runs:
    before = np.concatenate([[0], np.cumsum(kept)])
    return Runs(before[runs.start], runs.first[kept], runs.last[kept], runs.code[kept])


def patches_of(runs: Runs) -> tuple[I32, NDArray[np.int32]]:
    """((n,) patch of each run, (m, 2) pairs of patches of different level that touch); numbered by their first pixel."""
    n = len(runs.first)
    parent = np.arange(n, dtype=np.int32)
    touching = np.empty((3 * n, 2), np.int32)
    m = _link(runs, parent, touching)
    number = np.empty(n, np.int32)
    total = _number(parent, number)
    pairs = np.sort(number[touching[:m]], axis=1).astype(np.int64)
    key = np.unique(pairs[:, 0] * max(total, 1) + pairs[:, 1])
    return number, np.stack([key // max(total, 1), key % max(total, 1)], axis=1).astype(np.int32)


@njit(**COMPILE)
def _root(parent: I32, run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@njit(**COMPILE)
def _unite(parent: I32, a: int, b: int) -> None:
    """Unite two sets; the lower number stays the root, so a root is its set's first run."""
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@njit(**COMPILE)
def _link(runs: Runs, parent: I32, touching: I32) -> int:
    m = 0
    for row in range(len(runs.start) - 1):
        low, high = runs.start[row], runs.start[row + 1]
        above = runs.start[row - 1] if row else low
        for run in range(low, high):
            if run > low and runs.last[run - 1] == runs.first[run]:
                touching[m, 0], touching[m, 1] = run - 1, run
                m += 1
            while above < low and runs.last[above] <= runs.first[run]:
                above += 1
            other = above
            while other < low and runs.first[other] < runs.last[run]:
                if runs.code[other] == runs.code[run]:
                    _unite(parent, other, run)
                else:
                    touching[m, 0], touching[m, 1] = other, run
                    m += 1
                other += 1
    return m


@njit(**COMPILE)
def _number(parent: I32, number: I32) -> int:
    total = 0
    for run in range(len(parent)):
        root = _root(parent, run)
        if root == run:
            number[run] = total
            total += 1
        else:
            number[run] = number[root]
    return total


def contacts(a: Runs, row_a: int, b: Runs, row_b: int) -> NDArray[np.int64]:
    """(m, 2) numbers of the runs of one row of `a` and of one row of `b`, the row below it, that share an edge."""
    low = int(a.start[row_a + 1] - a.start[row_a]) + int(b.start[row_b + 1] - b.start[row_b])
    pairs = np.empty((low, 2), np.int64)
    return pairs[: _overlaps(a, row_a, b, row_b, pairs)]


@njit(**COMPILE)
def _overlaps(a: Runs, row_a: int, b: Runs, row_b: int, pairs: I64) -> int:
    m = 0
    above, end = a.start[row_a], a.start[row_a + 1]
    for run in range(b.start[row_b], b.start[row_b + 1]):
        while above < end and a.last[above] <= b.first[run]:
            above += 1
        other = above
        while other < end and a.first[other] < b.last[run]:
            pairs[m, 0], pairs[m, 1] = other, run
            m += 1
            other += 1
    return m


def totals_of(runs: Runs, quanta: Quanta, patch: I32, n: int) -> tuple[I64, I64, I32]:
    """((n,) pixels, (n,) sum of steps, (n,) largest step) of each patch; `quanta` (y, x) without the rows around."""
    size, total, largest = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -32768, np.int32)
    _sum(runs, quanta, patch, size, total, largest)
    return size, total, largest


@njit(**COMPILE)
def _sum(runs: Runs, quanta: Quanta, patch: I32, size: I64, total: I64, largest: I32) -> None:
    for row in range(len(runs.start) - 1):
        for run in range(runs.start[row], runs.start[row + 1]):
            amount, most = np.int64(0), np.int32(-32768)
            for col in range(runs.first[run], runs.last[run]):
                step = np.int32(quanta[row, col])
                amount += step
                most = max(most, step)
            number = patch[run]
            size[number] += runs.last[run] - runs.first[run]
            total[number] += amount
            largest[number] = max(largest[number], most)
