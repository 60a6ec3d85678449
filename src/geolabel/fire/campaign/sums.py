"""What the members of a campaign add up to: whole numbers, so that neither their order nor who adds them matters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.bearings import FT
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, I32, I64
from geolabel.fire.campaign.communities import Communities
from geolabel.fire.front.solver import Reached
from geolabel.grid import Grid

FLAME_M = (4 * FT, 8 * FT, 11 * FT)
"""Flame lengths between classes: up to 4 ft hand crews hold a fire at its head, up to 8 ft machines do, above 11 ft
crowning, spotting and runs are common (Andrews & Rothermel 1982, INT-131)."""
ONE = 2.0**20
"""Sums of vectors and rates count in units of 1 / ONE."""


@dataclass(frozen=True)
class Account:
    """What is counted of each member."""

    grid: Grid
    hours: tuple[float, ...]
    """Lead times, h, rising."""
    members: int
    bin_min: float | None
    """Width of the bins of arrival between lead times, minutes; None for the lead times alone."""
    sectors: int = 8
    """Sectors of spread TO."""
    communities: Communities | None = None

    def __post_init__(self) -> None:
        if not self.hours or self.hours[0] <= 0 or (np.diff(self.hours) <= 0).any():
            raise FireError(f"lead times of {self.hours} h do not rise from above 0", hint="e.g. (1, 3, 6)")
        if self.members < 2:
            raise FireError(f"{self.members} members say nothing of uncertainty", hint="at least 2, better 100")
        if self.sectors not in (4, 8, 16):
            raise FireError(f"{self.sectors} sectors of direction", hint="4, 8 or 16")
        if self.bin_min is not None and not self.bin_min > 0:
            raise FireError(f"bins of {self.bin_min} minutes", hint="above 0, or None for the lead times alone")

    @cached_property
    def ends_min(self) -> F64:
        """(bin,) minutes at which the bins of arrival end: the lead times, and multiples of `bin_min` between."""
        last = self.hours[-1] * 60
        steps = np.zeros(0) if self.bin_min is None else np.arange(self.bin_min, last, self.bin_min)
        return np.unique(np.concatenate([np.asarray(self.hours, float) * 60, steps]))

    @cached_property
    def turn_deg(self) -> float:
        """Azimuth of grid north from true north."""
        return self.grid.convergence_deg()

    @property
    def counter(self) -> type[np.unsignedinteger[Any]]:
        """Smallest type that counts all members."""
        return np.uint16 if self.members <= np.iinfo(np.uint16).max else np.uint32


class Sums:
    """Counts and sums over the members from `first` to before `last`, added in any order."""

    def __init__(self, account: Account, first: int = 0, last: int | None = None) -> None:
        self.account, self.first = account, first
        self.last = account.members if last is None else last
        size, n = account.grid.height * account.grid.width, self.last - first
        places = len(account.communities.names) if account.communities else 0
        count = account.counter
        self.arrivals = np.zeros((size, len(account.ends_min)), count)
        self.flames = np.zeros((size, len(FLAME_M) + 1), count)
        self.rose = np.zeros((size, account.sectors), count)
        self.moved = np.zeros((size, 3), np.int64)  # east, north, rate
        self.burned = np.full(n, -1, np.int64)
        self.visits = np.full((n, places), np.inf, np.float32)
        self.ways = np.full((n, places), np.nan, np.float32)

    def add(self, reached: Reached, flame_m: F64) -> None:
        """One more member; `flame_m` is the (n,) flame length in its cells, NaN where it started."""
        tally = self.arrivals, self.flames, self.rose, self.moved
        front = reached.cells, reached.arrival_min, reached.normal, reached.rate_m_min
        _add(*front, flame_m, self.account.ends_min, np.array(FLAME_M), np.radians(self.account.turn_deg), *tally)

    def note(self, member: int, reached: Reached) -> None:
        """What is kept of each member by itself: its size, and its way into the communities."""
        row = member - self.first
        self.burned[row] = len(reached.cells)
        if self.account.communities is not None:
            when, at = self.account.communities.visit(reached)
            bearing = np.degrees(reached.normal_rad[at]) + self.account.turn_deg
            self.visits[row], self.ways[row] = when, np.where(at >= 0, bearing % 360, np.nan)

    def merge(self, part: Sums) -> None:
        """Add the sums of some of the members."""
        for name in ("arrivals", "flames", "rose", "moved"):
            mine: NDArray[Any] = getattr(self, name)
            mine += getattr(part, name)
        rows = slice(part.first - self.first, part.last - self.first)
        self.burned[rows], self.visits[rows], self.ways[rows] = part.burned, part.visits, part.ways


@njit(nogil=True, cache=True)
def _add(
    cells: I32,
    arrival: F32,
    normal: F32,
    rate: F32,
    flame_m: F64,
    ends: F64,
    classes: F64,
    turn: float,
    arrivals: Any,
    flames: Any,
    rose: Any,
    moved: I64,
) -> None:
    """Count one fire's cells."""
    sectors = rose.shape[1]
    per_sector = sectors / (2 * np.pi)
    for i in range(len(cells)):
        cell = cells[i]
        arrivals[cell, min(np.searchsorted(ends, arrival[i]), len(ends) - 1)] += 1
        if not np.isnan(flame_m[i]):
            flames[cell, np.searchsorted(classes, flame_m[i], side="right")] += 1
        east, north = float(normal[i, 0]), float(normal[i, 1])
        if not np.isnan(east):
            rose[cell, int(np.floor((np.arctan2(east, north) + turn) * per_sector + 0.5)) % sectors] += 1
            moved[cell, 0] += int(np.rint(east * ONE))
            moved[cell, 1] += int(np.rint(north * ONE))
        if not np.isnan(rate[i]):
            moved[cell, 2] += int(np.rint(rate[i] * ONE))
