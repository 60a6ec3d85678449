"""What a pixel classifier did on polygons it had not seen, for people and for files."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from geolabel.label.cover.candidates import BASELINE
from geolabel.label.cover.holdout import Holdout


@dataclass(frozen=True, slots=True)
class Report:
    """Accuracy on held-out polygons. The choice of the model was made without the polygon it is judged on."""

    model: str
    accuracy: float
    """Share of pixels named right, each polygon by models trained without it and those near it, chosen on the others."""
    by_polygon: float
    """Mean over polygons of that share."""
    by_class: float
    """Mean over classes of the share of their pixels."""
    baseline: float
    """Accuracy of the nearest mean of the bands, on the same polygons."""
    stated: float
    """Mean probability of the named class: as large as `accuracy` where the classifier knows how sure it may be."""
    confusion: pd.DataFrame
    """Pixels by true (rows) and named (columns) class."""
    candidates: pd.DataFrame
    """`name`, `accuracy` (pixels), `by_polygon`: each candidate by itself; the largest of many is optimistic."""
    polygons: int
    untested: tuple[str, ...]
    """Classes with one place only."""

    @classmethod
    def of(cls, held: Holdout) -> Report:
        """Report of held-out predictions."""
        samples = held.samples
        there = held.tested[samples.polygon]
        truth, said = samples.truth[there], held.nested()[there]
        named = said.argmax(axis=1)
        hit = named == truth
        n = len(samples.classes)
        table = np.bincount(truth * n + named, minlength=n * n).reshape(n, n)
        alone = [(one[there].argmax(axis=1) == truth).mean() for one in held.probability]
        of_polygon = pd.Series(hit).groupby(samples.polygon[there]).mean()
        return cls(
            model=held.candidates[held.best].name,
            accuracy=float(hit.mean()),
            by_polygon=float(of_polygon.mean()),
            by_class=float(pd.Series(hit).groupby(truth).mean().mean()),
            baseline=float(alone[held.candidates.index(BASELINE)]),
            stated=float(said.max(axis=1).mean()),
            confusion=pd.DataFrame(table, samples.classes, samples.classes),
            candidates=pd.DataFrame(
                {
                    "name": [one.name for one in held.candidates],
                    "accuracy": alone,
                    "by_polygon": np.nanmean(held.right, axis=1),
                }
            ),
            polygons=int(held.tested.sum()),
            untested=tuple(name for i, name in enumerate(samples.classes) if not held.tested[samples.codes == i].any()),
        )

    def record(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "model": self.model,
            "accuracy": self.accuracy,
            "by_polygon": self.by_polygon,
            "by_class": self.by_class,
            "baseline": self.baseline,
            "stated": self.stated,
            "confusion": {str(k): {str(c): int(v) for c, v in row.items()} for k, row in self.confusion.iterrows()},
            "candidates": self.candidates.to_dict("records"),
            "polygons": self.polygons,
            "untested": list(self.untested),
        }

    def __str__(self) -> str:
        return (
            f"{self.model}: {self.accuracy:.3f} of the pixels of {self.polygons} held-out polygons named right "
            f"(mean over polygons {self.by_polygon:.3f}, over classes {self.by_class:.3f}; "
            f"nearest mean of the bands {self.baseline:.3f})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.confusion.to_html()}"
