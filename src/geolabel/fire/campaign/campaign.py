"""Campaign: many fires under uncertain wind, moisture, fuel, ignition and rate of spread, summed up as they come.

Memory does not grow with the number of fires, and the result is the same to the last bit for any number of threads and
on any cluster: each member draws from its own seed, and what is summed up are whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F64, I16
from geolabel.fire.behave.flame import flame_length_m
from geolabel.fire.campaign.communities import Communities
from geolabel.fire.campaign.ensemble import Ensemble, ensemble_of
from geolabel.fire.campaign.ignitions import Ignitions
from geolabel.fire.campaign.sums import Account, Sums
from geolabel.fire.campaign.uncertainty import Uncertainty, drawn_weather
from geolabel.fire.front.arrival import Fire, check_start, fire_of
from geolabel.fire.front.fields import Behaviour, behaviour, fuel_fields, intensity_kw_m
from geolabel.fire.front.solver import Ignition, Reached, Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.stream import Progress, silent, walk

if TYPE_CHECKING:
    import geopandas as gpd

BIN_MIN = 15.0
"""Width of the bins in which the arrivals of fires from one ignition are counted, minutes."""
PIECES = 32
"""Pieces in which a campaign goes to the workers of a cluster."""

FuelDraw = Callable[[np.random.Generator], I16]


# ---------------------------------------------------------------------------------------------- one member
@dataclass(frozen=True, slots=True)
class Drawn:
    """What one member burns under."""

    ground: Landscape
    weather: Weather
    rate_factor: float
    ignition: Ignition


@dataclass(frozen=True, slots=True)
class Member:
    """One fire before it is a raster."""

    ground: Landscape
    acts: Behaviour
    reached: Reached

    @property
    def flame_m(self) -> F64:
        """(n,) flame length in the cells it reached; NaN at the start."""
        return np.asarray(flame_length_m(intensity_kw_m(self.ground, self.acts, self.reached)))


@dataclass(frozen=True)
class Outlook:
    """All that the members of one campaign share."""

    landscape: Landscape
    weather: Weather | tuple[Weather, ...]
    """One weather, or several of which each member draws one."""
    hours: float
    unsure: Uncertainty
    fuels: FuelDraw | None = None
    setting: Setting = "fast"

    def draw(self, ignition: Ignition | Ignitions, seed: np.random.SeedSequence) -> Drawn:
        """What one seed makes of the uncertainty."""
        rng = np.random.default_rng(seed)
        weather = drawn_weather(self.one_weather(rng), self.hours, self.unsure, rng)
        factor = float(np.exp(self.unsure.log_rate * rng.standard_normal()))
        ground = self.landscape if self.fuels is None else self.landscape.with_fuel(self.fuels(rng))
        if isinstance(ignition, Ignitions):
            ignition = ignition.draw(rng, ground)
        return Drawn(ground, weather, factor, ignition)

    def burn(self, ignition: Ignition | Ignitions, seed: np.random.SeedSequence, solver: Solver) -> Member:
        """The fire of one seed from one ignition, or from one that is drawn."""
        one = self.draw(ignition, seed)
        acts = behaviour(one.ground, one.weather, rate_factor=one.rate_factor)
        start = check_start(one.ground, one.ignition)
        reached = solver.reach(fuel_fields(one.ground, acts), start, self.hours * 60, acts.fastest_m_min)
        return Member(one.ground, acts, reached)

    def one_weather(self, rng: np.random.Generator) -> Weather:
        """The weather, or one of several, all equally likely."""
        return self.weather if isinstance(self.weather, Weather) else self.weather[rng.integers(len(self.weather))]

    def solver(self) -> Solver:
        """A workspace for these fires."""
        return Solver(self.landscape.grid.shape, self.landscape.grid.res_m, self.setting)

    def fire(self, ignition: Ignition, seed: np.random.SeedSequence, solver: Solver) -> Fire:
        """The same as rasters."""
        one = self.burn(ignition, seed, solver)
        return fire_of(one.ground, one.acts, one.reached, self.hours)

    def check(self) -> None:
        """Raise FireError where a weather ends before the last hour."""
        for weather in (self.weather,) if isinstance(self.weather, Weather) else self.weather:
            weather.check_lasts(self.hours)


def seed_of(seed: int, member: int) -> np.random.SeedSequence:
    """The seed of one member, whoever burns it."""
    return np.random.SeedSequence(seed, spawn_key=(member,))


# ---------------------------------------------------------------------------------------------- campaigns
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
    communities: gpd.GeoDataFrame | None = None,
    bin_min: float | None = BIN_MIN,
    sectors: int = 8,
    threads: int = 2,
    scheduler: Any = None,
    progress: Progress = silent,
) -> Ensemble:
    """Ensemble of `members` fires from one ignition over the last of `hours`, read at each of them.

    Parameters
    ----------
    fuels
        Draws a (y, x) fuel raster for a member; without it all members burn the landscape's own fuel. It must leave
        the ignition burnable.
    communities
        Polygons with a column `name`: when and from where each member comes to them is kept.
    bin_min
        Width of the bins of arrival, minutes: two bytes a cell and bin. None for the lead times alone.
    sectors
        Of the direction rose, 4, 8 or 16.
    scheduler
        A `dask.distributed` client or address on whose workers the members burn; threads of this process without it.

    Raises
    ------
    FireError
        A bad ignition, fewer than two members, weather that ends early, lead times that do not rise.
    """
    check_start(landscape, ignition)
    outlook = Outlook(landscape, weather, float(hours[-1]), unsure or Uncertainty(), fuels, setting)
    account = _account(landscape, hours, members, bin_min, sectors, communities)
    return _run(outlook, ignition, account, seed, threads, scheduler, progress)


def burn_probability(
    landscape: Landscape,
    weather: Weather | Sequence[Weather],
    density: NDArray[np.floating] | None,
    hours: Sequence[float],
    *,
    fires: int,
    seed: int,
    unsure: Uncertainty | None = None,
    fuels: FuelDraw | None = None,
    setting: Setting = "fast",
    communities: gpd.GeoDataFrame | None = None,
    bin_min: float | None = None,
    sectors: int = 8,
    threads: int = 2,
    scheduler: Any = None,
    progress: Progress = silent,
) -> Ensemble:
    """Ensemble of fires from ignitions all over a landscape: its `probability` is that of burning, given one ignition.

    Parameters
    ----------
    weather
        One weather, or several (of days on which fires run) of which each fire draws one, before its errors.
    density
        (y, x) relative density of ignitions (`ignitions.density_near`, `mixed_density`, any raster >= 0); None: even
        over burnable ground. Only cells from which a fire can spread under the member's fuel are lit.
    fuels, communities, bin_min, sectors, scheduler
        As for `campaign`.

    Raises
    ------
    FireError
        A density that is 0 wherever a fire can start, fewer than two fires, weather that ends early.
    """
    several = weather if isinstance(weather, Weather) else tuple(weather)
    if several == ():
        raise FireError("no weather to burn under", hint="one Weather, or several")
    given = np.ones(landscape.grid.shape, np.float32) if density is None else density
    ignitions = Ignitions.of(given, landscape, drawn_fuel=fuels is not None)
    outlook = Outlook(landscape, several, float(hours[-1]), unsure or Uncertainty(), fuels, setting)
    account = _account(landscape, hours, fires, bin_min, sectors, communities)
    return _run(outlook, ignitions, account, seed, threads, scheduler, progress)


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
    lent = _solvers(outlook, threads)

    def work(member: int) -> Member:
        with lent() as solver:
            return outlook.burn(ignitions[member], seed_of(seed, member), solver)

    for one in walk(range(len(ignitions)), work, what="simulated fires", threads=threads):
        yield fire_of(one.ground, one.acts, one.reached, outlook.hours)


# ---------------------------------------------------------------------------------------------- runs
def _account(
    landscape: Landscape,
    hours: Sequence[float],
    members: int,
    bin_min: float | None,
    sectors: int,
    communities: gpd.GeoDataFrame | None,
) -> Account:
    places = None if communities is None else Communities.on(communities, landscape.grid)
    return Account(landscape.grid, tuple(map(float, hours)), members, bin_min, sectors, places)


def _solvers(outlook: Outlook, threads: int) -> Callable[[], AbstractContextManager[Solver]]:
    """Lends a workspace to whoever asks, one a thread."""
    spare: SimpleQueue[Solver] = SimpleQueue()
    for _ in range(max(1, threads)):
        spare.put(outlook.solver())

    @contextmanager
    def lent() -> Iterator[Solver]:
        solver = spare.get()
        try:
            yield solver
        finally:
            spare.put(solver)

    return lent


def _run(
    outlook: Outlook,
    ignition: Ignition | Ignitions,
    account: Account,
    seed: int,
    threads: int,
    scheduler: Any,
    progress: Progress,
) -> Ensemble:
    outlook.check()
    if scheduler is None:
        return ensemble_of(_on_threads(outlook, ignition, account, seed, threads, progress))
    sums = Sums(account)
    edges = np.linspace(0, account.members, min(PIECES, account.members) + 1).astype(int).tolist()
    work = partial(_piece, outlook, ignition, account, seed)
    pieces = list(pairwise(edges))
    for part in walk(pieces, work, what="simulated fires", progress=progress, scheduler=scheduler):
        sums.merge(part)
    return ensemble_of(sums)


def _piece(
    outlook: Outlook, ignition: Ignition | Ignitions, account: Account, seed: int, members: tuple[int, int]
) -> Sums:
    """Sums over some members, burned one after the other in one workspace."""
    sums, solver = Sums(account, *members), outlook.solver()
    for member in range(*members):
        one = outlook.burn(ignition, seed_of(seed, member), solver)
        sums.note(member, one.reached)
        sums.add(one.reached, one.flame_m)
    return sums


def _on_threads(
    outlook: Outlook, ignition: Ignition | Ignitions, account: Account, seed: int, threads: int, progress: Progress
) -> Sums:
    """Sums over all members, which threads burn side by side and add up one after the other."""
    sums, lent, alone = Sums(account), _solvers(outlook, threads), Lock()

    def work(member: int) -> None:
        with lent() as solver:
            one = outlook.burn(ignition, seed_of(seed, member), solver)
        flame_m = one.flame_m
        sums.note(member, one.reached)
        with alone:
            sums.add(one.reached, flame_m)

    for _ in walk(range(account.members), work, what="simulated fires", threads=threads, progress=progress):
        pass
    return sums
