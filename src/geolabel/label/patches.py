"""Patches of equal code as a table of shapes: smallest mapped unit, stable ids, how much was not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import sieve
from scipy import ndimage

from geolabel.digests import digest
from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.shapes import area_m2, polygonise
from geolabel.tables import SHAPES, check, empty

FOUR = ndimage.generate_binary_structure(2, 1)
Mask = NDArray[np.bool_]


def pixels_of(min_area_m2: float, grid: Grid) -> int:
    """Least number of pixels of a patch of at least `min_area_m2`."""
    if min_area_m2 < 0:
        raise InputError(f"a smallest area of {min_area_m2} m2")
    return max(1, int(np.ceil(min_area_m2 / grid.cell_area_m2() - 1e-9)))


def without_small(mask: Mask, min_pixels: int) -> Mask:
    """The mask without 4-connected patches of fewer pixels."""
    patch, n = ndimage.label(mask, FOUR)
    large = np.bincount(patch.ravel(), minlength=n + 1) >= min_pixels
    large[0] = False
    return large[patch]


def merged(codes: NDArray[np.uint8], inside: Mask, min_pixels: int) -> NDArray[np.uint8]:
    """Codes in which patches of fewer pixels took the code of their largest neighbour inside the mask; 0 outside."""
    codes = np.where(inside, codes, 0).astype(np.uint8)
    if min_pixels < 2 or not inside.any():
        return codes
    return np.where(inside, sieve(codes, min_pixels, mask=inside, connectivity=4), 0).astype(np.uint8)


def patches(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number (1, 2, ...) of each 4-connected patch of equal code; 0 where the code is 0."""
    numbers, total = np.zeros(codes.shape, np.int32), 0
    for code in np.unique(codes[codes > 0]):
        found, n = ndimage.label(codes == code, FOUR)
        numbers, total = np.where(found > 0, found + total, numbers).astype(np.int32), total + n
    return numbers


def unseen_share(numbers: NDArray[np.int32], known: Mask) -> NDArray[np.float64]:
    """(n,) share of each patch's outline, filled, that no clear pixel saw: clouds and gaps inside it."""
    shares = []
    for number, box in enumerate(ndimage.find_objects(numbers), start=1):
        filled = ndimage.binary_fill_holes(numbers[box] == number)
        shares.append(float((filled & ~known[box]).sum() / filled.sum()))
    return np.array(shares, float)


def shapes_of(
    codes: NDArray[Any],
    grid: Grid,
    known: Mask,
    *,
    name: Callable[[int], str],
    numbers: NDArray[np.int32] | None = None,
) -> tuple[gpd.GeoDataFrame, NDArray[np.int32], NDArray[np.int64]]:
    """(shapes table, patch numbers as a raster, number of each row) of the patches of `codes`; 0 gives none.

    `severity`, `severity_scheme` and `confidence` are left missing; `area_m2` (geodesic) and `code` are added. Where
    the patches are many thousands, each of a code of its own, `numbers` may be given.
    """
    numbers = patches(codes) if numbers is None else numbers
    frame = polygonise(numbers, grid)
    rows = frame["code"].to_numpy()
    if not len(frame):
        nothing = empty(SHAPES, grid.crs.to_wkt()).assign(area_m2=np.empty(0), code=np.empty(0, np.int64))
        return nothing, numbers, rows
    first = np.unique(numbers, return_index=True)
    code = codes.ravel()[first[1]][np.searchsorted(first[0], rows)]
    classes = [name(int(one)) for one in code]
    table = gpd.GeoDataFrame(
        {
            "label_id": label_ids(frame, classes),
            "class": classes,
            "severity": [None] * len(frame),
            "severity_scheme": [None] * len(frame),
            "confidence": np.full(len(frame), np.nan),
            "masked_share": unseen_share(numbers, known)[rows - 1],
            "area_m2": area_m2(frame),
            "code": code.astype(np.int64),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    return check(table[[*SHAPES, "area_m2", "code"]], SHAPES), numbers, rows


def label_ids(frame: gpd.GeoDataFrame, classes: list[str]) -> list[str]:
    """`<class>-<16 hexadecimal digits>` of CRS, class and geometry (to a millimetre): the same ground keeps its id."""
    rounded = shapely.normalize(shapely.set_precision(frame.geometry.values, 1e-3))
    crs = str(frame.crs.to_wkt())
    wkb = shapely.to_wkb(rounded)
    return [f"{name}-{digest(crs, name, bytes(one))[:16]}" for name, one in zip(classes, wkb, strict=True)]


def as_array(values: Any, grid: Grid, what: str) -> NDArray[Any]:
    """Computed (y, x) array of anything array-like that lies on the grid.

    Raises
    ------
    InputError
        Where its shape is another.
    """
    array = np.asarray(values)
    if array.shape != grid.shape:
        raise InputError(f"{what} of {array.shape} on a grid of {grid.shape}", hint="align it with the grid first")
    return array
