"""Change per basin of real fires, recomputed from pixels on one metric grid, beside the official figures of USGS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geolabel.grid import Grid
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.indices import dnbr
from geolabel.scene.open import open_scene
from geolabel.scene.reading import read_header
from geolabel.shapes import rasterise

OFFICIAL, SEVERE = "dNBR/1000", "PropHM23"
"""Columns of USGS: mean dNBR of a basin, and its share of moderate and high severity."""
ACQUIRED = {"before": ("1999-01-01", "2012-12-31"), "after": ("1999-01-01", "2012-12-31")}
"""Composites of spring and of late year, 2000-2012: no day is stated."""


def basins(folder: Path, fire: str) -> pd.DataFrame:
    """Rows of the table of chips with an official figure, one a basin of the fire."""
    table = pd.read_csv(folder / "chips_index.csv")
    return table[(table.code == fire) & table[OFFICIAL].notna()].reset_index(drop=True)


def mosaics(folder: Path, fire: str) -> View:
    """The fire's two mosaics, which come in degrees, on one metric grid."""
    paths = {role: folder / "mosaics" / f"{fire}_{role}.tif" for role in ACQUIRED}
    return align({role: open_scene(paths[role], sensor="landsat-c2-l2", at=at) for role, at in ACQUIRED.items()})


def footprints(folder: Path, table: pd.DataFrame, grid: Grid) -> Iterator[NDArray[np.bool_]]:
    """(y, x) of each basin: the rectangle of its chip, on another grid."""
    for name in table.id:
        own = read_header(folder / "chips" / name.split("_")[0] / f"{name}_before.tif").grid
        box = gpd.GeoDataFrame(geometry=[shapely.box(*own.bounds)], crs=own.crs.to_wkt())
        yield rasterise(box, grid) > 0


def change_per_basin(folder: Path, table: pd.DataFrame, view: View) -> pd.Series:
    """Mean dNBR of the view's valid pixels in each basin, in the order of the table."""
    change = np.asarray(dnbr(view))
    means = [float(np.nanmean(change[basin])) for basin in footprints(folder, table, view.grid)]
    return pd.Series(means, index=table.index)


def spearman(a: pd.Series, b: pd.Series) -> float:
    """Rank correlation, ties sharing their mean rank."""
    return float(a.rank().corr(b.rank()))
