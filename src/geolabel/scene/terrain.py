"""Slope and aspect of a DEM (Horn 1981): a numpy kernel, lifted once with `map_overlap`."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from geolabel.errors import CRSError, UnitError
from geolabel.nouns.scene import Scene
from geolabel.scene.frame import dataset


def slope_aspect(dem: Scene) -> Any:
    """Lazy Dataset (y, x), float32: `slope_deg` 0-90 and `aspect_deg`, the downslope azimuth clockwise from GRID north.

    Flat ground has no aspect (NaN). A pixel with a missing neighbour, and so the outermost ring, is NaN in both. Add
    `grid.convergence_deg()` for an azimuth from true north. An aspect is a direction: never interpolate it.

    Raises
    ------
    CRSError
        On a grid that is not in metres.
    UnitError
        Where the scene holds no heights in metres.

    Source: Horn 1981, Proceedings of the IEEE 69:14, as in gdaldem.
    """
    if not dem.grid.is_metric:
        raise CRSError(
            f"slope on a grid in {dem.grid.crs.units[0]} ({dem.grid.crs_name})",
            hint="open the DEM on a metric grid: open_dem(path, grid)",
        )
    if dem.quantity != "elevation_m":
        raise UnitError(f"slope of {dem.quantity}, not of heights in metres", hint="open it with open_dem(path, grid)")
    heights = da.asarray(dem.band("elevation").data)
    both = _lifted(heights, dx=dem.grid.transform.a, dy=dem.grid.transform.e)
    words = {"slope_deg": {"units": "degree"}, "aspect_deg": {"units": "degree", "long_name": "downslope, grid north"}}
    return dataset({"slope_deg": both[0], "aspect_deg": both[1]}, dem.grid, attrs=words)


def _lifted(heights: da.Array, *, dx: float, dy: float) -> da.Array:
    """(2, y, x) lazy slope and aspect."""
    padded = da.overlap.overlap(heights, depth=1, boundary=np.nan, allow_rechunk=True)
    chunks = ((2,), *(tuple(size - 2 for size in sizes) for sizes in padded.chunks))
    return da.map_blocks(partial(horn, dx=dx, dy=dy), padded, chunks=chunks, new_axis=0, dtype=np.float32)


def horn(z: NDArray[np.floating[Any]], *, dx: float, dy: float) -> NDArray[np.float32]:
    """(2, h - 2, w - 2) float32 slope and downslope azimuth, degrees, of heights (h, w); `dy` < 0 where rows run south.

    `dx` and `dy` are the signed steps from one column and row to the next, m.
    """
    exact = z.astype(np.float64)
    east, north = _gradient(exact, dx), _gradient(exact.T, dy).T
    slope = np.degrees(np.arctan(np.hypot(east, north)))
    azimuth = (np.degrees(np.arctan2(-east, -north)) % 360.0).astype(np.float32)
    azimuth[azimuth >= 360.0] = 0.0  # -1e-9 % 360 rounds to 360
    azimuth[slope == 0] = np.nan
    whole = np.isfinite(slope) & np.isfinite(z[1:-1, 1:-1])
    return np.where(whole, np.stack([slope.astype(np.float32), azimuth]), np.float32(np.nan))


def _gradient(z: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Rise per metre along the columns, weighted 1-2-1 over three rows."""
    rows = z[:-2] + 2 * z[1:-1] + z[2:]
    return (rows[:, 2:] - rows[:, :-2]) / (8 * step)
