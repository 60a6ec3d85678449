"""Signed distances to an outline, in pixels: the common measure of where somebody drew a line."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
KEPT, KEPT_PX = 32, 1 << 20
"""How many cut distances are kept at hand, of masks of so many pixels at most: each gold task is left out of every method."""


def signed_distance_px(mask: Mask) -> NDArray[np.float64]:
    """(y, x) distance of each pixel's centre to the mask's outline, positive inside; infinite where there is none.

    Half a pixel is taken off, since the outline runs between two centres: pixels beside it are at +0.5 and -0.5.
    """
    if mask.all() or not mask.any():
        return np.full(mask.shape, np.inf if mask.any() else -np.inf)
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    return np.where(mask, inside - 0.5, 0.5 - outside)


def cut_distance_px(mask: Mask, reach_px: float) -> NDArray[np.float32]:
    """(y, x) signed distance, cut at +-`reach_px`; read-only."""
    if mask.size > KEPT_PX:
        return _cut(mask, reach_px)
    return _kept(np.packbits(mask).tobytes(), mask.shape, reach_px)


def _cut(mask: Mask, reach_px: float) -> NDArray[np.float32]:
    away = np.clip(signed_distance_px(mask), -reach_px, reach_px).astype(np.float32)
    away.flags.writeable = False
    return away


@lru_cache(maxsize=KEPT)
def _kept(bits: bytes, shape: tuple[int, ...], reach_px: float) -> NDArray[np.float32]:
    mask = np.unpackbits(np.frombuffer(bits, np.uint8), count=int(np.prod(shape))).astype(bool)
    return _cut(mask.reshape(shape), reach_px)


def outline(mask: Mask) -> Mask:
    """(y, x) bool: pixels of the mask beside one that is not in it; the array's edge is no outline."""
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


def offset_px(drawn: Mask, truth: Mask) -> NDArray[np.float64]:
    """(n,) distances of the drawn outline's pixels outside (+) or inside (-) of the true outline; none without both."""
    if drawn.all() or not drawn.any() or truth.all() or not truth.any():
        return np.empty(0)
    return 0.5 - signed_distance_px(truth)[outline(drawn)]
