"""Columns of weather tables: which quantity, in which unit, at which height; each by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np
import pandas as pd

from geolabel.bearings import convert_speed, opposite, uv_from_wind, wind_10m_from_20ft, wind_from_uv
from geolabel.errors import FireError, UnitError
from geolabel.fire.arrays import F64
from geolabel.fire.weather.clock import aware
from geolabel.fire.weather.weather import MOISTURES

WindHeight = Literal["10 m", "20 ft"]


class Told(TypedDict, total=False):
    """What a table does not say itself."""

    speed_unit: str | None
    """Of wind columns whose name has none: m/s, km/h, mph, kn."""
    wind_height: WindHeight
    """Of wind columns whose name has none; 10 m unless said."""
    timezone: str | None
    """Of times without an offset: an IANA name, or a fixed offset."""
    time_format: str | None
    """Of times that are not ISO 8601, as `datetime.strptime` reads it."""
    columns: Mapping[str, str]
    """Own name of a column -> the name it would have here: `{"WS": "speed_km_h", "WD": "from_deg"}`."""


CODES_OF_MISSING = (-999.0, -9999.0)
_SPEED_UNITS = {"m_s": "m/s", "km_h": "km/h", "kmh": "km/h", "kph": "km/h", "mph": "mph", "kn": "kn", "kt": "kn"}
_KINDS = {
    "time": r"time|datetime|timestamp|valid_time",
    "station": r"station|station_id",
    "lon": r"lon|longitude",
    "lat": r"lat|latitude",
    "gust": r".*gust.*",
    "speed": r"(?:wind_speed|windspeed|wind|speed)(?:_(?P<height>\d+(?:m|ft)))?(?:_(?P<unit>m_s|km_h|kmh|kph|mph|kn|kt))?",
    "from_deg": r"(?:wind_)?(?:direction_)?from(?:_deg)?",
    "to_deg": r"(?:wind_)?(?:direction_)?to(?:_deg)?",
    "unsaid": r"wind_?dir(?:ection)?(?:_deg)?|wd|wdir|dir(?:ection)?(?:_deg)?",
    "temp": r"(?:air_)?temp(?:erature)?(?:_(?P<unit>c|f|k))?",
    "rh": r"(?:rh|relative_humidity|humidity)(?:_(?P<unit>percent|fraction))?",
    "rain": r"(?:rain|precip|precipitation)(?:_(?P<unit>mm|mm_h|in|in_h))?",
    "cloud": r"cloud(?:_cover)?(?:_(?P<unit>percent|fraction))?",
    "state_of_weather": r"state_of_weather|sow",
    **{name: rf"{name}(?:_(?P<unit>percent|fraction))?" for name in MOISTURES},
}
_NAMES = {"temp": "temp_c, temp_f, temp_k", "rh": "rh_percent", "rain": "rain_mm, rain_mm_h", "cloud": "cloud_percent"}
SPEED_NAMES = "speed_m_s, speed_km_h, speed_mph, speed_kn"


def said(table: pd.DataFrame, told: Told) -> pd.DataFrame:
    """The table in the room's units: time (UTC), speed_m_s at 10 m, from_deg, and what else is known; NaN is missing.

    Besides: station, lon, lat, temp_c, rh_percent, rain_mm, rain_mm_h, cloud_percent, state_of_weather and moistures.

    Raises
    ------
    FireError, UnitError, InputError
        No wind or only gusts, a direction that does not say FROM or TO, a column without unit, text among numbers.
    """
    found = _found([str(told.get("columns", {}).get(name, name)) for name in table.columns])
    if "time" not in found or not len(table):
        raise FireError(
            f"the table lacks {'rows' if 'time' in found else 'time'}; it has columns {list(table.columns)}"
        )
    made: dict[str, Any] = {}
    if "station" in found:
        made["station"] = table.iloc[:, found["station"][0]].astype(str).to_numpy()
    made["time"] = _times(table.iloc[:, found["time"][0]], told, made.get("station"))
    numbers = {kind: (_numbers(table.iloc[:, at]), how) for kind, (at, how) in found.items() if kind in _UNITS}
    for kind, (values, how) in numbers.items():
        name, factor, shift = _unit(kind, how.get("unit"), str(table.columns[found[kind][0]]))
        made[name] = values * factor + shift
    made["speed_m_s"], made["from_deg"] = _wind(table, found, told)
    return pd.DataFrame(made)


def _found(names: Sequence[str]) -> dict[str, tuple[int, dict[str, Any]]]:
    """Kind -> (column, what its name says); of two winds the one at 10 m.

    Raises
    ------
    FireError
        Two columns of one kind.
    """
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for at, name in enumerate(names):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower().replace("%", "percent")).strip("_")
        plain = re.sub(r"(\d)_(m|ft)(?=_|$)", r"\1\2", plain)
        for kind, pattern in _KINDS.items():
            if match := re.fullmatch(pattern, plain):
                _keep(found, kind, (at, match.groupdict()), names)
                break
    return found


def _keep(
    found: dict[str, tuple[int, dict[str, Any]]], kind: str, one: tuple[int, dict[str, Any]], names: Sequence[str]
) -> None:
    """Add a column to what was found; one whose name says 10 m goes before one of another height."""
    if kind not in found or kind in ("gust", "unsaid"):
        found.setdefault(kind, one)
        return
    heights = [found[kind][1].get("height"), one[1].get("height")]
    if "10m" not in heights or heights[0] == heights[1]:
        raise FireError(f"columns {names[found[kind][0]]!r} and {names[one[0]]!r} are both {kind}", hint="drop one")
    found[kind] = one if heights[1] == "10m" else found[kind]


def _times(column: pd.Series, told: Told, stations: Sequence[str] | None) -> Any:
    if column.isna().any():
        raise FireError(f"the time is missing in row {int(column.isna().argmax()) + 1}", hint="drop the row")
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in column]
    zone, form = told.get("timezone"), told.get("time_format")
    return pd.DatetimeIndex(aware(texts, timezone=zone, time_format=form, clocks=stations))


def _numbers(column: pd.Series) -> F64:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    odd = np.isnan(values) & column.notna().to_numpy()
    if odd.any():
        row = int(odd.argmax())
        raise FireError(
            f"{column.name} in row {row + 1} is {column.iloc[row]!r}", hint="a number, or empty where missing"
        )
    return np.where(np.isin(values, CODES_OF_MISSING), np.nan, values)


# ---------------------------------------------------------------------------------------------- units
_UNITS: dict[str, dict[str | None, tuple[str, float, float]]] = {
    "lon": {None: ("lon", 1, 0)},
    "lat": {None: ("lat", 1, 0)},
    "temp": {"c": ("temp_c", 1, 0), "f": ("temp_c", 1 / 1.8, -32 / 1.8), "k": ("temp_c", 1, -273.15)},
    "rh": {"percent": ("rh_percent", 1, 0), "fraction": ("rh_percent", 100, 0)},
    "rain": {
        "mm": ("rain_mm", 1, 0),
        "in": ("rain_mm", 25.4, 0),
        "mm_h": ("rain_mm_h", 1, 0),
        "in_h": ("rain_mm_h", 25.4, 0),
    },
    "cloud": {"percent": ("cloud_percent", 1, 0), "fraction": ("cloud_percent", 100, 0)},
    "state_of_weather": {None: ("state_of_weather", 1, 0)},
    **{
        name: {None: (name, 1.0, 0.0), "fraction": (name, 1.0, 0.0), "percent": (name, 0.01, 0.0)} for name in MOISTURES
    },
}
"""Kind -> unit in the name -> (name here, factor, shift)."""


def _unit(kind: str, unit: str | None, column: str) -> tuple[str, float, float]:
    if unit not in _UNITS[kind]:
        raise UnitError(f"the column {column!r} has no unit", hint=f"name it {_NAMES[kind]}")
    return _UNITS[kind][unit]


# ---------------------------------------------------------------------------------------------- wind
def _wind(table: pd.DataFrame, found: Mapping[str, tuple[int, dict[str, Any]]], told: Told) -> tuple[F64, F64]:
    """(speed in m/s at 10 m, FROM in degrees) of the table's mean wind; calm without direction has 0."""
    names = list(table.columns)
    if "speed" not in found:
        if "gust" in found:
            raise FireError(
                f"the only wind is the gust {names[found['gust'][0]]!r}; a gust is no mean",
                hint="spread is computed from mean wind: give its column too",
            )
        raise FireError(f"no wind speed among the columns {names}", hint=f"one of {SPEED_NAMES}")
    at, how = found["speed"]
    unit = _SPEED_UNITS.get(how.get("unit") or "") or told.get("speed_unit")
    if not unit:
        raise UnitError(
            f"the column {str(names[at])!r} has no unit", hint=f"name it as {SPEED_NAMES} or give speed_unit"
        )
    speed = convert_speed(_numbers(table.iloc[:, at]), unit, "m/s")
    height = (how.get("height") or told.get("wind_height") or "10 m").replace(" ", "")
    if height not in ("10m", "20ft"):
        raise FireError(f"wind at {height} ({names[at]!r})", hint="10 m or 20 ft above open ground; convert it first")
    return np.asarray(speed if height == "10m" else wind_10m_from_20ft(speed)), _origin(table, found)


