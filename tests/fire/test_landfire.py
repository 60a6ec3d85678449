"""LANDFIRE's numbers: units, no data, and slope and aspect that do not go with the heights."""

import numpy as np
import pytest

from fire.ground import grid
from geolabel.errors import FireError
from geolabel.fire.landfire import (
    Terrain,
    aspect_turn_deg,
    check_aspect,
    check_slope,
    landscape_of,
    slope_ratio,
    units_of,
)

SHAPE = (40, 50)


@pytest.fixture
def terrain():
    """A cone: every aspect, slopes of 10 to 30 degrees."""
    rows, cols = np.indices(SHAPE)
    east, south = cols - 25.3, rows - 19.7
    slope = 10 + 20 * np.hypot(east, south) / np.hypot(25, 20)
    return Terrain(
        np.full(SHAPE, 500, np.float32),
        slope.astype(np.float32),
        (np.degrees(np.arctan2(east, -south)) % 360).astype(np.float32),
    )


def layers(**changes):
    even = np.ones(SHAPE, np.float32)
    return {"cc": 60 * even, "ch": 150 * even, "cbh": 10 * even, "cbd": 12 * even, **changes}


def test_units_become_metres_and_fractions(terrain):
    ground = landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 165.0), layers())
    canopy = ground.canopy
    assert canopy.cover[0, 0] == pytest.approx(0.6)
    assert canopy.height_m[0, 0] == pytest.approx(15.0)
    assert canopy.base_height_m[0, 0] == pytest.approx(1.0)
    assert canopy.bulk_density_kg_m3[0, 0] == pytest.approx(0.12)
    assert ground.source == "LANDFIRE; cc in percent; ch in m x 10; cbh in m x 10; cbd in kg/m3 x 100"


def test_numbers_in_plain_units_are_known_by_themselves(terrain):
    plain = {name: layer / scale for (name, layer), scale in zip(layers().items(), (100, 8, 8, 100), strict=True)}
    ground = landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 165.0), plain)
    assert ground.canopy.cover[0, 0] == pytest.approx(0.6)
    assert ground.canopy.height_m[0, 0] == pytest.approx(150 / 8)
    assert ground.canopy.base_height_m[0, 0] == pytest.approx(10 / 8)
    assert ground.canopy.bulk_density_kg_m3[0, 0] == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("name", "numbers", "stated", "value"),
    [("ch", [0, 30, 20], "m", 30.0), ("ch", [0, 30, 20], "m x 10", 3.0), ("cc", [0, 1], "percent", 0.01)],
)
def test_numbers_that_could_be_two_units_are_asked_about(terrain, name, numbers, stated, value):
    fuel, odd = np.full(SHAPE, 165.0), np.resize(numbers, SHAPE)
    rest = {k: v for k, v in layers(**{name: odd}).items() if k in ("cc", "ch")}
    with pytest.raises(FireError, match="may be in") as error:
        landscape_of(grid(*SHAPE), terrain, fuel, rest)
    assert f"units={{'{name}'" in error.value.hint
    canopy = landscape_of(grid(*SHAPE), terrain, fuel, rest, {name: stated}).canopy
    assert {"ch": canopy.height_m, "cc": canopy.cover}[name].max() == pytest.approx(value)


def test_units_of_nothing_and_of_no_layer():
    assert units_of({"cbd": np.zeros(3), "ch": np.zeros(3)}) == {"ch": "m x 10", "cbd": "kg/m3 x 100"}
    assert units_of({"cbd": np.array([0, 1.0])}) == {"cbd": "kg/m3 x 100"}  # 1 kg/m3 is no stand
    with pytest.raises(FireError, match="unknown layer 'cbx'"):
        units_of({"cbx": np.zeros(3)})
    with pytest.raises(FireError, match="unknown unit 'feet'"):
        units_of({"ch": np.zeros(3)}, {"ch": "feet"})


def test_what_any_layer_does_not_know_is_not_known(terrain):
    fuel, cover = np.full(SHAPE, 165.0), np.full(SHAPE, 60.0)
    fuel[3, 4], cover[5, 6] = np.nan, np.nan
    ground = landscape_of(grid(*SHAPE), terrain, fuel, layers(cc=cover))
    assert not ground.known[3, 4]
    assert not ground.known[5, 6]
    assert ground.known.sum() == ground.known.size - 2


def test_crowns_that_begin_at_the_tops_can_still_burn(terrain):
    ground = landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 165.0), layers(cbh=np.full(SHAPE, 150.0)))
    base, density = ground.canopy.crown_fuel()
    assert (base < 15).all()
    assert (density > 0).all()


def test_without_cover_and_height_there_is_no_canopy(terrain):
    assert landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 102.0), {"cbh": np.ones(SHAPE)}).canopy is None


@pytest.mark.parametrize("turn", [-16.0, 0.0, 3.0, 14.0, 180.0])
def test_a_turned_aspect_is_found(terrain, turn):
    given = (terrain.aspect_deg + turn) % 360
    assert abs(aspect_turn_deg(given, terrain)) == pytest.approx(abs(turn), abs=0.01)
    if abs(turn) <= 5:
        check_aspect(given, terrain)
        return
    with pytest.raises(FireError, match=f"turned by -?{abs(turn):.0f} degrees") as error:
        check_aspect(given, terrain)
    assert ("upslope" in error.value.hint) == (turn == 180)


def test_flat_ground_marked_minus_one_says_nothing_of_the_turn(terrain):
    given = terrain.aspect_deg.copy()
    given[::2] = -1
    check_aspect(given, terrain)


def test_an_aspect_of_other_ground(terrain):
    with pytest.raises(FireError, match="does not follow the heights"):
        check_aspect(np.random.default_rng(0).uniform(0, 360, SHAPE), terrain)


def test_percent_is_not_degrees(terrain):
    check_slope(np.round(terrain.slope_deg), terrain)
    percent = 100 * np.tan(np.radians(terrain.slope_deg))
    assert slope_ratio(percent, terrain) == pytest.approx(1.85, abs=0.1)
    with pytest.raises(FireError) as error:
        check_slope(percent, terrain)
    assert "percent" in error.value.hint
    with pytest.raises(FireError, match="times as steep"):
        check_slope(percent / 100, terrain)


def test_bad_numbers_are_named(terrain):
    with pytest.raises(FireError, match="do not exist"):
        landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 110.0), {})
    with pytest.raises(FireError, match="canopy cover"):
        landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, 165.0), layers(cc=np.full(SHAPE, 6000.0)))
    with pytest.raises(FireError, match="no cell"):
        landscape_of(grid(*SHAPE), terrain, np.full(SHAPE, np.nan), {})
