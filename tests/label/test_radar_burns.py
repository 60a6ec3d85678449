"""Burn scars from radar, on simulated speckle: there is no real pair. What statistics of speckle allow is the yardstick."""

import dataclasses

import numpy as np
import pytest
from benchmarks.radar import CASES, Ground, best_threshold, expected_iou, iou, pair_of, scar_of
from scipy import stats

from geolabel.errors import BandError, ConfigError, InputError, UnitError
from geolabel.label.radar import LEAST_DB, MOST_SURE
from geolabel.nouns.view import View
from geolabel.scene.backscatter import drop_reader, smoothed
from geolabel.scene.radar import to_linear
from geolabel.shapes import rasterise
from geolabel.steps.radar import burned_radar, radar_roles
from geolabel.steps.rule import RuleOptions
from geolabel.steps.rules import RULES, find
from geolabel.tables import SHAPES, check
from rasters import scene_of

SMALL = Ground(size=256)
FLAT = np.full((9, 12), 0.1)


def simulated(ground, seed=1):
    scar = scar_of(ground, np.random.default_rng(seed))
    return scar, *pair_of(ground, scar, seed + 1)


def raw_drop(before, after, name):
    view = View("raw", before.grid, {"before": before, "after": after})
    height, width = before.grid.shape
    return drop_reader(view, name).read(slice(0, height), slice(0, width))


def mask_of(found, grid):
    return rasterise(found, grid) > 0 if len(found) else np.zeros(grid.shape, bool)


# ---------------------------------------------------------------------- the drop itself
def test_the_drop_is_before_less_after_in_db_of_the_ratio_of_vh_to_vv():
    before = scene_of({"vv": [[0.1]], "vh": [[0.02]]}, quantity="gamma0_linear")
    after = scene_of({"vv": [[0.1]], "vh": [[0.012]]}, quantity="gamma0_linear", name="after")
    for name, value in (("vh", 2.218487), ("vv", 0.0), ("vh/vv", 2.218487)):
        assert raw_drop(before, after, name)[0, 0] == pytest.approx(value, abs=1e-5)


def test_what_wets_the_whole_ground_leaves_the_ratio_alone():
    _, before, after = simulated(dataclasses.replace(SMALL, dates=1))
    wet = [dataclasses.replace(after[0], data=after[0].data + np.float32(1.5))]
    np.testing.assert_allclose(raw_drop(before[0], wet[0], "vh/vv"), raw_drop(before[0], after[0], "vh/vv"), atol=1e-5)
    np.testing.assert_allclose(raw_drop(before[0], wet[0], "vh"), raw_drop(before[0], after[0], "vh") - 1.5, atol=1e-5)


@pytest.mark.parametrize("threshold", [0.5, 1.5, 2.5])
def test_unfiltered_speckle_gives_the_iou_that_its_distribution_predicts(threshold):
    """Ratios of gamma distributed power are F distributed: the simulation and the drop agree with the closed form."""
    ground = Ground(dates=1, vv_drop_db=0.0)
    scar, before, after = simulated(ground)
    drop = raw_drop(before[0], after[0], "vh")
    expected = expected_iou(ground.vh_drop_db, threshold, ground.looks, float(scar.mean()))
    assert iou(drop >= threshold, scar) == pytest.approx(expected, abs=0.01)
    unburned = 10 ** (drop[~scar] / 10)
    assert stats.kstest(unburned[::37], stats.f(2 * ground.looks, 2 * ground.looks).cdf).pvalue > 1e-3


def test_dates_are_averaged_in_power_and_add_up_their_looks():
    _, before, _ = simulated(dataclasses.replace(SMALL, texture_db=0.0))
    one, four = (to_linear(smoothed(dates, looks=4.4)).band("vh").values for dates in (before[:1], before))
    assert four.mean() == pytest.approx(10**-1.5, rel=0.02)
    assert four.std() < 0.6 * one.std()  # half of it by the looks, and the filter does its part


