"""Ontologies as plain values and as files: JSON and TOML of one form, `geolabel-ontology/1`.

`ontology.schema.json` beside this module says the same to other programs.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geolabel.errors import OntologyError, nearest
from geolabel.ontology.classes import GEOMETRIES, MASKS, Attribute, Class
from geolabel.ontology.ontology import Ontology
from geolabel.ontology.whole import read_text, write_text

FORM = "geolabel-ontology/1"
_Kinds = dict[str, type | tuple[type, ...]]

_ONTOLOGY: _Kinds = {
    "schema": str, "name": str, "version": int, "title": str, "description": str, "standards": dict, "masks": dict,
    "classes": list,
}  # fmt: skip
_CLASS: _Kinds = {
    "name": str, "title": str, "code": int, "kind": str, "colour": str, "parent": str, "geometry": list,
    "description": str, "fuels": dict, "standards": dict, "attributes": list,
}  # fmt: skip
_ATTRIBUTE: _Kinds = {
    "name": str, "kind": str, "description": str, "unit": str, "choices": list, "required": bool,
}  # fmt: skip
_WORDS = {str: "text", int: "a whole number", float: "a number", dict: "a table", list: "a list", bool: "true or false"}


# ---------------------------------------------------------------------- to plain values
def to_row(ontology: Ontology) -> dict[str, Any]:
    """JSON values of an ontology; what is not said is left out."""
    said = {name: getattr(ontology, name) for name in ("title", "description") if getattr(ontology, name)}
    standards = {"standards": dict(ontology.standards)} if ontology.standards else {}
    head = {"schema": FORM, "name": ontology.name, "version": ontology.version}
    return {**head, **said, "masks": MASKS.copy(), **standards, "classes": [class_row(one) for one in ontology]}


def class_row(one: Class) -> dict[str, Any]:
    """JSON values of a class; what is not said is left out."""
    head = {name: getattr(one, name) for name in ("name", "title", "code", "kind", "colour")}
    more: dict[str, Any] = {
        "parent": one.parent,
        "geometry": list(one.geometry) if one.geometry != ("polygon",) else None,
        "description": one.description,
        "fuels": {str(number): share for number, share in one.fuels.items()},
        "standards": {key: list(codes) for key, codes in one.standards.items()},
        "attributes": [_attribute_row(a) for a in one.attributes],
    }
    return head | {name: value for name, value in more.items() if value}


def _attribute_row(one: Attribute) -> dict[str, Any]:
    more = {"description": one.description, "unit": one.unit, "choices": list(one.choices), "required": one.required}
    return {"name": one.name, "kind": one.kind} | {name: value for name, value in more.items() if value}


# ---------------------------------------------------------------------- from plain values
def from_row(row: Mapping[str, Any], *, where: str = "this ontology") -> Ontology:
    """Ontology of plain values.

    Raises
    ------
    OntologyError
        For an unknown key (names the nearest), a value of another kind, or what no ontology may hold.
    """
    _check(row, _ONTOLOGY, ("schema", "name", "version", "classes"), where)
    if row["schema"] != FORM:
        raise OntologyError(f"{where} is of the form {row['schema']!r}", hint=f"this geolabel reads {FORM}")
    if row.get("masks", MASKS) != MASKS:
        raise OntologyError(f"{where} has the mask values {row['masks']}", hint=f"they are {MASKS} in every ontology")
    _check_texts(row.get("standards", {}), where)
    classes = tuple(_class(one, f"class {n} of {where}") for n, one in enumerate(row["classes"], start=1))
    more = {name: row[name] for name in ("title", "description", "standards") if name in row}
    return Ontology(row["name"], row["version"], classes, **more)


def _class(row: Any, where: str) -> Class:
    _check(row, _CLASS, ("name", "title", "code", "kind", "colour"), where)
    where = f"{where}, {row['name']!r},"
    plain = {
        name: row[name] for name in ("name", "title", "code", "kind", "colour", "parent", "description") if name in row
    }
    standards = row.get("standards", {})
    for codes in standards.values():
        _check_list(codes, where)
    _check_list(row.get("geometry", []), where)
    attributes = [_attribute(one, f"attribute {n} of {where}") for n, one in enumerate(row.get("attributes", []), 1)]
    return Class(
        **plain,
        fuels={_number(key, where): _share(value, where) for key, value in row.get("fuels", {}).items()},
        geometry=tuple(row.get("geometry", GEOMETRIES[:1])),
        attributes=tuple(attributes),
        standards={key: tuple(codes) for key, codes in standards.items()},
    )


def _attribute(row: Any, where: str) -> Attribute:
    _check(row, _ATTRIBUTE, ("name", "kind"), where)
    _check_list(row.get("choices", []), where)
    plain: dict[str, Any] = {name: tuple(value) if name == "choices" else value for name, value in row.items()}
    return Attribute(**plain)


def _check(row: Any, known: _Kinds, needed: tuple[str, ...], where: str) -> None:
    if not isinstance(row, Mapping):
        raise OntologyError(f"{where} is {row!r}", hint="a table of keys and values")
    for key, value in row.items():
        if key not in known:
            raise OntologyError(f"{where} has the unknown key {key!r}", hint=nearest(str(key), known))
        kind = known[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise OntologyError(f"{where} has {key} = {value!r}", hint=f"{key} is {_WORDS[kind]}")  # type: ignore[index]
    for key in needed:
        if key not in row:
            raise OntologyError(f"{where} has no {key!r}", hint=f"it has {', '.join(map(str, row))}")


def _check_list(values: Any, where: str) -> None:
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise OntologyError(f"{where} has {values!r}", hint='a list of texts: ["311", "312"]')


def _check_texts(values: Mapping[str, Any], where: str) -> None:
    wrong = [value for value in values.values() if not isinstance(value, str)]
    if wrong:
        raise OntologyError(f"{where} has the standard {wrong[0]!r}", hint="what it is, in words, with its edition")


def _number(key: Any, where: str) -> int:
    if not (isinstance(key, str) and key.isascii() and key.isdigit()):
        raise OntologyError(f"{where} has the fuel {key!r}", hint="numbers of Scott & Burgan (2005), e.g. 102 for GR2")
    return int(key)


def _share(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise OntologyError(f"{where} has a fuel of probability {value!r}", hint="a number above 0 and at most 1")
    return float(value)


# ---------------------------------------------------------------------- files
def read(path: Path) -> Ontology:
    """Ontology of a `.json` or `.toml` file; see `Ontology.read`."""
    return from_row(parse(read_text(path), path), where=path.name)


def parse(text: str, path: Path) -> Any:
    """Plain values of the text of a `.json` or `.toml` file."""
    try:
        return json.loads(text) if _is_json(path) else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise OntologyError(f"{path.name} is not {path.suffix[1:].upper()}: {error}") from None


def write(ontology: Ontology, path: Path) -> Path:
    """Path of a `.json` or `.toml` file of it; see `Ontology.write`."""
    if _is_json(path):
        return write_text(path, json.dumps(to_row(ontology), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    import tomli_w

    return write_text(path, tomli_w.dumps(to_row(ontology)))


def _is_json(path: Path) -> bool:
    if path.suffix not in (".json", ".toml"):
        raise OntologyError(f"an ontology is not kept in {path.name!r}", hint="name it .json or .toml")
    return path.suffix == ".json"
