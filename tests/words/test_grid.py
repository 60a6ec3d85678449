"""Grids and tiles: integers on one parent grid, every pixel once."""

import numpy as np
import pytest
from affine import Affine

from geolabel.errors import CRSError, InputError
from geolabel.grid import Grid, LonLat, Tile

UTM10 = Grid.of("EPSG:32610", Affine(10, 0, 500000, 0, -10, 4200100), (10, 10))


def test_lon_lat_of_corners_matches_the_published_box():
    """DOMAIN section 4: the UTM 10N box (500000, 4200000, +100 m)."""
    to = UTM10._to_lonlat.transform
    assert to(500000, 4200000)[0] == pytest.approx(-123.0)
    assert to(500100, 4200100) == pytest.approx((-122.9988618, 37.9484909), abs=1e-7)


def test_index_is_the_inverse_of_lonlat():
    for row, col in ((0, 0), (9, 9), (3, 7)):
        assert UTM10.index(UTM10.lonlat(row, col)) == (row, col)
    with pytest.raises(InputError, match="outside"):
        UTM10.index(LonLat(0, 0))


def test_tiles_keep_their_edges():
    grid = Grid.of("EPSG:32610", Affine(10, 0, 0, 0, -10, 0), (70, 101))
    seen = np.zeros(grid.shape, int)
    for tile in grid.tiles(32):
        seen[tile.slices] += 1
        assert grid.crop(tile).shape == (tile.height, tile.width)
    assert (seen == 1).all()


def test_a_cropped_grid_lies_where_its_pixels_lie():
    tile = Tile(3, 5, 4, 2, margin=1)
    assert UTM10.crop(tile).lonlat(0, 0) == UTM10.lonlat(3, 5)
    assert UTM10.crop(tile, margin=True).lonlat(1, 1) == UTM10.lonlat(3, 5)
    with pytest.raises(InputError):
        UTM10.crop(Tile(8, 8, 4, 4))


def test_degrees_have_no_metres():
    grid = Grid.of("EPSG:4326", Affine(0.001, 0, 0, 0, -0.001, 0), (5, 5))
    with pytest.raises(CRSError, match="degree"):
        _ = grid.res_m
    with pytest.raises(CRSError, match="square"):
        _ = Grid.of("EPSG:32610", Affine(10, 0, 0, 0, -20, 0), (5, 5)).res_m


def test_swapped_coordinates_are_recognised():
    with pytest.raises(InputError, match="did you mean LonLat"):
        LonLat(34.3, -118.1)
    assert LonLat.parse("-118.07, 34.34") == LonLat(-118.07, 34.34)


def test_equal_grids_have_equal_digests():
    again = Grid.of("EPSG:32610", Affine(10, 0, 500000 + 1e-12, 0, -10, 4200100), (10, 10))
    assert again.digest == UTM10.digest
    assert Grid.of("EPSG:32610", Affine(10, 0, 500010, 0, -10, 4200100), (10, 10)).digest != UTM10.digest
