"""What a format really carries, measured: the same labels written and read again, property by property."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geolabel.digests import canonical
from geolabel.grid import Grid, Tiling
from geolabel.tables import LABELS, check

CRS = "EPSG:32610"
UTM = Grid.of(CRS, Affine(30, 0, 500_000, 0, -30, 4_200_000), (64, 64))
TILES = Tiling(UTM, UTM.tiles(32))


def frame(rows: Iterable[Mapping[str, Any]], crs: Any = CRS) -> gpd.GeoDataFrame:
    """`tables.LABELS` of rows; what a row leaves out is missing."""
    rows = list(rows)

    def column(name: str, kind: str) -> pd.Series:
        values = [row.get(name) for row in rows]
        if kind.startswith("time"):
            return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True).dt.as_unit("ns"))
        return pd.Series(values, dtype=float if kind.startswith("float") else object)

    data = {name: column(name, kind) for name, kind in LABELS.kinds.items() if kind != "geometry"}
    return check(gpd.GeoDataFrame(data, geometry=[row["geometry"] for row in rows], crs=crs)[list(LABELS)], LABELS)


def on(grid: Grid, shape: BaseGeometry) -> BaseGeometry:
    """A shape in pixels (x right, y down, from the corner) on the ground of a grid."""
    return shapely.transform(shape, lambda points: np.column_stack(grid.transform * (points[:, 0], points[:, 1])))


def sample() -> gpd.GeoDataFrame:
    """Labels on `UTM` that use everything a label can say: two lie over several tiles, two have holes."""
    holed = shapely.box(3, 4, 20, 25).difference(shapely.box(8, 9, 12, 14))
    slanted = shapely.Polygon([(25.3, 5.1), (52.7, 11.9), (40.2, 27.4)], [[(35, 12), (41.5, 14), (38, 18)]])
    apart = shapely.MultiPolygon([shapely.box(4, 34, 14, 44), shapely.box(20, 40, 36, 60)])
    plain = shapely.box(44, 40, 58, 56)
    burn = {"class": "burned", "severity": "high", "severity_scheme": "key-benson", "masked_share": 0.1 + 0.2}
    when = {"start": datetime(2009, 8, 26, 22, tzinfo=UTC), "end": datetime(2009, 10, 16, 5, 0, 1, 250_001, tzinfo=UTC)}
    seen = datetime(2024, 7, 1, 12, 30, 15, 123_456, tzinfo=UTC)
    said = canonical({"note": "Ränder unsicher — 火", "n": 3, "tags": ["a", None], "share": 0.25}).decode()
    rows = [
        {"label_id": "scar/1", **burn, **when, "confidence": 1 / 3, "annotator": "person:ann", "labeled_at": seen},
        {"label_id": "Hügel № 2", "class": "forest", "attributes": said, "annotator": "person:José"},
        {"label_id": "s:3", "class": "settlement", "confidence": 0.875, "annotator": "rule:objects@1", **when},
        {"label_id": "4", "class": "building"},
    ]
    shapes = [on(UTM, one) for one in (holed, slanted, apart, plain)]
    return frame({**row, "geometry": shape} for row, shape in zip(rows, shapes, strict=True))


def attributes(text: Any) -> Any:
    """The values of an `attributes` text; None of a missing one."""
    return json.loads(text) if isinstance(text, str) else None
