"""Where water would gather on a DEM: depressions filled, flow over all lower neighbours, the wetness index.

Flow has no border that a block could be cut at, so it is computed on the whole DEM at once, up to `MAX_PIXELS`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.nouns.scene import Scene
from geolabel.scene.frame import dataset
from geolabel.scene.terrain import NOTHING, heights_of

Floats = NDArray[np.float64]
Cells = NDArray[np.int32]

MAX_PIXELS = 25_000_000
"""5000 x 5000: about 60 bytes a pixel are held at once, 1.5 GB."""
MIN_SLOPE = 0.001
"""Rise over run taken for flat and filled ground, where the index would be infinite."""
AROUND = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)])
"""(rows, cols) to the eight neighbours."""
STRAIGHT, DIAGONAL = 0.5, np.sqrt(2) / 4
"""Contour length towards a neighbour, in pixels (Quinn et al. 1991: 0.5 and 0.354)."""


def twi(dem: Scene) -> Any:
    """Lazy float32 DataArray (y, x): topographic wetness index ln(a / tan slope), a in m2 per m of contour.

    Depressions are filled, and water parts over all lower neighbours by slope and contour length. The slope is the one
    of that flow, at least `MIN_SLOPE`. Ground beyond the DEM sends no water, so pixels whose catchment leaves the DEM
    come out too dry. NaN where a neighbour is missing, and so in the outermost ring. Computed in one piece.

    Raises
    ------
    InputError
        For more than `MAX_PIXELS` pixels; when computed, for a DEM without any height.
    CRSError
        On a grid that is not metric with square pixels.
    UnitError
        Where the scene holds no heights in metres.

    Source: Beven & Kirkby 1979, Hydrological Sciences Bulletin 24:43 (index); Quinn et al. 1991, Hydrological Processes
    5:59 (flow over all lower neighbours, contour lengths); Barnes et al. 2014, Computers & Geosciences 62:117
    (priority-flood with a rise in flats).
    """
    heights, n = heights_of(dem), dem.grid.height * dem.grid.width
    if n > MAX_PIXELS:
        raise InputError(
            f"a wetness index of {dem.grid.height} x {dem.grid.width} pixels; it is computed in one piece of at most "
            f"{MAX_PIXELS:,}",
            hint="open the DEM on a smaller or coarser grid, best on whole catchments",
        )
    kernel = partial(wetness, res_m=dem.grid.res_m)
    whole = da.map_blocks(kernel, heights.rechunk(-1), dtype=np.float32, meta=NOTHING)
    words = {"units": "1", "long_name": "topographic wetness index, ln(a / tan slope)"}
    return dataset({"twi": whole.rechunk(heights.chunks)}, dem.grid, attrs={"twi": words})["twi"]


def wetness(z: NDArray[np.float32], *, res_m: float) -> NDArray[np.float32]:
    """(y, x) float32 wetness index of heights, m, on square pixels; see `twi`."""
    filled, order = fill(z)
    pixels, fall = gather(filled, order)
    steep = np.maximum(fall, MIN_SLOPE * res_m)  # m of contour, times rise, over one pixel's run
    index = np.log(pixels * res_m**2 / steep)
    return np.where(_has_all_neighbours(z), index, np.nan).astype(np.float32)


def _has_all_neighbours(z: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    known = np.pad(np.isfinite(z), 1)
    height, width = z.shape
    parts = [known[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in [*AROUND.tolist(), (0, 0)]]
    return np.logical_and.reduce(parts)


def fill(z: NDArray[np.floating[Any]]) -> tuple[Floats, Cells]:
    """(heights without depressions, known cells from low to high), by flooding from the outlets.

    Outlets are the pixels at the border and beside missing ones. A filled pixel lies one float above the pixel it
    drains to, so that every other pixel has a lower neighbour.

    Raises
    ------
    InputError
        Where no pixel has a height.
    """
    if not np.isfinite(z).any():
        raise InputError("a DEM without any height", hint="is its nodata value right, does it lie on this grid?")
    filled, order = z.astype(np.float64), np.empty(z.size, np.int32)
    n = _flood(filled, np.isfinite(filled), _has_all_neighbours(z), order)
    return filled, order[:n]


@njit(nogil=True, cache=True)
def _flood(filled: Floats, waiting: NDArray[np.bool_], inside: NDArray[np.bool_], order: Cells) -> int:
    """Raise depressions in place and write the order of flooding; the number of known cells."""
    width = filled.shape[1]
    flat = filled.reshape(-1)
    heap, size, n = np.empty(flat.size, np.int32), 0, 0
    for cell in range(flat.size):
        row, col = divmod(cell, width)
        if waiting[row, col] and not inside[row, col]:
            waiting[row, col] = False
            heap[size] = cell
            size += 1
            _rise(heap, size - 1, flat)
    while size:
        cell = heap[0]
        size -= 1
        heap[0] = heap[size]
        _sink(heap, size, flat)
        order[n] = cell
        n += 1
        row, col = divmod(cell, width)
        for down, right in AROUND:
            r, c = row + down, col + right
            if 0 <= r < filled.shape[0] and 0 <= c < width and waiting[r, c]:
                waiting[r, c] = False
                filled[r, c] = max(filled[r, c], np.nextafter(filled[row, col], np.inf))
                heap[size] = r * width + c
                size += 1
                _rise(heap, size - 1, flat)
    return n


@njit(nogil=True, cache=True)
def _lower(a: int, b: int, flat: Floats) -> bool:
    """Whether cell a comes out of the heap before cell b: lower, of equal ones the first in the raster."""
    return bool(flat[a] < flat[b] or (flat[a] == flat[b] and a < b))


@njit(nogil=True, cache=True)
def _rise(heap: Cells, i: int, flat: Floats) -> None:
    while i and _lower(heap[i], heap[(i - 1) // 2], flat):
        heap[i], heap[(i - 1) // 2] = heap[(i - 1) // 2], heap[i]
        i = (i - 1) // 2


@njit(nogil=True, cache=True)
def _sink(heap: Cells, size: int, flat: Floats) -> None:
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and _lower(heap[child + 1], heap[child], flat):
            child += 1
        if not _lower(heap[child], heap[i], flat):
            break
        heap[i], heap[child] = heap[child], heap[i]
        i = child


@njit(nogil=True, cache=True)
def gather(filled: Floats, order: Cells) -> tuple[Floats, Floats]:
    """(pixels that drain through each pixel, itself included; sum of drop times contour length over lower neighbours).

    The second is tan slope times contour length in the unit of the heights: on a plane it is the slope times a pixel's
    edge whatever the direction, so `a / tan slope` is the first over the second.
    """
    height, width = filled.shape
    pixels, fall = np.ones((height, width)), np.zeros((height, width))
    share = np.empty(len(AROUND))
    for i in range(len(order) - 1, -1, -1):
        row, col = divmod(order[i], width)
        for k in range(len(AROUND)):
            r, c = row + AROUND[k, 0], col + AROUND[k, 1]
            share[k] = 0.0
            if 0 <= r < height and 0 <= c < width and filled[r, c] < filled[row, col]:
                straight = AROUND[k, 0] == 0 or AROUND[k, 1] == 0
                run, contour = (1.0, STRAIGHT) if straight else (np.sqrt(2.0), DIAGONAL)
                share[k] = (filled[row, col] - filled[r, c]) / run * contour
        fall[row, col] = share.sum()
        if fall[row, col] > 0:
            for k in range(len(AROUND)):
                if share[k] > 0:
                    pixels[row + AROUND[k, 0], col + AROUND[k, 1]] += pixels[row, col] * share[k] / fall[row, col]
    return pixels, fall
