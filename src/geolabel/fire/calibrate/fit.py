"""Calibration of the rate of spread and of the wind on a fire's perimeters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr

from geolabel.digests import digest
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64, Mask
from geolabel.fire.calibrate.likelihood import PIECES, Likelihood, Observed, Perimeter, observed
from geolabel.fire.calibrate.posterior import Calibration, scaled
from geolabel.fire.calibrate.prior import ERRORS, Prior, error_prior
from geolabel.fire.calibrate.sampling import Proposal, normalised, sample
from geolabel.fire.front.arrival import check_start, spread
from geolabel.fire.front.solver import Ignition, Setting, Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.stream import Progress, silent, walk

ROUNDS = 4
SHOWN = 100
"""Draws of which the map of burned probability is made."""


def calibrate(
    landscape: Landscape,
    weather: Weather,
    ignition: Ignition,
    perimeters: Sequence[Perimeter],
    *,
    seed: int,
    prior: Prior | None = None,
    runs: int = 600,
    setting: Setting = "fast",
    pieces: float = PIECES,
    threads: int = 2,
    progress: Progress = silent,
) -> Calibration:
    """What the perimeters of one fire leave possible of one rate factor and one wind factor, as weighted draws.

    Simulated fires are drawn from the prior, then where the perimeters make them likely (`sampling`). One arrival field
    is judged at all durations at once, so that an unknown duration costs no further fires. The same seed gives the same
    draws, for any number of threads.

    Parameters
    ----------
    ignition
        (row, col), several of them, or a (y, x) mask: where it began. New growth alone is scored.
    perimeters
        In order of time; the last may have none (a final scar), and then the prior's durations are tried.
    runs
        Simulated fires, in `ROUNDS` rounds.
    pieces
        Independent observations the burned area counts for (`likelihood`).

    Raises
    ------
    FireError
        A bad ignition, perimeters that do not fit, weather that ends before the longest duration, too few runs.
    """
    job = _Job.of(landscape, weather, ignition, perimeters, prior or Prior(), setting, pieces, threads, progress)
    if runs < 20 * ROUNDS:
        raise FireError(f"{runs} simulated fires in {ROUNDS} rounds", hint=f"at least {20 * ROUNDS}, better 600")
    x, log_weight = sample(
        Proposal(np.zeros(3), np.diag(job.prior.sd**2)), ROUNDS, runs // ROUNDS, job.judge, np.random.default_rng(seed)
    )
    draws = job.table(x, log_weight)
    return Calibration(
        draws=draws,
        prior=job.prior,
        grid=landscape.grid,
        burned_probability=job.probability(draws, np.random.default_rng([seed, 1])),
        timed=job.seen.timed,
        perimeters=len(perimeters),
        unreachable=job.seen.unreachable,
        pieces=pieces,
        digest=digest(landscape.digest, weather.digest, *_seen(perimeters), asdict(job.prior), runs, pieces, seed),
    )


@dataclass(frozen=True)
class _Job:
    """All that the simulated fires of one calibration share, and what was found of each."""

    landscape: Landscape
    weather: Weather
    ignition: Ignition
    prior: Prior
    seen: Observed
    likelihood: Likelihood
    setting: Setting
    threads: int
    progress: Progress
    found: list[tuple[F64, F64]] = field(default_factory=list)
    """Of each fire: (duration, error) log-likelihood, (duration,) Sorensen."""

    @classmethod
    def of(cls, landscape: Landscape, weather: Weather, ignition: Ignition, perimeters: Sequence[Perimeter],
           prior: Prior, setting: Setting, pieces: float, threads: int, progress: Progress) -> _Job:  # fmt: skip
        start = _start(landscape, ignition)
        lasts = weather.end_hours
        seen = observed(landscape, start, perimeters, prior, lasts_h=lasts, pieces=pieces)
        weather.check_lasts(float(seen.durations_h[-1]))
        return cls(landscape, weather, ignition, prior, seen, Likelihood(seen), setting, threads, progress)

    def arrivals(self, x: F64, what: str) -> Iterator[F32]:
        """Arrival of each simulated fire, minutes; in order."""
        spare: SimpleQueue[Solver] = SimpleQueue()
        for _ in range(max(1, self.threads)):
            spare.put(Solver(self.landscape.grid.shape, self.landscape.grid.res_m, self.setting))

        def work(one: F64) -> F32:
            solver = spare.get()
            try:
                return self.burn(one, solver)
            finally:
                spare.put(solver)

        return walk(list(x), work, what=what, threads=self.threads, progress=self.progress)

    def burn(self, one: F64, solver: Solver) -> F32:
        """(y, x) arrival of the fire of one draw of log rate factor, log wind factor and turn of the wind."""
        air = scaled(self.weather, float(np.exp(one[1])))
        air = air.changed(from_deg=(air.from_deg + one[2]) % 360)
        rate = float(np.exp(one[0]))
        hours = self.seen.horizon_h
        return spread(self.landscape, air, self.ignition, hours, rate_factor=rate, solver=solver).arrival_min

    def judge(self, x: F64, number: int) -> F64:
        """(n,) log-likelihood of each draw, its duration and local error summed out."""
        out = np.empty(len(x))
        given = np.log(error_prior()) - np.log(len(self.seen.durations_h))
        for i, arrival in enumerate(self.arrivals(x, f"fires of round {number + 1} of {ROUNDS}")):
            log = self.likelihood.log(arrival) + given
            self.found.append((log, self.likelihood.agreement(arrival)))
            out[i] = logsumexp(log)
        return out

    def table(self, x: F64, log_weight: F64) -> pd.DataFrame:
        """One row a draw and duration, `posterior.COLUMNS`."""
        log, same = (np.stack(part) for part in zip(*self.found, strict=True))
        total = logsumexp(log, axis=(1, 2))
        after = normalised(log_weight)[:, None] * np.exp(logsumexp(log, axis=2) - total[:, None])
        before = normalised(log_weight - total)[:, None] * np.full(after.shape, 1 / after.shape[1])
        error = np.exp(log - logsumexp(log, axis=2, keepdims=True)) @ np.asarray(ERRORS)
        wide = np.broadcast_arrays(*np.exp(x[:, :2]).T[:, :, None], x[:, 2:], self.seen.durations_h, error, same)
        rate, wind, turn, hours, local, sorensen = (part.ravel() for part in wide)
        run = np.repeat(np.arange(len(x)), after.shape[1])
        return pd.DataFrame({
            "rate_factor": rate, "wind_factor": wind, "turn_deg": turn, "hours": hours, "local_sd": local,
            "sorensen": sorensen, "before": before.ravel() / before.sum(), "weight": after.ravel() / after.sum(), "run": run,
        })  # fmt: skip

    def probability(self, draws: pd.DataFrame, rng: np.random.Generator) -> F32:
        """(y, x) probability of having burned at the end, over draws taken by their weights (systematic resampling)."""
        below = np.cumsum(draws["weight"].to_numpy())
        places = np.searchsorted(below / below[-1], (np.arange(SHOWN) + rng.random()) / SHOWN)
        chosen = draws.iloc[np.minimum(places, len(draws) - 1)]
        x = np.column_stack([np.log(chosen["rate_factor"]), np.log(chosen["wind_factor"]), chosen["turn_deg"]])
        ends = zip(self.arrivals(x, "fires of the map"), chosen["hours"], chosen["local_sd"], strict=True)
        total = np.zeros(self.landscape.grid.shape)
        for arrival, hours, error in ends:
            with np.errstate(divide="ignore"):
                total += ndtr((np.log(hours * 60) - np.log(arrival)) / error)
        return (total / SHOWN).astype(np.float32)


def _start(landscape: Landscape, ignition: Ignition) -> Mask:
    rows, cols = check_start(landscape, ignition).cells.T
    mask = np.zeros(landscape.grid.shape, bool)
    mask[rows, cols] = True
    return mask


def _seen(perimeters: Sequence[Perimeter]) -> Iterator[Any]:
    for one in perimeters:
        yield from (one.burned, one.hours)
