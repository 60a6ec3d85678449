"""What a dataset says of its variables, by the CF conventions: quantity, height, time, place, which north."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError as NoCRS

from geolabel.errors import CRSError, FireError, InputError
from geolabel.fire.arrays import F64
from geolabel.fire.weather.units import in_unit

ECMWF: Mapping[str, str] = {
    "u10": "eastward_wind",
    "v10": "northward_wind",
    "t2m": "air_temperature",
    "d2m": "dew_point_temperature",
}
"""Names that the European Centre gives to variables without a standard name."""
TEN_M, TWENTY_FT_M = 10.0, 6.096
NO_MEAN = ("maximum", "minimum", "range")
_Y = ("latitude", "projection_y_coordinate", "grid_latitude")
_X = ("longitude", "projection_x_coordinate", "grid_longitude")
_Y_NAMES, _X_NAMES = ("lat", "latitude", "y", "rlat"), ("lon", "longitude", "x", "rlon")


def quantity(variable: xr.DataArray) -> str:
    """Standard name of a variable; empty where it says none."""
    said = str(variable.attrs.get("standard_name", "")).strip()
    return said if said and said != "unknown" else ECMWF.get(str(variable.name), "")


def found(dataset: xr.Dataset, name: str) -> xr.DataArray | None:
    """The variable of a standard name, lazily; None where there is none. Maxima and minima over time are passed over.

    Raises
    ------
    FireError
        Several of one name that no height tells apart.
    """
    there = [dataset[key] for key in dataset.data_vars if quantity(dataset[key]) == name and _is_mean(dataset[key])]
    if len(there) > 1:
        there = [one for one in there if _near(height_m(one), TEN_M)] or there
    if len(there) > 1:
        raise FireError(f"{', '.join(str(one.name) for one in there)} are all {name}", hint="drop all but one")
    return there[0] if there else None


def _is_mean(variable: xr.DataArray) -> bool:
    return not any(word in str(variable.attrs.get("cell_methods", "")) for word in NO_MEAN)


# ---------------------------------------------------------------------------------------------- heights
def _near(height: float | F64 | None, to: float) -> bool:
    return height is not None and bool(np.any(np.abs(np.asarray(height) - to) < 0.2))


def _vertical(variable: xr.DataArray) -> xr.DataArray | None:
    for key, coordinate in variable.coords.items():
        if coordinate.attrs.get("standard_name") == "height" or str(key).lower() in ("height", "heightaboveground"):
            return coordinate
    return None


def height_m(variable: xr.DataArray) -> float | F64 | None:
    """Height(s) above ground that a variable says by coordinate, GRIB key, long name or name; None where it says none."""
    coordinate = _vertical(variable)
    if coordinate is not None:
        units = coordinate.attrs.get("units", "m" if str(coordinate.name) == "heightAboveGround" else None)
        return np.asarray(in_unit(coordinate.values, units, "m", str(coordinate.name)))
    if variable.attrs.get("GRIB_typeOfLevel") == "heightAboveGround" and "GRIB_level" in variable.attrs:
        return float(variable.attrs["GRIB_level"])
    for text in (str(variable.attrs.get("long_name", "")), str(variable.name)):
        if match := re.search(
            r"(?<![\d.])(\d+(?:\.\d+)?)[\s_-]*(m|metres?|meters?|ft|feet|foot)(?![a-z])", text.lower()
        ):
            return float(match[1]) * (0.3048 if match[2].startswith("f") else 1.0)
    return TEN_M if str(variable.name) in ("u10", "v10") else None


def at_wind_height(variable: xr.DataArray, stated_m: float | None = None) -> tuple[xr.DataArray, float]:
    """(the variable at 10 m or 20 ft, that height in m).

    Raises
    ------
    FireError
        Another height, or none that it says or the caller states.
    """
    said = stated_m if stated_m is not None and height_m(variable) is None else height_m(variable)
    if said is None:
        raise FireError(f"{variable.name!r} does not say its height", hint="state it: wind_height='10 m' or '20 ft'")
    for height in (TEN_M, TWENTY_FT_M):
        if _near(said, height):
            coordinate = _vertical(variable)
            if coordinate is not None and coordinate.ndim:
                at = int(np.abs(np.asarray(said) - height).argmin())
                variable = variable.isel({str(coordinate.dims[0]): at})
            return variable, height
    raise FireError(
        f"{variable.name!r} is wind at {said} m",
        hint="10 m or 20 ft above ground; another height is not mean 10-m wind",
    )


# ---------------------------------------------------------------------------------------------- times
def decoded(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with times as datetimes in UTC (CF: UTC unless the reference time has an offset), lazily.

    Raises
    ------
    InputError
        A calendar that is no real one.
    """
    try:
        return xr.decode_cf(dataset)
    except (ValueError, ImportError) as error:
        raise InputError(
            f"the times cannot be read: {error}", hint="a standard calendar; CF units 'hours since ...'"
        ) from None


