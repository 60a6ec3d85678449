"""Laws of grids, tilings and windows cut out of blocks."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel import blocks
from geolabel.boxes import plan, unit
from geolabel.grid import Grid, crs_key

CODES = ("EPSG:32611", "EPSG:32760", "EPSG:4326", "EPSG:3857", "EPSG:5070", "EPSG:2154", "EPSG:27700", "EPSG:3413")


# ---------------------------------------------------------------------- one grid, one digest
@pytest.mark.parametrize("code", CODES)
def test_a_grid_has_one_digest_however_its_crs_is_written(code, tmp_path):
    transform, crs = Affine(30, 0, 400_000, 0, -30, 3_800_000), pyproj.CRS(code)
    want = Grid.of(code, transform, (8, 9)).digest
    for version in ("WKT1_GDAL", "WKT2_2015", "WKT2_2019"):
        assert Grid.of(crs.to_wkt(version), transform, (8, 9)).digest == want
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        crs=code,
        transform=transform,
        height=8,
        width=9,
        count=1,
        dtype="uint8",
    ):
        pass
    with rasterio.open(tmp_path / "a.tif") as file:
        again = Grid.of(file.crs.to_wkt(), file.transform, file.shape)
    assert again.digest == want
    assert Grid.recorded(again.record()).digest == want


def test_grids_that_differ_have_digests_that_differ():
    transform = Affine(30, 0, 4e5, 0, -30, 3.8e6)
    codes = (*CODES, "EPSG:26911", "EPSG:4269", "EPSG:32610", "EPSG:3035")  # NAD83 is not WGS 84
    digests = {Grid.of(code, transform, (8, 9)).digest for code in codes}
    assert len(digests) == len(codes)
    for other in (Affine(30, 0, 4e5 + 30, 0, -30, 3.8e6), Affine(20, 0, 4e5, 0, -30, 3.8e6)):
        assert Grid.of("EPSG:32611", other, (8, 9)).digest not in digests
    assert Grid.of("EPSG:32611", transform, (9, 8)).digest not in digests


def test_a_code_that_does_not_fit_its_definition_is_not_believed():
    """The Olinda DEM says EPSG:32000 and is UTM 25S."""
    wkt = pyproj.CRS("EPSG:31985").to_wkt().replace('ID["EPSG",31985]', 'ID["EPSG",32000]')
    assert crs_key(wkt) != "EPSG:32000"
    assert crs_key(wkt) != crs_key(pyproj.CRS("EPSG:32000").to_wkt())


# ---------------------------------------------------------------------- every block once
@dataclass
class Numbers:
    """A raster whose pixels are their own number; it counts how often each is read."""

    shape: tuple[int, int]
    block: tuple[int, int]
    shares: bool
    seen: np.ndarray = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        self.seen = np.zeros(self.shape, int)

    @property
    def pixels(self):
        return np.arange(self.shape[0] * self.shape[1]).reshape(self.shape)

    def read(self, rows, cols, last=None):
        with self.lock:
            self.seen[rows, cols] += 1
        return self.pixels[rows, cols]

    def new(self, rows, cols):
        return np.full((rows.stop - rows.start, cols.stop - cols.start), -1)

    def share(self, pixels, at):
        return pixels[at] if self.shares else None

    def put(self, pixels, at, out, to):
        out[to] = pixels[at]


def brute(raster, rows, cols, pad=50):
    padded = np.pad(raster.pixels, pad, constant_values=-1)
    return padded[rows.start + pad : rows.stop + pad, cols.start + pad : cols.stop + pad]


edges = st.integers(1, 40)


@settings(max_examples=60)
@given(
    st.tuples(edges, edges),
    st.tuples(edges, edges),
    st.integers(1, 25),
    st.integers(0, 12),
    st.integers(1, 4),
    st.booleans(),
)
def test_windows_are_cut_right_and_no_pixel_is_read_twice(shape, block, size, margin, threads, shares):
    blocks_px = Numbers(shape, block, shares)
    grid = Grid.of("EPSG:32633", Affine(30, 0, 4e5, 0, -30, 5e6), shape)
    tiles = grid.tiles(size, margin)
    windows = [
        (slice(t.row - margin, t.row + t.height + margin), slice(t.col - margin, t.col + t.width + margin))
        for t in tiles
    ]
    for in_order in (True, False):
        blocks_px.seen[:] = 0
        found = list(blocks.cut(blocks_px, windows, in_order=in_order, threads=threads))
        assert sorted(i for i, _ in found) == list(range(len(windows)))
        assert not in_order or [i for i, _ in found] == list(range(len(windows)))
        for i, array in found:
            np.testing.assert_array_equal(array, brute(blocks_px, *windows[i]))
        assert blocks_px.seen.max() == blocks_px.seen.min() == 1


@given(st.tuples(edges, edges), st.tuples(edges, edges), st.integers(1, 30))
def test_what_is_read_at_once_is_whole_blocks(shape, block, least):
    size = unit(shape, block, least)
    for got, stored, whole in zip(size, block, shape, strict=True):
        assert got == whole or got % min(stored, whole) == 0


@given(st.tuples(edges, edges), st.tuples(edges, edges))
def test_a_plan_of_the_whole_raster_names_each_pixel_once(shape, size):
    seen = np.zeros(shape, int)
    for (row, col), pieces in plan([(slice(0, shape[0]), slice(0, shape[1]))], shape, size).items():
        for piece in pieces:
            rows, cols = piece.at
            seen[row + rows.start : row + rows.stop, col + cols.start : col + cols.stop] += 1
            assert piece.to[0].start == row + rows.start
    assert (seen == 1).all()
