"""Classes: cells of equal fuel, trees and moisture, each one row of the table that the front reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geolabel.errors import FireError
from geolabel.fire.arrays import I16, I32
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.fuel import NON_BURNABLE
from geolabel.fire.landscape import Landscape
from geolabel.fire.stands import NUMBERS, look_up, tally
from geolabel.fire.weather.field import Zones

MOST_CLASSES = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class Classes:
    """Cells that burn alike in every wind."""

    of: I16
    """(cell,) class of each cell, -1 where nothing burns."""
    fuels: tuple[int, ...]
    """(class,) fuel numbers."""
    canopy: Canopy | None
    """(class,) trees."""
    zone: I32 | None
    """(class,) zone of moisture."""


def classes(landscape: Landscape, zones: Zones | None = None) -> Classes:
    """The classes that occur on a landscape, by stand and then by fuel number.

    Raises
    ------
    FireError
        For more than a table can hold, or zones of another shape.
    """
    stands = landscape.stands_in(zones)
    fuel, known = landscape.fuel.ravel(), landscape.known.ravel()
    seen = np.zeros((stands.n, NUMBERS), bool)
    tally(fuel, known, stands.of, seen)
    seen[:, list(NON_BURNABLE)] = False
    stand, number = np.nonzero(seen)
    if len(stand) > MOST_CLASSES:
        raise FireError(f"{len(stand)} combinations of fuel, trees and moisture", hint="fewer zones of moisture")
    table = np.full(seen.shape, -1, np.int16)
    table[stand, number] = np.arange(len(stand))
    of = np.empty(fuel.size, np.int16)
    look_up(fuel, known, stands.of, table, of)
    return Classes(
        of=of,
        fuels=tuple(number.tolist()),
        canopy=None if stands.canopy is None else stands.canopy.at(stand),
        zone=None if stands.zone is None else stands.zone[stand],
    )
