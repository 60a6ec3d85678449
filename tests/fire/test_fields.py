"""The behaviour table and the compiled head against the point model: trees, crowns, winds and moisture by place."""

import numpy as np
import pytest

from fire.ground import flat, grid, patchy, sloping, wind
from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.behave import crown
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.flame import thomas_flame_length_m
from geolabel.fire.behave.fuel import fuel_models
from geolabel.fire.behave.point import Conditions, Options, Site, point_fire
from geolabel.fire.front.arrival import spread
from geolabel.fire.front.fields import NOWHERE, behaviour, fuel_fields
from geolabel.fire.front.heads import heads_of
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.field import WindField, Zones

PINES = Canopy(cover=0.6, height_m=15.0, base_height_m=1.5, bulk_density_kg_m3=0.12)
DENSE = Canopy(cover=0.5, height_m=15.0, base_height_m=1.0, bulk_density_kg_m3=0.2)
MODELS = ("rothermel", "cruz")


def random_places(n, *, seed):
    """(landscape of one row, site of the same places): every fuel, slopes, trees and none."""
    rng = np.random.default_rng(seed)
    fuel = rng.choice(list(fuel_models()), (1, n)).astype(np.int16)
    slope, aspect = (rng.uniform(0, most, (1, n)).astype(np.float32) for most in (40, 360))
    height = np.round(rng.uniform(4, 30, (1, n)), 1)
    canopy = Canopy(
        cover=np.round(rng.uniform(0, 1, (1, n)), 1),
        height_m=height,
        base_height_m=np.round(height * rng.uniform(0.02, 0.6, (1, n)), 1),
        bulk_density_kg_m3=rng.choice([0, 0.03, 0.05, 0.1, 0.2, 0.3], (1, n)),
        foliar_moisture=0.9,
    )
    ground = Landscape(grid(1, n), fuel, 0 * slope, slope, aspect, np.ones((1, n), bool), canopy=canopy)
    return ground, Site(fuel[0], slope[0], aspect[0], canopy.at(0))


def heads(ground, weather, period=0, **options):
    cells = np.arange(ground.grid.height * ground.grid.width)
    return heads_of(fuel_fields(ground, behaviour(ground, weather, **options)), cells, np.full(len(cells), period))


def bearing(head):
    return np.degrees(np.arctan2(head.east, head.north)) % 360


# ---------------------------------------------------------------------------------------------- the point model
@pytest.mark.parametrize("limit", [True, False])
def test_the_surface_head_is_that_of_the_point_model_under_trees_and_in_the_open(limit):
    ground, site = random_places(800, seed=1)
    air = wind(7.0, 200.0)
    truth = point_fire(site, Conditions(7.0, 200.0, air.moisture[:, 0]), Options(wind_limit=limit)).surface
    ours = heads(ground, air, wind_limit=limit)
    assert ours.rate_m_min == pytest.approx(truth.rate_m_min, rel=1e-5)
    assert ours.eccentricity == pytest.approx(truth.eccentricity, abs=1e-5)
    assert difference(bearing(ours), truth.bearing_deg).max() < 0.01
    assert not ours.kind.any()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("speed_m_s", [0.0, 3.0, 8.0, 15.0])
def test_the_crown_head_is_that_of_the_point_model(model, speed_m_s):
    ground, site = random_places(1500, seed=2)
    air = wind(speed_m_s, 200.0)
    truth = point_fire(site, Conditions(speed_m_s, 200.0, air.moisture[:, 0]), Options(crown=model))
    ours = heads(ground, air, crown=model)
    assert ours.kind.tolist() == truth.crown.kind.tolist()
    assert (np.bincount(ours.kind, minlength=4) > 100).sum() >= (2 if speed_m_s < 8 else 3)
    assert ours.rate_m_min == pytest.approx(truth.crown.rate_m_min, rel=1e-5)
    assert ours.crown_share == pytest.approx(truth.crown.crown_fraction_burned, abs=1e-4)
    assert ours.eccentricity == pytest.approx(truth.crown.eccentricity, abs=1e-5)
    assert difference(bearing(ours), truth.surface.bearing_deg)[truth.surface.eccentricity > 0.01].max() < 0.01


def test_the_models_own_error_stretches_the_rates_of_active_crown_fires_too():
    ground, _ = random_places(600, seed=3)
    air = wind(15.0, 200.0)
    one, more = heads(ground, air, crown="cruz"), heads(ground, air, crown="cruz", rate_factor=1.5)
    active = one.kind == crown.ACTIVE
    assert active.sum() > 100
    assert more.rate_m_min[active] == pytest.approx(1.5 * one.rate_m_min[active])
    assert (more.kind >= one.kind).all()  # a faster fire lights no fewer crowns
    assert (more.kind > one.kind).any()


