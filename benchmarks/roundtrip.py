"""What a format really carries, measured: the same labels written and read again, property by property."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.about import About
from geolabel.dataset.formats.carries import VALUES
from geolabel.dataset.formats.pixels import burned, to_pixels
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import FORMATS, Writing, read, write
from geolabel.digests import canonical
from geolabel.grid import Grid, Tiling
from geolabel.tables import LABELS, check

CRS = "EPSG:32610"
UTM = Grid.of(CRS, Affine(30, 0, 500_000, 0, -30, 4_200_000), (64, 64))
TILES = Tiling(UTM, UTM.tiles(32))
DATED = About(start=datetime(2009, 3, 17, tzinfo=UTC), end=datetime(2009, 10, 15, tzinfo=UTC))
"""For labels that lost their times: an item of STAC must have one."""


def frame(rows: Iterable[Mapping[str, Any]], crs: Any = CRS) -> gpd.GeoDataFrame:
    """`tables.LABELS` of rows; what a row leaves out is missing."""
    rows = list(rows)

    def column(name: str, kind: str) -> pd.Series:
        values = [row.get(name) for row in rows]
        if kind.startswith("time"):
            return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True).dt.as_unit("ns"))
        return pd.Series(values, dtype=float if kind.startswith("float") else object)

    data = {name: column(name, kind) for name, kind in LABELS.kinds.items() if kind != "geometry"}
    return check(gpd.GeoDataFrame(data, geometry=[row["geometry"] for row in rows], crs=crs)[list(LABELS)], LABELS)


def on(grid: Grid, shape: BaseGeometry) -> BaseGeometry:
    """A shape in pixels (x right, y down, from the corner) on the ground of a grid."""
    return shapely.transform(shape, lambda points: np.column_stack(grid.transform * (points[:, 0], points[:, 1])))


def sample() -> gpd.GeoDataFrame:
    """Labels on `UTM` that use everything a label can say: two lie over several tiles, two have holes."""
    holed = shapely.box(3, 4, 20, 25).difference(shapely.box(8, 9, 12, 14))
    slanted = shapely.Polygon([(25.3, 5.1), (52.7, 11.9), (40.2, 27.4)], [[(35, 12), (41.5, 14), (38, 18)]])
    apart = shapely.MultiPolygon([shapely.box(4, 34, 14, 44), shapely.box(20, 40, 36, 60)])
    plain = shapely.box(44, 40, 58, 56)
    burn = {"class": "burned", "severity": "high", "severity_scheme": "key-benson", "masked_share": 0.1 + 0.2}
    when = {"start": datetime(2009, 8, 26, 22, tzinfo=UTC), "end": datetime(2009, 10, 16, 5, 0, 1, 250_001, tzinfo=UTC)}
    seen = datetime(2024, 7, 1, 12, 30, 15, 123_456, tzinfo=UTC)
    said = canonical({"note": "Ränder unsicher — 火", "n": 3, "tags": ["a", None], "share": 0.25}).decode()
    rows = [
        {"label_id": "scar/1", **burn, **when, "confidence": 1 / 3, "annotator": "person:ann", "labeled_at": seen},
        {"label_id": "Hügel № 2", "class": "forest", "attributes": said, "annotator": "person:José"},
        {"label_id": "s:3", "class": "settlement", "confidence": 0.875, "annotator": "rule:objects@1", **when},
        {"label_id": "4", "class": "building"},
    ]
    shapes = [on(UTM, one) for one in (holed, slanted, apart, plain)]
    return frame({**row, "geometry": shape} for row, shape in zip(rows, shapes, strict=True))


# ---------------------------------------------------------------------- measured
CLOSE_M = 0.02
"""Two centimetres: what seven decimals of a degree may move a corner, longitude and latitude together."""
CLOSE_S = 1.0
"""A second: what ISO 8601 texts without a fraction may lose."""
CLOSE_SHARE = 5e-5
"""Half of the fourth decimal."""
Pair = tuple[BaseGeometry, BaseGeometry]
PROPERTIES = ("geometry", "holes", "crs", "ids", "times", "attributes", "annotator", "confidence")
WORST = {how: n for n, how in enumerate(("exact", "rounded", "pixels", "box", "no"))}
"""How -> how much is lost, in order."""


def both_ways() -> list[str]:
    """Names of the formats that are written and read."""
    return [name for name, one in FORMATS.items() if one.writes and one.reads]


def there_and_back(
    name: str, labels: gpd.GeoDataFrame, folder: Path, *, tiles: Tiling = TILES, about: About | None = None
) -> gpd.GeoDataFrame:
    """The labels that a format gives back, in the CRS in which it does."""
    path = folder / ("labels" + next(iter(FORMATS[name].suffixes), ""))
    written = write(labels, path, name, writing=Writing(tiles=tiles, about=about or About()), lossy=True)
    return read(written, name, told=Told())


def measured(name: str, labels: gpd.GeoDataFrame, folder: Path, *, tiles: Tiling = TILES) -> dict[str, str]:
    """Property -> how well a format gives it back, in the words of `Carries`."""
    return compared(labels, there_and_back(name, labels, folder, tiles=tiles), tiles.grid)


def stated(name: str) -> dict[str, str]:
    """Property -> how well a format says that it carries it."""
    return dict(FORMATS[name].carries.items())


def converted(first: str, second: str, folder: Path, *, given: gpd.GeoDataFrame | None = None) -> list[str]:
    """Properties of the sample that are lost on the way through two formats though neither says so.

    Parameters
    ----------
    given
        The sample as the first format gave it back, where that is known.
    """
    one, two = folder / "one", folder / "two"
    for step in (one, two):
        step.mkdir(parents=True, exist_ok=True)
    between = there_and_back(first, sample(), one) if given is None else given
    timeless = between[["start", "end"]].isna().all(axis=None)
    back = there_and_back(second, between, two, about=DATED if timeless else None)
    both = {key: max(stated(first)[key], stated(second)[key], key=WORST.__getitem__) for key in PROPERTIES}
    return worse(compared(sample(), back, UTM), both)


def worse(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Properties in which `one` loses more than `other`."""
    return [key for key in other if WORST[one[key]] > WORST[other[key]]]


