"""Landsat bundles, found by their MTL: Collection 2 Level 2 (surface), and Level 1 of any time (top of atmosphere).

Level 1 becomes reflectance at the top of the atmosphere (`toa_reflectance`), corrected for the height of the sun. Its
thermal bands are left out: brightness temperature is no linear function of DN. Surface temperature (`lwir11`, in
kelvin) and the panchromatic band are opened when they are asked for, so that a scene holds one quantity by default.

Source: USGS LSDS-1619 and LSDS-1618 (Collection 2 Level 2), LSDS-1822 and LSDS-1656 (Level 1): reflectance =
(REFLECTANCE_MULT_BAND * DN + REFLECTANCE_ADD_BAND) / sin(SUN_ELEVATION).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from geolabel.errors import BandError, InputError
from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.times import utc
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.products import Wanted
from geolabel.scene.products.folder import (
    Files,
    acquired,
    check_quantity,
    check_said,
    chosen_bands,
    missing_bands,
    number,
    one_product,
    product_folder,
)
from geolabel.scene.products.mtl import Groups, groups_of
from geolabel.scene.reading import Header, read_header
from geolabel.scene.sensors import BQA_BEFORE, BQA_COLLECTION_1, OLI, QA_PIXEL, SENSORS, TM, common_names

LOOKS_FOR = "*_MTL.txt, *_MTL.json or *_MTL.xml: a Landsat bundle, as a folder or .tar"
METADATA = r"_MTL\.(txt|json|xml)$"
FILE = re.compile(r"_(?P<kind>SR_|ST_|)B(?P<band>\d{1,2})(_VCID_\d)?\.tiff?$", re.IGNORECASE)
QUALITY = r"_(QA_PIXEL|BQA)\.tiff?$"
IDENTITY = re.compile(r"L[COTEM]\d\d_L\d\w\w_\d{6}_\d{8}_\d{8}_\d\d_\w\w|L[COTEM]\d{14}\w{3}\d\d")
"""Names of products, since the collections and before."""
ASKED_FOR = ("pan", "lwir", "lwir11", "lwir12")
"""Bands of another quantity or another resolution."""
AROUND_DEG = 0.1
"""How far outside the corners of the metadata an image may begin."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the MTL says of the product."""

    id: str
    spacecraft: int
    level: int
    collection: int
    """0 before the collections."""
    when: datetime
    bands: Mapping[str, str]
    """Band number -> common name."""
    groups: Groups

    @property
    def sensor(self) -> str:
        """`landsat-c2-l2`, `landsat-c1-l1`, or `landsat-l1` before the collections."""
        return f"landsat-{f'c{self.collection}-' if self.collection else ''}l{self.level}"


