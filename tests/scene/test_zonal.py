"""Zonal statistics: laws of exact coverage, and the reads behind them."""

import threading

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel import shapes
from geolabel.errors import BandError, CRSError, InputError
from geolabel.scene.zonal import zonal
from rasters import metric_grid, scene_of

GRID = metric_grid(60, 70, 30.0)
VALUES = np.random.default_rng(0).normal(0.3, 0.1, GRID.shape).astype(np.float32)
INSIDE = st.floats(1, 59).map(lambda v: round(v, 3))


def ground(points, grid=GRID):
    return [grid.transform @ point for point in points]


def frame(*geometries, crs="EPSG:32611", **more):
    return gpd.GeoDataFrame(geometry=list(geometries), crs=crs, **more)


def blob(col, row, radius, grid=GRID):
    return shapely.Point(*ground([(col, row)], grid)[0]).buffer(radius * 30)


def test_a_constant_has_that_mean_in_every_polygon():
    zones = frame(blob(20, 20, 7.3), blob(40, 30, 0.2), shapely.box(*GRID.bounds), blob(0, 0, 5))
    found = zonal(zones, scene_of({"nir08": np.full(GRID.shape, 0.25)}, GRID), ("mean", "min", "max", "std", "median"))
    np.testing.assert_allclose(found[["nir08_mean", "nir08_min", "nir08_max", "nir08_median"]], 0.25, rtol=1e-6)
    np.testing.assert_allclose(found["nir08_std"], 0, atol=1e-6)


@settings(max_examples=40)
@given(st.lists(st.tuples(INSIDE, INSIDE), min_size=3, max_size=8))
def test_covered_pixels_sum_up_to_the_area(points):
    polygon = shapes.polygons_of(shapely.make_valid(shapely.Polygon(ground(points))))
    if polygon.area > 1:
        found = zonal(frame(polygon), scene_of({"red": VALUES}, GRID), ("count", "masked_share"))
        assert found["red_count"].iloc[0] == pytest.approx(polygon.area / 900, rel=1e-6)
        assert found["red_masked_share"].iloc[0] == pytest.approx(0, abs=1e-6)


@settings(max_examples=30)
@given(INSIDE, INSIDE, st.floats(2, 20))
def test_the_parts_of_a_polygon_add_up_to_it(col, row, radius):
    whole = blob(col, row, radius) & shapely.box(*GRID.bounds)
    west, _, east, _ = whole.bounds
    halves = [whole & shapely.box(*b) for b in ((west, 0, (west + east) / 2, 1e8), ((west + east) / 2, 0, east, 1e8))]
    found = zonal(frame(whole, *halves), scene_of({"red": VALUES}, GRID), ("sum", "count"))
    np.testing.assert_allclose(found.iloc[0], found.iloc[1:].sum(), rtol=1e-5)


def test_weights_are_exact_shares_of_pixels():
    """A box over a quarter of one pixel and half of the next."""
    values = np.zeros(GRID.shape)
    values[10, 10], values[10, 11] = 1, 4
    box = shapely.box(*ground([(10.75, 11)])[0], *ground([(11.5, 10)])[0])
    found = zonal(frame(box), scene_of({"red": values}, GRID), ("mean", "sum", "count"))
    assert found.iloc[0].tolist() == pytest.approx([(0.25 * 1 + 0.5 * 4) / 0.75, 2.25, 0.75])


def test_pixels_without_data_do_not_count():
    values = VALUES.copy()
    values[:, :35] = np.nan
    box = shapely.box(*ground([(30, 20)])[0], *ground([(40, 10)])[0])
    gone = blob(10, 10, 3)
    found = zonal(
        frame(box, gone, blob(-50, -50, 3)), scene_of({"red": values}, GRID), ("mean", "count", "masked_share")
    )
    assert found["red_mean"].iloc[0] == pytest.approx(values[10:20, 35:40].mean(), rel=1e-5)
    assert found["red_count"].tolist() == pytest.approx([50, 0, 0])
    assert found["red_masked_share"].tolist() == pytest.approx([0.5, 1, 1])
    assert found["red_mean"].isna().tolist() == [False, True, True]


def test_classes_have_a_majority_and_shares():
    codes = np.where(np.arange(70) < 30, 4.0, 7.0) * np.ones((60, 1))
    codes[0] = np.nan
    scene = scene_of({"cover": codes}, GRID, quantity="classes")
    box = shapely.box(*ground([(29, 20)])[0], *ground([(33, 10)])[0])
    found = zonal(frame(box, blob(5, 5, 2), shapely.box(*ground([(0, 1)])[0], *ground([(3, 0)])[0])), scene)
    assert list(found.columns) == ["cover_majority", "cover_share_4", "cover_share_7"]
    np.testing.assert_allclose(found, [[7, 0.25, 0.75], [4, 1, 0], [np.nan, np.nan, np.nan]])
    with pytest.raises(InputError, match="class codes"):
        zonal(frame(box), scene, "mean")


