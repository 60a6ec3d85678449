"""Pascal VOC boxes: an XML file an image, corners in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look, grid_of, outcome, stem
from geolabel.dataset.formats.parts import Part, labels_of
from geolabel.dataset.formats.pixels import box
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import Left, xml_of
from geolabel.digests import canonical
from geolabel.errors import InputError
from geolabel.grid import Grid

CARRIES = Carries(
    geometry="box",
    holes="no",
    crs="no",
    ids="no",
    times="no",
    attributes="no",
    annotator="no",
    confidence="no",
    note="Corners are taken as lines between pixels counted from 0, as labelImg and most tools write them; the devkit of "
    "2007 counted pixels from 1.",
)
MARKS = ("difficult", "occluded", "truncated")


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of one XML file or of a folder of them; marks such as `difficult` and poses become attributes.

    The images need `told.grids`. Objects without a box are left out with a warning.

    Raises
    ------
    InputError
        For a file that is no VOC, or an image of which nobody says where it lies.
    """
    files = sorted(path.glob("*.xml")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} holds no XML files", hint="the folder named Annotations")
    left, parts, looks = Left(path.name), [], []
    for file in files:
        root = xml_of(file)
        if root.tag != "annotation":
            raise InputError(f"{file} is <{root.tag}>, no VOC annotation", hint="CVAT's own XML is format='cvat'")
        name = (root.findtext("filename") or "").strip() or file.stem
        found = list(_objects(root, name, grid_of(name, told, size=_size(root)), left))
        looks.append(Look(name, outcome=outcome(found=bool(found), said=root.find("object") is not None)))
        parts += found
    left.warn()
    return labels_of(parts, told, looks)


def _size(root: Any) -> tuple[int, int] | None:
    height, width = (int(float(root.findtext(f"size/{side}") or 0)) for side in ("height", "width"))
    return (height, width) if height and width else None


def _objects(root: Any, name: str, grid: Grid, left: Left) -> Iterator[Part]:
    for n, one in enumerate(root.findall("object"), start=1):
        corners = [one.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
        if None in corners:
            left.out("objects without a box")
            continue
        shape = box(*map(float, corners))
        if shape.area <= 0:
            left.out("boxes without area")
            continue
        row = {"label_id": f"{stem(name)}/{n}", "class": (one.findtext("name") or "").strip()}
        yield {**row, "attributes": _attributes(one), "geometry": shape, "grid": grid}


def _attributes(one: Any) -> str | None:
    said: dict[str, Any] = {mark: True for mark in MARKS if (one.findtext(mark) or "0").strip() == "1"}
    pose = (one.findtext("pose") or "").strip()
    said |= {"pose": pose} if pose and pose != "Unspecified" else {}
    return canonical(said).decode() if said else None
