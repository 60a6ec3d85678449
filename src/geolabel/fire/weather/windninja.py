"""Winds that WindNinja computed over terrain, from its ASCII grids as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError as NoCRS

from geolabel.bearings import convert_speed, uv_from_wind, wind_10m_from_20ft
from geolabel.errors import CRSError, FireError, SourceError
from geolabel.fire.arrays import F64
from geolabel.fire.ranges import check_bearing_deg, check_wind_m_s
from geolabel.fire.weather.cf import Lattice
from geolabel.fire.weather.columns import WindHeight
from geolabel.fire.weather.field import WindField, around_mean, relative
from geolabel.fire.weather.place import Placed, place, turn_deg
from geolabel.fire.weather.weather import Weather, known_moistures
from geolabel.grid import Grid
from geolabel.nouns.times import When, utc

Wind: TypeAlias = tuple[F64, F64]
"""(y, x) toward true east and north, m/s."""
SPEED_END, ANGLE_END = "_vel.asc", "_ang.asc"


def read_windninja(
    files: Mapping[When, str | Path],
    grid: Grid,
    *,
    speed_unit: str,
    height: WindHeight,
    weather: Weather | None = None,
    north: Literal["true", "grid"] = "true",
    hours: float | None = None,
    moisture: Mapping[str, float] | None = None,
) -> Weather:
    """Weather of a landscape with the wind field of WindNinja's `*_vel.asc` and `*_ang.asc` (the `.prj` beside them).

    Parameters
    ----------
    files
        From when each speed grid holds -> its path.
    speed_unit
        As WindNinja was told (its default is mph); the files do not say it.
    height
        Output height, as WindNinja was told.
    weather
        What the runs were made from: each is relative to its wind at the run's time, and scales with it until the next
        run; its moisture is kept.
        Without it the field is relative to its own vector mean.
    north
        From which north its angles count: true in its newer versions, that of the grid in older ones.
    hours
        How long the last time holds, without `weather`; default the step before it.
    moisture
        Without `weather`: of the fuel.

    Raises
    ------
    SourceError
        A file that is missing or no ASCII grid.
    CRSError
        No `.prj`, or one that is not understood.
    FireError
        Speeds and angles on different grids, ground that is not covered, missing values, times outside `weather`.
    """
    if not files:
        raise FireError("no files of WindNinja", hint="{'2025-07-01T12:00Z': 'dem_225_10_vel.asc'}")
    runs = sorted((utc(when, what="time of the wind"), Path(path)) for when, path in files.items())
    winds = [_wind(path, grid, speed_unit, height, north) for _, path in runs]
    name = ", ".join(path.name for _, path in runs[:3]) + (" ..." if len(runs) > 3 else "")
    source = f"WindNinja: {name}, {height}, {speed_unit.replace('/', ' per ')}"
    if weather is not None:
        return _beside(weather, [when for when, _ in runs], winds, source)
    offsets = np.array([(when - runs[0][0]).total_seconds() / 3600 for when, _ in runs])
    if hours is None and len(runs) < 2:
        raise FireError("one time says not how long it holds", hint="give hours=, or the weather it was made from")
    last = float(offsets[-1] - offsets[-2]) if hours is None else float(hours)
    speed, origin, field = around_mean(winds)
    wet: dict[str, Any] = {key: np.full(len(runs), value) for key, value in known_moistures(moisture).items()}
    return Weather(
        runs[0][0],
        offsets,
        float(offsets[-1] + last),
        speed,
        origin,
        **wet,
        source=f"{source}; moisture as given or assumed",
        field=field,
    )


def _beside(weather: Weather, times: Sequence[datetime], winds: Sequence[Wind], source: str) -> Weather:
    """The weather with a field: each period takes the last run before it, relative to the wind that run was made from."""
    starts = np.array([(when - weather.start).total_seconds() / 3600 for when in times])
    late = starts[0] > 0 and len(times) > 1
    if late or starts[-1] >= weather.end_hours or starts[0] < 0:
        raise FireError(
            f"winds from {starts[0]:g} to {starts[-1]:g} h of the weather's {weather.end_hours:g} h",
            hint="the first at the weather's start, none after its end",
        )
    if not np.isin(starts, weather.hours).all() and len(times) > 1:
        raise FireError("a wind begins within a period of the weather", hint="cut it there: weather.hourly(hours)")
    made_from = np.searchsorted(weather.hours, starts, side="right") - 1
    parts = [
        relative(u, v, float(weather.speed_m_s[one]), float(weather.from_deg[one]))
        for (u, v), one in zip(winds, made_from, strict=True)
    ]
    field = WindField(np.stack([ratio for ratio, _ in parts]), np.stack([turn for _, turn in parts]))
    at = np.searchsorted(starts, weather.hours, side="right") - 1
    return weather.changed(field=field.at(at) if len(times) > 1 else field, source=f"{weather.source}; {source}")


def _wind(path: Path, grid: Grid, unit: str, height: WindHeight, north: str) -> Wind:
    """(u, v) on the landscape's cells, true east and north, m/s at 10 m."""
    if not path.name.endswith(SPEED_END):
        raise SourceError(f"{path.name} is no speed grid of WindNinja", hint=f"its name ends in {SPEED_END}")
    speeds, lattice = read_ascii_grid(path)
    angles, other = read_ascii_grid(path.with_name(path.name.removesuffix(SPEED_END) + ANGLE_END))
    if speeds.shape != angles.shape or not (np.allclose(lattice.x, other.x) and np.allclose(lattice.y, other.y)):
        raise FireError(f"{path.name} and its angles lie on different grids", hint="take both of one run")
    here: Placed = place(lattice, grid)
    near = np.s_[here.rows, here.cols]
    speed, origin = convert_speed(speeds[near], unit, "m/s"), angles[near]
    if not (np.isfinite(speed).all() and np.isfinite(origin).all()):
        raise FireError(f"{path.name} has no data on the landscape", hint="weather must cover the whole landscape")
    check_bearing_deg(origin, "a wind from")
    speed = speed if height == "10 m" else wind_10m_from_20ft(speed)
    check_wind_m_s(speed)
    u, v = uv_from_wind(speed, origin + (turn_deg(here.lattice) if north == "grid" else 0.0))
    return here.shares.of_values(u), here.shares.of_values(v)


