"""align: one metric grid, values before indices, nothing across nodata, extents that do not meet."""

import numpy as np
import pytest
from affine import Affine

from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid
from geolabel.scene.align import align, native_res_m
from geolabel.scene.indices import nbr
from rasters import metric_grid, scene_of


def degrees(height=60, width=60, res=0.000269494585235856):
    return Grid.of("EPSG:4326", Affine(res, 0, -118.1, 0, -res, 34.35), (height, width))


def test_a_metric_grid_is_kept_and_scenes_on_it_stay_as_they_are():
    before, after = scene_of({"red": np.ones((4, 5))}), scene_of({"red": np.zeros((4, 5))})
    view = align({"before": before, "after": after})
    assert view.grid == before.grid
    assert view["before"] is before


def test_coordinates_that_differ_by_rounding_snap():
    one, two = metric_grid(), metric_grid(x=400_000.0 + 1e-9)
    values = np.random.default_rng(0).random(one.shape).astype(np.float32)
    view = align({"before": scene_of({"red": values}, one), "after": scene_of({"red": values}, two)})
    assert float(abs(view["before"].data - view["after"].data).red.sum()) == 0
    assert view["after"].data.sizes == {"y": 8, "x": 9}
    assert "snapped" in view["after"].audit[-1]


def test_degrees_become_utm_at_the_native_resolution():
    values = np.ones(degrees().shape)
    view = align({"before": scene_of({"red": values}, degrees())})
    assert view.grid.crs.epsg == 32611
    assert view.grid.res_m == 30.0
    assert "resampled bilinear" in view["before"].audit[-1]
    inside = view["before"].band("red").values
    np.testing.assert_array_equal(inside[np.isfinite(inside)], 1)
    # the ground stays the same ground: area within 1 %
    assert np.isfinite(inside).sum() * 900 == pytest.approx(60 * 60 * 29.89 * 24.80, rel=0.01)


@pytest.mark.parametrize(("res_deg", "expected"), [(0.000269494585235856, 30.0), (0.00017462, 20.0), (0.0009, 100.0)])
def test_native_resolution_is_a_round_number_of_metres(res_deg, expected):
    assert native_res_m(degrees(res=res_deg)) == expected


def test_values_are_resampled_before_the_index():
    fine = metric_grid(2, 2, res_m=10.0)
    coarse = metric_grid(1, 1, res_m=20.0)
    scene = scene_of({"nir08": [[0.05, 0.20], [0.05, 0.20]], "swir22": [[0.15, 0.05], [0.15, 0.05]]}, fine)
    view = align({"before": scene}, grid=coarse)
    assert nbr(view["before"]).values[0, 0] == pytest.approx(0.1111, abs=5e-5)  # index first would give .05


def test_bands_of_10_and_20_metres_meet_on_one_grid():
    rng = np.random.default_rng(0)
    ten, twenty = metric_grid(20, 20, res_m=10.0), metric_grid(10, 10, res_m=20.0)
    fine = rng.random(ten.shape).astype(np.float32)
    view = align({"b": scene_of({"swir22": rng.random(twenty.shape)}, twenty), "a": scene_of({"red": fine}, ten)})
    blocks = fine.reshape(10, 2, 10, 2).mean((1, 3))
    np.testing.assert_allclose(view["a"].band("red").values, blocks, rtol=1e-5)


@pytest.mark.parametrize("chunks", [7, (13, 5)])
def test_the_result_does_not_depend_on_the_chunks(chunks):
    rng = np.random.default_rng(3)
    grid = degrees(40, 30)
    values = np.where(rng.random(grid.shape) < 0.2, np.nan, rng.random(grid.shape))
    cut, whole = (
        align({"before": scene_of({"red": values, "nir08": values**2}, grid, chunks=c)})["before"].data.compute()
        for c in (chunks, -1)
    )
    for name in ("red", "nir08"):
        np.testing.assert_array_equal(cut[name].values, whole[name].values)


def test_each_block_of_the_source_is_computed_once():
    import dataclasses

    import dask.array as da

    from geolabel.scene.frame import dataset

    seen = []

    def block(block_info=None):
        seen.append(tuple(block_info[None]["array-location"]))
        return np.ones(block_info[None]["chunk-shape"], np.float32)

    grid = degrees(60, 60)
    source = da.map_blocks(
        block, chunks=((20, 20, 20), (20, 20, 20)), dtype=np.float32, meta=np.empty((0, 0), np.float32)
    )
    scene = scene_of({"red": np.ones(grid.shape)}, grid)
    scene = dataclasses.replace(scene, data=dataset({"red": source}, grid))
    view = align({"before": scene})
    assert seen == []
    view["before"].data.compute()
    assert len(seen) == len(set(seen)) == 9


def test_the_graph_has_the_same_names_every_time():
    scene = scene_of({"red": np.ones((60, 60))}, degrees())
    one, two = (set(align({"before": scene})["before"].data.red.data.dask) for _ in range(2))
    assert one == two


def test_scenes_that_do_not_overlap_are_refused_with_both_extents():
    here = scene_of({"red": np.ones((8, 9))})
    there = scene_of({"red": np.ones((8, 9))}, metric_grid(x=500_000.0), name="elsewhere")
    beside = scene_of({"red": np.ones((8, 9))}, metric_grid(x=400_000.0 + 9 * 30))
    with pytest.raises(InputError, match=r"elsewhere.*lon -117\.00") as error:
        align({"before": here, "after": there})
    assert "lon -118" in error.value.hint
    with pytest.raises(InputError, match="does not overlap"):
        align({"before": here, "after": beside})


def test_what_makes_no_view_is_refused():
    scene = scene_of({"red": np.ones((60, 60))}, degrees())
    with pytest.raises(InputError, match="no scenes"):
        align({})
    with pytest.raises(CRSError):
        align({"before": scene}, grid=degrees(30, 30))
    with pytest.raises(InputError, match="both"):
        align({"before": scene}, grid=metric_grid(), res_m=30)


def test_web_mercator_metres_are_not_taken_for_metres():
    grid = Grid.of("EPSG:3857", Affine(30, 0, -13_150_000, 0, -30, 4_070_000), (50, 50))
    view = align({"before": scene_of({"red": np.ones(grid.shape)}, grid)})
    assert view.grid.crs.epsg == 32611
    assert view.grid.res_m == pytest.approx(30 * np.cos(np.radians(34.3)), rel=0.02)
