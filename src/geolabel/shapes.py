"""Polygons to masks and back, repair, geodesic area.

Polygonising is 4-connected: two diagonal pixels are two polygons; holes are kept. Rasterising follows pixel centres
and does not depend on winding, so a mask survives the round trip.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.features import shapes as trace
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geolabel import scanline
from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid, Tile

WGS84 = Geod(ellps="WGS84")
SLIVER = 1e-6
"""Share of a pixel below which a piece cut off by a window is rounding, not ground."""
POLYGONAL = (shapely.GeometryType.POLYGON.value, shapely.GeometryType.MULTIPOLYGON.value)
Codes = NDArray[np.uint8]
BLOCK_PX = 2048
"""Edge of a block in which masks are walked, pixels."""


def polygonise(codes: NDArray[Any], grid: Grid, *, ignore: int = 0) -> gpd.GeoDataFrame:
    """One polygon (with holes) for each 4-connected patch of equal value; columns `code`, `geometry`, in the grid's CRS.

    Parameters
    ----------
    codes
        (y, x) bool or integers up to 16 bit; pixels of value `ignore` give no polygon.
    """
    if codes.shape != grid.shape:
        raise InputError(f"a mask of {codes.shape} on a grid of {grid.shape}")
    values = codes.astype(np.uint8) if codes.dtype == bool else codes
    traced = trace(values, mask=values != ignore, connectivity=4, transform=grid.transform)
    pairs = [(int(value), shape(geometry)) for geometry, value in traced]
    pairs.sort(key=lambda pair: (-pair[1].bounds[3], pair[1].bounds[0], pair[0]))  # north to south, west to east
    frame = {"code": np.array([code for code, _ in pairs], np.int64)}
    return gpd.GeoDataFrame(frame, geometry=[geometry for _, geometry in pairs], crs=grid.crs.to_wkt())


def rasterise(frame: gpd.GeoDataFrame, grid: Grid, codes: Any = 1, *, fill: int = 0) -> Codes:
    """(y, x) uint8 mask: the code of the last shape whose inside holds the pixel's centre, `fill` elsewhere.

    Raises
    ------
    CRSError
        Where the frame has no CRS; a frame in another CRS is reprojected.
    InputError
        For shapes that are no polygons, and codes beyond 0-255.
    """
    values, laid = _laid(frame, grid, codes)
    mask = np.full(grid.shape, fill, np.uint8) if fill else np.zeros(grid.shape, np.uint8)
    scanline.fill(mask, (0, 0), laid, np.arange(len(laid.owners)), values)
    return mask


def rasterise_blocks(
    frame: gpd.GeoDataFrame, grid: Grid, codes: Any = 1, *, fill: int = 0, size: int = BLOCK_PX
) -> Iterator[tuple[Tile, Codes]]:
    """(tile, its part of `rasterise`) of all blocks of `size` pixels, row by row: the mask is never whole in memory.

    Raises
    ------
    CRSError, InputError
        As `rasterise`.
    """
    values, laid = _laid(frame, grid, codes)
    tree = shapely.STRtree(shapely.box(*laid.boxes.T[[1, 0, 3, 2]]))
    for tile in grid.tiles(size):
        near = tree.query(shapely.box(tile.col, tile.row, tile.col + tile.width, tile.row + tile.height))
        mask = np.full((tile.height, tile.width), fill, np.uint8)
        scanline.fill(mask, (tile.row, tile.col), laid, np.sort(near), values)
        yield tile, mask


def _laid(frame: gpd.GeoDataFrame, grid: Grid, codes: Any) -> tuple[Codes, scanline.Outlines]:
    """(code of each shape, all shapes in pixels of the grid)."""
    if frame.crs is None:
        raise CRSError("shapes without a CRS cannot be laid on a grid", hint="frame.set_crs(...)")
    given = np.asarray(codes)
    if given.size and not (given.min() >= 0 and given.max() <= 255):
        raise InputError(f"codes {given.min()} to {given.max()} do not fit a mask of uint8", hint="codes are 0 to 255")
    geometries = np.array(list(to_grid_crs(frame, grid).geometry), dtype=object)
    return np.broadcast_to(given.astype(np.uint8), (len(frame),)), scanline.outlines(geometries, grid.transform)


def to_grid_crs(frame: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """The frame in the grid's CRS (itself where it is already there)."""
    return frame if frame.crs == grid.crs.proj else frame.to_crs(grid.crs.proj)


