"""Masks of class codes, one cloud-optimised GeoTIFF a tile, with a colour table and the names of the classes.

Beside each mask lies one of label numbers, and `labels.json` says which label a number is and what was said of it: with
it labels come back whole, to the pixel, under their ids. A mask alone comes back as patches without a past.

Source: GDAL PAM (`.aux.xml`, CategoryNames), where GIS look for the names of values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.columns import outgoing
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.said import json_of, warn_left_out
from geolabel.dataset.formats.vector import labels_of
from geolabel.dataset.geojson import scalar
from geolabel.dataset.tiles import colours
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.files import atomic_folder, write_cog, write_json, write_text
from geolabel.grid import Grid
from geolabel.ontology import KINDS, NODATA, UNLABELED, Ontology
from geolabel.ontology.stac import to_stac
from geolabel.shapes import polygonise, to_grid_crs
from geolabel.tables import LABELS, empty

if TYPE_CHECKING:
    from geolabel.dataset.formats.registry import Writing

CARRIES = Carries(
    geometry="pixels",
    holes="pixels",
    crs="exact",
    ids="exact",
    times="exact",
    attributes="exact",
    annotator="exact",
    confidence="exact",
    note="In the CRS of the tiles, cut to them; where labels overlap only the upper one is kept, and one without a "
    "pixel's middle not at all; all but class and place stands in `labels.json` and the masks of label numbers.",
)
SCHEMA, SIDECAR = "geolabel-masks/1", "labels.json"
SNAP_PX = 1e-7
"""Corners closer than this are one, pixels."""
Numbers = NDArray[np.int32]


# ---------------------------------------------------------------------- out
def write(labels: gpd.GeoDataFrame, path: Path, writing: Writing) -> Path:
    """Path of a folder: `masks/<key>.tif` (uint8 class codes, 255 nodata), `numbers/<key>.tif` (int32), `labels.json`.

    Later ones lie on earlier ones: terrain, burns, objects; within a kind the smaller on the larger.

    Raises
    ------
    InputError
        Without tiles.
    OntologyError
        For a class that the ontology does not know.
    """
    if writing.tiles is None:
        raise InputError("masks have the pixels of tiles", hint="say of which: tiles=gl.tiles(scene, size=512)")
    ontology = writing.about.ontology
    drawn = _stacked(to_grid_crs(outgoing(labels), writing.tiles.grid), ontology)
    codes = np.array([UNLABELED, *(ontology[name].code for name in drawn["class"])], np.uint8)
    seen: set[int] = set()
    with atomic_folder(path) as folder:
        for tile in writing.tiles:
            grid = writing.tiles.grid.crop(tile)
            numbers = _numbered(drawn, grid)
            seen |= set(np.unique(numbers).tolist())
            _write_tile(folder, tile.key, numbers, codes, grid, ontology)
        grids = {tile.key: writing.tiles.grid.crop(tile).record() for tile in writing.tiles}
        write_json(folder / SIDECAR, _sidecar(drawn, grids, ontology))
    hidden = [key for n, key in enumerate(drawn["label_id"], start=1) if n not in seen]
    warn_left_out(hidden, "no pixel's middle shows them")
    return path


def _stacked(frame: gpd.GeoDataFrame, ontology: Ontology) -> gpd.GeoDataFrame:
    """The labels from the lowest to the uppermost."""
    kinds = [KINDS.index(ontology[name].kind) for name in frame["class"]]
    order = np.lexsort((frame["label_id"].to_numpy(str), -shapely.area(frame.geometry.to_numpy()), kinds))
    return frame.iloc[order].reset_index(drop=True)


def _numbered(drawn: gpd.GeoDataFrame, grid: Grid) -> Numbers:
    """(y, x) int32: the number (from 1) of the uppermost label over each pixel's middle, 0 elsewhere."""
    from rasterio.features import rasterize

    near = np.flatnonzero(drawn.intersects(shapely.box(*grid.bounds)))
    pairs = [(drawn.geometry.iloc[n], int(n) + 1) for n in near]
    if not pairs:
        return np.zeros(grid.shape, np.int32)
    return rasterize(pairs, out_shape=grid.shape, transform=grid.transform, fill=0, dtype=np.int32)


def _write_tile(folder: Path, key: str, numbers: Numbers, codes: Any, grid: Grid, ontology: Ontology) -> None:
    names = {f"CLASS_{one.code}": one.name for one in ontology}
    mask = folder / "masks" / f"{key}.tif"
    write_cog(mask, codes[numbers], grid, nodata=NODATA, colours=colours(ontology), names=("class",), tags=names)
    write_text(mask.with_name(f"{mask.name}.aux.xml"), _categories(ontology))
    write_cog(folder / "numbers" / f"{key}.tif", numbers, grid, nodata=0, names=("number",))


