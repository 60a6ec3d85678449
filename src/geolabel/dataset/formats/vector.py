"""Vector files of anyone: their shapes where they say they lie, their fields as columns of labels."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.moments import moments
from geolabel.dataset.formats.places import placed
from geolabel.dataset.formats.reading import Told, table
from geolabel.dataset.geojson import scalar
from geolabel.digests import canonical, digest
from geolabel.errors import GeolabelWarning, InputError, SourceError, TableError, nearest
from geolabel.tables import LABELS, empty

DERIVED = ("area_m2",)
"""Columns that we write and that the shapes give again."""
ID_DIGITS = 12
LAYER = "labels"
"""Our layer in a file of several."""


def opened(path: Path, told: Told) -> gpd.GeoDataFrame:
    """Features of a file as GDAL reads them, with its fields; the CRS is the file's, or None.

    Raises
    ------
    SourceError
        Where GDAL cannot read the file or it has no such layer.
    InputError
        Where its text is in another encoding than it says, or it has no shapes.
    """
    import pyogrio

    if not path.exists():
        raise SourceError(f"{path} is not there", hint="check the path")
    try:
        frame = pyogrio.read_dataframe(path, layer=told.layer or _layer(path), encoding=told.encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: text that is no {error.encoding}", hint="encoding='cp1252'?") from None
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise SourceError(f"cannot read {path.name}: {error}", hint=_layers(path)) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"the layer {told.layer!r} of {path.name} has no shapes", hint=_layers(path))
    return frame


def _layer(path: Path) -> str:
    """The layer `labels`, or the only one with shapes."""
    import pyogrio

    shaped = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
    if LAYER in shaped or len(shaped) == 1:
        return LAYER if LAYER in shaped else shaped[0]
    if not shaped:
        raise InputError(f"{path.name} is a table without shapes", hint="give a file of polygons")
    raise InputError(f"{path.name} has {len(shaped)} layers of shapes", hint=_layers(path))


def _layers(path: Path) -> str:
    import pyogrio

    try:
        return f"it has the layers {', '.join(pyogrio.list_layers(path)[:, 0])}: say layer=..."
    except pyogrio.errors.DataSourceError:
        return "shapefile, GeoPackage, GeoJSON, KML and all else that GDAL reads as vectors"


def labels_of(frame: gpd.GeoDataFrame, told: Told, *, path: Path) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a file's features: fields taken over as told, all others kept in `attributes`.

    Features without an id get `<name of the file>/<digest of class and shape>`. Heights are dropped with a warning.

    Raises
    ------
    CRSError
        Where the shapes cannot lie in the file's CRS, or it has none.
    TableError
        For a field that the file does not have, or a value that its column cannot hold.
    OntologyError
        For a class that is neither the ontology's nor told.
    """
    frame = _taken(flat(placed(frame, told.crs, path=path), path), told)
    if not len(frame):
        return empty(LABELS, frame.crs)
    named = _values(frame, told)
    if "class" not in named and "class" not in told.values:
        fields = [str(name) for name in frame.columns if name != frame.geometry.name]
        raise TableError(
            f"no field of {path.name} is called class; it has {', '.join(fields) or 'none'}",
            hint="say which one is: fields={'class': ...} or --field class=...; or of all: values={'class': ...}",
        )
    named = named.assign(attributes=_attributes(frame, named), label_id=_ids(named, frame.geometry, path.stem))
    geometry = gpd.GeoSeries(np.asarray(frame.geometry.array), index=frame.index, crs=frame.crs)
    return table(gpd.GeoDataFrame(named, geometry=geometry), told)


def flat(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """The frame without heights, which no label has; single polygons that a format called multiple are single again.

    Raises
    ------
    InputError
        For points or lines.
    """
    shapes = np.asarray(frame.geometry.array)
    kinds = sorted(
        {one.geom_type for one in shapes if one is not None} - {"Polygon", "MultiPolygon", "GeometryCollection"}
    )
    if kinds:
        raise InputError(f"{path.name} holds {', '.join(kinds)}", hint="labels are polygons: buffer lines and points")
    if shapely.has_z(shapes).any() or shapely.has_m(shapes).any():
        warnings.warn(f"{path.name}: heights or measures of the corners were dropped", GeolabelWarning, stacklevel=2)
        shapes = shapely.force_2d(shapes)
    lone = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOLYGON.value) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes = np.where(lone, shapely.get_geometry(shapes, 0), shapes)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def _taken(frame: gpd.GeoDataFrame, told: Told) -> gpd.GeoDataFrame:
    """The frame with its fields under our names; a field that was ours by accident goes out of the way."""
    lost = [theirs for theirs in told.fields.values() if theirs not in frame.columns]
    if lost:
        known = [str(name) for name in frame.columns if name != frame.geometry.name]
        raise TableError(f"the file has no field {lost[0]!r}", hint=nearest(lost[0], known))
    odd = sorted(set(told.fields) - set(LABELS) | set(told.fields) & {"geometry"})
    if odd:
        raise TableError(
            f"labels have no column {odd[0]!r}", hint=nearest(odd[0], [n for n in LABELS if n != "geometry"])
        )
    ours = {theirs: name for name, theirs in told.fields.items()}
    aside = {name: f"{name}_" for name in told.fields if name in frame.columns and name not in ours}
    return frame.rename(columns={**aside, **ours})


