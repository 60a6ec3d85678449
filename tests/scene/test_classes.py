"""Classes and directions on another grid: never averaged, never interpolated as numbers (DOMAIN, 1 and 5)."""

import dataclasses
import pickle

import numpy as np
import pytest
from affine import Affine

from geolabel.bearings import difference
from geolabel.errors import BandError, InputError
from geolabel.grid import Grid
from geolabel.scene.align import align
from geolabel.scene.extent import footprint
from geolabel.scene.terrain import slope_aspect
from rasters import metric_grid, scene_of

FINE, COARSE = metric_grid(6, 9, res_m=10.0), metric_grid(2, 3, res_m=30.0)
FUELS = np.array([
    [101, 101, 101, 165, 165, 102, 98, 98, 98],
    [101, 102, 102, 165, 165, 102, 98, np.nan, np.nan],
    [101, 102, 102, 102, 102, 102, np.nan, np.nan, np.nan],
    [4, 4, 5, 7, 8, 9, 1, 1, 1],
    [4, 4, 5, 7, 8, 9, 1, 2, 2],
    [4, 5, 5, 7, 8, 9, 2, 2, 2],
])  # fmt: skip


def classes(values=FUELS, grid=FINE, **more):
    return scene_of({"fuel": values}, grid, quantity="classes", **more)


def marked(scene, band, **attrs):
    """The scene with attributes on one band."""
    return dataclasses.replace(scene, data=scene.data.assign({band: scene.data[band].assign_attrs(attrs)}))


def test_a_coarser_grid_holds_the_most_frequent_class_the_lowest_of_equals():
    found = align({"fuel": classes()}, grid=COARSE)["fuel"]
    # 101 x 5 of 9; 102 x 5; four of nine are known: none; 4 x 5; three each: the lowest; 2 x 5
    np.testing.assert_array_equal(found.band("fuel").values, [[101, 102, np.nan], [4, 7, 2]])
    assert "most frequent class" in found.audit[-1]


def test_as_fine_a_grid_holds_the_class_under_the_centre():
    moved = metric_grid(6, 9, res_m=10.0, x=400_000 + 4.0, y=3_800_000 - 4.0)
    found = align({"fuel": classes()}, grid=moved)["fuel"]
    np.testing.assert_array_equal(found.band("fuel").values, FUELS)
    assert "resampled nearest" in found.audit[-1]


def test_nearest_may_be_asked_of_a_coarser_grid():
    found = align({"fuel": classes()}, grid=COARSE, resampling={"fuel": "nearest"})["fuel"]
    np.testing.assert_array_equal(found.band("fuel").values, FUELS[1::3, 1::3])


@pytest.mark.parametrize(
    "scene",
    [
        classes(),
        marked(scene_of({"fuel": FUELS}, FINE), "fuel", kind="classes"),
        scene_of({"scl": FUELS}, FINE),
    ],
    ids=["quantity", "attribute", "name"],
)
@pytest.mark.parametrize("target", [COARSE, FINE], ids=["elsewhere", "already there"])
def test_a_mean_of_classes_is_refused(scene, target):
    (band,) = scene.bands
    with pytest.raises(BandError, match="classes") as error:
        align({"fuel": scene}, grid=target, resampling={band: "bilinear"})
    assert "mode" in error.value.hint
    values = align({"fuel": scene}, grid=target)["fuel"].band(band).values
    assert np.isin(values[np.isfinite(values)], FUELS).all()


def test_bands_of_one_scene_are_resampled_each_in_its_own_way_and_the_audit_says_how():
    scene = scene_of({"red": FUELS / 1000, "scl": FUELS, "nir08": FUELS / 500}, FINE)
    found = align({"before": scene}, grid=COARSE)["before"]
    assert found.bands == ("red", "scl", "nir08")
    assert found.band("scl").values[0, 0] == 101
    assert found.band("red").values[0, 0] == pytest.approx(FUELS[:3, :3].mean() / 1000, rel=1e-6)
    assert "red nir08 bilinear between valid pixels, scl to the most frequent class" in found.audit[-1]


@pytest.mark.parametrize(
    ("asked", "message"), [({"fule": "mode"}, "'fule'"), ({"fuel": "cubic"}, "cubic"), ({"red": "median"}, "'median'")]
)
def test_resampling_that_nobody_knows_is_refused(asked, message):
    scenes = {"fuel": classes(), "before": scene_of({"red": FUELS}, FINE)}
    with pytest.raises(BandError, match=message):
        align(scenes, grid=COARSE, resampling=asked)


@pytest.mark.parametrize("chunks", [(4, 5), (1, 9)])
def test_chunks_change_nothing(chunks):
    values = np.random.default_rng(0).integers(0, 5, (40, 50)).astype(float)
    values[values == 0] = np.nan
    source = Grid.of("EPSG:4326", Affine(2e-4, 0, -118.1, 0, -2e-4, 34.35), (40, 50))
    for res_m in (20.0, 70.0):
        cut, whole = (align({"c": classes(values, source, chunks=c)}, res_m=res_m)["c"] for c in (chunks, -1))
        np.testing.assert_array_equal(cut.band("fuel").values, whole.band("fuel").values)


# ---------------------------------------------------------------------- directions
def next_zone(grid):
    """A grid of UTM 10 over a grid of UTM 11, six degrees of longitude away: its north is turned."""
    west, south, east, north = footprint(grid, "EPSG:32610").bounds
    shape = int(np.ceil((north - south) / 30)), int(np.ceil((east - west) / 30))
    return Grid.of("EPSG:32610", Affine(30, 0, west, 0, -30, north), shape)


