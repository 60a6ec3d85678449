"""Individual answers as features: each begins with a tile feature of its own, so that an empty answer is seen."""

from __future__ import annotations

from typing import Any

import geopandas as gpd

from geolabel.dataset.about import About, pseudonym
from geolabel.dataset.features import ignore_features, label_features, tile_feature, tile_id
from geolabel.dataset.geojson import Feature
from geolabel.dataset.judged import Judged
from geolabel.grid import Grid, Tile
from geolabel.nouns.answer import Answer
from geolabel.nouns.times import iso
from geolabel.shapes import to_grid_crs


def answer_features(judged: Judged, view_id: str, grid: Grid, tile: Tile, about: About) -> list[Feature]:
    """Features of all answers to one tile, by task, annotator and uuid; people appear under pseudonyms.

    The tile feature of an answer holds its outcome, `annotator`, `answer_digest`, `active_s` and `supersedes` besides.
    """
    key = tile_id(view_id, grid, tile)
    return [one for answer in judged.answers.get(key, []) for one in _features(answer, view_id, grid, tile, about)]


def _features(answer: Answer, view_id: str, grid: Grid, tile: Tile, about: About) -> list[Feature]:
    key, suffix = tile_id(view_id, grid, tile), f":{answer.uuid}"
    annotator = pseudonym(answer.annotator, about.project)
    own = {"annotator": annotator, "answer_digest": answer.digest, "supersedes": answer.supersedes}
    facts = {"outcome": answer.outcome, "status": None, "n_answers": 1, "n_annotators": 1, "agreement": None}
    head = tile_feature(view_id, grid, tile, about, facts)
    more = {
        **own,
        "kind": answer.task_id.rpartition("#")[2],
        "labeled_at": iso(answer.at),
        "active_s": float(answer.active_s),
    }
    head = {**head, "id": key + suffix, "properties": {**head["properties"], **more}}
    common: dict[str, Any] = {
        **own,
        "tile_id": key,
        "suffix": suffix,
        "source": "answer",
        "methods": {},
        "labeled_at": answer.at,
        "n_votes": 1,
        "clipped": False,
    }
    return [
        head,
        *label_features(_in(answer.shapes, grid), grid, about, common),
        *ignore_features(_in(answer.ignore, grid), grid, key, suffix),
    ]


def _in(frame: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    return to_grid_crs(frame, grid) if len(frame) else frame
