"""YOLO segmentation: a text file an image, a line a polygon in shares of the image; `data.yaml` names the classes.

A line is one ring: holes are filled, parts of a label become labels of their own. Where the images lie stands beside
it, in our own `geolabel.json`.

Source: Ultralytics, instance segmentation datasets overview.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look, cut, grid_of, outcome, stem
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import ring
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, json_of, text_of
from geolabel.errors import InputError
from geolabel.files import atomic_folder, write_json, write_text
from geolabel.grid import Grid

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

CARRIES = Carries(
    geometry="rounded",
    holes="no",
    crs="exact",
    ids="no",
    times="no",
    attributes="no",
    annotator="no",
    confidence="no",
    note="Nine decimals of the image's side; a label is cut at the edges of images and parted into its polygons, each a "
    "label of its own; where the images lie stands in `geolabel.json` beside.",
)
DECIMALS = 9
WHERE = "geolabel.json"
SPLITS = ("train", "val", "test")


# ---------------------------------------------------------------------- writing
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of a folder: `data.yaml`, `labels/<split>/<image>.txt` (empty where nothing was found), `geolabel.json`.

    Images belong into `images/<split>/`; without a split in `writing.about` all are for training.

    Raises
    ------
    InputError
        Without tiles, or for an image that belongs to no split of YOLO's.
    """
    numbers = {one.name: n for n, one in enumerate(writing.about.ontology)}
    where: dict[str, Any] = {}
    used: set[str] = set()
    with atomic_folder(path) as folder:
        for image, inside in cut(labels, writing, "YOLO"):
            split = _split(writing.about.split.get(image.key, "train"))
            used.add(split)
            where[image.name] = image.grid.record()
            lines = [line for row in inside.to_dict("records") for line in _lines(row, image.grid, numbers)]
            write_text(folder / "labels" / split / f"{stem(image.name)}.txt", "".join(lines))
        write_json(folder / WHERE, {"images": where})
        write_text(folder / "data.yaml", _yaml([one for one in SPLITS if one in used], list(numbers)))
    return path


def _split(name: str) -> str:
    if name not in SPLITS:
        raise InputError(f"split {name!r} is none of YOLO's", hint=f"one of {', '.join(SPLITS)}")
    return name


def _lines(row: Mapping[str, Any], grid: Grid, numbers: Mapping[str, int]) -> Iterator[str]:
    for part in shapely.get_parts(row["geometry"]):
        shares = shapely.get_coordinates(part.exterior)[:-1] / (grid.width, grid.height)
        yield f"{numbers[row['class']]} {' '.join(f'{v:.{DECIMALS}f}' for v in shares.ravel())}\n"


def _yaml(splits: list[str], names: list[str]) -> str:
    """Text of data.yaml: JSON strings are YAML."""
    folders = [f"{split}: images/{split}" for split in splits]
    return "\n".join([*folders, "names:", *(f"  {n}: {json.dumps(name)}" for n, name in enumerate(names))]) + "\n"


# ---------------------------------------------------------------------- reading
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a folder with `data.yaml` (or of the `data.yaml`): polygons, and boxes of detection.

    Lines may end in a confidence, as predictions do. Datasets of other programs need `told.grids`, by the names of the
    images or of the text files.

    Raises
    ------
    InputError
        For a folder without class names, a line that is no label, an image of which nobody says where it lies.
    """
    folder = path if path.is_dir() else path.parent
    names = _names(folder / "data.yaml" if path.is_dir() else path)
    where = json_of(folder / WHERE)["images"] if (folder / WHERE).exists() else {}
    own = {stem(name): (name, Grid.recorded(record)) for name, record in where.items()}
    files = sorted((folder / "labels").rglob("*.txt"))
    if not files:
        raise InputError(f"{folder} has no labels/**/*.txt", hint="the folder that holds data.yaml and labels/")
    left, parts, looks = Left(folder.name), [], []
    for file in files:
        name, grid = own.get(file.stem, (file.stem, None))
        found = list(_read(file, grid_of(name, told, grid), names, left))
        looks.append(Look(name, outcome=outcome(found=bool(found), said=file.stat().st_size > 0)))
        parts += found
    left.warn()
    return labels_of(parts, told, looks)


def _names(path: Path) -> dict[int, str]:
    import yaml

    held = yaml.safe_load(text_of(path))
    names = held.get("names") if isinstance(held, dict) else None
    if not names:
        raise InputError(f"{path} has no names of classes", hint="names: {0: forest, 1: burned}")
    return dict(enumerate(names)) if isinstance(names, list) else {int(n): str(name) for n, name in names.items()}


def _read(file: Path, grid: Grid, names: Mapping[int, str], left: Left) -> Iterator[Part]:
    for n, line in enumerate(text_of(file).splitlines(), start=1):
        if not line.strip():
            continue
        number, *values = _numbers(line, f"{file.name}, line {n}")
        shape = _shape(np.array(values) if len(values) % 2 == 0 else np.array(values[:-1]), grid)
        if shape.area <= 0:
            left.out("lines without area")
        elif int(number) not in names:
            raise InputError(f"{file.name}, line {n}: class {int(number)}", hint=f"data.yaml names {sorted(names)}")
        else:
            row = {"label_id": f"{file.stem}/{n}", "class": names[int(number)], "geometry": shape, "grid": grid}
            yield {**row, "confidence": values[-1] if len(values) % 2 else None}


def _numbers(line: str, place: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) < 5:
        raise InputError(f"{place}: {line[:40]!r} is no label", hint="class x y x y x y ..., shares of the image")
    return values


def _shape(values: Any, grid: Grid) -> BaseGeometry:
    points = values.reshape(-1, 2) * (grid.width, grid.height)
    if len(points) == 2:
        (x, y), (width, height) = points
        return shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return ring(points)
