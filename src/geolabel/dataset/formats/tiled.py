"""Labeled tiles (`geolabel-tile/1`) read back: whole labels under their ids, and the tiles, the empty ones too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geolabel.dataset.features import SCHEMA
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.vector import labels_of
from geolabel.dataset.geojson import DECIMALS
from geolabel.errors import InputError, SourceError
from geolabel.tables import LABELS, empty

INDEX, ANSWERS = "index.geojson", "answers.geojson"
CRS = "EPSG:4326"
Document = Mapping[str, Any]


def read_tiles(path: Path | str, *, told: Told | None = None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """(`tables.LABELS`, tiles) of a folder of labeled tiles, of one tile's file, or of its `answers.geojson`; WGS84.

    Labels are dissolved on `label_id` to whole polygons. The tiles have all properties of their tile features, so that
    those where nobody found anything are there; of answers there is one row an answer, with its `annotator`. Facts of
    the export (source, method, votes, agreement) stay in the files.

    Raises
    ------
    InputError
        Where nothing of it is `geolabel-tile/1`.
    SourceError
        Where a file that the index names is missing.
    """
    path = Path(path)
    documents = list(tile_documents(path)) if path.is_dir() else [_load(path)]
    return labels_of_tiles(documents, told or Told()), tiles_of(documents)


def is_tiled(document: Document) -> bool:
    """Whether a GeoJSON document is one of ours with tile features."""
    features = document.get("features") or [{}]
    return (features[0].get("properties") or {}).get("schema") == SCHEMA


def tile_documents(folder: Path) -> Iterator[Document]:
    """The files of a folder's tiles, in the order of its index."""
    if not (folder / INDEX).is_file():
        raise InputError(f"{folder} has no {INDEX}", hint="a folder that geolabel exported as geojson with tiles")
    for one in _load(folder / INDEX)["features"]:
        yield _load(folder / one["properties"]["href"])


def _load(path: Path) -> Document:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"{path} is not there", hint="is the export complete? run it again") from None
    except ValueError as error:
        raise InputError(f"{path.name} is no JSON: {error}", hint="is the export complete? run it again") from None
    if document.get("features") and not is_tiled(document):
        raise InputError(f"{path.name} is no file of labeled tiles", hint="gl.read_labels(...) reads any GeoJSON")
    return document


def tiles_of(documents: Iterable[Document]) -> gpd.GeoDataFrame:
    """One row a tile feature, with all its properties, in WGS84."""
    heads = [one for document in documents for one in document["features"] if _type(one) == "tile"]
    shapes = [shapely.geometry.shape(one["geometry"]) for one in heads]
    return gpd.GeoDataFrame(pd.DataFrame([one["properties"] for one in heads]), geometry=shapes, crs=CRS)


def labels_of_tiles(documents: Iterable[Document], told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS`, whole, by `label_id`; of answers only those that no other answer supersedes.

    `attrs["tiles"]` has the first tile of each view and grid of a project that the documents name.
    """
    found = [one for document in documents for one in document["features"]]
    labels = _labels(found, told)
    labels.attrs["tiles"] = _homes(found)
    return labels


def _homes(found: Iterable[Document]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for one in found:
        said = one.get("properties") or {}
        if said.get("feature_type") == "tile" and said.get("project"):
            first.setdefault(said["tile_id"].rpartition("/")[0], said["tile_id"])
    return tuple(first.values())


def _labels(found: list[Document], told: Told) -> gpd.GeoDataFrame:
    gone = {(one["properties"] or {}).get("supersedes") for one in found} - {None}
    labels = [one for one in found if _type(one) == "label" and one["id"].rpartition(":")[2] not in gone]
    if not labels:
        return empty(LABELS, CRS)
    rows = pd.DataFrame([_row(one["properties"]) for one in labels])
    rows["geometry"] = [shapely.geometry.shape(one["geometry"]) for one in labels]
    groups = rows.groupby(["label_id", "answer_digest"], sort=True, dropna=False)
    whole = [{**own.iloc[0].to_dict(), "geometry": _whole(own)} for _, own in groups]
    frame = gpd.GeoDataFrame(pd.DataFrame(whole).drop(columns=["answer_digest", "clipped"]), crs=CRS)
    return labels_of(frame, told, path=Path("tiles"))


def _row(properties: Mapping[str, Any]) -> dict[str, Any]:
    names = [*LABELS, "answer_digest", "clipped"]
    return {name: properties.get(name) for name in names if name != "geometry"}


def _whole(own: pd.DataFrame) -> Any:
    """The whole polygon of its parts: cut ones meet where both were rounded, uncut ones are all the same."""
    parts = list(own["geometry"])
    if len(parts) == 1 or not own["clipped"].iloc[0]:
        return parts[0]
    return shapely.union_all(parts, grid_size=10**-DECIMALS)


def _type(one: Mapping[str, Any]) -> Any:
    return (one.get("properties") or {}).get("feature_type")
