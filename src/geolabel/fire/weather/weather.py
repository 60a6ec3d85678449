"""Weather: wind and fuel moisture in time, with where they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from geolabel.bearings import SPEED_TO_M_S, convert_speed, from_sector
from geolabel.errors import FireError, InputError, SourceError, UnitError, nearest
from geolabel.fire.arrays import F64
from geolabel.fire.weather.field import WindField, Zones
from geolabel.nouns.times import When, iso, utc

FASTEST_M_S = 60.0
"""Mean 10-m winds above this do not occur over land outside tornadoes; more is another unit."""
DRIEST, WETTEST = 0.01, 3.0
MOISTURES = ("m1", "m10", "m100", "live_herb", "live_woody")
DEFAULT_MOISTURE: Mapping[str, float] = {"m1": 0.06, "m10": 0.07, "m100": 0.08, "live_herb": 0.60, "live_woody": 0.90}
"""Low dead and two-thirds cured live moisture, D2L2 of Scott & Burgan (2005, table 3 and 4)."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Mean wind at 10 m in the open and fuel moisture, constant from each offset to the next.

    Raises
    ------
    InputError
        A naive start, offsets that do not rise from 0.
    FireError
        Wind or moisture outside what occurs (the hint names the likely unit).
    """

    start: datetime
    hours: F64
    """(n,) offsets after `start`, h; the first is 0."""
    end_hours: float
    """Offset until which the last value holds, h."""
    speed_m_s: F64
    from_deg: F64
    """(n,) wind FROM, degrees clockwise from **true** north."""
    m1: F64
    m10: F64
    m100: F64
    live_herb: F64
    live_woody: F64
    """Moisture of 1-h, 10-h, 100-h, live herbaceous and live woody fuel, fractions of dry weight."""
    source: str
    field: WindField | None = None
    """Wind that differs from place to place; None where it is the same everywhere."""
    zones: Zones | None = None
    """Moisture that differs from place to place, in place of the five above; None where it is the same everywhere."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start, what="start of the weather"))
        for name in ("hours", "speed_m_s", "from_deg", *MOISTURES):
            values = np.atleast_1d(np.asarray(getattr(self, name), float))
            object.__setattr__(self, name, values)
            if values.shape != self.hours.shape:
                raise FireError(f"{len(values)} values of {name} for {len(self.hours)} times")
            if not np.isfinite(values).all():
                raise FireError(f"{name} of the weather has missing values")
        if self.hours[0] != 0 or (np.diff(self.hours) <= 0).any() or self.end_hours <= self.hours[-1]:
            raise InputError(f"weather offsets {self.hours} h, until {self.end_hours} h, do not rise from 0")
        self._check_ranges()

    def _check_ranges(self) -> None:
        if self.speed_m_s.min() < 0 or self.speed_m_s.max() > FASTEST_M_S:
            worst = self.speed_m_s[np.abs(self.speed_m_s - FASTEST_M_S / 2).argmax()]
            raise FireError(f"a mean wind of {worst:g} m/s", hint="given in km/h or mph? say so: '25 km/h from 225'")
        if self.from_deg.min() < 0 or self.from_deg.max() > 360:
            raise FireError(
                f"wind from {self.from_deg.min():g} to {self.from_deg.max():g} degrees", hint="0-360, FROM, true north"
            )
        for name in MOISTURES:
            values, most = getattr(self, name), 1.0 if name[1:].isdigit() else WETTEST
            if values.min() < DRIEST or values.max() > most:
                worst = values[np.abs(np.log(np.maximum(values, 1e-9) / 0.1)).argmax()]
                raise FireError(
                    f"{name} moisture of {worst:g}", hint="a fraction of dry weight: 6 % is 0.06, dead fuel at most 1"
                )

    # ------------------------------------------------------------------ ways to make one
    @classmethod
    def constant(
        cls,
        start: When,
        *,
        speed_m_s: float,
        from_deg: float,
        hours: float = 24.0,
        moisture: Mapping[str, float] | None = None,
        source: str = "scenario: constant",
    ) -> Weather:
        """Weather that does not change for `hours`; moistures not given are D2L2 of Scott & Burgan (2005)."""
        wet = {**DEFAULT_MOISTURE, **_known_moistures(moisture or {})}
        one: dict[str, Any] = {name: np.array([value]) for name, value in wet.items()}
        wind = np.array([float(speed_m_s)]), np.array([float(from_deg)])
        return cls(utc(start, what="start of the weather"), np.zeros(1), float(hours), *wind, **one, source=source)

    # ------------------------------------------------------------------ what it says
    @property
    def end(self) -> datetime:
        """Last moment the weather speaks of, UTC."""
        return self.start + timedelta(hours=self.end_hours)

    @property
    def moisture(self) -> F64:
        """(5, n) fractions: 1-h, 10-h, 100-h, live herbaceous, live woody."""
        return np.stack([getattr(self, name) for name in MOISTURES])

    def check_lasts(self, hours: float) -> None:
        """Raise FireError where the weather ends before a forecast of `hours`."""
        if hours > self.end_hours + 1e-9:
            raise FireError(
                f"the weather ends at {iso(self.end)}, {self.end_hours:g} h after its start; the forecast asks for {hours:g} h",
                hint="give a longer series or fewer hours",
            )

    def hourly(self, hours: float) -> Weather:
        """The same weather, cut at `hours` and with a value at every full hour."""
        self.check_lasts(hours)
        steps = np.unique(np.concatenate([self.hours[self.hours < hours], np.arange(0.0, hours)]))
        at = np.searchsorted(self.hours, steps, side="right") - 1
        values = {name: getattr(self, name)[at] for name in ("speed_m_s", "from_deg", *MOISTURES)}
        return replace(self, hours=steps, end_hours=float(hours), **values)

    def changed(self, **values: Any) -> Weather:
        """A copy with other values of some quantities."""
        return replace(self, **values)

    def from_time(self, start: When) -> Weather:
        """The weather from a later moment on.

        Raises
        ------
        FireError
            Where `start` lies outside it.
        """
        moment = utc(start)
        later = (moment - self.start).total_seconds() / 3600
        if not 0 <= later < self.end_hours:
            raise FireError(
                f"{iso(moment)} lies outside the weather from {iso(self.start)} to {iso(self.end)}",
                hint="the series must cover the start of the fire",
            )
        first = int(np.searchsorted(self.hours, later, side="right")) - 1
        kept = {name: getattr(self, name)[first:] for name in ("speed_m_s", "from_deg", *MOISTURES)}
        offsets = np.maximum(self.hours[first:] - later, 0.0)
        return replace(self, start=moment, hours=offsets, end_hours=self.end_hours - later, **kept)