def compared(labels: gpd.GeoDataFrame, back: gpd.GeoDataFrame, grid: Grid) -> dict[str, str]:
    """Property -> how well `back` has it of `labels`; rows are matched by id, by class where ids were lost."""
    ids = sorted(back["label_id"]) == sorted(labels["label_id"])
    key = "label_id" if ids else "class"
    pairs = list(_pairs(labels, back.to_crs(labels.crs), key))

    def column(name: str, how: Callable[[Any, Any], str]) -> str:
        return _values(labels, back, key, name, how)

    return {
        "geometry": _best(_geometry(pair, grid) for pair in pairs),
        "holes": _best(_holes(pair, grid) for pair in pairs),
        "crs": "exact" if back.crs == labels.crs else "no",
        "ids": "exact" if ids else "no",
        "times": _best(column(name, _time) for name in ("start", "end", "labeled_at")),
        "attributes": _best(column(name, _number) for name in VALUES),
        "annotator": column("annotator", _number),
        "confidence": column("confidence", _number),
    }


def _best(found: Iterable[str]) -> str:
    """The best that holds for all of them."""
    return max(found, key=WORST.__getitem__, default="exact")


def _pairs(labels: gpd.GeoDataFrame, back: gpd.GeoDataFrame, key: str) -> Iterator[Pair]:
    """(before, after) of each label, or of all ground of a class where ids were lost."""
    for value, own in labels.groupby(key):
        theirs = back[back[key] == value]
        yield _whole(own), _whole(theirs)


def _whole(rows: gpd.GeoDataFrame) -> BaseGeometry:
    shapes = rows.geometry.to_numpy()
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _filled(shape: BaseGeometry) -> BaseGeometry:
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(shape))))


def _geometry(pair: Pair, grid: Grid) -> str:
    """How alike two shapes are, holes aside."""
    one, other = (_filled(shape).normalize() for shape in pair)
    if all(_same(a, b) for a, b in zip(_outer(pair[0]), _outer(pair[1]), strict=False)) and one.equals(other):
        return "exact"
    if _close(one, other, grid):
        return "rounded"
    if np.array_equal(_burned(one, grid), _burned(other, grid)):
        return "pixels"
    return "box" if np.allclose(one.bounds, other.bounds, atol=abs(grid.transform.a)) else "no"


def _outer(shape: BaseGeometry) -> list[BaseGeometry]:
    rings = shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(shape)))
    return sorted((ring.normalize() for ring in rings), key=lambda ring: ring.bounds)


def _same(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(shapely.equals_exact(one, other, 0))


def _close(one: BaseGeometry, other: BaseGeometry, grid: Grid) -> bool:
    size = CLOSE_M if grid.is_metric else CLOSE_M / 111_000
    return bool(one.symmetric_difference(other).area <= size * (one.length + other.length))


def _burned(shape: BaseGeometry, grid: Grid) -> Any:
    return burned(to_pixels([shape], grid)[0], grid.shape)


def _holes(pair: Pair, grid: Grid) -> str:
    """exact: every hole is there, at its place. pixels: the same pixels are holes."""
    one, other = (_filled(shape) - shape for shape in pair)
    if shapely.get_num_geometries(one) == shapely.get_num_geometries(other) and _close(one, other, grid):
        return "exact"
    there = bool(other.area) or not one.area
    return "pixels" if there and np.array_equal(_holed(pair[0], grid), _holed(pair[1], grid)) else "no"


def _holed(shape: BaseGeometry, grid: Grid) -> Any:
    return _burned(_filled(shape), grid) & ~_burned(shape, grid)


def _values(
    labels: gpd.GeoDataFrame, back: gpd.GeoDataFrame, key: str, name: str, how: Callable[[Any, Any], str]
) -> str:
    """How a column came back, over all labels."""
    theirs = back.groupby(key)[name].agg(list)
    found = [
        (value, other) for value, k in zip(labels[name], labels[key], strict=True) for other in theirs.get(k, [None])
    ]
    return _best(
        "exact" if pd.isna(a) and pd.isna(b) else "no" if pd.isna(a) or pd.isna(b) else how(a, b) for a, b in found
    )


def _time(one: Any, other: Any) -> str:
    return "exact" if one == other else "rounded" if abs((one - other).total_seconds()) <= CLOSE_S else "no"


def _number(one: Any, other: Any) -> str:
    if one == other:
        return "exact"
    both = isinstance(one, float) and isinstance(other, float)
    return "rounded" if both and abs(one - other) <= CLOSE_SHARE + 1e-12 else "no"
