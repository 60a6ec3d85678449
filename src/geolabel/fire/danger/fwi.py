"""The Canadian Forest Fire Weather Index System: three moisture codes and what fire they let expect.

Pure functions named after the quantity, from one day to the next; arrays broadcast. Weather is that of noon, local
standard time: temperature and humidity in a shelter, wind at 10 m in the open averaged over 10 min, rain of the 24 h
before. `fwi_daily` walks a season.

The equations are those of 1987 as printed; the FORTRAN program of 1985, and packages that follow it, write the duff
moisture code with other digits (.10 DMC, .02 FWI apart at most in the 60 days of the reference). Day lengths outside Canada
are those of `cffdrs`, the Canadian Forest Service's own package.

Source: Van Wagner (1987), Forestry Technical Report 35, equation numbers; Van Wagner & Pickett (1985), FTR 33; Lawson &
Armitage (2008), Weather guide for the CFFDRS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.errors import FireError
from geolabel.fire.arrays import F64

CANADA_DEG = 46.0
"""Latitude, degrees north, whose day lengths the system was made with."""
_DMC_DAY_LENGTH_H = np.array(
    [
        [11.5, 10.5, 9.2, 7.9, 6.8, 6.2, 6.5, 7.4, 8.7, 10.0, 11.2, 11.8],
        [10.1, 9.6, 9.1, 8.5, 8.1, 7.8, 7.9, 8.3, 8.9, 9.4, 9.9, 10.2],
        [9.0] * 12,
        [7.9, 8.4, 8.9, 9.5, 9.9, 10.2, 10.1, 9.7, 9.1, 8.6, 8.1, 7.8],
        [6.5, 7.5, 9.0, 12.8, 13.9, 13.9, 12.4, 10.9, 9.4, 8.0, 7.0, 6.0],
    ]
)
"""Rows: south of 30 S (for 40 S), to 10 S (for 20 S), to 10 N, to 30 N (for 20 N), north of it (46 N: Van Wagner 1987)."""
_DC_FACTOR = np.array(
    [
        [6.4, 5.0, 2.4, 0.4, -1.6, -1.6, -1.6, -1.6, -1.6, 0.9, 3.8, 5.8],
        [1.4] * 12,
        [-1.6, -1.6, -1.6, 0.9, 3.8, 5.8, 6.4, 5.0, 2.4, 0.4, -1.6, -1.6],
    ]
)
"""Rows: south of 20 S, to 20 N, north of it (Canada: Van Wagner 1987)."""


# ---------------------------------------------------------------------------------------------- day length
def _by_month(table: F64, edges: tuple[float, ...], month: ArrayLike, latitude_deg: ArrayLike) -> Any:
    months, latitude = np.asarray(month), np.asarray(latitude_deg, float)
    if ((months < 1) | (months > 12) | (months != np.floor(months))).any():
        raise FireError(f"months from {months.min()} to {months.max()}", hint="1 is January, 12 December")
    if not ((latitude >= -90) & (latitude <= 90)).all():
        raise FireError(
            f"latitudes from {latitude.min():g} to {latitude.max():g}", hint="degrees north, south is negative"
        )
    return table[np.digitize(latitude, edges, right=True), months.astype(int) - 1]


def effective_day_length_h(month: ArrayLike, latitude_deg: ArrayLike = CANADA_DEG) -> Any:
    """Effective day length of the duff moisture code, h, by month (1-12) and latitude in degrees north.

    An edge (30 S, 10 S, 10 N, 30 N) belongs to the zone south of it.

    Raises
    ------
    FireError
        For months and latitudes that do not exist.
    """
    return _by_month(_DMC_DAY_LENGTH_H, (-30.0, -10.0, 10.0, 30.0), month, latitude_deg)


def day_length_factor(month: ArrayLike, latitude_deg: ArrayLike = CANADA_DEG) -> Any:
    """Day length factor of the drought code, dimensionless, by month (1-12) and latitude in degrees north.

    An edge (20 S, 20 N) belongs to the zone south of it.

    Raises
    ------
    FireError
        For months and latitudes that do not exist.
    """
    return _by_month(_DC_FACTOR, (-20.0, 20.0), month, latitude_deg)


# ---------------------------------------------------------------------------------------------- fine fuel moisture code
def litter_moisture_percent(ffmc: ArrayLike) -> Any:
    """Moisture of the litter, % of dry weight, of a fine fuel moisture code (eq. 1)."""
    code = np.asarray(ffmc, float)
    return 147.2 * (101 - code) / (59.5 + code)


def ffmc_of_moisture(moisture_percent: ArrayLike) -> Any:
    """Fine fuel moisture code, 0-101, of a moisture of the litter in % of dry weight (eq. 10)."""
    wet = np.asarray(moisture_percent, float)
    return np.clip(59.5 * (250 - wet) / (147.2 + wet), 0.0, 101.0)


def litter_after_rain_percent(moisture_percent: ArrayLike, rain_mm: ArrayLike) -> Any:
    """Moisture of the litter, %, once rain has fallen on it; up to 0.5 mm stay in the canopy (eq. 2-3b)."""
    wet, rain = np.asarray(moisture_percent, float), np.asarray(rain_mm, float)
    falls = rain > 0.5
    net = np.where(falls, rain - 0.5, 1.0)
    gain = 42.5 * net * np.exp(-100 / (251 - np.minimum(wet, 250.0))) * (1 - np.exp(-6.93 / net))
    more = 0.0015 * np.maximum(wet - 150, 0.0) ** 2 * np.sqrt(net)
    return np.where(falls, np.minimum(wet + gain + more, 250.0), np.where(np.isnan(rain), np.nan, wet))


def litter_equilibria_percent(temp_c: ArrayLike, rh_percent: ArrayLike) -> tuple[Any, Any]:
    """(moisture to which litter dries, to which it wets), %, at temperature in C and relative humidity in % (eq. 4-5)."""
    temp, rh = np.asarray(temp_c, float), np.asarray(rh_percent, float)
    warm = 0.18 * (21.1 - temp) * (1 - np.exp(-0.115 * rh))
    steep = np.exp((rh - 100) / 10)
    return 0.942 * rh**0.679 + 11 * steep + warm, 0.618 * rh**0.753 + 10 * steep + warm


def litter_drying_rate(temp_c: ArrayLike, humid: ArrayLike, wind_km_h: ArrayLike) -> Any:
    """Log rate of the litter's moisture, 1/day; `humid` is RH/100 to dry and 1 - RH/100 to wet (eq. 6a-7b)."""
    share = np.asarray(humid, float)
    rate = 0.424 * (1 - share**1.7) + 0.0694 * np.sqrt(np.asarray(wind_km_h, float)) * (1 - share**8)
    return rate * 0.581 * np.exp(0.0365 * np.asarray(temp_c, float))


