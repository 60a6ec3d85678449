"""One raster file as a header and windows of DN: the only lines that touch an input raster's bytes.

Each thread keeps its own handles to the files it reads (GDAL's handles must not be shared), so no lock is held between
threads, and nothing has to be pickled but a path. What is remote is read by range requests (`remote`).
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window, intersect

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.grid import Grid
from geolabel.scene import jp2, remote

CACHE_BYTES = 16 << 20
"""GDAL's cache of decoded blocks: reads are of whole blocks, so a large one would only fill the memory."""
HANDLES = 32
"""Open files a thread keeps."""
_SEEN: dict[str, remote.Facts] = {}
"""Remote file -> what its server said of it when its header was last read."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a raster file says of itself."""

    path: str
    """Path or GDAL name (`/vsicurl/https://...`) as it is opened."""
    name: str
    """Last part of the path: what may be told to others."""
    size_bytes: int
    dtype: str
    count: int
    grid: Grid
    nodata: float | None
    names: tuple[str, ...]
    """Descriptions of the bands; empty where the file has none or not for all."""
    units: tuple[str | None, ...]
    tags: Mapping[str, str]
    block: tuple[int, int]
    """(rows, cols) of a stored block."""
    pixel_interleaved: bool
    etag: str = ""
    """What a server calls this state of a remote file."""
    claimed: bool = False
    """Whether it is what metadata say of the file: it is held against the file when pixels are first read."""

    @property
    def digest(self) -> str:
        """Over name, size and header; the folder does not count."""
        what = [self.dtype, self.count, str(self.nodata), list(self.names), dict(self.tags)]
        return digest(self.name, self.size_bytes, self.grid.digest, what, *([self.etag] if self.etag else ()))


def is_local(path: str | Path) -> bool:
    """Whether GDAL reads it from this machine's own files, not through one of its virtual file systems."""
    return not str(path).startswith("/vsi")


def read_header(path: str | Path) -> Header:
    """Header of a raster file; no pixel is read.

    Raises
    ------
    SourceError
        Where the file is missing, no raster or shorter than its own index says.
    CRSError
        Without a CRS.
    InputError
        Where the grid is rotated.
    """
    path = remote.gdal_path(path)
    if remote.is_remote(path):
        return remote.steadily(path, partial(_remote_header, path), (RasterioError,))
    if is_local(path) and not Path(path).is_file():
        raise _missing(Path(path))
    with _reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said better, as CRSError
        with rasterio.open(path) as file:
            if is_local(path):
                _check_whole(file, path, Path(path).stat().st_size)
            return _header(file, path)


def _remote_header(path: str, settings: Mapping[str, str]) -> Header:
    known = remote.facts(path)
    if _SEEN.setdefault(path, known) != known:  # another file lies there now: what GDAL remembers is of the old one
        settings = remote.fresh(path)
    _SEEN[path] = known
    with _settings(path, settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            return replace(_header(file, path), size_bytes=known.size_bytes, etag=known.etag)


def _header(file: Any, path: str | Path) -> Header:
    name = remote.name_of(path)
    if file.crs is None:
        raise CRSError(f"{name} has no CRS", hint=f"say which it is in: gdal_edit.py -a_srs EPSG:32611 {name}")
    if file.transform.b or file.transform.d:
        raise InputError(f"the grid of {name} is rotated", hint=f"gdalwarp {name} north-up.tif makes it north-up")
    described = tuple(text or "" for text in file.descriptions)
    return Header(
        path=str(path),
        name=name,
        size_bytes=Path(path).stat().st_size if is_local(path) else 0,
        dtype=np.result_type(*file.dtypes).name,
        count=file.count,
        grid=Grid.of(file.crs.to_wkt(), file.transform, file.shape),  # the WKT: a code may be wrong or private
        nodata=file.nodata,
        names=described if all(described) else (),
        units=tuple(file.units),
        tags=file.tags(),
        block=file.block_shapes[0],
        pixel_interleaved=file.profile.get("interleave") == "pixel",
    )


def _missing(path: Path) -> SourceError:
    if path.is_dir():
        return SourceError(f"{path} is a folder, not a raster file", hint="name the file inside it")
    if not path.parent.is_dir():
        return SourceError(f"{path} does not exist", hint=f"the folder {path.parent} does not exist either")
    close = get_close_matches(path.name, sorted(p.name for p in path.parent.iterdir()), n=1, cutoff=0)
    return SourceError(
        f"{path} does not exist", hint=f"nearest name there: {close[0]}" if close else "the folder is empty"
    )


def _settings(path: str | Path, more: Mapping[str, str] | None = None) -> rasterio.Env:
    """GDAL for one file. One thread a handle: where it decodes JPEG 2000 with several, broken tiles pass for pixels."""
    return rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, GDAL_NUM_THREADS=1, **remote.options(path), **(more or {}))


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    """GDAL set up to read `path`; its errors become one that says what to do."""
    try:
        with _settings(path):
            yield
    except RasterioError as error:
        raise SourceError(
            f"cannot read {path}: {error}", hint="is it a whole raster file? copy or download it again"
        ) from error


