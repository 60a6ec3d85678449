"""Campaign: many fires under uncertain wind, moisture, fuel and rate of spread, summed up as they come.

Memory does not grow with the number of fires, and the result does not depend on the number of threads: each member
draws from its own seed, and members are added in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, I16, I32
from geolabel.fire.front.arrival import Fire, check_start, fire_of
from geolabel.fire.front.fields import Behaviour, behaviour, fuel_fields
from geolabel.fire.front.solver import Ignition, Reached, Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import DRIEST, FASTEST_M_S, Weather
from geolabel.grid import Grid
from geolabel.stream import Progress, silent, walk

BIN_MIN = 15.0
"""Width of the bins in which arrivals are counted, minutes."""
DOMINANT_R = 0.3
"""Mean resultant length below which no direction of spread dominates among the members."""

FuelDraw = Callable[[np.random.Generator], I16]


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What is not known of a fire to come; each number is a standard deviation.

    The error of the rate of spread follows Cruz & Alexander (2013, Environmental Modelling & Software 47, 16-28): +-35 %
    is a reasonable standard. Wind errors are those of the project's benchmark (`TARGETS`: N(20, 5) km/h, 30 degrees).
    """

    speed_share: float = 0.25
    """Of the hourly wind speed, as a share of it."""
    direction_deg: float = 30.0
    """Of the hourly wind direction."""
    correlation: float = 0.8
    """Of wind errors from one hour to the next (first-order autoregression)."""
    log_rate: float = 0.35
    """Of the logarithm of the rate of spread, one draw a fire."""
    log_moisture: float = 0.15
    """Of the logarithm of all moistures, one draw a fire."""

    def __post_init__(self) -> None:
        if (
            min(self.speed_share, self.direction_deg, self.log_rate, self.log_moisture) < 0
            or not 0 <= self.correlation < 1
        ):
            raise FireError(f"impossible uncertainty {self}", hint="standard deviations >= 0, correlation in [0, 1)")


def drawn_weather(weather: Weather, hours: float, unsure: Uncertainty, rng: np.random.Generator) -> Weather:
    """One hourly weather that the given one may turn out to be."""
    hourly = weather.hourly(hours)
    wobble = _autoregressive(rng, len(hourly.hours), unsure.correlation)
    turn = _autoregressive(rng, len(hourly.hours), unsure.correlation)
    speed = np.clip(hourly.speed_m_s * (1 + unsure.speed_share * wobble), 0, FASTEST_M_S)
    wet = float(np.exp(unsure.log_moisture * rng.standard_normal()))
    dead = {name: np.clip(getattr(hourly, name) * wet, DRIEST, 1.0) for name in ("m1", "m10", "m100")}
    live = {name: np.clip(getattr(hourly, name) * wet, 0.3, 3.0) for name in ("live_herb", "live_woody")}
    from_deg = (hourly.from_deg + unsure.direction_deg * turn) % 360
    return hourly.changed(speed_m_s=speed, from_deg=from_deg, **dead, **live)


def _autoregressive(rng: np.random.Generator, n: int, correlation: float) -> NDArray[np.float64]:
    """(n,) standard normal values, each correlated with the one before."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return noise


@dataclass(frozen=True, slots=True)
class _Member:
    """One fire before it is a raster."""

    ground: Landscape
    acts: Behaviour
    reached: Reached


@dataclass(frozen=True)
class Outlook:
    """All that the members of one campaign share."""

    landscape: Landscape
    weather: Weather
    hours: float
    unsure: Uncertainty
    fuels: FuelDraw | None = None
    setting: Setting = "fast"

    def burn(self, ignition: Ignition, seed: np.random.SeedSequence, solver: Solver) -> _Member:
        """The fire of one seed from one ignition."""
        rng = np.random.default_rng(seed)
        weather = drawn_weather(self.weather, self.hours, self.unsure, rng)
        factor = float(np.exp(self.unsure.log_rate * rng.standard_normal()))
        ground = self.landscape if self.fuels is None else self.landscape.with_fuel(self.fuels(rng))
        acts = behaviour(ground, weather, rate_factor=factor)
        start = check_start(ground, ignition)
        reached = solver.reach(fuel_fields(ground, acts), start, self.hours * 60, acts.fastest_m_min)
        return _Member(ground, acts, reached)

    def solver(self) -> Solver:
        """A workspace for these fires."""
        return Solver(self.landscape.grid.shape, self.landscape.grid.res_m, self.setting)

    def fire(self, ignition: Ignition, seed: np.random.SeedSequence, solver: Solver) -> Fire:
        """The same as rasters."""
        one = self.burn(ignition, seed, solver)
        return fire_of(one.ground, one.acts, one.reached, self.hours)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What the fires of a campaign had in common; (y, x) on `grid`."""

    grid: Grid
    hours: tuple[float, ...]
    """Lead times, h."""
    n: int
    counts: I32
    """(hour, y, x): members that had burned the cell by then."""
    arrivals: NDArray[np.uint16]
    """(bin, y, x): members that came in each bin of `BIN_MIN` minutes."""
    east: F32
    north: F32
    """Sums of the unit vectors of spread TO, in the grid's directions."""
    rate_m_min: F32
    """Mean rate of spread at arrival over the members that came; NaN where none did."""
    mean_area_ha: float

    @property
    def probability(self) -> F32:
        """(hour, y, x): share of the members that had burned a cell by each hour."""
        return (self.counts / self.n).astype(np.float32)

    @property
    def error(self) -> F32:
        """(hour, y, x): Monte-Carlo standard error of `probability`, with one outcome of each kind added (Laplace)."""
        p = (self.counts + 1) / (self.n + 2)
        return np.sqrt(p * (1 - p) / self.n).astype(np.float32)

    def arrival_min(self, quantile: float = 0.5) -> F32:
        """(y, x): quantile of arrival over the members that came, to the bin's middle, minutes; NaN where none did."""
        came = self.arrivals.sum(0, dtype=np.int32)
        rank = np.ceil(quantile * came).astype(np.int32).clip(1)
        bins = (np.cumsum(self.arrivals, axis=0, dtype=np.int32) < rank).sum(0)
        return np.where(came > 0, (bins + 0.5) * BIN_MIN, np.nan).astype(np.float32)

    @property
    def bearing_deg(self) -> F32:
        """(y, x): circular mean of spread TO, degrees clockwise from **true** north; NaN where none dominates."""
        came = self.arrivals.sum(0, dtype=np.int32)
        length = np.hypot(self.east, self.north) / np.maximum(came, 1)
        bearing = (np.degrees(np.arctan2(self.east, self.north)) + self.grid.convergence_deg()) % 360
        return np.where((came > 0) & (length >= DOMINANT_R), bearing, np.nan).astype(np.float32)


