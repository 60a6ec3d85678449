"""What several tests share: a small grid, its tasks, and shapes on it."""

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.simulate import annotate, smooth_noise
from geolabel.shapes import polygonise
from geolabel.tables import IGNORE, SHAPES, empty

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)


def utm_grid(rows=64, cols=64, res_m=30.0, crs="EPSG:32610"):
    return Grid.of(crs, Affine(res_m, 0, 500_000, 0, -res_m, 4_200_000), (rows, cols))


def tasks_of(grid, size=64, *, view="v", kind="burn", margin=0):
    return [Task(view, grid.digest, tile, kind, "wildfire@1") for tile in grid.tiles(size, margin)]


def shapes_of(mask, grid, *, label="burned", prefix="a", severity=None):
    """SHAPES of a boolean mask, one row for each 4-connected patch."""
    traced = polygonise(np.asarray(mask, bool), grid)
    if not len(traced):
        return empty(SHAPES, traced.crs)
    unknown = dict.fromkeys(("severity_scheme", "confidence", "masked_share"))
    names = [f"{prefix}/{n}" for n in range(len(traced))]
    data = {"label_id": names, "class": label, "severity": severity, **unknown}
    frame = gpd.GeoDataFrame(data, geometry=traced.geometry, crs=traced.crs, index=range(len(traced)))
    return frame.astype({"severity": object, "severity_scheme": object, "confidence": float, "masked_share": float})[
        list(SHAPES)
    ]


def answer(task, grid, mask, *, by="person:ann", ignore=None, at=NOW, label="burned", **more):
    """An answer from a boolean mask of the task's tile; `ignore` is another such mask."""
    tile = grid.crop(task.tile)
    shapes = shapes_of(mask, tile, label=label, prefix=by)
    left = (
        polygonise(np.asarray(ignore, bool), tile).assign(reason="cloud")[list(IGNORE)] if ignore is not None else None
    )
    outcome = more.pop("outcome", "labeled" if len(shapes) else "empty")
    return Answer(task.id, by, outcome, shapes, empty(IGNORE, shapes.crs) if left is None else left, at, **more)


def scar(size=128, seed=0):
    """(y, x) bool: a smooth blob with unburned islands, off the edges."""
    generator = np.random.default_rng(seed)
    row, col = np.indices((size, size)) - size / 2
    blob = 0.5 * smooth_noise((size, size), size / 10, generator) + 1 - (np.hypot(row, col) / (0.3 * size)) ** 2
    return (blob > 0) & ~(smooth_noise((size, size), size / 40, generator) > 1.8)


def team(truth, grid, tasks, habits, seed=0):
    """Answers of simulated annotators, one a habit."""
    return [a for habit in habits for a in annotate(truth, grid, tasks, habit=habit, seed=seed, at=NOW)]


def box_shapes(boxes, *, crs="EPSG:32610", label="burned"):
    """SHAPES of rectangles (xmin, ymin, xmax, ymax)."""
    data = {
        "label_id": [f"box/{n}" for n in range(len(boxes))],
        "class": label,
        "severity": None,
        "severity_scheme": None,
    }
    frame = gpd.GeoDataFrame(data, geometry=[shapely.box(*b) for b in boxes], crs=crs)
    return frame.assign(confidence=np.nan, masked_share=np.nan).astype({"severity": object, "severity_scheme": object})[
        list(SHAPES)
    ]
