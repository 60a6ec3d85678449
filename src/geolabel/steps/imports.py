"""Labels of other programs to answers: one complete answer an annotator and task; and edits made in a GIS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.digests import digest_shapes
from geolabel.errors import InputError, SourceError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import ANNOTATOR_KINDS, Answer, Outcome
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import Kind, Ontology
from geolabel.shapes import to_grid_crs
from geolabel.steps.foreign import check_home
from geolabel.steps.rules import answers
from geolabel.tables import LABELS, SHAPES, check

if TYPE_CHECKING:
    from geolabel.dataset.formats.images import Look

IMAGES = (".tif", ".tiff", ".jp2", ".vrt", ".png", ".jpg")
"""What may be an image that labels in pixels were drawn on."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of labels that were taken in."""

    answers: tuple[Answer, ...]
    """New ones, and corrections of what the same annotator had said."""
    unchanged: int = 0
    """Tasks that already have this very answer."""
    outside: tuple[str, ...] = ()
    """Ids of labels that lie on no tile of the view."""

    def __str__(self) -> str:
        new = sum(answer.supersedes is None for answer in self.answers)
        parts = [f"{new} answers", f"{len(self.answers) - new} corrections", f"{self.unchanged} unchanged"]
        return ", ".join([*parts, *([f"{len(self.outside)} labels outside the view"] if self.outside else [])])


