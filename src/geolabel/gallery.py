"""The samples that travel with geolabel: real scenes under open licences, with what was simulated on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from geolabel.errors import InputError, SourceError, nearest
from geolabel.grid import LonLat

FOLDER = "data_samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """A shipped scene pair with a DEM and the truth that was painted into it."""

    name: str
    title: str
    folder: Path
    facts: dict[str, Any]
    """What `data_samples/<name>.json` says: sensor, bands, times, licence, notes, ignition, wind."""

    def path(self, what: str) -> Path:
        """Path of `before`, `after`, `dem` or `truth`."""
        path = self.folder / f"{self.name}_{what}.tif"
        if not path.is_file():
            raise SourceError(f"the sample {self.name!r} has no {what} file", hint=f"expected {path.name} in {FOLDER}")
        return path

    @property
    def ignition(self) -> LonLat:
        """Where the demo's next fire starts."""
        return LonLat(*self.facts["ignition"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that must stand on every product."""
        return tuple(self.facts["notes"])


def samples() -> dict[str, Sample]:
    """Name -> sample, for all that is shipped."""
    folder = _folder()
    return {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}


def sample(name: str = "olinda") -> Sample:
    """A shipped sample.

    Raises
    ------
    InputError
        For a name that is not shipped.
    """
    known = samples()
    if name not in known:
        raise InputError(f"there is no sample {name!r}", hint=nearest(name, known))
    return known[name]


@cache
def _folder() -> Path:
    """In an installed wheel the samples lie in the package; in a checkout beside `src`."""
    package = Path(str(files("geolabel")))
    for place in (package / FOLDER, package.parent.parent / FOLDER):
        if place.is_dir():
            return place
    raise SourceError("the shipped samples are missing", hint="reinstall geolabel, or run from a full checkout")


def _read(path: Path) -> Sample:
    facts = json.loads(path.read_text(encoding="utf-8"))
    return Sample(path.stem, facts["title"], path.parent, facts)
