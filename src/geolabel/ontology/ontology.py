"""Ontology: a versioned list of classes, with the hierarchy they stand in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geolabel.digests import digest
from geolabel.errors import OntologyError, nearest
from geolabel.ontology.classes import NAME, Attribute, Class, Kind, repeated


@dataclass(frozen=True, slots=True)
class Ontology:
    """A versioned list of classes. Iterates over its classes; `ontology["forest"]` is a class."""

    name: str
    version: int
    classes: tuple[Class, ...]
    title: str = ""
    description: str = ""
    standards: Mapping[str, str] = field(default_factory=dict)
    """Key of another class list -> which one, with its edition; a class names its codes there."""
    _by_name: dict[str, Class] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.version < 1:
            raise OntologyError(f"an ontology is called {self.id!r}", hint="name@version, e.g. wildfire@2")
        for what in ("name", "code"):
            if twice := repeated(getattr(c, what) for c in self.classes):
                raise OntologyError(f"ontology {self.id} has the {what} {twice} twice")
        self._by_name.update({one.name: one for one in self.classes})
        for one in self.classes:
            self._check_parent(one)
        self._check_standards()

    def _check_parent(self, one: Class) -> None:
        if one.parent is not None and self[one.parent].kind != one.kind:
            raise OntologyError(
                f"{one.kind} class {one.name!r} has the parent {one.parent!r}, a {self[one.parent].kind} class"
            )
        seen, above = [one.name], one.parent
        while above is not None:
            if above in seen:
                raise OntologyError(f"class {above!r} of {self.id} is its own ancestor: {' < '.join([*seen, above])}")
            seen.append(above)
            above = self[above].parent

    def _check_standards(self) -> None:
        used = [(scheme, code) for c in self.classes for scheme, codes in c.standards.items() for code in codes]
        for scheme in {scheme for scheme, _ in used} - set(self.standards):
            raise OntologyError(f"{self.id} does not say what {scheme!r} is", hint=nearest(scheme, self.standards))
        if twice := repeated(used):
            scheme, code = twice[0]
            raise OntologyError(f"two classes of {self.id} are {code!r} of {scheme}", hint="give it to the nearer one")

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """Sha-256 over all of it; what is not said does not count, so that older lists keep theirs."""
        rows = [_digested(c) for c in self]
        said = {name: getattr(self, name) for name in ("title", "description") if getattr(self, name)}
        more = said | ({"standards": dict(self.standards)} if self.standards else {})
        return digest(self.id, rows, *([more] if more else []))

    def __iter__(self) -> Iterator[Class]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Class:
        if name in self._by_name:
            return self._by_name[name]
        raise OntologyError(f"the ontology {self.id} has no class {name!r}", hint=nearest(str(name), self._by_name))

    def of_kind(self, kind: Kind) -> tuple[Class, ...]:
        """Classes of one kind, in order."""
        return tuple(c for c in self.classes if c.kind == kind)

    def by_code(self, code: int) -> Class:
        """Class of a mask value."""
        for one in self.classes:
            if one.code == code:
                return one
        codes = sorted(c.code for c in self.classes)
        raise OntologyError(f"the ontology {self.id} has no class with code {code}", hint=f"known: {codes}")

    # ------------------------------------------------------------------ hierarchy
    def children(self, name: str | None = None) -> tuple[Class, ...]:
        """Classes right below one, in order; without a name those that have no parent."""
        return tuple(c for c in self.classes if c.parent == (None if name is None else self[name].name))

    def ancestors(self, name: str) -> tuple[Class, ...]:
        """Classes above one, nearest first."""
        above = self[name].parent
        return () if above is None else (self[above], *self.ancestors(above))

    def leaves(self, name: str | None = None) -> tuple[Class, ...]:
        """Classes without children, in order; with a name those that are that class or a sort of it."""
        parents = {c.parent for c in self.classes}
        below = [c for c in self.classes if name is None or name in (c.name, *(a.name for a in self.ancestors(c.name)))]
        if not below:
            self[str(name)]
        return tuple(c for c in below if c.name not in parents)

    def within(self, names: Collection[str]) -> dict[str, str | None]:
        """Class -> the nearest of `names` that it is or is a sort of; None where it is none of them.

        With it a detailed map is told in coarser classes: `within(["grass", "forest"])["forest_conifer"]` is `forest`.
        """
        for name in names:
            self[name]
        line = {c.name: (c.name, *(a.name for a in self.ancestors(c.name))) for c in self.classes}
        return {name: next((one for one in up if one in names), None) for name, up in line.items()}

    def attributes(self, name: str) -> dict[str, Attribute]:
        """Attributes that labels of a class may carry, by name: its own before those of its ancestors."""
        line = (self[name], *self.ancestors(name))
        return {a.name: a for one in reversed(line) for a in one.attributes}

    def crosswalk(self, standard: str) -> dict[str, str]:
        """Code of another class list -> class here, for reading its maps.

        Raises
        ------
        OntologyError
            For a class list that this ontology does not know.
        """
        if standard not in self.standards:
            raise OntologyError(f"{self.id} has no crosswalk from {standard!r}", hint=nearest(standard, self.standards))
        return {code: c.name for c in self.classes for code in c.standards.get(standard, ())}

    # ------------------------------------------------------------------ files and pages
    @classmethod
    def read(cls, path: Path | str) -> Ontology:
        """Ontology of a JSON or TOML file (`geolabel-ontology/1`, see `ontology.schema.json`).

        Raises
        ------
        OntologyError
            For an unknown key (names the nearest), a wrong value, or what no ontology may hold.
        SourceError
            Where the file cannot be read.
        """
        from geolabel.ontology.record import read

        return read(Path(path))

    def write(self, path: Path | str) -> Path:
        """Path of a JSON or TOML file of it (by its suffix), written atomically; `read` gives an equal ontology."""
        from geolabel.ontology.record import write

        return write(self, Path(path))

    def to_row(self) -> dict[str, Any]:
        """Plain values of it, for JSON, TOML and the ledger."""
        from geolabel.ontology.record import to_row

        return to_row(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Ontology:
        """Ontology of what `to_row` gave."""
        from geolabel.ontology.record import from_row

        return from_row(row)

    def to_stac(self, shares: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
        """`classification:classes` of STAC: see `geolabel.ontology.stac`."""
        from geolabel.ontology.stac import to_stac

        return to_stac(self, shares)

    def _repr_html_(self) -> str:
        from geolabel.ontology.show import table

        return table(self)


def _digested(one: Class) -> list[Any]:
    base = [one.name, one.title, one.code, one.kind, one.colour, {str(k): v for k, v in one.fuels.items()}]
    from geolabel.ontology.record import class_row

    more = class_row(one)
    said = {key: more[key] for key in ("parent", "geometry", "attributes", "description", "standards") if key in more}
    return [*base, said] if said else base
