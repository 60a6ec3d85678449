"""Speckle filters, filling and flow against other formulations: scipy's means, windows drawn by hand, scikit-image."""

import numpy as np
import pytest
from scipy import ndimage

from geolabel.scene.flow import fill
from geolabel.scene.speckle import despeckled
from geolabel.scene.terrain import tpi
from rasters import metric_grid, scene_of

LOOKS = 4.0


def speckled(shape=(40, 45), seed=0):
    rng = np.random.default_rng(seed)
    ground = np.where(np.arange(shape[1]) < 20, 0.03, 0.15) + 0.02 * ndimage.gaussian_filter(rng.normal(size=shape), 3)
    return (ground * rng.gamma(LOOKS, 1 / LOOKS, shape)).astype(np.float32)


def estimate(z, mean, square):
    variance = square - mean**2
    ground = np.maximum(0, (variance - mean**2 / LOOKS) / (1 + 1 / LOOKS))
    return mean + ground / variance * (z - mean)


@pytest.mark.parametrize("window", [3, 7, 11])
def test_lee_equals_moving_means_of_scipy(window):
    power = speckled().astype(float)
    expected = estimate(power, ndimage.uniform_filter(power, window), ndimage.uniform_filter(power**2, window))
    half = window // 2
    inner = np.s_[half:-half, half:-half]
    ours = despeckled(power.astype(np.float32), looks=LOOKS, half=half, halves=False)
    np.testing.assert_allclose(ours[inner], expected[inner], rtol=1e-5)


UP = """
1111111
1111111
1111111
1111111
0000000
0000000
0000000
"""
CORNER = """
1111111
1111110
1111100
1111000
1110000
1100000
1000000
"""


def drawn(text):
    return np.array([[int(c) for c in line] for line in text.split()])


def test_refined_lee_equals_windows_drawn_by_hand():
    """Lee 1981: nine 3 x 3 means; the strongest of four edges; the half window on the side like the centre."""
    power = speckled().astype(float)
    ours = despeckled(power.astype(np.float32), looks=LOOKS, half=3, halves=True)
    up, corner = drawn(UP), drawn(CORNER)
    edges = {  # edge -> (window on one side, the 3 x 3 part there, window on the other, the part there)
        "vertical": (up.T, (1, 0), up.T[:, ::-1], (1, 2)),
        "horizontal": (up, (0, 1), up[::-1], (2, 1)),
        "rising": (corner, (0, 0), corner[::-1, ::-1], (2, 2)),
        "falling": (corner[:, ::-1], (0, 2), corner[::-1], (2, 0)),
    }
    sides = {  # parts on one side and on the other
        "vertical": ([(0, 0), (1, 0), (2, 0)], [(0, 2), (1, 2), (2, 2)]),
        "horizontal": ([(0, 0), (0, 1), (0, 2)], [(2, 0), (2, 1), (2, 2)]),
        "rising": ([(0, 0), (0, 1), (1, 0)], [(2, 2), (2, 1), (1, 2)]),
        "falling": ([(0, 2), (0, 1), (1, 2)], [(2, 0), (2, 1), (1, 0)]),
    }
    for row, col in np.random.default_rng(1).integers(3, 37, (150, 2)):
        window = power[row - 3 : row + 4, col - 3 : col + 4]
        parts = np.array([[window[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].mean() for j in range(3)] for i in range(3)])
        contrast = {k: abs(sum(parts[p] for p in a) - sum(parts[p] for p in b)) for k, (a, b) in sides.items()}
        one, its_part, other, others_part = edges[max(contrast, key=contrast.get)]
        like_one = abs(parts[its_part] - parts[1, 1]) < abs(parts[others_part] - parts[1, 1])
        half = window[(one if like_one else other) == 1]
        assert ours[row, col] == pytest.approx(estimate(power[row, col], half.mean(), (half**2).mean()), rel=1e-5)


def test_filled_ground_equals_reconstruction_by_erosion():
    """The lowest surface above the ground without depressions, from its border (Vincent 1993)."""
    morphology = pytest.importorskip("skimage.morphology")
    for seed in range(3):
        heights = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(60, 70)), 1.5) * 100
        seed_surface = np.full(heights.shape, heights.max())
        seed_surface[[0, -1]], seed_surface[:, [0, -1]] = heights[[0, -1]], heights[:, [0, -1]]
        expected = morphology.reconstruction(seed_surface, heights, method="erosion", footprint=np.ones((3, 3)))
        assert (expected > heights).mean() > 0.02
        np.testing.assert_allclose(fill(heights)[0], expected, atol=1e-9)


def test_position_equals_a_mean_by_convolution():
    heights = np.random.default_rng(0).normal(800, 50, (40, 44)).astype(np.float32)
    row, col = np.mgrid[-6:7, -6:7]
    ring = ((np.hypot(row, col) <= 6) & (np.hypot(row, col) > 2)).astype(float)
    expected = heights - ndimage.convolve(heights.astype(float), ring / ring.sum())
    grid = metric_grid(40, 44, res_m=30.0)
    found = tpi(scene_of({"elevation": heights}, grid, quantity="elevation_m"), 180, inner_m=60).values
    np.testing.assert_allclose(found[6:-6, 6:-6], expected[6:-6, 6:-6], atol=1e-3)
