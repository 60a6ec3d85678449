"""The nodes of the front solver: where they lie around a cell, when the fire came, which of them wait."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geolabel.fire.arrays import F32, F64, I32, I64
from geolabel.fire.front.speed import INLINE

IDLE = -2
"""`after[node]` of a node that waits in no bucket."""
GAIN_MIN = 1e-4
"""Improvements below this, min, are rounding."""


class Mesh(NamedTuple):
    """The nodes of one cell, and how cells lie beside each other."""

    height: int
    width: int
    k: int
    """Intervals an edge."""
    offset: I32
    """(4 k,) node of each place around a cell, clockwise from its north-west corner, after the cell's first node."""
    x: F64
    """(4 k,) m east of the north-west corner."""
    y: F64
    """(4 k,) m north of it."""
    per_m: float
    """Intervals a metre."""
    closes: F32
    """(cell,) minute from which a cell burns no more; empty where none ever closes."""


class Queue(NamedTuple):
    """Arrival at the nodes, and the buckets of those that wait."""

    arrival: F32
    """(node,) min; inf not reached, -inf closed."""
    after: I32
    before: I32
    """(node,) neighbours in the bucket's list; `before` of the first is -1 - bucket."""
    first: I32
    """(bucket,) first node or -1."""
    touched: I32
    """Nodes whose arrival was set, in order."""
    tally: I64
    """[0]: how many were touched; [1]: the bucket at work."""
    per_min: float
    """Buckets a minute."""


@njit(**INLINE)
def unlink(queue: Queue, node: int) -> None:
    """Take a waiting node out of its bucket."""
    before, after = queue.before[node], queue.after[node]
    if before < 0:
        queue.first[-1 - before] = after
    else:
        queue.after[before] = after
    if after >= 0:
        queue.before[after] = before
    queue.after[node] = IDLE


@njit(**INLINE)
def offer(queue: Queue, node: int, t: float) -> None:
    """Let a node have an arrival, if it is better, and wait in its bucket."""
    old, new = queue.arrival[node], np.float32(t)
    if not new < old - GAIN_MIN:  # compared as it is kept: a gain below its last digit would be offered for ever
        return
    bucket = max(int(t * queue.per_min), queue.tally[1])
    if queue.after[node] != IDLE:
        if bucket == max(int(old * queue.per_min), queue.tally[1]):
            queue.arrival[node] = new
            return
        unlink(queue, node)
    elif old == np.inf:
        queue.touched[queue.tally[0]] = node
        queue.tally[0] += 1
    queue.arrival[node] = new
    if bucket >= len(queue.first):
        return
    head = queue.first[bucket]
    queue.after[node], queue.before[node] = head, -1 - bucket
    if head >= 0:
        queue.before[head] = node
    queue.first[bucket] = node


@njit(**INLINE)
def settled(queue: Queue, node: int) -> bool:
    """Whether a node was reached and waits no more."""
    return queue.after[node] == IDLE and -np.inf < queue.arrival[node] < np.inf
