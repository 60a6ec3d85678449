"""geolabel turns satellite scenes into labels that can be trusted, and labels into wildfire risk maps.

Two ways in: plain functions on plain objects (`gl.open_scene`, `gl.burned`, `gl.tiles`, `gl.export`), and a
`gl.Project` as soon as there is a second annotator, a model or a product that must be explained later.

Names are imported when they are first used (PEP 562), so `import geolabel` takes no heavy library with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    # words
    "Grid": "grid",
    "Tile": "grid",
    "Tiling": "grid",
    "LonLat": "grid",
    "GeolabelError": "errors",
    "Ontology": "ontology",
    "Migration": "ontology",
    "Instructions": "ontology",
    "WILDFIRE": "ontology",
    # nouns
    "Scene": "nouns.scene",
    "View": "nouns.view",
    "Answer": "nouns.answer",
    "Consensus": "nouns.consensus",
    "Batch": "nouns.batch",
    "Acceptance": "nouns.batch",
    "Rate": "nouns.batch",
    "RiskMap": "nouns.risk",
    # plain functions
    "open_scene": "scene.open",
    "open_dem": "scene.open",
    "items": "scene.items",
    "search": "scene.items",
    "align": "scene.align",
    "index": "scene.indices",
    "slope_aspect": "scene.terrain",
    "hillshade": "scene.terrain",
    "tpi": "scene.terrain",
    "twi": "scene.flow",
    "save_zarr": "scene.products.zarr",
    "burned": "steps.burns",
    "burned_parts": "steps.burns",
    "burned_index": "steps.burns",
    "burned_radar": "steps.radar",
    "water_radar": "steps.radar",
    "terrain": "steps.cover",
    "settlements": "steps.cover",
    "classifier": "steps.cover",
    "classify": "steps.cover",
    "water": "steps.cover",
    "landform": "steps.cover",
    "segments": "steps.cover",
    "tiles": "steps.exports",
    "walk_tiles": "dataset.chips",
    "random_chips": "dataset.shuffle",
    "write_chips": "dataset.chip_store",
    "open_chips": "dataset.chip_store",
    "Cache": "dataset.cache",
    "export": "dataset.export",
    "read_labels": "steps.imports",
    "zonal": "scene.zonal",
    "agree_items": "quality.items.agree",
    "accuracy": "quality.survey.area",
    "design": "quality.survey.design",
    "landfire": "steps.landfire",
    "behave": "steps.behave",
    "spread": "steps.fires",
    "isochrones": "fire.front.isochrones",
    "burn_probability": "steps.fires",
    "regional_map": "steps.fires",
    "read_weather": "fire.weather.read",
    "read_samples": "fire.weather.samples",
    "read_windninja": "fire.weather.windninja",
    "calibrate": "fire.calibrate.fit",
    "calibrate_on": "steps.calibrate",
    "Perimeter": "fire.calibrate.likelihood",
    "draw": "view.draw",
    "field_map": "view.field",
    "sample": "gallery",
    # the project
    "Project": "project",
}

__all__ = [  # noqa: PLE0604 - the names above
    "__version__",
    *_HOME,
]

if TYPE_CHECKING:
    from geolabel.dataset.cache import Cache
    from geolabel.dataset.chip_store import open_chips, write_chips
    from geolabel.dataset.chips import walk_tiles
    from geolabel.dataset.export import export
    from geolabel.dataset.shuffle import random_chips
    from geolabel.errors import GeolabelError
    from geolabel.fire.calibrate.fit import calibrate
    from geolabel.fire.calibrate.likelihood import Perimeter
    from geolabel.fire.front.isochrones import isochrones
    from geolabel.fire.weather.read import read_weather
    from geolabel.fire.weather.samples import read_samples
    from geolabel.fire.weather.windninja import read_windninja
    from geolabel.gallery import sample
    from geolabel.grid import Grid, LonLat, Tile, Tiling
    from geolabel.nouns.answer import Answer
    from geolabel.nouns.batch import Acceptance, Batch, Rate
    from geolabel.nouns.consensus import Consensus
    from geolabel.nouns.risk import RiskMap
    from geolabel.nouns.scene import Scene
    from geolabel.nouns.view import View
    from geolabel.ontology import WILDFIRE, Instructions, Migration, Ontology
    from geolabel.project import Project
    from geolabel.quality.items.agree import agree_items
    from geolabel.quality.survey.area import accuracy
    from geolabel.quality.survey.design import design
    from geolabel.scene.align import align
    from geolabel.scene.flow import twi
    from geolabel.scene.indices import index
    from geolabel.scene.items import items, search
    from geolabel.scene.open import open_dem, open_scene
    from geolabel.scene.products.zarr import save_zarr
    from geolabel.scene.terrain import hillshade, slope_aspect, tpi
    from geolabel.scene.zonal import zonal
    from geolabel.steps.behave import behave
    from geolabel.steps.burns import burned, burned_index, burned_parts
    from geolabel.steps.calibrate import calibrate_on
    from geolabel.steps.cover import classifier, classify, landform, segments, settlements, terrain, water
    from geolabel.steps.exports import tiles
    from geolabel.steps.fires import burn_probability, regional_map, spread
    from geolabel.steps.imports import read_labels
    from geolabel.steps.landfire import landfire
    from geolabel.steps.radar import burned_radar, water_radar
    from geolabel.view.draw import draw
    from geolabel.view.field import field_map


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'geolabel' has no attribute {name!r}")
    value = getattr(import_module(f"geolabel.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
