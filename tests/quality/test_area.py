"""Accuracy and area: published examples, direct formulas, SciPy, the bootstrap, and populations that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geolabel.errors import QualityError
from geolabel.quality.survey.area import Accuracy, accuracy, accuracy_by_strata
from geolabel.quality.survey.design import allocate, design, sample_size
from geolabel.quality.survey.points import count, draw, whole
from labels import utm_grid

MATRIX = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
NAMES = ("deforestation", "gain", "forest", "other")
WEIGHTS, USERS = (0.02, 0.015, 0.32, 0.645), (0.7, 0.6, 0.9, 0.95)


def example(**how):
    return accuracy(MATRIX, PIXELS * 900.0, classes=NAMES, **how)


# ---------------------------------------------------------------------- published examples
def test_the_worked_example_of_olofsson_2014_is_exact():
    found = example()
    table = found.table.set_index("class")
    assert table["users"].round(4).tolist() == [0.8800, 0.7333, 0.9273, 0.9631]
    assert table["producers"].round(4).tolist() == [0.7487, 0.8472, 0.9345, 0.9616]
    assert (round(found.overall.value, 4), round(1.96 * found.overall.se, 4)) == (0.9465, 0.0185)
    assert (table["area_m2"] / 1e4).round().tolist() == [21158, 11686, 285770, 581386]
    assert (found.margin_m2() / 1e4).round().tolist() == [6158, 3756, 15510, 16282]
    assert (1.96 * table["users_se"]).round(2).tolist() == [0.07, 0.10, 0.04, 0.02]  # Table 8 of the paper
    assert (1.96 * table["producers_se"]).round(2).tolist() == [0.21, 0.25, 0.03, 0.02]
    assert table["mapped_m2"].tolist() == (PIXELS * 900.0).tolist()


def test_the_sample_size_of_olofsson_2014():
    assert sample_size(WEIGHTS, USERS, 0.01) == 641
    assert sample_size(np.array(WEIGHTS) * 7, USERS, 0.01) == 641
    assert sample_size(WEIGHTS, USERS, 0.01, pixels=(20, 15, 320, 645)) < 641


def test_the_allocations_of_olofsson_2014():
    assert allocate(WEIGHTS, 641, "proportional") == (13, 10, 205, 413)
    assert sorted(allocate(WEIGHTS, 641, "equal")) == [160, 160, 160, 161]
    for least in (50, 75, 100):
        rare, gain, forest, other = allocate(WEIGHTS, 641, "compromise", least=least)
        assert (rare, gain) == (least, least)
        assert forest / other == pytest.approx(0.32 / 0.645, abs=0.01)
        assert rare + gain + forest + other == 641


STEHMAN = pd.DataFrame(
    {
        "stratum": [*"AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD"],
        "map": [*"AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD"],
        "reference": [*"AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB"],
    }
)
SIZES = {"A": 40_000.0, "B": 30_000.0, "C": 20_000.0, "D": 10_000.0}


def test_the_numerical_example_of_stehman_2014():
    found = accuracy_by_strata(STEHMAN, SIZES, pixels=SIZES)
    table = found.table.set_index("class")
    assert (table["area_m2"] / 1e5).round(3).tolist() == [0.35, 0.34, 0.20, 0.11]
    assert (table["area_se_m2"] / 1e5).round(3)[["A", "C"]].tolist() == [0.082, 0.064]
    assert (round(found.overall.value, 2), round(found.overall.se, 3)) == (0.63, 0.085)
    assert (round(table["users"]["B"], 3), round(table["users_se"]["B"], 3)) == (0.574, 0.125)
    assert round(table["producers"]["B"], 3) == 0.794
    assert found.proportions.loc["B", "C"] == pytest.approx(0.08)


# ---------------------------------------------------------------------- other ways to the same figures
def by_hand(rows, sizes, y, x=None):
    """(ratio, standard error) of indicators of single samples: Stehman 2014, eqs. 2, 25, 27 and 28, from covariances."""
    x = np.ones(len(rows)) if x is None else x
    total = sum(sizes.values())
    means, parts = [], []
    for name, size in sizes.items():
        own = (rows["stratum"] == name).to_numpy()
        means.append((size * y[own].mean(), size * x[own].mean()))
        parts.append((size, own.sum(), np.cov(y[own], x[own])))
    top, bottom = np.sum(means, axis=0)
    ratio = top / bottom
    spread = [s**2 * (1 - n / s) * (c[0, 0] + ratio**2 * c[1, 1] - 2 * ratio * c[0, 1]) / n for s, n, c in parts]
    return ratio, np.sqrt(sum(spread)) / bottom, total


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_that_of_the_survey_formula(seed):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({name: rng.choice([*"ABC"], 90) for name in ("stratum", "map", "reference")})
    sizes = {"A": 500.0, "B": 90.0, "C": 2000.0}
    found = accuracy_by_strata(rows, sizes, pixels=sizes)
    right = (rows["map"] == rows["reference"]).to_numpy()
    assert (found.overall.value, found.overall.se) == pytest.approx(by_hand(rows, sizes, right * 1.0)[:2])
    for row in found.table.to_dict("records"):
        shown, there = (rows[column].eq(row["class"]).to_numpy() for column in ("map", "reference"))
        area, error, total = by_hand(rows, sizes, there * 1.0)
        assert (row["area_m2"], row["area_se_m2"]) == pytest.approx((area * total, error * total))
        for name, of in (("users", shown), ("producers", there)):
            assert (row[name], row[f"{name}_se"]) == pytest.approx(
                by_hand(rows, sizes, (right & of) * 1.0, of * 1.0)[:2]
            )


def test_strata_that_are_the_map_classes_give_the_same_either_way():
    rows = pd.DataFrame(
        [(NAMES[i], NAMES[i], NAMES[j]) for i in range(4) for j in range(4) for _ in range(MATRIX[i][j])],
        columns=["stratum", "map", "reference"],
    )
    sizes = dict(zip(NAMES, PIXELS * 900.0, strict=True))
    one = accuracy_by_strata(rows, sizes).table.set_index("class").loc[list(NAMES)]
    other = example().table.set_index("class")
    pd.testing.assert_frame_equal(one, other, check_names=False)


def test_standard_errors_are_those_of_the_bootstrap():
    rng, n = np.random.default_rng(0), np.sum(MATRIX, axis=1)
    tables = [
        accuracy([rng.multinomial(k, np.array(row) / k) for k, row in zip(n, MATRIX, strict=True)], PIXELS).table
        for _ in range(800)
    ]
    found = example().table
    for name in ("users", "producers"):
        drawn = np.array([one[name] for one in tables])
        assert np.allclose(drawn.std(0), found[f"{name}_se"], rtol=0.15)
    drawn = np.array([one["area_m2"] for one in tables]) * 900
    assert np.allclose(drawn.std(0), found["area_se_m2"], rtol=0.12)


@pytest.mark.parametrize("hits", [0, 1, 7, 29, 30])
def test_limits_within_one_stratum_are_those_of_a_binomial_share(hits):
    matrix = [[hits, 30 - hits], [0, 40]]
    wilson = stats.binomtest(hits, 30).proportion_ci(method="wilson")
    row = accuracy(matrix, (5.0, 95.0), method="wilson").table.iloc[0]
    assert (row["users_low"], row["users_high"]) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
    row = accuracy(matrix, (5.0, 95.0), method="jeffreys").table.iloc[0]
    low = stats.beta.ppf(0.025, hits + 0.5, 30.5 - hits) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 0.5, 30.5 - hits) if hits < 30 else 1.0
    assert (row["users_low"], row["users_high"]) == pytest.approx((low, high), abs=1e-6)


# ---------------------------------------------------------------------- edges
def test_perfect_agreement_has_no_error_and_jeffreys_still_doubts():
    found = accuracy(np.diag([30, 50]), (1.0, 9.0), method="normal")
    assert (found.overall.se, found.overall.low, found.overall.high) == (0, 1, 1)
    doubtful = accuracy(np.diag([30, 50]), (1.0, 9.0), method="jeffreys")
    assert 0.9 < doubtful.overall.low < 1 == doubtful.overall.high
    assert doubtful.table["area_low_m2"][0] < 1 < doubtful.table["area_high_m2"][0]


@pytest.mark.parametrize("method", ["normal", "jeffreys", "wilson"])
def test_a_sample_of_every_pixel_leaves_nothing_to_be_unsure_of(method):
    found = accuracy([[9, 1], [2, 28]], (10.0, 30.0), pixels=(10, 30), method=method)
    assert found.overall.value == found.overall.low == found.overall.high == pytest.approx(37 / 40)
    assert found.table["area_m2"].tolist() == pytest.approx([11, 29])
    assert found.table["area_high_m2"].tolist() == pytest.approx([11, 29])
    assert found.table["producers_low"].tolist() == pytest.approx([9 / 11, 28 / 29])


def test_a_class_that_the_map_lacks_and_one_that_is_not_there():
    frame = pd.DataFrame([[20, 5, 0], [10, 60, 5]], ["burned", "none"], ["none", "burned", "water"])
    found = accuracy(frame, {"burned": 25.0, "none": 75.0}).table.set_index("class")
    assert list(found.index) == ["burned", "none", "water"]
    assert np.isnan(found["users"]["water"])
    assert (found["producers"]["water"], found["mapped_m2"]["water"]) == (0, 0)
    assert found["area_m2"]["water"] == pytest.approx(75 * 5 / 75)
    gone = accuracy(pd.DataFrame([[0.0, 10], [0, 10]], ["a", "b"], ["a", "b"]), (5.0, 5.0)).table.set_index("class")
    assert (gone["users"]["a"], gone["area_m2"]["a"]) == (0, 0)
    assert np.isnan(gone["producers"]["a"])


def test_rows_of_a_frame_are_matched_by_name():
    frame = pd.DataFrame(MATRIX, NAMES, NAMES)
    mixed = frame.loc[list(NAMES[::-1]), list(NAMES[2:] + NAMES[:2])]
    found = accuracy(mixed, dict(zip(NAMES, PIXELS * 900.0, strict=True))).table.set_index("class").loc[list(NAMES)]
    pd.testing.assert_frame_equal(found, example().table.set_index("class"), check_names=False)


@pytest.mark.parametrize(
    ("matrix", "areas", "how", "said"),
    [
        ([[1, 0], [3, 9]], (1, 1), {}, "fewer than 2 samples in 1"),
        ([[5, 0], [3, 9]], (1, 0), {}, "areas"),
        ([[5, 0], [3, 9]], (1, 1, 1), {}, "3 areas for 2"),
        ([[5, -1], [3, 9]], (1, 1), {}, "below 0"),
        ([[5, 1, 2], [3, 9, 1]], (1, 1), {}, "shape"),
        ([[5, 1], [3, 9]], (1, 1), {"method": "nornal"}, "nornal"),
        ([[5, 1], [3, 9]], (1, 1), {"confidence": 95}, "confidence"),
        ([[5, 1], [3, 9]], (1, 1), {"pixels": (5, 100)}, "pixels"),
        ([[5, 1], [3, 9]], {"x": 1, "2": 1}, {}, "map classes"),
    ],
)
def test_what_cannot_be_estimated_is_refused(matrix, areas, how, said):
    with pytest.raises(QualityError, match=said):
        accuracy(matrix, areas, **how)


def test_strata_without_area_are_refused():
    with pytest.raises(QualityError, match="strata without area: D"):
        accuracy_by_strata(STEHMAN, {name: SIZES[name] for name in "ABC"})
    with pytest.raises(QualityError, match="lack"):
        accuracy_by_strata(STEHMAN.drop(columns="map"), SIZES)


def test_an_accuracy_is_its_record():
    found = accuracy(pd.DataFrame([[5, 1, 1], [3, 9, 0]], ["a", "b"], ["a", "b", "c"]), (1, 2), method="jeffreys")
    again = Accuracy.recorded(found.record())
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.proportions, found.proportions)
    assert (again.overall, str(again), again._repr_html_()) == (found.overall, str(found), found._repr_html_())
    assert "unknown" in found._repr_html_()


# ---------------------------------------------------------------------- coverage on known populations
def coverage(method, repeats=500):
    """Share of samples whose limits enclose the truth: (overall, area of the rare class)."""
    shares = np.array([[0.8, 0.2], [0.004, 0.996]])
    weights, rng, hits = np.array([0.03, 0.97]), np.random.default_rng(5), np.zeros(2)
    truth = weights @ np.diag(shares), weights @ shares[:, 0]
    for _ in range(repeats):
        found = accuracy([rng.multinomial(100, shares[0]), rng.multinomial(300, shares[1])], weights, method=method)
        rare = found.table.iloc[0]
        hits += (
            found.overall.low <= truth[0] <= found.overall.high,
            rare["area_low_m2"] <= truth[1] <= rare["area_high_m2"],
        )
    return hits / repeats


def test_limits_hold_for_rare_classes_where_the_published_ones_do_not():
    assert coverage("normal")[1] < 0.85
    assert 0.92 < coverage("jeffreys")[1] <= 0.99
    assert 0.92 < coverage("wilson")[1] <= 0.99


# ---------------------------------------------------------------------- design
def test_optimal_allocation_cannot_be_bettered_by_moving_a_point():
    spread = np.sqrt(np.array(USERS) * (1 - np.array(USERS)))
    best = np.array(allocate(WEIGHTS, 641, "optimal", spread=spread))
    variance = lambda n: ((np.array(WEIGHTS) * spread) ** 2 / n).sum()  # noqa: E731
    moved = [variance(best + np.eye(4)[i] - np.eye(4)[j]) for i in range(4) for j in range(4) if i != j]
    assert variance(best) <= min(moved) * (1 + 1e-4)


def test_a_design_expects_the_standard_errors_that_its_formula_gives():
    areas = dict(zip(NAMES, np.array(WEIGHTS) * 1e9, strict=True))
    planned = design(areas, dict(zip(NAMES, USERS, strict=True)), allocation="optimal")
    assert planned.total == 641
    assert planned.expected.overall.se == pytest.approx(0.01, abs=2e-4)
    table = planned.table.set_index("class")
    users = np.array(USERS)
    assert table["users_se"].tolist() == pytest.approx(np.sqrt(users * (1 - users) / (np.array(planned.n) - 1)))
    assert "641 points" in planned._repr_html_()


def test_a_target_class_gets_the_points_that_its_area_needs():
    areas = {"burned": 3e7, "none": 97e7}
    errors = {
        how: design(areas, {"burned": 0.85, "none": 0.995}, n=400, **told).expected.table["area_se_m2"][0]
        for how, told in {
            "optimal": {"allocation": "optimal", "target": "burned"},
            "equal": {"allocation": "equal"},
            "proportional": {"allocation": "proportional"},
        }.items()
    }
    assert errors["optimal"] == min(errors.values())


def test_allocation_keeps_to_what_there_is():
    assert allocate((1, 1, 98), 60, "equal", pixels=(3, 500, 500)) == (3, 29, 28)
    assert allocate((1, 99), 10, "proportional") == (2, 8)
    with pytest.raises(QualityError, match="points for 2 strata"):
        allocate((1, 99), 3)
    with pytest.raises(QualityError, match="points for 2 strata"):
        allocate((1, 99), 30, pixels=(5, 20))
    with pytest.raises(QualityError, match="unknown allocation"):
        allocate((1, 99), 30, "optimum")


@pytest.mark.parametrize("bad", [{"expected": 1.2}, {"expected": {"a": 0.9}}, {"target": "c"}, {"se_overall": 0.0}])
def test_a_design_of_what_is_no_share_or_no_class_is_refused(bad):
    with pytest.raises(QualityError):
        design({"a": 1.0, "b": 9.0}, **bad)


# ---------------------------------------------------------------------- drawing
def striped(rows=90, cols=70):
    """(grid, codes): three classes and a corner without data."""
    codes = np.zeros((rows, cols), np.uint8)
    codes[:, 20:24], codes[40:, 50:], codes[:15, :15] = 1, 2, 255
    return utm_grid(rows, cols), codes


KNOWN = {"none": 0, "a": 1, "b": 2}


@pytest.mark.parametrize("rows", [1, 7, 90, None])
def test_points_do_not_depend_on_how_the_map_is_read(rows):
    grid, codes = striped()
    wanted = {"none": 40, "a": 30, "b": 20}
    points = draw(whole(codes), grid, wanted, KNOWN, seed=3, rows=rows)
    pd.testing.assert_frame_equal(points, draw(whole(codes), grid, wanted, KNOWN, seed=3))
    assert points.groupby("stratum").size().to_dict() == wanted
    assert not points.duplicated(["row", "col"]).any()
    assert [KNOWN[name] for name in points["stratum"]] == codes[points["row"], points["col"]].tolist()
    there = count(whole(codes), grid, rows=rows)
    assert there == {0: (codes == 0).sum(), 1: (codes == 1).sum(), 2: (codes == 2).sum(), 255: 225}
    assert (1 / points["inclusion"]).groupby(points["stratum"]).sum().round(6).to_dict() == {
        name: there[code] for name, code in KNOWN.items()
    }
    first = points.iloc[0]
    assert grid.xy(first["row"], first["col"]) == (first["x"], first["y"])
    assert grid.lonlat(first["row"], first["col"]).lon == first["lon"]


def test_every_pixel_of_a_stratum_is_as_likely_as_any_other():
    grid, codes = utm_grid(8, 10), np.zeros((8, 10), np.uint8)
    codes[:, 5:] = 1
    hits = np.zeros((8, 10))
    for seed in range(600):
        points = draw(whole(codes), grid, {"none": 4, "a": 8}, KNOWN, seed=seed)
        hits[points["row"], points["col"]] += 1
    for half, share in ((hits[:, :5], 4 / 40), (hits[:, 5:], 8 / 40)):
        assert stats.chisquare(half.ravel(), np.full(40, 600 * share)).pvalue > 1e-4


def test_ids_say_nothing_of_the_strata():
    grid, codes = striped()
    points = draw(whole(codes), grid, {"none": 200, "a": 200}, KNOWN, seed=1)
    order = np.argsort(points["point_id"])
    ranks = np.flatnonzero(points["stratum"].to_numpy()[order] == "a")
    assert 150 < ranks.mean() < 250  # 199.5 where they are mixed


def test_a_stratum_with_fewer_pixels_than_points_is_refused():
    grid, codes = striped()
    with pytest.raises(QualityError, match="which has 360 pixels"):
        draw(whole(codes), grid, {"a": 361}, KNOWN)
    with pytest.raises(QualityError, match="class codes of dtype int64"):
        count(whole(codes.astype(int)), grid)
