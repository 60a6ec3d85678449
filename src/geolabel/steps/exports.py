"""Labels out of geolabel: shapes of a plain function, or all that a project agreed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geolabel.errors import ConfigError, InputError, nearest
from geolabel.grid import Tiling
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import KINDS
from geolabel.steps.consensus import labels
from geolabel.steps.view import is_dated
from geolabel.stream import Progress, silent

FORMATS = ("geojson", "gpkg", "geoparquet")


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

    def labels(self) -> gpd.GeoDataFrame:
        """Whole agreed labels of every kind that was labeled."""
        kinds = [kind for kind in KINDS if any(task.kind == kind for task in self.tasks)]
        frames = [labels(self.view, self.consensuses, self.tasks, kind) for kind in kinds]
        return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def write(job: Job, path: Path, format: str, *, progress: Progress = silent) -> Path:  # noqa: A002 - the field's word
    """Path of what was written: `geojson` labeled tiles in a folder, `gpkg` or `geoparquet` whole labels in a file.

    Raises
    ------
    ConfigError
        For another format.
    """
    from geolabel.dataset.about import About
    from geolabel.dataset.export import export
    from geolabel.dataset.tiles import export_tiles

    if format not in FORMATS:
        raise ConfigError(f"unknown format {format!r}", hint=nearest(format, FORMATS))
    if format != "geojson":
        return export(job.labels().assign(notes=job.notes), path, format=format)
    own = {task.tile for task in job.tasks}
    scenes = job.view.scenes
    first, last = scenes["before"], scenes.get("after", scenes["before"])
    about = About(
        project=job.title,
        scene_before=scenes["before"].id,
        scene_after=scenes["after"].id if "after" in scenes else None,
        start=first.start if is_dated(first) else None,
        end=last.end if is_dated(last) else None,
        licence=scenes["before"].licence,
        source="consensus",
        notes=job.notes,
        valid_share=_valid_share(job),
    )
    return export_tiles(
        path,
        view_id=job.view.id,
        grid=job.view.grid,
        tiles=own,
        shapes=job.labels(),
        consensuses=job.consensuses,
        answers=job.answers,
        about=about,
        progress=progress,
    )


def _valid_share(job: Job) -> dict[str, float]:
    valid = np.asarray(job.view["before"].valid)
    return {task.tile.key: round(float(valid[task.tile.slices].mean()), 4) for task in job.tasks}
