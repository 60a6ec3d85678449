"""Change indices by window: the very values of the lazy ones."""

import pickle

import numpy as np
import pytest

from geolabel.errors import BandError
from geolabel.label.scars.quanta import quantised
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.change import change_reader
from geolabel.scene.indices import dnbr, rbr, rdnbr, times_1000
from geolabel.scene.open import open_scene
from rasters import LANDSAT, metric_grid, scene_of, write_raster

LAZY = {"dnbr": dnbr, "rdnbr": rdnbr, "rbr": lambda view, **how: times_1000(rbr(view, **how))}
ROWS, COLS = slice(3, 17), slice(5, 31)


def view_of(chunks=7):
    rng = np.random.default_rng(0)
    scenes = {}
    for role in ("before", "after"):
        bands = {name: rng.uniform(-0.1, 0.6, (20, 33)).astype(np.float32) for name in ("nir08", "swir22")}
        bands["nir08"][rng.random((20, 33)) < 0.1] = np.nan
        bands["nir08"][4, 6:9], bands["swir22"][4, 6:9] = 0, 0  # 0/0
        bands["swir22"][5, 6:9] = bands["nir08"][5, 6:9]  # NBR 0, where RdNBR has no value
        scenes[role] = scene_of(bands, chunks=chunks, name=role)
    return View("v", scenes["before"].grid, scenes)


@pytest.mark.parametrize("offset", [0.0, 0.0371])
@pytest.mark.parametrize("name", LAZY)
def test_windows_hold_the_values_of_the_lazy_index_to_the_last_bit(name, offset):
    view = view_of()
    lazy = LAZY[name](view, offset=offset)
    reader = change_reader(view, name, offset=offset)
    assert reader.units == lazy.attrs["units"]
    np.testing.assert_array_equal(reader.read(ROWS, COLS), lazy.values[ROWS, COLS])
    np.testing.assert_array_equal(
        quantised(reader.read(ROWS, COLS), reader.units), quantised(lazy.values[ROWS, COLS], reader.units)
    )
    assert np.isnan(lazy.values).any()


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(1)
    grid = metric_grid(96, 80)
    return {
        role: write_raster(
            tmp_path / f"{role}.tif",
            rng.integers(0, 12_000, (6, 96, 80)).astype(np.uint16),
            names=LANDSAT,
            transform=grid.transform,
            nodata=0,
            tiled=True,
            blockxsize=32,
            blockysize=16,
        )
        for role in ("before", "after")
    }


def test_files_are_read_through_their_readers_in_whole_blocks(files):
    view = align({role: open_scene(path, sensor="landsat-c2-l2", at="2020-06-01") for role, path in files.items()})
    reader = pickle.loads(pickle.dumps(change_reader(view)))
    assert reader.block == (16, 32)
    assert reader.shape == (96, 80)
    window = slice(10, 90), slice(0, 64)
    np.testing.assert_array_equal(reader.read(*window), dnbr(view).values[window])


def test_the_digest_follows_scenes_index_and_offset(files):
    def view(**more):
        opened = {
            role: open_scene(path, sensor="landsat-c2-l2", at="2020-06-01", **more) for role, path in files.items()
        }
        return align(opened)

    digests = {change_reader(view(), name, offset=o).digest for name in LAZY for o in (0.0, 0.1)}
    assert len(digests) == 6
    assert change_reader(view()).digest in digests
    swapped = View("x", view().grid, {"before": view()["after"], "after": view()["before"]})
    assert change_reader(swapped).digest not in digests


def test_what_is_missing_is_named():
    view = view_of()
    with pytest.raises(BandError, match="unknown change index 'dnr'"):
        change_reader(view, "dnr")
    bare = View("b", view.grid, {"before": view["before"], "after": scene_of({"nir08": np.ones((20, 33))})})
    with pytest.raises(BandError, match="no band 'swir22'"):
        change_reader(bare)


def test_blocks_of_two_sizes_are_read_together():
    small, large = view_of(4), view_of(6)
    view = View("v", small.grid, {"before": small["before"], "after": large["after"]})
    assert change_reader(view).block == (12, 12)
    odd = View("v", small.grid, {"before": view_of(7)["before"], "after": view_of(11)["after"]})
    assert change_reader(odd).block == (11, 11)  # 77 would be too much
