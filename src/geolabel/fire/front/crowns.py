"""What crowns add to the behaviour table: when they light, how fast they carry fire, and how much of them burns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import convert_speed, wind_20ft_from_10m
from geolabel.errors import FireError
from geolabel.fire.arrays import F64
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.crown import (
    CROWN_HEAT_KJ_KG,
    CRUZ_WIND_POWER,
    ActiveRate,
    critical_crown_rate_m_min,
    critical_surface_intensity_kw_m,
    cruz_active,
    cruz_active_wind_km_h,
    rate_of_intensity_m_min,
    rothermel_active,
    rothermel_active_wind_m_min,
)
from geolabel.fire.behave.flame import M_MIN_PER_MPH
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.behave.rothermel import SurfaceFuel, wind_factor


@dataclass(frozen=True, slots=True)
class Under:
    """The trees of each class and what the weather is above them."""

    canopy: Canopy
    """(class,)."""
    speed_m_s: F64
    """(period,) at 10 m."""
    to_rad: F64
    """(period,) clockwise from grid north."""
    moisture: F64
    """(5, period, class or 1)."""
    rate_factor: float = 1.0

    @property
    def twenty_ft_m_min(self) -> F64:
        """(period, 1)."""
        return np.asarray(convert_speed(wind_20ft_from_10m(self.speed_m_s), "m/s", "m/min"))[:, None]


def crown_columns(model: CrownModel, under: Under, fuel: SurfaceFuel, adjustment: F64) -> tuple[Any, ...]:
    """CROWN_COLUMNS columns of (period, class), as `speed.crown_head` reads them.

    The model's own error multiplies the rate of active crown fires as it does that of surface fires; the intensity that
    lights crowns and the mass flow that carries them stay.

    Raises
    ------
    FireError
        Without canopy base height or bulk density, or for an unknown model.
    """
    base, density = under.canopy.crown_fuel()
    lights = np.where(density > 0, critical_surface_intensity_kw_m(base, under.canopy.foliar_moisture), np.inf)
    active, wind = _active(model, under, density)
    push = wind_factor(fuel, np.where(np.isfinite(wind), wind, 0.0) * adjustment)
    return (
        rate_of_intensity_m_min(lights, fuel.heat_per_area_kj_m2),
        active.base * under.rate_factor,
        active.gain * under.rate_factor,
        active.power,
        active.most * under.rate_factor,
        critical_crown_rate_m_min(density),
        push * np.sin(under.to_rad)[:, None],
        push * np.cos(under.to_rad)[:, None],
        0.125 * under.twenty_ft_m_min / M_MIN_PER_MPH,
        float(model == "cruz"),
    )


def _active(model: CrownModel, under: Under, density: F64) -> tuple[ActiveRate, F64]:
    """(rate of active crown fire, 20-ft wind in m/min from which it is active)."""
    wet, error = under.moisture, under.rate_factor
    if model == "rothermel":
        active = rothermel_active(under.twenty_ft_m_min, wet)
        return active, np.asarray(rothermel_active_wind_m_min(density * error, wet))  # the critical rate over the error
    if model != "cruz":
        raise FireError(f"unknown crown model {model!r}", hint="rothermel, cruz, or None for the surface fire")
    wind = cruz_active_wind_km_h(density, wet[0]) * error ** (-1 / CRUZ_WIND_POWER)
    km_h = convert_speed(under.speed_m_s, "m/s", "km/h")[:, None]
    return cruz_active(km_h, density, wet[0]), wind_20ft_from_10m(convert_speed(wind, "km/h", "m/min"))


def crown_heat_kj_m2(canopy: Canopy) -> NDArray[np.float64]:
    """(class,) heat of all crown fuel that can burn, per m2 of ground."""
    return np.asarray(canopy.load_kg_m2 * CROWN_HEAT_KJ_KG)
