"""Pixels of a product on one grid: the reader of a `Scene`, by window and in this thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from geolabel.grid import Grid
from geolabel.nouns.scene import Scaling
from geolabel.scene import reading
from geolabel.scene.assets import Asset, Mask
from geolabel.scene.reading import Header
from geolabel.scene.resample import Place, onto, positions, source_window, step_between
from geolabel.values import put_values, to_values


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of a product and how it lies on the product's grid."""

    asset: Asset
    header: Header
    source: Place | None
    """Place of the file's own grid, where it is another; None where its pixels are the grid's."""
    step: int = 1
    """Positions along a target pixel's edge that are averaged; see `resample.step_between`."""

    @classmethod
    def of(cls, asset: Asset, header: Header, grid: Grid) -> Layer:
        """Layer of an asset on a grid."""
        source = Place.of(header.grid)
        if source == Place.of(grid):
            return cls(asset, header, None)
        return cls(asset, header, source, step_between(header.grid, grid))

    @property
    def nodata(self) -> tuple[float, ...]:
        """DN that mean "no data"."""
        own = () if self.header.nodata is None or np.isnan(self.header.nodata) else (float(self.header.nodata),)
        return tuple(sorted({*self.asset.nodata, *own}))

    def values(self, dn: NDArray[np.generic]) -> NDArray[np.float32]:
        """float32 values of DN, NaN = no data."""
        return to_values(dn, scale=self.asset.scale, offset=self.asset.offset, nodata=self.nodata)

    @property
    def scaling(self) -> Scaling:
        """How DN become values."""
        return Scaling(self.asset.scale, self.asset.offset, self.nodata, self.header.dtype)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Reader of a scene: harmonised float32 by window, masked pixels NaN; a value that can be pickled."""

    place: Place
    """The scene's grid."""
    layers: tuple[Layer, ...]
    masks: tuple[tuple[Mask, Header], ...]
    block: tuple[int, int]
    """(rows, cols) of the stored blocks on the scene's grid."""

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32 of a window, NaN = no data or masked."""
        values = self.unmasked(self._layers(bands), rows, cols)
        if self.masks:
            values[:, self.masked(rows, cols)] = np.nan
        return values

    def _layers(self, bands: Sequence[str]) -> list[Layer]:
        return [next(layer for layer in self.layers if layer.asset.name == name) for name in bands]

    def scalings(self, bands: Sequence[str]) -> tuple[Scaling, ...] | None:
        """How DN become values, one for each band; None where masks, other grids or types of number lie between.

        None too where a type of number is only what metadata say.
        """
        layers = self._layers(bands)
        plain = not self.masks and all(layer.source is None and not layer.header.claimed for layer in layers)
        one_type = len({layer.header.dtype for layer in layers}) == 1
        return tuple(layer.scaling for layer in layers) if plain and one_type else None

    def dn(self, bands: Sequence[str], rows: slice, cols: slice, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """(band, y, x) DN of a window as stored, in `out` where that spares an array; bands of a file decode together."""
        layers, window = self._layers(bands), self.place.part(rows, cols).window
        groups = list(_by_file(layers))
        if len(groups) == 1:
            return _read(layers[0].header, layers, window, out)
        parts = [_read(layers[members[0]].header, [layers[i] for i in members], window) for members in groups]
        bands_of = dict(zip(chain(*groups), chain(*parts), strict=True))
        return np.stack([bands_of[i] for i in range(len(layers))])

    def unmasked(self, layers: Sequence[Layer], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(layer, y, x) float32 of a window; bands of one file are decoded together."""
        target = self.place.part(rows, cols)
        values = np.empty((len(layers), *target.shape), np.float32)
        for members in _by_file(layers):
            _put([layers[i] for i in members], target, [values[i] for i in members])
        return values

    def masked(self, rows: slice, cols: slice) -> NDArray[np.bool_]:
        """(y, x) True where any mask hides a window's pixels; flags are taken from the pixel under the centre."""
        target = self.place.part(rows, cols)
        hidden = np.zeros(target.shape, bool)
        for mask, header in self.masks:
            flags, inside = _nearest(header, mask.index, target)
            hidden |= mask.hides(flags) | ~inside
        return hidden


def _by_file(layers: Sequence[Layer]) -> Iterator[list[int]]:
    """Positions of the layers that lie in one file, file by file."""
    order = sorted(range(len(layers)), key=lambda i: layers[i].header.path)
    for _, group in groupby(order, key=lambda i: layers[i].header.path):
        yield list(group)


def _put(layers: Sequence[Layer], target: Place, out: Sequence[NDArray[np.float32]]) -> None:
    """Fill (y, x) arrays with the values of bands of one file on a rectangle of the grid."""
    first = layers[0]
    window = target.window if first.source is None else source_window(first.source, target)
    if window is None:
        for one in out:
            one[:] = np.nan
        return
    dn = _read(first.header, layers, window)
    if first.source is None:
        whole = slice(0, target.shape[0]), slice(0, target.shape[1])
        for layer, stored, one in zip(layers, dn, out, strict=True):
            put_values(stored[None], whole, one[None], whole, scalings=[layer.scaling])
        return
    own = np.stack([layer.values(one) for layer, one in zip(layers, dn, strict=True)])
    for one, moved in zip(out, onto(own, first.source.part(*window), target, first.step), strict=True):
        one[:] = moved


def _read(
    header: Header, layers: Sequence[Layer], window: tuple[slice, slice], out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """(layer, y, x) DN; bands between those wanted are read along, which is faster than leaving them out."""
    indexes = [layer.asset.index for layer in layers]
    span = range(min(indexes), max(indexes) + 1)
    wanted = indexes if len(set(indexes)) < len(span) else list(span)
    dn = _window(header, wanted, window, out if wanted == indexes else None)
    return dn if wanted == indexes else dn[[wanted.index(i) for i in indexes]]


def _window(
    header: Header, bands: Sequence[int], window: tuple[slice, slice], out: NDArray[Any] | None = None
) -> NDArray[Any]:
    more: dict[str, Any] = {"claim": header} if header.claimed else {}
    more |= {} if out is None else {"out": out}
    return reading.read_window(header.path, bands, Window.from_slices(*window), **more)


def _nearest(header: Header, index: int, target: Place) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """(flags under the pixels' centres, whether there are any)."""
    source = Place.of(header.grid)
    inside_it = all(span.stop <= size for span, size in zip(target.window, source.shape, strict=True))
    if inside_it and (source.crs, source.transform) == (target.crs, target.transform):
        flags = _window(header, [index], target.window)[0]
        return flags, np.ones(target.shape, bool)
    rows, cols = (
        np.arange(first, first + n, dtype=float) for first, n in zip(target.origin, target.shape, strict=True)
    )
    row, col = (np.floor(at + 0.5) for at in positions(*np.meshgrid(rows, cols, indexing="ij"), of=target, on=source))
    inside = (row >= 0) & (row < source.shape[0]) & (col >= 0) & (col < source.shape[1])
    if not inside.any():
        return np.zeros(target.shape, np.uint8), inside
    spans = [slice(int(at[inside].min()), int(at[inside].max()) + 1) for at in (row, col)]
    flags = _window(header, [index], (spans[0], spans[1]))[0]
    at = tuple(np.where(inside, a, s.start).astype(int) - s.start for a, s in zip((row, col), spans, strict=True))
    return flags[at], inside
