"""What an input channel is: a number, or a component of a vector that turns with the image. Plain numpy.

Channels whose names end in `_east` and `_north` (or `_sin` and `_cos` of a bearing) are the components of one vector,
along the columns and against the rows of the grid. A bearing in degrees is no number a net can add or turn, and is
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import ModelError

PAIRS = {"_east": "_north", "_sin": "_cos"}
"""Suffix of the eastward component -> suffix of the northward one."""
ANGLES = ("aspect_deg", "bearing_deg", "from_deg", "azimuth_deg", "direction_deg")
LIMIT = 8.0
"""Standard deviations beyond which an input says no more than that it is far out."""

Floats = NDArray[np.float32]


def vector_pairs(channels: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(index of the eastward, index of the northward component) of each vector among the channels.

    Raises
    ------
    ModelError
        Names given twice, a component without its partner, or a direction given as an angle.
    """
    twice = sorted({name for name in channels if list(channels).count(name) > 1})
    angles = [name for name in channels if name.endswith(ANGLES)]
    if twice or angles:
        raise ModelError(
            f"channels {twice} given twice, {angles} given as angles", hint="give directions as *_east and *_north"
        )
    where = {name: i for i, name in enumerate(channels)}
    suffixes = {**PAIRS, **{north: east for east, north in PAIRS.items()}}
    for name in channels:
        for own, other in suffixes.items():
            if name.endswith(own) and name.removesuffix(own) + other not in where:
                raise ModelError(f"channel {name!r} lacks its partner {name.removesuffix(own) + other!r}")
    return tuple(
        (where[name], where[name.removesuffix(east) + north])
        for name in channels
        for east, north in PAIRS.items()
        if name.endswith(east)
    )


def turned(
    array: NDArray[Any], pairs: Sequence[tuple[int, int]] = (), *, quarters: int = 0, mirrored: bool = False
) -> NDArray[Any]:
    """The array (..., channel, y, x) of the ground mirrored east-west, then turned counter-clockwise by quarters.

    The components of vectors (`pairs` of channels) change with it.
    """
    out = array[..., ::-1] if mirrored else array
    out = np.rot90(out, quarters % 4, axes=(-2, -1))
    if not pairs:
        return out
    out = out.copy()
    for i, j in pairs:
        east, north = out[..., i, :, :].copy(), out[..., j, :, :].copy()
        east = -east if mirrored else east
        for _ in range(quarters % 4):
            east, north = -north, east
        out[..., i, :, :], out[..., j, :, :] = east, north
    return out


def turned_bearing(bearing_deg: NDArray[Any], *, quarters: int = 0, mirrored: bool = False) -> NDArray[Any]:
    """Bearings from grid north (..., y, x), NaN kept, of the ground mirrored east-west, then turned by quarters."""
    angle = -bearing_deg if mirrored else bearing_deg
    return turned((angle - 90.0 * quarters) % 360.0, quarters=quarters, mirrored=mirrored)


@dataclass(frozen=True, slots=True)
class Scaling:
    """How each channel is brought to the size of one, the same for an image and the image turned."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, inputs: NDArray[Any]) -> Floats:
        """Scaled float32 (..., channel, y, x), cut at `LIMIT` standard deviations.

        Raises
        ------
        ModelError
            For inputs that are not finite.
        """
        if not np.isfinite(inputs).all():
            raise ModelError("inputs hold NaN or infinity", hint="fill nodata and mask it with `scored`")
        mean, scale = (np.array(v, np.float32)[:, None, None] for v in (self.mean, self.scale))
        return np.clip((inputs - mean) / scale, -LIMIT, LIMIT).astype(np.float32, copy=False)


def scaling(inputs: NDArray[Any], pairs: Sequence[tuple[int, int]]) -> Scaling:
    """Scaling of samples (n, channel, y, x): mean and standard deviation; vectors keep their zero and share one length
    (root mean square); channels that lie within 0-1 (masks, shares) are left as they are.
    """
    mean = inputs.mean(axis=(0, 2, 3), dtype=np.float64)
    spread = inputs.std(axis=(0, 2, 3), dtype=np.float64)
    share = (inputs.min(axis=(0, 2, 3)) >= 0) & (inputs.max(axis=(0, 2, 3)) <= 1)
    mean[share], spread[share] = 0.0, 1.0
    for i, j in pairs:
        length = np.sqrt((np.square(inputs[:, [i, j]], dtype=np.float64)).mean())
        mean[[i, j]], spread[[i, j]] = 0.0, length
    spread = np.where(spread > 0, spread, 1.0)
    return Scaling(tuple(mean.tolist()), tuple(spread.tolist()))
