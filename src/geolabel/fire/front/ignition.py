"""Ignition: what is lit, and when. Points, lines and areas, each at its own minute.

Everywhere a fire is asked for, the plain forms do as well: (row, col), several of them, or a (y, x) mask of an area that
burns at minute 0. A fire goes on from a perimeter seen later with the weather from then on:

    spread(ground, weather.from_time(seen), Ignition.perimeter(outline, ground.grid), hours=12)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F64, I32, Mask
from geolabel.fire.front.barrier import check_closing
from geolabel.grid import Grid, LonLat

if TYPE_CHECKING:
    from geolabel.fire.front.drawn import Drawn  # geopandas weighs 70 MB: loaded by who draws

POINT, LINE, AREA = 0, 1, 2
"""Lit at the centre, and the cell must burn; lit at the centre where it burns; burns as a whole where it burns."""


@dataclass(frozen=True, slots=True)
class Ignition:
    """Cells that are lit, each at its minute; `a + b` is both.

    Raises
    ------
    FireError
        Nothing lit, or minutes below 0.
    """

    cells: I32
    """(n, 2) row, col."""
    minutes: F64
    """(n,) after the start of the forecast."""
    how: NDArray[np.int8]
    """(n,) POINT, LINE or AREA."""

    def __post_init__(self) -> None:
        if not len(self.cells):
            raise FireError("an ignition without cells", hint="light at least one cell")
        if not (np.isfinite(self.minutes).all() and self.minutes.min() >= 0):
            raise FireError(
                f"an ignition at minute {self.minutes.min():g}",
                hint="minutes after the start of the forecast, 0 or more",
            )

    # ------------------------------------------------------------------ ways to make one
    @classmethod
    def _of(cls, cells: Any, minutes: Any, how: int) -> Self:
        where = np.atleast_2d(np.asarray(cells, np.int32))
        return cls(where, np.broadcast_to(np.asarray(minutes, float), len(where)), np.full(len(where), how, np.int8))

    @classmethod
    def points(
        cls,
        points: tuple[int, int] | LonLat | Sequence[tuple[int, int] | LonLat],
        minutes: float | Sequence[float] = 0.0,
        *,
        grid: Grid | None = None,
    ) -> Self:
        """Cells lit at their centres, all at one minute or each at its own.

        Parameters
        ----------
        points
            (row, col) or, with a `grid`, `LonLat`; one or several.
        """
        several = _several(points)
        if np.ndim(minutes) and len(np.atleast_1d(minutes)) != len(several):
            raise FireError(f"{len(np.atleast_1d(minutes))} minutes for {len(several)} points")
        return cls._of([_cell(point, grid) for point in several], minutes, POINT)

    @classmethod
    def line(cls, line: Drawn, grid: Grid, minutes: float = 0.0, *, crs: Any = None) -> Self:
        """The cells a line passes, lit at their centres where they burn.

        Parameters
        ----------
        crs
            Of a bare geometry that is not in the grid's CRS, e.g. "EPSG:4326".
        """
        from geolabel.fire.front.drawn import touched

        return cls._of(_where(touched(line, grid, crs), "line"), minutes, LINE)

    @classmethod
    def perimeter(cls, area: Drawn | Mask, grid: Grid | None = None, minutes: float = 0.0, *, crs: Any = None) -> Self:
        """The cells with their centre in an area, burning as a whole: the fire goes on from their edge.

        Parameters
        ----------
        area
            (y, x) mask, or polygons with a `grid`.
        """
        if isinstance(area, np.ndarray):
            return cls._of(_where(area.astype(bool), "area"), minutes, AREA)
        if grid is None:
            raise FireError("a drawn perimeter without a grid", hint="Ignition.perimeter(outline, landscape.grid)")
        from geolabel.fire.front.drawn import inside

        return cls._of(_where(inside(area, grid, crs), "area"), minutes, AREA)

    @classmethod
    def read(cls, lit: Lit) -> Ignition:
        """An ignition from any of its forms."""
        if isinstance(lit, Ignition):
            return lit
        if isinstance(lit, np.ndarray) and lit.dtype == bool:
            if not lit.any():
                raise FireError("no cell of the burning area can burn", hint="check the perimeter and the fuel")
            return cls.perimeter(lit)
        return cls._of(np.asarray(lit, int), 0.0, POINT)

    def __add__(self, other: Ignition) -> Ignition:
        """Both."""
        both = ((getattr(self, name), getattr(other, name)) for name in ("cells", "minutes", "how"))
        return Ignition(*(np.concatenate(pair) for pair in both))

    # ------------------------------------------------------------------ on a ground
    def on(self, burnable: Mask) -> Ignition:
        """What of it burns.

        Raises
        ------
        FireError
            A point outside the grid or where nothing burns, a line or area of which nothing burns.
        """
        rows, cols = self.cells.T
        outside = (rows < 0) | (cols < 0) | (rows >= burnable.shape[0]) | (cols >= burnable.shape[1])
        if outside.any():
            raise FireError(
                f"an ignition outside the grid of {burnable.shape}: {rows[outside][0]}, {cols[outside][0]}",
                hint="(row, col), counted from the north-west corner",
            )
        burns = burnable[rows, cols]
        bad = np.flatnonzero(~burns & (self.how == POINT))
        if len(bad):
            raise FireError(
                f"the ignition (row {rows[bad[0]]}, col {cols[bad[0]]}) does not burn", hint="light a burnable cell"
            )
        if not burns.any():
            what = "burning area" if (self.how == AREA).any() else "line"
            raise FireError(f"no cell of the {what} can burn", hint="check the perimeter and the fuel")
        return self if burns.all() else Ignition(self.cells[burns], self.minutes[burns], self.how[burns])

    def while_open(self, closes_min: NDArray[np.floating] | None, shape: tuple[int, int]) -> Ignition:
        """What of it is lit before its cell closes; areas stay, for they have burned before.

        Raises
        ------
        FireError
            A point that is closed by then, or a line that is wholly so; closing minutes that are none.
        """
        closes = check_closing(closes_min, shape)
        if not len(closes):
            return self
        when = closes[self.cells[:, 0] * shape[1] + self.cells[:, 1]]
        free = (self.how == AREA) | (self.minutes < when)
        bad = np.flatnonzero(~free & (self.how == POINT))
        if len(bad) or not free.any():
            first = bad[0] if len(bad) else 0
            row, col = self.cells[first]
            raise FireError(
                f"the ignition (row {row}, col {col}) is closed from minute {when[first]:g} on",
                hint="light it earlier, or beside the control line",
            )
        return self if free.all() else Ignition(self.cells[free], self.minutes[free], self.how[free])


Lit = Ignition | tuple[int, int] | Sequence[tuple[int, int]] | Mask
"""What is lit, in any of its forms."""


def _several(points: Any) -> list[Any]:
    alone = isinstance(points, LonLat) or (np.ndim(points[0]) == 0 and not isinstance(points[0], LonLat))
    return [points] if alone else list(points)


def _cell(point: tuple[int, int] | LonLat, grid: Grid | None) -> tuple[int, int]:
    if not isinstance(point, LonLat):
        return point
    if grid is None:
        raise FireError(f"the point {point} without a grid", hint="Ignition.points(points, grid=landscape.grid)")
    return grid.index(point)


def _where(mask: Mask, what: str) -> NDArray[np.intp]:
    cells = np.argwhere(mask)
    if not len(cells):
        raise FireError(
            f"the {what} lit holds no cell of the grid",
            hint="is its CRS the grid's? if not, say crs=; light points in what is smaller than a cell",
        )
    return cells