def read_ascii_grid(path: Path) -> tuple[F64, Lattice]:
    """((row, col) values, NaN where there are none; the lattice of their centres) of an ESRI ASCII grid and its `.prj`.

    Raises
    ------
    SourceError
        No such file, or no ASCII grid.
    CRSError
        No `.prj`, or one that is not understood.
    """
    if not path.is_file():
        raise SourceError(f"no wind grid {path}", hint="check the path; speed and angle files lie side by side")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        head = dict(_pair(line) for line in lines[:6] if line[:1].isalpha())
        values = np.loadtxt(lines[len(head) :], ndmin=2)
        cols, rows, size = int(head["ncols"]), int(head["nrows"]), head["cellsize"]
        left = head["xllcorner"] + size / 2 if "xllcorner" in head else head["xllcenter"]
        low = head["yllcorner"] + size / 2 if "yllcorner" in head else head["yllcenter"]
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path.name} is no ESRI ASCII grid: {error}", hint="ncols, nrows, xllcorner, yllcorner, cellsize"
        ) from None
    if values.size != rows * cols:
        raise SourceError(
            f"{path.name} holds {values.size} values for {rows} x {cols} cells", hint="the file is cut off?"
        )
    values = np.where(values == head.get("nodata_value", -9999.0), np.nan, values).reshape(rows, cols)
    x, y = left + size * np.arange(cols, dtype=float), low + size * np.arange(rows, dtype=float)[::-1]
    return values, Lattice("y", "x", y, x, _projection(path.with_suffix(".prj")))


def _pair(line: str) -> tuple[str, float]:
    name, value = line.split()
    return name.lower(), float(value)


def _projection(path: Path) -> CRS:
    if not path.is_file():
        raise CRSError(f"no {path.name} beside the grid", hint="WindNinja writes one: copy it along")
    try:
        return CRS.from_wkt(path.read_text())
    except (NoCRS, UnicodeDecodeError) as error:
        raise CRSError(f"{path.name} is not understood: {error}", hint="WKT of a CRS") from None
