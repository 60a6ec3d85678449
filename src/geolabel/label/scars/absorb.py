"""Small patches joined to their largest neighbour. Compiled: union-find over the graph of patches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.label.scars.quanta import COMPILE
from geolabel.label.scars.runs import I64, Codes

NO_PAIRS: I64 = np.empty((0, 2), np.int64)


class Patches(NamedTuple):
    """Patches and what touches what."""

    level: Codes
    size: I64
    total: I64
    """Sum of steps."""
    corner: I64
    """First pixel, `row * width + col` of the whole image."""
    end: I64
    """Last row."""
    seeded: NDArray[np.bool_]
    touching: I64
    """(m, 2) patches of different level that share an edge."""

    @classmethod
    def none(cls) -> Patches:
        """No patches."""
        no = np.empty(0, np.int64)
        return cls(np.empty(0, np.uint8), no, no, no, no, np.empty(0, bool), NO_PAIRS)

    def only(self, which: NDArray[np.bool_] | I64, touching: I64) -> Patches:
        """Some of them, and what touches what in their numbers."""
        level, size, total, corner, end, seeded, _ = self
        return Patches(level[which], size[which], total[which], corner[which], end[which], seeded[which], touching)


def absorbed(patches: Patches, kept: NDArray[np.bool_], min_pixels: int) -> tuple[I64, Patches]:
    """(final number of each patch from 1, 0 for those not `kept`; the final patches, each of `min_pixels` or alone).

    The smallest patch goes first (of equal ones the first), to the neighbour with most pixels (of equal ones that of
    the lower level, then the first); neighbours of one level that meet become one patch. A sieve that looks at each
    patch once, as rasterio's, can leave small ones behind and depends on the order of its walk.
    """
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
    total, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    np.add.at(total, parent, patches.total)
    np.maximum.at(end, parent, patches.end)
    roots = np.flatnonzero(kept & (parent == np.arange(n)))
    final = np.zeros(n, np.int64)
    final[roots] = np.arange(1, len(roots) + 1)
    whole = Patches(level, size, total, corner, end, patches.seeded, NO_PAIRS).only(roots, NO_PAIRS)
    return np.where(kept, final[parent], 0), whole


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
