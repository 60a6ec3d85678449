"""How likely perimeters are, given a simulated fire: an ordered probit of log arrival, tempered to what is independent.

The fire came to a cell at T exp(e), where T is the simulated arrival and e a local error with standard deviation s: so
the cell had burned by t with probability Phi(log(t / T) / s), and a perimeter's cells tell between which of the times
seen the fire came. A cell that cannot burn, that the fire cannot reach on the map, or that burned at the start is not
scored: an outline along a road says nothing of how far the fire would have gone.

Errors of neighbouring cells are one error. Cells therefore count as if the burned area were `PIECES` independent ones: a
composite likelihood with its information scaled down (Varin, Reid & Firth 2011; Ribatet, Cooley & Davison 2012), as in
generalised Bayes with a learning rate (Bissiri, Holmes & Walker 2016). `benchmarks/calibration.py` shows on simulated
fires that intervals then hold the truth about as often as they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from scipy.special import ndtr

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, I16, Mask
from geolabel.fire.calibrate.prior import ERRORS, Prior
from geolabel.fire.landscape import Landscape

PIECES = 1.5
"""Independent observations a burned area counts for: few, since a wrong fuel or a wrong hour of wind is one error for much
of it. Simulated fires chose it (`benchmarks/calibration.py`, other seeds each time): of the 90 % intervals of a timed rate
68 % held the truth with 12, 79 % with 4, 84 % with 2.5, 92 % with 1.5."""
OUTLIERS = 0.01
"""Share of cells that burned or not for reasons of their own."""
BIN = 0.03
"""Width of the bins of log arrival."""
BEYOND = 1.5
"""How much longer than the longest duration fires run, and how much later cells not reached by then are taken to burn."""


@dataclass(frozen=True)
class Perimeter:
    """All that had burned when it was looked at.

    Raises
    ------
    FireError
        Where nothing burned, or the time is not after the start.
    """

    burned: Mask
    """(y, x) on the landscape's grid."""
    hours: float | None = None
    """After the ignition; None for a final scar whose fire stopped nobody knows when."""

    def __post_init__(self) -> None:
        if self.burned.dtype != bool or not self.burned.any():
            raise FireError("a perimeter without a burned cell", hint="a (y, x) bool mask, true where it burned")
        if self.hours is not None and not self.hours > 0:
            raise FireError(f"a perimeter {self.hours:g} h after the ignition", hint="later than the ignition")


@dataclass(frozen=True)
class Observed:
    """Perimeters as the likelihood reads them."""

    ring: I16
    """(y, x) 0 for cells of the first perimeter, 1 for those new in the second, the number of perimeters for cells that
    did not burn; -1 where not scored."""
    known_h: tuple[float, ...]
    """Times of the perimeters whose time is known, rising."""
    durations_h: F64
    """(d,) what the last time may be; one where it is known."""
    horizon_h: float
    """How long fires have to run."""
    perimeters: int
    unreachable: int
    """Burned cells that the fire cannot reach on the map."""
    pieces: float

    @property
    def burned(self) -> Mask:
        """(y, x): scored cells that burned."""
        return (self.ring >= 0) & (self.ring < self.rings - 1)

    @property
    def rings(self) -> int:
        """Number of rings, that of what did not burn counted."""
        return self.perimeters + 1

    @property
    def timed(self) -> bool:
        """Whether any time is known."""
        return bool(self.known_h) or len(self.durations_h) == 1


def observed(
    landscape: Landscape,
    start: Mask,
    perimeters: Sequence[Perimeter],
    prior: Prior,
    *,
    lasts_h: float = np.inf,
    pieces: float = PIECES,
) -> Observed:
    """Perimeters as the likelihood reads them; a later one holds all that an earlier one held.

    Parameters
    ----------
    start
        (y, x) cells that burn at the start.
    lasts_h
        How long the weather lasts; no fire runs longer.

    Raises
    ------
    FireError
        No perimeter, masks of another shape, times that do not rise, more than one without a time or not the last,
        nothing burned that the fire can reach.
    """
    _check(landscape, perimeters)
    known = tuple(one.hours for one in perimeters if one.hours is not None)
    last = perimeters[-1].hours
    durations = prior.durations_h(known[-1] if known else 0.0) if last is None else np.array([last])
    reach = reachable(landscape.burnable, start)
    ring = np.full(landscape.grid.shape, len(perimeters), np.int16)
    for number, one in reversed(list(enumerate(perimeters))):
        ring[one.burned] = number
    burned = ring < len(perimeters)
    ring[~reach | start] = -1
    if not (ring[burned] >= 0).any():
        raise FireError(
            f"none of the {int(burned.sum())} burned cells can be reached from the ignition on the map",
            hint="another ignition, or the fuel of what lies between",
        )
    before = known if last is None else known[:-1]
    horizon = max(min(durations[-1] * BEYOND, lasts_h), durations[-1])
    lost = int((burned & ~reach & ~start).sum())
    return Observed(ring, before, durations, float(horizon), len(perimeters), lost, pieces)


