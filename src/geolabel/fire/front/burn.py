"""One fire from start to end: compiled. What is lit, when the centres of the cells are reached, and a clean workspace."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
from numba import njit

from geolabel.digests import digest
from geolabel.fire.arrays import F32, F64, I32, Mask
from geolabel.fire.front.kernel import enter, first_node, lean_of, march, offer_in, straight
from geolabel.fire.front.queue import IDLE, Mesh, Queue
from geolabel.fire.front.speed import (
    COMPILE,
    INLINE,
    Fields,
    Speeds,
    load,
    period_end,
    period_of,
    run_time,
    slope_length,
    slots_of,
)

PARTS = ("speed", "queue", "kernel", "burn")


@njit(**COMPILE)
def ignite_centre(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int, t: float) -> None:
    """Start a fire at a cell's centre at time t."""
    row, col = cell // mesh.width, cell % mesh.width
    enter(fields, mesh, queue, speeds, row, col)
    base, half = first_node(mesh, row, col), 0.5 * mesh.x[mesh.k]
    for x in range(4 * mesh.k):
        arrival = run_time(fields, speeds, cell, mesh.x[x] - half, mesh.y[x] + half, t, np.inf, 0)
        offer_in(fields, mesh, queue, cell, base, x, arrival)


@njit(**COMPILE)
def ignite_whole(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int, t: float) -> None:
    """Let a whole cell burn at time t."""
    row, col = cell // mesh.width, cell % mesh.width
    enter(fields, mesh, queue, speeds, row, col)
    base = first_node(mesh, row, col)
    for x in range(4 * mesh.k):
        offer_in(fields, mesh, queue, cell, base, x, t)


@njit(**INLINE)
def usable(t: float) -> bool:
    """Whether an arrival is one (neither unreached nor closed)."""
    return -np.inf < t < np.inf


@njit(**INLINE)
def best_share(
    speeds: Speeds, cell: int, slot: int, e: tuple[float, float], w: tuple[float, float], gap: float, per_m: float
) -> float:
    """Share of the way from P to Q = P + e at which the fastest run to X = P + w starts."""
    kappa, foot, lean, _ = lean_of(speeds, cell, slot, e, gap, per_m)
    gx, gy = speeds.rise[speeds.number[cell], 0], speeds.rise[speeds.number[cell], 1]
    ew = e[0] * w[0] + e[1] * w[1] + (gx * e[0] + gy * e[1]) * (gx * w[0] + gy * w[1])
    share = ew * foot - lean * abs(e[0] * w[1] - e[1] * w[0])
    return (0.0 if kappa >= 1 else 1.0) if abs(kappa) >= 1 else min(max(share, 0.0), 1.0)


