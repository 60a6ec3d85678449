"""Where the sun stands, and what a cloudy sky is called: the state of weather of the fire danger rating system."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.fire.arrays import F64

CLOUD_UNTIL = np.array([0.10, 0.55, 0.95])
"""Cloud cover below which the sky is clear, scattered (1/10-5/10), broken (6/10-9/10); else overcast (PSW-82)."""


def sun_elevation_deg(unix_s: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> Any:
    """Height of the sun over the horizon, degrees, within about half a degree; refraction is left out.

    Source: Spencer (1971), Fourier series representation of the position of the sun.
    """
    days = np.asarray(unix_s, float) / 86_400
    year = np.asarray(days * 86_400, "datetime64[s]").astype("datetime64[Y]").astype("datetime64[D]").astype(float)
    angle = 2 * np.pi * (days - year) / 365
    tilt = (
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )
    late_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.040849 * np.sin(2 * angle)
    )
    solar_h = (days % 1) * 24 + late_min / 60 + np.asarray(lon, float) / 15
    hour_angle, phi = np.radians(15 * (solar_h - 12)), np.radians(np.asarray(lat, float))
    height = np.sin(phi) * np.sin(tilt) + np.cos(phi) * np.cos(tilt) * np.cos(hour_angle)
    return np.degrees(np.arcsin(np.clip(height, -1, 1)))


def state_of_weather(cloud_fraction: ArrayLike, elevation_deg: ArrayLike) -> F64:
    """0 clear, 1 scattered, 2 broken, 3 overcast by day; NaN at night, as `danger.moisture.at_fuel` reads it."""
    state = np.searchsorted(CLOUD_UNTIL, np.asarray(cloud_fraction, float), side="right")
    return np.where(np.asarray(elevation_deg, float) > 0, state, np.nan)
