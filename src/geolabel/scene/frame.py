"""Lazy arrays as xarray: dims (y, x), coordinates of the grid's pixel centres, the CRS where rioxarray and odc-geo look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import rioxarray  # noqa: F401 - registers `.rio` for whoever holds the data
import xarray as xr
from numpy.typing import NDArray
from odc.geo.xr import xr_coords

from geolabel.grid import Grid
from geolabel.scene import accessor  # noqa: F401 - registers `.geolabel`


def dataset(arrays: Mapping[str, Any], grid: Grid, *, attrs: Mapping[str, Mapping[str, str]] | None = None) -> Any:
    """xarray.Dataset (y, x) of arrays that lie on `grid`, one variable each, lazy where they are."""
    attrs = attrs or {}
    variables = {name: (("y", "x"), array, dict(attrs.get(name, {}))) for name, array in arrays.items()}
    return xr.Dataset(variables, coords=xr_coords(grid.geobox, always_yx=True))


@dataclass(frozen=True, slots=True)
class Windowed:
    """What dask slices its chunks out of, so that a graph of any number of chunks is one line."""

    read: Callable[[slice, slice], NDArray[Any]]
    """(rows, cols) -> pixels, whose last two dims are (y, x)."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of dims."""
        return len(self.shape)


def windowed(read: Callable[[slice, slice], NDArray[Any]], chunks: Any, dtype: Any, *, name: str) -> Any:
    """Lazy dask array whose chunks are windows that `read` gives; `chunks` as dask has them, whole in all but (y, x)."""
    shape = tuple(sum(sizes) for sizes in chunks)
    source = Windowed(read, shape, np.dtype(dtype))
    meta = np.empty((0,) * len(shape), dtype)
    return da.from_array(source, chunks, name=name, meta=meta, getitem=_window, asarray=False, inline_array=True)


def _window(source: Windowed, index: tuple[slice, ...], *_: Any, **__: Any) -> NDArray[Any]:
    return source.read(index[-2], index[-1])


def plane(stack: Any, i: int) -> Any:
    """(y, x) lazy array: plane `i` of a lazy (n, y, x) that is whole along n."""
    meta = np.empty((0, 0), stack.dtype)
    return da.blockwise(_plane, "yx", stack, "nyx", i=i, dtype=stack.dtype, meta=meta)


def _plane(blocks: list[NDArray[Any]], i: int) -> NDArray[Any]:
    return blocks[0][i]
