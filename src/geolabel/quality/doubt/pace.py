"""How long an answer takes: a look at the tile, and so much for every pixel of outline; learned from active seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.optimize import nnls

from geolabel.errors import QualityError

LEAST_ANSWERS = 5
"""Timed answers that are needed to leave the default."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Minutes of an answer; the default is 6 s for a look and 0.2 s for a pixel of outline."""

    look_min: float = 0.1
    px_min: float = 1 / 300

    @classmethod
    def of(cls, outline_px: ArrayLike, active_s: ArrayLike) -> Self:
        """Pace of answers with these outlines and active seconds: non-negative least squares, neither part below 0.

        With fewer than five timed answers it is the default. Answers without a time do not count.

        Raises
        ------
        QualityError
            Where the two are not of one length.
        """
        outline, seconds = np.asarray(outline_px, float), np.asarray(active_s, float)
        if outline.shape != seconds.shape:
            raise QualityError(f"{outline.shape} outlines and {seconds.shape} times")
        timed = np.isfinite(seconds) & (seconds > 0)
        if timed.sum() < LEAST_ANSWERS:
            return cls()
        parts = np.column_stack([np.ones(int(timed.sum())), outline[timed]])
        (look, each), _ = nnls(parts, seconds[timed] / 60)
        return cls(max(float(look), float(seconds[timed].min()) / 60 / 10), float(each))

    def minutes(self, outline_px: ArrayLike) -> NDArray[np.float64]:
        """(n,) minutes of answers with outlines of so many pixels."""
        return np.asarray(self.look_min + self.px_min * np.asarray(outline_px, float))


def outline_px(codes: NDArray[np.integer]) -> int:
    """Pixels of a class next to one of another class, in rows or columns; the tile's edge is no outline.

    Parameters
    ----------
    codes
        (y, x) class codes; 0, and what is below, is no class.
    """
    lowest = ndimage.minimum_filter(codes, footprint=_CROSS, mode="nearest")
    highest = ndimage.maximum_filter(codes, footprint=_CROSS, mode="nearest")
    return int(np.count_nonzero((codes > 0) & (lowest != highest)))


_CROSS = ndimage.generate_binary_structure(2, 1)
