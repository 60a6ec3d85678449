"""Rules to answers: what is found over a whole view, as an annotator would give it tile by tile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel import files, shapes
from geolabel.errors import ConfigError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer, Outcome
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import Kind
from geolabel.steps.burns import BURN_RULES
from geolabel.steps.cover import COVER_RULES, learned_rule
from geolabel.steps.exports import whole_labels
from geolabel.steps.radar import RADAR_RULES
from geolabel.steps.rule import Rule, RuleOptions
from geolabel.tables import IGNORE, SHAPES, check, empty

__all__ = ["RULES", "Rule", "answers", "find", "learned_rule", "rule"]

RULES: Mapping[str, Rule] = {one.name: one for one in (*BURN_RULES, *RADAR_RULES, *COVER_RULES)}


def find(name: str, view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    """Whole shapes a rule finds on a view, not cut by tiles; `tables.SHAPES` in the view's CRS.

    Raises
    ------
    ConfigError
        For a rule that does not exist.
    """
    return check(rule(name).find(view, options), SHAPES)


def rule(name: str) -> Rule:
    """The rule of a name."""
    if name not in RULES:
        raise ConfigError(f"there is no rule {name!r}", hint=nearest(name, RULES))
    return RULES[name]


def answers(
    annotator: str,
    found: gpd.GeoDataFrame,
    tasks: Sequence[Task],
    grid: Grid,
    *,
    known: NDArray[np.bool_],
    at: datetime,
) -> list[Answer]:
    """One complete answer a task from shapes of the whole view: cut to the tile, unknown ground to be ignored.

    A tile without any known pixel is skipped, one on which nothing was found is empty. Of a rule that knows some classes
    only (`Rule.partial`) the rest of the ground is to be ignored as unsure, and so is a tile on which it found nothing.
    """
    partial = any(one.annotator == annotator and one.partial for one in RULES.values())
    return [_answer(annotator, found, task, grid, known=known, at=at, partial=partial) for task in tasks]


def _answer(
    annotator: str,
    found: gpd.GeoDataFrame,
    task: Task,
    grid: Grid,
    *,
    known: NDArray[np.bool_],
    at: datetime,
    partial: bool,
) -> Answer:
    tile_grid = grid.crop(task.tile)
    inside = shapes.clip(found, tile_grid)[[*SHAPES, *SHAPES.said(found)]]
    unseen = ~known[task.tile.slices]
    nothing: Outcome = "unsure" if partial else "empty"
    outcome: Outcome = "skipped" if unseen.all() else "labeled" if len(inside) else nothing
    drawn = inside if outcome == "labeled" else empty(SHAPES, tile_grid.crs.to_wkt())
    ignore = unknown_ground(unseen, tile_grid)
    if partial and outcome != "skipped":
        open_ground = ~unseen & (shapes.rasterise(inside, tile_grid) == 0)
        ignore = pd.concat([ignore, unknown_ground(open_ground, tile_grid, reason="unsure")], ignore_index=True)
    return Answer(task.id, annotator, outcome, drawn, ignore, at)


def drawn_by_people(heard: Sequence[Answer], kind: Kind, grid: Grid) -> gpd.GeoDataFrame:
    """`tables.SHAPES` that people drew in tasks of a kind, whole over tiles, in the grid's CRS."""
    people = [one for one in heard if one.annotator.startswith("person:") and one.task_id.endswith(f"#{kind}")]
    drawn = [one.shapes.assign(annotator=one.annotator) for one in people if len(one.shapes)]
    if not drawn:
        return empty(SHAPES, grid.crs.to_wkt())
    parts = pd.concat([shapes.to_grid_crs(frame, grid) for frame in drawn], ignore_index=True)
    return whole_labels(parts, grid)[list(SHAPES)]


def keep_found(rule: Rule, view: View, options: RuleOptions, folder: Path) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """(Shapes, report) of a learned rule on a view, kept as two files."""
    found = check(rule.find(view, options), SHAPES)
    folder.mkdir(parents=True, exist_ok=True)
    found.to_parquet(folder / "shapes.parquet", index=False)
    files.write_json(folder / "report.json", found.attrs["report"])
    return found, found.attrs["report"]


def read_found(folder: Path) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """(Shapes, report) that `keep_found` kept."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return gpd.read_parquet(folder / "shapes.parquet"), report


def promising(found: gpd.GeoDataFrame, view: View, size: int) -> list[str]:
    """Keys of the tiles of `size` pixels on which a rule found something."""
    mask = shapes.rasterise(found, view.grid) > 0
    return [tile.key for tile in view.grid.tiles(size) if mask[tile.slices].any()]


def known_ground(view: View, kind: Kind, *, roles: Sequence[str] = ()) -> NDArray[np.bool_]:
    """(y, x) where the scenes that a kind is labeled on have values: burn scars need both, the rest the one before.

    A rule that looks at other scenes says so: `roles=rule.sees(view)`.
    """
    roles = roles or (("before", "after") if kind == "burn" else ("before",))
    return np.logical_and.reduce([np.asarray(view[role].valid) for role in roles])


def unknown_ground(unseen: NDArray[np.bool_], grid: Grid, *, reason: str = "nodata") -> gpd.GeoDataFrame:
    """`tables.IGNORE` polygons of a boolean raster."""
    frame = shapes.polygonise(unseen, grid)
    frame["reason"] = reason
    return frame[list(IGNORE)] if len(frame) else empty(IGNORE, grid.crs.to_wkt())
