"""GeoPackage for QGIS: labels, tiles and the styles that both are shown with; edits come back under the same ids.

`label_id` is an ordinary text field, which QGIS keeps; `fid`, the number of the row, is the database's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geolabel.dataset.formats import qgis
from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import by_id
from geolabel.dataset.formats.gdal import newest, put
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing
from geolabel.dataset.formats.vector import LAYER, labels_of, opened
from geolabel.files import atomic, write_text
from geolabel.grid import Tiling
from geolabel.ontology import Ontology

CARRIES = Carries(
    geometry="exact",
    holes="exact",
    crs="exact",
    ids="exact",
    times="rounded",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="Times to the millisecond; all shapes are stored as collections of polygons, and single ones come back single.",
)
TILES, STYLES = "tiles", "layer_styles"


# ---------------------------------------------------------------------- out
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of a GeoPackage with the layers `labels` and (where tiles are given) `tiles`, styled; a `.qml` lies beside.

    Equal labels give equal bytes: the file's own clock shows the time of the newest label.
    """
    frame, ontology = by_id(labels), writing.about.ontology
    clock = newest(frame)
    styles = {LAYER: qgis.labels_qml(frame, ontology)}
    with atomic(path) as tmp:
        tmp.unlink()  # GDAL makes the file itself
        put(frame, tmp, "GPKG", clock=clock)
        if writing.tiles is not None:
            put(_tiles(writing.tiles, frame, writing), tmp, "GPKG", layer=TILES, clock=clock)
            styles[TILES] = qgis.tiles_qml()
        put(_style_rows(styles, ontology, clock), tmp, "GPKG", layer=STYLES, layer_options={"FID": "id"}, clock=clock)
    write_text(path.with_suffix(".qml"), styles[LAYER])
    return path


def _tiles(tiles: Tiling, labels: gpd.GeoDataFrame, writing: Writing) -> gpd.GeoDataFrame:
    """Footprints in the labels' CRS with what came of each tile; told outcomes, else whether a label lies on it."""
    boxes = gpd.GeoSeries([shapely.box(*tiles.grid.crop(tile).bounds) for tile in tiles], crs=tiles.grid.crs.to_wkt())
    shapes = labels.geometry.to_crs(boxes.crs).array
    tree = shapely.STRtree(shapes)
    seen = {int(i) for i in tree.query(boxes.array, predicate="intersects")[0]}
    said: Mapping[str, str] = writing.outcomes or {}
    rows = [
        {
            "tile_id": name,
            "row": tile.row,
            "col": tile.col,
            "outcome": said.get(tile.key, "labeled" if i in seen else "empty"),
        }
        for i, (tile, name) in enumerate(zip(tiles, tiles.ids, strict=True))
    ]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=boxes.to_crs(labels.crs))


def _style_rows(styles: Mapping[str, str], ontology: Ontology, clock: str) -> pd.DataFrame:
    """Rows of the table in which QGIS looks for the styles of a GeoPackage's layers."""
    rows: list[dict[str, Any]] = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layer,
            "f_geometry_column": "geom",
            "styleName": layer,
            "styleQML": text,
            "styleSLD": "",
            "useAsDefault": True,
            "description": f"geolabel: {ontology.id}",
            "owner": "geolabel",
            "ui": None,
            "update_time": pd.Timestamp(clock),
        }
        for layer, text in styles.items()
    ]
    return pd.DataFrame(rows).astype({"ui": object})


# ---------------------------------------------------------------------- in
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a GeoPackage of anyone, in its CRS: its layer `labels`, its only layer of shapes, or that told."""
    return labels_of(opened(path, told), told, path=path)
