"""Suspected label errors of polygons: wrong classes, outlines that are off, and what nobody labeled; ranked, with reasons.

The probabilities must be OUT OF SAMPLE (see `quality.doubt.confident`). An outline that is a pixel off is no wrong class:
the class is judged on a polygon's core, away from its outline, where it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import QualityError, nearest
from geolabel.grid import Grid, Tile
from geolabel.quality.doubt import confident
from geolabel.quality.doubt.reasons import reason_of
from geolabel.quality.doubt.tally import LEAST_CORE_PX, Box, Tally, tally
from geolabel.shapes import area_m2, polygonise
from geolabel.tables import SUSPECTS, check

NOTHING = "nothing"
"""Class of ground that was looked at and left unlabeled."""
OFF_PX = 1.0
"""An outline that is as far off is an error of the boundary."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Ranked labels, and how classes are confused."""

    table: gpd.GeoDataFrame
    """`tables.SUSPECTS`, the most suspect first."""
    noise: confident.Noise
    """Between the classes in the order of `classes`; the examples are polygons."""
    classes: tuple[str, ...]
    untested: tuple[str, ...]
    """label_id of polygons on which the model says nothing."""


def suspects(
    labels: gpd.GeoDataFrame,
    probability: Any,
    classes: Sequence[str],
    grid: Grid,
    *,
    judged: NDArray[np.bool_] | None = None,
    min_area_m2: float = 5000.0,
) -> Suspects:
    """Labels ranked by how much a model doubts them, and areas that it is sure of and nobody labeled.

    The raster is walked in blocks, each read once with a few pixels around it.

    Parameters
    ----------
    labels
        `label_id`, `class` and polygons, in any CRS.
    probability
        (class, y, x) on `grid`, out of sample, 0-1, NaN where the model says nothing; an array or anything that is cut
        like one and becomes one (dask, zarr, xarray).
    classes
        Names of its first axis; `nothing` stands for ground that was looked at and left unlabeled.
    judged
        (y, x) where unlabeled ground was looked at; None: nothing is known to be missed.
    min_area_m2
        Of an area that nobody labeled.

    Raises
    ------
    QualityError
        Where the probabilities are not those of these classes on this grid, or a label has another class.

    Source: Northcutt et al. 2021; Lad & Mueller 2023.
    """
    names = tuple(classes)
    _check(labels, probability, names, grid)
    found = tally(labels, probability, names, grid, judged=judged)
    tested = found.pixels > 0
    if not tested.any():
        raise QualityError("the model says nothing on any label", hint="are the probabilities those of this ground?")
    drawn = labels.to_crs(grid.crs.to_wkt()).reset_index(drop=True)[tested]
    own = found.part(tested)
    noise = confident.noise(own.chances, own.given)
    rows = _labeled(drawn, own, names)
    if judged is not None:
        rows = pd.concat([rows, _missed(found, noise, names, grid, min_area_m2)], ignore_index=True)
    table = rows.sort_values(["score", "label_id"], kind="stable", ignore_index=True)[list(SUSPECTS)]
    lost = tuple(sorted(labels["label_id"].to_numpy()[~tested]))
    return Suspects(check(gpd.GeoDataFrame(table, crs=grid.crs.to_wkt()), SUSPECTS), noise, names, lost)


def _check(labels: gpd.GeoDataFrame, probability: Any, names: tuple[str, ...], grid: Grid) -> None:
    if tuple(probability.shape) != (len(names), *grid.shape):
        raise QualityError(f"probabilities of {probability.shape} for {len(names)} classes on {grid!r}")
    unknown = sorted(set(labels["class"]) - set(names))
    if unknown:
        raise QualityError(f"labels of {unknown}, which the model does not know", hint=nearest(unknown[0], names))


# ---------------------------------------------------------------------- labels
def _labeled(drawn: gpd.GeoDataFrame, own: Tally, names: tuple[str, ...]) -> gpd.GeoDataFrame:
    likely = own.chances.argmax(1)
    frame = gpd.GeoDataFrame(
        {
            "label_id": drawn["label_id"].to_numpy(object),
            "class": drawn["class"].to_numpy(object),
            "score": own.score,
            "likely": np.array(names, object)[likely],
            "share": 1 - own.agreed,
            "probability": own.chances.max(1),
            "confident": confident.candidates(own.chances, own.given).astype(np.int64),
            "over_px": own.over_px,
            "under_px": own.under_px,
            "area_m2": area_m2(drawn),
        },
        geometry=drawn.geometry.to_numpy(),
        crs=drawn.crs,
    )
    off = (own.over_px >= OFF_PX) | (own.under_px >= OFF_PX)
    frame["error"] = np.where(likely != own.given, "class", np.where(off, "boundary", "none"))
    frame["reason"] = [reason_of(row) for row in frame.to_dict("records")]
    return frame


# ---------------------------------------------------------------------- what nobody labeled
def _missed(
    found: Tally, noise: confident.Noise, names: tuple[str, ...], grid: Grid, min_area_m2: float
) -> gpd.GeoDataFrame:
    """Patches outside all labels on which the model is as sure of a class as it is on those labeled so."""
    parts = [
        _patches(found, code, noise.thresholds[code], names, grid, min_area_m2)
        for code, name in enumerate(names)
        if name != NOTHING and np.isfinite(noise.thresholds[code])
    ]
    return pd.concat(parts, ignore_index=True) if parts else gpd.GeoDataFrame()


def _patches(
    found: Tally, code: int, least: float, names: tuple[str, ...], grid: Grid, min_area_m2: float
) -> gpd.GeoDataFrame:
    sure = (found.outside_code == code) & (found.outside >= least - 1e-6)
    numbers = np.asarray(ndimage.label(sure)[0], np.int32)
    count = int(numbers.max(initial=0))
    away = np.bincount(numbers[found.apart], minlength=count + 1)  # a strip along an outline is the outline's error
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    keep = np.flatnonzero((away >= LEAST_CORE_PX) & (sizes * grid.cell_area_m2() >= min_area_m2))
    keep = keep[keep > 0]
    boxes = ndimage.find_objects(numbers)
    rows = [_patch(found, numbers[boxes[n - 1]] == n, boxes[n - 1], names[code], grid) for n in keep]
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=grid.crs.to_wkt()) if rows else gpd.GeoDataFrame()


def _patch(found: Tally, inside: NDArray[np.bool_], box: Box, name: str, grid: Grid) -> dict[str, Any]:
    rows, cols = box
    chance = found.outside[rows, cols][inside]
    window = Tile(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
    shape = polygonise(inside, grid.crop(window)).dissolve()
    row = {
        "label_id": f"missed/{name}/{rows.start}_{cols.start + int(inside[0].argmax())}",
        "class": NOTHING,
        "error": "missed",
        "score": float(confident.softmin(1 - chance, np.zeros(len(chance)), 1)[0]),
        "likely": name,
        "share": 1.0,
        "probability": float(chance.mean()),
        "confident": 1,
        "over_px": np.nan,
        "under_px": np.nan,
        "area_m2": float(area_m2(shape)[0]),
        "geometry": shape.geometry.iloc[0],
    }
    return {**row, "reason": reason_of(row)}
