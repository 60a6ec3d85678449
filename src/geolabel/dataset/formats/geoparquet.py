"""GeoParquet 1.1: a box a row, row groups of neighbours, the CRS as PROJJSON; written as the labels come.

Source: OGC GeoParquet 1.1.0, "Metadata" and "Bounding box columns".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import batches, outgoing
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing
from geolabel.dataset.formats.vector import labels_of
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.files import atomic
from geolabel.stream import Progress, silent
from geolabel.tables import LABELS

CARRIES = Carries(
    geometry="exact",
    holes="exact",
    crs="exact",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="Times to the microsecond.",
)
VERSION = "1.1.0"
GROUP = 32_768
"""Rows of a row group: what a reader of a box must take in at least."""
BOX = ("xmin", "ymin", "xmax", "ymax")
KINDS = {
    "str": pa.string(),
    "float": pa.float64(),
    "int": pa.int64(),
    "time": pa.timestamp("us", "UTC"),
}
NAMES = {3: "Polygon", 6: "MultiPolygon"}


# ---------------------------------------------------------------------- out
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of one file, rows along a Hilbert curve so that a row group holds neighbours."""
    return write_parts([near(outgoing(labels))], path, progress=writing.progress)


def near(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows along a Hilbert curve over their middles, ties by id: the order of the given rows does not count."""
    if len(frame) < 2:
        return frame.reset_index(drop=True)
    along = frame.hilbert_distance().to_numpy()
    return frame.iloc[np.lexsort((frame["label_id"].to_numpy(str), along))].reset_index(drop=True)


def write_parts(parts: Iterable[gpd.GeoDataFrame], path: Path, *, progress: Progress = silent) -> Path:
    """Path of one file of all parts in the order in which they come; no more than a row group is in memory.

    Columns and CRS are those of the first part, which may have no rows.

    Raises
    ------
    CRSError
        Where a part is in another CRS than the first.
    InputError
        Without any part, or where one has other columns than the first.
    """
    groups = _groups(batches(parts, size=GROUP))
    first = next(groups, None)
    if first is None:
        raise InputError("no parts to write", hint="a first part without rows says columns and CRS")
    schema, about = _schema(first), _About(first.crs)
    with atomic(path) as tmp, pq.ParquetWriter(tmp, schema, compression="zstd", store_schema=False) as file:
        for group in _chain(first, groups):
            if len(group):
                file.write_table(_table(group, schema, about), row_group_size=GROUP)
            progress("labels", about.rows, about.rows)
        file.add_key_value_metadata({"geo": json.dumps(about.geo())})
    return path


def _chain(first: gpd.GeoDataFrame, more: Iterator[gpd.GeoDataFrame]) -> Iterator[gpd.GeoDataFrame]:
    yield first
    yield from more


def _groups(parts: Iterator[gpd.GeoDataFrame]) -> Iterator[gpd.GeoDataFrame]:
    """Parts put together to row groups of about `GROUP` rows."""
    held: list[gpd.GeoDataFrame] = []
    first: gpd.GeoDataFrame | None = None
    for part in parts:
        first = part.iloc[:0] if first is None else first
        _check_alike(part, first)
        if held and sum(map(len, held)) + len(part) > GROUP:
            yield _joined(held)
            held = []
        held.append(part)
    if held:
        yield _joined(held)


def _check_alike(part: gpd.GeoDataFrame, first: gpd.GeoDataFrame) -> None:
    if part.crs != first.crs:
        raise CRSError(f"a part in {part.crs} after one in {first.crs}", hint="part.to_crs(...) before")
    odd = sorted(set(part.columns) ^ set(first.columns))
    if odd:
        raise InputError(f"one part has the columns {odd} and another has not", hint="all parts have the same columns")


def _joined(parts: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    full = [part for part in parts if len(part)]
    return near(pd.concat(full, ignore_index=True)) if len(full) > 1 else near(full[0] if full else parts[0])


class _About:
    """What the metadata says of all rows, known once they are written."""

    def __init__(self, crs: Any) -> None:
        self.crs = crs
        self.rows, self.kinds = 0, set[str]()
        self.box = [np.inf, np.inf, -np.inf, -np.inf]

    def add(self, shapes: Any, boxes: Any) -> None:
        self.rows += len(shapes)
        self.kinds |= {NAMES[int(kind)] for kind in np.unique(shapely.get_type_id(shapes))}
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        self.box = [*np.minimum(self.box[:2], low).tolist(), *np.maximum(self.box[2:], high).tolist()]

    def geo(self) -> dict[str, Any]:
        """The `geo` metadata."""
        column = {
            "encoding": "WKB",
            "geometry_types": sorted(self.kinds),
            "crs": json.loads(pyproj.CRS(self.crs).to_json()),
            "edges": "planar",
            "orientation": "counterclockwise",
            "covering": {"bbox": {name: ["bbox", name] for name in BOX}},
        }
        if self.rows:
            column["bbox"] = self.box
        return {"version": VERSION, "primary_column": "geometry", "columns": {"geometry": column}}


def _schema(frame: gpd.GeoDataFrame) -> pa.Schema:
    """Columns of LABELS in their kinds, others in that of their values, the box last."""
    fields = [pa.field(name, KINDS[kind.rstrip("?")]) for name, kind in LABELS.kinds.items() if kind != "geometry"]
    extra = [name for name in frame.columns if name not in LABELS.kinds]
    fields += [pa.field(str(name), _kind(frame[name])) for name in extra]
    box = pa.struct([pa.field(name, pa.float64()) for name in BOX])
    return pa.schema([*fields, pa.field("geometry", pa.binary()), pa.field("bbox", box)])


def _kind(column: pd.Series) -> pa.DataType:
    kind = pa.Array.from_pandas(column).type
    return pa.string() if pa.types.is_null(kind) else kind


def _table(frame: gpd.GeoDataFrame, schema: pa.Schema, about: _About) -> pa.Table:
    shapes = shapely.orient_polygons(np.asarray(frame.geometry.array))
    boxes = shapely.bounds(shapes)
    about.add(shapes, boxes)
    own = {
        "geometry": pa.array(shapely.to_wkb(shapes), pa.binary()),
        "bbox": pa.StructArray.from_arrays([pa.array(side) for side in boxes.T], names=list(BOX)),
    }
    columns = {name: own[name] if name in own else _array(frame[name], schema.field(name)) for name in schema.names}
    return pa.table(columns, schema=schema)


def _array(column: pd.Series, kind: pa.Field) -> pa.Array:
    try:
        return pa.Array.from_pandas(column, type=kind.type, safe=not pa.types.is_timestamp(kind.type))
    except pa.ArrowInvalid as error:
        raise InputError(
            f"column {kind.name!r} cannot be {kind.type}: {error}", hint="one kind of value a column"
        ) from None


# ---------------------------------------------------------------------- in
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a GeoParquet file of anyone, in its CRS.

    Raises
    ------
    SourceError
        Where it is no Parquet file.
    InputError
        Where it has no `geo` metadata.
    """
    try:
        frame = gpd.read_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"cannot read {path.name}: {error}", hint="is it a whole Parquet file?") from None
    except ValueError as error:
        raise InputError(f"{path.name} is no GeoParquet: {error}", hint="a Parquet file with `geo` metadata") from None
    return labels_of(frame, told, path=path)
