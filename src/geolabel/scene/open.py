"""Open a scene: one raster file becomes lazy, harmonised bands under common names, with an audit of what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

from geolabel.digests import digest
from geolabel.errors import BandError
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import When, iso, span
from geolabel.scene.dem import open_dem
from geolabel.scene.frame import dataset
from geolabel.scene.reading import Header, lazy, read_header
from geolabel.scene.sensors import Sensor, common_names, decide_offset, is_masked, sensor_of, to_values

__all__ = ["open_dem", "open_scene"]


def open_scene(
    path: str | Path,
    *,
    sensor: str = "generic",
    at: When | tuple[When, When],
    bands: Sequence[str] | None = None,
    id: str | None = None,  # noqa: A002 - the noun's own word
    licence: str = "unknown",
    chunks: int = 512,
    offset: float | None = None,
) -> Scene:
    """Scene whose bands are lazy float32 (y, x), reflectance or DN as `sensor` says, NaN = no data; no pixel is read.

    Parameters
    ----------
    at
        Acquisition: a date (that UTC day), an aware time, or a pair (first, last) for a composite.
    bands
        Names in the order of the file. Default: the descriptions in the file, which this argument overrules.
    offset
        DN to add before scaling, for sensors whose products differ (Sentinel-2). Default: from the file's metadata.

    Raises
    ------
    SourceError
        Where the file is missing, unreadable or cut short.
    CRSError
        Without a CRS.
    BandError
        Where bands have no name, the number of names is wrong or a name occurs twice.
    ConfigError
        For an unknown sensor.
    """
    kind, header, (start, end) = sensor_of(sensor), read_header(path), span(at)
    names, renamed = common_names(kind, _names(header, bands))
    shift, scaling = _scaling(kind, header, offset)
    nodata = _nodata(kind, header)
    dn = dict(zip(names, lazy(header, chunks), strict=True))
    convert = partial(to_values, scale=kind.scale, offset=shift, nodata=nodata)
    values = {name: da.map_blocks(convert, a, dtype="float32") for name, a in dn.items() if name != kind.mask_band}
    data, masking = _masked(values, dn.get(kind.mask_band), kind)
    return Scene(
        id=id or header.path.stem,
        start=start,
        end=end,
        grid=header.grid,
        data=dataset(data, header.grid),
        sensor=kind.name,
        quantity=kind.quantity,
        source=(header.path.name,),
        digest=digest(header.digest, kind.name, list(names), shift, iso(start), iso(end)),
        licence=licence,
        audit=(*renamed, scaling, _nodata_words(nodata), *masking),
        recipe={"path": str(path), "sensor": sensor, "bands": None if bands is None else list(bands)},
    )


def _names(header: Header, bands: Sequence[str] | None) -> tuple[str, ...]:
    given = (bands,) if isinstance(bands, str) else tuple(bands or ())
    if given and len(given) != header.count:
        raise BandError(
            f"{len(given)} names ({', '.join(given)}) for the {header.count} bands of {header.path.name}",
            hint="give one name for each band, in the order of the file",
        )
    if not (given or header.names):
        raise BandError(
            f"the {header.count} bands of {header.path.name} have no names",
            hint="name them in order: bands=('blue', 'green', 'red', 'nir08', 'swir16', 'swir22'), on the command line "
            "--bands blue,green,red,nir08,swir16,swir22",
        )
    return given or header.names


def _scaling(sensor: Sensor, header: Header, offset: float | None) -> tuple[float, str]:
    """(offset in units of the value, what is applied in words)."""
    if sensor.quantity == "dn":
        return 0.0, "uncalibrated: DN as stored, no scale, no offset; indices hold within this scene only"
    if not sensor.offset_varies:
        return sensor.offset, f"{sensor.quantity} = DN * {sensor.scale:g} + ({sensor.offset:g}), by {sensor.name}"
    shift, why = decide_offset(sensor, header.tags, offset)
    return shift, f"{sensor.quantity} = DN * {sensor.scale:g} + ({shift:g}), by {sensor.name}; {why}"


def _nodata(sensor: Sensor, header: Header) -> tuple[float, ...]:
    said = {value for value in (sensor.nodata, header.nodata) if value is not None and not np.isnan(value)}
    return tuple(sorted(float(value) for value in said))


def _nodata_words(nodata: tuple[float, ...]) -> str:
    return f"no data where DN is {' or '.join(f'{v:g}' for v in nodata)}" if nodata else "no nodata value is declared"


def _masked(values: Mapping[str, Any], flags: Any, sensor: Sensor) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """(bands with masked pixels NaN, what was masked in words)."""
    if flags is None:
        return values, (f"no {sensor.mask_band} band: clouds are not masked",) if sensor.mask_band else ()
    masked = da.map_blocks(partial(is_masked, sensor=sensor), flags, dtype=bool)
    what = ", ".join((sensor.mask_bits or sensor.mask_classes).values())
    clear = {name: da.where(masked, np.float32(np.nan), band) for name, band in values.items()}
    return clear, (f"masked by {sensor.mask_band}: {what}",)
