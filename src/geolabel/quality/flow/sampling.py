"""Acceptance sampling by attributes: how many tiles of a lot are inspected, and what the sample says of the lot.

A lot is the tiles of one delivery, a defective is a tile whose labels are not the inspector's (`quality.flow.defects`).
Probabilities are exact: hypergeometric for a lot of known size, binomial for a process without end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from geolabel.digests import digest
from geolabel.errors import QualityError
from geolabel.nouns.batch import Acceptance

Floats = NDArray[np.float64]
Decision = Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Single sampling plan: inspect `n` of `lot` tiles, and accept where at most `c` are defective."""

    lot: int
    n: int
    c: int

    def __post_init__(self) -> None:
        if not 0 <= self.c < self.n <= self.lot:
            raise QualityError(
                f"a plan that accepts {self.c} defects in {self.n} of {self.lot}", hint="0 <= c < n <= lot"
            )

    def accepts(self, defectives: ArrayLike) -> Floats:
        """Probability that a lot with this many defective tiles is accepted: the operating characteristic.

        Source: Montgomery, Introduction to Statistical Quality Control, section 15.2 (type A curve).
        """
        return np.asarray(stats.hypergeom.cdf(self.c, self.lot, np.asarray(defectives), self.n), np.float64)

    def inspected(self, defectives: ArrayLike) -> Floats:
        """Mean number of tiles inspected a lot, where a rejected lot is inspected whole (ATI)."""
        return self.n + (1 - self.accepts(defectives)) * (self.lot - self.n)

    def outgoing(self, defectives: ArrayLike) -> Floats:
        """Mean share of defective tiles after inspection (AOQ), where those that are found are mended.

        Source: Dodge and Romig 1959: defectives in the part of accepted lots that nobody inspected.
        """
        bad = np.asarray(defectives)[..., None]
        k = np.arange(self.c + 1)
        found = stats.hypergeom.pmf(k, self.lot, bad, self.n)
        return np.asarray((found * (bad - k)).sum(-1) / self.lot, np.float64)

    @property
    def outgoing_limit(self) -> float:
        """The worst mean outgoing quality, whatever comes in (AOQL), a share."""
        return float(self.outgoing(np.arange(self.lot + 1)).max())

    def curve(self) -> tuple[Floats, Floats]:
        """(share of defective tiles, probability of acceptance) at every number of defectives the lot can have."""
        defectives = np.arange(self.lot + 1)
        return defectives / self.lot, self.accepts(defectives)


def accepts(n: int, c: int, share: ArrayLike) -> Floats:
    """Probability that n of a process with this share of defectives hold at most c (binomial, type B curve)."""
    return np.asarray(stats.binom.cdf(c, n, np.asarray(share, float)), np.float64)


def single_plan(lot: int, told: Acceptance) -> Plan:
    """The smallest plan for a lot that keeps both risks: that of ISO 2859-1 where no rejectable quality is told.

    Raises
    ------
    QualityError
        For a lot of no tiles.
    """
    if lot < 1:
        raise QualityError(f"a lot of {lot} tiles", hint="a batch with tasks")
    if told.rejectable is None:
        return standard_plan(lot, told.aql)
    good, bad = math.floor(told.aql * lot + 1e-9), math.ceil(told.rejectable * lot - 1e-9)
    plans = (Plan(lot, _fewest(lot, c, bad, told.consumer_risk), c) for c in range(bad))
    return next(plan for plan in plans if float(plan.accepts(good)) >= 1 - told.producer_risk)  # c = good, n = lot does


def _fewest(lot: int, c: int, bad: int, risk: float) -> int:
    """The fewest tiles of which more than c are defective, save at this risk, where `bad` of the lot are."""
    low, high = c + 1, lot
    while low < high:
        middle = (low + high) // 2
        if float(Plan(lot, middle, c).accepts(bad)) <= risk:
            high = middle
        else:
            low = middle + 1
    return low


# ---------------------------------------------------------------------- ISO 2859-1
LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
"""The largest lot of each code letter but the last, general inspection level II (table 1)."""
LETTERS = "ABCDEFGHJKLMNPQR"
SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
"""Sample size of each code letter (table 2-A)."""
AQLS = (0.010, 0.015, 0.025, 0.040, 0.065, 0.10, 0.15, 0.25, 0.40, 0.65, 1.0, 1.5, 2.5, 4.0, 6.5, 10.0)
"""Acceptance quality limits, per cent nonconforming; those above 10 are nonconformities per 100 items."""
DIAGONAL = {14: 0, 17: 1, 18: 2, 19: 3, 20: 5, 21: 7, 22: 10, 23: 14, 24: 21}
"""Row plus column of table 2-A -> acceptance number: the same along each diagonal, since sizes and limits both grow by
the fifth root of ten. Between 0 and 1 an arrow up, then one down; arrows down before 0 and up after 21."""


