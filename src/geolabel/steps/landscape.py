"""Agreed terrain, scars and a DEM to the landscape a fire runs over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import FireError
from geolabel.grid import Grid, LonLat, Tile
from geolabel.nouns.view import View
from geolabel.ontology import NODATA, WILDFIRE, Ontology

if TYPE_CHECKING:
    from geolabel.fire.campaign.members import FuelDraw
    from geolabel.fire.landscape import Landscape

FRAME = 12
"""Cells of unknown ground kept around the known area, so that a map shows where it ends."""


def landscape(
    view: View,
    terrain: NDArray[np.uint8],
    *,
    consumed: NDArray[np.bool_] | None = None,
    largest: bool = True,
    ontology: Ontology = WILDFIRE,
) -> Landscape:
    """Landscape of the view's DEM under the most probable fuel of each terrain class.

    Parameters
    ----------
    terrain
        (y, x) terrain class codes, 0 or 255 where nobody knows.
    consumed
        (y, x) ground that burned before: its fuel is gone.
    largest
        Keep only the largest 4-connected known area, on the part of the view's grid that frames it (`frame_of`): a fire
        that would run through unknown ground is not computed.

    Raises
    ------
    FireError
        Where terrain and elevation are nowhere known together.
    """
    from geolabel.fire.landscape import Cover, Landscape
    from geolabel.scene.terrain import slope_aspect

    shape = slope_aspect(view["dem"]).compute()
    elevation = np.asarray(view["dem"].band("elevation"), np.float32)
    slope, aspect = np.asarray(shape["slope_deg"], np.float32), np.asarray(shape["aspect_deg"], np.float32)
    known = (terrain != NODATA) & (terrain != 0) & np.isfinite(elevation) & np.isfinite(slope)
    if not known.any():
        raise FireError("no pixel has both a terrain class and an elevation", hint="a DEM of the scene's own ground")
    known = largest_area(known) if largest else known
    tile = frame_of(known)
    cut = tile.slices
    gone = np.zeros(terrain.shape, bool) if consumed is None else consumed
    cover = Cover(np.where(known & ~gone, terrain, 0).astype(np.uint8)[cut], fuels_of(ontology))
    return Landscape(view.grid.crop(tile), cover.draw(), elevation[cut], slope[cut], aspect[cut], known[cut], cover)


def fuels_of(ontology: Ontology) -> dict[int, Mapping[int, float]]:
    """Terrain class code -> fuel model -> probability."""
    return {one.code: one.fuels for one in ontology.of_kind("terrain") if one.fuels}


def frame_of(known: NDArray[np.bool_], margin: int = FRAME) -> Tile:
    """Smallest rectangle of the grid around all true cells of a mask, and `margin` more cells on each side."""
    rows, cols = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
    top, left = max(int(rows[0]) - margin, 0), max(int(cols[0]) - margin, 0)
    bottom, right = min(int(rows[-1]) + margin + 1, known.shape[0]), min(int(cols[-1]) + margin + 1, known.shape[1])
    return Tile(top, left, bottom - top, right - left)


def part_of(whole: Grid, part: Grid) -> Tile:
    """Tile of a grid that another grid, cut from it, covers."""
    (left, _, _, top), (own_left, _, _, own_top) = whole.bounds, part.bounds
    return Tile(round((top - own_top) / whole.res_m), round((own_left - left) / whole.res_m), *part.shape)


def ignition_cell(ground: Landscape, point: LonLat) -> tuple[int, int]:
    """(row, col) of the cell that holds `point`, where a fire can start in it.

    Raises
    ------
    FireError
        On unknown or non-burnable ground, and outside the landscape; the nearest cell where one can start is named as
        LON,LAT.
    """
    cell = ground.grid.cell(point)
    ground.check_ignition(*cell)
    return cell


def fuel_draw(ground: Landscape) -> FuelDraw:
    """Draws fuel rasters for a landscape: each cover class takes one fuel of its crosswalk; bare scars stay bare.

    A landscape whose fuel was mapped, not read from cover, keeps it.
    """
    return ground.cover.draw if ground.cover is not None else lambda _: ground.fuel


def world(ground: Landscape, seed: int | None) -> Landscape:
    """The landscape as it truly burns in a simulated world: under one draw of fuels that no forecaster is told.

    Without a seed it is the landscape itself.
    """
    return ground if seed is None else ground.with_fuel(fuel_draw(ground)(np.random.default_rng(seed)))


def random_cell(where: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    """(row, col) of one cell of a mask, all equally likely."""
    row, col = np.argwhere(where)[rng.integers(np.count_nonzero(where))]
    return int(row), int(col)


def largest_area(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(y, x) the largest 4-connected patch of a mask."""
    found, count = ndimage.label(known)
    if count == 0:
        return known
    sizes = np.bincount(found.ravel())
    sizes[0] = 0
    return found == sizes.argmax()
