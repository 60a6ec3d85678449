"""Labels in pixels: x to the right and y down from the upper left corner of an image; and the images they lie on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.features import rasterize, shapes
from shapely.geometry import shape as geometry_of
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.reading import Told, table
from geolabel.dataset.formats.said import warn_left_out
from geolabel.errors import InputError
from geolabel.grid import Grid, crs_key
from geolabel.shapes import polygons_of
from geolabel.tables import LABELS

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

ROUNDING_PX = 9
"""Decimals of a pixel that are kept: beyond them lies the rounding of coordinates on the ground."""
SLIVER_PX2 = 1e-6
SNAP_PX = 1e-7
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


# ---------------------------------------------------------------------- to pixels and back
def to_pixels(geometries: Any, grid: Grid) -> NDArray[Any]:
    """(n,) the shapes (in the grid's CRS) in pixels of the grid, whatever its affine."""
    return shapely.transform(np.asarray(geometries, object), _moved(~grid.transform, decimals=ROUNDING_PX))


def to_ground(geometries: Any, grid: Grid) -> NDArray[Any]:
    """(n,) shapes in pixels of the grid in its CRS."""
    return shapely.transform(np.asarray(geometries, object), _moved(grid.transform))


def _moved(affine: Affine, *, decimals: int | None = None) -> Callable[[NDArray[Any]], NDArray[Any]]:
    a, b, c, d, e, f = affine[:6]

    def move(points: NDArray[Any]) -> NDArray[Any]:
        x, y = points[:, 0], points[:, 1]
        moved = np.column_stack([a * x + b * y + c, d * x + e * y + f])
        return moved if decimals is None else np.round(moved, decimals) + 0.0

    return move


def burned(shape: BaseGeometry, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(y, x) pixels of an image of `size` (height, width) whose centre lies inside a shape in pixels."""
    mask = np.zeros(size, bool)
    left, top, right, bottom = shape.bounds
    rows = slice(max(0, int(top)), min(size[0], int(np.ceil(bottom))))
    cols = slice(max(0, int(left)), min(size[1], int(np.ceil(right))))
    window = (rows.stop - rows.start, cols.stop - cols.start)
    if min(window) > 0:
        place = Affine.translation(cols.start, rows.start)
        mask[rows, cols] = rasterize([(shape, 1)], out_shape=window, transform=place, dtype=np.uint8) > 0
    return mask


def traced(mask: NDArray[np.bool_]) -> BaseGeometry:
    """Polygon or MultiPolygon in pixels of a mask's 4-connected patches, holes kept; empty of an empty mask."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return shapely.Polygon()
    part = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].astype(np.uint8)
    found = shapes(part, mask=part > 0, connectivity=4, transform=Affine.translation(int(cols[0]), int(rows[0])))
    patches = [geometry_of(patch) for patch, _ in found]
    return patches[0] if len(patches) == 1 else shapely.MultiPolygon(patches)


def box(left: float, top: float, right: float, bottom: float) -> BaseGeometry:
    """Upright box in pixels, whichever corner comes first."""
    return shapely.box(min(left, right), min(top, bottom), max(left, right), max(top, bottom))


def turned(shape: BaseGeometry, degrees: float, about: tuple[float, float]) -> BaseGeometry:
    """A shape in pixels turned clockwise, as one sees it on the image, about a point."""
    angle, centre = np.radians(degrees), np.array(about)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # y grows downward
    return shapely.transform(shape, lambda points: (points - centre) @ turn + centre)


def ellipse(x: float, y: float, rx: float, ry: float) -> BaseGeometry:
    """Polygon of 64 corners on an upright ellipse in pixels (its area is .2 % smaller)."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return shapely.Polygon(np.column_stack([x + rx * np.cos(angles), y + ry * np.sin(angles)]))


# ---------------------------------------------------------------------- writing: labels cut to images
def images(writing: Writing, what: str) -> list[Image]:
    """The images of an export in order: one a tile, under the name its file has.

    Raises
    ------
    InputError
        Without tiles, or with tiles whose images would overlap.
    """
    if writing.tiles is None:
        raise InputError(f"{what} holds labels in pixels of images", hint="say of which: tiles=gl.tiles(scene, 512)")
    margin = max((tile.margin for tile in writing.tiles), default=0)
    if margin:
        raise InputError(
            f"tiles with a margin of {margin} pixels overlap: labels would count twice", hint="tiles without a margin"
        )
    name = _name(writing.images)
    return [Image(name(tile.key), writing.tiles.grid.crop(tile), tile.key) for tile in writing.tiles]


def _name(given: Mapping[str, str] | Callable[[str], str] | None) -> Callable[[str], str]:
    if given is None:
        return "{}.tif".format
    return given.__getitem__ if isinstance(given, Mapping) else given


def cut(labels: gpd.GeoDataFrame, writing: Writing, what: str) -> Iterator[tuple[Image, gpd.GeoDataFrame]]:
    """(image, its labels) of every image, those without labels too; shapes cut to the image, in its pixels, no CRS.

    Labels that lie on no image are left out with a warning.
    """
    own = images(writing, what)
    if not own or writing.tiles is None:
        return
    grid = writing.tiles.grid
    whole = to_pixels(_to_crs(labels, grid).geometry.to_numpy(), grid)
    rows = pd.DataFrame(labels.drop(columns=labels.geometry.name))
    tree, met = shapely.STRtree(whole), np.zeros(len(rows), bool)
    for image, tile in zip(own, writing.tiles, strict=True):
        frame = shapely.box(tile.col, tile.row, tile.col + tile.width, tile.row + tile.height)
        near = np.sort(tree.query(frame, predicate="intersects"))
        parts = [_inside(whole[i], frame, (tile.col, tile.row)) for i in near]
        kept = np.array([part.area > SLIVER_PX2 for part in parts], bool)
        met[near[kept]] = True
        inside = gpd.GeoSeries([part for part, there in zip(parts, kept, strict=True) if there])
        yield image, gpd.GeoDataFrame(rows.iloc[near[kept]].reset_index(drop=True), geometry=inside)
    warn_left_out(rows["label_id"][~met], f"they lie on none of the {len(own)} images")


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


# ---------------------------------------------------------------------- reading: images found, parts joined
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


Part = Mapping[str, Any]
"""Columns of `tables.LABELS`; `geometry` in pixels of `grid`."""


def ground(parts: Sequence[Part]) -> gpd.GeoDataFrame:
    """Rows (one a `label_id`) on the ground: parts of one label, on one image or several, are joined.

    In the CRS of the images; in WGS84 where they differ; without a CRS where there is no part.

    Raises
    ------
    InputError
        Where parts of one label have different classes.
    """
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part["label_id"], []).append(part)
    keys = {crs_key(part["grid"].crs.to_wkt()): part["grid"].crs.to_wkt() for part in parts}
    target = None if not keys else next(iter(keys.values())) if len(keys) == 1 else "EPSG:4326"
    rows = [{**own[0], "geometry": _joined(own, target)} for own in groups.values()]
    data = pd.DataFrame([{k: v for k, v in row.items() if k not in ("grid", "geometry")} for row in rows])
    return gpd.GeoDataFrame(data, geometry=[row["geometry"] for row in rows], crs=target)


def _joined(parts: Sequence[Part], target: str | None) -> BaseGeometry:
    classes = {part["class"] for part in parts}
    if len(classes) > 1:
        raise InputError(
            f"the parts of label {parts[0]['label_id']!r} are {sorted(map(str, classes))}",
            hint="give its parts one class, or ids of their own",
        )
    base: Grid = parts[0]["grid"]
    whole = parts[0]["geometry"] if len(parts) == 1 else _one([_on(base, part) for part in parts])
    there = to_ground([whole], base)[0]
    wkt = base.crs.to_wkt()
    return there if target is None or crs_key(wkt) == crs_key(target) else _reprojected(there, wkt, target)


def _one(parts: Sequence[BaseGeometry]) -> BaseGeometry:
    """The union without the corners that lay on the edges between images."""
    return shapely.simplify(shapely.normalize(shapely.union_all(parts, grid_size=SNAP_PX)), SNAP_PX)


def _on(base: Grid, part: Part) -> BaseGeometry:
    """A part in pixels of `base`; whole pixels stay whole."""
    there, grid = part["geometry"], part["grid"]
    if grid is base:
        return there
    moved: BaseGeometry = to_ground([there], grid)[0]
    if crs_key(grid.crs.to_wkt()) != crs_key(base.crs.to_wkt()):
        moved = _reprojected(moved, grid.crs.to_wkt(), base.crs.to_wkt())
    return shapely.transform(to_pixels([moved], base)[0], lambda points: np.round(points, ROUNDING_PX - 3))


def _reprojected(shape: BaseGeometry, source: str, target: str) -> BaseGeometry:
    return gpd.GeoSeries([shape], crs=source).to_crs(target).iloc[0]


def labels_of(parts: Sequence[Part], told: Told, looked: Iterable[Look] = ()) -> gpd.GeoDataFrame:
    """`tables.LABELS` of parts; who looked at what is `attrs["looked"]`."""
    rows = ground(parts)
    if not len(rows):
        rows = gpd.GeoDataFrame({"label_id": [], "class": []}, geometry=[], crs=told.crs or "EPSG:4326")
    found = table(with_kinds(rows), told)
    found.attrs["looked"] = tuple(looked)
    return found


def with_kinds(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows whose columns have the kinds of `tables.LABELS`, those that are there."""

    def column(name: str) -> Any:
        kind = LABELS.kinds[name]
        if kind.startswith("time"):
            return pd.to_datetime(rows[name], utc=True, format="ISO8601")
        plain = rows[name].astype(float) if kind.startswith("float") else rows[name].astype(object)
        return plain if kind.startswith("float") else plain.where(plain.notna(), None)

    there = [name for name in LABELS if name in rows.columns and name != "geometry"]
    return rows.assign(**{name: column(name) for name in there})
