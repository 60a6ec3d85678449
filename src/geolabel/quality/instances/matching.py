"""Which object is which: overlap of shapes, and the assignment of one set to another that overlaps most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geolabel.errors import CRSError, QualityError
from geolabel.quality.intervals import Interval, bootstrap, ratio

Floats = NDArray[np.float64]
Shapes = NDArray[Any]
Index = NDArray[np.intp]
IOU = 0.5
"""Overlap from which a found object is a true one, as COCO and the detection literature count."""


def overlaps(first: Shapes, second: Shapes) -> tuple[Index, Index, Floats]:
    """(place in `first`, place in `second`, intersection over union) of all that have ground in common, in order."""
    if not len(first) or not len(second):
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    there, here = shapely.STRtree(second).query(first, predicate="intersects")
    common = shapely.area(shapely.intersection(first[there], second[here]))
    union = shapely.area(first[there]) + shapely.area(second[here]) - common
    order = np.lexsort((here, there))
    order = order[common[order] > 0]
    return there[order], here[order], common[order] / union[order]


def assigned(first: Shapes, second: Shapes, least: float) -> tuple[Index, Index, Floats]:
    """As `overlaps`, one to one: of pairs that overlap by `least` or more, those of the greatest sum.

    Source: Kuhn (1955), Naval Research Logistics 2 (the Hungarian method), by groups of shapes that meet.
    """
    i, j, iou = overlaps(first, second)
    i, j, iou = i[iou >= least], j[iou >= least], iou[iou >= least]
    n, size = len(first), len(first) + len(second)
    _, group = connected_components(coo_array((np.ones(len(i)), (i, n + j)), shape=(size, size)), directed=False)
    kept = [_best(i, j, iou, np.flatnonzero(group[i] == one)) for one in np.unique(group[i])]
    chosen = np.sort(np.concatenate(kept)) if kept else np.empty(0, np.intp)
    return i[chosen], j[chosen], iou[chosen]


def _best(i: Index, j: Index, iou: Floats, own: Index) -> Index:
    """Those of the pairs `own` that make the assignment."""
    if len(own) == 1:
        return own
    rows, row = np.unique(i[own], return_inverse=True)
    cols, col = np.unique(j[own], return_inverse=True)
    gain, which = np.zeros((len(rows), len(cols))), np.full((len(rows), len(cols)), -1, np.intp)
    gain[row, col], which[row, col] = iou[own], own
    found = which[linear_sum_assignment(gain, maximize=True)]
    return found[found >= 0]


def ordered(shapes: Shapes) -> Index:
    """Places of shapes in an order of their own: by their bounds, then by all their corners."""
    texts = shapely.to_wkb(shapely.normalize(shapes))
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    return np.array(sorted(range(len(shapes)), key=lambda n: (*bounds[n].tolist(), texts[n])), np.intp)


# ---------------------------------------------------------------------- how good what was found is
@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Objects found against true ones."""

    n_found: int
    n_truth: int
    pairs: tuple[tuple[int, int, float], ...]
    """(row of what was found, row of the truth, their overlap), one to one."""

    @property
    def n_matched(self) -> int:
        """Objects found that are true ones."""
        return len(self.pairs)

    @property
    def precision(self) -> float:
        """Share of the objects found that are true; NaN where none was found."""
        return self.n_matched / self.n_found if self.n_found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true objects that were found; NaN without any."""
        return self.n_matched / self.n_truth if self.n_truth else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where there is nothing on either side."""
        both = self.n_found + self.n_truth
        return 2 * self.n_matched / both if both else float("nan")

    @property
    def mean_iou(self) -> float:
        """Mean overlap of the pairs; NaN without any."""
        return float(np.mean([iou for _, _, iou in self.pairs])) if self.pairs else float("nan")


def match(found: Any, truth: Any, *, iou: float = IOU) -> Matched:
    """Objects found against true ones, both GeoDataFrames or GeoSeries in one CRS, matched one to one.

    Raises
    ------
    QualityError
        Where `iou` is not above 0 and at most 1.
    CRSError
        Where the two lie in different CRSs.
    """
    if not 0 < iou <= 1:
        raise QualityError(f"objects that match at an IoU of {iou}", hint="above 0 and at most 1, e.g. 0.5")
    if found.crs is not None and truth.crs is not None and found.crs != truth.crs:
        raise CRSError(f"objects in {found.crs.name}, truth in {truth.crs.name}", hint="found.to_crs(truth.crs)")
    first, second = np.array(list(found.geometry), object), np.array(list(truth.geometry), object)
    mine, theirs = ordered(first), ordered(second)
    i, j, values = assigned(first[mine], second[theirs], iou)
    pairs = sorted((int(mine[a]), int(theirs[b]), float(v)) for a, b, v in zip(i, j, values, strict=True))
    return Matched(len(first), len(second), tuple(pairs))


@dataclass(frozen=True, slots=True)
class ObjectSkill:
    """Precision, recall and F1 over several tasks, each with its interval, and the mean overlap of the matches."""

    n_tasks: int
    n_found: int
    n_truth: int
    n_matched: int
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    f1: float
    f1_interval: Interval
    mean_iou: float
    mean_iou_interval: Interval


def object_skill(matches: Mapping[str, Matched] | Sequence[Matched], *, seed: int = 0) -> ObjectSkill:
    """Pooled skill on objects over tasks; 95 % intervals by drawing the tasks again (NaN for fewer than two tasks).

    Raises
    ------
    QualityError
        Without tasks.
    """
    each = [matches[name] for name in sorted(matches)] if isinstance(matches, Mapping) else list(matches)
    if not each:
        raise QualityError("no tasks to score objects on", hint="match(found, truth) of each gold task")
    hits = np.array([one.n_matched for one in each], float)
    found, truth = np.array([one.n_found for one in each]), np.array([one.n_truth for one in each])
    overlap = np.array([sum(iou for _, _, iou in one.pairs) for one in each])
    figures: dict[str, Any] = {}
    for name, part, whole in (
        ("precision", hits, found),
        ("recall", hits, truth),
        ("f1", 2 * hits, found + truth),
        ("mean_iou", overlap, hits),
    ):
        share = ratio(part, whole)
        figures[name] = float(share(np.ones((1, len(each))))[0])
        figures[f"{name}_interval"] = bootstrap(share, len(each), way="percentile", seed=seed)
    return ObjectSkill(len(each), int(found.sum()), int(truth.sum()), int(hits.sum()), **figures)
