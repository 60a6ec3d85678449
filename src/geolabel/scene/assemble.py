"""A product as a Scene: its bands on one grid, lazy, masked, with an audit of what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from affine import Affine
from dask.base import tokenize
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, CRSError, InputError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import iso
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.frame import dataset, plane, windowed
from geolabel.scene.pixels import Layer, Pixels
from geolabel.scene.reading import Header, read_header, state_of
from geolabel.scene.remote import is_remote
from geolabel.scene.resample import Place, resample

ASKED_AT_ONCE = 8
"""Headers of remote files that are read at a time."""


def assemble(
    product: Product,
    *,
    bands: Sequence[str] | None = None,
    res_m: float | None = None,
    chunks: int = 512,
    recipe: Mapping[str, Any] | None = None,
    grid: Grid | None = None,
) -> Scene:
    """Scene of a product: lazy float32 bands (y, x) on one grid, NaN = no data or masked; no pixel is read.

    Bands of other resolutions are resampled (bilinear between valid pixels, the mean where they are finer), masks by
    the pixel under the centre, and the audit says so.

    Parameters
    ----------
    bands
        Common names to keep, in this order. Default: all.
    res_m
        Edge of a pixel. Default: the product's own.
    grid
        Grid to put them on. Default: that of the files, by `res_m`.

    Raises
    ------
    BandError
        Where the product lacks a band.
    CRSError
        Where its files lie in different CRS, or `res_m` is asked of a grid that is not metric.
    SourceError
        Where a file is missing, unreadable or cut short.
    """
    chosen = _chosen(product, bands)
    headers = _headers([*chosen, *product.masks])
    _check_counts(product, [*chosen, *product.masks], headers)
    grid = grid or _grid(product, chosen, headers, product.res_m if res_m is None else res_m)
    layers = tuple(Layer.of(asset, headers[asset.path], grid) for asset in chosen)
    masks = tuple((mask, headers[mask.path]) for mask in product.masks)
    blocks = next((layer.header.block for layer in layers if layer.source is None), (chunks, chunks))
    pixels = Pixels(Place.of(grid), layers, masks, blocks)
    return Scene(
        id=product.id,
        start=product.start,
        end=product.end,
        grid=grid,
        data=dataset(_arrays(pixels, grid, chunks), grid, attrs=_attrs(layers)),
        sensor=product.sensor,
        quantity=product.quantity,
        source=tuple(dict.fromkeys(header.name for header in headers.values())),
        digest=_digest(product, pixels, grid),
        licence=product.licence,
        audit=(*product.audit, *_audit(pixels, grid)),
        recipe=dict(recipe or {}),
        reader=pixels,
    )


def _chosen(product: Product, bands: Sequence[str] | None) -> tuple[Asset, ...]:
    known = {asset.name: asset for asset in product.assets}
    lacking = [name for name in bands or () if name not in known]
    if lacking or not known:
        raise BandError(
            f"{product.id} has no band {', '.join(map(repr, lacking)) or 'at all'}", hint=f"it has {', '.join(known)}"
        )
    return tuple(known[name] for name in bands) if bands else product.assets


def _headers(parts: Sequence[Asset | Mask]) -> dict[str, Header]:
    """Path -> header, each file opened once, and only where its header is not known; servers are asked side by side."""
    found: dict[str, Header] = {}
    for part in parts:
        if part.header is not None:
            found.setdefault(part.path, part.header)
    lacking = list(dict.fromkeys(part.path for part in parts if part.path not in found))
    if sum(map(is_remote, lacking)) > 1:
        with ThreadPoolExecutor(min(len(lacking), ASKED_AT_ONCE)) as pool:
            return found | dict(zip(lacking, pool.map(read_header, lacking), strict=True))
    return found | {path: read_header(path) for path in lacking}


def _check_counts(product: Product, parts: Sequence[Asset | Mask], headers: Mapping[str, Header]) -> None:
    for part in parts:
        header = headers[part.path]
        if part.index > header.count:
            raise BandError(
                f"{product.id}: {part.name} should be band {part.index} of {header.name}, which has {header.count}",
                hint="its metadata are of another file; open the file itself, with bands=(...)",
            )


def _grid(product: Product, chosen: Sequence[Asset], headers: Mapping[str, Header], res_m: float | None) -> Grid:
    grids = [headers[asset.path].grid for asset in chosen]
    first = grids[0]
    for asset, grid in zip(chosen, grids, strict=True):
        if grid.crs != first.crs:
            raise CRSError(
                f"{product.id}: {asset.name} lies in {grid.crs_name}, {chosen[0].name} in {first.crs_name}",
                hint="open them as scenes of their own and align them",
            )
    if res_m is None:
        return first
    return next((grid for grid in grids if np.isclose(abs(grid.transform.a), res_m)), None) or _at(first, res_m)


def _at(grid: Grid, res: float) -> Grid:
    """Grid of the same corner and extent with pixels of another edge; what is left over at the far edges is kept."""
    if not grid.is_metric:
        raise CRSError(
            f"pixels of {res:g} m on a grid in {grid.crs.units[0]} ({grid.crs_name})",
            hint=f"open it as it is, then align({{'before': scene}}, res_m={res:g}) puts it on a metric grid",
        )
    if not res > 0:
        raise InputError(f"pixels of {res:g} m", hint="res_m is the edge of a pixel in metres, e.g. res_m=20")
    xmin, ymin, xmax, ymax = grid.bounds
    shape = (int(np.ceil((ymax - ymin) / res - 1e-6)), int(np.ceil((xmax - xmin) / res - 1e-6)))
    return Grid.of(grid.crs.to_wkt(), Affine(res, 0, xmin, 0, -res, ymax), shape)


# ---------------------------------------------------------------- the lazy way to the same pixels
def _arrays(pixels: Pixels, grid: Grid, chunks: int) -> dict[str, da.Array]:
    """Band -> lazy float32 (y, x); each stored block is read once, whichever bands of its file are computed."""
    arrays: dict[str, da.Array] = {}
    for members in _groups(pixels.layers):
        stack = _on_grid(members, grid, chunks)
        arrays |= {layer.asset.name: plane(stack, i) for i, layer in enumerate(members)}
    if pixels.masks:
        like = next(iter(arrays.values()))
        hidden = _hidden(pixels, like.chunks)
        arrays = {name: da.where(hidden, np.float32(np.nan), a.rechunk(like.chunks)) for name, a in arrays.items()}
    return {layer.asset.name: arrays[layer.asset.name] for layer in pixels.layers}


def _groups(layers: Sequence[Layer]) -> list[tuple[Layer, ...]]:
    """Layers that one read decodes: those of one pixel-interleaved file; else each by itself."""
    groups: dict[tuple[str, int], list[Layer]] = {}
    for i, layer in enumerate(layers):
        groups.setdefault((layer.header.path, -1 if layer.header.pixel_interleaved else i), []).append(layer)
    return [tuple(group) for group in groups.values()]


def _on_grid(layers: tuple[Layer, ...], grid: Grid, chunks: int) -> da.Array:
    """(layer, y, x) lazy float32 on the scene's grid, of bands of one file."""
    first = layers[0]
    own = Pixels(Place.of(first.header.grid), tuple(Layer(l.asset, l.header, None) for l in layers), (), (0, 0))
    shape = (len(layers), *first.header.grid.shape)
    chunked = da.core.normalize_chunks((-1, *chunk_shape(first.header, chunks)), shape)
    values = windowed(partial(_unmasked, own), chunked, np.float32, name=f"read-{_token(layers, chunks)}")
    return values if first.source is None else resample(values, first.header.grid, grid, chunks=chunks)


