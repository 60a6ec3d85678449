"""How long a straight run inside one cell takes: compiled, for one cell at one time.

In a cell the fire spreads as an ellipse from its rear focus, along the plane of the slope. With d the run in the map
plane (east, north), g the rise over run, |d|_M its length on the slope, the time is

    time(d) = a |d|_M - b . d,    |d|_M^2 = d.d + (g.d)^2,    a = 1 / (R (1 - e)),    b = a e (h + g (g.h)) / |h|_M

for head rate R, eccentricity e and head direction h: Anderson (1983) put on a plane, as in Finney (1998, RMRS-RP-4).
Weather is constant within a period; a run that crosses into the next goes on at the next period's speed, so leaving
later never means arriving earlier.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geolabel.fire.arrays import F32, F64, I16, I32, I64
from geolabel.fire.behave.crown import ACTIVE, CONDITIONAL, PASSIVE, SURFACE
from geolabel.fire.behave.flame import M_MIN_PER_MPH

COMPILE = {"nogil": True, "_nrt": False, "error_model": "numpy", "fastmath": {"contract", "nsz", "arcp"}}
"""The kernel makes no array, so references need no counting (`_nrt`): that alone makes it three times as fast."""
INLINE = {**COMPILE, "inline": "always"}
"""For what runs millions of times."""
SLOWEST_M_MIN = 1e-4
"""Rates below this (15 cm a day) count as no spread."""
FUEL_COLUMNS = 7
"""No-wind rate, wind factor to east and north, slope scale, 1 / wind scale, 1 / wind power, wind limit (as factor)."""
CROWN_COLUMNS = 10
"""After those, where crowns may burn: surface rate that lights them; base, gain, wind power and upper bound of their rate when
active; critical rate; wind factor to east and north in the wind from which they are active; length-to-width less 1; and
whether passive fires go by Cruz."""
SLOTS = 2
"""Periods of a cell kept at a time, at most."""


class Fields(NamedTuple):
    """Where and when the fire spreads how fast: either `given` fields, or fuel with its behaviour by period."""

    given: bool
    head_rate: F32
    """(period, cell) m/min; 0 does not burn. Given fields only."""
    head_rad: F32
    """(period, cell) clockwise from grid north."""
    eccentricity: F32
    slope: F32
    """(cell,) rise/run, given fields only."""
    aspect_rad: F32
    fuel: I16
    """(cell,) row of `behaviour` (0 of given fields), -1 never burns."""
    rise_east: F32
    rise_north: F32
    behaviour: F64
    """(period, fuel, FUEL_COLUMNS), or CROWN_COLUMNS more."""
    starts: F64
    """(period,) minutes after ignition; the first is <= 0, the last period has no end."""
    wind_ratio: F32
    """(1 or period, cell) speed of the cell's wind over that in `behaviour`; no rows where it is the same everywhere."""
    wind_turn_deg: F32
    """(1 or period, cell) clockwise."""


class Speeds(NamedTuple):
    """Speeds of the cells met so far."""

    metric: F32
    """(own number * slots + slot, 4): a, b east, b north, 1 / a."""
    stamp: I32
    """(own number * slots + slot,): period + 1 held in it, 0 for none."""
    rise: F32
    """(own, 7): rise over run to east and north; length on the slope of a metre east, of one north, and sqrt(det M); the
    inverse of the two lengths."""
    number: I32
    """(cell,): when the fire came to it, counted from 0, -1 before it does: what is kept of cells takes only as much memory as the
    largest fire needs."""
    cells: I32
    """Cells met, in order."""
    tally: I64
    """[0]: how many cells were met."""


@njit(**INLINE)
def burns(fields: Fields, cell: int) -> bool:
    """Whether a cell ever carries fire."""
    return fields.fuel[cell] >= 0


@njit(**INLINE)
def period_of(fields: Fields, t: float, hint: int) -> int:
    """Period that holds time t, searched from `hint`."""
    period = hint
    while period > 0 and t < fields.starts[period]:
        period -= 1
    while period + 1 < len(fields.starts) and t >= fields.starts[period + 1]:
        period += 1
    return period


@njit(**INLINE)
def period_end(fields: Fields, period: int) -> float:
    """Minute at which a period ends."""
    return fields.starts[period + 1] if period + 1 < len(fields.starts) else np.inf


