"""The fire at one place, or at many at once: fuel, slope, trees and weather in, surface and crown fire out.

The whole point model in one call, with every input checked; the front and the ensemble use the parts of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import convert_speed, wind_20ft_from_10m
from geolabel.errors import FireError
from geolabel.fire.arrays import F64
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.crown import (
    CrownFire,
    critical_crown_rate_m_min,
    critical_surface_intensity_kw_m,
    crown_fire,
    cruz_active_rate_m_min,
    cruz_active_wind_km_h,
    cruz_passive_rate_m_min,
    rate_of_intensity_m_min,
    rothermel_active_wind_m_min,
    rothermel_crown_rate_m_min,
    upslope_wind_m_min,
)
from geolabel.fire.behave.fuel import Beds, beds
from geolabel.fire.behave.rothermel import HeadFire, SurfaceFuel, WindOnSlope, head_fire, surface_fuel
from geolabel.fire.ranges import (
    check_bearing_deg,
    check_dead_moisture,
    check_live_moisture,
    check_slope_deg,
    check_wind_m_s,
)

CrownModel = Literal["rothermel", "cruz"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the fire burns; fuel numbers (n,), the rest numbers or arrays that broadcast with them.

    Raises
    ------
    FireError
        For fuel numbers that do not exist (the nearest is named) or do not burn, slopes in percent, aspect outside 0-360.
    """

    fuel: Any
    slope_deg: Any = 0.0
    aspect_deg: Any = np.nan
    """Downslope azimuth, degrees clockwise from true north; NaN where flat."""
    canopy: Canopy = field(default_factory=Canopy)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fuel", np.atleast_1d(np.asarray(self.fuel)))
        beds(self.fuel.tolist())
        check_slope_deg(self.slope_deg)
        check_bearing_deg(self.aspect_deg, "an aspect")
        if (np.asarray(self.slope_deg, float) > 0).any() and np.isnan(np.asarray(self.aspect_deg, float)).all():
            raise FireError("slopes without an aspect", hint="give aspect_deg, the azimuth that the slope faces")

    @property
    def bed(self) -> Beds:
        """Parameters of the fuels."""
        return beds(self.fuel.tolist())

    @property
    def slope(self) -> Any:
        """Rise over run."""
        return np.tan(np.radians(np.asarray(self.slope_deg, float)))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Wind and fuel moisture; numbers, or arrays whose last axis is that of the sites.

    Raises
    ------
    FireError
        For wind in km/h (above 60 m/s), directions outside 0-360, moisture in percent.
    """

    speed_m_s: Any
    """Mean wind at 10 m in the open, no gust."""
    from_deg: Any
    """Wind FROM, degrees clockwise from true north."""
    moisture: Any
    """(5, ...) fractions: 1-h, 10-h, 100-h, live herbaceous, live woody."""

    def __post_init__(self) -> None:
        check_wind_m_s(self.speed_m_s)
        check_bearing_deg(self.from_deg, "a wind direction")
        wet = np.asarray(self.moisture, float)
        if wet.shape[:1] != (5,):
            raise FireError(
                f"moisture of shape {wet.shape}", hint="five along the first axis: 1-h, 10-h, 100-h, herbs, woody"
            )
        check_dead_moisture(wet[:3])
        check_live_moisture(wet[3:])
        object.__setattr__(self, "moisture", wet[:, None] if wet.ndim == 1 else wet)

    @property
    def wind_20ft_m_min(self) -> Any:
        """Wind 20 ft above the vegetation, m/min."""
        return convert_speed(wind_20ft_from_10m(self.speed_m_s), "m/s", "m/min")


@dataclass(frozen=True, slots=True)
class PointFire:
    """What burns at each site."""

    surface: HeadFire
    crown: CrownFire | None
    """None where no crown model was asked for."""
    wind_adjustment: Any
    """Midflame over 20-ft wind."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the models are joined."""

    crown: CrownModel | None = None
    wind_limit: bool = True
    """See `rothermel.head_fire`."""
    wind_on_slope: WindOnSlope = "behave"


