"""Small rasters and scenes for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import rasterio
from affine import Affine

from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span
from geolabel.scene.frame import dataset

LANDSAT = ("blue", "green", "red", "nir08", "swir16", "swir22")


def metric_grid(
    height: int = 8, width: int = 9, res_m: float = 30.0, x: float = 400_000.0, y: float = 3_800_000.0
) -> Grid:
    return Grid.of("EPSG:32611", Affine(res_m, 0, x, 0, -res_m, y), (height, width))


def write_raster(
    path: Path,
    values: Any,
    *,
    crs: str | None = "EPSG:32611",
    transform: Affine | None = None,
    names: Sequence[str] = (),
    tags: dict[str, str] | None = None,
    units: str = "",
    **profile: Any,
) -> Path:
    values = np.atleast_3d(values) if np.ndim(values) == 3 else np.asarray(values)[None]
    transform = transform or metric_grid().transform
    settings = {"count": len(values), "height": values.shape[1], "width": values.shape[2], "dtype": values.dtype}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **settings, **profile) as file:
        file.write(values)
        for i, name in enumerate(names, start=1):
            file.set_band_description(i, name)
        if units:
            file.units = (units,) * len(values)
        if tags:
            file.update_tags(**tags)
    return path


def scene_of(
    bands: dict[str, Any],
    grid: Grid | None = None,
    *,
    quantity: Any = "reflectance",
    chunks: Any = -1,
    name: str = "scene",
) -> Scene:
    arrays = {name: np.atleast_2d(np.asarray(value, np.float32)) for name, value in bands.items()}
    shape = next(iter(arrays.values())).shape
    grid = grid or metric_grid(*shape)
    lazy = {name: da.from_array(np.broadcast_to(value, grid.shape), chunks=chunks) for name, value in arrays.items()}
    start, end = span("2020-06-01")
    return Scene(name, start, end, grid, dataset(lazy, grid), "test", quantity, (f"{name}.tif",), f"digest-of-{name}")