def _values(frame: gpd.GeoDataFrame, told: Told) -> pd.DataFrame:
    """The columns of LABELS that the file has, each of its kind."""
    named = {}
    for name, kind in LABELS.kinds.items():
        if name not in frame.columns or kind == "geometry":
            continue
        column, base = frame[name], kind.rstrip("?")
        if base == "time":
            named[name] = moments(column, tz=told.tz, last=name == "end")
        else:
            named[name] = _numbers(column) if base == "float" else _texts(column)
    return pd.DataFrame(named, index=frame.index)


def _texts(column: pd.Series) -> pd.Series:
    """Text, None where nothing is said; whole numbers without a decimal point."""
    words = {value: _text(value) for value in column.dropna().unique()}
    return pd.Series([words.get(v) if v == v else None for v in column], column.index, object)  # noqa: PLR0124 - NaN


def _text(value: Any) -> str | None:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return (str(int(value)) if whole else str(value)) or None


def _numbers(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column).astype(float)
    except (ValueError, TypeError) as error:
        raise TableError(f"{column.name}: {error}", hint="a share is a number 0-1") from None


def _nothing(index: pd.Index) -> pd.Series:
    return pd.Series([None] * len(index), index, object)


# ---------------------------------------------------------------------- what no column holds
def _attributes(frame: gpd.GeoDataFrame, named: pd.DataFrame) -> pd.Series:
    """Canonical JSON of the fields that are no column of LABELS, over what the column `attributes` holds already."""
    own = named["attributes"] if "attributes" in named else _nothing(frame.index)
    known = {*LABELS, *DERIVED, frame.geometry.name}
    more = frame[[name for name in frame.columns if name not in known]].dropna(axis="columns", how="all")
    if not more.shape[1] and own.isna().all():
        return own
    rows = more.to_dict("records")
    return pd.Series([_joined(text, row) for text, row in zip(own, rows, strict=True)], frame.index, object)


def _joined(text: str | None, more: Mapping[str, Any]) -> str | None:
    said = {name: _plain(value) for name, value in more.items() if value is not None}
    said = {name: value for name, value in said.items() if value not in (None, "")}
    if text is None:
        return canonical(said).decode() if said else None
    try:
        own = json.loads(text)
    except ValueError:
        own = text
    return canonical({**said, **(own if isinstance(own, dict) else {"attributes": own})}).decode()


def _plain(value: Any) -> Any:
    """A JSON value of a field's."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, pd.Timestamp) and value.tzinfo is None:
        return None if value is pd.NaT else value.isoformat()
    return value.isoformat() if type(value).__name__ in ("date", "time") else scalar(value)


def _ids(named: pd.DataFrame, shapes: gpd.GeoSeries, stem: str) -> list[str]:
    """The ids of the file; where there is none, one of the content, numbered where two features are the same."""
    there = named["label_id"] if "label_id" in named else _nothing(named.index)
    classes = named["class"] if "class" in named else _nothing(named.index)
    found, taken = [], set(there.dropna())
    for own, what, shape in zip(there, classes, shapes, strict=True):
        found.append(own if own is not None else free_id(f"{stem}/{content(what, shape)}", taken))
        taken.add(found[-1])
    return found


def content(what: str | None, shape: BaseGeometry | None) -> str:
    """Twelve hexadecimal digits of a class and a shape, however its rings are wound and started."""
    return digest(what, b"" if shape is None else shapely.normalize(shape).wkb)[:ID_DIGITS]


def free_id(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or the first of `wanted~2`, `wanted~3` ... that is not taken."""
    if wanted not in taken:
        return wanted
    return next(one for n in count(2) if (one := f"{wanted}~{n}") not in taken)
