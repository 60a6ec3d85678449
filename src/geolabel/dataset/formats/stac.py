"""STAC: an item a labeled tile with its labels, its mask and the scenes it speaks of, in one collection.

Source: STAC 1.1.0; extensions label 1.0.1, classification 2.0.0, version 1.2.0, projection 2.0.0, processing 1.2.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from shapely.geometry import shape

from geolabel.dataset.about import About
from geolabel.dataset.features import tile_grid
from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import outgoing
from geolabel.dataset.formats.geojson import read as read_geojson
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import json_of
from geolabel.dataset.formats.tiled import INDEX, is_tiled, labels_of_tiles
from geolabel.dataset.geojson import Feature, bbox
from geolabel.dataset.tiles import export_tiles
from geolabel.errors import InputError, SourceError
from geolabel.files import write_json
from geolabel.ontology import NODATA, Ontology
from geolabel.ontology.stac import to_stac

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

CARRIES = Carries(
    geometry="rounded",
    holes="exact",
    crs="no",
    ids="exact",
    times="exact",
    attributes="rounded",
    annotator="exact",
    confidence="rounded",
    note="The labels are labeled tiles in WGS84, corners to 7 decimals of a degree (1 cm), shares to 4; every item "
    "needs a time: of its tile, or of its labels.",
)
STAC = "1.1.0"
BASE = "https://stac-extensions.github.io"
EXTENSIONS = tuple(
    f"{BASE}/{name}/schema.json"
    for name in ("label/v1.0.1", "classification/v2.0.0", "version/v1.2.0", "projection/v2.0.0", "processing/v1.2.0")
)
GEOJSON, JSON = "application/geo+json", "application/json"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
COLLECTION, ITEMS = "collection.json", "items"
PROPERTIES = ("class", "severity")
"""Fields of the GeoJSON that say what a label is."""
LICENCES = ("unknown", "proprietary", "")
"""What STAC calls `other`."""
METHODS = {"consensus": "manual", "answer": "manual", "rule": "automatic", "model": "automatic"}
Json = dict[str, Any]


# ---------------------------------------------------------------------- out
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of a folder of labeled tiles with `collection.json` and `items/<key>.json` beside them.

    Raises
    ------
    InputError
        Without tiles, or where neither the export nor a tile's labels say of which time they are.
    """
    if writing.tiles is None:
        raise InputError("STAC has an item a tile", hint="say of which: tiles=gl.tiles(scene, size=512)")
    frame, tiles = outgoing(labels), writing.tiles
    more: Json = {"about": writing.about, "clipped": writing.clipped, "progress": writing.progress}
    export_tiles(path, view_id=writing.view_id, grid=tiles.grid, tiles=tiles, shapes=frame, **more)
    return describe(path, writing.about)


def describe(folder: Path, about: About) -> Path:
    """The folder of labeled tiles, once a collection and an item a tile lie in it.

    Raises
    ------
    InputError
        Where neither the export nor any label says of which time it is.
    """
    found = items(folder, about)
    names = {f"{one['id']}.json" for one in found}
    for path in (folder / ITEMS).glob("*.json"):
        if path.name not in names:
            path.unlink()
    for one in found:
        write_json(folder / ITEMS / f"{one['id']}.json", one)
    write_json(folder / COLLECTION, _collection(found, about))
    return folder


def items(folder: Path, about: About) -> list[Json]:
    """Items of a folder of labeled tiles, as plain dictionaries, in the order of its index."""
    heads = json_of(folder / INDEX)["features"]
    tiles = [(head, json_of(folder / head["properties"]["href"])["features"]) for head in heads]
    span = _span([feature for _, features in tiles for feature in features])
    return [_item(head, features, about, span) for head, features in tiles]


