"""Labeled tiles: one GeoJSON file and one mask a tile, an index, the individual answers, and the schema they keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.dataset.about import About
from geolabel.dataset.answers import answer_features
from geolabel.dataset.drawn import Drawn
from geolabel.dataset.features import SCHEMA, ignore_features, label_features, sealed, tile_feature, tile_id
from geolabel.dataset.geojson import Feature, text
from geolabel.dataset.judged import Judged
from geolabel.digests import digest, digest_shapes
from geolabel.errors import InputError
from geolabel.files import write_cog, write_text
from geolabel.grid import Grid, Tile
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.ontology import NODATA, UNLABELED, Ontology
from geolabel.shapes import rasterise
from geolabel.stream import Journal, Progress, silent, walk

SCHEMA_FILE = "geolabel-tile-1.schema.json"
JOURNAL = ".journal"
OURS = re.compile(r"\d+_\d+\.(geojson|tif)")
PLAIN: dict[str, Any] = {"suffix": "", "annotator": None, "supersedes": None, "answer_digest": None}


@dataclass(frozen=True, slots=True, eq=False)
class _Export:
    """One export, as all its tiles see it."""

    folder: Path
    view_id: str
    grid: Grid
    drawn: Drawn
    judged: Judged
    about: About
    source: str
    clipped: bool

    def write(self, tile: Tile) -> Feature:
        """Tile feature of a tile, once its mask and its file are on disk."""
        features, mask = self.tile(tile)
        write_cog(
            self.folder / mask_href(tile),
            mask,
            self.grid.crop(tile),
            nodata=NODATA,
            colours=colours(self.about.ontology),
        )
        write_text(self.folder / href(tile), text(features))
        return features[0]

    def tile(self, tile: Tile) -> tuple[list[Feature], NDArray[np.uint8]]:
        """(tile, label and ignore features, (y, x) mask of class codes) of one tile."""
        core, key = self.grid.crop(tile), tile_id(self.view_id, self.grid, tile)
        shapes, left_out = self.drawn.on(key, core, clipped=self.clipped), self.judged.ignored(key, core.crs.to_wkt())
        labels = label_features(shapes, self.grid, self.about, self._common(key))
        facts = self.judged.facts(key, labeled=bool(labels))
        head = tile_feature(self.view_id, self.grid, tile, self.about, facts)
        ignored = ignore_features(left_out, self.grid, key)
        return sealed([head, *labels, *ignored]), mask_of([*labels, *ignored], core)

    def _common(self, key: str) -> dict[str, Any]:
        kinds = {one.kind for one in self.about.ontology}
        methods = self.judged.methods(key) or dict.fromkeys(kinds, self.about.method)
        head = {"tile_id": key, "source": self.source, "methods": methods, "labeled_at": self.judged.last_at(key)}
        return {**PLAIN, **head, "clipped": self.clipped, "n_votes": None}


def export_tiles(
    folder: Path | str,
    *,
    view_id: str,
    grid: Grid,
    tiles: Iterable[Tile],
    shapes: gpd.GeoDataFrame | None = None,
    consensuses: Mapping[str, Consensus] | Iterable[Consensus] = (),
    answers: Iterable[Answer] = (),
    about: About | None = None,
    clipped: bool = True,
    progress: Progress = silent,
) -> Path:
    """Path of the folder of labeled tiles (`geolabel-tile/1`): `{row}_{col}.geojson`, masks, index, answers, schema.

    Equal input gives equal bytes. A killed export is taken up where it was; files of tiles that are no longer exported
    are removed.

    Parameters
    ----------
    shapes
        `tables.SHAPES` (or AGREED) over the whole view. Without it the consensuses' own shapes are written.
    consensuses
        By task id, or in any order: status, agreement, method and ground to ignore of each tile; a tile without one
        among others that have one was not judged (outcome `skipped`).
    answers
        Individual answers, for the counts and `answers.geojson`; people appear under pseudonyms.
    clipped
        Whether polygons are cut to their tile, or whole in every tile they reach into.

    Raises
    ------
    InputError
        Without tiles, or where the folder holds files that are no export.
    OntologyError
        For a class that the ontology does not know.
    SourceError
        On a full disk and the like; what was written stays and is taken up by the next run.
    """
    folder, about, answers, tiles = Path(folder), about or About(), list(answers), sorted(set(tiles))
    agreed = list(consensuses.values() if isinstance(consensuses, Mapping) else consensuses)
    if not tiles:
        raise InputError("no tiles to export", hint="gl.tiles(scene, size=512)")
    _check_folder(folder)
    judged = Judged.of(agreed, answers)
    drawn = Drawn.of_consensuses(judged.consensuses, grid) if shapes is None else Drawn.of_frame(shapes, grid)
    source = "consensus" if agreed else about.source
    export = _Export(folder, view_id, grid, drawn, judged, about, source, clipped)
    job = _job(export, tiles, shapes, agreed, answers)
    heads = _write_tiles(export, tiles, Journal(folder / JOURNAL, job), progress)
    _write_rest(export, tiles, heads)
    return folder


def href(tile: Tile) -> str:
    """Name of a tile's file in the folder."""
    return f"{tile.key}.geojson"


