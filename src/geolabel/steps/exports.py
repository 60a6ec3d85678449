"""Labels out of geolabel: shapes of a plain function, or all that a project agreed on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geolabel.errors import InputError
from geolabel.grid import Grid, Tiling
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import KINDS, WILDFIRE, Ontology
from geolabel.shapes import to_grid_crs
from geolabel.steps.consensus import labels
from geolabel.steps.view import Access, is_dated
from geolabel.stream import Progress, silent
from geolabel.tables import LABELS, empty

if TYPE_CHECKING:
    from geolabel.dataset.about import About

TILED = ("geojson", "stac")
"""Formats of a folder of labeled tiles; STAC describes it."""
What = Literal["labels", "answers"]
"""What is exported: what the annotators agree on, or what each of them drew."""


def tiles(
    scene: Scene | View,
    size: int | None = None,
    margin: int = 0,
    *,
    zoom: int | None = None,
    tms: Any = "WebMercatorQuad",
) -> Tiling:
    """Tiles of `size` pixels that cover a scene's grid, edge tiles kept; or those of a web map at one `zoom`.

    Tiles of a zoom are named `z/x/y` and lie on the tile matrix set's own grid, cropped to the scene: lay the scene on
    it with `gl.align({"scene": scene}, grid=tiles.grid)`.

    Parameters
    ----------
    tms
        Tile matrix set of `zoom`: a name that morecantile knows, or a `morecantile.TileMatrixSet`.

    Raises
    ------
    InputError
        For neither or both of size and zoom, and where the set has no such tiles.
    """
    if (size is None) == (zoom is None):
        raise InputError(f"size={size}, zoom={zoom}", hint="give one of them: size in pixels, or zoom of a web map")
    if size is not None:
        return Tiling(scene.grid, scene.grid.tiles(size, margin))
    from geolabel.tms import tms_tiles

    return tms_tiles(scene.grid, zoom or 0, tms=tms, margin=margin)


@dataclass(frozen=True, slots=True)
class Job:
    """All that an export of a project says."""

    title: str
    view: View
    tasks: Sequence[Task]
    consensuses: Mapping[str, Consensus]
    answers: Sequence[Answer]
    notes: str | None = None
    """Sentences that must stand on every product."""
    ontology: Ontology = WILDFIRE
    instructions: int = 1
    access: Access = "open"

    def labels(self) -> gpd.GeoDataFrame:
        """Whole agreed labels of every kind that was labeled; `start` and `end` of the ground they speak of."""
        kinds = [kind for kind in KINDS if any(task.kind == kind for task in self.tasks)]
        told = [labels(self.view, self.consensuses, self.tasks, kind, ontology=self.ontology) for kind in kinds]
        found = pd.concat([frame for frame in told if len(frame)] or told[:1], ignore_index=True)
        return found.assign(start=_moment(self.about.start), end=_moment(self.about.end), notes=self.notes)

    def given(self) -> gpd.GeoDataFrame:
        """What each annotator drew, whole over tiles (`tables.LABELS`); people under pseudonyms."""
        from geolabel.dataset.about import pseudonym

        frames = [
            one.shapes.assign(annotator=pseudonym(one.annotator, self.title), labeled_at=pd.Timestamp(one.at))
            for one in self.answers
            if len(one.shapes)
        ]
        if not frames:
            return empty(LABELS, self.view.grid.crs.to_wkt())
        parts = pd.concat([to_grid_crs(frame, self.view.grid) for frame in frames], ignore_index=True)
        return whole_labels(as_labels(parts), self.view.grid)

    @property
    def about(self) -> About:
        """What every file of the export repeats."""
        from geolabel.dataset.about import About

        scenes = self.view.scenes
        first, last = scenes["before"], scenes.get("after", scenes["before"])
        return About(
            project=self.title,
            scene_before=scenes["before"].id,
            scene_after=scenes["after"].id if "after" in scenes else None,
            start=first.start if is_dated(first) else None,
            end=last.end if is_dated(last) else None,
            ontology=self.ontology,
            instructions=self.instructions,
            licence=first.licence,
            access=self.access,
            source="consensus",
            notes=self.notes,
        )


def write(
    job: Job,
    drawn: gpd.GeoDataFrame,
    path: Path,
    format: str,  # noqa: A002 - the field's word
    *,
    lossy: bool | Collection[str] = False,
    progress: Progress = silent,
) -> Path:
    """Path of what was written: labeled tiles in a folder (`geojson`), else what the format makes of all labels.

    Parameters
    ----------
    drawn
        What is exported: `job.labels()` or `job.given()`.

    Raises
    ------
    InputError
        For another format, and for one that would lose something that nobody agreed to lose.
    """
    from geolabel.dataset.export import export
    from geolabel.dataset.tiles import export_tiles

    grid, own = job.view.grid, sorted({task.tile for task in job.tasks})
    if format not in TILED:
        tiles = Tiling(grid, tuple(own))
        return export(drawn, path, format=format, tiles=tiles, about=job.about, lossy=lossy, progress=progress)
    folder = export_tiles(
        path,
        view_id=job.view.id,
        grid=grid,
        tiles=own,
        shapes=drawn,
        consensuses=job.consensuses,
        answers=job.answers,
        about=replace(job.about, valid_share=_valid_share(job)),
        progress=progress,
    )
    if format == "stac":
        from geolabel.dataset.formats.stac import describe

        describe(folder, job.about)
    return folder


def check_holds_answers(format: str) -> None:  # noqa: A002 - the field's word
    """Nothing, for a format that can hold what each annotator drew by itself.

    Raises
    ------
    InputError
        For labeled tiles, which hold the answers beside the labels.
    """
    if format in TILED:
        raise InputError(
            f"{format} tiles are of agreed labels",
            hint="their answers.geojson holds the answers; or format='geoparquet'",
        )


def as_labels(shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """`tables.LABELS` of shapes that lack some of its columns; more columns are kept."""
    blank = empty(LABELS, shapes.crs)
    lost = {name: pd.Series(None, index=shapes.index, dtype=blank[name].dtype) for name in LABELS if name not in shapes}
    return shapes.assign(**lost)


def whole_labels(parts: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """Labels whose parts on several tiles are one shape again, by annotator and `label_id`."""
    from geolabel.dataset.drawn import SNAP_PX

    keys, size = ["annotator", "label_id"], SNAP_PX * abs(grid.transform.a)
    first = parts.drop_duplicates(keys).sort_values(keys).reset_index(drop=True)
    groups = parts.groupby(keys, sort=True).geometry.agg(list)
    whole = [own[0] if len(own) == 1 else shapely.union_all(own, grid_size=size) for own in groups]
    return first.set_geometry(gpd.GeoSeries(whole, index=first.index, crs=parts.crs))


def _moment(value: Any) -> Any:
    return pd.NaT if value is None else pd.Timestamp(value)


def _valid_share(job: Job) -> dict[str, float]:
    valid = np.asarray(job.view["before"].valid)
    return {task.tile.key: round(float(valid[task.tile.slices].mean()), 4) for task in job.tasks}
