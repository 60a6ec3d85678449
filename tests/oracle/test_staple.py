"""EM on the distinct patterns against the two programs that are known for it, on the same votes."""

import numpy as np
import pytest

from benchmarks import teams


@pytest.fixture(scope="module")
def votes():
    return teams.big_votes(96)


def test_the_posterior_is_that_of_staple(votes):
    """Truth and performance of each annotator, estimated on one task alone (Warfield et al. 2004)."""
    pytest.importorskip("SimpleITK")
    own, peer = teams.ours(teams.big_task(votes)), teams.simple_itk(votes)
    assert ((own > 0.5) == (peer > 0.5)).mean() > 0.995


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pandas", "ignore::DeprecationWarning:crowdkit")
def test_the_labels_are_those_of_crowd_kit(votes):
    pytest.importorskip("crowdkit")
    own, peer = teams.ours(teams.big_task(votes)), teams.crowd_kit(votes)
    assert ((own > 0.5) == peer).mean() > 0.999
    assert np.isfinite(own).all()
