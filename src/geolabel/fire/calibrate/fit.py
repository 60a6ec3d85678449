"""Calibration of the rate of spread and of the wind on a fire's perimeters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr

from geolabel.digests import digest
from geolabel.errors import FireError
from geolabel.fire.arrays import F32, F64
from geolabel.fire.behave.point import CrownModel
from geolabel.fire.calibrate.likelihood import PIECES, Likelihood, Observed, Perimeter, observed
from geolabel.fire.calibrate.posterior import Calibration
from geolabel.fire.calibrate.prior import ERRORS, Prior, error_prior
from geolabel.fire.calibrate.runs import Runs
from geolabel.fire.calibrate.sampling import Proposal, normalised, sample
from geolabel.fire.front.ignition import Lit
from geolabel.fire.front.solver import Setting
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.stream import Progress, silent

ROUNDS = 4


def calibrate(
    landscape: Landscape,
    weather: Weather,
    ignition: Lit,
    perimeters: Sequence[Perimeter],
    *,
    seed: int,
    prior: Prior | None = None,
    closes_min: F32 | None = None,
    crown: CrownModel | None = None,
    runs: int = 600,
    pieces: float = PIECES,
    shown: int = 100,
    setting: Setting = "fast",
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
        As for `front.arrival.spread`: where it began. New growth alone is scored.
    perimeters
        In order of time; the last may have none (a final scar), and then the prior's durations are tried.
    closes_min, crown
        As for `spread`: control lines that were observed (those that were not bias the rate), and crown fire.
    runs
        Simulated fires, in `ROUNDS` rounds.
    pieces
        Independent observations the burned area counts for (`likelihood`).
    shown
        Draws that are burned anew for the map of burned probability.

    Raises
    ------
    FireError
        A bad ignition, perimeters that do not fit, weather that ends before the longest duration, too few runs.
    """
    if runs < 20 * ROUNDS:
        raise FireError(f"{runs} simulated fires in {ROUNDS} rounds", hint=f"at least {20 * ROUNDS}, better 600")
    fires = Runs(landscape, weather, ignition, closes_min, crown, setting, threads, progress)
    prior = prior or Prior()
    seen = observed(landscape, fires.lit, perimeters, prior, lasts_h=weather.end_hours, pieces=pieces)
    weather.check_lasts(float(seen.durations_h[-1]))
    work = _Work(fires, seen, Likelihood(seen))
    start = Proposal(np.zeros(3), np.diag(prior.sd**2))
    draws = work.table(*sample(start, ROUNDS, runs // ROUNDS, work.judge, np.random.default_rng(seed)))
    lines = [] if closes_min is None else [closes_min]
    return Calibration(
        draws=draws,
        prior=prior,
        grid=landscape.grid,
        burned_probability=work.probability(draws, shown, np.random.default_rng([seed, 1])),
        timed=seen.timed,
        controlled=closes_min is not None,
        perimeters=len(perimeters),
        unreachable=seen.unreachable,
        pieces=pieces,
        digest=digest(
            landscape.digest, weather.digest, *lines, *_told(perimeters), asdict(prior), [runs, pieces, seed, crown]
        ),
    )


@dataclass(frozen=True)
class _Work:
    """The fires of one calibration, and what was found of each."""

    fires: Runs
    seen: Observed
    likelihood: Likelihood
    found: list[tuple[F64, F64]] = field(default_factory=list)
    """Of each fire: (duration, error) log of likelihood times prior, (duration,) Sorensen."""

    def judge(self, x: F64, number: int) -> F64:
        """(n,) log-likelihood of each draw, its duration and local error summed out."""
        given = np.log(error_prior()) - np.log(len(self.seen.durations_h))
        what = f"fires of round {number + 1} of {ROUNDS}"
        for arrival in self.fires.arrivals(x, self.seen.horizon_h, what):
            self.found.append((self.likelihood.log(arrival) + given, self.likelihood.agreement(arrival)))
        return np.asarray(logsumexp([log for log, _ in self.found[-len(x) :]], axis=(1, 2)))

    def table(self, x: F64, log_weight: F64) -> pd.DataFrame:
        """One row a draw and duration, `posterior.COLUMNS`."""
        log, same = (np.stack(part) for part in zip(*self.found, strict=True))
        total = logsumexp(log, axis=(1, 2))
        after = normalised(log_weight)[:, None] * np.exp(logsumexp(log, axis=2) - total[:, None])
        before = normalised(log_weight - total)[:, None] * np.full(after.shape, 1 / after.shape[1])
        error = np.exp(log - logsumexp(log, axis=2, keepdims=True)) @ np.asarray(ERRORS)
        columns = {
            "rate_factor": np.exp(x[:, :1]),
            "wind_factor": np.exp(x[:, 1:2]),
            "turn_deg": x[:, 2:],
            "hours": self.seen.durations_h,
            "local_sd": error,
            "sorensen": same,
            "before": before / before.sum(),
            "weight": after / after.sum(),
            "run": np.arange(len(x))[:, None],
        }
        return pd.DataFrame({name: np.broadcast_to(part, after.shape).ravel() for name, part in columns.items()})

    def probability(self, draws: pd.DataFrame, shown: int, rng: np.random.Generator) -> F32:
        """(y, x) probability of having burned at the end, over draws taken by their weights (systematic resampling)."""
        below = np.cumsum(draws["weight"].to_numpy())
        places = np.searchsorted(below / below[-1], (np.arange(shown) + rng.random()) / shown)
        chosen = draws.iloc[np.minimum(places, len(draws) - 1)]
        x = np.column_stack([np.log(chosen["rate_factor"]), np.log(chosen["wind_factor"]), chosen["turn_deg"]])
        came = self.fires.arrivals(x, self.seen.horizon_h, "fires of the map")
        total = np.zeros(self.fires.landscape.grid.shape)
        for arrival, hours, error in zip(came, chosen["hours"], chosen["local_sd"], strict=True):
            with np.errstate(divide="ignore"):
                total += ndtr((np.log(hours * 60) - np.log(arrival)) / error)
        return (total / shown).astype(np.float32)


def _told(perimeters: Sequence[Perimeter]) -> Iterator[Any]:
    for one in perimeters:
        yield from (one.burned, one.hours)