def _token(layers: Sequence[Layer], chunks: int) -> str:
    meaning = [(one.asset.path, one.asset.index, one.asset.scale, one.asset.offset, one.nodata) for one in layers]
    header = layers[0].header
    return str(tokenize(meaning, header.digest, state_of(header.path), chunks))


def _unmasked(pixels: Pixels, rows: slice, cols: slice) -> NDArray[np.float32]:
    return pixels.unmasked(pixels.layers, rows, cols)


def _hidden(pixels: Pixels, chunks: Any) -> da.Array:
    what = [(mask.name, mask.path, mask.index, sorted(mask.bits), sorted(mask.classes)) for mask, _ in pixels.masks]
    files = [(header.digest, state_of(header.path)) for _, header in pixels.masks]
    name = f"masked-{tokenize(what, files, chunks, pixels.place)}"
    return windowed(pixels.masked, chunks, bool, name=name)


def chunk_shape(header: Header, chunks: int) -> tuple[int, int]:
    """Whole blocks: a file in strips is cut into bands of rows, so that no strip is read twice."""
    height, width = header.grid.shape
    cols = min(-(-chunks // header.block[1]) * header.block[1], width)
    rows = max(chunks * chunks // cols if header.block[1] >= width else chunks, 1)
    return min(-(-rows // header.block[0]) * header.block[0], height), cols


# ---------------------------------------------------------------- what it says of itself
def _attrs(layers: Sequence[Layer]) -> dict[str, dict[str, str]]:
    return {one.asset.name: {"units": one.asset.units} for one in layers if one.asset.units}


def _digest(product: Product, pixels: Pixels, grid: Grid) -> str:
    bands = [
        [one.asset.name, one.header.digest, one.asset.index, one.asset.scale, one.asset.offset, list(one.nodata)]
        for one in pixels.layers
    ]
    masks = [[mask.name, header.digest, mask.index, mask.legend] for mask, header in pixels.masks]
    return digest(product.sensor, product.quantity, bands, masks, grid.digest, iso(product.start), iso(product.end))


def _audit(pixels: Pixels, grid: Grid) -> tuple[str, ...]:
    nodata = sorted({value for layer in pixels.layers for value in layer.nodata})
    missing = (
        f"no data where DN is {' or '.join(f'{v:g}' for v in nodata)}" if nodata else "no nodata value is declared"
    )
    moved = {
        abs(layer.header.grid.transform.a): [one.asset.name for one in pixels.layers if one.source == layer.source]
        for layer in pixels.layers
        if layer.source is not None
    }
    words = [
        f"{', '.join(names)} resampled from {res:g} to {abs(grid.transform.a):g}: "
        + ("the mean of what a pixel covers" if res < abs(grid.transform.a) else "bilinear between valid pixels")
        for res, names in moved.items()
    ]
    return (missing, *(mask.legend for mask, _ in pixels.masks), *words)
