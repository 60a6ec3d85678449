"""Terrain, water, landforms and objects by rule: of one scene (plain functions), and over a view of a project.

A rule's answer is complete for its task. `water` knows water only, so the rest of the ground is left open in its answers
(`Rule.partial`). Landforms are no land cover and segments are no labels: both are plain functions, not rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.errors import BandError
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.steps.rule import Rule, RuleOptions
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.label.classify import Classifier
    from geolabel.label.segments import Way
    from geolabel.label.water import Threshold

WATER_INDICES = ("awei_sh", "mndwi", "ndwi")
"""The first that a scene allows finds water: on a hand-made label of Sentinel-2 in this order of the best IoU."""
TPI_PX = 10
"""Radius of the topographic position that a classifier reads, in pixels."""


# ---------------------------------------------------------------------- plain functions
def terrain(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Terrain classes of a scene as polygons, in a metric CRS; `tables.SHAPES` and more."""
    return _terrain(_view(scene), options or RuleOptions())


def settlements(scene: Scene, *, options: RuleOptions | None = None) -> gpd.GeoDataFrame:
    """Groups of built-up pixels as polygons, proposals for people; `tables.SHAPES` and more."""
    return _settlements(_view(scene), options or RuleOptions())


def classifier(
    scene: Scene,
    polygons: gpd.GeoDataFrame,
    *,
    dem: Scene | str | Path | None = None,
    column: str = "class",
    seed: int = 0,
    progress: Progress = silent,
) -> Classifier:
    """Pixel classifier learned from labeled polygons, with its report on polygons held out; see `classify`."""
    return _learned(_view(scene, dem), polygons, column=column, seed=seed, progress=progress)


def classify(
    scene: Scene,
    polygons: gpd.GeoDataFrame,
    *,
    dem: Scene | str | Path | None = None,
    column: str = "class",
    min_area_ha: float = 0.5,
    seed: int = 0,
    progress: Progress = silent,
) -> gpd.GeoDataFrame:
    """Terrain of a scene learned from a few labeled polygons, as polygons in a metric CRS; `tables.SHAPES` and more.

    Bands, ratios, texture and, with a DEM, the shape of the ground are read; the model is the one of several that names
    polygons best which it has not seen. `attrs["report"]` says how well: leave-one-polygon-out accuracy, confusion,
    candidates. `confidence` is the mean probability of the class over a polygon's pixels. Classes are named as in
    `column`; the same seed gives the same polygons, however the scene is cut.

    Raises
    ------
    InputError
        Where polygons lie off the scene or have no class, or no class has two polygons apart from one another.
    """
    learned = learned_rule(polygons, column=column, seed=seed, progress=progress)
    return learned.find(_view(scene, dem), RuleOptions(min_terrain_ha=min_area_ha))


def water(
    scene: Scene,
    *,
    index: str | None = None,
    threshold: Threshold = 0.0,
    seed: float | None = None,
    dem: Scene | str | Path | None = None,
    max_slope_deg: float = 10.0,
    min_area_ha: float = 0.1,
) -> gpd.GeoDataFrame:
    """Open water of a scene as polygons, in a metric CRS; `tables.SHAPES`, `area_m2` and `index_mean`.

    Parameters
    ----------
    index
        `awei_sh` (needs reflectance), `mndwi` or `ndwi`. Default: the first of them that the scene allows.
    threshold
        Of the index: a number or `otsu`, which parts any scene in two, also one without water.
    seed
        Value that one pixel of each water body must reach, default none.
    dem
        Heights, whose slopes above `max_slope_deg` are taken for shadow.

    Raises
    ------
    BandError
        Where the scene has the bands of no water index.
    """
    guard = {"seed": seed, "max_slope_deg": max_slope_deg, "min_area_m2": min_area_ha * 1e4}
    return _open_water(_view(scene, dem), index, threshold, **guard)


def landform(
    dem: Scene, *, search_m: float = 300.0, flat_deg: float = 1.0, min_area_ha: float = 1.0
) -> gpd.GeoDataFrame:
    """Landforms of a DEM (ridge, valley, slope ...) as polygons, in a metric CRS; `tables.SHAPES` and `area_m2`.

    Classes are those of `label.landform.LANDFORM`, geomorphons within `search_m`.

    Raises
    ------
    UnitError
        Where the scene holds no heights in metres.
    """
    from geolabel.label.landform import landform as polygons
    from geolabel.label.landform import landform_codes
    from geolabel.scene.terrain import heights_of

    codes = landform_codes(heights_of(dem), dem.grid, search_m=search_m, flat_deg=flat_deg)
    return polygons(codes, dem.grid, min_area_m2=min_area_ha * 1e4)


