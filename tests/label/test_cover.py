"""Terrain classes and settlements by rule."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from geolabel.errors import BandError, InputError, UnitError
from geolabel.label.objects import settlements
from geolabel.label.terrain import terrain, terrain_codes
from geolabel.ontology import WILDFIRE
from geolabel.shapes import rasterise
from geolabel.tables import SHAPES, check
from rasters import LANDSAT, metric_grid, scene_of

SPECTRA = {  # blue, green, red, nir08, swir16, swir22: reflectances as textbooks draw them
    "water": (0.06, 0.05, 0.03, 0.02, 0.01, 0.01),
    "built_up": (0.14, 0.16, 0.18, 0.22, 0.24, 0.22),
    "bare": (0.10, 0.16, 0.22, 0.28, 0.36, 0.32),
    "grass": (0.05, 0.09, 0.08, 0.33, 0.30, 0.18),
    "shrub": (0.05, 0.07, 0.08, 0.22, 0.21, 0.14),
    "forest": (0.02, 0.04, 0.03, 0.28, 0.12, 0.05),
}


def ground(noise=0.0, size=20):
    """Six stripes, one a class, and their codes."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.array(list(SPECTRA.values())), size, axis=0)
    bands = {name: rows[:, [i]] * rng.normal(1, noise, (6 * size, 40)) for i, name in enumerate(LANDSAT)}
    return bands, np.repeat([WILDFIRE[name].code for name in SPECTRA], size)[:, None] * np.ones((1, 40), int)


def test_textbook_spectra_get_their_class():
    bands, truth = ground()
    np.testing.assert_array_equal(terrain_codes(scene_of(bands).data, quantity="reflectance").values, truth)


def test_relative_rules_part_water_plants_and_what_has_none_in_dn():
    bands, truth = ground(noise=0.03)
    dn = {name: np.round(20 + 300 * value) for name, value in bands.items()}
    codes = terrain_codes(scene_of(dn, quantity="dn").data, quantity="dn")
    assert "relative" in codes.attrs["cuts"]
    water, plants = WILDFIRE["water"].code, [WILDFIRE[n].code for n in ("grass", "shrub", "forest")]
    assert ((codes.values == water) == (truth == water)).mean() > 0.99
    assert (np.isin(codes.values, plants) == np.isin(truth, plants)).mean() > 0.95


def test_codes_are_lazy_for_reflectance_and_missing_pixels_are_255():
    bands, _ = ground(noise=0.1)
    bands["red"][3, 4] = np.nan
    cut, whole = (terrain_codes(scene_of(bands, chunks=c).data, quantity="reflectance") for c in ((7, 5), -1))
    assert isinstance(cut.data, da.Array)
    np.testing.assert_array_equal(cut.values, whole.values)
    assert np.argwhere(whole.values == 255).tolist() == [[3, 4]]


def test_rules_refuse_what_they_cannot_read():
    bands, _ = ground()
    with pytest.raises(UnitError):
        terrain_codes(scene_of(bands).data, quantity="elevation_m")
    with pytest.raises(BandError, match="swir16"):
        terrain_codes(scene_of(bands).data.drop_vars("swir16"), quantity="reflectance")


def test_terrain_polygons_cover_all_known_ground_once():
    rng = np.random.default_rng(1)
    grid = metric_grid(50, 50)
    codes = np.kron(rng.integers(1, 7, (10, 10)), np.ones((5, 5), int)).astype(np.uint8)
    codes[rng.random(grid.shape) < 0.05] = 2
    codes[:6, :6] = 255
    cover = terrain(xr.DataArray(codes, dims=("y", "x")), grid)
    check(cover, SHAPES)
    assert cover.geometry.area.sum() == pytest.approx(900 * (codes != 255).sum())
    assert cover.geometry.union_all().area == pytest.approx(cover.geometry.area.sum())
    assert cover.geometry.area.min() >= 10_000
    painted = rasterise(cover, grid, [WILDFIRE[name].code for name in cover["class"]], fill=255)
    np.testing.assert_array_equal(painted == 255, codes == 255)
    assert (painted == codes).mean() > 0.9


def test_a_settlement_is_a_group_of_built_up_pixels_with_its_park():
    grid = metric_grid(60, 60)
    codes = np.full(grid.shape, WILDFIRE["forest"].code, np.uint8)
    town = np.zeros(grid.shape, bool)
    town[10:40, 10:40] = True
    town[12:40:3, 10:40] = False  # streets with trees, one pixel wide
    town[18:28, 18:28] = False
    codes[town] = WILDFIRE["built_up"].code
    codes[50:52, 50:52] = WILDFIRE["built_up"].code  # a farm
    found = settlements(codes, grid)
    check(found, SHAPES)
    assert found["class"].tolist() == ["settlement"]
    assert len(found.geometry[0].interiors) == 1
    assert found.geometry.area[0] == pytest.approx(900 * (29 * 30 - 100), rel=0.06)
    assert len(settlements(codes, grid, min_area_m2=3000)) == 2


def test_a_settlement_never_grows_over_water_or_the_unknown():
    grid = metric_grid(40, 40)
    codes = np.full(grid.shape, WILDFIRE["built_up"].code, np.uint8)
    codes[:, 20] = WILDFIRE["water"].code
    codes[20] = 255
    found = settlements(codes, grid)
    assert len(found) == 4
    assert not (rasterise(found, grid) > 0)[(codes == 255) | (codes == WILDFIRE["water"].code)].any()


def test_codes_of_another_grid_are_refused():
    for rule in (terrain, settlements):
        with pytest.raises(InputError, match="on a grid"):
            rule(np.ones((3, 3), np.uint8), metric_grid())
