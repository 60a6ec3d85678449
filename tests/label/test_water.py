"""Open water from an index, and an answer of a rule that knows water only."""

from datetime import UTC, datetime

import numpy as np
import pytest

from geolabel.errors import BandError, InputError
from geolabel.label.water import water, water_mask
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.shapes import rasterise
from geolabel.steps import cover, rules
from geolabel.steps.rule import RuleOptions
from geolabel.tables import SHAPES, check
from rasters import LANDSAT, metric_grid, scene_of

GRID = metric_grid(60, 60)
Y, X = np.mgrid[:60, :60]
LAKE = (np.hypot(Y - 30, X - 30) < 18) & (np.hypot(Y - 30, X - 30) > 5)
"""A lake with an island."""


def index_of(noise=0.05, seed=0):
    return np.where(LAKE, 0.5, -0.4) + np.random.default_rng(seed).normal(0, noise, GRID.shape)


@pytest.mark.parametrize("threshold", [0.0, "otsu"])
def test_a_lake_is_found_with_its_island(threshold):
    found = water(index_of(), GRID, threshold=threshold)
    check(found, SHAPES)
    assert found["class"].tolist() == ["water"]
    assert len(found.geometry[0].interiors) == 1
    np.testing.assert_array_equal(rasterise(found, GRID) > 0, LAKE)
    assert -0.35 < found.attrs["threshold"] < 0.45
    assert found["confidence"][0] == pytest.approx(1 - np.exp(-1) / 2)  # all the water there is
    assert found["index_mean"][0] == pytest.approx(0.5, abs=0.01)


def test_ground_without_water_gives_an_empty_table():
    found = water(np.full(GRID.shape, -0.3), GRID)
    check(found, SHAPES)
    assert len(found) == 0


def test_clouds_are_no_water_and_are_counted():
    index = index_of()
    index[28:32, 14:20] = np.nan
    found = water(index, GRID)
    assert not (rasterise(found, GRID) > 0)[28:32, 14:20].any()
    assert found["masked_share"].sum() > 0


def test_steep_ground_is_shadow():
    slope = np.where(X < 30, 30.0, 0.0)
    slope[:, 50:] = np.nan
    found = rasterise(water(index_of(), GRID, slope_deg=slope), GRID) > 0
    np.testing.assert_array_equal(found, LAKE & (X >= 30))


def test_every_water_body_holds_a_seed_and_a_higher_threshold_finds_no_more():
    index = index_of(noise=0.4)
    wide, narrow = water_mask(index, threshold=-0.1), water_mask(index, threshold=0.2)
    assert not (narrow & ~wide).any()
    seeded = water_mask(index, threshold=-0.1, seed=1.2)
    assert not (seeded & ~wide).any()
    assert (seeded & (index >= 1.2)).sum() == (wide & (index >= 1.2)).sum()
    for number in range(1, len(found := water(index, GRID, threshold=-0.1, seed=1.2, min_area_m2=0)) + 1):
        there = rasterise(found.iloc[[number - 1]], GRID) > 0
        assert index[there].max() >= 1.2
    with pytest.raises(InputError, match="seed of -1"):
        water_mask(index, threshold=0, seed=-1)


def test_small_ponds_are_left_out():
    index = np.full(GRID.shape, -0.3)
    index[5, 5], index[20:22, 20:22] = 0.4, 0.4
    assert [len(water(index, GRID, min_area_m2=area)) for area in (0, 1_000, 4_000)] == [2, 1, 0]


WATER, SOIL = (0.06, 0.05, 0.03, 0.02, 0.01, 0.01), (0.10, 0.16, 0.22, 0.28, 0.36, 0.32)


def lake_scene(**about):
    return scene_of({b: np.where(LAKE, w, s) for b, w, s in zip(LANDSAT, WATER, SOIL, strict=True)}, GRID, **about)


@pytest.mark.parametrize(("quantity", "index"), [("reflectance", "awei_sh"), ("dn", "mndwi")])
def test_the_index_is_what_the_scene_allows(quantity, index):
    found = cover.water(lake_scene(quantity=quantity))
    assert found.attrs["index"] == index
    np.testing.assert_array_equal(rasterise(found, GRID) > 0, LAKE)


def test_a_scene_without_the_bands_is_refused_and_a_dem_guards():
    with pytest.raises(BandError, match="no water index"):
        cover.water(scene_of({"red": np.ones(GRID.shape)}, GRID))
    dem = scene_of({"elevation": np.where(X < 30, 30.0 * X, 900.0)}, GRID, quantity="elevation_m")
    found = rasterise(cover.water(lake_scene(), dem=dem), GRID) > 0
    assert not found[:, :29].any()
    assert found[:, 32:].any()


def test_an_answer_of_the_water_rule_leaves_the_rest_open():
    scene = lake_scene()
    data = scene.data.copy(deep=True).compute()
    for band in LANDSAT:
        data[band][:4, :4] = np.nan
    view = View("v", GRID, {"before": scene_of({b: data[b].values for b in LANDSAT}, GRID)})
    found = rules.find("water", view, RuleOptions())
    tasks = [Task("v", GRID.digest, tile, "terrain", "wildfire@1") for tile in GRID.tiles(15)]
    seen = rules.known_ground(view, "terrain")
    given = rules.answers("rule:water@1", found, tasks, GRID, known=seen, at=datetime.now(UTC))
    assert {one.outcome for one in given} == {"labeled", "unsure"}
    for task, answer in zip(tasks, given, strict=True):
        grid = GRID.crop(task.tile)
        water_there = rasterise(answer.shapes, grid) > 0
        np.testing.assert_array_equal(water_there, LAKE[task.tile.slices])
        reasons = {name: rasterise(part, grid) > 0 for name, part in answer.ignore.groupby("reason")}
        unseen = reasons.get("nodata", np.zeros(grid.shape, bool))
        np.testing.assert_array_equal(unseen, ~seen[task.tile.slices])
        np.testing.assert_array_equal(reasons.get("unsure", np.zeros(grid.shape, bool)), ~unseen & ~water_there)
    whole = rules.answers("rule:terrain@1", found, tasks, GRID, known=seen, at=datetime.now(UTC))
    assert "unsure" not in {reason for one in whole for reason in one.ignore["reason"]}