def mask_href(tile: Tile) -> str:
    """Path of a tile's mask in the folder."""
    return f"masks/{tile.key}.tif"


def mask_of(features: Sequence[Feature], grid: Grid) -> NDArray[np.uint8]:
    """(y, x) uint8: class code of the last label over each pixel's centre, 255 on ignored ground, 0 elsewhere."""
    shown = gpd.GeoDataFrame.from_features(
        [{**one, "properties": {}} for one in features], columns=["geometry"], crs="EPSG:4326"
    )
    codes = [one["properties"].get("class_code", NODATA) for one in features]
    return rasterise(shown, grid, np.array(codes, np.uint8), fill=UNLABELED)


def colours(ontology: Ontology) -> dict[int, tuple[int, int, int, int]]:
    """Colour table of a mask: the ontology's colours, nothing and nodata transparent."""
    table = {one.code: (*(int(one.colour[i : i + 2], 16) for i in (1, 3, 5)), 255) for one in ontology}
    return {UNLABELED: (0, 0, 0, 0), **table, NODATA: (0, 0, 0, 0)}  # type: ignore[dict-item]


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a labeled tile's file, of the index and of the answers."""
    return json.loads(_schema_text())


def _schema_text() -> str:
    return (resources("geolabel.dataset") / SCHEMA_FILE).read_text(encoding="utf-8")


# ---------------------------------------------------------------------- the folder
def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", hint="name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / JOURNAL).is_file():
        names = ", ".join(sorted(path.name for path in folder.iterdir())[:3])
        raise InputError(f"{folder} holds other files ({names})", hint="name a new or empty folder")


def _job(
    export: _Export,
    tiles: Sequence[Tile],
    shapes: gpd.GeoDataFrame | None,
    agreed: Sequence[Consensus],
    answers: Sequence[Answer],
) -> str:
    """Digest of all that the files depend on."""
    cut = [[tile.row, tile.col, tile.height, tile.width, tile.margin] for tile in tiles]
    drawn = None if shapes is None else digest_shapes(shapes)
    made_of = [sorted(one.digest for one in items) for items in (agreed, answers)]
    head = [SCHEMA, export.view_id, export.grid.digest, export.clipped, export.about.digest]
    return digest(head, cut, drawn, made_of)


def _write_tiles(export: _Export, tiles: Sequence[Tile], journal: Journal, progress: Progress) -> dict[str, Feature]:
    """Tile key -> tile feature; tiles that the journal knows are read back."""
    there = {tile.key for tile in tiles if all((export.folder / n).is_file() for n in (href(tile), mask_href(tile)))}
    done = journal.done & there
    left = [tile for tile in tiles if tile.key not in done]
    heads = {tile.key: _head(export.folder / href(tile)) for tile in tiles if tile.key in done}
    written = walk(left, partial(_Export.write, export), what="labeled tiles", threads=1, progress=progress)
    for tile, head in zip(left, written, strict=True):
        journal.finish(tile.key)
        heads[tile.key] = head
    return heads


def _head(path: Path) -> Feature:
    return json.loads(path.read_text(encoding="utf-8"))["features"][0]


def _write_rest(export: _Export, tiles: Sequence[Tile], heads: Mapping[str, Feature]) -> None:
    about = export.about
    listed = []
    for tile in tiles:
        links = {
            "href": href(tile),
            "mask_href": mask_href(tile),
            "before_href": about.before_href,
            "after_href": about.after_href,
        }
        head = heads[tile.key]
        listed.append({**head, "properties": {**head["properties"], **links}})
    keep = {name for tile in tiles for name in (href(tile), mask_href(tile))}
    for path in [*export.folder.glob("*.geojson"), *(export.folder / "masks").glob("*.tif")]:
        if OURS.fullmatch(path.name) and path.relative_to(export.folder).as_posix() not in keep:
            path.unlink()
    found = [one for tile in tiles for one in answer_features(export.judged, export.view_id, export.grid, tile, about)]
    write_text(export.folder / "answers.geojson", text(found))
    write_text(export.folder / SCHEMA_FILE, _schema_text())
    write_text(export.folder / "index.geojson", text(listed))
