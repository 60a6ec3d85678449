"""Terrain cover by spectral rules: water, built-up, bare, grass, shrub, forest. Proposals to be corrected, not a map.

Six broad classes from one scene, pixel by pixel. With reflectance the thresholds are fixed and published-like; with DN
they are Otsu's of the scene itself, so its classes rank the pixels of that scene only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geolabel.errors import BandError, UnitError
from geolabel.grid import Grid
from geolabel.label.otsu import thresholds
from geolabel.label.patches import as_array, merged, pixels_of, shapes_of
from geolabel.ontology import NODATA, WILDFIRE

BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
WATER, BUILT_UP, BARE, GRASS, SHRUB, FOREST = (
    WILDFIRE[name].code for name in ("water", "built_up", "bare", "grass", "shrub", "forest")
)
MIN_AREA_M2 = 10_000.0
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the rules cut. Bands are in the scene's own quantity, indices without unit."""

    water_mndwi: float
    """Water lies at or above it ..."""
    water_nir08: float
    """... and at or below it."""
    plants_ndvi: float
    """Ground with plants lies at or above it."""
    dense_ndvi: float
    """Closed canopies lie at or above it ..."""
    dark_swir16: float
    """... and at or below it: leaf water and shade darken them. The rest of that is shrub ..."""
    bright_swir16: float
    """... up to here, above which plants are grass and crops."""
    bare_redness: float
    """Without plants, (red - blue) / (red + blue) at or above it is soil, sand or rock; below it is built up."""


REFLECTANCE = Cuts(
    water_mndwi=0.1,
    water_nir08=0.15,
    plants_ndvi=0.2,
    dense_ndvi=0.5,
    dark_swir16=0.17,
    bright_swir16=0.25,
    bare_redness=0.25,
)
"""Fixed cuts for surface reflectance: values in common use (MNDWI: Xu 2006; NDVI .2 and .5: Sobrino et al. 2004, RSE
90:434), the SWIR and redness cuts chosen by eye on Landsat scenes. An assumption to be corrected by people."""
RARE_SD = 1.645
"""Robust standard deviations above the median beyond which ground without plants is redder than built-up ground: in DN
bare soil is taken for the exception (one in twenty of a normal distribution)."""


def terrain_codes(bands: Any, *, quantity: str) -> Any:
    """uint8 DataArray (y, x) of terrain codes of the ontology `WILDFIRE`, 255 = no data; lazy for reflectance.

    For DN the cuts are computed from the bands (`cuts_of`), so they are read once; attributes say which cuts held.

    Parameters
    ----------
    bands
        Dataset (y, x) with blue, green, red, nir08, swir16, swir22.
    quantity
        What its numbers are: `reflectance` or `dn`.

    Raises
    ------
    BandError
        Where a band is missing.
    UnitError
        For any other quantity.
    """
    lost = [name for name in BANDS if name not in bands]
    if lost:
        raise BandError(f"terrain rules need {', '.join(lost)}", hint=f"there are {', '.join(map(str, bands))}")
    if quantity not in ("reflectance", "dn"):
        raise UnitError(f"terrain rules on {quantity}", hint="they read reflectance 0-1 or DN")
    cuts = REFLECTANCE if quantity == "reflectance" else cuts_of(bands)
    rules = partial(_by_rules, cut=cuts)
    codes = xr.apply_ufunc(
        rules, *(bands[name] for name in BANDS), dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False
    )
    words = "fixed cuts for reflectance" if quantity == "reflectance" else "relative: Otsu's cuts of this scene's DN"
    return codes.rename("terrain").assign_attrs(ontology=WILDFIRE.id, nodata=NODATA, cuts=words)


def _by_rules(
    blue: Floats, green: Floats, red: Floats, nir08: Floats, swir16: Floats, swir22: Floats, *, cut: Cuts
) -> NDArray[np.uint8]:
    ndvi = _difference(nir08, red)
    water = (_difference(green, swir16) >= cut.water_mndwi) & (nir08 <= cut.water_nir08)
    plants = ndvi >= cut.plants_ndvi
    forest = plants & (ndvi >= cut.dense_ndvi) & (swir16 <= cut.dark_swir16)
    bare = ~plants & (_difference(red, blue) >= cut.bare_redness)
    unknown = ~np.isfinite(blue + green + red + nir08 + swir16 + swir22)
    rules = [unknown, water, forest, plants & (swir16 > cut.bright_swir16), plants, bare]
    return np.select(rules, [NODATA, WATER, FOREST, GRASS, SHRUB, BARE], BUILT_UP).astype(np.uint8)


def cuts_of(bands: Any) -> Cuts:
    """Cuts from the DN themselves; computes the bands once.

    Water by two Otsu classes of MNDWI and NIR; plants by two of NDVI on land; among plants, closed canopies by two of
    NDVI, dark and bright by two and three of SWIR; bare ground by its rare redness (`RARE_SD`).
    """
    computed = bands[list(BANDS)].compute()
    dn = {name: np.asarray(computed[name].values, np.float32) for name in BANDS}
    ndvi, mndwi = _difference(dn["nir08"], dn["red"]), _difference(dn["green"], dn["swir16"])
    water_mndwi, water_nir08 = thresholds(mndwi)[0], thresholds(dn["nir08"])[0]
    land = ~((mndwi >= water_mndwi) & (dn["nir08"] <= water_nir08)) & np.isfinite(ndvi)
    plants_ndvi = thresholds(ndvi[land])[0]
    plants = land & (ndvi >= plants_ndvi)
    return Cuts(
        water_mndwi=water_mndwi,
        water_nir08=water_nir08,
        plants_ndvi=plants_ndvi,
        dense_ndvi=thresholds(ndvi[plants])[0],
        dark_swir16=thresholds(dn["swir16"][plants])[0],
        bright_swir16=thresholds(dn["swir16"][plants], 3)[1],
        bare_redness=_rare(_difference(dn["red"], dn["blue"])[land & ~plants]),
    )


def _rare(values: Floats) -> float:
    middle = float(np.nanmedian(values))
    return middle + RARE_SD * 1.4826 * float(np.nanmedian(np.abs(values - middle)))


def terrain(codes: Any, grid: Grid, *, min_area_m2: float = MIN_AREA_M2) -> gpd.GeoDataFrame:
    """Terrain polygons, `tables.SHAPES` with `area_m2`, that cover all known ground once; in the grid's CRS.

    Patches smaller than `min_area_m2` join their largest neighbour; holes are kept; no confidence is declared.

    Raises
    ------
    InputError
        Where the codes do not fit the grid.
    """
    values = as_array(codes, grid, "terrain codes").astype(np.uint8)
    known = values != NODATA
    kept = merged(values, known, pixels_of(min_area_m2, grid))
    table, _, _ = shapes_of(kept, grid, known, name=lambda code: WILDFIRE.by_code(code).name)
    return table.drop(columns="code")


def _difference(a: Floats, b: Floats) -> Floats:
    """Normalised difference, 0 where both are 0 (as dark as nothing: neither index speaks)."""
    total = a + b
    return np.where(total == 0, 0, (a - b) / np.where(total == 0, 1, total)).astype(np.float32)
