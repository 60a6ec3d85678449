"""Whether ensembles know how sure they are: spread against error, reliability, ranks and CRPS, over many fires.

A case is an ensemble and the fire that came to be, as arrivals in minutes (inf where it did not come) on one grid. What
has not come by the last lead time counts as arriving then: so a cell that is spared is data too. Cells of one fire err
together: what these tables say is only as sure as the number of cases, not of cells, makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import FireError
from geolabel.fire.arrays import F64, I64, Mask
from geolabel.fire.campaign.ensemble import Ensemble

if TYPE_CHECKING:
    import pandas as pd

Case = tuple[Ensemble, NDArray[np.floating]]
"""(ensemble, (y, x) arrival of the truth, minutes; inf where it did not come)."""
RANKS = 10
"""Bars of the rank histogram."""


@dataclass(frozen=True, slots=True)
class SpreadSkill:
    """Spread and error over cases, each case weighing the same."""

    case_spread_min: F64
    """(case,) root mean variance of arrival over the cells that truth or a member reached, widened for the finite
    ensemble."""
    case_error_min: F64
    """(case,) root mean square error of the mean arrival in the same cells."""
    spread_min: F64
    """(bin,) the same over all cases, for cells in bins of rising spread."""
    error_min: F64
    share: F64
    """(bin,) of the cells."""
    forecast: F64
    """(bin,) mean probability of burning by the last hour, in bins of it."""
    observed: F64
    """(bin,) share of those cells that burned."""
    forecast_share: F64
    ranks: F64
    """(RANKS,) share of cells whose truth lies in each tenth of the members' arrivals; flat where the spread is right."""
    size_ranks: I64
    """(case,) number of members whose fire was smaller than the true one; uniform on 0..n where the spread is right."""
    members: I64
    """(case,) members."""
    crps_min: float
    """Mean continuous ranked probability score of arrival, minutes."""

    @property
    def ratio(self) -> float:
        """Root mean square spread over error: 1 where ensembles are as unsure as they should be, below where too sure."""
        return float(np.sqrt((self.case_spread_min**2).sum() / (self.case_error_min**2).sum()))

    def ratio_interval(self, level: float = 0.9, *, seed: int = 0, draws: int = 2000) -> tuple[float, float]:
        """Bootstrap interval of `ratio` over cases."""
        pick = np.random.default_rng(seed).integers(len(self.members), size=(draws, len(self.members)))
        ratios = np.sqrt((self.case_spread_min**2)[pick].sum(1) / (self.case_error_min**2)[pick].sum(1))
        low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @property
    def outer_ranks(self) -> float:
        """Share of the two outermost tenths, .2 where the spread is right: more says that truth falls outside too often."""
        return float(self.ranks[0] + self.ranks[-1])

    def table(self) -> pd.DataFrame:
        """Spread against error: `spread_min`, `error_min`, `share` of the cells, a row a bin."""
        import pandas as pd

        return pd.DataFrame({"spread_min": self.spread_min, "error_min": self.error_min, "share": self.share})

    def reliability(self) -> pd.DataFrame:
        """Probability against frequency: `forecast`, `observed`, `share` of the cells, a row a bin."""
        import pandas as pd

        return pd.DataFrame({"forecast": self.forecast, "observed": self.observed, "share": self.forecast_share})


def spread_skill(cases: Iterable[Case], *, bins: int = 5, seed: int = 0) -> SpreadSkill:
    """How far the spread of ensembles tells their error, over the cells that the truth or a member reached.

    Were the truth one more member, chosen at random, spread and error would be the same on average, and the truth's rank
    among the members uniform.

    Parameters
    ----------
    cases
        Read once, one in memory at a time.
    bins
        Of spread (equal steps from 0 to the largest there can be) and of probability.
    seed
        Breaks ties of ranks within a bin of arrival.

    Raises
    ------
    FireError
        No case, a truth on another grid or that nowhere burns, ensembles of different lead times.
    """
    rng, found, last = np.random.default_rng(seed), [], set()
    for ensemble, arrival_min in cases:
        if arrival_min.shape != ensemble.grid.shape:
            raise FireError(f"a truth of shape {arrival_min.shape} on {ensemble.grid!r}")
        last.add(float(ensemble.ends_min[-1]))
        found.append(_score(ensemble, np.asarray(arrival_min, float), bins, rng))
    if not found:
        raise FireError("no case to score", hint="several fires, each with its ensemble")
    if len(last) > 1:
        raise FireError(f"ensembles up to {sorted(last)} minutes", hint="the same last hour for all")
    return _pooled(found)


