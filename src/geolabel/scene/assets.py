"""What a product is made of: files with one meaning a band, masks, and when and by what they were taken.

Every way in (one file, a product folder, a STAC item) ends in a `Product`; `assemble` makes it a `Scene`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from geolabel.nouns.scene import Quantity
from geolabel.scene.reading import Header


@dataclass(frozen=True, slots=True)
class Asset:
    """One band: where it lies, and how its DN become values (`value = DN * scale + offset`)."""

    name: str
    """Common name: `nir08`, `vv`, `elevation`."""
    path: str
    """Path, or a name of GDAL's (`/vsicurl/...`, `/vsis3/...`, `/vsizip/...`)."""
    index: int = 1
    """Band of the file, from 1."""
    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()
    """DN that mean "no data" beside the file's own nodata value; tested before scale and offset."""
    header: Header | None = field(default=None, repr=False)
    """What the file says of itself, where that is known without opening it; else it is opened."""
    units: str = ""
    """Of the values, where they are not in the quantity of the scene: `K` of a thermal band."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A band of flags or classes that says which pixels are not to be used."""

    name: str
    """`qa_pixel`, `scl`, `fmask`."""
    path: str
    index: int = 1
    bits: Mapping[int, str] = field(default_factory=dict)
    """Bit -> what it flags; a pixel with any of them is masked."""
    classes: Mapping[int, str] = field(default_factory=dict)
    """Class -> what it means; such pixels are masked."""
    header: Header | None = field(default=None, repr=False)

    @property
    def legend(self) -> str:
        """`masked by scl: 0 no data, 8 cloud` in words, for the audit."""
        bits = [f"bit {bit} {what}" for bit, what in self.bits.items()]
        return f"masked by {self.name}: {', '.join([*bits, *(f'{n} {what}' for n, what in self.classes.items())])}"

    def hides(self, flags: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where the flags mask, or say nothing (NaN)."""
        known = np.isfinite(flags)
        codes = np.where(known, flags, 0).astype(np.int64)
        bits = sum(1 << bit for bit in self.bits)
        return ~known | ((codes & bits) != 0) | np.isin(codes, list(self.classes))


@dataclass(frozen=True, slots=True)
class Product:
    """Bands and masks of one acquisition, not yet on one grid."""

    id: str
    sensor: str
    quantity: Quantity
    start: datetime
    end: datetime
    assets: tuple[Asset, ...]
    masks: tuple[Mask, ...] = ()
    res_m: float | None = None
    """Edge of the pixels its bands are put on; None: the first band's own."""
    licence: str = "unknown"
    audit: tuple[str, ...] = ()
    """What was decided, in words: scale, offset, names."""