def point_fire(site: Site, conditions: Conditions, options: Options | None = None) -> PointFire:
    """Surface fire at its head at each site and, where a crown model is asked for, the fire with its crowns.

    Raises
    ------
    FireError
        With a crown model: without canopy base height or bulk density.
    """
    chosen = options or Options()
    if chosen.crown not in (None, "rothermel", "cruz"):
        raise FireError(f"unknown crown model {chosen.crown!r}", hint="rothermel, cruz, or None for the surface fire")
    fuel = surface_fuel(site.bed, conditions.moisture)
    adjustment = site.canopy.wind_adjustment(site.bed.depth_ft)
    surface = _head(site, conditions, fuel, conditions.wind_20ft_m_min * adjustment, chosen)
    crown = None
    if chosen.crown:
        active, from_wind, passive = _crown_rates(site.canopy, conditions, chosen.crown)
        full = _head(site, conditions, fuel, _bounded(from_wind) * adjustment, chosen).rate_m_min
        crown = crown_fire(
            site.canopy,
            surface,
            fuel.heat_per_area_kj_m2,
            active,
            full,
            wind_20ft_m_min=conditions.wind_20ft_m_min,
            passive_rate_m_min=passive,
        )
    return PointFire(surface, crown, adjustment)


def _head(site: Site, conditions: Conditions, fuel: SurfaceFuel, midflame_m_min: F64, options: Options) -> HeadFire:
    return head_fire(
        fuel,
        midflame_m_min,
        conditions.from_deg,
        site.slope,
        site.aspect_deg,
        wind_limit=options.wind_limit,
        wind_on_slope=options.wind_on_slope,
    )


def _bounded(wind_m_min: F64) -> F64:
    """No crowns, no wind that carries a fire through them: any wind does, it is not used."""
    return np.where(np.isfinite(wind_m_min), wind_m_min, 0.0)


def _crown_rates(canopy: Canopy, conditions: Conditions, model: CrownModel) -> tuple[F64, F64, F64 | None]:
    """(rate if active, 20-ft wind from which it is, rate while passive or None), m/min."""
    _, density = canopy.crown_fuel()
    wet = conditions.moisture
    if model == "rothermel":
        active = rothermel_crown_rate_m_min(conditions.wind_20ft_m_min, wet)
        return active, rothermel_active_wind_m_min(density, wet), None
    active = cruz_active_rate_m_min(convert_speed(conditions.speed_m_s, "m/s", "km/h"), density, wet[0])
    wind = wind_20ft_from_10m(convert_speed(cruz_active_wind_km_h(density, wet[0]), "km/h", "m/min"))
    return active, wind, cruz_passive_rate_m_min(active, critical_crown_rate_m_min(density))


@dataclass(frozen=True, slots=True)
class CrownIndices:
    """Winds at which crown fire begins, 20 ft above the vegetation and straight upslope; infinite where never."""

    torching_m_min: Any
    """From which the surface fire lights the crowns."""
    crowning_m_min: Any
    """From which the crowns carry the fire, by Rothermel's rate."""


def crown_indices(site: Site, moisture: ArrayLike) -> CrownIndices:
    """Torching and crowning index of each site, m/min of 20-ft wind: the lower, the sooner crowns burn.

    Parameters
    ----------
    moisture
        (5, ...) fractions, as in `Conditions`.

    Raises
    ------
    FireError
        Without canopy base height or bulk density.

    Source: Scott & Reinhardt (2001), crowning index eq. 20. The wind limit is left aside.
    """
    wet = Conditions(0.0, 0.0, moisture).moisture
    base, density = site.canopy.crown_fuel()
    fuel = surface_fuel(site.bed, wet)
    limit = np.where(density > 0, critical_surface_intensity_kw_m(base, site.canopy.foliar_moisture), np.inf)
    rate = rate_of_intensity_m_min(limit, fuel.heat_per_area_kj_m2)
    torching = upslope_wind_m_min(fuel, rate, site.slope) / site.canopy.wind_adjustment(site.bed.depth_ft)
    return CrownIndices(torching, rothermel_active_wind_m_min(density, wet))
