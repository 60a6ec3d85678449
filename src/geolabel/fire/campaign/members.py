"""One member of a campaign: what its seed makes of the uncertainty, and the fire that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geolabel.fire.arrays import F64, I16
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.campaign.ignitions import Ignitions
from geolabel.fire.campaign.uncertainty import Uncertainty, erring
from geolabel.fire.front.arrival import Fire, check_start, fire_of
from geolabel.fire.front.fields import Behaviour, behaviour, flames, fuel_fields
from geolabel.fire.front.ignition import Lit
from geolabel.fire.front.solver import Reached, Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather

FuelDraw = Callable[[np.random.Generator], I16]
"""Draws a (y, x) fuel raster for a member."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What one member burns under."""

    ground: Landscape
    weather: Weather
    rate_factor: float
    ignition: Lit


@dataclass(frozen=True, slots=True)
class Member:
    """One fire before it is a raster."""

    ground: Landscape
    acts: Behaviour
    reached: Reached

    @property
    def flame_m(self) -> F64:
        """(n,) flame length in the cells it reached; NaN at the start."""
        return flames(self.ground, self.acts, self.reached).flame_m


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
    crown: CrownModel | None = None

    def draw(self, ignition: Lit | Ignitions, seed: np.random.SeedSequence) -> Draw:
        """What one seed makes of the uncertainty."""
        rng = np.random.default_rng(seed)
        hourly = self.hourly[rng.integers(len(self.hourly))] if len(self.hourly) > 1 else self.hourly[0]
        weather = erring(hourly, self.unsure, rng)
        factor = float(np.exp(self.unsure.log_rate * rng.standard_normal()))
        ground = self.landscape if self.fuels is None else self.landscape.with_fuel(self.fuels(rng))
        if isinstance(ignition, Ignitions):
            ignition = ignition.draw(rng, ground)
        return Draw(ground, weather, factor, ignition)

    def burn(self, ignition: Lit | Ignitions, seed: np.random.SeedSequence, solver: Solver) -> Member:
        """The fire of one seed from one ignition, or from one that is drawn."""
        one = self.draw(ignition, seed)
        acts = behaviour(one.ground, one.weather, rate_factor=one.rate_factor, crown=self.crown)
        start = check_start(one.ground, one.ignition)
        reached = solver.reach(fuel_fields(one.ground, acts), start, self.hours * 60, acts.fastest_m_min)
        return Member(one.ground, acts, reached)

    @cached_property
    def hourly(self) -> tuple[Weather, ...]:
        """The weathers by the hour, up to the last one looked at."""
        given = (self.weather,) if isinstance(self.weather, Weather) else self.weather
        return tuple(one.hourly(self.hours) for one in given)

    def solver(self) -> Solver:
        """A workspace for these fires."""
        return Solver(self.landscape.grid.shape, self.landscape.grid.res_m, self.setting)

    def fire(self, ignition: Lit, seed: np.random.SeedSequence, solver: Solver) -> Fire:
        """The same as rasters."""
        one = self.burn(ignition, seed, solver)
        return fire_of(one.ground, one.acts, one.reached, self.hours)


def seed_of(seed: int, member: int) -> np.random.SeedSequence:
    """The seed of one member, whoever burns it."""
    return np.random.SeedSequence(seed, spawn_key=(member,))
