"""Where a fire is when: first arrival on a landscape under weather.

`spread` goes from fuel, terrain and weather to a `Fire`; `first_arrival` solves on given fields of rate, direction and
eccentricity; `Solver` keeps its workspace for many fires on one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import convert_speed, opposite, wind_20ft_from_10m
from geolabel.errors import FireError, nearest
from geolabel.fire import front_kernel as kernel
from geolabel.fire.arrays import F32, F64, I16, I32, Mask
from geolabel.fire.front_speed import FUEL_COLUMNS, SLOTS, SLOWEST_M_MIN, Fields, Speeds
from geolabel.fire.fuel import beds
from geolabel.fire.landscape import Landscape
from geolabel.fire.rothermel import (
    fireline_intensity_kw_m,
    flame_length_m,
    surface_fuel,
    unsheltered_adjustment,
    wind_factor,
)
from geolabel.fire.weather import Weather
from geolabel.grid import Grid

Setting = Literal["accurate", "fast"]
INTERVALS: dict[str, int] = {"accurate": 4, "fast": 1}
"""Intervals on a cell edge."""
BUCKET_SHARE = 1.0
"""Width of a bucket, as a share of the time the fastest fire takes over one interval."""
MOST_BUCKETS = 200_000

Ignition = tuple[int, int] | Sequence[tuple[int, int]] | Mask


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire: when, how fast, how hot and in which direction it came to each cell; (y, x) float32 on `grid`.

    Cells burning at the start have arrival 0 and NaN elsewhere; cells not reached have arrival inf and NaN elsewhere.
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
    """Byram's flame length."""
    intensity_kw_m: F32
    """Byram's fireline intensity."""

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


@dataclass(frozen=True, slots=True)
class Reached:
    """The cells one fire burned, without the rest of the grid."""

    cells: I32
    """(n,) row * width + col."""
    arrival_min: F32
    normal: F32
    """(n, 2) east and north of the front's unit normal, in the grid's frame; NaN at the start."""
    rate_m_min: F32


@dataclass(frozen=True)
class Solver:
    """First arrival on one grid, again and again, in one workspace; not for two threads at once."""

    shape: tuple[int, int]
    res_m: float
    setting: Setting = "accurate"
    _space: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.setting not in INTERVALS:
            raise FireError(f"unknown setting {self.setting!r}", hint=nearest(self.setting, INTERVALS))
        height, width = self.shape
        k = INTERVALS[self.setting]
        nodes, cells = (height + 1) * (width + 1) * (2 * k - 1), height * width
        self._space.update(
            mesh=mesh(self.shape, k, self.res_m),
            arrival=np.full(nodes, np.inf, np.float32),
            after=np.full(nodes, kernel.IDLE, np.int32),
            before=np.empty(nodes, np.int32),
            touched=np.empty(nodes, np.int32),
            speeds=Speeds(
                np.empty((cells, SLOTS, 3), np.float32),
                np.zeros((cells, SLOTS), np.int32),
                np.empty((cells, 2), np.float32),
                np.zeros(cells, bool),
                np.empty(cells, np.int32),
                np.zeros(1, np.int64),
            ),
            burned=np.empty(cells, np.int32),
            values=np.empty((cells, 4), np.float32),
        )

    def reach(self, fields: Fields, start: Mask | I32, minutes: float, fastest: float) -> Reached:
        """The cells burned within `minutes`.

        Parameters
        ----------
        start
            Cell numbers whose centres are lit, or a (y, x) mask of cells that burn as a whole at minute 0.
        fastest
            About the highest rate on the fields, m/min; it sets the width of the buckets, never the result.
        """
        space, whole = self._space, start.dtype == bool
        cells = np.flatnonzero(start).astype(np.int32) if whole else start.astype(np.int32)
        interval = self.res_m / INTERVALS[self.setting]
        width = max(BUCKET_SHARE * interval / max(fastest, 1e-3), minutes / MOST_BUCKETS)
        queue = kernel.Queue(
            arrival=space["arrival"],
            after=space["after"],
            before=space["before"],
            first=np.full(int(minutes / width) + 2, -1, np.int32),
            touched=space["touched"],
            tally=np.zeros(2, np.int64),
            width_min=width,
        )
        n = kernel.burn(
            fields, space["mesh"], queue, space["speeds"], cells, whole, minutes, space["burned"], space["values"]
        )
        burned, values = space["burned"][:n].copy(), space["values"][:n].copy()
        at_start = start.ravel()[burned] if whole else np.isin(burned, cells)
        values[at_start, 0], values[at_start, 1:] = 0.0, np.nan
        return Reached(burned, values[:, 0], values[:, 1:3], values[:, 3])