def finds(source: Any) -> bool:
    """Whether the source is an MTL file, or a folder or .tar that holds one."""
    folder = product_folder(source, metadata=METADATA)
    return folder is not None and bool(Files.of(folder).matching(METADATA))


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of a bundle on its 30 m grid (or `res_m`), masked by its quality band; DN 0 is no data.

    Raises
    ------
    InputError
        Where the MTL is of another product than the images, the folder holds several, or the sun was down.
    SourceError
        Where an image that was asked for is missing, or the MTL cannot be read.
    BandError
        For Level-2 products before Collection 2, and where there is no band.
    """
    folder = product_folder(source, metadata=METADATA) or Path(source)
    files = Files.of(folder)
    name = _manifest(files, source)
    said = said_by(groups_of(files.text(name), name), name)
    if said.level == 2 and said.collection != 2:
        raise BandError(f"{said.id} is Level 2 of Collection {said.collection}", hint="order it from Collection 2")
    numbered = "landsat-8-9-c2-l2" if said.bands is OLI else "landsat-4-7-c2-l2"
    check_said(wanted, sensors=(said.sensor, *((numbered,) if said.level == 2 else ())), product=said.id)
    names, renamed = common_names(SENSORS[numbered], wanted.bands or ())
    return assemble(
        _product(files, name, said, replace(wanted, bands=names or None), renamed),
        bands=names or None,
        res_m=wanted.res_m,
        chunks=wanted.chunks,
        recipe=wanted.recipe(source),
    )


def _manifest(files: Files, source: Any) -> str:
    """The MTL: the one named, else the only one (its three forms are one)."""
    named = Path(source).name
    if re.search(METADATA, named, re.IGNORECASE):
        return named
    found = files.matching(METADATA)
    stem = one_product(files.root, {_stem(name): name for name in found}, "Landsat products")
    return next(name for name in found if _stem(name) == stem)


def _stem(manifest: str) -> str:
    return re.sub(METADATA, "", manifest, flags=re.IGNORECASE)


def _product(files: Files, manifest: str, said: Said, wanted: Wanted, renamed: tuple[str, ...]) -> Product:
    quantity: Quantity = "reflectance" if said.level == 2 else "toa_reflectance"
    check_quantity(wanted, quantity, said.id)
    images = _images(files, manifest, said)
    lacking = missing_bands(wanted, _listed(said), list(images), said.id)
    chosen = chosen_bands(wanted, images, said.id, apart=ASKED_FOR)
    assets = tuple(_asset(files, name, images[name], said) for name in chosen)
    masks, unmasked = _masks(files, manifest, said)
    start, end, dated = acquired(wanted, said.when, said.when)
    return Product(
        id=wanted.id or said.id,
        sensor=said.sensor,
        quantity=quantity,
        start=start,
        end=end,
        assets=assets,
        masks=masks,
        licence=wanted.licence or SENSORS["landsat-c2-l2"].licence,
        audit=(*dated, *renamed, _scaling(said, assets), *lacking, *_left_out(images, chosen, said), *unmasked),
    )


def _scaling(said: Said, assets: tuple[Asset, ...]) -> str:
    """Scale and offset in words, one for all bands that share them."""
    where = "at the surface" if said.level == 2 else f"at the top of the atmosphere, sun at {said_sun(said):g} deg"
    by = {(one.scale, one.offset, one.units): [o.name for o in assets if (o.scale, o.offset) == (one.scale, one.offset)]
          for one in assets}  # fmt: skip
    words = [
        f"{', '.join(names)}{f' ({units})' if units else ''} = DN * {scale:.6g} + ({offset:.6g})"
        for (scale, offset, units), names in by.items()
    ]
    return f"Landsat {said.spacecraft}, reflectance {where}: {'; '.join(words)}"


def _left_out(images: Mapping[str, str], chosen: tuple[str, ...], said: Said) -> tuple[str, ...]:
    words = [name for name in images if name in ASKED_FOR and name not in chosen]
    thermal = ("thermal bands are left out: brightness temperature is not linear in DN",) if said.level == 1 else ()
    return (*((f"opened only when asked for: {', '.join(words)}",) if words else ()), *thermal)


# ---------------------------------------------------------------- files
def _images(files: Files, manifest: str, said: Said) -> dict[str, str]:
    """Common name -> file, in the order of the bands."""
    stem = f"{_stem(manifest)}_"
    kinds = ("SR_", "ST_") if said.level == 2 else ("",)
    found = {}
    for name in files.names:
        band = FILE.search(name)
        if band and name.startswith(stem) and band["kind"].upper() in kinds:
            common = said.bands.get(str(int(band["band"])), "")
            if said.level == 2 or not common.startswith("lwir"):
                found[common] = name
    if not found:
        raise InputError(
            f"no Level-{said.level} band beside {manifest}: looked for {stem}{kinds[0]}B*.TIF",
            hint="the MTL and its images have the same beginning, as they were delivered",
        )
    return {name: found[name] for name in said.bands.values() if name in found}


def _listed(said: Said) -> dict[str, str]:
    """Common name -> the file's name as it was delivered."""
    pattern = re.compile(r"FILE_NAME_BAND_(ST_B)?(\d+)")
    files = said.groups.all()
    named = {found[2]: str(file) for key, file in files.items() if (found := pattern.fullmatch(key))}
    common = {said.bands.get(band, ""): file for band, file in named.items()}
    return {name: file for name, file in common.items() if name and name not in ASKED_FOR and FILE.search(file)}


def _asset(files: Files, name: str, file: str, said: Said) -> Asset:
    path = files.path(file)
    header = read_header(path)
    _check_place(header, said)
    scale, offset = _calibration(said, name)
    return Asset(name, path, 1, scale, offset, (0.0,), header, "K" if name.startswith("lwir") else "")


