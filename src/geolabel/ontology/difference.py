"""What changed between two ontologies, in words."""

from __future__ import annotations

from collections.abc import Iterator

from geolabel.ontology.classes import Class
from geolabel.ontology.ontology import Ontology
from geolabel.ontology.record import class_row

_MATTERS = {"code": "masks written before show another class", "kind": "tasks of the other kind ask for it"}


def diff(old: Ontology, new: Ontology) -> tuple[str, ...]:
    """One sentence for each thing that changed from `old` to `new`: classes gone, new, and different; empty if nothing."""
    gone = [f"{c.name} ({c.kind}, code {c.code}) is gone" for c in old if c.name not in new]
    added = [f"{c.name} ({c.kind}, code {c.code}) is new{_below(c)}" for c in new if c.name not in old]
    changed = [words for c in old if c.name in new for words in _changes(c, new[c.name])]
    return (*_reused(old, new), *gone, *added, *changed, *_head(old, new))


def _below(one: Class) -> str:
    return f", a sort of {one.parent}" if one.parent else ""


def _changes(old: Class, new: Class) -> Iterator[str]:
    before, after = class_row(old), class_row(new)
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            why = f": {_MATTERS[key]}" if key in _MATTERS else ""
            yield f"{old.name} has another {key} ({_short(before.get(key))} -> {_short(after.get(key))}){why}"


def _short(value: object) -> str:
    words = "none" if value is None else str(value)
    return words if len(words) <= 40 else f"{words[:37]}..."


def _reused(old: Ontology, new: Ontology) -> Iterator[str]:
    was = {c.code: c.name for c in old}
    for c in new:
        if c.code in was and was[c.code] != c.name:
            yield f"code {c.code} was {was[c.code]} and is {c.name}: masks written before show another class"


def _head(old: Ontology, new: Ontology) -> Iterator[str]:
    order = [c.name for c in old if c.name in new]
    if order != [c.name for c in new if c.name in old]:
        yield "the order of the classes is another"
    for name in ("name", "title", "description", "standards"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"the ontology has another {name} ({_short(before or None)} -> {_short(after or None)})"
