"""The surface fire of Rothermel (1972) with the corrections of Albini (1976) and Andrews (2018).

Pure functions named after the quantity they give. Inside, the equations keep their units (lb, ft, Btu, min); what
leaves `surface_fuel` and `head_fire` is metric. Arrays broadcast: parameters of fuel beds have a leading axis of
particle classes, moistures have the same leading axis and any further axes before the one of the beds.

Source: Rothermel (1972), INT-RP-115; Albini (1976), INT-GTR-30; Andrews (2018), RMRS-GTR-371 (equation numbers of
its appendix are not used, those of the 1972 and 1976 papers are).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import FT
from geolabel.errors import FireError
from geolabel.fire.arrays import F64
from geolabel.fire.behave.flame import eccentricity, fireline_intensity_kw_m, flame_length_m, length_to_width
from geolabel.fire.behave.fuel import Beds
from geolabel.fire.behave.midflame import map_bearing_deg, wind_on_slope_m_min

WindOnSlope = Literal["behave", "projected"]

PARTICLE_DENSITY_LB_FT3 = 32.0
MINERAL_TOTAL, MINERAL_EFFECTIVE = 0.0555, 0.01
SAV_CLASS_EDGES_FT = (16.0, 48.0, 96.0, 192.0, 1200.0)
"""Size subclasses whose loads are pooled (Albini 1976, p. 15)."""
DEAD, LIVE = slice(0, 4), slice(4, 6)
"""Particle classes after curing: 1-h, 10-h, 100-h, cured herb; live herb, live woody."""
KJ_M2_PER_BTU_FT2 = 1.055056 / FT**2


@dataclass(frozen=True, slots=True)
class Particles:
    """Fuel after curing, by particle class; leading axis of 6: 1-h, 10-h, 100-h, cured herb, live herb, live woody."""

    load: F64
    sav: F64
    moisture: F64


@dataclass(frozen=True, slots=True)
class SurfaceFuel:
    """What a fuel bed at a given moisture does, before wind and slope; arrays of one shape."""

    rate_m_min: F64
    """No-wind, no-slope rate of spread."""
    heat_per_area_kj_m2: F64
    """Heat released per unit area in the flaming front."""
    wind_scale: F64
    """Wind factor = wind_scale * (midflame wind in m/min) ** wind_power."""
    wind_power: F64
    slope_scale: F64
    """Slope factor = slope_scale * (rise/run) ** 2."""
    max_wind_m_min: F64
    """Effective midflame wind beyond which the rate no longer rises (Rothermel's limit)."""


@dataclass(frozen=True, slots=True)
class HeadFire:
    """The fire at its head: rate along the slope, direction TO, and the ellipse it grows in."""

    rate_m_min: Any
    bearing_deg: Any
    """Direction of maximum spread TO, in the frame of the given directions."""
    effective_wind_m_min: Any
    eccentricity: Any
    intensity_kw_m: Any
    flame_m: Any


# ---------------------------------------------------------------------------------------------- particles
def cured_share(herb_moisture: ArrayLike) -> Any:
    """Share of the live herbaceous load that is dead, 0-1: all at 30 % moisture, none at 120 % (Burgan 1979)."""
    share = 1.333 - 1.11 * np.asarray(herb_moisture, float)
    return np.where(np.asarray(herb_moisture) < 0.30, 1.0, np.clip(share, 0.0, 1.0))


def cured_particles(bed: Beds, moisture: ArrayLike) -> Particles:
    """Load, SAV and moisture by particle class once herbs have cured.

    Parameters
    ----------
    moisture
        (5, ..., n or 1) fractions: 1-h, 10-h, 100-h, live herbaceous, live woody. Cured herb has the moisture of 1-h fuel.
    """
    m = np.asarray(moisture, float)
    share = np.where(bed.dynamic, cured_share(m[3]), 0.0)
    shape = np.broadcast_shapes(share.shape, m.shape[1:])
    w, s = bed.load_lb_ft2, bed.sav_ft
    load = (w[0], w[1], w[2], w[3] * share, w[3] * (1 - share), w[4])
    sav = (s[0], s[1], s[2], s[3], s[3], s[4])
    wet = (m[0], m[1], m[2], m[0], m[3], m[4])
    return Particles(*(np.stack([np.broadcast_to(v, shape) for v in part]) for part in (load, sav, wet)))


def _share(part: F64, total: F64) -> F64:
    return np.divide(part, total, out=np.zeros(np.broadcast_shapes(part.shape, total.shape)), where=total > 0)


def surface_weights(p: Particles) -> tuple[F64, F64]:
    """(weight of each class within dead or live, weight of dead and live), by surface area (Rothermel 1972, 53-57)."""
    area = p.sav * p.load / PARTICLE_DENSITY_LB_FT3
    by_kind = np.stack([area[DEAD].sum(0), area[LIVE].sum(0)])
    within = np.concatenate([_share(area[DEAD], by_kind[0]), _share(area[LIVE], by_kind[1])])
    return within, _share(by_kind, by_kind.sum(0))


def net_load(p: Particles, within: F64) -> F64:
    """(2, ...) net load of dead and live fuel, lb/ft2, weighted by size subclass (Albini 1976, p. 15)."""
    size = np.digitize(p.sav, SAV_CLASS_EDGES_FT)
    pure = p.load * (1 - MINERAL_TOTAL)
    totals = []
    for kind in (DEAD, LIVE):
        same = size[kind][:, None] == size[kind][None, :]
        weight = (same * within[kind][None, :]).sum(1)
        totals.append((weight * pure[kind]).sum(0))
    return np.stack(totals)


def characteristic_sav(p: Particles, within: F64, between: F64) -> F64:
    """SAV that stands for the whole bed, 1/ft (Rothermel 1972, 71-72)."""
    by_kind = np.stack([(within[DEAD] * p.sav[DEAD]).sum(0), (within[LIVE] * p.sav[LIVE]).sum(0)])
    return (between * by_kind).sum(0)


# ---------------------------------------------------------------------------------------------- heat
def live_extinction(p: Particles, dead_extinction: F64) -> F64:
    """Moisture of extinction of live fuel, fraction, never below that of dead fuel (Albini 1976, p. 16)."""
    live_sav = np.where(p.sav[LIVE] > 0, p.sav[LIVE], 1.0)
    fine_dead = (p.load[DEAD] * np.exp(-138 / np.where(p.sav[DEAD] > 0, p.sav[DEAD], 1.0))).sum(0)
    fine_wet = (p.load[DEAD] * p.moisture[DEAD] * np.exp(-138 / np.where(p.sav[DEAD] > 0, p.sav[DEAD], 1.0))).sum(0)
    fine_live = (p.load[LIVE] * np.exp(-500 / live_sav)).sum(0)
    ratio = np.where(fine_live > 0, _share(fine_dead, fine_live), 0.0)
    extinction = 2.9 * ratio * (1 - _share(fine_wet, fine_dead) / dead_extinction) - 0.226
    return np.maximum(extinction, dead_extinction)


def moisture_damping(moisture: F64, extinction: F64) -> F64:
    """Moisture damping coefficient, 0-1 (Rothermel 1972, 29)."""
    r = np.clip(moisture / extinction, 0.0, 1.0)
    return 1 - 2.59 * r + 5.11 * r**2 - 3.52 * r**3


def mineral_damping() -> float:
    """Mineral damping coefficient (Rothermel 1972, 30)."""
    return float(0.174 * MINERAL_EFFECTIVE**-0.19)


def optimum_packing(sav: F64) -> F64:
    """Packing ratio at which the fire is strongest (Rothermel 1972, 37)."""
    return 3.348 * sav**-0.8189


def reaction_velocity(sav: F64, packing: F64) -> F64:
    """Optimum reaction velocity, 1/min (Rothermel 1972, 36, 38; Albini 1976, p. 15)."""
    relative = packing / optimum_packing(sav)
    power = 133 * sav**-0.7913
    return sav**1.5 / (495 + 0.0594 * sav**1.5) * relative**power * np.exp(power * (1 - relative))


def reaction_intensity(bed: Beds, p: Particles, within: F64, velocity: F64) -> F64:
    """Heat released per area and minute, Btu/ft2/min (Rothermel 1972, 58)."""
    wet = np.stack([(within[kind] * p.moisture[kind]).sum(0) for kind in (DEAD, LIVE)])
    dead = moisture_damping(wet[0], np.broadcast_to(bed.extinction, wet[0].shape))
    live = moisture_damping(wet[1], live_extinction(p, bed.extinction))
    load = net_load(p, within)
    return velocity * bed.heat_btu_lb * mineral_damping() * (load[0] * dead + load[1] * live)


def propagating_flux_ratio(sav: F64, packing: F64) -> F64:
    """Share of the reaction's heat that goes ahead (Rothermel 1972, 42)."""
    return np.exp((0.792 + 0.681 * np.sqrt(sav)) * (packing + 0.1)) / (192 + 0.2595 * sav)


def heat_sink(bed: Beds, p: Particles, within: F64, between: F64) -> F64:
    """Heat that brings a cubic foot of the bed to ignition, Btu/ft3 (Rothermel 1972, 77-78)."""
    share = np.concatenate([within[DEAD] * between[0], within[LIVE] * between[1]])
    heated = np.exp(-138 / np.where(p.sav > 0, p.sav, 1.0))
    return p.load.sum(0) / bed.depth_ft * (share * heated * (250 + 1116 * p.moisture)).sum(0)


def residence_time_min(sav: F64) -> F64:
    """Flaming residence time, min (Anderson 1969)."""
    return 384 / sav


# ---------------------------------------------------------------------------------------------- wind and slope
def wind_parameters(sav: F64, packing: F64) -> tuple[F64, F64]:
    """(scale, power) of the wind factor for midflame wind in ft/min (Rothermel 1972, 47-50)."""
    power = 0.02526 * sav**0.54
    relative = packing / optimum_packing(sav)
    scale = 7.47 * np.exp(-0.133 * sav**0.55) * relative ** -(0.715 * np.exp(-3.59e-4 * sav))
    return scale, power


def slope_scale(packing: F64) -> F64:
    """Slope factor of a slope of 45 degrees; it goes with the square of rise/run (Rothermel 1972, 51)."""
    return 5.275 * packing**-0.3


def surface_fuel(bed: Beds, moisture: ArrayLike) -> SurfaceFuel:
    """Rate without wind and slope, heat per area, and what wind and slope will do, for each bed and moisture.

    Parameters
    ----------
    moisture
        (5, ..., n or 1) fractions: 1-h, 10-h, 100-h, live herbaceous, live woody.
    """
    p = cured_particles(bed, moisture)
    within, between = surface_weights(p)
    sav = characteristic_sav(p, within, between)
    packing = p.load.sum(0) / bed.depth_ft / PARTICLE_DENSITY_LB_FT3
    intensity = reaction_intensity(bed, p, within, reaction_velocity(sav, packing))
    rate_ft = intensity * propagating_flux_ratio(sav, packing) / heat_sink(bed, p, within, between)
    scale, power = wind_parameters(sav, packing)
    return SurfaceFuel(
        rate_m_min=rate_ft * FT,
        heat_per_area_kj_m2=intensity * residence_time_min(sav) * KJ_M2_PER_BTU_FT2,
        wind_scale=scale * FT**-power,
        wind_power=power,
        slope_scale=slope_scale(packing),
        max_wind_m_min=0.9 * intensity * FT,
    )


def wind_factor(fuel: SurfaceFuel, midflame_m_min: ArrayLike) -> Any:
    """Wind factor, dimensionless (Rothermel 1972, 47)."""
    return fuel.wind_scale * np.maximum(np.asarray(midflame_m_min, float), 0.0) ** fuel.wind_power


def effective_wind_m_min(fuel: SurfaceFuel, factor: ArrayLike) -> Any:
    """Midflame wind that alone would give this wind-and-slope factor, m/min (Albini 1976, p. 89)."""
    return (np.maximum(np.asarray(factor, float), 0.0) / fuel.wind_scale) ** (1 / fuel.wind_power)


def head_fire(
    fuel: SurfaceFuel,
    midflame_m_min: ArrayLike,
    wind_from_deg: ArrayLike,
    slope: ArrayLike,
    aspect_deg: ArrayLike,
    *,
    wind_limit: bool = True,
    wind_on_slope: WindOnSlope = "behave",
) -> HeadFire:
    """Rate, direction, ellipse, intensity and flame length at the head of the fire.

    Wind factor and slope factor are added as vectors, the wind blowing TO and the slope pulling uphill.

    Parameters
    ----------
    slope
        Rise/run. `aspect_deg` is the downslope azimuth; NaN (flat) is allowed.
    wind_limit
        Hold the effective wind at 0.9 times the reaction intensity (Rothermel 1972, 87), as Behave does by default.
        It changes rates up to elevenfold in strong wind over thin fuel.
    wind_on_slope
        "behave" takes wind and slope on the map as given; "projected" lays the wind on the plane of the slope and adds
        there, as pyretechnics does: up a slope of 30 % rates rise by 5 % in the median of the 53 models.
    """
    aspect = np.nan_to_num(np.asarray(aspect_deg, float))
    wind, to = np.asarray(midflame_m_min, float), (np.asarray(wind_from_deg, float) + 180) % 360
    if wind_on_slope == "projected":
        wind, to = wind_on_slope_m_min(wind, to, slope, aspect)
    elif wind_on_slope != "behave":
        raise FireError(f"unknown wind_on_slope {wind_on_slope!r}", hint="behave or projected")
    by_wind, by_slope = wind_factor(fuel, wind), fuel.slope_scale * np.asarray(slope, float) ** 2
    up = aspect + 180
    east = by_wind * np.sin(np.radians(to)) + by_slope * np.sin(np.radians(up))
    north = by_wind * np.cos(np.radians(to)) + by_slope * np.cos(np.radians(up))
    factor = np.hypot(east, north)
    effective = effective_wind_m_min(fuel, factor)
    if wind_limit:
        over = effective > fuel.max_wind_m_min
        effective = np.minimum(effective, fuel.max_wind_m_min)
        factor = np.where(over, wind_factor(fuel, effective), factor)
    bearing = np.degrees(np.arctan2(east, north)) % 360
    if wind_on_slope == "projected":
        bearing = map_bearing_deg(bearing, slope, aspect)
    rate = fuel.rate_m_min * (1 + factor)
    intensity = fireline_intensity_kw_m(fuel.heat_per_area_kj_m2, rate)
    return HeadFire(
        rate_m_min=rate,
        bearing_deg=bearing,
        effective_wind_m_min=effective,
        eccentricity=eccentricity(length_to_width(effective)),
        intensity_kw_m=intensity,
        flame_m=flame_length_m(intensity),
    )
