"""Weather from tables: CSV files and station series, with dead fuel moisture from their air."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from geolabel.errors import FireError, SourceError
from geolabel.fire.arrays import F64
from geolabel.fire.danger.moisture import Air
from geolabel.fire.ranges import check_wind_m_s
from geolabel.fire.weather.columns import Told, said
from geolabel.fire.weather.dead import dead_by_period
from geolabel.fire.weather.gaps import filled, hours_of
from geolabel.fire.weather.stations import Combine, one_series
from geolabel.fire.weather.sun import state_of_weather, sun_elevation_deg
from geolabel.fire.weather.weather import DEAD, MOISTURES, Weather, known_moistures
from geolabel.grid import LonLat


def read_csv(
    path: str | Path,
    *,
    fill_hours: float = 0.0,
    station: str | None = None,
    point: LonLat | None = None,
    combine: Combine = "inverse distance",
    moisture: Mapping[str, float] | None = None,
    **told: Unpack[Told],
) -> Weather:
    """Weather from a CSV file; see `from_table`.

    Raises
    ------
    SourceError, FireError, UnitError, InputError
        No such file, and what `from_table` raises.
    """
    path = Path(path)
    return from_table(
        table_of(path),
        fill_hours=fill_hours,
        station=station,
        point=point,
        combine=combine,
        moisture=moisture,
        name=path.name,
        **told,
    )


def table_of(path: Path) -> pd.DataFrame:
    """The rows of a CSV file as they are.

    Raises
    ------
    SourceError
        No such file, or none that is a table of text.
    """
    if not path.is_file():
        raise SourceError(f"no weather file {path}", hint="check the path")
    try:
        return pd.read_csv(path, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} is no CSV: {error}", hint="comma-separated text with a header, UTF-8") from None


def from_table(
    table: pd.DataFrame,
    *,
    fill_hours: float = 0.0,
    station: str | None = None,
    point: LonLat | None = None,
    combine: Combine = "inverse distance",
    moisture: Mapping[str, float] | None = None,
    name: str = "table",
    **told: Unpack[Told],
) -> Weather:
    """Weather from a table: a time, a wind, where known moistures or air, whose names say their units.

    `time` (ISO 8601 with offset, or `timezone` said); `speed_km_h` or `wind_20ft_mph` and the like (10 m unless the name or
    `wind_height` says 20 ft: then times 1.15); `from_deg`, or `to_deg`; `m1`, `m10`, `m100`, `live_herb`, `live_woody`
    (fractions, or `m1_percent`); `temp_c`, `rh_percent`, `rain_mm` (since the row before) or `rain_mm_h`; the sky as
    `state_of_weather` (0-3, empty at night) or `cloud_percent` with `lon` and `lat`. The last row holds as long as the
    step before it. Gusts are passed over.

    Dead fuel moisture comes from its columns, else from `moisture`, else by time lag from temperature and humidity, else it
    is the default; the source says which.

    Parameters
    ----------
    fill_hours
        Gaps up to this long are interpolated, longer ones refused.
    station
        Which of several.
    point
        Where several stations are combined: by inverse squared distance, winds as vectors, or the nearest alone.
    moisture
        For moistures the table lacks.
    told
        What the table does not say: see `columns.Told`.

    Raises
    ------
    FireError, UnitError, InputError
        A column missing or without unit, only gusts, naive or disordered times, missing values, samples of one time.
    """
    own = said(table, told)
    rows, joined = one_series(own, station, point, combine)
    rows, n_filled = filled(rows.dropna(axis=1, how="all") if joined else rows, fill_hours)
    hours = hours_of(rows)
    step = float(hours[-1] - hours[-2]) if len(hours) > 1 else 1.0
    wet, words = _moistures(rows, np.append(np.diff(hours), step), moisture)
    notes = [
        f"series: {name}",
        joined,
        f"{n_filled} missing values interpolated" if n_filled else "",
        *words,
    ]
    speed = rows["speed_m_s"].to_numpy(float)
    check_wind_m_s(speed)
    return Weather(
        rows["time"].iloc[0].to_pydatetime(),
        hours,
        float(hours[-1] + step),
        speed,
        rows["from_deg"].to_numpy(float),
        **wet,
        source="; ".join(note for note in notes if note),
    )


def _moistures(
    rows: pd.DataFrame, lasts: F64, given: Mapping[str, float] | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(moisture -> (n,) fractions, where they come from in words)."""
    fixed, by_air = known_moistures(given), {"temp_c", "rh_percent"} <= set(rows.columns)
    made: dict[str, Any] = {name: rows[name].to_numpy(float) for name in MOISTURES if name in rows}
    lagging = [name for name in DEAD if name not in made and name not in (given or {})]
    words: tuple[str, ...] = ()
    if lagging and by_air:
        air, sky = air_of(rows, lasts)
        made |= {name: series for name, series in dead_by_period(air).items() if name in lagging}
        words = (f"{', '.join(lagging)} by time lag from its air, {sky}",)
    assumed = [name for name in MOISTURES if name not in made and name not in (given or {})]
    if assumed:
        words = (*words, f"{', '.join(assumed)} assumed: {', '.join(f'{fixed[name]:g}' for name in assumed)}")
    return {name: made.get(name, np.full(len(rows), fixed[name])) for name in MOISTURES}, words


def air_of(rows: pd.DataFrame, lasts: F64) -> tuple[Air, str]:
    """(air over the fuel in each step, what is known of the sky in words)."""
    state: Any = np.nan
    sky = "as in the shade: no cloud column"
    if "state_of_weather" in rows:
        state, sky = rows["state_of_weather"].to_numpy(float), "under the sky of its column"
    elif "cloud_percent" in rows and {"lon", "lat"} <= set(rows.columns):
        seconds = np.array([time.timestamp() for time in rows["time"]])
        height = sun_elevation_deg(seconds, rows["lon"].to_numpy(float), rows["lat"].to_numpy(float))
        state, sky = state_of_weather(rows["cloud_percent"].to_numpy(float) / 100, height), "under its clouds and sun"
    elif "cloud_percent" in rows:
        raise FireError("clouds without a place: the sun may be down", hint="add lon and lat, or drop the clouds")
    rain = rows["rain_mm_h"].to_numpy(float) if "rain_mm_h" in rows else 0.0
    return Air(lasts, rows["temp_c"].to_numpy(float), rows["rh_percent"].to_numpy(float), rain, state), sky
