"""Scenes and rules to answers: burn scars, terrain and settlements found by rule, as an annotator would give them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geolabel import shapes
from geolabel.errors import ConfigError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer, Outcome
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import Kind
from geolabel.steps.options import Options
from geolabel.stream import Progress, silent
from geolabel.tables import IGNORE, SHAPES, check, empty


class RuleOptions(Options):
    """What the rules may be told."""

    threshold: float | Literal["scheme", "otsu"] = Field(
        default="scheme", description="where burned begins: 'scheme', 'otsu' or a number"
    )
    seed: float | None = Field(default=None, description="value that one pixel of a scar must reach, default none")
    offset: float | Literal["ring"] | None = Field(
        default=None, description="dNBR of unburned ground to take off: a number, or 'ring' around the scar"
    )
    scheme: str | None = Field(default=None, description="severity scheme, default: the index's published one")
    min_burned_ha: float = Field(default=0.5, ge=0, description="smallest burn scar kept")
    min_terrain_ha: float = Field(default=0.5, ge=0, description="smallest terrain patch kept")
    min_settlement_ha: float = Field(default=1.0, ge=0, description="smallest settlement kept")


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to find shapes of one kind; an annotator with a version."""

    name: str
    version: int
    kind: Kind
    find: Callable[[View, RuleOptions], gpd.GeoDataFrame]

    @property
    def annotator(self) -> str:
        """`rule:burned@1`."""
        return f"rule:{self.name}@{self.version}"


# ---------------------------------------------------------------------- plain functions
def burned(
    before: Scene,
    after: Scene,
    *,
    index: str = "dnbr",
    severity: bool = True,
    options: RuleOptions | None = None,
    threads: int = 2,
    progress: Progress = silent,
    scheduler: Any = None,
    work: str | Path | None = None,
    **told: Any,
) -> gpd.GeoDataFrame:
    """Burn scar of a scene pair: polygons with severity (islands kept), in a metric CRS; `tables.SHAPES` and more.

    Scenes of any size are read once, block by block, in little memory; the polygons do not depend on how.

    Parameters
    ----------
    index
        dnbr, rdnbr or rbr; severity classes follow the index's published scheme, or the data where the scenes are
        uncalibrated DN (the scheme's name says so).
    severity
        Whether a scar is parted by severity; else each is one polygon without it.
    scheduler
        A `dask.distributed` client or a scheduler's address, whose workers see the same files; default: threads.
    work
        Folder that keeps what is done (two bytes a pixel), so that a killed job goes on; default: a temporary one.
        On a cluster of several machines, a folder that all of them see.
    told
        Fields of `RuleOptions` over those of `options`: `threshold`, `seed`, `offset`, `scheme`, `min_burned_ha`.
    """
    from geolabel.label.burned import whole

    how = {"threads": threads, "progress": progress, "scheduler": scheduler, "work": work}
    return whole(burned_parts(before, after, index=index, severity=severity, options=options, **how, **told))


def burned_parts(
    before: Scene,
    after: Scene,
    *,
    index: str = "dnbr",
    severity: bool = True,
    options: RuleOptions | None = None,
    threads: int = 2,
    progress: Progress = silent,
    scheduler: Any = None,
    work: str | Path | None = None,
    **told: Any,
) -> Iterator[gpd.GeoDataFrame]:
    """The table of `burned` in parts from north to south, for one that no memory would hold; the first has no rows."""
    from geolabel.label.scars.walk import How
    from geolabel.scene.align import align

    how = How(threads, progress, scheduler, None if work is None else Path(work))
    chosen = RuleOptions.read({**(options or RuleOptions()).model_dump(), **told}, where="burned")
    return _scars(align({"before": before, "after": after}), index, chosen, severity=severity, how=how)


