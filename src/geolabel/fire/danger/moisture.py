"""Moisture of dead fuel from weather, by time lag: it moves to the equilibrium with the air, thick fuel more slowly.

dm/dt = (equilibrium - m) / time lag, solved exactly for weather that is constant in each step: cutting a step in two
changes nothing. All moistures are fractions of dry weight; arrays broadcast, the leading axis is time.

Source: Simard (1968), equilibrium of wood, and the boundary conditions of the US National Fire Danger Rating System,
Cohen & Deeming (1985), PSW-82 (equation numbers); time lags: Fosberg (1970), Fosberg & Deeming (1971), RM-207.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.errors import FireError, nearest
from geolabel.fire.arrays import F64
from geolabel.fire.ranges import (
    DRIEST,
    check_dead_moisture,
    check_humidity_percent,
    check_range,
    check_temperature_c,
)

TIME_LAG_H: Mapping[str, float] = {"m1": 1.0, "m10": 10.0, "m100": 100.0}
"""Hours in which fuel goes 63 % of the way to its equilibrium."""
RAIN_BOUNDARY: Mapping[str, float] = {"m1": 0.35, "m10": 0.35, "m100": 0.41}
"""Moisture to which fuel goes in rain. Hours of rain count, not its amount; the half percent that PSW-82 adds to 100-h fuel
for each hour of rain is left out."""
RAIN_FROM_MM_H = 0.05
"""Less is dew on a gauge."""
SUN_WARMS_F = np.array([25.0, 19.0, 12.0, 5.0])
SUN_DRIES = np.array([0.75, 0.83, 0.92, 1.0])
"""By state of weather 0-3: clear, scattered (1/10-5/10), broken (6/10-9/10), overcast (PSW-82)."""


# ---------------------------------------------------------------------------------------------- the air at the fuel
def equilibrium_moisture(temp_c: ArrayLike, rh_percent: ArrayLike) -> Any:
    """Moisture to which dead fuel goes in air of a temperature in C and relative humidity in %, fraction (eq. 1a-1c).

    The three pieces do not meet: at 10 and 50 % of humidity it steps up by about half a percent of moisture (at 10 % in
    air above 43 C down, by a quarter of a percent at most).
    """
    temp, rh = np.asarray(temp_c, float) * 1.8 + 32, np.asarray(rh_percent, float)
    dry = 0.03229 + 0.281073 * rh - 0.000578 * rh * temp
    middle = 2.22749 + 0.160107 * rh - 0.014784 * temp
    humid = 21.0606 + 0.005565 * rh**2 - 0.00035 * rh * temp - 0.483199 * rh
    return np.where(rh < 10, dry, np.where(rh < 50, middle, humid)) / 100


def at_fuel(temp_c: ArrayLike, rh_percent: ArrayLike, state_of_weather: ArrayLike) -> tuple[Any, Any]:
    """(temperature in C, relative humidity in %) of the air that touches the fuel, warmed by the sun (PSW-82).

    Parameters
    ----------
    state_of_weather
        0 clear, 1 scattered, 2 broken, 3 overcast; NaN at night and in deep shade, where the air is as measured.

    Raises
    ------
    FireError
        For other states.
    """
    state = np.asarray(state_of_weather, float)
    check_range(state, 0, 3, "a state of weather", "0 clear, 1 scattered, 2 broken, 3 overcast, NaN at night")
    lit, row = np.isfinite(state), np.nan_to_num(state).astype(int)
    warmer = np.where(lit, SUN_WARMS_F[row] / 1.8, 0.0)
    drier = np.where(lit, SUN_DRIES[row], 1.0)
    return np.asarray(temp_c, float) + warmer, np.asarray(rh_percent, float) * drier


# ---------------------------------------------------------------------------------------------- the lag
def lagged(before: ArrayLike, toward: ArrayLike, hours: ArrayLike, time_lag_h: float) -> Any:
    """Moisture after some hours of going to `toward`, fraction: 63 % of the way in one time lag (Fosberg 1970)."""
    start, end = np.asarray(before, float), np.asarray(toward, float)
    return end + (start - end) * np.exp(-np.asarray(hours, float) / time_lag_h)


@dataclass(frozen=True, slots=True)
class Air:
    """Air over the fuel, constant in each step.

    Raises
    ------
    FireError
        For values outside what occurs (the hint names the likely unit), missing ones, steps that do not last.
    """

    hours: F64
    """(step,) how long each step lasts, h."""
    temp_c: F64
    """(step, ...), as all below."""
    rh_percent: F64
    rain_mm_h: Any = 0.0
    state_of_weather: Any = np.nan
    """0 clear, 1 scattered, 2 broken, 3 overcast by day; NaN at night and in deep shade."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hours", np.atleast_1d(np.asarray(self.hours, float)))
        names = ("temp_c", "rh_percent", "rain_mm_h", "state_of_weather")
        parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(getattr(self, name), float)) for name in names))
        for name, values in zip(names, parts, strict=True):
            object.__setattr__(self, name, values)
            if name != "state_of_weather" and not np.isfinite(values).all():
                raise FireError(f"{int((~np.isfinite(values)).sum())} values of {name} are missing", hint="fill them")
        if self.hours.shape != self.temp_c.shape[:1] or not (self.hours > 0).all():
            raise FireError(f"steps of {self.hours} h for {len(self.temp_c)} values", hint="hours above 0, one a step")
        check_temperature_c(self.temp_c)
        check_humidity_percent(self.rh_percent)
        check_range(self.rain_mm_h, 0, 300, "rain in mm/h", "mm in an hour; missing is no negative code")

    def boundary(self, fuel: str) -> F64:
        """(step, ...) moisture to which fuel of a size (`m1`, `m10`, `m100`) goes in each step, >= .01."""
        still = equilibrium_moisture(*at_fuel(self.temp_c, self.rh_percent, self.state_of_weather))
        toward = np.where(self.rain_mm_h >= RAIN_FROM_MM_H, RAIN_BOUNDARY[fuel], still)
        return np.asarray(np.maximum(toward, DRIEST))


