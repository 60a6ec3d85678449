"""Shape of the ground from a DEM: slope, aspect, hillshade (Horn 1981), topographic position (Weiss 2001). Lazy.

Plain kernels, lifted once with overlapping blocks. What depends on ground farther away is in `flow`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.errors import CRSError, InputError, UnitError
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
    both = _lifted(heights_of(dem), partial(horn, dx=dem.grid.transform.a, dy=dem.grid.transform.e), 2)
    words = {
        "slope_deg": {"units": "degree"},
        "aspect_deg": {"units": "degree", "long_name": "downslope, grid north", "kind": "direction", "north": "grid"},
    }
    return dataset({"slope_deg": both[0], "aspect_deg": both[1]}, dem.grid, attrs=words)


def hillshade(dem: Scene, azimuth_deg: float = 315.0, altitude_deg: float = 45.0) -> Any:
    """Lazy float32 DataArray (y, x): light on the ground, 0 (turned away) to 1 (facing the light), without cast shadow.

    The cosine of the angle between the ground's normal and the light; times 255 it is the grey of a map. NaN where
    `slope_aspect` is.

    Parameters
    ----------
    azimuth_deg
        Where the light comes FROM, degrees clockwise from grid north; north-west by convention of relief maps.
    altitude_deg
        Height of the light above the horizon, 0-90 degrees.

    Raises
    ------
    InputError
        For an altitude outside 0-90.
    CRSError, UnitError
        As `slope_aspect`.

    Source: Horn 1981, Proceedings of the IEEE 69:14 (Lambertian reflectance).
    """
    if not 0 <= altitude_deg <= 90:
        raise InputError(f"light {altitude_deg:g} degrees above the horizon", hint="0 to 90")
    azimuth, altitude = np.radians([azimuth_deg, altitude_deg])
    light = np.cos(altitude) * np.sin(azimuth), np.cos(altitude) * np.cos(azimuth), np.sin(altitude)
    kernel = partial(lit, light=light, dx=dem.grid.transform.a, dy=dem.grid.transform.e)
    shade = dataset({"hillshade": _lifted(heights_of(dem), kernel, 1)[0]}, dem.grid)["hillshade"]
    return shade.assign_attrs(units="1", azimuth_deg=float(azimuth_deg), altitude_deg=float(altitude_deg))


def tpi(dem: Scene, radius_m: float, *, inner_m: float = 0.0) -> Any:
    """Lazy float32 DataArray (y, x), m: height above the mean of the ring from `inner_m` to `radius_m` around a pixel.

    Ridges are positive, valleys negative, plane slopes 0. Each pixel of the ring counts together with the one opposite,
    so that a slope cut off by missing ground is no ridge; NaN where fewer than half of these pairs are known.

    Raises
    ------
    InputError
        Where the ring holds no pixel.
    CRSError, UnitError
        As `slope_aspect`.

    Source: Weiss 2001, Topographic position and landforms analysis, ESRI user conference (annulus neighbourhood).
    """
    heights = heights_of(dem)
    pairs = _ring(inner_m, radius_m, dx=abs(dem.grid.transform.a), dy=abs(dem.grid.transform.e))
    if not len(pairs):
        raise InputError(
            f"no pixel of {abs(dem.grid.transform.a):g} m lies between {inner_m:g} and {radius_m:g} m from another",
            hint="a larger radius_m",
        )
    depth = int(np.abs(pairs[:, 0]).max()), int(np.abs(pairs[:, 1]).max())
    above = da.map_overlap(
        partial(above_ring, pairs=pairs), heights, depth=depth, boundary=np.nan, dtype=np.float32, meta=NOTHING
    )
    words = {"units": "m", "long_name": f"height above the mean within {inner_m:g}-{radius_m:g} m"}
    return dataset({"tpi": above}, dem.grid, attrs={"tpi": words})["tpi"]


NOTHING = np.empty((0, 0), np.float32)


def heights_of(dem: Scene) -> da.Array:
    """(y, x) lazy heights, m, of a scene on a metric grid.

    Raises
    ------
    CRSError
        On a grid that is not in metres.
    UnitError
        Where the scene holds no heights in metres.
    """
    if not dem.grid.is_metric:
        raise CRSError(
            f"slope on a grid in {dem.grid.crs.units[0]} ({dem.grid.crs_name})",
            hint="open the DEM on a metric grid: open_dem(path, grid)",
        )
    if dem.quantity != "elevation_m":
        raise UnitError(f"slope of {dem.quantity}, not of heights in metres", hint="open it with open_dem(path, grid)")
    return da.asarray(dem.band("elevation").data)


def _lifted(heights: da.Array, kernel: Callable[..., NDArray[np.float32]], n: int) -> da.Array:
    """(n, y, x) lazy result of a kernel that takes (h, w) to (n, h - 2, w - 2)."""
    padded = da.overlap.overlap(heights, depth=1, boundary=np.nan, allow_rechunk=True)
    chunks = ((n,), *(tuple(size - 2 for size in sizes) for sizes in padded.chunks))
    meta = np.empty((0, 0, 0), np.float32)
    return da.map_blocks(kernel, padded, chunks=chunks, new_axis=0, dtype=np.float32, meta=meta)


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


def lit(
    z: NDArray[np.floating[Any]], *, light: tuple[float, float, float], dx: float, dy: float
) -> NDArray[np.float32]:
    """(1, h - 2, w - 2) float32 light on the ground of heights (h, w), from the unit vector (east, north, up)."""
    exact = z.astype(np.float64)
    east, north = _gradient(exact, dx), _gradient(exact.T, dy).T
    facing = (light[2] - light[0] * east - light[1] * north) / np.sqrt(1 + east**2 + north**2)
    whole = np.isfinite(facing) & np.isfinite(z[1:-1, 1:-1])
    return np.where(whole, np.maximum(facing, 0), np.nan).astype(np.float32)[None]


def _gradient(z: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Rise per metre along the columns, weighted 1-2-1 over three rows."""
    rows = z[:-2] + 2 * z[1:-1] + z[2:]
    return (rows[:, 2:] - rows[:, :-2]) / (8 * step)


def _ring(inner_m: float, radius_m: float, *, dx: float, dy: float) -> NDArray[np.int64]:
    """(n, 2) steps (rows, cols) to the pixels of a ring, one of each opposite pair."""
    rows, cols = int(radius_m // dy), int(radius_m // dx)
    row, col = np.mgrid[0 : rows + 1, -cols : cols + 1]
    away_m = np.hypot(row * dy, col * dx)
    half = (row > 0) | (col > 0)
    return np.argwhere(half & (away_m > inner_m) & (away_m <= radius_m)) - np.array([0, cols], np.int64)


def above_ring(z: NDArray[np.float32], *, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """(y, x) float32 height above the mean of the known opposite pairs; see `tpi`."""
    depth = int(np.abs(pairs).max())
    padded = np.pad(z.astype(np.float64), depth, constant_values=np.nan)
    result = np.empty(z.shape, np.float32)
    _above_ring(padded, depth, pairs, result)
    return result


@njit(nogil=True, cache=True)
def _above_ring(padded: NDArray[np.float64], depth: int, pairs: NDArray[np.int64], result: NDArray[np.float32]) -> None:
    for row in range(result.shape[0]):
        for col in range(result.shape[1]):
            r, c, count, total = row + depth, col + depth, 0, 0.0
            for down, right in pairs:
                both = padded[r + down, c + right] + padded[r - down, c - right]
                if np.isfinite(both):
                    count += 2
                    total += both
            known = count >= len(pairs)
            result[row, col] = padded[r, c] - total / count if known else np.nan
