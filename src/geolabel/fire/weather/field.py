"""Wind and moisture that differ from place to place, relative to the weather of the whole landscape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from geolabel.bearings import wind_from_uv
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, I16, I64
from geolabel.fire.ranges import check_dead_moisture, check_live_moisture

LEAST_SHARE = 0.1
"""Of the mean speed: the reference wind is no slower where winds of a landscape cancel out."""


@dataclass(frozen=True, slots=True)
class WindField:
    """Wind of each cell relative to `Weather.speed_m_s` and `from_deg`: so errors of the weather move all cells together.

    Raises
    ------
    FireError
        Parts of different shapes, missing values, negative speeds.
    """

    ratio: F32
    """(1 or period, y, x) speed of the cell over that of the weather."""
    turn_deg: F32
    """(1 or period, y, x) clockwise, added to where the weather's wind comes from."""

    def __post_init__(self) -> None:
        if self.ratio.ndim != 3 or self.ratio.shape != self.turn_deg.shape:
            raise FireError(
                f"a wind field of shapes {self.ratio.shape} and {self.turn_deg.shape}", hint="(period, y, x), both"
            )
        if not (np.isfinite(self.ratio).all() and np.isfinite(self.turn_deg).all() and self.ratio.min() >= 0):
            raise FireError("a wind field with missing or negative values", hint="calm is a ratio of 0 and a turn of 0")

    @property
    def periods(self) -> int:
        """1 where the field is the same in all periods."""
        return len(self.ratio)

    def at(self, periods: I64) -> WindField:
        """The field of some periods of the weather, in that order."""
        if self.periods == 1 or np.array_equal(periods, np.arange(self.periods)):
            return self
        return WindField(self.ratio[periods], self.turn_deg[periods])


@dataclass(frozen=True, slots=True)
class Zones:
    """Places of equal moisture.

    Raises
    ------
    FireError
        Zones without moisture, moisture that is missing or no fraction of dry weight.
    """

    of: I16
    """(y, x) zone of each cell, 0 and up."""
    moisture: F64
    """(zone, 5, period) fractions, rows as `weather.MOISTURES`."""

    def __post_init__(self) -> None:
        if self.of.ndim != 2 or self.moisture.ndim != 3 or self.moisture.shape[1] != 5:
            raise FireError(
                f"zones of {self.of.shape} with moisture of {self.moisture.shape}", hint="(zone, 5, period)"
            )
        if self.of.min() < 0 or self.of.max() >= len(self.moisture):
            raise FireError(f"zones {self.of.min()} to {self.of.max()}, moisture of {len(self.moisture)}")
        if not np.isfinite(self.moisture).all():
            raise FireError("the moisture of a zone is missing", hint="every zone, every period")
        check_dead_moisture(self.moisture[:, :3])
        check_live_moisture(self.moisture[:, 3:])

    def at(self, periods: I64) -> Zones:
        """The zones with the moisture of some periods of the weather, in that order."""
        return Zones(self.of, self.moisture[:, :, periods])


def around_mean(winds: Iterable[tuple[Any, Any]]) -> tuple[F64, F64, WindField]:
    """(speed in m/s and FROM in degrees of the landscape's vector mean, (period,) each; the field relative to it).

    Where winds of a landscape cancel out, the reference blows with `LEAST_SHARE` of the mean speed, so that all cells
    stay what they are.

    Parameters
    ----------
    winds
        A period each: (u, v) in m/s, (y, x).
    """
    speeds, origins, ratios, turns = [], [], [], []
    for u, v in winds:
        mean_u, mean_v = float(np.mean(u, dtype=float)), float(np.mean(v, dtype=float))
        speed = max(np.hypot(mean_u, mean_v), LEAST_SHARE * float(np.hypot(u, v).mean(dtype=float)))
        from_deg = float(np.nan_to_num(wind_from_uv(mean_u, mean_v)[1]))
        ratio, turn = relative(u, v, speed, from_deg)
        speeds.append(speed)
        origins.append(from_deg)
        ratios.append(ratio)
        turns.append(turn)
    return np.array(speeds), np.array(origins), WindField(np.stack(ratios), np.stack(turns))


def relative(u: Any, v: Any, speed_m_s: float, from_deg: float) -> tuple[F32, F32]:
    """(ratio, turn in degrees in [-180, 180)) of winds (u, v) to one wind; a calm cell has ratio and turn 0.

    Raises
    ------
    FireError
        For wind over calm: no ratio says it.
    """
    speed, origin = wind_from_uv(u, v)
    if speed_m_s <= 0 and speed.max() > 0:
        raise FireError(f"winds of up to {speed.max():.3g} m/s relative to calm", hint="give a reference wind above 0")
    ratio = speed / speed_m_s if speed_m_s > 0 else np.ones_like(speed)
    turn = np.where(np.isfinite(origin), (origin - from_deg + 180) % 360 - 180, 0.0)
    return ratio.astype(np.float32), turn.astype(np.float32)
