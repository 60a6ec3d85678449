"""Wind and moisture that differ from place to place, relative to the weather of the whole landscape."""

from __future__ import annotations

from dataclasses import dataclass

from geolabel.fire.arrays import F32, F64, I16


@dataclass(frozen=True, slots=True)
class WindField:
    """Wind of each cell relative to `Weather.speed_m_s` and `from_deg`: so errors of the weather move all cells together."""

    ratio: F32
    """(1 or period, y, x) speed of the cell over that of the weather."""
    turn_deg: F32
    """(1 or period, y, x) clockwise, added to where the weather's wind comes from."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Places of equal moisture."""

    of: I16
    """(y, x) zone of each cell, 0 and up."""
    moisture: F64
    """(zone, 5, period) fractions, rows as `weather.MOISTURES`."""
