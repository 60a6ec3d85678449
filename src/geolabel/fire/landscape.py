"""Landscape: what a fire runs over. Fuel, elevation, slope, aspect and known ground on one metric grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from geolabel.digests import digest
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, I16, Mask
from geolabel.fire.behave.fuel import NON_BURNABLE, check_fuel_numbers
from geolabel.grid import Grid

NO_FUEL = 99
"""Fuel number of unknown ground: no fire is carried over what is not known."""
STEEPEST_DEG = 80.0
"""Steepest slope a 10-100 m DEM shows; more is percent given as degrees."""


@dataclass(frozen=True)
class Cover:
    """Classes of ground cover, each of which may be one of several fuels."""

    codes: NDArray[np.uint8]
    """(y, x) class codes, 0 where there is no cover."""
    fuels: Mapping[int, Mapping[int, float]]
    """Class code -> {fuel number: probability}."""

    @property
    def table(self) -> list[list[float]]:
        """Code, fuel number and probability, row by row."""
        return [
            [code, number, share] for code, own in sorted(self.fuels.items()) for number, share in sorted(own.items())
        ]

    def draw(self, rng: np.random.Generator | None = None) -> I16:
        """(y, x) fuel numbers; see `fuel_from_terrain`."""
        return fuel_from_terrain(self.codes, self.fuels, rng)


@dataclass(frozen=True)
class Landscape:
    """Fuel and terrain, (y, x) on one grid in metres.

    Raises
    ------
    CRSError
        On a grid in degrees or with pixels that are not square.
    FireError
        Rasters of another shape, fuel numbers that do not exist, slope in percent, aspect outside 0-360.
    """

    grid: Grid
    fuel: I16
    """Standard fuel model numbers (Anderson 1982; Scott & Burgan 2005) and non-burnable ones."""
    elevation_m: F32
    slope_deg: F32
    aspect_deg: F32
    """Downslope azimuth, degrees clockwise from **grid** north; NaN where flat."""
    known: Mask
    """Where fuel and terrain are known; elsewhere nothing burns."""
    cover: Cover | None = None
    """What the fuel was read from; None where fuel itself was mapped."""

    def __post_init__(self) -> None:
        _ = self.grid.res_m
        rasters = {name: getattr(self, name) for name in ("fuel", "elevation_m", "slope_deg", "aspect_deg", "known")}
        for name, raster in {**rasters, **({} if self.cover is None else {"cover": self.cover.codes})}.items():
            if raster.shape != self.grid.shape:
                raise FireError(f"{name} of shape {raster.shape} on {self.grid!r}")
        check_fuel_numbers(np.unique(self.fuel[self.known]).tolist())
        _check_slope(self.slope_deg[self.known])
        aspect = self.aspect_deg[self.known]
        aspect = aspect[np.isfinite(aspect)]
        if len(aspect) and not (aspect.min() >= 0 and aspect.max() <= 360):
            raise FireError(
                f"aspect from {aspect.min():.1f} to {aspect.max():.1f}",
                hint="degrees clockwise from grid north, 0-360; flat is NaN, not -1",
            )

    @classmethod
    def flat(cls, grid: Grid, fuel: NDArray[np.integer] | int) -> Landscape:
        """Landscape of level ground, all known; one fuel number or a raster of them."""
        numbers = np.broadcast_to(np.asarray(fuel, np.int16), grid.shape)
        level = np.zeros(grid.shape, np.float32)
        nowhere = np.full(grid.shape, np.nan, np.float32)
        return cls(grid, numbers, level, level, nowhere, np.ones(grid.shape, bool))

    @cached_property
    def burnable(self) -> Mask:
        """(y, x): known ground that carries fire."""
        return self.known & ~np.isin(self.fuel, list(NON_BURNABLE))

    @cached_property
    def rise(self) -> tuple[F32, F32]:
        """((y, x), (y, x)) rise over run towards grid east and grid north, 0 where flat or unknown."""
        steep = np.tan(np.radians(np.where(self.known, self.slope_deg, 0.0)))
        down = np.radians(np.nan_to_num(self.aspect_deg))
        steep = np.nan_to_num(steep) * np.isfinite(self.aspect_deg)
        return (-steep * np.sin(down)).astype(np.float32), (-steep * np.cos(down)).astype(np.float32)

    @cached_property
    def fuels_present(self) -> tuple[int, ...]:
        """Burnable fuel numbers that occur, rising."""
        return tuple(int(n) for n in np.unique(self.fuel[self.burnable]))

    @cached_property
    def rows(self) -> I16:
        """(cell,): position of each cell's fuel in `fuels_present`, -1 where nothing burns."""
        lookup = np.full(NO_FUEL + int(self.fuel.max(initial=0)) + 1, -1, np.int16)
        lookup[list(self.fuels_present)] = np.arange(len(self.fuels_present))
        return np.where(self.burnable, lookup[np.where(self.burnable, self.fuel, 0)], np.int16(-1)).ravel()

    def has_burnable_neighbour(self) -> Mask:
        """(y, x): burnable cells a fire can leave: one of the four neighbours burns too."""
        return self._escapable

    @cached_property
    def _escapable(self) -> Mask:
        padded = np.pad(self.burnable, 1)
        around = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        return self.burnable & around

    @cached_property
    def digest(self) -> str:
        """Sha-256 over grid and rasters."""
        rasters = (self.fuel, self.elevation_m, self.slope_deg, self.aspect_deg, self.known)
        return digest(self.grid.digest, *rasters, *([] if self.cover is None else [self.cover.codes, self.cover.table]))

    def with_fuel(self, fuel: NDArray[np.integer]) -> Landscape:
        """The same terrain under other fuel."""
        return replace(self, fuel=fuel.astype(np.int16))

    def nearest_burnable(self, row: int, col: int) -> tuple[int, int]:
        """(row, col) of the burnable cell nearest to a cell, of those a fire can leave.

        Raises
        ------
        FireError
            Where nothing burns.
        """
        good = self.has_burnable_neighbour()
        if not good.any():
            raise FireError("no two neighbouring cells of the landscape burn", hint="check the fuel numbers")
        rows, cols = np.nonzero(good)
        close = int(((rows - row) ** 2 + (cols - col) ** 2).argmin())
        return int(rows[close]), int(cols[close])

    def check_ignition(self, row: int, col: int) -> None:
        """Raise FireError where no fire can start in a cell; the nearest cell where one can is named."""
        inside = 0 <= row < self.grid.height and 0 <= col < self.grid.width
        if inside and self.burnable[row, col] and self.has_burnable_neighbour()[row, col]:
            return
        what = "has no burnable neighbour"
        if not inside:
            what = f"lies outside the known ground, {self.grid!r}"
        elif not self.known[row, col]:
            what = "lies on unknown ground"
        elif not self.burnable[row, col]:
            what = f"lies on fuel {self.fuel[row, col]} ({NON_BURNABLE[int(self.fuel[row, col])]})"
        near = self.nearest_burnable(row, col)
        far = float(np.hypot(near[0] - row, near[1] - col)) * self.grid.res_m
        raise FireError(
            f"the ignition {self.grid.lonlat(row, col)} (row {row}, col {col}) {what}",
            hint=f"nearest burnable cell: row {near[0]}, col {near[1]} at {self.grid.lonlat(*near)}, {far:.0f} m away",
        )


