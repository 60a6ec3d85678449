"""What somebody changed in a file of labels: which were added, changed, removed, and under which id each goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.vector import content, free_id
from geolabel.errors import InputError
from geolabel.tables import LABELS, check

Change = Literal["added", "changed", "removed", "unchanged"]
TOLERANCE_M = 0.02
"""Corners that moved less were rounded by a file: 7 decimals of a degree are 1.1 cm."""
TOLERANCE_DEG = 2e-7
SHARE = 1e-6
"""Difference of a number that is rounding."""
TIME_MS = 1
"""Milliseconds: what GeoPackage and FlatGeobuf keep of a time."""
VALUES = tuple(name for name in LABELS if name not in ("label_id", "geometry"))


def edits(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, *, tolerance: float | None = None) -> gpd.GeoDataFrame:
    """Every label of both tables once, by id: `tables.LABELS` and `change`, `what`, `was`, in the CRS of `before`.

    `change` is added, changed, removed or unchanged; `what` names what changed (`geometry` and columns, by commas);
    `was` is the id of the label that a new one was cut from. Values are those after the edit, of removed labels those
    before it.

    A GIS copies all fields when it splits a shape: of several with one id, the one that has most ground in common with
    the label before keeps it, the others get `<id>~2`, `<id>~3` from large to small. One without an id gets
    `new/<digest of class and shape>`, so the same edit gives the same ids again.

    Parameters
    ----------
    tolerance
        How far a corner may lie from where it was, in units of the CRS; default: what the formats round (2 cm).

    Raises
    ------
    InputError
        Where `before` has an id twice.
    TableError, CRSError
        Where one is no table of labels.
    """
    before, after = check(before, LABELS), _known(after).to_crs(before.crs)
    if before["label_id"].duplicated().any():
        twice = before.loc[before["label_id"].duplicated(), "label_id"].iloc[0]
        raise InputError(f"the labels before the edit have the id {twice!r} twice", hint="whole labels, one a row")
    near = tolerance if tolerance is not None else TOLERANCE_DEG if before.crs.is_geographic else TOLERANCE_M
    old = before.set_index("label_id", drop=False)
    now = _named(after, old)
    rows = [_edit(one, old, near) for one in now.to_dict("records")]
    gone = old[~old.index.isin({row["label_id"] for row in rows})]
    rows += [{**one, "change": "removed", "what": "", "was": None} for one in gone.to_dict("records")]
    names = [*LABELS, "change", "what", "was"]
    if not rows:
        return before.iloc[:0].assign(change="", what="", was=None)[names]
    table = pd.DataFrame(rows).sort_values("label_id", kind="stable", ignore_index=True)
    times = {name: pd.to_datetime(table[name], utc=True) for name, kind in LABELS.kinds.items() if kind == "time?"}
    kinds = {name: before[name].dtype for name in VALUES}
    return gpd.GeoDataFrame(table.assign(**times)[names].astype(kinds), crs=before.crs)


def _known(after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table after the edit, once it is known to be one of labels; an id may be missing."""
    ids = after["label_id"].where(after["label_id"].notna() & (after["label_id"] != ""), None)
    check(after.assign(label_id=ids.fillna("?")), LABELS)
    return after.assign(label_id=ids)


# ---------------------------------------------------------------------- whose id is whose
def _named(after: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows after the edit under ids that are all different, with `was`."""
    taken = {*old.index, *after["label_id"].dropna()}
    ids, was = after["label_id"].to_numpy(object).copy(), np.full(len(after), None, object)
    shapes = np.asarray(after.geometry.array)
    for key, own in after.groupby("label_id", sort=True).indices.items():
        for place in _by_claim(shapes[own], old.geometry.get(key))[1:]:
            ids[own[place]], was[own[place]] = free_id(f"{key}~2", taken), key
            taken.add(ids[own[place]])
    for place in np.flatnonzero(after["label_id"].isna()).tolist():
        ids[place] = free_id(f"new/{content(after['class'].iloc[place], shapes[place])}", taken)
        taken.add(ids[place])
    return after.assign(label_id=ids, was=was)


def _by_claim(shapes: NDArray[Any], before: BaseGeometry | None) -> Sequence[int]:
    """Places of shapes with one id: the most ground in common with the label before first, then large before small."""
    if len(shapes) == 1:
        return [0]
    shared = np.zeros(len(shapes)) if before is None else shapely.area(shapely.intersection(shapes, before))
    texts, areas = shapely.to_wkb(shapely.normalize(shapes)), shapely.area(shapes)
    return sorted(range(len(shapes)), key=lambda i: (-shared[i], -areas[i], texts[i]))


# ---------------------------------------------------------------------- what changed
def _edit(row: dict[str, Any], old: gpd.GeoDataFrame, tolerance: float) -> dict[str, Any]:
    if row["label_id"] not in old.index:
        return {**row, "change": "added", "what": ""}
    own = old.loc[row["label_id"]]
    what = [name for name in VALUES if not _same(own[name], row[name])]
    if not same_shape(own["geometry"], row["geometry"], tolerance):
        what.insert(0, "geometry")
    return {**row, "change": "changed" if what else "unchanged", "what": ",".join(what)}


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal but for what files round."""
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    if isinstance(one, pd.Timestamp):
        return bool(abs(one - other) < pd.Timedelta(milliseconds=TIME_MS))
    return abs(one - other) <= SHARE if isinstance(one, float) else bool(one == other)


def same_shape(one: BaseGeometry, other: BaseGeometry, tolerance: float) -> bool:
    """Whether two shapes have the same edges, no corner further off than `tolerance`; winding and start do not count."""
    if shapely.normalize(one).equals_exact(shapely.normalize(other), tolerance):
        return True
    if not np.allclose(shapely.bounds(one), shapely.bounds(other), rtol=0, atol=tolerance):
        return False
    return bool(shapely.hausdorff_distance(shapely.boundary(one), shapely.boundary(other)) <= tolerance)
