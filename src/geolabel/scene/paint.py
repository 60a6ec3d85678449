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

VEGETATION = 50.0, 95.0
"""Percentiles of NDVI that bound the scene's own vegetation, from which char in DN is derived: its green half, without
the extreme."""
CHAR_PERCENTILE: Mapping[str, float] = {"nir": 2.0, "nir08": 2.0, "swir16": 75.0, "swir22": 98.0}
"""Percentile of that vegetation that stands for char in a band: NIR as dark as its darkest, SWIR as bright as its
brightest."""
VISIBLE_PERCENTILE = 25.0
"""The same for every other band."""


def burn(scene: Scene, share: NDArray[Any], *, note: str) -> Scene:
    """Scene with char mixed into its pixels, lazy: `pixel * (1 - share) + char * share`; its audit says simulated.

    Char is `CHAR_REFLECTANCE` for reflectance. DN have no such table: there char is made of percentiles of the scene's
    own vegetation (`char_dn`), which computes its red and NIR bands and every band once.

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
        audit=(*scene.audit, f"simulated: {note}; char mixed into {int((share > 0).sum())} pixels ({values})"),
    )


def char_of(scene: Scene) -> dict[str, float]:
    """Value of char in each band, in the scene's own quantity."""
    if scene.quantity == "dn":
        return char_dn(scene)
    if scene.quantity != "reflectance":
        raise UnitError(f"scene {scene.id!r} holds {scene.quantity}: a burn is painted into spectral bands")
    unknown = [name for name in scene.bands if name not in CHAR_REFLECTANCE]
    if unknown:
        raise BandError(f"no reflectance of char for {', '.join(unknown)}", hint="drop those bands before painting")
    return {name: CHAR_REFLECTANCE[name] for name in scene.bands}


def char_dn(scene: Scene) -> dict[str, float]:
    """DN of char in each band, from percentiles of the scene's own vegetation; computes.

    A relative stand-in for calibrated char: its NBR lies below that of nearly all vegetation in this scene.
    """
    data = scene.data.compute()
    nir, red = (np.asarray(scene_band, np.float64) for scene_band in (data[scene.band("nir08").name], data["red"]))
    total = nir + red
    green = np.where(total > 0, (nir - red) / np.where(total > 0, total, 1), np.nan)
    low, high = np.nanpercentile(green, VEGETATION)
    plants = (green >= low) & (green <= high)
    return {
        str(name): float(np.nanpercentile(band.values[plants], CHAR_PERCENTILE.get(str(name), VISIBLE_PERCENTILE)))
        for name, band in data.items()
    }
