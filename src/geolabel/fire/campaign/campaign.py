"""Campaign: many fires under uncertain wind, moisture, fuel, ignition and rate of spread, summed up as they come.

Memory does not grow with the number of fires, and the result is the same to the last bit for any number of threads and
on any cluster: each member draws from its own seed, and what is summed up are whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.campaign.communities import Communities
from geolabel.fire.campaign.ensemble import Ensemble, ensemble_of
from geolabel.fire.campaign.ignitions import Ignitions
from geolabel.fire.campaign.members import FuelDraw, Member, Outlook, seed_of
from geolabel.fire.campaign.sums import Account, Sums
from geolabel.fire.campaign.uncertainty import Uncertainty
from geolabel.fire.front.arrival import Fire, check_start, fire_of
from geolabel.fire.front.ignition import Lit
from geolabel.fire.front.solver import Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.stream import Progress, silent, walk

if TYPE_CHECKING:
    import geopandas as gpd

BIN_MIN = 15.0
"""Width of the bins in which the arrivals of fires from one ignition are counted, minutes."""
PIECES = 32
"""Pieces in which a campaign goes to the workers of a cluster."""


# ---------------------------------------------------------------------------------------------- campaigns
def campaign(
    landscape: Landscape,
    weather: Weather,
    ignition: Lit,
    hours: Sequence[float],
    *,
    members: int,
    seed: int,
    unsure: Uncertainty | None = None,
    fuels: FuelDraw | None = None,
    setting: Setting = "fast",
    crown: CrownModel | None = None,
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
    crown
        Whose crown fire burns above the surface fire; None for the surface fire alone.
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
    outlook = Outlook(landscape, weather, float(hours[-1]), unsure or Uncertainty(), fuels, setting, crown)
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
    crown: CrownModel | None = None,
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
    fuels, crown, communities, bin_min, sectors, scheduler
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
    outlook = Outlook(landscape, several, float(hours[-1]), unsure or Uncertainty(), fuels, setting, crown)
    account = _account(landscape, hours, fires, bin_min, sectors, communities)
    return _run(outlook, ignitions, account, seed, threads, scheduler, progress)


def random_fires(
    landscape: Landscape,
    weather: Weather,
    ignitions: Sequence[Lit],
    hours: float,
    *,
    seed: int,
    unsure: Uncertainty | None = None,
    fuels: FuelDraw | None = None,
    setting: Setting = "fast",
    crown: CrownModel | None = None,
    threads: int = 2,
) -> Iterator[Fire]:
    """One fire from each ignition, as the given weather may turn out; in order, two a thread in memory at a time."""
    outlook = Outlook(landscape, weather, float(hours), unsure or Uncertainty(), fuels, setting, crown)
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
    ignition: Lit | Ignitions,
    account: Account,
    seed: int,
    threads: int,
    scheduler: Any,
    progress: Progress,
) -> Ensemble:
    _ = outlook.hourly  # a weather that ends early is refused before anything burns
    if scheduler is None:
        return ensemble_of(_on_threads(outlook, ignition, account, seed, threads, progress))
    sums = Sums(account)
    edges = np.linspace(0, account.members, min(PIECES, account.members) + 1).astype(int).tolist()
    work = partial(_piece, outlook, ignition, account, seed)
    pieces = list(pairwise(edges))
    for part in walk(pieces, work, what="simulated fires", progress=progress, scheduler=scheduler):
        sums.merge(part)
    return ensemble_of(sums)


def _piece(outlook: Outlook, ignition: Lit | Ignitions, account: Account, seed: int, members: tuple[int, int]) -> Sums:
    """Sums over some members, burned one after the other in one workspace."""
    sums, solver = Sums(account, *members), outlook.solver()
    for member in range(*members):
        one = outlook.burn(ignition, seed_of(seed, member), solver)
        sums.note(member, one.reached)
        sums.add(one.reached, one.flame_m)
    return sums


def _on_threads(
    outlook: Outlook, ignition: Lit | Ignitions, account: Account, seed: int, threads: int, progress: Progress
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