# ---------------------------------------------------------------------- the scar
@pytest.mark.parametrize(
    ("case", "index", "least"),
    [
        ("3 dB, four dates", "vh/vv", 0.93),
        ("3 dB, four dates", "vh", 0.96),
        ("3 dB, rain", "vh/vv", 0.93),
        ("3 dB, rain", "vh", 0.96),
        ("2 dB, four dates", "vh", 0.9),
        ("a fiftieth burned", "vh/vv", 0.8),
        ("a third burned", "vh/vv", 0.93),
    ],
)
def test_a_known_drop_is_found_and_better_than_the_best_threshold_on_unfiltered_speckle(case, index, least):
    ground = CASES[case]
    scar, before, after = simulated(ground)
    found = burned_radar(before, after, radar_index=index)
    check(found, SHAPES)
    reached = iou(mask_of(found, before[0].grid), scar)
    assert reached >= least
    assert reached > best_threshold(raw_drop(before[0], after[0], index), scar)[0]
    assert reached > max(
        expected_iou(ground.vh_drop_db, t, 4.4 * ground.dates, ground.share) for t in np.arange(0, 4, 0.1)
    )
    truth = ground.vh_drop_db - (ground.vv_drop_db if index == "vh/vv" else 0)
    largest = found.loc[found.area_m2.idxmax()]
    assert largest.drop_db_mean == pytest.approx(truth, abs=0.35)
    assert found.attrs["offset"] == pytest.approx(-ground.wetter_db if index == "vh" else 0, abs=0.15)


def test_where_nothing_burned_nothing_is_found():
    _, before, after = simulated(dataclasses.replace(SMALL, share=0.0))
    for index in ("vh/vv", "vh", "vv"):
        found = burned_radar(before, after, radar_index=index)
        assert len(found) == 0
        assert found.attrs["threshold"] >= LEAST_DB


def test_what_radar_says_is_trusted_less_and_has_no_severity():
    scar, before, after = simulated(SMALL)
    found = burned_radar(before, after)
    assert found["class"].unique().tolist() == ["burned"]
    assert found.severity.isna().all()
    assert found.severity_scheme.isna().all()
    assert found.confidence.between(0.5, MOST_SURE).all()
    assert found.attrs["units"] == "dB"
    assert any(len(g.interiors) for g in found.geometry) == bool((~scar).any())


def test_db_and_linear_scenes_give_the_same_scar():
    _, before, after = simulated(dataclasses.replace(SMALL, dates=2))
    db = burned_radar(before, after)
    linear = burned_radar([to_linear(one) for one in before], [to_linear(one) for one in after])
    assert linear.area_m2.sum() == pytest.approx(db.area_m2.sum(), rel=1e-3)


def test_a_told_threshold_is_used_and_clean_up_and_smallest_unit_hold():
    _, before, after = simulated(SMALL)
    found = burned_radar(before, after, radar_threshold=1.7, offset=0, min_burned_ha=2.0)
    assert found.attrs["threshold"] == pytest.approx(1.7)
    assert found.attrs["offset"] == 0
    assert found.area_m2.min() >= 19_900
    rough = burned_radar(before, after, radar_threshold=1.7, offset=0, min_burned_ha=0, cleanup="none")
    assert len(rough) > len(found)


def test_ground_that_radar_did_not_see_is_no_scar():
    scar, before, after = simulated(dataclasses.replace(SMALL, dates=1))
    gone = np.zeros(scar.shape, bool)
    gone[:, 100:140] = True
    layover = dataclasses.replace(after[0], data=after[0].data.where(~gone))
    found = burned_radar(before[0], layover)
    assert not mask_of(found, before[0].grid)[gone].any()


# ---------------------------------------------------------------------- refusals, and the rule over a view
def test_what_does_not_say_whether_it_is_db_is_refused():
    dn = scene_of({"vv": FLAT, "vh": 0.02}, quantity="dn")
    with pytest.raises(UnitError, match="not backscatter"):
        burned_radar(dn, dn)
    gamma, sigma = (scene_of({"vv": FLAT, "vh": 0.02}, quantity=f"{one}0_linear") for one in ("gamma", "sigma"))
    with pytest.raises(UnitError, match="sigma0"):
        burned_radar(gamma, sigma)
    with pytest.raises(InputError, match="no radar scene"):
        burned_radar([], gamma)
    one = scene_of({"vv": FLAT}, quantity="gamma0_linear")
    with pytest.raises(BandError, match="vh"):
        burned_radar(one, one)
    with pytest.raises(ConfigError):
        burned_radar(gamma, gamma, radar_index="vh-vv")


def test_the_rule_finds_on_a_view_what_the_plain_function_finds():
    _, before, after = simulated(dataclasses.replace(SMALL, dates=1, vh_drop_db=5.0))
    plain = burned_radar(before[0], after[0])
    own = View("own", before[0].grid, {"before": before[0], "after": after[0]})
    optical = scene_of({"red": 0.1}, before[0].grid)
    beside = {"before": optical, "after": optical, "radar_before": before[0], "radar_after": after[0]}
    for view in (own, View("beside", before[0].grid, beside)):
        found = find("burned-radar", view, RuleOptions())
        assert found.label_id.tolist() == plain.label_id.tolist()
        assert RULES["burned-radar"].sees(view) == radar_roles(view)
    assert RULES["burned-radar"].annotator == "rule:burned-radar@1"