def fine_fuel_moisture_code(
    before: ArrayLike, temp_c: ArrayLike, rh_percent: ArrayLike, wind_km_h: ArrayLike, rain_mm: ArrayLike
) -> Any:
    """Fine fuel moisture code of the day, 0-101, from the day before's and noon's weather (eq. 1-10)."""
    rh = np.asarray(rh_percent, float)
    wet = litter_after_rain_percent(litter_moisture_percent(before), rain_mm)
    dries_to, wets_to = litter_equilibria_percent(temp_c, rh)
    drying = 10.0 ** -litter_drying_rate(temp_c, rh / 100, wind_km_h)
    wetting = 10.0 ** -litter_drying_rate(temp_c, 1 - rh / 100, wind_km_h)
    dried, wetted = dries_to + (wet - dries_to) * drying, wets_to - (wets_to - wet) * wetting
    # between the two equilibria nothing changes
    return ffmc_of_moisture(np.where(wet > dries_to, dried, np.where(wet < wets_to, wetted, wet + 0 * dried)))


# ---------------------------------------------------------------------------------------------- duff moisture code
def dmc_after_rain(before: ArrayLike, rain_mm: ArrayLike) -> Any:
    """Duff moisture code once rain has fallen; up to 1.5 mm change nothing (eq. 11-15)."""
    code, rain = np.asarray(before, float), np.asarray(rain_mm, float)
    falls = rain > 1.5
    net = np.where(falls, 0.92 * rain - 1.27, 0.0)
    log = np.log(np.maximum(code, 1e-9))
    slope = np.where(code <= 33, 100 / (0.5 + 0.3 * code), np.where(code <= 65, 14 - 1.3 * log, 6.2 * log - 17.2))
    wet = 20 + np.exp(5.6348 - code / 43.43) + 1000 * net / (48.77 + slope * net)
    return np.where(falls, np.maximum(244.72 - 43.43 * np.log(wet - 20), 0.0), code + 0 * rain)