@njit(**INLINE)
def meet(fields: Fields, speeds: Speeds, cell: int) -> None:
    """Note a cell met for the first time and its rise."""
    own = speeds.tally[0]
    if fields.given:
        down, steep = fields.aspect_rad[cell], fields.slope[cell]
        tilted = steep > 0 and np.isfinite(down)
        speeds.rise[own, 0] = -steep * np.sin(down) if tilted else 0.0
        speeds.rise[own, 1] = -steep * np.cos(down) if tilted else 0.0
    else:
        speeds.rise[own, 0] = fields.rise_east[cell]
        speeds.rise[own, 1] = fields.rise_north[cell]
    gx, gy = float(speeds.rise[own, 0]), float(speeds.rise[own, 1])
    speeds.rise[own, 2] = np.sqrt(1 + gx * gx)
    speeds.rise[own, 3] = np.sqrt(1 + gy * gy)
    speeds.rise[own, 4] = np.sqrt(1 + gx * gx + gy * gy)
    speeds.rise[own, 5] = 1 / np.sqrt(1 + gx * gx)
    speeds.rise[own, 6] = 1 / np.sqrt(1 + gy * gy)
    speeds.number[cell] = own
    speeds.cells[own] = cell
    speeds.tally[0] += 1


@njit(**INLINE)
def given_head(fields: Fields, cell: int, period: int) -> tuple[float, float, float, float]:
    """(rate, east, north, eccentricity) of the head from given fields."""
    head = fields.head_rad[period, cell]
    return (
        float(fields.head_rate[period, cell]),
        float(np.sin(head)),
        float(np.cos(head)),
        float(fields.eccentricity[period, cell]),
    )


@njit(**INLINE)
def cell_wind(fields: Fields, cell: int, period: int) -> tuple[float, float]:
    """(speed over the table's, turn in radians) of the wind in a cell."""
    n = fields.wind_ratio.shape[0]
    if n == 0:
        return 1.0, 0.0
    at = period if n > 1 else 0
    return float(fields.wind_ratio[at, cell]), np.radians(float(fields.wind_turn_deg[at, cell]))


@njit(**INLINE)
def with_slope(fields: Fields, row: F64, cell: int, push: tuple[float, float], turn: float) -> tuple[float, float]:
    """(east, north) of the wind factor, turned clockwise, and the slope factor together."""
    gx, gy = fields.rise_east[cell], fields.rise_north[cell]
    steep = row[3] * np.sqrt(gx * gx + gy * gy)
    east, north = push
    if turn != 0:
        cos, sin = np.cos(turn), np.sin(turn)
        east, north = east * cos + north * sin, north * cos - east * sin
    return east + steep * gx, north + steep * gy


@njit(**INLINE)
def surface_head(fields: Fields, cell: int, period: int) -> tuple[float, float, float, float]:
    """(rate, east, north, eccentricity) of the head from fuel, wind and slope: `rothermel.head_fire` for one cell."""
    row = fields.behaviour[period, fields.fuel[cell]]
    ratio, turn = cell_wind(fields, cell, period)
    gain = ratio ** (1 / row[5]) if ratio != 1 else 1.0
    east, north = with_slope(fields, row, cell, (gain * row[1], gain * row[2]), turn)
    factor = np.sqrt(east * east + north * north)
    rate, ecc = row[0], 0.0
    if factor < 1e-9:
        east, north, factor = 0.0, 1.0, 1.0
    else:
        capped = min(factor, row[6])
        mph = (capped * row[4]) ** row[5] / M_MIN_PER_MPH
        lw = 0.936 * np.exp(min(0.1147 * mph, 10.0)) + 0.461 * np.exp(-0.0692 * mph) - 0.397
        lw = min(max(lw, 1.0), 8.0)
        rate, ecc = row[0] * (1 + capped), np.sqrt(1 - 1 / (lw * lw))
    return rate, east / factor, north / factor, ecc


