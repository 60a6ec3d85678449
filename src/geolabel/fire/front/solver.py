"""First arrival on one grid, again and again: the workspace, and what a fire reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError, nearest
from geolabel.fire.arrays import F32, I32, Mask
from geolabel.fire.front.burn import burn
from geolabel.fire.front.queue import IDLE, Mesh, Queue
from geolabel.fire.front.speed import SLOTS, Fields, Speeds

Setting = Literal["accurate", "fast"]
INTERVALS: dict[str, int] = {"accurate": 4, "fast": 1}
"""Intervals on a cell edge."""
BUCKET_SHARE = 1.0
"""Width of a bucket, as a share of the time the fastest fire takes over one interval."""
MOST_BUCKETS = 200_000

Ignition = tuple[int, int] | Sequence[tuple[int, int]] | Mask


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
                np.empty((cells, SLOTS, 3), np.float32),
                np.zeros((cells, SLOTS), np.int32),
                np.empty((cells, 5), np.float32),
                np.zeros(cells, bool),
                np.empty(cells, np.int32),
                np.zeros(1, np.int64),
            ),
            burned=np.empty(cells, np.int32),
            values=np.empty((cells, 4), np.float32),
        )

    def reach(self, fields: Fields, start: Mask | I32, minutes: float, fastest: float) -> Reached:
        """The cells burned within `minutes`.

        Parameters
        ----------
        start
            Cell numbers whose centres are lit, or a (y, x) mask of cells that burn as a whole at minute 0.
        fastest
            About the highest rate on the fields, m/min; it sets the width of the buckets, never the result.
        """
        space, whole = self._space, start.dtype == bool
        cells = (np.flatnonzero(start) if whole else np.unique(start)).astype(np.int32)
        interval = self.res_m / INTERVALS[self.setting]
        width = max(BUCKET_SHARE * interval / max(fastest, 1e-3), minutes / MOST_BUCKETS)
        queue = Queue(
            arrival=space["arrival"],
            after=space["after"],
            before=space["before"],
            first=np.full(int(minutes / width) + 2, -1, np.int32),
            touched=space["touched"],
            tally=np.zeros(2, np.int64),
            width_min=width,
        )
        n = burn(fields, space["mesh"], queue, space["speeds"], cells, whole, minutes, space["burned"], space["values"])
        burned, values = space["burned"][:n], space["values"][:n]
        later = ~(start.ravel()[burned] if whole else np.isin(burned, cells))
        first = np.full((len(cells), 4), [0.0, np.nan, np.nan, np.nan], np.float32)
        burned, values = np.concatenate([cells, burned[later]]), np.concatenate([first, values[later]])
        return Reached(burned, values[:, 0], values[:, 1:3], values[:, 3])


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
    return Mesh(*shape, k, np.array([*top, *right, *bottom, *left], np.int32), x * res_m, y * res_m)


def placed(values: NDArray[np.floating], cells: I32, shape: tuple[int, int], fill: float) -> F32:
    """(y, x) float32 with values at cells (row * width + col) and `fill` elsewhere."""
    out = np.full(shape, fill, np.float32)
    out.ravel()[cells] = values
    return out


def start_cells(ignition: Ignition, burnable: Mask) -> Any:
    """Cell numbers (of points) or mask (of a perimeter) from which a fire starts, burnable cells only.

    Raises
    ------
    FireError
        Where no cell of it burns, or a point lies outside the grid.
    """
    if isinstance(ignition, np.ndarray) and ignition.dtype == bool:
        if ignition.shape != burnable.shape:
            raise FireError(f"a perimeter of {ignition.shape} on fields of {burnable.shape}")
        if not (ignition & burnable).any():
            raise FireError("no cell of the burning area can burn", hint="check the perimeter and the fuel")
        return ignition & burnable
    rows, cols = np.atleast_2d(np.asarray(ignition, int)).T
    outside = (rows < 0) | (cols < 0) | (rows >= burnable.shape[0]) | (cols >= burnable.shape[1])
    if outside.any():
        raise FireError(f"an ignition outside the grid of {burnable.shape}: {rows[outside][0]}, {cols[outside][0]}")
    if not burnable[rows, cols].all():
        bad = int(np.flatnonzero(~burnable[rows, cols])[0])
        raise FireError(f"the ignition (row {rows[bad]}, col {cols[bad]}) does not burn", hint="light a burnable cell")
    return (rows * burnable.shape[1] + cols).astype(np.int32)
