"""Sentinel-2 products: a `.SAFE` folder or its `.zip`, Level-2A (surface reflectance) or Level-1C (top of atmosphere).

Scale and offset come from the product's own metadata, band by band; a date decides nothing. Level-1C is opened because
ratios such as NBR hold there too, as another quantity (`toa_reflectance`), so that it is never compared with Level-2A
unnoticed.

Source: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), from issue 14.9: reflectance =
(DN + ADD_OFFSET) / QUANTIFICATION_VALUE; special values NODATA and SATURATED.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from geolabel.errors import GeolabelWarning, InputError, SourceError
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
    missing_bands,
    number,
    one_product,
    product_folder,
)
from geolabel.scene.sensors import BASELINE_WITH_OFFSET, SENSORS, common_names, decide_offset

LOOKS_FOR = "MTD_MSIL2A.xml or MTD_MSIL1C.xml: a Sentinel-2 .SAFE folder or its .zip"
METADATA = r"(^|/)MTD_MSI(L2A|L1C)\.xml$"
RES_M = 20.0
"""Working resolution: NBR takes B8A and B12, both of 20 m."""
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""In the order of `band_id` in the metadata."""
NATIVE_M = dict.fromkeys(("B02", "B03", "B04", "B08"), 10.0) | dict.fromkeys(("B01", "B09", "B10"), 60.0)
"""Pixel edge of a band's own, 20 m where it is not said; Level-1C does not write it in its names."""
FILE = re.compile(r"/IMG_DATA/.*?(?P<band>B\d[\dA]|SCL)(_(?P<res>\d\d)m)?\.(jp2|tiff?)$", re.IGNORECASE)
STAMP = re.compile(r"(T\d\d[A-Z]{3})_(\d{8}T\d{6})")
UNKNOWN_BASELINE = 90.0
"""Baselines from here up (99.99) are those of trial processors and say nothing."""
Images = Mapping[str, Mapping[float, str]]
"""Band -> pixel edge, m -> file."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the product's XML says."""

    level: str
    uri: str
    """The product's full name; empty where it is not said."""
    baseline: str
    start: datetime
    end: datetime
    quantification: float
    offsets: Mapping[str, float]
    """Band -> DN to add; empty where none are listed."""
    special: tuple[float, ...]
    """DN that are no measurements: no data, saturated."""
    listed: Mapping[str, str]
    """Band -> an image file of it, without folder and ending."""


def finds(source: Any) -> bool:
    """Whether the source is a .SAFE folder, its archive, its metadata file, or a folder that holds a .SAFE."""
    folder = product_folder(source, metadata=METADATA)
    return folder is not None and bool(_manifests(folder))


