"""Tilings: names that last, filters against brute force, files, web map tiles against morecantile."""

import geopandas as gpd
import morecantile
import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from pyproj import Transformer

import geolabel as gl
from geolabel.errors import CRSError, InputError, SourceError
from geolabel.grid import Grid, Tiling
from rasters import metric_grid, scene_of, write_raster


def ragged_scene(shape=(70, 101)):
    rng = np.random.default_rng(1)
    bands = {name: rng.normal(size=shape) for name in ("red", "nir08")}
    bands["red"][20:50, :60] = np.nan
    bands["nir08"][:, 90:] = np.nan
    return scene_of(bands, chunks=(33, 17))


def test_valid_shares_are_those_of_the_whole_scene():
    scene = ragged_scene()
    tiling = gl.tiles(scene, 16, 3).counted(scene)
    valid = scene.valid.values
    assert tiling.valid == tuple(float(valid[t.slices].mean()) for t in tiling)
    kept = gl.tiles(scene, 16).where(valid_share=0.5, scene=scene)
    assert [t.key for t in kept] == [t.key for t in tiling if valid[t.slices].mean() >= 0.5]
    assert 0 < len(kept) < len(tiling)
    red = np.isfinite(scene.band("red").values)
    one = gl.tiles(scene, 16).counted(scene, bands=["red"])
    assert one.valid == tuple(float(red[t.slices].mean()) for t in one)
    assert len(tiling.where(valid_share=1.0)) == sum(share == 1 for share in tiling.valid)


def test_counting_decodes_each_block_once(tmp_path, monkeypatch):
    from geolabel.scene import reading

    path = write_raster(tmp_path / "a.tif", np.ones((2, 1100, 700), np.uint8), names=("red", "nir"), tiled=True,
                        blockxsize=256, blockysize=256, interleave="pixel")  # fmt: skip
    windows, read = [], reading.read_window
    monkeypatch.setattr(reading, "read_window", lambda *a, **k: windows.append(a[2]) or read(*a, **k))
    scene = gl.open_scene(path, at="2020-06-01")
    assert set(gl.tiles(scene, 100).counted(scene).valid) == {1.0}
    assert sum(w.width * w.height for w in windows) == 1100 * 700


def test_filters_need_what_they_ask_for():
    scene = ragged_scene()
    tiling = gl.tiles(scene, 16)
    with pytest.raises(InputError, match="nothing is known"):
        tiling.where(valid_share=0.5)
    with pytest.raises(InputError, match="no share"):
        tiling.where(valid_share=50, scene=scene)
    with pytest.raises(InputError, match="cannot be counted"):
        Tiling(metric_grid(), metric_grid().tiles(4)).counted(scene)
    with pytest.raises(CRSError, match="without a CRS"):
        tiling.intersecting(shapely.box(0, 0, 1, 1))
    with pytest.raises(InputError, match="empty"):
        tiling.intersecting(gpd.GeoSeries([], crs="EPSG:4326"))
    with pytest.raises(InputError, match="give one of them"):
        gl.tiles(scene)


def test_an_area_keeps_the_tiles_that_share_ground_with_it():
    grid = metric_grid(60, 80, res_m=30)
    tiling = Tiling(grid, grid.tiles(10))
    tile = grid.crop(tiling.tiles[9]).bounds
    inner = gpd.GeoDataFrame(geometry=[shapely.box(*tile).buffer(-1)], crs="EPSG:32611")
    assert [t.key for t in tiling.intersecting(inner)] == [tiling.tiles[9].key]
    exact = gpd.GeoDataFrame(geometry=[shapely.box(*tile)], crs="EPSG:32611")
    assert [t.key for t in tiling.intersecting(exact)] == [tiling.tiles[9].key]  # an edge in common is no ground
    lonlat = tiling.intersecting(inner.to_crs("EPSG:4326"))
    assert [t.key for t in lonlat] == [tiling.tiles[9].key]
    point = inner.geometry.iloc[0].centroid
    assert len(tiling.intersecting(point, crs="EPSG:32611")) == 1
    assert len(tiling.intersecting(shapely.box(0, 0, 1, 1), crs="EPSG:4326")) == 0


def test_edges_of_an_area_stay_where_they_are_on_the_ground():
    """The parallel 60 N from 10 to 20 E bows north by kilometres between its ends in UTM 33."""
    grid = Grid.of("EPSG:32633", Affine(1000, 0, 200_000, 0, -1000, 6_720_000), (120, 600))
    tiling = Tiling(grid, grid.tiles(4))
    area = shapely.box(10, 58, 20, 60)
    kept = {t.key for t in tiling.intersecting(area, crs="EPSG:4326")}
    to = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    rows, cols = np.mgrid[0:120:0.25, 0:600:0.25]
    lon, lat = to.transform(200_000 + cols * 1000, 6_720_000 - rows * 1000)
    inside = (lon >= 10) & (lon <= 20) & (lat >= 58) & (lat <= 60)
    brute = {f"{int(r) // 4 * 4}_{int(c) // 4 * 4}" for r, c in zip(rows[inside], cols[inside], strict=True)}
    assert brute <= kept
    assert len(kept - brute) <= 0.02 * len(brute)  # tiles of which only a sliver between sample points is inside


