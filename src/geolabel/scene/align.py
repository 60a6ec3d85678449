"""Align scenes: everything on one metric grid, lazily."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pyproj import Geod

from geolabel.digests import digest
from geolabel.errors import BandError, CRSError, InputError, nearest
from geolabel.grid import Grid
from geolabel.nouns.scene import Reader, Scene
from geolabel.nouns.view import View
from geolabel.scene.extent import extent_words, overlap
from geolabel.scene.frame import dataset
from geolabel.scene.radar import to_db, to_linear
from geolabel.scene.readers import Resampled
from geolabel.scene.resample import Place, Way, resample, stacked, step_between

NATIVE_RES_M = (10.0, 15.0, 20.0, 30.0, 60.0)
"""Pixel edges of Landsat and Sentinel-2."""
CLOSE = 0.05
"""Share by which a measured edge may miss a native one and be called so."""
SAME_GRID_PX = 1e-6
"""Grids whose corners differ by less, in pixels, are one grid."""
WEB_MERCATOR = 3857
CLASS_BANDS = ("scl", "qa_pixel", "qa_radsat", "qa_aerosol", "fmask")
"""Bands of products that hold classes or flags, whatever else the scene holds."""
WORDS: Mapping[Way, str] = {
    "bilinear": "bilinear between valid pixels",
    "nearest": "nearest",
    "mode": "to the most frequent class",
    "circular": "as directions from true north",
    "turned": "as directions, turned to the new grid's north,",
}
"""How bands were resampled, for the audit."""


def align(
    scenes: Mapping[str, Scene],
    *,
    id: str = "view",  # noqa: A002 - the noun's own word
    grid: Grid | None = None,
    res_m: float | None = None,
    resampling: Mapping[str, Way] | None = None,
) -> View:
    """View of the scenes by role on one metric grid, lazy float32 (y, x); a scene already there stays as it is.

    Values (reflectance, DN, metres) are resampled before any index is taken: bilinear between valid pixels, the mean
    of what it covers where the target is coarser; a pixel is valid where the source pixel under its centre is.
    Backscatter in dB is averaged in linear power. Classes (scenes of `quantity="classes"`, bands with the attribute
    `kind="classes"`, `CLASS_BANDS`) are never averaged: the most frequent where the target is coarser, else nearest.
    Directions (`kind="direction"`, degrees clockwise from grid north, or from true north where `north="true"`) are
    averaged as unit vectors and turned with the grid.

    Parameters
    ----------
    grid
        Target. Default: the first scene's grid where that is metric and square, else the UTM grid over its extent.
    res_m
        Pixel edge of that UTM grid; default: the first scene's own, as `native_res_m` rounds it.
    resampling
        Band -> `nearest`, `mode` or `bilinear`, where that is not what the band's kind says.

    Raises
    ------
    InputError
        Where a scene has no ground in common with the target; both extents are named.
    CRSError
        Where `grid` is not metric with square pixels.
    BandError
        For a band in `resampling` that no scene has, a mean of classes, or a direction taken for a number.
    """
    if not scenes:
        raise InputError("no scenes to align", hint="align({'before': before, 'after': after})")
    if grid is not None and res_m is not None:
        raise InputError(f"both a grid and res_m={res_m:g}", hint="give one of them")
    first = next(iter(scenes.values()))
    target = grid if grid is not None else _metric(first.grid, res_m)
    _ = target.res_m  # refuses degrees, feet and pixels that are not square
    asked = dict(resampling or {})
    known = {band for scene in scenes.values() for band in scene.bands}
    for band in asked.keys() - known:
        raise BandError(f"no scene has the band {band!r} that resampling names", hint=nearest(band, known))
    return View(id, target, {role: _onto(scene, role, target, asked) for role, scene in scenes.items()})


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


def _onto(scene: Scene, role: str, target: Grid, asked: Mapping[str, Way]) -> Scene:
    ways = {name: way_of(scene, name, asked.get(name)) for name in scene.bands}
    if scene.grid.digest == target.digest:
        return scene
    if not overlap(scene.grid, target):
        raise InputError(
            f"the {role} scene {scene.id!r} does not overlap the others: it spans {extent_words(scene.grid)}",
            hint=f"the view spans {extent_words(target)}",
        )
    if same_grid(scene.grid, target):
        return _snapped(scene, target)
    if scene.quantity.endswith("_db"):
        return to_db(_resampled(to_linear(scene), target, ways))
    return _resampled(scene, target, ways)


def way_of(scene: Scene, band: str, asked: Way | None = None) -> Way:
    """How a band is resampled: as `asked`, or as its kind says.

    Raises
    ------
    BandError
        Where classes would be averaged, or a direction be taken for a number.
    """
    kind, north = (scene.data[band].attrs.get(key) for key in ("kind", "north"))
    if kind == "direction":
        if asked is not None:
            raise BandError(f"band {band!r} is a direction: {asked} would take it for a number", hint="leave it out")
        return "circular" if north == "true" else "turned"
    classes = scene.quantity == "classes" or kind == "classes" or band in CLASS_BANDS
    if classes and asked not in (None, "nearest", "mode"):
        raise BandError(
            f"band {band!r} of scene {scene.id!r} holds classes, and {asked} takes a mean of them",
            hint="nearest or mode",
        )
    if asked not in (None, "nearest", "mode", "bilinear"):
        raise BandError(f"unknown resampling {asked!r} of band {band!r}", hint="nearest, mode or bilinear")
    return asked or ("mode" if classes else "bilinear")


def same_grid(a: Grid, b: Grid) -> bool:
    """Whether two grids are one but for rounding: same CRS and shape, corners within a millionth of a pixel."""
    if a.crs != b.crs or a.shape != b.shape:
        return False
    apart = [max(abs(p - q) for p, q in zip(a.transform * corner, b.transform * corner, strict=True))
             for corner in ((0, 0), (a.width, a.height))]  # fmt: skip
    return max(apart) < SAME_GRID_PX * min(abs(b.transform.a), abs(b.transform.e))


def _snapped(scene: Scene, target: Grid) -> Scene:
    bands = {str(name): band.data for name, band in scene.data.items()}
    return _moved(scene, target, bands, reader=scene.reader, words="coordinates snapped to")


def _resampled(scene: Scene, target: Grid, ways: Mapping[str, Way]) -> Scene:
    chunks = max(max(sizes) for sizes in scene.data.chunks.values()) if scene.data.chunks else 512
    step = step_between(scene.grid, target)
    ways = {name: "nearest" if way == "mode" and step == 1 else way for name, way in ways.items()}
    bands: dict[str, Any] = {}
    for way in dict.fromkeys(ways.values()):
        names = [name for name in scene.bands if ways[name] == way]
        values = resample(stacked(scene.data[names]), scene.grid, target, chunks=chunks, way=way)
        bands |= {name: values[i] for i, name in enumerate(names)}
    reader = None
    if scene.reader is not None:
        reader = Resampled(scene.reader, Place.of(scene.grid), Place.of(target), step, tuple(ways.items()))
    words = f"resampled {_words(ways)} from {scene.grid!r} to"
    return _moved(scene, target, {name: bands[name] for name in scene.bands}, reader=reader, words=words)


def _words(ways: Mapping[str, Way]) -> str:
    """`bilinear between valid pixels`, with the bands' names where they differ."""
    each = {way: [name for name, one in ways.items() if one == way] for way in ways.values()}
    if len(each) == 1:
        return WORDS[next(iter(each))]
    return ", ".join(f"{' '.join(names)} {WORDS[way]}" for way, names in each.items())


def _moved(scene: Scene, target: Grid, arrays: Mapping[str, Any], *, reader: Reader | None, words: str) -> Scene:
    attrs = {str(name): dict(band.attrs) for name, band in scene.data.items()}
    return dataclasses.replace(
        scene,
        grid=target,
        data=dataset(arrays, target, attrs=attrs),
        digest=digest(scene.digest, target.digest, words),
        audit=(*scene.audit, f"{words} {target!r}"),
        reader=reader,
    )
