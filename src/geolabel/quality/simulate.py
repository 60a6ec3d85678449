"""Simulated annotators with known habits: what they draw of a known truth, as complete answers.

Their outlines, their times and their mistakes are simulated; they test what people's answers cannot, because the truth
is known. Habits are those measured in this project's targets (pixels of a scene whose truth is a mask).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtri

from geolabel.digests import digest
from geolabel.errors import InputError, nearest
from geolabel.grid import Grid, Tile
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.distance import signed_distance_px
from geolabel.quality.patches import EIGHT, Patches, patch_polygons, patches_of
from geolabel.tables import IGNORE, SHAPES, empty

Mask = NDArray[np.bool_]
LOOK_S, CLICK_S, CLICK_PX = 6.0, 1.2, 6.0
"""Simulated active time: a look at the tile, then one click for every so many pixels of outline."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How one kind of annotator draws; all lengths in pixels of the view."""

    name: str
    bias_px: float
    """Outline outside (+) or inside (-) of the truth."""
    noise_px: float
    """Standard deviation of the outline's smooth noise."""
    noise_scale_px: float
    """Gaussian sigma of that noise along the ground."""
    shift_sd_px: float
    """Standard deviation of one displacement of everything, in each direction."""
    islands: float
    """Share of the unburned islands that are drawn."""
    lazy: float
    """Share of the patches that get an ellipse instead of an outline."""
    unrelated: bool = False
    """Draws blobs that have nothing to do with what is there."""


HABITS = {
    habit.name: habit
    for habit in (
        Habit("expert", 0.0, 1.2, 6.0, 0.5, 0.9, 0.0),
        Habit("over", 4.5, 2.5, 9.0, 1.0, 0.3, 0.0),
        Habit("under", -3.5, 2.5, 9.0, 1.0, 0.8, 0.0),
        Habit("coarse", 1.0, 5.0, 14.0, 1.0, 0.1, 0.0),
        Habit("careless", 2.0, 4.0, 12.0, 3.0, 0.2, 0.15),
    )
}

OTHERS = {
    habit.name: habit
    for habit in (
        Habit("misses", 0.0, 1.2, 6.0, 0.5, 0.0, 0.0),
        Habit("spammer", 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, unrelated=True),
    )
}
"""Not measured but feared: one who draws like an expert and misses every island, and one who draws anything."""
BLOB_SCALE_PX, BLOB_SHARE = 24.0, 0.2
"""Smoothness of a spammer's blobs, and the share of the ground that they cover."""

