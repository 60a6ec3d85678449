"""A NAIP quarter quadrangle, by its name `m_<quad>_<quarter>_<zone>_<resolution>_<date>.tif`: red, green, blue, near infrared.

Source: USDA FPAC, NAIP imagery: four 8-bit bands of uncalibrated DN; the first date of the name is that of the flight.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from geolabel.errors import InputError
from geolabel.nouns.scene import Scene
from geolabel.scene.products import Wanted, raster

LOOKS_FOR = "m_*_YYYYMMDD.tif: a NAIP file (name the file)"
FILE = re.compile(r"m_\d{7}_[ns][ew]_\d{1,2}_[\dh]{1,3}_(\d{4})(\d\d)(\d\d)(_\d{8})?\.(tiff?|jp2)$", re.IGNORECASE)


def finds(source: Any) -> bool:
    """Whether the source is a file with a name of NAIP."""
    return isinstance(source, str | Path) and FILE.search(Path(source).name) is not None


def read(source: Any, wanted: Wanted) -> Scene:
    """Scene of a NAIP file: uncalibrated DN of four bands, dated by its name.

    Raises
    ------
    InputError
        Where the name holds no date.
    """
    found = FILE.search(Path(source).name)
    at = wanted.at or _flown(found.groups()[:3] if found else (), Path(source).name)
    return raster.read(source, replace(wanted, sensor=wanted.sensor or "naip", at=at))


def _flown(digits: Any, name: str) -> date:
    try:
        return date(*(int(part) for part in digits))
    except (TypeError, ValueError):
        raise InputError(f"the name {name} holds no date", hint="say it: at='2020-05-22'") from None
