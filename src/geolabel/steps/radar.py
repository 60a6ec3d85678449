"""What radar sees, by rule: burn scars and open water of scenes (plain functions), and over a view of a project."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.steps.burns import cleanup_of, how_of
from geolabel.steps.rule import Rule, RuleOptions
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.label.scars.walk import How


# ---------------------------------------------------------------------- plain functions
def burned_radar(
    before: Scene | Sequence[Scene],
    after: Scene | Sequence[Scene],
    *,
    options: RuleOptions | None = None,
    threads: int = 2,
    progress: Progress = silent,
    scheduler: Any = None,
    work: str | Path | None = None,
    **told: Any,
) -> gpd.GeoDataFrame:
    """Burn scar of radar scenes before and after, one or several dates each: polygons without severity, `tables.SHAPES`.

    What is mapped is the drop in dB of the ratio VH / VV (or of one of them), after a mean over the dates in linear power
    and a speckle filter; `drop_db_mean` says how large it is. Fields, floods and felling show the same: `confidence` is
    at most 0.6 (`label.radar.MOST_SURE`), and people or an optical scene should look.

    Parameters
    ----------
    told
        Fields of `RuleOptions` over those of `options`: `radar_index`, `radar_threshold`, `looks`, `seed`, `offset`,
        `cleanup`, `min_burned_ha`; numbers in dB.

    Raises
    ------
    UnitError
        For scenes that do not say whether they are dB or linear.
    """
    from geolabel.label.burned import whole
    from geolabel.scene.align import align
    from geolabel.scene.backscatter import smoothed

    how, chosen = how_of(threads, progress, scheduler, work), RuleOptions.over(options, told)
    roles = ("before", "after")
    scenes = [smoothed(dates, looks=chosen.looks) for dates in (before, after)]
    return whole(_drops(align(dict(zip(roles, scenes, strict=True))), roles, chosen, how=how))


def water_radar(
    scenes: Scene | Sequence[Scene], *, options: RuleOptions | None = None, **told: Any
) -> gpd.GeoDataFrame:
    """Open water of a radar scene, or of several dates of one place, as polygons in a metric CRS; `tables.SHAPES` and more.

    VV and VH are looked at together, speckle filtered; where the darkest ground is not much darker than the rest nothing
    is water. Shadow, asphalt and dry sand are as dark: `confidence` is at most 0.8.

    Parameters
    ----------
    told
        Fields of `RuleOptions` over those of `options`: `water_db`, `looks`, `min_terrain_ha`.

    Raises
    ------
    UnitError
        For scenes that do not say whether they are dB or linear.
    """
    from geolabel.scene.align import align
    from geolabel.scene.backscatter import smoothed

    chosen = RuleOptions.over(options, told)
    return _water(align({"radar": smoothed(scenes, looks=chosen.looks)}), "radar", chosen)


# ---------------------------------------------------------------------- rules over a view
def radar_roles(view: View) -> tuple[str, str]:
    """Roles of the radar scenes of a view: its own ones, or `before` and `after` where they are radar."""
    own = ("radar_before", "radar_after")
    return own if any(role in view for role in own) else ("before", "after")


def _burned_radar(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    """Burn scars of the radar scenes of a view, speckle filtered on its grid."""
    from geolabel.label.burned import whole
    from geolabel.scene.backscatter import smoothed

    roles = radar_roles(view)
    scenes = {role: smoothed(view[role], looks=options.looks) for role in roles}
    return whole(_drops(dataclasses.replace(view, scenes={**view.scenes, **scenes}), roles, options))


def _drops(
    view: View, roles: tuple[str, str], options: RuleOptions, *, how: How | None = None
) -> Iterator[gpd.GeoDataFrame]:
    """Burn scars of a view by the drop of backscatter, in dB."""
    from geolabel.label.radar import burned_radar_parts
    from geolabel.scene.backscatter import drop_reader

    source = drop_reader(view, options.radar_index, before=roles[0], after=roles[1])
    what = {
        "threshold": options.radar_threshold,
        "seed": options.seed,
        "offset": "auto" if options.offset is None else options.offset,
        "cleanup": cleanup_of(options),
        "min_area_m2": options.min_burned_ha * 1e4,
    }
    return burned_radar_parts(source, view.grid, name=options.radar_index, how=how, **what)


def water_role(view: View) -> tuple[str]:
    """Role of the scene of a view in which radar sees water."""
    return (next((role for role in ("radar", "radar_before") if role in view), "before"),)


def _water_radar(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    from geolabel.scene.backscatter import smoothed

    (role,) = water_role(view)
    filtered = {role: smoothed(view[role], looks=options.looks)}
    return _water(dataclasses.replace(view, scenes={**view.scenes, **filtered}), role, options)


def _water(view: View, role: str, options: RuleOptions) -> gpd.GeoDataFrame:
    """Open water of a filtered radar scene of a view."""
    from geolabel.label.water_radar import water_radar as polygons
    from geolabel.scene.backscatter import mean_level

    least = options.min_terrain_ha * 1e4
    return polygons(mean_level(view[role]), view.grid, threshold=options.water_db, min_area_m2=least)


RADAR_RULES = (
    Rule("burned-radar", 1, "burn", _burned_radar, radar_roles),
    Rule("water-radar", 1, "terrain", _water_radar, water_role, partial=True),
)
