"""Zarr v3: a scene saved with all it is and opened again, bit for bit; and stores that other programs wrote.

A saved scene is a group of float32 arrays (y, x), one a band, in shards of small chunks, with CF coordinates and a grid
mapping (`spatial_ref` with `crs_wkt` and `GeoTransform`), as xarray, rioxarray and odc-geo read and write them; what
only geolabel knows lies in the group's attribute `geolabel`.

Source: Zarr core 3.0; CF conventions 1.11, section 5.6 (grid mappings).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize
from numpy.typing import NDArray

from geolabel.boxes import plan, unit
from geolabel.errors import BandError, SourceError
from geolabel.files import atomic_folder, require_space
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.scene.frame import dataset, windowed
from geolabel.scene.products import Wanted, zarr_foreign
from geolabel.stream import Progress, silent, walk

LOOKS_FOR = "zarr.json, .zgroup or .zmetadata: a Zarr store"
MARKS = ("zarr.json", ".zgroup", ".zmetadata")
FORMAT = "geolabel-scene/1"
CHUNK_PX, SHARD_PX = 256, 1024
ABSENT = float(np.finfo(np.float32).min)
"""Fill value of the arrays, which no pixel has: Zarr leaves out chunks that hold nothing else, and with NaN here those
of nodata would be missing like those that were lost."""


def finds(source: Any) -> bool:
    """Whether the source is a folder that holds a Zarr group."""
    return isinstance(source, str | Path) and any((Path(source) / mark).is_file() for mark in MARKS)


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of a Zarr store: as it was saved where geolabel wrote it, else by its CF attributes and what is wanted.

    Raises
    ------
    SourceError
        For a store that is broken, not whole, or of another geolabel format.
    """
    import zarr  # here: every open_scene asks this module whether a source is a store

    path = Path(source)
    try:
        group = zarr.open_group(str(path), mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"no Zarr group can be read from {path}: {error}", hint="copy the store again") from error
    said = group.attrs.get("geolabel")
    return _own(path, group, said, wanted) if isinstance(said, Mapping) else zarr_foreign.read(path, wanted)


