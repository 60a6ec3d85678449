"""Change and severity per basin of real fires, recomputed from pixels on one metric grid, beside the official figures of USGS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
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
FIRES = {
    "Station": ("stn", 0.71, 0.66),
    "Coal Seam": ("cs", 0.84, 0.83),
    "Little Bear": ("lb", 0.90, 0.86),
    "Waldo": ("wal", 0.91, 0.71),
}
"""Fire -> code, Pearson and Spearman of `data/README.md`."""
SLACK = 0.02
RESAMPLES = 1_000
Statistic = Callable[[pd.Series, pd.Series], float]


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


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire: its basins by USGS, the known dNBR of each, and what geolabel decided of the whole fire."""

    table: pd.DataFrame
    change: tuple[NDArray[np.float32], ...]
    """Known dNBR of each basin's pixels, nothing taken off."""
    offset: float
    """Change of unburned ground, from the ring around the scars."""
    published: tuple[float, ...]
    """Where low, moderate and high begin: Key & Benson's, and cut from this fire's own scars."""
    own: tuple[float, ...]

    @property
    def means(self) -> pd.Series:
        """Mean dNBR of each basin, the offset taken off."""
        return pd.Series([float(values.mean()) - self.offset for values in self.change])

    def severe(self, moderate_from: float) -> pd.Series:
        """Share of each basin's pixels of which dNBR, the offset taken off, is at or above a break."""
        return pd.Series([float((values - self.offset >= moderate_from).mean()) for values in self.change])


@cache
def fire(folder: Path, code: str) -> Fire:
    """A fire of the data, by its mosaics."""
    from geolabel.steps.rule import RuleOptions
    from geolabel.steps.rules import find

    table, view = basins(folder, code), mosaics(folder, code)
    change = np.asarray(dnbr(view))
    known = np.isfinite(change)
    parts = tuple(change[basin & known] for basin in footprints(folder, table, view.grid))
    published, own = (find("burned", view, RuleOptions(scheme=scheme)).attrs for scheme in (None, "per-fire"))
    return Fire(table, parts, published["offset"], tuple(published["breaks"][2:5]), tuple(own["breaks"]))


def change_per_basin(folder: Path, table: pd.DataFrame, view: View) -> pd.Series:
    """Mean dNBR of the view's valid pixels in each basin, in the order of the table."""
    change = np.asarray(dnbr(view))
    means = [float(np.nanmean(change[basin])) for basin in footprints(folder, table, view.grid)]
    return pd.Series(means, index=table.index)


# ---------------------------------------------------------------------- how far two columns agree
def pearson(a: pd.Series, b: pd.Series) -> float:
    """Correlation."""
    return float(a.corr(b))


def spearman(a: pd.Series, b: pd.Series) -> float:
    """Rank correlation, ties sharing their mean rank."""
    return float(a.rank().corr(b.rank()))


def apart(a: pd.Series, b: pd.Series) -> float:
    """Mean absolute difference."""
    return float((a - b).abs().mean())


def interval(statistic: Statistic, a: pd.Series, b: pd.Series, *, seed: int = 0) -> tuple[float, float]:
    """(low, high) of 90 % of `RESAMPLES` resamples of the basins with replacement (percentiles).

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(a), len(a))
        values.append(statistic(a.iloc[rows].reset_index(drop=True), b.iloc[rows].reset_index(drop=True)))
    low, high = np.nanquantile(values, [0.05, 0.95])  # of eight basins one may be drawn eight times: no correlation
    return float(low), float(high)


def halves(burn: Fire, *, seed: int = 0, repeats: int = 20) -> tuple[float, float]:
    """(mean absolute difference, Pearson) of the share of severe ground on basins that a break was not fitted to.

    In each of `repeats` the basins are halved by chance; the break that comes nearest to USGS on one half (of twentieths
    of a dNBR) is tried on the other, both ways.
    """
    rng, official = np.random.default_rng(seed), burn.table[SEVERE]
    tried = np.arange(-0.3, 1.0, 0.025)
    shares = pd.DataFrame({level: burn.severe(level) for level in tried})
    misses, fits = [], []
    for _ in range(repeats):
        order = rng.permutation(len(official))
        for fitted, tested in (np.array_split(order, 2), np.array_split(order, 2)[::-1]):
            best = min(tried, key=lambda level: apart(shares[level].iloc[fitted], official.iloc[fitted]))
            misses.append(apart(shares[best].iloc[tested], official.iloc[tested]))
            fits.append(pearson(shares[best].iloc[tested], official.iloc[tested]))
    return float(np.mean(misses)), float(np.nanmean(fits))
