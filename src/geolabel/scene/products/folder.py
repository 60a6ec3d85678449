"""Files of a product, in a folder or in an archive that is read in place; and what the user said, held against it."""

from __future__ import annotations

import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from geolabel.errors import BandError, ConfigError, GeolabelWarning, InputError, SourceError
from geolabel.nouns.times import iso, span
from geolabel.scene.products import Wanted

SKEW = timedelta(days=1)
"""A date the user gives may lie this far from the product's own: a local day is not the UTC day."""


@dataclass(frozen=True, slots=True)
class Files:
    """Names of a product's files, relative and with `/`, and the folder or archive that holds them."""

    root: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, root: Path, *, deep: bool = False) -> Files:
        """Files of a folder (`deep`: of its folders too), or of a .zip or .tar.

        Raises
        ------
        SourceError
            Where an archive is broken.
        """
        if root.is_dir():
            found = root.rglob("*") if deep else root.iterdir()
            return cls(root, tuple(sorted(path.relative_to(root).as_posix() for path in found if path.is_file())))
        return cls(root, tuple(sorted(_archived(root))))

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Names that hold the regular expression, in any case."""
        return tuple(name for name in self.names if re.search(pattern, name, re.IGNORECASE))

    def path(self, name: str) -> str:
        """How GDAL opens a file: its path, or `/vsizip/...`, `/vsitar/...` inside an archive."""
        if self.root.is_dir():
            return str(self.root / name)
        return f"/vsi{'zip' if self.root.suffix.lower() == '.zip' else 'tar'}/{self.root}/{name}"

    def text(self, name: str) -> str:
        """A file as text, whatever bytes it holds."""
        return self._bytes(name).decode("utf-8", errors="replace")

    def _bytes(self, name: str) -> bytes:
        if self.root.is_dir():
            return (self.root / name).read_bytes()
        if self.root.suffix.lower() == ".zip":
            with zipfile.ZipFile(self.root) as archive:
                return archive.read(name)
        with tarfile.open(self.root, "r:") as archive:
            member = archive.extractfile(name)
            return member.read() if member is not None else b""


def _archived(path: Path) -> list[str]:
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                return [name for name in archive.namelist() if not name.endswith("/")]
        with tarfile.open(path, "r:") as archive:
            return [member.name for member in archive if member.isfile()]
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        raise SourceError(f"cannot read the archive {path}: {error}", hint="copy or download it again") from error


def product_folder(source: Any, *, metadata: str = "(?!)") -> Path | None:
    """The folder or archive that a source names: itself, or the folder of its metadata file; None for anything else."""
    if not isinstance(source, str | Path) or str(source).startswith("/vsi") or "://" in str(source):
        return None
    path = Path(source)
    if path.is_dir() or (path.is_file() and path.suffix.lower() in (".zip", ".tar")):
        return path
    return path.parent if path.is_file() and re.search(metadata, path.name, re.IGNORECASE) else None


def one_product(folder: Path, groups: Mapping[str, Any] | Sequence[str], what: str) -> str:
    """The only key of `groups`.

    Raises
    ------
    InputError
        Where there are several products.
    """
    if len(groups) > 1:
        first = ", ".join(sorted(groups)[:3])
        raise InputError(
            f"{folder} holds {len(groups)} {what}: {first}{', ...' if len(groups) > 3 else ''}",
            hint="open them one by one, each in a folder of its own",
        )
    return next(iter(groups))


# ---------------------------------------------------------------- what the user said
def check_said(wanted: Wanted, *, sensors: Sequence[str], product: str, offset: bool = False) -> None:
    """Refuse what the user said where the product says otherwise.

    Raises
    ------
    ConfigError
        For a sensor that did not make it, for an offset where its metadata alone decide, for another quantity.
    """
    if wanted.sensor is not None and wanted.sensor not in sensors:
        raise ConfigError(
            f"{product} was made by {sensors[0]}, not by {wanted.sensor!r}",
            hint="leave sensor out: the product says it",
        )
    if wanted.offset is not None and not offset:
        raise ConfigError(
            f"offset={wanted.offset:g} for {product}, whose offset is fixed", hint="leave it out; it is for Sentinel-2"
        )


def check_quantity(wanted: Wanted, quantity: str, product: str) -> None:
    """Refuse another quantity than the product's own.

    Raises
    ------
    ConfigError
        Where they differ.
    """
    if wanted.quantity not in (None, quantity):
        raise ConfigError(
            f"{product} holds {quantity}, not {wanted.quantity}", hint="leave quantity out: the product says it"
        )


def acquired(wanted: Wanted, start: datetime, end: datetime) -> tuple[datetime, datetime, tuple[str, ...]]:
    """(start, end, words for the audit): the product's own times, or the user's, with a warning where they disagree."""
    if wanted.at is None:
        return start, end, ()
    first, last = span(wanted.at)
    if first - SKEW <= end and start <= last + SKEW:
        return first, last, ()
    words = f"acquired {iso(first)} as given, although the product says {iso(start)}"
    warnings.warn(words, GeolabelWarning, stacklevel=4)
    return first, last, (words,)


def chosen_bands(wanted: Wanted, found: Collection[str], product: str, *, apart: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the bands to open: those asked for, else all but the ones that stand apart (`apart`).

    Raises
    ------
    BandError
        Where one is not there.
    """
    lacking = [name for name in wanted.bands or () if name not in found]
    chosen = wanted.bands or tuple(name for name in found if name not in apart)
    if lacking or not chosen:
        raise BandError(
            f"{product} has no band {', '.join(map(repr, lacking)) or 'to open'}", hint=f"it has {', '.join(found)}"
        )
    return chosen


def missing_bands(wanted: Wanted, listed: Mapping[str, str], found: Collection[str], product: str) -> tuple[str, ...]:
    """Words for the audit on bands whose files the metadata list and the folder lacks.

    Parameters
    ----------
    listed
        Common name -> name of the file.

    Raises
    ------
    SourceError
        Where such a band was asked for.
    """
    lacking = {name: file for name, file in listed.items() if name not in found}
    for name in wanted.bands or ():
        if name in lacking:
            raise SourceError(f"{product} lacks {lacking[name]}, its band {name}", hint="copy or download it again")
    if not lacking:
        return ()
    words = f"left out, for their files are missing: {', '.join(lacking)}"
    if wanted.bands is None:
        warnings.warn(f"{product}: {words}", GeolabelWarning, stacklevel=4)
    return (words,)


def number(text: str, what: str, *, kind: Callable[[str], float] = float) -> float:
    """A number of a product's metadata.

    Raises
    ------
    InputError
        Where it is none.
    """
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{what} is {text!r}, not a number", hint="is the metadata file whole?") from None
