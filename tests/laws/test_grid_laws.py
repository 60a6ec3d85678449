"""Laws of the ground floor."""

import numpy as np
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geolabel import shapes
from geolabel.bearings import difference, opposite, uv_from_wind, wind_from_uv
from geolabel.grid import Grid

sizes = st.integers(1, 60)


@given(sizes, sizes, sizes)
def test_tiles_cover_every_pixel_once(height, width, size):
    grid = Grid.of("EPSG:32633", Affine(30, 0, 4e5, 0, -30, 5e6), (height, width))
    seen = np.zeros(grid.shape, int)
    for tile in grid.tiles(size):
        seen[tile.slices] += 1
    assert (seen == 1).all()


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
def test_a_mask_survives_polygons(mask):
    grid = Grid.of("EPSG:32633", Affine(30, 0, 4e5, 0, -30, 5e6), mask.shape)
    frame = shapes.polygonise(mask, grid)
    assert frame.geometry.is_valid.all()
    back = shapes.rasterise(frame, grid, frame["code"].to_numpy())
    np.testing.assert_array_equal(back, mask)
    assert frame.geometry.area.sum() == np.count_nonzero(mask) * 900


@given(st.floats(0.1, 50), st.floats(0, 359.99))
def test_wind_survives_components(speed, from_deg):
    again, bearing = wind_from_uv(*uv_from_wind(speed, from_deg))
    assert abs(again - speed) < 1e-9
    assert difference(bearing, from_deg) < 1e-6
    assert difference(opposite(opposite(from_deg)), from_deg) < 1e-9
