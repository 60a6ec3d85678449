"""Which items are known: what made them, and which of their assets is which band.

The id of a band decides its name (`B8A` of Sentinel-2 is `nir08`), never an item's `common_name`: old items call B8A
`rededge`. The id is read from the asset's key, else from the band's name, else from the name of the file.

Source: Element 84 Earth Search, Microsoft Planetary Computer, Copernicus Data Space, USGS, NASA LP DAAC (CMR-STAC) and
Digital Earth Australia items as published; DEA `oa_fmask`: 0 nodata, 1 valid, 2 cloud, 3 shadow, 4 snow, 5 water.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geolabel.scene.products.stac.parts import Part
from geolabel.scene.sensors import SENSORS, Sensor

_DEA_FMASK = {0: "no data", 2: "cloud", 3: "cloud shadow", 4: "snow"}
_COLOURS = {"coastal_aerosol": "coastal", "blue": "blue", "green": "green", "red": "red", "panchromatic": "pan"}
DEA_LANDSAT = {**_COLOURS, "nir": "nir08", "swir_1": "swir16", "swir_2": "swir22"}
DEA_SENTINEL2 = {
    **_COLOURS, "red_edge_1": "rededge071", "red_edge_2": "rededge075", "red_edge_3": "rededge078", "nir_1": "nir",
    "nir_2": "nir08", "swir_2": "swir16", "swir_3": "swir22",
}  # fmt: skip
"""Its `swir_2` is B11 and `swir_3` is B12."""
S2_KEYS = {
    "coastal": "coastal", "blue": "blue", "green": "green", "red": "red", "rededge1": "rededge071",
    "rededge2": "rededge075", "rededge3": "rededge078", "nir": "nir", "nir08": "nir08", "nir09": "nir09",
    "cirrus": "cirrus", "swir16": "swir16", "swir22": "swir22",
}  # fmt: skip
"""Keys of Earth Search, for bands whose id is nowhere."""


SPECTRUM = (
    "coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09", "cirrus",
    "swir16", "swir22", "pan", "lwir", "lwir11", "lwir12",
)  # fmt: skip
"""Order in which bands are given; the item's own is any."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Items of one sensor and level."""

    sensor: Sensor
    why: str
    """How it was recognised, in words."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Id of a band (lower case) -> common name."""
    key: str = ""
    """Pattern of an id as a whole key or band name, with a group `id`."""
    file: str = ""
    """Pattern of an id in the name of a file, with a group `id`."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key of an asset whose band has no id -> common name."""
    mask: str = ""
    """Pattern of the key or file of the mask."""
    res_m: float | None = None
    """Working resolution."""
    apart: tuple[str, ...] = ()
    """Bands that are opened only when they are asked for."""

    def name_of(self, part: Part) -> tuple[str, str]:
        """(common name, id it was read from) of a band; empty where it is none that is known."""
        for text, pattern in ((part.key, self.key), (part.name, self.key), (part.file, self.file)):
            found = re.search(pattern, text, re.IGNORECASE) if pattern else None
            if found and (name := self.ids.get(found["id"].lower())):
                return name, found["id"]
        return self.keys.get(part.key.lower(), ""), part.key

    def masks(self, part: Part) -> bool:
        """Whether a part is the mask."""
        return bool(self.mask) and any(re.search(self.mask, text, re.IGNORECASE) for text in (part.key, part.file))


@dataclass(frozen=True, slots=True)
class Said:
    """What an item says of its making; all but its name in lower case."""

    name: str
    """Its id, as it is written."""
    id: str
    collection: str
    platform: str
    """Platform and constellation, letters and digits only."""
    properties: Mapping[str, Any]
    files: str
    """Names of all files."""

    @classmethod
    def of(cls, item: Any, parts: Sequence[Part]) -> Said:
        """What an item says."""
        properties = item.properties
        made_by = [properties.get(name) for name in ("platform", "eo:platform", "constellation", "eo:constellation")]
        collection = str(item.collection_id or properties.get("collection") or properties.get("odc:product") or "")
        return cls(
            name=item.id,
            id=item.id.lower(),
            collection=collection.lower(),
            platform=re.sub(r"[^a-z0-9,]", "", ",".join(str(text).lower() for text in made_by if text)),
            properties=properties,
            files=" ".join(part.file.lower() for part in parts),
        )

    def property(self, ending: str) -> str:
        """First property whose name ends so, whatever its prefix; empty where there is none."""
        return next((str(v) for k, v in self.properties.items() if k.split(":")[-1] == ending and v is not None), "")


def kind_of(item: Any, parts: Sequence[Part]) -> Kind | None:
    """The kind of an item, None where its sensor is not known."""
    said = Said.of(item, parts)
    return next((kind for find in _FINDERS if (kind := find(said)) is not None), None)


