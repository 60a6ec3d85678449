"""Confident learning and softmin against cleanlab."""

import numpy as np
import pytest

from geolabel.quality.doubt import confident


def examples(k, n=500, seed=1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    labels = np.where(rng.random(n) < 0.15, rng.integers(0, k, n), truth)
    chances = 0.5 * rng.dirichlet(np.full(k, 0.4), n)
    chances[np.arange(n), truth] += 0.5
    return chances, labels


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("k", [2, 4, 7])
def test_joint_thresholds_and_candidates_are_cleanlabs(k):
    count = pytest.importorskip("cleanlab.count", reason="cleanlab is not installed: pip install cleanlab")
    from cleanlab.filter import find_label_issues

    chances, labels = examples(k)
    found = confident.noise(chances, labels)
    assert found.thresholds == pytest.approx(count.get_confident_thresholds(labels, chances))
    assert (found.counts == count.compute_confident_joint(labels, chances, calibrate=False)).all()
    theirs = count.estimate_joint(labels, chances)  # rounds to whole examples before it divides
    assert found.joint == pytest.approx(theirs, abs=k / len(labels))
    issues = find_label_issues(labels, chances, filter_by="confident_learning", n_jobs=1)
    assert (confident.candidates(chances, labels) == issues).all()


@pytest.mark.filterwarnings("ignore")
def test_softmin_is_cleanlabs_for_whole_images():
    rank = pytest.importorskip("cleanlab.segmentation.rank", reason="cleanlab is not installed: pip install cleanlab")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (5, 12, 9))
    chances = rng.dirichlet(np.ones(3), (5, 12, 9)).transpose(0, 3, 1, 2)
    theirs, _ = rank.get_label_quality_scores(labels, chances, method="softmin", verbose=False)
    own = np.take_along_axis(chances, labels[:, None], 1)[:, 0].ravel()
    assert confident.softmin(own, np.repeat(np.arange(5), 12 * 9), 5, temperature=0.1) == pytest.approx(theirs)
