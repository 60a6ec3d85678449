"""Canopy: the trees over the surface fuel, what they keep off it of the wind, and what of them can burn."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolabel.errors import FireError
from geolabel.fire.behave.midflame import wind_adjustment
from geolabel.fire.ranges import check_live_moisture, check_range


@dataclass(frozen=True, slots=True)
class Canopy:
    """Trees over the surface fuel; numbers or arrays of the places. Crown fire needs base height and bulk density.

    Raises
    ------
    FireError
        For cover in percent, heights in feet or decimetres, densities in kg/m3 x 100 (LANDFIRE's files), foliage in percent.
    """

    cover: Any = 0.0
    """Fraction of ground under crowns; 0 gives no shelter from the wind."""
    height_m: Any = 0.0
    """Mean height of the tree tops."""
    base_height_m: Any = None
    """Lowest height above ground with enough crown fuel to carry fire upward (not that of the lowest branch)."""
    bulk_density_kg_m3: Any = None
    """Crown fuel per volume of the canopy; 0 where there are no trees."""
    foliar_moisture: Any = 1.0
    """Fraction of dry weight; 1 is usual for conifers, .7 in drought and before bud break."""

    def __post_init__(self) -> None:
        check_range(self.cover, 0, 1, "a canopy cover", "a fraction: 60 % is 0.6")
        check_range(self.height_m, 0, 120, "a canopy height in m", "feet or decimetres? LANDFIRE's files hold m x 10")
        check_live_moisture(self.foliar_moisture, "foliar")
        if self.base_height_m is not None:
            check_range(self.base_height_m, 0, 50, "a canopy base height in m", "LANDFIRE's files hold m x 10")
        if self.bulk_density_kg_m3 is not None:
            hint = "LANDFIRE's files hold kg/m3 x 100; stands have 0.01 to 0.5"
            check_range(self.bulk_density_kg_m3, 0, 1, "a canopy bulk density in kg/m3", hint)

    @property
    def layers(self) -> dict[str, Any]:
        """What is given, by name: numbers or arrays."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: values for name, values in given.items() if values is not None}

    def at(self, where: Any) -> Canopy:
        """The canopy of some of its places, as an index of numpy picks them; a number holds everywhere."""
        picked = {name: np.asarray(v)[where] for name, v in self.layers.items() if np.ndim(v)}
        return replace(self, **picked)

    @property
    def crown_ratio(self) -> Any:
        """Length of crown over height of tree; 0.4 where no base height is known."""
        height = np.asarray(self.height_m, float)
        if self.base_height_m is None:
            return np.where(height > 0, 0.4, 0.0)
        crown = np.clip(height - np.asarray(self.base_height_m, float), 0.0, None)
        return crown / np.where(height > 0, height, 1.0)

    def wind_adjustment(self, depth_ft: ArrayLike) -> Any:
        """Midflame over 20-ft wind under this canopy above fuel of a depth in ft (`midflame.wind_adjustment`)."""
        return wind_adjustment(depth_ft, self.cover, self.height_m, self.crown_ratio)

    def crown_fuel(self) -> tuple[Any, Any]:
        """(base height in m, bulk density in kg/m3) of the crowns.

        Raises
        ------
        FireError
            Where either is not known, is missing somewhere, or trees are lower than the base of their crowns.
        """
        for name, values in (("base height", self.base_height_m), ("bulk density", self.bulk_density_kg_m3)):
            if values is None or not np.isfinite(np.asarray(values, float)).all():
                raise FireError(
                    f"no crown fire without canopy {name}: it is {'not given' if values is None else 'missing somewhere'}",
                    hint="read canopy base height and bulk density (LANDFIRE CBH, CBD), or ask for the surface fire alone;"
                    " bulk density 0 says that there are no trees",
                )
        base, density = np.asarray(self.base_height_m, float), np.asarray(self.bulk_density_kg_m3, float)
        if ((density > 0) & (base >= np.asarray(self.height_m, float))).any():
            raise FireError(
                f"crowns begin at {base.max():g} m, at or above the tree tops ({np.max(self.height_m):g} m)",
                hint="give height_m and base_height_m in metres; without trees bulk density is 0",
            )
        return base, density

    @property
    def load_kg_m2(self) -> Any:
        """Crown fuel that can burn, kg per m2 of ground."""
        base, density = self.crown_fuel()
        return density * np.clip(np.asarray(self.height_m, float) - base, 0.0, None)
