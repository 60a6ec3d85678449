"""Labels out of geolabel: tiles in a folder, or all of them in one file or folder of any format that is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd

from geolabel.dataset.about import About
from geolabel.dataset.formats.columns import outgoing
from geolabel.dataset.formats.registry import Format, Writing, format_of, write
from geolabel.dataset.tiles import export_tiles
from geolabel.errors import InputError
from geolabel.grid import Tiling
from geolabel.stream import Progress, silent

NAME = "labels"
STREAMED = ("geojson", "geoparquet")


def export(
    frame: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
    path: Path | str,
    *,
    format: str,  # noqa: A002 - the field's word
    tiles: Tiling | None = None,
    view_id: str = "view",
    about: About | None = None,
    clipped: bool = True,
    lossy: bool | Collection[str] = False,
    outcomes: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Path:
    """Path of what was written: one file, or a folder of what belongs to each tile.

    Parameters
    ----------
    frame
        `tables.SHAPES` or `tables.LABELS` and more columns, in any CRS; invalid shapes are repaired. Or parts of such
        a table one after the other (`gl.burned_parts`), which geojson and geoparquet write as they come, in the memory
        of one part.
    path
        A file, or a folder that gets `labels` and the format's suffix; a folder where the format is one.
    format
        A name of `formats.registry.FORMATS`: geojson (labeled tiles where `tiles` are given), gpkg, geoparquet,
        flatgeobuf, coco, yolo, masks, stac, stac-geoparquet.
    tiles
        What labels in pixels are cut to, and what a folder of tiles holds.
    clipped
        Of labeled tiles: whether polygons are cut to their tile, or whole in every tile that they reach into.
    lossy
        What the format may lose: True, or names of properties; else it refuses and says what it would lose.
    outcomes
        Key of a tile -> labeled, empty, unsure or skipped, where that is known.

    Raises
    ------
    InputError
        For an unknown format, one that needs tiles, shapes that cannot be mended, or a loss that nobody agreed to.
    """
    one, path = format_of(format), Path(path)
    writing = Writing(about=about or About(), tiles=tiles, outcomes=outcomes, view_id=view_id, progress=progress)
    if not isinstance(frame, gpd.GeoDataFrame):
        return _streamed(frame, path, one, writing)
    if format == "geojson" and tiles is not None:
        return _tiled(frame, path, tiles, replace(writing, clipped=clipped))
    return write(outgoing(frame), _file(path, one), format, writing=replace(writing, clipped=clipped), lossy=lossy)


def _tiled(frame: gpd.GeoDataFrame, path: Path, tiles: Tiling, writing: Writing) -> Path:
    more: dict[str, Any] = {"about": writing.about, "clipped": writing.clipped, "progress": writing.progress}
    return export_tiles(path, view_id=writing.view_id, grid=tiles.grid, tiles=tiles, shapes=frame, **more)


def _streamed(parts: Iterable[gpd.GeoDataFrame], path: Path, one: Format, writing: Writing) -> Path:
    if one.name not in STREAMED or writing.tiles is not None:
        raise InputError(
            f"parts of a table cannot be written as {one.name}{' tiles' if writing.tiles else ''}",
            hint=f"{' or '.join(STREAMED)} into one file; or put them together: pandas.concat(parts)",
        )
    return one.speaks.write_parts(parts, _file(path, one), progress=writing.progress)


def _file(path: Path, one: Format) -> Path:
    """The path itself where it is of the format, else the file of that format in the folder `path`."""
    if not one.suffixes or path.name.endswith(one.suffixes):
        return path
    return path / f"{NAME}{one.suffixes[0]}"
