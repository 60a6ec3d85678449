"""A season of the Fire Weather Index, day after day: start-up values, missing days, units that cannot be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geolabel.errors import FireError, GeolabelWarning
from geolabel.fire.arrays import F64, Mask
from geolabel.fire.danger import fwi
from geolabel.fire.ranges import check_humidity_percent, check_range, check_temperature_c

Missing = Literal["refuse", "hold"]
LONGEST_GAP_DAYS = 3
"""Missing days in a row after which held codes say nothing any more."""
WEATHER = ("temp_c", "rh_percent", "wind_km_h", "rain_mm")
_LEAST_DAYS = 20
"""Days from which the wind and the rain of a series can be doubted as a whole."""


@dataclass(frozen=True, slots=True)
class NoonWeather:
    """Weather at noon, local standard time, of days that follow one another; NaN is missing.

    Raises
    ------
    FireError
        For values outside what occurs (the hint names the likely unit), shapes that do not fit.
    """

    month: Any
    """(day,) 1-12."""
    temp_c: F64
    """(day, ...), as all below."""
    rh_percent: F64
    wind_km_h: F64
    """Mean at 10 m in the open."""
    rain_mm: F64
    """Of the 24 h before."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "month", np.atleast_1d(np.asarray(self.month, int)))
        parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(getattr(self, name), float)) for name in WEATHER))
        for name, values in zip(WEATHER, parts, strict=True):
            object.__setattr__(self, name, values)
        if len(self.month) != len(self.temp_c):
            raise FireError(
                f"{len(self.temp_c)} days of weather for {len(self.month)} months", hint="one of each a day"
            )
        check_noon(*parts)

    @classmethod
    def on(
        cls, dates: ArrayLike, *, temp_c: ArrayLike, rh_percent: ArrayLike, wind_km_h: ArrayLike, rain_mm: ArrayLike
    ) -> NoonWeather:
        """Weather of given dates (anything numpy reads as `datetime64[D]`).

        Raises
        ------
        FireError
            Also where a date is missing, doubled or out of order: the codes of a day rest on those of the day before.
        """
        days = np.atleast_1d(np.asarray(dates, "datetime64[D]"))
        steps = np.diff(days).astype(int)
        if (steps != 1).any():
            at = int((steps != 1).argmax())
            raise FireError(
                f"after {days[at]} comes {days[at + 1]}",
                hint='give every day once, in order; a day without weather is a row of NaN, with missing="hold"',
            )
        months = days.astype("datetime64[M]").astype(int) % 12 + 1
        return cls(months, *(np.asarray(part, float) for part in (temp_c, rh_percent, wind_km_h, rain_mm)))

    @property
    def complete(self) -> Mask:
        """(day, ...): whether all four values are there."""
        return np.isfinite(np.stack([getattr(self, name) for name in WEATHER])).all(0)


@dataclass(frozen=True, slots=True)
class StartUp:
    """Codes of the day before the first, numbers or arrays of the places: three days after snow melt (Van Wagner 1987)."""

    ffmc: Any = 85.0
    dmc: Any = 6.0
    dc: Any = 15.0

    def __post_init__(self) -> None:
        for name, most in (("ffmc", 101.0), ("dmc", 1000.0), ("dc", 3000.0)):
            code = np.asarray(getattr(self, name), float)
            if not ((code >= 0) & (code <= most)).all():
                raise FireError(f"a start-up {name} of {code.min():g} to {code.max():g}", hint=f"0 to {most:g}")


@dataclass(frozen=True, slots=True)
class FWIDays:
    """Codes and indices of each day, (day, ...) float64; NaN on days without weather."""

    ffmc: F64
    dmc: F64
    dc: F64
    isi: F64
    bui: F64
    fwi: F64
    dsr: F64

    @property
    def last(self) -> StartUp:
        """Codes from which the next day goes on.

        Raises
        ------
        FireError
            Where the last day has none.
        """
        codes = [getattr(self, name)[-1] for name in ("ffmc", "dmc", "dc")]
        if not all(np.isfinite(code).all() for code in codes):
            raise FireError(
                "the last day has no codes somewhere: its weather is missing", hint="start from another day"
            )
        return StartUp(*codes)


