"""Items whose sensor is not in the table: elevation, radar, pictures, and bands that the item itself names.

Nothing is guessed: bands without a name, and numbers of which it is not said what they are, are refused or stay DN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from geolabel.errors import BandError, UnitError
from geolabel.nouns.scene import Quantity
from geolabel.scene.assets import Asset
from geolabel.scene.products import Wanted
from geolabel.scene.products.sentinel1 import said_of
from geolabel.scene.products.stac.kinds import Said
from geolabel.scene.products.stac.parts import Part, claimed
from geolabel.scene.radar import Backscatter, backscatter_of
from geolabel.scene.remote import gdal_path
from geolabel.scene.sensors import RADAR, SENSORS, Sensor, common_names, sensor_of

ELEVATION = ("dem", "dsm", "dtm", "elevation", "height")
DEM_COLLECTIONS = re.compile(r"(^|[-_])(dem|cop-dem|nasadem|srtm|3dep|astgtm)([-_]|$)")
METRES = ("", "m", "metre", "meter", "metres", "meters")
PICTURE = ("visual", "true-color", "true_color", "tci")
ASIDE = re.compile(r"^(udm\d?|.*mask|.*qa.*|overview|preview|browse|thumbnail|aot|wvp|cloud|snow)$", re.IGNORECASE)
ORDERS = {"PSScene4Band": ("blue", "green", "red", "nir")}
"""Item type of Planet -> bands of its analytic file (Planet Imagery Product Specifications)."""
TABLE = "open one file of it by its name: gl.open_scene(href, bands=(...), at=...)"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an item holds, before it is a product."""

    sensor: str
    quantity: Quantity
    assets: tuple[Asset, ...]
    licence: str = "unknown"
    audit: tuple[str, ...] = ()
    backscatter: Backscatter | None = None


def draft_of(said: Said, parts: Sequence[Part], wanted: Wanted) -> Draft:
    """Bands of an item whose sensor is not known.

    Raises
    ------
    BandError
        Where it does not say which bands its files hold.
    UnitError
        Where it does not say whether radar is dB or linear, or heights are not metres.
    """
    radar = [part for part in parts if (part.name or part.key).lower() in RADAR]
    if radar and ("sentinel1" in said.platform or any(key.startswith("sar:") for key in said.properties)):
        return _radar(said, radar, wanted)
    if (heights := _heights(said, parts)) is not None:
        return _elevation(said, heights)
    return _bands(said, parts, wanted)


def _heights(said: Said, parts: Sequence[Part]) -> Part | None:
    """The band of heights, where the item holds one and nothing that is measured beside it."""
    named = [part for part in parts if part.key.lower() in ELEVATION]
    of_heights = said.property("model_type").lower() in ELEVATION or bool(DEM_COLLECTIONS.search(said.collection))
    if len(parts) == 1:
        return parts[0] if named or of_heights else None
    return named[0] if of_heights and len(named) == 1 else None


def _elevation(said: Said, part: Part) -> Draft:
    unit = str(part.said.get("unit") or "").lower()
    if unit not in METRES:
        raise UnitError(f"heights of {said.name} are in {unit!r}, not metres", hint="gdal_calc.py converts them")
    datum = said.property("vertical_datum")
    scale, offset = part.number("scale"), part.number("offset")
    one = Asset("elevation", gdal_path(part.href), 1, 1.0 if scale is None else scale, offset or 0.0, part.nodata,
                header=claimed(part, part.number("nodata")))  # fmt: skip
    return Draft("dem", "elevation_m", (one,), audit=(f"heights in metres, vertical datum {datum or 'not said'}",))


def _radar(said: Said, parts: Sequence[Part], wanted: Wanted) -> Draft:
    texts = ("unit", "title", "description")
    tags = {f"description of {p.key}, {what}": str(p.said.get(what) or "") for p in parts for what in texts}
    tags["description"] = str(said.properties.get("description") or "")
    units = [str(part.said["unit"]) for part in parts if part.said.get("unit")]
    found = (
        said_of(wanted.quantity, [], said.name)
        if wanted.quantity
        else backscatter_of({k: v for k, v in tags.items() if v}, units=units, product=said.name)
    )
    assets = tuple(
        Asset((p.name or p.key).lower(), gdal_path(p.href), p.index, nodata=p.nodata,
              header=claimed(p, p.number("nodata")))
        for p in parts
    )  # fmt: skip
    of_esa = "sentinel1" in said.platform
    licence = SENSORS["sentinel-1-rtc"].licence if of_esa else "unknown"
    name = "sentinel-1-rtc" if of_esa else "sar"
    return Draft(name, found.quantity, assets, licence, ("layover and shadow are not masked",), found)


