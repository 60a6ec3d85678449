import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolabel.errors import ModelError
from geolabel.model.channels import scaling, turned, turned_bearing, vector_pairs

TURNS = [(q, m) for q in range(4) for m in (False, True)]


def uphill(height):
    """(2, y, x): eastward and northward slope by finite differences; rows increase southward."""
    south, east = np.gradient(height)
    return np.stack([east, -south])


@pytest.mark.parametrize(("quarters", "mirrored"), TURNS)
def test_the_slope_of_a_turned_hill_is_the_turned_slope(quarters, mirrored):
    hill = np.random.default_rng(0).normal(size=(1, 7, 7)).cumsum(1).cumsum(2)
    how = {"quarters": quarters, "mirrored": mirrored}
    np.testing.assert_allclose(turned(uphill(hill[0]), [(0, 1)], **how), uphill(turned(hill, **how)[0]), atol=1e-12)


@pytest.mark.parametrize(("quarters", "mirrored"), TURNS)
def test_a_turned_sample_has_turned_bearings(quarters, mirrored):
    bearing = np.random.default_rng(1).uniform(0, 360, (5, 5))
    bearing[2, 3] = np.nan
    vector = np.stack([np.sin(np.radians(bearing)), np.cos(np.radians(bearing))])
    how = {"quarters": quarters, "mirrored": mirrored}
    east, north = turned(vector, [(0, 1)], **how)
    np.testing.assert_allclose(np.degrees(np.arctan2(east, north)) % 360, turned_bearing(bearing, **how), atol=1e-9)


def test_a_quarter_turn_counter_clockwise_brings_east_to_north():
    east_wind = np.array([[[4.0]], [[0.0]]])
    assert turned(east_wind, [(0, 1)], quarters=1).ravel().tolist() == [0.0, 4.0]
    assert turned_bearing(np.array([[90.0]]), quarters=1).item() == 0
    assert turned_bearing(np.array([[30.0]]), mirrored=True).item() == 330


@given(st.integers(0, 3), st.integers(0, 3))
def test_quarters_add_up(a, b):
    field = np.random.default_rng(2).normal(size=(3, 2, 4, 4))
    twice = turned(turned(field, [(0, 1)], quarters=a), [(0, 1)], quarters=b)
    np.testing.assert_array_equal(twice, turned(field, [(0, 1)], quarters=a + b))


def test_mirroring_twice_changes_nothing():
    field = np.random.default_rng(3).normal(size=(2, 4, 4))
    np.testing.assert_array_equal(turned(turned(field, [(0, 1)], mirrored=True), [(0, 1)], mirrored=True), field)


def test_vectors_are_found_by_name():
    names = ("fuel", "wind_north", "wind_east", "aspect_sin", "aspect_cos")
    assert vector_pairs(names) == ((2, 1), (3, 4))


@pytest.mark.parametrize(
    "names", [("wind_east",), ("slope_cos", "fuel"), ("aspect_deg",), ("wind_from_deg",), ("fuel", "fuel")]
)
def test_channels_that_cannot_be_turned_are_refused(names):
    with pytest.raises(ModelError):
        vector_pairs(names)


def test_scaling_is_the_same_for_turned_samples():
    rng = np.random.default_rng(4)
    samples = np.stack([rng.normal(5, 3, (6, 8, 8)), rng.normal(2, 1, (6, 8, 8)), rng.random((6, 8, 8))], 1)
    samples = np.concatenate([samples, rng.normal(40, 9, (6, 1, 8, 8))], 1)
    plain = scaling(samples, [(0, 1)])
    other = scaling(turned(samples, [(0, 1)], quarters=1, mirrored=True), [(0, 1)])
    np.testing.assert_allclose(plain.mean, other.mean)
    np.testing.assert_allclose(plain.scale, other.scale)
    assert (plain.mean[2], plain.scale[2]) == (0.0, 1.0)  # a share stays as it is
    scaled = plain.apply(samples)
    assert abs(scaled[:, 3].mean()) < 1e-6
    assert scaled[:, 3].std() == pytest.approx(1, abs=1e-5)
