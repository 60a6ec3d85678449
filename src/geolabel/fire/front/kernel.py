"""First arrival of a fire over a grid of cells: compiled shortest paths over nodes on the cell edges.

Every cell edge carries `k` intervals; the corners belong to four cells, the nodes between to two. Inside a cell a fire
runs straight, so a path is a chain of runs from edge to edge. A run starts anywhere between two reached nodes of an
edge, arrival interpolated along it: the best start is found in closed form (for a linear arrival the time is
convex in the start, and its minimum needs no square root). Nodes wait in buckets of time (Dial 1969); a node that improves
goes back into its bucket, so the order within a bucket does not matter.

A corner whose two burnable cells are diagonal, with two cells that do not burn beside them, is closed: no node is
there. So a fire reaches exactly the burnable cells that are 4-connected to its start. Where cells close at a time, no run
arrives in them from then on, and a corner takes no arrival at which the cells beside it are closed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geolabel.fire.front.queue import Mesh, Queue, offer, settled, unlink
from geolabel.fire.front.speed import (
    COMPILE,
    INLINE,
    Fields,
    Speeds,
    burns,
    load,
    meet,
    period_end,
    period_of,
    run_time,
    slope_length,
)


# ---------------------------------------------------------------------------------------------- cells
@njit(**INLINE)
def burns_at(fields: Fields, mesh: Mesh, row: int, col: int) -> bool:
    """Whether the cell lies on the grid and burns."""
    if row < 0 or col < 0 or row >= mesh.height or col >= mesh.width:
        return False
    return burns(fields, row * mesh.width + col)


@njit(**COMPILE)
def close_corners(fields: Fields, mesh: Mesh, queue: Queue, row: int, col: int) -> None:
    """Close the corners of a burning cell across which only the diagonal cell burns."""
    base = first_node(mesh, row, col)
    for corner in range(4):
        down = 1 if corner in (2, 3) else -1
        right = 1 if corner in (1, 2) else -1
        if burns_at(fields, mesh, row + down, col) or burns_at(fields, mesh, row, col + right):
            continue
        node = base + mesh.offset[corner * mesh.k]
        if burns_at(fields, mesh, row + down, col + right) and queue.arrival[node] == np.inf:
            queue.arrival[node] = -np.inf
            queue.touched[queue.tally[0]] = node
            queue.tally[0] += 1


@njit(**INLINE)
def open_at(fields: Fields, mesh: Mesh, row: int, col: int, t: float) -> bool:
    """Whether the cell lies on the grid and burns at time t."""
    return burns_at(fields, mesh, row, col) and t < mesh.closes[row * mesh.width + col]


@njit(**COMPILE)
def shut(fields: Fields, mesh: Mesh, cell: int, x: int, t: float) -> bool:
    """Whether a cell, or the corner at its place x, is closed to a run that arrives at time t."""
    if not t < mesh.closes[cell]:
        return True
    if x % mesh.k != 0:
        return False
    row, col, corner = cell // mesh.width, cell % mesh.width, x // mesh.k
    down = row + (1 if corner in (2, 3) else -1)
    right = col + (1 if corner in (1, 2) else -1)
    beside = open_at(fields, mesh, down, col, t) or open_at(fields, mesh, row, right, t)
    return not beside and burns_at(fields, mesh, down, right)


@njit(**INLINE)
def offer_in(fields: Fields, mesh: Mesh, queue: Queue, cell: int, base: int, x: int, t: float) -> None:
    """Let place x of a cell have an arrival, if it is better and nothing is closed by then."""
    if len(mesh.closes) > 0 and shut(fields, mesh, cell, x, t):
        return
    offer(queue, base + mesh.offset[x], t)


@njit(**INLINE)
def first_node(mesh: Mesh, row: int, col: int) -> int:
    """Node of a cell's north-west corner."""
    return (row * (mesh.width + 1) + col) * (2 * mesh.k - 1)


@njit(**COMPILE)
def enter(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, row: int, col: int) -> None:
    """Prepare a burning cell when the fire first comes to it; later calls change nothing."""
    if speeds.number[row * mesh.width + col] >= 0:
        return
    meet(fields, speeds, row * mesh.width + col)
    close_corners(fields, mesh, queue, row, col)


