"""A product of files with different pixels and a mask becomes one scene; both ways to its pixels agree."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.errors import BandError, CRSError, InputError, SourceError
from geolabel.scene import reading
from geolabel.scene.assemble import assemble
from geolabel.scene.assets import Asset, Mask, Product
from rasters import write_raster

WHEN = datetime(2020, 7, 1, tzinfo=UTC)
ORIGIN = 400_000.0, 3_800_000.0


def transform(res):
    return Affine(res, 0, ORIGIN[0], 0, -res, ORIGIN[1])


def product(folder, *, res_m=20.0, **changes):
    """10 m red, 20 m nir08 and swir22 in one file, a class mask of 20 m; uint16 DN with zeros as nodata."""
    rng = np.random.default_rng(3)
    fine = rng.integers(0, 9000, (140, 100)).astype(np.uint16)
    coarse = rng.integers(0, 9000, (2, 70, 50)).astype(np.uint16)
    fine[rng.random(fine.shape) < 0.1] = 0
    coarse[rng.random(coarse.shape) < 0.1] = 0
    tiled = {"tiled": True, "blockxsize": 16, "blockysize": 32}
    red = write_raster(folder / "red.tif", fine, transform=transform(10), **tiled)
    pair = write_raster(folder / "pair.tif", coarse, transform=transform(20), interleave="pixel", **tiled)
    scl = write_raster(folder / "scl.tif", rng.integers(0, 12, (70, 50)).astype(np.uint8), transform=transform(20))
    own = {"scale": 1e-4, "offset": -0.1, "nodata": (0.0,)}
    facts = {
        "id": "p", "sensor": "test", "quantity": "reflectance", "start": WHEN, "end": WHEN, "res_m": res_m,
        "assets": (
            Asset("red", str(red), **own), Asset("nir08", str(pair), 1, **own), Asset("swir22", str(pair), 2, **own),
        ),
        "masks": (Mask("scl", str(scl), classes={3: "cloud shadow", 8: "cloud"}),),
    }  # fmt: skip
    return Product(**{**facts, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("product")


@settings(max_examples=25, deadline=None)
@given(data=st.data(), res_m=st.sampled_from([10.0, 20.0, 40.0]), chunks=st.sampled_from([16, 33, 512]))
def test_a_window_read_directly_is_the_window_of_the_lazy_data(folder, data, res_m, chunks):
    scene = assemble(product(folder, res_m=res_m), chunks=chunks)
    edges = [
        sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in scene.grid.shape
    ]
    rows, cols = (slice(*edge) for edge in edges)
    bands = data.draw(st.permutations(scene.bands))[: data.draw(st.integers(1, 3))]
    lazy = [scene.data[name][rows, cols].values for name in bands]
    np.testing.assert_array_equal(scene.read(bands, rows, cols), np.stack(lazy))


def test_values_masks_and_means_are_those_of_plain_numpy(folder):
    import rasterio

    scene = assemble(product(folder))
    raw = {}
    for name in ("red", "pair", "scl"):
        with rasterio.open(folder / f"{name}.tif") as file:
            raw[name] = file.read()
    cloud = np.isin(raw["scl"][0], [3, 8])
    nir = np.where((raw["pair"][0] == 0) | cloud, np.nan, raw["pair"][0] / 1e4 - 0.1)
    np.testing.assert_allclose(scene.data.nir08.values, nir, rtol=1e-5, atol=1e-6)
    fine = np.where(raw["red"][0] == 0, np.nan, raw["red"][0] / 1e4 - 0.1).reshape(70, 2, 50, 2)
    enough = np.isfinite(fine).sum((1, 3)) >= 2
    red = np.where(enough & ~cloud, np.nanmean(np.where(enough[:, None, :, None], fine, 0), axis=(1, 3)), np.nan)
    np.testing.assert_allclose(scene.data.red.values, red, rtol=1e-4, atol=1e-6)
    assert any("masked by scl: 3 cloud shadow, 8 cloud" in line for line in scene.audit)
    assert any("red resampled from 10 to 20" in line for line in scene.audit)


def test_every_block_is_read_once_even_where_a_band_is_resampled(folder, monkeypatch):
    seen, lock, read = [], threading.Lock(), reading.read_window

    def counting(path, bands, window):
        with lock:
            seen.append((path, window.row_off, window.col_off))
        return read(path, bands, window)

    monkeypatch.setattr(reading, "read_window", counting)
    scene = assemble(product(folder, masks=()), chunks=32)
    assert seen == []
    scene.data.compute()
    assert len(seen) == len(set(seen))


def test_a_reader_travels_and_serves_many_threads(folder):
    scene = assemble(product(folder))
    reader = pickle.loads(pickle.dumps(scene.reader))
    whole = reader.read(scene.bands, slice(0, 70), slice(0, 50))
    windows = [(slice(r, r + 7), slice(c, c + 5)) for r in range(0, 70, 7) for c in range(0, 50, 5)] * 4
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda window: scene.read(scene.bands, *window), windows)
        for window, part in zip(windows, parts, strict=True):
            np.testing.assert_array_equal(part, whole[:, *window])


def test_a_file_written_anew_is_read_anew(tmp_path):
    one = product(tmp_path, masks=())
    before = assemble(one).read(["nir08"], slice(0, 4), slice(0, 4))
    write_raster(tmp_path / "pair.tif", np.full((2, 70, 50), 5000, np.uint16), transform=transform(20))
    after = assemble(one).read(["nir08"], slice(0, 4), slice(0, 4))
    assert not np.array_equal(before, after, equal_nan=True)
    np.testing.assert_allclose(after, 0.4, rtol=1e-6)


def test_chosen_bands_come_in_the_order_asked(folder):
    assert assemble(product(folder), bands=["swir22", "red"]).bands == ("swir22", "red")
    with pytest.raises(BandError, match="green") as error:
        assemble(product(folder), bands=["green"])
    assert "nir08" in error.value.hint


def test_bands_in_different_crs_are_refused_by_name(tmp_path):
    one = product(tmp_path)
    write_raster(tmp_path / "pair.tif", np.ones((2, 70, 50), np.uint16), transform=transform(20), crs="EPSG:32610")
    with pytest.raises(CRSError, match=r"nir08 lies in EPSG:32610, red in EPSG:32611"):
        assemble(one)


def test_a_file_cut_short_while_it_is_read_is_named(tmp_path):
    scene = assemble(product(tmp_path, masks=()))
    path = tmp_path / "pair.tif"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match=r"pair\.tif"):
        scene.read(["nir08"], slice(0, 70), slice(0, 50))


def test_metres_are_not_asked_of_degrees(tmp_path):
    path = write_raster(
        tmp_path / "a.tif", np.ones((40, 40)), crs="EPSG:4326", transform=Affine(1e-3, 0, -118, 0, -1e-3, 34)
    )
    one = product(tmp_path, assets=(Asset("red", str(path)),), masks=(), res_m=None)
    with pytest.raises(CRSError, match="degree"):
        assemble(one, res_m=30)
    assert assemble(one).grid.shape == (40, 40)


@pytest.mark.parametrize("res_m", [0.0, -10.0])
def test_impossible_pixels_are_refused(folder, res_m):
    with pytest.raises(InputError, match="pixels of"):
        assemble(product(folder), res_m=res_m)
