"""Heads: what the head of a fire does in many cells at once, by the same compiled code that the front runs on."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.fire.arrays import F64, I64
from geolabel.fire.front.speed import COMPILE, FUEL_COLUMNS, Fields, crown_head, surface_head

PARTS = ("speed", "heads")


@dataclass(frozen=True, slots=True)
class Heads:
    """(n,) each, of cells that burn."""

    rate_m_min: F64
    east: F64
    north: F64
    """Unit vector of spread TO, in the grid's frame."""
    eccentricity: F64
    crown_share: F64
    """Of the crown fuel that burns, 0-1."""
    kind: I64
    """Code of `crown.FIRE_TYPES`."""


def heads_of(fields: Fields, cells: NDArray[np.integer], periods: NDArray[np.integer]) -> Heads:
    """Heads in cells (row * width + col) that burn, each in its period; from fuel and weather, not from given fields."""
    out = np.empty((len(cells), 6))
    _heads(fields, np.asarray(cells, np.int64), np.asarray(periods, np.int64), out)
    rate, east, north, ecc, share, kind = out.T
    return Heads(rate, east, north, ecc, share, kind.astype(np.int64))


def _compiled(sources: str) -> Any:
    """Kept compiled on disk for as long as its sources stay the same; see `burn`."""

    @njit(**COMPILE, cache=True)
    def heads(fields: Fields, cells: I64, periods: I64, out: F64) -> None:
        """Write (rate, east, north, eccentricity, share, kind) of each head."""
        if len(sources) == 0:
            return
        for i in range(len(cells)):
            cell, period = cells[i], periods[i]
            out[i, 0], out[i, 1], out[i, 2], out[i, 3] = surface_head(fields, cell, period)
            out[i, 4], out[i, 5] = 0.0, 0.0
            if fields.behaviour.shape[2] > FUEL_COLUMNS:
                out[i, 0], out[i, 3], out[i, 4], out[i, 5] = crown_head(fields, cell, period, out[i, 0], out[i, 3])

    return heads


_heads = _compiled(digest(*(files("geolabel.fire.front").joinpath(f"{part}.py").read_bytes() for part in PARTS)))
