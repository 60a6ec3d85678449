"""The formats by name: what each is called, which module speaks it, what it carries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd

from geolabel.dataset.about import About
from geolabel.dataset.formats.carries import Carries, refuse_loss
from geolabel.dataset.formats.reading import Told
from geolabel.errors import InputError, SourceError, nearest
from geolabel.grid import Tiling
from geolabel.stream import Progress, silent


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its module has `CARRIES`, and `write(labels, path, writing)` or `read(path, told)` or both."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """By which a path is known; the first is given to a new file. Empty: a folder."""
    module: str
    writes: bool = True
    reads: bool = True

    @property
    def speaks(self) -> ModuleType:
        """The module, imported when it is needed."""
        return import_module(f"geolabel.dataset.formats.{self.module}")

    @property
    def carries(self) -> Carries:
        """What it carries."""
        return self.speaks.CARRIES


@dataclass(frozen=True, slots=True)
class Writing:
    """What a writer may need beside the labels."""

    about: About = field(default_factory=About)
    tiles: Tiling | None = None
    """Images that labels in pixels are cut to."""
    images: Mapping[str, str] | Callable[[str], str] | None = None
    """Key of a tile -> name of its image file, for labels in pixels; default: `<key>.tif`."""
    outcomes: Mapping[str, str] | None = None
    """Key of a tile -> labeled, empty, unsure or skipped; default: whether a label lies on it."""
    view_id: str = "view"
    clipped: bool = True
    """Of labeled tiles: whether polygons are cut to their tile."""
    progress: Progress = silent


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("geojson", "GeoJSON (RFC 7946)", (".geojson", ".json"), "geojson"),
        Format("gpkg", "GeoPackage with QGIS styles", (".gpkg",), "geopackage"),
        Format("geoparquet", "GeoParquet 1.1", (".parquet", ".geoparquet"), "geoparquet"),
        Format("flatgeobuf", "FlatGeobuf", (".fgb",), "flatgeobuf"),
        Format("shapefile", "ESRI Shapefile", (".shp",), "agency", writes=False),
        Format("vector", "Any vector file that GDAL reads", (".kml", ".kmz", ".gml", ".gdb"), "agency", writes=False),
        Format("stac", "STAC items with label, classification and version", (), "stac"),
        Format("stac-geoparquet", "STAC items as one GeoParquet file", (), "stac_geoparquet"),
        Format("masks", "Class masks, cloud-optimised GeoTIFF with colour table", (), "masks"),
        Format("coco", "COCO instances, RLE", (".coco.json", ".json"), "coco"),
        Format("yolo", "YOLO segmentation", (), "yolo"),
        Format("voc", "Pascal VOC boxes", (".xml",), "voc", writes=False),
        Format("csv-boxes", "Boxes in pixels, CSV", (".csv",), "csv_boxes", writes=False),
        Format("label-studio", "Label Studio JSON", (".json",), "label_studio", writes=False),
        Format("cvat", "CVAT for images XML", (".xml",), "cvat", writes=False),
        Format("ceo", "Collect Earth Online CSV", (".csv",), "ceo", writes=False),
    )
}


def format_of(name: str) -> Format:
    """The format of that name.

    Raises
    ------
    InputError
        Where there is none; the hint names the nearest.
    """
    if name not in FORMATS:
        raise InputError(f"unknown format {name!r}", hint=nearest(name, FORMATS))
    return FORMATS[name]


def write(
    labels: gpd.GeoDataFrame,
    path: Path,
    name: str,
    *,
    writing: Writing | None = None,
    lossy: bool | Collection[str] = False,
) -> Path:
    """Path of what was written; refused where the format would lose something and nobody agreed to it."""
    one = format_of(name)
    if not one.writes:
        raise InputError(
            f"{one.title} is read, not written", hint=nearest(name, [n for n, f in FORMATS.items() if f.writes])
        )
    refuse_loss(labels, one.carries, one.title, lossy)
    return one.speaks.write(labels, path, writing or Writing())


def read(path: Path, name: str | None = None, *, told: Told | None = None, **said: Any) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a file or folder, in its CRS.

    Parameters
    ----------
    name
        Of the format; default: by the path and what is in it.
    said
        What the file does not say, as `Told.of` takes it, where there is no `told`.

    Raises
    ------
    InputError
        For an unknown format, or a file that is not of it.
    CRSError
        Where a file states no CRS, or one that its numbers cannot be in.
    OntologyError
        For a class that is neither mapped nor the ontology's.
    TableError
        For a field that is not there, or a value that its column cannot hold.
    SourceError
        Where the file cannot be read.
    """
    if not path.exists():
        raise SourceError(f"{path} is not there", hint="check the path")
    one = by_path(path) if name is None else format_of(name)
    if not one.reads:
        raise InputError(
            f"{one.title} is written, not read", hint=nearest(one.name, [n for n, f in FORMATS.items() if f.reads])
        )
    return one.speaks.read(path, told or Told.of(**said))


def by_path(path: Path, *, writes: bool = False) -> Format:
    """The format of a path: of what is there, or (`writes`) of a file yet to be written, by its suffix.

    Raises
    ------
    InputError
        Where nothing says which it is; the hint names those that it may be.
    """
    from geolabel.dataset.formats.sniff import sniff

    ends = [
        (len(end), one) for one in FORMATS.values() if one.writes for end in one.suffixes if path.name.endswith(end)
    ]
    found = max(ends, key=lambda pair: pair[0], default=(0, None))[1]  # `.coco.json` says more than `.json`
    if writes and found is None:
        known = ", ".join(f"{one.suffixes[0]} ({name})" for name, one in FORMATS.items() if one.writes and one.suffixes)
        raise InputError(f"{path.name} does not say which format it is", hint=f"say it, or end the name in {known}")
    return found if writes and found is not None else format_of(sniff(path))


def matrix() -> dict[str, dict[str, Any]]:
    """Format -> property -> how it is carried: what the documents print."""
    return {name: dict(one.carries.items()) for name, one in FORMATS.items()}
