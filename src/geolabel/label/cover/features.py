"""What a pixel classifier reads of a pixel: bands, ratios they allow, texture around it, the shape of the ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import dask.array as da
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import BandError, InputError

Floats = NDArray[np.float32]
What = Literal["bands", "ratios", "texture", "ground"]
KINDS: tuple[What, ...] = ("bands", "ratios", "texture", "ground")

RATIOS: Mapping[str, tuple[str, str]] = {
    "ndvi": ("nir08", "red"),
    "ndwi": ("green", "nir08"),
    "mndwi": ("green", "swir16"),
    "nbr": ("nir08", "swir22"),
    "nbr2": ("swir16", "swir22"),
    "ndbi": ("swir16", "nir08"),
    "redness": ("red", "blue"),
}
"""Normalised differences (a - b) / (a + b): Rouse et al. 1974, McFeeters 1996, Xu 2006, Key & Benson 2006, USGS, Zha et
al. 2003; redness as in `label.terrain`."""
TEXTURE_PX = (3, 7)
"""Edges of the windows in which each band's mean and standard deviation are taken."""


@dataclass(frozen=True, slots=True)
class Features:
    """Names of the features of a pixel, and the kernel that gives them; the same for any way to cut the scene."""

    bands: tuple[str, ...]
    ground: tuple[str, ...] = ()
    """Layers that say how the ground lies; directions (attribute `kind`) are read as sine and cosine."""
    directions: tuple[str, ...] = ()
    """Those of `ground` that are directions, degrees."""

    @classmethod
    def of(cls, bands: Any, ground: Any = None) -> Features:
        """Features that these datasets (y, x) allow.

        Raises
        ------
        BandError
            Without any band.
        InputError
            Where the two do not lie on one grid.
        """
        if not len(bands.data_vars):
            raise BandError("a classifier needs at least one band")
        if ground is None:
            return cls(tuple(map(str, bands.data_vars)))
        if dict(bands.sizes) != dict(ground.sizes):
            raise InputError(f"bands of {dict(bands.sizes)} and ground of {dict(ground.sizes)}", hint="align both")
        turning = tuple(str(name) for name in ground if ground[name].attrs.get("kind") == "direction")
        return cls(tuple(map(str, bands.data_vars)), tuple(map(str, ground.data_vars)), turning)

    @property
    def pairs(self) -> dict[str, tuple[int, int]]:
        """Ratio -> places of its two bands, for the ratios these bands allow; `nir` stands in for `nir08`."""
        place = {name: i for i, name in enumerate(self.bands)}
        if "nir" in place:
            place.setdefault("nir08", place["nir"])
        return {name: (place[a], place[b]) for name, (a, b) in RATIOS.items() if a in place and b in place}

    @property
    def kinds(self) -> dict[str, What]:
        """Name of each feature, in order -> its kind."""
        texture = [f"{band}_{what}{size}" for size in TEXTURE_PX for what in ("mean", "sd") for band in self.bands]
        ground = [
            n for one in self.ground for n in ((f"{one}_sin", f"{one}_cos") if one in self.directions else (one,))
        ]
        named: list[tuple[What, list[str]]] = [("bands", list(self.bands)), ("ratios", list(self.pairs))]
        named += [("texture", texture), ("ground", ground)]
        return {name: kind for kind, names in named for name in names}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.kinds)

    @property
    def halo(self) -> int:
        """Pixels around a pixel that its features read."""
        return max(TEXTURE_PX) // 2

    def stack(self, bands: Any, ground: Any = None) -> da.Array:
        """(layer, y, x) lazy float32 of what `compute` reads, whole along the layers.

        Raises
        ------
        BandError
            Where a layer is missing.
        """
        given = {**bands.data_vars, **(ground.data_vars if ground is not None else {})}
        lost = [name for name in (*self.bands, *self.ground) if name not in given]
        if lost:
            raise BandError(f"the classifier needs {', '.join(lost)}", hint=f"there are {', '.join(map(str, given))}")
        layers = [da.asarray(given[name].data).astype(np.float32) for name in (*self.bands, *self.ground)]
        return da.stack([layer.rechunk(layers[0].chunks) for layer in layers]).rechunk({0: -1})

    def compute(self, layers: Floats) -> Floats:
        """(feature, y, x) float32 of (layer, y, x); NaN where a band has no value (of the ground: where it has none)."""
        n = len(self.bands)
        bands = layers[:n].astype(np.float64)
        ratios = [_difference(bands[a], bands[b]) for a, b in self.pairs.values()]
        parts = [bands, np.stack(ratios) if ratios else bands[:0], *_texture(bands)]
        parts += [self._ground(name, layer) for name, layer in zip(self.ground, layers[n:], strict=True)]
        values = np.concatenate(parts).astype(np.float32)
        values[:, ~np.isfinite(bands).all(axis=0)] = np.nan
        return values

    def _ground(self, name: str, layer: Floats) -> NDArray[np.float64]:
        exact = layer.astype(np.float64)
        if name not in self.directions:
            return exact[None]
        both = np.stack([np.sin(np.radians(exact)), np.cos(np.radians(exact))])
        return np.nan_to_num(both)  # flat ground faces nowhere

    def lazy(self, stack: da.Array) -> da.Array:
        """(feature, y, x) lazy float32 of a `stack`."""
        depth = {0: 0, 1: self.halo, 2: self.halo}
        padded = da.overlap.overlap(stack, depth=depth, boundary={1: np.nan, 2: np.nan}, allow_rechunk=True)
        chunks = ((len(self.names),), *(tuple(n - 2 * self.halo for n in sizes) for sizes in padded.chunks[1:]))
        meta = np.empty((0, 0, 0), np.float32)
        return da.map_blocks(partial(_inner, features=self), padded, chunks=chunks, dtype=np.float32, meta=meta)


def _inner(block: Floats, *, features: Features) -> Floats:
    halo = features.halo
    return features.compute(block)[:, halo:-halo, halo:-halo]


def _difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised difference, 0 where both are 0."""
    total = a + b
    return np.where(total == 0, 0.0, (a - b) / np.where(total == 0, 1.0, total))


def _texture(bands: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Mean and standard deviation over the known pixels of each window, in the order of `Features.kinds`.

    Sums are taken window by window, not running along a line: a pixel's value does not depend on where a block begins.
    """
    known = np.isfinite(bands)
    filled = np.where(known, bands, 0.0)
    parts = []
    for size in TEXTURE_PX:
        count = np.maximum(_sum(known.astype(np.float64), size), 1)
        mean = _sum(filled, size) / count
        variance = _sum(filled**2, size) / count - mean**2
        parts += [mean, np.sqrt(np.maximum(variance, 0))]
    return parts


def _sum(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    ones = np.ones(size)
    rows = ndimage.correlate1d(values, ones, axis=1, mode="constant")
    return ndimage.correlate1d(rows, ones, axis=2, mode="constant")
