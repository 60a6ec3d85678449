"""Changes from one version of labels to the next: tiles whose mask is another, labels that came, went and were redrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geolabel.files import digest_file

MASKS, LABELS = "tiles/masks", "labels.parquet"
SAME = 0.5
"""IoU from which a label that went and one of the same class that came are one label redrawn: at most one can have it."""
LISTED = 20
"""Names that a changelog lists of each sort; the manifest has them all."""
SAID = ("class", "severity", "severity_scheme")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different from the version before; all of it is `added` in a first one."""

    first: bool
    tiles: dict[str, list[str]]
    """added / changed / removed -> tile keys."""
    added: list[str]
    """Label ids."""
    removed: list[str]
    changed: list[tuple[str, str]]
    """(id before, id now): an id follows from class and outline, so a label that is redrawn has another."""
    area_m2: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Class -> area before and now."""

    def to_row(self) -> dict[str, Any]:
        """Plain JSON values."""
        labels = {"added": self.added, "changed": [list(pair) for pair in self.changed], "removed": self.removed}
        return {"tiles": self.tiles, "labels": labels, "area_m2": {k: list(v) for k, v in self.area_m2.items()}}

    def __str__(self) -> str:
        changed = [now if was == now else f"{was} -> {now}" for was, now in self.changed]
        lines = [_line("Tiles", how, names) for how, names in self.tiles.items()]
        pairs = (("added", self.added), ("changed", changed), ("removed", self.removed))
        lines += [_line("Labels", how, names) for how, names in pairs]
        lines += [f"- Area of {name}: {_km2(was, now)}\n" for name, (was, now) in self.area_m2.items()]
        said = "".join(lines)
        return "First version.\n" + said if self.first else said or "Nothing that shows in the labels.\n"


def _line(what: str, how: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"- {what} {how}: {len(names)} ({', '.join(names[:LISTED])}{more})\n" if names else ""


def _km2(was: float, now: float) -> str:
    gain = now - was
    return f"{now / 1e6:.4f} km2" + (f", {gain / 1e6:+.4f} km2" if was else "")


def changes(before: Path | None, now: gpd.GeoDataFrame, folder: Path) -> Changes:
    """What is different in a delivery's folder, and its labels `now`, from the delivery `before`.

    Parameters
    ----------
    now
        `tables.AGREED` with `area_m2`.
    """
    old = None if before is None else gpd.read_parquet(before / LABELS)
    tiles = _tiles(_masks(before), _masks(folder))
    if old is None:
        return Changes(True, tiles, sorted(now["label_id"]), [], [], _areas(None, now))
    was, there = old.set_index("label_id"), now.set_index("label_id")
    both = sorted(set(was.index) & set(there.index))
    other = [(key, key) for key in both if _said(was, key) != _said(there, key)]
    gone, come = was.loc[sorted(set(was.index) - set(both))], there.loc[sorted(set(there.index) - set(both))]
    redrawn = _redrawn(gone, come)
    removed = sorted(set(gone.index) - {a for a, _ in redrawn})
    added = sorted(set(come.index) - {b for _, b in redrawn})
    return Changes(False, tiles, added, removed, sorted([*other, *redrawn]), _areas(old, now))


def _said(frame: gpd.GeoDataFrame, key: str) -> list[str]:
    """What a label says of itself; its outline is in its id."""
    said = [frame.loc[key, name] for name in SAID]
    return ["" if pd.isna(one) else str(one) for one in said]


def _redrawn(gone: gpd.GeoDataFrame, come: gpd.GeoDataFrame) -> list[tuple[str, str]]:
    if not len(gone) or not len(come):
        return []
    ours, theirs = gone.geometry.to_numpy(), come.geometry.to_crs(gone.crs).to_numpy()
    i, j = shapely.STRtree(theirs).query(ours, predicate="intersects")
    shared = shapely.area(shapely.intersection(ours[i], theirs[j]))
    alike = shared / (shapely.area(ours[i]) + shapely.area(theirs[j]) - shared)
    same = (alike > SAME) & (gone["class"].to_numpy()[i] == come["class"].to_numpy()[j])
    return [(gone.index[a], come.index[b]) for a, b in zip(i[same], j[same], strict=True)]


def _masks(folder: Path | None) -> dict[str, str]:
    """Tile key -> digest of its mask."""
    return {} if folder is None else {path.stem: digest_file(path) for path in (folder / MASKS).glob("*.tif")}


def _tiles(was: dict[str, str], now: dict[str, str]) -> dict[str, list[str]]:
    both = set(was) & set(now)
    return {
        "added": sorted(set(now) - both),
        "changed": sorted(key for key in both if was[key] != now[key]),
        "removed": sorted(set(was) - both),
    }


def _areas(was: gpd.GeoDataFrame | None, now: gpd.GeoDataFrame) -> dict[str, tuple[float, float]]:
    sums = [
        {} if one is None or not len(one) else one.groupby("class")["area_m2"].sum().to_dict() for one in (was, now)
    ]
    return {
        str(name): (round(float(sums[0].get(name, 0)), 1), round(float(np.sum(sums[1].get(name, 0))), 1))
        for name in sorted({*sums[0], *sums[1]})
    }
