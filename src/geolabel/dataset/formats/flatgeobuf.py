"""FlatGeobuf: one layer with a packed spatial index, for reading parts of it over the web."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import by_id
from geolabel.dataset.formats.gdal import put
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing
from geolabel.dataset.formats.vector import labels_of, opened
from geolabel.files import atomic

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


def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:  # noqa: ARG001 - every format's signature
    """Path of one file; its rows lie in the order of the index, along a Hilbert curve."""
    with atomic(path) as tmp:
        tmp.unlink()  # GDAL makes the file itself
        put(by_id(labels), tmp, "FlatGeobuf", layer_options={"SPATIAL_INDEX": "YES"})
    return path


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a FlatGeobuf file of anyone, in its CRS."""
    return labels_of(opened(path, told), told, path=path)
