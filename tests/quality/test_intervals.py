import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geolabel.errors import QualityError
from geolabel.quality.intervals import bootstrap, median, ratio, resampled, wilson


def mean(values):
    return lambda weights: weights @ values / weights.sum(1)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("passed", "n"), [(0, 5), (5, 5), (1, 7), (40, 50), (999, 1000)])
def test_wilson_is_that_of_scipy(passed, n, level):
    known = stats.binomtest(passed, n).proportion_ci(level, "wilson")
    assert wilson(passed, n, level=level) == pytest.approx((known.low, known.high), abs=1e-12)


def test_wilson_of_its_paper():
    """Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (passed, n), ends in published.items():
        assert wilson(passed, n) == pytest.approx(ends, abs=5e-5)


def test_nothing_was_tried():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(bootstrap(mean(np.ones(1)), 1)).all()
    assert np.isnan(bootstrap(ratio(np.zeros(4), np.zeros(4)), 4)).all()


def test_bad_trials_are_told():
    for bad in (lambda: wilson(3, 2), lambda: wilson(-1, 2), lambda: wilson(1, 2, level=95)):
        with pytest.raises(QualityError):
            bad()


def test_bca_is_that_of_scipy():
    values = np.random.default_rng(1).lognormal(size=40)
    known = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2))
    own = bootstrap(mean(values), 40, resamples=20_000, expand=False)
    wide = known.confidence_interval.high - known.confidence_interval.low
    assert own == pytest.approx(tuple(known.confidence_interval), abs=0.03 * wide)
    plain = bootstrap(mean(values), 40, resamples=20_000, way="percentile", expand=False)
    assert own.high > plain.high  # the long tail is above


def test_expanded_intervals_of_a_mean_are_students():
    values = np.random.default_rng(4).normal(size=12)
    low, high = bootstrap(mean(values), 12, resamples=20_000, way="percentile")
    half = stats.t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert (high - low) / 2 == pytest.approx(half, rel=0.04)


def test_a_seed_gives_the_same():
    values = np.arange(20.0)
    assert bootstrap(mean(values), 20, seed=3) == bootstrap(mean(values), 20, seed=3)
    assert bootstrap(mean(values), 20, seed=3) != bootstrap(mean(values), 20, seed=4)
    assert (resampled(9).sum(1) == 9).all()


def test_what_does_not_vary_has_no_width():
    assert bootstrap(mean(np.full(6, 2.5)), 6) == (2.5, 2.5)


def test_median_of_drawn_tasks_is_numpys():
    generator = np.random.default_rng(5)
    values, units = generator.integers(-9, 9, 60).astype(float), generator.integers(0, 6, 60)
    counts = resampled(6, resamples=50, seed=1)
    drawn = [np.concatenate([np.repeat(values[units == u], n) for u, n in enumerate(row)]) for row in counts]
    assert median(values, units, 6)(counts.astype(float)) == pytest.approx([np.median(one) for one in drawn])
    assert np.isnan(median([1.0], [0], 2)(np.array([[0.0, 2.0]]))).all()


def test_ratio_is_pooled_over_tasks():
    pooled = ratio([1, 0, 4], [2, 0, 4])
    assert pooled(np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0]])) == pytest.approx([5 / 6, 1 / 2])
    assert np.isnan(pooled(np.array([[0.0, 3.0, 0.0]]))).all()


@settings(max_examples=60)
@given(n=st.integers(2, 6), seed=st.integers(0, 1000), way=st.sampled_from(["bca", "percentile"]))
def test_few_units_have_an_interval_within_what_can_be_drawn(n, seed, way):
    """With two units the expanded quantiles are 0 and 1, and far-out ones pass the pole of the acceleration."""
    rng = np.random.default_rng(seed)
    parts, wholes = rng.integers(0, 5, n) ** 3, rng.integers(1, 200, n)
    found = bootstrap(ratio(parts, wholes), n, way=way, resamples=400)
    shares = parts / wholes
    assert shares.min() - 1e-9 <= found.low <= found.high <= shares.max() + 1e-9
