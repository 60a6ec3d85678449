"""Terrain and objects by rule: of one scene (plain functions), and over a view of a project."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.steps.rule import Rule, RuleOptions


# ---------------------------------------------------------------------- plain functions
def terrain(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Terrain classes of a scene as polygons, in a metric CRS; `tables.SHAPES` and more."""
    from geolabel.scene.align import align

    return _terrain(align({"before": scene}), options or RuleOptions())


def settlements(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Groups of built-up pixels as polygons, proposals for people; `tables.SHAPES` and more."""
    from geolabel.scene.align import align

    return _settlements(align({"before": scene}), options or RuleOptions())


# ---------------------------------------------------------------------- rules over a view
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


COVER_RULES = (
    Rule("terrain", 1, "terrain", _terrain),
    Rule("settlement", 1, "object", _settlements),
)
