"""Spectral indices by their names in spyndex (Awesome Spectral Indices): bands under our names, formula, what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import BandError, MissingExtra

Needs = Literal["reflectance", "power"]

LETTERS: Mapping[str, str] = {
    "A": "coastal", "B": "blue", "G": "green", "G1": "green05", "Y": "yellow", "R": "red", "RE1": "rededge071",
    "RE2": "rededge075", "RE3": "rededge078", "N": "nir08", "N2": "nir08", "WV": "nir09", "S1": "swir16", "S2": "swir22",
    "HH": "hh", "HV": "hv", "VH": "vh", "VV": "vv",
}  # fmt: skip
"""Letter of spyndex -> common name. `N` is the near infrared that every sensor has; `nir="nir"` takes the 10 m band.
Thermal bands are left out: a scene of reflectance holds no temperature."""
POLARISATIONS = frozenset({"HH", "HV", "VH", "VV"})
WRONG = frozenset({"BAIM"})
"""Indices whose formula in spyndex is not the published one; ours come first (spyndex 0.12: a misplaced bracket)."""
PROBES = 64
"""Random pixels at which an index is tested for being a plain ratio."""


@dataclass(frozen=True, slots=True)
class Spectral:
    """An index of spyndex as geolabel computes it."""

    name: str
    """As spyndex writes it."""
    title: str
    letters: tuple[str, ...]
    bands: tuple[str, ...]
    """Common names, one for each letter."""
    constants: tuple[tuple[str, float], ...]
    """Of the formula, with spyndex's defaults."""
    quantity: Needs

    def compute(self, *bands: NDArray[np.float64]) -> NDArray[np.float64]:
        """The index of bands in this order; NaN where it has no finite value."""
        params = {**dict(zip(self.letters, bands, strict=True)), **dict(self.constants)}
        with np.errstate(all="ignore"):
            values = _spyndex(self.name).computeIndex(self.name, params)
        values = np.broadcast_to(np.asarray(values, np.float64), bands[0].shape)
        return np.where(np.isfinite(values), values, np.nan)

    @property
    def is_ratio(self) -> bool:
        """Whether the index stays the same when all bands are scaled alike, so that DN will do; found by trying."""
        some = [np.random.default_rng(i).uniform(0.05, 0.6, PROBES) for i in range(len(self.bands))]
        one, other = self.compute(*some), self.compute(*(1000 * band for band in some))
        return bool(np.isfinite(one).any() and np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


def find(name: str, own: Iterable[str] = (), *, nir: str = "nir08") -> Spectral:
    """The index of a name: as spyndex writes it, or in any case where that is one index only.

    Raises
    ------
    BandError
        For an unknown name (the nearest is named, also among `own`), or one that asks for more than bands.
    MissingExtra
        Without spyndex.
    """
    key = _key(name, own)
    what = _spyndex(name).indices[key]
    letters = tuple(letter for letter in what.bands if letter in LETTERS)
    names = {**LETTERS, "N": nir}
    return Spectral(
        name=key,
        title=what.long_name,
        letters=letters,
        bands=tuple(names[letter] for letter in letters),
        constants=_constants(key, [letter for letter in what.bands if letter not in LETTERS]),
        quantity="power" if POLARISATIONS & set(letters) else "reflectance",
    )


def _key(name: str, own: Iterable[str]) -> str:
    indices = [key for key in _spyndex(name).indices if key not in WRONG]
    found = [name] if name in indices else [key for key in indices if key.lower() == name.lower()]
    if len(found) > 1:
        raise BandError(f"{name!r} may be {' or '.join(found)}", hint="write it as one of these")
    if not found:
        ours, all_known = list(own), {word.lower() for word in (*indices, *own)}
        close = get_close_matches(name.lower(), ours, 1, 0.7) or get_close_matches(name.lower(), all_known, 1, 0.5)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise BandError(f"unknown index {name!r}", hint=f"{meant}{len(all_known)} are known, geolabel's and spyndex's")
    return found[0]


def _constants(key: str, names: Iterable[str]) -> tuple[tuple[str, float], ...]:
    known: Mapping[str, Any] = _spyndex(key).constants
    values: dict[str, Any] = {name: known[name].default if name in known else None for name in names}
    if lacking := [name for name, value in values.items() if value is None]:
        raise BandError(
            f"the index {key} needs {', '.join(lacking)}, which is no band that scenes hold",
            hint="compute it with spyndex.computeIndex on scene.data",
        )
    return tuple((name, float(value)) for name, value in values.items())


def _spyndex(name: str) -> Any:
    try:
        import spyndex
    except ImportError:
        raise MissingExtra(
            f"{name!r} is none of geolabel's own indices; others are computed by spyndex, which is not installed",
            hint="pip install 'geolabel[indices]'",
        ) from None
    return spyndex
