"""Moisture of dead fuel in each period of weather, from its air."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geolabel.fire.arrays import F64
from geolabel.fire.danger.moisture import TIME_LAG_H, Air, dead_moisture


def dead_by_period(air: Air, *, start: Mapping[str, float] | None = None) -> Mapping[str, F64]:
    """`m1`, `m10`, `m100` -> (step, ...) mean moisture of dead fuel in each step.

    Between two steps the moisture runs along a curve, and weather is constant in each: the mean over the step, exactly.

    Parameters
    ----------
    start
        Moistures before the first step; without one, `danger.moisture.dead_moisture` says where it starts.
    """
    states = dead_moisture(air, start=start)
    hours = air.hours.reshape(-1, *[1] * (air.temp_c.ndim - 1))
    made = {}
    for name, lag in TIME_LAG_H.items():
        state = getattr(states, name)
        made[name] = np.asarray(air.boundary(name) + (state[:-1] - state[1:]) * lag / hours)
    return made
