"""What is reached, how two forecasts are pooled, and how a forecast is scored."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fire.ground import grid
from geolabel.errors import FireError
from geolabel.fire.exposure import exposed
from geolabel.fire.risk import confidence, earned_weight, pool
from geolabel.fire.score import (
    area_difference,
    average_precision,
    bearing_from,
    brier,
    brier_skill,
    direction_error,
    distance_score,
    ellipse_score,
    jaccard,
    shape_deviation,
    sorensen,
)
from geolabel.tables import EXPOSED

GRID = grid(20)
NAN = np.float32(np.nan)


def box(row, col, height=1.0, width=1.0):
    """A rectangle in cells as a polygon on the grid."""
    left, top = GRID.transform * (col, row)
    return shapely.box(left, top - 30 * height, left + 30 * width, top)


def objects(*geometries):
    names = [f"o{i}" for i in range(len(geometries))]
    return gpd.GeoDataFrame({"label_id": names, "class": "building"}, geometry=list(geometries), crs=GRID.crs.to_wkt())


@pytest.fixture
def rasters():
    probability, arrival = np.zeros((20, 20), np.float32), np.full((20, 20), NAN)
    probability[5, 5], arrival[5, 5] = 0.7, 90
    probability[5, 6], arrival[5, 6] = 0.4, 45
    probability[15, 15], arrival[15, 15] = 0.2, 300
    return probability, arrival


def test_an_object_smaller_than_a_cell_counts(rasters):
    found = exposed(objects(box(15.4, 15.4, 0.1, 0.1)), *rasters, GRID)
    assert found.probability.tolist() == pytest.approx([0.2])
    assert found.arrival_min.tolist() == [300]
    assert found.area_m2[0] == pytest.approx(9.0, rel=0.01)


def test_a_fire_at_the_edge_exposes_and_one_two_cells_off_does_not(rasters):
    beside, off = box(6, 5), box(8, 5)
    found = exposed(objects(off, beside), *rasters, GRID)
    assert found.label_id.tolist() == ["o1"]
    assert found.probability[0] == pytest.approx(0.7)
    assert found.arrival_min[0] == 45  # the earliest of the cells it touches or that lie beside them


def test_the_most_probable_first_and_the_table_keeps_its_columns(rasters):
    found = exposed(objects(box(15, 15), box(5, 5, 2, 2)), *rasters, GRID)
    assert found.label_id.tolist() == ["o1", "o0"]
    assert list(found.columns) == list(EXPOSED)
    assert found.crs == GRID.crs.to_wkt()


def test_objects_in_degrees_and_beyond_the_grid(rasters):
    far = box(-50, -50)
    found = exposed(objects(box(5, 5), far).to_crs("EPSG:4326"), *rasters, GRID)
    assert found.label_id.tolist() == ["o0"]
    nothing = exposed(objects(far), *rasters, GRID)
    assert len(nothing) == 0
    assert list(nothing.columns) == list(EXPOSED)


def test_rasters_must_fit(rasters):
    with pytest.raises(FireError, match="rasters"):
        exposed(objects(box(1, 1)), rasters[0][:5], rasters[1], GRID)


# ------------------------------------------------------------------ pooling
def test_the_pool_lies_between_and_never_falls():
    rng = np.random.default_rng(0)
    one, two = (np.sort(rng.random((4, 5, 6)), axis=0).astype(np.float32) for _ in range(2))
    both = pool(one, two, 0.3)
    assert (both >= np.minimum(one, two) - 1e-6).all()
    assert (both <= np.maximum(one, two) + 1e-6).all()
    assert np.array_equal(pool(one, two, 0.0), one)
    assert np.array_equal(pool(one, two, 1.0), two)
    falling = two[::-1].copy()
    assert (np.diff(pool(one, falling, 0.9), axis=0) >= 0).all()


def test_a_model_gets_the_weight_it_earns():
    rng = np.random.default_rng(1)
    chance = rng.random((30, 400))
    burned = rng.random(chance.shape) < chance
    vague = np.full(400, 0.5, np.float32)
    sharp = [(vague, p.astype(np.float32), y) for p, y in zip(chance, burned, strict=True)]
    assert earned_weight(sharp) == pytest.approx(1, abs=0.1)  # knows the chance itself
    assert earned_weight([(q, p, y) for p, q, y in sharp]) == 0  # knows nothing beside one who does
    assert earned_weight([(p, p, y) for p, _, y in sharp]) == 0
    noisy = [(p, np.clip(q + rng.normal(0, 0.5), 0, 1).astype(np.float32), y) for p, q, y in sharp]
    assert earned_weight(noisy) < earned_weight(sharp)  # fires that disagree keep it small
    assert earned_weight(sharp[:1]) == 0  # one fire proves nothing


def test_confidence_falls_with_disagreement_and_few_members():
    p = np.array([[0.0, 0.5, 1.0]], np.float32)
    many, few = confidence(p, p, 10_000), confidence(p, p, 10)
    assert (many > 0.99).all()
    assert (few < many).all()
    assert few[0, 1] == few.min()  # chance is largest at one half
    assert (confidence(p, 1 - p, 10_000) <= many).all()
    assert confidence(p, 1 - p, 10_000)[0, 0] == 0


def test_what_a_pool_refuses():
    one = np.zeros((2, 3, 3), np.float32)
    with pytest.raises(FireError, match="weight"):
        pool(one, one, 1.5)
    with pytest.raises(FireError, match="ensemble of"):
        pool(one, one[:1], 0.5)
    with pytest.raises(FireError, match="differ"):
        earned_weight([(one, one, (one > 0)[:1])])
    with pytest.raises(FireError, match="Monte-Carlo"):
        confidence(one[0], one[0], 1)


# ------------------------------------------------------------------ scores (DOMAIN, section 6)
def test_published_scores():
    labels, scores = [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]
    assert average_precision(labels, scores) == pytest.approx(0.833333, abs=1e-6)
    assert brier(labels, scores) == pytest.approx(0.1875)
    assert average_precision([1, 0, 0, 0, 1], np.full(5, 0.3)) == pytest.approx(0.4)


def test_ties_do_not_depend_on_the_order():
    labels, scores = np.array([1, 0, 0, 1, 0, 1]), np.array([0.5, 0.5, 0.5, 0.2, 0.2, 0.9])
    values = {
        round(average_precision(labels[p], scores[p]), 12) for p in map(np.random.default_rng(0).permutation, [6] * 20)
    }
    assert len(values) == 1


def test_skill_against_the_prevalence():
    labels = np.array([1, 0, 0, 0])
    assert brier_skill(labels, np.full(4, 0.25)) == pytest.approx(0)
    assert brier_skill(labels, labels) == 1
    assert brier_skill(labels, np.full(4, 0.9)) < 0
    assert np.isnan(brier_skill(np.zeros(4), np.full(4, 0.1)))
    assert brier_skill(labels, labels, reference=0.5) == 1


def test_nothing_burned_and_nothing_to_score():
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))
    with pytest.raises(FireError, match="0 labels"):
        average_precision([], [])
    with pytest.raises(FireError, match="missing"):
        brier([1, 0], [0.5, np.nan])


def test_direction_error_is_circular():
    error = direction_error([350.0, 0.0, np.nan, 90.0], [10.0, 180.0, 5.0, 135.0])
    assert (error.n, error.median_deg, error.within_45) == (3, 45.0, pytest.approx(2 / 3))
    assert error.mean_deg == pytest.approx((20 + 180 + 45) / 3)
    assert direction_error([np.nan], [1.0]).n == 0


def test_baselines_know_where_and_which_way():
    start = np.zeros((21, 21), bool)
    start[10, 10] = True
    near, ahead = distance_score(start), ellipse_score(start, 90.0, 0.8)
    assert near[10, 12] == near[12, 10] > near[10, 13]
    assert ahead[10, 15] > ahead[5, 10] == ahead[15, 10] > ahead[10, 5]
    assert ahead[10, 15] == pytest.approx(-5)  # the head's own speed is the unit
    assert bearing_from(start)[5, 10] == 0
    assert bearing_from(start)[10, 15] == 90
    with pytest.raises(FireError, match="no burning cell"):
        distance_score(~start & start)


@pytest.mark.parametrize("size", [10, 100])
def test_a_square_shifted_by_one(size):
    """DOMAIN, section 6; none of the four grows by padding the field."""
    seen, forecast = np.zeros((2, size, size), bool)
    seen[3:7, 3:7], forecast[3:7, 4:8] = True, True
    assert jaccard(seen, forecast) == pytest.approx(0.6)
    assert sorensen(seen, forecast) == pytest.approx(0.75)
    assert shape_deviation(seen, forecast) == pytest.approx(0.5)
    assert area_difference(seen, forecast) == pytest.approx(2 / 3)


def test_outlines_that_say_nothing():
    nothing, all_of_it = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    assert np.isnan([jaccard(nothing, nothing), sorensen(nothing, nothing), area_difference(nothing, all_of_it)]).all()
    assert np.isnan(shape_deviation(nothing, all_of_it))
    assert shape_deviation(all_of_it, nothing) == 1
    assert (jaccard(all_of_it, nothing), sorensen(all_of_it, nothing)) == (0, 0)
    with pytest.raises(FireError, match="beside a forecast"):
        jaccard(nothing, nothing[:2])
