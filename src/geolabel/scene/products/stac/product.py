"""STAC items: a file, an address, a dict or a pystac.Item becomes a scene by what the item says of its assets.

Opening asks a server only where the item does not say where a band's pixels lie (`proj:shape`, `proj:transform`), and
then for the header. Known sensors are harmonised by what they are known to give; the item's own words are held against
it, and what was decided stands in the audit. Items of one day may be opened together, as a list: the first of them, by
id, that has a value gives the pixel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from geolabel.errors import BandError, ConfigError, InputError, UndatedError
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span, utc
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.mosaic import mosaic
from geolabel.scene.products import Wanted
from geolabel.scene.products.folder import acquired, chosen_bands
from geolabel.scene.products.stac.items import is_stac, item_of
from geolabel.scene.products.stac.kinds import SPECTRUM, Kind, Said, kind_of
from geolabel.scene.products.stac.parts import Part, claimed, parts_of
from geolabel.scene.products.stac.plain import Draft, draft_of
from geolabel.scene.products.stac.scale import check_scale, offset_of
from geolabel.scene.radar import calibrated
from geolabel.scene.remote import gdal_path
from geolabel.scene.sensors import SENSORS, common_names

LOOKS_FOR = "a STAC item: *.json with a stac_version, an https:// address of an item, a pystac.Item"


def finds(source: Any) -> bool:
    """Whether the source is STAC; no server is asked."""
    return is_stac(source)


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of an item, by what it says of its assets.

    Raises
    ------
    InputError
        For a catalog or a collection, which says how many items there are and how to choose.
    BandError
        Where the item has no pixels, or does not say which bands they are.
    UnitError
        Where it does not say whether radar is dB or linear.
    SourceError
        Where a header must be read and its server does not answer.
    """
    if isinstance(source, Collection) and not isinstance(source, str | Mapping) and len(source) > 1:
        return _together(source, wanted)
    item = item_of(source)
    opened = _opened(item, wanted)
    scene = assemble(
        opened.product,
        bands=opened.bands,
        res_m=wanted.res_m,
        chunks=wanted.chunks,
        recipe=_recipe(source, item, wanted),
    )
    return calibrated(scene, opened.draft.backscatter) if opened.draft and opened.draft.backscatter else scene


def _together(sources: Collection[Any], wanted: Wanted) -> Scene:
    """One scene of several items of one day, by order of id."""
    found = sorted((item_of(source) for source in sources), key=lambda item: item.id)
    opened = [_opened(item, replace(wanted, id=None)) for item in found]
    if any(one.draft and one.draft.backscatter for one in opened):
        raise InputError(f"{len(found)} radar items at once", hint="open them one by one")
    name = wanted.id or f"{found[0].id} and {len(found) - 1} more"
    products = [(one.product, one.bands) for one in opened]
    return mosaic(products, id=name, res_m=wanted.res_m, chunks=wanted.chunks)


def product_of(source: Any, wanted: Wanted | None = None) -> Product:
    """Product of an item: which band lies where and what its numbers mean; no pixel and no header is read."""
    return _opened(item_of(source), wanted or Wanted()).product


def _recipe(source: Any, item: Any, wanted: Wanted) -> dict[str, Any]:
    """How to open it again; empty for an item that lies nowhere."""
    where = str(source) if isinstance(source, str | Path) else item.get_self_href()
    return wanted.recipe(where) if where else {}


@dataclass(frozen=True, slots=True)
class _Opened:
    product: Product
    bands: tuple[str, ...] | None
    draft: Draft | None = None


def _opened(item: Any, wanted: Wanted) -> _Opened:
    parts = parts_of(item)
    if not parts:
        raise _no_pixels(item)
    said, kind = Said.of(item, parts), kind_of(item, parts)
    start, end, dated = _times(item, wanted)
    frame = Product(id=wanted.id or item.id, sensor="", quantity="dn", start=start, end=end, assets=(), audit=dated)
    if kind is not None:
        return _known(said, kind, parts, wanted, frame)
    draft = draft_of(said, parts, wanted)
    product = replace(
        frame, sensor=draft.sensor, quantity=draft.quantity, assets=draft.assets, licence=wanted.licence or draft.licence,
        audit=(*dated, *draft.audit),
    )  # fmt: skip
    names, _ = common_names(SENSORS["generic"], wanted.bands or ())
    return _Opened(
        product, chosen_bands(replace(wanted, bands=names or None), [a.name for a in draft.assets], item.id), draft
    )


def _no_pixels(item: Any) -> BandError:
    """Why an item without raster assets is no scene."""
    held = [f"{key} ({asset.media_type or 'no media type'})" for key, asset in item.assets.items()]
    if any("label" in str(extension) for extension in item.stac_extensions):
        return BandError(
            f"{item.id} holds labels, no pixels: {', '.join(held)}",
            hint="read them as a table: geopandas.read_file(href); the scene they were drawn on is its own item",
        )
    return BandError(
        f"{item.id} has no raster asset: {', '.join(held) or 'it has no assets at all'}",
        hint="a scene needs GeoTIFF or JPEG 2000; pictures (JPEG, PNG), vectors and point clouds are not opened",
    )


