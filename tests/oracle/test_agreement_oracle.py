"""Agreement against the `krippendorff` package and statsmodels, on real answers' pixels and on drawn tables."""

import numpy as np
import pytest

from geolabel.quality.people.agreement import agreement, alpha, coded, coincidences, fleiss, fleiss_sums
from labels import scar, tasks_of, team, utm_grid

krippendorff = pytest.importorskip("krippendorff", reason="the krippendorff package is no part of this environment")
inter_rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="statsmodels is no part of this environment")


def counts_of(codes, n_values):
    return np.stack([(codes == value).sum(0) for value in range(n_values)], 1)


@pytest.mark.parametrize("n_values", [2, 5])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_alpha_with_missing_codes(n_values, missing, seed):
    generator = np.random.default_rng(seed)
    codes = (generator.integers(0, n_values, 200) + (generator.random((4, 200)) < 0.3)) % n_values
    codes[generator.random(codes.shape) < missing] = -1
    table = np.where(codes < 0, np.nan, codes)
    known = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert alpha(coincidences(counts_of(codes, n_values))) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("n_values", [2, 5])
def test_kappa_without_missing_codes(n_values):
    counts = np.random.default_rng(n_values).multinomial(6, np.full(n_values, 1 / n_values), 300)
    assert fleiss(fleiss_sums(counts)) == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-12)


def test_both_on_the_pixels_of_a_team():
    grid, truth = utm_grid(128, 128), scar()
    tasks = tasks_of(grid, 32)
    given = team(truth, grid, tasks, ["expert", "over", "careless"])
    (row,) = agreement(tasks, grid, given, classes=("burned",)).itertuples()
    codes = np.concatenate([one.codes.reshape(3, -1) for one in coded(tasks, grid, given, ("burned",))], 1)
    counts = counts_of(codes, 2)
    known = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert row.alpha == pytest.approx(known, abs=1e-9)
    assert row.kappa == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)
