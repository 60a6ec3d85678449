"""Sequences of fires as samples: windows of what was known at a time, and where the fire was hours later.

Only new growth is a target that tells anything: cells burned at the start are not scored. Windows are drawn around
the growth with a random offset, so that their position does not give the answer away, and only on the ground of the
fire's own split.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from geolabel.dataset.split import Grounds, check_split, cut_grounds
from geolabel.errors import InputError
from geolabel.grid import Grid, Tile
from geolabel.nouns.samples import SpreadSamples

TRIES = 64
"""Positions drawn for a window before it is given up to the buffer."""
SPARSE = 4
"""Every how many rows and columns a cell is looked at to place the validation ground."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One fire at one start time, all arrays (y, x) on the whole grid, or on `tile` of it where that is given."""

    fire: int
    t0_min: float
    """Start: minutes after ignition at which the fire is known."""
    until_min: float
    """How long the fire was followed; a target beyond it would be made up."""
    inputs: NDArray[Any]
    """(channel, y, x): what is known at the start, finite."""
    arrival_min: NDArray[Any]
    """Minutes after ignition; inf or NaN where the fire never came."""
    bearing_deg: NDArray[Any]
    """Spread TO at arrival, degrees clockwise from true north; NaN where the fire never came."""
    burnable: NDArray[np.bool_]
    """Known ground that can burn."""
    tile: Tile | None = None

    def __post_init__(self) -> None:
        shape = self.arrival_min.shape
        others = {self.inputs.shape[1:], self.bearing_deg.shape, self.burnable.shape}
        if others != {shape} or (self.tile is not None and shape != (self.tile.height, self.tile.width)):
            raise InputError(f"fire {self.fire}: arrival {shape}, other arrays {sorted(others)}, tile {self.tile}")
        if not (self.arrival_min <= self.t0_min).any():
            raise InputError(f"fire {self.fire} burns nothing by minute {self.t0_min:g}", hint="start at ignition: 0")

    def ground(self, grid: Grid) -> Tile:
        """The rectangle of the grid that the arrays cover."""
        whole = Tile(0, 0, *grid.shape)
        if self.tile is None and self.arrival_min.shape != grid.shape:
            raise InputError(f"fire {self.fire} of {self.arrival_min.shape} on {grid!r}", hint="say which tile it is")
        return self.tile or whole


def spread_samples(
    moments: Iterable[Moment],
    grid: Grid,
    *,
    channels: Sequence[str],
    hours: Sequence[float],
    held_out: Tile,
    made_of: Mapping[str, str],
    size: int = 64,
    buffer: int = 16,
    windows: int = 3,
    seed: int = 0,
    val_share: float = 0.2,
) -> SpreadSamples:
    """Samples: `windows` windows of `size` cells of each moment, on the ground of the split in which its fire began.

    A window holds a random cell of new growth anywhere in it, so that ground ahead of the fire is seen as often as it
    is met, and is shifted to lie inside the grid; it is drawn again until all of it lies on its split's ground, and is
    `buffer` where that cannot be. The moments are read once, one at a time. Memory: n * size^2 * (4 * channels + hours + 5) bytes, twice that at the end.

    Raises
    ------
    InputError
        Inputs that are not finite, hours beyond the time a fire was followed, windows larger than the grid.
    LeakageError
        Never, unless the law of the split is broken: it is checked at the end.
    """
    first, rest = _peek(moments)
    grounds = _grounds(first, grid, size=size, held_out=held_out, buffer=buffer, seed=seed, val_share=val_share)
    rows: list[dict[str, Any]] = []
    homes: dict[int, str] = {}
    for moment in rest:
        _check(moment, channels, hours)
        home = homes.setdefault(moment.fire, _home(moment, grid, grounds))  # a later moment may not show where it began
        corners, split = _draw(moment, grid, grounds, home, size=size, n=windows, minutes=60 * max(hours), seed=seed)
        for row, col in corners.tolist():
            rows.append({**_cut(moment, grid, Tile(row, col, size, size), hours), "split": split})
    samples = _stack(rows, grid, channels, hours, made_of)
    check_split(samples, buffer)
    return samples


def _peek(moments: Iterable[Moment]) -> tuple[Moment, Iterable[Moment]]:
    from itertools import chain

    rest = iter(moments)
    for first in rest:
        return first, chain([first], rest)
    raise InputError("no fire to make samples of")


def _grounds(first: Moment, grid: Grid, *, size: int, **how: Any) -> Grounds:
    """Grounds by share of the burnable cells, where fires begin (as known on the first moment's ground)."""
    if size > min(grid.shape) or size > min(how["held_out"].height, how["held_out"].width):
        raise InputError(f"windows of {size} cells on {grid!r}, held out {how['held_out']}", hint="smaller windows")
    burnable = np.ones(grid.shape, bool)
    burnable[first.ground(grid).slices] = first.burnable
    return cut_grounds(_cells(burnable), grid, least=size, **how)


def _cells(burnable: NDArray[np.bool_]) -> list[Tile]:
    """Every few burnable cells, as tiles of one cell."""
    return [Tile(int(r), int(c), 1, 1) for r, c in np.argwhere(burnable[::SPARSE, ::SPARSE]) * SPARSE]