# ---------------------------------------------------------------------- bands that the item names
def _bands(said: Said, parts: Sequence[Part], wanted: Wanted) -> Draft:
    sensor = sensor_of(wanted.sensor or ("naip" if _is_naip(said) else "generic"))
    data = [part for part in parts if not _aside(part)]
    pictures = [part for part in parts if _picture(part)]
    named, why = (_named(said, data, sensor, wanted), "") if data else _pictured(pictures)
    if not named:
        raise BandError(
            f"{said.name} does not say which bands its files hold: {', '.join(dict.fromkeys(p.key for p in parts))}",
            hint=TABLE
            if len({part.key for part in data}) != 1
            else f"name them: bands=(...), in the order of {data[0].file}",
        )
    names, renamed = common_names(sensor, [name for name, _ in named])
    quantity, scaled, words = _numbers([part for _, part in named], sensor, wanted)
    assets = tuple(
        Asset(name, gdal_path(p.href), p.index, *_scaling(p, sensor, scaled=scaled), p.nodata,
              header=claimed(p, p.number("nodata")))
        for name, (_, p) in zip(names, named, strict=True)
    )  # fmt: skip
    licence = str(said.properties.get("license") or sensor.licence)
    return Draft(
        sensor.name,
        quantity,
        assets,
        licence,
        ("its sensor is not known: bands as the item names them", *renamed, words, *((why,) if why else ())),
    )


def _is_naip(said: Said) -> bool:
    return said.collection == "naip" or bool(re.search(r"(^| )m_\d{7}_[ns][ew]_", said.files))


def _aside(part: Part) -> bool:
    return _picture(part) or bool(ASIDE.match(part.key)) or bool({"udm", "metadata"} & set(part.roles))


def _picture(part: Part) -> bool:
    return part.key.lower() in PICTURE or "visual" in part.roles


def _named(said: Said, data: Sequence[Part], sensor: Sensor, wanted: Wanted) -> list[tuple[str, Part]]:
    """(name, band) of the bands that have a name: by the item, by what its maker always writes, or by the user."""
    described = [(part.common_name or part.name, part) for part in data if part.common_name or part.name]
    if described:
        return described
    if len(data) != 1:
        return []
    order = sensor.order or ORDERS.get(said.property("item_type"), ()) or wanted.bands or ()
    return _in_order(data[0], order)


def _pictured(pictures: Sequence[Part]) -> tuple[list[tuple[str, Part]], str]:
    """Red, green and blue of a picture, for an item that has nothing else."""
    words = "colours stretched for the eye: no measurements"
    named = [(part.common_name or part.name, part) for part in pictures if part.common_name or part.name]
    if named or len(pictures) != 1:
        return named, words
    return _in_order(pictures[0], ("red", "green", "blue")), f"{words}; bands of {pictures[0].key} by custom"


def _in_order(part: Part, names: Sequence[str]) -> list[tuple[str, Part]]:
    return [(name, replace(part, index=i, count=len(names))) for i, name in enumerate(names, start=1)]


def _numbers(parts: Sequence[Part], sensor: Sensor, wanted: Wanted) -> tuple[Quantity, bool, str]:
    """(what the numbers are, whether the declared scale is applied, in words)."""
    declared = all(part.number("scale") is not None for part in parts)
    told = sensor.quantity == "reflectance" or wanted.quantity == "reflectance"
    if told or (declared and all(_says_reflectance(part) for part in parts)):
        words = "the scale and offset the item declares" if declared else "as stored: the item declares no scale"
        return "reflectance", True, f"reflectance, {words}"
    left = "; the scale it declares is not applied: it does not say of what" if declared else ""
    return "dn", False, f"uncalibrated: DN as stored, indices hold within this scene only{left}"


def _says_reflectance(part: Part) -> bool:
    words = [*part.roles, *(str(part.said.get(what) or "") for what in ("unit", "title", "description"))]
    return "reflectance" in " ".join(words).lower()


def _scaling(part: Part, sensor: Sensor, *, scaled: bool) -> tuple[float, float]:
    if not scaled:
        return 1.0, 0.0
    scale, offset = part.number("scale"), part.number("offset")
    return (sensor.scale if scale is None else scale), (sensor.offset if offset is None else offset)