# ---------------------------------------------------------------------- one a kind; the first that knows it decides
def _hls(said: Said) -> Kind | None:
    found = re.search(r"hls[._]?([ls])30", f"{said.collection} {said.id} {said.files}")
    if not found:
        return None
    sensor = SENSORS[f"hls-{found[1]}30"]
    return Kind(
        sensor,
        f"HLS {found[1].upper()}30 by {_where(found[0], said)}",
        sensor.aliases,
        r"^(?P<id>B(\d\d|8A))$",
        r"\.(?P<id>B(\d\d|8A))\.tif$",
        mask=r"fmask",
        apart=("cirrus", "lwir11", "lwir12"),
    )


def _dea(said: Said) -> Kind | None:
    product = said.collection if said.collection.startswith("ga_") else said.property("product").lower()
    found = re.match(r"ga_(ls\d|s2\w)[a-z]*_ard", product)
    if not found:
        return None
    landsat = found[1].startswith("ls")
    sensor = Sensor(
        "dea-landsat-ard" if landsat else "dea-sentinel-2-ard", "reflectance", 1e-4, 0.0, -999,
        mask_band="oa_fmask", mask_classes=_DEA_FMASK, licence="CC-BY-4.0 (Geoscience Australia)",
    )  # fmt: skip
    return Kind(
        sensor,
        f"Digital Earth Australia ARD, NBART reflectance, by the product {product}",
        DEA_LANDSAT if landsat else DEA_SENTINEL2,
        r"^nbart_(?P<id>\w+)$",
        mask=r"^(oa_)?fmask$",
        res_m=None if landsat else 20.0,
        apart=("pan",),
    )


def _sentinel_2(said: Said) -> Kind | None:
    place = f"{said.platform} {said.collection} {said.id}"
    if not re.search(r"sentinel-?2|sentinel-s2|\bs2[a-d]_", place):
        return None
    level = f"{said.property('product_type')} {said.properties.get('processing:level', '')} {said.collection} {said.id}"
    found = re.search(r"l?(1c|2a)\b|msil(1c|2a)|l(1c|2a)", level.lower())
    if not found:
        return None
    one = SENSORS["sentinel-2-l2a"]
    sensor = one if "2a" in found[0] else Sensor(
        "sentinel-2-l1c", "toa_reflectance", one.scale, one.offset, one.nodata, aliases=one.aliases,
        offset_varies=True, licence=one.licence,
    )  # fmt: skip
    return Kind(
        sensor,
        f"Sentinel-2 {'L2A' if '2a' in found[0] else 'L1C'}",
        one.aliases,
        r"^(?P<id>B(0?\d|1[0-2]|8A))(_\d\dm)?$",
        r"(^|_)(?P<id>B(\d\d|8A))(_\d\dm)?\.\w+$",
        keys=S2_KEYS,
        mask=r"(^|[_/])scl([_.]|$)",
        res_m=20.0,
        apart=("cirrus",),
    )


def _landsat_l2(said: Said) -> Kind | None:
    correction = said.property("correction").lower()
    found = re.search(r"(l[cotem]\d\d)_(l2s[pr])_", f"{said.id}_ {said.files}")
    if not found and not correction.startswith("l2s"):
        return None
    number = found[1][-1] if found else said.platform[-1:]
    sensor = SENSORS["landsat-8-9-c2-l2" if number in "89" else "landsat-4-7-c2-l2"]
    return Kind(
        sensor,
        f"Landsat {number} Collection 2 Level 2",
        sensor.aliases,
        r"^((OLI|ETM|TM|TIRS)_)?(?P<id>((SR|ST)_)?B\d\d?)(\.TIF)?$",
        r"_(?P<id>(SR|ST)_B\d\d?)(_\w+)?\.TIF$",
        mask=r"qa_pixel(\.TIF)?$",
        apart=("pan", "lwir", "lwir11", "lwir12"),
    )


def _landsat_l1(said: Said) -> Kind | None:
    found = re.search(r"(l[cotem]0?\d)_?l1(tp|gs|gt|t)_", f"{said.id}_ {said.files}")
    if not found:
        return None
    numbered = SENSORS["landsat-8-9-c2-l2" if found[1][-1] in "89" else "landsat-4-7-c2-l2"]
    sensor = Sensor("generic", "dn", nodata=0, licence=numbered.licence)
    return Kind(
        sensor,
        f"Landsat {found[1][-1]} Level 1, whose coefficients lie in its MTL: DN",
        numbered.aliases,
        r"^(?P<id>B\d\d?)(\.TIF)?$",
        r"_(?P<id>B\d\d?)\.TIF$",
        apart=("pan", "cirrus", "lwir", "lwir11", "lwir12"),
    )


def _where(text: str, said: Said) -> str:
    places = {"the collection": said.collection, "the item's id": said.id}
    return next((place for place, words in places.items() if text in words), "the names of its files")


_FINDERS: tuple[Callable[[Said], Kind | None], ...] = (_hls, _dea, _sentinel_2, _landsat_l2, _landsat_l1)
