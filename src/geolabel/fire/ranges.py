"""What occurs in nature, and what must be another unit: range checks of fuel, weather and terrain, each with a hint.

NaN passes: whether values may be missing, the caller decides.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from geolabel.errors import FireError, GeolabelWarning

FASTEST_M_S = 60.0
"""Mean 10-m winds above this do not occur over land outside tornadoes."""
HURRICANE_M_S = 33.0
"""Mean 10-m wind of Beaufort 12: it occurs, but km/h taken for m/s is likelier."""
STEEPEST_DEG = 80.0
"""Steeper ground is a cliff, or a slope in percent."""
DRIEST, WETTEST_DEAD, WETTEST_LIVE = 0.01, 1.0, 3.0
"""Fuel moisture, fraction of dry weight."""


def check_range(values: ArrayLike, least: float, most: float, what: str, hint: str) -> None:
    """Raise FireError with the worst value where any that is not NaN lies outside [least, most]."""
    seen = np.asarray(values, float)
    seen = seen[~np.isnan(seen)]
    if seen.size and not (seen.min() >= least and seen.max() <= most):
        worst = seen.min() if seen.min() < least else seen.max()
        raise FireError(f"{what} of {worst:g}", hint=hint)


def check_temperature_c(values: ArrayLike) -> None:
    """Raise FireError for air temperatures that do not occur in C."""
    hint = "kelvin? C = K - 273.15; Fahrenheit? C = (F - 32) / 1.8"
    check_range(values, -70, 60, "an air temperature in C", hint)


def check_humidity_percent(values: ArrayLike) -> None:
    """Raise FireError for relative humidity outside 0-100 %, and where all of it looks like fractions."""
    check_range(values, 0, 100, "a relative humidity in %", "percent, 0-100; clip what a model gives above 100")
    seen = np.asarray(values, float)
    seen = seen[~np.isnan(seen)]
    if seen.size and seen.max() <= 1:
        raise FireError(f"a relative humidity of at most {seen.max():g} %", hint="a fraction? percent: 42, not 0.42")


def check_wind_m_s(values: ArrayLike) -> None:
    """Raise FireError for mean 10-m winds that do not occur in m/s; warn of hurricanes."""
    check_range(values, 0, FASTEST_M_S, "a mean wind in m/s", "km/h or mph? m/s = km/h / 3.6 = mph x 0.447")
    fastest = np.max(np.nan_to_num(np.asarray(values, float)), initial=0.0)
    if fastest > HURRICANE_M_S:
        warnings.warn(GeolabelWarning(f"a mean wind of {fastest:g} m/s is a hurricane: km/h?"), stacklevel=3)


def check_dead_moisture(values: ArrayLike, what: str = "dead fuel") -> None:
    """Raise FireError for moisture of dead fuel that is no fraction of dry weight."""
    hint = "a fraction of dry weight: 6 % is 0.06; dead fuel holds 1 at most"
    check_range(values, DRIEST, WETTEST_DEAD, f"{what} moisture", hint)


def check_live_moisture(values: ArrayLike, what: str = "live fuel") -> None:
    """Raise FireError for moisture of live fuel or foliage that is no fraction of dry weight."""
    hint = "a fraction of dry weight: 90 % is 0.9; live fuel holds 0.3 to 3"
    check_range(values, DRIEST, WETTEST_LIVE, f"{what} moisture", hint)


def check_slope_deg(values: ArrayLike) -> None:
    """Raise FireError for slopes that are not degrees."""
    hint = "slope in percent? degrees = degrees(atan(percent / 100)); cliffs above 80 degrees are no fuel"
    check_range(values, 0, STEEPEST_DEG, "a slope in degrees", hint)


def check_bearing_deg(values: ArrayLike, what: str) -> None:
    """Raise FireError for directions outside 0-360 degrees."""
    check_range(values, 0, 360, f"{what} in degrees", "clockwise from true north, 0-360; flat ground is NaN, not -1")
