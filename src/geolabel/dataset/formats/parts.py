"""Parts of labels, as images have them, to whole labels on the ground."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.images import Look
from geolabel.dataset.formats.pixels import ROUNDING_PX, to_ground, to_pixels
from geolabel.dataset.formats.reading import Told, table
from geolabel.errors import InputError
from geolabel.grid import Grid, crs_key
from geolabel.tables import LABELS

SNAP_PX = 1e-7
"""Corners closer than this are one, pixels: two images that cut one edge may differ in the last digit."""
Part = Mapping[str, Any]
"""Columns of `tables.LABELS`; `geometry` in pixels of `grid`."""


def ground(parts: Sequence[Part]) -> gpd.GeoDataFrame:
    """Rows (one a `label_id`) on the ground: parts of one label, on one image or several, are joined.

    In the CRS of the images; in WGS84 where they differ; without a CRS where there is no part.

    Raises
    ------
    InputError
        Where parts of one label have different classes.
    """
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part["label_id"], []).append(part)
    keys = {crs_key(part["grid"].crs.to_wkt()) for part in parts}
    target = "EPSG:4326" if len(keys) > 1 else next(iter(keys), None)
    rows = [{**own[0], "geometry": _joined(own, target)} for own in groups.values()]
    data = pd.DataFrame([{k: v for k, v in row.items() if k not in ("grid", "geometry")} for row in rows])
    return gpd.GeoDataFrame(data, geometry=[row["geometry"] for row in rows], crs=target)


def _joined(parts: Sequence[Part], target: str | None) -> BaseGeometry:
    classes = {part["class"] for part in parts}
    if len(classes) > 1:
        raise InputError(
            f"the parts of label {parts[0]['label_id']!r} are {sorted(map(str, classes))}",
            hint="give its parts one class, or ids of their own",
        )
    base: Grid = parts[0]["grid"]
    whole = parts[0]["geometry"] if len(parts) == 1 else _one([_on(base, part) for part in parts])
    there = to_ground([whole], base)[0]
    key = crs_key(base.crs.to_wkt())
    return there if target in (None, key) else _reprojected(there, key, target)


def _one(parts: Sequence[BaseGeometry]) -> BaseGeometry:
    """The union without the corners that lay on the edges between images."""
    return shapely.simplify(shapely.normalize(shapely.union_all(parts, grid_size=SNAP_PX)), SNAP_PX)


def _on(base: Grid, part: Part) -> BaseGeometry:
    """A part in pixels of `base`; whole pixels stay whole."""
    there, grid = part["geometry"], part["grid"]
    if grid is base:
        return there
    moved: BaseGeometry = to_ground([there], grid)[0]
    if crs_key(grid.crs.to_wkt()) != crs_key(base.crs.to_wkt()):
        moved = _reprojected(moved, grid.crs.to_wkt(), base.crs.to_wkt())
    return shapely.transform(to_pixels([moved], base)[0], lambda points: np.round(points, ROUNDING_PX - 3))


def _reprojected(shape: BaseGeometry, source: str, target: str | None) -> BaseGeometry:
    return gpd.GeoSeries([shape], crs=source).to_crs(target).iloc[0]


def labels_of(parts: Sequence[Part], told: Told, looked: Iterable[Look] = ()) -> gpd.GeoDataFrame:
    """`tables.LABELS` of parts; who looked at what is `attrs["looked"]`."""
    rows = ground(parts)
    if not len(rows):
        rows = gpd.GeoDataFrame({"label_id": [], "class": []}, geometry=[], crs=told.crs or "EPSG:4326")
    found = table(with_kinds(rows), told)
    found.attrs["looked"] = tuple(looked)
    return found


def with_kinds(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows whose columns have the kinds of `tables.LABELS`, those that are there."""

    def column(name: str) -> Any:
        kind = LABELS.kinds[name]
        if kind.startswith("time"):
            return pd.to_datetime(rows[name], utc=True, format="ISO8601")
        plain = rows[name].astype(float) if kind.startswith("float") else rows[name].astype(object)
        return plain if kind.startswith("float") else plain.where(plain.notna(), None)

    there = [name for name in LABELS if name in rows.columns and name != "geometry"]
    return rows.assign(**{name: column(name) for name in there})
