"""Painting a burn: mixing is linear, NBR falls with the share, and everything says simulated."""

import numpy as np
import pytest

from geolabel.errors import BandError, InputError, UnitError
from geolabel.scene.indices import nbr
from geolabel.scene.paint import CHAR_REFLECTANCE, burn
from rasters import LANDSAT, metric_grid, scene_of

PLANTS = dict(zip(LANDSAT, (0.03, 0.05, 0.03, 0.35, 0.18, 0.08), strict=True))


def vegetated(quantity="reflectance", shape=(20, 20)):
    """Plants of varying density over soil; DN are as an 8-bit sensor might give them."""
    rng = np.random.default_rng(0)
    density = rng.uniform(0.2, 1, shape)
    soil = dict(zip(LANDSAT, (0.08, 0.12, 0.16, 0.24, 0.32, 0.26), strict=True))
    bands = {name: density * PLANTS[name] + (1 - density) * soil[name] for name in LANDSAT}
    if quantity == "dn":
        bands = {name: np.round(20 + 250 * value) for name, value in bands.items()}
    return scene_of(bands, metric_grid(*shape), quantity=quantity)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_mixing_is_linear_in_the_share(share):
    scene = vegetated()
    painted = burn(scene, np.full(scene.grid.shape, share), note="a test")
    for name in LANDSAT:
        expected = scene.data[name].values * (1 - share) + CHAR_REFLECTANCE[name] * share
        np.testing.assert_allclose(painted.data[name].values, expected, rtol=1e-5)
        assert painted.data[name].dtype == np.float32


@pytest.mark.parametrize("quantity", ["reflectance", "dn"])
def test_the_burn_ratio_falls_the_more_the_larger_the_share(quantity):
    scene = vegetated(quantity)
    ratios = [nbr(burn(scene, np.full(scene.grid.shape, s), note="a test")).values for s in (0, 0.3, 0.6, 0.9)]
    plants = ratios[0] > np.median(ratios[0])
    drops = [np.median((ratios[0] - ratio)[plants]) for ratio in ratios]
    assert drops == sorted(drops)
    assert drops[-1] > 0.3


def test_no_data_stays_no_data_and_the_scene_stays_lazy():
    bands = {name: np.where(np.eye(6) > 0, np.nan, 0.3) for name in LANDSAT}
    painted = burn(scene_of(bands), np.full((6, 6), 0.5), note="a test")
    assert painted.data.red.chunks is not None
    np.testing.assert_array_equal(np.isnan(painted.data.red.values), np.eye(6) > 0)


def test_a_painted_scene_says_so_and_is_another_scene():
    scene = vegetated()
    share = np.zeros(scene.grid.shape)
    share[3, 4] = 0.5
    painted = burn(scene, share, note="simulated fire on a real scene")
    assert painted.audit[-1].startswith("simulated: simulated fire on a real scene")
    assert "1 pixels" in painted.audit[-1]
    assert painted.digest not in (scene.digest, burn(scene, share / 2, note="simulated fire on a real scene").digest)
    assert painted.digest == burn(scene, share, note="simulated fire on a real scene").digest


def test_shares_that_are_none_are_refused():
    scene = vegetated()
    for wrong, message in ((np.full((3, 3), 0.5), "shares of"), (np.full(scene.grid.shape, 1.5), "outside 0-1")):
        with pytest.raises(InputError, match=message):
            burn(scene, wrong, note="a test")
    with pytest.raises(InputError, match="outside 0-1"):
        burn(scene, np.full(scene.grid.shape, np.nan), note="a test")
    with pytest.raises(InputError, match="without a note"):
        burn(scene, np.zeros(scene.grid.shape), note=" ")


def test_only_spectral_bands_can_be_painted():
    with pytest.raises(UnitError):
        burn(scene_of({"elevation": np.ones((4, 4))}, quantity="elevation_m"), np.zeros((4, 4)), note="a test")
    with pytest.raises(BandError, match="thermal"):
        burn(scene_of({"thermal": np.ones((4, 4))}), np.zeros((4, 4)), note="a test")