def fwi_days(
    weather: NoonWeather,
    *,
    latitude_deg: ArrayLike = fwi.CANADA_DEG,
    start: StartUp | None = None,
    missing: Missing = "refuse",
) -> FWIDays:
    """Codes and indices of one season, day after day.

    Parameters
    ----------
    latitude_deg
        Degrees north, a number or an array of the places; it sets the day lengths.
    start
        Codes of the day before the first (default 85, 6, 15); `overwintered_drought_code` gives one for dry winters.
    missing
        `refuse` raises where any value is missing. `hold`: such a day has no index (NaN) and the codes of the day
        before stay; after more than 3 such days in a row the place has no index until the end.

    Raises
    ------
    FireError
        For missing weather (under `refuse`), unknown `missing`, latitudes that do not exist.
    """
    there = _present(weather, missing)
    shape = np.broadcast_shapes(there.shape[1:], np.shape(latitude_deg))
    begin = start or StartUp()
    state = np.stack([np.broadcast_to(np.asarray(code, float), shape) for code in (begin.ffmc, begin.dmc, begin.dc)])
    gap = np.zeros(shape, int)
    codes = np.empty((3, len(there), *shape))
    for day, seen in enumerate(there):
        gap = np.where(seen, 0, gap + 1)
        state = np.where(seen, _next_codes(state, weather, day, latitude_deg), state)
        state = np.where(gap > LONGEST_GAP_DAYS, np.nan, state)
        codes[:, day] = np.where(seen, state, np.nan)
    return _indices(codes, weather.wind_km_h)


def _next_codes(state: F64, weather: NoonWeather, day: int, latitude_deg: ArrayLike) -> F64:
    temp, rh, wind, rain = (getattr(weather, name)[day] for name in WEATHER)
    month = weather.month[day]
    return np.stack(
        [
            fwi.fine_fuel_moisture_code(state[0], temp, rh, wind, rain),
            fwi.duff_moisture_code(state[1], temp, rh, rain, fwi.effective_day_length_h(month, latitude_deg)),
            fwi.drought_code(state[2], temp, rain, fwi.day_length_factor(month, latitude_deg)),
        ]
    )


def _indices(codes: F64, wind_km_h: F64) -> FWIDays:
    ffmc, dmc, dc = codes
    days, *places = wind_km_h.shape
    wind = wind_km_h.reshape(days, *[1] * (ffmc.ndim - wind_km_h.ndim), *places)
    isi, bui = fwi.initial_spread_index(ffmc, wind), fwi.buildup_index(dmc, dc)
    index = fwi.fire_weather_index(isi, bui)
    return FWIDays(ffmc, dmc, dc, isi, bui, index, fwi.daily_severity_rating(index))


def _present(weather: NoonWeather, missing: Missing) -> Mask:
    there = weather.complete
    if missing not in ("refuse", "hold"):
        raise FireError(f"unknown missing={missing!r}", hint="refuse or hold")
    if missing == "refuse" and not there.all():
        lost = np.argwhere(~there)
        what = [name for name in WEATHER if not np.isfinite(getattr(weather, name)).all()]
        raise FireError(
            f"{len(lost)} values of {', '.join(what)} are missing, the first on day {int(lost[0][0]) + 1}",
            hint='fill them from a near station, or missing="hold": such days have no index, the codes stay, 3 days at most',
        )
    return there


# ---------------------------------------------------------------------------------------------- units
def check_noon(temp_c: F64, rh_percent: F64, wind_km_h: F64, rain_mm: F64) -> None:
    """Raise FireError for values that do not occur in these units, warn where a whole series looks like another unit."""
    check_temperature_c(temp_c)
    check_humidity_percent(rh_percent)
    check_range(wind_km_h, 0, 220, "a mean wind at 10 m in km/h", "a mean, not a gust, in km/h: m/s x 3.6, mph x 1.609")
    check_range(rain_mm, 0, 2000, "24-h rain in mm", "mm of the 24 h before noon; missing is NaN, no negative code")
    _doubt_series(wind_km_h, rain_mm)


def _doubt_series(wind_km_h: F64, rain_mm: F64) -> None:
    wind, rain = (part[np.isfinite(part)] for part in (wind_km_h, rain_mm))
    if len(wind_km_h) < _LEAST_DAYS or not wind.size or not rain.size:
        return
    if np.median(wind) < 5:
        warnings.warn(
            GeolabelWarning(f"half of the noon winds are below {np.median(wind):.1f} km/h: m/s? km/h = m/s x 3.6"),
            stacklevel=4,
        )
    if 0 < rain.max() < 0.3:
        warnings.warn(
            GeolabelWarning(f"no day has more than {rain.max():g} mm of rain: metres? mm = m x 1000"), stacklevel=4
        )
