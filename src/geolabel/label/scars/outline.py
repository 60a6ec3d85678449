"""Outlines of patches from their runs: corners strip by strip, rings from corners. Exact, with holes, without seams.

A corner is a crossing of pixel edges at which a patch's outline turns. Whether it does shows in the four pixels around
it, so the corners of an image are those of its strips, and no strip leaves a trace. In each line of crossings the
corners of a patch pair up, two by two, as the ends of straight edges: walking row, column, row, column closes a ring.

Where a patch touches itself only diagonally, the two pixels outside are parted: rings never touch themselves, holes may
touch the outline at a point, and what comes out is valid by construction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geolabel.label.scars.quanta import COMPILE
from geolabel.label.scars.runs import I32, I64

RIGHT, DOWN = 1, 2
"""Arms of a corner: without RIGHT it goes left, without DOWN up."""


class Corners(NamedTuple):
    """Corners of outlines: patch (from 1), crossing, arms, and how many unseen pixels lie north-west of the crossing."""

    patch: I32
    row: I32
    col: I32
    arms: NDArray[np.uint8]
    unseen: I64

    def only(self, which: NDArray[Any]) -> Corners:
        """Some of them (a mask), or all in another order (numbers)."""
        return Corners(self.patch[which], self.row[which], self.col[which], self.arms[which], self.unseen[which])

    @classmethod
    def empty(cls, n: int) -> Corners:
        """Room for `n` corners."""
        place = (np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32))
        return cls(*place, np.empty(n, np.uint8), np.empty(n, np.int64))

    def plus(self, more: Corners) -> Corners:
        """These and more."""
        columns: list[Any] = [np.concatenate([self[i], more[i]]) for i in range(len(self))]
        return Corners(*columns)


class Rows(NamedTuple):
    """Runs of final patches (0 for none), row by row, and the runs of unseen ground."""

    start: I64
    first: I32
    last: I32
    patch: I32
    unseen_start: I64
    unseen_first: I32
    unseen_last: I32


def corners_of(rows: Rows, top: int, width: int, unseen_above: I64, *, last: bool) -> Corners:
    """Corners on the upper edges of a strip's rows (and on the lower edge of the last one, where it is the `last` strip).

    Parameters
    ----------
    rows
        The row above the strip (without runs where there is none), then its rows.
    top
        Row of the image at which the strip starts.
    unseen_above
        (x,) unseen pixels of each column above the strip.
    """
    lines = len(rows.start) - 1 + (1 if last else 0)
    n = _turn(rows, lines, top, width, unseen_above, Corners.empty(0), False)
    corners = Corners.empty(n)
    _turn(rows, lines, top, width, unseen_above, corners, True)
    return corners


@njit(**COMPILE)
def _lay(rows: Rows, row: int, line: I32, value: bool) -> None:
    """Write the patches of a row (or 0) into a line of pixels, which has one more on either side."""
    if row < len(rows.start) - 1:
        for run in range(rows.start[row], rows.start[row + 1]):
            line[rows.first[run] + 1 : rows.last[run] + 1] = rows.patch[run] if value else 0


@njit(**COMPILE)
def _turn(rows: Rows, lines: int, top: int, width: int, unseen_above: I64, out: Corners, keep: bool) -> int:
    """How many corners there are; written to `out` where `keep`."""
    above, below = np.zeros(width + 2, np.int32), np.zeros(width + 2, np.int32)
    seen_at = np.full(width + 1, -1, np.int32)
    north_west = np.zeros(width + 1, np.int64)
    north_west[1:] = np.cumsum(unseen_above)
    n = 0
    _lay(rows, 0, above, True)
    for line in range(1, lines):
        _lay(rows, line, below, True)
        for row in (line - 1, line):
            if row == len(rows.start) - 1:
                continue
            for run in range(rows.start[row], rows.start[row + 1]):
                for col in (rows.first[run], rows.last[run]):
                    if seen_at[col] != line:
                        seen_at[col] = line
                        n = _around(above, below, top + line - 1, col, north_west[col], out, keep, n)
        _lay(rows, line - 1, above, False)
        above, below = below, above
        if keep and line < len(rows.unseen_start) - 1:
            _add_unseen(rows, line, north_west)
    return n


@njit(**COMPILE)
def _add_unseen(rows: Rows, line: int, north_west: I64) -> None:
    """Add the unseen pixels of a row to the counts north-west of each crossing below it."""
    low, high = rows.unseen_start[line], rows.unseen_start[line + 1]
    if low == high:
        return
    count, col = 0, 0
    for run in range(low, high):
        first, last = rows.unseen_first[run], rows.unseen_last[run]
        north_west[col : first + 1] += count
        for at in range(first + 1, last + 1):
            count += 1
            north_west[at] += count
        col = last + 1
    north_west[col:] += count


@njit(**COMPILE)
def _around(above: I32, below: I32, row: int, col: int, unseen: int, out: Corners, keep: bool, n: int) -> int:
    """Corners at one crossing: of each patch among the four pixels around it."""
    nw, ne, sw, se = above[col], above[col + 1], below[col], below[col + 1]
    for i in range(4):
        patch = (nw, ne, sw, se)[i]
        if patch == 0 or (i > 0 and patch == nw) or (i > 1 and patch == ne) or (i > 2 and patch == sw):
            continue
        a, b, c, d = patch == nw, patch == ne, patch == sw, patch == se
        left, right, up, down = a != c, b != d, a != b, c != d
        if left and right and up and down:  # diagonal: each corner goes around one of the two pixels outside
            first, second = (0, RIGHT | DOWN) if b else (RIGHT, DOWN)
            n = _keep(patch, row, col, first, unseen, out, keep, n)
            n = _keep(patch, row, col, second, unseen, out, keep, n)
        elif left != right:
            n = _keep(patch, row, col, (RIGHT if right else 0) | (DOWN if down else 0), unseen, out, keep, n)
    return n


@njit(**COMPILE)
def _keep(patch: int, row: int, col: int, arms: int, unseen: int, out: Corners, keep: bool, n: int) -> int:
    if keep:
        out.patch[n], out.row[n], out.col[n], out.arms[n], out.unseen[n] = patch, row, col, arms, unseen
    return n + 1


class Rings(NamedTuple):
    """Closed rings in crossings (row, col): of each patch the outline first, then its holes, north-west first."""

    row: I32
    col: I32
    start: I64
    """(rings + 1,) number of each ring's first point."""
    patch: I32
    """(rings,)"""
    filled: I64
    """(rings,) pixels inside; of a hole below zero."""
    unseen: I64
    """(rings,) unseen pixels inside; of a hole below zero."""

    @classmethod
    def empty(cls, corners: int) -> Rings:
        """Room for the rings of so many corners: at least four each, and the first of a ring is also its last."""
        points, rings = corners + corners // 4, corners // 4
        sums = np.zeros(rings, np.int64), np.zeros(rings, np.int64)
        row, col = np.empty(points, np.int32), np.empty(points, np.int32)
        return cls(row, col, np.zeros(rings + 1, np.int64), np.empty(rings, np.int32), *sums)

    def only(self, n: int) -> Rings:
        """The first `n` rings."""
        end = int(self.start[n])
        row, col, start = self.row[:end], self.col[:end], self.start[: n + 1]
        return Rings(row, col, start, self.patch[:n], self.filled[:n], self.unseen[:n])