def _known_moistures(moisture: Mapping[str, float]) -> dict[str, float]:
    for name in moisture:
        if name not in MOISTURES:
            raise FireError(f"unknown moisture {name!r}", hint=nearest(name, MOISTURES))
    return dict(moisture)


# ---------------------------------------------------------------------------------------------- text and files
_WIND = re.compile(
    r"^\s*([\d.]+)\s*(m/s|km/h|kmh|kph|mph|kn|kt|kts)?\s+from\s+([A-Za-z]+|[\d.]+)\s*(?:deg|°)?\s*$", re.I
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
    from_deg = float(direction) if direction[0].isdigit() else from_sector(direction)
    return float(convert_speed(float(speed), _UNIT_NAMES.get(unit, unit), "m/s")), from_deg


def parse(text: str, start: When, *, hours: float = 24.0, moisture: Mapping[str, float] | None = None) -> Weather:
    """Constant weather from the text of a wind; its source says that it is a scenario."""
    speed, from_deg = parse_wind(text)
    source = f"scenario: wind {text.strip()} at 10 m"
    return Weather.constant(start, speed_m_s=speed, from_deg=from_deg, hours=hours, moisture=moisture, source=source)


_SPEED_COLUMNS = {"speed_m_s": "m/s", "speed_km_h": "km/h", "speed_mph": "mph", "speed_kn": "kn"}


def read_csv(
    path: str | Path, *, speed_unit: str | None = None, moisture: Mapping[str, float] | None = None
) -> Weather:
    """Weather from a CSV with columns `time`, a speed, `from_deg`, and moistures (`m1`, ..., fractions) where known.

    Parameters
    ----------
    path
        Times are ISO 8601 with offset. The speed's column names its unit (`speed_m_s`, `speed_km_h`, `speed_mph`,
        `speed_kn`) or is `speed` with `speed_unit` given. The last row holds as long as the step before it.
    moisture
        For moistures the file lacks.

    Raises
    ------
    SourceError, FireError, UnitError, InputError
        No such file, a column missing, a speed without unit, naive or disordered times.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise SourceError(f"no weather file {path}", hint="check the path")
    table = pd.read_csv(path)
    speed = _speed_column(list(table.columns), speed_unit)
    lost = [name for name in ("time", "from_deg") if name not in table.columns]
    if lost or not len(table):
        raise FireError(f"{path.name} lacks {lost or 'rows'}; it has columns {list(table.columns)}")
    times = [utc(str(value), what=f"time in {path.name}") for value in table["time"]]
    offsets = np.array([(t - times[0]).total_seconds() / 3600 for t in times])
    step = float(offsets[-1] - offsets[-2]) if len(offsets) > 1 else 1.0
    wet = {**DEFAULT_MOISTURE, **_known_moistures(moisture or {})}
    series: dict[str, Any] = {
        name: table[name].to_numpy(float) if name in table else np.full(len(table), wet[name]) for name in MOISTURES
    }
    wind = convert_speed(table[speed[0]].to_numpy(float), speed[1], "m/s"), table["from_deg"].to_numpy(float)
    return Weather(times[0], offsets, float(offsets[-1] + step), *wind, **series, source=f"series: {path.name}")


def _speed_column(columns: list[str], unit: str | None) -> tuple[str, str]:
    for name, its_unit in _SPEED_COLUMNS.items():
        if name in columns:
            return name, its_unit
    if "speed" in columns and unit:
        return "speed", unit
    if "speed" in columns:
        raise UnitError(
            "the column 'speed' has no unit", hint=f"name it {', '.join(_SPEED_COLUMNS)} or give speed_unit"
        )
    raise FireError(f"no wind speed among the columns {columns}", hint=f"one of {', '.join(_SPEED_COLUMNS)}")
