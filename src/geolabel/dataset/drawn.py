"""The shapes of a view and their parts on each tile: a whole polygon keeps its id, and its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.grid import Grid
from geolabel.nouns.consensus import Consensus
from geolabel.shapes import inside, repair, to_grid_crs
from geolabel.tables import AGREED, SHAPES, check, empty

SNAP_PX = 1e-7
"""Corners closer than this are one, pixels: two tiles that cut one edge may differ in the last digit."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Rows of attributes, and the whole polygon of each label in the grid's CRS."""

    rows: gpd.GeoDataFrame
    whole: Mapping[str, BaseGeometry]
    by_tile: Mapping[str, Sequence[int]] | None
    """tile_id -> numbers of its rows; None where a row shows on every tile that it meets."""
    tree: Any

    @classmethod
    def of_frame(cls, frame: gpd.GeoDataFrame, grid: Grid) -> Drawn:
        """Shapes (`tables.SHAPES` and more) that lie over the whole view; rows of one `label_id` are parts of one label."""
        rows = to_grid_crs(check(repair(frame), SHAPES), grid)
        whole = _whole(rows, grid)
        rows = rows.drop_duplicates("label_id").reset_index(drop=True)
        return cls(rows, whole, None, shapely.STRtree([whole[key] for key in rows["label_id"]]))

    @classmethod
    def of_consensuses(cls, consensuses: Mapping[str, Sequence[Consensus]], grid: Grid) -> Drawn:
        """Shapes of the consensuses of each tile id; parts of one label may lie on several tiles."""
        frames, by_tile, start = [], {}, 0
        for tile_id, own in consensuses.items():
            found = [to_grid_crs(one.shapes, grid) for one in own if len(one.shapes)]
            count = sum(len(frame) for frame in found)
            by_tile[tile_id] = range(start, start + count)
            start += count
            frames += found
        rows = pd.concat(frames, ignore_index=True) if frames else empty(AGREED, grid.crs.to_wkt())
        return cls(rows, _whole(rows, grid), by_tile, None)

    def on(self, tile_id: str, grid: Grid, *, clipped: bool) -> gpd.GeoDataFrame:
        """Rows of one tile (`grid` is its core's), cut to it or whole; shapes that only touch it are not on it."""
        box = shapely.box(*grid.bounds)
        found = (
            sorted(self.tree.query(box, predicate="intersects"))
            if self.by_tile is None
            else self.by_tile.get(tile_id, ())
        )
        rows = self.rows.iloc[list(found)]
        whole = [self.whole[key] for key in rows["label_id"]]
        cut = [inside(shape, grid) for shape in whole]
        rows = rows.set_geometry(gpd.GeoSeries(cut if clipped else whole, index=rows.index, crs=rows.crs))
        return rows[np.array([shape.area > 0 for shape in cut], bool)]


def _whole(rows: gpd.GeoDataFrame, grid: Grid) -> dict[str, BaseGeometry]:
    size = SNAP_PX * abs(grid.transform.a)
    parts = rows.groupby("label_id", sort=True).geometry.agg(list)
    return {key: own[0] if len(own) == 1 else shapely.union_all(own, grid_size=size) for key, own in parts.items()}
