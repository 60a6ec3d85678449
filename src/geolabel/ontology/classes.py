"""One thing that may be labeled: its mask value, the shapes it may have, the attributes it may carry."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from geolabel.errors import OntologyError, nearest

Kind = Literal["terrain", "burn", "object"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GeometryKind = Literal["polygon", "line", "point", "box"]
GEOMETRIES: tuple[GeometryKind, ...] = get_args(GeometryKind)
AttributeKind = Literal["text", "number", "integer", "boolean", "choice", "date"]
ATTRIBUTES: tuple[AttributeKind, ...] = get_args(AttributeKind)

UNLABELED, NODATA = 0, 255
MASKS: dict[str, int] = {"unlabeled": UNLABELED, "nodata": NODATA}
"""Mask values that are no class, the same in every ontology."""

NAME = re.compile(r"[0-9A-Za-z_-]+")
"""Names that files of other programs keep; STAC's classification extension v2.0.0 allows no others."""
COLOUR = re.compile(r"#[0-9a-f]{6}")
SORTS: dict[str, tuple[GeometryKind, ...]] = {
    "Polygon": ("polygon",),
    "MultiPolygon": ("polygon",),
    "LineString": ("line",),
    "MultiLineString": ("line",),
    "Point": ("point",),
    "MultiPoint": ("point",),
}
"""Sort of geometry (OGC simple features) -> how it is drawn."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value that a label of a class may carry."""

    name: str
    """A quantity's name ends in its unit: `height_m`."""
    kind: AttributeKind
    description: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    """What a `choice` may be."""
    required: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name, "an attribute")
        _check_word(self.kind, ATTRIBUTES, f"attribute {self.name!r} has the kind")
        if (self.kind == "choice") != bool(self.choices):
            raise OntologyError(
                f"attribute {self.name!r} is a {self.kind} with {len(self.choices)} choices",
                hint="a choice has choices, other kinds have none",
            )
        if self.unit and self.kind not in ("number", "integer"):
            raise OntologyError(f"attribute {self.name!r} is a {self.kind} in {self.unit!r}", hint="numbers have units")

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        words = {
            "date": "a date such as 2009-08-26",
            "boolean": "true or false",
            "text": "text",
            "integer": "a whole number",
        }
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        return words.get(self.kind, "a number") + (f" in {self.unit}" if self.unit else "")

    def allows(self, value: Any) -> bool:
        """Whether a JSON value is one of this attribute's."""
        if self.kind in ("number", "integer"):
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole or (
                isinstance(value, float) and math.isfinite(value) and (self.kind == "number" or value.is_integer())
            )
        if self.kind == "boolean":
            return isinstance(value, bool)
        return isinstance(value, str) and (self.kind == "text" or value in self.choices or self._is_date(value))

    def _is_date(self, value: str) -> bool:
        try:
            return self.kind == "date" and date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Class:
    """One thing that may be labeled."""

    name: str
    """Stable key, lower case, used in tables and files."""
    title: str
    """What a person reads."""
    code: int
    """Mask value, 1-254."""
    kind: Kind
    """terrain, burn or object."""
    colour: str
    """#rrggbb."""
    fuels: Mapping[int, float] = field(default_factory=dict)
    """Scott & Burgan (2005) fuel model number -> probability, for terrain; one cover class is many fuels."""
    parent: str | None = None
    """Name of the class of the same kind that this one is a sort of."""
    geometry: tuple[GeometryKind, ...] = ("polygon",)
    """How it may be drawn; a `box` is an upright rectangle."""
    attributes: tuple[Attribute, ...] = ()
    """What its labels may carry, beside what its ancestors' may."""
    description: str = ""
    standards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Standard (a key of the ontology's `standards`) -> its codes for this."""

    def __post_init__(self) -> None:
        _check_name(self.name, "a class")
        _check_word(self.kind, KINDS, f"class {self.name!r} has the kind")
        if not COLOUR.fullmatch(self.colour):
            raise OntologyError(f"class {self.name!r} has the colour {self.colour!r}", hint="#rrggbb, in lower case")
        if not UNLABELED < self.code < NODATA:
            raise OntologyError(
                f"class {self.name!r} has code {self.code}", hint="codes are 1-254; 0 and 255 are taken"
            )
        self._check_fuels()
        self._check_shapes()

    def _check_fuels(self) -> None:
        if self.fuels and self.kind != "terrain":
            raise OntologyError(f"{self.kind} class {self.name!r} has fuels", hint="terrain is fuel")
        if any(not share > 0 for share in self.fuels.values()):
            raise OntologyError(f"class {self.name!r} has a fuel of probability {min(self.fuels.values())}")
        if self.fuels and abs(sum(self.fuels.values()) - 1) > 1e-9:
            raise OntologyError(f"the fuel probabilities of {self.name!r} sum to {sum(self.fuels.values())}, not 1")

    def _check_shapes(self) -> None:
        for one in self.geometry:
            _check_word(one, GEOMETRIES, f"class {self.name!r} has the geometry")
        if not self.geometry:
            raise OntologyError(f"class {self.name!r} cannot be drawn", hint=f"geometry: some of {GEOMETRIES}")
        if twice := repeated(one.name for one in self.attributes):
            raise OntologyError(f"class {self.name!r} has the attribute {twice} twice")

    def draws(self, geometry: Any) -> bool:
        """Whether a shapely geometry is of a sort this class may be drawn as."""
        sorts = SORTS.get(geometry.geom_type, ())
        upright = geometry.geom_type == "Polygon" and "box" in self.geometry and geometry.equals(geometry.envelope)
        return upright or any(sort in self.geometry for sort in sorts)


def repeated(values: Iterable[Any]) -> list[Any]:
    """Values that occur more than once, sorted."""
    values = list(values)
    return sorted({v for v in values if values.count(v) > 1})


def _check_name(name: str, what: str) -> None:
    if not NAME.fullmatch(name):
        raise OntologyError(f"{what} is called {name!r}", hint="letters a-z, digits, _ and -, as files keep them")


def _check_word(word: str, known: tuple[str, ...], what: str) -> None:
    if word not in known:
        raise OntologyError(f"{what} {word!r}", hint=nearest(str(word), known))
