"""Open water from radar: what is dark in VV and VH together; nothing where nothing stands apart."""

import numpy as np
import pytest

from geolabel.errors import InputError, UnitError
from geolabel.label.water_radar import LEAST_GAP_DB, MOST_SURE, water_radar
from geolabel.scene.backscatter import mean_level
from geolabel.shapes import rasterise
from geolabel.steps import radar as steps
from geolabel.steps.rules import RULES
from geolabel.tables import SHAPES, check
from rasters import metric_grid, scene_of

GRID = metric_grid(80, 90, res_m=10.0)


def level(water_db=-21.0, land_db=-12.0, seed=0):
    rng = np.random.default_rng(seed)
    out = rng.normal(land_db, 1.0, GRID.shape)
    out[20:50, 30:70] = rng.normal(water_db, 1.0, (30, 40))
    out[30:40, 40:50] = rng.normal(land_db, 1.0, (10, 10))  # an island
    return out


def test_a_lake_is_one_polygon_with_its_island():
    lake = water_radar(level(), GRID)
    check(lake, SHAPES)
    assert lake["class"].tolist() == ["water"]
    assert lake.area_m2[0] == pytest.approx(1100 * 100, rel=1e-3)
    assert len(lake.geometry[0].interiors) == 1
    assert lake.level_db_mean[0] == pytest.approx(-21, abs=0.1)
    assert lake.attrs["gap_db"] == pytest.approx(9, abs=0.1)
    assert -19 < lake.attrs["threshold"] < -14
    assert 0.5 < lake.confidence[0] < MOST_SURE


def test_uniform_ground_holds_no_water_however_its_values_fall():
    for seed in range(3):
        dry = water_radar(level(water_db=-12.0, seed=seed), GRID)
        assert len(dry) == 0
        assert dry.attrs["gap_db"] < LEAST_GAP_DB
        check(dry, SHAPES)
    assert len(water_radar(np.full(GRID.shape, -12.0), GRID)) == 0


def test_darker_water_is_surer_and_a_told_threshold_is_taken():
    sure = [water_radar(level(water_db=dark), GRID, threshold=-17.0).confidence[0] for dark in (-19.0, -22.0, -26.0)]
    assert sure == sorted(sure)
    assert sure[-1] < MOST_SURE
    assert water_radar(level(), GRID, threshold=-40.0).empty
    with pytest.raises(InputError, match="unknown threshold"):
        water_radar(level(), GRID, threshold="otus")


def test_small_dark_spots_go_and_unseen_ground_is_no_water():
    dark = level()
    dark[5:8, 5:8] = -21
    dark[20:50, 60:70] = np.nan
    lake = water_radar(dark, GRID)
    assert len(lake) == 1
    seen = rasterise(lake, GRID) > 0
    assert not seen[5:8, 5:8].any()
    assert not seen[20:50, 60:70].any()
    assert len(water_radar(dark, GRID, min_area_m2=0)) == 2
    with pytest.raises(InputError, match="no pixel"):
        water_radar(np.full(GRID.shape, np.nan), GRID)


def test_two_channels_are_meant_in_db():
    scene = scene_of({"vv": 0.1, "vh": [[0.001]]}, quantity="gamma0_linear")
    assert float(mean_level(scene).values[0, 0]) == pytest.approx((-10 - 30) / 2)


def test_the_rule_is_partial_and_needs_backscatter():
    assert RULES["water-radar"].annotator == "rule:water-radar@1"
    assert RULES["water-radar"].partial
    scene = scene_of({"vv": level() + 3, "vh": level() - 3}, GRID, quantity="gamma0_db")
    lake = steps.water_radar(scene, looks=100.0, min_terrain_ha=0.1)
    truth = np.zeros(GRID.shape, bool)
    truth[20:50, 30:70] = True
    truth[30:40, 40:50] = False
    found = rasterise(lake, GRID) > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    with pytest.raises(UnitError, match="not backscatter"):
        steps.water_radar(scene_of({"vv": level(), "vh": level()}, GRID))
