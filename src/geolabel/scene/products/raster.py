"""One raster file as a scene: names, scale and offset by its sensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geolabel.errors import BandError, UndatedError
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.products import Wanted
from geolabel.scene.reading import Header, read_header
from geolabel.scene.sensors import Sensor, common_names, decide_offset, sensor_of


def finds(source: Any) -> bool:
    """Always: what no product is may be a raster file, and the error says why it is not."""
    return source is not None


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of one raster file."""
    kind, header = sensor_of(wanted.sensor or "generic"), read_header(source)
    if wanted.at is None:
        raise UndatedError(
            f"{header.name} does not say when it was taken", hint="at='2009-10-15', or at=(first, last) for a composite"
        )
    start, end = span(wanted.at)
    names, renamed = common_names(kind, _names(header, kind, wanted.bands))
    shift, scaling = _scaling(kind, header, wanted.offset)
    nodata = () if kind.nodata is None else (float(kind.nodata),)
    assets = tuple(
        Asset(name, header.path, index, kind.scale, shift, nodata, header)
        for index, name in enumerate(names, start=1)
        if name != kind.mask_band
    )
    masks, unmasked = _masks(kind, header, names)
    product = Product(
        id=wanted.id or header.name.rsplit(".", 1)[0],
        sensor=kind.name,
        quantity=wanted.quantity or kind.quantity,
        start=start,
        end=end,
        assets=assets,
        masks=masks,
        licence=wanted.licence or "unknown",
        audit=(*renamed, scaling, *unmasked),
    )
    return assemble(product, res_m=wanted.res_m, chunks=wanted.chunks, recipe=wanted.recipe(source))


def _names(header: Header, kind: Sensor, bands: Sequence[str] | None) -> tuple[str, ...]:
    given = tuple(bands or ())
    if given and len(given) != header.count:
        raise BandError(
            f"{len(given)} names ({', '.join(given)}) for the {header.count} bands of {header.name}",
            hint="give one name for each band, in the order of the file",
        )
    usual = kind.order if len(kind.order) == header.count else ()
    if not (given or header.names or usual):
        raise BandError(
            f"the {header.count} bands of {header.name} have no names",
            hint="name them in order: bands=('blue', 'green', 'red', 'nir08', 'swir16', 'swir22'), on the command line "
            "--bands blue,green,red,nir08,swir16,swir22",
        )
    return given or header.names or usual


def _scaling(sensor: Sensor, header: Header, offset: float | None) -> tuple[float, str]:
    """(offset in units of the value, what is applied in words)."""
    if sensor.quantity == "dn":
        return 0.0, "uncalibrated: DN as stored, no scale, no offset; indices hold within this scene only"
    if not sensor.offset_varies:
        return sensor.offset, f"{sensor.quantity} = DN * {sensor.scale:g} + ({sensor.offset:g}), by {sensor.name}"
    shift, why = decide_offset(sensor, header.tags, offset)
    return shift, f"{sensor.quantity} = DN * {sensor.scale:g} + ({shift:g}), by {sensor.name}; {why}"


def _masks(sensor: Sensor, header: Header, names: Sequence[str]) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    """(the masks in the file, that there is none in words)."""
    if not sensor.mask_band:
        return (), ()
    if sensor.mask_band not in names:
        return (), (f"no {sensor.mask_band} band: clouds are not masked",)
    index = names.index(sensor.mask_band) + 1
    return (Mask(sensor.mask_band, header.path, index, sensor.mask_bits, sensor.mask_classes, header),), ()
