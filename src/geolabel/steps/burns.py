"""Burn scars by rule: of two scenes, of an index (plain functions), and over a view of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geolabel.errors import ConfigError, nearest
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import When
from geolabel.nouns.view import View
from geolabel.steps.rule import Rule, RuleOptions
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.label.scars.walk import How
    from geolabel.label.severity import SeverityScheme, Units

PUBLISHED = {"dnbr": "key-benson-dnbr", "rdnbr": "miller-thode-rdnbr", "rbr": "parks-rbr"}
"""Index -> the scheme that holds for reflectance."""


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

    Scenes of any size are read once, block by block, in little memory; the polygons do not depend on how. What was
    decided of the whole image (`offset`, `threshold`, `breaks`, `units`) is in the table's `attrs`.

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
        Fields of `RuleOptions` over those of `options`: `threshold`, `seed`, `offset`, `scheme`, `breaks`, `cleanup`,
        `min_burned_ha`.
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
    from geolabel.scene.align import align

    how, chosen = how_of(threads, progress, scheduler, work), RuleOptions.over(options, told)
    return _scars(align({"before": before, "after": after}), index, chosen, severity=severity, how=how)


def burned_index(
    raster: str | Path | Scene | Any,
    *,
    index: str = "dnbr",
    units: Units | None = None,
    at: When | tuple[When, When] | None = None,
    severity: bool = True,
    options: RuleOptions | None = None,
    threads: int = 2,
    progress: Progress = silent,
    scheduler: Any = None,
    work: str | Path | None = None,
    **told: Any,
) -> gpd.GeoDataFrame:
    """Burn scar of an index that is already there: polygons as `burned` gives them, of any size in one stream.

    On a metric square grid pixels stay as they are; on another each new pixel takes the nearest value, for an index is
    a ratio of which no mean may be taken. Thresholds, breaks, offset and `dnbr_mean` are in the raster's own units.

    Parameters
    ----------
    raster
        A file with one band, a Scene, or an xarray.DataArray with a CRS.
    index
        What it holds: dnbr, rdnbr or rbr.
    units
        `x1` or `x1000`. Default: what its values show.
    at
        When it holds; nothing is computed from it.
    severity, scheduler, work, told
        As in `burned`. The default offset is the ring's for dNBR: 0 where it was taken off before.

    Raises
    ------
    UnitError
        Where its values do not show its units, or contradict them.
    """
    from geolabel.label.burned import burned_parts as scars
    from geolabel.label.burned import whole
    from geolabel.scene.given import given_index, index_reader
    from geolabel.steps.view import UNKNOWN_SPAN

    how, chosen = how_of(threads, progress, scheduler, work), RuleOptions.over(options, told)
    _published(index)
    view = given_index(raster, index, at=at or UNKNOWN_SPAN)
    source = index_reader(view, index, _units(view, index, units))
    what = _definition(index, source.units, chosen)
    offset = chosen.offset if isinstance(chosen.offset, float) else _auto(chosen, index)
    return whole(scars(source, view.grid, severity=severity, how=how, offset=offset, **what))


def _units(view: View, index: str, said: Units | None) -> Units:
    """Units of a given index, said or shown; said ones are held against what the values show."""
    from geolabel.label.severity import check_units, shown_units
    from geolabel.scene.given import some_values

    values = some_values(view, index)
    if said is None:
        return shown_units(values, index) if values.size else "x1"
    check_units(None, values, _published(index).in_units(said))
    return said


def how_of(threads: int, progress: Progress, scheduler: Any, work: str | Path | None) -> How:
    """How the walk over an image is done, from what a plain function was told."""
    from geolabel.label.scars.walk import How

    return How(threads, progress, scheduler, None if work is None else Path(work))


# ---------------------------------------------------------------------- what the options ask for
def _definition(index: str, units: Units, options: RuleOptions, *, uncalibrated: bool = False) -> dict[str, Any]:
    """Fields of `scars.definition.Definition` for a change index, but for its offset."""
    from geolabel.label.severity import check_numbers

    check_numbers([options.threshold, options.seed, *(options.breaks or ())], units)
    return {
        "scheme": _scheme(index, units, options, uncalibrated=uncalibrated),
        "per_fire": options.scheme == "per-fire",
        "threshold": options.threshold,
        "seed": options.seed,
        "cleanup": cleanup_of(options),
        "min_area_m2": options.min_burned_ha * 1e4,
    }


def _scheme(index: str, units: Units, options: RuleOptions, *, uncalibrated: bool) -> Any:
    """The scheme that was asked for, or the index's own; uncalibrated DN have no published breaks."""
    from geolabel.label.severity import per_fire, scheme_of

    usual = _published(index)
    if options.breaks is not None:
        if options.scheme is not None:
            raise ConfigError(
                f"both breaks {options.breaks} and the scheme {options.scheme!r}", hint="give one of them"
            )
        return per_fire(index, units, options.breaks, options.citation or "")
    if options.scheme == "relative" or (options.scheme is None and uncalibrated):
        return "relative"
    scheme = usual if options.scheme in (None, "per-fire") else scheme_of(str(options.scheme))
    if scheme.index != index:
        raise ConfigError(f"the scheme {scheme.name!r} parts {scheme.index}, not {index}", hint=f"{usual.name!r} does")
    return scheme.in_units(units)


def _published(index: str) -> SeverityScheme:
    """The scheme that holds for reflectance.

    Raises
    ------
    ConfigError
        For an unknown index.
    """
    from geolabel.label.severity import scheme_of

    if index not in PUBLISHED:
        raise ConfigError(f"unknown change index {index!r}", hint=nearest(index, PUBLISHED))
    return scheme_of(PUBLISHED[index])


def cleanup_of(options: RuleOptions) -> str | None:
    """The clean-up as `scars.definition.Definition` calls it."""
    return None if options.cleanup == "none" else options.cleanup


def _auto(options: RuleOptions, index: str) -> Any:
    """Offset that is measured: the ring's is one of dNBR, and of backscatter."""
    ring = options.offset == "ring"
    if ring and index in ("rdnbr", "rbr"):
        raise ConfigError(f"the ring offset is a change of dNBR, not of {index}", hint="index='dnbr', or a number")
    if ring:
        return "ring"
    return "auto" if options.offset is None and index not in ("rdnbr", "rbr") else None


# ---------------------------------------------------------------------- rules over a view
def _burned(index: str) -> Callable[[View, RuleOptions], gpd.GeoDataFrame]:
    def found(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
        from geolabel.label.burned import whole

        return whole(_scars(view, index, options))

    return found


def _scars(
    view: View, index: str, options: RuleOptions, *, severity: bool = True, how: How | None = None
) -> Iterator[gpd.GeoDataFrame]:
    """Burn scars of a view by one of its change indices. A number is taken off dNBR before any ratio is made of it."""
    from geolabel.label.burned import burned_parts as scars
    from geolabel.scene.change import change_reader

    number = 0.0 if options.offset in (None, "ring") else float(options.offset)
    source = change_reader(view, index, offset=number)
    what = _definition(index, source.units, options, uncalibrated=view["before"].quantity == "dn")
    for part in scars(source, view.grid, severity=severity, how=how, offset=_auto(options, index), **what):
        part.attrs["offset"] += number
        yield part


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
    Rule("burned", 2, "burn", _burned("dnbr")),
    Rule("burned-rdnbr", 1, "burn", _burned("rdnbr")),
    Rule("burned-rbr", 1, "burn", _burned("rbr")),
)
"""`burned@2` takes the change of unburned ground off wherever it was seen; `burned@1` did only where it was told to."""