def polygons_of(geometry: BaseGeometry) -> BaseGeometry:
    """The polygonal part of a valid geometry, as Polygon or MultiPolygon; empty where it has none."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type in ("Polygon", "MultiPolygon") and p.area > 0]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def repair(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Frame with valid polygons: self-crossings are split at their crossings (GEOS make_valid, structure method).

    Raises
    ------
    InputError
        Names the rows that are missing, no polygons or without area, which nothing can mend.
    """
    found = np.array(list(frame.geometry), dtype=object)
    ill = ~(shapely.is_valid(found) & (shapely.area(found) > 0) & np.isin(shapely.get_type_id(found), POLYGONAL))
    if not ill.any():
        return frame  # as a rule: a million shapes are looked at in seconds
    fixed = found.copy()
    fixed[ill] = [_mended(one) for one in found[ill]]
    hopeless = [str(label) for label, area in zip(frame.index, shapely.area(fixed), strict=True) if area <= 0]
    if hopeless:
        raise InputError(
            f"{len(hopeless)} shapes have no area: rows {', '.join(hopeless[:5])}",
            hint="draw them again or drop them; a polygon needs three corners that are not on one line",
        )
    return frame.set_geometry(gpd.GeoSeries(fixed, index=frame.index, crs=frame.crs))


def _mended(geometry: BaseGeometry | None) -> BaseGeometry:
    if geometry is None:
        return shapely.Polygon()
    return polygons_of(shapely.make_valid(geometry, method="structure", keep_collapsed=False))


def area_m2(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(n,) geodesic areas on WGS84, m2, holes taken off (Karney 2013, through PROJ)."""
    return lonlat_area_m2(np.array(list(frame.geometry.to_crs("EPSG:4326")), dtype=object))


def lonlat_area_m2(geometries: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) geodesic areas, m2, of polygons and MultiPolygons in degrees on WGS84, whatever the winding of their rings."""
    parts, of_part = shapely.get_parts(geometries, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    first = np.r_[True, of_ring[1:] != of_ring[:-1]] if len(of_ring) else np.empty(0, bool)  # exteriors come first
    points, sizes = shapely.get_coordinates(rings), shapely.get_num_coordinates(rings)
    ends = np.cumsum(sizes)
    lon, lat = np.ascontiguousarray(points.T)
    areas = [
        abs(WGS84.polygon_area_perimeter(lon[end - n : end], lat[end - n : end])[0])
        for n, end in zip(sizes, ends, strict=True)
    ]
    signed = np.where(first, areas, np.negative(areas))
    return np.bincount(of_part[of_ring], weights=signed, minlength=len(geometries)).astype(np.float64)


def clip(frame: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """The parts of the shapes inside the grid's rectangle, in its CRS, polygons only; rows outside are dropped."""
    near = to_grid_crs(frame, grid)
    near = near[near.intersects(shapely.box(*grid.bounds))]
    cut = gpd.GeoSeries([inside(geometry, grid) for geometry in near.geometry], index=near.index, crs=near.crs)
    return near.set_geometry(cut)[cut.area > 0]


def inside(geometry: BaseGeometry, grid: Grid) -> BaseGeometry:
    """The polygonal part of a geometry inside the grid's rectangle (same CRS), empty where it has none.

    Edges that lie on the rectangle's edge differ by the last bits of their coordinates: such slivers are left out.
    """
    least = SLIVER * abs(grid.transform.a * grid.transform.e)
    cut = polygons_of(shapely.make_valid(geometry & shapely.box(*grid.bounds)))
    parts = [part for part in shapely.get_parts(cut) if part.area > least]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts) if parts else shapely.Polygon()