def hill(grid):
    x, y = np.meshgrid(grid.coords()["x"], grid.coords()["y"])
    away = np.hypot(x - x.mean(), y - y.mean())
    return scene_of({"elevation": 2000 - 0.3 * away + 0.1 * (x - x.mean())}, grid, quantity="elevation_m")


def aspect_scene(grid, **attrs):
    dem = hill(grid)
    return dataclasses.replace(dem, data=slope_aspect(dem)[["aspect_deg"]].load().chunk())


def test_an_aspect_turns_with_the_grid():
    """Aspect taken in UTM 11 and moved to UTM 10, six degrees of longitude away: the same ground faces the same way."""
    here = metric_grid(60, 60, res_m=30.0)  # UTM 11, 1.09 degrees west of its meridian
    there = next_zone(here)
    moved = align({"a": aspect_scene(here)}, grid=there)["a"].band("aspect_deg").values
    turn = here.convergence_deg() - there.convergence_deg()
    assert abs(turn) > 2
    heights = align({"dem": hill(here)}, grid=there)["dem"]
    expected = slope_aspect(heights).aspect_deg.values
    both = np.isfinite(moved) & np.isfinite(expected)
    assert both.mean() > 0.7
    assert np.median(difference(moved, expected)[both]) < 0.2
    # without the turn it would be off by the difference in convergence
    assert np.median(difference(moved - turn, expected)[both]) > abs(turn) - 0.2


def test_directions_about_north_do_not_become_south():
    """The mean of 350 and 10 degrees is 0, not 180."""
    grid, coarse = metric_grid(2, 2, res_m=10.0), metric_grid(1, 1, res_m=20.0)
    scene = marked(scene_of({"saz": [[350, 10], [10, 350]]}, grid), "saz", kind="direction")
    found = align({"a": scene}, grid=coarse)["a"]
    assert difference(found.band("saz").values[0, 0], 0) < 1e-3
    assert "as directions" in found.audit[-1]
    opposite = marked(scene_of({"saz": [[0, 90], [180, 270]]}, grid), "saz", kind="direction")
    assert np.isnan(align({"a": opposite}, grid=coarse)["a"].band("saz").values).all()


def test_directions_from_true_north_are_not_turned():
    here = metric_grid(20, 20)
    there = next_zone(here)
    scene = marked(scene_of({"wind": np.full((20, 20), 70.0)}, here), "wind", kind="direction", north="true")
    values = align({"w": scene}, grid=there)["w"].band("wind").values
    np.testing.assert_allclose(values[np.isfinite(values)], 70, atol=1e-4)


def test_a_direction_is_never_taken_for_a_number():
    scene = marked(scene_of({"saz": FUELS}, FINE), "saz", kind="direction")
    with pytest.raises(BandError, match="direction"):
        align({"a": scene}, grid=COARSE, resampling={"saz": "bilinear"})


# ---------------------------------------------------------------------- the short way to the pixels
class ArrayReader:
    block = (32, 32)

    def __init__(self, bands):
        self.bands = bands

    def read(self, bands, rows, cols):
        return np.stack([self.bands[name][rows, cols] for name in bands]).astype(np.float32)


@pytest.mark.parametrize("res_m", [15.0, 70.0])
def test_the_reader_of_an_aligned_scene_gives_the_pixels_of_its_data(res_m):
    rng = np.random.default_rng(4)
    source = Grid.of("EPSG:4326", Affine(2e-4, 0, -118.1, 0, -2e-4, 34.35), (80, 70))
    bands = {"red": rng.random(source.shape), "scl": rng.integers(1, 9, source.shape).astype(float)}
    bands["red"][rng.random(source.shape) < 0.1] = np.nan
    scene = dataclasses.replace(scene_of(bands, source, chunks=32), reader=ArrayReader(bands))
    aligned = align({"a": scene}, res_m=res_m)["a"]
    rows, cols = slice(3, aligned.grid.height - 2), slice(5, aligned.grid.width)
    for names in (["red", "scl"], ["scl"]):
        expected = [aligned.band(name).values[rows, cols] for name in names]
        np.testing.assert_array_equal(aligned.read(names, rows, cols), expected)
    assert pickle.loads(pickle.dumps(aligned.reader)).block == aligned.block


def test_a_snapped_scene_keeps_its_reader():
    values = np.random.default_rng(0).random((8, 9))
    scene = dataclasses.replace(
        scene_of({"red": values}, metric_grid(x=400_000.0 + 1e-9)), reader=ArrayReader({"red": values})
    )
    view = align({"before": scene_of({"red": values}), "after": scene})
    np.testing.assert_array_equal(
        view["after"].read(["red"], slice(1, 3), slice(0, 4))[0], values[1:3, :4].astype("f4")
    )


# ---------------------------------------------------------------------- what does not belong together
def test_scenes_in_different_crs_meet_on_the_first_ones_grid():
    here = metric_grid(60, 60)
    other = next_zone(here)
    scenes = {
        "before": scene_of({"red": np.ones(here.shape)}, here),
        "after": scene_of({"red": np.ones(other.shape)}, other),
    }
    view = align(scenes)
    assert view["after"].grid == here
    assert "EPSG:32610" in view["after"].audit[-1]
    inner = view["after"].band("red").values[2:-2, 2:-2]
    np.testing.assert_array_equal(inner, 1)


def test_a_pair_without_common_ground_names_both_whatever_is_resampled():
    far = metric_grid(6, 9, res_m=10.0, x=600_000.0)
    with pytest.raises(InputError, match="does not overlap"):
        align({"fuel": classes(), "other": scene_of({"scl": FUELS}, far)}, resampling={"scl": "mode"})