@njit(**COMPILE)
def crown_head(fields: Fields, cell: int, period: int, surface: float, ecc: float) -> tuple[float, float, float, int]:
    """(rate, eccentricity, share of the crowns that burn, kind) of the head over a surface fire: `crown.crown_fire`."""
    row = fields.behaviour[period, fields.fuel[cell]]
    ratio, turn = cell_wind(fields, cell, period)
    lights, critical, cruz = row[7], row[12], row[16] > 0
    active = min(row[8] + row[9] * ratio ** row[10], row[11])
    if surface < lights:
        return surface, ecc, 0.0, CONDITIONAL if active >= critical else SURFACE
    if active >= critical:
        lw = min(1 + row[15] * ratio, 8.0)
        return max(active, surface), np.sqrt(1 - 1 / (lw * lw)), 1.0, ACTIVE
    east, north = with_slope(fields, row, cell, (row[13], row[14]), turn)
    span = row[0] * (1 + min(np.sqrt(east * east + north * north), row[6])) - lights
    share = min(max((surface - lights) / span, 0.0), 1.0) if span > 0 else 0.0
    passive = active * np.exp(-active / critical) if cruz else surface + share * (active - surface)
    return max(passive, surface), ecc, share, PASSIVE


@njit(**INLINE)
def fuel_head(fields: Fields, cell: int, period: int) -> tuple[float, float, float, float]:
    """(rate, east, north, eccentricity) of the head of the surface fire, or of the fire with its crowns."""
    rate, east, north, ecc = surface_head(fields, cell, period)
    if fields.behaviour.shape[2] > FUEL_COLUMNS:
        rate, ecc, _, _ = crown_head(fields, cell, period, rate, ecc)
    return rate, east, north, ecc


@njit(**COMPILE)
def head_of(fields: Fields, cell: int, period: int) -> tuple[float, float, float, float]:
    """(rate m/min, east, north, eccentricity) of the head in a cell and period."""
    if fields.given:
        return given_head(fields, cell, period)
    return fuel_head(fields, cell, period)


@njit(**INLINE)
def slots_of(fields: Fields) -> int:
    """Slots a cell has: no more than there are periods, so that what is used lies close together."""
    return min(SLOTS, len(fields.starts))


@njit(**COMPILE)
def fill(fields: Fields, speeds: Speeds, cell: int, period: int, slot: int) -> None:
    """Compute a cell's speed in a period into a slot."""
    rate, east, north, ecc = head_of(fields, cell, period)
    gx, gy = speeds.rise[speeds.number[cell], 0], speeds.rise[speeds.number[cell], 1]
    up = gx * east + gy * north
    slowness = 1 / (rate * (1 - ecc)) if rate > SLOWEST_M_MIN else np.inf
    drift = slowness * ecc / np.sqrt(1 + up * up) if rate > SLOWEST_M_MIN else 0.0
    speeds.metric[slot, 0] = slowness
    speeds.metric[slot, 3] = rate * (1 - ecc) if rate > SLOWEST_M_MIN else 0.0
    speeds.metric[slot, 1] = drift * (east + gx * up)
    speeds.metric[slot, 2] = drift * (north + gy * up)
    speeds.stamp[slot] = period + 1


@njit(**INLINE)
def load(fields: Fields, speeds: Speeds, cell: int, period: int) -> int:
    """Slot that holds the cell's speed in a period, computed on first need."""
    n = slots_of(fields)
    slot = speeds.number[cell] * n + period % n
    if speeds.stamp[slot] != period + 1:
        fill(fields, speeds, cell, period, slot)
    return slot


@njit(**INLINE)
def slope_length(speeds: Speeds, cell: int, dx: float, dy: float) -> float:
    """Length on the slope of a run (dx, dy) in the map plane."""
    climb = speeds.rise[speeds.number[cell], 0] * dx + speeds.rise[speeds.number[cell], 1] * dy
    return np.sqrt(dx * dx + dy * dy + climb * climb)


@njit(**INLINE)
def run_time(
    fields: Fields, speeds: Speeds, cell: int, dx: float, dy: float, t: float, bound: float, hint: int
) -> float:
    """Arrival (min) of a run (dx, dy) in a cell that starts at t; inf where it cannot be before `bound`."""
    length = slope_length(speeds, cell, dx, dy)
    period = period_of(fields, t, hint)
    left, arrival = 1.0, np.inf
    while t < bound:
        slot = load(fields, speeds, cell, period)
        slow = speeds.metric[slot, 0]
        need = left * (slow * length - speeds.metric[slot, 1] * dx - speeds.metric[slot, 2] * dy)
        end = period_end(fields, period)
        if t + need <= end:
            arrival = t + need if slow < np.inf else np.inf
            break
        left *= 1 - (end - t) / need if slow < np.inf else 1.0
        t = end
        period += 1
    return arrival
