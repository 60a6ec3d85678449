"""Label Studio's JSON export: polygons, rectangles, ellipses and brushes, in percent of the image; who looked and when.

Predictions are proposals, nobody's claim, and are left where they are.

Source: Label Studio, task format and image tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats import rle
from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look, grid_of, outcome, plain_name
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import ellipse, ring, traced, turned
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, json_of
from geolabel.digests import canonical
from geolabel.errors import InputError
from geolabel.grid import Grid

CARRIES = Carries(
    geometry="rounded",
    holes="pixels",
    crs="no",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="no",
    note="Percent of the image, as the browser rounded them; only brushes have holes; times without an offset are UTC, as "
    "Label Studio's server writes them; `labeled_at` is when the annotation was submitted.",
)
UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""
AREAS = ("polygon", "rectangle", "ellipse", "brush")
MORE = ("choices", "text", "number", "rating", "datetime", "taxonomy")
"""Values of other tags that may be said of a region."""


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of an export in the format `JSON`; `attrs["looked"]` has a line for every annotation.

    An annotation that was cancelled is `skipped`, one without regions `empty`. Annotators are `person:<id>`. What
    choices, texts and numbers say of a region becomes attributes. Regions without area are left out with a warning. The
    images need `told.grids`, under their names with or without the digits that Label Studio puts before them.

    Raises
    ------
    InputError
        For a file that is no such export, or an image of which nobody says where it lies.
    """
    tasks = json_of(path)
    tasks = tasks if isinstance(tasks, list) else [tasks]
    if not all(isinstance(task, dict) and ("annotations" in task or "completions" in task) for task in tasks):
        raise InputError(f"{path} has no annotations of tasks", hint="export as JSON, not JSON-MIN or another format")
    left, parts, looks = Left(path.name), [], []
    for task in tasks:
        name = _image(task)
        for given in task.get("annotations") or task.get("completions") or []:
            found = [] if given.get("was_cancelled") else list(_regions(given, name, told, left))
            parts += found
            looks.append(_look(given, name, found=bool(found)))
    left.warn()
    return labels_of(parts, told, looks)


def _image(task: Mapping[str, Any]) -> str:
    """File name of the task's image, without the digits of an upload."""
    data = task.get("data", {})
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    name = (
        texts.get("image") or next((v for v in texts.values() if "." in plain_name(v)), None) or task.get("file_upload")
    )
    if not name:
        raise InputError(f"task {task.get('id')} shows no image", hint=f"its data are {sorted(data)}")
    return UPLOADED.sub("", plain_name(str(name)))


def _look(given: Mapping[str, Any], image: str, *, found: bool) -> Look:
    how = "skipped" if given.get("was_cancelled") else outcome(found=found, said=bool(given.get("result")))
    return Look(image, _annotator(given), _time(given.get("created_at")), how, float(given.get("lead_time") or 0))


def _annotator(given: Mapping[str, Any]) -> str | None:
    by = given.get("completed_by")
    name = by.get("id", by.get("email")) if isinstance(by, dict) else by
    return None if name is None else f"person:{name}"


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _regions(given: Mapping[str, Any], image: str, told: Told, left: Left) -> Iterator[Part]:
    items = given.get("result") or []
    more = {key: _more(key, items) for key in {item.get("id") for item in items}}
    head = {"annotator": _annotator(given), "labeled_at": _time(given.get("created_at"))}
    for item in items:
        if _kind(item) is None:
            continue
        names, attributes = more[item["id"]]
        size = int(item["original_height"]), int(item["original_width"])
        grid = grid_of(image, told, size=size)
        shape = _shape(item, grid, left)
        if shape is None:
            continue
        for name in names:
            key = f"{given.get('id', 'annotation')}/{item['id']}" + (f"/{name}" if len(names) > 1 else "")
            row = {**head, "label_id": key, "class": name, "attributes": attributes}
            yield {**row, "geometry": shape, "grid": grid}


def _kind(item: Mapping[str, Any]) -> str | None:
    """polygon, rectangle, ellipse, brush; another region's own name; None of what is no region."""
    kind = str(item.get("type", "")).removesuffix("labels")
    region = kind in (*AREAS, "keypoint", "vector") and "original_width" in item
    return kind if region else None


def _more(key: Any, items: Sequence[Mapping[str, Any]]) -> tuple[list[str], str | None]:
    """(classes, attributes) that the items of one region say together."""
    own = [item for item in items if item.get("id") == key]
    words = [item["value"].get(str(item.get("type"))) for item in own if str(item.get("type")).endswith("labels")]
    names = list(dict.fromkeys(str(name) for found in words if found for name in found))
    said = {str(item.get("from_name")): item["value"][one] for item in own for one in MORE if one in item["value"]}
    return names, canonical(said).decode() if said else None


def _shape(item: Mapping[str, Any], grid: Grid, left: Left) -> BaseGeometry | None:
    kind = _kind(item)
    if kind not in AREAS:
        left.out(f"{kind} regions (no area)")
    elif item.get("image_rotation"):
        left.out("regions on an image that was turned in the tool")
    elif item["value"].get("closed") is False:
        left.out("polygons that were not closed")
    else:
        shape = _MAKERS[kind](item["value"], grid)
        if shape.area > 0:
            return shape
        left.out("regions without area")
    return None


def _percent(grid: Grid, *pairs: tuple[float, float]) -> Any:
    """(n, 2) pixels of (x, y) in percent of the image."""
    return np.array(pairs, float).reshape(-1, 2) * (grid.width / 100, grid.height / 100)


def _polygon(value: Mapping[str, Any], grid: Grid) -> BaseGeometry:
    return ring(_percent(grid, *value["points"]))


def _rectangle(value: Mapping[str, Any], grid: Grid) -> BaseGeometry:
    """A rectangle, turned clockwise about its upper left corner in pixels."""
    (left, top), (width, height) = _percent(grid, (value["x"], value["y"]), (value["width"], value["height"]))
    return turned(shapely.box(left, top, left + width, top + height), value.get("rotation") or 0, (left, top))


def _ellipse(value: Mapping[str, Any], grid: Grid) -> BaseGeometry:
    (x, y), (rx, ry) = _percent(grid, (value["x"], value["y"]), (value["radiusX"], value["radiusY"]))
    return turned(ellipse(x, y, rx, ry), value.get("rotation") or 0, (x, y))


def _brush(value: Mapping[str, Any], grid: Grid) -> BaseGeometry:
    return traced(rle.brush(value["rle"], grid.shape))


_MAKERS = {"polygon": _polygon, "rectangle": _rectangle, "ellipse": _ellipse, "brush": _brush}
