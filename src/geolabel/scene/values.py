"""DN to values: scale, offset and nodata in one compiled pass over the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def to_values(dn: NDArray[Any], *, scale: float, offset: float, nodata: Sequence[float]) -> NDArray[np.float32]:
    """float32 `dn * scale + offset` of any shape, NaN at nodata and where DN are not finite.

    Computed in float64, so unsigned integers cannot underflow.
    """
    values = np.empty(dn.shape, np.float32)
    _to_values(dn.reshape(-1), float(scale), float(offset), np.asarray(nodata, np.float64), values.reshape(-1))
    return values


@njit(nogil=True, cache=True)
def _to_values(dn, scale, offset, nodata, values):  # type: ignore[no-untyped-def]
    for i in range(dn.size):
        one = np.float64(dn[i])
        known = np.isfinite(one)
        for missing in nodata:
            known &= one != missing
        values[i] = np.float32(one * scale + offset) if known else np.float32(np.nan)
