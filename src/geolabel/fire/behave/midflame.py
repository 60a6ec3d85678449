"""Wind where the flames are: from 20 ft above the vegetation down to flame height, and along a slope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.bearings import FT
from geolabel.errors import FireError
from geolabel.fire.ranges import check_range

LEAST_FILL = 0.05
"""Crown fill below which a canopy gives no shelter."""
LOWEST_CANOPY_FT = 6.0
"""Height below which woody plants are fuel, not shelter (as in Behave)."""


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
    fill = crown_fill(canopy_cover, crown_ratio)
    height = np.asarray(canopy_height_m, float) / FT
    if (fill < LEAST_FILL).any():
        raise FireError(
            f"crowns fill {fill.min():.3f} of the space under the canopy; below {LEAST_FILL} no shelter is known",
            hint="use unsheltered_adjustment there",
        )
    return 0.555 / (np.sqrt(fill * height) * np.log((20 + 0.36 * height) / (0.13 * height)))


def crown_fill(canopy_cover: ArrayLike, crown_ratio: ArrayLike) -> Any:
    """Share of the space under the tree tops that crowns fill, conical ones, 0-1/3 (Albini & Baughman 1979)."""
    return np.asarray(canopy_cover, float) * np.asarray(crown_ratio, float) / 3


def wind_adjustment(
    depth_ft: ArrayLike, canopy_cover: ArrayLike = 0.0, canopy_height_m: ArrayLike = 0.0, crown_ratio: ArrayLike = 0.4
) -> Any:
    """Midflame wind over 20-ft wind, sheltered where crowns fill 5 % and are 6 ft high, else unsheltered (Andrews 2012).

    Parameters
    ----------
    canopy_cover, crown_ratio
        Fractions 0-1: ground under crowns, and length of crown over height of tree.

    Raises
    ------
    FireError
        For a cover or crown ratio in percent.
    """
    check_range(canopy_cover, 0, 1, "a canopy cover", "a fraction: 60 % is 0.6")
    check_range(crown_ratio, 0, 1, "a crown ratio", "crown length over tree height, a fraction")
    height = np.asarray(canopy_height_m, float)
    sheltered = (crown_fill(canopy_cover, crown_ratio) >= LEAST_FILL) & (height >= LOWEST_CANOPY_FT * FT)
    cover, ratio = np.where(sheltered, canopy_cover, 1.0), np.where(sheltered, crown_ratio, 1.0)
    under = sheltered_adjustment(cover, np.where(sheltered, height, 10.0), ratio)
    return np.where(sheltered, under, unsheltered_adjustment(depth_ft))


def wind_on_slope_m_min(
    midflame_m_min: ArrayLike, wind_to_deg: ArrayLike, slope: ArrayLike, aspect_deg: ArrayLike
) -> tuple[Any, Any]:
    """(speed, direction TO in the slope's plane) of a horizontal wind that is laid on the plane of a slope.

    The wind keeps its horizontal components and follows the ground up or down, as in pyretechnics: upslope and downslope
    it gains by sqrt(1 + slope**2), along the contour nothing. Directions in the plane are counted from upslope, which
    keeps its azimuth; `map_bearing_deg` brings them back to the map.
    """
    wind, off = np.asarray(midflame_m_min, float), np.radians(np.asarray(wind_to_deg, float) - _up(aspect_deg))
    along, across = wind * np.cos(off) * steepness(slope), wind * np.sin(off)
    return np.hypot(along, across), (_up(aspect_deg) + np.degrees(np.arctan2(across, along))) % 360


def map_bearing_deg(in_plane_deg: ArrayLike, slope: ArrayLike, aspect_deg: ArrayLike) -> Any:
    """Bearing on the map of a direction in the plane of a slope (see `wind_on_slope_m_min`)."""
    off = np.radians(np.asarray(in_plane_deg, float) - _up(aspect_deg))
    return (_up(aspect_deg) + np.degrees(np.arctan2(np.sin(off), np.cos(off) / steepness(slope)))) % 360


def steepness(slope: ArrayLike) -> Any:
    """Length along the ground over length on the map, straight up a slope (rise/run)."""
    return np.hypot(1.0, np.asarray(slope, float))


def _up(aspect_deg: ArrayLike) -> Any:
    return np.asarray(aspect_deg, float) + 180
