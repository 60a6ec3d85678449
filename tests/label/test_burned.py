"""Burn scars: what is burned, holes, smallest unit, severity, confidence, ids."""

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr

from geolabel.errors import GeolabelWarning, InputError, UnitError
from geolabel.label.burned import burned, burned_mask
from geolabel.label.severity import KEY_BENSON, SCHEMES
from geolabel.shapes import rasterise
from geolabel.tables import SHAPES, check
from rasters import metric_grid

GRID = metric_grid(60, 60)


def ring(inside=0.55, island=0.0):
    """A scar of 30 x 30 pixels with an unburned island of 10 x 10."""
    index = np.zeros(GRID.shape, np.float32)
    index[10:40, 10:40] = inside
    index[20:30, 20:30] = island
    return index


def test_a_scar_is_one_polygon_with_its_island():
    scar = burned(ring(), GRID)
    check(scar, SHAPES)
    assert scar["class"].tolist() == ["burned"]
    assert scar.severity.tolist() == ["moderate"]
    assert scar.severity_scheme.tolist() == [KEY_BENSON.name]
    assert len(scar.geometry[0].interiors) == 1
    # the 3 x 3 clean-up takes the four corners of the scar and of its island (one pixel each)
    assert scar.geometry.area[0] == pytest.approx((900 - 100 - 4 + 4) * 900)
    assert scar.area_m2[0] == pytest.approx(scar.geometry.area[0], rel=1e-3)  # geodesic against the UTM plane
    assert scar.dnbr_mean[0] == pytest.approx(0.55, abs=0.01)


@pytest.mark.parametrize("value", [0.1, 0.27, 0.44, 0.66])
def test_the_threshold_itself_is_burned_and_the_next_smaller_number_is_not(value):
    index = ring(np.float32(value))
    below = ring(np.nextafter(np.float32(value), np.float32(0)))
    assert burned_mask(index, GRID, threshold=value).any()
    assert not burned_mask(below, GRID, threshold=value).any()


def test_severity_polygons_tile_the_scar():
    index = ring()
    index[10:20, 10:40] = 0.8
    index[30:40, 10:40] = 0.2
    scar = burned(index, GRID)
    assert sorted(scar.severity) == ["high", "low", "moderate", "moderate"]  # two sides of the island
    assert scar.geometry.union_all().area == pytest.approx(scar.geometry.area.sum())
    np.testing.assert_array_equal(rasterise(scar, GRID) > 0, burned_mask(index, GRID))
    assert scar.set_index("severity").dnbr_mean["high"] > scar.set_index("severity").dnbr_mean["low"]


def test_patches_below_the_smallest_unit_join_their_neighbour_or_go():
    index = ring(island=0.55)
    index[22:24, 22:24] = 0.9  # 4 pixels of high inside moderate
    index[50:53, 50:53] = 0.9  # 9 pixels on their own
    small = burned(index, GRID, min_area_m2=10_000)
    assert small.severity.tolist() == ["moderate"]
    assert burned(index, GRID, min_area_m2=0).severity.tolist().count("high") == 2
    assert len(burned(index, GRID, min_area_m2=900 * 900)) == 0


def test_lonely_pixels_are_noise():
    index = np.zeros(GRID.shape, np.float32)
    index[::4, ::4] = 0.9
    assert len(burned(index, GRID, min_area_m2=0)) == 0
    holes = np.full(GRID.shape, 0.9, np.float32)
    holes[2::4, 2::4] = 0.0
    assert burned_mask(holes, GRID, min_area_m2=0).all()


def test_nothing_burned_is_an_empty_table_with_all_columns():
    scar = burned(np.zeros(GRID.shape), GRID)
    check(scar, SHAPES)
    assert len(scar) == 0
    assert {"area_m2", "dnbr_mean"} <= set(scar.columns)
    assert scar.crs.to_epsg() == 32611


