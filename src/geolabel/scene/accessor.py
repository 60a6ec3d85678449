"""`ds.geolabel`: what geolabel knows of an xarray.Dataset, so that it stays at hand where the Scene is not.

A scene's `data` carries what it is in its attributes (`Scene.about`), and where it lies in its coordinates; both go
along through `isel`, arithmetic over files, and whatever else xarray does. Registered when `geolabel.scene.frame` is
imported.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import xarray as xr
from affine import Affine

from geolabel.digests import digest
from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid, Tiling
from geolabel.nouns.scene import ABOUT, Scene
from geolabel.nouns.times import utc
from geolabel.scene.extent import footprint

SNAP_PX = 1e-3
"""Coordinates this near to a pixel of the grid that the dataset was made on are that pixel."""


@xr.register_dataset_accessor("geolabel")
class Accessor:
    """Grid, valid pixels, indices, tiles and footprint of a dataset with dims (y, x)."""

    def __init__(self, data: xr.Dataset) -> None:
        self._data = data

    @property
    def grid(self) -> Grid:
        """Grid of the pixels, also of a part cut out with `isel`.

        Raises
        ------
        InputError
            Where y or x is missing or not regular.
        CRSError
            Without a CRS.
        """
        geobox = self._data.odc.geobox
        if geobox is None or not _is_regular(self._data):
            raise InputError(
                f"a dataset of {dict(self._data.sizes)} does not lie on a regular grid",
                hint="dims y and x with coordinates, evenly spaced; keep a dim with isel(x=slice(3, 4))",
            )
        if geobox.crs is None:
            raise CRSError("a dataset without a CRS", hint="ds.rio.write_crs('EPSG:32611')")
        found = Grid(geobox)
        return Grid.of(found.crs, _exact(found.transform, self._data), found.shape)

    @property
    def valid(self) -> Any:
        """Lazy boolean DataArray (y, x): every band has a value."""
        return self._bands.to_array("band").notnull().all("band")

    def index(self, name: str, *, nir: str = "nir08") -> Any:
        """Lazy float32 DataArray (y, x) of a spectral index; see `geolabel.scene.indices.index`.

        Raises
        ------
        BandError, UnitError, MissingExtra
            As there.
        """
        from geolabel.scene.indices import index

        return index(self.scene(), name, nir=nir)

    def tiles(self, size: int, margin: int = 0) -> Tiling:
        """Tiles of `size` pixels that cover every pixel once; `.footprints()` shows them on a map."""
        grid = self.grid
        return Tiling(grid, grid.tiles(size, margin))

    def footprint(self, crs: str = "EPSG:4326") -> Any:
        """GeoDataFrame with one row: the rectangle of the pixels as a polygon in `crs`, with what the dataset is."""
        import geopandas as gpd

        about = {key: [self._data.attrs.get(key)] for key in ABOUT}
        return gpd.GeoDataFrame(about, geometry=[footprint(self.grid, crs)], crs=crs)

    def scene(self) -> Scene:
        """The dataset as a Scene again; its digest is that of the task graph or the values, its audit is empty.

        Raises
        ------
        UnitError
            Where the dataset does not say what its numbers are.
        InputError
            Where it does not say when they were taken.
        """
        from dask.base import tokenize

        said = self._data.attrs
        if "quantity" not in said:
            raise UnitError(
                "the dataset does not say what its numbers are", hint="ds.attrs['quantity'] = 'reflectance'"
            )
        if not {"start", "end"} <= said.keys():
            raise InputError(
                "the dataset does not say when it was taken",
                hint="ds.attrs['start'] = ds.attrs['end'] = '2009-10-15T18:00Z'",
            )
        return Scene(
            id=said.get("scene", "dataset"),
            start=utc(said["start"]),
            end=utc(said["end"]),
            grid=self.grid,
            data=self._bands,
            sensor=said.get("sensor", "generic"),
            quantity=said["quantity"],
            source=(),
            digest=digest("dataset", tokenize(self._data)),
            licence=said.get("licence", "unknown"),
        )

    @property
    def _bands(self) -> Any:
        return self._data[[name for name, band in self._data.data_vars.items() if set(band.dims) == {"y", "x"}]]

    def __repr__(self) -> str:
        return f"geolabel: {', '.join(map(str, self._bands))} on {self.grid!r}"

    def _repr_html_(self) -> str:
        rows = {**{key: self._data.attrs.get(key, "not said") for key in ABOUT}, "grid": repr(self.grid)}
        body = "".join(
            f"<tr><th style='text-align:left'>{escape(key)}</th><td>{escape(str(text))}</td></tr>"
            for key, text in {**rows, "bands": ", ".join(map(str, self._bands))}.items()
        )
        return f"<table>{body}</table>"


def _is_regular(data: xr.Dataset) -> bool:
    steps = [np.diff(data[dim].values) for dim in ("y", "x") if dim in data.coords]
    return all(np.ptp(step) <= SNAP_PX * abs(step.mean()) for step in steps if step.size)


def _exact(transform: Affine, data: xr.Dataset) -> Affine:
    """The transform of whole pixels of the grid the dataset was made on, where it is such a part of it.

    Coordinates say a grid only up to rounding; what they were made from is written beside the CRS.
    """
    text = data.coords["spatial_ref"].attrs.get("GeoTransform") if "spatial_ref" in data.coords else None
    if not text:
        return transform
    c, a, b, f, d, e = (float(part) for part in text.split())
    if abs(transform.a - a) > 1e-9 * abs(a) or abs(transform.e - e) > 1e-9 * abs(e):
        return transform  # every second pixel, or rows turned over
    col, row = (transform.c - c) / a, (transform.f - f) / e
    if max(abs(col - round(col)), abs(row - round(row))) > SNAP_PX:
        return transform
    return Affine(a, b, c + a * round(col) + b * round(row), d, e, f + d * round(col) + e * round(row))
