"""Defects of a tile: where its labels are not the inspector's, in words. What acceptance sampling counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.ontology import NODATA, UNLABELED
from geolabel.quality.scores import iou

Codes = NDArray[np.uint8]
LEAST_JUDGED = 0.5
"""Share of the ground that the inspector could judge which the labels must judge too: to be unsure of all is no label."""


def defects(
    found: Codes, truth: Codes, names: Mapping[int, str], *, least_iou: float = 0.7, least_px: int = 10
) -> tuple[str, ...]:
    """One sentence for each class in which a tile's labels are not the truth, by code; () of a tile without defect.

    A class that was missed, one that is not there, and one whose IoU is below `least_iou` are defects. Ground that
    either side left out (255) does not count, nor do classes of fewer than `least_px` pixels on both sides; but labels
    that leave out more than half of what the inspector could judge are a defect themselves.

    Parameters
    ----------
    found, truth
        (y, x) uint8 class codes, 0 unlabeled, 255 not judged.
    names
        Class code -> name.

    Raises
    ------
    QualityError
        For codes of two shapes.
    """
    if found.shape != truth.shape:
        raise QualityError(f"labels of {found.shape} held against a truth of {truth.shape}", hint="both of one tile")
    judged = (found != NODATA) & (truth != NODATA)
    known = int((truth != NODATA).sum())
    if judged.sum() < LEAST_JUDGED * known:
        return (f"only {judged.sum() / known:.0%} of the ground was judged",)
    there = sorted({*np.unique(found[judged]).tolist(), *np.unique(truth[judged]).tolist()} - {UNLABELED})
    told = [
        _defect(judged & (found == code), judged & (truth == code), names[code], least_iou, least_px) for code in there
    ]
    return tuple(words for words in told if words)


def _defect(found: NDArray[np.bool_], truth: NDArray[np.bool_], name: str, least_iou: float, least_px: int) -> str:
    own, true = int(found.sum()), int(truth.sum())
    if max(own, true) < least_px:
        return ""
    if not own:
        return f"{name} was missed ({true} pixels)"
    if not true:
        return f"{name} where there is none ({own} pixels)"
    alike = iou(found, truth)
    return f"IoU of {name} is {alike:.2f}, below {least_iou:.2f}" if alike < least_iou else ""
