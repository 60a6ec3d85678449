"""Labels in pixels: where they lie, how they are cut to images and joined again."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio.transform
import shapely
from affine import Affine
from benchmarks.roundtrip import CRS
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import GRIDS, TILES, UTM, frame, on, sample
from geolabel.dataset.formats.images import Image, cut, grid_of, plain_name, stem
from geolabel.dataset.formats.parts import ground
from geolabel.dataset.formats.pixels import burned, ellipse, ring, to_ground, to_pixels, traced, turned
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing
from geolabel.errors import GeolabelWarning, InputError, OntologyError
from geolabel.grid import Grid, Tiling
from geolabel.shapes import rasterise


def one(shape, *, crs=CRS, **said):
    return frame([{"label_id": "a", "class": "forest", **said, "geometry": shape}], crs)


def parts_of(labels, tiles=TILES, **more):
    return [
        {**row, "grid": image.grid}
        for image, inside in cut(labels, Writing(tiles=tiles, **more), "test")
        for row in inside.to_dict("records")
    ]


# ---------------------------------------------------------------------- coordinates
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_pixels_are_those_of_rasterio_on_any_affine(grid):
    rows, cols = [0, 5, 63], [0, 60, 7]
    x, y = rasterio.transform.xy(grid.transform, rows, cols, offset="ul")
    found = to_pixels([shapely.MultiPoint(np.column_stack([x, y]))], grid)[0]
    np.testing.assert_allclose(shapely.get_coordinates(found), np.column_stack([cols, rows]), atol=1e-8)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_to_pixels_and_back_is_the_same_ground(grid, seed):
    points = shapely.MultiPoint(np.random.default_rng(seed).uniform(0, 64, (5, 2)))
    there = on(grid, points)
    back = to_ground(to_pixels([there], grid), grid)[0]
    size = abs(grid.transform.a)
    np.testing.assert_allclose(shapely.get_coordinates(back), shapely.get_coordinates(there), rtol=0, atol=1e-8 * size)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_burning_in_pixels_is_rasterising_on_the_ground(grid):
    shape = shapely.Polygon(
        [(3.2, 4.9), (50.1, 10.3), (30.7, 60.2)], [[(20.03, 15.01), (30.07, 16.52), (25.04, 30.09)]]
    )
    frame_there = gpd.GeoDataFrame(geometry=[on(grid, shape)], crs=grid.crs.to_wkt())
    np.testing.assert_array_equal(burned(shape, grid.shape), rasterise(frame_there, grid) > 0)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 0.9]))
def test_a_mask_traced_and_burned_is_the_mask(seed, share):
    mask = np.random.default_rng(seed).random((13, 17)) < share
    shape = traced(mask)
    np.testing.assert_array_equal(burned(shape, mask.shape), mask)
    assert shape.is_valid
    assert shape.area == mask.sum()


def test_a_shape_is_turned_clockwise_as_seen_on_the_image():
    lying = shapely.box(0, 0, 4, 2)
    assert turned(lying, 90, (0, 0)).normalize().equals_exact(shapely.box(-2, 0, 0, 4).normalize(), 1e-12)
    assert turned(lying, 180, (2, 1)).normalize().equals_exact(lying.normalize(), 1e-12)


def test_an_ellipse_of_64_corners_lacks_less_than_two_thousandths_of_its_area():
    assert ellipse(5, 6, 4, 2).area / (np.pi * 8) == pytest.approx(1, abs=0.002)
    assert ellipse(5, 6, 4, 2).bounds == pytest.approx((1, 4, 9, 8))


def test_a_ring_that_crosses_itself_keeps_both_halves_and_two_corners_are_none():
    bow = ring([(0, 0), (4, 4), (4, 0), (0, 4)])
    assert bow.geom_type == "MultiPolygon"
    assert bow.area == pytest.approx(8)
    assert ring([(0, 0), (1, 1)]).is_empty


# ---------------------------------------------------------------------- cut to images, joined again
def test_a_block_over_four_images_comes_back_as_one_polygon_of_five_corners():
    block = on(UTM, shapely.box(29, 29, 35, 35))
    parts = parts_of(one(block))
    assert len(parts) == 4
    back = ground(parts).geometry.iloc[0]
    assert back.equals(block)
    assert shapely.get_num_coordinates(back) == 5


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_cutting_loses_no_ground_and_joining_gives_it_back(grid):
    shape = shapely.Polygon([(3.2, 4.9), (50.1, 10.3), (30.7, 60.2)], [[(20, 15), (35, 16.5), (25, 40)]])
    parts = parts_of(one(on(grid, shape), crs=grid.crs.to_wkt()), Tiling(grid, grid.tiles(20)))
    assert sum(part["geometry"].area for part in parts) == pytest.approx(shape.area, rel=1e-9)
    back = to_pixels(ground(parts).geometry.to_numpy(), grid)[0]
    assert back.symmetric_difference(shape).area < 1e-4
    assert shapely.get_num_interior_rings(back) == 1


def test_edges_are_straight_in_the_crs_of_the_labels():
    grid = Grid.of("EPSG:32610", Affine(300, 0, 400_000, 0, -300, 4_800_000), (900, 900))
    west, south, east, north = -123.9, 41.5, -121.0, 42.9
    parallel = frame(
        [{"label_id": "a", "class": "water", "geometry": shapely.box(west, south, east, north)}], "EPSG:4326"
    )
    parts = parts_of(parallel, Tiling(grid, grid.tiles(900)))
    whole = gpd.GeoSeries(to_ground([parts[0]["geometry"]], grid), crs=grid.crs.to_wkt()).to_crs("EPSG:4326")[0]
    dense = parallel.geometry.segmentize(0.001)[0]
    assert whole.symmetric_difference(dense).area / dense.area < 1e-6
    chord = parallel.to_crs(grid.crs.proj).geometry[0]  # four corners: its long edges leave the parallel
    bowed = gpd.GeoSeries([chord.segmentize(100)], crs=grid.crs.to_wkt()).to_crs("EPSG:4326")[0]
    assert bowed.symmetric_difference(dense).area / dense.area > 1e-3


def test_images_of_two_zones_meet_in_wgs84():
    other = Grid.of("EPSG:32611", Affine(30, 0, 200_000, 0, -30, 4_200_000), (64, 64))
    square = shapely.box(10, 10, 20, 20)
    head = {"class": "forest", "geometry": square}
    rows = ground([{"label_id": "a", "grid": UTM, **head}, {"label_id": "b", "grid": other, **head}])
    assert rows.crs == "EPSG:4326"
    for there, grid in zip(rows.geometry, (UTM, other), strict=True):
        found = gpd.GeoSeries([there], crs="EPSG:4326").to_crs(grid.crs.proj)
        assert to_pixels(found, grid)[0].symmetric_difference(square).area < 1e-4


def test_parts_of_one_label_with_two_classes_are_refused():
    part = {"label_id": "a", "grid": UTM, "geometry": shapely.box(0, 0, 1, 1)}
    with pytest.raises(InputError, match=r"label 'a' are \['forest', 'water'\]"):
        ground([{**part, "class": "forest"}, {**part, "class": "water"}])


# ---------------------------------------------------------------------- what is left out, and what is refused
def test_labels_on_no_image_are_named_in_a_warning():
    away = one(on(UTM, shapely.box(100, 100, 110, 110)))
    with pytest.warns(GeolabelWarning, match=r"1 labels left out \(a\): they lie on none of the 4 images"):
        assert parts_of(away) == []


def test_an_image_that_nobody_judged_is_not_written_as_empty():
    outcomes = {"0_0": "labeled", "0_32": "empty", "32_0": "skipped", "32_32": "unsure"}
    labels = one(on(UTM, shapely.box(1, 1, 9, 9)))
    with pytest.warns(GeolabelWarning, match="2 images left out: nobody judged them"):
        found = [image.key for image, _ in cut(labels, Writing(tiles=TILES, outcomes=outcomes), "test")]
    assert found == ["0_0", "0_32"]


def test_tiles_are_needed_and_may_not_overlap():
    with pytest.raises(InputError, match="in pixels of images"):
        parts_of(sample(), None)
    with pytest.raises(InputError, match="margin of 8 pixels overlap"):
        parts_of(sample(), Tiling(UTM, UTM.tiles(32, margin=8)))


def test_a_class_beyond_the_ontology_is_refused_before_anything_is_written():
    with pytest.raises(OntologyError, match="forst"):
        parts_of(one(on(UTM, shapely.box(1, 1, 9, 9))).assign(**{"class": "forst"}))


def test_images_have_the_names_that_are_told():
    def names(given):
        return [image.name for image, _ in cut(sample(), Writing(tiles=TILES, images=given), "test")]

    assert names(None) == ["0_0.tif", "0_32.tif", "32_0.tif", "32_32.tif"]
    assert names("chip-{}.png".format)[1] == "chip-0_32.png"
    assert names({tile.key: f"{n}.jpg" for n, tile in enumerate(TILES)})[3] == "3.jpg"
    assert Image("a.tif", UTM).key == ""


def test_grids_are_found_by_name_file_name_or_stem():
    for name in ("before.tif", "s3://bucket/7/before.tif?sig=1", r"C:\data\before.tif", "before.png"):
        assert grid_of(name, Told(grids={"images/before.tif": UTM})) is UTM
    assert grid_of("x", Told(grids=lambda name: UTM)) is UTM
    assert grid_of("x", Told(), own=UTM) is UTM
    assert grid_of("x.tif", Told(grids={"x.tif": GRIDS["degrees"]}), own=UTM) is GRIDS["degrees"]
    assert (plain_name("a/b.c.tif"), stem("a/b.c.tif")) == ("b.c.tif", "b.c")


def test_an_image_without_a_place_of_two_places_or_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"nobody says where the image 'x.tif' lies"):
        grid_of("x.tif", Told(grids={"y.tif": UTM}))
    with pytest.raises(InputError, match="may be any of"):
        grid_of("x.tif", Told(grids={"a/x.tif": UTM, "b/x.tif": UTM}))
    with pytest.raises(InputError, match=r"has 32 x 64 pixels .* \(64, 64\) on its grid"):
        grid_of("x.tif", Told(grids={"x.tif": UTM}), size=(32, 64))
