"""Barriers: control lines and retardant, as the minute from which a cell burns no more.

A run that would arrive inside a cell at its minute or later is not made, and a corner between two cells that are closed
by then lets no fire through. What burned before stays burned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F32
from geolabel.grid import Grid

if TYPE_CHECKING:
    from geolabel.fire.front.drawn import Drawn  # geopandas weighs 70 MB: loaded by who draws


def closing_min(drawn: Drawn, grid: Grid, minutes: float | Sequence[float] = 0.0, *, crs: Any = None) -> F32:
    """(y, x) minute from which a cell burns no more, inf where it never closes; `np.minimum` of two is both.

    Parameters
    ----------
    drawn
        Lines and areas; every cell that a line or the edge of an area passes is closed as a whole.
    minutes
        After the start of the forecast: one for all, or one for each geometry.

    Raises
    ------
    FireError
        Minutes that are no numbers, or not as many as geometries.
    """
    import geopandas as gpd

    from geolabel.fire.front.drawn import on_grid, touched

    series = on_grid(drawn, grid, crs)
    when = np.asarray(minutes, float)
    if np.isnan(when).any() or when.ndim > 1 or when.size not in (1, len(series)):
        raise FireError(f"{when.size} closing minutes for {len(series)} barriers", hint="one for all or one for each")
    closes = np.full(grid.shape, np.inf, np.float32)
    for place, minute in zip(series, np.broadcast_to(when, len(series)), strict=True):
        cells = touched(gpd.GeoSeries([place], crs=series.crs), grid)
        closes[cells] = np.minimum(closes[cells], minute)
    return closes


def check_closing(closes_min: NDArray[np.floating] | None, shape: tuple[int, int]) -> F32:
    """(cell,) the same, flat; empty where nothing ever closes.

    Raises
    ------
    FireError
        Of another shape than the grid, or with NaN.
    """
    if closes_min is None:
        return np.zeros(0, np.float32)
    if np.shape(closes_min) != shape:
        raise FireError(
            f"closing minutes of {np.shape(closes_min)} on a grid of {shape}", hint="closing_min(drawn, grid)"
        )
    flat = np.require(closes_min, np.float32, ["C", "W"]).ravel()
    if np.isnan(flat).any():
        raise FireError("closing minutes with NaN", hint="inf where a cell never closes")
    return flat if np.isfinite(flat).any() or (flat < 0).any() else np.zeros(0, np.float32)
