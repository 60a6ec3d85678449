"""Splits that share no ground: one rectangle is held out for test, one for validation, a buffer lies around each.

Fire and vegetation are alike over short distances, so tiles split at random let a model see its own test (Roberts et
al. 2017, Ecography 40, 913-929: spatial blocks). Here a window belongs to a split only where all of it lies on that
split's ground, and to none where it comes within `buffer` cells of another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError, LeakageError
from geolabel.grid import Grid, Tile
from geolabel.nouns.samples import SpreadSamples

Splits = NDArray[np.str_]
USED = ("train", "val", "test")
STEPS = 24
"""Sizes tried for the validation ground on each side and corner of the grid."""


def boxes(tiles: Iterable[Tile]) -> NDArray[np.int64]:
    """(n, 4) integers: first row, first column, row after the last, column after the last of each tile's core."""
    rows = [(t.row, t.col, t.row + t.height, t.col + t.width) for t in tiles]
    return np.array(rows, np.int64).reshape(-1, 4)


def gap(a: NDArray[np.int64], b: NDArray[np.int64]) -> Any:
    """Cells between two rectangles (last axis as in `boxes`; broadcasts), along the axis that parts them most.

    0 where they touch, negative where they overlap; two pixels of rectangles `g` apart are at least g + 1 rows or
    columns from each other.
    """
    return np.maximum(a[..., :2] - b[..., 2:], b[..., :2] - a[..., 2:]).max(axis=-1)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where a window may lie to be test or val; all other ground, further than `buffer` cells from both, is train."""

    held_out: Tile
    val: Tile | None
    buffer: int

    def of(self, windows: NDArray[np.int64]) -> Splits:
        """(n,) split of each window (rows as in `boxes`): train, val, test, or buffer where it is none of them."""
        split = np.full(len(windows), "train", dtype="<U6")
        for name, ground in (("val", self.val), ("test", self.held_out)):
            if ground is not None:
                box = boxes([ground])[0]
                inside = (windows[:, :2] >= box[:2]).all(1) & (windows[:, 2:] <= box[2:]).all(1)
                split[gap(windows, box) < self.buffer] = "buffer"
                split[inside] = name
        return split

    def tile(self, split: str) -> Tile | None:
        """The rectangle that test or val windows must lie in; None for train."""
        return {"test": self.held_out, "val": self.val}.get(split)

    def at(self, row: int, col: int) -> str:
        """Split of a fire that starts in this cell: test, val or train (its windows may still fall in a buffer)."""
        point = boxes([Tile(row, col, 1, 1)])
        for name, ground in (("test", self.held_out), ("val", self.val)):
            if ground is not None and gap(point, boxes([ground]))[0] < 0:
                return name
        return "train"


def cut_grounds(
    tiles: Sequence[Tile],
    grid: Grid,
    *,
    held_out: Tile,
    buffer: int,
    seed: int = 0,
    val_share: float = 0.2,
    least: int | None = None,
) -> Grounds:
    """Grounds in which the fewest of these windows are lost to buffers.

    The validation ground is a strip along a side or a square in a corner of the grid, at least `least` cells wide
    (default: the smallest window) and just large enough for `val_share` of the windows outside the held-out ground;
    `seed` breaks ties. Where none is large enough, the one with the most windows is taken; `val_share=0` gives none.

    Raises
    ------
    InputError
        The held-out ground is not on the grid, or no window is left to train on.
    """
    box = boxes([held_out])[0]
    if (box[2:] > grid.shape).any() or buffer < 0 or not 0 <= val_share < 1:
        raise InputError(f"held-out ground {held_out} on {grid!r}, buffer {buffer}, validation share {val_share}")
    windows = boxes(tiles)
    plain = Grounds(held_out, None, buffer)
    wanted = val_share * (plain.of(windows) == "train").sum()
    least = least or int((windows[:, 2:] - windows[:, :2]).min(initial=min(grid.shape)))
    choices = [plain] if val_share == 0 else _choices(windows, grid, plain, wanted, least)
    np.random.default_rng(seed).shuffle(choices)
    best = max(choices, key=lambda g: _worth(g.of(windows), wanted), default=plain)
    split = best.of(windows)
    if not (split == "train").any() or (val_share > 0 and not (split == "val").any()):
        raise InputError(
            f"of {len(windows)} windows none is left for training or validation beside {held_out}, buffer {buffer}",
            hint="smaller windows, a smaller buffer or a smaller held-out ground",
        )
    return best


def _choices(windows: NDArray[np.int64], grid: Grid, plain: Grounds, wanted: float, least: int) -> list[Grounds]:
    """For each side and corner the smallest ground with enough windows, or its largest possible one."""
    chosen = []
    for anchor in range(8):
        last = None
        for ground in _growing(grid, anchor, least):
            if gap(boxes([ground]), boxes([plain.held_out]))[0] < plain.buffer:
                break
            last = Grounds(plain.held_out, ground, plain.buffer)
            if (last.of(windows) == "val").sum() >= wanted:
                break
        if last is not None:
            chosen.append(last)
    return chosen


def _growing(grid: Grid, anchor: int, least: int) -> Iterator[Tile]:
    """Strips (anchors 0-3: top, bottom, left, right) or corner squares (4-7) from `least` cells to half the grid."""
    most = max(least, min(grid.shape) // 2)
    for size in np.unique(np.linspace(least, most, STEPS).astype(int)).tolist():
        height = grid.height if anchor in (2, 3) else min(size, grid.height)
        width = grid.width if anchor in (0, 1) else min(size, grid.width)
        row = grid.height - height if anchor in (1, 6, 7) else 0
        col = grid.width - width if anchor in (3, 5, 7) else 0
        yield Tile(row, col, height, width)


def _worth(split: Splits, wanted: float) -> tuple[float, int]:
    """More is better: first enough validation windows, then training windows."""
    return min(float((split == "val").sum()), wanted), int((split == "train").sum())


def split_ground(
    tiles: Sequence[Tile],
    grid: Grid,
    *,
    held_out: Tile,
    buffer: int,
    seed: int = 0,
    val_share: float = 0.2,
    fire: Sequence[int] | None = None,
) -> Splits:
    """(n,) split of each tile: test inside the held-out ground, val inside the validation ground, else train; `buffer`
    within `buffer` cells of another split's ground, and for all windows of a `fire` that lies in two splits.

    Raises
    ------
    InputError
        As `cut_grounds`.
    """
    grounds = cut_grounds(tiles, grid, held_out=held_out, buffer=buffer, seed=seed, val_share=val_share)
    split = grounds.of(boxes(tiles))
    for number in np.unique(np.asarray(fire)) if fire is not None else ():
        same = np.asarray(fire) == number
        if len(set(split[same].tolist()) - {"buffer"}) > 1:
            split[same] = "buffer"
    return split


def check_split(samples: SpreadSamples, buffer: int) -> None:
    """Nothing, where no two splits share ground or a fire.

    Raises
    ------
    LeakageError
        Names the first two windows of different splits that are fewer than `buffer` cells apart, or of one fire.
    """
    used = np.flatnonzero(np.isin(samples.split, USED))
    windows, split, fire = boxes([samples.tiles[i] for i in used]), samples.split[used], samples.fire[used]
    for i in range(len(used) - 1):
        other = split[i + 1 :] != split[i]
        near = other & (gap(windows[i + 1 :], windows[i]) < buffer)
        bad = np.flatnonzero(near | (other & (fire[i + 1 :] == fire[i])))
        if bad.size:
            raise LeakageError(
                _pair(samples, int(used[i]), int(used[i + 1 + bad[0]]), buffer),
                hint="split by ground and by fire: geolabel.dataset.split.split_ground(...)",
            )


def _pair(samples: SpreadSamples, i: int, j: int, buffer: int) -> str:
    names = [f"window {samples.tiles[k].key} of fire {samples.fire[k]} ({samples.split[k]})" for k in (i, j)]
    if samples.fire[i] == samples.fire[j]:
        return f"one fire in two splits: {names[0]} and {names[1]}"
    apart = int(gap(boxes([samples.tiles[i]]), boxes([samples.tiles[j]]))[0])
    found = f"lie {apart} cells apart" if apart >= 0 else "share ground"
    return f"{names[0]} and {names[1]} {found}; the buffer is {buffer}"
