"""Readers that pass on what another reads: the short way to pixels (`Scene.read`) stays open when a scene is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.nouns.scene import Reader
from geolabel.scene.resample import Place, Way, onto, source_window

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Each pixel changed by itself: `change` takes float32 of any shape and gives the same."""

    source: Reader
    change: Callable[[Any], Any]

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of the source's blocks."""
        return self.source.block

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> Pixels:
        """(band, y, x) float32 of a window, changed."""
        return np.stack([self.change(band) for band in self.source.read(bands, rows, cols)])


@dataclass(frozen=True, slots=True)
class Resampled:
    """Pixels of a reader on another grid, each band in its own way."""

    source: Reader
    place: Place
    """Of the source's grid."""
    target: Place
    """Of the grid that windows are asked on."""
    step: int
    ways: tuple[tuple[str, Way], ...]
    """Band and how it is resampled."""

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of target pixels over about one block of the source."""
        rows, cols = self.source.block
        return max(rows // self.step, 1), max(cols // self.step, 1)

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> Pixels:
        """(band, y, x) float32 of a window of the target grid, NaN = no data."""
        target, ways = self.target.part(rows, cols), dict(self.ways)
        window = source_window(self.place, target)
        if window is None:
            return np.full((len(bands), *target.shape), np.nan, np.float32)
        values, moved = self.source.read(bands, *window), np.empty((len(bands), *target.shape), np.float32)
        for way in dict.fromkeys(ways[name] for name in bands):
            alike = [i for i, name in enumerate(bands) if ways[name] == way]
            moved[alike] = onto(values[alike], self.place.part(*window), target, self.step, way=way)
        return moved
