"""Chips: walked, drawn at random, cached and written; always the very pixels of the scene."""

import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
import rasterio
from scipy.stats import chisquare

import geolabel as gl
from geolabel.dataset.cache import Cache
from geolabel.dataset.chip_store import open_chips, write_chips
from geolabel.dataset.chips import walk_tiles
from geolabel.dataset.shuffle import Shuffle, random_chips
from geolabel.errors import BandError, InputError, SourceError
from geolabel.grid import Tiling
from geolabel.scene import reading
from rasters import metric_grid, scene_of, write_raster

NAMES = ("red", "nir08", "swir22")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("chips")


def raster(folder, name="a.tif", shape=(1100, 700), **profile):
    rng = np.random.default_rng(3)
    dn = rng.integers(0, 4, (3, *shape)).astype(np.uint16) * 5000
    profile = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "pixel", **profile}
    return write_raster(folder / name, dn, names=NAMES, nodata=0, **profile)


@pytest.fixture(scope="module")
def scene(folder):
    return gl.open_scene(raster(folder), sensor="landsat-c2-l2", at="2020-06-01")


def padded(scene, bands=NAMES, pad=64):
    whole = scene.data[list(bands)].to_array().values
    return np.pad(whole, ((0, 0), (pad, pad), (pad, pad)), constant_values=np.nan), pad


def cut(whole, tile):
    array, pad = whole
    m = tile.margin
    rows = slice(tile.row - m + pad, tile.row + tile.height + m + pad)
    return array[:, rows, tile.col - m + pad : tile.col + tile.width + m + pad]


# ---------------------------------------------------------------------- the walk
@pytest.mark.parametrize(("size", "margin"), [(256, 0), (300, 17), (97, 5), (2000, 3)])
@pytest.mark.parametrize("order", ["tiles", "blocks"])
def test_tiles_are_the_pixels_of_the_scene(scene, size, margin, order):
    tiles, whole = scene.grid.tiles(size, margin), padded(scene)
    walked = list(walk_tiles(scene, tiles, order=order, threads=3))
    assert [t for t, _ in walked] == list(tiles) if order == "tiles" else {t for t, _ in walked} == set(tiles)
    for tile, chip in walked:
        assert chip.dtype == np.float32
        np.testing.assert_array_equal(chip, cut(whole, tile))


@pytest.mark.parametrize(
    "profile", [{}, {"interleave": "band"}, {"tiled": False, "blockxsize": 700, "blockysize": 3}, {"blockxsize": 64}]
)
def test_every_stored_block_is_decoded_once(tmp_path, monkeypatch, profile):
    made = gl.open_scene(raster(tmp_path, **profile), sensor="landsat-c2-l2", at="2020-06-01")
    seen, lock, read = [], threading.Lock(), reading.read_window

    def counting(path, bands, window, **more):
        with lock:
            seen.append((tuple(bands), window))
        return read(path, bands, window, **more)

    monkeypatch.setattr(reading, "read_window", counting)
    whole = padded(made)
    seen.clear()
    for tile, chip in walk_tiles(made, made.grid.tiles(150, 20)):
        np.testing.assert_array_equal(chip, cut(whole, tile))
    with rasterio.open(made.recipe["path"]) as file:
        block = file.block_shapes[0]
    times = np.zeros((len(NAMES), *made.grid.shape), int)
    for bands, w in seen:
        assert w.row_off % block[0] == 0
        assert w.col_off % block[1] == 0
        for band in bands:
            times[band - 1, w.row_off : w.row_off + w.height, w.col_off : w.col_off + w.width] += 1
    assert (times == 1).all()


def test_stored_dn_come_as_they_are_and_nodata_beyond_the_scene(scene):
    with rasterio.open(scene.recipe["path"]) as file:
        dn = np.pad(file.read(), ((0, 0), (64, 64), (64, 64)))
    for tile, chip in walk_tiles(scene, scene.grid.tiles(300, 9), ["nir08"], dn=True):
        assert chip.dtype == np.uint16
        np.testing.assert_array_equal(chip[0], cut((dn, 64), tile)[1])


