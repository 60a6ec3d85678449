"""Chips on disk: a folder of cloud-optimised GeoTIFFs, or one sharded Zarr array; resumable, and never half a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.dataset.chips import ScenePixels, on_grid, walk_tiles, window
from geolabel.digests import digest
from geolabel.errors import InputError, SourceError, nearest
from geolabel.files import lock, named_errors, write_cog, write_json
from geolabel.grid import Grid, Tile, Tiling
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import iso
from geolabel.stream import Journal, Progress, silent, walk

Format = Literal["cog", "zarr"]
FORMAT = "geolabel-chips/1"
ABOUT, TABLE, JOURNAL, ARRAY = "chips.json", "tiles.parquet", ".journal", "chips.zarr"
SHARD = 32
"""Chips in a shard: what one writer writes at once."""


@dataclass(frozen=True, slots=True)
class Chips:
    """Chips of a scene that are on disk, whole."""

    folder: Path
    format: Format
    grid: Grid
    tiles: tuple[Tile, ...]
    bands: tuple[str, ...]
    about: dict[str, Any]
    """What `chips.json` says: scene, digest, times, licence, audit, type and fill value."""

    def __len__(self) -> int:
        return len(self.tiles)

    def __getitem__(self, i: int) -> NDArray[Any]:
        """(band, y, x) of tile `i` with its margin, in its true size.

        Raises
        ------
        SourceError
            Where the file of the chip is missing or cut short.
        """
        tile = self.tiles[i]
        rows, cols = window(tile)
        found = _read_cog(self.folder / _name(tile)) if self.format == "cog" else _read_zarr(self.folder, i)
        return found[:, : rows.stop - rows.start, : cols.stop - cols.start]

    def footprints(self) -> gpd.GeoDataFrame:
        """The table of the tiles (`Tiling.footprints`), in the order of the chips."""
        return gpd.read_parquet(self.folder / TABLE)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be written."""

    scene: Scene
    tiling: Tiling
    bands: tuple[str, ...]
    dn: bool
    threads: int
    progress: Progress

    @property
    def source(self) -> ScenePixels:
        return ScenePixels.of(self.scene, self.bands, dn=self.dn)

    @property
    def key(self) -> str:
        tiles = [[tile.key, tile.height, tile.width, tile.margin] for tile in self.tiling]
        return digest(FORMAT, self.scene.digest, self.tiling.grid.digest, tiles, list(self.bands), self.dn)

    def left(self, done: Callable[[int], bool]) -> tuple[list[int], Tiling]:
        """(numbers, tiling) of the tiles that are not done."""
        numbers = [i for i in range(len(self.tiling)) if not done(i)]
        return numbers, replace(self.tiling, tiles=tuple(self.tiling.tiles[i] for i in numbers), names=None, valid=None)

    def pixels(self, tiles: Tiling) -> Iterator[NDArray[Any]]:
        """Pixels of some tiles, in order, each block decoded once."""
        walked = walk_tiles(self.scene, tiles, self.bands, threads=self.threads, dn=self.dn, progress=self.progress)
        return (array for _, array in walked)


def write_chips(
    scene: Scene,
    tiles: Tiling | Iterable[Tile],
    folder: Path | str,
    *,
    format: Format = "cog",  # noqa: A002 - the field's word
    bands: Sequence[str] | None = None,
    dn: bool = False,
    threads: int = 2,
    progress: Progress = silent,
) -> Chips:
    """Chips of these tiles with their margins, on disk; what a killed run wrote is kept, the same call goes on from there.

    `cog`: one file `{row}_{col}.tif` a tile. `zarr`: one Zarr v3 array (tile, band, y, x) in whole shards, edge tiles
    padded with the fill value. Beside them `tiles.parquet` and, written last, `chips.json`, without which
    `open_chips` refuses the folder.

    Parameters
    ----------
    dn
        DN as stored, in the file's type, instead of float32 values.

    Raises
    ------
    InputError
        For an unknown format, no tiles, tiles off the scene's grid, or a folder that holds anything else.
    SourceError
        Where pixels cannot be read, the folder not be written, or another process writes there.
    """
    if format not in WRITERS:
        raise InputError(f"unknown format {format!r}", hint=nearest(format, WRITERS))
    chosen = on_grid(scene, tiles)
    if not chosen:
        raise InputError("no tiles to write", hint="gl.tiles(scene, 256)")
    tiling = tiles if isinstance(tiles, Tiling) else Tiling(scene.grid, chosen)
    names = (bands,) if isinstance(bands, str) else tuple(scene.bands if bands is None else bands)
    job, folder = _Job(scene, tiling, names, dn, threads, progress), Path(folder)
    key = digest(job.key, format)
    with lock(folder):
        _check_free(folder, key)
        if not _about(folder):
            WRITERS[format](job, folder, Journal(folder / JOURNAL, key))
            tiling.save(folder / TABLE)
            write_json(folder / ABOUT, {**_said(job, format), "key": key, "files": _files(folder)})
            (folder / JOURNAL).unlink(missing_ok=True)
    return open_chips(folder)


def _check_free(folder: Path, key: str) -> None:
    """Raise where the folder holds what this job did not write: chips of another one would be mixed with its own."""
    theirs = _about(folder).get("key") or Journal.job_of(folder / JOURNAL)
    others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if theirs == key or (theirs is None and not others):
        return
    what = f"other files ({sorted(others)[0]}, ...)" if theirs is None else "chips of another scene, tiling or format"
    raise InputError(f"{folder} holds {what}", hint="write into another folder, or remove this one")


