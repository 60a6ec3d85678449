"""Quanta: a change index as int16, in steps fine enough for its breaks, so that sums and medians are exact integers.

An index x1 is kept in steps of 1e-4, one x1000 in steps of 0.1, one in dB in steps of 1e-3; -32768 is no data, values
beyond 32767 steps (3.2767, 3276.7, 32.767 dB) are held at these ends. A value becomes the largest step not above it, compared as float32: for every break that is a
whole number of steps, `value >= break` and `step >= step of the break` are the same question.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.label.otsu import thresholds
from geolabel.label.severity import SeverityScheme, Units, levels

Quanta: TypeAlias = NDArray[np.int16]
UNKNOWN = -32768
LEAST, MOST = -32767, 32767
PER_UNIT = {"x1": 10_000.0, "x1000": 10.0, "dB": 1_000.0}
"""Steps to one unit of the index."""
COMPILE = {"nogil": True, "cache": True, "error_model": "numpy"}


def quantised(values: NDArray[Any], units: Units) -> Quanta:
    """(y, x) int16 steps of float values; -32768 where they are NaN or infinite."""
    out = np.empty(values.shape, np.int16)
    _quantise(np.ascontiguousarray(values, np.float32), PER_UNIT[units], out)
    return out


@njit(**COMPILE)
def _quantise(values: NDArray[np.float32], per_unit: float, out: Quanta) -> None:
    for row in range(values.shape[0]):
        for col in range(values.shape[1]):
            value = values[row, col]
            step = np.floor(value * per_unit + 0.5)
            step = min(max(step, -32767.0), 32767.0)
            if np.float32(step / per_unit) > value:
                step = max(step - 1.0, -32767.0)
            out[row, col] = np.int16(step) if np.isfinite(value) else np.int16(-32768)


def steps_of(value: float, units: Units) -> int:
    """The least step that is not below `value`, compared as float32."""
    step = np.floor(np.float64(value) * PER_UNIT[units] + 0.5)
    step += np.float32(step / PER_UNIT[units]) < np.float32(value)
    return int(np.clip(step, LEAST, MOST + 1))


def value_of(steps: Any, units: Units) -> Any:
    """The index's value at the lower edge of a step."""
    return np.asarray(steps, np.float64) / PER_UNIT[units]


def level_table(scheme: SeverityScheme, shift: int = 0) -> NDArray[np.uint8]:
    """(65536,) level code of each step, at `step + 32768`, once `shift` steps are taken off; 255 for no data."""
    steps = np.clip(np.arange(UNKNOWN, MOST + 1) - shift, LEAST, MOST)
    table: NDArray[np.uint8] = levels(value_of(steps, scheme.units).astype(np.float32), scheme, units=scheme.units)
    table[0] = 255
    return table


def counts_of(quanta: Quanta) -> NDArray[np.int64]:
    """(65536,) how many pixels have each step, at `step + 32768`; no data is not counted."""
    counts = np.zeros(MOST - UNKNOWN + 1, np.int64)
    _count(quanta, counts)
    counts[0] = 0
    return counts


@njit(**COMPILE)
def _count(quanta: Quanta, counts: NDArray[np.int64]) -> None:
    for row in range(quanta.shape[0]):
        for col in range(quanta.shape[1]):
            counts[np.int64(quanta[row, col]) + 32768] += 1


def median_of(counts: NDArray[np.int64]) -> int:
    """The median step (the lower of the two middle ones), exactly."""
    middle = (int(counts.sum()) + 1) // 2
    return int(np.searchsorted(np.cumsum(counts), middle)) + UNKNOWN


def moved(counts: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """The counts once `by` steps are added to every value; values that leave the range are held at its ends."""
    if not by:
        return counts
    out = np.zeros_like(counts)
    there = np.flatnonzero(counts)
    np.add.at(out, np.clip(there + UNKNOWN + by, LEAST, MOST) - UNKNOWN, counts[there])
    return out


def otsu_steps(counts: NDArray[np.int64], classes: int = 2) -> tuple[int, ...]:
    """`classes - 1` steps at which Otsu's method parts the counted pixels; see `otsu.thresholds`."""
    there = np.flatnonzero(counts)
    found = thresholds(there + UNKNOWN, classes, counts=counts[there])
    return tuple(int(np.ceil(cut)) for cut in found)
