"""Directions and their units: wind comes FROM, fire goes TO, degrees clockwise from true north.

(u, v) is the eastward and northward component of the wind. Plain numpy: scalars in, scalars out; arrays in, arrays
out. Circular statistics after Mardia & Jupp (2000), Directional Statistics, chapter 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import InputError, nearest

SECTORS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
SPEED_TO_M_S = {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704, "kn": 0.514444, "m/min": 1 / 60, "ft/min": 0.3048 / 60}
FT = 0.3048
"""Metres in a foot."""
NO_DIRECTION_R = 1e-6
"""Mean resultant length below which a mean direction does not exist."""

Floats = NDArray[np.float64]


def convert_speed(value: ArrayLike, unit: str, to: str) -> Any:
    """Speed in unit `to`, from `unit` (m/s, km/h, mph, kn, m/min, ft/min)."""
    for name in (unit, to):
        if name not in SPEED_TO_M_S:
            raise InputError(f"unknown unit of speed {name!r}", hint=nearest(name, SPEED_TO_M_S))
    return np.asarray(value, float)[()] * SPEED_TO_M_S[unit] / SPEED_TO_M_S[to]


def opposite(bearing_deg: ArrayLike) -> Any:
    """Bearing plus 180 degrees, in [0, 360): FROM becomes TO and back."""
    return (np.asarray(bearing_deg, float)[()] + 180.0) % 360.0


def uv_from_wind(speed: ArrayLike, from_deg: ArrayLike) -> tuple[Any, Any]:
    """(u, v) of a wind of `speed` FROM `from_deg`; the unit of the speed stays."""
    to = np.radians(opposite(from_deg))
    return np.asarray(speed, float)[()] * np.sin(to), np.asarray(speed, float)[()] * np.cos(to)


def wind_from_uv(u: ArrayLike, v: ArrayLike) -> tuple[Any, Any]:
    """(speed, FROM bearing in degrees) of a wind (u, v); calm has no direction (NaN)."""
    u, v = np.asarray(u, float), np.asarray(v, float)
    speed = np.hypot(u, v)
    from_deg = np.where(speed > 0, np.degrees(np.arctan2(-u, -v)) % 360.0, np.nan)
    return speed[()], from_deg[()]


def sector(bearing_deg: float) -> str:
    """One of 16 compass sectors; an edge belongs to the next sector (11.25 is NNE)."""
    if not np.isfinite(bearing_deg):
        return "none"
    return SECTORS[int((bearing_deg % 360.0 + 11.25) // 22.5) % 16]


def from_sector(name: str) -> float:
    """Bearing in degrees of a compass sector's centre."""
    if name.upper() not in SECTORS:
        raise InputError(f"unknown compass direction {name!r}", hint=f"one of {', '.join(SECTORS)}")
    return SECTORS.index(name.upper()) * 22.5


def mean_resultant(bearing_deg: ArrayLike, weight: ArrayLike | None = None) -> tuple[float, float]:
    """(circular mean in degrees, mean resultant length R in 0..1); the mean is NaN where R says there is none."""
    bearing, weights = np.radians(np.asarray(bearing_deg, float)), np.asarray(1.0 if weight is None else weight, float)
    weights = np.where(np.isfinite(bearing), weights, 0.0)
    total = weights.sum()
    if total <= 0:
        return float("nan"), 0.0
    east = float((weights * np.nan_to_num(np.sin(bearing))).sum() / total)
    north = float((weights * np.nan_to_num(np.cos(bearing))).sum() / total)
    length = float(np.hypot(east, north))
    return (float(np.degrees(np.arctan2(east, north)) % 360.0) if length > NO_DIRECTION_R else float("nan")), length


def difference(a_deg: ArrayLike, b_deg: ArrayLike) -> Any:
    """Smallest angle between two bearings, degrees in [0, 180]."""
    return np.abs((np.asarray(a_deg, float)[()] - np.asarray(b_deg, float)[()] + 180.0) % 360.0 - 180.0)


def true_from_grid(bearing_deg: ArrayLike, convergence_deg: ArrayLike) -> Any:
    """Bearing from true north of a bearing from grid north, given the grid convergence (`Grid.convergence_deg`)."""
    return (np.asarray(bearing_deg, float)[()] + np.asarray(convergence_deg, float)[()]) % 360.0


def grid_from_true(bearing_deg: ArrayLike, convergence_deg: ArrayLike) -> Any:
    """Bearing from grid north of a bearing from true north."""
    return (np.asarray(bearing_deg, float)[()] - np.asarray(convergence_deg, float)[()]) % 360.0


def wind_20ft_from_10m(speed: ArrayLike) -> Any:
    """Wind at 20 ft above the vegetation from wind at 10 m: divided by 1.15 (Lawson & Armitage 2008, section 2.2)."""
    return np.asarray(speed, float)[()] / 1.15


def wind_10m_from_20ft(speed: ArrayLike) -> Any:
    """Wind at 10 m in the open from wind at 20 ft above the vegetation: times 1.15 (Lawson & Armitage 2008, section 2.2)."""
    return np.asarray(speed, float)[()] * 1.15
