"""A folder of one Harmonized Landsat Sentinel-2 granule (HLS v2.0, L30 or S30), by the names of its files.

Source: NASA HLS v2.0 User Guide: reflectance = DN * 0.0001, no data -9999; thermal bands of L30 in units of 0.01
degrees Celsius; bits of Fmask.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geolabel.errors import GeolabelWarning, InputError
from geolabel.nouns.scene import Scene
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.products import Wanted
from geolabel.scene.products.folder import (
    Files,
    acquired,
    check_quantity,
    check_said,
    chosen_bands,
    one_product,
    product_folder,
)
from geolabel.scene.reading import read_header
from geolabel.scene.sensors import SENSORS, Sensor, common_names

LOOKS_FOR = "HLS.L30.*.B05.tif or HLS.S30.*.B8A.tif: files of one HLS granule"
FILE = re.compile(
    r"(?P<granule>HLS\.(?P<kind>[LS]30)\.T\w{5}\.(?P<when>\d{7}T\d{6})\.v[\d.]+?)\.(?P<band>B\w\w|Fmask)\.tiff?$"
)


def finds(source: Any) -> bool:
    """Whether the source is a folder with bands of HLS."""
    folder = product_folder(source)
    return folder is not None and folder.is_dir() and any(FILE.search(path.name) for path in folder.iterdir())


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of a granule: reflectance at the surface, masked by Fmask (water is kept).

    Thermal bands of L30 (`lwir11`, `lwir12`, in kelvin) are opened when they are asked for.

    Raises
    ------
    InputError
        Where the folder holds several granules.
    BandError
        Where a band that was asked for is not there.
    """
    files = Files.of(Path(source))
    found = {name: match for name in files.names if (match := FILE.search(name))}
    granule = one_product(files.root, {match["granule"]: name for name, match in found.items()}, "HLS granules")
    kind = next(iter(found.values()))
    sensor = SENSORS[f"hls-{kind['kind'].lower()}"]
    check_said(wanted, sensors=(sensor.name,), product=granule)
    check_quantity(wanted, sensor.quantity, granule)
    names, renamed = common_names(sensor, wanted.bands or ())
    images = {match["band"].lower(): files.path(name) for name, match in found.items()}
    start, end, dated = acquired(wanted, *[_when(kind["when"], granule)] * 2)
    assets = _assets(images, sensor, replace(wanted, bands=names or None), granule)
    masks, unmasked = _masks(images, sensor)
    product = Product(
        id=wanted.id or granule,
        sensor=sensor.name,
        quantity=sensor.quantity,
        start=start,
        end=end,
        assets=assets,
        masks=masks,
        licence=wanted.licence or sensor.licence,
        audit=(*dated, *renamed, f"reflectance at the surface = DN * {sensor.scale:g}, by {sensor.name}", *unmasked),
    )
    return assemble(
        product, bands=names or None, res_m=wanted.res_m, chunks=wanted.chunks, recipe=wanted.recipe(source)
    )


def _when(text: str, granule: str) -> datetime:
    """Year, day of the year, time: `2021001T234911`."""
    try:
        return datetime.strptime(text, "%Y%jT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"the time {text} in the name {granule} is none", hint="keep the names as delivered") from None


def _assets(images: Mapping[str, str], sensor: Sensor, wanted: Wanted, granule: str) -> tuple[Asset, ...]:
    named = {common: images[band] for band, common in sensor.aliases.items() if band in images}
    chosen = chosen_bands(wanted, named, granule, apart=tuple(sensor.others))
    return tuple(_asset(name, named[name], sensor) for name in chosen)


def _asset(name: str, path: str, sensor: Sensor) -> Asset:
    header, other = read_header(path), sensor.others.get(name)
    scale, offset, units = (other.scale, other.offset, other.units) if other else (sensor.scale, sensor.offset, "")
    said = header.tags.get("scale_factor", "")
    if said and abs(float(said) - scale) > 1e-9:
        words = f"{header.name} says scale_factor {said}, HLS v2.0 has {scale:g}: {scale:g} is taken"
        warnings.warn(words, GeolabelWarning, stacklevel=4)
    return Asset(name, path, 1, scale, offset, (float(sensor.nodata or 0),), header, units)


def _masks(images: Mapping[str, str], sensor: Sensor) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    if "fmask" not in images:
        return (), ("no Fmask: clouds are not masked",)
    return (Mask("fmask", images["fmask"], bits=sensor.mask_bits),), ()
