"""Terrain, water and object proposals on real scenes with known truth; used by tests and evidence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geolabel as gl
from geolabel.label.classify import Classifier
from geolabel.label.water import water_mask
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.indices import index
from geolabel.shapes import rasterise
from geolabel.steps import cover

AMAZON = (
    "coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09", "swir16",
    "swir22",
)  # fmt: skip
SPAIN = (*AMAZON[:10], "cirrus", *AMAZON[10:])


# ---------------------------------------------------------------------- terrain
def amazon(folder: Path) -> tuple[Scene, gpd.GeoDataFrame, Scene]:
    """(Sentinel-2 scene, training polygons, DEM) of `terrain-amazon-s2`; the date is not known, the year is."""
    scene = gl.open_scene(folder / "sen2.tif", sensor="reflectance", at=("2017-01-01", "2019-12-31"), bands=AMAZON)
    dem = gl.open_scene(folder / "srtm_sen2.tif", sensor="generic", at="2000-02-11", bands=("elevation",))
    return scene, gpd.read_file(folder / "training_polygons.geojson"), dataclasses.replace(dem, quantity="elevation_m")


def learned(folder: Path, *, dem: bool = False, **how: Any) -> Classifier:
    """Classifier of the Amazon polygons."""
    scene, polygons, heights = amazon(folder)
    return cover.classifier(scene, polygons, dem=heights if dem else None, **how)


# ---------------------------------------------------------------------- water
def spain(folder: Path) -> View:
    """`before`: Sentinel-2 L1C as reflectance at the top of the atmosphere; `label`: hand-made water, -1 unknown."""
    stem = "Spain_7370579"
    dn = gl.open_scene(folder / f"{stem}_S2Hand.tif", sensor="generic", at="2018-09-18", bands=SPAIN)
    toa = dataclasses.replace(dn, data=dn.data / 10_000, quantity="toa_reflectance", reader=None)
    how = {"sensor": "generic", "at": "2018-09-18", "bands": ("water",), "quantity": "classes"}
    return gl.align({"before": toa, "label": gl.open_scene(folder / f"{stem}_LabelHand.tif", **how)})


def iou(found: Any, truth: Any, where: Any) -> float:
    """Overlap of two masks over part of the ground."""
    return float((found & truth & where).sum() / ((found | truth) & where).sum())


def truth_of(view: View) -> tuple[Any, Any]:
    """(water, known) of the hand-made label."""
    label = view["label"].band("water").values
    return label == 1, np.isfinite(label) & (label >= 0)


def told(view: View, name: str | None, threshold: Any) -> float:
    """IoU of the polygons of `water` told an index and a threshold that do not come from the label."""
    truth, known = truth_of(view)
    return iou(rasterise(cover.water(view["before"], index=name, threshold=threshold), view.grid) > 0, truth, known)


def halves(view: View, names: tuple[str, ...]) -> tuple[float, list[float]]:
    """(IoU of masks whose threshold was fitted on the other half, west and east together; one by half)."""
    truth, known = truth_of(view)
    west = np.broadcast_to(np.arange(view.grid.width) < view.grid.width // 2, view.grid.shape)
    values = {name: index(view["before"], name).values for name in names}
    found, each = np.zeros(view.grid.shape, bool), []
    for taught in (west, ~west):
        name, cut = _fitted(values, truth, known & taught)
        mask = water_mask(values[name], threshold=cut)
        found |= mask & ~taught
        each.append(iou(mask, truth, known & ~taught))
    return iou(found, truth, known), each


def _fitted(values: dict[str, Any], truth: Any, where: Any) -> tuple[str, float]:
    tried = [
        (iou(one >= cut, truth, where), name, float(cut))
        for name, one in values.items()
        for cut in np.nanquantile(one[where], np.linspace(0.01, 0.99, 197))
    ]
    return max(tried)[1:]


# ---------------------------------------------------------------------- objects
def buildings(folder: Path) -> tuple[Scene, gpd.GeoDataFrame]:
    """(0.5 m panchromatic scene, building polygons)."""
    scene = gl.open_scene(folder / "sample_geotiff.tif", sensor="generic", at="2015-01-01", bands=("pan",))
    return scene, gpd.read_file(folder / "geotiff_labels.geojson")


def trees(folder: Path) -> tuple[Scene, gpd.GeoDataFrame]:
    """(0.1 m aerial scene, boxes of tree crowns)."""
    scene = gl.open_scene(folder / "OSBS_029.tif", sensor="generic", at="2018-01-01", bands=("red", "green", "blue"))
    rows = pd.read_csv(folder / "OSBS_029.csv")
    first = [scene.grid.transform * point for point in zip(rows.xmin, rows.ymin, strict=True)]
    last = [scene.grid.transform * point for point in zip(rows.xmax, rows.ymax, strict=True)]
    boxes = [shapely.box(*a, *b).normalize() for a, b in zip(first, last, strict=True)]
    return scene, gpd.GeoDataFrame(geometry=boxes, crs=scene.grid.crs.proj)


def best_iou(found: gpd.GeoDataFrame, truth: gpd.GeoDataFrame, *, boxes: bool = False) -> Any:
    """(n,) IoU of the best proposal of each true object; `boxes`: of the boxes around them."""
    shapes = (shapely.envelope(found.geometry.values) if boxes else found.geometry.values).copy()
    index_of, best = shapely.STRtree(shapes), np.zeros(len(truth))
    for i, one in enumerate(truth.geometry):
        near = shapes[index_of.query(one)]
        if len(near):
            common = shapely.area(shapely.intersection(near, one))
            best[i] = (common / (shapely.area(near) + one.area - common)).max()
    return best


def squares(scene: Scene, size_m: float, step: float = 1.0) -> gpd.GeoDataFrame:
    """Baseline: squares of the size looked for, `step` of it apart, over the whole scene."""
    xmin, ymin, xmax, ymax = scene.grid.bounds
    xs, ys = np.arange(xmin, xmax - size_m / 2, size_m * step), np.arange(ymin, ymax - size_m / 2, size_m * step)
    boxes = [shapely.box(x, y, x + size_m, y + size_m) for y in ys for x in xs]
    return gpd.GeoDataFrame(geometry=boxes, crs=scene.grid.crs.proj)
