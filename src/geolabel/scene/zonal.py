"""Statistics of a scene's pixels inside polygons, each pixel weighted by the exact share of it that is covered.

exactextract computes them; it is given pixels of blocks that are kept while they are needed, so memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geolabel.errors import CRSError, InputError, nearest
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.scene.zones import Blocks, extracted
from geolabel.shapes import repair, to_grid_crs
from geolabel.stream import Progress, silent, walk

STATS: dict[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "sum": ("sum",),
    "std": ("stdev",),
    "min": ("min",),
    "max": ("max",),
    "median": ("median",),
    "count": ("count",),
    "masked_share": ("count",),
    "majority": ("mode",),
    "variety": ("variety",),
    "shares": ("unique", "frac"),
}
"""Statistic -> the operations of exactextract that it needs."""
OF_CLASSES = ("majority", "shares", "variety", "count", "masked_share")
"""Statistics that make sense of codes."""
MEMORY_MB = 192
"""Megabytes of pixels that are kept, unless said otherwise."""


def zonal(
    frame: gpd.GeoDataFrame,
    scene: Scene,
    stats: Sequence[str] | None = None,
    *,
    bands: Sequence[str] | None = None,
    memory_mb: float = MEMORY_MB,
    threads: int = 2,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Table with the frame's index and a column `<band>_<stat>` each, float64; `frame.join(...)` puts it beside the polygons.

    A pixel counts by the exact share of it inside the polygon; pixels without data do not count. A polygon that saw no
    data has NaN, and count 0.

    Parameters
    ----------
    frame
        Polygons in any CRS; those that cross themselves are mended first.
    stats
        mean, sum, std (of the population), min, max, median, count (covered pixels with data, in pixels), masked_share
        (share of the polygon without data), majority (the value that covers most), variety (how many values), shares
        (a column `<band>_share_<code>` for each code found, 0-1 of what has data). Default: mean and count, or
        majority and shares of a scene of classes.
    bands
        Default: all.
    memory_mb
        Of pixels kept at a time, whatever the size of scene and polygons; median, majority and shares hold the
        values of one polygon beside them.

    Raises
    ------
    CRSError
        Where the frame has no CRS.
    InputError
        For an unknown statistic, a mean of classes, and shapes without area.
    BandError
        Where the scene has no such band.

    Source: Baston, exactextract (coverage fractions of cells by the algorithm of its documentation).
    """
    names = tuple(scene.bands if bands is None else bands)
    wanted = _wanted(stats, scene)
    _ = [scene.band(name) for name in names]
    zones = _in_pixels(frame, scene.grid)
    pixels = Blocks(scene, names, memory_mb)
    operations = sorted({operation for name in wanted for operation in STATS[name]})
    found: list[dict[str, Any]] = [{}] * len(zones)
    groups = list(_groups(zones, pixels))

    def work(group: NDArray[np.int64]) -> list[dict[str, Any]]:
        return extracted(shapely.to_wkb(zones[group]), pixels, operations)

    for group, rows in zip(groups, walk(groups, work, what="zones", threads=threads, progress=progress), strict=True):
        for number, row in zip(group, rows, strict=True):
            found[number] = row
    columns = {}
    for name in names:
        for stat in wanted:
            columns.update(_columns(found, name, stat, zones))
    return pd.DataFrame(columns, index=frame.index)


def _wanted(stats: Sequence[str] | None, scene: Scene) -> tuple[str, ...]:
    classes = scene.quantity == "classes"
    if stats is None:
        return ("majority", "shares") if classes else ("mean", "count")
    given = (stats,) if isinstance(stats, str) else tuple(stats)
    for name in given:
        if name not in STATS:
            raise InputError(f"unknown statistic {name!r}", hint=nearest(name, STATS))
        if classes and name not in OF_CLASSES:
            hint = f"of classes: {', '.join(OF_CLASSES)}"
            raise InputError(f"no {name} can be taken of class codes (scene {scene.id!r})", hint=hint)
    return given


def _in_pixels(frame: gpd.GeoDataFrame, grid: Grid) -> NDArray[Any]:
    """Valid polygons in pixels of the grid: x east, y NORTH of its south-west corner, as exactextract counts."""
    if frame.crs is None:
        raise CRSError("polygons without a CRS cannot be laid on a scene", hint="frame.set_crs(...)")
    a, b, c, d, e, f = (~grid.transform)[:6]

    def to_pixels(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points.T
        return np.column_stack([a * x + b * y + c, grid.height - (d * x + e * y + f)])

    there = to_grid_crs(repair(frame), grid).geometry
    return np.asarray(shapely.transform(np.array(list(there), dtype=object), to_pixels))


def _groups(zones: NDArray[Any], pixels: Blocks) -> Iterator[NDArray[np.int64]]:
    """Numbers of the polygons, block by block in an order in which blocks are met again while they are kept."""
    if not len(zones):
        return
    bounds = shapely.bounds(zones)
    middle_row = pixels.shape[0] - (bounds[:, 1] + bounds[:, 3]) / 2
    rows = (middle_row // pixels.size[0]).astype(np.int64)
    cols = ((bounds[:, 0] + bounds[:, 2]) / 2 // pixels.size[1]).astype(np.int64)
    strip = cols // max(1, pixels.room // 2 - 2)
    order = np.lexsort((cols, rows, strip))
    key = np.column_stack([rows, cols])[order]
    yield from np.split(order, np.flatnonzero((key[1:] != key[:-1]).any(axis=1)) + 1)


def _columns(found: list[dict[str, Any]], band: str, stat: str, zones: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The columns of one statistic of one band."""
    if stat == "shares":
        return _shares(found, band)
    values = np.array([_number(row.get(f"{band}/{STATS[stat][0]}")) for row in found], np.float64)
    if stat == "masked_share":
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.clip(1 - values / shapely.area(zones), 0, 1)
    return {f"{band}_{stat}": values}


def _shares(found: list[dict[str, Any]], band: str) -> dict[str, NDArray[np.float64]]:
    pairs = [(np.asarray(row.get(f"{band}/unique", ())), np.asarray(row.get(f"{band}/frac", ()))) for row in found]
    codes = sorted({float(code) for known, _ in pairs for code in known})
    table = np.zeros((len(found), len(codes)))
    for line, (known, shares) in zip(table, pairs, strict=True):
        line[np.searchsorted(codes, known)] = shares
        if not len(known):
            line[:] = np.nan
    return {f"{band}_share_{code:g}": table[:, i] for i, code in enumerate(codes)}


def _number(value: Any) -> float:
    """NaN where exactextract gives nothing: the polygon saw no data."""
    return np.nan if value is None or value is np.ma.masked else float(value)
