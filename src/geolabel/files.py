"""Files that are whole or absent: atomic write, digest, lock, disk-full check."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geolabel.errors import SourceError

if TYPE_CHECKING:
    from geolabel.grid import Grid

CHUNK = 1 << 20


@contextlib.contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes `path`'s name, on any error it is removed.

    Raises
    ------
    SourceError
        On a full disk, a read-only folder and the like; `path` is then as it was before.
    """
    path = Path(path)
    with named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    tmp = Path(name)
    try:
        with named_errors(path):
            yield tmp
            _sync(tmp)
            tmp.chmod(0o666 & ~_umask())
            tmp.replace(path)
    finally:
        tmp.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Give an empty folder beside `path`; on success it takes `path`'s name, on any error it is removed.

    What a killed process left there is cleared away by the next one; a folder that `path` names is replaced.

    Raises
    ------
    SourceError
        On a full disk, a read-only folder and the like; `path` is then as it was before.
    """
    path = Path(path)
    part, old = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.old")
    with named_errors(path):
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir(parents=True)
    try:
        with named_errors(path):
            yield part
            if path.exists():
                path.replace(old)
            part.replace(path)
    finally:
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


DISK_HINTS = {
    errno.ENOSPC: "the disk of {folder} is full: free some space, then run the same command again",
    errno.EDQUOT: "your quota on {folder} is used up: free some space, then run again",
    errno.EACCES: "no right to write in {folder}: choose another folder",
    errno.EROFS: "{folder} is read-only: choose another folder",
}
"""Error of the operating system -> what to do about it."""


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors on `path` into one that says what to do."""
    try:
        yield
    except SourceError:
        raise
    except OSError as error:
        hint = {**DISK_HINTS, errno.ENOENT: "check the path"}.get(error.errno or 0, "").format(folder=path.parent)
        raise SourceError(f"cannot write {path}: {error.strerror or error}", hint=hint) from error


def write_text(path: Path | str, text: str) -> Path:
    """Path of a UTF-8 text file, written atomically."""
    with atomic(path) as tmp:
        tmp.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: Path | str, value: Any, *, indent: int | None = 2) -> Path:
    """Path of a JSON file (no NaN), written atomically."""
    return write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def write_cog(
    path: Path | str,
    bands: Any,
    grid: Grid,
    *,
    nodata: float | None = None,
    colours: Any = None,
    names: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Path of a cloud-optimised GeoTIFF, written atomically: deflate, 512-pixel blocks, nearest overviews.

    Parameters
    ----------
    bands
        (band, y, x) or (y, x) array on `grid`, in the dtype of the file.
    colours
        Value -> (r, g, b, a), 0-255, for one band of uint8.
    names, tags
        Descriptions of the bands; metadata of the file.
    """
    import rasterio
    import rasterio.shutil
    from rasterio.io import MemoryFile

    bands = bands if bands.ndim == 3 else bands[None]
    shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype.name}
    place = {"crs": rasterio.CRS.from_wkt(grid.crs.to_wkt()), "transform": grid.transform, "nodata": nodata}
    with MemoryFile() as memory, MemoryFile() as cog, atomic(path) as tmp:
        with memory.open(driver="GTiff", **shape, **place) as file:
            file.write(bands)
            if colours:
                file.write_colormap(1, dict(colours))
            if names:
                file.descriptions = tuple(names)
            file.update_tags(**(tags or {}))
        with memory.open() as file:
            rasterio.shutil.copy(file, cog.name, driver="COG", compress="deflate", overview_resampling="nearest")
        tmp.write_bytes(cog.read())  # not by GDAL, which may close a file on a full disk without an error
    return Path(path)


def digest_file(path: Path | str) -> str:
    """Sha-256 of a file's bytes, 64 hexadecimal digits."""
    total = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(CHUNK):
            total.update(block)
    return total.hexdigest()


def require_space(folder: Path, need_bytes: int) -> None:
    """Raise SourceError before work starts where `folder`'s disk holds less than `need_bytes`."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < need_bytes:
        raise SourceError(
            f"{there} has {free / 1e6:.0f} MB free; this needs about {need_bytes / 1e6:.0f} MB",
            hint="free some space or choose another folder",
        )


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for one process; the lock goes with the process, so a crash leaves nothing behind.

    Raises
    ------
    SourceError
        Where another process holds it.
    """
    from filelock import FileLock, Timeout

    with named_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(folder / ".lock")
        try:
            held.acquire(timeout=0)
        except Timeout:
            raise SourceError(f"{folder} is in use by another geolabel process", hint="wait for it to end") from None
    try:
        yield
    finally:
        held.release()
