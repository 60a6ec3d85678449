"""Verbs on fire behaviour: what they say is what the room computes, and bad input is a sentence and a way out."""

import json
import re

import numpy as np
import pytest
import rasterio
from affine import Affine

from geolabel.grid import Grid
from geolabel.steps.behave import behave
from geolabel.view.cog import load_risk

WIND, START = "20 km/h from 225", "2025-07-01T12:00Z"


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    """A LANDFIRE folder of grass and shrub on a slope, with a lake."""
    folder, size = tmp_path_factory.mktemp("land"), 60
    rows, cols = np.indices((size, size))
    fuel = np.where(cols < 30, 102, 145)
    fuel[5:15, 5:15] = 98
    layers = {"dem": 500 + 4 * rows, "fbfm40": fuel, "cc": 20 + 0 * rows, "ch": 60 + 0 * rows}
    profile = {"driver": "GTiff", "height": size, "width": size, "count": 1, "dtype": "int16", "crs": "EPSG:32611"}
    for name, values in layers.items():
        with rasterio.open(folder / f"{name}.tif", "w", transform=Affine(30, 0, 5e5, 0, -30, 4e6), **profile) as file:
            file.write(values.astype(np.int16), 1)
    return folder


def lonlat(row, col):
    return str(Grid.of("EPSG:32611", Affine(30, 0, 5e5, 0, -30, 4e6), (60, 60)).lonlat(row, col))


def test_a_fire_leaves_isochrones_and_rasters_and_the_same_a_second_time(geolabel, land, tmp_path):
    asked = "spread", land, f"--ignition={lonlat(30, 20)}", "--wind", WIND, "--start", START, "--hours", "1"
    code, said, _ = geolabel(*asked, "--out", tmp_path)
    assert code == 0
    assert "without suppression and spotting" in said
    first = (tmp_path / "isochrones.geojson").read_bytes()
    assert [one["id"] for one in json.loads(first)["features"]] == ["1h"]
    geolabel(*asked, "--out", tmp_path)
    assert (tmp_path / "isochrones.geojson").read_bytes() == first
    with rasterio.open(tmp_path / "fire.tif") as file:
        assert np.nanmin(file.read(1)) == 0


def test_fires_from_anywhere_leave_a_map_that_names_its_weather(geolabel, land, tmp_path):
    asked = "burn-probability", land, "--wind", WIND, "--start", START, "--hours", "1", "--fires", "12"
    code, said, _ = geolabel(*asked, "--out", tmp_path)
    assert code == 0
    assert "12 fires of 1 h" in said
    risk = load_risk(tmp_path)
    assert risk.weather.startswith("scenario: wind 20 km/h from 225")
    assert risk.ignition is None
    page = (tmp_path / "field.html").read_text()
    assert "without suppression and spotting" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--ignition": lonlat(10, 10)}, "Open water"),
        ({"--ignition": "0,0"}, "outside"),
        ({"--ignition": None}, "where does it start"),
        ({"--start": "2025-07-01T12:00"}, "no time zone"),
        ({"--wind": "gone.csv"}, "no weather file"),
        ({"--crown": "cruz"}, "base height"),
        ({"--barriers": "gone.gpkg"}, "barriers"),
    ],
)
def test_a_fire_that_cannot_be(geolabel, land, tmp_path, changes, said):
    options = {"--ignition": lonlat(30, 20), "--wind": WIND, "--start": START, "--hours": "1", **changes}
    flags = [f"{name}={value}" for name, value in options.items() if value is not None]
    code, _, error = geolabel("spread", land, *flags, "--out", tmp_path)
    assert code == 2
    assert said in error
    assert "hint" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["behave", "spread", "burn-probability"])
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
