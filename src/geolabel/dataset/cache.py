"""Cache: the pixels of a scene in one memory-mapped file, decoded once, from which random chips are cut fast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.blocks import cut
from geolabel.boxes import Box, plan, unit
from geolabel.dataset.chips import ScenePixels
from geolabel.digests import digest
from geolabel.errors import BandError, SourceError
from geolabel.files import atomic_folder, require_space, write_json
from geolabel.grid import Grid
from geolabel.nouns.scene import Scaling, Scene
from geolabel.stream import Progress, silent
from geolabel.values import put_values

FORMAT = "geolabel-cache/1"
PIXELS, ABOUT = "pixels.npy", "cache.json"


@dataclass(frozen=True, slots=True)
class Cache:
    """Bands of a scene as a folder of two files: `pixels.npy` (band, y, x), and `cache.json`, which says what they are.

    DN are kept as stored where a scene has them (and become values when chips are cut), else float32 values.
    """

    path: Path
    grid: Grid
    bands: tuple[str, ...]
    scalings: tuple[Scaling, ...] | None
    scene_digest: str
    pixels: NDArray[Any]
    """(band, y, x), memory-mapped, read-only."""

    @classmethod
    def prepare(
        cls,
        scene: Scene,
        path: Path | str,
        *,
        bands: Sequence[str] | None = None,
        threads: int = 2,
        progress: Progress = silent,
    ) -> Cache:
        """Cache of a scene, whole or absent: every block is decoded once; one that is there already is opened.

        Raises
        ------
        SourceError
            Where the disk is too small, or pixels cannot be read or written.
        """
        path, source = Path(path), ScenePixels.of(scene, bands)
        if (path / ABOUT).is_file():
            there = cls.open(path)
            if there.scene_digest == _key(scene, source.bands):
                return there
        dtype = np.dtype(np.float32 if source.scalings is None else source.scalings[0].dtype)
        shape = len(source.bands), *scene.grid.shape
        require_space(path.parent, int(np.prod(shape)) * dtype.itemsize)
        with atomic_folder(path) as part:
            _fill(source, part / PIXELS, dtype, threads=threads, progress=progress)
            about = {
                "format": FORMAT,
                "scene": scene.id,
                "key": _key(scene, source.bands),
                "grid": scene.grid.record(),
                "bands": list(source.bands),
                "scalings": None if source.scalings is None else [asdict(one) for one in source.scalings],
            }
            write_json(part / ABOUT, about)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> Cache:
        """The cache in a folder.

        Raises
        ------
        SourceError
            Where there is none, or it is not whole.
        """
        path = Path(path)
        try:
            about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise ValueError(f"its format is {about['format']!r}, not {FORMAT!r}")
            pixels = np.load(path / PIXELS, mmap_mode="r")
            grid, bands = Grid.recorded(about["grid"]), tuple(about["bands"])
            if pixels.shape != (len(bands), *grid.shape):
                raise ValueError(f"pixels of {pixels.shape} for {len(bands)} bands on {grid.shape}")
        except (OSError, ValueError, KeyError) as error:
            raise SourceError(
                f"no cache can be read from {path}: {error}", hint="Cache.prepare(scene, path)"
            ) from error
        stated = about["scalings"]
        scalings = None if stated is None else tuple(_scaling(one) for one in stated)
        return cls(path, grid, bands, scalings, about["key"], pixels)

    # ------------------------------------------------------------------ what chips are cut from
    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.grid.shape

    def pick(self, bands: Sequence[str] | None = None, *, dn: bool = False) -> Picked:
        """Some bands (default: all), as values or as DN.

        Raises
        ------
        BandError
            Where the cache lacks a band, or holds values and `dn` is asked for.
        """
        names = (bands,) if isinstance(bands, str) else self.bands if bands is None else tuple(bands)
        lacking = [name for name in names if name not in self.bands]
        if lacking or (dn and self.scalings is None):
            what = f"no band {', '.join(lacking)}" if lacking else "values, not DN"
            raise BandError(f"the cache {self.path.name} has {what}", hint=f"it has {', '.join(self.bands)}")
        at = tuple(self.bands.index(name) for name in names)
        return Picked(self, at, None if dn or self.scalings is None else tuple(self.scalings[i] for i in at))


@dataclass(frozen=True, slots=True)
class Picked:
    """Bands of a cache as chips want them."""

    cache: Cache
    at: tuple[int, ...]
    scalings: tuple[Scaling, ...] | None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.cache.shape

    def batch(self, positions: NDArray[np.int64], size: int, pool: Executor) -> NDArray[Any]:
        """(n, band, size, size) chips with these upper left corners, each cut by one thread of the pool."""
        dtype = self.cache.pixels.dtype if self.scalings is None else np.dtype(np.float32)
        out = np.empty((len(positions), len(self.at), size, size), dtype)
        done = pool.map(self._put, out, (((int(r), int(c)), size) for r, c in positions))
        for _ in done:
            pass
        return out

    def _put(self, out: NDArray[Any], where: tuple[tuple[int, int], int]) -> None:
        (row, col), size = where
        box = slice(row, row + size), slice(col, col + size)
        first, last = self.at[0], self.at[-1] + 1
        if self.at == tuple(range(first, last)):
            self._cut(self.cache.pixels[first:last], box, out, self.scalings)
            return
        for i, band in enumerate(self.at):
            scalings = None if self.scalings is None else self.scalings[i : i + 1]
            self._cut(self.cache.pixels[band : band + 1], box, out[i : i + 1], scalings)

    @staticmethod
    def _cut(stored: NDArray[Any], box: Box, out: NDArray[Any], scalings: tuple[Scaling, ...] | None) -> None:
        if scalings is None:
            out[:] = stored[:, *box]
            return
        put_values(stored, box, out, (slice(0, out.shape[1]), slice(0, out.shape[2])), scalings=scalings)


def _scaling(values: dict[str, Any]) -> Scaling:
    one = Scaling(**values)
    return replace(one, nodata=tuple(one.nodata))


def _key(scene: Scene, bands: Sequence[str]) -> str:
    return digest(FORMAT, scene.digest, scene.grid.digest, list(bands))


def _fill(source: ScenePixels, path: Path, dtype: np.dtype[Any], *, threads: int, progress: Progress) -> None:
    """Write all pixels of a scene as they are stored, block by block."""
    stored = replace(source, as_dn=source.scalings is not None, dtype=dtype)
    size = unit(source.shape, source.block)
    boxes: list[Box] = []
    for row, col in plan([(slice(0, source.shape[0]), slice(0, source.shape[1]))], source.shape, size):
        boxes.append((slice(row, min(row + size[0], source.shape[0])), slice(col, min(col + size[1], source.shape[1]))))
    file = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(len(source.bands), *source.shape))
    for i, array in cut(stored, boxes, in_order=False, threads=threads, what="cache", progress=progress):
        file[:, *boxes[i]] = array
    file.flush()
