"""Several stations as one series at a point: by inverse distance, winds as vectors."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from pyproj import Geod

from geolabel.errors import FireError, InputError, nearest
from geolabel.fire.arrays import F64
from geolabel.fire.weather.columns import mean_wind
from geolabel.fire.weather.gaps import hours_of
from geolabel.grid import LonLat

Combine = Literal["inverse distance", "nearest"]
HERE_M = 1.0
"""A station this near is at the point."""


def with_rates(table: pd.DataFrame) -> pd.DataFrame:
    """One station's rows with `rain_mm` (fallen since the row before) as `rain_mm_h` of the step in which it fell.

    The rain of the step after the last row is not known: none.

    Raises
    ------
    InputError
        Times that do not rise.
    FireError
        Several rows of one time: samples, not a series.
    """
    hours = hours_of(table)
    steps = np.diff(hours)
    if (steps == 0).any():
        at = table["time"].iloc[int(np.argmax(steps == 0))]
        raise FireError(
            f"{int((table['time'] == at).sum())} rows at {at:%Y-%m-%dT%H:%MZ}: samples of one time, not a series",
            hint="read_samples gives their vector mean and how far they spread; stations go in a column 'station'",
        )
    if (steps < 0).any():
        raise InputError(f"the times of the table do not rise: row {int(np.argmax(steps < 0)) + 2} is earlier")
    if "rain_mm" not in table:
        return table
    rate = np.append(table["rain_mm"].to_numpy(float)[1:] / steps, 0.0)
    return table.drop(columns="rain_mm").assign(rain_mm_h=rate)


def one_series(
    table: pd.DataFrame, station: str | None, point: LonLat | None, combine: Combine = "inverse distance"
) -> tuple[pd.DataFrame, str]:
    """(one row a time, what was done in words) of a table of one or several stations.

    Raises
    ------
    FireError
        Several stations, and neither one named nor a point given; stations without lon and lat.
    """
    if "station" not in table:
        return with_rates(table), ""
    parts = {str(name): with_rates(part.reset_index(drop=True)) for name, part in table.groupby("station", sort=True)}
    if station is not None:
        if station not in parts:
            raise FireError(f"no station {station!r}", hint=nearest(station, parts))
        return parts[station].drop(columns="station"), f"station {station}"
    if len(parts) == 1:
        name, part = next(iter(parts.items()))
        return part.drop(columns="station"), f"station {name}"
    if point is None:
        raise FireError(
            f"{len(parts)} stations: {', '.join(parts)}", hint="say station= one of them, or point=LonLat(...)"
        )
    far = np.array([_distance_m(name, part, point) for name, part in parts.items()])
    if combine == "nearest":
        name, part = list(parts.items())[int(far.argmin())]
        return part.drop(columns="station"), f"station {name}, the nearest of {len(parts)}, {far.min() / 1000:.1f} km"
    return _combined(parts, point, far)


def _combined(parts: dict[str, pd.DataFrame], point: LonLat, far: F64) -> tuple[pd.DataFrame, str]:
    weight = np.where(far < HERE_M, 1.0, 0.0) if (far < HERE_M).any() else far**-2.0
    times = pd.DatetimeIndex(sorted({time for part in parts.values() for time in part["time"]}))
    stack = [part.set_index("time").drop(columns=["station"]).reindex(times) for part in parts.values()]
    names = [name for name in stack[0].columns if all(name in part for part in stack) and name not in ("lon", "lat")]
    values = {name: np.stack([part[name].to_numpy(float) for part in stack]) for name in names}
    made: dict[str, Any] = {"time": times, "lon": point.lon, "lat": point.lat}
    for name in set(names) - {"speed_m_s", "from_deg", "state_of_weather"}:
        made[name] = _mean(values[name], weight)
    if "state_of_weather" in names:
        made["state_of_weather"] = values["state_of_weather"][int(far.argmin())]
    calm = np.where((values["speed_m_s"] == 0) & np.isnan(values["from_deg"]), 0.0, values["from_deg"])
    made["speed_m_s"], made["from_deg"] = mean_wind(values["speed_m_s"], calm, weight[:, None])
    near = ", ".join(f"{name} {m / 1000:.1f} km" for name, m in zip(parts, far, strict=True))
    return pd.DataFrame(made), f"{len(parts)} stations by inverse distance ({near})"


def _mean(values: F64, weight: F64) -> F64:
    """Weighted mean over the stations that have a value; NaN where none has."""
    weights = np.where(np.isfinite(values), weight[:, None], 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights * np.nan_to_num(values)).sum(0) / weights.sum(0))


def _distance_m(name: str, part: pd.DataFrame, point: LonLat) -> float:
    if "lon" not in part or "lat" not in part or part[["lon", "lat"]].isna().to_numpy().any():
        raise FireError(f"the station {name} has no lon and lat", hint="add both columns, in degrees")
    place = LonLat(float(part["lon"].iloc[0]), float(part["lat"].iloc[0]))
    return float(Geod(ellps="WGS84").inv(place.lon, place.lat, point.lon, point.lat)[2])
