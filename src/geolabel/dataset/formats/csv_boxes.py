"""Boxes in pixels as CSV: a row a box, `image_path,xmin,ymin,xmax,ymax,label` or the same by other names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look, grid_of, stem
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import box
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, csv_of
from geolabel.errors import TableError
from geolabel.tables import LABELS

CARRIES = Carries(
    geometry="box",
    holes="no",
    crs="no",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="Only the box has a column of its own; the rest is read where columns of the table of labels are there.",
)
WORDS = {
    "image": ("image_path", "image", "filename", "file_name", "path", "img"),
    "left": ("xmin", "x1", "left", "x_min"),
    "top": ("ymin", "y1", "top", "y_min"),
    "right": ("xmax", "x2", "right", "x_max"),
    "bottom": ("ymax", "y2", "bottom", "y_max"),
    "class": ("label", "class", "class_name", "name", "category"),
    "confidence": ("confidence", "score"),
}
"""What a column may be called, in the order in which they are tried."""
SIDES = ("left", "top", "right", "bottom")


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a CSV file of boxes; `told.fields` names columns that are called otherwise.

    The images need `told.grids`. A row whose box is empty or all zeros says that its image was looked at and nothing was
    found. Lines of five numbers and a class without a header are read as `image,x1,y1,x2,y2,class`.

    Raises
    ------
    TableError
        Where a column is missing.
    InputError
        For an image of which nobody says where it lies.
    """
    rows = _headed(csv_of(path), path)
    columns = _columns(list(rows.columns), told)
    left = Left(path.name)
    parts = list(_parts(rows, columns, told, left))
    left.warn()
    found = {part["image"] for part in parts}
    names = dict.fromkeys(rows[columns["image"]].dropna().astype(str))
    return labels_of(parts, told, [Look(name, outcome="labeled" if name in found else "empty") for name in names])


def _headed(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The rows under a header, also where the file has none (its first line then holds numbers)."""
    first = list(rows.columns)
    if len(first) == 6 and all(str(one).replace(".", "").isdigit() for one in first[1:5]):
        return csv_of(path, names=["image", "x1", "y1", "x2", "y2", "class"])
    return rows


def _columns(there: list[str], told: Told) -> dict[str, str]:
    """What -> the column that holds it."""
    plain = {str(name).strip().lower(): name for name in there}
    found = {what: next((plain[w] for w in words if w in plain), None) for what, words in WORDS.items()}
    found |= {name: name for name in LABELS if name in there and name not in found}
    known = {what: name for what, name in {**found, **told.fields}.items() if name in there}
    lost = [what for what in ("image", *SIDES) if what not in known]
    if lost or ("class" not in known and "class" not in told.values):
        raise TableError(
            f"no column for {', '.join(lost) or 'the class'}; the file has {there}",
            hint=f"fields={{'{lost[0] if lost else 'class'}': '<column>'}}",
        )
    return known


def _parts(rows: pd.DataFrame, columns: Mapping[str, str], told: Told, left: Left) -> Iterator[Part]:
    more = {name: column for name, column in columns.items() if name in LABELS and name != "geometry"}
    for n, row in enumerate(rows.to_dict("records"), start=1):
        sides = [row[columns[side]] for side in SIDES]
        if pd.isna(row[columns["image"]]) or pd.isna(sides).all() or not any(sides):
            continue
        if pd.isna(sides).any() or box(*sides).area <= 0:
            left.out("boxes without area")
            continue
        name = str(row[columns["image"]])
        said = {what: _plain(row[column]) for what, column in more.items()}
        yield {
            "label_id": f"{stem(name)}/{n}",
            **said,
            "geometry": box(*sides),
            "grid": grid_of(name, told),
            "image": name,
        }


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value