def test_ground_that_nobody_saw_is_never_burned_and_its_share_is_told():
    index = ring(island=np.nan)
    scar = burned(index, GRID)
    assert not (rasterise(scar, GRID) > 0)[20:30, 20:30].any()
    assert scar.masked_share[0] == pytest.approx(100 / 896)
    clear = np.isfinite(index)
    again = burned(ring(island=0.55), GRID, known=clear)
    assert scar.geometry[0].equals(again.geometry[0])
    assert scar.masked_share[0] == again.masked_share[0]
    assert burned(ring(), GRID).masked_share[0] == 0  # an island that was seen


def test_confidence_grows_with_the_distance_to_the_threshold():
    values = [burned(ring(value, island=value), GRID).confidence[0] for value in (0.11, 0.2, 0.4, 0.6, 1.2)]
    assert values == sorted(values)
    assert 0.5 <= values[0] < 0.55
    assert 0.95 < values[-1] < 1


def test_ids_are_the_same_on_a_rerun_and_follow_the_ground():
    one, two = burned(ring(), GRID), burned(ring(), GRID)
    assert one.label_id.tolist() == two.label_id.tolist()
    moved = burned(ring(), metric_grid(60, 60, x=400_030.0))
    assert moved.label_id[0] != one.label_id[0]
    many = np.random.default_rng(0).uniform(0, 1, GRID.shape)
    assert burned(many, GRID, min_area_m2=0).label_id.is_unique


def test_otsu_finds_the_scar_where_no_published_break_holds():
    rng = np.random.default_rng(0)
    index = ring(0.08) + rng.normal(0, 0.01, GRID.shape).astype(np.float32)
    assert not burned_mask(index, GRID).any()
    truth = ring(1) > 0
    found = burned_mask(index, GRID, threshold="otsu")
    assert (found & truth).sum() / (found | truth).sum() > 0.97


def test_index_times_1000_is_refused_by_a_scheme_times_1():
    with pytest.raises(UnitError):
        burned(ring(550), GRID)
    with pytest.raises(UnitError):
        burned_mask(xr.DataArray(ring(), attrs={"units": "x1"}), GRID, scheme=SCHEMES["parks-rbr"])
    assert len(burned(ring(550), GRID, scheme=SCHEMES["miller-thode-rdnbr"])) == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="on a grid"):
        burned(np.zeros((3, 3)), GRID)
    with pytest.raises(InputError, match="on a grid"):
        burned(ring(), GRID, known=np.ones((3, 3), bool))
    for wrong in ("otus", float("nan")):
        with pytest.raises(InputError, match="unknown threshold"):
            burned(ring(), GRID, threshold=wrong)
    with pytest.raises(InputError, match="smallest area"):
        burned(ring(), GRID, min_area_m2=-1)


def test_the_table_goes_to_a_file_and_back(tmp_path):
    scar = burned(ring(), GRID)
    scar.to_file(tmp_path / "scar.gpkg")
    back = gpd.read_file(tmp_path / "scar.gpkg")
    assert back.label_id.tolist() == scar.label_id.tolist()
    assert back.geometry[0].equals(scar.geometry[0])


def test_half_of_the_neighbours_seen_is_not_most_of_them():
    """A vote counts only who was seen: 3 of 6 at the border is a tie, 3 of 5 is not."""
    grid, index = metric_grid(4, 5), np.zeros((4, 5), np.float32)
    index[0, 1:4] = 0.5
    assert not burned_mask(index, grid, min_area_m2=0)[0, 2]
    index[1, 2] = np.nan
    found = burned_mask(index, grid, min_area_m2=0)
    assert found[0, 2]
    assert not found[1, 2]


def test_ground_that_nobody_saw_is_not_called_unburned():
    index = np.full((40, 50), np.nan, np.float32)
    with pytest.raises(InputError, match="nothing was seen") as error:
        burned(index, metric_grid(40, 50))
    assert "scene.valid" in error.value.hint
    index[3, 4] = 0.0
    assert len(burned(index, metric_grid(40, 50))) == 0