def _origin(table: pd.DataFrame, found: Mapping[str, tuple[int, dict[str, Any]]]) -> F64:
    if "from_deg" in found:
        return _numbers(table.iloc[:, found["from_deg"][0]])
    if "to_deg" in found:
        return np.asarray(opposite(_numbers(table.iloc[:, found["to_deg"][0]])))
    hint = "weather services give where it comes FROM: name it from_deg; where it goes: to_deg"
    if "unsaid" in found:
        name = table.columns[found["unsaid"][0]]
        raise FireError(
            f"{name!r} does not say whether the wind comes from there or goes there; no from_deg", hint=hint
        )
    raise FireError(f"no wind direction: the table lacks from_deg; it has columns {list(table.columns)}", hint=hint)


def mean_wind(speed_m_s: F64, from_deg: F64, weight: Any = 1.0) -> tuple[Any, Any]:
    """(speed, FROM) of the weighted vector mean over the first axis; rows without a wind do not count."""
    u, v = uv_from_wind(speed_m_s, from_deg)
    weights = np.where(np.isfinite(u), weight, 0.0)
    total = weights.sum(0)
    with np.errstate(invalid="ignore"):
        return wind_from_uv((weights * np.nan_to_num(u)).sum(0) / total, (weights * np.nan_to_num(v)).sum(0) / total)