def _manifests(folder: Path) -> dict[str, Path]:
    """Metadata file, relative to the folder or archive that holds the product -> that folder or archive."""
    if not folder.is_dir():
        return dict.fromkeys(Files.of(folder).matching(METADATA), folder)
    found = [*folder.glob("MTD_MSIL*.xml"), *folder.glob("*.SAFE/MTD_MSIL*.xml")]
    return {path.relative_to(folder).as_posix(): path.parent for path in found if re.search(METADATA, path.name)}


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of a product on its 20 m grid (or `res_m`): each band from its file nearest to that resolution, clouds masked.

    Raises
    ------
    InputError
        Where the metadata are of another product than the images, or the folder holds several.
    SourceError
        Where an image that was asked for is missing, or the metadata cannot be read.
    """
    folder = product_folder(source, metadata=METADATA) or Path(source)
    manifests = _manifests(folder)
    manifest = one_product(folder, manifests, "Sentinel-2 products")
    files = Files.of(manifests[manifest], deep=True)
    said = metadata_of(files.text(files.matching(METADATA)[0]), manifest)
    check_said(wanted, sensors=(f"sentinel-2-{said.level.lower()}",), product=folder.name, offset=True)
    images = _images(files, said, manifest)
    names, renamed = common_names(SENSORS["sentinel-2-l2a"], wanted.bands or ())
    known = replace(wanted, bands=names or None)
    return assemble(
        _product(files, said, images, known, renamed),
        bands=known.bands,
        res_m=wanted.res_m,
        chunks=wanted.chunks,
        recipe=wanted.recipe(source),
    )


def _product(files: Files, said: Metadata, images: Images, wanted: Wanted, renamed: tuple[str, ...]) -> Product:
    quantity: Quantity = "reflectance" if said.level == "L2A" else "toa_reflectance"
    name = said.uri.removesuffix(".SAFE") or files.root.stem
    check_quantity(wanted, quantity, name)
    start, end, dated = acquired(wanted, said.start, said.end)
    offsets, decided = _offsets(said, wanted.offset)
    res_m = wanted.res_m or RES_M
    common = {band: SENSORS["sentinel-2-l2a"].aliases[band.lower()] for band in BANDS}
    found = [band for band in BANDS if band in images]
    listed = {common[band]: f"{stem}.jp2" for band, stem in said.listed.items()}
    lacking = missing_bands(wanted, listed, [common[band] for band in found], name)
    assets = tuple(
        Asset(common[band], files.path(_nearest(images[band], res_m)), 1, 1 / said.quantification,
              offsets.get(band, 0.0) / said.quantification, said.special)
        for band in found
    )  # fmt: skip
    masks, unmasked = _masks(files, images, res_m)
    return Product(
        id=wanted.id or name,
        sensor=f"sentinel-2-{said.level.lower()}",
        quantity=quantity,
        start=start,
        end=end,
        assets=assets,
        masks=masks,
        res_m=res_m,
        licence=wanted.licence or SENSORS["sentinel-2-l2a"].licence,
        audit=(*dated, *renamed, _scaling(said, quantity, decided), *lacking, *unmasked),
    )


def _scaling(said: Metadata, quantity: str, decided: str) -> str:
    where = "at the surface" if quantity == "reflectance" else "at the top of the atmosphere"
    return f"reflectance {where} = (DN + offset) / {said.quantification:g}, baseline {said.baseline or 'unknown'}; {decided}"


def _masks(files: Files, images: Images, res_m: float) -> tuple[tuple[Mask, ...], tuple[str, ...]]:
    if "SCL" not in images:
        return (), ("no scene classification: clouds are not masked",)
    classes = SENSORS["sentinel-2-l2a"].mask_classes
    return (Mask("scl", files.path(_nearest(images["SCL"], res_m)), classes=classes),), ()


# ---------------------------------------------------------------- offset
def _offsets(said: Metadata, given: float | None) -> tuple[Mapping[str, float], str]:
    """(band -> DN to add, why in words); what the metadata list comes first, then the baseline."""
    speaks = _speaks(said.baseline)
    if given is None and not said.offsets and not speaks:
        words = f"offset 0 DN: the metadata list none, and baseline {said.baseline or '(not given)'!r} says nothing"
        warnings.warn(f"{words}; give offset=0 or offset=-1000 to decide", GeolabelWarning, stacklevel=4)
        return dict.fromkeys(BANDS, 0.0), words
    if given is None and not said.offsets and float(said.baseline) >= BASELINE_WITH_OFFSET:
        words = f"the metadata list no offset, although baseline {said.baseline} has one: -1000 DN by the baseline"
        warnings.warn(words, GeolabelWarning, stacklevel=4)
    sensor = replace(SENSORS["sentinel-2-l2a"], scale=1.0, offset=-1000.0)
    tags = {"processing_baseline": said.baseline} if speaks else {}
    typical = [{**tags, "boa_add_offset": str(dn)} for dn in dict.fromkeys(said.offsets.values())] or [tags]
    decided = [decide_offset(sensor, one, given) for one in typical]
    usual = dict.fromkeys(BANDS, decided[0][0])
    if given is not None:
        return usual, decided[0][1]
    return {**usual, **said.offsets}, "; ".join(words for _, words in decided)


def _speaks(baseline: str) -> bool:
    try:
        return 0 < float(baseline) < UNKNOWN_BASELINE
    except ValueError:
        return False


# ---------------------------------------------------------------- files
def _images(files: Files, said: Metadata, manifest: str) -> Images:
    """Band -> pixel edge, m -> file."""
    images: dict[str, dict[float, str]] = {}
    granules = {name.split("/IMG_DATA/")[0]: name for name in files.names if "/IMG_DATA/" in name}
    if not granules:
        raise SourceError(
            f"{files.root} has {manifest}, but no image under GRANULE/*/IMG_DATA", hint="download it again"
        )
    one_product(files.root, granules, "granules")
    for name in files.names:
        if found := FILE.search(name):
            _check_stamp(said, name)
            band = found["band"].upper()
            images.setdefault(band, {})[float(found["res"] or NATIVE_M.get(band, 20.0))] = name
    return images


def _check_stamp(said: Metadata, name: str) -> None:
    """Tile and time in an image's name are those of the product."""
    stamp = STAMP.search(name.rsplit("/", 1)[-1])
    if stamp and said.uri and not all(part in said.uri for part in stamp.groups()):
        raise InputError(
            f"the metadata are of {said.uri}, the image {stamp[0]} of another product",
            hint="keep each product in its own folder, as it was delivered",
        )


