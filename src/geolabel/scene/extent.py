"""Where grids lie on the Earth, in words and in common."""

from __future__ import annotations

from odc.geo.geom import Geometry

from geolabel.grid import Grid


def extent_words(grid: Grid) -> str:
    """`lon -118.270 .. -118.021, lat 34.223 .. 34.423` of a grid's rectangle."""
    box = grid.geobox.geographic_extent.boundingbox
    return f"lon {box.left:.3f} .. {box.right:.3f}, lat {box.bottom:.3f} .. {box.top:.3f}"


def overlap(grid: Grid, target: Grid) -> bool:
    """Whether two grids have ground in common (a shared edge is none)."""
    footprint: Geometry = grid.geobox.extent
    return bool(footprint.to_crs(target.crs, check_and_fix=True).intersection(target.geobox.extent).area > 0)