def _check_place(header: Header, said: Said) -> None:
    corners = {axis: [float(text) for key, text in said.groups.all().items()
                      if re.fullmatch(rf"CORNER_\w\w_{axis}_PRODUCT", key)] for axis in ("LON", "LAT")}  # fmt: skip
    if not (corners["LON"] and corners["LAT"]):
        return
    middle = header.grid.lonlat(header.grid.height // 2, header.grid.width // 2)
    for where, (axis, values) in zip((middle.lon, middle.lat), corners.items(), strict=True):
        across = axis == "LON" and max(values) - min(values) > 180  # the product lies on the antimeridian
        if not across and not min(values) - AROUND_DEG <= where <= max(values) + AROUND_DEG:
            raise InputError(
                f"{header.name} lies at {middle}, the MTL is of {said.id} at {axis.lower()} {min(values):.2f} .. "
                f"{max(values):.2f}",
                hint="the MTL is of another product: keep each in its own folder",
            )


def _masks(files: Files, manifest: str, said: Said) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    found = [name for name in files.matching(QUALITY) if name.startswith(f"{_stem(manifest)}_")]
    if not found:
        return (), ("no quality band: clouds are not masked",)
    bits = {0: BQA_BEFORE, 1: BQA_COLLECTION_1, 2: QA_PIXEL}[said.collection]
    name = "qa_pixel" if said.collection == 2 else "bqa"
    return (Mask(name, files.path(found[0]), bits=bits),), ()


# ---------------------------------------------------------------- metadata
def said_by(groups: Groups, name: str) -> Said:
    """What an MTL says of its product.

    Raises
    ------
    InputError
        Where it lacks what is needed, or names another product than the file's own name does.
    """
    level2 = groups.first("PROCESSING_LEVEL", "DATA_TYPE").upper().startswith("L2")
    craft = groups.first("SPACECRAFT_ID")
    spacecraft = int(number(craft[-1:], "SPACECRAFT_ID", kind=int))
    if spacecraft not in (4, 5, 7, 8, 9):
        raise InputError(f"{name} is of {craft}", hint="Landsat 4, 5, 7, 8 and 9 are read (TM, ETM+, OLI)")
    identity = groups.first("LANDSAT_PRODUCT_ID", "LANDSAT_SCENE_ID")
    own = IDENTITY.match(name)
    if own and own[0] not in (identity, groups.first("LANDSAT_SCENE_ID", default="")):
        raise InputError(f"{name} says that it is of {identity}", hint="the MTL is of another product")
    when = f"{groups.first('DATE_ACQUIRED')}T{groups.first('SCENE_CENTER_TIME').rstrip('Z')}Z"
    return Said(
        id=identity,
        spacecraft=spacecraft,
        level=2 if level2 else 1,
        collection=int(number(groups.first("COLLECTION_NUMBER", default="0"), "COLLECTION_NUMBER", kind=int)),
        when=utc(when, what="DATE_ACQUIRED and SCENE_CENTER_TIME"),
        bands=OLI if spacecraft >= 8 else TM,
        groups=groups,
    )


def said_sun(said: Said) -> float:
    """Height of the sun, degrees."""
    return number(said.groups.first("SUN_ELEVATION"), "SUN_ELEVATION")


def _calibration(said: Said, name: str) -> tuple[float, float]:
    """(scale, offset) of a band, from the group of its level: both levels stand in one MTL under the same keys."""
    band = next(n for n, common in said.bands.items() if common == name)
    if said.level == 1:
        return _top_of_atmosphere(said, band)
    thermal = name.startswith("lwir")
    group = "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS" if thermal else "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
    key = f"TEMPERATURE_{{}}_BAND_ST_B{band}" if thermal else f"REFLECTANCE_{{}}_BAND_{band}"
    return _pair(said, group, key)


def _top_of_atmosphere(said: Said, band: str) -> tuple[float, float]:
    sun = said_sun(said)
    if sun <= 0:
        raise InputError(f"{said.id} was taken with the sun at {sun:g} deg", hint="a night scene has no reflectance")
    group = "LEVEL1_RADIOMETRIC_RESCALING" if said.collection == 2 else "RADIOMETRIC_RESCALING"
    scale, offset = _pair(said, group, f"REFLECTANCE_{{}}_BAND_{band}")
    return scale / math.sin(math.radians(sun)), offset / math.sin(math.radians(sun))


def _pair(said: Said, group: str, key: str) -> tuple[float, float]:
    found = [said.groups.first(key.format(what), group=group) for what in ("MULT", "ADD")]
    return number(found[0], key.format("MULT")), number(found[1], key.format("ADD"))
