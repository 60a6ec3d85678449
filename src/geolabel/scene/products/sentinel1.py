"""A folder (or .zip) of one radiometrically terrain-corrected Sentinel-1 scene: `*_VV.tif`, `*_VH.tif` (or HH, HV).

Whether its numbers are gamma0 or sigma0, linear or dB is read from units, tags and the product's name, never guessed.

Source: ASF HyP3 RTC product README (names; `ls_map`: sum of 1 tested, 2 and 4 layover, 8 and 16 shadow); NASA/JPL OPERA
RTC-S1 Product Specification, JPL D-108758 (names, tags, classes of `mask`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from geolabel.errors import UndatedError, UnitError
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import When, span
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from geolabel.scene.products import Wanted
from geolabel.scene.products.folder import Files, acquired, check_said, chosen_bands, one_product, product_folder
from geolabel.scene.radar import Backscatter, Coefficient, Scale, backscatter_of, calibrated
from geolabel.scene.reading import Header, read_header
from geolabel.scene.sensors import SENSORS, common_names

LOOKS_FOR = "*_VV.tif with *_VH.tif (or HH, HV): a Sentinel-1 RTC folder or its .zip (HyP3, OPERA)"
FILE = r"(?P<product>[^/]+)_(?P<band>VV|VH|HH|HV)\.tiff?$"
STAMP = re.compile(r"(?<!\d)(\d{8}T\d{6})Z?(?!\d)")
LS_MAP = {1: "layover", 2: "layover", 3: "shadow", 4: "shadow"}
"""Bits of HyP3's layover and shadow map; bit 0 says that a pixel was tested."""
MASK = {1: "shadow", 2: "layover", 3: "layover and shadow", 255: "invalid"}
"""Classes of OPERA's mask."""


def finds(source: Any) -> bool:
    """Whether the source is a folder or .zip with a file for each polarisation."""
    folder = product_folder(source)
    return folder is not None and bool(Files.of(folder).matching(FILE))


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of backscatter, as its metadata say it is, or as `quantity` says; layover and shadow are masked.

    Raises
    ------
    UnitError
        Where nothing says whether the numbers are dB or linear; when computed, where values contradict it.
    UndatedError
        Where neither the name nor the user says when it was taken.
    InputError
        Where the folder holds several products.
    """
    files = Files.of(Path(source))
    found = {name: cast(re.Match[str], re.search(FILE, name, re.IGNORECASE)) for name in files.matching(FILE)}
    name = one_product(files.root, {match["product"]: file for file, match in found.items()}, "radar products")
    check_said(wanted, sensors=("sentinel-1-rtc",), product=name)
    paths = {match["band"].lower(): files.path(file) for file, match in found.items()}
    bands, _ = common_names(SENSORS["sentinel-1-rtc"], wanted.bands or ())
    headers = {band: read_header(paths[band]) for band in chosen_bands(wanted, sorted(paths, reverse=True), name)}
    said = said_of(wanted.quantity, list(headers.values()), name)
    scene = assemble(
        _product(files, name, said, headers, wanted),
        bands=bands or None,
        res_m=wanted.res_m,
        chunks=wanted.chunks,
        recipe=wanted.recipe(source),
    )
    return calibrated(scene, said)


def said_of(quantity: str | None, headers: Sequence[Header], product: str) -> Backscatter:
    """What the numbers of radar files are: as given, else as their metadata say.

    Raises
    ------
    UnitError
        Where nothing says whether they are dB or linear, or what is given is no backscatter.
    """
    if quantity is None:
        tags = {key: text for header in headers for key, text in header.tags.items()}
        units = [unit for header in headers for unit in header.units]
        return backscatter_of(tags, units=units, names=[n for header in headers for n in header.names], product=product)
    coefficient, _, scale = quantity.partition("_")
    if coefficient not in ("gamma0", "sigma0"):
        raise UnitError(f"{product} is radar, not {quantity}", hint="quantity='gamma0_db' or 'gamma0_linear'")
    return Backscatter(cast(Coefficient, coefficient), cast(Scale, scale), "as given")


def _product(files: Files, name: str, said: Backscatter, headers: Mapping[str, Header], wanted: Wanted) -> Product:
    start, end, dated = _times(name, wanted)
    masks, unmasked = _masks(files, name)
    return Product(
        id=wanted.id or name,
        sensor="sentinel-1-rtc",
        quantity=said.quantity,
        start=start,
        end=end,
        assets=tuple(Asset(band, header.path, header=header) for band, header in headers.items()),
        masks=masks,
        licence=wanted.licence or SENSORS["sentinel-1-rtc"].licence,
        audit=(*dated, *unmasked),
    )


def _times(name: str, wanted: Wanted) -> tuple[datetime, datetime, tuple[str, ...]]:
    """(start, end, words): the first time in the product's name is that of acquisition."""
    found = STAMP.search(name)
    if found is None and wanted.at is None:
        raise UndatedError(f"{name} does not say when it was taken", hint="at='2020-09-23T18:15:39Z'")
    if found is None:
        return (*span(cast(When, wanted.at)), ())
    when = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return acquired(wanted, when, when)


def _masks(files: Files, name: str) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    """HyP3's map or OPERA's classes, whichever lies beside the bands."""
    if found := files.matching(f"{re.escape(name)}_ls_map\\.tiff?$"):
        return (Mask("ls_map", files.path(found[0]), bits=LS_MAP),), ()
    if found := files.matching(f"{re.escape(name)}_mask\\.tiff?$"):
        return (Mask("mask", files.path(found[0]), classes=MASK),), ()
    return (), ("no map of layover and shadow: they are not masked",)
