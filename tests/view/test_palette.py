"""Colours that survive a printer and colour blindness, and classes whose edges belong to the upper class."""

import warnings
from itertools import combinations

import numpy as np
import pytest

from geolabel.view import inline, palette
from geolabel.view.palette import ARRIVAL, OBJECT, PROBABILITY, classes_of, contrast, rgb, word

with warnings.catch_warnings():  # its docstrings hold escapes that Python 3.12 warns of when it first compiles them
    warnings.simplefilter("ignore")
    from colorspacious import cspace_convert, deltaE

FILLS = [fill.colour for fill in PROBABILITY if fill.colour]
LINES = [line.colour for line in ARRIVAL.values()]
SIGHTS = ("normal", "deuteranomaly", "protanomaly", "tritanomaly")


def seen(colour, sight):
    values = np.array(rgb(colour)) / 255
    if sight == "normal":
        return values
    space = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
    return np.clip(cspace_convert(values, space, "sRGB1"), 0, 1)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("colours", [FILLS, LINES], ids=["fills", "lines"])
def test_lightness_is_monotone_and_classes_differ_for_every_sight(colours, sight):
    as_seen = [seen(colour, sight) for colour in colours]
    lightness = np.array([cspace_convert(c, "sRGB1", "CAM02-UCS")[0] for c in as_seen])
    assert (np.abs(np.diff(lightness)) > 5).all()
    assert len(set(np.sign(np.diff(lightness)))) == 1
    gaps = [deltaE(a, b, input_space="sRGB1", uniform_space="CAM02-UCS") for a, b in combinations(as_seen, 2)]
    assert min(gaps) >= 10


def test_the_published_palette_and_its_smallest_difference():
    assert FILLS == ["#fff7bc", "#fed161", "#fb9a29", "#de4f12", "#a50f15", "#4a0d3a"]
    gaps = [
        deltaE(seen(a, sight), seen(b, sight), input_space="sRGB1", uniform_space="CAM02-UCS")
        for sight in SIGHTS
        for a, b in combinations(FILLS, 2)
    ]
    assert min(gaps) == pytest.approx(11.96, abs=0.01)


def test_soonest_is_darkest_and_every_line_shows_on_its_halo():
    assert list(ARRIVAL) == [1, 3, 6, 12, 24, 48]
    assert all(contrast(line.colour, palette.HALO) >= 3 for line in ARRIVAL.values())
    assert [palette.luminance(c) for c in LINES] == sorted(palette.luminance(c) for c in LINES)


@pytest.mark.parametrize(("one", "other"), [("#000000", "#ffffff"), ("#777777", "#ffffff")])
def test_contrast_against_the_values_of_wcag(one, other):
    known = {("#000000", "#ffffff"): 21.0, ("#777777", "#ffffff"): 4.478}
    assert contrast(one, other) == pytest.approx(known[one, other], abs=0.01)


@pytest.mark.parametrize("ground", [palette.PAPER, "#f3f4f1"])
@pytest.mark.parametrize("ink", [palette.INK, palette.MUTED, palette.ALERT, "#37424d"])
def test_text_reads_on_its_ground(ink, ground):
    assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("ground", [palette.ALERT, palette.INK, OBJECT.colour, "#4a2f7a", "#0d4f3c"])
def test_white_text_reads_on_dark_grounds(ground):
    assert contrast(palette.PAPER, ground) >= 4.5


def test_the_style_sheet_uses_the_inks_that_were_measured():
    css = inline.template("page.css")
    for colour in (palette.INK, palette.MUTED, palette.ALERT, OBJECT.colour, "#4a2f7a", "#0d4f3c", "#37424d"):
        assert colour in css


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "not reached"), (0.005, "very unlikely"), (0.01, "very unlikely"), (0.0499, "very unlikely"),
        (0.05, "unlikely"), (0.1999, "unlikely"), (0.2, "possible"), (0.3999, "possible"), (0.4, "about even"),
        (0.5999, "about even"), (0.6, "likely"), (0.7999, "likely"), (0.8, "very likely"), (1.0, "very likely"),
    ],
)  # fmt: skip
def test_words_of_a_probability_edges_belong_to_the_upper_class(probability, words):
    assert word(probability) == words
    assert word(float(np.float32(probability))) == words


def test_codes_hatch_below_one_in_a_hundred_and_clear_at_zero_or_unknown():
    values = np.array([0, np.nan, 1e-6, 0.0099, 0.01, 1], np.float32)
    assert classes_of(values).tolist() == [0, 0, 1, 1, 2, 7]
    assert PROBABILITY[0].pattern == "hatch"
    assert not PROBABILITY[0].colour


def test_ground_is_told_apart_by_pattern_and_not_by_colour_alone():
    patterns = [PROBABILITY[0].pattern, palette.NON_BURNABLE_FILL.pattern, palette.NO_DATA_FILL.pattern, "clear"]
    assert len(set(patterns)) == 4