def code_letter(lot: int) -> str:
    """Sample size code letter of a lot, general inspection level II, A to Q.

    Source: ISO 2859-1:1999, table 1 (as ANSI/ASQ Z1.4-2003, table I). Lots of one, which it leaves out, are A.
    """
    return LETTERS[int(np.searchsorted(LOTS, lot))]


def standard_plan(lot: int, aql: float) -> Plan:
    """Single sampling plan for normal inspection, general level II; a sample that is no smaller than the lot is all of it.

    Parameters
    ----------
    aql
        Share of defectives; the standard's next limit below it holds.

    Raises
    ------
    QualityError
        For an AQL below the standard's smallest, 0.010 %.

    Source: ISO 2859-1:1999, tables 1 and 2-A.
    """
    column = int(np.searchsorted(AQLS, 100 * aql * (1 + 1e-9), side="right")) - 1
    if column < 0:
        raise QualityError(f"an AQL of {aql:.4%}", hint=f"ISO 2859-1 begins at {AQLS[0]} %; inspect every tile")
    diagonal = _followed(LETTERS.index(code_letter(lot)) + column, column)
    n, c = SIZES[diagonal - column], DIAGONAL[diagonal]
    return Plan(lot, n, c) if n < lot else Plan(lot, lot, min(c, math.floor(AQLS[column] * lot / 100)))


def _followed(diagonal: int, column: int) -> int:
    """The diagonal with an acceptance number to which the arrows lead; there is no row above the first."""
    if diagonal == 15:
        return 14 if column < 15 else 17
    return 17 if diagonal == 16 else min(max(diagonal, 14), 24)


# ---------------------------------------------------------------------- the sample
def draw(task_ids: Sequence[str], n: int, seed: int | np.random.Generator, *, salt: str = "") -> tuple[str, ...]:
    """So many (`n`) of the tasks, by name: every set of n is as likely as any other, and the same for a seed and `salt`.

    Parameters
    ----------
    salt
        What nobody knows before the labels are made (their digest), so that nobody labels only what will be looked at.
    """
    ids = sorted(task_ids)
    if isinstance(seed, int | np.integer):
        seed = np.random.default_rng([int(seed), int(digest(ids, salt)[:12], 16)])
    return tuple(sorted(ids[i] for i in seed.choice(len(ids), n, replace=False)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sample says of a lot."""

    decision: Decision
    plan: Plan
    defects: int
    """Defective tiles in the sample."""
    low: float
    high: float
    """Between which the lot's share of defective tiles lies, at 95 %; exact for its size."""

    @property
    def share(self) -> float:
        """Share of the sample that is defective."""
        return self.defects / self.plan.n

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Verdict:
        """The verdict of `to_row`."""
        plan = Plan(*(row[name] for name in ("lot", "n", "c")))
        return cls(row["decision"], plan, row["defects"], row["low"], row["high"])

    def to_row(self) -> dict[str, Any]:
        """Plain JSON values; shares are rounded to a millionth."""
        plan = {name: getattr(self.plan, name) for name in ("lot", "n", "c")}
        found = {"defects": self.defects, "share": round(self.share, 6)}
        return {"decision": self.decision, **plan, **found, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return (
            f"{self.decision}: {self.defects} of {self.plan.n} inspected tiles are defective, at most {self.plan.c} may be;"
            f" of all {self.plan.lot} between {self.low:.1%} and {self.high:.1%}"
        )


def verdict(inspected: Mapping[str, bool], plan: Plan) -> Verdict:
    """Accept or reject of a lot by its inspected tasks (id -> whether it is defective).

    Raises
    ------
    QualityError
        Where more or fewer were inspected than the plan says.
    """
    if len(inspected) != plan.n:
        raise QualityError(
            f"{len(inspected)} tiles were inspected, the plan says {plan.n}",
            hint="inspect exactly the tiles that were drawn",
        )
    found = sum(inspected.values())
    low, high = (round(end, 6) for end in interval(found, plan.n, plan.lot))
    return Verdict("accept" if found <= plan.c else "reject", plan, found, low, high)


def interval(found: int, n: int, lot: int, *, level: float = 0.95) -> tuple[float, float]:
    """(low, high) share of defectives of a lot of which n were inspected and `found` are defective; covers `level` or more.

    Every number of defectives that does not make as few, or as many, as were found less likely than (1 - level) / 2.
    For a large lot it is the interval of Clopper and Pearson (1934); for a whole inspection it is one number.
    """
    tail = (1 - level) / 2
    numbers = np.arange(found, lot - n + found + 1)
    fewer = stats.hypergeom.cdf(found, lot, numbers, n)
    more = stats.hypergeom.sf(found - 1, lot, numbers, n)
    kept = numbers[(fewer > tail) & (more > tail)]
    return float(kept[0] / lot), float(kept[-1] / lot)
