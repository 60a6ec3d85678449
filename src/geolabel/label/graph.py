"""The patches of all strips as one graph: scars across seams, small patches joined to their largest neighbour.

Nothing here depends on where the strips were cut: patches are told apart by their first pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.label.pieces import Piece, components, is_scar
from geolabel.label.quanta import COMPILE
from geolabel.label.runs import I32, I64, Codes, Runs, contacts


class Patches(NamedTuple):
    """Patches and what touches what; of one strip with its edge rows, or of a whole image."""

    level: Codes
    size: I64
    total: I64
    corner: I64
    seeded: NDArray[np.bool_]
    touching: NDArray[np.int64]
    """(m, 2) patches of different level that share an edge."""


class Edge(NamedTuple):
    """The runs of one row."""

    first: I32
    last: I32
    patch: I32

    @property
    def runs(self) -> Runs:
        """As runs of a strip of one row."""
        codes = np.zeros(len(self.first), np.uint8)
        return Runs(np.array([0, len(self.first)], np.int64), self.first, self.last, codes)


class Summary(NamedTuple):
    """What the whole image must know of one piece."""

    patches: Patches
    top: Edge
    bottom: Edge
    bottom_row: int
    """Row of the whole image."""


def summary_of(piece: Piece, row: int) -> Summary:
    """Summary of a piece whose strip starts at `row`."""
    patches = Patches(piece.level, piece.size, piece.total, piece.corner, piece.seeded, piece.touching.astype(np.int64))
    end, begin = int(piece.start[1]), int(piece.start[-2])
    top = Edge(piece.first[:end].copy(), piece.last[:end].copy(), piece.patch[:end].copy())
    bottom = Edge(piece.first[begin:].copy(), piece.last[begin:].copy(), piece.patch[begin:].copy())
    return Summary(patches, top, bottom, row + len(piece.start) - 2)


@dataclass(frozen=True, slots=True)
class Whole:
    """The final patches of an image, numbered from 1 by their first pixel, and the way to them from the pieces."""

    numbers: tuple[I32, ...]
    """A piece's patch -> final patch, 0 where it is no scar."""
    edges: tuple[Edge, ...]
    """Last row of each piece, by final patch."""
    level: Codes
    size: I64
    total: I64
    corner: I64


def whole_of(summaries: Sequence[Summary], min_pixels: int) -> Whole:
    """Final patches: scars large enough and with a seed, patches below `min_pixels` joined to a neighbour in the scar.

    The smallest patch goes first (of equal ones the first), to the neighbour with most pixels (of equal ones that of
    the lower level, then the first); neighbours of one level that meet become one patch. A sieve that looks at each
    patch once, as rasterio's, can leave small ones behind and depends on the order of its walk.
    """
    offsets = np.concatenate([[0], np.cumsum([len(one.patches.level) for one in summaries])]).astype(np.int64)
    patches, number = _joined(summaries, offsets)
    scar = components(patches.touching, len(patches.level))
    kept = is_scar(scar, patches.size, patches.seeded, min_pixels)
    final, patches = _absorbed(patches, kept, min_pixels)
    number = final[number]
    numbers = tuple(number[a:b] for a, b in pairwise(offsets))
    edges = tuple(one.bottom._replace(patch=by[one.bottom.patch]) for one, by in zip(summaries, numbers, strict=True))
    return Whole(numbers, edges, patches.level, patches.size, patches.total, patches.corner)


def _joined(summaries: Sequence[Summary], offsets: I64) -> tuple[Patches, I32]:
    """(patches of the image, the patch that each piece's patch belongs to)."""
    parts = [one.patches for one in summaries]
    level, size, total, corner, seeded = (np.concatenate([part[i] for part in parts]) for i in range(5))
    seams = [_seam(a, b, i, j) for a, b, i, j in zip(summaries, summaries[1:], offsets, offsets[1:], strict=False)]
    met = np.concatenate([np.empty((0, 2), np.int64), *seams])
    same = level[met[:, 0]] == level[met[:, 1]]
    number = components(met[same], len(level))
    within = [part.touching + offset for part, offset in zip(parts, offsets, strict=False)]
    touching = number[np.concatenate([met[~same], *within])].astype(np.int64)
    return _collapsed(Patches(level, size, total, corner, seeded, touching), number), number


def _seam(a: Summary, b: Summary, offset_a: int, offset_b: int) -> I64:
    """(m, 2) patches on either side of a seam that share an edge."""
    pairs = contacts(a.bottom.runs, 0, b.top.runs, 0)
    return np.stack([a.bottom.patch[pairs[:, 0]] + offset_a, b.top.patch[pairs[:, 1]] + offset_b], axis=1)


def _collapsed(patches: Patches, number: I32) -> Patches:
    """Patches of equal number as one; `touching` speaks in these numbers already."""
    n = int(number.max()) + 1 if len(number) else 0
    size, total = np.zeros(n, np.int64), np.zeros(n, np.int64)
    np.add.at(size, number, patches.size)
    np.add.at(total, number, patches.total)
    corner = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(corner, number, patches.corner)
    level, seeded = np.zeros(n, np.uint8), np.zeros(n, bool)
    level[number] = patches.level
    np.logical_or.at(seeded, number, patches.seeded)
    return Patches(level, size, total, corner, seeded, _unique(patches.touching, n))


