"""Classes of fire danger: named schemes over the Fire Weather Index. A relative index is no probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import FireError, nearest

NO_CLASS = 255


@dataclass(frozen=True, slots=True)
class DangerScheme:
    """Breaks of the Fire Weather Index and the names of the classes between them; an edge belongs to the upper class."""

    name: str
    breaks: tuple[float, ...]
    classes: tuple[str, ...]
    citation: str

    def codes(self, fwi: ArrayLike) -> NDArray[np.uint8]:
        """Class of each index, uint8 in its shape: 1 for the lowest, 255 where there is no index (NaN)."""
        index = np.asarray(fwi, float)
        return np.where(np.isfinite(index), np.digitize(index, self.breaks) + 1, NO_CLASS).astype(np.uint8)


EFFIS = DangerScheme(
    name="effis",
    breaks=(5.2, 11.2, 21.3, 38.0, 50.0),
    classes=("very low", "low", "moderate", "high", "very high", "extreme"),
    citation="European Forest Fire Information System, fire danger forecast: classes for all of Europe",
)
SCHEMES = {scheme.name: scheme for scheme in (EFFIS,)}


def danger_scheme(name: str) -> DangerScheme:
    """The scheme of a name.

    Raises
    ------
    FireError
        For an unknown one; the nearest is named.
    """
    if name not in SCHEMES:
        raise FireError(f"unknown scheme of fire danger {name!r}", hint=nearest(name, SCHEMES))
    return SCHEMES[name]
