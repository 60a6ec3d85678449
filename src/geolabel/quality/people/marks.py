"""Marks: one answer to one gold task held against its truth, for all classes together and for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.consensus.votes import NOT_JUDGED, Codes, collect
from geolabel.quality.distance import outline, signed_distance_px
from geolabel.quality.scores import boundary_region

Mask = NDArray[np.bool_]
PASS_IOU = 0.7
"""IoU from which a gold task is passed."""
BAND_PX = 2
"""Width of the band of the boundary IoU, pixels."""
UNBURNED = "unburned"
"""Names the ground inside a scar that did not burn: drawn or left as a hole, it is the same."""
ALL = 0
"""Number of the mark over all classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """Pixels in which an answer and the truth are alike; sums, so that marks of many tasks can be pooled."""

    right: int
    """Pixels of the same class (or none) in both."""
    judged: int
    shared: int
    """Of the same class in both: the intersection."""
    union: int
    """Of a class in one of them at least."""
    band_shared: int
    band_union: int
    found: int
    """Of the true ones, those that were drawn."""
    true: int
    left_out: int
    """Of those that are not true, those that were not drawn."""
    other: int
    offsets_px: NDArray[np.float64]
    """Distances of the drawn outline outside (+) and inside (-) of the true one."""

    @property
    def iou(self) -> float:
        """Intersection over union, 0-1; 1 where both are empty: nothing was there and nothing was drawn."""
        return self.shared / self.union if self.union else 1.0


def drawn_codes(task: Task, grid: Grid, answer: Answer, classes: Sequence[str]) -> Codes:
    """(y, x) what an answer says: 0 nothing (also unburned), k class k by name, -1 not judged."""
    codes = collect(task, grid, [answer], classes).codes[0]
    if UNBURNED in classes:
        codes[codes == sorted(classes).index(UNBURNED) + 1] = 0
    return codes


def true_codes(truth: NDArray[np.generic], task: Task, classes: Sequence[str]) -> Codes:
    """(y, x) a truth as `drawn_codes` counts; it counts classes in the order in which they are given, -1 unknown.

    Raises
    ------
    QualityError
        Where it does not have the tile's shape.
    """
    shape = (task.tile.height, task.tile.width)
    if truth.shape != shape:
        raise QualityError(f"gold of {truth.shape} for task {task.id!r} of {shape}")
    order = [0, *(sorted(classes).index(name) + 1 if name != UNBURNED else 0 for name in classes), NOT_JUDGED]
    return np.array(order, np.int8)[truth.astype(np.int8)]


def marks(drawn: Codes, truth: Codes, n_classes: int, *, band_px: int = BAND_PX) -> Mapping[int, Mark]:
    """Code -> mark; `ALL` of all classes, and of each class that is true or was drawn. Only ground that both know counts."""
    known = (drawn >= 0) & (truth >= 0)
    said, true = np.where(known, drawn, 0), np.where(known, truth, 0)
    there = [code for code in range(1, n_classes + 1) if (said == code).any() or (true == code).any()]
    bands = {code: (boundary_region(said == code, band_px), boundary_region(true == code, band_px)) for code in there}
    shared = {code: int((one & other).sum()) for code, (one, other) in bands.items()}
    union = {code: int((one | other).sum()) for code, (one, other) in bands.items()}
    every = (sum(shared.values()), sum(union.values()))
    found = {ALL: _mark(said > 0, true > 0, known, said == true, every)}
    for code in there:
        one, other = said == code, true == code
        found[code] = _mark(one, other, known, one == other, (shared[code], union[code]))
    return found


def _mark(said: Mask, true: Mask, known: Mask, same: Mask, band: tuple[int, int]) -> Mark:
    return Mark(
        right=int((known & same).sum()),
        judged=int(known.sum()),
        shared=int((true & same).sum()),
        union=int((said | true).sum()),
        band_shared=band[0],
        band_union=band[1],
        found=int((said & true).sum()),
        true=int(true.sum()),
        left_out=int((known & ~said & ~true).sum()),
        other=int((known & ~true).sum()),
        offsets_px=_offsets_px(said, true, known),
    )


def _offsets_px(said: Mask, true: Mask, known: Mask) -> NDArray[np.float64]:
    """Distances of the drawn outline outside (+) of the true one, but for pixels beside ground that nobody judged."""
    if said.all() or not said.any() or true.all() or not true.any():
        return np.empty(0)
    drawn = outline(said) & ~ndimage.binary_dilation(~known)
    return 0.5 - signed_distance_px(true)[drawn]
