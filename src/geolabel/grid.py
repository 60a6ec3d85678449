"""Where pixels lie: Grid (on odc-geo's GeoBox), Tile (integers on one parent grid), LonLat.

Order is always (row, col) and (y, x); bounds are (xmin, ymin, xmax, ymax). Floats never identify a tile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyproj
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from pyproj import Proj, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from pyproj.exceptions import ProjError
from rasterio.windows import Window

from geolabel.errors import CRSError, InputError
from geolabel.tiling import Tiling

__all__ = ["Bounds", "Grid", "LonLat", "Tile", "Tiling", "crs_key"]

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LonLat:
    """A point on WGS84, degrees. The only place where longitude comes first."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            hint = "longitude first, then latitude"
            if -180 <= self.lat <= 180 and -90 <= self.lon <= 90:
                hint += f"; did you mean LonLat({self.lat}, {self.lon})?"
            raise InputError(f"({self.lon}, {self.lat}) is not a longitude and latitude in degrees", hint=hint)

    @classmethod
    def parse(cls, text: str) -> LonLat:
        """Point from `"LON,LAT"` in decimal degrees."""
        try:
            lon, lat = (float(part) for part in text.split(","))
        except ValueError:
            raise InputError(f"cannot read {text!r} as LON,LAT", hint="two numbers, e.g. -118.07,34.34") from None
        return cls(lon, lat)

    def __str__(self) -> str:
        return f"{self.lon:.5f},{self.lat:.5f}"


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A rectangle of whole pixels on one parent grid: its core starts at (row, col), `margin` pixels surround it."""

    row: int
    col: int
    height: int
    width: int
    margin: int = 0

    def __post_init__(self) -> None:
        if min(self.row, self.col, self.margin) < 0 or min(self.height, self.width) < 1:
            raise InputError(f"impossible tile {self.key} of {self.height} x {self.width}, margin {self.margin}")

    @property
    def key(self) -> str:
        """`row_col` of the core's first pixel: unique on one grid for one tiling."""
        return f"{self.row}_{self.col}"

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, cols) of the core in an array on the parent grid."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    @property
    def window(self) -> Window:
        """The core as a rasterio window."""
        return Window(self.col, self.row, self.width, self.height)


@lru_cache(maxsize=256)
def crs_key(wkt: str) -> str:
    """`EPSG:32611` where the CRS is the one of that code, else another authority's code, else its WKT.

    A code written in the WKT is not trusted: the definitions are compared, axis order aside (a raster's is x, y).
    """
    crs = pyproj.CRS.from_wkt(wkt)
    codes = [f"EPSG:{crs.to_epsg()}", ":".join(crs.to_authority() or ("", "")), "EPSG:4326"]
    return next((code for code in codes if _is(crs, code)), crs.to_wkt())


def _is(crs: pyproj.CRS, code: str) -> bool:
    try:
        return bool(crs.equals(pyproj.CRS.from_user_input(code), ignore_axis_order=True))
    except ProjError:  # no such code
        return False


