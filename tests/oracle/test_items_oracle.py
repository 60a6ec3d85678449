"""Consensus of items against crowd-kit on simulated crowds, agreement against scikit-learn."""

import warnings

import numpy as np
import pandas as pd
import pytest

from geolabel.quality.items import agree_items, calibration, pair
from geolabel.quality.items.choose import METHODS
from geolabel.quality.items.table import Names, said_in


@pytest.fixture(scope="module")
def aggregation():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("crowdkit.aggregation", reason="crowd-kit is not installed")


@pytest.fixture(scope="module")
def table():
    """(answers of seven annotators to four of five of 400 items in three classes, truth)."""
    generator = np.random.default_rng(8)
    truth = generator.integers(0, 3, 400)
    rows = []
    for who, right in enumerate([0.95, 0.85, 0.8, 0.7, 0.7, 0.55, 0.45]):
        said = np.where(generator.random(400) < right, truth, (truth + generator.integers(1, 3, 400)) % 3)
        rows.append(pd.DataFrame({"task": np.arange(400), "worker": who, "label": said})[generator.random(400) < 0.8])
    return pd.concat(rows, ignore_index=True), pd.Series(truth)


def theirs(method, table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = method.fit(table).probas_.fillna(0).sort_index()
    return found[sorted(found)]


@pytest.mark.parametrize(("ours", "name"), [("dawid-skene", "DawidSkene"), ("one-coin", "OneCoinDawidSkene")])
def test_posteriors_are_crowd_kits_where_the_prior_is_weak(aggregation, table, ours, name):
    """Ours before it is tempered; the Dirichlet prior of a tenth of an answer a cell moves it by a little."""
    said = said_in(table[0], Names(annotator="worker"))
    log = METHODS[ours](said, said.known({})).log
    found = np.exp(log - log.max(1, keepdims=True))
    found /= found.sum(1, keepdims=True)
    expected = theirs(getattr(aggregation, name)(n_iter=300, tol=1e-9), table[0]).to_numpy()
    assert np.abs(found - expected).mean() < 0.005
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.99


def test_labels_are_crowd_kits_majority(aggregation, table):
    found = agree_items(table[0], method="majority", names=Names(annotator="worker"))
    expected = theirs(aggregation.MajorityVote(default_skill=1.0), table[0])
    best = expected.to_numpy() == expected.to_numpy().max(1, keepdims=True)
    assert (found.label.to_numpy() == expected.columns.to_numpy()[best.argmax(1)]).all()  # ties by name
    assert found.table["share"].to_numpy() == pytest.approx(expected.max(axis=1).to_numpy())


def test_glad_is_crowd_kits_glad(aggregation, table):
    """Two optimisers of one posterior: the labels are the same, the abilities in the same order."""
    two = table[0].assign(label=table[0]["label"].clip(upper=1)).query("task < 150")
    found = agree_items(two, method="glad", names=Names(annotator="worker"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = aggregation.GLAD(n_iter=12, silent=True).fit(two)
    expected = fitted.probas_.sort_index()[found.posterior.columns].to_numpy()
    assert (found.posterior.to_numpy().argmax(1) == expected.argmax(1)).mean() > 0.98
    order = found.annotators["accuracy"].to_numpy()
    assert np.corrcoef(order, fitted.alphas_.sort_index().to_numpy())[0, 1] > 0.9


def test_kappa_is_scikit_learns(table):
    metrics = pytest.importorskip("sklearn.metrics")
    answers = table[0].set_index("task")
    one, other = (answers.loc[answers["worker"] == who, "label"] for who in (1, 4))
    found = pair(one, other)
    both = pd.concat([one, other], axis=1, join="inner")
    assert found.n == len(both)
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(both.iloc[:, 0], both.iloc[:, 1]))
    assert found.agreement == pytest.approx(metrics.accuracy_score(both.iloc[:, 0], both.iloc[:, 1]))


def test_losses_are_scikit_learns(table):
    metrics = pytest.importorskip("sklearn.metrics")
    found = agree_items(table[0], method="dawid-skene", names=Names(annotator="worker"))
    truth = table[1][found.posterior.index].to_numpy()
    told = found.calibration(table[1].to_dict())
    assert told.log_loss == pytest.approx(metrics.log_loss(truth, found.posterior.to_numpy()))
    two = np.stack([1 - found.posterior[2], found.posterior[2]], axis=1)
    assert calibration(two, truth == 2).brier == pytest.approx(metrics.brier_score_loss(truth == 2, two[:, 1]))
