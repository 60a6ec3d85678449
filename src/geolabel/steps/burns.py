"""Burn scars by rule: of two scenes (plain functions), and over a view of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd

from geolabel.errors import ConfigError
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.steps.rule import Rule, RuleOptions
from geolabel.stream import Progress, silent


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


# ---------------------------------------------------------------------- rules over a view
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


BURN_RULES = (
    Rule("burned", 1, "burn", _burned("dnbr")),
    Rule("burned-rdnbr", 1, "burn", _burned("rdnbr")),
    Rule("burned-rbr", 1, "burn", _burned("rbr")),
)