@dataclass(frozen=True, slots=True)
class _Scored:
    """What one case adds; shares and sums over bins are of its cells, so they add up to the case's mean."""

    variance: F64
    squared: F64
    share: F64
    forecast: F64
    observed: F64
    forecast_share: F64
    ranks: F64
    size_rank: int
    members: int
    crps_min: float


def _score(ensemble: Ensemble, arrival_min: F64, bins: int, rng: np.random.Generator) -> _Scored:
    last, n, came = float(ensemble.ends_min[-1]), ensemble.n, ensemble.came
    here = (came > 0) | (arrival_min <= last)
    if not here.any():
        raise FireError("neither the truth nor a member burned a cell", hint="arrivals in minutes after ignition")
    truth, burned, n_cells = np.minimum(arrival_min[here], last), (arrival_min <= last)[here], int(here.sum())
    counts = np.vstack([ensemble.arrivals[:, here], (n - came[here])[None]]).astype(float)
    begins = np.concatenate([[0.0], ensemble.ends_min])
    middle = np.append((begins[:-1] + begins[1:]) / 2, last)  # who never came, comes at the end
    mean = middle @ counts / n
    variance = ((middle**2) @ counts / n - mean**2).clip(0) * (n + 1) / (n - 1)
    step = np.minimum((2 * np.sqrt(variance) / last * bins).astype(int), bins - 1)
    probability = came[here] / n
    part = np.minimum((probability * bins).astype(int), bins - 1)

    def summed(which: NDArray[np.int_], values: NDArray[np.generic]) -> F64:
        return np.bincount(which, np.asarray(values, float), bins) / n_cells

    return _Scored(
        variance=summed(step, variance),
        squared=summed(step, (truth - mean) ** 2),
        share=summed(step, np.ones(n_cells)),
        forecast=summed(part, probability),
        observed=summed(part, burned),
        forecast_share=summed(part, np.ones(n_cells)),
        ranks=_ranks(counts, truth, burned, ensemble.ends_min, rng),
        size_rank=int((ensemble.size_ha < burned.sum() * ensemble.grid.cell_area_m2() / 1e4).sum()),
        members=n,
        crps_min=float(_crps(counts, truth, begins, n).mean()),
    )


def _ranks(counts: F64, truth: F64, burned: Mask, ends: F64, rng: np.random.Generator) -> F64:
    """(RANKS,) share of cells by the rank of their truth among truth and members, ties broken at random."""
    own = np.where(burned, np.searchsorted(ends, truth), len(ends))
    below = np.concatenate([np.zeros((1, len(truth))), np.cumsum(counts, 0)])
    cell = np.arange(len(truth))
    rank = below[own, cell] + rng.random(len(truth)) * (counts[own, cell] + 1)
    share = rank / (counts.sum(0) + 1)
    return np.bincount(np.minimum((share * RANKS).astype(int), RANKS - 1), minlength=RANKS) / len(truth)


def _crps(counts: F64, truth: F64, begins: F64, n: int) -> F64:
    """(cell,) integral over time of the squared difference between the members' and the truth's share that has come.

    Within a bin members come evenly.
    """
    before = np.concatenate([np.zeros((1, len(truth))), np.cumsum(counts[:-1], 0)]) / n
    out = np.zeros(len(truth))
    for i, (begin, end) in enumerate(pairwise(begins)):
        low, high, cut = before[i], before[i + 1], np.clip((truth - begin) / (end - begin), 0, 1)
        middle = low + (high - low) * cut
        out += (end - begin) * (cut * _mean_square(low, middle) + (1 - cut) * _mean_square(1 - middle, 1 - high))
    return out


def _mean_square(a: F64, b: F64) -> F64:
    """Mean of x**2 over the line from a to b."""
    return (a * a + a * b + b * b) / 3


def _pooled(found: Sequence[_Scored]) -> SpreadSkill:
    def mean(name: str) -> F64:
        return np.asarray(np.mean([getattr(one, name) for one in found], 0), float)

    share, parts = mean("share"), mean("forecast_share")
    some, kept = share > 0, parts > 0
    return SpreadSkill(
        case_spread_min=np.sqrt([one.variance.sum() for one in found]),
        case_error_min=np.sqrt([one.squared.sum() for one in found]),
        spread_min=np.sqrt(mean("variance")[some] / share[some]),
        error_min=np.sqrt(mean("squared")[some] / share[some]),
        share=share[some],
        forecast=mean("forecast")[kept] / parts[kept],
        observed=mean("observed")[kept] / parts[kept],
        forecast_share=parts[kept],
        ranks=mean("ranks"),
        size_ranks=np.array([one.size_rank for one in found]),
        members=np.array([one.members for one in found]),
        crps_min=float(mean("crps_min")),
    )
