"""Labels that name tiles: those of another project are refused, since they speak of other ground or of other tasks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from geolabel.errors import InputError
from geolabel.grid import Grid

TILES = "tiles"
"""Key of a table's `attrs`: the first tile of each view and grid that its file names."""
COLUMNS = ("tile_id", "task_id", "task")
TILE = re.compile(r"(?P<home>.+/[0-9a-f]{10})/\d+_\d+(#\w+)?")
"""`{view}/{grid}/{row}_{col}` and what a task adds to it; tiles that others name differently are none of ours."""


def check_home(labels: Any, view_id: str, grid: Grid) -> None:
    """Raise InputError where labels name a tile, task or view of another project than this view's.

    Tiles are those of the file (`attrs["tiles"]`), of the columns tile_id, task_id and task, and of attributes by these
    names; views those of a column or an attribute view_id.

    Raises
    ------
    InputError
        Names the first foreign id.
    """
    home = f"{view_id}/{grid.digest}"
    for name in _tiles(labels):
        known = TILE.fullmatch(name)
        if known and known["home"] != home:
            raise _foreign(f"tile {name!r}", home)
    for name in _said(labels, ("view_id",)):
        if name != view_id:
            raise _foreign(f"view {name!r}", home)


def _foreign(what: str, home: str) -> InputError:
    return InputError(
        f"these labels are of {what}, which is not of this project (its tiles are {home}/...)",
        hint="import them into the project that they were made in; to take over the shapes alone, leave the files' "
        "tiles behind: labels = gl.read_labels(path); labels.attrs.clear(), and drop the ids of tiles",
    )


def _tiles(labels: Any) -> Iterator[str]:
    yield from labels.attrs.get(TILES, ())
    yield from _said(labels, COLUMNS)


def _said(labels: Any, names: Iterable[str]) -> Iterator[str]:
    """The different texts under these names, of columns and of attributes, in the order of the rows."""
    for name in names:
        if name in labels.columns:
            yield from (str(value) for value in labels[name].dropna().unique())
        if "attributes" in labels.columns:
            texts = labels["attributes"].dropna().astype(str)
            there = texts[texts.str.contains(f'"{name}"', regex=False)].unique()
            yield from (str(value) for value in (json.loads(text).get(name) for text in there) if pd.notna(value))
