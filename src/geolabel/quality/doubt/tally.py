"""What a model says of each polygon and of the ground outside, summed over the blocks of a raster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.grid import Grid, Tile
from geolabel.quality.doubt.confident import softmin_weight
from geolabel.shapes import rasterise

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice]
BAND_PX = 3
"""Width of the band on either side of an outline in which disagreement is the outline's."""
CORE_PX = 2
"""How far a polygon's core lies inside its outline."""
LEAST_CORE_PX = 9
"""Pixels a core needs to stand for its polygon."""
BLOCK_PX = 512
EIGHT = np.ones((3, 3), bool)
SUMS = ("pixels", "agreed", "weight", "soft", "core", "core_weight", "core_soft", "length", "over", "under")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over the pixels of each polygon that the model speaks of."""

    given: NDArray[np.int64]
    """(polygon,) number of its class."""
    sums: Floats
    """(polygon, sum), in the order of `SUMS`."""
    whole: Floats
    """(polygon, class) summed probabilities over all pixels, and over the core."""
    inner: Floats
    outside: NDArray[np.float32]
    """(y, x) probability of the most probable class on judged ground outside all labels, 0 elsewhere; and its number."""
    outside_code: NDArray[np.int16]
    apart: Mask
    """(y, x) whether a pixel is further than `BAND_PX` from every label."""

    def __getitem__(self, name: str) -> Floats:
        return self.sums[:, SUMS.index(name)]

    def part(self, where: Mask) -> Tally:
        """Some of the polygons."""
        kept = (self.given[where], self.sums[where], self.whole[where], self.inner[where])
        return Tally(*kept, self.outside, self.outside_code, self.apart)

    @property
    def pixels(self) -> Floats:
        """(polygon,) pixels that the model speaks of."""
        return self["pixels"]

    @property
    def has_core(self) -> Mask:
        """(polygon,) whether its core is large enough to stand for it."""
        return np.asarray(self["core"] >= LEAST_CORE_PX)

    @property
    def chances(self) -> Floats:
        """(polygon, class) mean probability over the core, over all pixels where there is none."""
        core = self.has_core[:, None]
        parts, wholes = (
            np.where(core, self.inner, self.whole),
            np.where(core, self["core"][:, None], self.pixels[:, None]),
        )
        return np.asarray(np.clip(parts / np.maximum(wholes, 1), 0, 1))

    @property
    def score(self) -> Floats:
        """(polygon,) softmin of the probability of the class as labeled over the core (all pixels where there is none)."""
        part = np.where(self.has_core, self["core_soft"], self["soft"])
        return np.asarray(part / np.maximum(np.where(self.has_core, self["core_weight"], self["weight"]), 1e-300))

    @property
    def agreed(self) -> Floats:
        """(polygon,) share of its pixels that the model names as they are labeled."""
        return np.asarray(self["agreed"] / np.maximum(self.pixels, 1))

    @property
    def over_px(self) -> Floats:
        """(polygon,) pixels along the outline that are labeled and named otherwise, a pixel of outline."""
        return np.asarray(self["over"] / np.maximum(self["length"], 1))

    @property
    def under_px(self) -> Floats:
        """(polygon,) pixels along the outline that are of its class by the model and not labeled, a pixel of outline."""
        return np.asarray(self["under"] / np.maximum(self["length"], 1))


def tally(
    labels: gpd.GeoDataFrame, probability: Any, names: tuple[str, ...], grid: Grid, *, judged: Mask | None
) -> Tally:
    """Sums over all blocks; the result does not depend on how they are cut."""
    drawn = labels.to_crs(grid.crs.to_wkt()).reset_index(drop=True)
    given = np.array([names.index(name) for name in drawn["class"]], np.int64)
    sums, k = np.zeros((len(drawn), len(SUMS) + 2 * len(names))), len(names)
    outside, code = np.zeros(grid.shape, np.float32), np.full(grid.shape, -1, np.int16)
    apart = np.zeros(grid.shape, bool)
    for tile in grid.tiles(BLOCK_PX):
        block = _Block.read(tile, probability, drawn, given, grid)
        for place, own in block.polygons():
            sums[place] += own
        if judged is not None:
            inside = tile.slices
            outside[inside], code[inside], apart[inside] = block.outside(judged[inside])
    own, whole, inner = np.split(sums, [len(SUMS), len(SUMS) + k], axis=1)
    return Tally(given, own, whole, inner, outside, code, apart)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block with `BAND_PX` pixels around it, as far as the grid reaches."""

    grid: Grid
    core: tuple[slice, slice]
    """Where the block itself lies in it."""
    chances: NDArray[np.float32]
    """(class, y, x), and the number of the most probable class; -1 where the model says nothing."""
    named: NDArray[np.int64]
    labels: gpd.GeoDataFrame
    """Those that reach into it; the index is their number."""
    given: NDArray[np.int64]
    labeled: NDArray[np.int64]
    """(y, x) class of the last label on a pixel, -1 without any."""

    @classmethod
    def read(
        cls, tile: Tile, probability: Any, drawn: gpd.GeoDataFrame, given: NDArray[np.int64], grid: Grid
    ) -> _Block:
        rows, cols = (_wider(side, n) for side, n in zip(tile.slices, grid.shape, strict=True))
        wide = grid.crop(Tile(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start))
        chances = np.asarray(probability[:, rows, cols], np.float32)
        spoken = np.isfinite(chances).any(0)
        named = np.where(spoken, np.nan_to_num(chances).argmax(0), -1)
        there = np.sort(drawn.sindex.query(shapely.box(*wide.bounds), predicate="intersects"))
        own = drawn.iloc[there]
        labeled = rasterise(own, wide, (given[there] + 1).astype(np.uint8)).astype(np.int64) - 1
        top, left = tile.row - rows.start, tile.col - cols.start
        core = slice(top, top + tile.height), slice(left, left + tile.width)
        return cls(wide, core, chances, named, own, given[there], labeled)

    def polygons(self) -> Iterator[tuple[int, Floats]]:
        """(number of each polygon in the block, its sums)."""
        for i, (place, code) in enumerate(zip(self.labels.index, self.given, strict=True)):
            mask = rasterise(self.labels.iloc[[i]], self.grid)
            for box in ndimage.find_objects(mask):
                yield int(place), self._sums(mask > 0, int(code), _around(box, mask.shape))

    def _sums(self, whole: Mask, code: int, box: Box) -> Floats:
        """Sums of one polygon over the part of the block around it."""
        mask, chances, named, labeled = (
            whole[box],
            self.chances[(slice(None), *box)],
            self.named[box],
            self.labeled[box],
        )
        counted = np.zeros(whole.shape, bool)
        counted[self.core] = True
        counted = counted[box] & np.isfinite(chances[code])  # a class that was not taught there says nothing of it
        deep = ndimage.binary_erosion(mask, EIGHT, iterations=CORE_PX, border_value=1)
        band = mask & ~ndimage.binary_erosion(mask, EIGHT, iterations=BAND_PX, border_value=1)
        near = ndimage.binary_dilation(mask, EIGHT, iterations=BAND_PX) & (labeled != code)
        line = mask & ~ndimage.binary_erosion(mask, border_value=1)
        right, inside, core = named == code, mask & counted, deep & counted
        parts = [inside.sum(), (inside & right).sum(), *_soft(chances[code][inside])]
        parts += [core.sum(), *_soft(chances[code][core]), (line & counted).sum()]
        parts += [(band & counted & ~right).sum(), (near & counted & right).sum()]
        known = np.nan_to_num(chances)
        return np.concatenate([parts, known[:, inside].sum(1, dtype=float), known[:, core].sum(1, dtype=float)])

    def outside(self, judged: Mask) -> tuple[NDArray[np.float32], NDArray[np.int64], Mask]:
        """(Probability of the most probable class, its number, whether apart from labels) of judged, unlabeled ground."""
        near = ndimage.binary_dilation(self.labeled >= 0, EIGHT, iterations=BAND_PX)
        open_ground = judged & ((self.labeled < 0) & (self.named >= 0))[self.core]
        best = np.nan_to_num(self.chances[(slice(None), *self.core)]).max(0)
        code = np.where(open_ground, self.named[self.core], -1)
        return np.where(open_ground, best, 0).astype(np.float32), code, open_ground & ~near[self.core]


def _wider(side: slice, n: int) -> slice:
    return slice(max(side.start - BAND_PX, 0), min(side.stop + BAND_PX, n))


def _around(box: Box, shape: tuple[int, ...]) -> Box:
    """A box and `BAND_PX` pixels around it: there an outline's band ends."""
    rows, cols = (_wider(side, n) for side, n in zip(box, shape, strict=True))
    return rows, cols


def _soft(values: NDArray[np.float32]) -> tuple[float, float]:
    """The two sums of which a softmin is the ratio."""
    exact = values.astype(float)
    weight = softmin_weight(exact)
    return float(weight.sum()), float((weight * exact).sum())
