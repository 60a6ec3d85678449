"""A folder of LANDFIRE rasters to the landscape a fire runs over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from geolabel.errors import InputError, SourceError

if TYPE_CHECKING:
    from geolabel.fire.landfire import Terrain
    from geolabel.fire.landscape import Landscape
    from geolabel.scene.reading import Header

NAMES: Mapping[str, tuple[str, ...]] = {
    "dem": ("dem", "elev", "elevation"),
    "fuel": ("f40", "fbfm40", "fbfm", "f13", "fbfm13"),
    "cc": ("cc",),
    "ch": ("ch",),
    "cbh": ("cbh",),
    "cbd": ("cbd",),
}
"""Layer -> words of file names, the first that is there: `LC22_F40_230.tif`, `fbfm40.tif`."""
MUST, CANOPY = ("dem", "fuel"), ("cc", "ch", "cbh", "cbd")
NODATA = (-9999, 32767)
"""No data of LANDFIRE's files, whether they declare it or not."""

Values = NDArray[np.float32]


def landfire(source: str | Path | Mapping[str, str | Path], *, units: Mapping[str, str] | None = None) -> Landscape:
    """Landscape of LANDFIRE's rasters: fuel, heights, canopy; slope and aspect are derived from the heights (Horn 1981).

    Parameters
    ----------
    source
        A folder, in which layers are known by words of their file names (`dem` or `elev`, `fbfm40` or `f40`, `cc`, `ch`, `cbh`,
        `cbd`), or a mapping from those layers, plus `slope` (degrees) and `aspect`, to files. A slope or aspect given by name is held
        against the heights, refused where it disagrees, and not used else: nothing is lost.
    units
        Of canopy layers, where their numbers could be two: one of `fire.landfire.UNITS`.

    Raises
    ------
    SourceError
        No heights or no fuel among the files, a file that cannot be read.
    InputError
        Files on different grids.
    CRSError
        A grid in degrees.
    FireError
        Fuel numbers that do not exist, canopy in other units, a given slope or aspect that disagrees with the heights.
    """
    from geolabel.fire.landfire import check_aspect, check_slope, landscape_of
    from geolabel.scene.reading import read_header

    files = (
        {name: Path(path) for name, path in source.items()} if isinstance(source, Mapping) else files_in(Path(source))
    )
    _check_files(files, source)
    headers = {name: read_header(path) for name, path in files.items()}
    grid = headers["dem"].grid
    for name, header in headers.items():
        if header.grid != grid:
            raise InputError(
                f"{header.name} lies on {header.grid!r}, {headers['dem'].name} on {grid!r}",
                hint=f"gdalwarp the layer {name} to the grid of the heights, nearest neighbour for classes",
            )
    layers = {name: values_of(header) for name, header in headers.items()}
    terrain = terrain_of(files["dem"], headers["dem"])
    if "slope" in layers:
        check_slope(layers["slope"], terrain, headers["slope"].name)
    if "aspect" in layers:
        check_aspect(layers["aspect"], terrain, headers["aspect"].name)
    canopy: dict[str, Any] = {name: layers[name] for name in CANOPY if name in layers}
    return landscape_of(grid, terrain, layers["fuel"], canopy, units)


def files_in(folder: Path) -> dict[str, Path]:
    """Layer -> file of a folder, by words of the file names.

    Raises
    ------
    SourceError
        Where it is no folder.
    """
    if not folder.is_dir():
        raise SourceError(f"no folder {folder}", hint="a folder of LANDFIRE's GeoTIFFs")
    named = {
        word: path
        for path in sorted(folder.iterdir(), reverse=True)
        if path.suffix.lower() in (".tif", ".tiff")
        for word in re.split(r"[\W_]+", path.stem.lower())
    }
    found = {layer: next((named[word] for word in names if word in named), None) for layer, names in NAMES.items()}
    return {layer: path for layer, path in found.items() if path is not None}


def _check_files(files: Mapping[str, Path], source: object) -> None:
    unknown = sorted(set(files) - {*NAMES, "slope", "aspect"})
    if unknown:
        raise SourceError(f"unknown layers {unknown}", hint=f"{', '.join(NAMES)}, slope, aspect")
    lost = [name for name in MUST if name not in files]
    if lost:
        words = "; ".join(f"{name}: a file named {' or '.join(NAMES[name])}" for name in lost)
        raise SourceError(f"no {' and no '.join(lost)} in {source}", hint=words)


def values_of(header: Header) -> Values:
    """(y, x) float32 numbers of a file's first band as they lie in it, NaN for no data."""
    from geolabel.scene.reading import read_window

    height, width = header.grid.shape
    (raw,) = read_window(header.path, [1], Window(0, 0, width, height))
    nodata = [*NODATA, *([] if header.nodata is None else [header.nodata])]
    return np.where(np.isin(raw, nodata), np.float32(np.nan), raw.astype(np.float32))


def terrain_of(path: Path, header: Header) -> Terrain:
    """Heights of a DEM, and slope and aspect by Horn on its own grid; the outermost ring of cells has none."""
    from geolabel.fire.landfire import Terrain
    from geolabel.scene.dem import open_dem
    from geolabel.scene.terrain import slope_aspect

    dem = open_dem(path, header.grid)
    shape = slope_aspect(dem).compute()
    return Terrain(
        np.asarray(dem.band("elevation"), np.float32),
        np.asarray(shape["slope_deg"], np.float32),
        np.asarray(shape["aspect_deg"], np.float32),
    )