def mesh(shape: tuple[int, int], k: int, res_m: float) -> kernel.Mesh:
    """Nodes around a cell, clockwise from its north-west corner, with `k` intervals an edge."""
    step, row = 2 * k - 1, (shape[1] + 1) * (2 * k - 1)
    inner = range(1, k)
    top, right = [0, *inner], [step, *(step + k - 1 + j for j in inner)]
    bottom = [row + step, *(row + k - j for j in inner)]
    left = [row, *(k - 1 + k - j for j in inner)]
    along, zero, one = np.arange(k) / k, np.zeros(k), np.ones(k)
    x = np.concatenate([along, one, 1 - along, zero])
    y = -np.concatenate([zero, along, one, 1 - along])
    return kernel.Mesh(*shape, k, np.array([*top, *right, *bottom, *left], np.int32), x * res_m, y * res_m)


# ---------------------------------------------------------------------------------------------- given fields
_NO_FUEL = np.zeros(0, np.int16)
_NO_RISE = np.zeros(0, np.float32)


def given_fields(
    head_rate_m_min: F32, head_rad: F32, eccentricity: F32, *, slope: F32, aspect_rad: F32, starts_min: F64
) -> Fields:
    """Fields for the kernel from (period, y, x) rate, direction and eccentricity, and (y, x) slope and aspect."""
    periods = len(starts_min)
    rate, head, ecc = (
        np.ascontiguousarray(v, np.float32).reshape(periods, -1) for v in (head_rate_m_min, head_rad, eccentricity)
    )
    return Fields(
        given=True,
        head_rate=rate,
        head_rad=head,
        eccentricity=ecc,
        slope=np.ascontiguousarray(slope, np.float32).ravel(),
        aspect_rad=np.ascontiguousarray(aspect_rad, np.float32).ravel(),
        fuel=_NO_FUEL,
        rise_east=_NO_RISE,
        rise_north=_NO_RISE,
        behaviour=np.zeros((0, 0, FUEL_COLUMNS)),
        starts=starts_min,
    )


def first_arrival(
    head_rate_m_min: NDArray[np.floating],
    head_rad: NDArray[np.floating],
    eccentricity: NDArray[np.floating],
    ignition: Ignition,
    minutes: float,
    *,
    res_m: float,
    slope: NDArray[np.floating] | None = None,
    aspect_rad: NDArray[np.floating] | None = None,
    starts_min: Sequence[float] = (0.0,),
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
        aspect_rad=zero if aspect_rad is None else np.nan_to_num(aspect_rad),
        starts_min=np.asarray(starts_min, float),
    )
    burnable = np.asarray((rate > SLOWEST_M_MIN).reshape(-1, *shape).any(0))
    solver = solver or Solver(shape, res_m, setting)
    reached = solver.reach(fields, start_cells(ignition, burnable), minutes, float(rate.max()))
    return raster(reached, shape)


def raster(reached: Reached, shape: tuple[int, int]) -> tuple[F32, F32, F32]:
    """(arrival, normal, rate) as (y, x) rasters; inf and NaN where not reached."""
    out = tuple(np.full(shape, fill, np.float32) for fill in (np.inf, np.nan, np.nan))
    normal = np.arctan2(reached.normal[:, 0], reached.normal[:, 1])
    for full, part in zip(out, (reached.arrival_min, normal, reached.rate_m_min), strict=True):
        full.ravel()[reached.cells] = part
    return out[0], out[1], out[2]


def start_cells(ignition: Ignition, burnable: Mask) -> Any:
    """Cell numbers (of points) or mask (of a perimeter) from which a fire starts, burnable cells only.

    Raises
    ------
    FireError
        Where no cell of it burns, or a point lies outside the grid.
    """
    if isinstance(ignition, np.ndarray) and ignition.dtype == bool:
        if ignition.shape != burnable.shape:
            raise FireError(f"a perimeter of {ignition.shape} on fields of {burnable.shape}")
        if not (ignition & burnable).any():
            raise FireError("no cell of the burning area can burn", hint="check the perimeter and the fuel")
        return ignition & burnable
    rows, cols = np.atleast_2d(np.asarray(ignition, int)).T
    outside = (rows < 0) | (cols < 0) | (rows >= burnable.shape[0]) | (cols >= burnable.shape[1])
    if outside.any():
        raise FireError(f"an ignition outside the grid of {burnable.shape}: {rows[outside][0]}, {cols[outside][0]}")
    if not burnable[rows, cols].all():
        bad = int(np.flatnonzero(~burnable[rows, cols])[0])
        raise FireError(f"the ignition (row {rows[bad]}, col {cols[bad]}) does not burn", hint="light a burnable cell")
    return (rows * burnable.shape[1] + cols).astype(np.int32)


# ---------------------------------------------------------------------------------------------- fuel and weather
@dataclass(frozen=True, slots=True)
class Behaviour:
    """What each fuel of a landscape does in each period of weather."""

    starts_min: F64
    table: F64
    """(period, fuel, FUEL_COLUMNS), as the kernel reads it."""
    heat_per_area_kj_m2: F64
    """(period, fuel)."""
    fastest_m_min: float


