"""Our EM on distinct patterns against crowd-kit's, which walks every vote."""

import warnings

import numpy as np
import pandas as pd
import pytest

from geolabel.quality.consensus import em
from geolabel.quality.patterns import distinct


def votes(seed=3, items=3000, annotators=5):
    """(annotator, item) codes of two-coin annotators with a fifth of the votes missing."""
    generator = np.random.default_rng(seed)
    truth = generator.random(items) < 0.35
    right = generator.uniform(0.7, 0.95, (annotators, 2))
    said = np.where(generator.random((annotators, items)) < right[:, truth.astype(int)], truth, ~truth).astype(np.int8)
    said[generator.random(said.shape) < 0.2] = -1
    said[0, (said < 0).all(0)] = 0
    return said


def test_posteriors_are_crowd_kits():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aggregation = pytest.importorskip("crowdkit.aggregation", reason="crowd-kit is not installed")
    codes = votes()
    rows, index, counts = distinct(codes, 2)
    names, alone = tuple(f"w{n}" for n in range(len(codes))), np.ones(rows.shape)
    model = em.fit(em.Table(names, rows, alone, counts.astype(float), {}, 2), pseudo=1e-12)
    ours = model.of_patterns(rows, names, alone)[index, 1]
    worker, task = np.nonzero(codes >= 0)
    table = pd.DataFrame({"task": task, "worker": worker, "label": codes[worker, task].astype(int)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = aggregation.DawidSkene(n_iter=400, tol=1e-9).fit(table)
    expected = theirs.probas_.sort_index()[1].to_numpy()
    assert np.abs(ours - expected).max() < 1e-3
    matrix = theirs.errors_.sort_index()
    for n in range(len(names)):
        assert model.confusion[n, 1, 1] == pytest.approx(matrix.loc[(n, 1), 1], abs=1e-3)
