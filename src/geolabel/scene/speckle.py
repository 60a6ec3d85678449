"""Speckle filters for radar: Lee, refined Lee, the mean of several dates. On linear power, lazy, NaN aware.

Speckle is multiplicative: of L equivalent looks over uniform ground, power has mean^2 / variance = L.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numba import njit
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, InputError, UnitError
from geolabel.nouns.scene import Scene
from geolabel.scene.frame import dataset
from geolabel.scene.radar import db_of_power, scale_of, to_linear

Floats = NDArray[np.float64]
NOTHING = np.empty((0, 0), np.float32)
REFINED = 7
"""Edge of the window that Lee (1981) cuts into halves."""


def lee(scene: Scene, *, looks: float, window: int = 7) -> Scene:
    """Scene with less speckle, lazy, in its own unit: each pixel moved towards the mean of its window.

    With mean m and variance v of a window's valid pixels: `m + k (z - m)`, `k = s / v`, where
    `s = max(0, (v - m^2 / looks) / (1 + 1 / looks))` is the variance of the ground under the speckle. Uniform ground
    becomes its mean, strong contrast stays. NaN stays NaN and counts for nothing.

    Parameters
    ----------
    looks
        Equivalent number of looks of the product: about 4.4 for Sentinel-1 IW GRD at 10 m; see `looks_of`.
    window
        Edge in pixels, odd.

    Raises
    ------
    InputError
        For looks that are not positive, or a window that is even or below 3.
    UnitError
        For a scene that is no radar.

    Source: Lee 1980, IEEE TPAMI 2:165, multiplicative noise.
    """
    if window < 3 or window % 2 == 0:
        raise InputError(f"a window of {window} pixels", hint="an odd number, 3 or more")
    return _filtered(scene, looks, window, f"Lee filter of {window} x {window} pixels, {looks:g} looks", halves=False)


def refined_lee(scene: Scene, *, looks: float) -> Scene:
    """Scene with less speckle, lazy, in its own unit: as `lee`, over the half of a 7 x 7 window on a pixel's own side.

    The half is cut along the edge that the means of nine 3 x 3 parts show, so edges stay sharp.

    Raises
    ------
    InputError
        For looks that are not positive.
    UnitError
        For a scene that is no radar.

    Source: Lee 1981, Computer Graphics and Image Processing 15:380.
    """
    words = f"refined Lee filter of {REFINED} x {REFINED} pixels, {looks:g} looks"
    return _filtered(scene, looks, REFINED, words, halves=True)


def temporal_mean(scenes: Sequence[Scene], *, id: str = "mean") -> Scene:  # noqa: A002 - the noun's own word
    """Scene whose pixels are the mean in linear power over the scenes that have a value there, lazy.

    In the unit of the first scene, from the first start to the last end; n independent dates have n times the looks.

    Raises
    ------
    InputError
        Without scenes, or on different grids.
    BandError
        Where their bands differ.
    UnitError
        For scenes that are no radar, or not all gamma0 (sigma0).
    """
    first = _same_kind(scenes)
    linear = [to_linear(scene) for scene in scenes]
    means = {}
    for name in first.bands:
        stack = da.stack([da.asarray(scene.band(name).data) for scene in linear])
        means[name] = da.map_blocks(_mean, stack.rechunk({0: -1}), drop_axis=0, dtype=np.float32, meta=NOTHING)
    return dataclasses.replace(
        first,
        id=id,
        start=min(scene.start for scene in scenes),
        end=max(scene.end for scene in scenes),
        data=_in_unit(means, first),
        source=tuple(dict.fromkeys(name for scene in scenes for name in scene.source)),
        digest=digest("temporal mean", [scene.digest for scene in scenes]),
        audit=(f"mean in linear power of {', '.join(scene.id for scene in scenes)}", *first.audit),
        recipe={},
        reader=None,
    )


def looks_of(power: Any) -> float:
    """Equivalent number of looks of uniform ground: mean^2 / variance of linear power, NaN left out; computes.

    Raises
    ------
    InputError
        With fewer than two valid pixels or without any spread.
    """
    known = np.asarray(power, np.float64)
    known = known[np.isfinite(known)]
    if known.size < 2 or known.var() == 0:
        raise InputError(f"no speckle in {known.size} valid pixels", hint="give a patch of uniform ground")
    return float(known.mean() ** 2 / known.var(ddof=1))


def _same_kind(scenes: Sequence[Scene]) -> Scene:
    if not scenes:
        raise InputError("no scenes to average", hint="temporal_mean([one, two])")
    first = scenes[0]
    for scene in scenes:
        scale_of(scene)
        if scene.grid.digest != first.grid.digest:
            raise InputError(f"{scene.id!r} lies on {scene.grid!r}, {first.id!r} on {first.grid!r}", hint="align them")
        if scene.bands != first.bands:
            raise BandError(f"{scene.id!r} has the bands {scene.bands}, {first.id!r} {first.bands}")
        if scene.quantity.partition("_")[0] != first.quantity.partition("_")[0]:
            raise UnitError(f"{scene.id!r} holds {scene.quantity}, {first.id!r} {first.quantity}")
    return first


def _mean(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    valid = np.isfinite(stack)
    count = valid.sum(0)
    total = np.where(valid, stack, 0).sum(0, dtype=np.float64)
    return np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _in_unit(power: dict[str, da.Array], like: Scene) -> Any:
    """Dataset in the unit of a scene."""
    if scale_of(like) == "db":
        power = {name: da.map_blocks(db_of_power, band, dtype=np.float32, meta=NOTHING) for name, band in power.items()}
    return dataset(power, like.grid, attrs={str(name): dict(band.attrs) for name, band in like.data.items()})


def _filtered(scene: Scene, looks: float, window: int, words: str, *, halves: bool) -> Scene:
    if not looks > 0:
        raise InputError(f"{looks:g} equivalent looks", hint="about 4.4 for Sentinel-1 IW GRD at 10 m")
    kernel = partial(despeckled, looks=float(looks), half=window // 2, halves=halves)
    linear = to_linear(scene)
    bands = {
        name: da.map_overlap(
            kernel,
            da.asarray(linear.band(name).data),
            depth=window // 2,
            boundary=np.nan,
            dtype=np.float32,
            meta=NOTHING,
        )
        for name in scene.bands
    }
    return dataclasses.replace(
        scene,
        data=_in_unit(bands, scene),
        digest=digest(scene.digest, words),
        audit=(*scene.audit, f"{words}, in linear power"),
        reader=None,  # pixels depend on their neighbours: they are computed
    )


def despeckled(power: NDArray[np.float32], *, looks: float, half: int, halves: bool) -> NDArray[np.float32]:
    """(y, x) float32 filtered linear power of (y, x); pixels within `half` of the border see only what is there."""
    padded = np.pad(power.astype(np.float64), half, constant_values=np.nan)
    result = np.empty(power.shape, np.float32)
    _filter(padded, looks, half, halves, result)
    return result


@njit(nogil=True, cache=True)
def _filter(padded: Floats, looks: float, half: int, halves: bool, result: NDArray[np.float32]) -> None:
    for row in range(result.shape[0]):
        for col in range(result.shape[1]):
            z = padded[row + half, col + half]
            if np.isfinite(z):
                window = padded[row : row + 2 * half + 1, col : col + 2 * half + 1]
                down, right = _own_side(window) if halves else (0, 0)
                result[row, col] = _towards_mean(z, window, down, right, looks)
            else:
                result[row, col] = np.nan


@njit(nogil=True, cache=True)
def _towards_mean(z: float, window: Floats, down: int, right: int, looks: float) -> float:
    """The minimum mean square estimate, over the half-plane `down * row + right * col >= 0` (all where both are 0)."""
    half = window.shape[0] // 2
    count, total, squares = 0, 0.0, 0.0
    for i in range(window.shape[0]):
        for j in range(window.shape[1]):
            if down * (i - half) + right * (j - half) >= 0 and np.isfinite(window[i, j]):
                count += 1
                total += window[i, j]
    mean = total / count
    for i in range(window.shape[0]):
        for j in range(window.shape[1]):
            if down * (i - half) + right * (j - half) >= 0 and np.isfinite(window[i, j]):
                squares += (window[i, j] - mean) ** 2
    variance = squares / count
    ground = max(0.0, (variance - mean**2 / looks) / (1 + 1 / looks))
    return mean + ground / variance * (z - mean) if variance > 0 else mean


@njit(nogil=True, cache=True)
def _own_side(window: Floats) -> tuple[int, int]:
    """(down, right) across the strongest of four edges through a 7 x 7 window, towards the side like its centre."""
    parts = _part_means(window)
    best, down, right = -1.0, 0, 0
    for a, b in ((0, 1), (1, 0), (-1, 1), (1, 1)):
        contrast = 0.0
        for i in range(3):
            for j in range(3):
                contrast += np.sign(a * (i - 1) + b * (j - 1)) * parts[i, j]
        if abs(contrast) > best:
            best, down, right = abs(contrast), a, b
    ahead, behind = parts[1 + down, 1 + right], parts[1 - down, 1 - right]
    if abs(ahead - parts[1, 1]) <= abs(behind - parts[1, 1]):
        return down, right
    return -down, -right


@njit(nogil=True, cache=True)
def _part_means(window: Floats) -> Floats:
    """(3, 3) means of the 3 x 3 parts of a 7 x 7 window, two pixels apart; where a part is empty, that of the centre."""
    parts = np.full((3, 3), np.nan)
    for i in range(3):
        for j in range(3):
            count, total = 0, 0.0
            for value in window[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].flat:
                if np.isfinite(value):
                    count += 1
                    total += value
            if count:
                parts[i, j] = total / count
    for i in range(3):
        for j in range(3):
            if np.isnan(parts[i, j]):
                parts[i, j] = parts[1, 1]
    return parts
