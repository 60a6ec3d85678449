"""Ground for simulations of what to label next: tiles of real scenes with their truth, the minutes of an answer, and what
is held out together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.cover import amazon, spain, truth_of
from geolabel.label.cover.features import Features
from geolabel.quality.doubt.pace import Pace, outline_px
from geolabel.shapes import rasterise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tile = tuple[slice, slice]
APART_PX, BLOCK_TILES = 16, 4
"""Held-out blocks of so many tiles are tested this far from ground that may be labeled."""
LEAST_PX = 8
"""Of a polygon in a tile, for the part to count."""
PACE = Pace()


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Tiles (or parts of polygons) of a real scene with their truth."""

    tiles: list[Tile]
    masks: list[NDArray[np.bool_]]
    """(y, x) of each tile: whether the truth is known."""
    values: list[NDArray[np.float32]]
    """(px, feature) of the known pixels of each tile."""
    whole: Ints
    """(y, x) true class of the scene; what is not known is 0."""
    groups: Ints
    """(tile,) what is held out together."""
    tested: list[NDArray[np.bool_]]
    """(px,) pixels that may be scored: apart from other groups."""
    classes: tuple[str, ...]
    truth: list[Ints]
    """(px,) true class of the known pixels."""
    features: Floats
    """(tile, 2 x feature) mean and spread of each tile."""
    minutes: Floats
    """(tile,) an answer takes, from the true outline."""

    def outline(self, tile: int, codes: Ints) -> int:
        """Pixels of outline of a labeled tile; what lies outside the known pixels is no class."""
        drawn = np.zeros(self.masks[tile].shape, int)
        drawn[self.masks[tile]] = codes + (len(self.classes) > 2)  # of two, only the second is drawn
        return outline_px(drawn)


def spain_ground(folder: Path, size: int = 32) -> Ground:
    """Tiles of Sentinel-2 over the hand-made water label; blocks of tiles are held out."""
    view = spain(folder)
    water, known = truth_of(view)
    values, (n_rows, n_cols) = _read(view["before"].data), (n // size for n in view.grid.shape)
    known &= np.isfinite(values).all(0)
    row, col = np.indices(known.shape) // (size * BLOCK_TILES)
    blocks = row * 100 + col
    width = 2 * APART_PX + 1
    apart = ndimage.maximum_filter(blocks, width) == ndimage.minimum_filter(blocks, width)
    tiles = [
        (slice(r * size, (r + 1) * size), slice(c * size, (c + 1) * size)) for r in range(n_rows) for c in range(n_cols)
    ]
    tiles = [tile for tile in tiles if known[tile].mean() > 0.5]
    whole = (water & known).astype(int)
    return _cut(tiles, [known[tile] for tile in tiles], values, whole, blocks, apart, ("dry", "water"))


def amazon_ground(folder: Path, size: int = 8) -> Ground:
    """Parts, at most `size` pixels wide, of the 25 Amazon polygons; whole polygons are held out."""
    scene, polygons, _ = amazon(folder)
    classes = tuple(sorted(polygons["class"].unique()))
    codes = rasterise(polygons, scene.grid, np.array([classes.index(c) + 1 for c in polygons["class"]], np.uint8))
    number = rasterise(polygons, scene.grid, np.arange(1, len(polygons) + 1, dtype=np.uint8)).astype(int)
    values = _read(scene.data)
    known = (codes > 0) & np.isfinite(values).all(0)
    corners = [(r, c) for r in range(0, codes.shape[0], size) for c in range(0, codes.shape[1], size)]
    tiles = [(slice(r, r + size), slice(c, c + size)) for r, c in corners]
    parts = [(tile, n) for tile in tiles for n in np.unique(number[tile][known[tile]])]
    parts = [(tile, n) for tile, n in parts if (known[tile] & (number[tile] == n)).sum() >= LEAST_PX]
    masks = [known[tile] & (number[tile] == n) for tile, n in parts]
    whole = np.maximum(codes.astype(int) - 1, 0)
    return _cut([tile for tile, _ in parts], masks, values, whole, number, known, classes)


def _read(data: Any) -> NDArray[np.float32]:
    """(feature, y, x) bands and ratios."""
    features = Features.of(data)
    wanted = [kind in ("bands", "ratios") for kind in features.kinds.values()]
    return np.asarray(features.lazy(features.stack(data)).compute()[wanted])


def _cut(
    tiles: list[Tile],
    masks: list[NDArray[np.bool_]],
    scene: NDArray[np.float32],
    whole: Ints,
    groups: Ints,
    tested: NDArray[np.bool_],
    classes: tuple[str, ...],
) -> Ground:
    def cut(layer: NDArray[Any]) -> list[NDArray[Any]]:
        return [layer[tile][mask] for tile, mask in zip(tiles, masks, strict=True)]

    values = [scene[(slice(None), *tile)][:, mask].T for tile, mask in zip(tiles, masks, strict=True)]
    most = np.array([np.bincount(own).argmax() for own in cut(groups)])
    features = np.array([[*one.mean(0), *one.std(0)] for one in values], float)
    ground = Ground(tiles, masks, values, whole, most, cut(tested), classes, cut(whole), features, np.ones(len(tiles)))
    ground.minutes[:] = PACE.minutes([ground.outline(i, own) for i, own in enumerate(ground.truth)])
    return ground


def split(ground: Ground, rng: np.random.Generator, share: float = 0.5) -> tuple[list[int], list[int]]:
    """(tiles that may be labeled, tiles held out): whole groups, and of several classes every class on both sides."""
    groups = np.unique(ground.groups)
    if len(ground.classes) == 2:
        kinds: Sequence[Any] = [groups]
    else:
        codes = np.array([ground.truth[int(np.argmax(ground.groups == g))][0] for g in groups])
        kinds = [groups[codes == code] for code in range(len(ground.classes))]
    out = [g for own in kinds for g in rng.permutation(own)[: max(round(share * len(own)), 1)]]
    held = np.isin(ground.groups, out)
    return np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist()
