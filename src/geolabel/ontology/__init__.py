"""What may be labeled: Class, Ontology, and the ontology geolabel ships (`WILDFIRE`).

Terrain is fuel, scars are truth, objects are what can be lost. Class codes are the mask values of rasters (uint8);
0 is "not labeled" and 255 is nodata everywhere. `WILDFIRE` is read from its file when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geolabel.ontology.classes import (
    ATTRIBUTES,
    GEOMETRIES,
    KINDS,
    MASKS,
    NODATA,
    UNLABELED,
    Attribute,
    Class,
    Kind,
)
from geolabel.ontology.ontology import Ontology

if TYPE_CHECKING:
    from geolabel.ontology.difference import diff
    from geolabel.ontology.instructions import Example, Instructions
    from geolabel.ontology.labels import check_attributes, check_labels
    from geolabel.ontology.migration import Migration, Question, Tally
    from geolabel.ontology.shipped import instructions as shipped_instructions
    from geolabel.ontology.shipped import known
    from geolabel.ontology.stac import from_stac, to_stac

    WILDFIRE: Ontology

_HOME = {
    "diff": "difference",
    "Example": "instructions",
    "Instructions": "instructions",
    "check_attributes": "labels",
    "check_labels": "labels",
    "Migration": "migration",
    "Question": "migration",
    "Tally": "migration",
    "known": "shipped",
    "from_stac": "stac",
    "to_stac": "stac",
}

__all__ = [
    "ATTRIBUTES",
    "GEOMETRIES",
    "KINDS",
    "MASKS",
    "NODATA",
    "UNLABELED",
    "WILDFIRE",
    "Attribute",
    "Class",
    "Example",
    "Instructions",
    "Kind",
    "Migration",
    "Ontology",
    "Question",
    "Tally",
    "check_attributes",
    "check_labels",
    "diff",
    "from_stac",
    "known",
    "shipped_instructions",
    "to_stac",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in ("WILDFIRE", "shipped_instructions"):
        from geolabel.ontology import shipped

        value: Any = shipped.known(shipped.NEWEST) if name == "WILDFIRE" else shipped.instructions
    elif name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value