def behaviour(
    fuels: Sequence[int], weather: Weather, *, convergence_deg: float, rate_factor: float = 1.0, wind_limit: bool = True
) -> Behaviour:
    """Surface fire of each fuel in each period, with wind at flame height over unsheltered fuel, in the grid's frame.

    Parameters
    ----------
    rate_factor
        Multiplies every rate of spread: the model's own error.
    """
    bed = beds(fuels)
    fuel = surface_fuel(bed, weather.moisture[:, :, None])
    twenty_ft = convert_speed(wind_20ft_from_10m(weather.speed_m_s), "m/s", "m/min")
    factor = wind_factor(fuel, twenty_ft[:, None] * unsheltered_adjustment(bed.depth_ft))
    to = np.radians(opposite(weather.from_deg) - convergence_deg)[:, None]
    limit = wind_factor(fuel, fuel.max_wind_m_min) if wind_limit else np.full(factor.shape, np.inf)
    rate = fuel.rate_m_min * rate_factor
    columns = (
        rate,
        factor * np.sin(to),
        factor * np.cos(to),
        np.broadcast_to(fuel.slope_scale, factor.shape),
        np.broadcast_to(1 / fuel.wind_scale, factor.shape),
        np.broadcast_to(1 / fuel.wind_power, factor.shape),
        limit,
    )
    fastest = float((rate * (1 + np.minimum(factor, limit))).max())
    return Behaviour(weather.hours * 60, np.stack(columns, -1), fuel.heat_per_area_kj_m2, fastest)


def fuel_rows(landscape: Landscape) -> I16:
    """(cell,) position of each cell's fuel in `landscape.fuels_present`, -1 where nothing burns."""
    rows = np.searchsorted(landscape.fuels_present, landscape.fuel).astype(np.int16)
    return np.where(landscape.burnable, rows, np.int16(-1)).ravel()


_NO_FIELD = np.zeros((0, 0), np.float32)


def fuel_fields(landscape: Landscape, rows: I16, acts: Behaviour) -> Fields:
    """Fields for the kernel from fuel, terrain and the fuels' behaviour."""
    east, north = (part.ravel() for part in landscape.rise)
    return Fields(
        given=False,
        head_rate=_NO_FIELD,
        head_rad=_NO_FIELD,
        eccentricity=_NO_FIELD,
        slope=_NO_RISE,
        aspect_rad=_NO_RISE,
        fuel=rows,
        rise_east=east,
        rise_north=north,
        behaviour=acts.table,
        starts=acts.starts_min,
    )


def check_start(landscape: Landscape, ignition: Ignition) -> Any:
    """Cell numbers or mask from which a fire starts.

    Raises
    ------
    FireError
        A point on unknown or non-burnable ground or without burnable neighbour (the nearest good cell is named), or a
        burning area of which nothing burns.
    """
    if not (isinstance(ignition, np.ndarray) and ignition.dtype == bool):
        for row, col in np.atleast_2d(np.asarray(ignition, int)).tolist():
            landscape.check_ignition(row, col)
    return start_cells(ignition, landscape.burnable)


def spread(
    landscape: Landscape,
    weather: Weather,
    ignition: Ignition,
    hours: float,
    *,
    setting: Setting = "accurate",
    rate_factor: float = 1.0,
    wind_limit: bool = True,
    solver: Solver | None = None,
) -> Fire:
    """The fire that starts with the weather and runs for `hours`, without suppression.

    Parameters
    ----------
    ignition
        (row, col) of a cell lit at its centre, several of them, or a (y, x) bool mask of an area already burning.
    setting
        "accurate" (4 intervals a cell edge) or "fast" (1).

    Raises
    ------
    FireError
        A bad ignition (`check_start`), weather that ends before the forecast.
    """
    weather.check_lasts(hours)
    start = check_start(landscape, ignition)
    acts = behaviour(
        landscape.fuels_present,
        weather,
        convergence_deg=landscape.grid.convergence_deg(),
        rate_factor=rate_factor,
        wind_limit=wind_limit,
    )
    rows = fuel_rows(landscape)
    solver = solver or Solver(landscape.grid.shape, landscape.grid.res_m, setting)
    reached = solver.reach(fuel_fields(landscape, rows, acts), start, hours * 60, acts.fastest_m_min)
    return fire_of(landscape, rows, acts, reached, hours)


def fire_of(landscape: Landscape, rows: I16, acts: Behaviour, reached: Reached, hours: float) -> Fire:
    """The rasters of a fire from the cells it reached."""
    shape = landscape.grid.shape
    arrival, normal, rate = raster(reached, shape)
    period = np.searchsorted(acts.starts_min, reached.arrival_min, side="right") - 1
    heat = acts.heat_per_area_kj_m2[period, rows[reached.cells]]
    intensity = np.full(shape, np.nan, np.float32)
    intensity.ravel()[reached.cells] = fireline_intensity_kw_m(heat, reached.rate_m_min)
    bearing = (np.degrees(normal) + landscape.grid.convergence_deg()) % 360
    return Fire(
        grid=landscape.grid,
        hours=float(hours),
        arrival_min=arrival,
        bearing_deg=bearing.astype(np.float32),
        rate_m_min=rate,
        flame_m=flame_length_m(intensity).astype(np.float32),
        intensity_kw_m=intensity,
    )
