"""LANDFIRE's rasters to a landscape: what their numbers mean, and whether slope and aspect go with the heights.

A LANDFIRE file holds canopy cover in percent, canopy height and base height in m x 10, bulk density in kg/m3 x 100, aspect with -1
for flat ground, and slope in degrees or percent (by its product's name). Slope and aspect are best derived from the heights: a
given aspect counts from the north of the grid it was made on, which is turned against another grid's by many degrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import mean_resultant
from geolabel.errors import FireError, nearest
from geolabel.fire.arrays import F32, Mask
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.landscape import NO_FUEL, Landscape
from geolabel.grid import Grid

STEEP_ENOUGH_DEG = 10.0
"""On gentler slopes an aspect in whole degrees of a height in whole metres says little."""
MOST_TURN_DEG = 5.0
"""Mean turn of a given aspect against that of the heights which passes."""
PERCENT_FROM = 1.35
"""Ratio of a given slope to that of the heights from which it is percent: percent / degrees is 1.75 at 3 and 1.9 at 25 degrees."""
CROWN_GAP_M = 0.1
"""Least depth of a crown: classes of height and base height may meet in LANDFIRE's files."""

TALLEST_M, TALL_M = 120.0, 45.0
"""Heights in metres that no tree reaches, and that no landscape's median tree does."""
UNITS: Mapping[str, Mapping[str, float]] = {
    "cc": {"percent": 100, "fraction": 1},
    "ch": {"m x 10": 10, "m": 1},
    "cbh": {"m x 10": 10, "m": 1},
    "cbd": {"kg/m3 x 100": 100, "kg/m3": 1},
}
"""Layer of the canopy -> unit -> what its numbers are divided by; LANDFIRE's own unit is the first."""