# ---------------------------------------------------------------------------------------------- fires under trees
def wooded(size, canopy, *, slope_deg=10.0, fuel=165):
    ground = sloping((size, size), slope_deg=slope_deg, aspect_deg=180.0, fuel=fuel)
    return Landscape(
        ground.grid, ground.fuel, ground.elevation_m, ground.slope_deg, ground.aspect_deg, ground.known, canopy=canopy
    )


@pytest.mark.parametrize(
    ("speed_m_s", "kind", "canopy"),
    [
        (3.0, crown.SURFACE, Canopy(0.6, 15.0, 6.0, 0.05)),
        (12.0, crown.CONDITIONAL, Canopy(0.6, 25.0, 12.0, 0.2)),
        (6.0, crown.PASSIVE, PINES),
        (12.0, crown.ACTIVE, DENSE),
    ],
)
def test_a_fire_under_even_trees_is_the_point_models_at_its_head(speed_m_s, kind, canopy):
    air = wind(speed_m_s, 180.0)
    truth = point_fire(
        Site(165, 10.0, 180.0, canopy),
        Conditions(speed_m_s, 180.0, air.moisture[:, 0]),
        Options(crown="rothermel"),
    ).crown
    assert truth.kind[0] == kind
    hours = float(30.0 * 30 / np.cos(np.radians(10)) / truth.rate_m_min[0] / 60)
    fire = spread(wooded(81, canopy), air, (55, 40), hours, crown="rothermel")
    ahead = 30, 40  # straight up the slope and downwind
    assert fire.rate_m_min[ahead] == pytest.approx(truth.rate_m_min[0], rel=1e-3)
    assert fire.arrival_min[ahead] == pytest.approx(hours * 60 * 25 / 30, rel=0.01)
    assert fire.intensity_kw_m[ahead] == pytest.approx(truth.intensity_kw_m[0], rel=2e-3)
    assert fire.flame_m[ahead] == pytest.approx(truth.flame_m[0], rel=2e-3)
    assert fire.kind[ahead] == kind
    assert fire.kind[55, 40] == fire.kind[0, 0] == NOWHERE


def test_where_the_front_is_too_slow_no_crown_burns():
    """The rear of a crown fire backs under the trees: its intensity is that of the surface fuel alone."""
    ground, air = wooded(81, Canopy(0.5, 15.0, 2.0, 0.2), slope_deg=0.0), wind(12.0, 180.0)
    fire = spread(ground, air, (55, 40), 3.0, crown="rothermel")
    without = behaviour(ground, air).heat_per_area_kj_m2[0, 0]
    behind = 57, 40
    assert fire.kind[40, 40] == crown.ACTIVE
    assert fire.kind[behind] == crown.CONDITIONAL
    assert fire.intensity_kw_m[behind] == pytest.approx(without * fire.rate_m_min[behind] / 60, rel=1e-4)
    assert fire.intensity_kw_m[40, 40] > 1.5 * without * fire.rate_m_min[40, 40] / 60
    burning = fire.kind == crown.ACTIVE
    assert fire.flame_m[burning] == pytest.approx(thomas_flame_length_m(fire.intensity_kw_m[burning]), rel=1e-4)


def test_without_a_crown_model_trees_only_shelter():
    ground, air = wooded(61, PINES), wind(6.0, 180.0)
    fire = spread(ground, air, (50, 30), 1.0)
    assert fire.kind is None
    open_air = spread(wooded(61, None), air, (50, 30), 1.0)
    assert 0 < fire.area_ha < 0.6 * open_air.area_ha


@pytest.mark.parametrize("lost", [{"base_height_m": None}, {"bulk_density_kg_m3": None}])
def test_crown_fire_asks_for_base_height_and_bulk_density(lost):
    known = {"cover": 0.6, "height_m": 15.0, "base_height_m": 1.5, "bulk_density_kg_m3": 0.1} | lost
    with pytest.raises(FireError, match="no crown fire without canopy"):
        spread(wooded(21, Canopy(**known)), wind(), (10, 10), 1.0, crown="rothermel")
    with pytest.raises(FireError, match="no crown fire without canopy"):
        spread(wooded(21, None), wind(), (10, 10), 1.0, crown="cruz")
    with pytest.raises(FireError, match="unknown crown model"):
        spread(wooded(21, PINES), wind(), (10, 10), 1.0, crown="wagner")


