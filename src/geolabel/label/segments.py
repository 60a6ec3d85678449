"""Segments of a fine image as proposals of objects, for people to take or leave. Not labels: most are no object at all.

`edges` parts the image where its values change (roofs, yards, fields); `crowns` grows one segment around each bright spot
of a given size (tree crowns in a greenness, roofs in brightness). Both are scikit-image's. An `edges` segment ends where
the smoothed edge begins, so it may be a pixel or two too small all around.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import InputError, MissingExtra
from geolabel.grid import Grid
from geolabel.label.otsu import thresholds
from geolabel.label.patches import as_array, shapes_of

Way = Literal["edges", "crowns"]
PROPOSED = 0.1
"""Confidence of a proposal, declared: on real scenes one in three (crowns) to one in two hundred (shaded roofs) covers an
object at IoU .5 (`benchmarks/evidence/cover.py`)."""
SMOOTH_PX = 1.0
EDGE_SCALE = 50.0
"""Felzenszwalb's k of scikit-image: larger gives larger segments. This, the smoothing and the sizes were chosen by looking
at the two scenes that the figures are from."""
SMALLEST, LARGEST = 0.1, 8.0
"""Areas kept, in squares of the size looked for."""
LEAST_COMPACT = 0.4
"""Share of its smallest rectangle that a segment must fill: of 43 buildings none was lost by it, a fifth of the proposals was."""
STRETCH = (1.0, 99.0)
"""Percentiles that are stretched to 0-1."""


def segments(
    bands: Mapping[str, Any],
    grid: Grid,
    *,
    size_m: float,
    way: Way = "edges",
    class_name: str = "building",
    least_compact: float = LEAST_COMPACT,
) -> gpd.GeoDataFrame:
    """Proposals, `tables.SHAPES` with `area_m2`, `elongation`, `compactness`, a mean of each band; in the grid's CRS; computes.

    `confidence` is `PROPOSED` for all. `elongation` is length over width of the smallest rectangle around a segment,
    `compactness` the share of that rectangle that it fills.

    Parameters
    ----------
    bands
        Name -> (y, x), NaN = no data. `edges` looks at all of them together, `crowns` at the first.
    size_m
        Diameter of the objects looked for: segments of `SMALLEST` to `LARGEST` of its square are kept.
    class_name
        What the proposals are proposed as.
    least_compact
        Segments that fill less of their rectangle are dropped.

    Raises
    ------
    InputError
        Without a band, where one does not lie on the grid, or for a size below three pixels.
    MissingExtra
        Without scikit-image.

    Source: Felzenszwalb & Huttenlocher 2004, IJCV 59:167 (edges); Meyer 1994, Signal Processing 38:113 (watershed).
    """
    arrays = {str(name): as_array(band, grid, f"band {name}").astype(np.float64) for name, band in bands.items()}
    size_px = size_m / grid.res_m
    if not arrays or size_px < 3:
        raise InputError(
            f"objects of {size_m:g} m on pixels of {grid.res_m:g} m in {len(arrays)} bands",
            hint="three pixels at least",
        )
    known = np.logical_and.reduce([np.isfinite(one) for one in arrays.values()])
    parts = {"edges": _edges, "crowns": _crowns}[way](list(arrays.values()), known, size_px)
    numbers = _sized(_apart(np.where(known, parts, 0)), size_px)
    return _table(numbers, arrays, grid, known, class_name, least_compact)


def _edges(bands: list[NDArray[np.float64]], known: NDArray[np.bool_], size_px: float) -> NDArray[np.int64]:
    segmentation = _skimage()
    image = np.stack([_stretched(band, known) for band in bands], axis=-1)
    least = max(1, round(SMALLEST * size_px**2))
    return segmentation.felzenszwalb(image, scale=EDGE_SCALE, sigma=SMOOTH_PX, min_size=least, channel_axis=-1) + 1


def _crowns(bands: list[NDArray[np.float64]], known: NDArray[np.bool_], size_px: float) -> NDArray[np.int64]:
    """Watersheds of the first band, smoothed by a ninth of the size, where it is brighter than Otsu's threshold."""
    segmentation = _skimage()
    sigma = size_px / 9
    smooth = ndimage.gaussian_filter(_stretched(bands[0], known), sigma)
    tops = (ndimage.maximum_filter(smooth, 2 * round(sigma) + 1) == smooth) & known
    markers, _ = ndimage.label(tops, np.ones((3, 3), int))
    return segmentation.watershed(-smooth, markers, mask=known & (smooth >= thresholds(smooth[known])[0]))


def _skimage() -> Any:
    try:
        from skimage import segmentation
    except ImportError:
        raise MissingExtra("segments need scikit-image", hint="pip install 'geolabel[objects]'") from None
    return segmentation


def _stretched(band: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values 0-1 between two percentiles; the lowest where nothing is known."""
    low, high = np.percentile(band[known], STRETCH) if known.any() else (0.0, 1.0)
    return np.where(known, np.clip((band - low) / max(high - low, 1e-12), 0, 1), 0.0)


def _apart(parts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Segments numbered anew; one that touches itself only at corners becomes several."""
    from skimage.measure import label

    return label(parts, background=0, connectivity=1).astype(np.int32)


def _sized(parts: NDArray[np.int32], size_px: float) -> NDArray[np.int32]:
    """Segments of the sizes kept, numbered 1, 2, ... without a gap."""
    pixels = np.bincount(parts.ravel())
    keep = (pixels >= SMALLEST * size_px**2) & (pixels <= LARGEST * size_px**2)
    keep[0] = False
    again = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return again[parts]


def _table(
    numbers: NDArray[np.int32],
    arrays: Mapping[str, NDArray[np.float64]],
    grid: Grid,
    known: NDArray[np.bool_],
    class_name: str,
    least_compact: float,
) -> gpd.GeoDataFrame:
    """The table of numbered segments."""
    table, _, rows = shapes_of(numbers, grid, known, name=lambda _: class_name, numbers=numbers)
    pixels = np.maximum(np.bincount(numbers.ravel()), 1)
    for name, band in arrays.items():
        table[f"{name}_mean"] = (np.bincount(numbers.ravel(), np.where(known, band, 0).ravel()) / pixels)[rows]
    table["confidence"] = PROPOSED
    table["elongation"], table["compactness"] = _rectangles(table.geometry)
    return table[table["compactness"] >= least_compact].drop(columns="code").reset_index(drop=True)


def _rectangles(geometry: gpd.GeoSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(length over width, share filled) of the smallest rectangle around each polygon, whatever its direction."""
    around = shapely.minimum_rotated_rectangle(geometry.values)
    corners = [shapely.get_coordinates(one)[:3] for one in around]
    edges = np.array([np.hypot(*np.diff(one, axis=0).T) for one in corners]).reshape(-1, 2)
    return edges.max(axis=1) / edges.min(axis=1), shapely.area(geometry.values) / shapely.area(around)
