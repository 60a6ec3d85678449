"""Where a fire is when: first arrival on a landscape under weather.

`spread` goes from fuel, terrain and weather to a `Fire`; `first_arrival` solves on given fields of rate, direction and
eccentricity; a `solver.Solver` given to either keeps its workspace for many fires on one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, Mask
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.front.fields import NOWHERE, Behaviour, behaviour, flames, fuel_fields, given_fields
from geolabel.fire.front.ignition import POINT, Ignition, Lit
from geolabel.fire.front.solver import Reached, Setting, Solver, placed
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire: when, how fast, how hot and in which direction it came to each cell; (y, x) float32 on `grid`.

    Cells that are lit before a fire comes have the minute they are lit as arrival and NaN elsewhere; cells not reached have
    arrival inf and NaN elsewhere.
    """

    grid: Grid
    hours: float
    arrival_min: F32
    """Arrival at the cell's centre, minutes after ignition."""
    bearing_deg: F32
    """Direction of spread TO, normal to the front, degrees clockwise from **true** north."""
    rate_m_min: F32
    """Rate of spread normal to the front, along the slope."""
    flame_m: F32
    """Byram's flame length; Thomas' where crowns burn."""
    intensity_kw_m: F32
    """Byram's fireline intensity, crowns included."""
    kind: NDArray[np.uint8] | None = None
    """Code of `behave.crown.FIRE_TYPES`, 255 where no fire came or it started; None without a crown model."""

    @property
    def burned(self) -> Mask:
        """(y, x): reached by the end."""
        return np.isfinite(self.arrival_min)

    def burned_by(self, hours: float) -> Mask:
        """(y, x): reached within `hours`."""
        return self.arrival_min <= hours * 60

    @property
    def area_ha(self) -> float:
        """Burned area in the map plane."""
        return float(self.burned.sum()) * self.grid.cell_area_m2() / 1e4


def first_arrival(
    head_rate_m_min: NDArray[np.floating],
    head_rad: NDArray[np.floating],
    eccentricity: NDArray[np.floating],
    ignition: Lit,
    minutes: float,
    *,
    res_m: float,
    slope: NDArray[np.floating] | None = None,
    aspect_rad: NDArray[np.floating] | None = None,
    starts_min: Sequence[float] = (0.0,),
    closes_min: NDArray[np.floating] | None = None,
    setting: Setting = "accurate",
    solver: Solver | None = None,
) -> tuple[F32, F32, F32]:
    """(arrival min, normal to the front in radians, rate m/min) on given fields, (y, x) float32; arrival inf, else NaN.

    Parameters
    ----------
    head_rate_m_min, head_rad, eccentricity
        (y, x), or (period, y, x) with `starts_min`: rate along the slope (0 does not burn), direction of maximum
        spread clockwise from grid north, eccentricity of the ellipse spread from its rear focus.
    slope, aspect_rad
        (y, x) rise/run and downslope azimuth; level ground where not given.
    closes_min
        (y, x) minute from which a cell burns no more, inf where it never closes.

    Raises
    ------
    FireError
        A start where nothing burns, eccentricity outside 0-1, fields of different shapes.
    """
    rate = np.asarray(head_rate_m_min)
    shape = rate.shape[-2:]
    zero = np.zeros(shape, np.float32)
    if not (rate.shape == np.shape(head_rad) == np.shape(eccentricity)):
        raise FireError(f"fields of shapes {rate.shape}, {np.shape(head_rad)}, {np.shape(eccentricity)}")
    ecc = np.asarray(eccentricity)
    if not (ecc.min() >= 0 and ecc.max() < 1 and rate.min() >= 0):
        raise FireError(
            f"eccentricity {ecc.min():g} to {ecc.max():g}, rate from {rate.min():g}", hint="0 <= e < 1 <= rate"
        )
    fields = given_fields(
        rate,
        head_rad,
        eccentricity,
        slope=zero if slope is None else slope,
        aspect_rad=zero if aspect_rad is None else aspect_rad,
        starts_min=np.asarray(starts_min, float),
    )
    burnable = (fields.fuel >= 0).reshape(shape)
    solver = solver or Solver(shape, res_m, setting)
    start = Ignition.read(ignition).on(burnable).while_open(closes_min, shape)
    reached = solver.reach(fields, start, minutes, float(rate.max()), closes_min)
    parts = (reached.arrival_min, np.inf), (reached.normal_rad, np.nan), (reached.rate_m_min, np.nan)
    arrival, normal, speed = (placed(values, reached.cells, shape, fill) for values, fill in parts)
    return arrival, normal, speed


