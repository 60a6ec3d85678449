"""Change indices window by window: the values of `indices.dnbr`, `rdnbr` and `rbr` without a task graph. Compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, nearest
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.indices import check_comparable

F32: TypeAlias = NDArray[np.float32]
BANDS = ("nir08", "swir22")
KINDS = {"dnbr": 0, "rdnbr": 1, "rbr": 2}
MOST_BLOCKS = 4
"""Blocks along an edge that are read together so that neither scene is decoded twice."""


class _Reads(Protocol):
    """A scene, or its short way to the pixels."""

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32."""


@dataclass(frozen=True, slots=True)
class ChangeReader:
    """A change index of two scenes on one grid, by window; picklable, safe from several threads at once."""

    name: str
    """`dnbr`, `rdnbr` or `rbr`."""
    before: _Reads
    after: _Reads
    shape: tuple[int, int]
    block: tuple[int, int]
    """(rows, cols) of whole stored blocks of both scenes."""
    offset: float
    """dNBR of unburned ground, taken off."""
    digest: str

    @property
    def units(self) -> Literal["x1", "x1000"]:
        """What the published breaks are in: x1 for dNBR, x1000 for RdNBR and RBR."""
        return "x1" if self.name == "dnbr" else "x1000"

    def read(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) float32 of a window, NaN = no data: what the lazy index of that name (RBR x1000) holds there."""
        before, after = self.before.read(BANDS, rows, cols), self.after.read(BANDS, rows, cols)
        out = np.empty(before.shape[1:], np.float32)
        _change(before[0], before[1], after[0], after[1], self.offset, KINDS[self.name], out)
        return out


def change_reader(view: View, name: str = "dnbr", *, offset: float = 0.0) -> ChangeReader:
    """Reader of a change index of the scenes `before` and `after`; no pixel is read.

    Raises
    ------
    BandError
        For an unknown index or where a scene lacks a band.
    UnitError
        Where the scenes hold different quantities.
    """
    if name not in KINDS:
        raise BandError(f"unknown change index {name!r}", hint=nearest(name, KINDS))
    scenes = view["before"], view["after"]
    check_comparable(*scenes)
    for scene in scenes:
        for band in BANDS:
            scene.band(band)
    made_of = digest(name, float(offset), view.grid.digest, *(scene.digest for scene in scenes))
    before, after = (scene.reader or scene for scene in scenes)
    return ChangeReader(name, before, after, view.grid.shape, _block(scenes), float(offset), made_of)


def _block(scenes: tuple[Scene, Scene]) -> tuple[int, int]:
    """(rows, cols) that hold whole blocks of both scenes, or of the one with larger blocks where that would be much more."""
    blocks = zip(*(scene.block for scene in scenes), strict=True)
    rows, cols = (both if (both := int(np.lcm(a, b))) <= MOST_BLOCKS * max(a, b) else max(a, b) for a, b in blocks)
    return rows, cols


@njit(nogil=True, cache=True, error_model="numpy")
def _change(nir0: F32, swir0: F32, nir1: F32, swir1: F32, offset: float, kind: int, out: F32) -> None:
    """NBR, change and relative change, each computed in float64 and rounded to float32, as the lazy indices are."""
    nan = np.float32(np.nan)
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            n, s = np.float64(nir0[row, col]), np.float64(swir0[row, col])
            before = np.float32((n - s) / (n + s)) if n + s != 0 else nan
            n, s = np.float64(nir1[row, col]), np.float64(swir1[row, col])
            after = np.float32((n - s) / (n + s)) if n + s != 0 else nan
            change = np.float32(np.float64(before) - np.float64(after) - offset)
            if kind == 1:
                root = np.sqrt(np.abs(np.float64(before)))
                change = np.float32(1000 * np.float64(change) / root) if root != 0 else nan
            elif kind == 2:
                below = np.float64(before) + 1.001
                change = np.float32(np.float64(change) / below) if below != 0 else nan
                change = np.float32(change * np.float32(1000))
            out[row, col] = change