def _check_whole(file: Any, path: str | Path, size_bytes: int, within: Window | None = None) -> None:
    """Raise where a block of a TIFF (those of a window, or all) lies beyond the end of the file (a broken download)."""
    if file.driver == "JP2OpenJPEG" and is_local(path) and not jp2.is_whole(path):
        raise SourceError(f"{path} is cut short: {size_bytes} bytes", hint="copy or download it again")
    if file.driver != "GTiff":
        return
    planes = 1 if file.profile.get("interleave") == "pixel" else file.count
    for band in range(1, planes + 1):
        for (row, col), window in file.block_windows(band):
            if within is not None and not intersect(window, within):
                continue
            start, length = (
                file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE")
            )
            if start and length and int(start) + int(length) > size_bytes:
                raise SourceError(
                    f"{remote.plain(path)} is cut short: {size_bytes} bytes, and pixels should lie at "
                    f"{int(start) + int(length)}",
                    hint="copy or download it again",
                )


class _Handles(threading.local):
    """Files this thread has open, least recently used first."""

    def __init__(self) -> None:
        self.files: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def of(self, path: str, claim: Header | None = None) -> Any:
        key = (path, os.getpid(), *state_of(path))
        if key in self.files:
            self.files.move_to_end(key)
        else:
            self.files[key] = _opened(path, claim)
            while len(self.files) > HANDLES:
                self.files.popitem(last=False)[1].close()
        return self.files[key]

    def forget(self, path: str) -> None:
        """Close what is open of a file: after a failure its handle remembers what did not come."""
        for key in [key for key in self.files if key[0] == path]:
            self.files.pop(key).close()


def _opened(path: str, claim: Header | None) -> Any:
    file = rasterio.open(path)
    if claim is not None and claim.claimed:
        found = _header(file, path)
        if not _same(found, claim):
            file.close()
            raise SourceError(
                f"{claim.name} has {_says(found)}; its metadata say {_says(claim)}",
                hint="the metadata are wrong: open the file itself, gl.open_scene(href, sensor=..., at=...)",
            )
    return file


def _same(found: Header, claim: Header) -> bool:
    one, other = found.grid, claim.grid
    near = one.transform.almost_equals(other.transform, precision=1e-6 * abs(other.transform.a))
    known = one.crs == other.crs or one.crs.proj.equals(other.crs.proj, ignore_axis_order=True)
    return near and known and one.shape == other.shape and found.count >= claim.count


def _says(header: Header) -> str:
    grid = header.grid
    corner = f"({grid.transform.c:.10g}, {grid.transform.f:.10g})"
    return f"{header.count} x {grid.height} x {grid.width} pixels of {grid.transform.a:.8g} from {corner} in {grid.crs_name}"


def state_of(path: str) -> tuple[Any, ...]:
    """What tells a file that was written anew from the one that is open."""
    if not is_local(path):
        return (_SEEN[path],) if path in _SEEN else ()
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


_HANDLES = _Handles()


def read_window(
    path: str | Path,
    bands: Sequence[int],
    window: Window,
    *,
    claim: Header | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """(band, y, x) DN of one window, read by this thread's own handle.

    Parameters
    ----------
    claim
        What metadata say of the file: held against it once, when it is opened.
    out
        An array that may be used for the DN of a local file, which spares a new one.

    Raises
    ------
    SourceError
        Where the file is missing, cut short, not what `claim` says, or its server does not answer.
    """
    path = str(path)
    if remote.is_remote(path):
        return remote.steadily(path, partial(_read_remote, path, list(bands), window, claim), (RasterioError,))
    if is_local(path) and not Path(path).is_file():
        raise _missing(Path(path))
    with _reading(path):
        return _HANDLES.of(path, claim).read(list(bands), window=window, out=out)


def _read_remote(
    path: str, bands: list[int], window: Window, claim: Header | None, settings: Mapping[str, str]
) -> NDArray[Any]:
    with _settings(path, settings):
        file = _HANDLES.of(path, claim)
        try:
            return file.read(bands, window=window)
        except RasterioError:
            _HANDLES.forget(path)
            if size_bytes := _SEEN.get(path, remote.Facts()).size_bytes:
                with rasterio.open(path) as again:
                    _check_whole(again, path, size_bytes, window)
            raise