def _nearest(files: Mapping[float, str], res_m: float) -> str:
    """The file at that resolution, else the coarsest that is finer, else the finest."""
    finer = [res for res in files if res <= res_m]
    return files[max(finer) if finer else min(files)]


# ---------------------------------------------------------------- metadata
def metadata_of(text: str, name: str) -> Metadata:
    """What MTD_MSIL2A.xml or MTD_MSIL1C.xml says.

    Raises
    ------
    SourceError
        Where it is no XML.
    InputError
        Where it lacks a time, or a number is none.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat refuses entity bombs since 2.4.1
    except ET.ParseError as error:
        raise SourceError(f"cannot read {name}: {error}", hint="copy or download the product again") from error
    level = "L1C" if "L1C" in name else "L2A"
    said, (quantify, add) = _said(root), SCALING[level]
    return Metadata(
        level=level,
        uri=said("PRODUCT_URI", "PRODUCT_URI_2A"),
        baseline=said("PROCESSING_BASELINE"),
        start=utc(said("PRODUCT_START_TIME"), what="PRODUCT_START_TIME"),
        end=utc(said("PRODUCT_STOP_TIME") or said("PRODUCT_START_TIME"), what="PRODUCT_STOP_TIME"),
        quantification=number(said(*quantify), quantify[0]),
        offsets={_band(one): number(one.text or "", add) for one in root.iter(add)},
        special=tuple(sorted({0.0, *(number(one.text or "", one.tag) for one in root.iter("SPECIAL_VALUE_INDEX"))})),
        listed=_listed(one.text or "" for tag in ("IMAGE_FILE", "IMAGE_FILE_2A") for one in root.iter(tag)),
    )


SCALING = {
    "L2A": (("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"), "BOA_ADD_OFFSET"),
    "L1C": (("QUANTIFICATION_VALUE",), "RADIO_ADD_OFFSET"),
}
"""Level -> names of the elements that hold the divisor (today's, then those of before 2018) and the offsets."""


def _said(root: ET.Element) -> Callable[..., str]:
    return lambda *tags: next((one.text or "" for tag in tags for one in root.iter(tag)), "").strip()


def _band(offset: ET.Element) -> str:
    place = number(offset.get("band_id", ""), f"band_id of {offset.tag}", kind=int)
    if not 0 <= place < len(BANDS):
        raise InputError(f"{offset.tag} of band_id {place}", hint="a Sentinel-2 product has band_id 0 to 12")
    return BANDS[int(place)]


def _listed(files: Iterable[str]) -> dict[str, str]:
    """Band -> stem of one of its files."""
    stems = (file.strip().rsplit("/", 1)[-1] for file in files)
    bands = ((re.search(r"_(B\d[\dA])(_|$)", stem), stem) for stem in stems)
    return {found[1]: stem for found, stem in bands if found}
