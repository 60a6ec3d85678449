"""What a learned spread model reads: fuel, terrain, wind and the burning area as channels on a grid.

Vectors are given as their components to grid east and grid north, in pairs named `..._east`, `..._north`, so that an
image can be flipped or turned together with what it says of directions.
"""

from __future__ import annotations

import numpy as np

from geolabel.bearings import uv_from_wind
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, Mask
from geolabel.fire.front.fields import Behaviour, behaviour, fuel_fields
from geolabel.fire.front.heads import heads_of
from geolabel.fire.landscape import Landscape, distance_m
from geolabel.fire.weather.weather import MOISTURES, Weather

CHANNELS = (
    "burning",
    "front_distance",
    "base_rate",
    "head_rate",
    "burnable",
    "known",
    "length_to_width",
    "head_east",
    "head_north",
    "rise_east",
    "rise_north",
    "wind_east",
    "wind_north",
)
"""burning, burnable, known: 0 or 1. front_distance: log(1 + m / 100) / 4. base_rate (no wind, no slope) and head_rate: log(1 + m/min) / 3.
length_to_width: (ratio - 1) / 7. head_*: head_rate times the direction of the head. rise_*: rise over run. wind_*: wind TO, in 10 m/s."""


def mean_weather(weather: Weather, hours: float | None = None) -> Weather:
    """One constant weather: vector mean of the wind and mean moisture over the first `hours` (default: all)."""
    period = weather.hourly(weather.end_hours if hours is None else hours)
    length = np.diff(np.append(period.hours, period.end_hours))
    u, v = uv_from_wind(period.speed_m_s, period.from_deg)
    u, v = float(np.average(u, weights=length)), float(np.average(v, weights=length))
    wet = {name: float(np.average(getattr(period, name), weights=length)) for name in MOISTURES}
    return Weather.constant(
        weather.start,
        speed_m_s=float(np.hypot(u, v)),
        from_deg=float(np.degrees(np.arctan2(-u, -v)) % 360),
        hours=period.end_hours,
        moisture=wet,
        source=weather.source,
    )


def head_fields(landscape: Landscape, acts: Behaviour) -> tuple[F64, F64, F64, F64]:
    """(no-wind rate, head rate in m/min, head direction in radians from grid north, length-to-width), each (y, x).

    Of the first period, as the front has it; nothing where nothing burns.
    """
    cells = np.flatnonzero(acts.of >= 0)
    head = heads_of(fuel_fields(landscape, acts), cells, np.zeros_like(cells))
    of_cells = (
        (acts.table[0, acts.of[cells], 0], 0.0),
        (head.rate_m_min, 0.0),
        (np.arctan2(head.east, head.north), 0.0),
        (1 / np.sqrt(1 - head.eccentricity**2), 1.0),
    )
    planes = np.stack([np.full(acts.of.size, fill) for _, fill in of_cells])
    planes[:, cells] = [values for values, _ in of_cells]
    base, rate, direction, ratio = planes.reshape(4, *landscape.grid.shape)
    return base, rate, direction, ratio


def features(
    landscape: Landscape, weather: Weather, burning: Mask, *, hours: float | None = None
) -> tuple[tuple[str, ...], F32]:
    """(`CHANNELS`, (channel, y, x) float32, finite everywhere) for a landscape, its weather and what burns now.

    The weather enters as its mean over the first `hours`.

    Raises
    ------
    FireError
        For a burning area of another shape, or a landscape on which nothing burns.
    """
    if burning.shape != landscape.grid.shape:
        raise FireError(f"a burning area of {burning.shape} on {landscape.grid!r}")
    if not landscape.burnable.any():
        raise FireError("nothing burns on this landscape", hint="check the fuel numbers")
    mean, turn = mean_weather(weather, hours), landscape.grid.convergence_deg()
    acts = behaviour(landscape, mean)
    base, head, direction, ratio = head_fields(landscape, acts)
    u, v = uv_from_wind(float(mean.speed_m_s[0]), float(mean.from_deg[0]) - turn)
    head_scaled = np.log1p(head) / 3
    rise_e, rise_n = landscape.rise
    planes = (
        burning,
        np.log1p(distance_m(burning, landscape.grid.res_m) / 100) / 4,
        np.log1p(base) / 3,
        head_scaled,
        landscape.burnable,
        landscape.known,
        (ratio - 1) / 7,
        head_scaled * np.sin(direction),
        head_scaled * np.cos(direction),
        rise_e,
        rise_n,
        np.full(burning.shape, u / 10),
        np.full(burning.shape, v / 10),
    )
    return CHANNELS, np.stack([np.asarray(plane, np.float32) for plane in planes])
