"""Labels that were exported and come back edited in a GIS: what changed, and on which tiles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geolabel.digests import canonical
from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.nouns.task import Task
from geolabel.ontology import Ontology
from geolabel.shapes import to_grid_crs
from geolabel.steps.foreign import check_home
from geolabel.tables import AGREED, LABELS, SHAPES

OF_CONSENSUS = (*(name for name in AGREED if name not in SHAPES), "area_m2", "notes")
"""Columns of exported labels that are nobody's claim."""


def edited(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, tasks: Sequence[Task], grid: Grid, ontology: Ontology
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """(`tables.LABELS` after an edit, ids of the tasks on which a label of their kind was added, changed or removed).

    Who moves a burn scar says nothing of the terrain beside it. Labels keep their ids; what was split or drawn anew gets one (see `dataset.formats.edits`).

    Raises
    ------
    InputError
        Where the labels after the edit name tiles of another project.
    """
    if tasks:
        check_home(after, tasks[0].view_id, grid)
    from geolabel.dataset.formats.edits import edits

    told = edits(before, after)
    moved = told[told["change"] != "unchanged"]
    was = before[before["label_id"].isin(moved["label_id"])].to_crs(told.crs)
    both = pd.concat([to_grid_crs(frame, grid)[["class", "geometry"]] for frame in (moved, was)])
    kinds = np.array([ontology[name].kind for name in both["class"]], dtype=object)
    boxes = np.array([shapely.box(*grid.crop(task.tile).bounds) for task in tasks])
    ours, theirs = shapely.STRtree(boxes).query(both.geometry.to_numpy(), predicate="intersects")
    hit = np.unique([n for shape, n in zip(ours, theirs, strict=True) if tasks[n].kind == kinds[shape]]).astype(int)
    now = told.loc[told["change"] != "removed", list(LABELS)]
    return now.assign(attributes=now["attributes"].map(_own)), [tasks[number].id for number in hit]


def _own(attributes: Any) -> Any:
    """A label's attributes without what an export says of a consensus."""
    if not isinstance(attributes, str):
        return None
    left = {name: value for name, value in json.loads(attributes).items() if name not in OF_CONSENSUS}
    return canonical(left).decode() if left else None


def likest(after: gpd.GeoDataFrame, exported: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """The table, of those that were exported, that an edited one comes from: most ids in common; of equals the last.

    Raises
    ------
    InputError
        Where nothing was exported.
    """
    if not exported:
        raise InputError("this project exported no labels", hint="labels of others come in with import_labels")
    ids = set(after["label_id"].dropna())
    return max(reversed(exported), key=lambda one: len(ids & set(one["label_id"])) / max(1, len(one)))
