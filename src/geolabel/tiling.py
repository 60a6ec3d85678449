"""Tiling: tiles on one grid, with names that last, filters, and footprints for a map or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geolabel.boxes import Piece, plan, unit
from geolabel.errors import CRSError, InputError, SourceError

if TYPE_CHECKING:
    from geolabel.grid import Grid, Tile

DENSE = 128
"""Pieces in which the longer side of an area is cut, so that its edges may curve when it is reprojected."""


@dataclass(frozen=True)
class Tiling:
    """Tiles on one grid: iterates over its tiles; `footprints()` shows them on a map."""

    grid: Grid
    tiles: tuple[Tile, ...]
    names: tuple[str, ...] | None = None
    """`z/x/y` of the tiles of a tile matrix set, whatever the scene; None for tiles that only this grid knows."""
    valid: tuple[float, ...] | None = None
    """Share of each tile's pixels that have a value, 0-1, where that was counted."""

    def __post_init__(self) -> None:
        for what, values in (("names", self.names), ("valid shares", self.valid)):
            if values is not None and len(values) != len(self.tiles):
                raise InputError(f"{len(values)} {what} for {len(self.tiles)} tiles")

    def __iter__(self) -> Iterator[Tile]:
        return iter(self.tiles)

    def __len__(self) -> int:
        return len(self.tiles)

    @property
    def ids(self) -> tuple[str, ...]:
        """Names that last: `z/x/y` in a tile matrix set, else `{grid digest}/{row}_{col}`."""
        return self.names or tuple(f"{self.grid.digest}/{tile.key}" for tile in self.tiles)

    # ------------------------------------------------------------------ filters
    def _kept(self, keep: Sequence[bool]) -> Tiling:
        def pick(values: Sequence[Any] | None) -> Any:
            return None if values is None else tuple(v for v, kept in zip(values, keep, strict=True) if kept)

        return replace(self, tiles=pick(self.tiles), names=pick(self.names), valid=pick(self.valid))

    def counted(self, scene: Any, *, bands: Sequence[str] | None = None, threads: int = 2) -> Tiling:
        """The same tiles with the share of their pixels (margins aside) that have a value in every one of `bands`.

        The scene is read once, block by block, and nothing of it is kept.

        Parameters
        ----------
        scene
            A `Scene` on this grid.
        bands
            Default: all. One band is enough where a mask or a common nodata area decides, and decodes less.

        Raises
        ------
        InputError
            For a scene on another grid.
        """
        if scene.grid.digest != self.grid.digest:
            raise InputError(f"tiles on {self.grid!r} cannot be counted on a scene on {scene.grid!r}")
        names = tuple(scene.bands if bands is None else bands)
        size = unit(self.grid.shape, scene.block)
        work = plan([tile.slices for tile in self.tiles], self.grid.shape, size)
        total = np.zeros(len(self.tiles), np.int64)

        def count(block: tuple[int, int]) -> list[tuple[int, int]]:
            rows, cols = (slice(at, min(at + n, end)) for at, n, end in zip(block, size, self.grid.shape, strict=True))
            return _counts(np.isfinite(scene.read(names, rows, cols)).all(axis=0), work[block])

        with ThreadPoolExecutor(max(1, threads)) as pool:
            for found in pool.map(count, work):
                for i, n in found:
                    total[i] += n
        shares = (int(n) / (tile.height * tile.width) for n, tile in zip(total, self.tiles, strict=True))
        return replace(self, valid=tuple(shares))

    def where(
        self, *, valid_share: float, scene: Any = None, bands: Sequence[str] | None = None, threads: int = 2
    ) -> Tiling:
        """The tiles of which at least `valid_share` (0-1) of the pixels have a value; see `counted`.

        Raises
        ------
        InputError
            Where the shares are neither known nor a scene is given to count them on.
        """
        if not 0 <= valid_share <= 1:
            raise InputError(f"valid_share {valid_share} is no share", hint="0-1, e.g. 0.5")
        if scene is None and self.valid is None:
            raise InputError("nothing is known of these tiles' pixels", hint="give scene=, the scene to count them on")
        known = self if scene is None else self.counted(scene, bands=bands, threads=threads)
        return known._kept([share >= valid_share for share in known.valid or ()])

    def intersecting(self, area: Any, *, crs: Any = None) -> Tiling:
        """The tiles (margins aside) that have ground in common with an area of interest.

        Parameters
        ----------
        area
            GeoDataFrame, GeoSeries or a shapely geometry; its edges stay where they are when it is reprojected.
        crs
            Of a geometry, which does not know its own.

        Raises
        ------
        CRSError
            Where it is not said in which CRS the area is, or the tiles' CRS does not reach it.
        """
        import shapely

        ground = on_plane(area, crs, self.grid.crs.to_wkt())
        shapely.prepare(ground)
        boxes = np.array(self._boxes(), object)
        near = shapely.intersects(ground, boxes)
        if shapely.get_dimensions(ground) == 2:
            near[near] = shapely.area(shapely.intersection(ground, boxes[near])) > 0
        return self._kept([bool(kept) for kept in near])

    # ------------------------------------------------------------------ on a map and in a file
    def _boxes(self) -> list[Any]:
        import shapely

        return [shapely.box(*self.grid.crop(tile).bounds) for tile in self.tiles]

    def footprints(self) -> Any:
        """GeoDataFrame of the tiles' cores in the grid's CRS: `id, tile, row, col, height, width`, geometry.

        `valid_share` stands there too where it was counted.
        """
        import geopandas as gpd

        columns: dict[str, Any] = {"id": list(self.ids), "tile": [t.key for t in self.tiles]}
        columns |= {name: [getattr(t, name) for t in self.tiles] for name in ("row", "col", "height", "width")}
        columns |= {} if self.valid is None else {"valid_share": list(self.valid)}
        return gpd.GeoDataFrame(columns, geometry=self._boxes(), crs=self.grid.crs.to_wkt())

    def save(self, path: Path | str) -> Path:
        """Path of a GeoParquet file of the footprints, whole or absent.

        Raises
        ------
        SourceError
            Where it cannot be written.
        """
        path = Path(path)
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.footprints().to_parquet(part)
            part.replace(path)
        except OSError as error:
            raise SourceError(
                f"cannot write {path}: {error.strerror or error}", hint="check folder and disk"
            ) from error
        finally:
            with suppress(OSError):
                part.unlink()
        return path

    def _repr_html_(self) -> str:
        return f"<p>{len(self.tiles)} tiles on {self.grid!r}</p>"