@dataclass(frozen=True, slots=True)
class Import:
    """Labels on their way into a project."""

    view: View
    tasks: Mapping[Kind, Sequence[Task]]
    """Of every kind that the labels have."""
    heard: Sequence[Answer]
    """Current answers of the ledger."""
    ontology: Ontology
    known: Mapping[Kind, NDArray[np.bool_]]
    """(y, x) where the scenes have values, by kind."""
    at: datetime
    """When it is taken in; the time of labels that do not say when they were made."""
    how: str
    shown: tuple[str, ...] = ()
    looked: Mapping[tuple[str, str], Look] = field(default_factory=dict)
    """(annotator, key of a tile) -> what a labeling tool says of an image on which they drew nothing."""

    def run(
        self,
        labels: gpd.GeoDataFrame,
        *,
        annotators: Sequence[str] = (),
        only: Sequence[str] | None = None,
        complete: bool = False,
    ) -> Imported:
        """The answers that `tables.LABELS` are, cut to tiles; every label has an annotator.

        Parameters
        ----------
        annotators
            Who answers besides those that the labels name: their tiles without a label are empty.
        only
            Ids of the tasks that are answered; default: those on which the annotator has a label.
        complete
            Whether the annotators looked at every tile: those without a label are then answered `empty`.

        Raises
        ------
        InputError
            Where a label has no annotator, or the labels name tiles of another project.
        """
        check_home(labels, self.view.id, self.view.grid)
        _check_annotators(labels)
        drawn = to_grid_crs(check(labels, LABELS), self.view.grid)
        given = [*self._given(drawn, annotators, only=None if only is None else set(only), complete=complete)]
        old = {(one.task_id, one.annotator): one for one in self.heard}
        before = [old.get((one.task_id, one.annotator)) for one in given]
        new = tuple(
            replace(one, supersedes=earlier.uuid if earlier else None)
            for one, earlier in zip(given, before, strict=True)
            if earlier is None or not same(one, earlier)
        )
        seen = {key for one in given for key in one.shapes["label_id"]}
        outside = () if only is not None else tuple(sorted(set(drawn["label_id"]) - seen))
        return Imported(new, len(given) - len(new), outside)

    def _given(
        self, drawn: gpd.GeoDataFrame, annotators: Sequence[str], *, only: Collection[str] | None, complete: bool
    ) -> Iterator[Answer]:
        kinds = drawn["class"].map(lambda name: self.ontology[name].kind)
        groups = {(str(name), kind): own for (name, kind), own in drawn.groupby([drawn["annotator"], kinds])}
        asked = {(name, kind) for name in annotators for kind in self.tasks}
        asked |= {(name, kind) for name, _ in self.looked for kind in (set(kinds) or self.tasks)}
        for name, kind in sorted({*groups, *asked}):
            tasks = [task for task in self.tasks[kind] if only is None or task.id in only]
            empty_too = complete or only is not None
            yield from self._answers(name, groups.get((name, kind), drawn.iloc[:0]), tasks, empty_too=empty_too)

    def _answers(
        self, annotator: str, own: gpd.GeoDataFrame, tasks: Sequence[Task], *, empty_too: bool
    ) -> Iterator[Answer]:
        if not tasks:
            return
        when = dict(zip(own["label_id"], own["labeled_at"], strict=True))
        plain, known = own.drop(columns=["annotator", "labeled_at"]), self.known[tasks[0].kind]
        under: dict[str, Any] = {"ontology": self.ontology.id, "how": self.how, "shown": self.shown}
        found = answers(annotator, plain, tasks, self.view.grid, known=known, at=self.at)
        for task, given in zip(tasks, found, strict=True):
            look = self.looked.get((annotator, task.tile.key))
            if given.outcome == "labeled":
                told = [when[key] for key in given.shapes["label_id"] if pd.notna(when[key])]
                yield replace(given, at=max(told).to_pydatetime() if told else self.at, **under)
            elif look is not None:
                outcome = cast("Outcome", look.outcome)
                yield replace(given, outcome=outcome, at=look.at or self.at, active_s=look.active_s, **under)
            elif empty_too:
                yield replace(given, **under)


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same of the ground, whenever and however they were given."""
    return one.outcome == other.outcome and _content(one.shapes) == _content(other.shapes)


def _content(shapes: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    names = [name for name in (*SHAPES, *SHAPES.optional) if name != "geometry"]
    rows = shapes.reindex(columns=names).astype(object).where(lambda f: f.notna(), None).itertuples(index=False)
    geometry = shapes.geometry.normalize().to_wkb()
    return sorted(((*map(str, row), wkb) for row, wkb in zip(rows, geometry, strict=True)))


def named(labels: gpd.GeoDataFrame, annotator: str | None, person: Callable[[str], str]) -> gpd.GeoDataFrame:
    """The labels with an annotator each: the one that they name, else `annotator`.

    Names that are no annotators yet (`Anna Rossi`) are people: `person` gives their pseudonym.
    """
    told = labels["annotator"].fillna(annotator)
    names = {name: name if is_annotator(name) else person(name) for name in told.dropna().unique()}
    return labels.assign(annotator=told.map(names))


def without_labels(
    labels: gpd.GeoDataFrame, annotator: str | None, person: Callable[[str], str]
) -> dict[tuple[str, str], Look]:
    """(Annotator, key of a tile) -> look, of the images of tiles on which somebody looked and drew nothing."""
    looks = [look for look in labels.attrs.get("looked", ()) if look.outcome != "labeled"]
    told = [(look, look.annotator or annotator) for look in looks]
    return {(name if is_annotator(name) else person(name), Path(look.image).stem): look for look, name in told if name}


def given_by(labels: gpd.GeoDataFrame, annotator: str) -> gpd.GeoDataFrame:
    """The labels as somebody gives them now."""
    return labels.assign(annotator=annotator, labeled_at=pd.Series(pd.NaT, labels.index, dtype="datetime64[ns, UTC]"))


def is_annotator(name: str) -> bool:
    """Whether a name is that of an annotator, `person:<id>` and the like."""
    kind, colon, rest = name.partition(":")
    return bool(colon and rest) and kind in ANNOTATOR_KINDS


def _check_annotators(labels: gpd.GeoDataFrame) -> None:
    lost = labels["annotator"].isna()
    if lost.any():
        raise InputError(
            f"{int(lost.sum())} labels say not whose they are, {labels['label_id'][lost].iloc[0]!r} among them",
            hint="annotator='person:<id>', or name the field that says it: fields={'annotator': '...'}",
        )


def read_labels(
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002 - the field's word
    images: Path | str | None = None,
    **told: Any,
) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a file or folder of another program, in its CRS; dates aware, classes the ontology's.

    Parameters
    ----------
    format
        A name of `geolabel formats`; default: by the file's name.
    images
        Folder of the georeferenced images that labels in pixels were drawn on.
    told
        What the file does not say: `fields` (column of LABELS -> their field), `classes` (theirs -> the ontology's, None
        leaves out), `values` (column -> value of all labels), `crs`, `layer`, `tz`, `encoding`, `ontology`.

    Raises
    ------
    GeolabelError
        Where it cannot be read as labels; says what was found and what to tell.
    """
    from geolabel.dataset.formats.registry import read

    if images is not None:
        told["grids"] = image_grids(Path(images))
    return read(Path(path), format, **told)


def image_grids(folder: Path) -> Callable[[str], Grid]:
    """Name of an image (with or without its folder and suffix) -> the grid that its file in `folder` lies on.

    Raises
    ------
    SourceError
        Where the folder has no such image; the nearest name is told.
    """
    from geolabel.scene.reading import read_header

    files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGES}

    def grid(name: str) -> Grid:
        stem = Path(name).stem
        if stem not in files:
            raise SourceError(f"{folder} has no image {name!r}", hint=nearest(stem, files))
        return read_header(files[stem]).grid

    return grid


def source(labels: Any, *, format: str | None, ontology: Ontology, **told: Any) -> tuple[gpd.GeoDataFrame, str]:  # noqa: A002
    """(`tables.LABELS`, how they came) of a file, or of a table."""
    if isinstance(labels, str | Path):
        frame = read_labels(labels, format=format, ontology=ontology, **told)
        return frame, f"import:{Path(labels).name}@{digest_shapes(frame)[:12]}"
    return check(labels, LABELS), f"import:table@{digest_shapes(labels)[:12]}"
