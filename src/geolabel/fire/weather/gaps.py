"""Missing values of a series: filled where the gap is short and the caller allows it, else named by row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geolabel.errors import FireError
from geolabel.fire.arrays import F64, Mask


def hours_of(table: pd.DataFrame) -> F64:
    """(n,) hours after the first row."""
    return np.asarray((table["time"] - table["time"].iloc[0]).dt.total_seconds().to_numpy(float) / 3600)


def filled(table: pd.DataFrame, fill_hours: float) -> tuple[pd.DataFrame, int]:
    """(the table without missing values, how many were filled).

    Numbers are interpolated in time, directions along the shorter arc. Calm has no direction: one that is missing there
    counts as no gap.

    Parameters
    ----------
    fill_hours
        Longest time between the values on both sides of a gap, h.

    Raises
    ------
    FireError
        A gap that is longer, or at an end.
    """
    hours, made, n = hours_of(table), table.copy(), 0
    for name in table.columns.difference(["time", "station", "lon", "lat", "state_of_weather"]):
        values = table[name].to_numpy(float).copy()
        gone = np.isnan(values)
        if name == "from_deg":
            values = _calm_turned(values, np.asarray(made["speed_m_s"], float))
            gone &= np.isnan(values)
        if gone.any():
            _check_gaps(str(name), hours, gone, fill_hours)
            values = _between(hours, values, circular=name == "from_deg")
            n += int(gone.sum())
        made[name] = values
    return made, n


def _calm_turned(from_deg: F64, speed_m_s: F64) -> F64:
    """Directions, where calm has none that of the wind before (after, at the start; north, without any wind)."""
    calm = np.isnan(from_deg) & (speed_m_s == 0)
    near = pd.Series(from_deg).ffill().bfill().fillna(0.0).to_numpy(float)
    return np.where(calm, near, from_deg)


def _check_gaps(name: str, hours: F64, gone: Mask, fill_hours: float) -> None:
    there = np.flatnonzero(~gone)
    for row in np.flatnonzero(gone):
        at = int(np.searchsorted(there, row))
        inside = 0 < at < len(there)
        gap = float(hours[there[at]] - hours[there[at - 1]]) if inside else np.inf
        if gap > fill_hours + 1e-9:
            where = f"a gap of {gap:g} h" if inside else "no value on one side of it"
            raise FireError(
                f"{name} is missing in row {row + 1} (header not counted): {where}",
                hint="give the value, or fill_hours=3 to interpolate gaps of up to 3 h",
            )


def _between(hours: F64, values: F64, *, circular: bool) -> F64:
    """Values interpolated in time where they are missing."""
    there = np.isfinite(values)
    known = values[there]
    if circular:
        steps = (np.diff(known) + 180) % 360 - 180
        known = known[0] + np.concatenate([[0.0], np.cumsum(steps)])
    made = np.interp(hours, hours[there], known)
    return np.where(there, values, made % 360 if circular else made)
