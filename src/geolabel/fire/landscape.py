"""Landscape: what a fire runs over. Fuel, elevation, slope, aspect and known ground on one metric grid."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from geolabel.digests import digest
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, I16, Mask
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.fuel import NON_BURNABLE, check_fuel_numbers
from geolabel.fire.ranges import check_bearing_deg, check_slope_deg
from geolabel.fire.stands import EVERYWHERE, NUMBERS, Stands, look_up, stands_of, tally
from geolabel.fire.weather.field import Zones
from geolabel.grid import Grid, Tile

NO_FUEL = 99
"""Fuel number of unknown ground: no fire is carried over what is not known."""
OF_FUEL = ("burnable", "fuels_present", "_escapable", "digest")
"""What a landscape remembers that goes with its fuel."""


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
    canopy: Canopy | None = None
    """(y, x) trees, which take wind from the flames and may burn; None gives no shelter."""
    source: str = ""
    """Where it came from, and in which units; no part of its digest."""

    def __post_init__(self) -> None:
        _ = self.grid.res_m
        rasters = {name: getattr(self, name) for name in ("fuel", "elevation_m", "slope_deg", "aspect_deg", "known")}
        rasters |= {} if self.cover is None else {"cover": self.cover.codes}
        rasters |= (
            {} if self.canopy is None else {f"canopy {n}": v for n, v in self.canopy.layers.items() if np.ndim(v)}
        )
        for name, raster in rasters.items():
            if raster.shape != self.grid.shape:
                raise FireError(f"{name} of shape {raster.shape} on {self.grid!r}")
        object.__setattr__(self, "fuel", np.require(self.fuel, np.int16, ["C", "W"]))
        object.__setattr__(self, "known", np.require(self.known, bool, ["C", "W"]))
        self._check_fuel()
        _check_known(self.slope_deg[self.known], "slope")
        check_slope_deg(self.slope_deg[self.known])
        check_bearing_deg(self.aspect_deg[self.known], "an aspect")
        for name in () if self.canopy is None else ("cover", "height_m"):
            _check_known(np.broadcast_to(getattr(self.canopy, name), self.grid.shape)[self.known], f"canopy {name}")

    def _check_fuel(self) -> None:
        seen = np.zeros((1, NUMBERS), bool)
        bad = tally(self.fuel.ravel(), self.known.ravel(), EVERYWHERE, seen)
        check_fuel_numbers([*np.flatnonzero(seen[0]).tolist(), *([int(self.fuel.ravel()[bad])] if bad >= 0 else [])])

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
        carries = np.ones((1, NUMBERS), np.int16)
        carries[0, list(NON_BURNABLE)] = -1
        out = np.empty(self.fuel.size, np.int16)
        look_up(self.fuel.ravel(), self.known.ravel(), EVERYWHERE, carries, out)
        return (out > 0).reshape(self.fuel.shape)

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
        seen = np.zeros((1, NUMBERS), bool)
        tally(self.fuel.ravel(), self.burnable.ravel(), EVERYWHERE, seen)
        return tuple(np.flatnonzero(seen[0]).tolist())

    @cached_property
    def stands(self) -> Stands:
        """Where trees are equal."""
        return Stands(1, EVERYWHERE) if self.canopy is None else stands_of(self.canopy, self.known)

    def stands_in(self, zones: Zones | None) -> Stands:
        """Where trees and moisture are equal; remembered for the zones asked for last."""
        if zones is None:
            return self.stands
        kept = self._zoned.get("last")
        if kept is None or kept[0] is not zones.of:
            if zones.of.shape != self.grid.shape:
                raise FireError(f"zones of moisture of shape {zones.of.shape} on {self.grid!r}")
            kept = zones.of, self.stands.within(zones.of.ravel().astype(np.int32), len(zones.moisture))
            self._zoned["last"] = kept
        return kept[1]

    @cached_property
    def _zoned(self) -> dict[str, tuple[I16, Stands]]:
        return {}

    def has_burnable_neighbour(self) -> Mask:
        """(y, x): burnable cells a fire can leave: one of the four neighbours burns too."""
        return self._escapable

    @cached_property
    def _escapable(self) -> Mask:
        padded = np.pad(self.burnable, 1)
        around = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        return self.burnable & around

    def spreads_from(self, row: int, col: int) -> bool:
        """Whether a cell burns and so does one of the four beside it: `has_burnable_neighbour` of one cell."""
        burns = self.burnable
        beside = burns[max(row - 1, 0) : row + 2, col].sum() + burns[row, max(col - 1, 0) : col + 2].sum()
        return bool(burns[row, col] and beside > 2)  # the cell itself is counted twice

    def crop(self, tile: Tile) -> Landscape:
        """What lies on one tile of the grid."""
        cut, parts = tile.slices, {}
        for name in ("fuel", "elevation_m", "slope_deg", "aspect_deg", "known"):
            parts[name] = getattr(self, name)[cut]
        cover = None if self.cover is None else replace(self.cover, codes=self.cover.codes[cut])
        canopy = None if self.canopy is None else self.canopy.at(cut)
        return replace(self, grid=self.grid.crop(tile), cover=cover, canopy=canopy, **parts)

    @cached_property
    def digest(self) -> str:
        """Sha-256 over grid and rasters."""
        rasters = (self.fuel, self.elevation_m, self.slope_deg, self.aspect_deg, self.known)
        cover = [] if self.cover is None else [self.cover.codes, self.cover.table]
        trees = [] if self.canopy is None else [part for pair in self.canopy.layers.items() for part in pair]
        return digest(self.grid.digest, *rasters, *cover, *trees)

    def with_fuel(self, fuel: NDArray[np.integer]) -> Landscape:
        """The same terrain and trees under other fuel; what was found of them is not found again.

        Raises
        ------
        FireError
            A raster of another shape, fuel numbers that do not exist.
        """
        if fuel.shape != self.grid.shape:
            raise FireError(f"fuel of shape {fuel.shape} on {self.grid!r}")
        _ = self.rise, self.stands, self._zoned  # for all that come
        other = copy.copy(self)
        for name in OF_FUEL:
            other.__dict__.pop(name, None)
        object.__setattr__(other, "fuel", np.require(fuel, np.int16, ["C", "W"]))
        other._check_fuel()
        return other

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
        if inside and self.spreads_from(row, col):
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


def _check_known(values: F32, what: str) -> None:
    lost = int((~np.isfinite(values)).sum())
    if lost:
        raise FireError(f"{lost} known cells have no {what}", hint="mark them as not known")


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