def _times(item: Any, wanted: Wanted) -> tuple[datetime, datetime, tuple[str, ...]]:
    said = [item.properties.get(key) for key in ("start_datetime", "end_datetime")]
    if all(said):
        return acquired(wanted, utc(str(said[0])), utc(str(said[1])))
    if item.datetime is not None:
        return acquired(wanted, utc(item.datetime), utc(item.datetime))
    if wanted.at is None:
        raise UndatedError(f"{item.id} does not say when it was taken", hint="at='2009-10-15', or at=(first, last)")
    return (*span(wanted.at), ())


# ---------------------------------------------------------------------- items of a known sensor
def _known(said: Said, kind: Kind, parts: Sequence[Part], wanted: Wanted, frame: Product) -> _Opened:
    _check_sensor(kind, wanted, said)
    res_m = wanted.res_m or kind.res_m
    found, told = _bands_of(kind, [part for part in parts if not kind.masks(part)], res_m)
    if not found:
        raise BandError(
            f"{said.name}: none of its assets is a band of {kind.why}: {', '.join(part.key for part in parts)}",
            hint="open one file of it by its name: gl.open_scene(href, bands=(...), at=...)",
        )
    names, renamed = common_names(kind.sensor, wanted.bands or ())
    bands = chosen_bands(replace(wanted, bands=names or None), list(found), frame.id, apart=kind.apart)
    offset, words = _offset(said, kind, list(found.values()), wanted)
    masks, unmasked = _masks(kind, parts, res_m)
    left = [name for name in found if name in kind.apart and name not in bands]
    product = replace(
        frame,
        sensor=kind.sensor.name,
        quantity=kind.sensor.quantity,
        assets=tuple(_asset(kind, name, part, offset) for name, part in found.items()),
        masks=masks,
        res_m=res_m,
        licence=wanted.licence or kind.sensor.licence,
        audit=(
            *frame.audit, kind.why, *told, *renamed, *words, *unmasked,
            *((f"opened only when asked for: {', '.join(left)}",) if left else ()),
        ),
    )  # fmt: skip
    return _Opened(product, bands)


def _check_sensor(kind: Kind, wanted: Wanted, said: Said) -> None:
    if wanted.sensor not in (None, kind.sensor.name, kind.sensor.name.replace("-8-9", "").replace("-4-7", "")):
        raise ConfigError(
            f"{said.name} is {kind.why}, not {wanted.sensor!r}", hint="leave sensor out: the item says what made it"
        )


def _bands_of(kind: Kind, parts: Sequence[Part], res_m: float | None) -> tuple[Mapping[str, Part], tuple[str, ...]]:
    """(common name -> the file to read it from, in words where the item calls a band otherwise)."""
    files: dict[str, list[Part]] = {}
    words: dict[str, None] = {}
    for part in parts:
        name, band_id = kind.name_of(part)
        if not name or part.count > 1:  # a picture of several bands has the id of none
            continue
        files.setdefault(name, []).append(part)
        if not name.startswith(part.common_name):
            words[f"{band_id} is {name}, although the item calls it {part.common_name}"] = None
    return {name: _best(files[name], res_m) for name in SPECTRUM if name in files}, tuple(words)


def _best(parts: Sequence[Part], res_m: float | None) -> Part:
    """Of the files of one band that with the wanted pixels, else the coarsest finer one, else the finest; TIFF first."""

    def rank(part: Part) -> tuple[float, bool]:
        res = part.res_m
        if res is None or res_m is None:
            return 0.0, "tiff" not in part.media
        return (res_m - res if res <= res_m else res * 1e6), "tiff" not in part.media

    return min(parts, key=rank)


def _asset(kind: Kind, name: str, part: Part, offset: float) -> Asset:
    other, sensor = kind.sensor.others.get(name), kind.sensor
    nodata = tuple(sorted({*part.nodata, *(() if sensor.nodata is None else (float(sensor.nodata),))}))
    scale, shift = (other.scale, other.offset) if other else (sensor.scale, offset)
    return Asset(
        name, gdal_path(part.href), part.index, scale, shift, nodata,
        units=other.units if other else "", header=claimed(part, sensor.nodata),
    )  # fmt: skip


def _offset(said: Said, kind: Kind, parts: Sequence[Part], wanted: Wanted) -> tuple[float, tuple[str, ...]]:
    """(offset in units of the value, what is applied in words)."""
    sensor = kind.sensor
    if sensor.quantity == "dn":
        return 0.0, ("uncalibrated: DN as stored, no scale, no offset; indices hold within this scene only",)
    usual = [part for part in parts if kind.name_of(part)[0] not in sensor.others]
    against = check_scale(said, usual, sensor)
    if sensor.offset_varies:
        shift, why = offset_of(said, usual, sensor, wanted.offset)
    elif wanted.offset is not None:
        raise ConfigError(
            f"offset={wanted.offset:g} for {said.name}, whose offset is fixed", hint="it is for Sentinel-2"
        )
    else:
        shift, why = sensor.offset, f"by {sensor.name}"
    return shift, (f"{sensor.quantity} = DN * {sensor.scale:g} + ({shift:g}), {why}", *against)


def _masks(kind: Kind, parts: Sequence[Part], res_m: float | None) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    found, sensor = [part for part in parts if kind.masks(part)], kind.sensor
    if not found:
        return (), (f"no {sensor.mask_band or 'mask'} band: clouds are not masked",)
    part = _best(found, res_m)
    return (
        Mask(
            sensor.mask_band,
            gdal_path(part.href),
            part.index,
            sensor.mask_bits,
            sensor.mask_classes,
            claimed(part, 0.0),
        ),
    ), ()