TRUTH = Habit("truth", 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
"""Draws the truth itself: the gold of a simulation."""


def annotate(
    truth: Mask,
    grid: Grid,
    tasks: Sequence[Task],
    *,
    habit: Habit | str,
    n: int = 1,
    seed: int = 0,
    at: datetime,
    label: str = "burned",
) -> list[Answer]:
    """One complete answer a task by `sim:<habit>-<n>`; the same for a seed and habit, whatever tasks are asked.

    The annotator's outline is drawn once over the whole view and then cut by tiles, so the tiles agree where they meet
    and the parts of one patch share their `label_id`.

    Parameters
    ----------
    truth
        (y, x) bool on `grid`.
    at
        When all answers were submitted; `active_s` is made up (`LOOK_S`, `CLICK_S`).

    Raises
    ------
    InputError
        For an unknown habit or a truth that does not lie on the grid.
    """
    habit = _habit(habit)
    if truth.shape != grid.shape:
        raise InputError(f"a truth of {truth.shape} on a grid of {grid.shape}")
    annotator = f"sim:{habit.name}-{n}"
    patches = patches_of(draw(truth, habit, _generator(habit, n, seed)))
    mark = digest(annotator, seed, grid.digest, patches)
    return [_answer(patches, grid, task, annotator=annotator, mark=mark, at=at, label=label) for task in tasks]


def draw(truth: Mask, habit: Habit, generator: np.random.Generator) -> Mask:
    """(y, x) bool: what an annotator of this habit outlines of the truth, over the whole view."""
    if habit.unrelated:
        return smooth_noise(truth.shape, BLOB_SCALE_PX, generator) > ndtri(1 - BLOB_SHARE)
    shift = generator.normal(0, habit.shift_sd_px, 2) if habit.shift_sd_px else np.zeros(2)
    noise = smooth_noise(truth.shape, habit.noise_scale_px, generator) * habit.noise_px
    if not truth.any():
        return np.zeros_like(truth)
    seen = _lazy(_islands(truth, habit.islands, generator), habit.lazy, generator)
    outline = signed_distance_px(seen) + habit.bias_px + noise
    return ndimage.shift(outline, shift, order=1, mode="nearest") > 0


def smooth_noise(shape: tuple[int, ...], scale_px: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Gaussian random field of this shape with mean 0 and standard deviation 1, smooth over `scale_px` pixels."""
    field = ndimage.gaussian_filter(generator.standard_normal(shape), scale_px, mode="wrap")
    spread = field.std()
    return (field - field.mean()) / spread if spread > 0 else np.zeros(shape)


def _habit(habit: Habit | str) -> Habit:
    if isinstance(habit, Habit):
        return habit
    known = HABITS | OTHERS
    if habit not in known:
        raise InputError(f"unknown habit {habit!r}", hint=nearest(habit, known))
    return known[habit]


def _generator(habit: Habit, n: int, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, n, int(digest(habit.name)[:8], 16)])


def _islands(truth: Mask, keep: float, generator: np.random.Generator) -> Mask:
    """Truth in which only a share of its unburned islands is left; the rest is filled."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(truth) & ~truth, EIGHT)
    filled = np.concatenate([[False], generator.random(count) >= keep])
    return truth | filled[holes]


def _lazy(truth: Mask, share: float, generator: np.random.Generator) -> Mask:
    """Truth in which a share of the patches is replaced by ellipses of the same place, spread and direction."""
    patches = patches_of(truth)
    lazy = generator.random(patches.max()) < share
    drawn = truth & ~np.concatenate([[False], lazy])[patches]
    for number, box in enumerate(ndimage.find_objects(patches), start=1):
        if lazy[number - 1]:
            points = np.argwhere(patches[box] == number) + [side.start for side in box]
            window, ellipse = _ellipse(points, truth.shape)
            drawn[window] |= ellipse
    return drawn


def _ellipse(points: NDArray[np.int64], shape: tuple[int, ...]) -> tuple[tuple[slice, ...], Mask]:
    """(window, mask) of the ellipse with the points' mean and covariance: a semi-axis a has variance a**2 / 4."""
    centre = points.mean(0)
    spread = (np.cov(points.T) if len(points) > 1 else 0) + np.eye(2) / 12  # a pixel's own variance
    reach = 2 * np.sqrt(np.diag(spread)) + 1
    low, high = np.maximum(centre - reach, 0).astype(int), np.minimum(centre + reach + 1, shape).astype(int)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    row, col = (np.arange(a, b) - c for a, b, c in zip(low, high, centre, strict=True))
    (rr, rc), (_, cc) = np.linalg.inv(spread)
    return window, rr * row[:, None] ** 2 + 2 * rc * row[:, None] * col + cc * col**2 <= 4.0


# ---------------------------------------------------------------------- the answer to one task
def _answer(patches: Patches, grid: Grid, task: Task, *, annotator: str, mark: str, at: datetime, label: str) -> Answer:
    if task.grid_digest != grid.digest:
        raise InputError(f"task {task.id!r} belongs to another grid than {grid!r}")
    shapes = _shapes(patches, grid, task.tile, annotator, label)
    clicks = float(shapes.length.sum()) / abs(grid.transform.a) / CLICK_PX
    return Answer(
        task_id=task.id,
        annotator=annotator,
        outcome="labeled" if len(shapes) else "empty",
        shapes=shapes,
        ignore=empty(IGNORE, shapes.crs),
        at=at,
        active_s=round(LOOK_S + CLICK_S * clicks, 1),
        uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{mark}/{task.id}")),
    )


def _shapes(patches: Patches, grid: Grid, tile: Tile, annotator: str, label: str) -> Any:
    """SHAPES of one tile: a row for each patch of the view that reaches into it."""
    parts = patch_polygons(patches[tile.slices], grid.crop(tile))
    if not len(parts):
        return empty(SHAPES, parts.crs)
    unknown = pd.Series([None] * len(parts), dtype=object)
    data = {
        "label_id": [f"{annotator}/{number}" for number in parts.index],
        "class": label,
        "severity": unknown,
        "severity_scheme": unknown,
        "confidence": np.nan,
        "masked_share": np.nan,
    }
    return gpd.GeoDataFrame(data, geometry=parts.reset_index(drop=True))[list(SHAPES)]
