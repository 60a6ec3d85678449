"""Labels of real people (`crowd`), and simulated people who draw real objects; used by tests and evidence."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from shapely.affinity import scale, translate

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality.instances import ObjectSkill, agree_objects, match, object_skill
from geolabel.quality.items import Calibration, Items, Names, Pair, agree_items, calibration, pair
from geolabel.shapes import clip, rasterise
from geolabel.tables import IGNORE, SHAPES, empty

COLUMNS = {"bluebirds": Names("item", "worker", "label"), "product": Names("question", "worker", "answer")}
QUESTION = "Does this pixel contain active cropland?"
ROUNDS, CLOSE = 200, 1e-6
"""crowd-kit's iterations: enough that its EM settles."""


# ---------------------------------------------------------------------- items
@dataclass(frozen=True)
class Crowd:
    """Answers of a crowd and the truth."""

    answers: pd.DataFrame
    truth: pd.Series
    names: Names

    def agree(self, **how: Any) -> Items:
        return agree_items(self.answers, names=self.names, **how)

    def gold(self, share: float, seed: int = 0) -> pd.Series:
        """A random share of the truth."""
        return self.truth.sort_index().sample(frac=share, random_state=seed)


def crowd(folder: Path, name: str) -> Crowd:
    """`bluebirds` or `product` of the crowd folder."""
    names = COLUMNS[name]
    truth = pd.read_csv(folder / f"{name}_truth.csv").set_index(names.task)["truth"]
    return Crowd(pd.read_csv(folder / f"{name}_answers.csv"), truth, names)


def crowdkit() -> dict[str, Callable[[], Any]]:
    """crowd-kit's Dawid-Skene variants by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit import aggregation
    return {
        "Dawid-Skene": lambda: aggregation.DawidSkene(n_iter=ROUNDS, tol=CLOSE),
        "Dawid-Skene, as it comes": aggregation.DawidSkene,
        "one-coin": lambda: aggregation.OneCoinDawidSkene(n_iter=ROUNDS, tol=CLOSE),
    }


def beside(one: Crowd, make: Callable[[], Any]) -> tuple[Calibration, float]:
    """(figures of a crowd-kit method on all items, seconds)."""
    columns = {one.names.task: "task", one.names.annotator: "worker", one.names.label: "label"}
    table, start = one.answers.rename(columns=columns), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make().fit(table)
    seconds = time.perf_counter() - start
    found = fitted.probas_.fillna(0).reindex(one.truth.index)
    found = found[sorted(found)]
    return calibration(found.to_numpy(), found.columns.get_indexer(one.truth)), seconds


# ---------------------------------------------------------------------- the Sudan pair
def sudan(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two exports as they are, a row an answer."""
    one, other = sorted(folder.glob("ceo-Sudan*.csv"))
    return pd.read_csv(one), pd.read_csv(other)


def sudan_pairs(folder: Path) -> dict[str, Pair]:
    """Agreement of the two sets: on all plots, without plots that one person labeled in both, and the same of all rows.

    The first answer to a plot counts; `rows` counts plots that were answered twice as often as they were.
    """
    first, second = sudan(folder)
    plots = first.drop_duplicates("plotid").merge(second.drop_duplicates("plotid"), on="plotid", suffixes=("_1", "_2"))
    rows = first.merge(second, on="plotid", suffixes=("_1", "_2"))
    independent, rows = (one[one["annotator_1"] != one["annotator_2"]] for one in (plots, rows))
    told = {"plots": plots, "independent plots": independent, "independent rows": rows}
    return {name: pair(one[f"{QUESTION}_1"], one[f"{QUESTION}_2"]) for name, one in told.items()}


# ---------------------------------------------------------------------- objects
@dataclass(frozen=True)
class Hand:
    """How one simulated annotator draws objects; shares of their size or number."""

    name: str
    shift: float
    """Standard deviation of a displacement, share of the object's size, in each direction."""
    stretch: float
    """Standard deviation of the log of a stretch, in each direction."""
    missed: float
    """Share of the objects that are not drawn."""
    invented: float
    """Objects drawn where there are none, share of the number of true ones."""


TEAM = (
    Hand("careful", 0.06, 0.06, 0.12, 0.05),
    Hand("steady", 0.09, 0.09, 0.18, 0.12),
    Hand("hasty", 0.12, 0.12, 0.30, 0.15),
    Hand("eager", 0.10, 0.10, 0.12, 0.40),
    Hand("coarse", 0.14, 0.15, 0.20, 0.20),
)


def drawn(truth: gpd.GeoSeries, hand: Hand, generator: np.random.Generator) -> gpd.GeoSeries:
    """What an annotator draws of these objects: moved and stretched, some missed, some invented in the same extent."""
    size = np.sqrt(truth.area.to_numpy())
    kept = [
        _moved(truth.iloc[n], size[n], hand, generator)
        for n in np.flatnonzero(generator.random(len(truth)) >= hand.missed)
    ]
    xmin, ymin, xmax, ymax = truth.total_bounds
    for _ in range(generator.binomial(2 * len(truth), hand.invented / 2)):
        like = truth.iloc[int(generator.integers(len(truth)))]
        x, y = generator.uniform((xmin, ymin), (xmax, ymax))
        kept.append(translate(like, x - like.centroid.x, y - like.centroid.y))
    return gpd.GeoSeries(kept, crs=truth.crs)