def _item(head: Feature, features: Sequence[Feature], about: About, span: tuple[str, str] | None) -> Json:
    tile, labels = head["properties"], [one for one in features if one["properties"]["feature_type"] == "label"]
    times = _span([head, *labels]) or span
    if times is None:
        raise InputError(
            f"nothing says of which time the labels of {tile['tile_id']} are, and a STAC item must",
            hint="about=About(start=..., end=...), or labels with a start and an end",
        )
    properties = {
        "datetime": None if times[0] != times[1] else times[0],
        "start_datetime": times[0],
        "end_datetime": times[1],
        "title": f"Labels of {tile['tile_id']}",
        "license": _licence(about),
        "version": str(about.export_version),
        **_label_fields(tile, labels, about.ontology),
        "processing:software": {"geolabel": version("geolabel")},
        "processing:lineage": _lineage(labels),
        "geolabel:outcome": tile["outcome"],
        "geolabel:digest": tile["digest"],
    }
    return {
        "type": "Feature",
        "stac_version": STAC,
        "stac_extensions": list(EXTENSIONS),
        "id": tile["tile_id"].replace("/", "."),
        "collection": _name(about, tile),
        "geometry": head["geometry"],
        "bbox": bbox([shape(head["geometry"])]),
        "properties": properties,
        "assets": _assets(tile, about),
        "links": _links(tile),
    }


def _span(features: Sequence[Feature]) -> tuple[str, str] | None:
    """(earliest start, latest end) of what features say; None where none says it."""
    said = [one["properties"].get(name) for one in features for name in ("start", "end")]
    times = sorted(moment for moment in said if moment)
    return (times[0], times[-1]) if times else None


def _licence(about: About) -> str:
    return "other" if about.licence in LICENCES else about.licence


def _label_fields(tile: Mapping[str, Any], labels: Sequence[Feature], ontology: Ontology) -> Json:
    """Fields of the label extension."""
    severities = sorted({one["properties"]["severity"] for one in labels} - {None})
    names = {"class": [one.name for one in ontology], "severity": severities}
    counts = {name: Counter(one["properties"][name] for one in labels) for name in PROPERTIES}
    sources = sorted({METHODS[one["properties"]["source"]] for one in labels})
    return {
        "label:type": "vector",
        "label:description": f"{len(labels)} labels under {tile['ontology']}; outcome: {tile['outcome']}",
        "label:properties": list(PROPERTIES),
        "label:classes": [{"name": name, "classes": names[name]} for name in PROPERTIES if names[name]],
        "label:tasks": ["segmentation"],
        "label:methods": sources or ["manual"],
        "label:overviews": [
            {"property_key": name, "counts": [{"name": k, "count": own[k]} for k in sorted(own, key=str) if k]}
            for name, own in counts.items()
            if any(own)
        ],
    }


def _lineage(labels: Sequence[Feature]) -> str:
    methods = sorted({f"{one['properties']['source']} {one['properties']['method'] or ''}".strip() for one in labels})
    return f"geolabel: {', '.join(methods) or 'nothing found'}"


def _assets(tile: Mapping[str, Any], about: About) -> Json:
    grid = tile_grid(tile)
    transform = list(grid.transform[:6])
    mask = {
        "href": f"../{tile['mask_href']}",
        "type": COG,
        "title": "Class codes",
        "roles": ["labels", "labels-raster"],
        "data_type": "uint8",
        "nodata": NODATA,
        "classification:classes": to_stac(about.ontology),
        "proj:code": grid.crs_name if grid.crs.epsg else None,
        "proj:shape": list(grid.shape),
        "proj:transform": transform,
    }
    if mask["proj:code"] is None:
        mask["proj:wkt2"] = grid.crs.to_wkt()
    labels = {"href": f"../{tile['href']}", "type": GEOJSON, "title": "Labels", "roles": ["labels", "labels-vector"]}
    scenes = {role: _href(tile[f"{role}_href"]) for role in ("before", "after") if tile.get(f"{role}_href")}
    return {
        "labels": labels,
        "mask": mask,
        **{role: {"href": href, "title": f"Scene {role}", "roles": ["data"]} for role, href in scenes.items()},
    }