def train_share(
    burnable: NDArray[np.bool_],
    grid: Grid,
    *,
    size: int,
    held_out: Tile,
    buffer: int = 16,
    seed: int = 0,
    val_share: float = 0.2,
) -> float:
    """Share of the burnable cells that windows of `size` cells can show in training, 0 where the ground cannot be cut.

    Takes what `spread_samples` takes: it tells before any fire is simulated whether there is ground to learn from.
    """
    if size > min(held_out.height, held_out.width, *grid.shape):
        return 0.0
    cells = _cells(burnable)
    try:
        grounds = cut_grounds(cells, grid, held_out=held_out, buffer=buffer, seed=seed, val_share=val_share, least=size)
    except InputError:
        return 0.0
    rows, cols = np.indices((grid.height - size + 1, grid.width - size + 1))
    corners = np.stack([rows.ravel(), cols.ravel()], 1)
    free = (grounds.of(np.hstack([corners, corners + size])) == "train").reshape(rows.shape)
    shown = np.zeros(grid.shape, bool)
    shown[: rows.shape[0], : rows.shape[1]] = free
    shown = maximum_filter(shown, size, origin=(size - 1) // 2, mode="constant")
    return float(shown[burnable].mean()) if burnable.any() else 0.0


def _check(moment: Moment, channels: Sequence[str], hours: Sequence[float]) -> None:
    if len(channels) != len(moment.inputs):
        raise InputError(f"fire {moment.fire}: {len(moment.inputs)} inputs for the channels {', '.join(channels)}")
    end = moment.t0_min + 60 * max(hours)
    if end > moment.until_min + 1e-6:
        raise InputError(
            f"fire {moment.fire} was followed to minute {moment.until_min:g}; its targets go to minute {end:g}",
            hint="simulate longer, start earlier or ask for fewer hours",
        )


def _home(moment: Moment, grid: Grid, grounds: Grounds) -> str:
    """Split of the ground on which the fire began."""
    ground, arrival = moment.ground(grid), moment.arrival_min
    first = int(np.argmin(np.where(np.isfinite(arrival), arrival, np.inf)))
    row, col = np.unravel_index(first, arrival.shape)
    return grounds.at(int(row) + ground.row, int(col) + ground.col)


def _draw(
    moment: Moment, grid: Grid, grounds: Grounds, home: str, *, size: int, n: int, minutes: float, seed: int
) -> tuple[NDArray[np.int64], str]:
    """((up to n, 2) first rows and columns of windows, their split); the draw depends on seed, fire and start only."""
    rng = np.random.default_rng([seed, moment.fire, round(moment.t0_min)])
    ground, arrival = moment.ground(grid), moment.arrival_min
    growth = (arrival > moment.t0_min) & (arrival <= moment.t0_min + minutes) & moment.burnable
    cells = np.argwhere(growth if growth.any() else arrival <= moment.t0_min)
    cells = cells[rng.integers(len(cells), size=n * TRIES)] + np.array([ground.row, ground.col])
    corners = _inside(cells + rng.integers(-(size // 2), size // 2 + 1, cells.shape) - size // 2, ground, size)
    if (home_ground := grounds.tile(home)) is not None:
        corners = _inside(_inside(corners, home_ground, size), ground, size)
    shown = ((cells >= corners) & (cells < corners + size)).all(1)
    right = shown & (grounds.of(np.hstack([corners, corners + size])) == home)
    return (corners[right][:n], home) if right.any() else (corners[:n], "buffer")


def _inside(corners: NDArray[np.int64], ground: Tile, size: int) -> NDArray[np.int64]:
    """Corners of windows shifted to lie inside a rectangle that is at least as large."""
    first = np.array([ground.row, ground.col])
    most = first + np.array([ground.height, ground.width]) - size
    if (most < first).any():
        raise InputError(f"windows of {size} cells do not fit on {ground}", hint="smaller windows")
    return np.clip(corners, first, most)


def _cut(moment: Moment, grid: Grid, tile: Tile, hours: Sequence[float]) -> dict[str, Any]:
    """The columns of one sample."""
    ground = moment.ground(grid)
    rows, cols = Tile(tile.row - ground.row, tile.col - ground.col, tile.height, tile.width).slices
    arrival = moment.arrival_min[rows, cols]
    burned = np.stack([arrival <= moment.t0_min + 60 * hour for hour in hours])
    inputs = moment.inputs[:, rows, cols].astype(np.float32)
    if not np.isfinite(inputs).all():
        raise InputError(f"fire {moment.fire}, window {tile.key}: inputs that are not finite", hint="fill nodata first")
    return {
        "inputs": inputs,
        "burned": burned,
        "bearing_deg": np.where(burned[-1], moment.bearing_deg[rows, cols], np.nan).astype(np.float32),
        "scored": moment.burnable[rows, cols] & ~(arrival <= moment.t0_min),
        "fire": moment.fire,
        "tile": tile,
    }


def _stack(
    rows: list[dict[str, Any]], grid: Grid, channels: Sequence[str], hours: Sequence[float], made_of: Mapping[str, str]
) -> SpreadSamples:
    columns = {name: np.stack([row[name] for row in rows]) for name in ("inputs", "burned", "bearing_deg", "scored")}
    return SpreadSamples(
        grid=grid,
        channels=tuple(channels),
        hours=tuple(float(h) for h in hours),
        fire=np.array([row["fire"] for row in rows], np.int64),
        tiles=tuple(row["tile"] for row in rows),
        split=np.array([row["split"] for row in rows]),
        made_of=dict(made_of),
        **columns,
    )
