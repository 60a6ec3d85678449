"""Where grids lie on the Earth, in words and in common."""

from __future__ import annotations

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.grid import Grid


def footprint(grid: Grid, crs: str) -> BaseGeometry:
    """Polygon of a grid's rectangle in another CRS, its edges in 32 pieces, so that they may curve."""
    rectangle = shapely.box(*grid.bounds)
    dense = shapely.segmentize(rectangle, rectangle.length / 128)
    return gpd.GeoSeries([dense], crs=grid.crs.to_wkt()).to_crs(crs).iloc[0]


def extent_words(grid: Grid) -> str:
    """`lon -118.270 .. -118.021, lat 34.223 .. 34.423` of a grid's rectangle."""
    west, south, east, north = footprint(grid, "EPSG:4326").bounds
    return f"lon {west:.3f} .. {east:.3f}, lat {south:.3f} .. {north:.3f}"


def overlap(grid: Grid, target: Grid) -> bool:
    """Whether two grids have ground in common (a shared edge is none)."""
    common = footprint(grid, target.crs.to_wkt()).intersection(shapely.box(*target.bounds))
    return bool(common.area > 1e-6 * target.cell_area_m2())