def test_half_a_forest_burns_as_forest_and_as_open_ground():
    """Two half-planes: each side far from the border is as the whole."""
    cover = np.zeros((81, 81), np.float32)
    cover[:, 41:] = 0.7
    ground = wooded(81, Canopy(cover, 20.0 * (cover > 0)), slope_deg=0.0)
    east, west = (heads(wooded(1, one, slope_deg=0.0), wind(7.0)) for one in (Canopy(0.7, 20.0), None))
    both = heads(ground, wind(7.0)).rate_m_min.reshape(81, 81)
    assert both[:, 41:] == pytest.approx(east.rate_m_min[0])
    assert both[:, :41] == pytest.approx(west.rate_m_min[0])


# ---------------------------------------------------------------------------------------------- wind and moisture by place
def field(shape, ratio, turn_deg=0.0, periods=1):
    full = (periods, *shape)
    return WindField(np.full(full, ratio, np.float32), np.full(full, turn_deg, np.float32))


def same(a, b, **tolerance):
    for name in ("arrival_min", "rate_m_min", "intensity_kw_m", "flame_m"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), nan_ok=True, **tolerance)
    assert np.nanmax(difference(a.bearing_deg, b.bearing_deg)) < 0.1


@pytest.mark.parametrize("model", [None, *MODELS])
def test_twice_the_wind_everywhere_is_weather_of_twice_the_speed(model):
    ground = patchy(60, seed=4)
    ground = Landscape(
        ground.grid, ground.fuel, ground.elevation_m, ground.slope_deg, ground.aspect_deg, ground.known, canopy=PINES
    )
    start = ground.nearest_burnable(30, 30)
    slow, fast = wind(4.0, 230.0), wind(8.0, 230.0)
    ours = spread(ground, slow.changed(field=field((60, 60), 2.0)), start, 1.0, crown=model)
    truth = spread(ground, fast, start, 1.0, crown=model)
    same(ours, truth, rel=1e-4)
    assert (truth.kind is None) == (model is None)
    assert model is None or (ours.kind == truth.kind).mean() > 0.999


def test_a_turned_field_is_turned_weather_with_and_without_crowns():
    ground, air = wooded(60, PINES, slope_deg=15.0), wind(9.0, 230.0)
    for model in (None, "rothermel"):
        ours = spread(ground, air.changed(field=field((60, 60), 1.0, 90.0)), (30, 30), 0.7, crown=model)
        same(ours, spread(ground, wind(9.0, 320.0), (30, 30), 0.7, crown=model), rel=1e-4)


def test_a_field_of_two_halves_is_two_winds():
    shape = (40, 80)
    ratio, turn = np.ones((1, *shape), np.float32), np.zeros((1, *shape), np.float32)
    ratio[..., 40:], turn[..., 40:] = 1.7, -60.0
    ground = flat(*shape, fuel=122)
    ours = heads(ground, wind(5.0, 200.0).changed(field=WindField(ratio, turn)))
    rate, to = ours.rate_m_min.reshape(shape), bearing(ours).reshape(shape)
    for half, weather in ((np.s_[:, :40], wind(5.0, 200.0)), (np.s_[:, 40:], wind(8.5, 140.0))):
        truth = heads(ground, weather)
        assert rate[half] == pytest.approx(truth.rate_m_min[0], rel=1e-5)
        assert difference(to[half], bearing(truth)[0]).max() < 0.01


def test_a_field_has_its_own_wind_in_each_period():
    weather = wind(4.0, 180.0, hours=3.0).hourly(3)
    ratio = np.array([1.0, 0.0, 2.0], np.float32)[:, None, None] * np.ones((3, 5, 5), np.float32)
    weather = weather.changed(field=WindField(ratio, 0 * ratio))
    ground = flat(5, fuel=104)
    for period, speed_m_s in enumerate((4.0, 0.0, 8.0)):
        truth = heads(ground, wind(speed_m_s)).rate_m_min
        assert heads(ground, weather, period).rate_m_min == pytest.approx(truth, rel=1e-5)


def test_a_field_of_another_shape_is_refused():
    with pytest.raises(FireError, match="wind field of shape"):
        spread(flat(20), wind().changed(field=field((20, 21), 1.0)), (10, 10), 1.0)


