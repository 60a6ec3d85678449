"""Crown fire: whether flames reach the crowns, whether crowns carry them on, and how fast and how strong that is.

A surface fire of the critical intensity lights the crowns above it (torching, passive crown fire); where the crowns give
the critical mass flow too, the fire runs through them (active). Where they would carry a fire that the surface fire cannot
light, the crown fire is conditional: it happens if one comes in from the side. Arrays broadcast.

Without canopy base height and canopy bulk density nothing here runs: no default of them means anything.

Source: Van Wagner (1977), Can. J. For. Res. 7:23-34; Rothermel (1991), INT-438; Scott & Reinhardt (2001), RMRS-RP-29 (SR);
Cruz, Alexander & Wakimoto (2005), Can. J. For. Res. 35:1626-1639; equation numbers where known. Cruz & Alexander (2010) show
that the linked models of Rothermel and Van Wagner predict too little crown fire: `cruz` is there to compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.flame import (
    M_MIN_PER_MPH,
    MAX_LENGTH_TO_WIDTH,
    eccentricity,
    flame_length_m,
    thomas_flame_length_m,
)
from geolabel.fire.behave.fuel import beds
from geolabel.fire.behave.rothermel import (
    HeadFire,
    SurfaceFuel,
    effective_wind_m_min,
    head_fire,
    surface_fuel,
    wind_factor,
)

FIRE_TYPES = ("surface", "conditional", "passive", "active")
"""What codes 0-3 mean; the first two are surface fires."""
SURFACE, CONDITIONAL, PASSIVE, ACTIVE = range(4)
MASS_FLOW_KG_M2_MIN = 3.0
"""Crown fuel that must enter a solid flame front each minute (Van Wagner 1977: 0.05 kg/m2/s)."""
ROTHERMEL_RATIO = 3.34
"""Crown fires of the northern Rocky Mountains over fuel model 10 (Rothermel 1991)."""
OPEN_CROWN_WIND = 0.4
"""Midflame over 20-ft wind in the fuel model 10 that stands for the crowns (Rothermel 1991)."""
CRUZ_WIND_POWER = 0.90
CROWN_HEAT_KJ_KG = 8000 * 1.055056 / 0.45359237
"""Heat of combustion of crown fuel: 8000 Btu/lb, as in Behave (others take 18 000 kJ/kg: 3 % less)."""


# ---------------------------------------------------------------------------------------------- thresholds
def critical_surface_intensity_kw_m(base_height_m: ArrayLike, foliar_moisture: ArrayLike) -> Any:
    """Intensity of the surface fire that lights crowns of a base height in m, kW/m (Van Wagner 1977, 4).

    Foliage is a fraction of dry weight. As in Behave, base heights below 0.1 m count as 0.1 m.
    """
    heat_kj_kg = 460 + 2590 * np.asarray(foliar_moisture, float)
    return (0.010 * np.maximum(np.asarray(base_height_m, float), 0.1) * heat_kj_kg) ** 1.5


def critical_crown_rate_m_min(bulk_density_kg_m3: ArrayLike) -> Any:
    """Rate at which crowns carry fire by themselves, m/min; infinite without crowns (Van Wagner 1977)."""
    density = np.asarray(bulk_density_kg_m3, float)
    return np.where(density > 0, MASS_FLOW_KG_M2_MIN / np.where(density > 0, density, 1.0), np.inf)


def rate_of_intensity_m_min(intensity_kw_m: ArrayLike, heat_per_area_kj_m2: ArrayLike) -> Any:
    """Rate of spread, m/min, at which fuel that releases a heat per area has an intensity in kW/m (Byram 1959)."""
    heat = np.asarray(heat_per_area_kj_m2, float)
    return np.where(heat > 0, 60 * np.asarray(intensity_kw_m, float) / np.where(heat > 0, heat, 1.0), np.inf)


# ---------------------------------------------------------------------------------------------- rates
def _crown_litter(moisture: ArrayLike) -> SurfaceFuel:
    wet = np.asarray(moisture, float)
    fuel = surface_fuel(beds([10]), wet[..., None])
    return SurfaceFuel(*(np.asarray(getattr(fuel, name))[..., 0] for name in SurfaceFuel.__slots__))


def rothermel_crown_rate_m_min(wind_20ft_m_min: ArrayLike, moisture: ArrayLike) -> Any:
    """Mean rate of an active crown fire on level ground, m/min: 3.34 times fuel model 10 at 0.4 of the 20-ft wind.

    Parameters
    ----------
    moisture
        (5, ...) fractions: 1-h, 10-h, 100-h, live herbaceous, live woody.

    Source: Rothermel (1991); slope is left out, as in Behave.
    """
    wind = OPEN_CROWN_WIND * np.asarray(wind_20ft_m_min, float)
    return ROTHERMEL_RATIO * head_fire(_crown_litter(moisture), wind, 180.0, 0.0, np.nan).rate_m_min


def cruz_active_rate_m_min(wind_10m_km_h: ArrayLike, bulk_density_kg_m3: ArrayLike, m1: ArrayLike) -> Any:
    """Rate of an active crown fire, m/min, of 10-m wind in km/h and of 1-h moisture, a fraction (Cruz et al. 2005)."""
    wind, density = np.asarray(wind_10m_km_h, float), np.asarray(bulk_density_kg_m3, float)
    return 11.02 * wind**CRUZ_WIND_POWER * density**0.19 * np.exp(-17 * np.asarray(m1, float))


@dataclass(frozen=True, slots=True)
class ActiveRate:
    """Rate of an active crown fire, m/min, by how much the wind is stronger: base + gain * ratio ** power, `most` at most."""

    base: Any
    gain: Any
    power: Any
    most: Any

    def at(self, ratio: ArrayLike = 1.0) -> Any:
        """m/min in `ratio` times the wind."""
        return np.minimum(self.base + self.gain * np.asarray(ratio, float) ** self.power, self.most)


def rothermel_active(wind_20ft_m_min: ArrayLike, moisture: ArrayLike) -> ActiveRate:
    """Rothermel's crown fire as it goes with the wind; see `rothermel_crown_rate_m_min`."""
    litter = _crown_litter(moisture)
    calm = ROTHERMEL_RATIO * litter.rate_m_min
    factor = wind_factor(litter, OPEN_CROWN_WIND * np.asarray(wind_20ft_m_min, float))
    most = calm * (1 + wind_factor(litter, litter.max_wind_m_min))
    return ActiveRate(calm, calm * factor, litter.wind_power, most)


