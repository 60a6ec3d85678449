"""Weather from words: a wind such as `25 km/h from 225`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from geolabel.bearings import SPEED_TO_M_S, convert_speed, from_sector
from geolabel.errors import FireError, UnitError
from geolabel.fire.weather.weather import Weather
from geolabel.nouns.times import When

_WIND = re.compile(
    r"^\s*(\d+(?:\.\d+)?)\s*(m/s|km/h|kmh|kph|mph|kn|kt|kts)?\s+from\s+([A-Za-z]+|\d+(?:\.\d+)?)\s*(?:deg|°)?\s*$", re.I
)
_UNIT_NAMES = {"kmh": "km/h", "kph": "km/h", "kt": "kn", "kts": "kn"}


def parse_wind(text: str) -> tuple[float, float]:
    """(speed in m/s, FROM in degrees) of `"25 km/h from 225"` or `"12 mph from SW"`.

    Raises
    ------
    FireError
        For text that is no wind.
    UnitError
        For a wind without a unit.
    """
    found = _WIND.match(text)
    if not found:
        raise FireError(f"cannot read the wind {text!r}", hint="e.g. '25 km/h from 225' or '12 mph from SW'")
    speed, unit, direction = found.groups()
    if not unit:
        raise UnitError(f"the wind {text!r} has no unit", hint=f"one of {', '.join(SPEED_TO_M_S)}")
    unit = unit.lower()
    from_deg = from_sector(direction) if direction[0].isalpha() else float(direction)
    return float(convert_speed(float(speed), _UNIT_NAMES.get(unit, unit), "m/s")), from_deg


def parse(text: str, start: When, *, hours: float = 24.0, moisture: Mapping[str, float] | None = None) -> Weather:
    """Constant weather from the text of a wind; its source says that it is a scenario."""
    speed, from_deg = parse_wind(text)
    source = f"scenario: wind {text.strip()} at 10 m"
    return Weather.constant(start, speed_m_s=speed, from_deg=from_deg, hours=hours, moisture=moisture, source=source)
