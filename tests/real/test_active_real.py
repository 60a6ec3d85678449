"""What to label next is ahead of random on the Amazon polygons: few seeds, wide margins."""

import numpy as np
import pytest
from benchmarks.active import AMAZON, STRATEGIES, compare
from benchmarks.active_ground import amazon_ground, split

from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ground():
    return amazon_ground(data_folder("terrain-amazon-s2"))


def test_polygons_that_are_scored_are_never_labeled_and_every_class_is_on_both_sides(ground):
    for seed in range(5):
        pool, held = split(ground, np.random.default_rng(seed))
        assert not {ground.groups[i] for i in pool} & {ground.groups[i] for i in held}
        assert (
            {ground.truth[i][0] for i in pool} == {ground.truth[i][0] for i in held} == set(range(len(ground.classes)))
        )


def test_what_is_suggested_teaches_more_than_tiles_at_random_for_the_same_minutes(ground):
    told = compare(
        ground, seeds=range(3), strategies={n: STRATEGIES[n] for n in ("random", "ours")}, **(AMAZON | {"rounds": 4})
    )
    assert told.area("ours").mean() > told.area("random").mean() + 0.02
    assert told.minutes_to("ours").mean() < told.minutes_to("random").mean()
