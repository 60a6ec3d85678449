"""Weather from gridded forecasts and analyses: NetCDF, Zarr or a dataset in memory, read by its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from geolabel.bearings import uv_from_wind, wind_10m_from_20ft
from geolabel.errors import FireError, MissingExtra, SourceError
from geolabel.fire.arrays import F64
from geolabel.fire.ranges import check_wind_m_s
from geolabel.fire.weather import cf
from geolabel.fire.weather.air import air_over, zones_of
from geolabel.fire.weather.field import Zones, around_mean
from geolabel.fire.weather.place import Placed, placed, turn_deg
from geolabel.fire.weather.weather import LIVE, MOISTURES, Weather, known_moistures
from geolabel.grid import Grid
from geolabel.nouns.times import When, utc

WIND_NAMES = "eastward_wind and northward_wind, x_wind and y_wind, or wind_speed and wind_from_direction"
HDF5 = b"\x89HDF"


def read_gridded(path: str | Path, grid: Grid, **how: Any) -> Weather:
    """Weather on a landscape's grid from a NetCDF file or Zarr store; see `from_dataset`.

    Only cells around the landscape are read.

    Raises
    ------
    SourceError
        No such file, or one that is neither.
    MissingExtra
        NetCDF-4 without a library that reads it.
    """
    with closing(_opened(Path(path))) as dataset:
        return from_dataset(dataset, grid, name=Path(path).name, **how)


def _reads_hdf5() -> bool:
    return all(find_spec(name) is not None for name in ("h5netcdf", "h5py"))


def _opened(path: Path) -> xr.Dataset:
    if not path.exists():
        raise SourceError(f"no weather file {path}", hint="check the path")
    try:
        if path.suffix.lower() == ".zarr":
            return xr.open_zarr(path, decode_cf=False, chunks=None)
        return xr.open_dataset(path, decode_cf=False)
    except (ValueError, OSError, TypeError, KeyError, ImportError) as error:
        if path.is_file() and path.read_bytes()[:4] == HDF5 and not _reads_hdf5():
            raise MissingExtra(
                f"{path.name} is NetCDF-4 (HDF5)", hint="pip install 'geolabel[netcdf]', or write Zarr or NetCDF-3"
            ) from None
        raise SourceError(f"{path.name} cannot be read: {error}", hint="NetCDF or Zarr by the CF conventions") from None


def from_dataset(
    dataset: xr.Dataset,
    grid: Grid,
    *,
    start: When | None = None,
    lasting: float | None = None,
    hours: float | None = None,
    moisture: Mapping[str, float] | None = None,
    wind_height: Literal["10 m", "20 ft"] | None = None,
    crs: Any = None,
    name: str = "dataset",
) -> Weather:
    """Weather of a landscape from a gridded dataset: its mean, with wind and moisture of each cell beside it.

    Variables are found by CF standard name (and a few names of the European Centre), units by their attribute. Wind is
    `eastward_wind` and `northward_wind`; `x_wind` and `y_wind` (along the weather's own grid, turned to true north);
    or `wind_speed` and `wind_from_direction`; at 10 m, or 20 ft (then times 1.15). Components are interpolated, never
    angles. Dead moisture is by time lag from `air_temperature` with `relative_humidity` or `dew_point_temperature`, rain
    (a flux, or an amount whose `cell_methods` say `time: sum`) and `cloud_area_fraction`, in each weather cell; fuel takes
    that of the nearest. Times without offset are UTC, as CF has it.

    Parameters
    ----------
    start, lasting
        Only the times of so many hours from then on; what the air did before still counts for the fuel.
    hours
        How long the last time holds; default the step before it.
    moisture
        Of all ground, in place of the air's.
    wind_height
        Where the variables do not say theirs.
    crs
        Of the axes, where the dataset does not say it.

    Raises
    ------
    UnitError
        A variable without units, or in ones that are not known.
    FireError
        No mean wind (gusts are none), another height, missing values, a landscape that is not covered.
    CRSError, InputError
        Axes of no known CRS; no time.
    """
    dataset = cf.decoded(dataset)
    wind = _Wind.of(dataset, {"10 m": cf.TEN_M, "20 ft": cf.TWENTY_FT_M, None: None}[wind_height])
    here = placed(dataset, wind.first, grid, crs)
    dim, times = cf.time_of(wind.first)
    offsets = (times - times[0]).total_seconds().to_numpy() / 3600
    lasts = np.append(np.diff(offsets), _last(offsets, hours))
    kept = _kept(times, lasts, start, lasting)
    u, v = (part[kept] for part in wind.components(here, dim))
    check_wind_m_s(np.hypot(u, v))
    speed, origin, field = around_mean(
        (here.shares.of_values(one), here.shares.of_values(other)) for one, other in zip(u, v, strict=True)
    )
    wet, zones, words = _moistures(dataset, here, dim, times, lasts, moisture)
    first = offsets[kept][0]
    return Weather(
        times[kept][0].to_pydatetime(),
        offsets[kept] - first,
        float(offsets[kept][-1] + lasts[kept][-1] - first),
        speed,
        origin,
        **{key: values[kept] for key, values in wet.items()},
        source=f"gridded: {name}, times UTC; wind at {wind.words} of {here.n_cells} cells; {words}",
        field=field,
        zones=None if zones is None else zones.at(np.arange(len(times))[kept]),
    )


def _kept(times: pd.DatetimeIndex, lasts: F64, start: When | None, lasting: float | None) -> slice:
    """The periods that some hours from `start` on touch; all, where they touch none: the caller says what is wrong."""
    begins = np.array([time.timestamp() / 3600 for time in times])
    since = begins[0] if start is None else utc(start).timestamp() / 3600
    touched = np.flatnonzero((begins + lasts > since) & (begins < since + (np.inf if lasting is None else lasting)))
    return slice(int(touched[0]), int(touched[-1]) + 1) if len(touched) else slice(None)


def _last(offsets: F64, hours: float | None) -> float:
    if hours is None and len(offsets) < 2:
        raise FireError("one time says not how long it holds", hint="give hours=")
    return float(offsets[-1] - offsets[-2]) if hours is None else float(hours)


# ---------------------------------------------------------------------------------------------- wind
@dataclass(frozen=True, slots=True)
class _Wind:
    """Two variables of mean wind, lazily."""

    first: xr.DataArray
    second: xr.DataArray
    kind: Literal["true", "grid", "polar"]
    """Components toward true east and north, along the weather's own grid, or speed and FROM."""
    height_m: float

    @classmethod
    def of(cls, dataset: xr.Dataset, stated_m: float | None) -> _Wind:
        """The dataset's mean wind at 10 m or 20 ft."""
        for one, two, kind in _PAIRS:
            first, second = cf.found(dataset, one), cf.found(dataset, two)
            if first is not None and second is not None:
                first, height = cf.at_wind_height(first, stated_m)
                second, _ = cf.at_wind_height(second, stated_m if kind != "polar" else height)
                along = kind == "true" and int(first.attrs.get("GRIB_uvRelativeToGrid", 0)) == 1
                return cls(first, second, "grid" if along else kind, height)
        there = [str(key) for key in dataset.data_vars]
        if any("gust" in cf.quantity(dataset[key]) for key in there):
            raise FireError(f"of wind there are only gusts among {there}; a gust is no mean", hint=WIND_NAMES)
        raise FireError(f"no wind among the variables {there}", hint=f"standard names {WIND_NAMES}")

    @property
    def words(self) -> str:
        """Height and direction as read."""
        north = {"true": "", "grid": ", turned from its grid to true north", "polar": ""}[self.kind]
        return ("10 m" if self.height_m == cf.TEN_M else "20 ft (times 1.15)") + north

    def components(self, here: Placed, dim: str | None) -> tuple[F64, F64]:
        """(time, row, col) wind toward true east and north, m/s at 10 m."""
        one = here.values(self.first, dim, "m/s")
        two = here.values(self.second, dim, "degrees" if self.kind == "polar" else "m/s")
        if self.kind == "polar":
            one, two = uv_from_wind(one, np.where((one == 0) & np.isnan(two), 0.0, two))
        if not (np.isfinite(one).all() and np.isfinite(two).all()):
            raise FireError(f"{self.first.name!r} or {self.second.name!r} has missing values near the landscape")
        if self.kind == "grid":
            turn = np.radians(turn_deg(here.lattice))
            one, two = one * np.cos(turn) + two * np.sin(turn), two * np.cos(turn) - one * np.sin(turn)
        scale = 1.0 if self.height_m == cf.TEN_M else float(wind_10m_from_20ft(1.0))
        return one * scale, two * scale


_PAIRS: tuple[tuple[str, str, Literal["true", "grid", "polar"]], ...] = (
    ("eastward_wind", "northward_wind", "true"),
    ("x_wind", "y_wind", "grid"),
    ("grid_eastward_wind", "grid_northward_wind", "grid"),
    ("wind_speed", "wind_from_direction", "polar"),
)


# ---------------------------------------------------------------------------------------------- moisture
def _moistures(
    dataset: xr.Dataset,
    here: Placed,
    dim: str | None,
    times: pd.DatetimeIndex,
    lasts: F64,
    given: Mapping[str, float] | None,
) -> tuple[dict[str, Any], Zones | None, str]:
    """(moisture -> (period,) fractions over the landscape, zones, where they come from in words)."""
    fixed = known_moistures(given)
    air, sky = air_over(dataset, here, dim, times, lasts)
    if air is None or {"m1", "m10", "m100"} <= set(given or {}):
        assumed = [name for name in MOISTURES if name not in (given or {})]
        words = f"moisture assumed: {', '.join(assumed)}" if assumed else "moisture as given"
        return {name: np.full(len(times), value) for name, value in fixed.items()}, None, words
    zones = zones_of(air, here, given)
    share = np.bincount(zones.of.ravel(), minlength=len(zones.moisture)) / zones.of.size
    mean = np.tensordot(share, zones.moisture, 1)
    assumed = [name for name in LIVE if name not in (given or {})]
    tail = f"; {', '.join(assumed)} assumed" if assumed else ""
    return dict(zip(MOISTURES, mean, strict=True)), zones, f"dead moisture by time lag from its air, {sky}{tail}"
