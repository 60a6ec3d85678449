"""SpreadSamples: sequences a spread model learns from, each with the split its ground belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.grid import Grid, Tile

SPLITS = ("train", "val", "test", "buffer")
"""`buffer` is ground between two splits: used by none."""


@dataclass(frozen=True, slots=True)
class SpreadSamples:
    """n windows of fires on one grid: what was known at a time, and where the fire was `hours` later."""

    grid: Grid
    channels: tuple[str, ...]
    inputs: NDArray[np.float32]
    """(n, channel, y, x), finite."""
    hours: tuple[float, ...]
    burned: NDArray[np.bool_]
    """(n, hour, y, x): burned by that hour."""
    bearing_deg: NDArray[np.float32]
    """(n, y, x): spread TO at arrival, degrees clockwise from true north; NaN where it did not burn."""
    scored: NDArray[np.bool_]
    """(n, y, x): burnable, known and not burned at the start: new growth only is learned and scored."""
    fire: NDArray[np.int64]
    """(n,): the fire a window shows; windows of one fire stay in one split."""
    tiles: tuple[Tile, ...]
    """(n,): the ground of each window."""
    split: NDArray[np.str_]
    """(n,): train, val, test or buffer."""
    made_of: Mapping[str, str]
    """Digests of what the samples were made from (view, consensus, ontology, weather)."""

    def __post_init__(self) -> None:
        n = len(self.inputs)
        lengths = {len(v) for v in (self.burned, self.bearing_deg, self.scored, self.fire, self.tiles, self.split)}
        if lengths != {n}:
            raise InputError(f"{n} inputs with columns of lengths {sorted(lengths)}")
        if self.inputs.shape[1] != len(self.channels) or self.burned.shape[1] != len(self.hours):
            raise InputError(
                f"inputs {self.inputs.shape}, burned {self.burned.shape} for {self.channels}, {self.hours} h"
            )
        unknown = set(self.split.tolist()) - set(SPLITS)
        if unknown:
            raise InputError(f"unknown split {sorted(unknown)}", hint=f"one of {', '.join(SPLITS)}")

    def __len__(self) -> int:
        return len(self.inputs)

    def of(self, split: str) -> SpreadSamples:
        """The samples of one split."""
        keep = np.flatnonzero(self.split == split)
        columns: dict[str, Any] = {
            name: getattr(self, name)[keep] for name in ("inputs", "burned", "bearing_deg", "scored", "fire", "split")
        }
        return replace(self, tiles=tuple(self.tiles[i] for i in keep), **columns)

    def counts(self) -> dict[str, int]:
        """How many samples each split holds."""
        return {name: int((self.split == name).sum()) for name in SPLITS}
