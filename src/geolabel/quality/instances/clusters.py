"""Objects of several annotators that are the same thing: matched in pairs, joined where the pairs agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from geolabel.quality.instances.matching import Shapes, assigned, overlaps

Member = tuple[str, int]
"""(annotator, place of the object among the annotator's)."""
LEAST_IOU = 0.3
"""Overlap from which two annotators' objects may be the same: two shapes that each share 0.6 with the true one may share
little more with each other."""


def clusters(drawn: Mapping[str, Shapes], *, least: float = LEAST_IOU) -> list[tuple[Member, ...]]:
    """Groups of objects, at most one of each annotator in a group, every object in one; sorted.

    Each two annotators' objects are matched one to one (Hungarian on IoU). The matches are gone through from the closest
    to the least: two groups join where they have no annotator in common and their objects overlap by `least` on average
    over all pairs (average linkage), so that no chain of neighbours grows. No order of the annotators matters: they are
    taken by name, and matches of one overlap by the names of what they join.

    Parameters
    ----------
    drawn
        Annotator -> (object,) polygons, in an order that follows from the shapes themselves (`matching.ordered`).
    """
    names = sorted(drawn)
    shared: dict[tuple[Member, Member], float] = {}
    matches: list[tuple[float, Member, Member]] = []
    for a, b in combinations(names, 2):
        for i, j, iou in zip(*overlaps(drawn[a], drawn[b]), strict=True):
            shared[(a, int(i)), (b, int(j))] = float(iou)
        for i, j, iou in zip(*assigned(drawn[a], drawn[b], least), strict=True):
            matches.append((-float(iou), (a, int(i)), (b, int(j))))
    group = {(name, n): [(name, n)] for name in names for n in range(len(drawn[name]))}
    for _, one, other in sorted(matches):
        first, second = group[one], group[other]
        if first is not second and _same(first, second, shared, least):
            first.extend(second)
            group.update(dict.fromkeys(second, first))
    return sorted({id(own): tuple(sorted(own)) for own in group.values()}.values())


def _same(
    first: Sequence[Member], second: Sequence[Member], shared: Mapping[tuple[Member, Member], float], least: float
) -> bool:
    if {name for name, _ in first} & {name for name, _ in second}:
        return False
    pairs = [(min(a, b), max(a, b)) for a in first for b in second]
    return bool(np.mean([shared.get(pair, 0.0) for pair in pairs]) >= least)