def _unique(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    low, high = pairs.min(axis=1, initial=n), pairs.max(axis=1, initial=-1)
    key = np.unique(low[low != high] * n + high[low != high])
    return np.stack([key // max(n, 1), key % max(n, 1)], axis=1)


def _absorbed(patches: Patches, kept: NDArray[np.bool_], min_pixels: int) -> tuple[I32, Patches]:
    """(final number of each patch, 0 for none; the final patches in order of their first pixels)."""
    n = len(patches.level)
    pairs = patches.touching[kept[patches.touching[:, 0]]]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    start = np.searchsorted(both[:, 0], np.arange(n + 1))
    level, size, corner = patches.level.copy(), patches.size.copy(), patches.corner.copy()
    parent = np.arange(n, dtype=np.int64)
    small = np.flatnonzero(kept & (size < min_pixels))
    if len(small) and len(pairs):
        chain = np.full(n, -1, np.int64), np.arange(n, dtype=np.int64)
        _absorb(Sets(level, size, corner, start, both[:, 1].copy(), parent, *chain), small, min_pixels)
    total = np.zeros(n, np.int64)
    np.add.at(total, parent, patches.total)
    roots = np.flatnonzero(kept & (parent == np.arange(n)))
    roots = roots[np.argsort(corner[roots])]
    final = np.zeros(n, np.int32)
    final[roots] = np.arange(1, len(roots) + 1)
    numbers = np.where(kept, final[parent], 0).astype(np.int32)
    none = np.empty((0, 2), np.int64)
    made = Patches(level[roots], size[roots], total[roots], corner[roots], patches.seeded[roots], none)
    return numbers, made


@njit(**COMPILE)
def _root(parent: I64, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


class Sets(NamedTuple):
    """Patches that were joined, as sets: union-find, and the members of each as a chain from its root."""

    level: Codes
    size: I64
    corner: I64
    start: I64
    other: I64
    """Patches that touch patch `i`: `other[start[i]:start[i + 1]]`."""
    parent: I64
    after: I64
    tail: I64


@njit(**COMPILE)
def _unite(sets: Sets, a: int, b: int) -> None:
    """Let set `a` become part of set `b`, whose level stays."""
    sets.parent[a] = b
    sets.size[b] += sets.size[a]
    sets.corner[b] = min(sets.corner[b], sets.corner[a])
    sets.after[sets.tail[b]] = a
    sets.tail[b] = sets.tail[a]


@njit(**COMPILE)
def _largest_neighbour(sets: Sets, a: int) -> int:
    size, level, corner = sets.size, sets.level, sets.corner
    best, member = -1, a
    while member >= 0:
        for i in range(sets.start[member], sets.start[member + 1]):
            b = _root(sets.parent, sets.other[i])
            if b in (a, best):
                continue
            if best < 0 or (-size[b], level[b], corner[b]) < (-size[best], level[best], corner[best]):
                best = b
        member = sets.after[member]
    return best


@njit(**COMPILE)
def _join(sets: Sets, a: int, b: int) -> None:
    """Let set `a` become part of its neighbour `b`, and with it all neighbours of `a` that have the level of `b`."""
    end, member = sets.tail[a], a
    _unite(sets, a, b)
    while member >= 0:
        for i in range(sets.start[member], sets.start[member + 1]):
            c = _root(sets.parent, sets.other[i])
            if c != b and sets.level[c] == sets.level[b]:
                _unite(sets, c, b)
        member = -1 if member == end else sets.after[member]


@njit(**COMPILE)
def _entries(bucket: int, node: I64, entry: I64) -> I64:
    """The nodes that were put into a bucket."""
    count, i = 0, bucket
    while i >= 0:
        count, i = count + 1, entry[i]
    nodes, i = np.empty(count, np.int64), bucket
    for k in range(count):
        nodes[k], i = node[i], entry[i]
    return nodes


@njit(**COMPILE)
def _absorb(sets: Sets, small: I64, least: int) -> None:
    """Join patches below `least` pixels to neighbours, smallest first; one round for each size."""
    n = len(sets.level)
    bucket = np.full(least, -1, np.int64)  # size -> latest entry; an entry is a node and the entry before it
    node, entry, m = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), 0
    for a in small:
        node[m], entry[m], bucket[sets.size[a]] = a, bucket[sets.size[a]], m
        m += 1
    for pixels in range(1, least):
        waiting = _entries(bucket[pixels], node, entry)
        for a in waiting[np.argsort(sets.corner[waiting])]:
            if sets.parent[a] != a or sets.size[a] != pixels:  # joined or grown since
                continue
            b = _largest_neighbour(sets, a)
            if b < 0:
                continue
            _join(sets, a, b)
            if sets.size[b] < least:
                node[m], entry[m], bucket[sets.size[b]] = b, bucket[sets.size[b]], m
                m += 1
    for a in range(n):
        sets.parent[a] = _root(sets.parent, a)
