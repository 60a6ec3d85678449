"""First arrival on one grid, again and again: the workspace, and what a fire reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError, nearest
from geolabel.fire.arrays import F32, F64, I32
from geolabel.fire.front.barrier import check_closing
from geolabel.fire.front.burn import burn
from geolabel.fire.front.ignition import AREA, Ignition
from geolabel.fire.front.queue import IDLE, Mesh, Queue
from geolabel.fire.front.speed import SLOTS, Fields, Speeds

Setting = Literal["accurate", "fast"]
INTERVALS: dict[str, int] = {"accurate": 4, "fast": 1}
"""Intervals on a cell edge."""
BUCKET_SHARE = 1.0
"""Width of a bucket, as a share of the time the fastest fire takes over one interval."""
MOST_BUCKETS = 200_000


@dataclass(frozen=True, slots=True)
class Reached:
    """The cells one fire burned, without the rest of the grid."""

    cells: I32
    """(n,) row * width + col."""
    arrival_min: F32
    normal: F32
    """(n, 2) east and north of the front's unit normal, in the grid's frame; NaN at the start."""
    rate_m_min: F32

    @property
    def normal_rad(self) -> F32:
        """(n,) direction of the normal, radians clockwise from grid north."""
        return np.arctan2(self.normal[:, 0], self.normal[:, 1])


@dataclass(frozen=True)
class Solver:
    """First arrival on one grid, again and again, in one workspace; not for two threads at once."""

    shape: tuple[int, int]
    res_m: float
    setting: Setting = "accurate"
    _space: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.setting not in INTERVALS:
            raise FireError(f"unknown setting {self.setting!r}", hint=nearest(self.setting, INTERVALS))
        height, width = self.shape
        k = INTERVALS[self.setting]
        nodes, cells = (height + 1) * (width + 1) * (2 * k - 1), height * width
        self._space.update(
            mesh=mesh(self.shape, k, self.res_m),
            arrival=np.full(nodes, np.inf, np.float32),
            after=np.full(nodes, IDLE, np.int32),
            before=np.empty(nodes, np.int32),
            touched=np.empty(nodes, np.int32),
            speeds=Speeds(
                np.empty((cells * SLOTS, 4), np.float32),
                np.zeros(cells * SLOTS, np.int32),
                np.empty((cells, 7), np.float32),
                np.full(cells, -1, np.int32),
                np.empty(cells, np.int32),
                np.zeros(1, np.int64),
            ),
            burned=np.empty(cells, np.int32),
            values=np.empty((cells, 4), np.float32),
        )

    def reach(
        self, fields: Fields, start: Ignition, minutes: float, fastest: float, closes_min: F32 | None = None
    ) -> Reached:
        """The cells burned within `minutes`.

        Parameters
        ----------
        start
            What is lit, of cells that burn (`Ignition.on`).
        fastest
            About the highest rate on the fields, m/min; it sets the width of the buckets, never the result.
        closes_min
            (y, x) minute from which a cell burns no more, inf where it never closes (`barrier`).
        """
        space = self._space
        soon = np.flatnonzero(start.minutes <= minutes)
        cells = (start.cells[soon, 0] * self.shape[1] + start.cells[soon, 1]).astype(np.int32)
        lit, whole = start.minutes[soon], start.how[soon] == AREA
        place = space["mesh"]._replace(closes=check_closing(closes_min, self.shape))
        queue, burned, values = self._queue(minutes, fastest), space["burned"], space["values"]
        n = burn(fields, place, queue, space["speeds"], cells, lit, whole, minutes, burned, values)
        return _with_lit(burned[:n], values[:n], cells, lit)

    def _queue(self, minutes: float, fastest: float) -> Queue:
        space, interval = self._space, self.res_m / INTERVALS[self.setting]
        width = max(BUCKET_SHARE * interval / max(fastest, 1e-3), minutes / MOST_BUCKETS)
        return Queue(
            arrival=space["arrival"],
            after=space["after"],
            before=space["before"],
            first=np.full(int(minutes / width) + 2, -1, np.int32),
            touched=space["touched"],
            tally=np.zeros(2, np.int64),
            per_min=1 / width,
        )


def _with_lit(burned: I32, values: F32, cells: I32, minutes: F64) -> Reached:
    """What the fire came to and what was lit, each cell by whichever was first."""
    order = np.lexsort((minutes, cells))
    lit, first = np.unique(cells[order], return_index=True)
    when = minutes[order][first].astype(np.float32)
    at = np.minimum(np.searchsorted(lit, burned), max(len(lit) - 1, 0))
    own = lit[at] == burned if len(lit) else np.zeros(len(burned), bool)
    came = ~own
    came[own] = values[own, 0] < when[at[own]]
    stays = np.ones(len(lit), bool)
    stays[at[own & came]] = False
    start = np.full((int(stays.sum()), 4), np.nan, np.float32)
    start[:, 0] = when[stays]
    where, what = np.concatenate([lit[stays], burned[came]]), np.concatenate([start, values[came]])
    return Reached(where, what[:, 0], what[:, 1:3], what[:, 3])


def mesh(shape: tuple[int, int], k: int, res_m: float) -> Mesh:
    """Nodes around a cell, clockwise from its north-west corner, with `k` intervals an edge."""
    step, row = 2 * k - 1, (shape[1] + 1) * (2 * k - 1)
    inner = range(1, k)
    top, right = [0, *inner], [step, *(step + k - 1 + j for j in inner)]
    bottom = [row + step, *(row + k - j for j in inner)]
    left = [row, *(k - 1 + k - j for j in inner)]
    along, zero, one = np.arange(k) / k, np.zeros(k), np.ones(k)
    x = np.concatenate([along, one, 1 - along, zero])
    y = -np.concatenate([zero, along, one, 1 - along])
    places = np.array([*top, *right, *bottom, *left], np.int32)
    return Mesh(*shape, k, places, x * res_m, y * res_m, k / res_m, np.zeros(0, np.float32))


def placed(values: NDArray[np.floating], cells: I32, shape: tuple[int, int], fill: float) -> F32:
    """(y, x) float32 with values at cells (row * width + col) and `fill` elsewhere."""
    out = np.full(shape, fill, np.float32)
    out.ravel()[cells] = values
    return out
