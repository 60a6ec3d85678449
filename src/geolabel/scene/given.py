"""An index that somebody else computed, as a scene and as a source to be walked; its numbers are left as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, CRSError, InputError
from geolabel.grid import Grid
from geolabel.nouns.scene import Reader, Scene
from geolabel.nouns.times import When, iso, span
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.open import open_scene

ROLE = "index"
LOOK_PX = 512
"""Edge of the windows that are looked at for the units."""
LOOKS = 5
"""Windows along either side."""


def given_index(raster: str | Path | Scene | Any, name: str, *, at: When | tuple[When, When]) -> View:
    """View with one scene, role `index`, of an index raster on a metric grid, lazy; its only band is called `name`.

    A raster on another grid gives each pixel its nearest value: an index is a ratio, of which no mean may be taken.

    Parameters
    ----------
    raster
        A file (one band), a Scene, or an xarray.DataArray with a CRS; NaN and its own nodata value are no data.
    at
        When it holds, of a file or an array; a Scene says it.

    Raises
    ------
    BandError
        For a scene with several bands of which none has that name.
    CRSError
        For an array without a CRS.
    """
    scene = _opened(raster, name, at)
    return align({ROLE: scene}, id=name, resampling={name: "nearest"})


def _opened(raster: Any, name: str, at: When | tuple[When, When]) -> Scene:
    if isinstance(raster, Scene):
        return _one_band(raster, name)
    if isinstance(raster, str | Path):
        return open_scene(raster, at=at, bands=[name])
    return _of_array(raster, name, at)


def _one_band(scene: Scene, name: str) -> Scene:
    if name in scene.bands:
        return scene
    if len(scene.bands) > 1:
        raise BandError(f"scene {scene.id!r} has the bands {', '.join(scene.bands)}", hint=f"name one of them {name!r}")
    return _of_array(scene.band(scene.bands[0]), name, (iso(scene.start), iso(scene.end)))


def _of_array(array: Any, name: str, at: When | tuple[When, When]) -> Scene:
    if not hasattr(array, "rio"):
        raise InputError(
            f"a {type(array).__name__} does not say where its pixels lie",
            hint="give a file, a Scene, or an xarray.DataArray with a CRS; arrays go to geolabel.label.burned.burned",
        )
    if array.rio.crs is None:
        raise CRSError(f"the array {array.name!r} has no CRS", hint="array.rio.write_crs('EPSG:32611')")
    flat = _flat(array)
    values = flat.astype("float32").chunk(LOOK_PX)
    if (nodata := array.rio.nodata) is not None and not np.isnan(nodata):
        values = values.where(flat != nodata)
    start, end = (iso(one) for one in span(at))
    values.attrs = {}  # scale and nodata of what it was stored as: applied by now
    about = {"quantity": "dn", "start": start, "end": end, "scene": name}
    scene: Scene = values.rename(name).to_dataset().assign_attrs(about).geolabel.scene()
    return scene


def _flat(array: Any) -> Any:
    """The array as (y, x): other dims of one step are dropped, latitude and longitude are called so."""
    names = {"latitude": "y", "longitude": "x", "lat": "y", "lon": "x"}
    plain = array.rename({dim: names[dim] for dim in array.dims if dim in names})
    plain = plain.squeeze([dim for dim in plain.dims if plain.sizes[dim] == 1 and dim not in ("y", "x")], drop=True)
    if set(plain.dims) != {"y", "x"}:
        raise InputError(
            f"an array of {dict(array.sizes)} is no raster of one band",
            hint="dims y and x: array.rename(...), array.sel(band=1)",
        )
    return plain.transpose("y", "x")


@dataclass(frozen=True, slots=True)
class IndexReader:
    """A given index by window; picklable, safe from several threads at once."""

    name: str
    """What it is an index of: `dnbr`, `rdnbr`, `rbr`."""
    source: Scene | Reader
    shape: tuple[int, int]
    block: tuple[int, int]
    digest: str
    units: Literal["x1", "x1000", "dB"]
    offset: float = 0.0
    """Nothing was taken off before."""

    def read(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) float32 of a window, NaN = no data."""
        return self.source.read((self.name,), rows, cols)[0]


def index_reader(view: View, name: str, units: Literal["x1", "x1000", "dB"]) -> IndexReader:
    """Reader of a given index, in the units that it was given in; no pixel is read."""
    scene, grid = view[ROLE], view.grid
    made_of = digest("index", name, units, grid.digest, scene.digest)
    return IndexReader(name, scene.reader or scene, grid.shape, scene.block, made_of, units)


def some_values(view: View, name: str) -> NDArray[np.float32]:
    """(n,) known values of windows spread evenly over a given index; of all of it where those know none."""
    scene, grid = view[ROLE], view.grid
    starts = [_spread(size) for size in grid.shape]
    for windows in ([(row, col) for row in starts[0] for col in starts[1]], _all(grid)):
        parts = [_known(scene, name, row, col) for row, col in windows]
        if sum(part.size for part in parts):
            return np.concatenate(parts)
    return np.empty(0, np.float32)


def _spread(size: int) -> list[int]:
    last = max(size - LOOK_PX, 0)
    return sorted({round(last * i / (LOOKS - 1)) for i in range(LOOKS)})


def _all(grid: Grid) -> list[tuple[int, int]]:
    return [(row, col) for row in range(0, grid.height, LOOK_PX) for col in range(0, grid.width, LOOK_PX)]


def _known(scene: Scene, name: str, row: int, col: int) -> NDArray[np.float32]:
    rows, cols = (slice(at, min(at + LOOK_PX, size)) for at, size in zip((row, col), scene.grid.shape, strict=True))
    values = scene.read((name,), rows, cols)[0]
    return values[np.isfinite(values)]