def cruz_active(wind_10m_km_h: ArrayLike, bulk_density_kg_m3: ArrayLike, m1: ArrayLike) -> ActiveRate:
    """Cruz's crown fire as it goes with the wind; see `cruz_active_rate_m_min`."""
    return ActiveRate(0.0, cruz_active_rate_m_min(wind_10m_km_h, bulk_density_kg_m3, m1), CRUZ_WIND_POWER, np.inf)


def cruz_passive_rate_m_min(active_rate_m_min: ArrayLike, critical_rate_m_min: ArrayLike) -> Any:
    """Rate of a passive crown fire, m/min, of what it would be if active and of the critical rate (Cruz et al. 2005)."""
    active = np.asarray(active_rate_m_min, float)
    return active * np.exp(-active / np.asarray(critical_rate_m_min, float))


def crown_length_to_width(wind_20ft_m_min: ArrayLike) -> Any:
    """Length-to-width of an active crown fire, 1-8, from the 20-ft wind (Rothermel 1991, 10)."""
    return np.minimum(1 + 0.125 * np.asarray(wind_20ft_m_min, float) / M_MIN_PER_MPH, MAX_LENGTH_TO_WIDTH)


# ---------------------------------------------------------------------------------------------- winds at the thresholds
def upslope_wind_m_min(fuel: SurfaceFuel, rate_m_min: ArrayLike, slope: ArrayLike = 0.0) -> Any:
    """Midflame wind straight upslope at which fuel burns at a rate in m/min, 0 where it does so in calm air (SR 20).

    Infinite where fuel does not burn. The wind limit is left aside; slope is rise/run.
    """
    calm = np.asarray(fuel.rate_m_min, float)
    wanted = np.asarray(rate_m_min, float) / np.where(calm > 0, calm, 1.0)
    factor = wanted - 1 - fuel.slope_scale * np.asarray(slope, float) ** 2
    return np.where(calm > 0, effective_wind_m_min(fuel, factor), np.inf)


def rothermel_active_wind_m_min(bulk_density_kg_m3: ArrayLike, moisture: ArrayLike) -> Any:
    """Crowning index: 20-ft wind, m/min, from which Rothermel's crown fire is active; moisture as there (SR 20)."""
    critical = critical_crown_rate_m_min(bulk_density_kg_m3) / ROTHERMEL_RATIO
    return upslope_wind_m_min(_crown_litter(moisture), critical) / OPEN_CROWN_WIND


def cruz_active_wind_km_h(bulk_density_kg_m3: ArrayLike, m1: ArrayLike) -> Any:
    """10-m wind, km/h, from which Cruz's crown fire is active, of 1-h moisture, a fraction; infinite without crowns."""
    density = np.asarray(bulk_density_kg_m3, float)
    scale = cruz_active_rate_m_min(1.0, np.where(density > 0, density, 1.0), m1)
    return (critical_crown_rate_m_min(density) / scale) ** (1 / CRUZ_WIND_POWER)


