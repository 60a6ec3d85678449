"""Stands: ground of equal trees and moisture, and the passes over cells that find what fuel lies on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.fire.arrays import I16, I32, Mask
from geolabel.fire.behave.canopy import Canopy

NUMBERS = 256
"""Fuel numbers lie below this."""
MOST_STANDS = 2000
"""Above so many different canopies, values are rounded: a table of them must stay small beside the grid."""
STEPS = {"cover": 0.01, "height_m": 0.5, "base_height_m": 0.1, "bulk_density_kg_m3": 0.005, "foliar_moisture": 0.01}
"""To which they are rounded first; each further try doubles the steps."""
EVERYWHERE = np.zeros(0, np.int32)
"""Stand of each cell where there is but one."""


@dataclass(frozen=True, slots=True)
class Stands:
    """Cells under equal trees and with equal moisture, whatever their fuel."""

    n: int
    of: I32
    """(cell,) stand of each cell; empty where there is but one."""
    canopy: Canopy | None = None
    """(stand,) trees."""
    zone: I32 | None = None
    """(stand,) zone of moisture."""

    def within(self, zones: I32, n_zones: int) -> Stands:
        """The same, parted by (cell,) zones of moisture."""
        if not len(self.of):
            return Stands(n_zones, zones, zone=np.arange(n_zones, dtype=np.int32))
        of, own, zone = crossed(self.of, self.n, zones, n_zones)
        return Stands(len(own), of, None if self.canopy is None else self.canopy.at(own), zone)


# ---------------------------------------------------------------------------------------------- stands of trees
def stands_of(canopy: Canopy, known: Mask) -> Stands:
    """Cells under equal trees share a stand.

    Values count as they are where few combinations occur on known ground (LANDFIRE's are classes), else rounded until
    at most `MOST_STANDS` do; a stand then has the values of its first cell.
    """
    layers = {name: np.broadcast_to(values, known.shape)[known] for name, values in canopy.layers.items()}
    step, found = 0.0, _grouped(layers, 0.0)
    while len(found[0]) > MOST_STANDS:
        step = 2 * step or 1.0
        found = _grouped(layers, step)
    first, group = found
    of = np.zeros(known.size, np.int32)
    of[known.ravel()] = group
    return Stands(len(first), of, Canopy(**{name: values[first] for name, values in layers.items()}))


def _grouped(layers: dict[str, NDArray[np.floating]], step: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(first cell of each group, group of each cell) of equal values, or of values equal to `step` times `STEPS`."""
    key = np.zeros(len(next(iter(layers.values()))), np.int64)
    for name, values in layers.items():
        shown = np.round(np.asarray(values, float) / (step * STEPS[name])) if step else values
        _, own = np.unique(shown, return_inverse=True)
        _, key = np.unique(key * (int(own.max(initial=0)) + 1) + own, return_inverse=True)
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first, group


def crossed(one: I32, n_one: int, other: I32, n_other: int) -> tuple[I32, I32, I32]:
    """((cell,) number of each pair of two numberings that occurs, (pair,) its first number, (pair,) its second)."""
    both = one * np.int32(n_other) + other
    there = np.flatnonzero(np.bincount(both, minlength=n_one * n_other))
    number = np.zeros(n_one * n_other, np.int32)
    number[there] = np.arange(len(there))
    return number[both], (there // n_other).astype(np.int32), (there % n_other).astype(np.int32)


# ---------------------------------------------------------------------------------------------- passes over the cells
@njit(nogil=True, cache=True)
def tally(fuel: I16, known: Mask, stand: I32, seen: Mask) -> int:
    """Mark in `seen` (stand, number) which fuel occurs where on known ground; a cell whose number cannot be one, or -1."""
    bad = -1
    for cell in range(len(fuel)):
        if known[cell]:
            number = fuel[cell]
            if 0 <= number < seen.shape[1]:
                seen[stand[cell] if len(stand) else 0, number] = True
            else:
                bad = cell
    return bad


@njit(nogil=True, cache=True)
def look_up(fuel: I16, known: Mask, stand: I32, table: I16, out: I16) -> None:
    """Write the table's (stand, number) value of each cell to `out`, -1 on unknown ground."""
    for cell in range(len(fuel)):
        out[cell] = table[stand[cell] if len(stand) else 0, fuel[cell]] if known[cell] else -1