@njit(**COMPILE)
def reach_centre(fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, cell: int) -> tuple[float, float, float]:
    """(arrival at the centre in min, run to it east, north in m) of a cell the fire came to."""
    around, half = 4 * mesh.k, 0.5 * mesh.x[mesh.k]
    base = first_node(mesh, cell // mesh.width, cell % mesh.width)
    best, run_x, run_y, period = np.inf, 0.0, 0.0, 0
    earliest = 0
    for p in range(around):
        t = queue.arrival[base + mesh.offset[p]]
        if usable(t) and not queue.arrival[base + mesh.offset[earliest]] <= t:
            earliest = p
    for step in range(-1, around - 1):  # from where the fire came first: most other intervals are then too late
        p = earliest + step
        p += around if p < 0 else (-around if p >= around else 0)
        q = p + 1 if p + 1 < around else 0
        tp, tq = float(queue.arrival[base + mesh.offset[p]]), float(queue.arrival[base + mesh.offset[q]])
        if not usable(tp) or (usable(tq) and min(tp, tq) >= best):
            continue
        wx, wy = half - mesh.x[p], -half - mesh.y[p]
        ex, ey = mesh.x[q] - mesh.x[p], mesh.y[q] - mesh.y[p]
        period = period_of(fields, tp, period)
        slot = load(fields, speeds, cell, period)
        gap, share = 0.0, 0.0
        if usable(tq) and speeds.metric[slot, 0] < np.inf:
            gap = tq - tp
            share = best_share(speeds, cell, slot, (ex, ey), (wx, wy), gap, mesh.per_m)
        dx, dy = wx - share * ex, wy - share * ey
        begin = tp + share * gap
        t = straight(speeds, cell, slot, begin, (dx, dy))
        if not (t <= period_end(fields, period) and begin >= fields.starts[period]):
            t = run_time(fields, speeds, cell, dx, dy, begin, best, period)
        if t < best:
            best, run_x, run_y = t, dx, dy
    return best, run_x, run_y


@njit(**COMPILE)
def front_at(
    fields: Fields, speeds: Speeds, cell: int, t: float, run: tuple[float, float]
) -> tuple[float, float, float]:
    """(east, north of the front's unit normal, rate along the slope in m/min) at a cell's centre.

    The gradient of arrival is the derivative of the time of the run that came first; the front's normal is its direction.
    """
    slot = load(fields, speeds, cell, period_of(fields, t, 0))
    a, gx, gy = speeds.metric[slot, 0], speeds.rise[speeds.number[cell], 0], speeds.rise[speeds.number[cell], 1]
    length = slope_length(speeds, cell, run[0], run[1])
    if not (length > 0 and a < np.inf):
        return np.nan, np.nan, np.nan
    climb = gx * run[0] + gy * run[1]
    px = a * (run[0] + gx * climb) / length - speeds.metric[slot, 1]
    py = a * (run[1] + gy * climb) / length - speeds.metric[slot, 2]
    along = gx * px + gy * py
    slowness = np.sqrt(px * px + py * py - along * along / (1 + gx * gx + gy * gy))
    size = np.sqrt(px * px + py * py)
    return px / size, py / size, 1 / slowness


@njit(**COMPILE)
def collect(
    fields: Fields, mesh: Mesh, queue: Queue, speeds: Speeds, burned: I32, values: F32, limit_min: float
) -> int:
    """How many cells burned by `limit_min`; numbers go to `burned`, (arrival, normal east, north, rate) to `values`."""
    n = 0
    for i in range(speeds.tally[0]):
        cell = speeds.cells[i]
        t, dx, dy = reach_centre(fields, mesh, queue, speeds, cell)
        if t <= limit_min and (len(mesh.closes) == 0 or t < mesh.closes[cell]):
            burned[n] = cell
            values[n, 0] = t
            values[n, 1], values[n, 2], values[n, 3] = front_at(fields, speeds, cell, t, (dx, dy))
            n += 1
    return n


@njit(**COMPILE)
def clear(fields: Fields, queue: Queue, speeds: Speeds) -> None:
    """Make queue and speeds as new, at a cost that goes with the last fire's size."""
    for i in range(queue.tally[0]):
        queue.arrival[queue.touched[i]] = np.inf
        queue.after[queue.touched[i]] = IDLE
    for slot in range(speeds.tally[0] * slots_of(fields)):
        speeds.stamp[slot] = 0
    for i in range(speeds.tally[0]):
        speeds.number[speeds.cells[i]] = -1
    queue.tally[0], queue.tally[1], speeds.tally[0] = 0, 0, 0


def _compiled(sources: str) -> Any:
    """The entry to the kernel, kept compiled on disk for as long as its sources stay the same.

    numba itself looks only at the file of the cached function, and would run old code after a change in another.
    """

    @njit(**COMPILE, cache=True)
    def burn(
        fields: Fields,
        mesh: Mesh,
        queue: Queue,
        speeds: Speeds,
        cells: I32,
        minutes: F64,
        whole: Mask,
        limit_min: float,
        burned: I32,
        values: F32,
    ) -> int:
        """How many cells the fire comes to by `limit_min`; see `collect` for where they go. Leaves the workspace clean.

        Cells are lit at their minutes, whole or at their centres.
        """
        if len(sources) == 0:  # what a compiled function encloses is part of the name it is kept under
            return 0
        for i in range(len(cells)):
            if whole[i]:
                ignite_whole(fields, mesh, queue, speeds, cells[i], minutes[i])
            else:
                ignite_centre(fields, mesh, queue, speeds, cells[i], minutes[i])
        march(fields, mesh, queue, speeds)
        n = collect(fields, mesh, queue, speeds, burned, values, limit_min)
        clear(fields, queue, speeds)
        return n

    return burn


burn = _compiled(digest(*(files("geolabel.fire.front").joinpath(f"{part}.py").read_bytes() for part in PARTS)))