def test_rows_are_those_of_the_frame():
    zones = frame(blob(50, 50, 3), blob(5, 5, 3), blob(50, 5, 3), index=["z", "a", "m"])
    scene = scene_of({"red": VALUES, "nir08": 2 * VALUES}, GRID)
    found = zonal(zones, scene, bands=("nir08", "red"))
    assert list(found.index) == ["z", "a", "m"]
    assert list(found.columns) == ["nir08_mean", "nir08_count", "red_mean", "red_count"]
    np.testing.assert_allclose(found["nir08_mean"], 2 * found["red_mean"], rtol=1e-6)
    for name in zones.index:
        pd.testing.assert_frame_equal(zonal(zones.loc[[name]], scene, bands=("nir08", "red")), found.loc[[name]])


def test_any_crs_is_laid_on_the_scenes_grid():
    zones = frame(blob(30, 30, 12.4), blob(12, 40, 5))
    scene = scene_of({"red": VALUES}, GRID)
    np.testing.assert_allclose(zonal(zones.to_crs("EPSG:4326"), scene), zonal(zones, scene), rtol=1e-3)


def test_grids_that_are_turned_or_south_up():
    from affine import Affine

    from geolabel.grid import Grid

    for transform in (
        Affine.translation(4e5, 4e6) @ Affine.rotation(25) @ Affine.scale(30, -30),
        Affine(30, 0, 4e5, 0, 30, 4e6),
    ):
        grid = Grid.of("EPSG:32611", transform, GRID.shape)
        pixels = shapely.Polygon([transform @ p for p in ((10, 5), (14, 5), (14, 8), (10, 8))])
        found = zonal(frame(pixels), scene_of({"red": VALUES}, grid))
        assert found["red_mean"].iloc[0] == pytest.approx(VALUES[5:8, 10:14].mean(), rel=1e-5)
        assert found["red_count"].iloc[0] == pytest.approx(12, rel=1e-6)


class Counted:
    """A reader of small blocks that counts what is read."""

    block = (16, 16)

    def __init__(self, values):
        self.values, self.reads, self.lock = values, [], threading.Lock()

    def read(self, bands, rows, cols):
        with self.lock:
            self.reads.append((rows.start, cols.start, rows.stop, cols.stop))
        return self.values[None, rows, cols]


def test_blocks_do_not_change_the_result_and_are_read_once(monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr("geolabel.scene.zones.unit", lambda shape, block: block)
    reader = Counted(VALUES)
    whole = scene_of({"red": VALUES}, GRID)
    generator = np.random.default_rng(2)
    points, radii = generator.uniform(0, 60, (60, 2)), generator.uniform(0.3, 6, 60)
    zones = frame(*(blob(*p, r) for p, r in zip(points, radii, strict=True)), shapely.box(*GRID.bounds))
    stats = ("mean", "count", "std", "median", "min", "max")
    by_blocks = zonal(zones, replace(whole, reader=reader), stats)
    pd.testing.assert_frame_equal(by_blocks, zonal(zones, whole, stats), rtol=1e-6)
    assert len(reader.reads) == len(set(reader.reads)) == 20


def test_few_blocks_are_kept(monkeypatch):
    """Memory is bounded: with room for eight blocks the result is the same, and no more are held."""
    from dataclasses import replace

    from geolabel.scene import zones as of_zones

    held = []
    monkeypatch.setattr(of_zones, "unit", lambda shape, block: block)
    old = of_zones.Blocks.window
    monkeypatch.setattr(of_zones.Blocks, "window", lambda self, *a: (held.append(len(self.kept)), old(self, *a))[1])
    whole = scene_of({"red": VALUES}, GRID)
    zones = frame(shapely.box(*GRID.bounds), *(blob(c, r, 4) for c in range(5, 60, 9) for r in range(5, 60, 9)))
    found = zonal(zones, replace(whole, reader=Counted(VALUES)), memory_mb=0)
    pd.testing.assert_frame_equal(found, zonal(zones, whole), rtol=1e-6)
    assert max(held) <= of_zones.LEAST_BLOCKS


def test_a_failed_read_is_told():
    from dataclasses import replace

    from geolabel.errors import SourceError

    class Broken(Counted):
        def read(self, bands, rows, cols):
            raise SourceError("the file ends early")

    with pytest.raises(SourceError, match="ends early"):
        zonal(frame(blob(30, 30, 3)), replace(scene_of({"red": VALUES}, GRID), reader=Broken(VALUES)))


def test_what_cannot_be_used_is_refused():
    scene = scene_of({"red": VALUES}, GRID)
    with pytest.raises(InputError, match="unknown statistic"):
        zonal(frame(blob(9, 9, 2)), scene, "meen")
    with pytest.raises(BandError):
        zonal(frame(blob(9, 9, 2)), scene, bands=("blue",))
    with pytest.raises(CRSError):
        zonal(gpd.GeoDataFrame(geometry=[blob(9, 9, 2)]), scene)
    with pytest.raises(InputError, match="no area"):
        zonal(frame(shapely.LineString([(0, 0), (1, 1)])), scene)


def test_no_polygons_give_an_empty_table():
    found = zonal(frame(), scene_of({"red": VALUES}, GRID))
    assert list(found.columns) == ["red_mean", "red_count"]
    assert len(found) == 0
