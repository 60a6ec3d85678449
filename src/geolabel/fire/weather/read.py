"""One door for weather of any kind: words, tables, grids in files or in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from geolabel.errors import FireError, InputError, SourceError
from geolabel.fire.weather.series import from_table, read_csv
from geolabel.fire.weather.text import parse
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid
from geolabel.nouns.times import When

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    Source: TypeAlias = str | Path | Weather | pd.DataFrame | xr.Dataset

GRIDDED = (".nc", ".nc4", ".cdf", ".zarr")


def read_weather(source: Source, start: When, hours: float, *, grid: Grid | None = None, **how: Any) -> Weather:
    """Weather from `start` on, for at least `hours`: of words, a CSV file, NetCDF, Zarr, or what a notebook holds.

    Parameters
    ----------
    source
        `"25 km/h from 225"`; a path that ends in .csv, .nc or .zarr; a table; a dataset; or Weather.
    grid
        Of the landscape; weather on a grid needs it.
    how
        Options of the reader: `series.from_table`, `gridded.from_dataset`, `text.parse`.

    Raises
    ------
    FireError, UnitError, InputError, SourceError
        What cannot be read, as the readers say; weather that does not cover the time asked for.
    """
    if isinstance(source, str) and not _is_path(source):
        return parse(source, start, hours=hours, **how)
    if _is_gridded(source):
        how = {"start": start, "lasting": hours, **how}
    read = source if isinstance(source, Weather) else _read(source, grid, **how)
    made = read.from_time(start)
    made.check_lasts(hours)
    return made


def _is_path(text: str) -> bool:
    return text.lower().rstrip("/").endswith((".csv", ".asc", *GRIDDED))


def _is_gridded(source: Source) -> bool:
    if isinstance(source, str | Path):
        return Path(source).suffix.lower() in GRIDDED
    return hasattr(source, "data_vars")


def _read(source: Path | str | pd.DataFrame | xr.Dataset, grid: Grid | None, **how: Any) -> Weather:
    if isinstance(source, str | Path):
        return _of_file(Path(source), grid, **how)
    if hasattr(source, "iloc"):
        return from_table(cast("pd.DataFrame", source), **how)
    if _is_gridded(source):
        from geolabel.fire.weather.gridded import from_dataset

        return from_dataset(cast("xr.Dataset", source), _needed(grid), **how)
    raise FireError(f"cannot read weather from {type(source).__name__}")


def _of_file(path: Path, grid: Grid | None, **how: Any) -> Weather:
    if path.suffix.lower() == ".csv":
        return read_csv(path, **how)
    if path.suffix.lower() == ".asc":
        hint = "read_windninja(files, grid, speed_unit=..., height=...) reads them; give its Weather"
        raise FireError(f"{path.name} says neither its unit nor its height", hint=hint)
    if path.suffix.lower() in GRIDDED:
        from geolabel.fire.weather.gridded import read_gridded

        return read_gridded(path, _needed(grid), **how)
    raise SourceError(f"weather of {path.suffix} files is not read", hint=f"one of .csv, {', '.join(GRIDDED)}")


def _needed(grid: Grid | None) -> Grid:
    if grid is None:
        raise InputError("weather on a grid of its own, and no landscape's", hint="give grid=landscape.grid")
    return grid
