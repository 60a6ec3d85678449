"""A pixel classifier learned from a few labeled polygons, judged on polygons it has not seen.

Class names are those of the polygons; to put them into an ontology is the caller's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import geopandas as gpd
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.label.cover.candidates import Candidate, candidates
from geolabel.label.cover.features import KINDS, Features
from geolabel.label.cover.holdout import fit, hold_out, probabilities, reads
from geolabel.label.cover.report import Report
from geolabel.label.cover.samples import Samples, samples
from geolabel.label.patches import as_array, merged, pixels_of, shapes_of
from geolabel.ontology import NODATA
from geolabel.stream import Progress, silent

MOST_PX = 500
"""Pixels drawn of one polygon: a lake must not outvote ten fields."""
STEPS = 250
"""Probabilities are kept in steps of 1/250, so that they fit one byte and do not depend on how a scene was cut."""
MIN_AREA_M2 = 5_000.0


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained classifier of pixels, what it reads, and how good it is."""

    candidate: Candidate
    features: Features
    samples: Samples
    """What it was trained on."""
    model: Any
    """scikit-learn estimator."""
    report: Report

    @classmethod
    def fit(
        cls,
        bands: Any,
        polygons: gpd.GeoDataFrame,
        grid: Grid,
        *,
        ground: Any = None,
        column: str = "class",
        models: Sequence[str] | None = None,
        seed: int = 0,
        most_px: int = MOST_PX,
        progress: Progress = silent,
    ) -> Classifier:
        """Classifier of the plainest kind that is as good as the best on held-out polygons; trained on all of them.

        Parameters
        ----------
        bands
            Dataset (y, x) of the scene's bands, lazy or not, NaN = no data.
        polygons
            With a class name in `column`, in any CRS.
        grid
            Where bands and ground lie.
        ground
            Dataset (y, x) of layers of the ground (elevation, slope, aspect ...) or None; NaN is read as their mean.
        models
            Names of `MODELS` to try, default all: a forest takes most of the time.
        seed
            Of the drawn pixels and the forest.
        most_px
            Pixels drawn of one polygon at most.

        Raises
        ------
        InputError
            Where polygons lie off the scene or have no class, or no class has two polygons apart from one another.
        BandError
            Without a band.
        """
        features = Features.of(bands, ground)
        stack = features.stack(bands, ground)
        if stack.shape[1:] != grid.shape:
            raise InputError(f"bands of {stack.shape[1:]} on a grid of {grid.shape}", hint="align them first")
        known = samples(features, stack, polygons, grid, column=column, most_px=most_px, seed=seed)
        there = tuple(kind for kind in KINDS if kind in features.kinds.values())
        held = hold_out(known, features, candidates(there, models), seed=seed, progress=progress)
        chosen = held.candidates[held.best]
        model = fit(chosen, known, features, seed=seed, where=np.ones(len(known.polygon), bool))
        return cls(chosen, features, known, model, Report.of(held))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; the first has code 1."""
        return self.samples.classes

    def predict(self, bands: Any, ground: Any = None) -> Any:
        """Lazy Dataset (y, x), uint8: `code` (1 for the first class) and `probability` in 1/250; 255 = no data in both.

        Raises
        ------
        BandError
            Where a layer that it was trained on is missing.
        """
        stack = self.features.stack(bands, ground)
        lazy = self.features.lazy(stack)
        chunks = ((2,), *lazy.chunks[1:])
        meta = np.empty((0, 0, 0), np.uint8)
        both = da.map_blocks(partial(_named, of=self), lazy, chunks=chunks, dtype=np.uint8, meta=meta)
        like = next(iter(bands.data_vars.values()))
        words = {"nodata": NODATA, "classes": ", ".join(self.classes), "model": self.candidate.name}
        layers = {name: (("y", "x"), both[i]) for i, name in enumerate(("code", "probability"))}
        return xr.Dataset(layers, coords=like.coords, attrs=words)

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def _named(block: NDArray[np.float32], *, of: Classifier) -> NDArray[np.uint8]:
    """(2, y, x) code and probability of features (feature, y, x)."""
    values = block.reshape(len(block), -1).T
    seen = np.isfinite(values[:, : len(of.features.bands)]).all(axis=1)
    result = np.full((2, len(values)), NODATA, np.uint8)
    if seen.any():
        known = np.where(np.isnan(values[seen]), of.samples.fill, values[seen])
        said = probabilities(of.model, known[:, reads(of.candidate, of.features)], of.samples)
        result[0, seen] = said.argmax(axis=1) + 1
        result[1, seen] = np.round(said.max(axis=1) * STEPS)
    return result.reshape(2, *block.shape[1:])


def cover(
    predicted: Any, classes: tuple[str, ...], grid: Grid, *, min_area_m2: float = MIN_AREA_M2
) -> gpd.GeoDataFrame:
    """Polygons that cover all known ground once, `tables.SHAPES` with `area_m2`, in the grid's CRS; computes.

    Patches smaller than `min_area_m2` join their largest neighbour; holes are kept. `confidence` is the mean probability
    of the polygon's class over its pixels, 0 where a pixel of another class was joined to it.

    Raises
    ------
    InputError
        Where the prediction does not lie on the grid.
    """
    predicted = predicted.compute()
    codes = as_array(predicted["code"], grid, "codes")
    known = codes != NODATA
    kept = merged(codes, known, pixels_of(min_area_m2, grid))
    table, numbers, rows = shapes_of(kept, grid, known, name=lambda code: classes[code - 1])
    sure = np.where(kept == codes, predicted["probability"].values / STEPS, 0.0)
    pixels = np.maximum(np.bincount(numbers.ravel(), minlength=1), 1)
    table["confidence"] = (np.bincount(numbers.ravel(), sure.ravel()) / pixels)[rows]
    return table.drop(columns="code")