def test_scenes_that_only_give_values_are_walked_too():
    values = np.arange(70 * 90, dtype=float).reshape(70, 90)
    scene = scene_of({"red": values, "nir08": -values}, chunks=(13, 29))
    whole = padded(scene, ("nir08", "red"))
    for tile, chip in walk_tiles(scene, scene.grid.tiles(16, 3), ["nir08", "red"]):
        np.testing.assert_array_equal(chip, cut(whole, tile))
    with pytest.raises(BandError, match="no stored DN"):
        next(walk_tiles(scene, scene.grid.tiles(16), dn=True))


def test_chips_are_the_callers_own_and_a_walk_may_be_left(scene):
    others = set(threading.enumerate())
    walked = walk_tiles(scene, scene.grid.tiles(256, 8))
    _, first = next(walked)
    before = first.copy()
    _, second = next(walked)
    second[:] = -1
    np.testing.assert_array_equal(first, before)
    walked.close()
    assert set(threading.enumerate()) <= others


def test_tiles_of_another_grid_and_unknown_bands_are_refused(scene):
    with pytest.raises(InputError, match="tiles on"):
        next(walk_tiles(scene, Tiling(metric_grid(), metric_grid().tiles(4))))
    with pytest.raises(InputError, match="does not lie"):
        next(walk_tiles(scene, [gl.Tile(1000, 0, 256, 256)]))
    with pytest.raises(BandError, match="green"):
        next(walk_tiles(scene, scene.grid.tiles(256), ["green"]))


# ---------------------------------------------------------------------- random chips
def test_random_chips_are_the_pixels_at_their_positions(scene):
    whole = scene.data[list(NAMES)].to_array().values
    for positions, batch in itertools.islice(random_chips(scene, 100, 7, seed=5), 6):
        assert batch.shape == (7, 3, 100, 100)
        for (row, col), chip in zip(positions, batch, strict=True):
            np.testing.assert_array_equal(chip, whole[:, row : row + 100, col : col + 100])


def test_random_chips_follow_from_the_seed_alone(scene, folder):
    cache = Cache.prepare(scene, folder / "seeded")
    for source in (scene, cache):
        runs = [
            np.concatenate([p for p, _ in random_chips(source, 64, 5, seed=seed, count=43, threads=threads)])
            for seed, threads in ((1, 1), (1, 4), (2, 1))
        ]
        assert len(runs[0]) == 43
        np.testing.assert_array_equal(runs[0], runs[1])
        assert (runs[0] != runs[2]).any()


