"""One raster file as a header and a lazy array: the only lines that touch an input raster's bytes.

Every chunk opens the file for itself, so no lock is held between threads and nothing has to be pickled but a path.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import rasterio
from dask.base import tokenize
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.grid import Grid


@dataclass(frozen=True, slots=True)
class Header:
    """What a raster file says of itself."""

    path: Path
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
        return digest(self.path.name, self.size_bytes, self.grid.digest, what)


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
    path = Path(path)
    if not path.is_file():
        raise _missing(path)
    with _reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said better, as CRSError
        with rasterio.open(path) as file:
            _check_whole(file, path)
            return _header(file, path)


def _header(file: Any, path: Path) -> Header:
    if file.crs is None:
        raise CRSError(
            f"{path.name} has no CRS", hint=f"say which it is in: gdal_edit.py -a_srs EPSG:32611 {path.name}"
        )
    if file.transform.b or file.transform.d:
        raise InputError(
            f"the grid of {path.name} is rotated", hint=f"gdalwarp {path.name} north-up.tif makes it north-up"
        )
    described = tuple(text or "" for text in file.descriptions)
    return Header(
        path=path,
        size_bytes=path.stat().st_size,
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
def _reading(path: Path) -> Iterator[None]:
    """Turn rasterio's errors on `path` into one that says what to do."""
    try:
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


def lazy(header: Header, chunks: int) -> da.Array:
    """(band, y, x) lazy DN of the file's dtype, in chunks of whole stored blocks, about `chunks` pixels wide and high."""
    rows, cols = _chunk_shape(header, chunks)
    height, width = header.grid.shape
    bands = header.count if header.pixel_interleaved else 1
    return da.map_blocks(
        partial(_read, header.path),
        chunks=da.core.normalize_chunks((bands, rows, cols), (header.count, height, width)),
        dtype=header.dtype,
        meta=np.empty((0, 0, 0), header.dtype),
        name=f"read-{tokenize(str(header.path.absolute()), header.digest, header.path.stat().st_mtime_ns, chunks)}",
    )


def _chunk_shape(header: Header, chunks: int) -> tuple[int, int]:
    """Whole blocks: a file in strips is cut into bands of rows, so that no strip is read twice."""
    height, width = header.grid.shape
    cols = min(-(-chunks // header.block[1]) * header.block[1], width)
    rows = max(chunks * chunks // cols if header.block[1] >= width else chunks, 1)
    return min(-(-rows // header.block[0]) * header.block[0], height), cols


def _read(path: Path, block_info: Any = None) -> NDArray[Any]:
    (b0, b1), rows, cols = block_info[None]["array-location"]
    return read_window(path, range(b0 + 1, b1 + 1), Window.from_slices(rows, cols))


def read_window(path: Path, bands: range, window: Window) -> NDArray[Any]:
    """(band, y, x) pixels of one window."""
    with _reading(path), rasterio.open(path) as file:
        return file.read(list(bands), window=window)