def campaign(
    landscape: Landscape,
    weather: Weather,
    ignition: Ignition,
    hours: Sequence[float],
    *,
    members: int,
    seed: int,
    unsure: Uncertainty | None = None,
    fuels: FuelDraw | None = None,
    setting: Setting = "fast",
    threads: int = 2,
    progress: Progress = silent,
) -> Ensemble:
    """Ensemble of `members` fires from one ignition over the last of `hours`, read at each of them.

    Parameters
    ----------
    fuels
        Draws a (y, x) fuel raster for a member; without it all members burn the landscape's own fuel. It must leave
        the ignition burnable.

    Raises
    ------
    FireError
        A bad ignition, fewer than two members, weather that ends early.
    """
    if members < 2:
        raise FireError(f"{members} members say nothing of uncertainty", hint="at least 2, better 100")
    outlook = Outlook(landscape, weather, float(hours[-1]), unsure or Uncertainty(), fuels, setting)
    check_start(landscape, ignition)
    sums = _Sums(landscape.grid, tuple(map(float, hours)))
    for one in _members(outlook, [ignition] * members, seed, threads, progress):
        sums.add(one.reached)
    return sums.ensemble()


def _members(
    outlook: Outlook, ignitions: Sequence[Ignition], seed: int, threads: int, progress: Progress
) -> Iterator[_Member]:
    spare: SimpleQueue[Solver] = SimpleQueue()
    for _ in range(max(1, threads)):
        spare.put(outlook.solver())

    def work(job: tuple[Ignition, np.random.SeedSequence]) -> _Member:
        solver = spare.get()
        try:
            return outlook.burn(*job, solver)
        finally:
            spare.put(solver)

    jobs = list(zip(ignitions, np.random.SeedSequence(seed).spawn(len(ignitions)), strict=True))
    return walk(jobs, work, what="simulated fires", threads=threads, progress=progress)


def random_fires(
    landscape: Landscape,
    weather: Weather,
    ignitions: Sequence[Ignition],
    hours: float,
    *,
    seed: int,
    unsure: Uncertainty | None = None,
    fuels: FuelDraw | None = None,
    setting: Setting = "fast",
    threads: int = 2,
) -> Iterator[Fire]:
    """One fire from each ignition, as the given weather may turn out; in order, two a thread in memory at a time."""
    outlook = Outlook(landscape, weather, float(hours), unsure or Uncertainty(), fuels, setting)
    for one in _members(outlook, ignitions, seed, threads, silent):
        yield fire_of(one.ground, one.acts, one.reached, outlook.hours)


class _Sums:
    """Counts and sums over members, added one at a time."""

    def __init__(self, grid: Grid, hours: tuple[float, ...]) -> None:
        self.grid, self.hours, self.n, self.cells = grid, hours, 0, 0
        size = grid.height * grid.width
        self.counts = np.zeros((len(hours), size), np.int32)
        self.arrivals = np.zeros((int(np.ceil(hours[-1] * 60 / BIN_MIN)), size), np.uint16)
        self.east, self.north, self.rate = (np.zeros(size, np.float64) for _ in range(3))

    def add(self, reached: Reached) -> None:
        """One more member."""
        where, when = reached.cells, reached.arrival_min
        self.n, self.cells = self.n + 1, self.cells + len(where)
        for row, hour in zip(self.counts, self.hours, strict=True):
            row[where[when <= hour * 60]] += 1
        bins = np.minimum((when / BIN_MIN).astype(np.int64), len(self.arrivals) - 1)
        self.arrivals[bins, where] += 1
        self.east[where] += np.nan_to_num(reached.normal[:, 0])
        self.north[where] += np.nan_to_num(reached.normal[:, 1])
        self.rate[where] += np.nan_to_num(reached.rate_m_min)

    def ensemble(self) -> Ensemble:
        """What was summed up."""
        shape = self.grid.shape
        came = self.counts[-1]
        rate = np.where(came > 0, self.rate / np.maximum(came, 1), np.nan)
        return Ensemble(
            grid=self.grid,
            hours=self.hours,
            n=self.n,
            counts=self.counts.reshape(-1, *shape),
            arrivals=self.arrivals.reshape(-1, *shape),
            east=self.east.reshape(shape).astype(np.float32),
            north=self.north.reshape(shape).astype(np.float32),
            rate_m_min=rate.reshape(shape).astype(np.float32),
            mean_area_ha=self.cells / self.n * self.grid.cell_area_m2() / 1e4,
        )