def terrain(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Terrain classes of a scene as polygons, in a metric CRS; `tables.SHAPES` and more."""
    from geolabel.scene.align import align

    return _terrain(align({"before": scene}), options or RuleOptions())


def settlements(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Groups of built-up pixels as polygons, proposals for people; `tables.SHAPES` and more."""
    from geolabel.scene.align import align

    return _settlements(align({"before": scene}), options or RuleOptions())


# ---------------------------------------------------------------------- rules over a view
def find(name: str, view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    """Whole shapes a rule finds on a view, not cut by tiles; `tables.SHAPES` in the view's CRS.

    Raises
    ------
    ConfigError
        For a rule that does not exist.
    """
    return check(rule(name).find(view, options), SHAPES)


def rule(name: str) -> Rule:
    """The rule of a name."""
    if name not in RULES:
        raise ConfigError(f"there is no rule {name!r}", hint=nearest(name, RULES))
    return RULES[name]


def answers(
    annotator: str,
    found: gpd.GeoDataFrame,
    tasks: Sequence[Task],
    grid: Grid,
    *,
    known: NDArray[np.bool_],
    at: datetime,
) -> list[Answer]:
    """One complete answer a task from shapes of the whole view: cut to the tile, unknown ground to be ignored.

    A tile without any known pixel is skipped, one on which nothing was found is empty.
    """
    return [_answer(annotator, found, task, grid, known=known, at=at) for task in tasks]


def _answer(
    annotator: str, found: gpd.GeoDataFrame, task: Task, grid: Grid, *, known: NDArray[np.bool_], at: datetime
) -> Answer:
    tile_grid = grid.crop(task.tile)
    inside = shapes.clip(found, tile_grid)[list(SHAPES)]
    unseen = ~known[task.tile.slices]
    outcome: Outcome = "skipped" if unseen.all() else "labeled" if len(inside) else "empty"
    drawn = inside if outcome == "labeled" else empty(SHAPES, tile_grid.crs.to_wkt())
    return Answer(task.id, annotator, outcome, drawn, unknown_ground(unseen, tile_grid), at)


def promising(found: gpd.GeoDataFrame, view: View, size: int) -> list[str]:
    """Keys of the tiles of `size` pixels on which a rule found something."""
    mask = shapes.rasterise(found, view.grid) > 0
    return [tile.key for tile in view.grid.tiles(size) if mask[tile.slices].any()]


def known_ground(view: View, kind: Kind) -> NDArray[np.bool_]:
    """(y, x) where the scenes that a kind is labeled on have values: burn scars need both, the rest the one before."""
    roles = ("before", "after") if kind == "burn" else ("before",)
    return np.logical_and.reduce([np.asarray(view[role].valid) for role in roles])


def unknown_ground(unseen: NDArray[np.bool_], grid: Grid) -> gpd.GeoDataFrame:
    """`tables.IGNORE` polygons (reason nodata) of a boolean raster."""
    frame = shapes.polygonise(unseen, grid)
    frame["reason"] = "nodata"
    return frame[list(IGNORE)] if len(frame) else empty(IGNORE, grid.crs.to_wkt())


# ---------------------------------------------------------------------- what each rule does
def _burned(index: str) -> Callable[[View, RuleOptions], gpd.GeoDataFrame]:
    def found(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
        from geolabel.label.burned import whole

        return whole(_scars(view, index, options))

    return found


PUBLISHED = {"dnbr": "key-benson-dnbr", "rdnbr": "miller-thode-rdnbr", "rbr": "parks-rbr"}
"""Index -> the scheme that holds for reflectance."""


def _scars(
    view: View, index: str, options: RuleOptions, *, severity: bool = True, how: Any = None
) -> Iterator[gpd.GeoDataFrame]:
    """Burn scars of a view by one of its change indices. A number is taken off dNBR before any ratio is made of it."""
    from geolabel.label.burned import burned_parts as scars
    from geolabel.scene.change import change_reader

    ring = options.offset == "ring"
    if ring and index != "dnbr":
        raise ConfigError(f"the ring offset is a change of dNBR, not of {index}", hint="index='dnbr', or a number")
    source = change_reader(view, index, offset=0.0 if ring else float(options.offset or 0))
    parts = scars(
        source,
        view.grid,
        scheme=_scheme(view, index, options),
        threshold=options.threshold,
        seed=options.seed,
        offset="ring" if ring else None,
        min_area_m2=options.min_burned_ha * 1e4,
        severity=severity,
        how=how,
    )
    for part in parts:
        part.attrs["offset"] += source.offset
        yield part


def _scheme(view: View, index: str, options: RuleOptions) -> Any:
    """The scheme that was asked for, or the index's own; uncalibrated DN have no published breaks."""
    from geolabel.label.severity import scheme_of

    if options.scheme not in (None, "relative"):
        return scheme_of(str(options.scheme))
    return "relative" if options.scheme or view["before"].quantity == "dn" else scheme_of(PUBLISHED[index])


def change_index(view: View, index: str) -> tuple[Any, Any]:
    """(lazy (y, x) change index of before and after, its severity scheme).

    Uncalibrated DN have no published breaks: their scheme is cut from the data and says so.
    """
    from geolabel.label import severity
    from geolabel.scene import indices

    values = {"dnbr": indices.dnbr, "rdnbr": indices.rdnbr, "rbr": lambda v: indices.times_1000(indices.rbr(v))}[index](
        view
    )
    if view["before"].quantity == "dn":
        return values, severity.relative(values, name=index)
    return values, severity.scheme_of(PUBLISHED[index])


def terrain_codes(view: View) -> NDArray[np.uint8]:
    """(y, x) terrain class codes of the view's before scene, 255 nodata."""
    from geolabel.label.terrain import terrain_codes as classify

    scene = view["before"]
    return np.asarray(classify(scene.data, quantity=scene.quantity))


def _terrain(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    from geolabel.label.terrain import terrain as polygons

    return polygons(terrain_codes(view), view.grid, min_area_m2=options.min_terrain_ha * 1e4)


def _settlements(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    from geolabel.label.objects import settlements as groups

    return groups(terrain_codes(view), view.grid, min_area_m2=options.min_settlement_ha * 1e4)


RULES: Mapping[str, Rule] = {
    one.name: one
    for one in (
        Rule("burned", 1, "burn", _burned("dnbr")),
        Rule("burned-rdnbr", 1, "burn", _burned("rdnbr")),
        Rule("burned-rbr", 1, "burn", _burned("rbr")),
        Rule("terrain", 1, "terrain", _terrain),
        Rule("settlement", 1, "object", _settlements),
    )
}
