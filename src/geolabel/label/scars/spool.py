"""Where the quanta of an image are read from, strip by strip: an array, or a file that a source was poured into once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import SourceError
from geolabel.files import named_errors, require_space
from geolabel.label.scars.quanta import UNKNOWN, Quanta, quantised
from geolabel.label.severity import Units

READ_PX = 1 << 19
"""Pixels that are read from a source at a time, at least one block."""
READ_ROWS = 512
"""Rows of a reading strip, rounded to whole blocks."""


class Source(Protocol):
    """A change index that is computed window by window; picklable, safe from several threads at once."""

    @property
    def name(self) -> str:
        """`dnbr`, `rdnbr`, `rbr`."""

    @property
    def units(self) -> Units:
        """Whether it is the index or 1000 times it."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of what is decoded at a time: windows of whole blocks decode nothing twice."""

    @property
    def digest(self) -> str:
        """Over everything its values depend on."""

    def read(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) float32 of a window, NaN = no data."""


class Store(Protocol):
    """Quanta by rows."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""

    def read(self, first: int, last: int) -> Quanta:
        """(last - first, width) int16 of rows inside the image."""


def around(store: Store, first: int, last: int, reach: int = 1) -> Quanta:
    """Quanta of rows and of `reach` rows on either side, no data beyond the image."""
    height, width = store.shape
    low, high = max(first - reach, 0), min(last + reach, height)
    rows = store.read(low, high)
    if high - low == last - first + 2 * reach:
        return rows
    out = np.full((last - first + 2 * reach, width), UNKNOWN, np.int16)
    at = low - (first - reach)
    out[at : at + high - low] = rows
    return out


@dataclass(frozen=True, slots=True)
class Held:
    """Quanta in memory."""

    quanta: Quanta

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.quanta.shape[0], self.quanta.shape[1]

    def read(self, first: int, last: int) -> Quanta:
        """Rows as they are."""
        return self.quanta[first:last]


@dataclass(frozen=True, slots=True)
class Spool:
    """Quanta in a file of two bytes a pixel, row by row. Read and written by position, so that none of it stays in memory."""

    path: Path
    shape: tuple[int, int]

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return 2 * self.shape[0] * self.shape[1]

    @property
    def is_there(self) -> bool:
        """Whether the file has its full length; what it holds a journal knows."""
        return self.path.is_file() and self.path.stat().st_size == self.size_bytes

    def make(self) -> None:
        """Make an empty file of the full length (no data is written where nothing is poured).

        Raises
        ------
        SourceError
            Where the disk has no room for it.
        """
        require_space(self.path.parent, self.size_bytes)
        with named_errors(self.path), self.path.open("wb") as file:
            file.truncate(self.size_bytes)

    def read(self, first: int, last: int) -> Quanta:
        """(last - first, width) int16 of rows inside the image."""
        count = (last - first) * self.shape[1]
        try:
            rows = np.fromfile(self.path, "<i2", count, offset=2 * first * self.shape[1])
        except OSError as error:
            raise SourceError(f"cannot read {self.path}: {error}", hint="remove the work folder, run again") from error
        if len(rows) < count:
            raise SourceError(f"{self.path} is cut short", hint="remove the work folder and run again")
        return rows.reshape(last - first, self.shape[1])

    def pour(self, source: Source, rows: tuple[int, int], *, keep: bool) -> None:
        """Read rows of a source, window by window of whole blocks, and write them; to disk for good where `keep`."""
        with named_errors(self.path), self.path.open("r+b", buffering=0) as file:
            for down, across in windows(source, *rows):
                window = quantised(source.read(down, across), source.units)
                _write(file, window, down.start, across.start, self.shape[1])
            if keep:
                os.fsync(file.fileno())


def _write(file: Any, window: Quanta, row: int, col: int, width: int) -> None:
    if window.shape[1] == width:
        _write_at(file.fileno(), window, 2 * row * width)
        return
    for i, line in enumerate(window):
        _write_at(file.fileno(), line, 2 * ((row + i) * width + col))


def _write_at(handle: int, values: Quanta, position: int) -> None:
    data = np.ascontiguousarray(values, "<i2").data.cast("B")
    while len(data):  # a full disk may take a part before it says so
        written = os.pwrite(handle, data, position)
        data, position = data[written:], position + written


def strips(height: int, rows: int) -> list[tuple[int, int]]:
    """(first row, row after the last) of strips that cover `height` rows."""
    return [(row, min(row + rows, height)) for row in range(0, height, rows)]


def reading_strips(source: Source) -> list[tuple[int, int]]:
    """Strips of whole blocks, about `READ_ROWS` rows each."""
    rows = source.block[0]
    return strips(source.shape[0], rows * max(1, READ_ROWS // rows))


def windows(source: Source, first: int, last: int) -> Iterator[tuple[slice, slice]]:
    """(rows, cols) of windows of whole blocks, about `READ_PX` pixels each."""
    width, block = source.shape[1], source.block[1]
    cols = block * max(1, READ_PX // max(1, (last - first) * block))
    for col in range(0, width, cols):
        yield slice(first, last), slice(col, min(col + cols, width))
