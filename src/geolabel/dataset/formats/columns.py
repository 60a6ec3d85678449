"""Labels on their way into a file: every column of `tables.LABELS`, then what else the frame holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import geopandas as gpd
import pandas as pd

from geolabel.errors import TableError
from geolabel.shapes import repair
from geolabel.tables import LABELS, SHAPES, check, empty

BATCH = 8192
"""Rows that are written at a time."""


def outgoing(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The frame with all columns of LABELS first (missing ones say nothing), shapes repaired, the geometry last.

    Raises
    ------
    TableError
        Where the frame has not the columns of `tables.SHAPES`.
    InputError
        For shapes that cannot be mended.
    """
    named = frame if frame.active_geometry_name in (None, "geometry") else frame.rename_geometry("geometry")
    lost = [name for name in SHAPES if name not in named.columns]
    if lost:
        raise TableError(f"these labels lack {lost}; they have {list(frame.columns)}", hint="see tables.SHAPES")
    known, blank = repair(named), empty(LABELS)
    more = {name: pd.Series(None, known.index, blank[name].dtype) for name in LABELS if name not in known.columns}
    extra = [name for name in known.columns if name not in LABELS.kinds]
    names = [name for name in LABELS if name != "geometry"]
    return check(known.assign(**more)[[*names, *extra, "geometry"]], LABELS)


def by_id(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Outgoing labels in the order of their ids: equal labels give equal bytes, whatever the order of their rows."""
    return outgoing(frame).sort_values("label_id", kind="stable", ignore_index=True)


def batches(parts: Iterable[gpd.GeoDataFrame], *, size: int = BATCH) -> Iterator[gpd.GeoDataFrame]:
    """Outgoing parts of at most `size` rows, empty ones too: a part without rows still says its columns and CRS."""
    for part in parts:
        for at in range(0, max(len(part), 1), size):
            yield outgoing(part.iloc[at : at + size])
