"""Samples as a net reads them: scaled, bearings as vectors in the grid's own directions, turned on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import grid_from_true
from geolabel.model.backend import torch
from geolabel.model.channels import Floats, Scaling, turned
from geolabel.nouns.samples import SpreadSamples


@dataclass(frozen=True, slots=True)
class Batches:
    """Arrays a net learns from, ready to be indexed; bearings as vectors in the grid's own directions."""

    inputs: Floats
    burned: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    heading: Floats
    """(n, 2, y, x): eastward and northward component of the direction of spread; 0 where it has none."""
    pairs: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: NDArray[Any], *, quarters: int = 0, mirrored: bool = False) -> tuple[Any, ...]:
        """Tensors (inputs, burned, scored, heading) of some samples, all turned alike."""
        how: dict[str, Any] = {"quarters": quarters, "mirrored": mirrored}
        arrays = (
            turned(self.inputs[index], self.pairs, **how),
            turned(self.burned[index], **how),
            turned(self.scored[index][:, None], **how)[:, 0],
            turned(self.heading[index], [(0, 1)], **how),
        )
        return tuple(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)


def batches(samples: SpreadSamples, scaling: Scaling, pairs: tuple[tuple[int, int], ...]) -> Batches:
    """Samples as the net reads them; bearings are turned from true to grid north at each window's centre."""
    centres = [(t.row + t.height / 2, t.col + t.width / 2) for t in samples.tiles]
    convergence = np.array([samples.grid.convergence_deg(*centre) for centre in centres], float)
    bearing = np.radians(grid_from_true(samples.bearing_deg, convergence[:, None, None]))
    heading = np.nan_to_num(np.stack([np.sin(bearing), np.cos(bearing)], 1)).astype(np.float32)
    return Batches(scaling.apply(samples.inputs), samples.burned, samples.scored, heading, pairs)
