"""First arrival of a fire over a grid of cells: compiled shortest paths over nodes on the cell edges.

Every cell edge carries `k` intervals; the corners belong to four cells, the nodes between to two. Inside a cell a fire
runs straight, so a path is a chain of runs from edge to edge. A run starts anywhere between two reached nodes of an
edge, arrival interpolated along it: the best start is found in closed form (for a linear arrival the time is
convex in the start, and its minimum needs no square root). Nodes wait in buckets of time (Dial 1969); a node that improves
goes back into its bucket, so the order within a bucket does not matter.

A corner whose two burnable cells are diagonal, with two cells that do not burn beside them, is closed: no node is
there. So a fire reaches exactly the burnable cells that are 4-connected to its start.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geolabel.fire.front_speed import (
    COMPILE,
    F32,
    F64,
    I32,
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
    count: I32
    """[0]: how many were touched; [1]: the bucket at work."""
    width_min: float


# ---------------------------------------------------------------------------------------------- queue
@njit(**COMPILE)
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


@njit(**COMPILE)
def offer(queue: Queue, node: int, t: float) -> None:
    """Let a node have an arrival, if it is better, and wait in its bucket."""
    old = queue.arrival[node]
    if t >= old - GAIN_MIN:
        return
    if queue.after[node] != IDLE:
        unlink(queue, node)
    elif old == np.inf:
        queue.touched[queue.count[0]] = node
        queue.count[0] += 1
    queue.arrival[node] = t
    bucket = max(int(t / queue.width_min), queue.count[1])
    if bucket >= len(queue.first):
        return
    head = queue.first[bucket]
    queue.after[node], queue.before[node] = head, -1 - bucket
    if head >= 0:
        queue.before[head] = node
    queue.first[bucket] = node


@njit(**COMPILE)
def settled(queue: Queue, node: int) -> bool:
    """Whether a node was reached and waits no more."""
    return queue.after[node] == IDLE and -np.inf < queue.arrival[node] < np.inf


# ---------------------------------------------------------------------------------------------- cells
@njit(**COMPILE)
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
            queue.touched[queue.count[0]] = node
            queue.count[0] += 1


@njit(**COMPILE)
def first_node(mesh: Mesh, row: int, col: int) -> int:
    """Node of a cell's north-west corner."""
    return (row * (mesh.width + 1) + col) * (2 * mesh.k - 1)


@njit(**COMPILE)
def enter(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, row: int, col: int) -> None:
    """Prepare a burning cell when the fire first comes to it."""
    cell = row * mesh.width + col
    if speeds.stamp[cell].max() == 0:
        meet(fields, speeds, cell)
        close_corners(fields, mesh, queue, row, col)
        load(fields, speeds, cell, 0)


# ---------------------------------------------------------------------------------------------- runs
@njit(**COMPILE)
def best_start(
    metric: F32, rise: F32, ex: float, ey: float, wx: float, wy: float, gap_min: float
) -> tuple[float, float]:
    """(share s of the way from P to Q, time after P's arrival) of the fastest run to X from the interval between.

    e = Q - P, w = X - P, gap = arrival at Q minus arrival at P. The start is clamped to the interval.
    """
    up_e, up_w = rise[0] * ex + rise[1] * ey, rise[0] * wx + rise[1] * wy
    ee = ex * ex + ey * ey + up_e * up_e
    ew = ex * wx + ey * wy + up_e * up_w
    pull = gap_min + metric[1] * ex + metric[2] * ey
    kappa = pull / (metric[0] * np.sqrt(ee))
    if kappa >= 1:
        share = 0.0
    elif kappa <= -1:
        share = 1.0
    else:
        det = 1 + rise[0] * rise[0] + rise[1] * rise[1]
        aside = np.sqrt(det) * abs(ex * wy - ey * wx)
        share = (ew - kappa / np.sqrt(1 - kappa * kappa) * aside) / ee
        share = min(max(share, 0.0), 1.0)
    dx, dy = wx - share * ex, wy - share * ey
    return share, share * gap_min + metric[0] * slope_length(rise, dx, dy) - metric[1] * dx - metric[2] * dy


