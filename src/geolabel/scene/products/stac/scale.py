"""Scale and offset of a STAC item's bands: what its metadata say, held against what its sensor is known to give.

`raster:bands` is trusted least where the sensor is known: Earth Search lists an offset of -0.1 for files whose offset it
has already taken out (`earthsearch:boa_offset_applied`).

Source: ESA, Sentinel-2 processing baseline 04.00 (BOA_ADD_OFFSET -1000 DN from 2022-01-25, and in what is reprocessed
as 05.xx); Element 84, Earth Search v1.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from geolabel.errors import GeolabelWarning
from geolabel.scene.products.stac.kinds import Said
from geolabel.scene.products.stac.parts import Part
from geolabel.scene.sensors import BASELINE_WITH_OFFSET, Sensor

PRODUCT_NAMES = ("product_uri", "product_id", "granule_id", "datatake_id")
"""Properties that hold a product's name with its baseline: `_N0212_`, `_N02.12`."""
OFFSET_DN = -1000.0


def offset_of(said: Said, parts: Sequence[Part], sensor: Sensor, given: float | None) -> tuple[float, str]:
    """(offset in units of the value, why in words) of a Sentinel-2 item; `given` is in DN and decides.

    Who speaks, in order of trust: offset already applied, processing baseline, the baseline in a product's name,
    `raster:bands`. Where they disagree the first decides, and where none speaks -1000 DN is taken; both with a warning.
    """
    if given is not None:
        return given * sensor.scale, f"offset {given:g} DN, as given"
    spoken = [*_applied(said), *_baselines(said), *_declared(parts, sensor)]
    if not spoken:
        why = f"offset {OFFSET_DN:g} DN assumed: the item does not say"
        warnings.warn(f"{why}; give offset=0 or offset=-1000 to decide", GeolabelWarning, stacklevel=4)
        return OFFSET_DN * sensor.scale, why
    (source, offset_dn), *others = spoken
    if source.endswith("boa_offset_applied"):  # a baseline says what was there before it was taken out: no conflict
        others = [(name, value) for name, value in others if "baseline" not in name]
    against = [f"{name} says {value:g}" for name, value in others if not np.isclose(value, offset_dn)]
    why = f"offset {offset_dn:g} DN, from {source}" + (f", although {' and '.join(against)}" if against else "")
    if against:
        warnings.warn(f"{said.name}: the metadata disagree: {why}", GeolabelWarning, stacklevel=4)
    return offset_dn * sensor.scale, why


def _applied(said: Said) -> Iterator[tuple[str, float]]:
    for key, value in said.properties.items():
        if key.endswith("boa_offset_applied") and str(value).lower() == "true":
            yield key, 0.0


def _baselines(said: Said) -> Iterator[tuple[str, float]]:
    """(who says it, DN) by each property that holds a baseline."""
    written = {
        "processing baseline": said.property("processing_baseline")
        or str(said.properties.get("processing:version", ""))
    }
    for name in PRODUCT_NAMES:
        found = re.search(r"_N(\d\d)\.?(\d\d)(_|$)", said.property(name))
        written[f"the baseline in {name}"] = f"{found[1]}.{found[2]}" if found else ""
    for who, text in written.items():
        if found := re.fullmatch(r"(\d\d?)\.(\d\d)", text):
            number = float(f"{found[1]}.{found[2]}")
            yield f"{who} {number:05.2f}", OFFSET_DN if number >= BASELINE_WITH_OFFSET else 0.0


def _declared(parts: Sequence[Part], sensor: Sensor) -> Iterator[tuple[str, float]]:
    for offset in sorted({offset for part in parts if (offset := part.number("offset")) is not None}):
        yield "raster:bands", round(offset / sensor.scale, 6)


def check_scale(said: Said, parts: Sequence[Part], sensor: Sensor) -> tuple[str, ...]:
    """Words, with a warning, where `raster:bands` declare another scale or offset than the sensor's, which is taken."""
    words = []
    for what, known in (("scale", sensor.scale), *(() if sensor.offset_varies else (("offset", sensor.offset),))):
        declared = {value for part in parts if (value := part.number(what)) is not None}
        wrong = sorted(value for value in declared if not np.isclose(value, known, rtol=1e-3, atol=1e-9))
        if wrong:
            told = ", ".join(f"{value:g}" for value in wrong)
            words.append(f"{what} {known:g} of {sensor.name} taken, although raster:bands declare {told}")
    for text in words:
        warnings.warn(f"{said.name}: the metadata disagree: {text}", GeolabelWarning, stacklevel=4)
    return tuple(words)