# ---------------------------------------------------------------------------------------------- runs
@njit(**INLINE)
def beside(mesh: Mesh, row: int, col: int, slot: int, side: int) -> tuple[int, int, int]:
    """(row, col, place) of a node, seen from the `side`-th of the four (corner) or two cells around it.

    The node is number `slot` of the grid point at the north-west corner of cell (row, col).
    """
    k = mesh.k
    if slot == 0:  # a corner: cells to the south-east, south-west, north-west, north-east
        return row - side // 2, col - (1 if 0 < side < 3 else 0), side * k
    if slot < k:  # an edge that runs east: cells south and north
        return row - side, col, 3 * k - slot if side else slot
    return row, col - side, slot + 1 if side else 5 * k - slot - 1  # one that runs south: cells east and west


@njit(**INLINE)
def bundle(mesh: Mesh, p: int, which: int, left_done: bool, right_done: bool) -> tuple[int, int, int]:
    """(q, first target, number of targets) of the `which`-th bundle of runs that a newly reached place p allows.

    Bundles 0 and 1 start on the interval to the left or right neighbour q and go to the other three edges; bundles 2
    and 3 start at p itself (q = p) and go to those neighbours, or everywhere where neither is reached.
    """
    k, around = mesh.k, 4 * mesh.k
    left = p - 1 if p > 0 else around - 1
    right = p + 1 if p + 1 < around else 0
    if which == 0:
        return left, (left // k + 1) * k + 1, 3 * k - 1 if left_done else 0
    if which == 1:
        return right, (p // k + 1) * k + 1, 3 * k - 1 if right_done else 0
    alone = not (left_done or right_done)
    if which == 2:
        return p, right, around - 1 if alone else 1
    return p, left, 0 if alone else 1


@njit(**INLINE)
def later(mesh: Mesh, queue: Queue, base: int, first: int, n: int, early: float) -> int:
    """How many of `n` targets from `first` on come before the first one not reached by `early`; `n` if there is none."""
    x = first if first < 4 * mesh.k else first - 4 * mesh.k
    skip = 0
    while skip < n and queue.arrival[base + mesh.offset[x]] <= early:
        skip += 1
        x = x + 1 if x + 1 < 4 * mesh.k else 0
    return skip


@njit(**INLINE)
def lean_of(
    speeds: Speeds, cell: int, slot: int, e: tuple[float, float], gap: float, per_m: float
) -> tuple[float, ...]:
    """(kappa, 1 / e.M.e, lean, gain) of an interval e = Q - P, which runs east or north.

    There are `per_m` intervals a metre. kappa is the pull of the arrivals along the interval over the slowness along it; a start inside needs abs(kappa) < 1.
    `lean` says how far the best start lies from the foot of X for each unit aside, `gain` what a unit aside costs.
    """
    a = float(speeds.metric[slot, 0])
    bx, by = float(speeds.metric[slot, 1]), float(speeds.metric[slot, 2])
    inverse = per_m * float(speeds.rise[speeds.number[cell], 5] if e[0] != 0 else speeds.rise[speeds.number[cell], 6])
    kappa = (gap + bx * e[0] + by * e[1]) * inverse * float(speeds.metric[slot, 3])
    root = np.sqrt(max(1 - kappa * kappa, 1e-12))
    det = float(speeds.rise[speeds.number[cell], 4])
    return kappa, inverse * inverse, det * kappa * inverse * inverse / root, det * a * root * inverse


@njit(**INLINE)
def straight(speeds: Speeds, cell: int, slot: int, t: float, d: tuple[float, float]) -> float:
    """Arrival of a run d that starts at t and meets no change of weather."""
    length = slope_length(speeds, cell, d[0], d[1])
    metric = speeds.metric
    return t + metric[slot, 0] * length - metric[slot, 1] * d[0] - metric[slot, 2] * d[1]


@njit(**INLINE)
def relax(
    fields: Fields,
    mesh: Mesh,
    queue: Queue,
    speeds: Speeds,
    cell: int,
    base: int,
    period: int,
    p: int,
    runs: tuple[int, int, int],
) -> None:
    """Offer the runs of one bundle to their targets."""
    q, first, n = runs
    tp = float(queue.arrival[base + mesh.offset[p]])
    gap = float(queue.arrival[base + mesh.offset[q]]) - tp
    early = tp + min(gap, 0.0)
    skip = later(mesh, queue, base, first, n, early)
    if skip < n:
        slot = load(fields, speeds, cell, period)
        bx, by = speeds.metric[slot, 1], speeds.metric[slot, 2]
        gx, gy = speeds.rise[speeds.number[cell], 0], speeds.rise[speeds.number[cell], 1]
        ex, ey = mesh.x[q] - mesh.x[p], mesh.y[q] - mesh.y[p]
        per_m, kappa, foot, lean, gain = mesh.per_m, 1.0, 1.0, 0.0, 0.0
        if q != p:
            kappa, foot, lean, gain = lean_of(speeds, cell, slot, (ex, ey), gap, per_m)
        pull, climb = (gap + bx * ex + by * ey) * foot, gx * ex + gy * ey
        start, end = fields.starts[period], period_end(fields, period)
        changing = len(fields.starts) > 1
        x = first + skip - 1
        for _ in range(skip, n if kappa > -1 or changing else 0):  # at kappa <= -1 every run starts at q
            x += 1
            x -= 4 * mesh.k if x >= 4 * mesh.k else 0
            node = base + mesh.offset[x]
            now = float(queue.arrival[node])
            if now <= early:
                continue
            wx, wy = mesh.x[x] - mesh.x[p], mesh.y[x] - mesh.y[p]
            rise = gx * wx + gy * wy
            ew, aside = ex * wx + ey * wy + climb * rise, abs(ex * wy - ey * wx)
            share = ew * foot - lean * aside if abs(kappa) < 1 else (0.0 if kappa > 0 else 1.0)
            if share >= 1 and not changing:
                continue  # from q, which has offered its own
            if 0 < share < 1:
                t = tp - bx * wx - by * wy + pull * ew + gain * aside
            else:
                share = min(max(share, 0.0), 1.0)
                t = straight(speeds, cell, slot, tp + share * gap, (wx - share * ex, wy - share * ey))
            if not (t <= end and tp + share * gap >= start):
                run_x, run_y, begin = wx - share * ex, wy - share * ey, tp + share * gap
                t = run_time(fields, speeds, cell, run_x, run_y, begin, now, period)
                slot = load(fields, speeds, cell, period)  # a run over many periods may have taken it
            offer_in(fields, mesh, queue, cell, base, x, t)


@njit(**INLINE)
def visit(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, row: int, col: int, p: int, period: int) -> None:
    """Offer all runs through one burning cell that a newly reached place p allows."""
    cell, base = row * mesh.width + col, first_node(mesh, row, col)
    if speeds.number[cell] < 0:
        enter(fields, mesh, queue, speeds, row, col)
    left_done = settled(queue, base + mesh.offset[p - 1 if p > 0 else 4 * mesh.k - 1])
    right_done = settled(queue, base + mesh.offset[p + 1 if p + 1 < 4 * mesh.k else 0])
    for which in range(4):
        runs = bundle(mesh, p, which, left_done, right_done)
        if runs[2] > 0:
            relax(fields, mesh, queue, speeds, cell, base, period, p, runs)


@njit(**COMPILE)
def march(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds) -> None:
    """Settle all nodes, bucket by bucket."""
    period, slots, columns = 0, 2 * mesh.k - 1, mesh.width + 1
    for bucket in range(len(queue.first)):
        queue.tally[1] = bucket
        while queue.first[bucket] >= 0:
            node = queue.first[bucket]
            unlink(queue, node)
            period = period_of(fields, queue.arrival[node], period)
            point = node // slots
            row = point // columns
            col, slot = point - row * columns, node - point * slots
            for side in range(4 if slot == 0 else 2):
                y, x, p = beside(mesh, row, col, slot, side)
                if burns_at(fields, mesh, y, x):
                    visit(fields, mesh, queue, speeds, y, x, p, period)
