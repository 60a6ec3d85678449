"""Labels of a project that a classifier taught with the labels elsewhere does not believe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geolabel import files
from geolabel.errors import ConfigError, QualityError
from geolabel.grid import Grid
from geolabel.ontology import NODATA
from geolabel.quality.doubt.suspects import NOTHING
from geolabel.quality.doubt.suspects import suspects as ranked

if TYPE_CHECKING:
    from geolabel.quality.doubt.suspects import Suspects
    from geolabel.steps.unseen import Codes, Floats, Unseen


def suspects(found: Unseen, grid: Grid, *, min_area_m2: float) -> Suspects:
    """The agreed patches of each class, ranked by how much the classifier doubts them, and what nobody labeled."""
    table, judged = _patches(found.codes, found.classes, grid), found.codes != NODATA
    return ranked(table, found.probability, found.classes, grid, judged=judged, min_area_m2=min_area_m2)


def write(table: gpd.GeoDataFrame, path: Path) -> Path:
    """Path of the GeoPackage that holds the suspects with their shapes.

    Raises
    ------
    ConfigError
        For another suffix.
    """
    if path.suffix != ".gpkg":
        raise ConfigError(f"suspects as {path.suffix or 'a file without a suffix'}", hint=f"{path.stem}.gpkg")
    with files.atomic(path) as tmp:
        table.to_file(tmp, driver="GPKG", layer="suspects")
    return path


def believed(found: Unseen, probability: Any, classes: Sequence[str], grid: Grid) -> Unseen:
    """The same labels beside the probabilities of somebody's own model, which must not have seen them.

    Parameters
    ----------
    probability
        (class, y, x) on the view's grid, 0-1, NaN where the model says nothing.
    classes
        Names of its first axis, `nothing` for unlabeled ground; all that are labeled.

    Raises
    ------
    QualityError
        Where it does not lie on the grid, or lacks a class that is labeled.
    """
    from geolabel.steps.unseen import Unseen

    lost = [name for name in found.classes if name not in classes and name != NOTHING]
    if lost:
        raise QualityError(f"the model says nothing of {', '.join(lost)}", hint=f"it has {', '.join(classes)}")
    if tuple(np.shape(probability)) != (len(classes), *grid.shape):
        raise QualityError(f"probabilities of {np.shape(probability)} for {len(classes)} classes on {grid!r}")
    given = np.asarray(probability, np.float32)
    ordered: Floats = np.stack([_of(given, name, classes) for name in found.classes])
    return Unseen(found.classes, ordered, found.codes, found.features)


def _of(given: Floats, name: str, classes: Sequence[str]) -> Floats:
    if name in classes:
        return np.asarray(given[list(classes).index(name)])
    return np.where(np.isfinite(given).all(0), np.float32(0), np.float32("nan"))


def _patches(codes: Codes, classes: Sequence[str], grid: Grid) -> gpd.GeoDataFrame:
    """`tables.SHAPES` of the patches of every class."""
    from geolabel.label.patches import shapes_of

    known = codes != NODATA
    return shapes_of(np.where(known, codes, 0).astype(np.uint8), grid, known, name=lambda code: classes[code])[0]