@pytest.mark.parametrize("canopy", [None, Canopy(np.repeat([0.0, 0.8], 10)[:, None] * np.ones(20), 18.0, 2.0, 0.1)])
def test_moisture_by_zone_is_that_of_weather_with_it(canopy):
    """Zones left and right under trees above and below: four quarters, each as a landscape of its own."""
    dry, wet = wind(7.0), wind(7.0, m1=0.12, live_woody=1.4)
    of = np.zeros((20, 20), np.int16)
    of[:, 10:] = 1
    both = dry.changed(zones=Zones(of, np.stack([dry.moisture, wet.moisture])))
    ground = wooded(20, canopy)
    model = None if canopy is None else "cruz"
    ours = heads(ground, both, crown=model).rate_m_min.reshape(20, 20)
    for half, weather in ((np.s_[:, :10], dry), (np.s_[:, 10:], wet)):
        truth = heads(ground, weather, crown=model).rate_m_min.reshape(20, 20)
        assert ours[half] == pytest.approx(truth[half], rel=1e-6)
    assert ours[0, 0] > 1.2 * ours[0, -1]


def test_a_landscape_turned_with_its_trees_and_wind_burns_turned():
    """A quarter turn clockwise of everything: the fire turns along."""
    rng, n = np.random.default_rng(7), 50
    ground = patchy(n, seed=6)
    canopy = Canopy(rng.choice([0.0, 0.4, 0.7], (n, n)), 16.0, 1.0, 0.15)
    ratio, turn = (
        rng.uniform(0.6, 1.4, (1, n, n)).astype(np.float32),
        rng.uniform(-40, 40, (1, n, n)).astype(np.float32),
    )
    air = wind(9.0, 215.0).changed(field=WindField(ratio, turn))

    def turned(raster):
        return np.ascontiguousarray(np.rot90(raster, -1, (-2, -1)))

    known = np.ones((n, n), bool)
    one = Landscape(
        ground.grid, ground.fuel, 0 * ground.slope_deg, ground.slope_deg, ground.aspect_deg, known, canopy=canopy
    )
    other = Landscape(
        ground.grid,
        turned(ground.fuel),
        0 * ground.slope_deg,
        turned(ground.slope_deg),
        turned((ground.aspect_deg + 90) % 360),
        known,
        canopy=Canopy(turned(canopy.cover), 16.0, 1.0, 0.15),
    )
    there = wind(9.0, 305.0).changed(field=WindField(turned(ratio), turned(turn)))
    row, col = one.nearest_burnable(25, 25)
    a = spread(one, air, (row, col), 2.0, crown="rothermel")
    b = spread(other, there, (col, n - 1 - row), 2.0, crown="rothermel")
    assert a.burned.sum() > 300
    both = a.burned & np.rot90(b.burned)
    assert both.sum() > 0.99 * (a.burned | np.rot90(b.burned)).sum()
    assert np.rot90(b.arrival_min)[both] == pytest.approx(a.arrival_min[both], rel=1e-3)
    assert (np.rot90(b.kind) == a.kind)[both].mean() > 0.99


# ---------------------------------------------------------------------------------------------- ensemble members
def test_another_fuel_on_the_same_terrain_is_a_landscape_made_anew():
    ground = patchy(40, seed=5)
    canopy = Canopy(np.round(np.random.default_rng(1).random((40, 40)), 1), 12.0, 1.0, 0.1)
    ground = Landscape(
        ground.grid, ground.fuel, ground.elevation_m, ground.slope_deg, ground.aspect_deg, ground.known, canopy=canopy
    )
    _ = ground.burnable, ground.fuels_present, ground.has_burnable_neighbour(), ground.digest
    drawn = np.where(ground.fuel == 145, 98, np.where(ground.fuel == 99, 101, ground.fuel)).astype(np.int16)
    quick = ground.with_fuel(drawn)
    anew = Landscape(
        ground.grid, drawn, ground.elevation_m, ground.slope_deg, ground.aspect_deg, ground.known, canopy=canopy
    )
    assert quick.digest == anew.digest != ground.digest
    assert np.array_equal(quick.burnable, anew.burnable)
    assert np.array_equal(quick.has_burnable_neighbour(), anew.has_burnable_neighbour())
    assert quick.fuels_present == anew.fuels_present
    one, other = (behaviour(this, wind(), crown="cruz") for this in (quick, anew))
    assert np.array_equal(one.table, other.table)
    assert np.array_equal(one.of, other.of)
    assert quick.rise[0] is ground.rise[0]
    with pytest.raises(FireError, match="110"):
        ground.with_fuel(np.full((40, 40), 110))
    with pytest.raises(FireError, match="fuel of shape"):
        ground.with_fuel(drawn[:5])
