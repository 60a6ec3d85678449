"""The distinct patterns of votes: a million pixels hold a few hundred different ones. Compiled; one pass over the votes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.int8]
SMALL_KEY = 1 << 22


def distinct(codes: Codes, categories: int) -> tuple[Codes, NDArray[Any], NDArray[np.int64]]:
    """Different columns of votes (annotator, pixel) as (pattern, annotator), each pixel's number, and (pattern,) pixels.

    Patterns are in the order of their votes; codes run from -1, for not judged, to `categories` - 1.
    """
    base = categories + 1
    if base ** len(codes) > SMALL_KEY:
        rows, index, counts = np.unique(codes.T, axis=0, return_inverse=True, return_counts=True)
        return rows, index.ravel(), counts
    size = base ** len(codes)
    index, counts = np.empty(codes.shape[1], np.min_scalar_type(size)), np.zeros(size, np.int64)
    _count(np.ascontiguousarray(codes), base, index, counts)
    used = np.flatnonzero(counts)
    place = np.zeros(size, index.dtype)
    place[used] = np.arange(len(used))
    powers = base ** np.arange(len(codes) - 1, -1, -1)
    return (used[:, None] // powers % base - 1).astype(np.int8), place[index], counts[used]


@njit(cache=True, nogil=True)
def _count(codes, base, index, counts):  # type: ignore[no-untyped-def]
    """Write the key of each pixel's votes, as digits to the base, and how often each key occurs."""
    for pixel in range(codes.shape[1]):
        key = 0
        for annotator in range(codes.shape[0]):
            key = key * base + codes[annotator, pixel] + 1
        index[pixel] = key
        counts[key] += 1