def duff_moisture_code(
    before: ArrayLike, temp_c: ArrayLike, rh_percent: ArrayLike, rain_mm: ArrayLike, day_length_h: ArrayLike
) -> Any:
    """Duff moisture code of the day, >= 0, from the day before's, noon's weather and `effective_day_length_h` (eq. 11-17)."""
    warm = np.maximum(np.asarray(temp_c, float), -1.1) + 1.1
    rate = 1.894e-6 * warm * (100 - np.asarray(rh_percent, float)) * np.asarray(day_length_h, float)
    return dmc_after_rain(before, rain_mm) + 100 * rate


# ---------------------------------------------------------------------------------------------- drought code
def dc_after_rain(before: ArrayLike, rain_mm: ArrayLike) -> Any:
    """Drought code once rain has fallen; up to 2.8 mm change nothing (eq. 18-21)."""
    code, rain = np.asarray(before, float), np.asarray(rain_mm, float)
    falls = rain > 2.8
    net = np.where(falls, 0.83 * rain - 1.27, 0.0)
    water = 800 * np.exp(-code / 400) + 3.937 * net
    return np.where(falls, np.maximum(400 * np.log(800 / water), 0.0), code + 0 * rain)


def drought_code(before: ArrayLike, temp_c: ArrayLike, rain_mm: ArrayLike, factor: ArrayLike) -> Any:
    """Drought code of the day, >= 0, from the day before's, noon's weather and `day_length_factor` (eq. 18-23)."""
    warm = np.maximum(np.asarray(temp_c, float), -2.8) + 2.8
    evaporates = np.maximum(0.36 * warm + np.asarray(factor, float), 0.0)
    return dc_after_rain(before, rain_mm) + 0.5 * evaporates


def overwintered_drought_code(
    autumn_dc: ArrayLike, winter_rain_mm: ArrayLike, *, carried: float = 0.75, effective: float = 0.75
) -> Any:
    """Drought code at the start of a season, >= 15, from the last of the season before and the rain and snow between.

    Where 200 mm or more fall between two seasons the ground fills up and the usual 15 will do.

    Parameters
    ----------
    winter_rain_mm
        Water equivalent of all that fell between the two seasons, mm.
    carried
        Share of the autumn's moisture that stays: 1 where the codes ran until freeze-up, .75, or .5 where long before.
    effective
        Share of the winter's water that wets the ground: .9 deep and level, .75, or .5 steep and shallow.

    Source: Lawson & Armitage (2008), eq. 2-4.
    """
    autumn, winter = np.asarray(autumn_dc, float), np.asarray(winter_rain_mm, float)
    water = carried * 800 * np.exp(-autumn / 400) + effective * 3.94 * winter
    return np.maximum(400 * np.log(800 / water), 15.0)


# ---------------------------------------------------------------------------------------------- indices
def initial_spread_index(ffmc: ArrayLike, wind_km_h: ArrayLike) -> Any:
    """Initial spread index, relative rate of spread, of litter and of 10-m wind in km/h (eq. 24-26)."""
    wet = litter_moisture_percent(ffmc)
    of_litter = 91.9 * np.exp(-0.1386 * wet) * (1 + wet**5.31 / 4.93e7)
    return 0.208 * np.exp(0.05039 * np.asarray(wind_km_h, float)) * of_litter


def buildup_index(dmc: ArrayLike, dc: ArrayLike) -> Any:
    """Buildup index, fuel available to burn, of duff moisture and drought code (eq. 27a-27b)."""
    duff, drought = np.asarray(dmc, float), np.asarray(dc, float)
    both = duff + 0.4 * drought
    # without any drying there is nothing to burn: 0 / 0 is 0
    share = 0.8 * drought / np.where(both == 0, 1.0, both)
    deep = duff - (1 - share) * (0.92 + (0.0114 * duff) ** 1.7)
    return np.where(duff <= 0.4 * drought, duff * share, np.maximum(deep, 0.0))


def fire_weather_index(isi: ArrayLike, bui: ArrayLike) -> Any:
    """Fire weather index, relative intensity of the fire front, of initial spread and buildup (eq. 28a-30b)."""
    spread, buildup = np.asarray(isi, float), np.asarray(bui, float)
    shallow = 0.626 * np.minimum(buildup, 80.0) ** 0.809 + 2
    deep = 1000 / (25 + 108.64 * np.exp(-0.023 * buildup))
    scale = 0.1 * spread * np.where(buildup <= 80, shallow, deep)
    above = np.exp(2.72 * (0.434 * np.log(np.maximum(scale, 1.0))) ** 0.647)
    return np.where(scale > 1, above, scale)


def daily_severity_rating(fwi: ArrayLike) -> Any:
    """Daily severity rating, relative effort of suppression: the one to average over days and places (eq. 31)."""
    return 0.0272 * np.asarray(fwi, float) ** 1.77
