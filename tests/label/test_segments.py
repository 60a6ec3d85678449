"""Segments as proposals of objects."""

import sys

import numpy as np
import pytest

from geolabel.errors import InputError, MissingExtra
from geolabel.label.segments import LARGEST, SMALLEST, segments
from geolabel.shapes import rasterise
from geolabel.steps import cover
from geolabel.tables import SHAPES, check
from rasters import metric_grid, scene_of

pytest.importorskip("skimage", reason="segments are scikit-image's: pip install 'geolabel[objects]'")
GRID = metric_grid(120, 120, res_m=0.5)
ROOFS = [(r, c, 20, 12 + 3 * k) for k, (r, c) in enumerate((r, c) for r in (10, 50, 85) for c in (12, 52, 88))]


def town(noise=0.02, seed=0):
    image = np.random.default_rng(seed).normal(0.3, noise, GRID.shape)
    for k, (row, col, high, wide) in enumerate(ROOFS):
        image[row : row + high, col : col + wide] += 0.4 if k % 2 else -0.25
    return image


def test_a_segment_stays_on_its_roof_and_takes_most_of_it():
    found = segments({"pan": town()}, GRID, size_m=9)
    check(found, SHAPES)
    numbers = rasterise(found, GRID, np.arange(1, len(found) + 1))
    for row, col, high, wide in ROOFS:
        roof, rim = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
        roof[row : row + high, col : col + wide] = True
        rim[row - 1 : row + high + 1, col - 1 : col + wide + 1] = True
        segment = numbers == numbers[row + high // 2, col + wide // 2]
        assert numbers[row + high // 2, col + wide // 2] > 0
        assert not (segment & ~rim).any()
        assert (segment & roof).sum() > 0.5 * roof.sum()
    assert (found["confidence"] == 0.1).all()
    assert found["compactness"].between(0.4, 1 + 1e-9).all()
    assert (found["elongation"] >= 1 - 1e-9).all()


def test_segments_have_the_sizes_and_forms_that_were_asked_for_and_do_not_overlap():
    found = segments({"pan": town(0.1)}, GRID, size_m=9, least_compact=0)
    assert found.geometry.area.between(SMALLEST * 81, LARGEST * 81).all()
    assert found.geometry.union_all().area == pytest.approx(found.geometry.area.sum())
    assert found.label_id.is_unique
    compact = segments({"pan": town(0.1)}, GRID, size_m=9, least_compact=0.7)
    assert 0 < len(compact) < len(found)
    assert set(compact.label_id) == set(found.label_id[found["compactness"] >= 0.7])


def crowns(n=6, seed=1):
    y, x = np.mgrid[:120, :120]
    rng = np.random.default_rng(seed)
    tops = [(20 * i + 10 + rng.integers(-3, 4), 20 * j + 10 + rng.integers(-3, 4)) for i in range(n) for j in range(n)]
    return tops, sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * 4.0**2)) for a, b in tops)


def test_every_crown_is_proposed_once_with_its_top_inside():
    tops, image = crowns()
    found = segments({"green": image}, GRID, size_m=6, way="crowns", class_name="tree_crown")
    assert len(found) == len(tops)
    assert set(found["class"]) == {"tree_crown"}
    for row, col in tops:
        assert (rasterise(found, GRID, np.arange(1, len(found) + 1))[row, col]) > 0


def test_the_mean_of_each_band_is_that_of_the_pixels_inside():
    image = town()
    found = segments({"pan": image, "twice": 2 * image}, GRID, size_m=9)
    for i in (0, len(found) // 2, len(found) - 1):
        there = rasterise(found.iloc[[i]], GRID) > 0
        assert found["pan_mean"][i] == pytest.approx(image[there].mean())
    np.testing.assert_allclose(found["twice_mean"], 2 * found["pan_mean"])


def test_nothing_is_proposed_where_nothing_was_seen():
    image = town()
    image[40:70, 40:80] = np.nan
    for way in ("edges", "crowns"):
        found = segments({"pan": image}, GRID, size_m=9, way=way)
        assert not (rasterise(found, GRID) > 0)[40:70, 40:80].any()


def test_crowns_of_a_scene_in_colour_are_those_of_its_green_excess():
    _, image = crowns()
    flat = np.full(GRID.shape, 0.2)
    scene = scene_of({"red": flat, "green": flat + image, "blue": flat}, GRID)
    found = cover.segments(scene, size_m=6, way="crowns")
    assert len(found) == 36
    np.testing.assert_allclose(found["green_excess_mean"], 2 * (found["green_mean"] - 0.2), rtol=1e-4)


def test_what_cannot_be_segmented_is_refused(monkeypatch):
    with pytest.raises(InputError, match="three pixels"):
        segments({"pan": town()}, GRID, size_m=1)
    with pytest.raises(InputError, match="on a grid"):
        segments({"pan": np.ones((3, 3))}, GRID, size_m=9)
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingExtra, match="scikit-image"):
        segments({"pan": town()}, GRID, size_m=9)
