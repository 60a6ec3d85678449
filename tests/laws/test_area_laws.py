"""Laws of area and accuracy: whatever a sample says, shares sum to one, names and scale do not matter, limits enclose."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolabel.quality.survey.area import accuracy
from geolabel.quality.survey.design import ALLOCATIONS, allocate, sample_size
from geolabel.quality.survey.limits import METHODS

ERRORS = [f"{name}_se" for name in ("users", "producers")] + ["area_se_m2"]
FIGURES = ["users", "producers", "area_m2", *ERRORS, "area_low_m2", "area_high_m2", "producers_low", "producers_high"]


@st.composite
def samples(draw):
    """(matrix, areas): two to five classes, every stratum with two samples at least."""
    k = draw(st.integers(2, 5))
    counts = draw(st.lists(st.lists(st.integers(0, 60), min_size=k, max_size=k), min_size=k, max_size=k))
    matrix = np.array(counts)
    matrix[np.arange(k), np.arange(k)] += 2
    areas = draw(st.lists(st.floats(1.0, 1e6), min_size=k, max_size=k))
    return matrix, np.array(areas)


@given(samples(), st.sampled_from(METHODS))
def test_areas_sum_to_the_map_and_shares_to_one(sample, method):
    matrix, areas = sample
    found = accuracy(matrix, areas, method=method)
    assert found.table["area_m2"].sum() == pytest.approx(areas.sum())
    assert found.proportions.to_numpy().sum() == pytest.approx(1)
    assert found.proportions.to_numpy().sum(1) * areas.sum() == pytest.approx(areas)
    assert np.trace(found.proportions) == pytest.approx(found.overall.value)


@given(samples(), st.sampled_from(METHODS))
def test_limits_enclose_what_they_are_the_limits_of(sample, method):
    found = accuracy(*sample, method=method)
    assert 0 <= found.overall.low <= found.overall.value + 1e-12
    assert found.overall.value - 1e-12 <= found.overall.high <= 1
    for name in ("users", "producers"):
        low, value, high = (found.table[f"{name}{end}"] for end in ("_low", "", "_high"))
        there = value.notna()
        assert ((low >= 0) & (low <= value + 1e-9) & (value <= high + 1e-9) & (high <= 1))[there].all()
    total = found.total_m2 * (1 + 1e-9)
    assert (found.table["area_low_m2"] <= found.table["area_m2"] + total * 1e-9).all()
    assert (found.table["area_m2"] <= found.table["area_high_m2"] + total * 1e-9).all()
    assert (found.table["area_high_m2"] <= total).all()


@given(samples(), st.sampled_from(METHODS), st.data())
def test_the_order_of_the_classes_does_not_matter(sample, method, data):
    matrix, areas = sample
    order = data.draw(st.permutations(range(len(areas))))
    names = [f"c{n}" for n in range(len(areas))]
    one = accuracy(matrix, areas, classes=names, method=method)
    other = accuracy(matrix[np.ix_(order, order)], areas[list(order)], classes=[names[n] for n in order], method=method)
    same = other.table.set_index("class").loc[names, FIGURES].to_numpy()
    assert same == pytest.approx(one.table[FIGURES].to_numpy(), rel=1e-6, abs=1e-7, nan_ok=True)
    assert other.overall.se == pytest.approx(one.overall.se)


@given(samples(), st.sampled_from(METHODS), st.floats(1e-3, 1e3))
def test_a_larger_map_of_the_same_shares_scales_areas_only(sample, method, factor):
    matrix, areas = sample
    one, other = accuracy(matrix, areas, method=method), accuracy(matrix, areas * factor, method=method)
    for name in ("area_m2", "area_se_m2", "area_low_m2", "area_high_m2"):
        assert other.table[name].to_numpy() == pytest.approx(
            one.table[name].to_numpy() * factor, rel=1e-6, abs=1e-9 * other.total_m2
        )
    assert other.overall.value == pytest.approx(one.overall.value)


@given(st.integers(0, 80), st.integers(0, 80))
def test_one_stratum_is_a_simple_share(hits, misses):
    n = hits + misses + 2
    found = accuracy(pd.DataFrame([[hits + 1, misses + 1]], ["a"], ["a", "b"]), [7.0])
    share = (hits + 1) / n
    assert found.overall.value == pytest.approx(share)
    assert found.overall.se == pytest.approx(np.sqrt(share * (1 - share) / (n - 1)))
    assert found.table["area_m2"].tolist() == pytest.approx([7 * share, 7 * (1 - share)])


@given(samples(), st.sampled_from(METHODS))
def test_more_samples_of_the_same_shares_are_surer(sample, method):
    matrix, areas = sample
    one, other = accuracy(matrix, areas, method=method), accuracy(matrix * 4, areas, method=method)
    assert other.table["area_m2"].to_numpy() == pytest.approx(one.table["area_m2"].to_numpy())
    assert (other.table["area_se_m2"] <= one.table["area_se_m2"] + 1e-9).all()
    widths = [t["area_high_m2"] - t["area_low_m2"] for t in (one.table, other.table)]
    assert (widths[1] <= widths[0] + 1e-9 * areas.sum()).all()


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(2, 500), st.floats(0, 0.5)), min_size=1, max_size=6),
    st.sampled_from(ALLOCATIONS),
    st.integers(2, 100),
    st.data(),
)
def test_allocations_give_out_all_points_and_no_more_than_there_are(strata, how, least, data):
    areas, pixels, spread = zip(*strata, strict=True)
    n = data.draw(st.integers(2 * len(strata), sum(pixels)))
    given_out = allocate(areas, n, how, spread=spread, least=least, pixels=pixels)
    assert sum(given_out) == n
    assert all(2 <= one <= most for one, most in zip(given_out, pixels, strict=True))


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 0.99)), min_size=1, max_size=6), st.floats(0.005, 0.1))
def test_the_sample_size_is_the_smallest_that_keeps_the_standard_error(strata, se):
    areas, users = (np.array(one) for one in zip(*strata, strict=True))
    spread = areas / areas.sum() @ np.sqrt(users * (1 - users))
    n = sample_size(areas, users, se)
    assert spread / np.sqrt(n) <= se * (1 + 1e-6)
    assert n == 1 or spread / np.sqrt(n - 1) > se * (1 - 1e-6)
