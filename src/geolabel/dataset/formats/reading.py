"""What a reader must be told that a file does not say, and the table of labels that every reader gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import geopandas as gpd
import pandas as pd

from geolabel.errors import OntologyError, TableError, nearest
from geolabel.grid import Grid
from geolabel.nouns.times import When, span
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
    encoding: str | None = None
    """Of the text in files that do not say it, or say it wrongly."""
    tz: str | None = None
    """Zone (IANA name) of times in files that name none; a naive time without it is refused."""

    @classmethod
    def of(
        cls,
        *,
        values: Mapping[str, Any] | None = None,
        classes: Mapping[Any, str | None] | None = None,
        annotator: str | None = None,
        at: When | tuple[When, When] | None = None,
        labeled_at: When | None = None,
        **more: Any,
    ) -> Told:
        """Told as a person says it: times in words, codes as numbers, the commonest values by name.

        Parameters
        ----------
        values
            Column -> value of all labels in which no field says it.
        annotator, at, labeled_at
            The commonest of them: who says so (`person:ann`), of which time of the ground (a date is that UTC day; a
            pair goes from its start to its end), and since when.
        more
            Other fields of `Told`; None says nothing.

        Raises
        ------
        TableError
            For something that nobody can be told.
        InputError
            For a time that is none.
        """
        odd = sorted(set(more) - {one.name for one in fields(cls)})
        if odd:
            raise TableError(f"a reader cannot be told {odd[0]!r}", hint=nearest(odd[0], [f.name for f in fields(cls)]))
        start, end = (None, None) if at is None else span(at)
        given = {"annotator": annotator, "start": start, "end": end, "labeled_at": labeled_at}
        said = {name: value for name, value in {**(values or {}), **_said(given)}.items() if value is not None}
        own = {str(theirs): ours for theirs, ours in (classes or {}).items()}
        return cls(classes=own, values={name: _time(name, value) for name, value in said.items()}, **_said(more))


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _time(name: str, value: Any) -> Any:
    """A value of a column; of a time an aware one, dates whole days."""
    if LABELS.kinds.get(name, "").rstrip("?") != "time" or isinstance(value, pd.Timestamp):
        return value
    return pd.Timestamp(span(value)[name == "end"])


def table(rows: gpd.GeoDataFrame, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of rows that have some of its columns; classes mapped, values filled in, shapes repaired.

    Raises
    ------
    OntologyError
        For a class that is neither mapped nor the ontology's.
    TableError
        Where rows have no class and no id, and none was told.
    """
    known = rows.assign(**{name: _filled(rows, name, value) for name, value in told.values.items()})
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


def _filled(rows: gpd.GeoDataFrame, name: str, value: Any) -> Any:
    """The column with `value` where it says nothing."""
    return rows[name].where(rows[name].notna(), value) if name in rows.columns else value


def _classes(theirs: pd.Series, told: Told) -> pd.Series:
    names = {one.name for one in told.ontology}
    unknown = sorted({str(name) for name in theirs.dropna().unique() if name not in told.classes and name not in names})
    if unknown:
        raise OntologyError(
            f"classes {unknown[:5]} are not in {told.ontology.id}",
            hint=f"classes={{{unknown[0]!r}: '...'}}; None leaves them out. {nearest(unknown[0], names)}",
        )
    return theirs.map(lambda name: told.classes.get(name, name))
