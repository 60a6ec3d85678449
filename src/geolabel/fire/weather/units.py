"""Units of gridded variables, by their `units` attribute, in the room's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from geolabel.errors import UnitError

Scale = tuple[float, float]
"""Factor and shift."""

_SPEED: Mapping[str, Scale] = {
    **dict.fromkeys(("m s-1", "m/s", "ms-1", "meter second-1", "meters per second", "m/sec"), (1.0, 0.0)),
    **dict.fromkeys(("km h-1", "km/h", "km hr-1", "kilometer hour-1", "kmh-1", "kph"), (1 / 3.6, 0.0)),
    **dict.fromkeys(("kt", "kts", "knot", "knots", "kn"), (0.514444, 0.0)),
    **dict.fromkeys(("mph", "mile hour-1", "miles/hour", "mi h-1", "mi/h"), (0.44704, 0.0)),
}
_DEGREES: Mapping[str, Scale] = dict.fromkeys(("degree", "degrees", "deg", "degree_true", "degrees_true"), (1.0, 0.0))
_TEMPERATURE: Mapping[str, Scale] = {
    **dict.fromkeys(("k", "kelvin", "degrees kelvin", "degk"), (1.0, -273.15)),
    **dict.fromkeys(("c", "degc", "deg c", "celsius", "degree_celsius", "degrees_celsius", "degrees c"), (1.0, 0.0)),
    **dict.fromkeys(("f", "degf", "deg f", "fahrenheit", "degree_fahrenheit"), (1 / 1.8, -32 / 1.8)),
}
_SHARE: Mapping[str, Scale] = {
    **dict.fromkeys(("%", "percent", "per cent"), (1.0, 0.0)),
    **dict.fromkeys(("1", "fraction", "0-1", "(0 - 1)"), (100.0, 0.0)),
}
_RATE: Mapping[str, Scale] = {
    **dict.fromkeys(("kg m-2 s-1", "kg/m2/s", "mm s-1", "mm/s"), (3600.0, 0.0)),
    **dict.fromkeys(("mm h-1", "mm/h", "mm/hr", "mm hr-1", "kg m-2 h-1"), (1.0, 0.0)),
    **dict.fromkeys(("m s-1", "m/s"), (3.6e6, 0.0)),
}
_AMOUNT: Mapping[str, Scale] = {
    **dict.fromkeys(("kg m-2", "kg/m2", "mm"), (1.0, 0.0)),
    **dict.fromkeys(("m", "m of water equivalent"), (1000.0, 0.0)),
    **dict.fromkeys(("in", "inch", "inches"), (25.4, 0.0)),
}
_LENGTH: Mapping[str, Scale] = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), (1.0, 0.0)),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre"), (1000.0, 0.0)),
    **dict.fromkeys(("ft", "feet", "foot"), (0.3048, 0.0)),
}
TABLES: Mapping[str, Mapping[str, Scale]] = {
    "m/s": _SPEED,
    "degrees": _DEGREES,
    "C": _TEMPERATURE,
    "%": _SHARE,
    "mm/h": _RATE,
    "mm": _AMOUNT,
    "m": _LENGTH,
}
"""Unit of the room -> units it is made from, in lower case."""


def in_unit(values: Any, units: object, to: str, name: str) -> Any:
    """Values in the room's unit `to`, float64.

    Raises
    ------
    UnitError
        No unit, or one that is not known for this quantity.
    """
    if units is None or not str(units).strip():
        raise UnitError(f"the variable {name!r} has no units", hint=f"set its attribute units, e.g. {_some(to)}")
    plain = re.sub(r"\s+", " ", re.sub(r"\*\*|\^", "", str(units)).strip().lower())
    if plain not in TABLES[to]:
        raise UnitError(f"the variable {name!r} is in {units!r}", hint=f"known here: {_some(to)}")
    factor, shift = TABLES[to][plain]
    return np.asarray(values, float) * factor + shift


def _some(to: str) -> str:
    return ", ".join(list(TABLES[to])[:12])
