"""Severity schemes: class edges, units, NaN, and breaks the data themselves suggest."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from geolabel.errors import InputError, UnitError
from geolabel.label.severity import (
    KEY_BENSON,
    LEVELS,
    SCHEMES,
    SeverityScheme,
    check_numbers,
    classify,
    levels,
    per_fire,
    relative,
    scheme_of,
    shown_units,
)

EDGES = [(-0.25, 2), (-0.1, 3), (0.1, 4), (0.27, 5), (0.44, 6), (0.66, 7), (0.2695, 4), (-0.6, 1), (float("nan"), 255)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("value", "code"), EDGES)
def test_an_edge_belongs_to_the_upper_class(value, code, dtype):
    assert classify(np.array([[value]], dtype), KEY_BENSON)[0, 0] == code


@pytest.mark.parametrize(("name", "edges"), [("miller-thode-rdnbr", (69, 315, 640)), ("parks-rbr", (35, 130, 298))])
def test_relative_schemes_have_the_published_edges(name, edges):
    scheme = scheme_of(name)
    below = np.nextafter(np.array(edges, np.float32), np.float32(-np.inf))
    assert classify(np.array(edges, np.float32), scheme).tolist() == [2, 3, 4]
    assert classify(below, scheme).tolist() == [1, 2, 3]


def test_field_scores_have_the_published_edges():
    assert classify(np.array([0.0, 0.1, 1.2499, 1.25, 2.25, 3.0]), SCHEMES["cbi"]).tolist() == [1, 2, 2, 3, 4, 4]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_levels_never_fall_as_the_index_rises_and_burned_begins_at_low(scheme):
    top = 2 * scheme.breaks[-1]
    index = np.linspace(-top, top, 999) if scheme.units == "x1000" else np.linspace(-1, min(scheme.largest, top), 999)
    found = levels(index, scheme).astype(int)
    assert (np.diff(found) >= 0).all()
    assert set(found) == {1, 2, 3, 4}
    np.testing.assert_array_equal(found >= LEVELS.index("low") + 1, index >= scheme.burned_from)
    assert scheme.citation
    assert scheme.assessment in ("initial", "extended", "either")


def test_values_in_other_units_are_refused():
    thousands = np.array([[-50.0, 120.0, 430.0]])
    with pytest.raises(UnitError, match="x1") as error:
        classify(thousands, KEY_BENSON)
    assert "divide" in error.value.hint
    with pytest.raises(UnitError) as error:
        classify(thousands / 1000, SCHEMES["parks-rbr"])
    assert "multiply" in error.value.hint


def test_units_that_are_said_decide():
    rbr = xr.DataArray(np.array([[0.4]]), dims=("y", "x"), attrs={"units": "x1"})
    with pytest.raises(UnitError):
        classify(rbr, SCHEMES["parks-rbr"])
    assert classify(rbr * 1000, SCHEMES["parks-rbr"], units="x1000").values[0, 0] == 4
    assert classify(np.array([1.5]), SCHEMES["parks-rbr"], units="x1000")[0] == 1


def test_lazy_values_stay_lazy_and_do_not_depend_on_the_chunks():
    values = np.random.default_rng(0).uniform(-0.5, 1, (13, 17)).astype(np.float32)
    values[2, 3] = np.nan
    lazy = xr.DataArray(da.from_array(values, chunks=(5, 4)), dims=("y", "x"), attrs={"units": "x1"})
    assert classify(lazy, KEY_BENSON).chunks is not None
    np.testing.assert_array_equal(classify(lazy, KEY_BENSON).values, classify(values, KEY_BENSON))
    np.testing.assert_array_equal(levels(lazy, KEY_BENSON).values, levels(values, KEY_BENSON))


def test_relative_breaks_part_the_groups_that_are_there():
    rng = np.random.default_rng(0)
    groups = [rng.normal(mean, 0.02, 500) for mean in (0, 0.2, 0.4, 0.6)]
    scheme = relative(np.concatenate(groups))
    for i, group in enumerate(groups, start=1):
        assert (classify(group, scheme) == i).mean() > 0.99
    assert "relative" in scheme.citation


def test_a_relative_scheme_keeps_the_units_of_its_index():
    index = xr.DataArray(np.arange(100.0).reshape(10, 10), dims=("y", "x"), attrs={"units": "x1000"})
    assert relative(index).units == "x1000"
    assert set(np.unique(classify(index, relative(index)))) == {1, 2, 3, 4}
    assert relative(index.values / 100).units == "x1"


def test_a_scheme_that_contradicts_itself_is_refused():
    four = ("unburned", "low", "moderate", "high")
    with pytest.raises(InputError, match="do not rise"):
        SeverityScheme("mine", "dnbr", "x1", (0.1, 0.1, 0.5), four, LEVELS, "mine", "initial")
    with pytest.raises(InputError, match="classes"):
        SeverityScheme("mine", "dnbr", "x1", (0.1, 0.5), four, LEVELS, "mine", "initial")
    with pytest.raises(InputError, match="'low'"):
        SeverityScheme("mine", "dnbr", "x1", (0.1,), four[:2], ("unburned", "high"), "mine", "initial")
    with pytest.raises(InputError) as error:
        scheme_of("key-benson")
    assert "key-benson-dnbr" in error.value.hint


# ---------------------------------------------------------------------- of one fire, and units
@pytest.mark.parametrize("scheme", [s for s in SCHEMES.values() if s.index != "cbi"], ids=lambda s: s.name)
def test_a_scheme_in_other_units_gives_the_same_classes(scheme):
    other = "x1000" if scheme.units == "x1" else "x1"
    factor = 1000 if other == "x1000" else 0.001
    values = np.linspace(-1.5, 1.5, 601) * (1 if scheme.units == "x1" else 1000)
    on_breaks = np.array(scheme.breaks)
    for index in (values, on_breaks):
        moved = np.round(index * factor, 9)
        there = classify(moved, scheme.in_units(other), units=other)
        np.testing.assert_array_equal(there, classify(np.round(index, 9), scheme, units=scheme.units))
    assert scheme.in_units(other).in_units(scheme.units) == scheme
    assert scheme.in_units(scheme.units) is scheme
    with pytest.raises(UnitError, match="no factor"):
        scheme.in_units("dB")


def test_breaks_that_an_analyst_set_carry_who_and_what():
    scheme = per_fire("dnbr", "x1", (0.12, 0.31, 0.58), "BAER team, field plots of 2018-08-20")
    assert scheme.name == "analyst-dnbr(0.12, 0.31, 0.58)"
    assert levels(np.array([0.11, 0.12, 0.31, 0.58]), scheme).tolist() == [1, 2, 3, 4]
    assert scheme.citation.startswith("BAER")
    with pytest.raises(InputError, match="nobody is named"):
        per_fire("dnbr", "x1", (0.1, 0.3, 0.6), " ")
    with pytest.raises(InputError) as error:
        per_fire("dnbr", "x1", (0.1, 0.6), "me")
    assert "three" in error.value.hint
    with pytest.raises(InputError, match="do not rise"):
        per_fire("dnbr", "x1", (0.3, 0.1, 0.6), "me")


def test_units_are_read_from_values_only_where_these_leave_no_doubt():
    rng = np.random.default_rng(0)
    index = np.append(rng.normal(0.1, 0.3, 999), np.nan)
    assert shown_units(index, "dnbr") == "x1"
    assert shown_units(index * 1000, "dnbr") == "x1000"
    for doubtful in (np.append(index, 50.0), np.array([np.nan]), np.zeros(3)):
        with pytest.raises(UnitError) as error:
            shown_units(doubtful, "dnbr")
        assert "x1000" in error.value.hint


@pytest.mark.parametrize(("number", "units"), [(0.1, "x1000"), (100, "x1"), (2, "x1000"), (-30.0, "x1")])
def test_a_threshold_in_other_units_is_refused(number, units):
    with pytest.raises(UnitError, match=f"this one is {units}"):
        check_numbers([None, "otsu", number], units)


def test_a_threshold_in_its_units_passes():
    check_numbers([0, 0.1, 1.9, None, "scheme"], "x1")
    check_numbers([0, 100, -250.0], "x1000")
    check_numbers([0.5, 3.0], "dB")
