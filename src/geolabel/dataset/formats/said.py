"""What readers of other programs' files share: documents that are read with care, and what is left out of them, counted."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

from geolabel.errors import GeolabelWarning, InputError, SourceError

CHUNK = 1 << 16


class Left:
    """Counts what a reader leaves out, by reason; says it in one warning."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.counts: Counter[str] = Counter()

    def out(self, what: str) -> None:
        """One more of these."""
        self.counts[what] += 1

    def warn(self) -> None:
        """A warning with all counts; nothing where nothing was left out."""
        if self.counts:
            words = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
            warnings.warn(f"{self.source}: left out {words}", GeolabelWarning, stacklevel=4)


def warn_left_out(ids: Iterable[Any], why: str) -> None:
    """A warning that names some of the labels that are left out, and why; nothing where there are none."""
    found = sorted({str(one) for one in ids})
    if found:
        named = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")
        warnings.warn(f"{len(found)} labels left out ({named}): {why}", GeolabelWarning, stacklevel=4)


def text_of(path: Path) -> str:
    """Text of a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    SourceError
        Where it cannot be read.
    InputError
        Where it is no such text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except UnicodeDecodeError:
        raise InputError(f"{path} is no UTF-8 text", hint="save it as UTF-8") from None


def json_of(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    InputError
        For a file that is no JSON.
    """
    try:
        return json.loads(text_of(path))
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}", hint="was it downloaded whole?") from None


class _Plain(ET.TreeBuilder):
    """A tree of a document without a type declaration: entities, and with them bombs and files of the machine, need one."""

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        raise InputError(
            f"the XML declares a document type {name!r}, which annotation tools do not write",
            hint="entities can read files or fill the memory: remove the <!DOCTYPE ...> if you trust the file",
        )


def xml_of(path: Path) -> ET.Element:
    """Root of an XML file.

    Raises
    ------
    InputError
        For a file that is no XML, or one with a document type declaration.
    SourceError
        Where it cannot be read.
    """
    parser = ET.XMLParser(target=_Plain())  # noqa: S314 - _Plain refuses what makes it dangerous
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                parser.feed(chunk)
        root: ET.Element = parser.close()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except ET.ParseError as error:
        raise InputError(f"{path} is no XML: {error}", hint="was it downloaded whole?") from None
    return root


def csv_of(path: Path, *, names: list[str] | None = None) -> pd.DataFrame:
    """Rows of a UTF-8 CSV file; `names` are those of a file without a header.

    Raises
    ------
    SourceError
        Where it cannot be read.
    InputError
        For a file that is no table.
    """
    try:
        return pd.read_csv(StringIO(text_of(path)), header="infer" if names is None else None, names=names)
    except ValueError as error:
        raise InputError(
            f"{path} is no CSV: {error}", hint="one row a line, the same number of columns in each"
        ) from None
