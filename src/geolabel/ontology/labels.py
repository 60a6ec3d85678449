"""Labels held against their ontology: classes it has, geometry they may have, attributes they may carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from geolabel.errors import OntologyError, nearest
from geolabel.ontology.classes import SORTS, Attribute
from geolabel.ontology.ontology import Ontology


def check_labels(ontology: Ontology, frame: Any) -> Any:
    """The frame itself, once its classes are the ontology's, drawn as they may be, with attributes as they may be.

    Raises
    ------
    OntologyError
        Names the first label that is not, and how many are not.
    """
    known = {name: ontology[name] for name in frame["class"].unique()}
    plain = {
        (name, sort) for name, one in known.items() for sort, kinds in SORTS.items() if set(kinds) & set(one.geometry)
    }
    rows = zip(frame["label_id"], frame["class"], frame.geometry, frame.geometry.geom_type, strict=True)
    wrong = [
        f"label {key!r} is a {sort}; {name} is drawn as {' or '.join(known[name].geometry)}"
        for key, name, geometry, sort in rows
        if (name, sort) not in plain and not known[name].draws(geometry)
    ]
    _refuse(wrong, "geometry of another sort")
    return check_attributes(ontology, frame)


def check_attributes(ontology: Ontology, frame: Any, *, foreign: bool = True) -> Any:
    """The frame itself, once the attributes of its labels are what their classes allow.

    Parameters
    ----------
    foreign
        Whether attributes that the class does not have are let through, as files bring them along.

    Raises
    ------
    OntologyError
        Names label, attribute, value and what is allowed, and how many others there are.
    """
    known = {name: ontology.attributes(name) for name in frame["class"].unique()}
    texts = frame["attributes"] if "attributes" in frame.columns else [None] * len(frame)
    rows = zip(frame["label_id"], frame["class"], texts, strict=True)
    _refuse(
        [
            f"label {key!r} ({name}): {words}"
            for key, name, text in rows
            for words in _wrong(known[name], text, foreign)
        ],
        "attributes that are not allowed",
    )
    return frame


def _wrong(known: dict[str, Attribute], text: Any, foreign: bool) -> Iterator[str]:
    values = _values(text)
    if values is None:
        yield f"attributes {text!r} are no JSON object"
        return
    for name, value in values.items():
        if name in known and not known[name].allows(value):
            yield f"{name} = {value!r} is not {known[name].allowed}"
        elif name not in known and not foreign:
            yield f"it has no attribute {name!r} ({nearest(name, known)})"
    yield from (
        f"{one.name} is missing: {one.allowed}" for one in known.values() if one.required and one.name not in values
    )


def _values(text: Any) -> dict[str, Any] | None:
    """Name -> value of a label's attributes; None where they cannot be read."""
    if not isinstance(text, str):  # a missing value, in whichever way the frame says it
        return {}
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        return None
    return values if isinstance(values, dict) else None


def _refuse(wrong: list[str], what: str) -> None:
    if wrong:
        more = f" ({len(wrong) - 1} more labels have {what})" if len(wrong) > 1 else ""
        raise OntologyError(f"{wrong[0]}{more}", hint="correct it, or write the ontology's next version")
