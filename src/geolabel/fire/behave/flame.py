"""The ellipse a fire grows in, and its flames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import FT

M_MIN_PER_MPH = 88.0 * FT
KW_M_PER_BTU_FT_S = 1.055056 / FT
MAX_LENGTH_TO_WIDTH = 8.0


def length_to_width(effective_wind: ArrayLike) -> Any:
    """Length-to-width of the fire ellipse, 1-8, from the effective midflame wind in m/min (Anderson 1983)."""
    mph = np.asarray(effective_wind, float) / M_MIN_PER_MPH
    ratio = 0.936 * np.exp(np.minimum(0.1147 * mph, 10.0)) + 0.461 * np.exp(-0.0692 * mph) - 0.397
    return np.clip(ratio, 1.0, MAX_LENGTH_TO_WIDTH)


def eccentricity(ratio: ArrayLike) -> Any:
    """Eccentricity of an ellipse from its length-to-width."""
    return np.sqrt(1 - 1 / np.asarray(ratio, float) ** 2)


def rate_toward(head_rate: ArrayLike, eccentricity: ArrayLike, off_head_deg: ArrayLike) -> Any:
    """Rate in a direction `off_head_deg` from the head, in the unit of `head_rate`, from the rear focus of the ellipse."""
    e = np.asarray(eccentricity, float)
    return np.asarray(head_rate, float) * (1 - e) / (1 - e * np.cos(np.radians(off_head_deg)))


def fireline_intensity_kw_m(heat_per_area_kj_m2: ArrayLike, rate_m_min: ArrayLike) -> Any:
    """Byram's fireline intensity, kW/m (Byram 1959)."""
    return np.asarray(heat_per_area_kj_m2, float) * np.asarray(rate_m_min, float) / 60


def thomas_flame_length_m(intensity_kw_m: ArrayLike) -> Any:
    """Flame length of a crown fire, m: 0.2 I**(2/3) with I in Btu/ft/s and feet (Thomas 1963; Rothermel 1991)."""
    return 0.2 * (np.asarray(intensity_kw_m, float) / KW_M_PER_BTU_FT_S) ** (2 / 3) * FT


def flame_length_m(intensity_kw_m: ArrayLike) -> Any:
    """Flame length, m: 0.45 I**0.46 with I in Btu/ft/s and feet (Byram 1959)."""
    return 0.45 * (np.asarray(intensity_kw_m, float) / KW_M_PER_BTU_FT_S) ** 0.46 * FT
