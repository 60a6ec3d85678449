"""Fields the front runs on: given ones, or those of fuel, terrain and weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import convert_speed, opposite, wind_20ft_from_10m
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, I16
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.crown import ACTIVE, CONDITIONAL, PASSIVE, SURFACE, ActiveRate
from geolabel.fire.behave.flame import fireline_intensity_kw_m, flame_length_m, thomas_flame_length_m
from geolabel.fire.behave.fuel import beds
from geolabel.fire.behave.midflame import unsheltered_adjustment
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.behave.rothermel import SurfaceFuel, surface_fuel, wind_factor
from geolabel.fire.front.classes import Classes, classes
from geolabel.fire.front.crowns import Under, crown_columns, crown_heat_kj_m2
from geolabel.fire.front.heads import heads_of
from geolabel.fire.front.solver import Reached
from geolabel.fire.front.speed import FUEL_COLUMNS, SLOWEST_M_MIN, Fields
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.field import WindField
from geolabel.fire.weather.weather import Weather

NOWHERE = 255
"""Kind of fire where none came."""

# ---------------------------------------------------------------------------------------------- given fields
_NO_RISE = np.zeros(0, np.float32)
_NO_FIELD = np.zeros((0, 0), np.float32)


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
        fuel=np.where((rate > SLOWEST_M_MIN).any(0), np.int16(0), np.int16(-1)),
        rise_east=_NO_RISE,
        rise_north=_NO_RISE,
        behaviour=np.zeros((0, 0, FUEL_COLUMNS)),
        starts=starts_min,
        wind_ratio=_NO_FIELD,
        wind_turn_deg=_NO_FIELD,
    )


# ---------------------------------------------------------------------------------------------- fuel and weather
@dataclass(frozen=True, slots=True)
class Behaviour:
    """What each class of cells of a landscape does in each period of weather."""

    starts_min: F64
    table: F64
    """(period, class, FUEL_COLUMNS), as the kernel reads it; CROWN_COLUMNS more with a crown model."""
    heat_per_area_kj_m2: F64
    """(period, class), of the surface fuel."""
    crown_heat_kj_m2: F64 | None
    """(class,) of all crown fuel; None without a crown model."""
    fastest_m_min: float
    of: I16
    """(cell,) class of each cell, -1 where nothing burns."""
    wind: WindField | None = None


def behaviour(
    landscape: Landscape,
    weather: Weather,
    *,
    rate_factor: float = 1.0,
    wind_limit: bool = True,
    crown: CrownModel | None = None,
) -> Behaviour:
    """Fire of each class of cells in each period, with wind at flame height, in the grid's frame.

    Parameters
    ----------
    rate_factor
        Multiplies every rate of spread: the model's own error.
    crown
        Whose crown fire burns above the surface fire; None for the surface fire alone.

    Raises
    ------
    FireError
        With a crown model: without canopy base height or bulk density.
    """
    kinds = classes(landscape, weather.zones)
    wet = moisture(kinds, weather)
    fuel, depth_ft = surface(kinds, wet)
    adjustment = unsheltered_adjustment(depth_ft) if kinds.canopy is None else kinds.canopy.wind_adjustment(depth_ft)
    to = np.radians(opposite(weather.from_deg) - landscape.grid.convergence_deg())
    columns = surface_columns(fuel, midflame(weather, adjustment), to, rate_factor=rate_factor, wind_limit=wind_limit)
    heat = None
    if crown is not None:
        canopy = kinds.canopy or Canopy()
        under = Under(canopy, weather.speed_m_s, to, wet, rate_factor)
        columns += crown_columns(crown, under, fuel, adjustment)
        heat = crown_heat_kj_m2(canopy)
    table = np.empty((len(to), len(kinds.fuels), len(columns)))
    for i, column in enumerate(columns):
        table[..., i] = column
    ratio = 1.0 if weather.field is None else float(weather.field.ratio[:, ::8, ::8].max())
    return Behaviour(
        weather.hours * 60, table, fuel.heat_per_area_kj_m2, heat, fastest(table, ratio), kinds.of, weather.field
    )


def moisture(kinds: Classes, weather: Weather) -> F64:
    """(5, period, class), or (5, period, 1) where it is the same everywhere."""
    if weather.zones is None or kinds.zone is None:
        return weather.moisture[:, :, None]
    return np.moveaxis(weather.zones.moisture[kinds.zone], 0, -1)


def midflame(weather: Weather, adjustment: F64) -> F64:
    """(period, class) wind at flame height, m/min."""
    twenty_ft = convert_speed(wind_20ft_from_10m(weather.speed_m_s), "m/s", "m/min")
    return np.asarray(twenty_ft)[:, None] * adjustment


def surface_columns(
    fuel: SurfaceFuel, midflame_m_min: F64, to_rad: F64, *, rate_factor: float, wind_limit: bool
) -> tuple[F64, ...]:
    """FUEL_COLUMNS columns of (period, class), as `speed.fuel_head` reads them."""
    factor = wind_factor(fuel, midflame_m_min)
    return (
        fuel.rate_m_min * rate_factor,
        factor * np.sin(to_rad)[:, None],
        factor * np.cos(to_rad)[:, None],
        fuel.slope_scale,
        1 / fuel.wind_scale,
        1 / fuel.wind_power,
        wind_factor(fuel, fuel.max_wind_m_min) if wind_limit else np.full(factor.shape, np.inf),
    )


def fastest(table: F64, ratio: float = 1.0) -> float:
    """About the highest rate in a table, m/min, on level ground in `ratio` times the wind."""
    factor = np.hypot(table[..., 1], table[..., 2]) * ratio ** (1 / table[..., 5])
    rate = table[..., 0] * (1 + np.minimum(factor, table[..., 6]))
    if table.shape[-1] > FUEL_COLUMNS:
        crowns = ActiveRate(*np.moveaxis(table[..., 8:12], -1, 0)).at(ratio)
        rate = np.maximum(rate, np.where(np.isfinite(table[..., 7]), crowns, 0.0))
    return float(rate.max(initial=0.0))


def surface(kinds: Classes, wet: F64) -> tuple[SurfaceFuel, F64]:
    """(surface fuel of each period and class, depth in ft of each class); equal fuel in equal moisture is computed once.

    Moisture is that of `moisture`.
    """
    zone = np.zeros(len(kinds.fuels), int) if kinds.zone is None else kinds.zone
    _, first, of = np.unique(
        np.stack([np.array(kinds.fuels, int), zone]), axis=1, return_index=True, return_inverse=True
    )
    bed = beds([kinds.fuels[i] for i in first])
    fuel = surface_fuel(bed, wet if wet.shape[-1] == 1 else wet[..., first])
    return SurfaceFuel(*(getattr(fuel, name)[..., of] for name in SurfaceFuel.__slots__)), bed.depth_ft[of]


def fuel_fields(landscape: Landscape, acts: Behaviour) -> Fields:
    """Fields for the kernel from terrain and the behaviour of its classes."""
    east, north = (part.ravel() for part in landscape.rise)
    ratio, turn = cell_winds(landscape, acts)
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
        wind_ratio=ratio,
        wind_turn_deg=turn,
    )


def cell_winds(landscape: Landscape, acts: Behaviour) -> tuple[F32, F32]:
    """((1 or period, cell) speed over that of the weather, turn in degrees); no rows where it is the same everywhere.

    Raises
    ------
    FireError
        For a wind of another shape than the landscape, or other periods than the weather.
    """
    if acts.wind is None:
        return _NO_FIELD, _NO_FIELD
    shape, n = acts.wind.ratio.shape, len(acts.starts_min)
    if shape[1:] != landscape.grid.shape or shape[0] not in (1, n):
        raise FireError(f"a wind field of shape {shape} on {landscape.grid!r}, weather of {n} periods")
    ratio, turn = (np.require(part, np.float32, ["C", "W"]) for part in (acts.wind.ratio, acts.wind.turn_deg))
    return ratio.reshape(shape[0], -1), turn.reshape(shape[0], -1)


# ---------------------------------------------------------------------------------------------- what burned
@dataclass(frozen=True, slots=True)
class Flames:
    """(n,) each: how strong the fire was where and when it came; NaN at the start."""

    intensity_kw_m: F64
    flame_m: F64
    kind: NDArray[np.uint8] | None
    """Code of `crown.FIRE_TYPES`, NOWHERE at the start; None without a crown model."""


def flames(landscape: Landscape, acts: Behaviour, reached: Reached) -> Flames:
    """Intensity, flame length (Byram's; Thomas' where crowns burn) and kind of fire in each cell reached.

    A cell's head decides whether its ellipse is that of a crown fire; its crowns burn where the front itself, head,
    flank or rear, is fast enough to light them, and then by the head's share.
    """
    share, kind = crowns_burned(landscape, acts, reached)
    intensity = _intensity(acts, reached, share)
    length = flame_length_m(intensity)
    if kind is None:
        return Flames(intensity, length, None)
    return Flames(intensity, np.where(kind >= PASSIVE, thomas_flame_length_m(intensity), length), kind)


def intensity_kw_m(landscape: Landscape, acts: Behaviour, reached: Reached) -> F64:
    """(n,) Byram's fireline intensity, crowns included, where and when the fire came to each cell; NaN at the start."""
    return _intensity(acts, reached, crowns_burned(landscape, acts, reached)[0])