@njit(**COMPILE)
def relax_interval(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int, base: int, period: int, p: int, q: int
) -> None:
    """Offer runs from the interval between reached places p (new) and q to the places on the other three edges."""
    k, around = mesh.k, 4 * mesh.k
    slot = load(fields, speeds, cell, period)
    metric, rise = speeds.metric[cell, slot], speeds.rise[cell]
    tp, tq = queue.arrival[base + mesh.offset[p]], queue.arrival[base + mesh.offset[q]]
    ex, ey, gap = mesh.x[q] - mesh.x[p], mesh.y[q] - mesh.y[p], float(tq - tp)
    start, end = fields.starts[period], period_end(fields, period)
    # what is the same for every target
    up_e = rise[0] * ex + rise[1] * ey
    ee = ex * ex + ey * ey + up_e * up_e
    kappa = (gap + metric[1] * ex + metric[2] * ey) / (metric[0] * np.sqrt(ee))
    if kappa <= -1 and metric[0] < np.inf:
        return  # every run would start at q, which has offered its own
    root = np.sqrt(max(1 - kappa * kappa, 1e-18))
    det = np.sqrt(1 + rise[0] * rise[0] + rise[1] * rise[1])
    lean, gain = det * kappa / root / ee, det * metric[0] * root / np.sqrt(ee)
    pull = kappa * metric[0] / np.sqrt(ee)
    edge = (min(p, q) if abs(p - q) == 1 else around - 1) // k
    early = min(tp, tq)
    for step in range(1, 3 * k):
        x = (edge + 1) * k + step
        if x >= around:
            x -= around
        node = base + mesh.offset[x]
        now = queue.arrival[node]
        if now <= early:
            continue
        wx, wy = mesh.x[x] - mesh.x[p], mesh.y[x] - mesh.y[p]
        ew = ex * wx + ey * wy + up_e * (rise[0] * wx + rise[1] * wy)
        aside = abs(ex * wy - ey * wx)
        share = ew / ee - lean * aside if kappa < 1 else 0.0
        if share >= 1:
            continue  # from q, as above
        if share > 0:
            t = tp - metric[1] * wx - metric[2] * wy + pull * ew + gain * aside
        else:
            share = 0.0
            t = tp + metric[0] * slope_length(rise, wx, wy) - metric[1] * wx - metric[2] * wy
        if not (t <= end and tp + share * gap >= start):
            t = run_time(fields, speeds, cell, wx - share * ex, wy - share * ey, tp + share * gap, now, period)
        offer(queue, node, t)


@njit(**COMPILE)
def relax_point(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int, base: int, period: int, p: int, x: int
) -> None:
    """Offer the run from a reached place p of a cell to its place x."""
    node = base + mesh.offset[x]
    tp, now = queue.arrival[base + mesh.offset[p]], queue.arrival[node]
    if now > tp:
        t = run_time(fields, speeds, cell, mesh.x[x] - mesh.x[p], mesh.y[x] - mesh.y[p], tp, now, period)
        offer(queue, node, t)


@njit(**COMPILE)
def relax_cell(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, row: int, col: int, p: int, period: int
) -> None:
    """Offer all runs through a cell that a newly reached place p allows."""
    if not burns_at(fields, mesh, row, col):
        return
    enter(fields, mesh, queue, speeds, row, col)
    cell, base, around = row * mesh.width + col, first_node(mesh, row, col), 4 * mesh.k
    left, right = (p - 1) % around, (p + 1) % around
    left_done = settled(queue, base + mesh.offset[left])
    right_done = settled(queue, base + mesh.offset[right])
    if left_done:
        relax_interval(fields, mesh, queue, speeds, cell, base, period, p, left)
    if right_done:
        relax_interval(fields, mesh, queue, speeds, cell, base, period, p, right)
    if not (left_done or right_done):
        for x in range(around):
            if x != p:
                relax_point(fields, mesh, queue, speeds, cell, base, period, p, x)
    elif not left_done:
        relax_point(fields, mesh, queue, speeds, cell, base, period, p, left)
    elif not right_done:
        relax_point(fields, mesh, queue, speeds, cell, base, period, p, right)


@njit(**COMPILE)
def relax_node(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, node: int, hint: int) -> None:
    """Offer all runs through the two or four cells of a newly reached node."""
    k = mesh.k
    point, place = node // (2 * k - 1), node % (2 * k - 1)
    row, col = point // (mesh.width + 1), point % (mesh.width + 1)
    period = period_of(fields, queue.arrival[node], hint)
    if place == 0:
        relax_cell(fields, mesh, queue, speeds, row, col, 0, period)
        relax_cell(fields, mesh, queue, speeds, row, col - 1, k, period)
        relax_cell(fields, mesh, queue, speeds, row - 1, col - 1, 2 * k, period)
        relax_cell(fields, mesh, queue, speeds, row - 1, col, 3 * k, period)
    elif place < k:
        relax_cell(fields, mesh, queue, speeds, row, col, place, period)
        relax_cell(fields, mesh, queue, speeds, row - 1, col, 3 * k - place, period)
    else:
        down = place - k + 1
        relax_cell(fields, mesh, queue, speeds, row, col, 4 * k - down, period)
        relax_cell(fields, mesh, queue, speeds, row, col - 1, k + down, period)


@njit(**COMPILE)
def march(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds) -> None:
    """Settle all nodes, bucket by bucket."""
    hint = 0
    for bucket in range(len(queue.first)):
        queue.count[1] = bucket
        while queue.first[bucket] >= 0:
            node = queue.first[bucket]
            unlink(queue, node)
            hint = period_of(fields, queue.arrival[node], hint)
            relax_node(fields, mesh, queue, speeds, node, hint)


# ---------------------------------------------------------------------------------------------- start and end
@njit(**COMPILE)
def ignite_centre(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int) -> None:
    """Start a fire at a cell's centre at minute 0."""
    row, col = cell // mesh.width, cell % mesh.width
    enter(fields, mesh, queue, speeds, row, col)
    base, half = first_node(mesh, row, col), 0.5 * mesh.x[mesh.k]
    for x in range(4 * mesh.k):
        t = run_time(fields, speeds, cell, mesh.x[x] - half, mesh.y[x] + half, 0.0, np.inf, 0)
        offer(queue, base + mesh.offset[x], t)


