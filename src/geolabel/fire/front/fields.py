"""Fields the front runs on: given ones, or those of fuel, terrain and weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geolabel.bearings import convert_speed, opposite, wind_20ft_from_10m
from geolabel.fire.arrays import F32, F64, I16
from geolabel.fire.behave.flame import fireline_intensity_kw_m
from geolabel.fire.behave.fuel import beds
from geolabel.fire.behave.midflame import unsheltered_adjustment
from geolabel.fire.behave.rothermel import SurfaceFuel, surface_fuel, wind_factor
from geolabel.fire.front.classes import Classes, classes
from geolabel.fire.front.solver import Reached
from geolabel.fire.front.speed import FUEL_COLUMNS, Fields
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather

# ---------------------------------------------------------------------------------------------- given fields
_NO_FUEL = np.zeros(0, np.int16)
_NO_RISE = np.zeros(0, np.float32)


def given_fields(
    head_rate_m_min: F32, head_rad: F32, eccentricity: F32, *, slope: F32, aspect_rad: F32, starts_min: F64
) -> Fields:
    """Fields for the kernel from (period, y, x) rate, direction and eccentricity, and (y, x) slope and aspect."""
    periods = len(starts_min)
    rate, head, ecc = (
        np.require(v, np.float32, ["C", "W"]).reshape(periods, -1) for v in (head_rate_m_min, head_rad, eccentricity)
    )
    return Fields(
        given=True,
        head_rate=rate,
        head_rad=head,
        eccentricity=ecc,
        slope=np.require(slope, np.float32, ["C", "W"]).ravel(),
        aspect_rad=np.require(aspect_rad, np.float32, ["C", "W"]).ravel(),
        fuel=_NO_FUEL,
        rise_east=_NO_RISE,
        rise_north=_NO_RISE,
        behaviour=np.zeros((0, 0, FUEL_COLUMNS)),
        starts=starts_min,
    )


# ---------------------------------------------------------------------------------------------- fuel and weather
@dataclass(frozen=True, slots=True)
class Behaviour:
    """What each class of cells of a landscape does in each period of weather."""

    starts_min: F64
    table: F64
    """(period, class, FUEL_COLUMNS), as the kernel reads it."""
    heat_per_area_kj_m2: F64
    """(period, class)."""
    fastest_m_min: float
    of: I16
    """(cell,) class of each cell, -1 where nothing burns."""


def behaviour(
    landscape: Landscape, weather: Weather, *, rate_factor: float = 1.0, wind_limit: bool = True
) -> Behaviour:
    """Surface fire of each class of cells in each period, with wind at flame height, in the grid's frame.

    Parameters
    ----------
    rate_factor
        Multiplies every rate of spread: the model's own error.
    """
    kinds = classes(landscape, weather.zones)
    fuel, depth_ft = surface(kinds, weather)
    adjustment = unsheltered_adjustment(depth_ft) if kinds.canopy is None else kinds.canopy.wind_adjustment(depth_ft)
    twenty_ft = convert_speed(wind_20ft_from_10m(weather.speed_m_s), "m/s", "m/min")
    factor = wind_factor(fuel, twenty_ft[:, None] * adjustment)
    to = np.radians(opposite(weather.from_deg) - landscape.grid.convergence_deg())[:, None]
    limit = wind_factor(fuel, fuel.max_wind_m_min) if wind_limit else np.full(factor.shape, np.inf)
    rate = fuel.rate_m_min * rate_factor
    columns = (
        rate,
        factor * np.sin(to),
        factor * np.cos(to),
        fuel.slope_scale,
        1 / fuel.wind_scale,
        1 / fuel.wind_power,
        limit,
    )
    table = np.empty((*factor.shape, FUEL_COLUMNS))
    for i, column in enumerate(columns):
        table[..., i] = column
    fastest = float((rate * (1 + np.minimum(factor, limit))).max(initial=0.0))
    return Behaviour(weather.hours * 60, table, fuel.heat_per_area_kj_m2, fastest, kinds.of)


def surface(kinds: Classes, weather: Weather) -> tuple[SurfaceFuel, F64]:
    """(surface fuel of each period and class, depth in ft of each class); equal fuel in equal moisture is computed once."""
    fuels, zone = np.array(kinds.fuels, int), np.zeros(len(kinds.fuels), int) if kinds.zone is None else kinds.zone
    pair, of = np.unique(np.stack([fuels, zone]), axis=1, return_inverse=True)
    bed = beds(pair[0].tolist())
    wet = weather.moisture[:, :, None]
    if weather.zones is not None:
        wet = np.moveaxis(weather.zones.moisture[pair[1]], 0, -1)
    fuel = surface_fuel(bed, wet)
    return SurfaceFuel(*(getattr(fuel, name)[..., of] for name in SurfaceFuel.__slots__)), bed.depth_ft[of]


_NO_FIELD = np.zeros((0, 0), np.float32)


def fuel_fields(landscape: Landscape, acts: Behaviour) -> Fields:
    """Fields for the kernel from terrain and the behaviour of its classes."""
    east, north = (part.ravel() for part in landscape.rise)
    return Fields(
        given=False,
        head_rate=_NO_FIELD,
        head_rad=_NO_FIELD,
        eccentricity=_NO_FIELD,
        slope=_NO_RISE,
        aspect_rad=_NO_RISE,
        fuel=acts.of,
        rise_east=east,
        rise_north=north,
        behaviour=acts.table,
        starts=acts.starts_min,
    )


def intensity_kw_m(landscape: Landscape, acts: Behaviour, reached: Reached) -> F64:  # noqa: ARG001 - crowns
    """(n,) Byram's fireline intensity where and when the fire came to each cell; NaN at the start."""
    period = np.searchsorted(acts.starts_min, reached.arrival_min, side="right") - 1
    heat = acts.heat_per_area_kj_m2[period, acts.of[reached.cells]]
    return np.asarray(fireline_intensity_kw_m(heat, reached.rate_m_min))
