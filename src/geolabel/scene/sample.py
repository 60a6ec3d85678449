"""Values of pixels at positions between them, compiled: means that never cross nodata, classes as they are.

Positions are (row, col) in pixels, whole numbers at centres. Sums are taken in float64 and in one order, so results do not
depend on how the work was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = NDArray[np.float32]
SNAP_PX = 1e-6
"""Positions this near to a pixel's centre are that centre: coordinates that differ by 1e-13 snap."""


def blend(values: Values, row: Floats, col: Floats, step: int = 1) -> Values:
    """(band, h, w) float32 means of bilinear values over step x step positions each, NaN where fewer than half are known.

    At one position the valid ones of the four nearest pixels are weighted. It has a value where the pixel that holds it
    has one: nodata neither grows nor shrinks.

    Parameters
    ----------
    values
        (band, y, x), NaN = no data.
    row, col
        (h * step, w * step).
    """
    return _filled(_blend, values, row, col, step)


def commonest(values: Values, row: Floats, col: Floats, step: int = 1) -> Values:
    """(band, h, w) float32: the most frequent of the pixels that hold step x step positions, of equals the lowest.

    NaN where fewer than half of the positions are known; with one position, the pixel under it.
    """
    return _filled(_commonest, values, row, col, step)


def _filled(kernel: Any, values: Values, row: Floats, col: Floats, step: int) -> Values:
    result = np.empty((len(values), row.shape[0] // step, row.shape[1] // step), np.float32)
    kernel(np.ascontiguousarray(values, np.float32), row, col, step, result)
    return result


@njit(nogil=True, cache=True)
def _blend(values: Values, row: Floats, col: Floats, step: int, result: Values) -> None:
    bands = result.shape[0]
    total, count = np.empty(bands), np.empty(bands, np.int64)
    for i in range(result.shape[1]):
        for j in range(result.shape[2]):
            total[:], count[:] = 0.0, 0
            for a in range(i * step, (i + 1) * step):
                for b in range(j * step, (j + 1) * step):
                    if _holds(values, row[a, b], col[a, b]):
                        for band in range(bands):
                            one = _between(values, band, row[a, b], col[a, b])
                            if np.isfinite(one):
                                total[band] += one
                                count[band] += 1
            for band in range(bands):
                known = 0 < step * step <= 2 * count[band]
                result[band, i, j] = total[band] / count[band] if known else np.nan


@njit(nogil=True, cache=True, inline="always")
def _between(values: Values, band: int, row: float, col: float) -> float:
    """Bilinear value of a band at a position that a pixel holds, NaN where that pixel has none."""
    if not np.isfinite(values[band, int(np.floor(row + 0.5)), int(np.floor(col + 0.5))]):
        return np.nan
    total, weight = 0.0, 0.0
    top, left = int(np.floor(row)), int(np.floor(col))
    for r in range(max(top, 0), min(top + 2, values.shape[1])):
        for c in range(max(left, 0), min(left + 2, values.shape[2])):
            if np.isfinite(values[band, r, c]):
                share = (1 - abs(row - r)) * (1 - abs(col - c))
                total += share * values[band, r, c]
                weight += share
    return total / weight


@njit(nogil=True, cache=True, inline="always")
def _holds(values: Values, row: float, col: float) -> bool:
    """Whether a pixel holds the position (a position that is NaN lies nowhere)."""
    return -0.5 <= row < values.shape[1] - 0.5 and -0.5 <= col < values.shape[2] - 0.5


@njit(nogil=True, cache=True)
def _commonest(values: Values, row: Floats, col: Floats, step: int, result: Values) -> None:
    under = np.empty(step * step, np.float32)
    for band in range(result.shape[0]):
        for i in range(result.shape[1]):
            for j in range(result.shape[2]):
                n = 0
                for a in range(i * step, (i + 1) * step):
                    for b in range(j * step, (j + 1) * step):
                        # a position on the line between two pixels is the lower one's, also where rounding says less
                        y, x = row[a, b] + SNAP_PX, col[a, b] + SNAP_PX
                        if _holds(values, y, x):
                            one = values[band, int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
                            if np.isfinite(one):
                                _insert(under, n, one)
                                n += 1
                result[band, i, j] = _longest(under[:n]) if 0 < step * step <= 2 * n else np.nan


@njit(nogil=True, cache=True)
def _insert(ascending: Values, n: int, one: float) -> None:
    """Put one more value into the first n, which stay in order."""
    k = n
    while k and ascending[k - 1] > one:
        ascending[k] = ascending[k - 1]
        k -= 1
    ascending[k] = one


@njit(nogil=True, cache=True)
def _longest(ascending: Values) -> float:
    """The value of the longest run, of equally long ones the first."""
    best, length, run = ascending[0], 1, 1
    for k in range(1, len(ascending)):
        run = run + 1 if ascending[k] == ascending[k - 1] else 1
        if run > length:
            best, length = ascending[k], run
    return best
