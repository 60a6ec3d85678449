"""Align scenes: everything on one metric grid, lazily."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from pyproj import Geod

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.extent import extent_words, overlap
from geolabel.scene.frame import dataset
from geolabel.scene.resample import resample, stacked

NATIVE_RES_M = (10.0, 15.0, 20.0, 30.0, 60.0)
"""Pixel edges of Landsat and Sentinel-2."""
CLOSE = 0.05
"""Share by which a measured edge may miss a native one and be called so."""
SAME_GRID_PX = 1e-6
"""Grids whose corners differ by less, in pixels, are one grid."""
WEB_MERCATOR = 3857


def align(
    scenes: Mapping[str, Scene],
    *,
    id: str = "view",  # noqa: A002 - the noun's own word
    grid: Grid | None = None,
    res_m: float | None = None,
) -> View:
    """View of the scenes by role on one metric grid, lazy float32 (y, x); a scene already there stays as it is.

    Values (reflectance, DN, metres) are resampled before any index is taken: bilinear between valid pixels, the mean
    of what it covers where the target is coarser; a pixel is valid where the source pixel under its centre is.

    Parameters
    ----------
    grid
        Target. Default: the first scene's grid where that is metric and square, else the UTM grid over its extent.
    res_m
        Pixel edge of that UTM grid; default: the first scene's own, as `native_res_m` rounds it.

    Raises
    ------
    InputError
        Where a scene has no ground in common with the target; both extents are named.
    CRSError
        Where `grid` is not metric with square pixels.
    UnitError
        For backscatter in dB off the grid: averages are taken in linear power.
    """
    if not scenes:
        raise InputError("no scenes to align", hint="align({'before': before, 'after': after})")
    if grid is not None and res_m is not None:
        raise InputError(f"both a grid and res_m={res_m:g}", hint="give one of them")
    first = next(iter(scenes.values()))
    target = grid if grid is not None else _metric(first.grid, res_m)
    _ = target.res_m  # refuses degrees, feet and pixels that are not square
    return View(id, target, {role: _onto(scene, role, target) for role, scene in scenes.items()})


def _is_plain(grid: Grid) -> bool:
    try:
        return grid.res_m > 0 and grid.crs.epsg != WEB_MERCATOR  # its metres are not metres on the ground
    except CRSError:
        return False


def _metric(grid: Grid, res_m: float | None) -> Grid:
    if res_m is None and _is_plain(grid):
        return grid
    return Grid.utm(grid.bounds, grid.crs, res_m or native_res_m(grid))


def native_res_m(grid: Grid) -> float:
    """North-south edge of the centre pixel in metres on the WGS84 ellipsoid, rounded.

    To a native edge of Landsat or Sentinel-2 within 5 %, else to a whole metre (below 5 m to a tenth).
    """
    row, col = grid.height // 2, grid.width // 2
    a, b = grid.lonlat(row, col), grid.lonlat(row + 1, col)
    edge = float(Geod(ellps="WGS84").inv(a.lon, a.lat, b.lon, b.lat)[2])
    near = min(NATIVE_RES_M, key=lambda native: abs(native - edge))
    return near if abs(near - edge) <= CLOSE * near else round(edge, 0 if edge >= 5 else 1)


def _onto(scene: Scene, role: str, target: Grid) -> Scene:
    if scene.grid.digest == target.digest:
        return scene
    if not overlap(scene.grid, target):
        raise InputError(
            f"the {role} scene {scene.id!r} does not overlap the others: it spans {extent_words(scene.grid)}",
            hint=f"the view spans {extent_words(target)}",
        )
    return _snapped(scene, target) if same_grid(scene.grid, target) else _resampled(scene, target)


def same_grid(a: Grid, b: Grid) -> bool:
    """Whether two grids are one but for rounding: same CRS and shape, corners within a millionth of a pixel."""
    if a.crs != b.crs or a.shape != b.shape:
        return False
    apart = [max(abs(p - q) for p, q in zip(a.transform * corner, b.transform * corner, strict=True))
             for corner in ((0, 0), (a.width, a.height))]  # fmt: skip
    return max(apart) < SAME_GRID_PX * min(abs(b.transform.a), abs(b.transform.e))


def _snapped(scene: Scene, target: Grid) -> Scene:
    return _moved(scene, target, {name: band.data for name, band in scene.data.items()}, "coordinates snapped to")


def _resampled(scene: Scene, target: Grid) -> Scene:
    if scene.quantity == "gamma0_db":
        raise UnitError(
            f"scene {scene.id!r} is in dB and off the grid", hint="convert to linear power, align, then to dB"
        )
    chunks = max(max(sizes) for sizes in scene.data.chunks.values()) if scene.data.chunks else 512
    values = resample(stacked(scene.data), scene.grid, target, chunks=chunks)
    words = f"resampled bilinear between valid pixels from {scene.grid!r} to"
    return _moved(scene, target, {name: values[i] for i, name in enumerate(scene.bands)}, words)


def _moved(scene: Scene, target: Grid, arrays: Mapping[str, np.ndarray], words: str) -> Scene:
    attrs = {str(name): dict(band.attrs) for name, band in scene.data.items()}
    return dataclasses.replace(
        scene,
        grid=target,
        data=dataset(arrays, target, attrs=attrs),
        digest=digest(scene.digest, target.digest),
        audit=(*scene.audit, f"{words} {target!r}"),
        reader=scene.reader if same_grid(scene.grid, target) else None,  # it reads the pixels of the old grid
    )
