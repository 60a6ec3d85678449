"""Layers written through GDAL: polygons under one geometry type, the same bytes for the same labels."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geolabel.dataset.formats.vector import LAYER
from geolabel.errors import SourceError

CLOCK = "OGR_CURRENT_DATE"
EPOCH = "1970-01-01T00:00:00.000Z"
_ONE = threading.Lock()
"""GDAL's settings belong to the process."""


def put(
    frame: pd.DataFrame,
    path: Path,
    driver: str,
    *,
    layer: str = LAYER,
    layer_options: Mapping[str, str] | None = None,
    clock: str = EPOCH,
) -> None:
    """Write a layer (a table where the frame has no shapes) into a file, new or beside its other layers.

    Parameters
    ----------
    clock
        What the file calls the time of its last change, so that equal labels give equal bytes.
    """
    import pyogrio

    shaped = isinstance(frame, gpd.GeoDataFrame)
    polygons = {"geometry_type": "MultiPolygon", "promote_to_multi": True} if shaped else {}
    try:
        with _ONE, _clock(clock):
            pyogrio.write_dataframe(
                frame, path, layer=layer, driver=driver, layer_options=dict(layer_options or {}), **polygons
            )
    except pyogrio.errors.DataSourceError as error:
        raise SourceError(
            f"cannot write {path.name}: {error}", hint="is the disk full, or the folder read-only?"
        ) from None


@contextmanager
def _clock(moment: str) -> Iterator[None]:
    import pyogrio

    before = pyogrio.get_gdal_config_option(CLOCK)
    pyogrio.set_gdal_config_options({CLOCK: moment})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({CLOCK: before})


def newest(labels: gpd.GeoDataFrame) -> str:
    """The newest time at which one of the labels was given, as GeoPackage writes times; 1970 where none says it."""
    times: Any = labels["labeled_at"].dropna()
    return f"{times.max():%Y-%m-%dT%H:%M:%S}.000Z" if len(times) else EPOCH
