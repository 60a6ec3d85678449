"""Acceptance sampling against published tables, exact laws and simulation; and what a defect is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geolabel.errors import InputError, QualityError
from geolabel.nouns.batch import Acceptance
from geolabel.quality.flow.defects import defects
from geolabel.quality.flow.sampling import (
    AQLS,
    Plan,
    accepts,
    code_letter,
    draw,
    interval,
    single_plan,
    standard_plan,
    verdict,
)

NIST = [0.998, 0.980, 0.930, 0.845, 0.739, 0.620, 0.502, 0.394, 0.300, 0.223, 0.162, 0.115]
"""NIST/SEMATECH e-Handbook 6.2.3.2: n = 52, c = 3 at 1 to 12 % defective, as printed (rounded, some in the third digit)."""
ISO = {
    1.0: {13: 0, 50: 1, 80: 2, 125: 3, 200: 5, 315: 7, 500: 10, 800: 14, 1250: 21},
    2.5: {5: 0, 20: 1, 32: 2, 50: 3, 80: 5, 125: 7, 200: 10, 315: 14, 500: 21},
    4.0: {3: 0, 13: 1, 20: 2, 32: 3, 50: 5, 80: 7, 125: 10, 200: 14, 315: 21},
    0.65: {20: 0, 80: 1, 125: 2, 200: 3, 315: 5, 500: 7, 800: 10, 1250: 14},
}
"""ISO 2859-1:1999, table 2-A (single sampling, normal inspection): AQL in % -> sample size -> acceptance number."""
LEVEL_II = {
    (2, 8): "A", (9, 15): "B", (16, 25): "C", (26, 50): "D", (51, 90): "E", (91, 150): "F", (151, 280): "G",
    (281, 500): "H", (501, 1200): "J", (1201, 3200): "K", (3201, 10_000): "L", (10_001, 35_000): "M",
    (35_001, 150_000): "N", (150_001, 500_000): "P", (500_001, 10**7): "Q",
}  # fmt: skip
"""ISO 2859-1:1999, table 1, general inspection level II."""


# ---------------------------------------------------------------------- published
def test_the_curve_is_that_of_the_nist_handbook():
    assert accepts(52, 3, np.arange(1, 13) / 100) == pytest.approx(NIST, abs=1.1e-3)
    lot = Plan(10_000, 52, 3)
    assert float(lot.outgoing(100)) == pytest.approx(0.00993, abs=1e-5)
    assert lot.outgoing_limit == pytest.approx(0.0372, abs=1e-4)  # its AOQL
    assert float(lot.inspected(100)) == pytest.approx(70, abs=0.6)  # its ATI at 1 %


def test_the_curve_is_that_of_montgomery_and_of_the_federal_regulations():
    assert accepts(89, 2, [0.01, 0.02, 0.05]) == pytest.approx([0.9397, 0.7366, 0.1721], abs=1e-4)  # Montgomery, 15.2
    assert float(accepts(500, 3, 0.01)) == pytest.approx(0.26, abs=0.005)  # 7 CFR 42.140 (a): curve 6
    assert float(accepts(500, 3, 0.001)) > 0.99


@pytest.mark.parametrize(
    ("lot", "told", "n", "c"),
    [
        (100, Acceptance(0.01, 0.08, 0.05, 0.05), 46, 1),  # R: AcceptanceSampling::find.plan(type="hypergeom", N=100)
        (10**6, Acceptance(0.05, 0.15, 0.05, 0.075), 80, 7),  # and find.plan(type="binomial"), of its manual
    ],
)
def test_the_smallest_plan_is_that_of_another_package(lot, told, n, c):
    assert single_plan(lot, told) == Plan(lot, n, c)


def test_the_standard_plans_are_those_of_its_tables():
    for (first, last), letter in LEVEL_II.items():
        assert (code_letter(first), code_letter(last)) == (letter, letter)
    sizes = dict(zip("ABCDEFGHJKLMNPQ", (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250), strict=True))
    for aql, rows in ISO.items():
        for (_, lot), letter in LEVEL_II.items():
            if sizes[letter] in rows and lot > sizes[letter]:
                assert standard_plan(lot, aql / 100) == Plan(lot, sizes[letter], rows[sizes[letter]])


def test_arrows_lead_to_the_next_plan():
    assert standard_plan(120, 0.010) == Plan(120, 13, 0)  # F: up to E
    assert standard_plan(200, 0.010) == Plan(200, 50, 1)  # G: down to H
    assert standard_plan(20, 0.010) == Plan(20, 13, 0)  # C: down to E
    assert standard_plan(400_000, 0.025) == Plan(400_000, 500, 21)  # P: up to N
    assert standard_plan(8, 0.10) == Plan(8, 5, 1)  # A: nothing is above, down to C
    assert standard_plan(3, 0.10) == Plan(3, 3, 0)  # the sample is no smaller than the lot
    assert standard_plan(2000, 0.012) == standard_plan(2000, 0.010)  # the next limit below
    with pytest.raises(QualityError, match="AQL"):
        standard_plan(100, 0.00005)


@given(st.integers(2, 10**6), st.sampled_from(AQLS))
def test_a_standard_plan_is_one_of_its_lot_and_mostly_passes_good_ones(lot, aql):
    plan = standard_plan(lot, aql / 100)
    assert plan.n <= lot
    assert float(accepts(plan.n, plan.c, aql / 100)) > 0.86  # 0.87 at Ac 0, the standard's lowest


# ---------------------------------------------------------------------- exact laws
@given(st.integers(1, 400), st.floats(0.005, 0.2), st.floats(0.01, 0.5))
def test_the_plan_keeps_both_risks_and_no_smaller_one_does(lot, aql, more):
    told = Acceptance(aql, min(aql + more, 0.99), 0.05, 0.10)
    plan = single_plan(lot, told)
    good, bad = int(np.floor(aql * lot + 1e-9)), int(np.ceil(told.rejectable * lot - 1e-9))
    assert float(plan.accepts(good)) >= 0.95
    assert float(plan.accepts(bad)) <= 0.10
    for n in {plan.n - 1, max(plan.n // 2, 1)} - {0, plan.n}:
        both = [
            stats.hypergeom.cdf(c, lot, good, n) >= 0.95 and stats.hypergeom.cdf(c, lot, bad, n) <= 0.10
            for c in range(n)
        ]
        assert not any(both)


@given(st.integers(2, 60).flatmap(lambda lot: st.tuples(st.just(lot), st.integers(1, lot))))
def test_the_interval_covers_the_lots_share_whatever_it_is(size):
    lot, n = size
    for bad in range(lot + 1):
        k = np.arange(max(0, n - (lot - bad)), min(n, bad) + 1)
        ends = np.array([interval(int(found), n, lot) for found in k])
        inside = (ends[:, 0] <= bad / lot + 1e-12) & (bad / lot <= ends[:, 1] + 1e-12)
        assert stats.hypergeom.pmf(k, lot, bad, n)[inside].sum() >= 0.95 - 1e-9


def test_the_interval_of_a_large_lot_is_clopper_and_pearsons():
    exact = stats.binomtest(3, 50).proportion_ci(method="exact")
    assert interval(3, 50, 10**6) == pytest.approx((exact.low, exact.high), abs=1e-5)
    assert interval(2, 10, 10) == (0.2, 0.2)


def test_the_mean_outgoing_quality_is_that_of_mended_lots():
    plan, bad, rng = Plan(200, 32, 2), 20, np.random.default_rng(1)
    found = rng.hypergeometric(bad, 200 - bad, 32, size=20_000)
    left = np.where(found <= plan.c, bad - found, 0) / 200
    assert float(plan.outgoing(bad)) == pytest.approx(left.mean(), abs=5 * left.std() / np.sqrt(len(left)))


# ---------------------------------------------------------------------- the sample
def test_drawn_samples_lie_on_the_curve():
    tasks = [f"t{n:03}" for n in range(120)]
    plan = single_plan(120, Acceptance(0.04, 0.15))
    for bad in (4, 9, 18):
        wrong = set(tasks[::6][:bad])  # not spread evenly, and no matter
        samples = [draw(tasks, plan.n, seed) for seed in range(1500)]
        share = np.mean([verdict({t: t in wrong for t in s}, plan).decision == "accept" for s in samples])
        expected = float(plan.accepts(bad))
        assert share == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 1500) + 1e-3)


def test_a_sample_is_the_same_for_a_seed_and_another_for_other_labels():
    tasks = [f"t{n}" for n in range(50)]
    assert draw(tasks, 20, 3) == draw(reversed(tasks), 20, 3)
    assert draw(tasks, 20, 3) != draw(tasks, 20, 4)
    assert draw(tasks, 20, 3, salt="a") != draw(tasks, 20, 3, salt="b")
    assert len(set(draw(tasks, 20, np.random.default_rng(0)))) == 20


def test_a_verdict_is_of_all_that_were_drawn():
    plan = Plan(100, 20, 1)
    said = verdict({f"t{n}": n < 2 for n in range(20)}, plan)
    assert (said.decision, said.defects, said.share) == ("reject", 2, 0.1)
    assert said.low <= 0.1 <= said.high
    assert "2 of 20 inspected tiles are defective, at most 1 may be" in str(said)
    with pytest.raises(QualityError, match="5 tiles were inspected, the plan says 20"):
        verdict({f"t{n}": False for n in range(5)}, plan)


@pytest.mark.parametrize(
    "wrong",
    [{"aql": 4}, {"aql": 0.2, "rejectable": 0.1}, {"producer_risk": 0}, {"least_px": 0}, {"consumer_risk": 0.99}],
)
def test_impossible_terms_are_refused(wrong):
    with pytest.raises(InputError):
        Acceptance(**wrong)
    with pytest.raises(QualityError):
        Plan(10, 11, 0)


# ---------------------------------------------------------------------- defects
def test_what_a_defect_is():
    truth = np.zeros((20, 20), np.uint8)
    truth[2:12, 2:12] = 3
    names = {3: "burned", 5: "water"}
    assert defects(truth, truth, names) == ()
    assert defects(np.zeros_like(truth), truth, names) == ("burned was missed (100 pixels)",)
    assert defects(truth, np.zeros_like(truth), names) == ("burned where there is none (100 pixels)",)
    half = truth.copy()
    half[2:12, 2:7] = 0
    assert defects(half, truth, names) == ("IoU of burned is 0.50, below 0.70",)
    assert defects(half, truth, names, least_iou=0.5) == ()
    other = np.where(truth == 3, 5, 0).astype(np.uint8)
    assert len(defects(other, truth, names)) == 2
    crumb = truth.copy()
    crumb[15:18, 15:18] = 5
    assert defects(crumb, truth, names) == ()  # nine pixels of water
    hidden = truth.copy()
    hidden[2:12, 2:7] = 255
    assert defects(half, hidden, names) == ()  # ground that nobody judged
    blank = np.full_like(truth, 255)
    assert defects(blank, truth, names) == ("only 0% of the ground was judged",)
    assert defects(truth, blank, names) == ()  # nor could the inspector
    with pytest.raises(QualityError, match="held against a truth of"):
        defects(truth, truth[:5], names)
