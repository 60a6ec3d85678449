"""Air over the fuel in the cells of gridded weather, and zones of dead fuel moisture from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from geolabel.errors import FireError, UnitError
from geolabel.fire.arrays import F64
from geolabel.fire.danger.moisture import Air
from geolabel.fire.ranges import check_humidity_percent, check_range
from geolabel.fire.weather import cf
from geolabel.fire.weather.dead import dead_by_period
from geolabel.fire.weather.field import Zones
from geolabel.fire.weather.place import Placed
from geolabel.fire.weather.sun import state_of_weather, sun_elevation_deg
from geolabel.fire.weather.weather import MOISTURES, known_moistures

FLUXES = ("precipitation_flux", "rainfall_flux", "lwe_precipitation_rate", "rainfall_rate")
AMOUNTS = ("precipitation_amount", "lwe_thickness_of_precipitation_amount", "rainfall_amount")
SATURATED = 105.0
"""Relative humidity up to which a model's air counts as 100 %."""


def humidity_of_dew_point(temp_c: Any, dew_point_c: Any) -> Any:
    """Relative humidity in % of air with a temperature and a dew point in C (Alduchov & Eskridge 1996, eq. 21)."""
    return 100 * np.exp(17.625 * dew_point_c / (243.04 + dew_point_c) - 17.625 * temp_c / (243.04 + temp_c))


def air_over(
    dataset: xr.Dataset, here: Placed, dim: str | None, times: pd.DatetimeIndex, lasts: F64
) -> tuple[Air | None, str]:
    """(air of each step in each weather cell, what is known of its sky in words); None without temperature or humidity."""
    temp, moist = cf.found(dataset, "air_temperature"), cf.found(dataset, "relative_humidity")
    dew = cf.found(dataset, "dew_point_temperature")
    if temp is None or (moist is None and dew is None):
        return None, ""
    warm = here.values(temp, dim, "C")
    if moist is not None:
        humid = here.values(moist, dim, "%")
    else:
        humid = np.asarray(humidity_of_dew_point(warm, here.values(dew, dim, "C")))
    check_range(humid, 0, SATURATED, "a relative humidity in %", "0-100; see the variable's units")
    humid = np.minimum(humid, 100.0)
    check_humidity_percent(humid)
    state, sky = _sky(dataset, here, dim, times)
    return Air(lasts, warm, humid, _rain(dataset, here, dim, lasts), state), sky


def _sky(dataset: xr.Dataset, here: Placed, dim: str | None, times: pd.DatetimeIndex) -> tuple[Any, str]:
    cloud = cf.found(dataset, "cloud_area_fraction")
    if cloud is None:
        return np.nan, "as in the shade: no cloud_area_fraction"
    lon, lat = here.lonlat
    seconds = np.array([time.timestamp() for time in times])[:, None, None]
    return state_of_weather(
        here.values(cloud, dim, "%") / 100, sun_elevation_deg(seconds, lon, lat)
    ), "under its clouds"


def _rain(dataset: xr.Dataset, here: Placed, dim: str | None, lasts: F64) -> Any:
    """mm/h of each step: of a flux, or of what fell until the time after it."""
    for name in FLUXES:
        if (flux := cf.found(dataset, name)) is not None:
            return np.maximum(here.values(flux, dim, "mm/h"), 0.0)
    for name in AMOUNTS:
        if (amount := cf.found(dataset, name)) is not None:
            if "sum" not in str(amount.attrs.get("cell_methods", "")):
                raise UnitError(
                    f"{amount.name!r} is an amount that does not say of which time",
                    hint="cell_methods 'time: sum' where it fell since the time before; or give a precipitation_flux",
                )
            fell = np.maximum(here.values(amount, dim, "mm"), 0.0)
            return np.concatenate([fell[1:], np.zeros_like(fell[:1])]) / lasts[:, None, None]
    return 0.0


def zones_of(air: Air, here: Placed, given: Mapping[str, float] | None = None) -> Zones:
    """A zone for each weather cell that is nearest to some ground, with the moisture of its fuel.

    Raises
    ------
    FireError
        For more zones than there are numbers of them.
    """
    cells, of = np.unique(here.shares.nearest, return_inverse=True)
    if len(cells) > np.iinfo(np.int16).max:
        raise FireError(f"{len(cells)} weather cells on one landscape", hint="average the weather to a coarser grid")
    periods = len(air.hours)
    parts = (air.temp_c, air.rh_percent, air.rain_mm_h, air.state_of_weather)
    own = Air(air.hours, *(part.reshape(periods, -1)[:, cells] for part in parts))
    dead, fixed = dead_by_period(own), known_moistures(given)
    rows = [
        dead[name].T if name in dead and name not in (given or {}) else np.full((len(cells), periods), fixed[name])
        for name in MOISTURES
    ]
    return Zones(of.reshape(here.shares.of.shape[1:]).astype(np.int16), np.stack(rows, axis=1))
