"""The features of a labeled tile (`geolabel-tile/1`): tile, label, ignore. Properties are flat scalars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.about import About
from geolabel.dataset.geojson import Feature, feature, longest_edge, lonlat
from geolabel.digests import digest
from geolabel.errors import InputError
from geolabel.grid import Grid, Tile
from geolabel.ontology import KINDS
from geolabel.shapes import area_m2

SCHEMA = "geolabel-tile/1"
SHARE_DECIMALS = 4
"""Of shares and probabilities."""


def tile_id(view_id: str, grid: Grid, tile: Tile) -> str:
    """`{view}/{grid}/{row}_{col}`."""
    return f"{view_id}/{grid.digest}/{tile.key}"


def tile_feature(view_id: str, grid: Grid, tile: Tile, about: About, judged: Mapping[str, Any]) -> Feature:
    """The tile feature; `judged` holds outcome, status, n_answers, n_annotators and agreement."""
    own = grid.crop(tile)
    key = tile_id(view_id, grid, tile)
    properties = {
        "feature_type": "tile",
        "schema": SCHEMA,
        "project": about.project,
        "tile_id": key,
        "view_id": view_id,
        "scene_before": about.scene_before,
        "scene_after": about.scene_after,
        "start": about.start,
        "end": about.end,
        "grid_crs": crs_text(grid),
        "grid_transform": ",".join(repr(float(v)) for v in own.transform[:6]),
        **{name: getattr(tile, name) for name in ("height", "width", "margin", "row", "col")},
        **{name: judged[name] for name in ("outcome", "status", "n_answers", "n_annotators")},
        "agreement": share(judged["agreement"]),
        "valid_share": share(about.valid_share.get(tile.key)),
        "ontology": about.ontology.id,
        "instructions": about.instructions,
        "split": about.split.get(tile.key),
        "block_id": about.block.get(tile.key),
        "batch": about.batch,
        "export_version": about.export_version,
        "licence": about.licence,
        "access": about.access,
        "notes": about.notes,
    }
    return feature(key, lonlat([shapely.box(*own.bounds)], own.crs.proj, longest=_side(own))[0], properties)


def _side(grid: Grid) -> float:
    """Edge length of a densified footprint: an eighth of the tile, or less where edges would bow."""
    west, south, east, north = grid.bounds
    return min(longest_edge(grid), max(east - west, north - south) / 8)


def sealed(features: Sequence[Feature]) -> list[Feature]:
    """The features with the digest of all of them in the first, the tile's."""
    head, *rest = features
    properties = {**head["properties"], "digest": digest(list(features))}
    return [{**head, "properties": properties}, *rest]


def crs_text(grid: Grid) -> str:
    """`EPSG:32611`, or WKT where the CRS has no code."""
    return grid.crs_name if grid.crs.epsg else str(grid.crs.to_wkt())


def tile_grid(properties: Mapping[str, Any]) -> Grid:
    """Grid of a tile's core, from the properties of its tile feature.

    Raises
    ------
    InputError
        Where they do not describe a grid.
    """
    try:
        transform = Affine(*(float(v) for v in properties["grid_transform"].split(",")))
        return Grid.of(properties["grid_crs"], transform, (int(properties["height"]), int(properties["width"])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"these properties describe no grid: {error!r}", hint="give those of a tile feature") from None


def share(value: Any) -> Any:
    """A share at four decimals; missing values stay."""
    return value if value is None else round(float(value), SHARE_DECIMALS)


def label_features(frame: gpd.GeoDataFrame, grid: Grid, about: About, common: Mapping[str, Any]) -> list[Feature]:
    """Label features of SHAPES or AGREED rows, so ordered that a later one lies on an earlier: terrain, burn, objects.

    Within a kind larger shapes come first, whatever the order of the rows. `common` holds what all labels of the tile
    share: tile_id, source, method, annotator, labeled_at, n_votes, clipped, supersedes, answer_digest, and `suffix` of
    the ids.
    """
    if not len(frame):
        return []
    areas, shapes = area_m2(frame), lonlat(frame.geometry, frame.crs, longest=longest_edge(grid))
    rows = list(zip(frame.drop(columns="geometry").to_dict("records"), areas, shapes, strict=True))
    rows.sort(key=lambda row: (KINDS.index(about.ontology[row[0]["class"]].kind), -row[1], row[0]["label_id"]))
    return [_label(row, float(area), shape, about, common) for row, area, shape in rows]


def _label(
    row: Mapping[str, Any], area: float, shape: BaseGeometry, about: About, common: Mapping[str, Any]
) -> Feature:
    what = about.ontology[row["class"]]
    spread = row.get("boundary_sd_m")
    properties = {
        "feature_type": "label",
        "label_id": row["label_id"],
        "tile_id": common["tile_id"],
        "class": what.name,
        "class_code": what.code,
        "class_title": what.title,
        "kind": what.kind,
        "severity": row["severity"],
        "severity_scheme": row["severity_scheme"],
        "start": _own(row, "start", about.start),
        "end": _own(row, "end", about.end),
        "labeled_at": _own(row, "labeled_at", common["labeled_at"]),
        "source": common["source"],
        "annotator": _own(row, "annotator", common["annotator"]),
        "method": common["methods"].get(what.kind),
        "n_votes": row.get("n_votes", common["n_votes"]),
        "agreement": share(row.get("agreement")),
        "probability": share(row.get("probability")) if about.calibrated else None,
        "confidence": share(row["confidence"]),
        "boundary_sd_m": None if spread is None else round(float(spread), 1),
        "masked_share": share(row["masked_share"]),
        "attributes": row.get("attributes"),
        "area_m2": round(area, 1),
        "clipped": common["clipped"],
        "supersedes": common["supersedes"],
        "answer_digest": common["answer_digest"],
    }
    return feature(f"{row['label_id']}:{common['tile_id']}{common['suffix']}", shape, properties)


def _own(row: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    """What the label itself says, else what holds for all of the tile."""
    value = row.get(name)
    return otherwise if value is None or value != value else value  # noqa: PLR0124 - NaT and NaN


def ignore_features(frame: gpd.GeoDataFrame, grid: Grid, tile: str, suffix: str = "") -> list[Feature]:
    """Ignore features of IGNORE rows on the tile of this id, in the order of their reasons."""
    if not len(frame):
        return []
    shapes = lonlat(frame.geometry, frame.crs, longest=longest_edge(grid))
    rows = sorted(zip(frame["reason"], shapes, strict=True), key=lambda row: (row[0], row[1].wkb))
    return [
        feature(f"ignore-{n}:{tile}{suffix}", shape, {"feature_type": "ignore", "tile_id": tile, "reason": reason})
        for n, (reason, shape) in enumerate(rows, start=1)
    ]
