"""Several products of one day as one scene: on one grid, the first of them that has a value gives the pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce
from typing import Any

import dask.array as da
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid
from geolabel.nouns.scene import Reader, Scene
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Product
from geolabel.scene.frame import dataset
from geolabel.scene.pixels import Pixels

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Reader of several readers on one grid: in each band the first that has a value gives the pixel."""

    parts: tuple[Reader, ...]

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) of the first one's stored blocks."""
        return self.parts[0].block

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32 of a window, NaN where none has a value; later ones are read only where earlier lack."""
        values = self.parts[0].read(bands, rows, cols)
        for part in self.parts[1:]:
            lacking = np.isnan(values)
            if not lacking.any():
                break
            np.copyto(values, part.read(bands, rows, cols), where=lacking)
        return values


def mosaic(
    products: Sequence[tuple[Product, Sequence[str] | None]],
    *,
    id: str,  # noqa: A002 - the noun's own word
    res_m: float | None = None,
    chunks: int = 512,
    recipe: Mapping[str, Any] | None = None,
) -> Scene:
    """Scene of several products (each with the bands to open): lazy, harmonised one by one before they are put together.

    Its grid is that of the first, continued to hold them all.

    Raises
    ------
    InputError
        Where they are of several days, sensors or quantities.
    CRSError
        Where they lie in different CRS.
    """
    own = [assemble(product, bands=bands, res_m=res_m, chunks=chunks) for product, bands in products]
    _check_alike(own)
    grid = _union([scene.grid for scene in own])
    parts = [
        assemble(_known(product, scene), bands=scene.bands, chunks=chunks, grid=grid)
        for (product, _), scene in zip(products, own, strict=True)
    ]
    first = parts[0]
    arrays = {name: reduce(_over, [part.data[name].data for part in parts]) for name in first.bands}
    attrs = {name: dict(first.data[name].attrs) for name in first.bands}
    return replace(
        first,
        id=id,
        start=min(part.start for part in parts),
        end=max(part.end for part in parts),
        data=dataset(arrays, grid, attrs=attrs),
        source=tuple(dict.fromkeys(name for part in parts for name in part.source)),
        digest=digest("mosaic", [part.digest for part in parts], grid.digest),
        audit=_audit(parts),
        recipe=dict(recipe or {}),
        reader=Mosaic(tuple(part.reader for part in parts if part.reader is not None)),
    )


def _over(first: da.Array, second: da.Array) -> da.Array:
    return da.where(da.isnan(first), second, first)


def _check_alike(scenes: Sequence[Scene]) -> None:
    first = scenes[0]
    for scene in scenes[1:]:
        for what in ("sensor", "quantity", "bands"):
            if getattr(scene, what) != getattr(first, what):
                raise InputError(
                    f"{first.id} has the {what} {getattr(first, what)}, {scene.id} {getattr(scene, what)}",
                    hint="open them as scenes of their own",
                )
        if scene.grid.crs != first.grid.crs:
            raise CRSError(
                f"{first.id} lies in {first.grid.crs_name}, {scene.id} in {scene.grid.crs_name}",
                hint="open those of one CRS together, and align the scenes",
            )
    start, end = min(scene.start for scene in scenes), max(scene.end for scene in scenes)
    if end - start > ONE_DAY:
        raise InputError(
            f"the items were taken from {start:%Y-%m-%d} to {end:%Y-%m-%d}: a scene is of one day",
            hint="open one day: gl.items(source, datetime='2020-06-06')",
        )


def _union(grids: Sequence[Grid]) -> Grid:
    """The first grid, continued by whole pixels until it holds all of them."""
    a, _, left, _, e, top = grids[0].transform[:6]
    edges = np.array([grid.bounds for grid in grids])
    cols = np.floor((edges[:, 0].min() - left) / a + 1e-6), np.ceil((edges[:, 2].max() - left) / a - 1e-6)
    rows = np.floor((edges[:, 3].max() - top) / e + 1e-6), np.ceil((edges[:, 1].min() - top) / e - 1e-6)
    corner = Affine(a, 0, left + cols[0] * a, 0, e, top + rows[0] * e)
    return Grid.of(grids[0].crs, corner, (int(rows[1] - rows[0]), int(cols[1] - cols[0])))


def _known(product: Product, scene: Scene) -> Product:
    """The product with the headers that its scene has read."""
    pixels = scene.reader
    if not isinstance(pixels, Pixels):
        raise InputError(f"{scene.id} has no pixels to put beside others")
    assets = tuple(replace(layer.asset, header=layer.header) for layer in pixels.layers)
    return replace(product, assets=assets, masks=tuple(replace(mask, header=header) for mask, header in pixels.masks))


def _audit(parts: Sequence[Scene]) -> tuple[str, ...]:
    """What holds for all, then what holds for one, with its id."""
    shared = [line for line in parts[0].audit if all(line in part.audit for part in parts)]
    own = [f"{part.id}: {line}" for part in parts for line in part.audit if line not in shared]
    return (f"the first with a value of {', '.join(part.id for part in parts)}", *shared, *own)
