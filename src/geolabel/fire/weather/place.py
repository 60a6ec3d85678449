"""The weather cells around a landscape: read no others, and know how they turn and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from pyproj import CRS, Geod, Transformer

from geolabel.errors import FireError
from geolabel.fire.arrays import F64
from geolabel.fire.weather.cf import Lattice, lattice
from geolabel.fire.weather.resample import Shares, centres, on_axes, on_points
from geolabel.fire.weather.units import in_unit
from geolabel.grid import Grid

WGS84 = Geod(ellps="WGS84")
MARGIN = 2
"""Weather cells read around the landscape's box."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Weather cells around a landscape, and each landscape cell's shares of them."""

    rows: slice
    cols: slice
    lattice: Lattice
    """Of these rows and columns."""
    shares: Shares

    @property
    def n_cells(self) -> int:
        """Weather cells that the landscape touches."""
        return len(np.unique(self.shares.of[self.shares.share > 0]))

    @property
    def lonlat(self) -> tuple[F64, F64]:
        """(longitude, latitude) of the cells, (row, col)."""
        return lonlat_of(self.lattice)

    def values(self, variable: xr.DataArray, time: str | None, unit: str) -> F64:
        """(time, row, col) of a variable in the room's unit, these cells only.

        Raises
        ------
        FireError
            Other dimensions than time and place, another lattice.
        UnitError
            No unit, or one that is not known.
        """
        order = ([] if time is None else [time]) + [self.lattice.y_dim, self.lattice.x_dim]
        odd = [str(dim) for dim in variable.dims if dim not in order and variable.sizes[dim] > 1]
        lost = [dim for dim in order if dim not in variable.dims]
        if odd or lost:
            raise FireError(
                f"{variable.name!r} has dimensions {variable.dims}, not {tuple(order)}", hint="choose one with isel"
            )
        here = variable.isel({self.lattice.y_dim: self.rows, self.lattice.x_dim: self.cols})
        read = here.squeeze([dim for dim in variable.dims if dim not in order], drop=True).transpose(*order).values
        made = np.asarray(in_unit(read, variable.attrs.get("units"), unit, str(variable.name)))
        return made[None] if time is None else made


def placed(dataset: xr.Dataset, variable: xr.DataArray, grid: Grid, crs: Any = None) -> Placed:
    """The cells of a variable around a landscape.

    Raises
    ------
    FireError
        A landscape that is not covered.
    """
    return place(lattice(dataset, variable, crs), grid)


def place(whole: Lattice, grid: Grid) -> Placed:
    """The cells of a lattice around a landscape."""
    if whole.crs is None:
        return _scattered(whole, grid)
    x, y = centres(grid, whole.crs)
    if whole.crs.is_geographic:
        middle = float(whole.x.mean())
        x = (x - middle + 180) % 360 - 180 + middle
    rows, cols = _around(whole.y, y), _around(whole.x, x)
    _check_covered(whole.y, y, "y" if whole.crs.is_projected else "latitude")
    _check_covered(whole.x, x, "x" if whole.crs.is_projected else "longitude")
    near = Lattice(whole.y_dim, whole.x_dim, whole.y[rows], whole.x[cols], whole.crs)
    return Placed(rows, cols, near, on_axes(near.y, near.x, y, x))


def _around(axis: F64, at: F64) -> slice:
    order = np.argsort(axis)
    low, high = np.searchsorted(axis[order], [np.min(at), np.max(at)])
    first, last = max(0, int(low) - MARGIN), min(len(axis), int(high) + MARGIN)
    return slice(first, last) if len(axis) < 2 or axis[1] > axis[0] else slice(len(axis) - last, len(axis) - first)


def _check_covered(axis: F64, at: F64, what: str) -> None:
    """Raise FireError where points lie beyond the outermost cells; a single cell says not how far it reaches."""
    if len(axis) < 2:
        return
    half = abs(axis[1] - axis[0]) / 2
    low, high = float(axis.min() - half), float(axis.max() + half)
    if np.min(at) < low - 1e-6 * half or np.max(at) > high + 1e-6 * half:
        raise FireError(
            f"the weather covers {what} {low:.6g} to {high:.6g}, the landscape {np.min(at):.6g} to {np.max(at):.6g}",
            hint="weather must cover the whole landscape",
        )


def _scattered(whole: Lattice, grid: Grid) -> Placed:
    x_of, y_of = Transformer.from_crs("EPSG:4326", grid.crs.proj, always_xy=True).transform(whole.x, whole.y)
    x, y = centres(grid, grid.crs.proj)
    step = float(np.nanmedian(np.hypot(np.diff(x_of, axis=1), np.diff(y_of, axis=1)))) if x_of.shape[1] > 1 else np.inf
    left, low, right, high = grid.bounds
    pad = MARGIN * step
    near = (x_of > left - pad) & (x_of < right + pad) & (y_of > low - pad) & (y_of < high + pad)
    if not near.any():
        raise FireError("no weather cell lies near the landscape", hint="weather must cover the whole landscape")
    rows, cols = (
        slice(int(at[0]), int(at[-1]) + 1) for at in (np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0)))
    )
    part = Lattice(whole.y_dim, whole.x_dim, whole.y[rows, cols], whole.x[rows, cols], None)
    return Placed(rows, cols, part, on_points(x_of[rows, cols], y_of[rows, cols], x, y))


def lonlat_of(lattice: Lattice) -> tuple[F64, F64]:
    """(longitude, latitude) of the cells, (row, col)."""
    if lattice.crs is None:
        return lattice.x, lattice.y
    x, y = np.meshgrid(lattice.x, lattice.y)
    lon, lat = Transformer.from_crs(lattice.crs, "EPSG:4326", always_xy=True).transform(x, y)
    return np.asarray(lon, float), np.asarray(lat, float)


def turn_deg(lattice: Lattice) -> F64:
    """(row, col) azimuth of the lattice's own north from true north, degrees: added to a bearing on the lattice."""
    if lattice.crs is None:
        return _turn_of_rows(lattice)
    return azimuth_of_north(lattice.crs, *np.meshgrid(lattice.x, lattice.y))


def azimuth_of_north(crs: CRS, x: Any, y: Any) -> F64:
    """Azimuth of the y axis of a CRS from true north at points, degrees in [-180, 180]: over a metre, or 1e-5 degrees.

    On the CRS's own ellipsoid or sphere: that is where a weather model turned its winds.
    """
    step = 1e-5 if crs.is_geographic else 1.0
    to = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    x, y = np.asarray(x, float), np.asarray(y, float)
    first, last = to.transform(x, y - step / 2), to.transform(x, y + step / 2)
    globe = crs.get_geod() or WGS84
    return np.asarray(globe.inv(*map(np.ravel, (*first, *last)))[0]).reshape(x.shape)


def _turn_of_rows(lattice: Lattice) -> F64:
    """The same of cells that are only known by longitude and latitude: along their columns, whichever way is north."""
    if lattice.y.shape[0] < 2:
        raise FireError("one row of cells does not say where their north is", hint="a grid mapping, or say crs=")
    back, ahead = (
        np.maximum(np.arange(len(lattice.y)) - 1, 0),
        np.minimum(np.arange(len(lattice.y)) + 1, len(lattice.y) - 1),
    )
    ends = (lattice.x[back], lattice.y[back], lattice.x[ahead], lattice.y[ahead])
    azimuth = np.asarray(WGS84.inv(*map(np.ravel, ends))[0]).reshape(lattice.y.shape)
    southward = np.abs(azimuth) > 90
    return np.where(southward, (azimuth + 360) % 360 - 180, azimuth)
