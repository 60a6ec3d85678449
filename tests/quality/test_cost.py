"""What labels cost for each accepted km2: laws of minutes and ground, against pyproj and by hand."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from pyproj import Geod

from geolabel.grid import Tile
from geolabel.nouns.batch import Rate
from geolabel.quality.consensus.agree import agree
from geolabel.quality.flow.cost import cost, ground_km2, hours
from labels import answer, tasks_of, utm_grid

GRID = utm_grid(128, 128)


def drawn(task, by, seconds, **more):
    mask = np.zeros((64, 64), bool)
    mask[8:40, 8:40] = True
    return answer(task, GRID, mask, by=by, active_s=seconds, **more)


@pytest.fixture
def tasks():
    return tasks_of(GRID)


# ---------------------------------------------------------------------- ground
def test_ground_is_geodesic_whatever_it_is_cut_into(tasks):
    whole = ground_km2(tasks, GRID)
    assert whole == pytest.approx(sum(ground_km2([task], GRID) for task in tasks), rel=1e-9)
    corners = [GRID.lonlat(row, col) for row, col in ((-0.5, -0.5), (-0.5, 127.5), (127.5, 127.5), (127.5, -0.5))]
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter([p.lon for p in corners], [p.lat for p in corners])
    assert whole == pytest.approx(abs(area) / 1e6, rel=1e-4)
    assert ground_km2([], GRID) == 0


def test_ground_that_tasks_share_counts_once(tasks):
    terrain = tasks_of(GRID, kind="terrain")
    assert ground_km2([*tasks, *terrain], GRID) == ground_km2(tasks, GRID)
    half = replace(tasks[0], tile=Tile(32, 0, 64, 64, 0))  # over two of them
    assert ground_km2([*tasks, half], GRID) == pytest.approx(ground_km2(tasks, GRID), rel=1e-12)


# ---------------------------------------------------------------------- minutes
def test_minutes_of_corrected_answers_count_and_machines_take_none(tasks):
    first = drawn(tasks[0], "person:ann", 120)
    again = drawn(tasks[0], "person:ann", 60, supersedes=first.uuid)
    answers = [first, again, drawn(tasks[1], "person:bob", 0.0), drawn(tasks[1], "rule:burned@1", 0.0)]
    table = hours(answers, {"person:bob": 7.5, "person:ina": 3}).set_index("annotator")
    assert table.loc["person:ann", ["answers", "corrected", "label_min"]].tolist() == [2, 1, 3.0]
    assert table.loc["person:bob", ["untimed", "label_min", "review_min"]].tolist() == [1, 0.0, 7.5]
    assert table.loc["rule:burned@1", ["answers", "untimed", "label_min"]].tolist() == [1, 0, 0.0]
    assert table.loc["person:ina", ["answers", "review_min"]].tolist() == [0, 3.0]
    assert list(table.index) == sorted(table.index)


def test_cost_by_hand(tasks):
    answers = [drawn(task, by, 90) for task in tasks for by in ("person:ann", "person:bob")]
    agreed = agree(tasks, GRID, answers, gold={}, classes=("burned",))
    accepted = [task.id for task in tasks[:2]]
    found = cost(tasks, GRID, answers, accepted, agreed, reviewed={"person:ina": 8.0}, rate=Rate(30))
    ground = ground_km2(tasks[:2], GRID)
    assert (found.tasks, found.accepted_tasks, found.untimed) == (4, 2, 0)
    assert found.minutes == pytest.approx(8 * 1.5 + 8)  # all answers, those to tasks that were not accepted too
    assert found.minutes_per_km2 == pytest.approx(20 / ground)
    assert found.money == pytest.approx(10)
    assert found.money_per_km2 == pytest.approx(10 / ground)
    assert found.labeled_km2 == pytest.approx(2 * (32 * 0.03) ** 2, rel=2e-3)  # UTM scale at its meridian: .9996
    assert found.minutes_per_labeled_km2 == pytest.approx(20 / found.labeled_km2)
    assert "min and" in str(found)
    assert "EUR for each km2 of accepted ground" in str(found)


def test_nothing_accepted_is_no_zero(tasks):
    found = cost(tasks, GRID, [drawn(tasks[0], "person:ann", 0)], [], {}, reviewed={})
    assert found.accepted_km2 == 0
    assert isnan(found.minutes_per_km2)
    assert isnan(found.money)
    assert "1 answers of people tell no active seconds: it took more" in str(found)
    other = cost(tasks[1:], GRID, [drawn(tasks[0], "person:ann", 60)], [tasks[0].id], {}, reviewed={})
    assert (other.minutes, other.accepted_tasks) == (0, 0)  # of other tasks
