"""GeoJSON as RFC 7946 has it: one file of whole labels, written as they come; anyone's file read; tiles read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import batches, by_id
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing
from geolabel.dataset.formats.tiled import is_tiled, labels_of_tiles, tile_documents
from geolabel.dataset.formats.vector import labels_of
from geolabel.dataset.geojson import Box, degrees, rounded, scalar
from geolabel.errors import CRSError, InputError
from geolabel.files import atomic
from geolabel.shapes import lonlat_area_m2
from geolabel.stream import Progress, silent

CARRIES = Carries(
    geometry="rounded",
    holes="exact",
    crs="no",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="WGS84 only, corners to 7 decimals of a degree (1 cm), cut at the antimeridian.",
)
WGS84 = "EPSG:4326"


# ---------------------------------------------------------------------- out
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of one file: a feature a label, by `label_id`, with the row's values and its geodesic `area_m2`."""
    return write_parts([by_id(labels)], path, progress=writing.progress)


def write_parts(parts: Iterable[gpd.GeoDataFrame], path: Path, *, progress: Progress = silent) -> Path:
    """Path of one file of all parts, features in the order in which they come; no more than a part is in memory.

    Raises
    ------
    CRSError
        For a part without a CRS.
    InputError
        For a shape without area at 7 decimals of a degree, or one that holds a pole.
    """
    box, done = Box(), 0
    with atomic(path) as tmp, tmp.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for part in batches(parts):
            _put(part, file, box, first=not done)
            done += len(part)
            progress("features", done, done)
        file.write("\n]" + (f',"bbox":{json.dumps(box.values)}' if done else "") + "}\n")
    return path


def _put(part: gpd.GeoDataFrame, file: TextIO, box: Box, *, first: bool) -> None:
    """Write the features of one part: shapes all at once, values row by row."""
    if not len(part):
        return
    moved = degrees(part.geometry.array, part.crs)
    shapes = rounded(moved)
    box.add(shapes)
    rows = part.drop(columns="geometry").assign(area_m2=lonlat_area_m2(moved).round(1)).to_dict("records")
    for text, row in zip(shapely.to_geojson(shapes), rows, strict=True):
        head = '\n{"type":"Feature","id":' if first else ',\n{"type":"Feature","id":'
        file.write(f'{head}{_json(row["label_id"])},"geometry":{text},"properties":{_json(_scalars(row))}}}')
        first = False


def _scalars(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): scalar(value) for name, value in row.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# ---------------------------------------------------------------------- in
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a GeoJSON file, or of a folder or file of labeled tiles (`geolabel-tile/1`), in its CRS.

    Raises
    ------
    InputError
        Where the file is no GeoJSON.
    CRSError
        Where its numbers cannot be in the CRS that it states; without one that is WGS84 (RFC 7946, section 4).
    """
    if path.is_dir():
        return labels_of_tiles(tile_documents(path), told)
    document = _document(path)
    if is_tiled(document):
        return labels_of_tiles([document], told)
    return labels_of(_frame(document, path, told), told, path=path)


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding=_encoding(path)))
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is no JSON: {error}", hint="is it whole, and UTF-8?") from None
    if not isinstance(found, dict) or "type" not in found:
        raise InputError(f"{path.name} is JSON, but no GeoJSON", hint="name its format: format='coco', ...")
    return found


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _frame(document: Mapping[str, Any], path: Path, told: Told) -> gpd.GeoDataFrame:
    features = document.get("features", [document])
    rows = [dict(one.get("properties") or {}) for one in features]
    names = {name for row in rows for name in row}
    if "label_id" not in names | set(told.fields) and all("id" in one for one in features):
        rows = [{**row, "label_id": str(one["id"])} for row, one in zip(rows, features, strict=True)]
    shapes = np.empty(len(features), object)
    shapes[:] = [_shape(one, path) for one in features]
    return gpd.GeoDataFrame(pd.DataFrame(rows, dtype=None), geometry=shapes, crs=_crs(document, path))


def _shape(feature: Mapping[str, Any], path: Path) -> Any:
    """The geometry of a feature, or of a bare geometry; None where it has none."""
    own = feature.get("geometry") if feature.get("type") == "Feature" else feature
    try:
        return None if own is None else shapely.geometry.shape(own)
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise InputError(f"{path.name} holds a geometry that is none: {error}", hint="RFC 7946, section 3.1") from None


def _crs(document: Mapping[str, Any], path: Path) -> pyproj.CRS:
    """CRS of the old `crs` member (GeoJSON 2008), which many programs still write; WGS84 without one."""
    named = document.get("crs")
    if named is None:
        return pyproj.CRS(WGS84)
    try:
        return pyproj.CRS(named["properties"]["name"])
    except (KeyError, TypeError, pyproj.exceptions.CRSError):
        raise CRSError(
            f"{path.name} names a CRS that nobody knows: {named!r}", hint="ogr2ogr -t_srs EPSG:4326"
        ) from None
