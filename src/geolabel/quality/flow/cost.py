"""Cost: active minutes, and money, for each square kilometre of accepted ground."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.batch import Rate
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality.consensus.votes import is_machine
from geolabel.shapes import area_m2
from geolabel.tables import COST, check

EDGE_PX = 16
"""Corners along the edges of tiles, pixels apart: an edge that is straight on the grid is bent on the Earth."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What labels took, and what ground was accepted for it. All answers count: superseded, rejected and gold too."""

    tasks: int
    accepted_tasks: int
    accepted_km2: float
    """Ground of the accepted tiles, geodesic; a tile that was accepted for several kinds counts once."""
    labeled_km2: float
    """Area of the agreed labels on accepted tasks, geodesic; where labels of two kinds lie on each other, both."""
    by_annotator: pd.DataFrame
    """`tables.COST`, by name."""
    rate: Rate | None = None

    @property
    def label_min(self) -> float:
        """Active minutes of labeling."""
        return float(self.by_annotator["label_min"].sum())

    @property
    def review_min(self) -> float:
        """Minutes of review and inspection."""
        return float(self.by_annotator["review_min"].sum())

    @property
    def minutes(self) -> float:
        """Of labeling and review."""
        return self.label_min + self.review_min

    @property
    def untimed(self) -> int:
        """Answers of people that tell no active seconds: with any, the minutes are too few."""
        return int(self.by_annotator["untimed"].sum())

    @property
    def minutes_per_km2(self) -> float:
        """Minutes for each km2 of accepted ground; NaN where none is accepted."""
        return self.minutes / self.accepted_km2 if self.accepted_km2 else math.nan

    @property
    def minutes_per_labeled_km2(self) -> float:
        """Minutes for each km2 of labels on accepted ground; NaN where there is none."""
        return self.minutes / self.labeled_km2 if self.labeled_km2 else math.nan

    @property
    def money(self) -> float:
        """What the minutes cost, in the rate's currency; NaN without a rate."""
        return math.nan if self.rate is None else self.minutes / 60 * self.rate.per_hour

    @property
    def money_per_km2(self) -> float:
        """Cost of each km2 of accepted ground; NaN without a rate or accepted ground."""
        return self.money / self.accepted_km2 if self.accepted_km2 else math.nan

    def __str__(self) -> str:
        ground = f"{self.accepted_km2:.3f} km2 accepted ({self.accepted_tasks} of {self.tasks} tasks)"
        words = [f"{self.label_min:.1f} min of labeling and {self.review_min:.1f} min of review for {ground}"]
        if self.accepted_km2:
            each = f"{self.minutes_per_km2:.2f} min"
            if self.rate is not None:
                each += f" and {self.money_per_km2:.2f} {self.rate.currency}"
            words.append(f"{each} for each km2 of accepted ground; {self.labeled_km2:.3f} km2 of labels lie on it")
        if self.untimed:
            words.append(f"{self.untimed} answers of people tell no active seconds: it took more")
        return ". ".join(words)

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.by_annotator.to_html(index=False)}"


def cost(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    accepted: Collection[str],
    agreed: Mapping[str, Consensus],
    *,
    reviewed: Mapping[str, float],
    rate: Rate | None = None,
) -> Cost:
    """Minutes and cost of these tasks for the ground that was accepted.

    Parameters
    ----------
    answers
        All answers, superseded ones too; those to other tasks are left out.
    accepted
        Ids of accepted tasks.
    agreed
        Task id -> consensus, for the area of the labels.
    reviewed
        Reviewer -> minutes.
    """
    ids = {task.id for task in tasks}
    done = [task for task in tasks if task.id in set(accepted)]
    labels = [agreed[task.id].shapes for task in done if task.id in agreed and len(agreed[task.id].shapes)]
    return Cost(
        tasks=len(ids),
        accepted_tasks=len({task.id for task in done}),
        accepted_km2=ground_km2(done, grid),
        labeled_km2=float(sum(area_m2(one).sum() for one in labels)) / 1e6,
        by_annotator=hours([one for one in answers if one.task_id in ids], reviewed),
        rate=rate,
    )


def ground_km2(tasks: Sequence[Task], grid: Grid) -> float:
    """Geodesic area of the cores of the tasks' tiles, km2, ground that several share counted once.

    Source: Karney 2013, through PROJ.
    """
    tiles = sorted({task.tile for task in tasks})
    if not tiles:
        return 0.0
    boxes = [shapely.box(t.col, t.row, t.col + t.width, t.row + t.height) for t in tiles]
    ground = shapely.segmentize(shapely.union_all(boxes), EDGE_PX)
    a = grid.transform
    placed = shapely.transform(ground, lambda p: p @ np.array([[a.a, a.d], [a.b, a.e]]) + np.array([a.c, a.f]))
    return float(area_m2(gpd.GeoDataFrame(geometry=[placed], crs=grid.crs.to_wkt())).sum()) / 1e6


def hours(answers: Sequence[Answer], reviewed: Mapping[str, float]) -> pd.DataFrame:
    """`tables.COST`: answers and minutes of everyone who labeled or reviewed, by name.

    Rules and models take no minutes; their answers are counted. A correction is a new answer with its own minutes, and
    the one that it corrects keeps those it took.
    """
    old = {one.supersedes for one in answers}
    given: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        given[one.annotator].append(one)
    rows = [_row(name, given.get(name, []), old, reviewed.get(name, 0.0)) for name in sorted({*given, *reviewed})]
    kinds = {
        "answers": "int64",
        "corrected": "int64",
        "untimed": "int64",
        "label_min": "float64",
        "review_min": "float64",
    }
    return check(pd.DataFrame(rows, columns=list(COST)).astype(kinds), COST)


def _row(name: str, given: Sequence[Answer], old: Collection[str | None], reviewed: float) -> dict[str, object]:
    timed = [one.active_s for one in given if one.active_s > 0]
    return {
        "annotator": name,
        "answers": len(given),
        "corrected": sum(one.uuid in old for one in given),
        "untimed": 0 if is_machine(name) else len(given) - len(timed),
        "label_min": 0.0 if is_machine(name) else sum(timed) / 60,
        "review_min": float(reviewed),
    }
