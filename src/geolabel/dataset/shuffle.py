"""Random chips for training: straight from a scene's files by shuffling blocks, or from a prepared cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.boxes import Box, unit
from geolabel.dataset.cache import Cache
from geolabel.dataset.chips import ScenePixels
from geolabel.errors import InputError
from geolabel.nouns.scene import Scene
from geolabel.stream import walk

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How random chips are drawn from files: what is decoded at once, and how far apart neighbours in a batch are."""

    visit: int = 16
    """Chips drawn from a region on the average each time it is decoded: more is faster, fewer mixes better."""
    mix: int = 16
    """Regions in memory from which the next chip is drawn: the mixing, and the memory."""
    region_px: int = 512
    """Edge of the regions in which the upper left corners of chips lie; whole blocks."""


@dataclass(frozen=True, slots=True)
class Region:
    """Chips whose upper left corners lie near each other, and the pixels all of them need."""

    positions: Positions
    window: Box


def random_chips(
    source: Scene | Cache,
    size: int = 256,
    batch: int = 16,
    *,
    seed: int,
    count: int | None = None,
    bands: Sequence[str] | None = None,
    dn: bool = False,
    threads: int = 2,
    shuffle: Shuffle = Shuffle(),
) -> Iterator[tuple[Positions, NDArray[Any]]]:
    """(positions (n, 2): row and col of the upper left pixel, chips (n, band, y, x) float32, NaN = no data), endlessly.

    Every position at which a chip lies inside the scene is drawn with the same probability, independently. From a
    scene they come grouped: all chips of a region are cut from one decode of it, and mixed with those of other
    regions. The same seed gives the same chips in the same order for any number of threads.

    Parameters
    ----------
    source
        A scene, or a `Cache` of one, which is faster once it is prepared.
    count
        Chips in all; the last batch may be smaller. Default: no end.
    bands
        Default: all.
    dn
        DN as stored instead of values.

    Raises
    ------
    InputError
        Where a chip does not fit into the scene.
    BandError
        Where a band is missing, or `dn` is asked for and there are none as stored.
    """
    shape = source.grid.shape
    if not 1 <= size <= min(shape) or batch < 1:
        raise InputError(f"chips of {size} pixels, {batch} a batch, from a scene of {shape}", hint="take smaller chips")
    if isinstance(source, Cache):
        yield from _from_cache(source.pick(bands, dn=dn), (size, batch), seed=seed, count=count, threads=threads)
        return
    pixels = ScenePixels.of(source, bands, dn=dn)
    drawn = _shuffled(pixels, size, np.random.default_rng(seed), count=count, threads=threads, shuffle=shuffle)
    while group := list(islice(drawn, batch)):
        yield np.array([position for position, _ in group]), np.stack([chip for _, chip in group])


def draw(rng: np.random.Generator, shape: tuple[int, int], size: int, count: int) -> Positions:
    """(count, 2) upper left corners, uniform over all at which a chip of `size` lies inside."""
    return np.stack([rng.integers(0, length - size + 1, count) for length in shape], axis=1)


# ---------------------------------------------------------------------- straight from files
def regions(positions: Positions, size: int, region: tuple[int, int], rng: np.random.Generator) -> list[Region]:
    """Positions grouped by the region (rows, cols) they lie in, the regions in random order, each with its window."""
    cells = positions // np.array(region)
    _, group = np.unique(cells, axis=0, return_inverse=True)
    found = []
    for i in rng.permutation(group.max() + 1):
        mine = positions[group.reshape(-1) == i]
        (row, col), (last_row, last_col) = mine.min(axis=0), mine.max(axis=0) + size
        found.append(Region(mine, (slice(int(row), int(last_row)), slice(int(col), int(last_col)))))
    return found


def _passes(
    shape: tuple[int, int], size: int, region: tuple[int, int], rng: np.random.Generator, visit: int
) -> Iterator[list[Region]]:
    """Regions to decode, pass after pass over the scene."""
    cells = int(np.prod([-(-(length - size + 1) // edge) for length, edge in zip(shape, region, strict=True)]))
    while True:
        yield regions(draw(rng, shape, size, visit * cells), size, region, rng)


def _shuffled(
    pixels: ScenePixels,
    size: int,
    rng: np.random.Generator,
    *,
    count: int | None,
    threads: int,
    shuffle: Shuffle,
) -> Iterator[tuple[Positions, NDArray[Any]]]:
    """(position, chip) one by one: each from a random one of the regions in memory, by how many chips they have left."""
    region = unit(pixels.shape, pixels.block, shuffle.region_px)
    left = count
    for todo in _passes(pixels.shape, size, region, rng, shuffle.visit):
        decoded = walk(todo, lambda one: (one, pixels.read(*one.window)), what="chips", threads=threads)
        for one, held, position in _mixed(decoded, rng, shuffle.mix):
            if left == 0:
                return
            yield position, _chip(pixels, held, one.window, position, size)
            left = None if left is None else left - 1


def _mixed(
    decoded: Iterator[tuple[Region, Any]], rng: np.random.Generator, mix: int
) -> Iterator[tuple[Region, Any, Positions]]:
    """(region, its pixels, position) of every chip of every region, at most `mix` regions at a time."""
    open_: list[tuple[Region, Any, list[Positions]]] = []
    for one, held in decoded:
        open_.append((one, held, list(one.positions)))
        while len(open_) >= mix:
            yield _next(open_, rng)
    while open_:
        yield _next(open_, rng)


def _next(open_: list[tuple[Region, Any, list[Positions]]], rng: np.random.Generator) -> tuple[Region, Any, Positions]:
    left = np.cumsum([len(positions) for _, _, positions in open_])
    i = int(np.searchsorted(left, rng.integers(left[-1]), side="right"))
    one, held, positions = open_[i]
    position = positions.pop(int(rng.integers(len(positions))))
    if not positions:
        open_.pop(i)
    return one, held, position


def _chip(pixels: ScenePixels, held: Any, window: Box, position: Positions, size: int) -> NDArray[Any]:
    row, col = int(position[0]), int(position[1])
    out = pixels.new(slice(row, row + size), slice(col, col + size))
    at = (
        slice(row - window[0].start, row - window[0].start + size),
        slice(col - window[1].start, col - window[1].start + size),
    )
    pixels.put(held, at, out, (slice(0, size), slice(0, size)))
    return out


# ---------------------------------------------------------------------- from a cache
def _from_cache(
    cache: Any, sizes: tuple[int, int], *, seed: int, count: int | None, threads: int
) -> Iterator[tuple[Positions, NDArray[Any]]]:
    """Batches cut out of a cache by a pool of threads."""
    (size, batch), rng, left = sizes, np.random.default_rng(seed), count
    with ThreadPoolExecutor(max(1, threads)) as pool:
        while left is None or left > 0:
            n = batch if left is None else min(batch, left)
            positions = draw(rng, cache.shape, size, n)
            yield positions, cache.batch(positions, size, pool)
            left = None if left is None else left - n