@dataclass(frozen=True, slots=True)
class DeadMoisture:
    """Moisture of 1-h, 10-h and 100-h fuel before the first step and after each: (step + 1, ...) fractions."""

    m1: F64
    m10: F64
    m100: F64


def dead_moisture(air: Air, *, start: Mapping[str, ArrayLike] | None = None) -> DeadMoisture:
    """Moisture of dead fuel of three sizes in the course of the weather.

    Parameters
    ----------
    start
        Moisture of `m1`, `m10`, `m100` before the first step. A size not given starts where the first 24 h, day after day
        the same, would bring it.

    Raises
    ------
    FireError
        For unknown sizes, and moistures that are no fractions (percent).
    """
    given = dict(start or {})
    for name, moisture in given.items():
        if name not in TIME_LAG_H:
            raise FireError(f"unknown dead fuel {name!r}", hint=nearest(name, TIME_LAG_H))
        check_dead_moisture(moisture, name)
    parts = {}
    for name, lag in TIME_LAG_H.items():
        toward = air.boundary(name)
        first = given[name] if name in given else settled(toward, air.hours, lag)
        parts[name] = course(first, toward, air.hours, lag)
    return DeadMoisture(**parts)


def course(start: ArrayLike, toward: F64, hours: F64, time_lag_h: float) -> F64:
    """(step + 1, ...) moisture before the first step and after each."""
    states = [np.broadcast_to(np.asarray(start, float), toward.shape[1:])]
    for end, lasts in zip(toward, hours, strict=True):
        states.append(lagged(states[-1], end, lasts, time_lag_h))
    return np.stack(states)


def settled(toward: F64, hours: F64, time_lag_h: float) -> Any:
    """Moisture at the start of a day that repeats itself for ever: the first 24 h of the steps, or all if they are fewer."""
    until = np.minimum(np.cumsum(hours), 24.0)
    lasts = np.diff(until, prepend=0.0)
    gained = course(0.0, toward, lasts, time_lag_h)[-1]
    return gained / -np.expm1(-until[-1] / time_lag_h)


# ---------------------------------------------------------------------------------------------- live herbs
def herb_moisture_of_curing(cured: ArrayLike) -> Any:
    """Moisture of live herbs, fraction, at which a share 0-1 of them is cured: 1.2 green, .3 all cured (Burgan 1979).

    The inverse of `rothermel.cured_share`, for curing that was seen in the field or from a satellite.

    Raises
    ------
    FireError
        For shares outside 0-1.
    """
    check_range(cured, 0, 1, "a cured share", "a fraction of the herbs: 60 % is 0.6")
    return np.clip((1.333 - np.asarray(cured, float)) / 1.11, 0.30, 1.20)