def _counts(valid: np.ndarray[Any, Any], pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    return [(piece.window, int(np.count_nonzero(valid[piece.at]))) for piece in pieces]


def on_plane(area: Any, crs: Any, target: str) -> Any:
    """One geometry in the CRS `target`, of a geometry in `crs` or a frame in its own; edges are cut in many pieces."""
    import geopandas as gpd
    import shapely

    known = getattr(area, "crs", None) if crs is None else crs
    if known is None:
        raise CRSError("an area of interest without a CRS", hint="crs='EPSG:4326' for longitude and latitude")
    series = area.geometry if hasattr(area, "geometry") else gpd.GeoSeries([area])
    shapes = gpd.GeoSeries(series.to_numpy(), crs=known)
    if not len(shapes) or shapes.is_empty.all():
        raise InputError("an empty area of interest", hint="give at least one geometry")
    west, south, east, north = shapes.total_bounds
    step = max(east - west, north - south) / DENSE
    dense = shapes.segmentize(step) if step > 0 else shapes
    moved = dense.to_crs(target)
    if not np.isfinite(moved.total_bounds).all():
        raise CRSError(
            f"an area at {tuple(shapes.total_bounds)} lies where the tiles' CRS does not reach", hint="clip it"
        )
    return shapely.union_all(shapely.make_valid(moved.to_numpy()))
