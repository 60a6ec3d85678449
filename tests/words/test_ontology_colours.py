"""Colours of the shipped classes under four kinds of sight, and text on them."""

import warnings
from itertools import combinations

import numpy as np
import pytest

from geolabel.ontology import WILDFIRE
from geolabel.ontology.show import ink_on

with warnings.catch_warnings():  # its docstrings hold escapes that Python 3.12 warns of when it first compiles them
    warnings.simplefilter("ignore")
    from colorspacious import cspace_convert

SIGHTS = ("normal", "deuteranomaly", "protanomaly", "tritanomaly")
TOGETHER = {
    "top of terrain": [c for c in WILDFIRE.children() if c.kind == "terrain"],
    "leaves of terrain": [c for c in WILDFIRE.leaves() if c.kind == "terrain"],
    "burn": list(WILDFIRE.of_kind("burn")),
    "objects": list(WILDFIRE.of_kind("object")),
}
"""Classes that one map may show together."""


def channels(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def seen(colour, sight):
    """CAM02-UCS coordinates of a colour; anomalies at severity 100 are -anopia."""
    values = channels(colour)
    if sight != "normal":
        values = cspace_convert(values, {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}, "sRGB1").clip(0, 1)
    return cspace_convert(values, "sRGB1", "CAM02-UCS")


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("group", TOGETHER)
def test_classes_shown_together_differ_by_ten_for_every_sight(group, sight):
    points = {c.name: seen(c.colour, sight) for c in TOGETHER[group]}
    assert len(points) >= 2
    gaps = {pair: np.linalg.norm(points[pair[0]] - points[pair[1]]) for pair in combinations(points, 2)}
    nearest = min(gaps, key=gaps.get)
    assert gaps[nearest] >= 10, nearest


def test_colours_mean_something():
    hue = {c.name: channels(c.colour) for c in WILDFIRE}
    assert hue["water"].argmax() == 2
    for name in ("forest", "forest_broadleaf", "forest_conifer", "forest_mixed", "forest_young", "tree_crown"):
        assert hue[name].argmax() == 1, name
    for name in ("grass", "grass_short", "grass_tall", "crops"):  # yellow: red and green over blue
        assert min(hue[name][:2]) > hue[name][2], name
    assert hue["burned"].argmax() == 0
    assert hue["snow"].min() > 0.9


@pytest.mark.parametrize("one", WILDFIRE, ids=lambda c: c.name)
def test_text_on_a_class_reads(one):
    def luminance(colour):  # WCAG 2.2
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one.colour), luminance(ink_on(one.colour))))
    assert (high + 0.05) / (low + 0.05) >= 4.5