def rings_of(corners: Corners) -> Rings:
    """Rings of all patches whose corners are complete, in order of the patches' numbers."""
    right, down = corners.arms & RIGHT, (corners.arms & DOWN) >> 1
    by_row = np.lexsort((right, corners.col, corners.row, corners.patch))
    corners, down = corners.only(by_row), down[by_row]
    by_col = np.lexsort((down, corners.row, corners.col, corners.patch))
    along_col = np.empty(len(by_col), np.int64)
    along_col[by_col[0::2]], along_col[by_col[1::2]] = by_col[1::2], by_col[0::2]
    out = Rings.empty(len(along_col))
    made = _close(corners, along_col, out)
    return out.only(made)


@njit(**COMPILE)
def _close(corners: Corners, along_col: I64, out: Rings) -> int:
    """Walk every ring once. An outline goes south first (counter-clockwise on a north-up map), a hole east first."""
    n = len(along_col)
    done = np.zeros(n, np.bool_)
    ring, point = 0, 0
    for begin in range(n):
        if done[begin]:
            continue
        patch = corners.patch[begin]
        is_hole = ring > 0 and out.patch[ring - 1] == patch
        along_row, at = is_hole, begin
        while True:
            done[at] = True
            out.row[point], out.col[point] = corners.row[at], corners.col[at]
            point += 1
            if along_row:
                to = at ^ 1
            else:
                to = along_col[at]
                out.filled[ring] -= np.int64(corners.row[to] - corners.row[at]) * corners.col[at]
                out.unseen[ring] -= corners.unseen[to] - corners.unseen[at]
            along_row, at = not along_row, to
            if at == begin:
                break
        out.row[point], out.col[point] = corners.row[begin], corners.col[begin]
        point += 1
        out.patch[ring] = patch
        ring += 1
        out.start[ring] = point
    return ring


def polygons_of(rings: Rings, transform: tuple[float, ...]) -> NDArray[np.object_]:
    """(patches,) shapely polygons with holes, in the CRS of an affine transform (a, b, c, d, e, f)."""
    a, b, c, d, e, f = transform
    xy = np.empty((len(rings.row), 2))
    xy[:, 0] = a * rings.col + b * rings.row + c
    xy[:, 1] = d * rings.col + e * rings.row + f
    parts = np.append(np.flatnonzero(rings.filled > 0), len(rings.patch))
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (rings.start, parts))
