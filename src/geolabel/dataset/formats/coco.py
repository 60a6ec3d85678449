"""COCO instances: masks as run lengths, so that holes survive; what COCO has no word for stands under `geolabel`.

A label that lies on several images is several annotations of one `label_id`; reading joins them. An image without
annotations was looked at, and nothing was found.

Source: Lin et al. 2014, Microsoft COCO; the data format of cocodataset.org.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats import rle
from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Image, Look, cut, grid_of, outcome, stem
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import box, burned, ring, traced
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, json_of, warn_left_out
from geolabel.digests import canonical
from geolabel.errors import InputError
from geolabel.files import write_text
from geolabel.grid import Grid
from geolabel.ontology import Class

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

CARRIES = Carries(
    geometry="pixels",
    holes="pixels",
    crs="exact",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="All but geometry, class and attributes stands under our own key `geolabel`, which other tools may drop; shapes "
    "come back in the CRS of the images.",
)
OWN = "geolabel"
"""Our key in `info`, in each image (its grid) and in each annotation (what COCO has no word for)."""
WORDS = ("label_id", "severity", "severity_scheme", "confidence", "masked_share", "annotator")
TIMES = ("start", "end", "labeled_at")


# ---------------------------------------------------------------------- writing
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of one JSON file: an image a tile, an annotation for each label on it.

    `iscrowd` is 0 throughout although the masks are run lengths: with 1 an evaluation would ignore the label.

    Raises
    ------
    InputError
        Without tiles.
    """
    codes = {one.name: one.code for one in writing.about.ontology}
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    met: set[str] = set()
    for image, inside in cut(labels, writing, "COCO"):
        images.append(_image(len(images) + 1, image))
        met.update(inside["label_id"])
        for row in inside.to_dict("records"):
            notes += _annotations(row, image.grid.shape, {"id": len(notes) + 1, "image_id": len(images)}, codes)
    warn_left_out(met - {note[OWN]["label_id"] for note in notes}, "they hold no pixel's centre")
    return write_text(path, _text(images, notes, writing))


def _image(number: int, image: Image) -> dict[str, Any]:
    height, width = image.grid.shape
    size = {"width": width, "height": height, "file_name": image.name, "license": 1}
    return {"id": number, **size, OWN: image.grid.record()}


def _annotations(
    row: Mapping[str, Any], size: tuple[int, int], head: Mapping[str, int], codes: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """The annotation of one label on one image; none where it holds no pixel's centre."""
    mask = burned(row["geometry"], size)
    if not mask.any():
        return
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    around = [int(cols[0]), int(rows[0]), int(np.ptp(cols)) + 1, int(np.ptp(rows)) + 1]
    runs = {"size": list(size), "counts": rle.to_text(rle.encode(mask))}
    kind = {"category_id": codes[row["class"]], "segmentation": runs, "area": int(mask.sum()), "bbox": around}
    said = {name: row[name] for name in WORDS if not pd.isna(row[name])}
    times = {name: row[name].isoformat() for name in TIMES if not pd.isna(row[name])}
    given = {} if pd.isna(row["attributes"]) else {"attributes": json.loads(row["attributes"])}
    yield {**head, **kind, "iscrowd": 0, **given, OWN: {**said, **times}}


def _category(one: Class) -> dict[str, Any]:
    return {"id": one.code, "name": one.name, "supercategory": one.parent or one.kind}


def _text(images: Sequence[Mapping[str, Any]], notes: Sequence[Mapping[str, Any]], writing: Writing) -> str:
    """One image, annotation and category a line: equal labels give equal text."""
    about = writing.about
    own = {"ontology": about.ontology.id, "project": about.project, "notes": about.notes}
    info = {"description": about.project or "", "version": str(about.export_version), OWN: own}
    parts = {
        "info": json.dumps(info, ensure_ascii=False),
        "licenses": _lines([{"id": 1, "name": about.licence, "url": ""}]),
        "images": _lines(images),
        "annotations": _lines(notes),
        "categories": _lines([_category(one) for one in about.ontology]),
    }
    return "{" + ",\n".join(f'"{name}":{text}' for name, text in parts.items()) + "}\n"


def _lines(values: Sequence[Mapping[str, Any]]) -> str:
    return "[" + ",\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in values) + "]"


# ---------------------------------------------------------------------- reading
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a COCO file, ours or another's: run lengths of both kinds, polygons, and boxes alone.

    Polygons of COCO have no holes: several of one annotation are parts of one label. Images of other programs need
    `told.grids`. Annotations without area (keypoints) are left out with a warning.

    Raises
    ------
    InputError
        For a file that is no COCO, or an image of which nobody says where it lies.
    """
    held = json_of(path)
    if not isinstance(held, dict) or not {"images", "annotations", "categories"} <= set(held):
        raise InputError(f"{path} is no COCO file", hint="it has images, annotations and categories")
    files = {one["id"]: _Read(one) for one in held["images"]}
    names = {one["id"]: one["name"] for one in held["categories"]}
    left = Left(path.name)
    parts = [part for note in held["annotations"] for part in _part(note, files[note["image_id"]], told, names, left)]
    left.warn()
    found, said = {part["image"] for part in parts}, {note["image_id"] for note in held["annotations"]}
    looks = [Look(f.name, outcome=outcome(found=f.name in found, said=key in said)) for key, f in files.items()]
    return labels_of(parts, told, looks)


class _Read:
    """An image of the file; its grid is asked for when an annotation needs it."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.name = str(record["file_name"])
        self.size = (int(record["height"]), int(record["width"])) if "height" in record else None
        self.own = Grid.recorded(record[OWN]) if OWN in record else None

    def grid(self, told: Told) -> Grid:
        return grid_of(self.name, told, self.own, size=self.size)


def _part(note: Mapping[str, Any], image: _Read, told: Told, names: Mapping[int, str], left: Left) -> Iterator[Part]:
    grid = image.grid(told)
    shape = _shape(note, grid.shape)
    if shape.area <= 0:
        left.out("annotations without area")
        return
    own = note.get(OWN, {})
    row = {"label_id": f"{stem(image.name)}/{note['id']}", "confidence": note.get("score")}
    if isinstance(note.get("attributes"), dict):
        row["attributes"] = canonical(note["attributes"]).decode()
    known = {name: own[name] for name in (*WORDS, *TIMES) if name in own}
    yield {**row, **known, "class": names[note["category_id"]], "geometry": shape, "grid": grid, "image": image.name}


def _shape(note: Mapping[str, Any], size: tuple[int, int]) -> BaseGeometry:
    held = note.get("segmentation")
    if isinstance(held, dict):
        counts = held["counts"]
        return traced(rle.decode(rle.from_text(counts) if isinstance(counts, str) else counts, size))
    if held:
        return shapely.union_all([ring(one) for one in held])
    if note.get("bbox") and not note.get("keypoints"):
        left, top, width, height = note["bbox"]
        return box(left, top, left + width, top + height)
    return shapely.Polygon()
