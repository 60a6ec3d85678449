"""Images that labels in pixels lie on: cut to them on the way out, found by their names on the way in."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.pixels import to_pixels
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import warn_left_out
from geolabel.errors import GeolabelWarning, InputError
from geolabel.grid import Grid, Tile, Tiling
from geolabel.shapes import polygons_of

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

SLIVER_PX2 = 1e-6
"""Area in pixels below which a piece cut off by an image's edge is rounding."""
PIECES = 1024
"""Pieces of a grid's side in which an edge is cut before it is moved to another CRS, where it may bow."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image file and where its pixels lie."""

    name: str
    grid: Grid
    key: str = ""
    """Of the tile it shows."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at an image: `frame.attrs["looked"]` of a reader is a tuple of these, empty ones among them."""

    image: str
    annotator: str | None = None
    at: datetime | None = None
    """UTC."""
    outcome: str = "labeled"
    """labeled / empty / unsure / skipped."""
    active_s: float = 0.0


def outcome(*, found: bool, said: bool) -> str:
    """Labeled where labels were found; unsure where something was said that is no label; else empty."""
    return "labeled" if found else "unsure" if said else "empty"


# ---------------------------------------------------------------------- writing
def images(writing: Writing, what: str) -> list[Image]:
    """The images of an export in order: one a tile, under the name its file has.

    Raises
    ------
    InputError
        Without tiles, or with tiles whose images would overlap.
    """
    tiles, name = _tiling(writing, what), _name(writing.images)
    return [Image(name(tile.key), tiles.grid.crop(tile), tile.key) for tile in tiles]


def _tiling(writing: Writing, what: str) -> Tiling:
    if writing.tiles is None:
        raise InputError(f"{what} holds labels in pixels of images", hint="say of which: tiles=gl.tiles(scene, 512)")
    margin = max((tile.margin for tile in writing.tiles), default=0)
    if margin:
        raise InputError(
            f"tiles with a margin of {margin} pixels overlap: labels would count twice", hint="tiles without a margin"
        )
    return writing.tiles


def _name(given: Mapping[str, str] | Callable[[str], str] | None) -> Callable[[str], str]:
    if given is None:
        return "{}.tif".format
    return given.__getitem__ if isinstance(given, Mapping) else given


def cut(labels: gpd.GeoDataFrame, writing: Writing, what: str) -> Iterator[tuple[Image, gpd.GeoDataFrame]]:
    """(image, its labels) of every image, those without labels too; shapes cut to the image, in its pixels, no CRS.

    Left out with a warning: labels that lie on no image; images without labels that `writing.outcomes` calls unsure or
    skipped, because a file without labels says that nothing is there.

    Raises
    ------
    OntologyError
        For a class that the ontology does not know.
    """
    own, tiles = images(writing, what), _tiling(writing, what)
    for name in labels["class"].unique():
        writing.about.ontology[name]  # raises, and names the nearest, before anything is written
    whole = to_pixels(_to_crs(labels, tiles.grid).geometry.to_numpy(), tiles.grid)
    rows, outcomes = pd.DataFrame(labels.drop(columns=labels.geometry.name)), writing.outcomes or {}
    tree, met, unjudged = shapely.STRtree(whole), np.zeros(len(rows), bool), 0
    for image, tile in zip(own, tiles, strict=True):
        on, parts = _on_tile(whole, tree, tile)
        if not parts and outcomes.get(tile.key, "empty") != "empty":
            unjudged += 1
            continue
        met[on] = True
        yield image, gpd.GeoDataFrame(rows.iloc[on].reset_index(drop=True), geometry=gpd.GeoSeries(parts))
    warn_left_out(rows["label_id"][~met], f"they lie on none of the {len(own)} images")
    if unjudged:
        warnings.warn(
            f"{unjudged} images left out: nobody judged them (unsure, skipped)", GeolabelWarning, stacklevel=3
        )


def _on_tile(whole: NDArray[Any], tree: Any, tile: Tile) -> tuple[list[int], list[BaseGeometry]]:
    """(numbers of the shapes on a tile, their parts on it in its own pixels); both in pixels of the whole grid before."""
    frame = shapely.box(tile.col, tile.row, tile.col + tile.width, tile.row + tile.height)
    near = np.sort(tree.query(frame, predicate="intersects"))
    parts = {int(i): _inside(whole[i], frame, (tile.col, tile.row)) for i in near}
    kept = {i: part for i, part in parts.items() if part.area > SLIVER_PX2}
    return list(kept), list(kept.values())


def _to_crs(labels: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    if labels.crs == grid.crs.proj:
        return labels
    there = Transformer.from_crs(grid.crs.proj, CRS(labels.crs), always_xy=True).transform_bounds(*grid.bounds)
    step = max(there[2] - there[0], there[3] - there[1]) / PIECES
    return labels.set_geometry(labels.segmentize(step)).to_crs(grid.crs.proj)


def _inside(whole: BaseGeometry, frame: BaseGeometry, corner: tuple[int, int]) -> BaseGeometry:
    found = polygons_of(shapely.make_valid(whole & frame))
    parts = [part for part in shapely.get_parts(found) if part.area > SLIVER_PX2]
    kept = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shapely.transform(kept, lambda points: points - corner)


# ---------------------------------------------------------------------- reading
def grid_of(name: str, told: Told, own: Grid | None = None, *, size: tuple[int, int] | None = None) -> Grid:
    """Grid of the image `name`: the one that was told, else the one that the file itself gives (`own`).

    Parameters
    ----------
    size
        (height, width) of the image as the file has it; None where it does not say.

    Raises
    ------
    InputError
        Where nobody says where the image lies, or it has another size than its grid.
    """
    found = _told(told.grids, name) or own
    if found is None:
        raise InputError(
            f"nobody says where the image {name!r} lies",
            hint="grids={'<name>': scene.grid}, or a function from name to Grid: the image file's georeference",
        )
    if size is not None and tuple(size) != found.shape:
        raise InputError(
            f"image {name!r} has {size[0]} x {size[1]} pixels (height x width) in the labels, {found.shape} on its grid",
            hint="it was resized before it was labeled, or another image is meant",
        )
    return found


def _told(grids: Mapping[str, Grid] | Callable[[str], Grid] | None, name: str) -> Grid | None:
    if grids is None or not isinstance(grids, Mapping):
        return grids(name) if grids else None
    if name in grids:
        return grids[name]
    for short in (plain_name, stem):
        found = [key for key in grids if short(key) == short(name)]
        if len(found) > 1:
            raise InputError(f"image {name!r} may be any of {found[:3]}", hint="give grids under the names of the file")
        if found:
            return grids[found[0]]
    return None


def plain_name(name: str) -> str:
    """File name of a path or address: `before.tif` of `s3://bucket/7/before.tif?x=1`."""
    return PurePosixPath(name.replace("\\", "/").partition("?")[0]).name


def stem(name: str) -> str:
    """File name without its suffix."""
    return PurePosixPath(plain_name(name)).stem
