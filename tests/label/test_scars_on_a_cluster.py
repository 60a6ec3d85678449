"""A 4096 x 4096 pair of files: the array, threads and two processes of a cluster give one table."""

import sys

import numpy as np
import pytest
from scipy import ndimage

import geolabel as gl
from geolabel.errors import MissingExtra, SourceError
from geolabel.label.burned import burned
from geolabel.label.scars.walk import How
from geolabel.scene.align import align
from geolabel.scene.indices import dnbr
from geolabel.stream import walk
from rasters import metric_grid, scene_of, write_raster
from sources import ArraySource, same, scene

N = 4096


@pytest.fixture(scope="module")
def address():
    """Address of a scheduler with two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two scenes of 4096 x 4096 pixels, DN; scars and gaps of every size."""
    folder, grid, rng = tmp_path_factory.mktemp("pair"), metric_grid(N, N, res_m=10.0), np.random.default_rng(0)
    coarse = ndimage.gaussian_filter(rng.normal(0, 1, (N // 8, N // 8)), 6)
    burn = np.kron(np.clip(coarse / coarse.std() - 1, 0, 1), np.ones((8, 8)))
    texture = np.tile(rng.integers(0, 200, (64, 64)), (N // 64, N // 64))
    gaps = np.kron(ndimage.gaussian_filter(rng.normal(0, 1, (N // 16, N // 16)), 3) > 0.2, np.ones((16, 16), bool))
    scenes = []
    for role, scar in (("before", 0), ("after", burn)):
        nir, swir = 3_000 - 2_000 * scar + texture, 1_200 + 1_500 * scar + texture.T
        dn = np.where(gaps, 0, np.stack([nir, swir])).astype(np.uint16)
        path = write_raster(
            folder / f"{role}.tif",
            dn,
            names=("nir08", "swir22"),
            transform=grid.transform,
            nodata=0,
            tiled=True,
            blockxsize=512,
            blockysize=512,
            interleave="pixel",
        )
        scenes.append(gl.open_scene(path, sensor="sentinel-2-l2a", at="2020-06-01", offset=0))
    return scenes


def test_array_threads_and_cluster_give_one_table(pair, address, tmp_path):
    view = align(dict(zip(("before", "after"), pair, strict=True)))
    whole = burned(dnbr(view), view.grid, min_area_m2=5_000, offset="auto", how=How(strip_rows=N, threads=1))
    threads = gl.burned(*pair, threads=2)
    cluster = gl.burned(*pair, scheduler=address, work=tmp_path / "job")
    assert same(whole, threads)
    assert same(whole, cluster)
    assert set(whole.severity) == {"low", "moderate", "high"}
    assert whole.geometry.is_valid.all()
    assert len(whole) > 100
    assert sum(len(g.interiors) for g in whole.geometry) > 50
    assert (whole.masked_share > 0).any()


@pytest.mark.parametrize("definition", [{"offset": "ring", "seed": 0.3}, {"scheme": "relative", "threshold": "otsu"}])
def test_what_needs_two_passes_is_the_same_on_a_cluster(address, definition, tmp_path):
    source, grid = ArraySource(scene(3)), metric_grid(300, 260)
    here = burned(source, grid, **definition)
    there = burned(source, grid, how=How(scheduler=address, work=tmp_path / "job", strip_rows=40), **definition)
    assert same(here, there)
    assert len(here) > 5


def test_scenes_without_a_reader_go_to_the_workers_too(address):
    rng = np.random.default_rng(0)
    nir = ndimage.gaussian_filter(rng.normal(0, 1, (90, 80)), 4)
    grid = metric_grid(90, 80)
    before = scene_of({"nir08": 0.4, "swir22": 0.1}, grid, chunks=32, name="before")
    after = scene_of({"nir08": 0.3 + nir / nir.std() * 0.1, "swir22": 0.2}, grid, chunks=32, name="after")
    whole = {"offset": 0}  # no ground around the scar is unburned
    assert same(gl.burned(before, after, **whole), gl.burned(before, after, scheduler=address, **whole))


def test_a_client_is_used_and_left_open(address):
    from distributed import Client

    with Client(address) as client:
        assert list(walk(range(9), abs, what="x", scheduler=client)) == list(range(9))
        assert client.status == "running"


def test_an_error_of_a_worker_comes_back_as_it_is(address):
    with pytest.raises(SourceError, match="remove the work folder"):
        list(walk([1], broken, what="x", scheduler=address))


def broken(_):
    raise SourceError("cut short", hint="remove the work folder")


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("geolabel.stream.CONNECT_S", 1)
    with pytest.raises(SourceError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(walk([1], abs, what="x", scheduler="tcp://127.0.0.1:9"))


def test_without_distributed_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"geolabel\[cluster\]"):
        list(walk([1], abs, what="x", scheduler="tcp://127.0.0.1:8786"))
