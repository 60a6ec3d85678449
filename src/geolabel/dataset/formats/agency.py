"""Vector files as agencies have them (shapefile, KML, any that GDAL reads): their fields mapped to labels."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.vector import labels_of, opened

CARRIES = Carries(
    geometry="exact",
    holes="exact",
    crs="exact",
    ids="exact",
    times="rounded",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="Read only: what a field holds is taken as it is told; a shapefile's dates are days and its names have 10 letters.",
)


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a vector file, in its CRS; fields that nobody mapped are kept in `attributes`."""
    return labels_of(opened(path, told), told, path=path)
