"""What the numbers of a sensor's files mean: scale, offset, nodata, masks and band names, as a table of frozen values.

Source: USGS LSDS-1619 (Landsat Collection 2 Level 2 science products, scale factors and QA_PIXEL) and LSDS-1656
(Collection 1 BQA); USGS LSDS-1574 (Landsat 8 Data Users Handbook, quality band before the collections); ESA Sentinel-2 Products Specification,
processing baseline 04.00 (BOA_ADD_OFFSET, scene classification); NASA HLS v2.0 User Guide; USDA
NAIP (band order).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from geolabel.errors import BandError, ConfigError, GeolabelWarning, nearest
from geolabel.nouns.scene import Quantity

BASELINE_WITH_OFFSET = 4.0
"""Sentinel-2 processing baseline from which L2A products carry an offset of -1000 DN."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How DN of one band become values where it differs from the sensor's other bands."""

    scale: float
    offset: float
    units: str


@dataclass(frozen=True, slots=True)
class Sensor:
    """How DN of one product become values: `value = DN * scale + offset`, NaN where DN equals `nodata`."""

    name: str
    quantity: Quantity
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    """DN that means "no data", tested before scale and offset; None where only the file can say."""
    order: tuple[str, ...] = ()
    """Names of the bands of a file that names none, where all products have the same order."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Name in files (lower case) -> common name."""
    others: Mapping[str, Scaling] = field(default_factory=dict)
    """Common name of a band that holds another quantity -> how it is scaled."""
    mask_band: str = ""
    """Band with quality flags or classes, lower case; it masks the others and is no band of the scene."""
    mask_bits: Mapping[int, str] = field(default_factory=dict)
    """Bit of the mask band -> what it flags; a pixel with any of them is masked."""
    mask_classes: Mapping[int, str] = field(default_factory=dict)
    """Class of the mask band -> what it means; such pixels are masked."""
    offset_varies: bool = False
    """Whether the offset differs between products and must be decided from metadata (`decide_offset`)."""
    licence: str = "unknown"


_SWIR = {"swir1": "swir16", "swir2": "swir22"}
_ONE_NIR = {"nir": "nir08", **_SWIR}
_S2_ID = {
    "b01": "coastal", "b02": "blue", "b03": "green", "b04": "red", "b05": "rededge071", "b06": "rededge075",
    "b07": "rededge078", "b08": "nir", "b8a": "nir08", "b09": "nir09", "b10": "cirrus", "b11": "swir16", "b12": "swir22",
}  # fmt: skip
OLI = {
    "1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "nir08", "6": "swir16", "7": "swir22", "8": "pan",
    "9": "cirrus", "10": "lwir11", "11": "lwir12",
}  # fmt: skip
"""Band number of Landsat 8 and 9 -> common name."""
TM = {"1": "blue", "2": "green", "3": "red", "4": "nir08", "5": "swir16", "6": "lwir", "7": "swir22", "8": "pan"}
"""Band number of Landsat 4, 5 and 7 -> common name."""

_SCL = {0: "no data", 1: "saturated", 3: "cloud shadow", 8: "cloud", 9: "high cloud", 10: "thin cirrus"}
QA_PIXEL = {0: "fill", 1: "dilated cloud", 2: "cirrus", 3: "cloud", 4: "cloud shadow", 5: "snow"}
BQA_COLLECTION_1 = {0: "fill", 1: "dropped or occluded", 4: "cloud", 8: "cloud shadow", 10: "snow", 12: "cirrus"}
"""Of two-bit confidences the upper bit: medium or high."""
BQA_BEFORE = {0: "fill", 1: "dropped frame", 11: "snow", 13: "cirrus", 15: "cloud"}
"""Before the collections; of two-bit confidences the upper bit: medium or high. Cloud shadow is not flagged."""
_FMASK = {1: "cloud", 2: "beside cloud", 3: "cloud shadow", 4: "snow"}

_LANDSAT = "public domain (USGS)"
_TEMPERATURE = Scaling(0.00341802, 149.0, "K")
_SINCE_FREEZING = Scaling(0.01, 273.15, "K")