@pytest.mark.parametrize("through_cache", [False, True])
def test_every_position_is_as_likely(folder, through_cache):
    """Chi-square over cells of positions, block borders inside and outside of cells; 1 in 1000 by chance."""
    made = gl.open_scene(
        raster(folder, f"u{through_cache}.tif", (600, 620), blockxsize=64, blockysize=64), at="2020-06-01"
    )
    source = Cache.prepare(made, folder / "uniform") if through_cache else made
    how = Shuffle(visit=30, mix=4, region_px=128)
    drawn = random_chips(source, 21, 50, seed=11, count=3000, bands=["red"], shuffle=how)
    positions = np.concatenate([p for p, _ in drawn])
    assert positions.min() >= 0
    assert (positions <= np.array([600 - 21, 620 - 21])).all()
    cells, _, _ = np.histogram2d(*positions.T, bins=10, range=[[-0.5, 579.5], [-0.5, 599.5]])
    assert chisquare(cells.reshape(-1)).pvalue > 1e-3
    inside, _ = np.histogram(positions[:, 0] % 64, bins=8, range=(-0.5, 63.5))
    expected = np.array([(np.arange(580) % 64 // 8 == i).sum() for i in range(8)]) / 580 * 3000
    assert chisquare(inside, expected).pvalue > 1e-3


def test_a_batch_mixes_regions(scene):
    how = Shuffle(visit=8, mix=6, region_px=256)
    first = next(random_chips(scene, 64, 16, seed=0, shuffle=how))[0]
    assert len({tuple(p) for p in first // 256}) >= 4


def test_chips_that_do_not_fit_are_refused(scene):
    with pytest.raises(InputError, match="chips of 701"):
        next(random_chips(scene, 701, seed=1))
    with pytest.raises(TypeError):
        random_chips(scene, 64)  # a seed is not optional


# ---------------------------------------------------------------------- the cache
def test_a_cache_gives_values_and_dn_and_is_prepared_once(scene, tmp_path, monkeypatch):
    cache = Cache.prepare(scene, tmp_path / "c")
    assert cache.pixels.dtype == np.uint16
    whole = scene.data[["swir22", "red"]].to_array().values
    with rasterio.open(scene.recipe["path"]) as file:
        dn = file.read()
    for positions, batch in random_chips(cache, 50, 4, seed=1, count=8, bands=["swir22", "red"]):
        for (row, col), chip in zip(positions, batch, strict=True):
            np.testing.assert_array_equal(chip, whole[:, row : row + 50, col : col + 50])
    for positions, batch in random_chips(cache, 50, 4, seed=1, count=8, dn=True):
        for (row, col), chip in zip(positions, batch, strict=True):
            np.testing.assert_array_equal(chip, dn[:, row : row + 50, col : col + 50])

    def refuse(*args, **more):
        raise AssertionError("decoded again")

    monkeypatch.setattr(reading, "read_window", refuse)
    assert Cache.prepare(scene, tmp_path / "c").grid.digest == scene.grid.digest
    with pytest.raises(AssertionError):  # another choice of bands is another cache
        Cache.prepare(scene, tmp_path / "c", bands=["red"])
    assert Cache.open(tmp_path / "c").bands == NAMES  # and what was there is untouched


def test_a_cache_of_computed_values_holds_values(tmp_path):
    values = np.arange(30 * 40, dtype=float).reshape(30, 40)
    scene = scene_of({"red": values}, chunks=7)
    cache = Cache.prepare(scene, tmp_path / "c")
    ((row, col),), batch = next(random_chips(cache, 9, 1, seed=3))
    np.testing.assert_array_equal(batch[0, 0], values[row : row + 9, col : col + 9])
    with pytest.raises(BandError, match="values, not DN"):
        next(random_chips(cache, 9, 1, seed=3, dn=True))
    with pytest.raises(BandError, match="green"):
        next(random_chips(cache, 9, 1, seed=3, bands=["green"]))


def test_what_is_no_whole_cache_is_refused(scene, tmp_path):
    with pytest.raises(SourceError, match="no cache"):
        Cache.open(tmp_path / "nothing")
    Cache.prepare(scene, tmp_path / "c")
    pixels = tmp_path / "c" / "pixels.npy"
    pixels.write_bytes(pixels.read_bytes()[:-1000])
    with pytest.raises(SourceError, match="no cache"):
        Cache.open(tmp_path / "c")


# ---------------------------------------------------------------------- on disk
@pytest.mark.parametrize("layout", ["cog", "zarr"])
@pytest.mark.parametrize("dn", [False, True])
def test_written_chips_are_the_walked_ones(scene, tmp_path, layout, dn):
    tiling = gl.tiles(scene, 260, 6)
    written = write_chips(scene, tiling, tmp_path / "c", format=layout, dn=dn, bands=["nir08", "red"])
    again = open_chips(tmp_path / "c")
    assert again.bands == ("nir08", "red")
    assert (again.grid.digest, again.about["scene_digest"]) == (scene.grid.digest, scene.digest)
    assert again.footprints()["id"].tolist() == list(tiling.ids)
    for i, (tile, chip) in enumerate(walk_tiles(scene, tiling, ["nir08", "red"], dn=dn)):
        assert again.tiles[i] == tile
        np.testing.assert_array_equal(again[i], chip)
        np.testing.assert_array_equal(written[i], chip)


def test_a_chip_is_a_cog_that_knows_where_it_lies(scene, tmp_path):
    tiling = gl.tiles(scene, 300, 4)
    write_chips(scene, tiling, tmp_path / "c")
    tile = tiling.tiles[4]
    with rasterio.open(tmp_path / "c" / f"{tile.key}.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.descriptions == NAMES
        assert file.transform == scene.grid.crop(tile, margin=True).transform
        assert np.isnan(file.nodata)
        assert file.tags()["SCENE_DIGEST"] == scene.digest


def test_a_sharded_store_is_read_by_zarr_alone(scene, tmp_path):
    import zarr

    write_chips(scene, gl.tiles(scene, 128), tmp_path / "c", format="zarr")
    array = zarr.open_array(str(tmp_path / "c" / "chips.zarr"), mode="r")
    assert array.shape == (54, 3, 128, 128)
    assert array.shards == (32, 3, 128, 128)
    assert array.attrs["bands"] == list(NAMES)
    assert np.isnan(array[-1][:, 1100 - 8 * 128 :]).all()  # padding of an edge tile


@pytest.mark.parametrize("layout", ["cog", "zarr"])
def test_a_killed_writer_is_gone_on_from(scene, tmp_path, layout):
    code = f"""
        import time
        import geolabel as gl
        from geolabel.dataset.chip_store import write_chips
        scene = gl.open_scene({scene.recipe["path"]!r}, sensor="landsat-c2-l2", at="2020-06-01")
        def stop(what, done, total):
            if done >= 35:
                print("ready", flush=True)
                time.sleep(60)
        write_chips(scene, gl.tiles(scene, 100), {str(tmp_path / "c")!r}, format={layout!r}, progress=stop)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "ready"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with pytest.raises(SourceError, match="not whole"):
        open_chips(tmp_path / "c")
    tiling, steps = gl.tiles(scene, 100), []
    done = (tmp_path / "c" / ".journal").read_text().count("\n") - 1
    assert done >= (34 if layout == "cog" else 1)
    write_chips(scene, tiling, tmp_path / "c", format=layout, progress=lambda *a: steps.append(a))
    assert steps[-1][1:] == ((len(tiling) - done,) * 2 if layout == "cog" else (len(tiling) - 32 * done,) * 2)
    again = open_chips(tmp_path / "c")
    for i, (_, chip) in enumerate(walk_tiles(scene, tiling)):
        np.testing.assert_array_equal(again[i], chip)


def test_the_same_call_writes_nothing_and_another_leaves_it_alone(scene, tmp_path):
    tiling = gl.tiles(scene, 400)
    write_chips(scene, tiling, tmp_path / "c")
    stamp = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "c").glob("*.tif")}
    write_chips(scene, tiling, tmp_path / "c")
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "c").glob("*.tif")} == stamp
    for other in ({"bands": ["red"]}, {"format": "zarr"}):
        with pytest.raises(InputError, match="chips of another scene, tiling or format"):
            write_chips(scene, tiling, tmp_path / "c", **other)
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "c").glob("*.tif")} == stamp
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"other files \(mine\.txt"):
        write_chips(scene, tiling, tmp_path / "d")


def test_what_is_no_whole_store_is_refused(scene, tmp_path):
    with pytest.raises(SourceError, match="holds no chips"):
        open_chips(tmp_path)
    with pytest.raises(InputError, match="did you mean 'zarr'"):
        write_chips(scene, gl.tiles(scene, 400), tmp_path / "c", format="zar")
    with pytest.raises(InputError, match="no tiles"):
        write_chips(scene, [], tmp_path / "c")
    write_chips(scene, gl.tiles(scene, 400), tmp_path / "c")
    (tmp_path / "c" / "0_0.tif").unlink()
    with pytest.raises(SourceError, match="holds 5 files of chips, and 6"):
        open_chips(tmp_path / "c")
    (tmp_path / "c" / "chips.json").write_text(json.dumps({"format": "geolabel-chips/99"}))
    with pytest.raises(SourceError, match="holds no chips"):
        open_chips(tmp_path / "c")
