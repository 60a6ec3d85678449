"""A view to tasks: which tiles are to be labeled, and which of them are gold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from geolabel.grid import Tile
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import WILDFIRE, Kind
from geolabel.steps.options import Options


class TaskOptions(Options):
    """How a view is cut into tasks."""

    tile: int = Field(default=32, ge=16, description="edge of a task's tile in pixels")
    gold_share: float = Field(default=0.25, ge=0, le=1, description="share of the promising tiles that are gold")
    seed: int = Field(default=0, description="draws the gold tasks")


def plan(
    view: View,
    kind: Kind,
    options: TaskOptions,
    *,
    promising: Collection[str] = (),
    ontology: str = WILDFIRE.id,
    instructions: int = 1,
) -> list[Task]:
    """One task a tile of the view, in order.

    Gold tasks are drawn among the tiles whose keys are `promising` (a rule found something there), and as many among
    the others, so that who sees nothing and who sees too much are both found out.
    """
    tiles, rng = view.grid.tiles(options.tile), np.random.default_rng(options.seed)
    there = [tile.key for tile in tiles if tile.key in set(promising)]
    rest = [tile.key for tile in tiles if tile.key not in set(promising)]
    count = round(options.gold_share * len(there))
    gold = (
        {*rng.choice(there, count, replace=False), *rng.choice(rest, min(count, len(rest)), replace=False)}
        if count
        else ()
    )
    return [
        Task(view.id, view.grid.digest, tile, kind, ontology, "gold" if tile.key in gold else "new", instructions)
        for tile in tiles
    ]


def draw_gold(tasks: Sequence[Task], n: int, *, taken: Collection[str], seed: int) -> list[Task]:
    """`n` tasks to become gold, drawn among those of purpose `new` that are not taken; fewer where there are no more."""
    left = sorted((task for task in tasks if task.purpose == "new" and task.id not in taken), key=lambda one: one.id)
    order = np.random.default_rng(seed).permutation(len(left))
    return [left[number] for number in sorted(order[:n])]


def to_row(task: Task) -> dict[str, Any]:
    """A task as plain JSON values."""
    tile = task.tile
    return {
        "view_id": task.view_id,
        "grid_digest": task.grid_digest,
        "tile": [tile.row, tile.col, tile.height, tile.width, tile.margin],
        "kind": task.kind,
        "ontology": task.ontology,
        "purpose": task.purpose,
        "instructions": task.instructions,
    }


def from_row(row: Mapping[str, Any]) -> Task:
    """The task of `to_row`."""
    return Task(**{**row, "tile": Tile(*row["tile"])})