def check_start(landscape: Landscape, ignition: Lit, closes_min: F32 | None = None) -> Ignition:
    """What of an ignition starts a fire.

    Raises
    ------
    FireError
        A point on unknown or non-burnable ground, without burnable neighbour (the nearest good cell is named) or closed
        before it is lit; a line or burning area of which nothing burns.
    """
    lit = Ignition.read(ignition)
    for row, col in lit.cells[lit.how == POINT].tolist():
        landscape.check_ignition(row, col)
    return lit.on(landscape.burnable).while_open(closes_min, landscape.grid.shape)


def spread(
    landscape: Landscape,
    weather: Weather,
    ignition: Lit,
    hours: float,
    *,
    closes_min: F32 | None = None,
    setting: Setting = "accurate",
    rate_factor: float = 1.0,
    wind_limit: bool = True,
    crown: CrownModel | None = None,
    solver: Solver | None = None,
) -> Fire:
    """The fire that starts with the weather and runs for `hours`.

    Parameters
    ----------
    ignition
        (row, col) of a cell lit at its centre, several of them, a (y, x) bool mask of an area already burning, or an
        `Ignition`: points, lines and perimeters, each at its own minute.
    closes_min
        (y, x) minute from which a cell burns no more, inf where it never closes: control lines and retardant
        (`barrier.closing_min`).
    setting
        "accurate" (4 intervals a cell edge) or "fast" (1).
    crown
        Whose crown fire burns above the surface fire; None for the surface fire alone.

    Raises
    ------
    FireError
        A bad ignition (`check_start`), weather that ends before the forecast; with a crown model a landscape without
        canopy base height or bulk density.
    """
    weather.check_lasts(hours)
    start = check_start(landscape, ignition, closes_min)
    acts = behaviour(landscape, weather, rate_factor=rate_factor, wind_limit=wind_limit, crown=crown)
    solver = solver or Solver(landscape.grid.shape, landscape.grid.res_m, setting)
    reached = solver.reach(fuel_fields(landscape, acts), start, hours * 60, acts.fastest_m_min, closes_min)
    return fire_of(landscape, acts, reached, hours)


def fire_of(landscape: Landscape, acts: Behaviour, reached: Reached, hours: float) -> Fire:
    """The rasters of a fire from the cells it reached."""
    burned = flames(landscape, acts, reached)
    bearing = np.degrees(reached.normal_rad) + landscape.grid.convergence_deg()

    def raster(values: NDArray[np.floating], fill: float = np.nan) -> F32:
        return placed(values, reached.cells, landscape.grid.shape, fill)

    def kind_raster(kind: NDArray[np.uint8]) -> NDArray[np.uint8]:
        out = np.full(landscape.grid.shape, NOWHERE, np.uint8)
        out.ravel()[reached.cells] = kind
        return out

    return Fire(
        grid=landscape.grid,
        hours=float(hours),
        arrival_min=raster(reached.arrival_min, np.inf),
        bearing_deg=raster(bearing.astype(np.float32) % np.float32(360)),
        rate_m_min=raster(reached.rate_m_min),
        flame_m=raster(burned.flame_m),
        intensity_kw_m=raster(burned.intensity_kw_m),
        kind=None if burned.kind is None else kind_raster(burned.kind),
    )