def open_chips(folder: Path | str) -> Chips:
    """Chips that `write_chips` finished.

    Raises
    ------
    SourceError
        Where the folder holds none, or a writer did not come to its end.
    """
    folder = Path(folder)
    about = _about(folder)
    if not about:
        begun = (folder / JOURNAL).is_file()
        raise SourceError(
            f"{folder} holds chips that are not whole" if begun else f"{folder} holds no chips",
            hint="run the same write_chips again: it goes on where it was stopped" if begun else "check the path",
        )
    if (found := _files(folder)) < about["files"]:
        raise SourceError(
            f"{folder} holds {found} files of chips, and {about['files']} were written", hint="copy the whole folder"
        )
    tiles = tuple(Tile(*values) for values in about["tiles"])
    return Chips(folder, about["layout"], Grid.recorded(about["grid"]), tiles, tuple(about["bands"]), about)


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) and about.get("format") == FORMAT else {}


def _files(folder: Path) -> int:
    """Files with pixels."""
    return sum(1 for _ in folder.glob("*.tif")) + sum(p.is_file() for p in (folder / ARRAY).rglob("*"))


def _said(job: _Job, layout: str) -> dict[str, Any]:
    scene, source = job.scene, job.source
    return {
        "format": FORMAT,
        "layout": layout,
        "scene": scene.id,
        "scene_digest": scene.digest,
        "start": iso(scene.start),
        "end": iso(scene.end),
        "sensor": scene.sensor,
        "quantity": "dn" if job.dn else scene.quantity,
        "licence": scene.licence,
        "audit": list(scene.audit),
        "bands": list(job.bands),
        "dtype": source.dtype.name,
        "fill": None if np.isnan(source.fill) else source.fill,
        "grid": scene.grid.record(),
        "tiles": [[t.row, t.col, t.height, t.width, t.margin] for t in job.tiling],
        "ids": list(job.tiling.ids),
    }


# ---------------------------------------------------------------------- one GeoTIFF a tile
def _name(tile: Tile) -> str:
    return f"{tile.key}.tif"


def _write_cogs(job: _Job, folder: Path, journal: Journal) -> None:
    keys = [tile.key for tile in job.tiling]
    if len(set(keys)) < len(keys):
        raise InputError("two tiles start at the same pixel: their files would have one name", hint="format='zarr'")
    _, tiles = job.left(lambda i: keys[i] in journal.done and (folder / f"{keys[i]}.tif").is_file())
    fill = job.source.fill
    tags = {"SCENE": job.scene.id, "SCENE_DIGEST": job.scene.digest, "GRID_DIGEST": job.scene.grid.digest}

    pairs, turn = zip(tiles, job.pixels(tiles), strict=True), Lock()

    def write(_: int) -> str:
        with turn:  # whichever thread is free takes the next tile; compressing takes longer than decoding
            tile, array = next(pairs)
        own = job.scene.grid.crop(tile, margin=True)
        more = {"TILE": tile.key, "MARGIN": str(tile.margin), **tags}
        write_cog(folder / _name(tile), array, own, nodata=fill, names=job.bands, tags=more)
        return tile.key

    for key in walk(range(len(tiles)), write, what="chips", threads=job.threads, progress=job.progress):
        journal.finish(key)


def _read_cog(path: Path) -> NDArray[Any]:
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path) as file:
            return file.read()
    except RasterioError as error:
        raise SourceError(f"cannot read {path}: {error}", hint="run the same write_chips into a new folder") from error


# ---------------------------------------------------------------------- one sharded array
def _write_zarr(job: _Job, folder: Path, journal: Journal) -> None:
    boxes = [window(tile) for tile in job.tiling]
    high, wide = (max(box[axis].stop - box[axis].start for box in boxes) for axis in (0, 1))
    source = job.source
    with named_errors(folder):
        array = _array(folder, journal, (len(boxes), len(job.bands), high, wide), source)
    numbers, tiles = job.left(lambda i: str(i // SHARD) in journal.done)
    pixels = job.pixels(tiles)
    for done, shard in enumerate(dict.fromkeys(i // SHARD for i in numbers), start=1):
        mine = slice(shard * SHARD, min((shard + 1) * SHARD, len(boxes)))
        block = np.full((mine.stop - mine.start, *array.shape[1:]), source.fill, source.dtype)
        for chip in block:
            one = next(pixels)
            chip[:, : one.shape[1], : one.shape[2]] = one
        with named_errors(folder):
            array[mine] = block
        journal.finish(str(shard))
        job.progress("chips", min(done * SHARD, len(numbers)), len(numbers))


def _array(folder: Path, journal: Journal, shape: tuple[int, int, int, int], source: ScenePixels) -> Any:
    """The array on disk: that of the run before where it goes on, else a new one."""
    import zarr

    path = str(folder / ARRAY)
    if journal.done:
        return zarr.open_array(path, mode="r+")
    return zarr.create_array(
        path,
        shape=shape,
        chunks=(1, *shape[1:]),
        shards=(SHARD, *shape[1:]),
        dtype=source.dtype,
        fill_value=source.fill,
        dimension_names=("tile", "band", "y", "x"),
        config={"write_empty_chunks": True},
        attributes={"bands": list(source.bands), "grid": source.scene.grid.record(), "scene": source.scene.digest},
        overwrite=True,
    )


def _read_zarr(folder: Path, i: int) -> NDArray[Any]:
    import zarr

    try:
        return np.asarray(zarr.open_array(str(folder / ARRAY), mode="r")[i])
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"cannot read chip {i} of {folder}: {error}", hint="run write_chips again") from error


WRITERS: dict[str, Callable[[_Job, Path, Journal], None]] = {"cog": _write_cogs, "zarr": _write_zarr}
