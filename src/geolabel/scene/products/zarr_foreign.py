"""Zarr stores (v2 or v3) that xarray, rioxarray, odc-geo or others wrote: bands and grid by their CF attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize

from geolabel.digests import digest
from geolabel.errors import BandError, CRSError, InputError, SourceError, UndatedError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span
from geolabel.scene.frame import dataset
from geolabel.scene.products import Wanted
from geolabel.scene.sensors import Sensor, common_names, decide_offset, sensor_of
from geolabel.values import to_values

AXES = {"lat": "y", "latitude": "y", "lon": "x", "longitude": "x"}
"""Names of axes -> ours."""


def read(path: Path, wanted: Wanted) -> Scene:
    """Scene of a store: each variable (y, x) is a band, and each layer of one (band, y, x).

    CF scale, offset and fill value are applied; integers without them are DN, scaled as the sensor says.

    Raises
    ------
    SourceError
        Where xarray cannot read it.
    CRSError
        Where it does not say in which CRS it lies.
    UndatedError
        Where neither it nor the user says when it was taken.
    """
    try:
        found = xr.open_dataset(str(path), engine="zarr", chunks={}, consolidated=False, decode_coords="all")
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"xarray cannot read {path}: {error}", hint="is it a whole Zarr group?") from error
    data = _north_up(_flat(found.rename({old: new for old, new in AXES.items() if old in found.dims}), path))
    grid, kind = _grid(data, path), sensor_of(wanted.sensor or data.attrs.get("sensor", "generic"))
    layers = dict(_layers(data))
    if not layers:
        raise BandError(f"{path.name} holds no variable with dims y and x", hint=f"it has {list(found.data_vars)}")
    names, renamed = common_names(kind, tuple(layers))
    arrays, scaling = _values(dict(zip(names, layers.values(), strict=True)), kind, wanted, found.attrs)
    chosen = tuple(wanted.bands or names)
    lacking = [name for name in chosen if name not in arrays]
    if lacking:
        raise BandError(f"{path.name} has no band {', '.join(lacking)}", hint=f"it has {', '.join(names)}")
    start, end = _times(found, wanted, path)
    return Scene(
        id=wanted.id or path.stem,
        start=start,
        end=end,
        grid=grid,
        data=dataset({name: arrays[name] for name in chosen}, grid),
        sensor=kind.name,
        quantity=wanted.quantity or found.attrs.get("quantity", kind.quantity),
        source=(path.name,),
        digest=digest("zarr", path.name, tokenize(_metadata(path)), grid.digest, list(chosen)),
        licence=wanted.licence or str(found.attrs.get("license", "unknown")),
        audit=(*renamed, *scaling),
        recipe=wanted.recipe(path),
    )


def _metadata(path: Path) -> list[tuple[str, str | int]]:
    """What tells one state of a store from another without reading its pixels: its metadata, and sizes of its files."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    words = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
    return [
        (file.relative_to(path).as_posix(), file.read_text("utf-8") if file.name in words else file.stat().st_size)
        for file in files
    ]


def _flat(data: xr.Dataset, path: Path) -> xr.Dataset:
    """The dataset with dims y, x (and band) only; axes of one step are dropped."""
    longer = [str(dim) for dim, n in data.sizes.items() if dim not in ("y", "x", "band") and n > 1]
    used = [dim for dim in longer if any({"y", "x", dim} <= set(one.dims) for one in data.data_vars.values())]
    if used:
        raise InputError(
            f"{path.name} has {data.sizes[used[0]]} steps along {used[0]!r}: a scene is one acquisition",
            hint=f"take one with xarray: ds.isel({used[0]}=0).to_zarr(...)",
        )
    return data.squeeze([dim for dim, n in data.sizes.items() if dim not in ("y", "x", "band") and n == 1], drop=True)


def _north_up(data: xr.Dataset) -> xr.Dataset:
    rising = "y" in data.coords and data.sizes.get("y", 0) > 1 and float(data.y[1]) > float(data.y[0])
    return data.isel(y=slice(None, None, -1)) if rising else data


def _grid(data: xr.Dataset, path: Path) -> Grid:
    if not {"y", "x"} <= set(data.coords):
        raise InputError(f"{path.name} has no coordinates y and x", hint="write them: ds.assign_coords(y=..., x=...)")
    if data.odc.crs is None:
        raise CRSError(f"{path.name} does not say in which CRS it lies", hint="ds.rio.write_crs('EPSG:32611')")
    grid: Grid = data.geolabel.grid
    return grid


def _layers(data: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """(name, (y, x)) of every band."""
    for name, one in data.data_vars.items():
        if set(one.dims) == {"y", "x"}:
            yield str(name), one.transpose("y", "x")
        elif set(one.dims) == {"band", "y", "x"}:
            named = one.attrs.get("long_name")
            known = named if isinstance(named, list | tuple) and len(named) == one.sizes["band"] else None
            for i in range(one.sizes["band"]):
                label = known[i] if known else one["band"].values[i] if "band" in one.coords else i + 1
                yield str(label), one.isel(band=i, drop=True).transpose("y", "x")


def _values(
    layers: dict[str, xr.DataArray], kind: Sensor, wanted: Wanted, tags: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(band -> lazy float32, what was applied in words)."""
    scaled = [name for name, one in layers.items() if "scale_factor" in one.encoding or "add_offset" in one.encoding]
    whole = [name for name, one in layers.items() if name not in scaled and one.dtype.kind in "iu"]
    arrays = {name: da.asarray(one.data).astype(np.float32) for name, one in layers.items()}
    words = (f"CF scale and offset of {', '.join(scaled)} applied",) if scaled else ()
    if kind.quantity == "dn" or not whole:
        return arrays, words
    shift, why = kind.offset, f"by {kind.name}"
    if kind.offset_varies:
        shift, why = decide_offset(kind, {str(key): str(value) for key, value in tags.items()}, wanted.offset)
    nodata = () if kind.nodata is None else (float(kind.nodata),)
    for name in whole:
        stored = da.asarray(layers[name].data)
        arrays[name] = stored.map_blocks(
            to_values,
            scale=kind.scale,
            offset=shift,
            nodata=nodata,
            dtype=np.float32,
            meta=np.empty((0, 0), np.float32),
        )
    return arrays, (*words, f"{', '.join(whole)}: {kind.quantity} = DN * {kind.scale:g} + ({shift:g}), {why}")


def _times(data: xr.Dataset, wanted: Wanted, path: Path) -> Any:
    if wanted.at is not None:
        return span(wanted.at)
    if {"start", "end"} <= data.attrs.keys():
        return span((data.attrs["start"], data.attrs["end"]))
    if "time" in data.coords and data["time"].size == 1 and data["time"].dtype.kind == "M":
        when = str(np.datetime_as_string(data["time"].values.reshape(-1)[0], unit="s")) + "Z"
        return span((when, when))
    raise UndatedError(f"{path.name} does not say when it was taken", hint="at='2009-10-15', or at=(first, last)")
