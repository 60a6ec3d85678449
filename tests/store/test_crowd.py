"""Many workers at once, in processes of their own, some of them killed and some too slow: every task gets what it needs."""

import pytest

from crowd import crowd


@pytest.mark.slow
def test_a_crowd_finishes_everything_and_nobody_is_given_a_task_twice(where):
    """Eight processes, 60 tasks with two answers each, six workers killed at random, leases that run out."""
    tally = crowd(where, tasks=60, workers=8, kills=6)
    assert (tally.twice, tally.over, tally.unfinished, tally.faults) == (0, 0, 0, ()), tally
    assert tally.answers == 120
    assert tally.leases == tally.answers + tally.expired
    assert tally.expired > 0
