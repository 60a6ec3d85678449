"""Where fires start: densities on the ground, from rasters or from objects such as roads and power lines, and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from geolabel.errors import CRSError, FireError
from geolabel.fire.arrays import F32, F64, I32
from geolabel.fire.landscape import Landscape
from geolabel.grid import Grid

if TYPE_CHECKING:
    import geopandas as gpd  # weighs 70 MB: loaded by who has objects

REACH_M = 500.0
"""Distance within which the density near objects falls to 1 / e, m."""
FAR = 6.0
"""Objects further off than so many times the reach add less than a four-hundredth, and are not looked for off the grid."""
MOST_TRIES = 10_000
"""Draws after which a member's own ground is held to have no place for a fire to start."""


# ---------------------------------------------------------------------------------------------- densities
def even_density(grid: Grid) -> F32:
    """(y, x) 1 everywhere: every cell that can burn is as likely to be the first."""
    return np.ones(grid.shape, np.float32)


def density_near(objects: gpd.GeoDataFrame, grid: Grid, *, reach_m: float = REACH_M) -> F32:
    """(y, x) exp(-d / reach): relative density of ignitions that falls with the distance d to the nearest object.

    Parameters
    ----------
    objects
        Points, lines or polygons in any CRS, on the grid or beyond its edge. A cell that an object touches is at d = 0.

    Raises
    ------
    CRSError
        Objects without a CRS.
    FireError
        No objects, or a reach that is not above 0.
    """
    from geolabel.shapes import to_grid_crs

    if not reach_m > 0:
        raise FireError(f"a reach of {reach_m} m", hint="metres, above 0")
    if objects.crs is None:
        raise CRSError("the objects have no CRS", hint="frame.set_crs(...) with the CRS they were drawn in")
    shapes = [shape for shape in to_grid_crs(objects, grid).geometry if shape is not None and not shape.is_empty]
    if not shapes:
        raise FireError("no objects to start fires near", hint="even_density(grid) for fires everywhere")
    pad = int(np.ceil(FAR * reach_m / grid.res_m))
    transform, shape = grid.transform * Affine.translation(-pad, -pad), (grid.height + 2 * pad, grid.width + 2 * pad)
    away = rasterize(shapes, shape, fill=1, default_value=0, transform=transform, all_touched=True, dtype=np.uint8)
    if away.all():
        raise FireError(f"no object within {FAR * reach_m:g} m of the landscape", hint="check the CRS of the objects")
    inner = slice(pad, pad + grid.height), slice(pad, pad + grid.width)
    distance = distance_transform_edt(away)[inner].astype(np.float32)
    return np.exp(distance * np.float32(-grid.res_m / reach_m))


def mixed_density(parts: Sequence[tuple[float, F32]], landscape: Landscape) -> F32:
    """(y, x) density of several causes: `parts` are (share of all fires, density), each spread over burnable ground.

    Raises
    ------
    FireError
        Shares that are negative, or a density that is 0 wherever a fire can start.
    """
    out = np.zeros(landscape.grid.shape, np.float32)
    for share, density in parts:
        if not share >= 0:
            raise FireError(f"a share of {share} of the fires", hint="shares >= 0")
        own = Ignitions.of(density, landscape)
        out += np.float32(share / own.total) * np.asarray(density, np.float32)
    return out


# ---------------------------------------------------------------------------------------------- draws
@dataclass(frozen=True)
class Ignitions:
    """Cells where fires may start, and how likely in each."""

    cells: I32
    """(n,) row * width + col, rising."""
    up_to: F64
    """(n,) density summed up to each cell."""
    width: int

    @property
    def total(self) -> float:
        """Density over all cells."""
        return float(self.up_to[-1])

    @classmethod
    def of(cls, density: NDArray[np.floating], landscape: Landscape, *, drawn_fuel: bool = False) -> Ignitions:
        """Ignitions of a (y, x) relative density.

        Parameters
        ----------
        drawn_fuel
            Each member has fuel of its own: fires start wherever ground is known, if it burns in the member.

        Raises
        ------
        FireError
            A raster of another shape, negative or missing density on known ground, 0 wherever a fire can start.
        """
        if np.shape(density) != landscape.grid.shape:
            raise FireError(f"a density of shape {np.shape(density)} on {landscape.grid!r}")
        here = landscape.known if drawn_fuel else landscape.has_burnable_neighbour()
        values = np.asarray(density)[here].astype(float)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            bad = int((~(np.isfinite(values) & (values >= 0))).sum())
            raise FireError(f"{bad} cells of known ground have no density >= 0", hint="0 where no fire starts, not NaN")
        some = values > 0
        if not some.any():
            raise FireError("the density is 0 wherever a fire can start", hint="does it lie on burnable ground?")
        return cls(np.flatnonzero(here)[some].astype(np.int32), np.cumsum(values[some]), landscape.grid.width)

    def draw(self, rng: np.random.Generator, ground: Landscape) -> tuple[int, int]:
        """(row, col) of one cell from which a fire can spread over a ground, drawn by density.

        Raises
        ------
        FireError
            Where (almost) nothing of the density lies on such cells.
        """
        for _ in range(MOST_TRIES):
            at = np.searchsorted(self.up_to, rng.random() * self.total, side="right")
            row, col = divmod(int(self.cells[min(int(at), len(self.cells) - 1)]), self.width)
            if ground.spreads_from(row, col):
                return row, col
        raise FireError(
            f"none of {MOST_TRIES} draws found ground on which a fire can start",
            hint="the density lies on ground that does not burn under the fuel drawn",
        )