def _check_slope(slope_deg: F32) -> None:
    if not np.isfinite(slope_deg).all():
        raise FireError(
            f"{int((~np.isfinite(slope_deg)).sum())} known cells have no slope", hint="mark them as not known"
        )
    if len(slope_deg) and (slope_deg.min() < 0 or slope_deg.max() > STEEPEST_DEG):
        raise FireError(
            f"slopes from {slope_deg.min():.1f} to {slope_deg.max():.1f} degrees",
            hint="slope in percent? degrees = degrees(atan(percent / 100)); cliffs above 80 degrees are no fuel",
        )


def fuel_from_terrain(
    codes: NDArray[np.integer], fuels: Mapping[int, Mapping[int, float]], rng: np.random.Generator | None = None
) -> I16:
    """(y, x) int16 fuel numbers of a raster of terrain classes.

    Of classes that occur: which others an ontology has, changes nothing. Without `rng` each class takes its most probable fuel (ties: the lower number). With `rng` each class takes **one**
    fuel for the whole raster, drawn from its probabilities: which fuel a cover class is, is not known, and the error
    is shared by its patches; an ensemble draws once a member, so that it does not average out within a map.

    Parameters
    ----------
    codes
        (y, x) class codes; codes without an entry in `fuels` become bare ground (99), which does not burn.
    fuels
        Class code -> {fuel number: probability}, e.g. `{c.code: c.fuels for c in ontology.of_kind("terrain")}`.
    """
    lookup = np.full(256, NO_FUEL, np.int16)
    there = set(np.unique(codes).tolist())
    for code in sorted(there & set(fuels)):
        numbers = sorted(fuels[code])
        check_fuel_numbers(numbers)
        share = np.array([fuels[code][n] for n in numbers], float)
        pick = int(share.argmax()) if rng is None else int(rng.choice(len(numbers), p=share / share.sum()))
        lookup[code] = numbers[pick]
    return lookup[codes.astype(np.uint8)]


def distance_m(mask: Mask, res_m: float) -> F32:
    """(y, x) distance from each cell outside the mask to its nearest cell, m; 0 inside, and everywhere if it is empty."""
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    return (distance_transform_edt(~mask) * res_m).astype(np.float32)
