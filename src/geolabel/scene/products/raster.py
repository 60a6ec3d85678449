"""One raster file as a scene: names, scale and offset by its sensor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from geolabel.errors import BandError, UndatedError
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.products import Wanted
from geolabel.scene.products.sentinel1 import said_of
from geolabel.scene.radar import Backscatter, calibrated
from geolabel.scene.reading import Header, read_header
from geolabel.scene.sensors import RADAR, Scaling, Sensor, common_names, decide_offset, sensor_of

LOOKS_FOR = "a raster file that GDAL reads: GeoTIFF, COG, VRT, JPEG 2000"


def finds(source: Any) -> bool:
    """Always: what no product is may be a raster file, and the error says why it is not."""
    return source is not None


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of one raster file; of radar where its bands are polarisations or the user says so."""
    kind, header = sensor_of(wanted.sensor or "generic"), read_header(source)
    if wanted.at is None:
        raise UndatedError(
            f"{header.name} does not say when it was taken", hint="at='2009-10-15', or at=(first, last) for a composite"
        )
    names, renamed = common_names(kind, _names(header, kind, wanted.bands))
    said = _backscatter(kind, header, names, wanted.quantity)
    shift, scaling = (0.0, "") if said else _scaling(kind, header, wanted.offset)
    masks, unmasked = _masks(kind, header, names)
    start, end = span(wanted.at)
    product = Product(
        id=wanted.id or header.name.rsplit(".", 1)[0],
        sensor=kind.name,
        quantity=said.quantity if said else wanted.quantity or kind.quantity,
        start=start,
        end=end,
        assets=_assets(kind, header, names, shift),
        masks=masks,
        licence=wanted.licence or kind.licence,
        audit=(
            *renamed,
            *((scaling,) if scaling else ()),
            *_other_scales(kind, names),
            *unmasked,
        ),
    )
    scene = assemble(product, res_m=wanted.res_m, chunks=wanted.chunks, recipe=wanted.recipe(source))
    return calibrated(scene, said) if said else scene


def _assets(kind: Sensor, header: Header, names: Sequence[str], shift: float) -> tuple[Asset, ...]:
    nodata = () if kind.nodata is None else (float(kind.nodata),)
    usual = Scaling(kind.scale, shift, "")
    scalings = [kind.others.get(name, usual) for name in names]
    return tuple(
        Asset(name, header.path, index, one.scale, one.offset, nodata, header, one.units)
        for index, (name, one) in enumerate(zip(names, scalings, strict=True), start=1)
        if name != kind.mask_band
    )


def _other_scales(kind: Sensor, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{name} ({one.units}) = DN * {one.scale:g} + ({one.offset:g})"
        for name, one in kind.others.items()
        if name in names
    )


def _backscatter(kind: Sensor, header: Header, names: Sequence[str], quantity: str | None) -> Backscatter | None:
    """What a radar file's numbers are; None for anything else."""
    asked = (quantity or "").startswith(("gamma0", "sigma0"))
    if not (asked or kind.name == "sentinel-1-rtc" or (kind.name == "generic" and set(names) <= RADAR)):
        return None
    return said_of(quantity, [header], header.name)


def _names(header: Header, kind: Sensor, bands: Sequence[str] | None) -> tuple[str, ...]:
    given = tuple(bands or ())
    if given and len(given) != header.count:
        raise BandError(
            f"{len(given)} names ({', '.join(given)}) for the {header.count} bands of {header.name}",
            hint="give one name for each band, in the order of the file",
        )
    usual = (kind.order if len(kind.order) == header.count else ()) or _by_file_name(header, kind)
    if not (given or header.names or usual):
        raise BandError(
            f"the {header.count} bands of {header.name} have no names",
            hint="name them in order: bands=('blue', 'green', 'red', 'nir08', 'swir16', 'swir22'), on the command line "
            "--bands blue,green,red,nir08,swir16,swir22",
        )
    return given or header.names or usual


def _by_file_name(header: Header, kind: Sensor) -> tuple[str, ...]:
    """The band id that ends the name of a file with one band: `..._SR_B5.TIF`, `...B8A.tif`."""
    stem = header.name.rsplit(".", 1)[0].lower()
    ids = [name for name in kind.aliases if re.search(rf"[_.]{re.escape(name)}$", stem)]
    return (max(ids, key=len),) if ids and header.count == 1 else ()


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
