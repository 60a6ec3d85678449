"""Zarr: what is saved comes back bit for bit; stores of other programs open by their CF attributes; halves are refused."""

import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import textwrap

import dask.array as da
import numpy as np
import pytest
import rioxarray  # noqa: F401
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.xr import xr_coords

import geolabel as gl
from geolabel.errors import BandError, CRSError, InputError, SourceError, UndatedError
from geolabel.scene.products.zarr import save_zarr
from rasters import metric_grid, scene_of, write_raster


def noisy(height=70, width=90, **more):
    rng = np.random.default_rng(4)
    bands = {name: rng.normal(size=(height, width)).astype(np.float32) for name in ("nir08", "swir22")}
    bands["nir08"][10:20, :30] = np.nan
    bands["nir08"].view(np.uint32)[0, 0] = 0x7FC0BEEF  # a NaN with a payload
    bands["swir22"][:] = np.nan
    return dataclasses.replace(
        scene_of(bands, **more), audit=("masked by nothing", "ä"), licence="CC0", digest="d" * 64, sensor="test"
    )


@settings(max_examples=6)
@given(st.integers(9, 40), st.integers(9, 90), st.sampled_from([13, 64]))
def test_a_scene_comes_back_bit_for_bit(tmp_path_factory, chunk, shard, chunks):
    scene = noisy(chunks=(17, 31))
    path = save_zarr(scene, tmp_path_factory.mktemp("z") / "s.zarr", chunk_px=chunk, shard_px=shard)
    again = gl.open_scene(path, chunks=chunks)
    for field in ("id", "start", "end", "sensor", "quantity", "source", "digest", "licence", "audit", "bands"):
        assert getattr(again, field) == getattr(scene, field)
    assert again.grid.digest == scene.grid.digest
    assert again.grid.geobox == scene.grid.geobox
    for name in scene.bands:
        want = scene.band(name).values.view(np.uint32)
        np.testing.assert_array_equal(again.band(name).values.view(np.uint32), want)
        read = pickle.loads(pickle.dumps(again.reader)).read([name], slice(3, 60), slice(5, 71))[0]
        np.testing.assert_array_equal(read.view(np.uint32), want[3:60, 5:71])


def test_times_keep_their_microseconds_and_bands_their_words(tmp_path):
    scene = noisy()
    scene = dataclasses.replace(scene, start=scene.start.replace(microsecond=123456), data=scene.data.copy())
    scene.data["nir08"].attrs.update(units="1", wavelength_nm=865)
    again = gl.open_scene(save_zarr(scene, tmp_path / "s.zarr"))
    assert again.start == scene.start
    assert again.data["nir08"].attrs == scene.data["nir08"].attrs
    assert gl.open_scene(tmp_path / "s.zarr", bands=["swir22"]).bands == ("swir22",)
    with pytest.raises(BandError, match="green"):
        gl.open_scene(tmp_path / "s.zarr", bands=["green"])


def test_other_programs_read_what_was_saved(tmp_path):
    """xarray with rioxarray and odc-geo: values, CRS and transform."""
    scene = noisy()
    data = xr.open_zarr(save_zarr(scene, tmp_path / "s.zarr"), consolidated=False)
    np.testing.assert_array_equal(data["nir08"].values, scene.band("nir08").values)
    assert data["nir08"].rio.crs.to_epsg() == 32611
    assert data["nir08"].rio.transform() == scene.grid.transform
    assert data.odc.geobox == scene.grid.geobox


def test_saving_over_an_older_store_replaces_all_of_it(tmp_path):
    path = save_zarr(noisy(), tmp_path / "s.zarr")
    save_zarr(scene_of({"red": np.ones((5, 5))}), path)
    assert gl.open_scene(path).bands == ("red",)
    assert [p.name for p in tmp_path.iterdir()] == ["s.zarr"]