# ---------------------------------------------------------------------- clean-up, breaks of one fire, measured offset
def test_without_clean_up_every_pixel_speaks_for_itself():
    index = np.random.default_rng(1).normal(0.1, 0.2, GRID.shape).astype(np.float32)
    index[5, 5] = np.nan
    found = burned_mask(index, GRID, cleanup=None, min_area_m2=0)
    np.testing.assert_array_equal(found, index >= np.float32(0.1))
    scar = burned(index, GRID, cleanup=None, min_area_m2=0, severity=False)
    np.testing.assert_array_equal(rasterise(scar, GRID) > 0, found)
    assert scar.area_m2.sum() == pytest.approx(900 * found.sum(), rel=1e-3)


def test_single_pixel_islands_stay_without_clean_up_and_go_with_it():
    index = ring(island=0.55)
    index[15:36:4, 15:36:4] = 0.0
    scar, cleaned = (burned(index, GRID, severity=False, cleanup=how) for how in (None, "majority"))
    assert len(scar.geometry[0].interiors) == 36
    assert len(cleaned.geometry[0].interiors) == 0
    with pytest.raises(InputError, match="unknown cleanup"):
        burned(index, GRID, cleanup="median")


def test_breaks_of_one_fire_part_its_own_scars_and_not_the_ground_around():
    """Three groups inside the scar; outside, ten times the ground with other values, which must not move the breaks."""
    rng = np.random.default_rng(0)
    groups = {"low": 0.2, "moderate": 0.5, "high": 0.9}
    index = np.repeat(list(groups.values()), 100).astype(np.float32).reshape(30, 10, order="F")
    image = rng.normal(-0.5, 0.2, (60, 60)).astype(np.float32).clip(-1.2, 0.05)
    image[15:45, 15:45] = np.repeat(index, 3, axis=1) + rng.normal(0, 0.02, (30, 30))
    scar = burned(image, GRID, per_fire=True, min_area_m2=0, cleanup=None)
    low, moderate, high = scar.attrs["breaks"]
    assert low == 0.1
    assert 0.25 < moderate < 0.45
    assert 0.55 < high < 0.85
    areas = scar.groupby("severity").area_m2.sum()
    assert {name: areas[name] / areas.sum() for name in groups} == pytest.approx(dict.fromkeys(groups, 1 / 3), abs=0.01)
    assert scar.severity_scheme.unique().tolist() == [f"per-fire-dnbr(0.1, {moderate:g}, {high:g})"]


def test_the_offset_is_measured_where_unburned_ground_was_seen_and_said_where_it_was_not():
    index = ring() + np.float32(0.07)
    auto, told = (burned(index, GRID, offset=how) for how in ("auto", "ring"))
    assert auto.attrs["offset"] == told.attrs["offset"] == pytest.approx(0.07, abs=1e-4)
    assert auto.geometry[0].equals(told.geometry[0])
    with pytest.warns(GeolabelWarning, match="no offset was taken off"):
        scar = burned(np.where(ring() > 0, ring(), np.nan), GRID, offset="auto")
    assert scar.attrs["offset"] == 0
    assert len(burned(np.zeros(GRID.shape), GRID, offset="auto")) == 0


def test_what_was_decided_of_the_image_is_said():
    scar = burned(ring(), GRID, threshold=0.2)
    assert scar.attrs == {"offset": 0.0, "threshold": 0.2, "breaks": list(KEY_BENSON.breaks), "units": "x1"}
    assert burned(ring(), GRID, severity=False).attrs["breaks"] is None


def test_confidence_stays_below_what_its_source_is_trusted_with():
    index = ring(np.float32(1.5), island=0.2)
    trusted, less = (burned(index, GRID, most_sure=most).confidence for most in (1.0, 0.6))
    assert (less <= 0.6).all()
    assert (less >= 0.5).all()
    assert np.argsort(less).tolist() == np.argsort(trusted).tolist()


def test_a_scar_of_one_value_keeps_the_published_breaks():
    scar = burned(ring(), GRID, per_fire=True)
    assert scar.severity_scheme.tolist() == [KEY_BENSON.name]
    assert scar.severity.tolist() == ["moderate"]
