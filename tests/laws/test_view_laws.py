"""Laws of the view: rounding never misleads, classes follow probability, pictures and GeoTIFFs keep what they show."""

import json
import re

import numpy as np
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geolabel.grid import Grid
from geolabel.view import words
from geolabel.view.cog import shares, write_cog
from geolabel.view.page import inert_html, inert_json
from geolabel.view.palette import PROBABILITY, classes_of
from geolabel.view.warp import cell_index, frame_of

FLOATS = st.floats(0, 1)


@given(st.floats(-180, 180), st.integers(0, 4))
def test_degrees_and_minutes_read_back_within_half_a_unit(value, digits):
    degrees, minutes, letter = re.fullmatch(
        r"(\d+)°([\d.]+)′ ([EW])", words.degrees_minutes(value, "EW", digits=digits)
    ).groups()
    assert float(minutes) < 60
    back = (int(degrees) + float(minutes) / 60) * (-1 if letter == "W" else 1)
    assert abs(back - value) <= 0.5 / 60 / 10**digits + 1e-9


@given(FLOATS, FLOATS)
def test_classes_rise_with_probability(one, other):
    low, high = sorted((one, other))
    assert classes_of(low) <= classes_of(high)


@given(st.floats(1e-9, 1))
def test_a_probability_lies_between_the_numbers_of_its_legend(probability):
    label = PROBABILITY[int(classes_of(probability)) - 1].label
    numbers = [int(n) for n in re.findall(r"\d+", label)]
    low, high = (0, numbers[0]) if label.startswith("under") else numbers
    assert low - 1e-4 <= probability * 100 <= high + 1e-4


@given(FLOATS)
def test_a_rounded_chance_is_within_its_step(probability):
    text = words.share(probability)
    if re.fullmatch(r"\d+ %", text):
        assert abs(int(text[:-2]) / 100 - probability) <= 0.025 + 1e-9
    else:
        assert probability <= 0.05 or probability >= 0.95


@given(st.floats(0, 1e7))
def test_an_area_of_two_digits_is_within_five_per_cent(hectares):
    text = words.area(hectares)
    if text.endswith(" ha") and not text.startswith("under"):
        told = float(text[:-3].replace(",", ""))
        assert abs(told - hectares) <= 0.5 * 10 ** max(0, np.floor(np.log10(hectares)) - 1) + 1e-6 * hectares


@given(hnp.arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32)))
def test_probabilities_as_bytes_keep_order_and_are_within_half_a_step(values):
    rising = np.maximum.accumulate(values, axis=0)
    coded = shares(rising)
    assert (np.diff(coded.astype(int), axis=0) >= 0).all()
    assert np.abs(coded / 250 - rising).max() <= 0.002 + 1e-6


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hnp.arrays(st.sampled_from([np.uint8, np.int16]), hnp.array_shapes(min_dims=3, max_dims=3, max_side=20)))
def test_a_geotiff_gives_back_what_it_was_given(tmp_path, arrays):
    import rasterio

    grid = Grid.of("EPSG:31985", Affine(30, 0, 285000, 0, -30, 9126000), arrays.shape[1:])
    path = write_cog(tmp_path / "x.tif", arrays, grid, names=[f"b{n}" for n in range(len(arrays))])
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), arrays)
        assert file.transform == grid.transform


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["EPSG:32611", "EPSG:31985", "EPSG:32760"]))
def test_every_cell_shows_on_the_picture_of_a_small_scene(height, width, crs):
    grid = Grid.of(crs, Affine(30, 0, 400000, 0, -30, 6000000), (height, width))
    shown = set(np.unique(cell_index(grid, frame_of(grid))).tolist()) - {-1}
    assert shown == set(range(height * width))


JSON = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_json_in_a_page_is_the_same_data_and_shows_a_template_nothing(value):
    text = inert_json(value)
    assert json.loads(text) == value
    assert not re.search(r"\{\{|\{%|\{#|<|>|&", text)


@given(st.text())
def test_html_in_a_page_shows_a_template_nothing(text):
    from html import escape, unescape

    inert = inert_html(escape(text))
    assert "{" not in inert
    assert unescape(inert) == unescape(escape(text))
