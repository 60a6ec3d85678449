"""Where the boundary may lie, on ground whose probability is known."""

import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.consensus.agree import agree
from geolabel.quality.consensus.band import boundary_band
from geolabel.shapes import rasterise
from labels import answer, tasks_of, utm_grid

GRID = utm_grid(64, 64)
(TASK,) = tasks_of(GRID)


def agreed(*masks):
    answers = [answer(TASK, GRID, mask, by=f"person:{n}") for n, mask in enumerate(masks)]
    return agree([TASK], GRID, answers, gold={}, classes=("burned",))[TASK.id]


def upper(rows):
    return np.indices(GRID.shape)[0] < rows


def test_a_straight_boundary_is_as_wide_as_the_outlines_differ():
    """Three outlines at 20, 26 and 30 rows: between 20 and 30 the share of the votes is a third or two thirds."""
    band = boundary_band(agreed(upper(20), upper(26), upper(30)))
    assert band["width_m"].tolist() == [pytest.approx(10 * 30.0)]
    assert (rasterise(band, GRID).astype(bool) == (upper(30) & ~upper(20))).all()
    assert band["area_m2"].iloc[0] == pytest.approx(10 * 64 * 900, rel=0.01)


def test_a_ring_has_the_width_of_the_ring():
    away = np.hypot(*(np.indices(GRID.shape) - 31.5))
    (row,) = boundary_band(agreed(away < 15, away < 18, away < 21)).itertuples()
    assert row.width_m == pytest.approx(6 * 30, rel=0.15)


def test_without_doubt_there_is_no_band():
    (row,) = boundary_band(agreed(*[upper(20)] * 3)).itertuples()
    assert row.width_m == 0
    assert row.geometry.is_empty
    assert row.area_m2 == 0


def test_each_shape_has_its_own_and_what_no_shape_touches_has_none():
    left, right = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    left[10:30, 5:20], right[10:30, 40:60] = True, True
    wide, lone = right.copy(), np.zeros(GRID.shape, bool)
    wide[10:30, 36:64], lone[50:55, 5:10] = True, True
    got = agreed(left | right, left | right, left | wide | lone)
    band = boundary_band(got).set_index("label_id")
    ids = got.shapes.set_index("label_id").geometry.centroid.x.sort_values().index
    assert band.loc[ids[0], "width_m"] == 0
    assert band.loc[ids[1], "width_m"] > 0
    (alone,) = band[band.index.isna()].itertuples()
    assert np.isnan(alone.width_m)
    assert alone.area_m2 == pytest.approx(25 * 900, rel=0.01)


def test_a_shape_of_which_nothing_is_certain_is_uncertain_to_its_middle():
    half = upper(20)
    (row,) = boundary_band(agreed(half, half, ~half & False)).itertuples()
    assert rasterise(boundary_band(agreed(half, half, ~half & False)), GRID).sum() == half.sum()
    assert row.width_m > 5 * 30


def test_nothing_there_has_no_band():
    nothing = np.zeros(GRID.shape, bool)
    assert len(boundary_band(agreed(nothing, nothing))) == 0


def test_limits_that_are_none_are_told():
    with pytest.raises(QualityError, match=r"between 0.6 and 0.9"):
        boundary_band(agreed(upper(20)), low=0.6)