def segments(
    scene: Scene,
    *,
    size_m: float,
    way: Way = "edges",
    bands: tuple[str, ...] | None = None,
    class_name: str = "building",
    least_compact: float = 0.4,
) -> gpd.GeoDataFrame:
    """Segments of a fine scene as proposals of objects, in a metric CRS; `tables.SHAPES` and more; see `label.segments`.

    They are for people to take or leave; most are no object. Crowns are grown on the green excess where the scene has
    blue, green and red, else on its first band.
    """
    from geolabel.label.segments import segments as proposals

    view = _view(scene)
    data = view["before"].data[list(bands or scene.bands)].compute()
    layers = dict(data.data_vars)
    if way == "crowns" and bands is None and {"blue", "green", "red"} <= layers.keys():
        layers = {"green_excess": 2 * layers["green"] - layers["red"] - layers["blue"], **layers}
    return proposals(layers, view.grid, size_m=size_m, way=way, class_name=class_name, least_compact=least_compact)


def _view(scene: Scene, dem: Scene | str | Path | None = None) -> View:
    """The scene, and the DEM where there is one, on one metric grid."""
    from geolabel.scene.align import align
    from geolabel.scene.dem import open_dem

    view = align({"before": scene})
    if dem is None:
        return view
    heights = dem if isinstance(dem, Scene) else open_dem(dem, view.grid)
    return align({"before": view["before"], "dem": heights}, grid=view.grid)


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


def _water(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
    return _open_water(view, None, 0.0, min_area_m2=options.min_terrain_ha * 1e4)


def _open_water(view: View, index: str | None, threshold: Threshold, **guard: Any) -> gpd.GeoDataFrame:
    from geolabel.label.water import water as polygons
    from geolabel.scene.indices import index as index_of
    from geolabel.scene.terrain import slope_aspect

    scene = view["before"]
    name = index or _water_index(scene)
    slope = slope_aspect(view["dem"])["slope_deg"] if "dem" in view else None
    table = polygons(index_of(scene, name), view.grid, threshold=threshold, slope_deg=slope, **guard)
    table.attrs["index"] = name
    return table


def _water_index(scene: Scene) -> str:
    from geolabel.scene.indices import INDICES

    calibrated = scene.quantity.endswith("reflectance")
    for name in WATER_INDICES:
        if set(INDICES[name].bands) <= set(scene.bands) and (calibrated or not INDICES[name].needs_reflectance):
            return name
    raise BandError(f"scene {scene.id!r} has the bands of no water index", hint="green and nir08, or green and swir16")


def learned_rule(
    polygons: gpd.GeoDataFrame, *, column: str = "class", seed: int = 0, progress: Progress = silent
) -> Rule:
    """The rule `terrain-learned@1`: terrain of a view, learned from these polygons (people's answers, say)."""

    def found(view: View, options: RuleOptions) -> gpd.GeoDataFrame:
        from geolabel.label.classify import cover

        learned = _learned(view, polygons, column=column, seed=seed, progress=progress)
        predicted = learned.predict(view["before"].data, _ground(view))
        table = cover(predicted, learned.classes, view.grid, min_area_m2=options.min_terrain_ha * 1e4)
        table.attrs["report"] = learned.report.record()
        return table

    return Rule("terrain-learned", 1, "terrain", found)


def _learned(
    view: View, polygons: gpd.GeoDataFrame, *, column: str, seed: int, progress: Progress = silent
) -> Classifier:
    from geolabel.label.classify import Classifier

    bands = view["before"].data
    return Classifier.fit(bands, polygons, view.grid, ground=_ground(view), column=column, seed=seed, progress=progress)


def _ground(view: View) -> Any:
    """Dataset of the layers of the ground, None without a DEM."""
    if "dem" not in view:
        return None
    from geolabel.scene.terrain import slope_aspect, tpi

    dem = view["dem"]
    return slope_aspect(dem).assign(elevation=dem.band("elevation"), tpi=tpi(dem, TPI_PX * view.grid.res_m))


COVER_RULES = (
    Rule("terrain", 1, "terrain", _terrain),
    Rule("settlement", 1, "object", _settlements),
    Rule("water", 1, "terrain", _water, partial=True),
)