def _categories(ontology: Ontology) -> str:
    """GDAL's sidecar with the name of every value up to the highest code, which QGIS and gdalinfo show."""
    titles = {one.code: one.title for one in ontology}
    root = ET.Element("PAMDataset")
    names = ET.SubElement(ET.SubElement(root, "PAMRasterBand", band="1"), "CategoryNames")
    for code in range(max(titles, default=0) + 1):
        ET.SubElement(names, "Category").text = titles.get(code, "")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _sidecar(drawn: gpd.GeoDataFrame, grids: Mapping[str, Any], ontology: Ontology) -> dict[str, Any]:
    rows = drawn.drop(columns="geometry").to_dict("records")
    said = [{str(name): scalar(value) for name, value in row.items()} for row in rows]
    head = {"schema": SCHEMA, "ontology": ontology.id, "classification:classes": to_stac(ontology), "grids": grids}
    return {**head, "labels": dict(enumerate(said, start=1))}


# ---------------------------------------------------------------------- in
def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a folder that `write` made, or of a mask (or a folder of masks) of class codes of anyone.

    Codes of a foreign mask are classes as told (`classes={'7': 'water'}`), else the ontology's own; 0 and nodata are
    no label, and every 4-connected patch is a label of its own.

    Raises
    ------
    SourceError
        Where a raster is missing or cannot be read.
    CRSError
        For a mask without a CRS, where none is told.
    OntologyError
        For a code that is neither told nor the ontology's.
    """
    if (path / SIDECAR).is_file():
        return _ours(path, json_of(path / SIDECAR), told)
    files = sorted(path.rglob("*.tif")) if path.is_dir() else [path]
    if not files:
        raise SourceError(f"{path} holds no masks", hint="a .tif of class codes, or a folder of them")
    frames = [_patches(file, told) for file in files]
    found = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat([frame.to_crs(found[0].crs) for frame in found], ignore_index=True)


def _ours(folder: Path, sidecar: Mapping[str, Any], told: Told) -> gpd.GeoDataFrame:
    said = {int(number): row for number, row in sidecar["labels"].items()}
    grids = {key: Grid.recorded(values) for key, values in sidecar["grids"].items()}
    crs = next(iter(grids.values())).crs.to_wkt()
    parts = pd.concat([_traced(folder / "numbers" / f"{key}.tif", grid) for key, grid in sorted(grids.items())])
    if not len(parts):
        return empty(LABELS, crs)
    size = SNAP_PX * abs(next(iter(grids.values())).transform.a)
    groups = parts.groupby("code", sort=True).geometry.agg(list)
    shapes = [own[0] if len(own) == 1 else shapely.union_all(own, grid_size=size) for own in groups]
    rows = pd.DataFrame([said[int(number)] for number in groups.index])
    return labels_of(gpd.GeoDataFrame(rows, geometry=shapes, crs=crs), told, path=folder)


def _traced(path: Path, grid: Grid) -> gpd.GeoDataFrame:
    numbers, _, _ = _raster(path)
    return polygonise(numbers, grid)


def _raster(path: Path) -> tuple[NDArray[Any], Grid | None, float | None]:
    """(first band, grid, nodata); no grid without a CRS."""
    import rasterio

    try:
        with rasterio.open(path) as file:
            band, crs = file.read(1), file.crs
            grid = Grid.of(crs.to_wkt(), file.transform, file.shape) if crs else None
            return band, grid, file.nodata
    except rasterio.errors.RasterioIOError as error:
        raise SourceError(f"cannot read {path}: {error}", hint="is the folder complete?") from None


def _patches(path: Path, told: Told) -> gpd.GeoDataFrame:
    """Labels of one foreign mask."""
    codes, grid, nodata = _raster(path)
    if grid is None:
        raise CRSError(f"{path.name} has no CRS", hint="gdal_edit.py -a_srs EPSG:... says where its pixels lie")
    if codes.dtype.kind not in "iub":
        raise InputError(f"{path.name} holds {codes.dtype}, not class codes", hint="a mask of whole numbers")
    own = codes.astype(np.int32)
    own[own == (UNLABELED if nodata is None else nodata)] = UNLABELED
    traced = polygonise(own, grid)
    names = {one.code: one.name for one in told.ontology}
    named = [told.classes.get(str(code), names.get(code, str(code))) for code in traced["code"]]
    rows = {"class": [str(code) if name is None else name for name, code in zip(named, traced["code"], strict=True)]}
    rows["label_id"] = [f"{path.stem}/{n}" for n in range(1, len(traced) + 1)]
    if not len(traced):
        return empty(LABELS, traced.crs)
    return labels_of(gpd.GeoDataFrame(rows, geometry=traced.geometry, crs=traced.crs), told, path=path)
