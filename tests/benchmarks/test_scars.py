"""The digest by which polygons are compared: blind to order and start, not to a moved corner or a lost island."""

import sys

import pytest
import shapely

from benchmarks import quiet


@pytest.fixture(scope="module")
def scars():
    sys.path.insert(0, str(quiet.PEERS))
    try:
        import scars

        yield scars
    finally:
        sys.path.remove(str(quiet.PEERS))


SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
HOLE = [(2, 2), (2, 4), (4, 4), (4, 2)]
OTHER = shapely.box(20, 20, 30, 30)


def test_order_and_start_do_not_count(scars):
    turned = shapely.Polygon(SQUARE[2:] + SQUARE[:2], [HOLE[::-1]])
    assert scars.answer([shapely.Polygon(SQUARE, [HOLE]), OTHER]) == scars.answer([OTHER, turned])


@pytest.mark.parametrize(
    "changed", [shapely.Polygon(SQUARE), shapely.Polygon([(0, 0), (10, 0), (10, 10.001), (0, 10)], [HOLE])]
)
def test_a_lost_island_and_a_moved_corner_do(scars, changed):
    whole = scars.answer([shapely.Polygon(SQUARE, [HOLE])])
    assert scars.answer([changed])["polygons"] != whole["polygons"]
    assert (whole["count"], whole["holes"], whole["area_ha"]) == (1, 1, 96 / 1e4)
