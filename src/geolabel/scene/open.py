"""Open a scene: whatever an analyst holds becomes lazy, harmonised bands under common names, with an audit.

Each way in is a module of `products/` with two functions: `finds(source)`, whether it is of that kind, and
`read(source, wanted)`, the Scene. The first that finds it reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.times import When
from geolabel.scene.dem import open_dem
from geolabel.scene.products import Wanted, reader_of

__all__ = ["open_dem", "open_scene"]


def open_scene(
    source: str | Path | Any,
    *,
    sensor: str | None = None,
    at: When | tuple[When, When] | None = None,
    bands: Sequence[str] | None = None,
    id: str | None = None,  # noqa: A002 - the noun's own word
    licence: str | None = None,
    chunks: int = 512,
    offset: float | None = None,
    res_m: float | None = None,
    quantity: Quantity | None = None,
) -> Scene:
    """Scene whose bands are lazy float32 (y, x) on one grid, in the sensor's quantity, NaN = no data; no pixel is read.

    Parameters
    ----------
    source
        A raster file, or a product: see `geolabel.scene.products` for the kinds that are known.
    sensor
        What made the pixels, a name of `sensors.SENSORS`. Default: what the product says; `generic` (DN as stored) for
        a plain file.
    at
        Acquisition: a date (that UTC day), an aware time, or a pair (first, last) for a composite. Default: what the
        product says; a plain file needs it.
    bands
        Of a plain file: names in the order of the file (default: its descriptions, which this overrules). Of a
        product: the bands to open, by common name (default: all).
    offset
        DN to add before scaling, for sensors whose products differ (Sentinel-2). Default: from the metadata.
    res_m
        Edge of the pixels that all bands are put on. Default: the file's, or the sensor's working resolution.
    quantity
        What the numbers are, where the metadata do not say: `gamma0_db`, `gamma0_linear`.

    Raises
    ------
    SourceError
        Where something is missing, unreadable, cut short, or of a kind that is not known.
    CRSError
        Without a CRS, or where bands lie in different ones.
    BandError
        Where bands have no name, a name is wrong or occurs twice.
    ConfigError
        For an unknown sensor.
    UnitError
        Where it is not said what the numbers are, and they could be two things.
    """
    wanted = Wanted(
        sensor=sensor,
        at=at,
        bands=(bands,) if isinstance(bands, str) else None if bands is None else tuple(bands),
        id=id,
        licence=licence,
        chunks=chunks,
        offset=offset,
        res_m=res_m,
        quantity=quantity,
    )
    return reader_of(source).read(source, wanted)
