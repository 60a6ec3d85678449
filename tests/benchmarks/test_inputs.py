"""The generated pair: the same from the same seed, correlated, georeferenced, burned where it says, cut anywhere alike."""

import dataclasses

import numpy as np
import pytest
import rasterio
from benchmarks.inputs import LATTICE, NAMES, Pair, block, burned_share, field, make, scars
from scipy import ndimage

from benchmarks import inputs
from geolabel.grid import Tile
from geolabel.scene.open import open_scene

PAIR = Pair(1200, seed=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("GEOLABEL_BENCH", str(tmp_path_factory.mktemp("bench")))
    yield make(PAIR)
    patch.undo()


def pixels(path):
    with rasterio.open(path) as file:
        return file.read()


def test_a_field_does_not_depend_on_where_it_is_cut():
    whole = field(1, 2, Tile(100, 300, 200, 150))
    np.testing.assert_array_equal(field(1, 2, Tile(160, 377, 90, 50)), whole[60:150, 77:127])


def test_burned_ground_does_not_depend_on_where_it_is_cut():
    scar = scars(PAIR.size, PAIR.seed)[0]
    row, col = int(scar.row) - 40, int(scar.col) - 40
    whole = burned_share(PAIR, Tile(row, col, 80, 80))
    assert whole.max() > 0
    np.testing.assert_array_equal(burned_share(PAIR, Tile(row + 11, col + 3, 30, 20)), whole[11:41, 3:23])


def test_the_file_is_a_cog_as_described(made):
    with rasterio.open(made.before) as file:
        assert (file.count, file.dtypes[0], file.shape, file.nodata) == (6, "uint16", (1200, 1200), 0)
        assert file.block_shapes[0] == (512, 512)
        assert file.crs.to_epsg() == 32611
        assert file.res == (10, 10)
        assert file.descriptions == NAMES
        assert file.profile["interleave"] == "pixel"
        assert file.compression.name == "deflate"
        assert file.tags(ns="IMAGE_STRUCTURE")["PREDICTOR"] == "2"
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)


def test_the_file_holds_the_blocks(made):
    for role in ("before", "after"):
        file = pixels(made.folder / f"{role}.tif")
        for place in (PAIR.blocks()[0], PAIR.blocks()[-1]):
            np.testing.assert_array_equal(file[:, *place.slices], block(PAIR, place, role))


def test_files_are_kept_and_another_recipe_has_another_folder(made, monkeypatch):
    folder, stamp = made.folder, made.before.stat().st_mtime_ns
    assert make(PAIR).before.stat().st_mtime_ns == stamp
    assert dataclasses.replace(PAIR, seed=6).folder != folder
    monkeypatch.setattr(inputs, "NOISE_DN", 25.0)
    inputs.recipe.cache_clear()
    assert PAIR.folder != folder
    inputs.recipe.cache_clear()


def test_a_broken_write_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOLABEL_BENCH", str(tmp_path))

    def broken(*_):
        raise KeyboardInterrupt

    pair = Pair(600, seed=1)
    monkeypatch.setattr(inputs, "_made", broken)
    with pytest.raises(KeyboardInterrupt):
        make(pair)
    assert list(pair.folder.iterdir()) == []


def test_neighbours_are_alike_and_far_pixels_are_not(made):
    for band in pixels(made.before).astype(float):
        value = band - band.mean()
        near = (value[:, 1:] * value[:, :-1]).mean() / value.var()
        rows, cols = np.random.default_rng(0).permutation(1200), np.random.default_rng(1).permutation(1200)
        far = (value * value[rows][:, cols]).mean() / value.var()
        assert near > 0.9
        assert abs(far) < 0.2


def test_it_compresses_nearly_as_little_as_a_real_tile(made):
    """Real Sentinel-2 bands (B8A, B12 of ../shared/data/burn-llutxent) keep 0.7 of their size this way."""
    with rasterio.open(made.before) as file:
        sizes = [file.get_tag_item(f"BLOCK_SIZE_{c}_{r}", "TIFF", bidx=1) for r in range(2) for c in range(2)]
    assert 0.55 < sum(map(int, sizes)) / (4 * 512 * 512 * 6 * 2) < 0.75


def test_scars_stand_apart_have_islands_and_show_in_the_index(made):
    def nbr(path):
        nir, swir = pixels(path)[[3, 5]].astype(float) - 1000
        return (nir - swir) / (nir + swir)

    change = nbr(made.before) - nbr(made.after)
    patches, n = ndimage.label(ndimage.median_filter(change >= 0.1, 3))
    assert n == len(scars(PAIR.size, PAIR.seed)) == (PAIR.size // LATTICE) ** 2
    assert ndimage.label(patches == 0)[1] > 1, "islands"
    assert np.percentile(np.abs(change[patches == 0]), 99) < 0.1


def test_geolabel_opens_it_as_reflectance(made):
    scene = open_scene(made.before, sensor="sentinel-2-l2a", at="2024-08-01", offset=-1000)
    values = scene.read(("red", "nir08"), slice(0, 600), slice(0, 600))
    assert np.isfinite(values).all()
    assert -0.01 < values.min() < values.max() < 0.6
