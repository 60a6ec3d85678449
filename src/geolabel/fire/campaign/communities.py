"""Communities a campaign looks at: when and from where each member's fire came to their edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numba import njit
from rasterio.features import rasterize
from scipy.ndimage import maximum_filter

from geolabel.bearings import SECTORS, mean_resultant
from geolabel.errors import CRSError, FireError
from geolabel.fire.arrays import F32, F64, I32, I64
from geolabel.fire.front.solver import Reached
from geolabel.grid import Grid
from geolabel.tables import REACHED, ROSE, check

if TYPE_CHECKING:
    import geopandas as gpd  # weighs 70 MB: loaded by who has communities
    import pandas as pd

REACH_CELLS = 1
"""A fire so many cells beside a community has reached it, as in `exposure`: settlements do not burn on the map."""
DOMINANT_R = 0.3
"""Mean resultant length below which no direction of spread dominates among the members."""


@dataclass(frozen=True)
class Communities:
    """Communities on a grid: the cells at which a fire has reached each, those it touches and those beside them."""

    names: tuple[str, ...]
    slot: I32
    """(cell,) position in `first`, -1 where no community is."""
    first: I32
    """(n + 1,) where the communities of each slot begin in `of`."""
    of: I32
    """Communities, slot by slot."""

    @classmethod
    def on(cls, communities: gpd.GeoDataFrame, grid: Grid) -> Communities:
        """Communities of a table with a column `name` (or `label_id`) and geometries in any CRS.

        Raises
        ------
        CRSError
            Without a CRS.
        FireError
            Without names, or a community of which nothing lies on the grid.
        """
        from geolabel.shapes import to_grid_crs

        if communities.crs is None:
            raise CRSError("the communities have no CRS", hint="frame.set_crs(...) with the CRS they were drawn in")
        column = next((name for name in ("name", "label_id") if name in communities.columns), None)
        if column is None:
            raise FireError(f"no names of the communities among {list(communities.columns)}", hint="a column 'name'")
        names = tuple(map(str, communities[column]))
        found = [_cells(geometry, grid) for geometry in to_grid_crs(communities, grid).geometry]
        for name, cells in zip(names, found, strict=True):
            if not len(cells):
                raise FireError(
                    f"the community {name!r} does not lie on {grid!r}", hint="leave it out, or widen the grid"
                )
        return cls(names, *_by_cell(found, grid.height * grid.width))

    def visit(self, reached: Reached) -> tuple[F32, I64]:
        """((community,) first arrival, minutes, inf where the fire did not come; position in `reached.cells`, -1)."""
        when, at = np.full(len(self.names), np.inf, np.float32), np.full(len(self.names), -1, np.int64)
        _first(reached.cells, reached.arrival_min, self.slot, self.first, self.of, when, at)
        return when, at


def _cells(geometry: Any, grid: Grid) -> I64:
    """Cell numbers on the grid that a geometry touches, and those beside them."""
    left, bottom, right, top = geometry.bounds
    inverse = ~grid.transform
    (col0, row0), (col1, row1) = inverse * (left, top), inverse * (right, bottom)
    if not np.isfinite([row0, col0, row1, col1]).all():
        return np.zeros(0, np.int64)
    n = 2 * REACH_CELLS
    rows = max(int(np.floor(row0)) - n, -n), min(int(np.floor(row1)) + 1 + n, grid.height + n)
    cols = max(int(np.floor(col0)) - n, -n), min(int(np.floor(col1)) + 1 + n, grid.width + n)
    if rows[0] >= rows[1] or cols[0] >= cols[1]:
        return np.zeros(0, np.int64)
    transform = grid.transform * Affine.translation(cols[0], rows[0])
    shape = rows[1] - rows[0], cols[1] - cols[0]
    touched = rasterize([geometry], shape, transform=transform, all_touched=True, dtype=np.uint8)
    row, col = np.nonzero(maximum_filter(touched, 2 * REACH_CELLS + 1, mode="constant"))
    row, col = row + rows[0], col + cols[0]
    inside = (row >= 0) & (col >= 0) & (row < grid.height) & (col < grid.width)
    return (row * grid.width + col)[inside]


def _by_cell(found: Sequence[I64], size: int) -> tuple[I32, I32, I32]:
    """(slot, first, of) of `Communities` from the cells of each community."""
    cells = np.concatenate([np.zeros(0, np.int64), *found])
    of = np.repeat(np.arange(len(found)), [len(one) for one in found])
    order = np.lexsort((of, cells))
    unique, first = np.unique(cells[order], return_index=True)
    slot = np.full(size, -1, np.int32)
    slot[unique] = np.arange(len(unique))
    return slot, np.append(first, len(cells)).astype(np.int32), of[order].astype(np.int32)


@njit(nogil=True, cache=True)
def _first(cells: I32, arrival: F32, slot: I32, first: I32, of: I32, when: F32, at: I64) -> None:
    """Earliest arrival at each community; of cells that burn at once, the one of lower number."""
    for i in range(len(cells)):
        s = slot[cells[i]]
        if s < 0:
            continue
        for j in range(first[s], first[s + 1]):
            one = of[j]
            if arrival[i] < when[one] or (arrival[i] == when[one] and cells[i] < cells[at[one]]):
                when[one] = arrival[i]
                at[one] = i


# ---------------------------------------------------------------------------------------------- what is said of them
@dataclass(frozen=True, slots=True)
class Visits:
    """When and from where the members of a campaign came to communities."""

    names: tuple[str, ...]
    arrival_min: F32
    """(member, community) first arrival at its edge, minutes after ignition; inf where the member did not come."""
    bearing_deg: F32
    """(member, community) direction of spread TO at that moment, from true north; NaN where it did not come or began there."""

    def probability(self, hour: float) -> F64:
        """(community,) share of the members that had come by `hour`."""
        return np.asarray((self.arrival_min <= hour * 60).mean(0), float)

    def table(self) -> pd.DataFrame:
        """`tables.REACHED`: a row a community, in the order they were given.

        Arrival quantiles are over the members that came: of their first arrival within each member, so they say when the
        first flank is at the edge, not when the slowest of its cells is reached.
        """
        import pandas as pd

        rows = [self._row(i) for i in range(len(self.names))]
        return check(pd.DataFrame(rows, columns=list(REACHED)), REACHED)

    def _row(self, i: int) -> tuple[Any, ...]:
        when = self.arrival_min[:, i]
        came, n = when[np.isfinite(when)], len(when)
        share = (len(came) + 1) / (n + 2)
        times = np.quantile(came, (0.1, 0.5, 0.9), method="inverted_cdf") if len(came) else np.full(3, np.nan)
        bearing, length = mean_resultant(self.bearing_deg[:, i])
        bearing = bearing if length >= DOMINANT_R else float("nan")
        error = float(np.sqrt(share * (1 - share) / n))
        return self.names[i], n, len(came), len(came) / n, error, *map(float, times), bearing

    def rose(self, sectors: int = 16) -> pd.DataFrame:
        """`tables.ROSE`: for each community and sector of spread TO how many members came that way."""
        import pandas as pd

        rows = []
        for i, name in enumerate(self.names):
            count = np.bincount(sector_of(self.bearing_deg[:, i], sectors), minlength=sectors)
            for which, n in enumerate(count.tolist()):
                share = n / count.sum() if n else 0.0
                rows.append((name, SECTORS[which * 16 // sectors], which * 360 / sectors, n, share))
        return check(pd.DataFrame(rows, columns=list(ROSE)), ROSE)


def sector_of(bearing_deg: F32, sectors: int) -> I64:
    """(n,) number of the sector of each bearing, 0 around north; NaN is left out."""
    known = bearing_deg[np.isfinite(bearing_deg)].astype(float)
    return np.floor(known / (360 / sectors) + 0.5).astype(np.int64) % sectors
