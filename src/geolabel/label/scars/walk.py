"""Burn scars of an image of any size: strips to pieces, pieces to patches, patches to outlines.

The image is walked in strips and never held. What comes out does not depend on the strips, on threads or on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.label.scars.graph import Growth, Summary, Whole, summary_of, told
from geolabel.label.scars.outline import Corners, Rings, Rows, corners_of, polygons_of, rings_of
from geolabel.label.scars.pieces import Cut, Piece, Shelf, piece_of
from geolabel.label.scars.quanta import counts_of
from geolabel.label.scars.runs import I32, I64
from geolabel.label.scars.spool import Store, around, strips
from geolabel.label.severity import Units
from geolabel.stream import Journal, Progress, silent, walk

STRIP_PX = 1 << 22
"""Pixels of a strip; a thread needs about four bytes for each."""


@dataclass(frozen=True, slots=True)
class How:
    """How the work is done. The answer does not depend on it."""

    threads: int = 2
    progress: Progress = silent
    scheduler: Any = None
    """A `dask.distributed` client or a scheduler's address; None for threads."""
    work: Path | None = None
    """Folder that keeps what is done, so that a killed job goes on; shared by all workers of a cluster."""
    strip_rows: int | None = None
    """Rows of a strip. Default: about four million pixels."""

    def strips(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """(first row, row after the last) of every strip."""
        return strips(shape[0], self.strip_rows or max(1, STRIP_PX // shape[1]))

    def walk(self, items: Sequence[Any], work: Callable[[Any], Any], what: str) -> Iterator[Any]:
        """Results of the work, in order."""
        return walk(items, work, what=what, threads=self.threads, progress=self.progress, scheduler=self.scheduler)


class Found(NamedTuple):
    """Final patches as polygons."""

    number: NDArray[np.int64]
    """Place of each in the order of their first pixels, from 0."""
    polygons: NDArray[np.object_]
    level: NDArray[np.uint8]
    mean: NDArray[np.float64]
    """Mean step."""
    unseen_share: NDArray[np.float64]
    """Part of the filled outline that no clear pixel saw."""


@dataclass(frozen=True, slots=True)
class Image:
    """Quanta of a whole image, what is known of them, and where its pieces are kept."""

    store: Store
    units: Units
    name: str
    """Of the index."""
    shelf: Shelf
    digest: str = ""
    """Of what the quanta were made from; needed to resume."""


@dataclass(frozen=True, slots=True)
class Job:
    """One walk over an image: how its quanta are cut into scars."""

    image: Image
    cut: Cut
    how: How
    name: str
    """Of its pieces on the shelf."""

    def whole(self, what: str) -> Whole:
        """The final patches; every piece is then on the shelf."""
        journal = self._journal()
        done = journal.done.copy() if journal else set()
        items = [(first, last, self.key(first), self.key(first) in done) for first, last in self.strips]
        work = partial(_summary, self.image.store, self.cut, self.image.shelf)
        growth = Growth(self.cut.min_pixels, self.image.shelf)
        for (_, last, key, is_done), summary in zip(items, self.how.walk(items, work, what), strict=True):
            growth.add(key, summary, last=last == self.image.store.shape[0])
            if journal and not is_done:
                journal.finish(key)
        return growth.whole()

    @property
    def strips(self) -> list[tuple[int, int]]:
        """(first row, row after the last) of every strip."""
        return self.how.strips(self.image.store.shape)

    def key(self, first: int) -> str:
        """Name of the piece whose strip starts at a row."""
        return f"{self.name}-{first:07d}"

    def _journal(self) -> Journal | None:
        if self.image.shelf.folder is None or self.how.work is None:
            return None
        cut = [self.cut.limit, self.cut.seed, self.cut.shift, self.cut.min_pixels, self.cut.majority]
        job = digest(self.image.digest, cut, list(self.image.store.shape), self.cut.table, self.strips)
        return Journal(self.image.shelf.folder / f"{self.name}.journal", job)

    def pieces(self, whole: Whole, what: str) -> Iterator[tuple[int, int, Piece, I32]]:
        """(first row, row after the last, piece, final patch of each run) of every strip, from the shelf."""
        names = [self.key(first) for first, _ in self.strips]
        take = partial(_taken, self.image.shelf)
        taken = walk(names, take, what=what, threads=self.how.threads, progress=self.how.progress)
        for (first, last), (piece, number) in zip(self.strips, taken, strict=True):
            yield first, last, piece, whole.place[number]

    def found(self, whole: Whole, transform: tuple[float, ...]) -> Iterator[Found]:
        """Polygons of the final patches as the walk passes them: by last row, then by first pixel."""
        height, width = self.image.store.shape
        waiting, above, edge = Corners.empty(0), np.zeros(width, np.int64), NO_EDGE
        for first, last, piece, number in self.pieces(whole, "tracing outlines"):
            rows = _rows(piece, number, edge)
            corners = waiting.plus(corners_of(rows, first, width, above, last=last == height))
            _count_unseen(piece, above)
            edge = tuple(column[int(piece.start[-2]) :] for column in (piece.first, piece.last, number))
            closed = (whole.end[corners.patch - 1] < last - 1) | (last == height)
            rings, waiting = rings_of(corners.only(closed)), corners.only(~closed)
            if len(rings.patch):
                yield _found(rings, whole, transform)

    def mask(self, whole: Whole) -> NDArray[np.bool_]:
        """(y, x) bool: the ground of the final patches. Holds the image."""
        out = np.zeros(self.image.store.shape, bool)
        for first, _, piece, number in self.pieces(whole, "painting"):
            kept = number > 0
            rows = first + np.repeat(np.arange(len(piece.start) - 1), np.diff(piece.start))
            for row, a, b in zip(rows[kept], piece.first[kept], piece.last[kept], strict=True):
                out[row, a:b] = True
        return out


Columns = tuple[I32, ...]
NO_EDGE: Columns = (np.empty(0, np.int32),) * 3
"""First and last column and final patch of the runs of a row that has none."""


def counted(store: Store, how: How) -> I64:
    """(65536,) how many pixels of the image have each step; see `quanta.counts_of`."""
    parts = how.walk(how.strips(store.shape), partial(_counts, store), "counting values")
    return np.sum(list(parts), axis=0)


def _counts(store: Store, rows: tuple[int, int]) -> I64:
    return counts_of(store.read(*rows))


def _summary(store: Store, cut: Cut, shelf: Shelf, item: tuple[int, int, str, bool]) -> Summary:
    first, last, key, done = item
    if done:
        return summary_of(shelf.piece(key))
    piece = piece_of(around(store, first, last), first, store.shape[0], cut)
    shelf.put(key, piece._asdict(), keep=shelf.keep)
    return summary_of(piece)


def _taken(shelf: Shelf, key: str) -> tuple[Piece, I32]:
    """(piece, number by order of finishing of each run's final patch)."""
    piece = shelf.piece(key)
    return piece, numbers_of(shelf, key)[piece.patch]


def numbers_of(shelf: Shelf, key: str) -> I32:
    """What the patches of a piece became: numbers by order of finishing, 0 for no scar."""
    return shelf.take(told(key))["number"]


def _found(rings: Rings, whole: Whole, transform: tuple[float, ...]) -> Found:
    outer = np.flatnonzero(rings.filled > 0)
    number = rings.patch[outer].astype(np.int64) - 1
    order = np.lexsort((number, whole.end[number]))
    number, outer = number[order], outer[order]
    polygons = polygons_of(rings, transform)[order]
    mean, share = whole.total[number] / whole.size[number], rings.unseen[outer] / rings.filled[outer]
    return Found(number, polygons, whole.level[number], mean, share)


def _rows(piece: Piece, number: I32, above: Columns) -> Rows:
    """The runs of a piece by final patch, under the last row of the piece above."""
    first, last, patch = above
    return Rows(
        np.concatenate([[0], piece.start + len(first)]),
        np.concatenate([first, piece.first]),
        np.concatenate([last, piece.last]),
        np.concatenate([patch, number]),
        np.concatenate([[0], piece.unseen_start]),
        piece.unseen_first,
        piece.unseen_last,
    )


def _count_unseen(piece: Piece, columns: I64) -> None:
    """Add the unseen pixels of a piece to those of the columns above."""
    steps = np.zeros(len(columns) + 1, np.int64)
    np.add.at(steps, piece.unseen_first, 1)
    np.subtract.at(steps, piece.unseen_last, 1)
    columns += np.cumsum(steps)[:-1]
