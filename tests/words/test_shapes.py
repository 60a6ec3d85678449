"""DOMAIN section 4: polygons and masks."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine

from geolabel import shapes
from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid

GRID = Grid.of("EPSG:32610", Affine(10, 0, 500000, 0, -10, 4200100), (20, 20))


def test_diagonal_pixels_are_two_polygons():
    mask = np.zeros(GRID.shape, bool)
    mask[3, 3] = mask[4, 4] = True
    frame = shapes.polygonise(mask, GRID)
    assert len(frame) == 2
    assert frame.is_valid.all()


def test_a_block_is_one_polygon_of_five_coordinates():
    mask = np.zeros(GRID.shape, bool)
    mask[5:11, 7:13] = True
    frame = shapes.polygonise(mask, GRID)
    assert len(frame) == 1
    assert frame.geometry.iloc[0].area == 3600
    assert shapely.get_num_coordinates(frame.geometry.iloc[0]) == 5


def test_holes_are_kept():
    mask = np.ones(GRID.shape, bool)
    mask[4:7, 4:7] = False
    frame = shapes.polygonise(mask, GRID)
    assert len(frame.geometry.iloc[0].interiors) == 1
    np.testing.assert_array_equal(shapes.rasterise(frame, GRID) > 0, mask)


def test_geodesic_area_of_the_published_box():
    box = gpd.GeoDataFrame(geometry=[shapely.box(500000, 4200000, 500100, 4200100)], crs="EPSG:32610")
    assert shapes.area_m2(box)[0] == pytest.approx(10008.0, abs=0.1)
    assert shapes.area_m2(box.to_crs("EPSG:3857"))[0] == pytest.approx(10008.0, abs=0.1)
    holed = box.difference(shapely.box(500020, 4200020, 500070, 4200070))
    assert shapes.area_m2(gpd.GeoDataFrame(geometry=holed))[0] == pytest.approx(7506.0, abs=0.1)


def test_rasterising_does_not_depend_on_winding():
    ring = [(500010, 4200010), (500110, 4200015), (500080, 4200090)]
    one, two = (gpd.GeoDataFrame(geometry=[shapely.Polygon(r)], crs="EPSG:32610") for r in (ring, ring[::-1]))
    np.testing.assert_array_equal(shapes.rasterise(one, GRID), shapes.rasterise(two, GRID))


def test_repair_mends_or_names():
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    line = shapely.Polygon([(0, 0), (5, 5), (10, 10)])
    mended = shapes.repair(gpd.GeoDataFrame(geometry=[bow_tie], crs="EPSG:32610"))
    assert mended.is_valid.all()
    assert mended.geometry.area.iloc[0] == pytest.approx(50)
    with pytest.raises(InputError, match="rows b"):
        shapes.repair(gpd.GeoDataFrame(geometry=[bow_tie, line], crs="EPSG:32610", index=["a", "b"]))


def test_shapes_without_crs_are_refused():
    with pytest.raises(CRSError):
        shapes.rasterise(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]), GRID)


def test_clip_keeps_polygons_only():
    touching = shapely.box(500200, 4200000, 500300, 4200100)  # shares an edge with the grid: no area inside
    inside = shapely.box(500150, 4200050, 500250, 4200150)
    frame = gpd.GeoDataFrame({"id": ["touch", "in"]}, geometry=[touching, inside], crs="EPSG:32610")
    cut = shapes.clip(frame, GRID)
    assert cut["id"].tolist() == ["in"]
    assert cut.geometry.area.iloc[0] == pytest.approx(2500)
