"""Wind where the flames are: from 20 ft above the vegetation down to flame height, and along a slope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import FT
from geolabel.errors import FireError


def unsheltered_adjustment(depth_ft: ArrayLike) -> Any:
    """Midflame wind over 20-ft wind above fuel in the open (Albini & Baughman 1979; Andrews 2012, 2)."""
    depth = np.asarray(depth_ft, float)
    return 1.83 / np.log((20 + 0.36 * depth) / (0.13 * depth))


def sheltered_adjustment(canopy_cover: ArrayLike, canopy_height_m: ArrayLike, crown_ratio: ArrayLike = 0.4) -> Any:
    """Midflame wind over 20-ft wind under a canopy (Albini & Baughman 1979; Andrews 2012, 3).

    Raises
    ------
    FireError
        Below 5 % of crown fill: such fuel is unsheltered.
    """
    fill = np.asarray(canopy_cover, float) * np.asarray(crown_ratio, float) / 3
    height = np.asarray(canopy_height_m, float) / FT
    if (fill < 0.05).any():
        raise FireError(
            f"crowns fill {fill.min():.3f} of the space under the canopy; below 0.05 no shelter is known",
            hint="use unsheltered_adjustment there",
        )
    return 0.555 / (np.sqrt(fill * height) * np.log((20 + 0.36 * height) / (0.13 * height)))


def wind_on_slope_m_min(
    midflame_m_min: ArrayLike, wind_to_deg: ArrayLike, slope: ArrayLike, aspect_deg: ArrayLike
) -> tuple[Any, Any]:
    """(speed, direction TO in the map plane) of a horizontal wind projected on the slope's plane."""
    wind, to = np.asarray(midflame_m_min, float), np.radians(np.asarray(wind_to_deg, float))
    up = np.radians(np.asarray(aspect_deg, float) + 180)
    rise = np.asarray(slope, float)
    normal = np.stack(np.broadcast_arrays(-rise * np.sin(up), -rise * np.cos(up), np.ones_like(rise)))
    normal = normal / np.sqrt((normal**2).sum(0))
    horizontal = np.stack(np.broadcast_arrays(wind * np.sin(to), wind * np.cos(to), np.zeros_like(wind)))
    along = horizontal - (horizontal * normal).sum(0) * normal
    return np.sqrt((along**2).sum(0)), np.degrees(np.arctan2(along[0], along[1])) % 360
