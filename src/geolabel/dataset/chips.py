"""Chips: the pixels of tiles, walked so that every stored block of a scene is decoded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.blocks import cut
from geolabel.boxes import Box
from geolabel.errors import BandError, InputError
from geolabel.grid import Tile, Tiling
from geolabel.nouns.scene import Scaling, Scene
from geolabel.stream import Progress, silent
from geolabel.values import put_values

Order = Literal["tiles", "blocks"]


@dataclass(frozen=True, slots=True)
class ScenePixels:
    """Bands of a scene as something windows are cut out of: values (float32, NaN = no data), or DN as stored."""

    scene: Scene
    bands: tuple[str, ...]
    scalings: tuple[Scaling, ...] | None
    """Of the stored DN; None where the scene only gives values."""
    as_dn: bool
    dtype: np.dtype[Any]
    fill: float
    """What stands beyond the scene: NaN, or the DN that means no data."""

    @classmethod
    def of(cls, scene: Scene, bands: Sequence[str] | None = None, *, dn: bool = False) -> ScenePixels:
        """Bands (default: all) of a scene.

        Raises
        ------
        BandError
            Where the scene lacks a band, or `dn` is asked for and it has none as stored.
        """
        names = (bands,) if isinstance(bands, str) else tuple(scene.bands if bands is None else bands)
        if not names:
            raise BandError("no bands asked for", hint=f"scene {scene.id!r} has {', '.join(scene.bands)}")
        scalings = scene.scalings(names)
        if not dn:
            return cls(scene, names, scalings, False, np.dtype(np.float32), np.nan)
        if scalings is None:
            raise BandError(
                f"scene {scene.id!r} has no stored DN of {', '.join(names)}: they are masked, resampled or computed",
                hint="leave out dn=True: its values are float32",
            )
        missing = [value for scaling in scalings for value in scaling.nodata[:1]]
        return cls(scene, names, scalings, True, np.dtype(scalings[0].dtype), missing[0] if missing else 0)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the scene."""
        return self.scene.grid.shape

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of a stored block."""
        return self.scene.block

    def read(self, rows: slice, cols: slice, last: NDArray[Any] | None = None) -> NDArray[Any]:
        """(band, y, x): DN where the scene has them, which become values only where they are needed; else values."""
        if self.scalings is None:
            return self.scene.read(self.bands, rows, cols)
        fits = last is not None and last.shape == (len(self.bands), rows.stop - rows.start, cols.stop - cols.start)
        return self.scene.dn(self.bands, rows, cols, last if fits else None)

    def new(self, rows: slice, cols: slice) -> NDArray[Any]:
        """(band, y, x) array of a window, `fill` where it lies beyond the scene, else not yet set."""
        shape = len(self.bands), rows.stop - rows.start, cols.stop - cols.start
        inside = min(rows.start, cols.start) >= 0 and rows.stop <= self.shape[0] and cols.stop <= self.shape[1]
        return np.empty(shape, self.dtype) if inside else np.full(shape, self.fill, self.dtype)

    def share(self, pixels: NDArray[Any], at: Box) -> NDArray[Any] | None:
        """The rectangle itself, of DN: they are handed on as they were read."""
        return pixels[:, *at] if self.as_dn else None

    def put(self, pixels: NDArray[Any], at: Box, out: NDArray[Any], to: Box) -> None:
        """Fill the rectangle `to` of a window from the rectangle `at` of what was read."""
        if self.scalings is None or self.as_dn:
            out[:, *to] = pixels[:, *at]
        else:
            put_values(pixels, at, out, to, scalings=self.scalings)


def window(tile: Tile) -> Box:
    """(rows, cols) of a tile with its margin; they may reach beyond the grid."""
    m = tile.margin
    return slice(tile.row - m, tile.row + tile.height + m), slice(tile.col - m, tile.col + tile.width + m)


def walk_tiles(
    scene: Scene,
    tiles: Tiling | Iterable[Tile],
    bands: Sequence[str] | None = None,
    *,
    threads: int = 2,
    order: Order = "tiles",
    dn: bool = False,
    progress: Progress = silent,
) -> Iterator[tuple[Tile, NDArray[Any]]]:
    """(tile, (band, y, x)) of each tile with its margin, float32, NaN = no data and beyond the scene.

    Every stored block is decoded once, by a pool of threads, whatever the size of tiles and margins. Each array is the
    caller's own, but for DN: tiles that lie in one stored block are parts of it and share its memory. In memory are the blocks in flight and the tiles that wait for others, about one row of blocks.

    Parameters
    ----------
    bands
        Common names, in this order. Default: all.
    order
        `tiles`: as they are given (row by row is best). `blocks`: as the stored blocks complete them, which is as
        reproducible and holds no finished tile back: less memory.
    dn
        DN as stored, in the file's type, the nodata DN (or 0) beyond the scene, instead of values.

    Raises
    ------
    InputError
        Where a tile does not lie on the scene's grid.
    BandError
        Where the scene lacks a band, or `dn` is asked for and pixels are masked, resampled or computed.
    SourceError
        Where the pixels cannot be read.
    """
    chosen = on_grid(scene, tiles)
    source = ScenePixels.of(scene, bands, dn=dn)
    boxes = [window(tile) for tile in chosen]
    cuts = cut(source, boxes, in_order=order == "tiles", threads=threads, progress=progress)
    yield from ((chosen[i], array) for i, array in cuts)


def on_grid(scene: Scene, tiles: Tiling | Iterable[Tile]) -> tuple[Tile, ...]:
    """The tiles, once it is known that they lie on the scene's grid.

    Raises
    ------
    InputError
        Where they belong to another grid or reach beyond it.
    """
    if isinstance(tiles, Tiling) and tiles.grid.digest != scene.grid.digest:
        raise InputError(
            f"tiles on {tiles.grid!r} for a scene on {scene.grid!r}",
            hint="gl.align({'scene': scene}, grid=tiles.grid)['scene'] puts the scene on the tiles' grid",
        )
    chosen = tuple(tiles)
    height, width = scene.grid.shape
    beyond = [tile for tile in chosen if tile.row + tile.height > height or tile.col + tile.width > width]
    if beyond:
        raise InputError(f"tile {beyond[0].key} does not lie on the scene's grid of {scene.grid.shape}")
    return chosen
