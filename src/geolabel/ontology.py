"""What may be labeled: Class, Ontology, and the ontology geolabel ships (`WILDFIRE`).

Terrain is fuel, scars are truth, objects are what can be lost. Class codes are the mask values of rasters (uint8);
0 is "not labeled" and 255 is nodata everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from geolabel.digests import digest
from geolabel.errors import OntologyError, nearest

Kind = Literal["terrain", "burn", "object"]
KINDS: tuple[Kind, ...] = ("terrain", "burn", "object")
UNLABELED, NODATA = 0, 255


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

    def __post_init__(self) -> None:
        if not UNLABELED < self.code < NODATA:
            raise OntologyError(
                f"class {self.name!r} has code {self.code}", hint="codes are 1-254; 0 and 255 are taken"
            )
        if self.fuels and abs(sum(self.fuels.values()) - 1) > 1e-9:
            raise OntologyError(f"the fuel probabilities of {self.name!r} sum to {sum(self.fuels.values())}, not 1")


@dataclass(frozen=True, slots=True)
class Ontology:
    """A versioned list of classes. Iterates over its classes; `ontology["forest"]` is a class."""

    name: str
    version: int
    classes: tuple[Class, ...]

    def __post_init__(self) -> None:
        for what in ("name", "code"):
            values = [getattr(c, what) for c in self.classes]
            twice = {v for v in values if values.count(v) > 1}
            if twice:
                raise OntologyError(f"ontology {self.id} has the {what} {sorted(twice)} twice")

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """Sha-256 over all classes."""
        rows = [[c.name, c.title, c.code, c.kind, c.colour, {str(k): v for k, v in c.fuels.items()}] for c in self]
        return digest(self.id, rows)

    def __iter__(self) -> Iterator[Class]:
        return iter(self.classes)

    def __getitem__(self, name: str) -> Class:
        for one in self.classes:
            if one.name == name:
                return one
        raise OntologyError(
            f"the ontology {self.id} has no class {name!r}", hint=nearest(name, [c.name for c in self.classes])
        )

    def of_kind(self, kind: Kind) -> tuple[Class, ...]:
        """Classes of one kind, in order."""
        return tuple(c for c in self.classes if c.kind == kind)

    def by_code(self, code: int) -> Class:
        """Class of a mask value."""
        for one in self.classes:
            if one.code == code:
                return one
        raise OntologyError(f"the ontology {self.id} has no class with code {code}")


# Crosswalk of cover to fuel models: our reading of the descriptions in Scott & Burgan (2005), RMRS-GTR-153, by the
# fire-carrying fuel type (GR, GS, SH, TU, TL); probabilities are a prior to be scored against mapped fuel, not a measurement.
WILDFIRE = Ontology(
    "wildfire",
    1,
    (
        Class("water", "Water", 1, "terrain", "#2b6cb0", {98: 1.0}),
        Class("built_up", "Built-up ground", 2, "terrain", "#8d8d99", {91: 1.0}),
        Class("bare", "Bare ground", 3, "terrain", "#cdb48c", {99: 1.0}),
        Class("grass", "Grass and crops", 4, "terrain", "#e6d96a", {102: 0.5, 104: 0.3, 121: 0.2}),
        Class("shrub", "Shrub", 5, "terrain", "#a8a03c", {122: 0.2, 142: 0.2, 145: 0.4, 147: 0.2}),
        Class("forest", "Forest", 6, "terrain", "#2f6b3a", {161: 0.2, 165: 0.4, 182: 0.1, 186: 0.3}),
        Class("burned", "Burned", 20, "burn", "#7a1f1f"),
        Class("settlement", "Settlement (group of buildings)", 40, "object", "#6a3d9a"),
        Class("building", "Building", 41, "object", "#512d75"),
        Class("road", "Road", 42, "object", "#4a4a4a"),
    ),
)
