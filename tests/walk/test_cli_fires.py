"""Verbs on fire behaviour: what they say is what the room computes, and bad input is a sentence and a way out."""

import re

import pytest

from geolabel.steps.behave import behave

WIND = "20 km/h from 225"


@pytest.mark.parametrize("verb", ["behave"])
def test_every_verb_has_help(geolabel, verb):
    code, said, _ = geolabel(verb, "--help")
    assert code == 0
    assert verb in geolabel("--help")[1]
    assert len(said.splitlines()) > 5


def test_the_table_is_the_point_model(geolabel):
    code, said, _ = geolabel("behave", "102", "145", "--wind", WIND, "--slope", "20")
    assert code == 0
    found = behave([102, 145], WIND, slope_deg=20.0)
    for row in found.to_dict("records"):
        line = next(line for line in said.splitlines() if row["code"] in line)
        numbers = [float(n) for n in re.findall(r"\d+\.?\d*", line)]
        assert row["rate_m_min"] == pytest.approx(numbers[2], abs=0.006)
        assert row["intensity_kw_m"] == pytest.approx(numbers[4], abs=0.6)
    assert (found["bearing_deg"].round() == 45).all()


def test_a_slope_helps_and_moisture_hinders():
    level, steep, wet = (
        behave([102], WIND, **more)["rate_m_min"][0]
        for more in ({}, {"slope_deg": 30.0}, {"moisture": {"m1": 0.12, "m10": 0.13, "m100": 0.14}})
    )
    assert wet < level < steep


def test_crowns_burn_where_they_are_low_and_dense(geolabel):
    canopy = "--cover", "60", "--height", "15", "--bulk-density", ".15", "--crown", "rothermel"
    _, low, _ = geolabel("behave", "10", "--wind", "40 km/h from W", "--base-height", "1", *canopy)
    _, high, _ = geolabel("behave", "10", "--wind", "40 km/h from W", "--base-height", "12", *canopy)
    assert "active" in low
    assert "active" not in high


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("14", "--wind", WIND), "do not exist"),
        (("98", "--wind", WIND), "does not burn"),
        (("102", "--wind", "20 from 225"), "has no unit"),
        (("102", "--wind", "900 km/h from 225"), "wind"),
        (("102", "--wind", WIND, "--slope", "85"), "slope"),
        (("102", "--wind", WIND, "--moisture", ".06,.07,.08,.6,.9"), "percentages"),
        (("102", "--wind", WIND, "--moisture", "6,7"), "percentages"),
        (("10", "--wind", WIND, "--crown", "cruz"), "base height"),
    ],
)
def test_bad_input(geolabel, arguments, said):
    code, _, error = geolabel("behave", *arguments)
    assert code == 2
    assert said in error
    assert "hint" in error