def _ids(prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    """`sr_b5`, `b5` and `b05` -> common name."""
    written = {f"{prefix}b{n}": name for n, name in names.items()} | {f"b{n}": name for n, name in names.items()}
    return written | {f"b{n.zfill(2)}": name for n, name in names.items()}


def _landsat(name: str, ids: Mapping[str, str] | None = None) -> Sensor:
    thermal = {f"st_b{n}": common for n, common in (ids or {}).items() if common.startswith("lwir")}
    return Sensor(
        name, "reflectance", 2.75e-5, -0.2, 0,
        aliases={**_ONE_NIR, **(_ids("sr_", ids) if ids else {}), **thermal},
        others=dict.fromkeys(("lwir", "lwir11", "lwir12"), _TEMPERATURE),
        mask_band="qa_pixel", mask_bits=QA_PIXEL, licence=_LANDSAT,
    )  # fmt: skip


def _hls(name: str, ids: Mapping[str, str]) -> Sensor:
    return Sensor(
        name, "reflectance", 1e-4, 0.0, -9999,
        aliases={**ids, **_SWIR},
        others=dict.fromkeys(("lwir11", "lwir12"), _SINCE_FREEZING),
        mask_band="fmask", mask_bits=_FMASK, licence="public domain (NASA)",
    )  # fmt: skip


SENSORS: Mapping[str, Sensor] = {
    sensor.name: sensor
    for sensor in (
        Sensor("generic", "dn", aliases=_ONE_NIR),
        Sensor("reflectance", "reflectance", aliases=_ONE_NIR),
        _landsat("landsat-c2-l2"),
        _landsat("landsat-8-9-c2-l2", OLI),
        _landsat("landsat-4-7-c2-l2", TM),
        Sensor(
            "sentinel-2-l2a", "reflectance", 1e-4, -0.1, 0,
            aliases={**_S2_ID, **{k.replace("b0", "b"): v for k, v in _S2_ID.items()}, **_SWIR},
            mask_band="scl", mask_classes=_SCL, offset_varies=True, licence="Copernicus Sentinel data, free and open",
        ),
        _hls("hls-l30", {key: name for key, name in _ids("", OLI).items() if name != "pan"}),
        _hls("hls-s30", _S2_ID),
        Sensor(
            "naip", "dn", order=("red", "green", "blue", "nir08"), aliases=_ONE_NIR, licence="public domain (USDA)"
        ),
        Sensor(
            "sentinel-1-rtc", "gamma0_linear", order=("vv", "vh"), licence="Copernicus Sentinel data, free and open"
        ),
    )
}  # fmt: skip
"""Name -> sensor. `generic` is uncalibrated DN; `reflectance` is 0-1 already; `landsat-c2-l2` takes files whose bands
have common names, the other two those with band numbers; whether `sentinel-1-rtc` is dB or linear its metadata say."""

BAND_ID = re.compile(r"(sr_|st_)?b\d\d?a?")
RADAR = frozenset(("vv", "vh", "hh", "hv"))
"""Polarisations: names of the bands of a radar product."""


def sensor_of(name: str) -> Sensor:
    """The sensor of that name.

    Raises
    ------
    ConfigError
        Where there is none; the hint names the nearest.
    """
    if name not in SENSORS:
        raise ConfigError(f"unknown sensor {name!r}", hint=nearest(name, SENSORS))
    return SENSORS[name]


def common_names(sensor: Sensor, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(common names, what was renamed in words), lower case, one for each of a file's names.

    An alias gives way where its common name is there already: a file with `nir` and `nir08` keeps both.

    Raises
    ------
    BandError
        Where a name occurs twice, or is a band number of Landsat that means other bands on other satellites.
    """
    plain = tuple(name.strip().lower() for name in names)
    _check_numbered(sensor, plain)
    common = tuple(
        name if sensor.aliases.get(name, name) in plain else sensor.aliases.get(name, name) for name in plain
    )
    twice = sorted({name for name in common if common.count(name) > 1})
    if twice:
        raise BandError(
            f"bands {', '.join(names)}: {', '.join(twice)} occurs twice", hint="give each band its own name"
        )
    renamed = [f"{old} -> {new}" for old, new in zip(plain, common, strict=True) if old != new]
    return common, ((f"bands renamed: {', '.join(renamed)}",) if renamed else ())


def _check_numbered(sensor: Sensor, names: Sequence[str]) -> None:
    numbered = [name for name in names if BAND_ID.fullmatch(name)]
    if sensor.name == "landsat-c2-l2" and numbered:
        raise BandError(
            f"band {numbered[0].upper()} is another one on Landsat 4-7 than on Landsat 8-9",
            hint="say which: sensor='landsat-8-9-c2-l2' or 'landsat-4-7-c2-l2'",
        )


def decide_offset(sensor: Sensor, tags: Mapping[str, str], given: float | None) -> tuple[float, str]:
    """(offset in units of the value, why in words) for a sensor whose offset varies; `given` is in DN and decides.

    What a product says is read in this order: offset already applied, `BOA_ADD_OFFSET`, processing baseline. Where
    two disagree the first decides, and where none speaks -1000 DN is taken; both with a warning.
    """
    if given is not None:
        return given * sensor.scale, f"offset {given:g} DN, as given"
    said = _offsets_said({key.lower(): value.strip().lower() for key, value in tags.items()})
    if not said:
        why = f"offset {sensor.offset / sensor.scale:g} DN assumed: the file's metadata do not say"
        warnings.warn(f"{why}; give offset=0 or offset=-1000 to decide", GeolabelWarning, stacklevel=4)
        return sensor.offset, why
    (source, offset_dn), *others = said
    against = [f"{name} says {value:g}" for name, value in others if value != offset_dn]
    why = f"offset {offset_dn:g} DN, from {source}" + (f", although {' and '.join(against)}" if against else "")
    if against:
        warnings.warn(f"the metadata disagree: {why}", GeolabelWarning, stacklevel=4)
    return offset_dn * sensor.scale, why


def _offsets_said(tags: Mapping[str, str]) -> list[tuple[str, float]]:
    """(who says it, offset in DN), in order of trust."""
    said = [(key, 0.0) for key, value in tags.items() if key.endswith("boa_offset_applied") and value == "true"]
    if (offset := _number(tags.get("boa_add_offset", ""))) is not None:
        said.append(("BOA_ADD_OFFSET", offset))
    if (baseline := _baseline(tags.get("processing_baseline", ""))) is not None:
        said.append((f"processing baseline {baseline:05.2f}", -1000.0 if baseline >= BASELINE_WITH_OFFSET else 0.0))
    return said


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _baseline(text: str) -> float | None:
    """4.0 of `04.00`, and of `n0400` as product names write it."""
    number = _number(text.removeprefix("n"))
    return number / 100 if number is not None and "." not in text else number
