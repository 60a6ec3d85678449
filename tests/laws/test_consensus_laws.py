"""Consensus does not depend on the order of annotators, answers or tasks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.quality.consensus import fuse
from geolabel.quality.consensus.agree import agree
from geolabel.quality.patterns import distinct
from labels import answer, tasks_of, utm_grid

GRID = utm_grid(12, 12)
TASKS = tasks_of(GRID, 6)
METHODS = st.sampled_from([None, *fuse.METHODS])


@given(seed=st.integers(0, 10_000), n=st.integers(1, 4), method=METHODS, order=st.randoms(use_true_random=False))
@settings(max_examples=14, deadline=None)
def test_order_does_not_matter(seed, n, method, order):
    generator = np.random.default_rng(seed)
    truth = generator.random((12, 12)) < 0.5
    answers = [
        answer(t, GRID, truth[t.tile.slices] ^ (generator.random((6, 6)) < 0.2), by=f"person:{k}")
        for t in TASKS
        for k in range(n)
    ]
    gold = {t.id: truth[t.tile.slices] for t in TASKS[:2]}
    shuffled, tasks = order.sample(answers, len(answers)), order.sample(TASKS, len(TASKS))
    one = agree(TASKS, GRID, answers, gold=gold, classes=("burned",), method=method)
    other = agree(tasks, GRID, shuffled, gold=gold, classes=("burned",), method=method)
    assert {k: (c.digest, c.agreement, c.evidence) for k, c in one.items() if n > 1} == {
        k: (c.digest, c.agreement, c.evidence) for k, c in other.items() if n > 1
    }
    assert {k: c.digest for k, c in one.items()} == {k: c.digest for k, c in other.items()}


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_patterns_are_the_votes(seed, annotators, categories):
    codes = np.random.default_rng(seed).integers(-1, categories, (annotators, 40)).astype(np.int8)
    rows, index, counts = distinct(codes, categories)
    assert (np.bincount(index, minlength=len(rows)) == counts).all()
    assert (codes == rows[index].T).all()
    assert len(np.unique(rows, axis=0)) == len(rows)
