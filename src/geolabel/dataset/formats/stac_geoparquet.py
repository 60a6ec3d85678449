"""stac-geoparquet: the STAC items of labeled tiles as rows of one GeoParquet file, beside the tiles themselves.

Source: stac-geoparquet specification 1.0; written by the library of that name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geolabel.dataset.formats import stac
from geolabel.dataset.formats.reading import Told
from geolabel.errors import MissingExtra
from geolabel.files import atomic

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

CARRIES = stac.CARRIES
ITEMS = "items.parquet"


def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of a folder of labeled tiles and their STAC items, which `items.parquet` holds in one table.

    Raises
    ------
    MissingExtra
        Without the library stac-geoparquet.
    InputError
        As `stac.write`.
    """
    arrow = _arrow()
    stac.write(labels, path, writing)
    table = arrow.parse_stac_items_to_arrow(stac.items(path, writing.about))
    with atomic(path / ITEMS) as tmp:
        arrow.to_parquet(table, tmp)
    return path


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of such a folder."""
    return stac.read(path, told)


def _arrow() -> Any:
    try:
        from stac_geoparquet import arrow
    except ImportError:
        raise MissingExtra("stac-geoparquet is not installed", hint="pip install 'geolabel[stac]'") from None
    return arrow
