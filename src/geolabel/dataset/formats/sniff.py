"""Which format a path is of: by what a folder holds, by a suffix that only one has, by a file's first lines."""

from __future__ import annotations

import re
from pathlib import Path

from geolabel.dataset.formats.registry import FORMATS
from geolabel.errors import InputError

HEAD = 65_536
"""Bytes of a file that are looked at."""
FOLDERS = (
    ("collection.json", "stac"),
    ("index.geojson", "geojson"),
    ("labels.json", "masks"),
    ("*.yaml", "yolo"),
    ("*.gdbtable", "vector"),
    ("*.tif", "masks"),
)
"""What lies in a folder -> its format; the first that is there."""
MASKS = (".tif", ".tiff")
TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    ".json": (
        (r'"stac_version"\s*:', "stac"),
        (r'"type"\s*:\s*"(Feature|FeatureCollection|Polygon|MultiPolygon|GeometryCollection)"', "geojson"),
        (
            r'"(annotations|images|categories)"\s*:\s*\[\s*(\{[^{}]*"(file_name|category_id|image_id|supercategory|id)"|\])',
            "coco",
        ),
        (r'^\s*\[.*"(annotations|completions|result)"', "label-studio"),
    ),
    ".xml": ((r"<annotations[\s>]", "cvat"), (r"<annotation[\s>]", "voc")),
    ".csv": ((r"(?i)\b(plotid|plot_id|sampleid|sample_id)\b", "ceo"), (r"(?i)\b(xmin|x_min|x1)\b", "csv-boxes")),
}
"""Suffix that several formats have -> what is written in which of them, in the order in which it is looked for."""


def sniff(path: Path) -> str:
    """Name of the format of a file or folder.

    Raises
    ------
    InputError
        Where nothing says which it is; the hint names the formats that can be read.
    """
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found is None:
        readable = ", ".join(name for name, one in FORMATS.items() if one.reads)
        raise InputError(f"{path.name} does not say which format it is", hint=f"format=..., one of {readable}")
    return found


def _of_folder(path: Path) -> str | None:
    return next((name for pattern, name in FOLDERS if next(path.glob(pattern), None)), None)


def _of_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in MASKS:
        return "masks"
    if suffix in TEXTS:
        head = _head(path)
        return next((name for pattern, name in TEXTS[suffix] if re.search(pattern, head, re.DOTALL)), None)
    return next((name for name, one in FORMATS.items() if one.reads and suffix in one.suffixes), None)


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(HEAD).decode("utf-8", errors="replace")
