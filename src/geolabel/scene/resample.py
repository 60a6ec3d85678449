"""Pixels of one grid seen from another: exact positions, bilinear between valid pixels, never across nodata.

Classes are taken as they are (`nearest`, `mode`), directions turn with the grid (`circular`).

Own code, because GDAL's warper interpolates positions along each scanline it is asked for (0.125 pixel): its result
depends on the chunks (on a Landsat mosaic, 119 pixels change between valid and nodata).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import dask.array as da
import numpy as np
from affine import Affine
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer

from geolabel.grid import Grid
from geolabel.scene.sample import SNAP_PX, blend, commonest

Floats = NDArray[np.float64]
Way = Literal["bilinear", "nearest", "mode", "circular", "turned"]
"""How pixels pass to another grid. `bilinear`: between valid pixels, the mean of what a coarser one covers; `nearest`:
the pixel under the centre; `mode`: the most frequent of what a coarser one covers, the lowest where two are;
`circular`: `bilinear` for directions in degrees from true north; `turned`: the same from grid north, which the other
grid has elsewhere."""
NO_DIRECTION = 1e-6
"""Length of a mean of unit vectors below which it has no direction."""
LATTICE = 17
"""Points along each edge by which the window of source pixels under a block is found."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of whole pixels on a grid, as plain values: what a worker on another machine needs.

    Positions are always computed on the whole grid, so they do not depend on how it was cut.
    """

    crs: str
    transform: tuple[float, ...]
    shape: tuple[int, int]
    """Of the rectangle."""
    origin: tuple[int, int] = (0, 0)
    """(row, col) of its first pixel on the grid."""

    @classmethod
    def of(cls, grid: Grid) -> Place:
        """Place of a whole grid."""
        return cls(grid.crs.to_wkt(), tuple(grid.transform[:6]), grid.shape)

    @property
    def window(self) -> tuple[slice, slice]:
        """(rows, cols) of the rectangle on the grid."""
        return slice(self.origin[0], self.origin[0] + self.shape[0]), slice(
            self.origin[1], self.origin[1] + self.shape[1]
        )

    def part(self, rows: slice, cols: slice) -> Place:
        """Place of a rectangle of its pixels."""
        origin = self.origin[0] + rows.start, self.origin[1] + cols.start
        return replace(self, shape=(rows.stop - rows.start, cols.stop - cols.start), origin=origin)


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> Transformer | None:
    return None if source == target else Transformer.from_crs(source, target, always_xy=True)


def positions(rows: Floats, cols: Floats, *, of: Place, on: Place) -> tuple[Floats, Floats]:
    """(row, col) in rectangle `on` of points (row, col) of the grid of `of`; whole numbers are pixel centres."""
    x, y = Affine(*of.transform) * (cols + 0.5, rows + 0.5)
    if transformer := _transformer(of.crs, on.crs):
        x, y = transformer.transform(x, y)
    col, row = ~Affine(*on.transform) * (x, y)
    return _snap(row - 0.5) - on.origin[0], _snap(col - 0.5) - on.origin[1]


def _snap(value: Floats) -> Floats:
    whole = np.round(value)
    with np.errstate(invalid="ignore"):  # inf - inf
        return np.where(np.abs(value - whole) < SNAP_PX, whole, value)


def onto(
    values: NDArray[np.float32], source: Place, target: Place, step: int = 1, *, way: Way = "bilinear"
) -> NDArray[np.float32]:
    """(band, h, w) float32 on `target` of values (band, y, x) on `source`, NaN = no data.

    With `step` > 1 each target pixel is the mean (or mode) over step x step positions inside it, NaN where fewer than
    half of them are valid: a coarser grid averages what it covers.
    """
    if way in ("circular", "turned"):
        east, north = (onto(part(np.radians(values)), source, target, step) for part in (np.sin, np.cos))
        return _bearing(east, north, convergence(target, on=source) if way == "turned" else 0.0)
    step = 1 if way == "nearest" else step
    edges = zip(target.origin, target.shape, strict=True)
    row, col = ((np.arange(first * step, (first + n) * step) + 0.5) / step - 0.5 for first, n in edges)
    at = positions(*np.meshgrid(row, col, indexing="ij"), of=target, on=source)
    return (blend if way == "bilinear" else commonest)(values, *at, step)


def _bearing(east: NDArray[np.float32], north: NDArray[np.float32], turn_deg: Any) -> NDArray[np.float32]:
    bearing = ((np.degrees(np.arctan2(east, north)) + turn_deg) % 360).astype(np.float32)
    bearing[bearing >= 360] = 0.0  # -1e-9 % 360 rounds to 360
    return np.where(np.hypot(east, north) > NO_DIRECTION, bearing, np.float32(np.nan))


def convergence(place: Place, *, on: Place) -> Floats:
    """(h, w) degrees from grid north of `place` to grid north of `on` at the pixels of `place`, clockwise."""
    rows, cols = (np.arange(first, first + n, dtype=float) for first, n in zip(place.origin, place.shape, strict=True))
    x, y = Affine(*place.transform) * (np.meshgrid(cols, rows)[0] + 0.5, np.meshgrid(cols, rows)[1] + 0.5)
    if transformer := _transformer(place.crs, "EPSG:4326"):
        x, y = transformer.transform(x, y)
    return _convergence(on.crs, x, y) - _convergence(place.crs, x, y)


def _convergence(crs: str, lon: Floats, lat: Floats) -> Floats:
    """Azimuth of grid north from true north, degrees; 0 in longitude and latitude."""
    if CRS(crs).is_geographic:
        return np.zeros(lon.shape)
    return np.asarray(Proj(crs).get_factors(lon, lat).meridian_convergence, np.float64)


def step_between(source: Grid, target: Grid) -> int:
    """Positions along an edge of a target pixel that sample every source pixel under it; 1 where it is not coarser."""
    there = positions(*(np.array([0.0, 1.0, 0.0]) + target.height // 2, np.array([0.0, 0.0, 1.0]) + target.width // 2),
                      of=Place.of(target), on=Place.of(source))  # fmt: skip
    edges = [float(np.hypot(there[0][i] - there[0][0], there[1][i] - there[1][0])) for i in (1, 2)]
    return max(1, int(np.ceil(max(edges) - 0.25)))  # a quarter coarser is still one pixel under another


def source_window(source: Place, target: Place) -> tuple[slice, slice] | None:
    """(rows, cols) of the source pixels that `onto` may touch for a target, or None where there are none."""
    edges = zip(target.origin, target.shape, strict=True)
    row, col = (np.linspace(first - 0.5, first + n - 0.5, LATTICE) for first, n in edges)
    rows, cols = positions(*np.meshgrid(row, col, indexing="ij"), of=target, on=source)
    seen = np.isfinite(rows) & np.isfinite(cols)
    if not seen.any():
        return None
    spans = [_padded(at[seen], size) for at, size in zip((rows, cols), source.shape, strict=True)]
    return None if any(s.start >= s.stop for s in spans) else (spans[0], spans[1])


def _padded(at: Floats, size: int) -> slice:
    pad = 2 + 0.01 * float(at.max() - at.min())  # two for the neighbours, a hundredth for edges that curve
    return slice(max(0, int(np.floor(at.min() - pad))), min(size, int(np.ceil(at.max() + pad)) + 1))


def resample(source: da.Array, grid: Grid, target: Grid, *, chunks: int, way: Way = "bilinear") -> da.Array:
    """(band, y, x) lazy float32 on `target` of a lazy array (band, y, x) on `grid`; independent of chunks on both sides.

    Each block of the result depends on the blocks of the source under it, so a source block is computed once.
    """
    source = source.rechunk({0: -1})
    rows, cols = (da.core.normalize_chunks(chunks, (n,))[0] for n in target.shape)
    here, there, step = Place.of(grid), Place.of(target), step_between(grid, target)
    name = f"resample-{tokenize(source.name, here, there, step, rows, cols, way)}"
    graph = {}
    for i, row in enumerate(_slices(rows)):
        for j, col in enumerate(_slices(cols)):
            graph[(name, 0, i, j)] = _task(source, here, there.part(row, col), step, way)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[source])
    return da.Array(layers, name, ((source.shape[0],), rows, cols), dtype=np.float32)


def _task(source: da.Array, here: Place, block: Place, step: int, way: Way) -> tuple[Any, ...]:
    window = source_window(here, block)
    if window is None:
        return (np.full, (source.shape[0], *block.shape), np.float32(np.nan))
    rows, cols = (_covering(sizes, part) for sizes, part in zip(source.chunks[1:], window, strict=True))
    keys = [[(source.name, 0, i, j) for j in cols[0]] for i in rows[0]]
    return (_onto_blocks, keys, here.part(rows[1], cols[1]), block, step, way)


def _onto_blocks(blocks: list[list[Any]], source: Place, target: Place, step: int, way: Way) -> NDArray[np.float32]:
    values = np.concatenate([np.concatenate(row, axis=2) for row in blocks], axis=1)
    return onto(values, source, target, step, way=way)


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]


def _covering(sizes: Sequence[int], part: slice) -> tuple[list[int], slice]:
    """(numbers of the chunks that meet `part`, the pixels they hold together)."""
    met = [(i, s) for i, s in enumerate(_slices(sizes)) if s.start < part.stop and s.stop > part.start]
    return [i for i, _ in met], slice(met[0][1].start, met[-1][1].stop)


def stacked(bands: Mapping[str, Any]) -> da.Array:
    """(band, y, x) lazy array of lazy bands (y, x) of equal chunks."""
    return da.stack([da.asarray(band) for band in bands.values()])
