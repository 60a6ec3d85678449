"""Windows cut out of a raster while each of its stored blocks is read once, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from numpy.typing import NDArray

from geolabel.boxes import Box, Piece, plan, unit
from geolabel.stream import Progress, silent, walk


class Source(Protocol):
    """What windows are cut out of."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the raster."""

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of a stored block."""

    def read(self, rows: slice, cols: slice, last: Any = None) -> Any:
        """The pixels of a rectangle of whole blocks; `last` is what this thread read before, which may be overwritten."""

    def new(self, rows: slice, cols: slice) -> NDArray[Any]:
        """An array for a window, filled where the window lies beyond the raster."""

    def share(self, pixels: Any, at: Box) -> NDArray[Any] | None:
        """The rectangle `at` of what was read, in its own memory, where a window may be that; else None."""

    def put(self, pixels: Any, at: Box, out: NDArray[Any], to: Box) -> None:
        """Copy the rectangle `at` of what was read into the rectangle `to` of a window."""


def cut(
    source: Source,
    windows: Sequence[Box],
    *,
    in_order: bool = True,
    threads: int = 2,
    what: str = "tiles",
    progress: Progress = silent,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """(index, array) of each window; every block is read once, by one of `threads`, and copied to the windows it touches.

    A window that lies in one block is a part of it where the source allows that (`share`), which saves the copy.
    In memory are the blocks being read and the windows that wait: for a block yet to be read, or `in_order` for their
    turn. Windows that run row by row need about one row of blocks; in the order in which blocks complete them
    (`in_order` false, which is as reproducible), windows inside a block need no more than that.
    """
    size = unit(source.shape, source.block)
    pieces = plan(windows, source.shape, size)
    parts = _Parts(source, windows)
    missing = [0] * len(windows)
    for given in pieces.values():
        for piece in given:
            missing[piece.window] += 1
    work = partial(_serve, source, size, pieces, parts)
    turn = 0
    for first in walk(list(pieces), work, what=what, threads=threads, progress=progress):
        whole = []
        for piece in pieces.pop(first):
            missing[piece.window] -= 1
            whole += [] if missing[piece.window] else [piece.window]
        if not in_order:
            yield from ((i, parts.take(i)) for i in whole)
        while in_order and turn < len(windows) and not missing[turn]:
            yield turn, parts.take(turn)
            turn += 1


def _serve(
    source: Source,
    size: tuple[int, int],
    pieces: dict[tuple[int, int], list[Piece]],
    parts: _Parts,
    first: tuple[int, int],
) -> tuple[int, int]:
    rows, cols = (slice(at, min(at + n, whole)) for at, n, whole in zip(first, size, source.shape, strict=True))
    parts.last.pixels = pixels = source.read(rows, cols, getattr(parts.last, "pixels", None))
    for piece in pieces[first]:
        part = source.share(pixels, piece.at) if parts.fits(piece) else None
        if part is None:
            source.put(pixels, piece.at, parts.of(piece.window), piece.to)
        else:
            parts.give(piece.window, part)
            parts.last.pixels = None  # it is the window's now
    return first


class _Parts:
    """Windows that are being filled; each is made when the first block comes to it."""

    def __init__(self, source: Source, windows: Sequence[Box]) -> None:
        self.source, self.windows = source, windows
        self.made: dict[int, NDArray[Any]] = {}
        self.lock = threading.Lock()
        self.last = threading.local()

    def of(self, i: int) -> NDArray[Any]:
        """Window `i`, perhaps in part."""
        with self.lock:
            if i not in self.made:
                self.made[i] = self.source.new(*self.windows[i])
            return self.made[i]

    def fits(self, piece: Piece) -> bool:
        """Whether a piece is the whole of its window."""
        return all(
            (to.stop - to.start) == (of.stop - of.start)
            for to, of in zip(piece.to, self.windows[piece.window], strict=True)
        )

    def give(self, i: int, array: NDArray[Any]) -> None:
        """Take `array` for window `i`."""
        with self.lock:
            self.made[i] = array

    def take(self, i: int) -> NDArray[Any]:
        """Window `i`, whole; it is no longer held here."""
        with self.lock:
            return self.made.pop(i)