@njit(**COMPILE)
def ignite_whole(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int) -> None:
    """Let a whole cell burn at minute 0."""
    row, col = cell // mesh.width, cell % mesh.width
    enter(fields, mesh, queue, speeds, row, col)
    base = first_node(mesh, row, col)
    for x in range(4 * mesh.k):
        offer(queue, base + mesh.offset[x], 0.0)


@njit(**COMPILE)
def usable(t: float) -> bool:
    """Whether an arrival is one (neither unreached nor closed)."""
    return -np.inf < t < np.inf


@njit(**COMPILE)
def reach_centre(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int
) -> tuple[float, float, float]:
    """(arrival at the centre in min, run to it east, north in m) of a cell the fire came to."""
    around, half = 4 * mesh.k, 0.5 * mesh.x[mesh.k]
    base = first_node(mesh, cell // mesh.width, cell % mesh.width)
    rise = speeds.rise[cell]
    best, run_x, run_y, period = np.inf, 0.0, 0.0, 0
    for p in range(around):
        q = (p + 1) % around
        tp, tq = queue.arrival[base + mesh.offset[p]], queue.arrival[base + mesh.offset[q]]
        if not usable(tp) or min(tp, max(tq, 0.0)) >= best:
            continue
        wx, wy = half - mesh.x[p], -half - mesh.y[p]
        share = 0.0
        period = period_of(fields, tp, period)
        ex, ey = mesh.x[q] - mesh.x[p], mesh.y[q] - mesh.y[p]
        metric = speeds.metric[cell, load(fields, speeds, cell, period)]
        if usable(tq) and metric[0] < np.inf:
            share, _ = best_start(metric, rise, ex, ey, wx, wy, tq - tp)
        start = tp + share * (tq - tp) if share > 0 else tp
        dx, dy = wx - share * ex, wy - share * ey
        t = run_time(fields, speeds, cell, dx, dy, start, best, period)
        if t < best:
            best, run_x, run_y = t, dx, dy
    return best, run_x, run_y


@njit(**COMPILE)
def front_at(fields: Fields, speeds: Speeds, cell: int, t: float, run: tuple[float, float]) -> tuple[float, float]:
    """(normal to the front in radians clockwise from grid north, rate along the slope in m/min) at a cell's centre.

    The gradient of arrival is the derivative of the time of the run that came first; the front's normal is its direction.
    """
    metric = speeds.metric[cell, load(fields, speeds, cell, period_of(fields, t, 0))]
    rise = speeds.rise[cell]
    length = slope_length(rise, run[0], run[1])
    if not (length > 0 and metric[0] < np.inf):
        return np.nan, np.nan
    climb = rise[0] * run[0] + rise[1] * run[1]
    px = metric[0] * (run[0] + rise[0] * climb) / length - metric[1]
    py = metric[0] * (run[1] + rise[1] * climb) / length - metric[2]
    along = rise[0] * px + rise[1] * py
    steep = rise[0] * rise[0] + rise[1] * rise[1]
    slowness = np.sqrt(px * px + py * py - along * along / (1 + steep))
    return np.arctan2(px, py), 1 / slowness


@njit(**COMPILE)
def collect(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, burned: I32, values: F32, limit_min: float
) -> int:
    """How many cells burned by `limit_min`; their numbers go to `burned`, (arrival, normal rad, rate) to `values`."""
    n = 0
    for i in range(speeds.count[0]):
        cell = speeds.cells[i]
        t, dx, dy = reach_centre(fields, mesh, queue, speeds, cell)
        if t <= limit_min:
            burned[n] = cell
            normal, rate = front_at(fields, speeds, cell, t, (dx, dy))
            values[n, 0], values[n, 1], values[n, 2] = t, normal, rate
            n += 1
    return n


@njit(**COMPILE)
def clear(queue: Queue, speeds: Speeds) -> None:
    """Make queue and speeds as new, at a cost that goes with the last fire's size."""
    for i in range(queue.count[0]):
        queue.arrival[queue.touched[i]] = np.inf
        queue.after[queue.touched[i]] = IDLE
    for i in range(speeds.count[0]):
        speeds.stamp[speeds.cells[i]] = 0
    queue.count[0], queue.count[1], speeds.count[0] = 0, 0, 0


@njit(**COMPILE)
def burn(  # noqa: PLR0917
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cells: I32, whole: bool, limit_min: float, burned: I32, values: F32
) -> int:
    """How many cells burn by `limit_min` from a start; see `collect` for where they go. The workspace is left clean."""
    for cell in cells:
        if whole:
            ignite_whole(fields, mesh, queue, speeds, cell)
        else:
            ignite_centre(fields, mesh, queue, speeds, cell)
    march(fields, mesh, queue, speeds)
    n = collect(fields, mesh, queue, speeds, burned, values, limit_min)
    clear(queue, speeds)
    return n
