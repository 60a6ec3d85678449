"""Labeled points on the ground: the consensus of items beside where they lie."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geolabel.errors import QualityError, TableError
from geolabel.quality.items.agree import Items

NEAR = 1e-6
"""Two places of one item that lie further apart, in units of the CRS, contradict each other."""


def agreed_points(
    items: Items, where: pd.DataFrame, *, task: str = "task", lon: str = "lon", lat: str = "lat"
) -> gpd.GeoDataFrame:
    """A point an item: geometry, label, confidence, n_votes, share, gold and a column `p_<label>` a label, by task.

    Parameters
    ----------
    where
        The long table, or any other with a row or more an item: with geometry (kept in its CRS), or with longitude and
        latitude in WGS84.

    Raises
    ------
    TableError
        Without geometry and without these columns.
    QualityError
        Where an item has no place, or several.
    """
    places = _places(where, task, lon, lat)
    lost = items.table.index.difference(places.index)
    if len(lost):
        raise QualityError(
            f"item {lost.tolist()[0]!r} has no place ({len(lost)} such)", hint="one row an item, with lon and lat"
        )
    shares = items.posterior.rename(columns=lambda label: f"p_{label}")
    whole = pd.concat([items.table, shares], axis=1)
    return gpd.GeoDataFrame(whole, geometry=places.loc[whole.index].to_numpy(), crs=places.crs)


def _places(where: pd.DataFrame, task: str, lon: str, lat: str) -> gpd.GeoSeries:
    lost = [name for name in (task, *(() if _has_geometry(where) else (lon, lat))) if name not in where.columns]
    if lost:
        raise TableError(f"no column {lost[0]!r}; the table has {list(map(str, where.columns))}")
    shapes, crs = (
        (where.geometry, where.crs)
        if isinstance(where, gpd.GeoDataFrame)
        else (gpd.points_from_xy(where[lon], where[lat]), "EPSG:4326")
    )
    all_ = gpd.GeoSeries(list(shapes), index=pd.Index(where[task], name="task"), crs=crs)
    first = all_[~all_.index.duplicated()]
    away = shapely.distance(all_.to_numpy(), first.reindex(all_.index).to_numpy())
    if (away > NEAR).any():
        apart = all_.index[away > NEAR].tolist()[0]
        raise QualityError(f"item {apart!r} has places that differ by {away.max():g}", hint="one place an item")
    return first


def _has_geometry(where: Any) -> bool:
    return isinstance(where, gpd.GeoDataFrame)