# ---------------------------------------------------------------------- saved by geolabel
@dataclass(frozen=True, slots=True)
class ZarrPixels:
    """Reader of a saved scene: a value that can be pickled."""

    path: str
    digest: str
    block: tuple[int, int]

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32 of a window, NaN = no data."""
        group = _group(self.path, self.digest)
        try:
            return np.stack([np.asarray(group[band][rows, cols], np.float32) for band in bands])
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SourceError(f"cannot read {self.path}: {error}", hint="copy the store again") from error


@lru_cache(maxsize=16)
def _group(path: str, _digest: str) -> Any:
    import zarr

    return zarr.open_group(path, mode="r")


def _own(path: Path, group: Any, said: Mapping[str, Any], wanted: Wanted) -> Scene:
    _check_whole(path, group, said)
    grid, names = Grid.recorded(said["grid"]), tuple(wanted.bands or said["bands"])
    lacking = [name for name in names if name not in said["bands"]]
    if lacking:
        raise BandError(f"{path.name} has no band {', '.join(lacking)}", hint=f"it has {', '.join(said['bands'])}")
    first = group[names[0]]
    reader = ZarrPixels(str(path), str(said["digest"]), (int(first.chunks[0]), int(first.chunks[1])))
    attrs = {name: dict(said["band_attrs"].get(name, {})) for name in names}
    arrays = {name: _lazy(reader, name, grid, wanted.chunks) for name in names}
    start, end = (datetime.fromisoformat(said[key]) for key in ("start", "end"))
    return Scene(
        id=wanted.id or said["id"],
        start=start,
        end=end,
        grid=grid,
        data=dataset(arrays, grid, attrs=attrs),
        sensor=said["sensor"],
        quantity=said["quantity"],
        source=tuple(said["source"]),
        digest=said["digest"],
        licence=wanted.licence or said["licence"],
        audit=tuple(said["audit"]),
        recipe=wanted.recipe(path),
        reader=reader,
    )


def _lazy(reader: ZarrPixels, band: str, grid: Grid, chunks: int) -> da.Array:
    rows, cols = unit(grid.shape, reader.block, chunks)
    chunked = da.core.normalize_chunks((rows, cols), grid.shape)
    return windowed(partial(_band, reader, band), chunked, np.float32, name=f"zarr-{tokenize(reader, band, chunks)}")


def _band(reader: ZarrPixels, band: str, rows: slice, cols: slice) -> NDArray[np.float32]:
    return reader.read([band], rows, cols)[0]


def _check_whole(path: Path, group: Any, said: Mapping[str, Any]) -> None:
    """Raise where a shard is missing: Zarr itself would read it as nodata."""
    again = "save the scene again, or copy the whole store"
    if said.get("format") != FORMAT:
        raise SourceError(f"{path} is of format {said.get('format')!r}, not {FORMAT!r}", hint="update geolabel")
    if not said.get("whole"):
        raise SourceError(f"{path} was not written to its end", hint=again)
    for name in said["bands"]:
        if name not in group:
            raise SourceError(f"{path} lacks the band {name}", hint=again)
        array = group[name]
        want = int(np.prod([-(-n // edge) for n, edge in zip(array.shape, array.shards, strict=True)]))
        have = sum(file.is_file() and file.name != "zarr.json" for file in (path / name).rglob("*"))
        if have < want:
            raise SourceError(f"{path} lacks {want - have} of {want} shards of {name}", hint=again)


# ---------------------------------------------------------------------- saving
def save_zarr(
    scene: Scene,
    path: Path | str,
    *,
    chunk_px: int = CHUNK_PX,
    shard_px: int = SHARD_PX,
    threads: int = 2,
    progress: Progress = silent,
) -> Path:
    """Path of a Zarr v3 store of a scene, whole or absent; `open_scene(path)` gives the same scene again.

    Parameters
    ----------
    chunk_px, shard_px
        Edge of the pixels that are read at once, and of the files they lie in (several chunks each).

    Raises
    ------
    SourceError
        On a full disk, or where pixels cannot be read.
    """
    path = Path(path)
    height, width = scene.grid.shape
    require_space(path.parent, height * width * len(scene.bands) * 4)
    chunk = min(chunk_px, max(height, width))
    shard = max(shard_px // chunk, 1) * chunk
    with atomic_folder(path) as part:
        group = _skeleton(scene, part, chunk, shard)
        whole = plan([(slice(0, height), slice(0, width))], scene.grid.shape, (shard, shard))

        def copy(at: tuple[int, int]) -> None:
            rows, cols = slice(at[0], min(at[0] + shard, height)), slice(at[1], min(at[1] + shard, width))
            for name, pixels in zip(scene.bands, scene.read(scene.bands, rows, cols), strict=True):
                group[name][rows, cols] = pixels

        for _ in walk(list(whole), copy, what="zarr", threads=threads, progress=progress):
            pass
        group.attrs["geolabel"] = {**group.attrs["geolabel"], "whole": True}
    return path


def _skeleton(scene: Scene, folder: Path, chunk: int, shard: int) -> Any:
    """The group with coordinates, grid mapping and arrays, and no pixel yet."""
    import zarr

    frame = dataset({}, scene.grid)
    frame.attrs = {"Conventions": "CF-1.11", "title": scene.id, "license": scene.licence}
    xr.Dataset.to_zarr(frame, str(folder), zarr_format=3, consolidated=False)
    group = zarr.open_group(str(folder), mode="r+")
    for name in scene.bands:
        group.create_array(
            name,
            shape=scene.grid.shape,
            chunks=(chunk, chunk),
            shards=(shard, shard),
            dtype="float32",
            fill_value=ABSENT,
            dimension_names=("y", "x"),
            compressors=zarr.codecs.BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"),
            attributes={**_plain(scene.data[name].attrs), "grid_mapping": "spatial_ref", "coordinates": "spatial_ref"},
        )
    group.attrs["geolabel"] = _about(scene)
    return group


def _about(scene: Scene) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "whole": False,
        "id": scene.id,
        "start": scene.start.isoformat(),
        "end": scene.end.isoformat(),
        "sensor": scene.sensor,
        "quantity": scene.quantity,
        "source": list(scene.source),
        "digest": scene.digest,
        "licence": scene.licence,
        "audit": list(scene.audit),
        "grid": scene.grid.record(),
        "bands": list(scene.bands),
        "band_attrs": {name: _plain(scene.data[name].attrs) for name in scene.bands},
    }


def _plain(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes as JSON values."""
    values = {str(key): value.item() if isinstance(value, np.generic) else value for key, value in attrs.items()}
    return {key: value if isinstance(value, str | int | float | bool) else str(value) for key, value in values.items()}
