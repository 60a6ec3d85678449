"""Open a digital elevation model, one file or a folder of chips, on a given grid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray
from rasterio.windows import Window

from geolabel.digests import digest
from geolabel.errors import BandError, CRSError, InputError, SourceError, UnitError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.scene.extent import extent_words
from geolabel.scene.frame import dataset, windowed
from geolabel.scene.reading import Header, read_header, read_window, state_of
from geolabel.scene.remote import is_remote, name_of
from geolabel.scene.resample import Place, onto, source_window, step_between
from geolabel.values import to_values

OPEN_START, OPEN_END = datetime(1900, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Ground has no acquisition time that matters here: a DEM speaks of this open span."""
METRES = (None, "", "m", "metre", "meter", "metres", "meters")


def open_dem(
    path: str | Path,
    grid: Grid,
    *,
    id: str | None = None,  # noqa: A002 - the noun's own word
    licence: str = "unknown",
    chunks: int = 512,
) -> Scene:
    """Scene with one lazy float32 band `elevation` in metres on `grid`, bilinear, NaN where no file has a value.

    Parameters
    ----------
    path
        A raster with one band, here or at an address, or a folder of them (`*_dem.tif` where there are such, else every `*.tif`), each in
        a CRS of its own; where files overlap, elevation is their mean.

    Raises
    ------
    SourceError
        Where a file is missing, unreadable or cut short, or the folder holds none.
    CRSError
        Where a DEM is in degrees or without a CRS.
    UnitError
        Where a file says that its heights are not metres.
    InputError
        Where no file lies on the grid.
    """
    name = name_of(path)
    headers = [_checked(read_header(file)) for file in _files(path)]
    near = [header for header in headers if _window_on(grid, header) is not None]
    if not near:
        raise InputError(
            f"the DEM {name} does not lie on the scene: it spans {extent_words(headers[0].grid)}",
            hint=f"the scene spans {extent_words(grid)}",
        )
    names = tuple(header.name for header in near)
    return Scene(
        id=id or Path(name).stem,
        start=OPEN_START,
        end=OPEN_END,
        grid=grid,
        data=dataset({"elevation": _mosaic(near, grid, chunks)}, grid, attrs={"elevation": {"units": "m"}}),
        sensor="dem",
        quantity="elevation_m",
        source=names,
        digest=digest([header.digest for header in near], grid.digest),
        licence=licence,
        audit=(_audit(len(near), len(headers), grid),),
    )


def _audit(n_near: int, n_all: int, grid: Grid) -> str:
    words = f"elevation in metres, mean of {n_near} files where they overlap, bilinear to {grid!r}"
    return f"{words}; {n_all - n_near} files off the grid left out"


def _files(path: str | Path) -> list[str] | list[Path]:
    if is_remote(path):
        return [str(path)]
    path = Path(path)
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*_dem.tif")) or sorted(p for p in path.iterdir() if p.suffix.lower() in (".tif", ".tiff"))
    if not found:
        raise SourceError(f"the folder {path} holds no .tif file", hint="name the DEM file, or the folder of its chips")
    return found


def _checked(header: Header) -> Header:
    name = header.name
    if header.count != 1:
        raise BandError(f"the DEM {name} has {header.count} bands, not one", hint=f"gdal_translate -b 1 {name} dem.tif")
    if not header.grid.crs.projected:
        raise CRSError(
            f"the DEM {name} is in degrees ({header.grid.crs_name})",
            hint=f"gdalwarp -t_srs EPSG:32611 -r bilinear {name} dem_utm.tif (with your UTM zone)",
        )
    if header.units[0] not in METRES:
        raise UnitError(
            f"the heights of {name} are in {header.units[0]!r}, not metres", hint="convert them with gdal_calc.py"
        )
    return header


def _window_on(grid: Grid, header: Header) -> tuple[slice, slice] | None:
    """(rows, cols) of the grid's pixels that a file may reach."""
    return source_window(Place.of(grid), Place.of(header.grid))


def _mosaic(headers: Sequence[Header], grid: Grid, chunks: int) -> da.Array:
    """(y, x) lazy float32."""
    token = tokenize([(one.path, one.digest, state_of(one.path)) for one in headers], grid.digest, chunks)
    chunked = da.core.normalize_chunks(chunks, grid.shape)
    return windowed(partial(_mosaic_window, tuple(headers), grid), chunked, np.float32, name=f"dem-{token}")


def _mosaic_window(headers: Sequence[Header], grid: Grid, down: slice, across: slice) -> NDArray[np.float32]:
    top, bottom, left, right = down.start, down.stop, across.start, across.stop
    total, count = np.zeros((bottom - top, right - left)), np.zeros((bottom - top, right - left), int)
    for header in headers:
        reach = _window_on(grid, header)
        if reach is None:
            continue
        rows, cols = _common(slice(top, bottom), reach[0]), _common(slice(left, right), reach[1])
        if rows.start < rows.stop and cols.start < cols.stop:
            here = slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left)
            height = _heights(header, grid, rows, cols)
            valid = np.isfinite(height)
            total[here] += np.where(valid, height, 0)
            count[here] += valid
    return np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _common(a: slice, b: slice) -> slice:
    return slice(max(a.start, b.start), min(a.stop, b.stop))


def _heights(header: Header, grid: Grid, rows: slice, cols: slice) -> NDArray[np.float32]:
    """(h, w) elevation of one file on a rectangle of the grid."""
    source, target = Place.of(header.grid), Place.of(grid).part(rows, cols)
    window = source_window(source, target)
    if window is None:
        return np.full(target.shape, np.nan, np.float32)
    raw = read_window(header.path, range(1, 2), Window.from_slices(*window))
    nodata = () if header.nodata is None else (header.nodata,)
    values = to_values(raw, scale=1.0, offset=0.0, nodata=nodata)
    return onto(values, source.part(*window), target, step_between(header.grid, grid))[0]
