"""Polygons to masks and back, repair, geodesic area.

Polygonising is 4-connected: two diagonal pixels are two polygons; holes are kept. Rasterising follows pixel centres
and does not depend on winding, so a mask survives the round trip.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.features import rasterize as burn_in
from rasterio.features import shapes as trace
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid

WGS84 = Geod(ellps="WGS84")
SLIVER = 1e-6
"""Share of a pixel below which a piece cut off by a window is rounding, not ground."""
Codes = NDArray[np.uint8]


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
    """
    if frame.crs is None:
        raise CRSError("shapes without a CRS cannot be laid on a grid", hint="frame.set_crs(...)")
    geometries = to_grid_crs(frame, grid).geometry
    values = np.broadcast_to(np.asarray(codes, np.uint8), (len(frame),))
    pairs = [
        (geometry, int(value)) for geometry, value in zip(geometries, values, strict=True) if not geometry.is_empty
    ]
    if not pairs:
        return np.full(grid.shape, fill, np.uint8)
    return burn_in(pairs, out_shape=grid.shape, transform=grid.transform, fill=fill, dtype=np.uint8)


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
    fixed = [
        polygons_of(shapely.make_valid(g, method="structure", keep_collapsed=False))
        if g is not None
        else shapely.Polygon()
        for g in frame.geometry
    ]
    hopeless = [str(label) for label, geometry in zip(frame.index, fixed, strict=True) if geometry.area <= 0]
    if hopeless:
        raise InputError(
            f"{len(hopeless)} shapes have no area: rows {', '.join(hopeless[:5])}",
            hint="draw them again or drop them; a polygon needs three corners that are not on one line",
        )
    return frame.set_geometry(gpd.GeoSeries(fixed, index=frame.index, crs=frame.crs))


def area_m2(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(n,) geodesic areas on WGS84, m2, holes taken off (Karney 2013, through PROJ)."""
    lonlat = frame.geometry.to_crs("EPSG:4326")
    return np.array([abs(WGS84.geometry_area_perimeter(shapely.orient_polygons(g))[0]) for g in lonlat])


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
