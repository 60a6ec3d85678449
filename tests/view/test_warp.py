"""Pictures lie where their ground is."""

import io

import numpy as np
import pytest
from affine import Affine
from PIL import Image
from pyproj import Transformer

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.view import paint
from geolabel.view.palette import GROUND, PROBABILITY, Fill, rgb
from geolabel.view.warp import frame_of, warp_codes, warp_picture

SCENE = Grid.of("EPSG:32611", Affine(50, 0, 350000, 0, -50, 3820000), (1000, 1000))
CROSSES = [(20, 20), (20, 979), (979, 20), (979, 979)]


def position(frame, row, col):
    """(lon, lat) of the centre of a picture's pixel, stretched linearly in mercator between its corners, as Leaflet does."""
    (south, west), (north, east) = frame.corners
    to_web = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    (left, bottom), (right, top) = to_web.transform(west, south), to_web.transform(east, north)
    x = left + (col + 0.5) / frame.width * (right - left)
    y = top - (row + 0.5) / frame.height * (top - bottom)
    return to_web.transform(x, y, direction="INVERSE")


@pytest.mark.parametrize("cross", CROSSES)
def test_a_marker_lies_within_one_pixel_of_its_cross_at_the_corners_of_a_50_km_scene(cross):
    codes = np.zeros(SCENE.shape, np.uint8)
    codes[cross] = 3
    frame = frame_of(SCENE)
    rows, cols = np.nonzero(warp_codes(codes, SCENE, frame, outside=0))
    assert len(rows)
    lon, lat = position(frame, rows.mean(), cols.mean())
    to_utm = Transformer.from_crs("EPSG:4326", SCENE.crs.proj, always_xy=True)
    x, y = to_utm.transform(lon, lat)
    assert np.hypot(x - SCENE.xy(*cross)[0], y - SCENE.xy(*cross)[1]) < SCENE.res_m


def test_stretching_between_corners_instead_would_be_hundreds_of_metres_off():
    """What warping is for: the same cross placed by linear interpolation between the scene's own corners."""
    frame = frame_of(SCENE)
    row, col = CROSSES[0]
    naive = position(frame, (row + 0.5) / 1000 * frame.height - 0.5, (col + 0.5) / 1000 * frame.width - 0.5)
    x, y = Transformer.from_crs("EPSG:4326", SCENE.crs.proj, always_xy=True).transform(*naive)
    assert np.hypot(x - SCENE.xy(row, col)[0], y - SCENE.xy(row, col)[1]) > 200


def test_every_code_survives_and_nothing_is_invented():
    rng = np.random.default_rng(3)
    codes = rng.integers(1, 8, (120, 90)).astype(np.uint8)
    grid = Grid.of("EPSG:31985", Affine(30, 0, 285000, 0, -30, 9126000), codes.shape)
    frame = frame_of(grid)
    warped = warp_codes(codes, grid, frame, outside=0)
    assert set(np.unique(warped)) <= {0, *range(1, 8)}
    shares = [(warped == c).sum() / (warped > 0).sum() for c in range(1, 8)]
    assert shares == pytest.approx([(codes == c).mean() for c in range(1, 8)], abs=0.004)


def test_a_picture_is_clear_beyond_its_ground_and_keeps_its_colours():
    grid = Grid.of("EPSG:31985", Affine(30, 0, 285000, 0, -30, 9126000), (60, 80))
    colour = np.broadcast_to(np.array([200, 100, 50], np.uint8), (60, 80, 3)).copy()
    warped = warp_picture(colour, grid, frame_of(grid))
    inside = warped[..., 3] == 255
    assert 0.97 < inside.mean() <= 1
    middle = warped[warped.shape[0] // 2, warped.shape[1] // 2]
    assert middle.tolist() == [200, 100, 50, 255]
    assert (warped[~inside][:, 3] == 0).all()


def test_a_large_scene_gives_a_small_picture_and_a_small_one_is_enlarged():
    large = frame_of(Grid.of("EPSG:32611", Affine(30, 0, 350000, 0, -30, 3820000), (5000, 4000)))
    small = frame_of(Grid.of("EPSG:32611", Affine(30, 0, 350000, 0, -30, 3820000), (40, 30)))
    assert 1390 <= max(large.height, large.width) <= 1410
    assert 310 <= max(small.height, small.width) <= 330


def test_a_picture_of_another_shape_is_refused():
    with pytest.raises(InputError, match="on a grid of"):
        warp_picture(np.zeros((5, 5), np.uint8), SCENE, frame_of(SCENE))


# ---------------------------------------------------------------------- painting
def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def test_pixels_show_the_colour_of_their_class_and_zero_is_clear():
    codes = np.repeat(np.arange(8, dtype=np.uint8)[None], 4, axis=0)
    pixels = opened(paint.png(paint.paint(codes, PROBABILITY)))
    assert (pixels[:, 0, 3] == 0).all()
    for fill in PROBABILITY[1:]:
        assert pixels[0, fill.code].tolist() == [*rgb(fill.colour), 255]


def test_patterns_ink_a_part_of_the_ground_and_differ():
    inked = {}
    for fill in (PROBABILITY[0], *GROUND):
        pixels = opened(paint.png(paint.paint(np.full((90, 90), fill.code, np.uint8), (fill,))))
        inked[fill.pattern] = (pixels[..., :3] == rgb(fill.ink)).all(axis=2) & (pixels[..., 3] == 255)
        assert 0.04 < inked[fill.pattern].mean() < 0.3
    shares = sorted(mask.mean() for mask in inked.values())
    assert len(inked) == 3
    assert np.diff(shares).min() > 0


def test_a_swatch_is_what_the_map_paints():
    fill = Fill(9, "x", "y", "#102030")
    assert paint.swatch(fill).startswith("data:image/png;base64,")


def test_slopes_in_shade_are_darker_and_level_ground_is_white():
    grid = Grid.of("EPSG:32611", Affine(10, 0, 350000, 0, -10, 3820000), (30, 30))
    rows, cols = np.indices(grid.shape) * 10.0
    lit, dark, level = (
        paint.hillshade(z, grid)[5:-5, 5:-5].mean() for z in (0.5 * (cols + rows), -0.5 * (cols + rows), 0 * rows)
    )
    assert lit == 255 == level  # rises to the south-east: it faces the sun in the north-west
    assert dark < 130
    assert (paint.hillshade(np.full(grid.shape, np.nan), grid) == 255).all()


def test_a_stretched_band_spans_black_to_white_and_unknown_is_white():
    band = np.linspace(0, 4000, 400).reshape(20, 20)
    band[0, 0] = np.nan
    grey = paint.stretch([band])
    assert (grey[0, 0], grey[0, 1], grey[-1, -1]) == (255, 0, 255)
    assert paint.stretch([band] * 3).shape == (20, 20, 3)
    assert paint.stretch([np.full((3, 3), np.nan)]).tolist() == [[255] * 3] * 3
    with pytest.raises(InputError, match="2 bands"):
        paint.stretch([band, band])


def test_a_pale_backdrop_darkens_a_colour_by_a_sixth_at_most():
    picture = np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8)
    assert paint.pale(picture).min() >= 255 * 5 / 6
