"""Burn scars from an index of change: threshold, clean-up, smallest mapped unit, severity polygons with islands."""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.label.otsu import thresholds
from geolabel.label.patches import Mask, as_array, majority, merged, pixels_of, shapes_of, without_small
from geolabel.label.severity import KEY_BENSON, LEVELS, SeverityScheme, Units, check_units, levels

MIN_AREA_M2 = 10_000.0
"""One hectare, about eleven Landsat pixels."""
Threshold = Literal["scheme", "otsu"] | float
_LOW = LEVELS.index("low") + 1


def burned(
    index: Any,
    grid: Grid,
    *,
    scheme: SeverityScheme = KEY_BENSON,
    threshold: Threshold = "scheme",
    min_area_m2: float = MIN_AREA_M2,
    known: Any = None,
    units: Units | None = None,
) -> gpd.GeoDataFrame:
    """Severity polygons of burn scars, `tables.SHAPES` with `dnbr_mean` and `area_m2` (geodesic), in the grid's CRS.

    Class `burned`, severity by the scheme's levels; unburned islands stay holes. Inside a scar patches of one severity
    smaller than `min_area_m2` join their largest neighbour. `masked_share` is the part of a polygon's filled outline
    that no clear pixel saw. `confidence` is declared, not calibrated: 0.5 for a mean at the threshold, 0.82 one lowest
    burned class (threshold to moderate) above it, towards 1 beyond: `1 - exp(-distance / width) / 2`.

    Parameters
    ----------
    index
        (y, x) dNBR, RdNBR or RBR in the scheme's units, NaN = no data; computed here.
    threshold
        Value from which ground is burned: the scheme's own break, Otsu's of this index, or a number.
    known
        (y, x) bool: what a clear pixel saw. Default: everywhere the index has a value.
    units
        `x1` or `x1000`; default: the index's attribute `units`, else what its values show.

    Raises
    ------
    InputError
        Where index or `known` do not fit the grid.
    UnitError
        Where the index is in other units than the scheme.
    """
    values, seen = _checked(index, grid, known, scheme, units)
    limit = threshold_of(values[seen], scheme, threshold)
    scar = _mask(values, seen, limit, pixels_of(min_area_m2, grid))
    level = levels(values, scheme, units=scheme.units)
    if limit >= scheme.burned_from:
        level = np.maximum(level, _LOW)  # a pixel that only its neighbours made burned is no unburned island
    codes = merged(level, scar, pixels_of(min_area_m2, grid))
    table, numbers, rows = shapes_of(codes, grid, seen, name=lambda _: "burned")
    mean = np.asarray(ndimage.mean(np.where(seen, values, 0), numbers, rows), float).reshape(-1)
    table["severity"] = [LEVELS[code - 1] for code in table["code"]]
    table["severity_scheme"] = [scheme.name] * len(table)
    table["confidence"] = confidence(mean, limit, scheme)
    return table.drop(columns="code").assign(dnbr_mean=mean)


def burned_mask(
    index: Any,
    grid: Grid,
    *,
    scheme: SeverityScheme = KEY_BENSON,
    threshold: Threshold = "scheme",
    min_area_m2: float = MIN_AREA_M2,
    known: Any = None,
    units: Units | None = None,
) -> Mask:
    """(y, x) bool: the ground that `burned` covers with polygons, without tracing them; False where not known."""
    values, seen = _checked(index, grid, known, scheme, units)
    return _mask(values, seen, threshold_of(values[seen], scheme, threshold), pixels_of(min_area_m2, grid))


def threshold_of(values: NDArray[Any], scheme: SeverityScheme, threshold: Threshold) -> float:
    """The number that a threshold stands for, in the index's units."""
    if threshold == "scheme":
        return scheme.burned_from
    if threshold == "otsu":
        return thresholds(values)[0]
    try:
        number = float(threshold)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"unknown threshold {threshold!r}", hint="'scheme', 'otsu' or a number in the index's units")
    return number


def confidence(mean: NDArray[np.float64], threshold: float, scheme: SeverityScheme) -> NDArray[np.float64]:
    """(n,) 0.5-1 from the distance of mean index values to the threshold; see `burned`."""
    width = max(scheme.moderate_from - threshold, scheme.moderate_from - scheme.burned_from)
    return 1 - 0.5 * np.exp(-np.maximum(mean - threshold, 0) / width)


def _checked(
    index: Any, grid: Grid, known: Any, scheme: SeverityScheme, units: Units | None
) -> tuple[NDArray[np.float32], Mask]:
    """(values in the scheme's units, where a clear pixel saw)."""
    values = as_array(index, grid, "an index").astype(np.float32)
    check_units(units or getattr(index, "attrs", {}).get("units"), values, scheme)
    finite = np.isfinite(values)
    return values, finite if known is None else finite & as_array(known, grid, "a mask of what is known").astype(bool)


def _mask(values: NDArray[np.float32], seen: Mask, limit: float, min_pixels: int) -> Mask:
    above = seen & (np.nan_to_num(values, nan=-np.inf) >= np.float32(limit))
    return without_small(majority(above, seen), min_pixels)
