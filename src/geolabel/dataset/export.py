"""Shapes out of geolabel: labeled tiles, or all shapes in one GeoJSON, GeoPackage or GeoParquet file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd

from geolabel.dataset.about import About
from geolabel.dataset.geojson import feature, lonlat, text
from geolabel.dataset.tiles import export_tiles
from geolabel.errors import InputError, nearest
from geolabel.files import atomic, write_text
from geolabel.grid import Tiling
from geolabel.shapes import area_m2, repair
from geolabel.stream import Progress, silent
from geolabel.tables import SHAPES, check

LAYER = "labels"
SUFFIXES = {"geojson": ".geojson", "gpkg": ".gpkg", "geoparquet": ".parquet"}


def export(
    frame: gpd.GeoDataFrame,
    path: Path | str,
    *,
    format: str,  # noqa: A002 - the field's word
    tiles: Tiling | None = None,
    view_id: str = "view",
    about: About | None = None,
    clipped: bool = True,
    progress: Progress = silent,
) -> Path:
    """Path of what was written: a folder of labeled tiles (`geojson` with tiles), else one file.

    Parameters
    ----------
    frame
        `tables.SHAPES` and more columns, in any CRS; invalid shapes are repaired.
    path
        A folder for tiles; else a file, or a folder that gets `labels.geojson`, `.gpkg` or `.parquet`.
    format
        geojson (RFC 7946), gpkg (layer `labels`, in the frame's CRS) or geoparquet (in the frame's CRS).

    Raises
    ------
    InputError
        For an unknown format, tiles with another format than geojson, or shapes that cannot be mended.
    """
    if format not in SUFFIXES:
        raise InputError(f"unknown format {format!r}", hint=nearest(format, SUFFIXES))
    if tiles is None:
        return WRITERS[format](check(repair(frame), SHAPES), _file(Path(path), format))
    if format != "geojson":
        raise InputError(
            f"tiles are written as geojson, not {format!r}", hint="leave out the tiles, or format='geojson'"
        )
    return export_tiles(
        path,
        view_id=view_id,
        grid=tiles.grid,
        tiles=tiles,
        shapes=frame,
        about=about,
        clipped=clipped,
        progress=progress,
    )


def _file(path: Path, format: str) -> Path:  # noqa: A002
    return path if path.suffix in (SUFFIXES[format], ".json") else path / f"{LAYER}{SUFFIXES[format]}"


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Path of one RFC 7946 file: a feature a row, by `label_id`, with the row's values and its geodesic `area_m2`."""
    rows = frame.assign(area_m2=area_m2(frame).round(1)).sort_values("label_id", kind="stable")
    shapes = lonlat(rows.geometry, rows.crs)
    records = rows.drop(columns=rows.geometry.name).to_dict("records")
    return write_text(path, text(feature(r["label_id"], g, r) for r, g in zip(records, shapes, strict=True)))


def write_gpkg(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Path of a GeoPackage with one layer, `labels`."""
    with atomic(path) as tmp:
        tmp.unlink()  # GDAL makes the file itself
        frame.to_file(tmp, driver="GPKG", layer=LAYER, engine="pyogrio")
    return path


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Path of a GeoParquet file with a box a row."""
    with atomic(path) as tmp:
        frame.to_parquet(tmp, index=False, write_covering_bbox=True)
    return path


WRITERS: dict[str, Callable[[gpd.GeoDataFrame, Path], Path]] = {
    "geojson": write_geojson,
    "gpkg": write_gpkg,
    "geoparquet": write_geoparquet,
}
