"""One shape of several annotators' shapes of the same object: without pixels, holes kept."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geolabel.quality.instances.matching import Shapes, ordered
from geolabel.shapes import polygons_of

Floats = NDArray[np.float64]
BOX = 1e-9
"""Share of its bounding box that a box may lack."""
PLACES = 64
"""Points along an outline at which its spread is measured."""


def fused(shapes: Shapes) -> BaseGeometry:
    """The shape that stands for all of them, whatever their order.

    Boxes give the box of their median sides. Else it is the ground that at least half of them hold; where an even number
    leaves it open whether half is enough, the one of the two whose area is nearer to their median area. Where no ground
    is held by so many, the one shape that has most in common with the others.

    Source: Vorob'ev's median of random sets, as in Molchanov (2005), Theory of Random Sets, section 2.2.
    """
    shapes = shapes[ordered(shapes)]
    if len(shapes) == 1:
        return shapes[0]
    if are_boxes(shapes):
        return shapely.box(*np.median(shapely.bounds(shapes), axis=0))
    faces, held = _faces(shapes)
    half = (len(shapes) + 1) // 2
    wanted = float(np.median(shapely.area(shapes)))
    levels = [shapely.union_all(faces[held >= least]) for least in sorted({half, len(shapes) // 2 + 1})]
    known = [polygons_of(one) for one in levels if one.area > 0]
    return min(reversed(known), key=lambda one: abs(one.area - wanted)) if known else medoid(shapes)


def are_boxes(shapes: Shapes) -> bool:
    """Whether all are rectangles along the axes."""
    return bool((shapely.area(shapes) >= (1 - BOX) * shapely.area(shapely.envelope(shapes))).all())


def _faces(shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """(faces into which the outlines cut the ground, number of shapes that hold each)."""
    lines = shapely.union_all(shapely.boundary(shapes))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = shapely.point_on_surface(faces)
    held = np.zeros(len(faces), np.int64)
    for one in shapes:
        held += shapely.contains(one, inside)
    return faces, held


def medoid(shapes: Shapes) -> BaseGeometry:
    """The shape with the greatest sum of overlaps with all; of equals the first."""
    return shapes[int(np.argmax([ious(one, shapes).sum() for one in shapes]))]


def ious(one: BaseGeometry, shapes: Shapes) -> Floats:
    """(n,) intersection over union of one shape with each."""
    common = shapely.area(shapely.intersection(one, shapes))
    return np.asarray(common / (one.area + shapely.area(shapes) - common))


def boundary_sd_m(whole: BaseGeometry, shapes: Shapes) -> float:
    """Median along the outline of the standard deviation of the shapes' outlines from it, in units of the CRS (metres).

    Distances are to the nearest place of each shape's outline, positive where it holds the point; NaN for one shape.
    """
    if len(shapes) < 2:
        return float("nan")
    outline = shapely.boundary(whole)
    points = shapely.line_interpolate_point(outline, np.arange(PLACES) / PLACES, normalized=True)
    away = shapely.distance(points[None], shapely.boundary(shapes)[:, None])
    sign = np.where(shapely.intersects(points[None], shapes[:, None]), 1.0, -1.0)
    return float(np.median(np.std(away * sign, axis=0, ddof=1)))
