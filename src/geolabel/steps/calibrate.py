"""Perimeters drawn as polygons to what they say of the rate of spread and of the wind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geolabel.errors import FireError
from geolabel.grid import Grid, LonLat, Tile
from geolabel.shapes import rasterise
from geolabel.steps.landscape import frame_of
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    import geopandas as gpd

    from geolabel.fire.calibrate.posterior import Calibration
    from geolabel.fire.calibrate.prior import Prior
    from geolabel.fire.landscape import Landscape
    from geolabel.fire.weather.weather import Weather

ROOM = 1.0
"""Ground kept around the scar on each side, as a share of its larger extent: fires that go farther are wrong enough."""
LEAST = 20
"""Cells of it at least."""


def calibrate_on(
    landscape: Landscape,
    weather: Weather,
    ignition: LonLat,
    perimeters: Sequence[tuple[gpd.GeoDataFrame, float | None]],
    *,
    seed: int,
    prior: Prior | None = None,
    threads: int = 2,
    progress: Progress = silent,
    **options: Any,
) -> Calibration:
    """What the perimeters of one fire leave possible of its rate and wind factors.

    Only the ground around the last perimeter is simulated.

    Parameters
    ----------
    ignition
        Where it began. A cell that cannot burn is refused; the nearest that can is named.
    perimeters
        (polygons in any CRS, hours after the ignition) in order of time; None for a final scar without a time.
    options
        `runs`, `setting` and `pieces` of `fire.calibrate.fit.calibrate`.

    Raises
    ------
    FireError
        An ignition that cannot burn, perimeters outside the landscape or not in order.
    """
    from geolabel.fire.calibrate.fit import calibrate
    from geolabel.fire.calibrate.likelihood import Perimeter

    masks = [(scar_mask(frame, landscape.grid), hours) for frame, hours in perimeters]
    if not masks:
        raise FireError("no perimeter to learn from", hint="(polygons, hours) or (polygons, None)")
    row, col = landscape.grid.cell(ignition)
    landscape.check_ignition(row, col)
    seen = masks[-1][0].copy()
    seen[row, col] = True
    tile = around(seen)
    part, air, cut = landscape.crop(tile), weather_on(weather, tile), tile.slices
    drawn = [Perimeter(mask[cut], hours) for mask, hours in masks]
    start = (row - tile.row, col - tile.col)
    return calibrate(part, air, start, drawn, seed=seed, prior=prior, threads=threads, progress=progress, **options)


def scar_mask(scar: gpd.GeoDataFrame, grid: Grid) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(y, x) cells whose centre burned.

    Raises
    ------
    FireError
        Where the scar has no cell on the grid.
    """
    mask = rasterise(scar, grid).astype(bool)
    if not mask.any():
        raise FireError(f"the scar has no cell on {grid!r}", hint="its CRS, or a landscape of its own ground")
    return mask


def around(burned: np.ndarray[Any, np.dtype[np.bool_]]) -> Tile:
    """The part of the grid that holds a scar and `ROOM` around it."""
    tight = frame_of(burned, 0)
    return frame_of(burned, max(LEAST, round(ROOM * max(tight.height, tight.width))))


def weather_on(weather: Weather, tile: Tile) -> Weather:
    """The weather on one tile of the landscape's grid."""
    cut, field, zones = tile.slices, weather.field, weather.zones
    if field is not None:
        field = replace(field, ratio=field.ratio[:, *cut], turn_deg=field.turn_deg[:, *cut])
    return weather.changed(field=field, zones=None if zones is None else replace(zones, of=zones.of[cut]))
