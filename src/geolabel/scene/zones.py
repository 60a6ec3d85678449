"""What exactextract is given and gives: pixels of a scene from blocks that are kept a while, polygons, and their numbers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.operation import Operation
from exactextract.raster import RasterSource
from exactextract.writer import Writer
from numpy.typing import NDArray

from geolabel.boxes import unit
from geolabel.nouns.scene import Scene

NUMBER = "zone"
"""Field that holds a polygon's number."""
LEAST_BLOCKS = 8
"""Blocks that are kept at least: those a window meets, for each thread."""


class Blocks:
    """A scene's pixels by window, cut from blocks of which the last used are kept; each is read by one thread."""

    def __init__(self, scene: Scene, bands: Sequence[str], memory_mb: float) -> None:
        self.scene, self.bands, self.shape = scene, tuple(bands), scene.grid.shape
        self.size = unit(self.shape, scene.block)
        self.room = max(LEAST_BLOCKS, int(memory_mb * 1e6 / (self.size[0] * self.size[1] * 4 * max(1, len(bands)))))
        self.kept: OrderedDict[tuple[int, int], Future[NDArray[np.float32]]] = OrderedDict()
        self.lock = threading.Lock()

    def window(self, band: int, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) float32 of one band, NaN = no data."""
        high, wide = self.size
        out = np.empty((rows.stop - rows.start, cols.stop - cols.start), np.float32)
        for top in range(rows.start // high * high, rows.stop, high):
            for left in range(cols.start // wide * wide, cols.stop, wide):
                block = self._block(top, left)[band]
                r0, r1 = max(rows.start, top), min(rows.stop, top + block.shape[0])
                c0, c1 = max(cols.start, left), min(cols.stop, left + block.shape[1])
                part = block[r0 - top : r1 - top, c0 - left : c1 - left]
                out[r0 - rows.start : r1 - rows.start, c0 - cols.start : c1 - cols.start] = part
        return out

    def _block(self, top: int, left: int) -> NDArray[np.float32]:
        with self.lock:
            there = self.kept.get((top, left))
            mine = there is None
            if there is None:
                there = self.kept[top, left] = Future()
                while len(self.kept) > self.room:
                    self.kept.popitem(last=False)
            self.kept.move_to_end((top, left))
        if mine:
            self._read(there, top, left)
        return there.result()

    def _read(self, to: Future[NDArray[np.float32]], top: int, left: int) -> None:
        rows, cols = (
            slice(at, min(at + n, end)) for at, n, end in zip((top, left), self.size, self.shape, strict=True)
        )
        try:
            to.set_result(self.scene.read(self.bands, rows, cols))
        except BaseException as error:
            to.set_exception(error)  # for those who wait; the next one tries again
            with self.lock:
                self.kept.pop((top, left), None)


class _Band(RasterSource):
    """One band of the blocks, in pixels of the scene's grid."""

    def __init__(self, pixels: Blocks, band: int) -> None:
        super().__init__()
        self.pixels, self.band = pixels, band
        self.set_name(pixels.bands[band])

    def res(self) -> tuple[float, float]:
        return 1.0, 1.0

    def extent(self) -> tuple[float, float, float, float]:
        return 0.0, 0.0, float(self.pixels.shape[1]), float(self.pixels.shape[0])

    def nodata_value(self) -> None:
        return None  # NaN

    def srs_wkt(self) -> None:
        return None

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.float32]:
        return self.pixels.window(self.band, slice(y0, y0 + ny), slice(x0, x0 + nx))


class _Zone(Feature):
    """A polygon as WKB, and what was found of it."""

    def __init__(self, wkb: bytes | None = None, number: int = -1) -> None:
        super().__init__()
        self.wkb, self.said = wkb, {NUMBER: number}

    def geometry(self) -> bytes | None:
        return self.wkb

    def get(self, name: str) -> Any:
        return self.said[name]

    def set(self, name: str, value: Any) -> None:
        self.said[name] = value

    def fields(self) -> list[str]:
        return list(self.said)

    def set_geometry(self, _: Any) -> None:
        """Results have none."""

    def set_geometry_format(self) -> str:
        return "wkb"


class _Zones(FeatureSource):
    def __init__(self, wkbs: NDArray[Any]) -> None:
        super().__init__()
        self.wkbs = wkbs

    def count(self) -> int:
        return len(self.wkbs)

    def __iter__(self) -> Iterator[_Zone]:
        return (_Zone(wkb, number) for number, wkb in enumerate(self.wkbs))

    def srs_wkt(self) -> None:
        return None


class _Rows(Writer):
    """One dict a polygon."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []

    def add_operation(self, _: Any) -> None:
        """Fields are named by the operations themselves."""

    def add_column(self, _: str) -> None:
        """The polygon's number is a field as others are."""

    def add_geometry(self) -> None:
        """Results have none."""

    def write(self, feature: Any) -> None:
        zone = _Zone()
        feature.copy_to(zone)
        self.rows.append(zone.said)

    def features(self) -> list[dict[str, Any]]:
        return self.rows


def extracted(wkbs: NDArray[Any], pixels: Blocks, operations: Sequence[str]) -> list[dict[str, Any]]:
    """`{<band>/<operation>: value}` of each polygon, in order; polygons are in pixels, y to the north."""
    sources = [_Band(pixels, i) for i in range(len(pixels.bands))]
    asked = [Operation(name, f"{band.name()}/{name}", band) for band in sources for name in operations]
    cells = pixels.size[0] * pixels.size[1] * max(1, pixels.room // LEAST_BLOCKS)
    zones, rows = _Zones(wkbs), _Rows()
    exact_extract(sources, zones, asked, include_cols=[NUMBER], output=rows, max_cells_in_memory=cells)
    return sorted(rows.rows, key=lambda row: row[NUMBER])
