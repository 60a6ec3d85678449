"""Landscapes: what is refused, and where a fire may start."""

import numpy as np
import pytest
from affine import Affine

from fire.ground import flat, grid
from geolabel.errors import CRSError, FireError
from geolabel.fire import stands
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.landscape import Landscape, fuel_from_terrain
from geolabel.grid import Grid
from geolabel.ontology import WILDFIRE

SHAPE = (4, 5)
LEVEL = np.zeros(SHAPE, np.float32)
ALL = np.ones(SHAPE, bool)
GRASS = np.full(SHAPE, 102, np.int16)


def make(*, on=None, fuel=GRASS, slope=LEVEL, aspect=LEVEL, known=ALL, canopy=None):
    return Landscape(on or grid(*SHAPE), fuel, LEVEL, slope, aspect, known, canopy=canopy)


def test_degrees_are_refused():
    with pytest.raises(CRSError, match="metres"):
        make(on=Grid.of("EPSG:4326", Affine(0.001, 0, -118, 0, -0.001, 34), SHAPE))


def test_slope_in_percent_is_noticed():
    with pytest.raises(FireError) as error:
        make(slope=np.full(SHAPE, 120.0, np.float32))
    assert "120" in error.value.message
    assert "percent" in error.value.hint


def test_an_aspect_of_minus_one_is_refused():
    with pytest.raises(FireError, match="an aspect in degrees of -1"):
        make(aspect=np.full(SHAPE, -1.0, np.float32))


def test_unknown_fuel_is_refused_on_known_ground_only():
    odd = GRASS.copy()
    odd[0, 0] = 110
    with pytest.raises(FireError, match="110"):
        make(fuel=odd)
    known = ALL.copy()
    known[0, 0] = False
    assert not make(fuel=odd, known=known).burnable[0, 0]


def test_known_ground_without_slope_is_refused():
    with pytest.raises(FireError, match="no slope"):
        make(slope=np.full(SHAPE, np.nan, np.float32))


def test_rasters_must_fit():
    with pytest.raises(FireError, match="fuel of shape"):
        make(fuel=GRASS[:2])


def test_rise_points_uphill():
    steep = np.full(SHAPE, 45.0, np.float32)
    east, north = make(slope=steep, aspect=np.full(SHAPE, 180.0, np.float32)).rise  # faces south, rises to the north
    assert east == pytest.approx(0 * steep, abs=1e-6)
    assert north == pytest.approx(steep / 45)
    nowhere = make(slope=steep, aspect=np.full(SHAPE, np.nan, np.float32)).rise
    assert not np.any(nowhere)


def test_ignition_on_water_names_the_nearest_burnable_cell():
    fuel = np.full((7, 9), 98, np.int16)
    fuel[2, 6:8] = 102
    ground = flat(7, 9, fuel=fuel)
    assert ground.nearest_burnable(2, 1) == (2, 6)
    with pytest.raises(FireError) as error:
        ground.check_ignition(2, 1)
    assert "98 (Open water)" in error.value.message
    assert "row 2, col 6" in error.value.hint
    assert "150 m away" in error.value.hint


def test_an_island_of_one_cell_is_no_place_to_start():
    fuel = np.full((5, 5), 98, np.int16)
    fuel[1, 1] = 102
    fuel[2, 2] = fuel[2, 3] = 102  # diagonal to it: no neighbour
    ground = flat(5, 5, fuel=fuel)
    with pytest.raises(FireError, match="no burnable neighbour"):
        ground.check_ignition(1, 1)
    assert ground.nearest_burnable(1, 1) == (2, 2)
    with pytest.raises(FireError, match="outside"):
        ground.check_ignition(5, 0)


def test_nothing_burns():
    with pytest.raises(FireError, match="no two neighbouring"):
        flat(3, 3, fuel=99).nearest_burnable(0, 0)


def test_the_most_probable_fuel_of_each_class():
    fuels = {c.code: c.fuels for c in WILDFIRE.of_kind("terrain")}
    codes = np.array([[WILDFIRE[name].code for name in ("water", "grass", "shrub", "forest")] + [0, 255]], np.uint8)
    assert fuel_from_terrain(codes, fuels).tolist() == [[98, 102, 145, 165, 99, 99]]


def test_a_sampled_fuel_is_one_a_class_and_follows_the_probabilities():
    codes = np.full((3, 3), 4, np.uint8)
    rng = np.random.default_rng(7)
    drawn = [fuel_from_terrain(codes, {4: {102: 0.5, 104: 0.3, 121: 0.2}}, rng) for _ in range(600)]
    assert all(len(np.unique(one)) == 1 for one in drawn)
    share = np.mean([one[0, 0] == 104 for one in drawn])
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 600)


# ---------------------------------------------------------------------------------------------- trees
def test_canopy_must_fit_and_be_known_where_the_ground_is():
    with pytest.raises(FireError, match="canopy height_m of shape"):
        make(canopy=Canopy(0.5, np.full((2, 2), 10.0)))
    lost = np.full(SHAPE, 0.5)
    lost[1, 2] = np.nan
    with pytest.raises(FireError, match="1 known cells have no canopy cover"):
        make(canopy=Canopy(lost, 10.0))
    known = ALL.copy()
    known[1, 2] = False
    assert make(canopy=Canopy(lost, 10.0), known=known).canopy is not None


def test_canopy_as_it_lies_in_landfires_files_is_noticed():
    for wrong, hint in (({"cover": 65}, "0.6"), ({"height_m": 210}, "m x 10"), ({"bulk_density_kg_m3": 11}, "x 100")):
        with pytest.raises(FireError) as error:
            make(canopy=Canopy(**({"cover": 0.5, "height_m": 12.0} | {k: np.full(SHAPE, v) for k, v in wrong.items()})))
        assert hint in error.value.hint


def test_trees_are_part_of_what_a_landscape_is():
    few, more = Canopy(np.full(SHAPE, 0.3), 10.0), Canopy(np.full(SHAPE, 0.4), 10.0)
    assert len({make().digest, make(canopy=few).digest, make(canopy=more).digest}) == 3
    assert make(canopy=few).digest == make(canopy=Canopy(np.full(SHAPE, 0.3), 10.0)).digest


def test_few_canopies_count_as_they_are_and_many_are_rounded(monkeypatch):
    rng = np.random.default_rng(3)
    known = rng.random((30, 30)) < 0.9
    cover, height = rng.choice([0.15, 0.25, 0.35], (30, 30)), rng.choice([3.0, 7.1], (30, 30))
    few = stands.stands_of(Canopy(cover, height), known)
    assert few.n == 6
    assert few.canopy.cover[few.of.reshape(30, 30)][known].tolist() == cover[known].tolist()
    assert few.canopy.height_m[few.of.reshape(30, 30)][known].tolist() == height[known].tolist()
    monkeypatch.setattr(stands, "MOST_STANDS", 50)
    rough = rng.random((30, 30))
    many = stands.stands_of(Canopy(rough, height), known)
    assert 2 < many.n <= 50
    off = np.abs(many.canopy.cover[many.of.reshape(30, 30)] - rough)[known]
    assert 0 < off.max() < 2 / many.n * 2
    assert many.canopy.height_m[many.of.reshape(30, 30)][known].tolist() == height[known].tolist()