# ---------------------------------------------------------------------------------------------- the whole
@dataclass(frozen=True, slots=True)
class CrownFire:
    """The fire at its head with its crowns: what Behave calls final behaviour."""

    kind: Any
    """int8 code of `FIRE_TYPES`."""
    rate_m_min: Any
    intensity_kw_m: Any
    flame_m: Any
    """Thomas (1963) where crowns burn, Byram (1959) where they do not."""
    crown_fraction_burned: Any
    """0-1 of the crown fuel."""
    eccentricity: Any
    critical_intensity_kw_m: Any
    critical_rate_m_min: Any


def crown_fraction_burned(rate_m_min: ArrayLike, initiation_m_min: ArrayLike, full_m_min: ArrayLike) -> Any:
    """Share of crown fuel that burns, 0-1: none at the surface rate that lights crowns, all at `full_m_min` (SR).

    `full_m_min` is the surface fire's rate in the wind from which crown fire is active.
    """
    rate, first = np.asarray(rate_m_min, float), np.asarray(initiation_m_min, float)
    span = np.asarray(full_m_min, float) - first
    known = np.isfinite(first) & (span > 0)
    share = np.where(known, rate - np.where(known, first, 0.0), 0.0) / np.where(known, span, 1.0)
    return np.clip(share, 0.0, 1.0)


def crown_fire(
    canopy: Canopy,
    surface: HeadFire,
    heat_per_area_kj_m2: ArrayLike,
    active_rate_m_min: ArrayLike,
    full_rate_m_min: ArrayLike,
    *,
    wind_20ft_m_min: ArrayLike,
    passive_rate_m_min: ArrayLike | None = None,
) -> CrownFire:
    """Type, rate, intensity and flames of a fire under trees.

    Parameters
    ----------
    heat_per_area_kj_m2
        Of the surface fuel.
    active_rate_m_min, full_rate_m_min
        Rate of the crown fire if it is active, and of the surface fire in the wind from which it is.
    passive_rate_m_min
        Rate while it is passive (Cruz); by default surface and active rate in the ratio of the crown fraction burned (SR).

    Raises
    ------
    FireError
        Without canopy base height or bulk density.

    Notes
    -----
    No crown fire is slower than the surface fire under it: there this differs from Behave, which takes the crowns' rate.
    """
    base, density = canopy.crown_fuel()
    limit = np.where(density > 0, critical_surface_intensity_kw_m(base, canopy.foliar_moisture), np.inf)
    critical, active = critical_crown_rate_m_min(density), np.asarray(active_rate_m_min, float)
    kind = fire_type(surface.intensity_kw_m, limit, active, critical)
    share = crown_fraction_burned(
        surface.rate_m_min, rate_of_intensity_m_min(limit, heat_per_area_kj_m2), full_rate_m_min
    )
    share = np.where(kind == ACTIVE, 1.0, np.where(kind == PASSIVE, share, 0.0))
    linked = surface.rate_m_min + share * (active - surface.rate_m_min)
    passive = linked if passive_rate_m_min is None else np.asarray(passive_rate_m_min, float)
    rate = np.select([kind == ACTIVE, kind == PASSIVE], [active, passive], surface.rate_m_min)
    rate = np.maximum(rate, surface.rate_m_min)
    heat = np.asarray(heat_per_area_kj_m2, float) + share * canopy.load_kg_m2 * CROWN_HEAT_KJ_KG
    intensity = heat * rate / 60
    in_crowns = eccentricity(crown_length_to_width(wind_20ft_m_min))
    return CrownFire(
        kind=kind,
        rate_m_min=rate,
        intensity_kw_m=intensity,
        flame_m=np.where(kind >= PASSIVE, thomas_flame_length_m(intensity), flame_length_m(intensity)),
        crown_fraction_burned=share,
        eccentricity=np.where(kind == ACTIVE, in_crowns, surface.eccentricity),
        critical_intensity_kw_m=limit,
        critical_rate_m_min=critical,
    )


def fire_type(
    intensity_kw_m: ArrayLike, critical_kw_m: ArrayLike, active_rate_m_min: ArrayLike, critical_rate_m_min: ArrayLike
) -> Any:
    """int8 code of `FIRE_TYPES`: whether the surface fire lights the crowns, and whether they carry on (SR)."""
    lit = np.asarray(intensity_kw_m, float) >= np.asarray(critical_kw_m, float)
    carried = np.asarray(active_rate_m_min, float) >= np.asarray(critical_rate_m_min, float)
    kind = np.where(lit, np.where(carried, ACTIVE, PASSIVE), np.where(carried, CONDITIONAL, SURFACE))
    return kind.astype(np.int8)
