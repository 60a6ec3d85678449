"""Delivered versions on disk: what they say, and whether every file is as its manifest says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geolabel.files import digest_file

DELIVERIES, MANIFEST, CHANGELOG = "deliveries", "manifest.json", "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One version of a batch on disk."""

    batch: str
    version: int
    folder: Path
    digest: str
    """Sha-256 of its manifest, which holds that of every other file."""

    @property
    def manifest(self) -> dict[str, Any]:
        """What it holds, what it is made of, and what was found by inspection."""
        return json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))

    @property
    def changelog(self) -> str:
        """What changed from version to version, in Markdown, the newest first."""
        return (self.folder / CHANGELOG).read_text(encoding="utf-8")

    def check(self) -> list[str]:
        """One sentence for each of its files that is not as it was delivered; [] is sound."""
        return faults(self.folder, self.digest)


def delivered(folder: Path, said: Mapping[str, Any]) -> Delivery:
    """The delivery of an event's payload, in a project's folder."""
    home = folder / DELIVERIES / said["batch"] / f"v{said['version']}"
    return Delivery(said["batch"], said["version"], home, said["manifest"])


def check(folder: Path, told: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence for each file of a project's deliveries that is not as it was delivered."""
    found = []
    for said in told:
        one = delivered(folder, said)
        found += [f"the delivery v{one.version} of batch {one.batch}: {words}" for words in one.check()]
    return found


def faults(home: Path, manifest: str | None = None) -> list[str]:
    """What is wrong with the files of a delivery, held against its manifest; whoever received it may ask.

    Parameters
    ----------
    manifest
        Sha-256 that the manifest itself must have, where it is known from elsewhere.
    """
    if not (home / MANIFEST).is_file():
        return [f"{MANIFEST} is missing" if home.is_dir() else f"the folder {home.name} is missing"]
    if manifest is not None and digest_file(home / MANIFEST) != manifest:
        return [f"{MANIFEST} was changed"]
    listed = {one["path"]: one for one in json.loads((home / MANIFEST).read_text(encoding="utf-8"))["files"]}
    there = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} - {MANIFEST}
    lost = [f"{name} is missing" for name in sorted(set(listed) - there)]
    more = [f"{name} is not in the manifest" for name in sorted(there - set(listed))]
    other = [name for name in sorted(there & set(listed)) if digest_file(home / name) != listed[name]["sha256"]]
    return [*lost, *(f"{name} was changed" for name in other), *more]
