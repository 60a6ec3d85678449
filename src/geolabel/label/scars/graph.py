"""The patches of all strips as one graph, from north to south: scars across seams, each finished once it is passed.

Nothing here depends on where the strips were cut: patches are told apart by their first pixel. What is held are the
patches of scars that the walk has not passed yet, and the final ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geolabel.label.scars.absorb import Patches, absorbed
from geolabel.label.scars.pieces import Piece, Shelf, components, is_scar
from geolabel.label.scars.runs import I32, I64, Codes, Runs, contacts


class Edge(NamedTuple):
    """The runs of one row."""

    first: I32
    last: I32
    patch: I64

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
    unseen: int
    """Pixels that no clear pixel saw."""


def summary_of(piece: Piece) -> Summary:
    """Summary of a piece."""
    touching = piece.touching.astype(np.int64)
    patches = Patches(piece.level, piece.size, piece.total, piece.corner, piece.end, piece.seeded, touching)
    top, bottom = slice(0, int(piece.start[1])), slice(int(piece.start[-2]), None)
    unseen = int((piece.unseen_last - piece.unseen_first).sum(dtype=np.int64))
    return Summary(patches, _edge(piece, top), _edge(piece, bottom), unseen)


def _edge(piece: Piece, row: slice) -> Edge:
    return Edge(piece.first[row].copy(), piece.last[row].copy(), piece.patch[row].astype(np.int64))


@dataclass(frozen=True, slots=True)
class Whole:
    """The final patches of an image, numbered from 1 by their first pixel."""

    place: I32
    """Number by order of finishing (what the shelf holds) -> number by first pixel; 0 stays 0."""
    level: Codes
    size: I64
    total: I64
    end: I64
    """Last row."""
    unseen: int
    """Pixels of the image that no clear pixel saw."""


@dataclass(slots=True)
class Growth:
    """Patches of the strips so far. `add` takes them from north to south; what their patches became goes on the shelf."""

    min_pixels: int
    shelf: Shelf
    _open: Patches = field(default_factory=Patches.none)
    _bottom: Edge = field(default_factory=lambda: Edge(*(np.empty(0, kind) for kind in ("i4", "i4", "i8"))))
    """Last row of the last strip, by open patch."""
    _waiting: dict[str, I64] = field(default_factory=dict)
    """Piece -> what its patches are: an open patch, or `-1 - number` of a final one (number 0: no scar)."""
    _done: list[Patches] = field(default_factory=list)
    _count: int = 0
    _unseen: int = 0

    def add(self, key: str, summary: Summary, *, last: bool) -> None:
        """Join the next strip's patches; finish the scars that do not reach its last row, all where it is the `last`."""
        joint, number = self._joined(summary)
        self._unseen += summary.unseen
        self._waiting[key] = np.arange(len(self._open.level), len(number))
        bottom = number[summary.bottom.patch + len(self._open.level)]
        scar = components(joint.touching, len(joint.level))
        is_open = np.zeros(len(joint.level), bool)
        if len(bottom) and not last:
            is_open[bottom] = True
            is_open = (np.bincount(scar, is_open) > 0)[scar]
        kept = is_scar(scar, joint.size, joint.seeded, self.min_pixels) & ~is_open
        final, made = absorbed(joint, kept, self.min_pixels)
        to = np.where(is_open, np.cumsum(is_open) - 1, -1 - np.where(kept, self._count + final, 0))
        self._done.append(made)
        self._count += len(made.level)
        self._tell(number, to)
        self._open = joint.only(is_open, to[joint.touching[is_open[joint.touching[:, 0]]]])
        self._bottom = summary.bottom._replace(patch=to[bottom])

    def whole(self) -> Whole:
        """The final patches, once the last strip was added."""
        level, size, total, corner, end = (np.concatenate([one[i] for one in self._done]) for i in range(5))
        order = np.argsort(corner)
        place = np.zeros(len(order) + 1, np.int32)
        place[order + 1] = np.arange(1, len(order) + 1)
        return Whole(place, level[order], size[order], total[order], end[order], self._unseen)

    def _joined(self, summary: Summary) -> tuple[Patches, I64]:
        """(open patches and those of the strip as one graph, the patch there that each of them is)."""
        parts, offset = (self._open, summary.patches), len(self._open.level)
        level, size, total, corner, end, seeded = (np.concatenate([part[i] for part in parts]) for i in range(6))
        met = contacts(self._bottom.runs, 0, summary.top.runs, 0)
        met = np.stack([self._bottom.patch[met[:, 0]], summary.top.patch[met[:, 1]] + offset], axis=1)
        same = level[met[:, 0]] == level[met[:, 1]]
        number = components(met[same], len(level)).astype(np.int64)
        touching = np.concatenate([self._open.touching, summary.patches.touching + offset, met[~same]])
        joint = Patches(level, size, total, corner, end, seeded, number[touching])
        return _collapsed(joint, number), number

    def _tell(self, number: I64, to: I64) -> None:
        """Follow the patches of the pieces that wait; pieces of which nothing is open any more go on the shelf."""
        for key, patches in list(self._waiting.items()):
            is_open = patches >= 0
            patches[is_open] = to[number[patches[is_open]]]
            if not (patches >= 0).any():
                del self._waiting[key]
                self.shelf.put(told(key), {"number": (-1 - patches).astype(np.int32)})


def told(key: str) -> str:
    """Name under which the shelf holds what the patches of a piece became."""
    return f"of-{key}"


def _collapsed(patches: Patches, number: I64) -> Patches:
    """Patches of equal number as one; `touching` speaks in these numbers already."""
    n = int(number.max()) + 1 if len(number) else 0
    size, total = np.zeros(n, np.int64), np.zeros(n, np.int64)
    np.add.at(size, number, patches.size)
    np.add.at(total, number, patches.total)
    corner = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(corner, number, patches.corner)
    end = np.zeros(n, np.int64)
    np.maximum.at(end, number, patches.end)
    level, seeded = np.zeros(n, np.uint8), np.zeros(n, bool)
    level[number] = patches.level
    np.logical_or.at(seeded, number, patches.seeded)
    return Patches(level, size, total, corner, end, seeded, _unique(patches.touching, n))


def _unique(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    low, high = pairs.min(axis=1, initial=n), pairs.max(axis=1, initial=-1)
    key = np.unique(low[low != high] * n + high[low != high])
    return np.stack([key // max(n, 1), key % max(n, 1)], axis=1)
