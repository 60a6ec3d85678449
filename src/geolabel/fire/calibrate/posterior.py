"""Calibration: draws from what a fire's perimeters leave possible, and what they do not say."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64
from geolabel.fire.calibrate.prior import Prior
from geolabel.fire.calibrate.sampling import effective
from geolabel.fire.ranges import FASTEST_M_S
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

LEVELS = (0.5, 0.05, 0.95)
IN_PRIOR = ("rate_factor", "wind_factor", "turn_deg", "hours", "reach")
ENOUGH = 50.0
"""Effective runs below which an interval's ends are rough."""
COLUMNS = ("rate_factor", "wind_factor", "turn_deg", "hours", "local_sd", "sorensen", "before", "weight", "run")
"""Of `Calibration.draws`: factors, clockwise turn of the wind, duration, local error of log arrival, Sorensen with the
scar, weight before and after the scar was looked at (each of sum 1), number of the simulated fire."""


def quantiles(values: F64, weight: F64, levels: tuple[float, ...] = LEVELS) -> F64:
    """Weighted quantiles."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    return np.asarray(values[order][np.minimum(np.searchsorted(below / below[-1], levels), len(values) - 1)])


@dataclass(frozen=True)
class Calibration:
    """What one fire's perimeters leave possible of the rate of spread and of the wind: weighted draws, never one best fit."""

    draws: pd.DataFrame
    """One row a simulated fire and duration; columns `COLUMNS`."""
    prior: Prior
    grid: Grid
    burned_probability: F32
    """(y, x) probability of having burned at the end, given the scar, its local error included."""
    timed: bool
    """Whether the time of any perimeter is known."""
    controlled: bool
    """Whether control lines were given; others would still bias the rate."""
    perimeters: int
    unreachable: int
    """Burned cells that the fire cannot reach on the map, left out of the likelihood."""
    pieces: float
    """Independent observations the burned area counted for."""
    digest: str
    """Of landscape, weather, perimeters, prior and seed."""

    # ------------------------------------------------------------------ numbers
    def values(self, name: str) -> F64:
        """One column of the draws, or "reach": rate factor times hours."""
        if name == "reach":
            return self.values("rate_factor") * self.values("hours")
        return self.draws[name].to_numpy(float)

    def interval(self, name: str, *, before: bool = False) -> tuple[float, float, float]:
        """(median, 5 %, 95 %) of a column or of "reach", after the scar was looked at or before."""
        if before and name in IN_PRIOR:
            found = self.prior.quantiles(name, np.unique(self.values("hours")), LEVELS)
        else:
            found = quantiles(self.values(name), self.draws["before" if before else "weight"].to_numpy())
        return float(found[0]), float(found[1]), float(found[2])

    def narrowed(self, name: str) -> float:
        """Share of the prior's 90 % interval that the perimeters took away (of the logarithm for factors and hours)."""
        scale = np.asarray if name in ("turn_deg", "sorensen") else np.log
        width = [float(np.diff(scale(self.interval(name, before=b)[1:]))[0]) for b in (False, True)]
        return 1 - width[0] / width[1] if width[1] > 0 else 0.0

    @property
    def correlation(self) -> float:
        """Posterior correlation of log rate factor and log duration; NaN where the duration is known."""
        x, w = np.log(self.draws[["rate_factor", "hours"]].to_numpy()), self.draws["weight"].to_numpy()
        away = x - w @ x
        cov = away.T @ (away * w[:, None])
        return float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])) if cov[1, 1] > 1e-12 else float("nan")

    @property
    def effective_runs(self) -> float:
        """Simulated fires that count, of all that ran."""
        return effective(np.asarray(self.draws.groupby("run")["weight"].sum(), float))

    @property
    def table(self) -> pd.DataFrame:
        """Median and 90 % interval of each quantity after and before, and the share of the interval taken away."""
        names = {
            "rate_factor": "rate factor",
            "wind_factor": "wind factor",
            "reach": "rate factor x hours",
            "hours": "hours",
            "turn_deg": "turn of the wind, deg",
            "sorensen": "Sorensen with the scar",
        }
        rows = [(*self.interval(n), *self.interval(n, before=True), self.narrowed(n)) for n in names]
        columns = ["median", "low", "high", "median before", "low before", "high before", "narrowed"]
        return pd.DataFrame(rows, index=list(names.values()), columns=columns)

    # ------------------------------------------------------------------ for other fires
    def apply(self, weather: Weather) -> tuple[Weather, float]:
        """(weather with the median wind factor, median rate factor) for `front.arrival.spread`.

        The factors belong together and are uncertain: an ensemble takes one `member` for each of its fires.
        """
        return scaled(weather, self.interval("wind_factor")[0]), self.interval("rate_factor")[0]

    def member(self, weather: Weather, rng: np.random.Generator) -> tuple[Weather, float]:
        """The same of one draw."""
        row = self.draws.iloc[int(rng.choice(len(self.draws), p=self.draws["weight"].to_numpy()))]
        return scaled(weather, float(row["wind_factor"])), float(row["rate_factor"])

    # ------------------------------------------------------------------ words
    @property
    def words(self) -> tuple[str, ...]:
        """What the numbers are not, one sentence each."""
        from geolabel.fire.calibrate.words import words

        return words(self)

    def __str__(self) -> str:
        rate, wind = (_span(self.interval(name)) for name in ("rate_factor", "wind_factor"))
        head = f"rate factor {rate}, wind factor {wind}: median and 90 % interval"
        return "\n".join([head, *(f"- {sentence}" for sentence in self.words)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.words)
        return f"{self.table.to_html(float_format='{:.2f}'.format)}<ul>{listed}</ul>"


def scaled(weather: Weather, factor: float) -> Weather:
    """Weather with its wind speed multiplied."""
    if not factor > 0:
        raise FireError(f"a wind factor of {factor:g}", hint="above 0")
    return weather.changed(speed_m_s=np.minimum(weather.speed_m_s * factor, FASTEST_M_S))


def _span(three: tuple[float, float, float]) -> str:
    return f"{three[0]:.2f} ({three[1]:.2f} to {three[2]:.2f})"
