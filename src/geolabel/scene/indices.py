"""Spectral and burn indices of scenes and views: lazy in, lazy out, 0/0 is NaN without a warning.

`index(scene, name)` takes any row of `INDICES`, then any index of spyndex (`spectral`); the common ones have a function of
their own. Those built on absolute reflectance refuse DN; ratios accept DN, and then hold within that scene only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import InputError, UnitError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene import spectral

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Index:
    """One spectral index: a function of bands, in this order."""

    title: str
    bands: tuple[str, ...]
    formula: Callable[..., Array]
    source: str
    needs_reflectance: bool = False
    """Whether its constants are reflectances, so that DN give nonsense."""


def _ratio(top: Array, bottom: Array) -> Array:
    return np.where(bottom == 0, np.nan, top / np.where(bottom == 0, 1.0, bottom))


def _difference(a: Array, b: Array) -> Array:
    """Normalised difference."""
    return _ratio(a - b, a + b)


def _root(value: Array) -> Array:
    """Square root, NaN of what has none."""
    return np.sqrt(np.where(value >= 0, value, np.nan))


def _nbr_plus(green: Array, blue: Array, nir: Array, swir22: Array) -> Array:
    return _ratio(swir22 - nir - green - blue, swir22 + nir + green + blue)


def _awei_sh(blue: Array, green: Array, nir: Array, swir16: Array, swir22: Array) -> Array:
    return blue + 2.5 * green - 1.5 * (nir + swir16) - 0.25 * swir22


def _mirbi(swir16: Array, swir22: Array) -> Array:
    return 10 * swir22 - 9.8 * swir16 + 2


def _bai(red: Array, nir: Array) -> Array:
    return _ratio(np.ones_like(red), (0.1 - red) ** 2 + (0.06 - nir) ** 2)


def _baim(nir: Array, swir22: Array) -> Array:
    return _ratio(np.ones_like(nir), (0.05 - nir) ** 2 + (0.2 - swir22) ** 2)


def _bais2(red: Array, edge75: Array, edge78: Array, nir: Array, swir22: Array) -> Array:
    shape = 1 - _root(_ratio(edge75 * edge78 * nir, red))
    return shape * (_ratio(swir22 - nir, _root(swir22 + nir)) + 1)


INDICES: Mapping[str, Index] = {
    "nbr": Index("Normalised burn ratio", ("nir08", "swir22"), _difference, "Key & Benson 2006, RMRS-GTR-164"),
    "ndvi": Index("Vegetation index", ("nir08", "red"), _difference, "Rouse et al. 1974"),
    "mndwi": Index("Modified water index", ("green", "swir16"), _difference, "Xu 2006, IJRS 27:3025"),
    "ndwi": Index("Water index", ("green", "nir08"), _difference, "McFeeters 1996, IJRS 17:1425"),
    "awei_sh": Index(
        "Automated water extraction index, for scenes with shadow",
        ("blue", "green", "nir08", "swir16", "swir22"),
        _awei_sh,
        "Feyisa et al. 2014, RSE 140:23, equation 2",
        True,
    ),
    "nbr2": Index("Normalised burn ratio 2", ("swir16", "swir22"), _difference, "USGS, Landsat spectral indices"),
    "nbr_plus": Index(
        "Normalised burn ratio plus", ("green", "blue", "nir08", "swir22"), _nbr_plus, "Alcaras et al. 2022, RS 14:1727"
    ),
    "mirbi": Index("Mid-infrared burn index", ("swir16", "swir22"), _mirbi, "Trigg & Flasse 2001, IJRS 22:2641", True),
    "bai": Index("Burned area index", ("red", "nir08"), _bai, "Chuvieco et al. 2002, IJRS 23:5103", True),
    "baim": Index("Burned area index, modified", ("nir08", "swir22"), _baim, "Martin et al. 2006", True),
    "bais2": Index(
        "Burned area index for Sentinel-2",
        ("red", "rededge075", "rededge078", "nir08", "swir22"),
        _bais2,
        "Filipponi 2018, Proceedings 2:364",
        True,
    ),
}

NOT_OURS = ("BaI",)
"""Names of spyndex that only their case tells from one of ours: the bareness index is not the burned area index."""


def index(scene: Scene, name: str, *, nir: str = "nir08") -> Any:
    """Lazy float32 DataArray (y, x) of a spectral index, NaN = no data; `nir="nir"` takes Sentinel-2's 10 m band.

    Names are read without regard to case and `_`; `INDICES` comes before spyndex (whose BAIM is wrong).

    Raises
    ------
    BandError
        For an unknown index, a band the scene lacks, or an index that asks for more than bands.
    UnitError
        For DN where the index needs reflectance 0-1, and for numbers of another kind (backscatter, metres, classes).
    MissingExtra
        For a name that is not in `INDICES`, where spyndex is not installed.
    """
    key = None if name in NOT_OURS else next((own for own in INDICES if _plain(own) == _plain(name)), None)
    if key is None:
        found = spectral.find(name, INDICES, nir=nir)
        _check_quantity(scene, found.name, found.quantity, needs_units=not found.is_ratio)
        bands = [scene.band(band) for band in found.bands]
        return _lift(found.compute, *bands, name=found.name.lower(), long_name=found.title)
    what = INDICES[key]
    _check_quantity(scene, key, "reflectance", needs_units=what.needs_reflectance)
    bands = [scene.band(nir if band == "nir08" else band) for band in what.bands]
    return _lift(what.formula, *bands, name=key, long_name=what.title)


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _check_quantity(scene: Scene, name: str, quantity: spectral.Needs, *, needs_units: bool) -> None:
    """Raise UnitError unless a scene holds what an index is made of: calibrated, or DN where only ratios matter."""
    if quantity == "power":
        if not scene.quantity.endswith("_linear"):
            raise UnitError(
                f"{name} needs backscatter in linear power; scene {scene.id!r} holds {scene.quantity}",
                hint="geolabel.scene.radar.to_linear(scene)",
            )
    elif needs_units and not scene.quantity.endswith("reflectance"):
        raise UnitError(
            f"{name} needs reflectance 0-1; scene {scene.id!r} holds {scene.quantity}",
            hint="open it with the sensor that calibrates it, e.g. sensor='landsat-c2-l2'; ratios such as nbr take DN",
        )
    elif not (scene.quantity == "dn" or scene.quantity.endswith("reflectance")):
        raise UnitError(f"{name} is an index of reflectance; scene {scene.id!r} holds {scene.quantity}")


def _lift(formula: Callable[..., Array], *arrays: Any, name: str, long_name: str, units: str = "x1") -> Any:
    """Lazy float32 DataArray of a formula that is computed in float64."""
    result = xr.apply_ufunc(
        partial(_rounded, formula=formula),
        *arrays,
        dask="parallelized",
        output_dtypes=[np.float32],
        join="exact",
        keep_attrs=False,
    )
    return result.rename(name).assign_attrs(long_name=long_name, units=units)


def _rounded(*arrays: Array, formula: Callable[..., Array]) -> Array:
    return formula(*(np.asarray(array, np.float64) for array in arrays)).astype(np.float32)


def nbr(scene: Scene, *, nir: str = "nir08") -> Any:
    """Lazy float32 DataArray (y, x): normalised burn ratio, -1 (char) to 1 (dense vegetation).

    Source: Key & Benson 2006, (NIR - SWIR2) / (NIR + SWIR2).
    """
    return index(scene, "nbr", nir=nir)


def ndvi(scene: Scene, *, nir: str = "nir08") -> Any:
    """Lazy float32 DataArray (y, x): normalised difference vegetation index, -1 to 1."""
    return index(scene, "ndvi", nir=nir)


def mndwi(scene: Scene) -> Any:
    """Lazy float32 DataArray (y, x): modified water index, -1 to 1; water is high."""
    return index(scene, "mndwi")


def dnbr(view: View, *, offset: float = 0.0) -> Any:
    """Lazy float32 DataArray (y, x): NBR before minus NBR after, minus `offset`; units x1, burned is high.

    Parameters
    ----------
    offset
        What unburned ground shows between the two dates, e.g. `ring_offset(...)`; it is part of the attributes.

    Raises
    ------
    UnitError
        Where the scenes hold different quantities.

    Source: Key & Benson 2006, section LA-11.
    """
    check_comparable(view["before"], view["after"])
    less = partial(_less, offset=float(offset))
    change = _lift(less, nbr(view["before"]), nbr(view["after"]), name="dnbr", long_name="Change of the burn ratio")
    return change.assign_attrs(offset=float(offset))


def check_comparable(before: Scene, after: Scene) -> None:
    """Refuse a change between two quantities, e.g. reflectance at the surface and at the top of the atmosphere.

    Raises
    ------
    UnitError
        Where they differ.
    """
    if before.quantity != after.quantity:
        raise UnitError(
            f"scene {before.id!r} holds {before.quantity}, {after.id!r} {after.quantity}: their difference is no change",
            hint="open both as the same product, e.g. both of Level 2",
        )


def _less(before: Array, after: Array, *, offset: float) -> Array:
    return before - after - offset


def rdnbr(view: View, *, offset: float = 0.0) -> Any:
    """Lazy float32 DataArray (y, x): 1000 dNBR / sqrt(abs(NBR before)), units x1000; NaN where NBR before is 0.

    Source: Miller & Thode 2007, RSE 109:66, equation 3 (with dNBR x1).
    """
    arrays = dnbr(view, offset=offset), nbr(view["before"])
    return _lift(_rdnbr, *arrays, name="rdnbr", long_name="Relative change of the burn ratio", units="x1000")


def _rdnbr(change: Array, before: Array) -> Array:
    return _ratio(1000 * change, np.sqrt(np.abs(before)))


def rbr(view: View, *, offset: float = 0.0) -> Any:
    """Lazy float32 DataArray (y, x): dNBR / (NBR before + 1.001), units x1.

    Source: Parks, Dillon & Miller 2014, Remote Sensing 6:1827, equation 3.
    """
    arrays = dnbr(view, offset=offset), nbr(view["before"])
    return _lift(_rbr, *arrays, name="rbr", long_name="Relativised burn ratio")


def _rbr(change: Array, before: Array) -> Array:
    return _ratio(change, before + 1.001)


def times_1000(index: Any) -> Any:
    """The index x1000 as its attribute `units` says, lazy: what schemes with breaks x1000 read (`parks-rbr`).

    Raises
    ------
    UnitError
        Where the index is x1000 already.
    """
    if index.attrs.get("units") == "x1000":
        raise UnitError(f"the index {index.name!r} is x1000 already", hint="use it as it is")
    return (index * np.float32(1000)).assign_attrs({**index.attrs, "units": "x1000"})


def ring_offset(change: Any, scar: Array, grid: Grid, *, gap_m: float = 90.0, width_m: float = 300.0) -> float:
    """Median of `change` over the unburned ring from `gap_m` to `gap_m + width_m` around a scar; computes.

    Raises
    ------
    InputError
        Where the ring holds no valid pixel.
    """
    away_m = ndimage.distance_transform_edt(~scar) * grid.res_m if scar.any() else np.zeros(scar.shape)
    values = np.asarray(change, np.float64)
    ring = (away_m > gap_m) & (away_m <= gap_m + width_m) & np.isfinite(values)
    if not ring.any():
        raise InputError(
            f"no valid unburned pixel between {gap_m:g} and {gap_m + width_m:g} m around the scar",
            hint="widen the ring",
        )
    return float(np.median(values[ring]))