def _moved(shape: Any, size: float, hand: Hand, generator: np.random.Generator) -> Any:
    dx, dy = generator.normal(0, hand.shift * size, 2)
    fx, fy = np.exp(generator.normal(0, hand.stretch, 2))
    return translate(scale(shape, fx, fy), dx, dy)


@dataclass(frozen=True)
class Scene:
    """True objects on a grid, its tasks, and who answered what."""

    grid: Grid
    tasks: tuple[Task, ...]
    truth: gpd.GeoDataFrame
    """SHAPES."""
    answers: tuple[Answer, ...]

    @property
    def annotators(self) -> list[str]:
        return sorted({one.annotator for one in self.answers})

    def gold(self, every: int) -> dict[str, Any]:
        """The truth of each `every`th task."""
        masks = {task.id: rasterise(self.truth, self.grid.crop(task.tile)) for task in self.tasks[::every]}
        return {key: np.asarray(mask) > 0 for key, mask in masks.items()}

    def agreed(self, **how: Any) -> dict[str, Any]:
        """Task id -> shapes of the consensus."""
        found = agree_objects(
            self.tasks, self.grid, self.answers, classes=(self.truth["class"].iloc[0],), **{"gold": {}, **how}
        )
        return {key: one.shapes for key, one in found.items()}

    def of(self, annotator: str) -> dict[str, Any]:
        """Task id -> shapes of one annotator."""
        return {one.task_id: one.shapes for one in self.answers if one.annotator == annotator}

    def skill(self, shapes: dict[str, Any], tasks: tuple[Task, ...] | None = None) -> ObjectSkill:
        """Skill of shapes by task against the truth of these tasks (default: all)."""
        return object_skill(
            {
                task.id: match(shapes[task.id], clip(self.truth, self.grid.crop(task.tile)))
                for task in (self.tasks if tasks is None else tasks)
            }
        )


def scene(
    truth: gpd.GeoSeries, *, name: str, res_m: float, tile: int, seed: int = 0, team: tuple[Hand, ...] = TEAM
) -> Scene:
    """Simulated answers of a team to real objects, in tiles of `tile` pixels; the whole object is drawn, then cut."""
    xmin, ymin, xmax, ymax = truth.total_bounds
    side = tile * res_m
    shape = (int(np.ceil((ymax - ymin) / side)) * tile, int(np.ceil((xmax - xmin) / side)) * tile)
    grid = Grid.of(truth.crs, Affine(res_m, 0, xmin, 0, -res_m, ymax), shape)
    tasks = tuple(Task("objects", grid.digest, one, "object", "wildfire@2") for one in grid.tiles(tile, 0))
    answers = []
    for number, hand in enumerate(team):
        own = shapes_of(drawn(truth, hand, np.random.default_rng([seed, number])), name, f"sim:{hand.name}-1")
        answers += [answer(task, grid, own, f"sim:{hand.name}-1") for task in tasks]
    return Scene(grid, tasks, shapes_of(truth, name, "truth"), tuple(answers))


def shapes_of(shapes: gpd.GeoSeries, name: str, by: str) -> gpd.GeoDataFrame:
    """SHAPES of polygons."""
    nothing = pd.Series([None] * len(shapes), dtype=object)
    data = {
        "label_id": [f"{by}/{n}" for n in range(len(shapes))],
        "class": name,
        "severity": nothing,
        "severity_scheme": nothing,
    }
    frame = gpd.GeoDataFrame(data, geometry=list(shapes), crs=shapes.crs)
    return frame.assign(confidence=np.nan, masked_share=np.nan)[list(SHAPES)]


def answer(task: Task, grid: Grid, shapes: gpd.GeoDataFrame, by: str) -> Answer:
    """The answer of who drew these shapes over the whole view to one task."""
    own = clip(shapes, grid.crop(task.tile)).reset_index(drop=True)
    outcome = "labeled" if len(own) else "empty"
    return Answer(
        task.id,
        by,
        outcome,
        own,
        empty(IGNORE, own.crs),
        datetime(2024, 7, 1, tzinfo=UTC),
        60.0,
        uuid=f"{by}/{task.id}",
    )


def grid_of_boxes(n: int = 12, size: float = 8.0, gap: float = 12.0, crs: str = "EPSG:32617") -> gpd.GeoSeries:
    """`n` x `n` squares with gaps, for tests without data."""
    step = size + gap
    boxes = [
        shapely.box(400_000 + c * step, 3_285_000 + r * step, 400_000 + c * step + size, 3_285_000 + r * step + size)
        for r in range(n)
        for c in range(n)
    ]
    return gpd.GeoSeries(boxes, crs=crs)
