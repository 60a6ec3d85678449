"""The ontologies and the instructions that geolabel ships, read when they are first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from geolabel.errors import OntologyError, nearest
from geolabel.ontology.instructions import Instructions, parsed
from geolabel.ontology.ontology import Ontology
from geolabel.ontology.record import from_row, parse

ONTOLOGIES = {"wildfire@1": "wildfire-1.toml", "wildfire@2": "wildfire-2.toml"}
NEWEST = "wildfire@2"
INSTRUCTIONS = {1: "wildfire-2-instructions-1.md"}


@cache
def known(ontology_id: str) -> Ontology:
    """The shipped ontology `name@version`.

    Raises
    ------
    OntologyError
        Where geolabel ships none of that name; the hint names the nearest.
    """
    if ontology_id not in ONTOLOGIES:
        raise OntologyError(f"geolabel ships no ontology {ontology_id!r}", hint=nearest(ontology_id, ONTOLOGIES))
    name = ONTOLOGIES[ontology_id]
    return from_row(parse(_text(name), Path(name)), where=name)


@cache
def instructions(version: int = 1) -> Instructions:
    """The shipped labeling instructions of a version, for `WILDFIRE`.

    Raises
    ------
    OntologyError
        Where there is none.
    """
    if version not in INSTRUCTIONS:
        raise OntologyError(f"geolabel ships no instructions {version!r}", hint=f"known: {sorted(INSTRUCTIONS)}")
    return parsed(_text(INSTRUCTIONS[version]), where=INSTRUCTIONS[version])


def _text(name: str) -> str:
    return files("geolabel.ontology").joinpath(name).read_text(encoding="utf-8")
