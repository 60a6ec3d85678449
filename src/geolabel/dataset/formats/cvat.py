"""CVAT for images 1.1: polygons, boxes, ellipses and masks in pixels, with their attributes.

Source: CVAT, XML annotation format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats import rle
from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look, grid_of, outcome, stem
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import box, ellipse, ring, traced, turned
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, xml_of
from geolabel.digests import canonical
from geolabel.errors import InputError
from geolabel.grid import Grid

CARRIES = Carries(
    geometry="rounded",
    holes="pixels",
    crs="no",
    ids="no",
    times="no",
    attributes="exact",
    annotator="no",
    confidence="no",
    note="Two decimals of a pixel; only masks have holes; a file names who owns a task, not who drew a shape, and says not "
    "when: tell both.",
)
OTHERS = ("polyline", "points", "cuboid", "skeleton")
"""Shapes without an area on the ground."""


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of one XML file; every image of it was looked at, those without shapes are empty.

    A shape's attributes, and its group where it has one, become `attributes`. Shapes without area are left out with a
    warning. The images need `told.grids`.

    Raises
    ------
    InputError
        For a file that is no CVAT for images, tracks of a video, an image of which nobody says where it lies.
    """
    root = xml_of(path)
    if root.tag != "annotations":
        raise InputError(f"{path} is <{root.tag}>, no CVAT annotations", hint="export as 'CVAT for images 1.1'")
    tracks = len(root.findall("track"))
    if tracks:
        raise InputError(
            f"{path} holds {tracks} tracks of a video, which move from frame to frame",
            hint="export as 'CVAT for images 1.1': it writes the shapes of each frame",
        )
    left, parts, looks = Left(path.name), [], []
    for image in root.iter("image"):
        name, size = image.attrib["name"], (int(image.attrib["height"]), int(image.attrib["width"]))
        found = list(_shapes(image, name, told, left, size))
        looks.append(Look(name, outcome=outcome(found=bool(found), said=any(one.tag != "tag" for one in image))))
        parts += found
    left.warn()
    return labels_of(parts, told, looks)


def _shapes(image: Any, name: str, told: Told, left: Left, size: tuple[int, int]) -> Iterator[Part]:
    grid: Grid | None = None
    for n, one in enumerate(image, start=1):
        if one.tag not in _MAKERS:
            left.out(f"{one.tag} shapes (no area)" if one.tag in OTHERS else f"{one.tag} elements")
            continue
        shape = _MAKERS[one.tag](one.attrib, size)
        if shape.area <= 0:
            left.out(f"{one.tag} shapes without area")
            continue
        grid = grid or grid_of(name, told, size=size)
        row = {"label_id": f"{stem(name)}/{n}", "class": one.attrib["label"], "attributes": _attributes(one)}
        yield {**row, "geometry": shape, "grid": grid}


def _attributes(one: Any) -> str | None:
    said: dict[str, Any] = {item.attrib["name"]: item.text or "" for item in one.findall("attribute")}
    said |= {"group_id": one.attrib["group_id"]} if one.attrib.get("group_id", "0") != "0" else {}
    return canonical(said).decode() if said else None


def _floats(held: Any, *names: str) -> list[float]:
    return [float(held[name]) for name in names]


def _polygon(held: Any, _size: tuple[int, int]) -> BaseGeometry:
    return ring([tuple(map(float, pair.split(","))) for pair in held["points"].split(";")])


def _box(held: Any, _size: tuple[int, int]) -> BaseGeometry:
    """A box, turned clockwise about its centre."""
    left, top, right, bottom = _floats(held, "xtl", "ytl", "xbr", "ybr")
    centre = (left + right) / 2, (top + bottom) / 2
    return turned(box(left, top, right, bottom), float(held.get("rotation", 0)), centre)


def _ellipse(held: Any, _size: tuple[int, int]) -> BaseGeometry:
    x, y, rx, ry = _floats(held, "cx", "cy", "rx", "ry")
    return turned(ellipse(x, y, rx, ry), float(held.get("rotation", 0)), (x, y))


def _mask(held: Any, size: tuple[int, int]) -> BaseGeometry:
    """A mask: run lengths along the rows of its own window."""
    left, top, width, height = (int(v) for v in _floats(held, "left", "top", "width", "height"))
    if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
        raise InputError(
            f"a mask at ({left}, {top}) of {width} x {height} reaches beyond its image", hint="export again"
        )
    part = rle.decode(np.array([int(n) for n in held["rle"].split(",")]), (height, width), "C")
    whole = np.zeros(size, bool)
    whole[top : top + height, left : left + width] = part
    return traced(whole)


_MAKERS: dict[str, Callable[[Any, tuple[int, int]], BaseGeometry]] = {
    "polygon": _polygon,
    "box": _box,
    "ellipse": _ellipse,
    "mask": _mask,
}
