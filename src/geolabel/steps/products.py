"""Products on disk: whole or absent, and known by the digest of their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from geolabel.digests import digest
from geolabel.files import digest_file, named_errors

T = TypeVar("T")


def whole(home: Path, make: Callable[[Path], T]) -> T:
    """What `make(folder)` gives; the folder takes the name `home` once all of it is there."""
    part = home.with_name(f".{home.name}.part")
    with named_errors(home):
        for old in (part, home):  # what a killed run left, or files that no event speaks of
            shutil.rmtree(old, ignore_errors=True)
        part.mkdir(parents=True)
    made = make(part)
    with named_errors(home):
        part.replace(home)
    return made


def digest_of(home: Path) -> str:
    """Digest over the names and bytes of a folder's files."""
    paths = sorted(path for path in home.rglob("*") if path.is_file())
    return digest([[path.relative_to(home).as_posix(), digest_file(path)] for path in paths])
