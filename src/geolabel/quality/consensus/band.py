"""Where the boundary of a consensus may lie: the ground on which the annotators' probability is neither low nor high."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import QualityError
from geolabel.nouns.consensus import Consensus
from geolabel.quality.distance import outline
from geolabel.quality.patches import EIGHT, Patches
from geolabel.shapes import area_m2, polygonise, rasterise

Mask = NDArray[np.bool_]
COLUMNS = ["label_id", "class", "width_m", "area_m2", "geometry"]


def boundary_band(consensus: Consensus, *, low: float = 0.1, high: float = 0.9) -> gpd.GeoDataFrame:
    """The uncertain ground of each agreed shape: `label_id, class, width_m, area_m2, geometry`, in the grid's CRS.

    A pixel is uncertain where the probability of the class lies between `low` and `high`, both excluded; it belongs to the
    shape that is nearest among those it is joined to through uncertain ground. `width_m` is the mean over the shape's
    outline of the way across the band, from the ground that is certainly outside to that which is certainly inside (0 where
    nothing is uncertain; to the shape's middle where none of it is certain). Uncertain ground that no shape touches has
    rows without `label_id` and width. Geometries may be empty where a shape has no uncertain ground.

    Raises
    ------
    QualityError
        Unless 0 <= low < 0.5 < high <= 1.
    """
    if not 0 <= low < 0.5 < high <= 1:
        raise QualityError(f"a band between {low} and {high}", hint="0 <= low < 0.5 < high <= 1")
    rows = [
        row
        for name, chance in zip(consensus.classes, consensus.probability, strict=True)
        for row in _of_class(consensus, name, np.asarray(chance, float), low, high)
    ]
    frame = gpd.GeoDataFrame(rows, columns=COLUMNS, geometry="geometry", crs=consensus.grid.crs.to_wkt())
    return frame.assign(area_m2=np.round(area_m2(frame), 1) if len(frame) else frame["area_m2"].astype(float))


def _of_class(
    consensus: Consensus, name: str, chance: NDArray[np.float64], low: float, high: float
) -> Iterator[dict[str, Any]]:
    grid = consensus.grid
    own = consensus.shapes[consensus.shapes["class"] == name]
    shapes = np.zeros(grid.shape, np.int32)
    for number in range(1, len(own) + 1):
        shapes[rasterise(own.iloc[number - 1 : number], grid) > 0] = number
    unsure = (chance > low) & (chance < high)
    belongs = _belongs(unsure, shapes)
    widths = _widths_px(shapes, chance <= low, chance >= high)
    for number, label in enumerate(own["label_id"], start=1):
        yield _row(label, name, widths[number] * grid.res_m, _ground(belongs == number, grid))
    for ground in polygonise(unsure & (belongs == 0), grid).geometry:
        yield _row(None, name, float("nan"), ground)


def _row(label: str | None, name: str, width_m: float, ground: Any) -> dict[str, Any]:
    return {"label_id": label, "class": name, "width_m": width_m, "area_m2": float("nan"), "geometry": ground}


def _ground(mask: Mask, grid: Any) -> Any:
    return shapely.union_all(polygonise(mask, grid).geometry.to_numpy()) if mask.any() else shapely.MultiPolygon()


def _belongs(unsure: Mask, shapes: Patches) -> Patches:
    """(y, x) number of the shape that each uncertain pixel belongs to; 0 where it touches none, and on other ground."""
    if not shapes.any():
        return np.zeros_like(shapes)
    joined, _ = ndimage.label(unsure | (shapes > 0), EIGHT)
    touched = np.zeros(joined.max() + 1, bool)
    touched[np.unique(joined[shapes > 0])] = True
    nearest = ndimage.distance_transform_edt(shapes == 0, return_distances=False, return_indices=True)
    return np.where(unsure & touched[joined], shapes[tuple(nearest)], 0)


def _widths_px(shapes: Patches, outside: Mask, inside: Mask) -> NDArray[np.float64]:
    """(1 + shape,) mean over each shape's outline of the pixels across its band; NaN without an outline in the tile.

    Beside certain ground on both sides an outline pixel is 1 from outside and 0 from inside, and the band has no pixel.
    """
    width = np.full(shapes.max() + 1, np.nan)
    away = _distance(outside)
    for number, box in enumerate(ndimage.find_objects(shapes), start=1):
        if box is None:
            continue
        own = np.pad(shapes[box] == number, 1)
        edge = (outline(shapes == number))[box]
        core = own[1:-1, 1:-1] & inside[box]
        depth = _distance(core) if core.any() else _to_middle(own)[1:-1, 1:-1]
        across = away[box][edge] + depth[edge] - 1
        if edge.any() and np.isfinite(across).any():
            width[number] = max(float(across[np.isfinite(across)].mean()), 0.0)
    return width


def _distance(to: Mask) -> NDArray[np.float64]:
    """(y, x) pixels to the nearest of these; infinite without any."""
    return np.asarray(ndimage.distance_transform_edt(~to)) if to.any() else np.full(to.shape, np.inf)


def _to_middle(own: Mask) -> NDArray[np.float64]:
    """(y, x) pixels that are left of the way from the outline to the deepest place of a shape none of which is certain."""
    deep = np.asarray(ndimage.distance_transform_edt(own))
    return deep.max() - deep
