"""Consensus: what the answers to one task agree on, how far, and how that was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest, digest_shapes
from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.tables import AGREED, IGNORE, check

Status = Literal["agreed", "disputed"]


@dataclass(frozen=True, slots=True)
class Consensus:
    """Agreed shapes, per-pixel probability and agreement of one task."""

    task_id: str
    grid: Grid
    """Of the tile's core."""
    shapes: Any
    """GeoDataFrame, `tables.AGREED`, in the grid's CRS, holes kept; empty where all looked and found nothing."""
    ignore: Any
    """GeoDataFrame, `tables.IGNORE`: ground nobody could judge."""
    classes: tuple[str, ...]
    """The classes that `probability` is about."""
    probability: NDArray[np.float32]
    """(class, y, x), 0-1, NaN where nobody judged."""
    agreement: float
    """Mean over the judged pixels of the share of weight on the winning side; NaN with fewer than two annotators."""
    weights: Mapping[str, float]
    """Who was weighed how (annotator -> weight); a weight of 0 is recorded, not dropped."""
    method: str
    """The fusion used: `majority`, `stack`, ...; `single` for one annotator; of several classes all that were used, by +."""
    evidence: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    """Class -> method -> what gold left out says of it: score (IoU less the relative error of the area), iou, area_bias,
    gain over the majority, se of the gain, n_gold. By this the method was chosen; empty where there was too little gold."""
    answers: tuple[str, ...] = ()
    """Digests of the answers fused."""
    status: Status = "agreed"

    def __post_init__(self) -> None:
        check(self.shapes, AGREED)
        check(self.ignore, IGNORE)
        if self.probability.shape != (len(self.classes), *self.grid.shape):
            raise QualityError(f"probability of shape {self.probability.shape} for {self.classes} on {self.grid!r}")
        known = self.probability[np.isfinite(self.probability)]
        if known.size and (known.min() < 0 or known.max() > 1):
            raise QualityError(f"probabilities between {known.min()} and {known.max()}, not within 0-1")

    @property
    def n_annotators(self) -> int:
        """How many annotators were heard."""
        return len(self.weights)

    @property
    def digest(self) -> str:
        """Over shapes, probability (as stored: 1/250), method and its evidence, weights and the answers' digests."""
        stored = np.where(np.isfinite(self.probability), np.round(self.probability * 250), 255).astype(np.uint8)
        plain = {name: {way: dict(one) for way, one in found.items()} for name, found in self.evidence.items()}
        return digest(
            self.task_id,
            self.method,
            dict(self.weights),
            list(self.answers),
            list(self.classes),
            stored,
            digest_shapes(self.shapes),
            *([plain] if plain else []),  # nothing where there is none, as in the first form
        )
