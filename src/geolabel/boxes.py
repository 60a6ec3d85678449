"""Windows and blocks of a raster in whole pixels: which block gives what to which window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[slice, slice]
"""(rows, cols); of a window they may reach beyond the raster."""
UNIT_PX = 512
"""Edge of what is read at once: smaller blocks are read several together."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one block gives to one window."""

    window: int
    at: Box
    """In the block."""
    to: Box
    """In the window."""


def unit(shape: tuple[int, int], block: tuple[int, int], least: int = UNIT_PX) -> tuple[int, int]:
    """(rows, cols) of whole blocks of about `least` x `least` pixels; strips as wide as the raster are few rows high."""
    rows, cols = (min(one, whole) for one, whole in zip(block, shape, strict=True))
    wide = min(-(-least // cols) * cols, shape[1])
    high = least if wide <= 2 * least else max(least * least // wide, 1)
    return min(-(-high // rows) * rows, shape[0]), wide


def plan(windows: Sequence[Box], shape: tuple[int, int], size: tuple[int, int]) -> dict[tuple[int, int], list[Piece]]:
    """(row, col) of each block of `size` pixels that a window touches, row by row -> what it gives to which window."""
    pieces: dict[tuple[int, int], list[Piece]] = {}
    for i, (rows, cols) in enumerate(windows):
        for row, at_row, to_row in _overlaps(rows, shape[0], size[0]):
            for col, at_col, to_col in _overlaps(cols, shape[1], size[1]):
                pieces.setdefault((row, col), []).append(Piece(i, (at_row, at_col), (to_row, to_col)))
    return dict(sorted(pieces.items()))


def _overlaps(span: slice, length: int, size: int) -> Iterator[tuple[int, slice, slice]]:
    """(first pixel of a block, span in the block, span in the window) along one axis."""
    start, stop = max(span.start, 0), min(span.stop, length)
    for first in range(start // size * size, stop, size):
        low, high = max(start, first), min(stop, first + size)
        yield first, slice(low - first, high - first), slice(low - span.start, high - span.start)