@dataclass(frozen=True)
class Grid:
    """A regular grid of pixels: CRS, affine transform and shape, immutable and hashable.

    Raises
    ------
    CRSError
        Without a CRS.
    """

    geobox: GeoBox

    def __post_init__(self) -> None:
        if self.geobox.crs is None:
            raise CRSError("a grid without a CRS", hint="say which: gdal_edit.py -a_srs EPSG:32611 file.tif")

    # ------------------------------------------------------------------ ways to make one
    @classmethod
    def of(cls, crs: Any, transform: Affine, shape: tuple[int, int]) -> Grid:
        """Grid from a CRS (anything pyproj reads), an affine transform and (height, width)."""
        return cls(GeoBox(shape, transform, CRS(crs)))

    @classmethod
    def utm(cls, bounds: Bounds, crs: Any, res_m: float) -> Grid:
        """Grid in the UTM zone of the centre of `bounds` (given in `crs`), edges on whole multiples of `res_m`."""
        source = CRS(crs).proj
        middle = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        centre = Transformer.from_crs(source, "EPSG:4326", always_xy=True).transform(*middle)
        area = AreaOfInterest(centre[0], centre[1], centre[0], centre[1])
        zone = query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
        if not zone:
            raise CRSError(f"no UTM zone holds longitude {centre[0]:.3f}, latitude {centre[1]:.3f}", hint="give a grid")
        target = CRS(f"EPSG:{zone[0].code}")
        xmin, ymin, xmax, ymax = Transformer.from_crs(source, target.proj, always_xy=True).transform_bounds(*bounds)
        left, top = np.floor(xmin / res_m) * res_m, np.ceil(ymax / res_m) * res_m
        shape = int(np.ceil((top - ymin) / res_m)), int(np.ceil((xmax - left) / res_m))
        return cls.of(target, Affine(res_m, 0, left, 0, -res_m, top), shape)

    # ------------------------------------------------------------------ what it is
    @property
    def crs(self) -> CRS:
        """Coordinate reference system."""
        return self.geobox.crs

    @property
    def transform(self) -> Affine:
        """Affine from (col, row) to (x, y) of pixel corners."""
        return self.geobox.transform

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.geobox.shape.y), int(self.geobox.shape.x)

    @property
    def height(self) -> int:
        """Rows."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.shape[1]

    @property
    def bounds(self) -> Bounds:
        """(xmin, ymin, xmax, ymax) in the grid's CRS."""
        box = self.geobox.boundingbox
        return box.left, box.bottom, box.right, box.top

    @cached_property
    def digest(self) -> str:
        """Ten hexadecimal digits that name this grid, however its CRS was written (code, WKT 1 or 2, GeoTIFF keys)."""
        text = f"{crs_key(self.crs.to_wkt())}|{tuple(round(v, 9) for v in self.transform[:6])}|{self.shape}"
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def record(self) -> dict[str, Any]:
        """CRS, transform and shape as JSON values; `Grid.recorded` gives the grid again."""
        return {"crs": crs_key(self.crs.to_wkt()), "transform": list(self.transform[:6]), "shape": list(self.shape)}

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Grid:
        """Grid of a `record`.

        Raises
        ------
        InputError
            Where the values are none.
        """
        try:
            height, width = (int(n) for n in values["shape"])
            return cls.of(values["crs"], Affine(*(float(v) for v in values["transform"])), (height, width))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"no grid can be read from {values!r}: {error}") from None

    @property
    def is_metric(self) -> bool:
        """Whether the CRS is projected, in metres."""
        return bool(self.crs.projected) and self.crs.units[0] in ("metre", "meter", "m")

    @property
    def res_m(self) -> float:
        """Edge of a (square) pixel in metres.

        Raises
        ------
        CRSError
            In degrees, feet or with pixels that are not square within 0.1 %.
        """
        dx, dy = abs(self.transform.a), abs(self.transform.e)
        if not self.is_metric:
            unit = self.crs.units[0]
            raise CRSError(
                f"the grid's CRS {self.crs_name} is in {unit}, not metres",
                hint="reproject to a metric grid first, e.g. gl.Grid.utm(bounds, crs, res_m=30)",
            )
        if abs(dx - dy) > 1e-3 * dx or self.transform.b or self.transform.d:
            raise CRSError(f"pixels of {dx} x {dy} m are not square and north-up", hint="reproject to a square grid")
        return dx

    @property
    def crs_name(self) -> str:
        """`EPSG:32611`, or the CRS's own name where it has no code."""
        return f"EPSG:{self.crs.epsg}" if self.crs.epsg else str(self.crs.proj.name)

    def cell_area_m2(self) -> float:
        """Area of one pixel in the plane of the grid, m2 (labels report geodesic areas, `shapes.area_m2`)."""
        return self.res_m**2

    # ------------------------------------------------------------------ points
    @cached_property
    def _to_lonlat(self) -> Transformer:
        return Transformer.from_crs(self.crs.proj, "EPSG:4326", always_xy=True)

    def xy(self, row: float, col: float) -> tuple[float, float]:
        """(x, y) of the centre of pixel (row, col)."""
        a, b, c, d, e, f = self.transform[:6]
        return a * (col + 0.5) + b * (row + 0.5) + c, d * (col + 0.5) + e * (row + 0.5) + f

    def lonlat(self, row: float, col: float) -> LonLat:
        """WGS84 position of the centre of pixel (row, col)."""
        return LonLat(*(float(v) for v in self._to_lonlat.transform(*self.xy(row, col))))

    def index(self, point: LonLat) -> tuple[int, int]:
        """(row, col) of the pixel that holds `point`.

        Raises
        ------
        InputError
            Where the point lies outside the grid.
        """
        row, col = self.cell(point)
        if not (0 <= row < self.height and 0 <= col < self.width):
            raise self._outside(point)
        return row, col

    def cell(self, point: LonLat) -> tuple[int, int]:
        """(row, col) of the pixel that holds `point` on the grid continued in all directions: may lie outside it.

        Raises
        ------
        InputError
            Where the CRS does not reach the point.
        """
        x, y = self._to_lonlat.transform(point.lon, point.lat, direction="INVERSE")
        inverse = ~self.transform
        col, row = inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f
        if not np.isfinite([row, col]).all():
            raise self._outside(point)
        return int(np.floor(row)), int(np.floor(col))

    def _outside(self, point: LonLat) -> InputError:
        south_west, north_east = self.lonlat(self.height - 1, 0), self.lonlat(0, self.width - 1)
        return InputError(
            f"the point {point} lies outside the scene", hint=f"the scene spans {south_west} to {north_east}"
        )

    def convergence_deg(self, row: float | None = None, col: float | None = None) -> float:
        """Grid convergence at a pixel (default: the centre): the azimuth of grid north from true north, degrees.

        A bearing from true north is the bearing from grid north plus this angle.
        """
        if row is None and col is None:
            return self._convergence_deg
        row, col = (self.height - 1) / 2 if row is None else row, (self.width - 1) / 2 if col is None else col
        return self._convergence_at(row, col)

    @cached_property
    def _convergence_deg(self) -> float:
        return self._convergence_at((self.height - 1) / 2, (self.width - 1) / 2)

    def _convergence_at(self, row: float, col: float) -> float:
        point = self.lonlat(row, col)
        if not self.crs.projected:
            return 0.0
        return float(Proj(self.crs.proj).get_factors(point.lon, point.lat).meridian_convergence)

    # ------------------------------------------------------------------ tiles
    def tiles(self, size: int, margin: int = 0) -> tuple[Tile, ...]:
        """Tiles of `size` pixels that cover every pixel once, row by row; edge tiles are kept, smaller.

        Raises
        ------
        InputError
            For a size below 1 or a negative margin.
        """
        if size < 1 or margin < 0:
            raise InputError(f"tile size {size}, margin {margin}", hint="size >= 1 and margin >= 0 pixels")
        return tuple(self._walk(size, margin))

    def _walk(self, size: int, margin: int) -> Iterator[Tile]:
        for row in range(0, self.height, size):
            for col in range(0, self.width, size):
                yield Tile(row, col, min(size, self.height - row), min(size, self.width - col), margin)

    def crop(self, tile: Tile, *, margin: bool = False) -> Grid:
        """Grid of one tile's core, or of core and margin where `margin` (which may reach beyond the parent)."""
        if tile.row + tile.height > self.height or tile.col + tile.width > self.width:
            raise InputError(f"tile {tile.key} does not lie on this grid of {self.shape}")
        pad = tile.margin if margin else 0
        a, b, c, d, e, f = self.transform[:6]
        col, row = tile.col - pad, tile.row - pad
        origin = Affine(a, b, c + a * col + b * row, d, e, f + d * col + e * row)
        return Grid(GeoBox((tile.height + 2 * pad, tile.width + 2 * pad), origin, self.crs))

    def coords(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """`y` and `x` of the pixel centres (north-up grids), for xarray."""
        cols, rows = np.arange(self.width) + 0.5, np.arange(self.height) + 0.5
        return {"y": self.transform.f + self.transform.e * rows, "x": self.transform.c + self.transform.a * cols}

    def __repr__(self) -> str:
        return f"Grid({self.crs_name}, {self.height} x {self.width}, {abs(self.transform.a):g} {self.crs.units[0]})"
