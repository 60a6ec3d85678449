"""What is not known of a fire to come, and the weather it may turn out to have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.ranges import DRIEST, FASTEST_M_S, WETTEST_DEAD, WETTEST_LIVE
from geolabel.fire.weather.weather import Weather

DRIEST_LIVE = 0.3
"""Least moisture that live fuel is drawn with: below it is cured."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What is not known of a fire to come; each number is a standard deviation.

    The error of the rate of spread follows Cruz & Alexander (2013, Environmental Modelling & Software 47, 16-28): +-35 %
    is a reasonable standard.

    The default wind error is that of the project's benchmark: N(20, 5) km/h, 30 degrees. It is a good forecast's, not any
    forecast's: Page et al. (2018, Weather and Forecasting 33, 301-315) hold that the wind must be known to 20-30 % for a
    good rate of spread, and find the US National Digital Forecast Database 15 % (.5 m/s) too low where more than 4 m/s was
    observed; such a bias is no standard deviation, and is not drawn here. That the direction is the less certain the
    weaker the wind (Jimenez & Dudhia 2013, J. Appl. Meteor. Climatol. 52, 1610-1617) is not drawn either.
    """

    speed_share: float = 0.25
    """Of the hourly wind speed, as a share of it."""
    direction_deg: float = 30.0
    """Of the hourly wind direction."""
    correlation: float = 0.8
    """Of wind errors from one hour to the next (first-order autoregression)."""
    log_rate: float = 0.35
    """Of the logarithm of the rate of spread, one draw a fire."""
    log_moisture: float = 0.15
    """Of the logarithm of all moistures, one draw a fire."""
    speed_m_s: float = 0.0
    """Of the hourly wind speed, m/s, besides the share: what stays uncertain of a calm."""

    def __post_init__(self) -> None:
        spreads = self.speed_share, self.direction_deg, self.log_rate, self.log_moisture, self.speed_m_s
        if not min(spreads) >= 0 or not 0 <= self.correlation < 1:
            raise FireError(f"impossible uncertainty {self}", hint="standard deviations >= 0, correlation in [0, 1)")

    def times(self, factor: float) -> Uncertainty:
        """The same with every standard deviation multiplied, correlation kept."""
        names = ("speed_share", "direction_deg", "log_rate", "log_moisture", "speed_m_s")
        return replace(self, **{name: factor * getattr(self, name) for name in names})


def drawn_weather(weather: Weather, hours: float, unsure: Uncertainty, rng: np.random.Generator) -> Weather:
    """One hourly weather that the given one may turn out to be: its wind and moisture err everywhere alike."""
    return erring(weather.hourly(hours), unsure, rng)


def erring(hourly: Weather, unsure: Uncertainty, rng: np.random.Generator) -> Weather:
    """The same of a weather that is hourly already."""
    wobble = _autoregressive(rng, len(hourly.hours), unsure.correlation)
    turn = _autoregressive(rng, len(hourly.hours), unsure.correlation)
    error_m_s = np.hypot(unsure.speed_share * hourly.speed_m_s, unsure.speed_m_s)
    speed = np.clip(hourly.speed_m_s + error_m_s * wobble, 0, FASTEST_M_S)
    wet = float(np.exp(unsure.log_moisture * rng.standard_normal()))
    from_deg = (hourly.from_deg + unsure.direction_deg * turn) % 360
    return hourly.changed(speed_m_s=speed, from_deg=from_deg, **_wetter(hourly, wet))


def _wetter(weather: Weather, factor: float) -> dict[str, Any]:
    """Moistures of a weather times a factor, within what occurs."""
    wet: dict[str, Any] = {
        name: np.clip(getattr(weather, name) * factor, DRIEST, WETTEST_DEAD) for name in ("m1", "m10", "m100")
    }
    for name in ("live_herb", "live_woody"):
        wet[name] = np.clip(getattr(weather, name) * factor, DRIEST_LIVE, WETTEST_LIVE)
    if weather.zones is not None:
        least = np.array([DRIEST] * 3 + [DRIEST_LIVE] * 2)[:, None]
        most = np.array([WETTEST_DEAD] * 3 + [WETTEST_LIVE] * 2)[:, None]
        wet["zones"] = replace(weather.zones, moisture=np.clip(weather.zones.moisture * factor, least, most))
    return wet


def _autoregressive(rng: np.random.Generator, n: int, correlation: float) -> NDArray[np.float64]:
    """(n,) standard normal values, each correlated with the one before."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return noise