def _intensity(acts: Behaviour, reached: Reached, share: F64 | None) -> F64:
    kinds = acts.of[reached.cells]
    heat = acts.heat_per_area_kj_m2[_periods(acts, reached), kinds]
    if share is not None and acts.crown_heat_kj_m2 is not None:
        heat = heat + share * acts.crown_heat_kj_m2[kinds]
    return np.asarray(fireline_intensity_kw_m(heat, reached.rate_m_min))


def _periods(acts: Behaviour, reached: Reached) -> NDArray[np.intp]:
    return np.searchsorted(acts.starts_min, reached.arrival_min, side="right") - 1


def crowns_burned(
    landscape: Landscape, acts: Behaviour, reached: Reached
) -> tuple[F64 | None, NDArray[np.uint8] | None]:
    """((n,) share of the crown fuel that burned, (n,) kind of fire); None without a crown model."""
    if acts.crown_heat_kj_m2 is None:
        return None, None
    periods = _periods(acts, reached)
    head = heads_of(fuel_fields(landscape, acts), reached.cells, periods)
    lit = reached.rate_m_min >= acts.table[periods, acts.of[reached.cells], FUEL_COLUMNS]
    carried = (head.kind == ACTIVE) | (head.kind == CONDITIONAL)
    kind = np.where(lit, head.kind, np.where(carried, CONDITIONAL, SURFACE))
    kind = np.where(np.isnan(reached.rate_m_min), NOWHERE, kind)
    return np.where(lit, head.crown_share, 0.0), kind.astype(np.uint8)
