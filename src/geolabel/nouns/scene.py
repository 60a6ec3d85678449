"""Scene: one acquisition (or composite), harmonised, lazy, with an audit of what was done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import BandError, InputError
from geolabel.grid import Grid
from geolabel.nouns.times import iso

Quantity = Literal[
    "reflectance",
    "toa_reflectance",
    "dn",
    "elevation_m",
    "gamma0_linear",
    "gamma0_db",
    "sigma0_linear",
    "sigma0_db",
    "classes",
]
"""What the numbers of a scene are; `classes` are codes, of which no mean may be taken."""

ABOUT = ("scene", "quantity", "sensor", "start", "end", "licence")
"""Attributes of a scene's `data` that say what it is."""


class Reader(Protocol):
    """Harmonised pixels by window, without a task graph: picklable, safe from several threads at once."""

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) in which pixels are stored: windows of whole blocks decode nothing twice."""

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32, NaN = no data: the very values that `Scene.data` gives for these bands there."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How the stored numbers of one band become values: NaN where DN is one of `nodata`, else `DN * scale + offset`."""

    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()
    dtype: str = "float32"
    """Type of the stored numbers."""


@runtime_checkable
class StoredReader(Reader, Protocol):
    """A reader whose pixels may lie in files just as the scene has them but for scale, offset and nodata."""

    def scalings(self, bands: Sequence[str]) -> tuple[Scaling, ...] | None:
        """One for each band; None where masks, other grids or several types of number lie between."""

    def dn(self, bands: Sequence[str], rows: slice, cols: slice, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """(band, y, x) DN as stored, where `scalings` gives any; `out` may be used for them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Bands on one grid, as they may be computed with.

    `data` is a lazy (dask-backed) xarray.Dataset with dims (y, x), one float32 variable per band under its common
    name (`nir08`, `swir22`, `elevation`, ...), NaN where there is no data; `.rio.crs` and `.odc.geobox` work.
    """

    id: str
    start: datetime
    """First moment of acquisition, UTC."""
    end: datetime
    """Last moment of acquisition, UTC."""
    grid: Grid
    data: Any
    sensor: str
    quantity: Quantity
    """What the numbers are: reflectance 0-1, uncalibrated DN, metres, backscatter, classes."""
    source: tuple[str, ...]
    """Where the pixels came from: names of files or URLs, without the folders of this machine."""
    digest: str
    """Over asset names, sizes and headers."""
    licence: str = "unknown"
    audit: tuple[str, ...] = ()
    """What was applied, in order, in words: scale, offset, nodata, masks, aliases, resampling."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Path, sensor and bands it was opened with, so that a project can open it again; never digested or exported."""
    reader: Reader | None = field(default=None, compare=False, repr=False)
    """The short way to the pixels; None where they are only computed (`data`)."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InputError(f"scene {self.id!r} has naive times", hint="give aware times, e.g. at='2009-10-15'")
        if tuple(self.data.sizes[d] for d in ("y", "x")) != self.grid.shape:
            raise InputError(f"scene {self.id!r}: data of {dict(self.data.sizes)} on a grid of {self.grid.shape}")
        object.__setattr__(self, "data", self.data.assign_attrs(self.about))

    @property
    def about(self) -> dict[str, str]:
        """What travels with `data` as its attributes, so that `ds.geolabel` works where the scene is not at hand."""
        values = self.id, self.quantity, self.sensor, iso(self.start), iso(self.end), self.licence
        return dict(zip(ABOUT, values, strict=True))

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands, in order."""
        return tuple(str(name) for name in self.data.data_vars)

    def band(self, name: str) -> Any:
        """One band as a lazy float32 DataArray (y, x).

        Raises
        ------
        BandError
            Where the scene has no such band.
        """
        if name not in self.data:
            raise BandError(
                f"scene {self.id!r} has no band {name!r}",
                hint=f"it has {', '.join(self.bands)}; name the file's bands with open_scene(..., bands=(...))",
            )
        return self.data[name]

    @property
    def block(self) -> tuple[int, int]:
        """(rows, cols) by which its pixels are best walked: stored blocks, or the chunks of `data`."""
        if self.reader is not None:
            return self.reader.block
        chunks = next(iter(self.data.data_vars.values())).chunks
        return (chunks[0][0], chunks[1][0]) if chunks else self.grid.shape

    def read(self, bands: Sequence[str], rows: slice, cols: slice) -> NDArray[np.float32]:
        """(band, y, x) float32 of a window, now, in this thread, NaN = no data; equal to `data[band][rows, cols]`.

        Raises
        ------
        BandError
            Where the scene has no such band.
        SourceError
            Where the pixels cannot be read.
        """
        found = [self.band(name) for name in bands]
        if self.reader is not None:
            return self.reader.read(bands, rows, cols)
        window = self.data[list(bands)].isel(y=rows, x=cols).compute(scheduler="synchronous")
        return np.stack([window[band.name].values for band in found]).astype(np.float32, copy=False)

    def scalings(self, bands: Sequence[str]) -> tuple[Scaling, ...] | None:
        """How the stored DN of these bands become values; None where they are not to be had as stored."""
        _ = [self.band(name) for name in bands]
        return self.reader.scalings(bands) if isinstance(self.reader, StoredReader) else None

    def dn(self, bands: Sequence[str], rows: slice, cols: slice, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """(band, y, x) DN of a window as stored, in the type of the file; `scalings` says what they mean.

        An array `out` of that shape and type may be used for them, which spares a new one.

        Raises
        ------
        BandError
            Where the scene has no such band, or pixels are masked, resampled or computed.
        """
        if not isinstance(self.reader, StoredReader) or self.scalings(bands) is None:
            raise BandError(
                f"scene {self.id!r} has no stored DN of {', '.join(bands)}: they are masked, resampled or computed",
                hint="read(...) gives its values",
            )
        return self.reader.dn(bands, rows, cols, out)

    @property
    def valid(self) -> Any:
        """Lazy boolean DataArray (y, x): every band has a value; its attribute `legend` says what the masks hide."""
        legend = "; ".join(line for line in self.audit if line.startswith("masked by "))
        return self.data.to_array("band").notnull().all("band").assign_attrs(legend=legend)

    def __repr__(self) -> str:
        return f"Scene({self.id!r}, {self.sensor}, {', '.join(self.bands)}, {self.grid!r}, {iso(self.start)}/{iso(self.end)})"

    @property
    def facts(self) -> dict[str, str]:
        """What a person wants to know of it, in words."""
        return {
            "sensor": self.sensor,
            "quantity": self.quantity,
            "acquired": f"{iso(self.start)} to {iso(self.end)}",
            "grid": repr(self.grid),
            "bands": ", ".join(self.bands),
            "licence": self.licence,
            "audit": " · ".join(self.audit) or "nothing applied",
        }

    def _repr_html_(self) -> str:
        rows = self.facts.items()
        body = "".join(f"<tr><th style='text-align:left'>{k}</th><td>{escape(v)}</td></tr>" for k, v in rows)
        return f"<table><caption>Scene {escape(self.id)}</caption>{body}</table>"