Raw = NDArray[np.floating] | NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights and what Horn makes of them; (y, x), NaN where not known."""

    elevation_m: F32
    slope_deg: F32
    aspect_deg: F32
    """Downslope, from grid north; NaN where flat."""


def landscape_of(
    grid: Grid, terrain: Terrain, fuel: Raw, canopy: Mapping[str, Raw], units: Mapping[str, str] | None = None
) -> Landscape:
    """Landscape of LANDFIRE's numbers as they lie in its files, NaN where they have no data; its source names their units.

    Parameters
    ----------
    fuel
        (y, x) numbers of the 40 (Scott & Burgan) or 13 (Anderson) fuel models and of non-burnable ground.
    canopy
        Layers `cc` (cover), `ch` (height), `cbh` (base height), `cbd` (bulk density), as many of them as there are; without
        cover and height there is no shelter, without base height and bulk density no crown fire.
    units
        Layer -> one of its `UNITS`; what is not stated is recognised where it can be only one (`units_of`).

    Raises
    ------
    FireError
        Fuel numbers that do not exist, canopy in other units or in one that cannot be told.
    CRSError
        On a grid in degrees.
    """
    known = np.isfinite(fuel) & np.isfinite(terrain.elevation_m) & np.isfinite(terrain.slope_deg)
    for layer in canopy.values():
        known &= np.isfinite(layer)
    if not known.any():
        raise FireError("no cell has fuel, height, slope and canopy", hint="do the rasters overlap?")
    trees = canopy if {"cc", "ch"} <= set(canopy) else {}
    found = units_of({name: values[known] for name, values in trees.items()}, units)
    return Landscape(
        grid,
        np.where(known, fuel, NO_FUEL).astype(np.int16),
        terrain.elevation_m,
        terrain.slope_deg,
        terrain.aspect_deg,
        known,
        canopy=canopy_of(trees, known, found) if trees else None,
        source="; ".join(["LANDFIRE", *(f"{name} in {unit}" for name, unit in found.items())]),
    )


def canopy_of(canopy: Mapping[str, Raw], known: Mask, units: Mapping[str, str]) -> Canopy:
    """Canopy in m, kg/m3 and fractions of numbers in `units`.

    Crowns that begin at their tree tops (the classes of two files meet) begin `CROWN_GAP_M` below them.
    """
    layers = {
        name: np.where(known, values, 0).astype(np.float32) / np.float32(UNITS[name][units[name]])
        for name, values in canopy.items()
    }
    height, base, density = layers["ch"], layers.get("cbh"), layers.get("cbd")
    if density is not None:
        density = np.where(height > 0, density, np.float32(0))
    if base is not None and density is not None:
        below = np.maximum(height - np.float32(CROWN_GAP_M), 0)
        base = np.where(density > 0, np.minimum(base, below), base)
    return Canopy(layers["cc"], height, base, density)


# ---------------------------------------------------------------------------------------------- units
def units_of(canopy: Mapping[str, Raw], stated: Mapping[str, str] | None = None) -> dict[str, str]:
    """Layer of the canopy -> unit: the stated one, or the one that its numbers, without NaN, leave.

    Raises
    ------
    FireError
        For a layer or unit that is not one of `UNITS`, and for numbers that could be two of them.
    """
    stated = stated or {}
    for name in (*stated, *canopy):
        if name not in UNITS:
            raise FireError(f"unknown layer {name!r} of a canopy", hint=nearest(name, UNITS))
    for name, unit in stated.items():
        if unit not in UNITS[name]:
            raise FireError(f"unknown unit {unit!r} of {name}", hint=f"one of {', '.join(UNITS[name])}")
    found: dict[str, str] = {}
    for name in UNITS:  # height before base height, which goes with it
        if name in canopy:
            found[name] = stated.get(name) or _recognised(name, np.asarray(canopy[name], float), found.get("ch"))
    return found


def _recognised(name: str, values: NDArray[np.float64], of_height: str | None) -> str:
    scaled, plain = UNITS[name]
    trees = values[values > 0]
    if not trees.size:
        return scaled  # nothing is nothing in both
    whole, most = bool((trees == np.round(trees)).all()), float(trees.max())
    if name in ("cc", "cbd"):
        sure = scaled if most > 1 or (whole and name == "cbd") else None if whole else plain
    elif not whole:
        sure = plain if most <= TALLEST_M else None
    elif name == "cbh" and of_height:
        sure = of_height
    else:
        sure = scaled if most > TALLEST_M or np.median(trees) > TALL_M else None
    if sure is None:
        raise FireError(
            f"{name} of up to {most:g} may be in {scaled} or in {plain}",
            hint=f"state it, e.g. units={{'{name}': '{scaled}'}}",
        )
    return sure


# ---------------------------------------------------------------------------------------------- what is given
def aspect_turn_deg(aspect_deg: Raw, terrain: Terrain) -> float:
    """Mean turn of a given downslope aspect against that of the heights, clockwise, on slopes that have one; NaN without such."""
    given = np.asarray(aspect_deg, float)
    there = (
        (terrain.slope_deg >= STEEP_ENOUGH_DEG) & np.isfinite(terrain.aspect_deg) & np.isfinite(given) & (given >= 0)
    )
    turn, length = mean_resultant((given - terrain.aspect_deg)[there])
    return float((turn + 180) % 360 - 180) if length > 0.5 else float("nan")


def slope_ratio(slope: Raw, terrain: Terrain) -> float:
    """Median ratio of a given slope to that of the heights in degrees, on slopes worth it; NaN without such."""
    given = np.asarray(slope, float)
    there = (terrain.slope_deg >= STEEP_ENOUGH_DEG) & np.isfinite(given)
    return (
        float(np.median((given / np.where(terrain.slope_deg > 0, terrain.slope_deg, 1))[there]))
        if there.any()
        else np.nan
    )


def check_aspect(aspect_deg: Raw, terrain: Terrain, what: str = "the aspect raster") -> None:
    """Raise FireError where a given aspect disagrees with the heights: another north, or upslope for downslope."""
    turn = aspect_turn_deg(aspect_deg, terrain)
    if np.isnan(turn):
        raise FireError(
            f"{what} does not follow the heights at all",
            hint="is it of this ground, in degrees? derive it from the DEM",
        )
    if abs(turn) > MOST_TURN_DEG:
        other = "it points upslope" if abs(turn) > 150 else "it was made on a grid with another north"
        raise FireError(
            f"{what} is turned by {turn:.0f} degrees against the heights",
            hint=f"{other}; leave it out, and aspect is derived from the DEM",
        )


def check_slope(slope: Raw, terrain: Terrain, what: str = "the slope raster") -> None:
    """Raise FireError where a slope that should be degrees disagrees with the heights: percent, most likely."""
    ratio = slope_ratio(slope, terrain)
    if ratio >= PERCENT_FROM:
        raise FireError(
            f"{what} is {ratio:.2f} times as steep as the heights say",
            hint="percent? degrees = degrees(atan(percent / 100)); leave it out, and slope is derived from the DEM",
        )
    if ratio <= 1 / PERCENT_FROM:
        raise FireError(
            f"{what} is {ratio:.2f} times as steep as the heights say",
            hint="rise over run, or heights in feet? leave it out, and slope is derived from the DEM",
        )
