"""Stratified: what a stratified random sample says of shares and ratios, with the variance of each.

A sample is a table of counts by stratum and cell; a cell is a pair of map class and reference class. Users', producers' and
overall accuracy and areas are shares or ratios of cells, so one formula gives all of them, whether the strata are the
map's classes (Olofsson et al. 2014) or not (Stehman 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError

Floats = NDArray[np.float64]
Cells = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stratified:
    """Counts of a sample drawn at random, without replacement, within each stratum."""

    counts: Floats
    """(stratum, map class, reference class) samples."""
    areas_m2: Floats
    """(stratum,) area, m2."""
    names: tuple[str, ...]
    """Of the strata."""
    pixels: Floats | None = None
    """(stratum,) pixels that could be drawn; with them variances shrink as the sample comes near to all of them."""
    shown: Cells | None = None
    """(stratum, map class) whether the map shows the class there; without it any class may be anywhere."""

    def __post_init__(self) -> None:
        few = [name for name, n, whole in zip(self.names, self.n, self._whole, strict=True) if n < 2 and not whole]
        if few:
            raise QualityError(
                f"fewer than 2 samples in {', '.join(few)}", hint="label more of its points, or merge the stratum"
            )

    @property
    def n(self) -> Floats:
        """(stratum,) samples."""
        return self.counts.sum((1, 2))

    @property
    def weights(self) -> Floats:
        """(stratum,) share of the area."""
        return self.areas_m2 / self.areas_m2.sum()

    @property
    def _whole(self) -> Cells:
        """(stratum,) whether every pixel was sampled: nothing is left to be unsure of."""
        return np.zeros(len(self.n), bool) if self.pixels is None else self.n >= self.pixels

    @property
    def left(self) -> Floats:
        """(stratum,) finite population correction: the share of the pixels that were not drawn, 1 where unknown."""
        return np.ones(len(self.n)) if self.pixels is None else np.clip(1 - self.n / self.pixels, 0, 1)

    def holds(self, cells: Cells) -> Cells:
        """(stratum,) whether a sample may lie in these cells at all."""
        shown = np.ones(self.counts.shape[:2], bool) if self.shown is None else self.shown
        return np.asarray((shown & cells.any(1)).any(1))

    def shares(self, cells: Cells) -> Floats:
        """(stratum,) share of the samples that lie in these cells."""
        return (self.counts * cells).sum((1, 2)) / self.n

    def proportions(self) -> Floats:
        """(map class, reference class) estimated share of the area. Source: Olofsson et al. 2014, eq. 4."""
        return np.einsum("h,hmr->mr", self.weights / self.n, self.counts)

    def share(self, cells: Cells) -> tuple[float, float]:
        """(estimated share of the area in these cells, its standard error).

        Source: Olofsson et al. 2014, eqs. 5, 9 and 10; Stehman 2014, eqs. 3 and 25.
        """
        part = self.shares(cells)
        return float(self.weights @ part), self._error(part * (1 - part))

    def ratio(self, cells: Cells, of: Cells) -> tuple[float, float]:
        """(estimated share of the area of `of` that lies in `cells`, a part of it; standard error): NaN without any.

        Source: Olofsson et al. 2014, eqs. 6 and 7; Stehman 2014, eqs. 27 and 28.
        """
        part, whole = self.shares(cells), self.shares(of)
        there = self.weights @ whole
        if not there:
            return float("nan"), float("nan")
        ratio = float(self.weights @ part / there)
        square = (1 - ratio) ** 2 * part + ratio**2 * (whole - part)  # mean of (y - ratio x)**2, whose mean is not 0
        return ratio, self._error(square - (part - ratio * whole) ** 2) / float(there)

    def _error(self, spread: Floats) -> float:
        """Standard error of a mean whose samples vary by this much (divided by n) within the strata."""
        variance = self.left * np.maximum(spread, 0) / np.maximum(self.n - 1, 1)
        return float(np.sqrt(self.weights**2 @ variance))
