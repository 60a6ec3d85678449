"""How alike two masks are: overlap, deviation and agreement. Masks are boolean arrays of one shape.

Overall accuracy and kappa grow when the field around a burn is padded; they are never headline figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union (Jaccard), 0-1; NaN where both are empty."""
    return _ratio((found & truth).sum(), (found | truth).sum())


def boundary_region(mask: Mask, band_px: int) -> Mask:
    """(y, x) bool: pixels of the mask at most `band_px` pixels (in rows or columns) from one that is not in it.

    The array's edge is no boundary: what was drawn goes on in the next tile.

    Source: Cheng et al. 2021, CVPR (section 4: the band inside of a mask's contour).
    """
    return mask & ~ndimage.binary_erosion(mask, np.ones((3, 3), bool), iterations=band_px, border_value=1)


def boundary_iou(found: Mask, truth: Mask, band_px: int = 2) -> float:
    """Intersection over union of the bands inside both outlines, 0-1: unlike IoU it does not grow with the patch's size.

    NaN where neither has an outline.

    Source: Cheng et al. 2021, CVPR, equation 1.
    """
    return iou(boundary_region(found, band_px), boundary_region(truth, band_px))


def sorensen(found: Mask, truth: Mask) -> float:
    """Twice the intersection over the sum of both areas (Sorensen-Dice), 0-1; NaN where both are empty."""
    return _ratio(2 * (found & truth).sum(), int(found.sum()) + int(truth.sum()))


def shape_deviation(found: Mask, truth: Mask) -> float:
    """SDI: area found wrongly plus area missed, over the true area; 0 is best; NaN without truth."""
    return _ratio((found ^ truth).sum(), truth.sum())


def area_difference(found: Mask, truth: Mask) -> float:
    """ADI: area found wrongly plus area missed, over the area found rightly; 0 is best; NaN where they do not meet."""
    return _ratio((found ^ truth).sum(), (found & truth).sum())


def area_bias(found: Mask, truth: Mask) -> float:
    """Area found over true area, minus 1: +0.1 is 10 % too much; NaN without truth."""
    return _ratio(int(found.sum()) - int(truth.sum()), truth.sum())


def sensitivity(found: Mask, truth: Mask) -> float:
    """Share of the truth that was found; NaN without truth."""
    return _ratio((found & truth).sum(), truth.sum())


def specificity(found: Mask, truth: Mask) -> float:
    """Share of the ground outside of the truth that was left out; NaN where truth is everywhere."""
    return _ratio((~found & ~truth).sum(), (~truth).sum())


def overall_accuracy(found: Mask, truth: Mask) -> float:
    """Share of pixels that agree."""
    return _ratio((found == truth).sum(), truth.size)


def kappa(found: Mask, truth: Mask) -> float:
    """Cohen's kappa: agreement beyond what chance gives (Cohen 1960); NaN where chance explains everything."""
    p, q = float(found.mean()), float(truth.mean())
    chance = p * q + (1 - p) * (1 - q)
    return _ratio(overall_accuracy(found, truth) - chance, 1 - chance)
