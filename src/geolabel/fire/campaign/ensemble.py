"""What the fires of a campaign had in common, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.fire.arrays import F32, F64, I32
from geolabel.fire.campaign.communities import DOMINANT_R, Visits
from geolabel.fire.campaign.sums import ONE, Sums
from geolabel.grid import Grid

Counts = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What the fires of a campaign had in common; (y, x) on `grid`."""

    grid: Grid
    hours: tuple[float, ...]
    """Lead times, h."""
    n: int
    """Members."""
    ends_min: F64
    """(bin,) minutes at which the bins of arrival end; the lead times are among them."""
    arrivals: Counts
    """(bin, y, x): members that came in each bin."""
    flames: Counts
    """(4, y, x): members that came with flames of each class, parted at `sums.FLAME_M`; not those that started there."""
    rose: Counts
    """(sector, y, x): members by direction of spread TO, from **true** north, clockwise, the first around north."""
    east: F32
    north: F32
    """Sums of the unit vectors of spread TO, in the grid's directions."""
    rate_m_min: F32
    """Mean rate of spread at arrival over the members that came and did not start there; NaN where none did."""
    size_ha: F64
    """(member,) area burned by the last hour, in the map plane."""
    communities: Visits | None = None
    """When and from where the members came to each community, where any were given."""

    # ------------------------------------------------------------------ whether
    @property
    def counts(self) -> I32:
        """(hour, y, x): members that had burned the cell by then."""
        out = np.zeros((len(self.hours), *self.grid.shape), np.int32)
        last = np.searchsorted(self.ends_min, np.asarray(self.hours) * 60)
        for i, end in enumerate(last):
            begin = 0 if i == 0 else last[i - 1] + 1
            out[i] = self.arrivals[begin : end + 1].sum(0, dtype=np.int32) + (out[i - 1] if i else 0)
        return out

    @property
    def came(self) -> I32:
        """(y, x): members that had burned the cell by the last hour."""
        return np.asarray(self.arrivals.sum(0, dtype=np.int32))

    @property
    def probability(self) -> F32:
        """(hour, y, x): share of the members that had burned a cell by each hour."""
        return np.divide(self.counts, np.float32(self.n), dtype=np.float32)

    @property
    def error(self) -> F32:
        """(hour, y, x): Monte-Carlo standard error of `probability`, with one outcome of each kind added (Laplace)."""
        p = np.divide(self.counts + 1, np.float32(self.n + 2), dtype=np.float32)
        return np.sqrt(p * (1 - p) / np.float32(self.n))

    # ------------------------------------------------------------------ when
    def arrival_min(self, quantile: float = 0.5) -> F32:
        """(y, x): quantile of arrival over the members that came, to the bin's middle, minutes; NaN where none did."""
        came = self.came
        rank = np.ceil(quantile * came).astype(np.int32).clip(1)
        bins = np.empty(came.shape, np.int32)
        for row, arrived in enumerate(
            np.moveaxis(self.arrivals, 1, 0)
        ):  # a row at a time: one more copy would be large
            bins[row] = (np.cumsum(arrived[:-1], axis=0, dtype=np.int32) < rank[row]).sum(0)
        begins = np.concatenate([[0.0], self.ends_min[:-1]])
        middle = ((begins + self.ends_min) / 2).astype(np.float32)
        return np.where(came > 0, middle[bins], np.float32(np.nan))

    # ------------------------------------------------------------------ how
    @property
    def bearing_deg(self) -> F32:
        """(y, x): circular mean of spread TO, degrees clockwise from **true** north; NaN where none dominates."""
        came = self.came
        length = np.hypot(self.east, self.north) / np.maximum(came, 1)
        bearing = (np.degrees(np.arctan2(self.east, self.north)) + self.grid.convergence_deg()) % 360
        return np.where((came > 0) & (length >= DOMINANT_R), bearing, np.nan).astype(np.float32)

    @property
    def flame_probability(self) -> F32:
        """(4, y, x): share of flames below 4, 4-8, 8-11 and above 11 ft among the members that came; NaN where none did."""
        return _shares(self.flames)

    @property
    def rose_probability(self) -> F32:
        """(sector, y, x): share of each direction of spread TO among the members that came; NaN where none did."""
        return _shares(self.rose)

    # ------------------------------------------------------------------ how large
    @property
    def mean_area_ha(self) -> float:
        """Mean area burned by the last hour."""
        return float(self.size_ha.mean())

    @property
    def mean_area_error_ha(self) -> float:
        """Monte-Carlo standard error of the mean area."""
        return float(self.size_ha.std(ddof=1) / np.sqrt(self.n))

    def size_quantiles_ha(self, quantiles: Sequence[float] = (0.1, 0.5, 0.9)) -> F64:
        """Quantiles of fire size."""
        return np.asarray(np.quantile(self.size_ha, quantiles))

    def exceeds(self, size_ha: Sequence[float]) -> F64:
        """(size,) share of the fires that are larger than each size: what a log-log plot of fire sizes shows."""
        above = np.searchsorted(np.sort(self.size_ha), np.asarray(size_ha, float), side="right")
        return np.asarray(1 - above / self.n)


def _shares(counts: Counts) -> F32:
    total = counts.sum(0, dtype=np.float32)
    return np.divide(counts, np.where(total > 0, total, np.float32(np.nan)), dtype=np.float32)


def ensemble_of(sums: Sums) -> Ensemble:
    """The ensemble that sums over all members make."""
    account, shape = sums.account, sums.account.grid.shape
    east, north, rate = ((sums.moved[:, i] / ONE).astype(np.float32).reshape(shape) for i in range(3))
    moving = sums.rose.sum(1, dtype=np.float32).reshape(shape)
    names = account.communities.names if account.communities else ()
    return Ensemble(
        grid=account.grid,
        hours=account.hours,
        n=account.members,
        ends_min=account.ends_min,
        arrivals=_layers(sums.arrivals, shape),
        flames=_layers(sums.flames, shape),
        rose=_layers(sums.rose, shape),
        east=east,
        north=north,
        rate_m_min=np.divide(rate, moving, out=np.full(shape, np.nan, np.float32), where=moving > 0),
        size_ha=np.asarray(sums.burned * (account.grid.cell_area_m2() / 1e4), float),
        communities=Visits(names, sums.visits, sums.ways) if names else None,
    )


def _layers(counts: Counts, shape: tuple[int, int]) -> Counts:
    """(layer, y, x) view of (cell, layer) counts."""
    return np.moveaxis(counts.reshape(*shape, -1), -1, 0)
