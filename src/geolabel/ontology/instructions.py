"""Labeling instructions: what annotators are told, versioned beside the ontology. A Markdown file with a header."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from geolabel.digests import digest
from geolabel.errors import OntologyError, nearest
from geolabel.ontology.ontology import Ontology
from geolabel.ontology.whole import read_text, write_text

FENCE = "+++"
"""What stands before and after the header, which is TOML."""
_HEADING = re.compile(r"^### `([0-9A-Za-z_-]+)`.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that shows what is, or is not, to be labeled."""

    name: str
    """Class."""
    href: str
    """Path beside the file, or address."""
    caption: str = ""
    right: bool = True
    """False for one that shows a mistake."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """What annotators are told. A heading ``### `class` `` in the text begins the note on that class."""

    version: int
    ontology: str
    """`name@version`."""
    text: str
    """Markdown; lines end in a line feed."""
    title: str = ""
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        if self.version < 1:
            raise OntologyError(f"instructions of version {self.version}", hint="versions count from 1")
        object.__setattr__(self, "text", self.text.replace("\r\n", "\n").replace("\r", "\n"))

    @property
    def digest(self) -> str:
        """Sha-256 over all of it."""
        return digest(self._head(), self.text)

    @property
    def notes(self) -> dict[str, str]:
        """Class -> what the text says of it: from its heading to the next heading."""
        found = list(_HEADING.finditer(self.text))
        return {
            one[1]: re.split(r"^#{1,3} ", self.text[one.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
            for one in found
        }

    def check(self, ontology: Ontology) -> Instructions:
        """These instructions, once they speak of this ontology and of classes that it has.

        Raises
        ------
        OntologyError
            For another ontology, or a class that it does not have.
        """
        if self.ontology != ontology.id:
            raise OntologyError(f"instructions {self.version} are for {self.ontology}, not for {ontology.id}")
        for name in [*self.notes, *(one.name for one in self.examples)]:
            ontology[name]
        return self

    def write(self, path: Path | str) -> Path:
        """Path of a Markdown file with a TOML header, written atomically; `read` gives equal instructions."""
        return write_text(Path(path), self.to_text())

    def to_text(self) -> str:
        """Markdown with a TOML header; `parsed` gives equal instructions."""
        import tomli_w

        return f"{FENCE}\n{tomli_w.dumps(self._head())}{FENCE}\n{self.text}"

    @classmethod
    def read(cls, path: Path | str) -> Instructions:
        """Instructions of a Markdown file with a TOML header between two lines `+++`.

        Raises
        ------
        OntologyError
            Without header, for an unknown key (names the nearest), or a missing one.
        SourceError
            Where the file cannot be read.
        """
        return parsed(read_text(Path(path)), where=Path(path).name)

    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = {"version": self.version, "ontology": self.ontology, "title": self.title}
        rows = [{name: getattr(one, name) for name in one.__slots__} for one in self.examples]
        return head | ({"examples": rows} if rows else {})

    def _repr_html_(self) -> str:
        head = escape(f"{self.title or 'Instructions'} (version {self.version}, {self.ontology})")
        return f"<details open><summary>{head}</summary><pre style='white-space:pre-wrap'>{escape(self.text)}</pre></details>"


def parsed(text: str, *, where: str) -> Instructions:
    """Instructions of the text of such a file; `where` names it in errors."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = lines.partition("\n")
    head, fence, body = rest.partition(f"\n{FENCE}\n")
    if first.strip() != FENCE or not fence:
        raise OntologyError(f"{where} has no header", hint=f"{FENCE} / version = 1 / ontology = 'wildfire@2' / {FENCE}")
    try:
        row = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise OntologyError(f"the header of {where} is not TOML: {error}") from None
    _check(row, {"version": int, "ontology": str, "title": str, "examples": list}, ("version", "ontology"), where)
    examples = tuple(_example(one, where) for one in row.get("examples", []))
    return Instructions(row["version"], row["ontology"], body, row.get("title", ""), examples)


def _example(row: Any, where: str) -> Example:
    _check(row, {"name": str, "href": str, "caption": str, "right": bool}, ("name", "href"), f"an example of {where}")
    return Example(**row)


def _check(row: Any, known: Mapping[str, type], needed: tuple[str, ...], where: str) -> None:
    if not isinstance(row, Mapping):
        raise OntologyError(f"{where} is {row!r}", hint=f"a table of {', '.join(known)}")
    for key, value in row.items():
        if key not in known:
            raise OntologyError(f"{where} has the unknown key {key!r}", hint=nearest(key, known))
        if not isinstance(value, known[key]) or (isinstance(value, bool) and known[key] is not bool):
            raise OntologyError(f"{where} has {key} = {value!r}", hint=f"{key} is of the kind {known[key].__name__}")
    for key in needed:
        if key not in row:
            raise OntologyError(f"{where} has no {key!r}", hint=f"it has {', '.join(row) or 'nothing'}")
