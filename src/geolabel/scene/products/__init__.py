"""Ways in: one module a kind of product, each with `finds(source)` and `read(source, wanted)`; the first that finds reads.

===============  ========================================================================================
kind             what is looked for
===============  ========================================================================================
`stac`           a `stac_version`: an item as a file, an https:// address, a dict, a pystac.Item, or items of one day
`sentinel2`      `MTD_MSIL2A.xml`, `MTD_MSIL1C.xml`: a .SAFE folder or its .zip
`landsat`        `*_MTL.txt`, `.json`, `.xml`: a bundle of Landsat 4-9 as a folder or .tar, Level 2 or Level 1
`hls`            `HLS.L30.*.B05.tif`, `HLS.S30.*.B8A.tif`: a folder of one HLS granule
`sentinel1`      `*_VV.tif`, `*_VH.tif`: a folder or .zip of one terrain-corrected scene (HyP3, OPERA)
`naip`           `m_*_YYYYMMDD.tif`: one file of the National Agriculture Imagery Program
`zarr`           `zarr.json`, `.zgroup`: a Zarr store, saved by `save_zarr` or written by xarray and others
`raster`         any file that GDAL reads; it comes last
===============  ========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from geolabel.errors import SourceError
from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.times import When

KINDS = ("stac", "sentinel2", "landsat", "hls", "sentinel1", "naip", "zarr", "raster")
"""Modules of this folder, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user said of a scene beside where it is; None where nothing was said."""

    sensor: str | None = None
    at: When | tuple[When, When] | None = None
    bands: tuple[str, ...] | None = None
    id: str | None = None
    licence: str | None = None
    chunks: int = 512
    offset: float | None = None
    res_m: float | None = None
    quantity: Quantity | None = None

    def recipe(self, source: Any) -> dict[str, Any]:
        """What `open_scene` needs to open the same scene again, as JSON values, beside the times and the licence."""
        said = {
            "sensor": self.sensor,
            "bands": None if self.bands is None else list(self.bands),
            "offset": self.offset,
            "res_m": self.res_m,
            "quantity": self.quantity,
        }
        return {"path": str(source), **{key: value for key, value in said.items() if value is not None}}


class WayIn(Protocol):
    """A module of this folder."""

    LOOKS_FOR: str
    """What it is recognised by, in words."""

    def finds(self, source: Any) -> bool:
        """Whether the source is of this kind; cheap: names and folders, no pixel."""

    def read(self, source: Any, wanted: Wanted) -> Scene:
        """The source as a Scene."""


def reader_of(source: Any) -> WayIn:
    """The way in that knows the source.

    Raises
    ------
    SourceError
        For a folder or an archive that is none of the known products; what was looked for is listed.
    """
    ways: list[WayIn] = [import_module(f"{__name__}.{kind}") for kind in KINDS]
    way = next(way for way in ways if way.finds(source))
    if way is ways[-1] and isinstance(source, str | Path) and _holds_files(Path(source)):
        raise SourceError(
            f"{source} is no product that is known; looked for {'; '.join(way.LOOKS_FOR for way in ways[:-1])}",
            hint="name the raster file inside it, or unpack the archive",
        )
    return way


def _holds_files(path: Path) -> bool:
    return path.is_dir() or (path.is_file() and path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz"))