def time_of(variable: xr.DataArray) -> tuple[str | None, pd.DatetimeIndex]:
    """(dimension of time or None, UTC times) of a variable.

    Raises
    ------
    InputError
        Without a time.
    """
    dates = {str(key): one for key, one in variable.coords.items() if np.issubdtype(one.dtype, np.datetime64)}
    dates = {key: one for key, one in dates.items() if "bounds" not in key and one.ndim <= 1}
    order = sorted(dates, key=lambda key: (dates[key].ndim == 0, key != "valid_time", key not in ("time", "Time"), key))
    if not order:
        raise InputError(f"{variable.name!r} has no time", hint="a coordinate 'time' with units 'hours since ...'")
    one = dates[order[0]]
    return (str(one.dims[0]) if one.ndim else None), pd.DatetimeIndex(np.atleast_1d(one.values)).tz_localize("UTC")


# ---------------------------------------------------------------------------------------------- places
@dataclass(frozen=True, slots=True)
class Lattice:
    """Where the cells of a variable lie: axes in a CRS, or (where `crs` is None) lon and lat of each cell."""

    y_dim: str
    x_dim: str
    y: F64
    """(row,) axis, or (row, col) latitudes."""
    x: F64
    """(col,) axis, or (row, col) longitudes."""
    crs: CRS | None


def lattice(dataset: xr.Dataset, variable: xr.DataArray, crs: Any = None) -> Lattice:
    """Lattice of a variable.

    Raises
    ------
    CRSError
        Axes in metres of no known CRS.
    FireError
        No axes at all.
    """
    own = None if crs is None else CRS.from_user_input(crs)
    y, x = _axis(variable, _Y, _Y_NAMES, "Y", 1), _axis(variable, _X, _X_NAMES, "X", 1)
    if y is not None and x is not None:
        geographic = y.attrs.get("standard_name") == "latitude" or str(y.name).lower() in ("lat", "latitude")
        own = own or (CRS("EPSG:4326") if geographic else _mapped(dataset, variable))
        if own is not None:
            return Lattice(str(y.dims[0]), str(x.dims[0]), _metres(y, own), _metres(x, own), own)
    lat, lon = _axis(variable, _Y[:1], _Y_NAMES[:2], "", 2), _axis(variable, _X[:1], _X_NAMES[:2], "", 2)
    if lat is not None and lon is not None:
        rows, cols = (str(dim) for dim in lat.dims)
        return Lattice(rows, cols, lat.values.astype(float), lon.values.astype(float), None)
    if y is None or x is None:
        raise FireError(
            f"{variable.name!r} has no axes of latitude and longitude or y and x", hint=f"dims {variable.dims}"
        )
    raise CRSError(
        f"the axes of {variable.name!r} are of no known CRS", hint="a CF grid mapping, or say crs='EPSG:32611'"
    )


def _axis(
    variable: xr.DataArray, standard: tuple[str, ...], names: tuple[str, ...], axis: str, ndim: int
) -> xr.DataArray | None:
    there = [one for one in variable.coords.values() if one.ndim == ndim and set(one.dims) <= set(variable.dims)]
    tests = (
        lambda one: one.attrs.get("standard_name") in standard,
        lambda one: axis and one.attrs.get("axis") == axis,
        lambda one: str(one.name).lower() in names,
    )
    return next((one for test in tests for one in there if test(one)), None)


def _mapped(dataset: xr.Dataset, variable: xr.DataArray) -> CRS | None:
    """CRS of the grid mapping that the variable names, or of `spatial_ref`."""
    name = variable.encoding.get("grid_mapping", variable.attrs.get("grid_mapping", "spatial_ref"))
    if name not in dataset.variables:
        return None
    try:
        return CRS.from_cf(dict(dataset[name].attrs))
    except (NoCRS, KeyError, ValueError) as error:
        raise CRSError(f"the grid mapping {name!r} cannot be read: {error}", hint="say crs=") from None


def _metres(axis: xr.DataArray, crs: CRS) -> F64:
    values = axis.values.astype(float)
    if crs.is_geographic:
        return np.asarray(values)
    return np.asarray(in_unit(values, axis.attrs.get("units"), "m", str(axis.name)))
