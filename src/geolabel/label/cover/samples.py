"""Labeled polygons to samples: the features of their pixels, and which polygons know too much of one another."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import dask
import dask.array as da
import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize as burn_in

from geolabel import shapes
from geolabel.errors import GeolabelWarning, InputError
from geolabel.grid import Grid
from geolabel.label.cover.features import Features


@dataclass(frozen=True, slots=True)
class Samples:
    """Pixels of labeled polygons."""

    values: NDArray[np.float32]
    """(n, feature), missing ground filled with `fill`."""
    polygon: NDArray[np.int64]
    """(n,) number of the polygon, 0-based."""
    codes: NDArray[np.int64]
    """(polygon,) 0-based number of the class."""
    classes: tuple[str, ...]
    """Names of the classes, sorted."""
    near: NDArray[np.bool_]
    """(polygon, polygon) whether two lie so close that they share ground or a window of texture."""
    fill: NDArray[np.float32]
    """(feature,) mean of each feature: what stands where the ground is unknown."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """(n,) class of each pixel."""
        return self.codes[self.polygon]


def samples(
    features: Features,
    stack: da.Array,
    polygons: gpd.GeoDataFrame,
    grid: Grid,
    *,
    column: str = "class",
    most_px: int,
    seed: int,
) -> Samples:
    """Samples of at most `most_px` pixels a polygon, drawn by `seed`; each block of the scene is computed once.

    Raises
    ------
    InputError
        Where the polygons have no such column or name fewer than two classes, or hold no pixel with a value.
    """
    drawn = _checked(polygons, grid, column)
    found = _pixels(features, stack, drawn, grid)
    kept = [i for i, values in enumerate(found) if len(values)]
    if len(kept) < len(found):
        lost = ", ".join(str(drawn.index[i]) for i in range(len(found)) if i not in kept)
        warnings.warn(f"polygons without a pixel that has a value are left out: {lost}", GeolabelWarning, stacklevel=3)
    drawn, found = drawn.iloc[kept], [found[i] for i in kept]
    classes = tuple(sorted(set(drawn[column])))
    if len(classes) < 2:
        raise InputError(f"the polygons name {len(classes)} classes: {', '.join(classes)}", hint="two at least")
    rng = np.random.default_rng(seed)
    few = [one if len(one) <= most_px else one[np.sort(rng.permutation(len(one))[:most_px])] for one in found]
    values = np.concatenate(few)
    fill = _means(values)
    return Samples(
        values=np.where(np.isnan(values), fill, values),
        polygon=np.repeat(np.arange(len(few)), [len(one) for one in few]),
        codes=np.array([classes.index(name) for name in drawn[column]], np.int64),
        classes=classes,
        near=_near(drawn, 2 * features.halo * abs(grid.transform.a)),
        fill=fill,
    )


def _checked(polygons: gpd.GeoDataFrame, grid: Grid, column: str) -> gpd.GeoDataFrame:
    if column not in polygons.columns:
        raise InputError(f"the polygons have no column {column!r}", hint=f"they have {list(polygons.columns)}")
    if polygons[column].isna().any():
        raise InputError(f"{int(polygons[column].isna().sum())} polygons have no class in {column!r}")
    inside = shapes.clip(shapes.repair(polygons.assign(**{column: polygons[column].astype(str)})), grid)
    if not len(inside):
        raise InputError("no polygon lies on the scene", hint="is their CRS the one they were drawn in?")
    return inside


def _pixels(features: Features, stack: da.Array, drawn: gpd.GeoDataFrame, grid: Grid) -> list[NDArray[np.float32]]:
    """(n, feature) of the pixels whose centre lies in each polygon and whose bands have values."""
    masks = [_mask(geometry, grid) for geometry in drawn.geometry]
    lazy = features.lazy(stack)
    windows = dask.compute(*(lazy[:, rows, cols] for (rows, cols), _ in masks))
    pixels = [window[:, mask].T for window, (_, mask) in zip(windows, masks, strict=True)]
    n = len(features.bands)
    return [one[np.isfinite(one[:, :n]).all(axis=1)] for one in pixels]


def _mask(geometry: object, grid: Grid) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """((rows, cols) of a polygon's box, which of its pixels have their centre inside)."""
    xmin, ymin, xmax, ymax = geometry.bounds  # type: ignore[attr-defined]
    corners = [~grid.transform * point for point in ((xmin, ymax), (xmax, ymin), (xmin, ymin), (xmax, ymax))]
    across, down = zip(*corners, strict=True)
    row, col = max(int(min(down)), 0), max(int(min(across)), 0)
    rows, cols = slice(row, min(int(max(down)) + 1, grid.height)), slice(col, min(int(max(across)) + 1, grid.width))
    place = grid.transform @ type(grid.transform).translation(cols.start, rows.start)
    shape = rows.stop - rows.start, cols.stop - cols.start
    inside = burn_in([(geometry, 1)], out_shape=shape, transform=place, dtype=np.uint8)
    return (rows, cols), inside.astype(bool)


def _means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0, dtype=np.float64)
    return (total / np.maximum(known.sum(axis=0), 1)).astype(np.float32)


def _near(drawn: gpd.GeoDataFrame, reach: float) -> NDArray[np.bool_]:
    near = np.eye(len(drawn), dtype=bool)
    first, second = drawn.sindex.query(drawn.geometry, predicate="dwithin", distance=reach)
    near[first, second] = True
    return near
