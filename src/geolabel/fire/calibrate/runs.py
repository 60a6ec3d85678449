"""Simulated fires of one start under changed rate and wind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from geolabel.fire.arrays import F32, F64, Mask
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.calibrate.posterior import scaled
from geolabel.fire.front.arrival import check_start, spread
from geolabel.fire.front.ignition import Ignition, Lit
from geolabel.fire.front.solver import Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.stream import Progress, silent, walk


@dataclass(frozen=True)
class Runs:
    """What the simulated fires of one calibration share."""

    landscape: Landscape
    weather: Weather
    ignition: Lit
    closes_min: F32 | None = None
    crown: CrownModel | None = None
    setting: Setting = "fast"
    threads: int = 2
    progress: Progress = silent

    @property
    def lit(self) -> Mask:
        """(y, x): cells that are lit, now or later.

        Raises
        ------
        FireError
            Where no fire can start (`check_start`).
        """
        start: Ignition = check_start(self.landscape, self.ignition, self.closes_min)
        mask = np.zeros(self.landscape.grid.shape, bool)
        mask[tuple(start.cells.T)] = True
        return mask

    def arrivals(self, x: F64, hours: float, what: str) -> Iterator[F32]:
        """(y, x) arrival in minutes of each simulated fire, inf where it does not come within `hours`; in order."""
        spare: SimpleQueue[Solver] = SimpleQueue()
        for _ in range(max(1, self.threads)):
            spare.put(Solver(self.landscape.grid.shape, self.landscape.grid.res_m, self.setting))

        def work(one: F64) -> F32:
            solver = spare.get()
            try:
                return self.arrival(one, hours, solver)
            finally:
                spare.put(solver)

        return walk(list(x), work, what=what, threads=self.threads, progress=self.progress)

    def arrival(self, one: F64, hours: float, solver: Solver) -> F32:
        """(y, x) arrival of the fire of one draw of log rate factor, log wind factor and turn of the wind in degrees."""
        air = scaled(self.weather, float(np.exp(one[1])))
        air = air.changed(from_deg=(air.from_deg + one[2]) % 360)
        fire = spread(
            self.landscape,
            air,
            self.ignition,
            hours,
            closes_min=self.closes_min,
            rate_factor=float(np.exp(one[0])),
            crown=self.crown,
            solver=solver,
        )
        return fire.arrival_min