def _href(href: str) -> str:
    """An address as it is; a path that is relative to the tiles, from the folder of the items."""
    return href if "://" in href or Path(href).is_absolute() else f"../{href}"


def _links(tile: Mapping[str, Any]) -> list[Json]:
    home = [{"rel": rel, "href": f"../{COLLECTION}", "type": JSON} for rel in ("root", "parent", "collection")]
    sources = [(role, tile.get(f"{role}_href")) for role in ("before", "after")]
    return [
        *home,
        *(
            {"rel": "source", "href": _href(href), "title": f"Scene {role}", "label:assets": ["labels"]}
            for role, href in sources
            if href
        ),
    ]


def _name(about: About, tile: Mapping[str, Any]) -> str:
    return f"{about.project or tile['view_id']}-labels"


def _collection(found: Sequence[Json], about: About) -> Json:
    boxes = [one["bbox"] for one in found]
    whole = [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)]
    times = [(one["properties"]["start_datetime"], one["properties"]["end_datetime"]) for one in found]
    interval = [min(start for start, _ in times), max(end for _, end in times)]
    said = f"Labels under {about.ontology.id}, export version {about.export_version}."
    return {
        "type": "Collection",
        "stac_version": STAC,
        "stac_extensions": [one for one in EXTENSIONS if "/version/" in one],
        "id": found[0]["collection"],
        "title": f"Labels of {about.project}" if about.project else "Labels",
        "description": f"{said} {about.notes}" if about.notes else said,
        "license": _licence(about),
        "version": str(about.export_version),
        "extent": {
            "spatial": {"bbox": [whole, *boxes] if len(boxes) > 1 else [whole]},
            "temporal": {"interval": [interval]},
        },
        "summaries": {"label:type": ["vector"], "label:tasks": ["segmentation"]},
        "links": [
            {"rel": "root", "href": f"./{COLLECTION}", "type": JSON},
            *({"rel": "item", "href": f"./{ITEMS}/{one['id']}.json", "type": GEOJSON} for one in found),
        ],
    }


# ---------------------------------------------------------------------- in
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of the vector labels that a local collection's or item's assets hold.

    Raises
    ------
    SourceError
        Where a file that is linked is missing.
    InputError
        For an item without vector labels, or one whose labels do not lie beside it.
    """
    files = [file for item in _items_of(path / COLLECTION if path.is_dir() else path) for file in _labels_of(item)]
    documents = [json_of(file) for file in files]
    if all(is_tiled(one) for one in documents):
        return labels_of_tiles(documents, told)
    frames = [read_geojson(file, told) for file in files]
    return pd.concat([frame.to_crs(frames[0].crs) for frame in frames], ignore_index=True)


def _items_of(path: Path) -> list[Path]:
    if not path.is_file():
        raise SourceError(f"{path} is not there", hint="a folder with collection.json, or an item's file")
    document = json_of(path)
    if document.get("type") == "Feature":
        return [path]
    links = [one["href"] for one in document.get("links", []) if one.get("rel") in ("item", "child")]
    return [item for href in links for item in _items_of(path.parent / href)]


def _labels_of(item: Path) -> list[Path]:
    """Files of the item's vector labels."""
    assets = json_of(item).get("assets", {})
    hrefs = [
        str(one["href"])
        for one in assets.values()
        if GEOJSON in str(one.get("type")) or "labels-vector" in one.get("roles", ())
    ]
    if not hrefs:
        raise InputError(f"{item.name} has no vector labels; its assets are {sorted(assets)}", hint="a STAC label item")
    far = [href for href in hrefs if "://" in href]
    if far:
        raise InputError(f"the labels of {item.name} lie at {far[0]}", hint="download them beside the item first")
    return [item.parent / href for href in hrefs]
