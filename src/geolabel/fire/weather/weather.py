"""Weather: wind and fuel moisture in time, with where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geolabel.digests import digest
from geolabel.errors import FireError, InputError, nearest
from geolabel.fire.arrays import F64, I64
from geolabel.fire.ranges import FASTEST_M_S, check_dead_moisture, check_live_moisture, check_range, check_wind_m_s
from geolabel.fire.weather.field import WindField, Zones
from geolabel.nouns.times import When, iso, utc

if TYPE_CHECKING:
    import pandas as pd

DEAD, LIVE = ("m1", "m10", "m100"), ("live_herb", "live_woody")
MOISTURES = (*DEAD, *LIVE)
DEFAULT_MOISTURE: Mapping[str, float] = {"m1": 0.06, "m10": 0.07, "m100": 0.08, "live_herb": 0.60, "live_woody": 0.90}
"""Low dead and two-thirds cured live moisture, D2L2 of Scott & Burgan (2005, table 3 and 4)."""
SERIES = ("speed_m_s", "from_deg", *MOISTURES)
SHOWN = 12
"""Most periods that a weather shows in a notebook."""


@dataclass(frozen=True, slots=True, repr=False)
class Weather:
    """Mean wind at 10 m in the open and fuel moisture, constant from each offset to the next.

    Raises
    ------
    InputError
        A naive start, offsets that do not rise from 0.
    FireError
        Wind or moisture outside what occurs (the hint names the likely unit), a field or zones of other periods.
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
        for name in ("hours", *SERIES):
            values = np.atleast_1d(np.asarray(getattr(self, name), float))
            object.__setattr__(self, name, values)
            if values.shape != self.hours.shape:
                raise FireError(f"{len(values)} values of {name} for {len(self.hours)} times")
            if not np.isfinite(values).all():
                raise FireError(f"{name} of the weather has missing values")
        if self.hours[0] != 0 or (np.diff(self.hours) <= 0).any() or self.end_hours <= self.hours[-1]:
            raise InputError(f"weather offsets {self.hours} h, until {self.end_hours} h, do not rise from 0")
        self._check_ranges()
        self._check_places()

    def _check_ranges(self) -> None:
        hint = "given in km/h or mph? say so: '25 km/h from 225'"
        check_range(self.speed_m_s, 0, FASTEST_M_S, "a mean wind in m/s", hint)
        check_range(self.from_deg, 0, 360, "a wind from (in degrees)", "0-360, FROM, clockwise from true north")
        for name in DEAD:
            check_dead_moisture(getattr(self, name), name)
        for name in LIVE:
            check_live_moisture(getattr(self, name), name)

    def _check_places(self) -> None:
        n = len(self.hours)
        if self.field is not None and self.field.periods not in (1, n):
            raise FireError(f"a wind field of {self.field.periods} periods for {n} of weather", hint="one, or as many")
        if self.zones is not None and self.zones.moisture.shape[2] != n:
            raise FireError(f"zones of {self.zones.moisture.shape[2]} periods for {n} of weather", hint="as many")
        if self.field is not None and self.zones is not None and self.field.ratio.shape[1:] != self.zones.of.shape:
            raise FireError(f"a wind field on {self.field.ratio.shape[1:]} cells, zones on {self.zones.of.shape}")

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
        one: dict[str, Any] = {name: np.array([value]) for name, value in known_moistures(moisture).items()}
        wind = np.array([float(speed_m_s)]), np.array([float(from_deg)])
        check_wind_m_s(wind[0])
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

    @property
    def digest(self) -> str:
        """Over all numbers, places included; not over the source."""
        parts = [self.hours, self.end_hours, self.speed_m_s, self.from_deg, self.moisture]
        parts += [] if self.field is None else [self.field.ratio, self.field.turn_deg]
        parts += [] if self.zones is None else [self.zones.of, self.zones.moisture]
        return digest(iso(self.start), *parts)

    def check_lasts(self, hours: float) -> None:
        """Raise FireError where the weather ends before a forecast of `hours`."""
        if hours > self.end_hours + 1e-9:
            raise FireError(
                f"the weather ends at {iso(self.end)}, {self.end_hours:g} h after its start; the forecast asks for {hours:g} h",
                hint="give a longer series or fewer hours",
            )

    # ------------------------------------------------------------------ other weather from it
    def hourly(self, hours: float) -> Weather:
        """The same weather, cut at `hours` and with a value at every full hour."""
        self.check_lasts(hours)
        steps = np.unique(np.concatenate([self.hours[self.hours < hours], np.arange(0.0, hours)]))
        at = np.searchsorted(self.hours, steps, side="right") - 1
        return replace(self, hours=steps, end_hours=float(hours), **self._periods(at))

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
        kept = self._periods(np.arange(first, len(self.hours)))
        offsets = np.maximum(self.hours[first:] - later, 0.0)
        return replace(self, start=moment, hours=offsets, end_hours=self.end_hours - later, **kept)

    def changed(self, **values: Any) -> Weather:
        """A copy with other values of some quantities; field and zones stay, unless given."""
        return replace(self, **values)

    def _periods(self, at: I64) -> dict[str, Any]:
        """Values, field and zones of some periods, in that order."""
        values: dict[str, Any] = {name: getattr(self, name)[at] for name in SERIES}
        places = {name: part.at(at) for name in ("field", "zones") if (part := getattr(self, name)) is not None}
        return {**values, **places}

    # ------------------------------------------------------------------ shown
    @property
    def table(self) -> pd.DataFrame:
        """One row a period: `time` (UTC), wind and moistures."""
        import pandas as pd

        times = [self.start + timedelta(hours=float(hour)) for hour in self.hours]
        return pd.DataFrame({"time": times, **{name: getattr(self, name) for name in SERIES}})

    def __repr__(self) -> str:
        low, high = self.speed_m_s.min(), self.speed_m_s.max()
        speed = f"{low:.1f}" if low == high else f"{low:.1f}-{high:.1f}"
        places = [
            word for word, part in (("wind field", self.field), ("moisture zones", self.zones)) if part is not None
        ]
        span = f"{iso(self.start)} + {self.end_hours:g} h in {len(self.hours)} periods"
        return f"Weather({', '.join([span, f'{speed} m/s', *places, repr(self.source)])})"

    def _repr_html_(self) -> str:
        from html import escape

        shown = self.table.head(SHOWN).round({"speed_m_s": 1, "from_deg": 0, **dict.fromkeys(MOISTURES, 3)})
        more = len(self.hours) - len(shown)
        tail = f"<p>and {more} more periods</p>" if more else ""
        return f"<p>{escape(repr(self))}</p>{shown.to_html(index=False)}{tail}"


def known_moistures(moisture: Mapping[str, float] | None = None) -> dict[str, float]:
    """All five moistures: given ones, else the default.

    Raises
    ------
    FireError
        For unknown names.
    """
    given = dict(moisture or {})
    for name in given:
        if name not in MOISTURES:
            raise FireError(f"unknown moisture {name!r}", hint=nearest(name, MOISTURES))
    return {**DEFAULT_MOISTURE, **given}