def test_a_store_that_lost_a_shard_is_refused(tmp_path):
    path = save_zarr(noisy(), tmp_path / "s.zarr", chunk_px=16, shard_px=32)
    shards = [p for p in (path / "nir08").rglob("*") if p.is_file() and p.name != "zarr.json"]
    assert len(shards) == 3 * 3
    shards[4].unlink()
    with pytest.raises(SourceError, match="lacks 1 of 9 shards of nir08"):
        gl.open_scene(path)


def test_a_shard_cut_short_is_an_error_not_a_hole(tmp_path):
    path = save_zarr(noisy(), tmp_path / "s.zarr", chunk_px=16, shard_px=32)
    shard = next(p for p in sorted((path / "nir08").rglob("*")) if p.is_file() and p.name != "zarr.json")
    shard.write_bytes(shard.read_bytes()[:-40])
    scene = gl.open_scene(path)
    with pytest.raises(SourceError, match=r"s\.zarr"):
        scene.read(["nir08"], slice(0, 70), slice(0, 90))


def test_an_error_while_saving_leaves_nothing(tmp_path):
    def broken(block):
        raise SourceError("the disk of the source went away")

    scene = noisy()
    bad = scene.data["nir08"].data.map_blocks(broken, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    scene = dataclasses.replace(scene, data=scene.data.assign(nir08=(("y", "x"), bad)))
    with pytest.raises(SourceError, match="went away"):
        save_zarr(scene, tmp_path / "s.zarr")
    assert not list(tmp_path.iterdir())


def test_a_killed_writer_leaves_no_store_and_the_next_one_clears_up(tmp_path):
    source = write_raster(tmp_path / "a.tif", np.ones((3, 600, 600), np.uint16), names=("red", "green", "blue"))
    code = f"""
        import os, sys, signal, time
        import geolabel as gl
        from geolabel.scene.products.zarr import save_zarr
        scene = gl.open_scene({str(source)!r}, at="2020-06-01")
        def stop(what, done, total):
            print("ready", flush=True)
            time.sleep(60)
        save_zarr(scene, {str(tmp_path / "s.zarr")!r}, chunk_px=64, shard_px=128, progress=stop)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "ready"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not (tmp_path / "s.zarr").exists()
    with pytest.raises(SourceError, match="was not written to its end"):
        gl.open_scene(tmp_path / ".s.zarr.part")
    scene = gl.open_scene(source, at="2020-06-01")
    save_zarr(scene, tmp_path / "s.zarr")
    assert not (tmp_path / ".s.zarr.part").exists()
    assert gl.open_scene(tmp_path / "s.zarr").digest == scene.digest


# ---------------------------------------------------------------------- stores of others
def foreign(grid, **bands):
    variables = {name: (("y", "x"), da.from_array(values, chunks=3)) for name, values in bands.items()}
    return xr.Dataset(variables, coords=xr_coords(grid.geobox, always_yx=True))


@pytest.mark.parametrize("version", [2, 3])
def test_a_store_of_odc_geo_opens(tmp_path, version):
    grid, values = metric_grid(), np.arange(72, dtype=np.float32).reshape(8, 9)
    foreign(grid, B8A=values).to_zarr(tmp_path / "o.zarr", zarr_format=version, consolidated=False)
    scene = gl.open_scene(tmp_path / "o.zarr", sensor="reflectance", at="2020-06-01", bands=["b8a"])
    assert scene.grid.digest == grid.digest
    np.testing.assert_array_equal(scene.read(["b8a"], slice(2, 7), slice(1, 9))[0], values[2:7, 1:9])


def test_a_store_of_rioxarray_opens_with_cf_scale_and_dated_by_its_time(tmp_path):
    grid = metric_grid()
    dn = np.arange(72, dtype=np.uint16).reshape(1, 8, 9)
    data = xr.Dataset(
        {"red": (("time", "y", "x"), dn)},
        coords={"time": [np.datetime64("2021-07-03T18:30:00", "ns")], **grid.coords()},
    ).rio.write_crs("EPSG:32611")
    encoding = {"red": {"scale_factor": 1e-4, "add_offset": -0.1, "_FillValue": 0, "dtype": "uint16"}}
    data = data.assign(red=data["red"].where(data["red"] > 0) * 1e-4 - 0.1)
    data.to_zarr(tmp_path / "r.zarr", zarr_format=3, consolidated=False, encoding=encoding)
    scene = gl.open_scene(tmp_path / "r.zarr", sensor="reflectance")
    assert scene.start.isoformat() == "2021-07-03T18:30:00+00:00"
    want = np.where(dn[0] > 0, dn[0] * 1e-4 - 0.1, np.nan)
    np.testing.assert_allclose(scene.band("red").values, want, atol=1e-6)
    assert "CF scale" in " ".join(scene.audit)


def test_integers_of_a_sensor_are_scaled_by_it_and_rows_turned_north(tmp_path):
    grid = metric_grid()
    dn = np.full((8, 9), 10000, np.uint16)
    dn[0, 0] = 0
    foreign(grid, nir08=dn).isel(y=slice(None, None, -1)).chunk(-1).to_zarr(
        tmp_path / "l.zarr", zarr_format=3, consolidated=False
    )
    scene = gl.open_scene(tmp_path / "l.zarr", sensor="landsat-c2-l2", at="2020-06-01")
    assert scene.grid.digest == grid.digest
    values = scene.band("nir08").values
    assert np.isnan(values[0, 0])
    assert values[5, 5] == pytest.approx(0.075)  # DOMAIN section 1


def test_layers_of_one_variable_are_bands(tmp_path):
    grid = metric_grid()
    values = np.arange(2 * 72, dtype=np.float32).reshape(2, 8, 9)
    data = xr.DataArray(values, dims=("band", "y", "x"), coords={"band": [1, 2], **grid.coords()}, name="raster")
    data.attrs["long_name"] = ("red", "nir")
    data.rio.write_crs("EPSG:32611").to_dataset().to_zarr(tmp_path / "b.zarr", zarr_format=3, consolidated=False)
    scene = gl.open_scene(tmp_path / "b.zarr", at="2020-06-01")
    assert scene.bands == ("red", "nir08")
    np.testing.assert_array_equal(scene.band("nir08").values, values[1])


def test_stores_that_do_not_say_enough_are_refused(tmp_path):
    grid = metric_grid()
    ones = np.ones((8, 9), np.float32)
    foreign(grid, red=ones).to_zarr(tmp_path / "t.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(UndatedError, match=r"t\.zarr"):
        gl.open_scene(tmp_path / "t.zarr")
    bare = foreign(grid, red=ones).drop_vars("spatial_ref")
    for axis in ("y", "x"):
        bare[axis].attrs.clear()  # odc-geo writes the CRS there too
    bare.to_zarr(tmp_path / "c.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(CRSError, match="which CRS"):
        gl.open_scene(tmp_path / "c.zarr", at="2020-06-01")
    series = xr.concat([foreign(grid, red=ones)] * 2, "time").assign_coords(time=np.array([1, 2], "M8[ns]"))
    series.to_zarr(tmp_path / "s.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(InputError, match="2 steps along 'time'"):
        gl.open_scene(tmp_path / "s.zarr", at="2020-06-01")
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("{")
    with pytest.raises(SourceError, match="broken"):
        gl.open_scene(tmp_path / "broken.zarr", at="2020-06-01")


def test_a_coarse_grid_in_degrees_comes_back_with_its_corner(tmp_path):
    grid = gl.Grid.of("EPSG:4326", Affine(0.1, 0, -118.3, 0, -0.1, 34.7), (3, 4))
    scene = scene_of({"elevation": np.ones((3, 4))}, grid, quantity="elevation_m")
    again = gl.open_scene(save_zarr(scene, tmp_path / "d.zarr"))
    assert again.grid.transform == grid.transform