def _check(landscape: Landscape, perimeters: Sequence[Perimeter]) -> None:
    if not perimeters:
        raise FireError(
            "no perimeter to learn from", hint="Perimeter(mask, hours) or, of a final scar, Perimeter(mask)"
        )
    for one in perimeters:
        if one.burned.shape != landscape.grid.shape:
            raise FireError(f"a perimeter of {one.burned.shape} on {landscape.grid!r}")
    times = [one.hours for one in perimeters]
    known = [hours for hours in times if hours is not None]
    if None in times[:-1] or (np.diff(known) <= 0).any():
        raise FireError(f"perimeters at {times} h", hint="in order of time; only the last may have none")


def reachable(burnable: Mask, start: Mask) -> Mask:
    """(y, x): burnable cells 4-connected to a start."""
    patch, _ = label(burnable)
    own = np.unique(patch[start & burnable])
    return np.isin(patch, own) & burnable


class Likelihood:
    """Log-likelihood of what was observed for any simulated arrival, over durations and local errors."""

    def __init__(self, seen: Observed) -> None:
        self.seen = seen
        cells = seen.ring.ravel()
        self._cells = np.flatnonzero(cells >= 0)
        self._ring = cells[self._cells].astype(np.int64)
        self._weight = seen.pieces / max(int((self._ring < seen.rings - 1).sum()), 1)
        end = float(np.log(seen.horizon_h * 60))
        self._edges = np.arange(end - 9.0, end + BIN, BIN)
        self._middle = np.append(0.5 * (self._edges[1:] + self._edges[:-1]), end + np.log(BEYOND))
        self._table = self._log_chance()

    def _log_chance(self) -> F64:
        """(ring, duration, error, bin) log-probability of a cell's ring, given its bin of simulated log arrival."""
        seen, count = self.seen, len(self._middle)
        times = np.empty((seen.rings - 1, len(seen.durations_h)))
        times[:-1] = np.asarray(seen.known_h)[:, None]
        times[-1] = seen.durations_h
        apart = np.log(times * 60)[:, :, None, None] - self._middle
        by = ndtr(apart / np.asarray(ERRORS)[:, None])
        none = np.zeros((1, len(seen.durations_h), len(ERRORS), count))
        ring = np.diff(np.concatenate([none, by, none + 1]), axis=0)
        return np.asarray(np.log(OUTLIERS / seen.rings + (1 - OUTLIERS) * ring))

    def log(self, arrival_min: F32) -> F64:
        """(duration, error) tempered log-likelihood of one simulated fire, (y, x) arrival in minutes, inf where none."""
        bins = self._bins(arrival_min.ravel()[self._cells])
        counts = np.bincount(self._ring * len(self._middle) + bins, minlength=self.seen.rings * len(self._middle))
        shares = counts.reshape(self.seen.rings, -1) * self._weight
        return np.asarray(np.einsum("rdeb,rb->de", self._table, shares))

    def _bins(self, arrival: F32) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        late = len(self._middle) - 1
        with np.errstate(divide="ignore"):
            place = np.floor((np.log(arrival.astype(float)) - self._edges[0]) / BIN)
        return np.clip(np.where(np.isfinite(place), place, np.where(arrival > 0, late, 0)), 0, late).astype(np.int64)

    def agreement(self, arrival_min: F32) -> F64:
        """(duration,) Sorensen of the fire's new growth with the scar; burned cells out of its reach count as missed."""
        arrival = arrival_min.ravel()[self._cells]
        inside = self._ring < self.seen.rings - 1
        ends = self.seen.durations_h * 60
        both = np.searchsorted(np.sort(arrival[inside]), ends, side="right")
        false = np.searchsorted(np.sort(arrival[~inside]), ends, side="right")
        return np.asarray(2 * both / (both + false + inside.sum() + self.seen.unreachable))
