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
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.grid import Grid

CACHE_MB = 64
"""GDAL's cache of decoded blocks: reads are of whole blocks, so a large one would only fill the memory."""
HANDLES = 32
"""Open files a thread keeps."""


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

    @property
    def digest(self) -> str:
        """Over name, size and header; the folder does not count."""
        what = [self.dtype, self.count, str(self.nodata), list(self.names), dict(self.tags)]
        return digest(self.name, self.size_bytes, self.grid.digest, what)


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
    if is_local(path) and not Path(path).is_file():
        raise _missing(Path(path))
    with _reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said better, as CRSError
        with rasterio.open(path) as file:
            if is_local(path):
                _check_whole(file, Path(path))
            return _header(file, path)


def _header(file: Any, path: str | Path) -> Header:
    name = Path(path).name
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


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    """GDAL set up to read `path`; its errors become one that says what to do."""
    try:
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
            yield
    except RasterioError as error:
        raise SourceError(
            f"cannot read {path}: {error}", hint="is it a whole raster file? copy or download it again"
        ) from error


def _check_whole(file: Any, path: Path) -> None:
    """Raise where a block of a TIFF lies beyond the end of the file (a broken download)."""
    if file.driver != "GTiff":
        return
    size = path.stat().st_size
    planes = 1 if file.profile.get("interleave") == "pixel" else file.count
    for band in range(1, planes + 1):
        for (row, col), _ in file.block_windows(band):
            start, length = (
                file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE")
            )
            if start and length and int(start) + int(length) > size:
                raise SourceError(
                    f"{path} is cut short: {size} bytes, and pixels should lie at {int(start) + int(length)}",
                    hint="copy or download it again",
                )


class _Handles(threading.local):
    """Files this thread has open, least recently used first."""

    def __init__(self) -> None:
        self.files: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def of(self, path: str) -> Any:
        key = (path, os.getpid(), *_state(path))
        if key in self.files:
            self.files.move_to_end(key)
        else:
            self.files[key] = rasterio.open(path)
            while len(self.files) > HANDLES:
                self.files.popitem(last=False)[1].close()
        return self.files[key]


def _state(path: str) -> tuple[int, ...]:
    """What tells a file that was written anew from the one that is open."""
    if not is_local(path):
        return ()
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


_HANDLES = _Handles()


def read_window(path: str | Path, bands: Sequence[int], window: Window) -> NDArray[Any]:
    """(band, y, x) DN of one window, read by this thread's own handle."""
    if is_local(path) and not Path(path).is_file():
        raise _missing(Path(path))
    with _reading(path):
        return _HANDLES.of(str(path)).read(list(bands), window=window)
