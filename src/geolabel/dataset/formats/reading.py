"""What a reader must be told that a file does not say, and the table of labels that every reader gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from geolabel.errors import OntologyError, TableError, nearest
from geolabel.grid import Grid
from geolabel.ontology import WILDFIRE, Ontology
from geolabel.shapes import repair
from geolabel.tables import LABELS, check, empty


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says of a file."""

    ontology: Ontology = WILDFIRE
    classes: Mapping[str, str | None] = field(default_factory=dict)
    """Their class -> a class of the ontology; None leaves such labels out. Names of the ontology stand for themselves."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Column of `tables.LABELS` -> their field."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Column of `tables.LABELS` -> value of all labels, where no field says it: class, annotator, start, end ..."""
    crs: Any = None
    """Of files that name none. It is never laid over a CRS that a file states."""
    grids: Mapping[str, Grid] | Callable[[str], Grid] | None = None
    """Name of an image -> its grid, for labels in pixels."""
    layer: str | None = None


def table(rows: gpd.GeoDataFrame, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of rows that have some of its columns; classes mapped, values filled in, shapes repaired.

    Raises
    ------
    OntologyError
        For a class that is neither mapped nor the ontology's.
    TableError
        Where rows have no class and no id, and none was told.
    """
    known = rows.assign(**{name: value for name, value in told.values.items() if name not in rows.columns})
    lost = [name for name in ("class", "label_id") if name not in known.columns]
    if lost:
        raise TableError(f"these labels have no {' and no '.join(lost)}", hint="say which field holds it: fields={...}")
    known = known.assign(**{"class": _classes(known["class"], told)})
    known = known[known["class"].notna()]
    blank = empty(LABELS, rows.crs)
    if not len(known):
        return blank
    more = {name: pd.Series(None, index=known.index, dtype=blank[name].dtype) for name in LABELS if name not in known}
    return check(repair(known.assign(**more)[list(LABELS)].reset_index(drop=True)), LABELS)


def _classes(theirs: pd.Series, told: Told) -> pd.Series:
    names = {one.name for one in told.ontology}
    unknown = sorted({str(name) for name in theirs.dropna().unique() if name not in told.classes and name not in names})
    if unknown:
        raise OntologyError(
            f"classes {unknown[:5]} are not in {told.ontology.id}",
            hint=f"classes={{{unknown[0]!r}: '...'}}; None leaves them out. {nearest(unknown[0], names)}",
        )
    return theirs.map(lambda name: told.classes.get(name, name))