def test_footprints_are_saved_with_names_that_last(tmp_path):
    scene = ragged_scene()
    tiling = gl.tiles(scene, 32, 4).where(valid_share=0.2, scene=scene)
    frame = gpd.read_parquet(tiling.save(tmp_path / "new" / "tiles.parquet"))
    assert frame["id"].tolist() == [f"{scene.grid.digest}/{t.row}_{t.col}" for t in tiling]
    assert frame["valid_share"].tolist() == list(tiling.valid)
    assert frame.crs.to_epsg() == 32611
    assert frame.geometry.area.tolist() == [t.height * t.width * 900 for t in tiling]
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["tiles.parquet"]
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot write"):
        tiling.save(tmp_path / "file" / "tiles.parquet")


# ---------------------------------------------------------------------- tile matrix sets
PLAIN = ("WebMercatorQuad", "WorldCRS84Quad", "WGS1984Quad", "CanadianNAD83_LCC", "WorldMercatorWGS84Quad")


@pytest.mark.parametrize("name", PLAIN)
def test_web_tiles_lie_where_morecantile_says(name):
    grid = metric_grid(500, 620, res_m=10)
    tiling = gl.tiles(scene_of({"red": 1}, grid), zoom=12, tms=name)
    matrix_set = morecantile.tms.get(name)
    for id_, tile in zip(tiling.ids, tiling, strict=True):
        z, x, y = (int(part) for part in id_.split("/"))
        want = matrix_set.xy_bounds(x, y, z)
        assert np.allclose(tiling.grid.crop(tile).bounds, want, rtol=1e-12, atol=1e-6)
        assert (tile.height, tile.width) == (256, 256)


def test_web_tiles_are_all_those_that_hold_ground_of_the_scene_and_no_other():
    grid = metric_grid(700, 900, res_m=30)
    tiling = gl.tiles(scene_of({"red": 1}, grid), zoom=13)
    matrix_set = morecantile.tms.get("WebMercatorQuad")
    points = [grid.lonlat(r, c) for r in np.linspace(0, 699, 60) for c in np.linspace(0, 899, 60)]
    want = {matrix_set.tile(p.lon, p.lat, 13) for p in points}
    assert {f"13/{t.x}/{t.y}" for t in want} == set(tiling.ids)


def test_names_of_web_tiles_do_not_depend_on_the_scene():
    one, other = metric_grid(500, 500, res_m=10), metric_grid(500, 500, res_m=10, x=402_000, y=3_799_000)
    boxes = []
    for grid in (one, other):
        tiling = gl.tiles(scene_of({"red": 1}, grid), zoom=14)
        boxes.append({i: tiling.grid.crop(t).bounds for i, t in zip(tiling.ids, tiling, strict=True)})
    common = boxes[0].keys() & boxes[1].keys()
    assert len(common) >= 4
    for name in common:
        assert np.allclose(boxes[0][name], boxes[1][name], rtol=0, atol=1e-6)


def test_a_custom_matrix_set_counted_from_below():
    custom = morecantile.TileMatrixSet.custom(
        [300_000, 3_600_000, 563_144, 3_863_144], pyproj.CRS("EPSG:32611"), minzoom=0, maxzoom=8,
        title="mine", identifier="mine",
    )  # fmt: skip
    top = gl.tiles(scene_of({"red": 1}, metric_grid(300, 300)), zoom=6, tms=custom)
    for id_, tile in zip(top.ids, top, strict=True):
        z, x, y = (int(part) for part in id_.split("/"))
        assert np.allclose(top.grid.crop(tile).bounds, custom.xy_bounds(x, y, z), atol=1e-6)
    below = custom.model_copy(deep=True)
    for matrix in below.tileMatrices:
        matrix.cornerOfOrigin, matrix.pointOfOrigin = "bottomLeft", (300_000, 3_600_000)
    tiling = gl.tiles(scene_of({"red": 1}, metric_grid(300, 300)), zoom=6, tms=below)
    assert [tiling.grid.crop(t).bounds for t in tiling] == [top.grid.crop(t).bounds for t in top]
    for id_, tile in zip(tiling.ids, tiling, strict=True):
        z, x, y = (int(part) for part in id_.split("/"))
        assert np.allclose(tiling.grid.crop(tile).bounds, below.xy_bounds(x, y, z), atol=1e-6)


def test_what_has_no_web_tiles_is_refused():
    scene = scene_of({"red": 1}, metric_grid(50, 50))
    with pytest.raises(InputError, match="did you mean"):
        gl.tiles(scene, zoom=3, tms="WebMercatorQuads")
    with pytest.raises(InputError, match="no zoom 99"):
        gl.tiles(scene, zoom=99)
    with pytest.raises(InputError, match="different widths"):
        gl.tiles(scene, zoom=5, tms="CDB1GlobalGrid")
    with pytest.raises(InputError, match="no ground in common"):
        gl.tiles(scene, zoom=5, tms="NZTM2000Quad")
    torn = Grid.of("EPSG:32760", Affine(1000, 0, 780_000, 0, -1000, 8_180_000), (80, 80))
    with pytest.raises(CRSError, match="antimeridian"):
        gl.tiles(scene_of({"red": 1}, torn), zoom=8)


def test_a_scene_laid_on_web_tiles_is_walked_by_them():
    from geolabel.dataset.chips import walk_tiles

    grid = metric_grid(200, 220, res_m=30)
    scene = scene_of({"elevation": np.arange(200 * 220, dtype=float).reshape(200, 220)}, grid, quantity="elevation_m")
    tiling = gl.tiles(scene, zoom=12)
    with pytest.raises(InputError, match="tiles on"):
        next(walk_tiles(scene, tiling))
    there = gl.align({"dem": scene}, grid=tiling.grid)["dem"]
    whole = there.band("elevation").values
    for tile, chip in walk_tiles(there, tiling):
        np.testing.assert_array_equal(chip[0], whole[tile.slices])
