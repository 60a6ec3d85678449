"""Ontologies as STAC `classification:classes` and back (classification extension v2.0.0).

STAC knows value, name, title, description and colour of a class. Its kind and its parent travel beside them as
`geolabel:kind` and `geolabel:parent`; attributes, fuels, geometry and standards do not travel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from geolabel.errors import OntologyError
from geolabel.ontology.classes import MASKS, NODATA, UNLABELED, Class, Kind
from geolabel.ontology.ontology import Ontology

SCHEMA = "https://stac-extensions.github.io/classification/v2.0.0/schema.json"
KIND, PARENT = "geolabel:kind", "geolabel:parent"
CYCLE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#000000")
"""Colours of classes that have none, in order: Okabe & Ito (2008), safe for the colour-blind."""
_HINT = re.compile(r"[0-9A-Fa-f]{6}")


def to_stac(ontology: Ontology, shares: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """Class objects of `classification:classes`, the two mask values first.

    Parameters
    ----------
    shares
        Class (or `unlabeled`, `nodata`) -> its share of the pixels, 0-1, written as `percentage`, 0-100.

    Source: STAC classification extension v2.0.0, Class Object.
    """
    rows = [_mask("unlabeled", "Not labeled"), _mask("nodata", "No data") | {"nodata": True}, *map(_class, ontology)]
    unknown = sorted(set(shares or {}) - {row["name"] for row in rows})
    if unknown:
        raise OntologyError(f"shares of {unknown}, which are no classes of {ontology.id}")
    return [row | _percentage((shares or {}).get(row["name"])) for row in rows]


def _mask(name: str, title: str) -> dict[str, Any]:
    return {"value": MASKS[name], "name": name, "title": title}


def _class(one: Class) -> dict[str, Any]:
    said = {"description": one.description, PARENT: one.parent}
    head = {
        "value": one.code,
        "name": one.name,
        "title": one.title,
        "color_hint": one.colour[1:].upper(),
        KIND: one.kind,
    }
    return head | {name: value for name, value in said.items() if value}


def _percentage(share: float | None) -> dict[str, float]:
    if share is None:
        return {}
    if not 0 <= share <= 1:
        raise OntologyError(f"a class has {share} of the pixels", hint="a share from 0 to 1")
    return {"percentage": 100 * share}


def from_stac(classes: Sequence[Mapping[str, Any]], name: str, version: int = 1, *, kind: Kind = "terrain") -> Ontology:
    """Ontology of the class objects of any raster; classes with `nodata` and our mask values are left out.

    Names of version 1 of the extension, which did not ask for any, are made of the title or the description.

    Parameters
    ----------
    kind
        Of classes that do not say theirs.

    Raises
    ------
    OntologyError
        For values that no mask of ours can hold, and what is no class object.
    """
    rows = [row for row in classes if not _is_mask(row)]
    found = tuple(_read(row, n, kind) for n, row in enumerate(rows))
    if not found:
        raise OntologyError(f"no class among {len(classes)} class objects")
    return Ontology(name, version, found)


def _is_mask(row: Mapping[str, Any]) -> bool:
    return bool(row.get("nodata")) or (row.get("value"), row.get("name")) == (UNLABELED, "unlabeled")


def _read(row: Mapping[str, Any], n: int, kind: Kind) -> Class:
    value, words = row.get("value"), row.get("title") or row.get("description") or row.get("name")
    told = [row.get(key) or "" for key in ("name", "title", "description", KIND, PARENT)]
    if not isinstance(value, int) or isinstance(value, bool) or not words or not all(isinstance(t, str) for t in told):
        raise OntologyError(f"{dict(row)} is no STAC class object", hint="it has an integer `value` and a `name`")
    if not UNLABELED < value < NODATA:
        raise OntologyError(
            f"class {words!r} has the value {value}",
            hint="labels are 1-254: 0 is not labeled, 255 is nodata; recode it",
        )
    return Class(
        name=row.get("name") or re.sub(r"[^0-9a-z]+", "_", words.lower()).strip("_"),
        title=words,
        code=value,
        kind=row.get(KIND) or kind,
        colour=_colour(row, n),
        parent=row.get(PARENT) or None,
        description=row.get("description") or "",
    )


def _colour(row: Mapping[str, Any], n: int) -> str:
    hint = row.get("color_hint") or row.get("color-hint")  # the hyphen is version 1.0.0's
    if hint is None:
        return CYCLE[n % len(CYCLE)]
    if not isinstance(hint, str) or not _HINT.fullmatch(hint):
        raise OntologyError(f"class {row.get('name')!r} has the color_hint {hint!r}", hint="RRGGBB, without #")
    return f"#{hint.lower()}"
