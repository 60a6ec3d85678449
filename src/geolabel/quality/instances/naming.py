"""Ids of agreed objects: the same over tile borders, and the same whoever answered in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geolabel.grid import Grid

CONTACT = 0.5
"""Share of the longer of their sides on a tile border that two parts must have in common to be one object."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What was agreed of an object on one tile."""

    task_id: str
    class_name: str
    tile: BaseGeometry
    """Rectangle of the task's tile."""
    shape: BaseGeometry
    drawn: Mapping[tuple[str, str], BaseGeometry]
    """(annotator, label_id) -> the shape, of those that it was fused from."""


def named(parts: Sequence[Part], grid: Grid, view_id: str) -> list[str]:
    """The id of each part, `{view}/{class}/{row}_{col}` of the first pixel of the whole object's bounds.

    Parts on different tiles are one object where an annotator drew them as one, or where they meet along the border.
    Objects whose bounds begin in one pixel are told apart by `~2`, `~3`, from large to small.
    """
    group = _wholes(parts, abs(grid.transform.a) * 1e-6)
    wholes: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(group):
        wholes[own].append(number)
    by_name: dict[str, list[int]] = defaultdict(list)
    for own, numbers in wholes.items():
        xmin, _, _, ymax = shapely.total_bounds([parts[n].shape for n in numbers])
        col, row = ~grid.transform * (xmin, ymax)
        place = f"{int(np.floor(row + 1e-6))}_{int(np.floor(col + 1e-6))}"
        by_name[f"{view_id}/{parts[numbers[0]].class_name}/{place}"].append(own)
    names: dict[int, str] = {}
    for name, all_ in by_name.items():
        for n, own in enumerate(sorted(all_, key=lambda one: _rank(parts, wholes[one])), start=1):
            names[own] = name if n == 1 else f"{name}~{n}"
    return [names[own] for own in group]


def _rank(parts: Sequence[Part], numbers: Sequence[int]) -> tuple[float, list[bytes]]:
    shapes = [parts[n].shape for n in numbers]
    return -float(shapely.area(shapes).sum()), sorted(shapely.to_wkb(shapely.normalize(shapes)).tolist())


def _wholes(parts: Sequence[Part], near: float) -> Sequence[int]:
    """Number of the object that each part belongs to."""
    links = [*_drawn_as_one(parts, near), *_meeting(parts, near)]
    if not links:
        return list(range(len(parts)))
    one, other = np.array(links).T
    graph = coo_array((np.ones(len(links)), (one, other)), shape=(len(parts), len(parts)))
    return [int(n) for n in connected_components(graph, directed=False)[1]]


def _drawn_as_one(parts: Sequence[Part], near: float) -> list[tuple[int, int]]:
    """Pairs of parts of one class on two tiles to which an annotator's shapes of one id belong that meet."""
    own: dict[tuple[str, tuple[str, str]], list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        for key in part.drawn:
            own[part.class_name, key].append(number)
    return [
        (one, other)
        for (_, key), numbers in own.items()
        for one, other in combinations(numbers, 2)
        if parts[one].task_id != parts[other].task_id
        and shapely.dwithin(parts[one].drawn[key], parts[other].drawn[key], near)
    ]


def _meeting(parts: Sequence[Part], near: float) -> list[tuple[int, int]]:
    """Pairs of parts of one class on two tiles whose outlines run together along the border between them."""
    shapes = np.array([part.shape for part in parts], object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=near) if len(shapes) else ((), ())
    return [
        (int(a), int(b))
        for a, b in zip(one, other, strict=True)
        if a < b
        and parts[a].class_name == parts[b].class_name
        and parts[a].task_id != parts[b].task_id
        and _in_contact(parts[a], parts[b], near)
    ]


def _in_contact(first: Part, second: Part, near: float) -> bool:
    common = _along(first.shape, second.shape, near)
    longer = max(_along(first.shape, second.tile, near), _along(second.shape, first.tile, near))
    return common > 10 * near and common >= CONTACT * longer


def _along(shape: BaseGeometry, other: BaseGeometry, near: float) -> float:
    """Length of the outline that runs along another shape."""
    strip = other.buffer(2 * near, cap_style="flat", join_style="mitre")
    return float(shapely.boundary(shape).intersection(strip).length)
