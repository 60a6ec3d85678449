"""What unburned ground shows: the median change over the ring around the scars, strip by strip and exactly."""

from __future__ import annotations

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.errors import GeolabelWarning, InputError
from geolabel.label.scars.graph import Whole
from geolabel.label.scars.quanta import COMPILE, MOST, UNKNOWN, Quanta, median_of
from geolabel.label.scars.runs import I32, I64
from geolabel.label.scars.walk import Job, numbers_of

GAP_M, WIDTH_M = 90.0, 300.0
"""The ring begins at GAP_M from the scar and is WIDTH_M wide."""
ENOUGH = 100
"""Pixels of the ring from which its median is believed: of a spread of 0.1 it then errs by about 0.013."""


class Ring(NamedTuple):
    """How far either edge of the ring reaches to the side, so many rows away (0, 1, ...): columns, -1 for not at all."""

    inner: I32
    outer: I32


class Near(NamedTuple):
    """A strip and the pieces whose scars its pixels may lie beside."""

    first: int
    last: int
    pieces: tuple[tuple[int, str], ...]
    """First row and name of each."""


def ring_steps(
    job: Job, whole: Whole, res_m: float, *, gap_m: float = GAP_M, width_m: float = WIDTH_M, least: int = 0
) -> int:
    """Median step (the lower middle one) of the pixels from `gap_m` to `gap_m + width_m` off the nearest scar pixel.

    Distances are between the centres of pixels; pixels at `gap_m` itself do not count. 0 where there is no scar.

    Parameters
    ----------
    least
        Where fewer valid pixels lie in the ring than this, 0 with a warning. Default: at least one, else an error.

    Raises
    ------
    InputError
        Where the ring holds no valid pixel.
    """
    if not len(whole.level):
        return 0
    ring = Ring(_sides(gap_m, res_m), _sides(gap_m + width_m, res_m))
    items = _near(job, len(ring.outer) - 1)
    counts = np.zeros(MOST - UNKNOWN + 1, np.int64)
    for part in job.how.walk(items, partial(_counted, job, ring), "looking around scars"):
        counts += part
    seen = int(counts.sum())
    if seen >= max(least, 1):
        return median_of(counts)
    found = f"{seen or 'no'} valid unburned pixel{'s' * (seen > 1)} between {gap_m:g} and {gap_m + width_m:g} m around the scar"
    if least:
        warnings.warn(f"{found}: no offset was taken off", GeolabelWarning, stacklevel=2)
        return 0
    raise InputError(found, hint="give the offset as a number, or none")


def _sides(radius_m: float, res_m: float) -> I32:
    """(rows,) the largest column offset within a radius, 0, 1, ... rows away."""
    reach = int(radius_m / res_m + 1)
    offset = np.arange(reach + 1)
    within = (offset[:, None] ** 2 + offset**2) * (res_m * res_m) <= radius_m * radius_m
    sides = within.sum(axis=1) - 1
    return sides[sides >= 0].astype(np.int32)


def _near(job: Job, reach: int) -> list[Near]:
    strips = job.strips
    return [
        Near(first, last, tuple((a, job.key(a)) for a, b in strips if a < last + reach and b > first - reach))
        for first, last in strips
    ]


def _counted(job: Job, ring: Ring, near: Near) -> I64:
    """(65536,) how many pixels of a strip lie in the ring, by step."""
    counts = np.zeros(MOST - UNKNOWN + 1, np.int64)
    rows, firsts, lasts = [], [], []
    for row, key in near.pieces:
        piece = job.image.shelf.piece(key)
        scar = numbers_of(job.image.shelf, key)[piece.patch] > 0
        rows.append((row + np.repeat(np.arange(len(piece.start) - 1), np.diff(piece.start)))[scar])
        firsts.append(piece.first[scar])
        lasts.append(piece.last[scar])
    scar_rows = np.concatenate(rows)
    if len(scar_rows):
        start = np.searchsorted(scar_rows, np.arange(near.first - len(ring.outer) + 1, near.last + len(ring.outer)))
        quanta = job.image.store.read(near.first, near.last)
        _count(start, np.concatenate(firsts), np.concatenate(lasts), ring, quanta, counts)
    counts[0] = 0
    return counts


def counts_inside(job: Job) -> I64:
    """(65536,) how many pixels of the scars have each step; see `quanta.counts_of`. Their pieces are on the shelf."""
    items = [(first, last, job.key(first)) for first, last in job.strips]
    parts = job.how.walk(items, partial(_inside, job), "counting values of scars")
    return np.sum(list(parts), axis=0)


def _inside(job: Job, strip: tuple[int, int, str]) -> I64:
    first, last, key = strip
    piece = job.image.shelf.piece(key)
    kept = numbers_of(job.image.shelf, key)[piece.patch] > 0
    counts = np.zeros(MOST - UNKNOWN + 1, np.int64)
    _count_runs(piece.start, piece.first, piece.last, kept, job.image.store.read(first, last), counts)
    return counts


@njit(**COMPILE)
def _count_runs(start: I64, first: I32, last: I32, kept: NDArray[np.bool_], quanta: Quanta, counts: I64) -> None:
    for row in range(len(start) - 1):
        for run in range(start[row], start[row + 1]):
            if kept[run]:
                for col in range(first[run], last[run]):
                    counts[np.int64(quanta[row, col]) + 32768] += 1


@njit(**COMPILE)
def _count(start: I64, first: I32, last: I32, ring: Ring, quanta: Quanta, counts: I64) -> None:
    height, width = quanta.shape
    reach = len(ring.outer) - 1
    for row in range(height):
        inner, outer = np.zeros(width + 1, np.int32), np.zeros(width + 1, np.int32)
        for away in range(-reach, reach + 1):
            for run in range(start[row + reach + away], start[row + reach + away + 1]):
                side = ring.outer[abs(away)]
                outer[max(first[run] - side, 0)] += 1
                outer[min(last[run] + side, width)] -= 1
                if abs(away) < len(ring.inner):
                    side = ring.inner[abs(away)]
                    inner[max(first[run] - side, 0)] += 1
                    inner[min(last[run] + side, width)] -= 1
        near, far = 0, 0
        for col in range(width):
            near += inner[col]
            far += outer[col]
            if far > 0 and near == 0:
                counts[np.int64(quanta[row, col]) + 32768] += 1
