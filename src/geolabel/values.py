"""DN to values: scale, offset and nodata in one compiled pass over the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.boxes import Box
from geolabel.nouns.scene import Scaling


def to_values(dn: NDArray[Any], *, scale: float, offset: float, nodata: Sequence[float]) -> NDArray[np.float32]:
    """float32 `dn * scale + offset` of any shape, NaN at nodata and where DN are not finite.

    Computed in float64, so unsigned integers cannot underflow.
    """
    values = np.empty(dn.shape, np.float32)
    flat = np.ascontiguousarray(dn).reshape(1, 1, -1)
    table = _table([Scaling(scale, offset, tuple(nodata))])
    _fill(flat, table, values.reshape(1, 1, -1), 0, 0, 0, 0, 1, flat.shape[2])
    return values


def put_values(
    dn: NDArray[Any], at: Box, out: NDArray[np.float32], to: Box, *, scalings: Sequence[Scaling]
) -> NDArray[np.float32]:
    """`out` (band, y, x), its rectangle `to` filled with the values of the rectangle `at` of `dn` (band, y, x).

    The same numbers as `to_values` gives, without an array between; bands are scaled each by its own.
    """
    rows, cols = at
    size = rows.stop - rows.start, cols.stop - cols.start
    first = rows.start, cols.start, to[0].start, to[1].start
    _fill(np.ascontiguousarray(dn), _table(scalings), out, *first, *size)
    return out


def _table(scalings: Sequence[Scaling]) -> NDArray[np.float64]:
    """(band, 2 + n) scale, offset and nodata values, NaN where a band has fewer (nothing equals NaN)."""
    most = max(1, *(len(one.nodata) for one in scalings), 1)
    padded = [(one.scale, one.offset, *one.nodata, *[np.nan] * (most - len(one.nodata))) for one in scalings]
    return np.array(padded, np.float64)


@njit(nogil=True, cache=True)
def _fill(dn, table, out, row, col, to_row, to_col, height, width):  # type: ignore[no-untyped-def]
    for band in range(dn.shape[0]):
        scale, offset, missing = table[band, 0], table[band, 1], table[band, 2]
        for y in range(height):
            line, to = dn[band, row + y, col : col + width], out[band, to_row + y, to_col : to_col + width]
            for x in range(width):  # one comparison a pixel on plain lines: such a loop runs eight pixels at a time
                one = np.float64(line[x])
                known = (one != missing) & np.isfinite(one)
                to[x] = np.float32(one * scale + offset) if known else np.float32(np.nan)
            for other in range(3, table.shape[1]):
                for x in range(width):
                    if np.float64(line[x]) == table[band, other]:
                        to[x] = np.float32(np.nan)
