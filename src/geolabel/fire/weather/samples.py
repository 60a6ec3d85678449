"""Samples of wind of one time: their vector mean, and how far they spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from geolabel.bearings import uv_from_wind, wind_from_uv
from geolabel.errors import FireError
from geolabel.fire.ranges import check_bearing_deg, check_wind_m_s
from geolabel.fire.weather.columns import Told, said
from geolabel.fire.weather.series import table_of
from geolabel.fire.weather.weather import Weather, known_moistures

LEAST_R = 0.05
"""Of the mean speed: a vector mean below it is none."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Weather whose wind was sampled several times at once, and the spread of the samples about their mean."""

    weather: Weather
    """Vector mean wind of each time."""
    speed_share: float
    """Standard deviation of the samples along their mean wind, as a share of it: `Uncertainty.speed_share`."""
    direction_deg: float
    """Circular standard deviation of the samples' directions, degrees: `Uncertainty.direction_deg`."""
    n: int
    """Samples."""


def read_samples(
    path: str | Path, *, hours: float = 1.0, moisture: Mapping[str, float] | None = None, **told: Unpack[Told]
) -> Samples:
    """Mean and spread of a CSV with several rows of wind at each time; see `from_samples`."""
    path = Path(path)
    return from_samples(table_of(path), hours=hours, moisture=moisture, name=path.name, **told)


def from_samples(
    table: pd.DataFrame,
    *,
    hours: float = 1.0,
    moisture: Mapping[str, float] | None = None,
    name: str = "table",
    **told: Unpack[Told],
) -> Samples:
    """Mean and spread of a table with several rows of wind at each time.

    Standard deviations are pooled over the times (n - 1 in the denominator). Columns as in `series.from_table`.

    Parameters
    ----------
    hours
        How long the last time's wind holds.
    moisture
        Of the fuel; without it the default.

    Raises
    ------
    FireError
        No time with two samples, a wind that is missing, samples whose winds cancel out.
    """
    rows = said(table, told)
    if rows[["speed_m_s", "from_deg"]].isna().to_numpy().any():
        row = int(rows[["speed_m_s", "from_deg"]].isna().any(axis=1).argmax()) + 1
        raise FireError(f"the wind is missing in row {row} (header not counted)", hint="drop the row")
    check_wind_m_s(rows["speed_m_s"])
    check_bearing_deg(rows["from_deg"], "a wind from")
    groups = list(rows.groupby("time", sort=True))
    if len(groups) == len(rows):
        raise FireError(f"{len(rows)} times of one sample each", hint="that is a series: read_csv")
    return _pooled(groups, hours, moisture, f"{name}: vector mean of {len(rows)} samples")


def _pooled(groups: list[Any], hours: float, moisture: Mapping[str, float] | None, source: str) -> Samples:
    u, v = zip(*(uv_from_wind(rows["speed_m_s"], rows["from_deg"]) for _, rows in groups), strict=True)
    speed, origin = wind_from_uv([part.mean() for part in u], [part.mean() for part in v])
    blown = np.array([np.hypot(*part).mean() for part in zip(u, v, strict=True)])
    if not (speed > LEAST_R * blown).all():
        raise FireError("the samples' winds cancel out", hint="no wind is their mean; give a scenario")
    to_e, to_n = uv_from_wind(1.0, origin)
    free = sum(len(part) - 1 for part in u)
    shares, turns = [], []
    for east, north, e, n, mean in zip(u, v, to_e, to_n, speed, strict=True):
        shares.append((((east * e + north * n) / mean - 1) ** 2).sum())
        off = np.degrees(np.arctan2(east * n - north * e, east * e + north * n))
        turns.append((off**2).sum())
    times = [time for time, _ in groups]
    offsets = np.array([(time - times[0]).total_seconds() / 3600 for time in times])
    wet: dict[str, Any] = {name: np.full(len(times), one) for name, one in known_moistures(moisture).items()}
    weather = Weather(
        times[0].to_pydatetime(), offsets, float(offsets[-1] + hours), speed, origin, **wet, source=source
    )
    return Samples(weather, float(np.sqrt(sum(shares) / free)), float(np.sqrt(sum(turns) / free)), sum(map(len, u)))
