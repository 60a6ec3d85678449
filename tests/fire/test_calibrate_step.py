"""Perimeters as polygons: the step cuts the ground around them and hands masks to the calibration."""

import dataclasses

import numpy as np
import pytest

from fire.ground import flat, patchy, wind
from geolabel.errors import FireError
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.calibrate.prior import Prior
from geolabel.fire.front.arrival import spread
from geolabel.fire.landscape import Cover
from geolabel.fire.weather.field import WindField, Zones
from geolabel.grid import Tile
from geolabel.shapes import polygonise
from geolabel.steps.calibrate import LEAST, around, calibrate_on, scar_mask, weather_on

AIR, START = wind(4.0, 200.0, hours=6), (60, 70)


def drawn(mask, ground, crs="EPSG:4326"):
    return polygonise(mask, ground.grid).to_crs(crs)


def test_polygons_in_degrees_on_a_part_of_the_ground():
    ground = flat(140)
    fire = spread(ground, AIR, START, 1.0, rate_factor=0.6)
    point, prior = ground.grid.lonlat(*START), Prior(hours=(0.5, 2))
    found = calibrate_on(ground, AIR, point, [(drawn(fire.burned, ground), 1.0)], seed=1, prior=prior, runs=80, shown=5)
    assert found.grid.shape < ground.grid.shape
    (left, _, _, top), cell = found.grid.bounds, START
    row, col = (ground.grid.bounds[3] - top) / 30, (left - ground.grid.bounds[0]) / 30
    assert found.burned_probability[cell[0] - round(row), cell[1] - round(col)] == 1
    low, high = found.interval("rate_factor")[1:]
    assert low < 0.6 < high


def test_all_that_lies_on_the_grid_is_cut():
    ground, tile = patchy(50, seed=1), Tile(5, 8, 20, 30)
    ground = dataclasses.replace(
        ground,
        cover=Cover(np.full((50, 50), 3, np.uint8), {3: {102: 1.0}}),
        canopy=Canopy(cover=np.linspace(0, 1, 2500).reshape(50, 50), height_m=12.0),
    )
    part = ground.crop(tile)
    assert part.grid == ground.grid.crop(tile)
    for name in ("fuel", "elevation_m", "slope_deg", "aspect_deg", "known"):
        assert np.array_equal(getattr(part, name), getattr(ground, name)[5:25, 8:38], equal_nan=True)
    assert part.cover.codes.shape == part.canopy.cover.shape == (20, 30)
    assert part.canopy.height_m == 12
    ratio, moisture = np.random.default_rng(0).random((1, 50, 50)).astype(np.float32), np.full((2, 5, 1), 0.5)
    zones = (np.arange(2500).reshape(50, 50) % 2).astype(np.int16)
    air = weather_on(AIR.changed(field=WindField(ratio, ratio), zones=Zones(zones, moisture)), tile)
    assert np.array_equal(air.field.ratio, ratio[:, 5:25, 8:38])
    assert np.array_equal(air.zones.of, zones[5:25, 8:38])
    assert weather_on(AIR, tile).digest == AIR.digest


def test_the_part_holds_the_scar_and_room_around_it():
    scar = np.zeros((200, 200), bool)
    scar[90:93, 100:160] = True
    tile = around(scar)
    assert (tile.row, tile.height, tile.col, tile.width) == (30, 123, 40, 160)
    scar[:, :] = False
    scar[2, 2] = True
    assert around(scar) == Tile(0, 0, 3 + LEAST, 3 + LEAST)


def test_what_is_refused():
    ground = flat(60)
    outside = drawn(np.ones((60, 60), bool), ground, "EPSG:32611").translate(90_000).to_frame("geometry")
    with pytest.raises(FireError, match="no cell on"):
        scar_mask(outside, ground.grid)
    with pytest.raises(FireError, match="no perimeter"):
        calibrate_on(ground, AIR, ground.grid.lonlat(30, 30), [], seed=1)
    wet = flat(60, fuel=98)
    with pytest.raises(FireError, match="no two neighbouring cells"):
        calibrate_on(wet, AIR, wet.grid.lonlat(30, 30), [(drawn(np.ones((60, 60), bool), wet), None)], seed=1)
