"""A sequential test on gold tasks: pauses a careless annotator early, and a careful one hardly ever.

After each gold task the evidence for `careless` against `careful` grows or falls (the log-likelihood ratio); above the
upper bound the annotator is paused, below the lower one cleared, and the next test begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import QualityError

State = Literal["continue", "cleared", "pause"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sprt:
    """A sequential probability ratio test on tasks that are passed or failed.

    Wald's bounds in the form that holds exactly: by his inequality a careful annotator is paused in at most `alpha` of
    all careers however long, and a careless one cleared by the first test in at most `beta`. After k clearances the test
    spends alpha / 2**(k + 1), so that all tests of a career together stay below `alpha`.

    Source: Wald 1945, Annals of Mathematical Statistics 16:117 (sections 3.2 and 4.1).
    """

    careful: float = 0.85
    """Share of gold tasks that somebody careful passes, at least."""
    careless: float = 0.55
    """Share of gold tasks that somebody careless passes, at most."""
    alpha: float = 0.05
    """False alarms: share of careful annotators who are ever paused, at most."""
    beta: float = 0.05
    """Share of careless annotators whom the first test clears, at most."""
    most: int | None = None
    """Tasks after which a test without a decision ends in the annotator's favour; None: it goes on."""

    def __post_init__(self) -> None:
        if not 0 < self.careless < self.careful < 1:
            raise QualityError(
                f"careless annotators pass {self.careless}, careful ones {self.careful} of their tasks",
                hint="0 < careless < careful < 1",
            )
        if not (0 < self.alpha < 1 and 0 < self.beta < 1):
            raise QualityError(f"alpha {self.alpha} and beta {self.beta}", hint="both between 0 and 1, e.g. 0.05")
        if self.most is not None and self.most < 1:
            raise QualityError(f"a test of at most {self.most} tasks", hint="1 or more, or None")

    @property
    def steps(self) -> tuple[float, float]:
        """What a passed and a failed task add to the log-likelihood ratio."""
        return log(self.careless / self.careful), log((1 - self.careless) / (1 - self.careful))

    @property
    def lower(self) -> float:
        """Log-likelihood ratio at or below which somebody is cleared."""
        return log(self.beta)

    def upper(self, cleared: int = 0) -> float:
        """Log-likelihood ratio at or above which somebody is paused who was cleared so many times before."""
        return log(2 ** (cleared + 1) / self.alpha)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the test of one annotator stands."""

    state: State
    n: int
    """Gold tasks looked at; none after a pause."""
    failed: int
    llr: float
    """Log-likelihood ratio of the test that goes on, or that ended in a pause."""
    lower: float
    upper: float
    cleared: int
    """Tests that ended in the annotator's favour."""


def judge(outcomes: Sequence[bool], test: Sprt) -> Verdict:
    """Verdict on gold tasks in the order they were answered, True where passed."""
    llr, cleared, in_test = 0.0, 0, 0
    passed_adds, failed_adds = test.steps
    for n, passed in enumerate(outcomes, start=1):
        llr, in_test = llr + (passed_adds if passed else failed_adds), in_test + 1
        if llr >= test.upper(cleared):
            failed = n - sum(map(bool, outcomes[:n]))
            return Verdict("pause", n, failed, llr, test.lower, test.upper(cleared), cleared)
        if llr <= test.lower or in_test == test.most:
            llr, cleared, in_test = 0.0, cleared + 1, 0
    failed = len(outcomes) - sum(map(bool, outcomes))
    state: State = "cleared" if cleared else "continue"
    return Verdict(state, len(outcomes), failed, llr, test.lower, test.upper(cleared), cleared)


@dataclass(frozen=True, slots=True, eq=False)
class Operating:
    """What a test does to annotators who pass a given share of their tasks: exact, up to `n` tasks."""

    paused_by: Floats
    """(n + 1,) probability of a pause by each number of tasks, from 0."""
    first: Floats
    """(n + 1,) probability that the first test has ended by each number of tasks."""

    def within(self, share: float) -> int | None:
        """Fewest tasks within which this share of them is paused; None where it is not reached."""
        reached = np.flatnonzero(self.paused_by >= share)
        return int(reached[0]) if len(reached) else None

    @property
    def expected_tasks(self) -> float:
        """Mean number of tasks until the first test is decided; undecided ones count as the last task."""
        return float((1 - self.first[:-1]).sum())


def operating(test: Sprt, pass_rate: float, n: int = 200) -> Operating:
    """What the test does to somebody who passes this share of tasks, each apart from the others, over `n` tasks.

    No approximation: the k-th test begins when the one before it ended, so the probabilities of a career are convolved
    from those of its tests.

    Raises
    ------
    QualityError
        For a share that is not within 0-1.
    """
    if not 0 <= pass_rate <= 1:
        raise QualityError(f"a pass rate of {pass_rate}", hint="a share of tasks, 0 to 1")
    begun = np.zeros(n + 1)
    begun[0] = 1.0
    paused, decided = np.zeros(n + 1), np.zeros(n + 1)
    for cleared in range(n + 1):
        pauses, clears = _passages(test, cleared, pass_rate, n)
        paused += np.convolve(begun, pauses)[: n + 1]
        decided = pauses + clears if cleared == 0 else decided
        begun = np.convolve(begun, clears)[: n + 1]
        if not begun.any():
            break
    return Operating(np.cumsum(paused), np.cumsum(decided))


def _passages(test: Sprt, cleared: int, pass_rate: float, n: int) -> tuple[Floats, Floats]:
    """((n + 1,) probability that one test ends in a pause after each number of tasks, the same for clearance)."""
    alive, failures = np.zeros(n + 1), np.arange(n + 1)
    alive[0] = 1.0
    pauses, clears = np.zeros(n + 1), np.zeros(n + 1)
    for tasks in range(1, n + 1):
        alive = alive * pass_rate + np.r_[0.0, alive[:-1]] * (1 - pass_rate)
        llr = (tasks - failures) * test.steps[0] + failures * test.steps[1]
        up = llr >= test.upper(cleared)
        down = ~up & ((llr <= test.lower) | (tasks == test.most))
        pauses[tasks], clears[tasks] = alive[up].sum(), alive[down].sum()
        alive[up | down] = 0.0
    return pauses, clears
