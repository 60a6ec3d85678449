"""Paint a simulated burn into a scene's pixels by spectral mixing: for samples, demos and tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, InputError, UnitError
from geolabel.nouns.scene import Scene

CHAR_REFLECTANCE: Mapping[str, float] = {
    "coastal": 0.030, "blue": 0.032, "green": 0.038, "red": 0.045, "rededge071": 0.050, "rededge075": 0.055,
    "rededge078": 0.058, "nir": 0.060, "nir08": 0.062, "nir09": 0.065, "swir16": 0.110, "swir22": 0.130,
}  # fmt: skip
"""Reflectance of fresh char. An assumption, not a measurement: dark, without a red edge, rising slowly into the
short-wave infrared, as field spectra of charred vegetation are described (Smith et al. 2005, IJRS 26:4265; Lentile et
al. 2006, IJWF 15:319). Its NBR is -0.35."""

PLANT_REFLECTANCE: Mapping[str, float] = {
    "coastal": 0.035, "blue": 0.040, "green": 0.070, "red": 0.060, "rededge071": 0.110, "rededge075": 0.220,
    "rededge078": 0.260, "nir": 0.280, "nir08": 0.280, "nir09": 0.285, "swir16": 0.220, "swir22": 0.120,
}  # fmt: skip
"""Reflectance of mixed green vegetation: the same kind of assumption, by which DN of plants become DN of char."""
VEGETATION = 50.0, 95.0
"""Percentiles of NDVI between which a scene's own vegetation lies: its greener half without the extreme."""


def burn(scene: Scene, share: NDArray[Any], *, note: str) -> Scene:
    """Scene with char mixed into its pixels, lazy: `pixel * (1 - share) + char * share`; its audit says simulated.

    Char is `CHAR_REFLECTANCE` for reflectance. DN have no such table: there it is derived from the scene's own
    vegetation (`char_dn`), which computes the bands once.

    Parameters
    ----------
    share
        (y, x), 0-1: the part of each pixel that is char.
    note
        Why, in words; it goes into the audit.

    Raises
    ------
    InputError
        For shares of another shape or outside 0-1, or an empty note.
    UnitError
        For a scene that holds no spectral bands.
    """
    share = np.asarray(share, np.float32)
    if share.shape != scene.grid.shape:
        raise InputError(f"shares of {share.shape} on a scene of {scene.grid.shape}")
    if not (np.isfinite(share).all() and share.min() >= 0 and share.max() <= 1):
        raise InputError("shares of char outside 0-1", hint="0 is untouched, 1 is all char")
    if not note.strip():
        raise InputError("a painted burn without a note", hint="note='simulated fire on a real scene'")
    char = char_of(scene)
    mixed = {name: band * (1 - share) + np.float32(char[str(name)]) * share for name, band in scene.data.items()}
    values = ", ".join(f"{name} {value:.4g}" for name, value in char.items())
    return dataclasses.replace(
        scene,
        data=scene.data.assign(mixed),
        digest=digest(scene.digest, share, char, note),
        reader=None,  # it reads the pixels before the fire
        audit=(*scene.audit, f"simulated: {note}; char mixed into {int((share > 0).sum())} pixels ({values})"),
    )


def char_of(scene: Scene) -> dict[str, float]:
    """Value of char in each band, in the scene's own quantity.

    Raises
    ------
    UnitError
        For a scene that holds neither reflectance nor DN.
    BandError
        For a band whose char nobody has described.
    """
    if scene.quantity not in ("reflectance", "dn"):
        raise UnitError(f"scene {scene.id!r} holds {scene.quantity}: a burn is painted into spectral bands")
    unknown = [name for name in scene.bands if name not in CHAR_REFLECTANCE]
    if unknown:
        raise BandError(f"no reflectance of char for {', '.join(unknown)}", hint="drop those bands before painting")
    return char_dn(scene) if scene.quantity == "dn" else {name: CHAR_REFLECTANCE[name] for name in scene.bands}


def char_dn(scene: Scene) -> dict[str, float]:
    """DN of char in each band: median of the scene's vegetation, times char over plants in reflectance; computes.

    It takes DN to be proportional to reflectance, which holds roughly: a stand-in for samples, not a calibration.
    """
    scene.band("red"), scene.band("nir08")
    data = {str(name): np.asarray(band.values, np.float64) for name, band in scene.data.compute().items()}
    total = data["nir08"] + data["red"]
    ndvi = np.where(total > 0, (data["nir08"] - data["red"]) / np.where(total > 0, total, 1), np.nan)
    low, high = np.nanpercentile(ndvi, VEGETATION)
    plants = (ndvi >= low) & (ndvi <= high)
    return {
        name: float(np.nanmedian(band[plants]) * CHAR_REFLECTANCE[name] / PLANT_REFLECTANCE[name])
        for name, band in data.items()
    }
