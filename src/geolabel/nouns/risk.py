"""RiskMap: probability of burning by hour, arrival, direction, rate and confidence, with times and its own limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import FireError, InputError
from geolabel.grid import Grid, LonLat
from geolabel.nouns.times import iso

MapStatus = Literal["research", "exercise", "operational"]
STATUSES: tuple[MapStatus, ...] = ("research", "exercise", "operational")

NO_DATA, NON_BURNABLE, BURNABLE = 0, 1, 2
"""Values of `RiskMap.ground`."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RiskMap:
    """Where a fire may be, when, coming from where, and how sure that is.

    One without times or without uncertainty cannot be constructed. All rasters are (y, x) on `grid`; NaN means "not
    known" (probability) or "not reached" (arrival, bearing, rate).

    Raises
    ------
    InputError
        Naive or disordered times, an unknown time zone or status, operational without approver.
    FireError
        Probabilities outside 0-1 or falling with the hour, rasters of another shape.
    """

    grid: Grid
    title: str
    hours: tuple[float, ...]
    """Hours after `start`, rising."""
    probability: Floats
    """(hour, y, x): probability of having burned by that hour; NaN on nodata, 0 on non-burnable ground."""
    arrival_min: Floats
    """(y, x): median arrival over the members that reach a cell, minutes after `start`."""
    bearing_deg: Floats
    """(y, x): circular mean of the direction of spread TO, degrees clockwise from true north; NaN where none dominates."""
    rate_m_min: Floats
    """(y, x): median rate of spread at arrival, m/min."""
    confidence: Floats
    """(y, x), 0-1: one minus the disagreement of ensemble and model, less the Monte-Carlo error at 90 %."""
    ground: NDArray[np.uint8]
    """(y, x): 0 nodata, 1 non-burnable, 2 burnable."""
    issued: datetime
    start: datetime
    """Valid from: the moment of the given ignition or perimeter."""
    timezone: str
    """IANA name, for local times."""
    ignition: LonLat | None
    """Where the fire starts; None where each simulated fire starts elsewhere (`starts` says by what chance): then the
    probability is that of one fire that starts somewhere in the area, and there is no arrival."""
    n_members: int
    model: str
    """Identity of what computed it, e.g. `ensemble:200 + spread@1f3a...`."""
    calibration: str
    """What was calibrated on what, in words."""
    weather: str
    """Where the weather came from, in words; scenario weather says so."""
    status: MapStatus = "research"
    approver: str = ""
    starts: str = ""
    """Where fires may start, in words, where there is no one ignition."""
    notes: tuple[str, ...] = ()
    """Sentences that must stand on every sheet, e.g. "Simulated fire on a real scene"."""
    made_of: Mapping[str, str] = field(default_factory=dict)
    """Digests of what it was made from, down to scenes and answers."""

    def __post_init__(self) -> None:
        self._check_times()
        self._check_rasters()
        if self.status not in STATUSES:
            raise InputError(f"unknown status {self.status!r}", hint=f"one of {', '.join(STATUSES)}")
        if self.status == "operational" and not self.approver:
            raise InputError(
                "an operational map without an approver", hint="approver='name, office' takes responsibility"
            )
        if (self.ignition is None) != bool(self.starts):
            raise InputError(
                f"ignition {self.ignition}, starts {self.starts!r}",
                hint="one of the two: where the fire starts, or in words where fires may start",
            )
        if self.ignition is None and np.isfinite(self.arrival_min).any():
            raise FireError(
                "arrival times of fires that start in different places", hint="arrival_min is NaN without an ignition"
            )
        if self.n_members < 2:
            raise FireError(
                f"{self.n_members} ensemble members say nothing of uncertainty", hint="use at least 2, better 100"
            )

    def _check_times(self) -> None:
        for what, value in (("issue", self.issued), ("start", self.start)):
            if value.tzinfo is None:
                raise InputError(f"the {what} time {value} has no time zone", hint="add Z for UTC")
        if not self.hours or any(b <= a for a, b in zip((0.0, *self.hours), self.hours, strict=False)):
            raise InputError(f"hours {self.hours} do not rise from above 0")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InputError(f"unknown time zone {self.timezone!r}", hint="an IANA name, e.g. America/Recife") from None

    def _check_rasters(self) -> None:
        if self.probability.shape != (len(self.hours), *self.grid.shape):
            raise FireError(
                f"probability of shape {self.probability.shape} for {len(self.hours)} hours on {self.grid!r}"
            )
        for name in ("arrival_min", "bearing_deg", "rate_m_min", "confidence", "ground"):
            if getattr(self, name).shape != self.grid.shape:
                raise FireError(f"{name} of shape {getattr(self, name).shape} on {self.grid!r}")
        known = self.ground != NO_DATA
        values = self.probability[:, known]
        if not np.isfinite(values).all() or (values < 0).any() or (values > 1).any():
            raise FireError("probabilities are missing or outside 0-1 on known ground")
        if (np.diff(values, axis=0) < 0).any():
            raise FireError("the probability of having burned falls with the hour")
        if not np.isfinite(self.confidence[self.ground == BURNABLE]).all():
            raise FireError("burnable ground without confidence")

    @property
    def valid_to(self) -> datetime:
        """Last moment the map speaks of."""
        return self.start + timedelta(hours=self.hours[-1])

    @property
    def final(self) -> Floats:
        """(y, x): probability of having burned by the last hour."""
        return self.probability[-1]

    def area_ha(self, at_least: float) -> float:
        """Hectares whose probability by the last hour is at least `at_least`."""
        return float((np.nan_to_num(self.final) >= at_least).sum() * self.grid.cell_area_m2() / 1e4)

    def local(self, when: datetime) -> datetime:
        """`when` in the map's own time zone."""
        return when.astimezone(ZoneInfo(self.timezone))

    @property
    def digest(self) -> str:
        """Sha-256 over rasters, times, model, weather and sources."""
        head = [self.title, list(self.hours), iso(self.issued), iso(self.start), self.timezone, str(self.ignition)]
        rasters = (self.probability, self.arrival_min, self.bearing_deg, self.rate_m_min, self.confidence, self.ground)
        more = [
            self.n_members,
            self.model,
            self.calibration,
            self.weather,
            self.status,
            self.approver,
            list(self.notes),
            *([self.starts] if self.starts else []),
        ]
        return digest(self.grid.digest, head, more, dict(self.made_of), *rasters)

    def __repr__(self) -> str:
        return f"RiskMap({self.title!r}, {self.grid!r}, {iso(self.start)} + {self.hours[-1]:g} h, {self.status})"

    @property
    def _areas(self) -> dict[str, str]:
        if self.ignition is None:
            return {"fires start": self.starts, "burned by 1 in 100 or more": f"{self.area_ha(0.01):.0f} ha"}
        return {
            "likely or more (60 %) burned by then": f"{self.area_ha(0.6):.0f} ha",
            "possible or more (20 %)": f"{self.area_ha(0.2):.0f} ha",
        }

    def _repr_html_(self) -> str:
        rows = {
            "valid": f"{iso(self.start)} to {iso(self.valid_to)} ({self.timezone})",
            **self._areas,
            "members": str(self.n_members),
            "model": self.model,
            "weather": self.weather,
            "status": self.status,
            "notes": " · ".join(self.notes),
        }
        body = "".join(f"<tr><th style='text-align:left'>{k}</th><td>{escape(v)}</td></tr>" for k, v in rows.items())
        return f"<table><caption>{escape(self.title)}</caption>{body}</table>"
