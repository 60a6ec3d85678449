"""The front against closed forms: what first arrival on simple fields must be."""

import numpy as np
import pytest
import shapely
from scipy.optimize import minimize_scalar

from fire.ground import flat, grid, patchy, sloping, wind
from geolabel.bearings import difference
from geolabel.errors import FireError
from geolabel.fire.behave.rothermel import head_fire, surface_fuel
from geolabel.fire.front.arrival import first_arrival, spread
from geolabel.fire.front.solver import Solver
from geolabel.fire.landscape import Landscape

RES = 10.0
RATE = 5.0


def uniform(shape, *, rate=RATE, head=0.0, ecc=0.0):
    return np.full(shape, rate), np.full(shape, head), np.full(shape, ecc)


def offsets(shape, start):
    """Metres east and north of the start of every cell's centre."""
    rows, cols = np.indices(shape)
    return (cols - start[1]) * RES, (start[0] - rows) * RES


def exact(shape, start, *, rate=RATE, head=0.0, ecc=0.0):
    east, north = offsets(shape, start)
    return (np.hypot(east, north) - ecc * (east * np.sin(head) + north * np.cos(head))) / (rate * (1 - ecc))


@pytest.mark.parametrize("head", [0.0, 0.65, np.pi / 4, 4.0])
@pytest.mark.parametrize(("ecc", "area"), [(0.0, 0.003), (0.5, 0.003), (0.7, 0.003), (0.9, 0.01)])
def test_uniform_ellipse(ecc, area, head):
    shape, start = (161, 161), (80, 80)
    truth = exact(shape, start, head=head, ecc=ecc)
    minutes = np.concatenate([truth[0], truth[-1], truth[:, 0], truth[:, -1]]).min()
    ours, _, _ = first_arrival(*uniform(shape, head=head, ecc=ecc), start, minutes, res_m=RES)
    assert np.isfinite(ours).sum() == pytest.approx((truth <= minutes).sum(), rel=area)
    ahead = np.abs(difference(np.degrees(np.arctan2(*offsets(shape, start))), np.degrees(head))) < 3
    reached = np.isfinite(ours) & ahead & (truth > 0.2 * minutes)
    assert (ours[reached] / truth[reached]).mean() == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("ecc", [0.0, 0.8])
def test_normal_and_rate_on_the_ellipse(ecc):
    """The gradient of the exact arrival gives the front's normal, and its inverse length the rate."""
    shape, start, head = (81, 81), (40, 40), 0.9
    _, normal, rate = first_arrival(*uniform(shape, head=head, ecc=ecc), start, 400, res_m=RES)
    east, north = offsets(shape, start)
    away = np.hypot(east, north)
    away[start] = np.nan
    slow = 1 / (RATE * (1 - ecc))
    px, py = slow * (east / away - ecc * np.sin(head)), slow * (north / away - ecc * np.cos(head))
    seen = np.isfinite(normal) & (away > 100)
    assert difference(np.degrees(normal), np.degrees(np.arctan2(px, py)))[seen].max() < 3
    assert np.abs(rate * np.hypot(px, py) - 1)[seen].max() < 0.06
    assert np.isnan(normal[start])


def test_a_backing_and_a_heading_rate():
    _, _, rate = first_arrival(*uniform((61, 61), ecc=0.6), (30, 30), 300, res_m=RES)
    assert rate[10, 30] == pytest.approx(RATE, rel=1e-3)
    assert rate[35, 30] == pytest.approx(RATE * 0.4 / 1.6, rel=1e-3)


def two_speeds(shape, boundary, *, fast, slow):
    rate = np.full(shape, slow)
    rate[:boundary] = fast
    return rate, np.zeros(shape), np.zeros(shape)


def test_head_wave_and_snell_beside_a_fast_strip():
    """From a start in slow fuel: straight, or through the fast fuel and back, whichever is first (Fermat)."""
    shape, boundary, fast, slow = (60, 120), 30, 20.0, 5.0
    start = (40, 10)
    ours, _, _ = first_arrival(*two_speeds(shape, boundary, fast=fast, slow=slow), start, 300, res_m=RES)
    depth = (start[0] + 0.5 - boundary) * RES
    for row, col in ((45, 60), (35, 90), (50, 110), (31, 40)):
        x, z = abs(col - start[1]) * RES, (row + 0.5 - boundary) * RES
        direct = np.hypot(x, z - depth) / slow
        wave = x / fast + (depth + z) * np.sqrt(1 / slow**2 - 1 / fast**2)
        assert ours[row, col] == pytest.approx(min(direct, wave), rel=0.005)

    def refracted(s, x, z):
        return np.hypot(s, depth) / slow + np.hypot(x - s, z) / fast

    for row, col in ((10, 60), (25, 30), (5, 110)):
        x, z = abs(col - start[1]) * RES, (boundary - row - 0.5) * RES
        through = minimize_scalar(refracted, bounds=(0, x), args=(x, z), method="bounded")
        assert ours[row, col] == pytest.approx(through.fun, rel=0.005)


def around(start, target, walls):
    """Length of the shortest path in the plane that enters no wall (rectangles): visibility graph."""
    solid = shapely.union_all(walls).buffer(-1e-6)
    corners = [point for wall in walls for point in wall.exterior.coords[:-1]]
    points = [start, target, *corners]
    length = np.full((len(points), len(points)), np.inf)
    for i, a in enumerate(points):
        for j, b in enumerate(points[:i]):
            if not shapely.LineString([a, b]).intersects(solid):
                length[i, j] = length[j, i] = np.hypot(a[0] - b[0], a[1] - b[1])
    for k in range(len(points)):
        length = np.minimum(length, length[:, [k]] + length[[k]])
    return length[0, 1]


def test_wall_with_a_gap():
    shape, start, row, gap = (41, 61), (30, 10), 20, 40
    rate, head, ecc = uniform(shape)
    rate[row] = 0
    rate[row, gap] = RATE
    ours, _, _ = first_arrival(rate, head, ecc, start, 1e3, res_m=RES)
    walls = [shapely.box(-99, row, gap, row + 1), shapely.box(gap + 1, row, 199, row + 1)]
    centre = (start[1] + 0.5, start[0] + 0.5)
    for r, c in ((5, 10), (10, 40), (18, 58), (0, 0), (25, 45)):
        far = around(centre, (c + 0.5, r + 0.5), walls) * RES / RATE
        assert ours[r, c] == pytest.approx(far, rel=0.005)


@pytest.mark.parametrize("setting", ["accurate", "fast"])
def test_no_leak_between_two_diagonal_cells(setting):
    size = 21
    rate, head, ecc = uniform((size, size))
    rate[np.arange(size), np.arange(size)] = 0
    ours, _, _ = first_arrival(rate, head, ecc, (15, 3), 1e4, res_m=RES, setting=setting)
    below = np.tril(np.ones((size, size), bool), -1)
    assert (np.isfinite(ours) == below).all()


@pytest.mark.parametrize("setting", ["accurate", "fast"])
def test_a_diagonal_corridor_is_closed_and_a_staircase_open(setting):
    size = 15
    rate, head, ecc = uniform((size, size), rate=0.0)
    steps = np.arange(size)
    rate[steps, steps] = RATE
    ours, _, _ = first_arrival(rate, head, ecc, (0, 0), 1e4, res_m=RES, setting=setting)
    assert np.isfinite(ours).sum() == 1
    rate[steps[1:], steps[:-1]] = RATE
    ours, _, _ = first_arrival(rate, head, ecc, (0, 0), 1e4, res_m=RES, setting=setting)
    assert np.isfinite(ours).sum() == 2 * size - 1
    straight = np.hypot(size - 1, size - 1) * RES / RATE  # corner to corner, past corners whose side cells burn
    assert ours[-1, -1] == pytest.approx(straight, rel=0.005 if setting == "accurate" else 0.05)


@pytest.mark.parametrize("aspect", [180.0, 45.0])
def test_distance_is_along_the_slope(aspect):
    """Rate is along the slope: a circle on a plane of 35 degrees is an ellipse on the map, of area pi (R t)^2 cos."""
    shape, start, slope, minutes = (121, 121), (60, 60), np.tan(np.radians(35)), 110
    even = np.ones(shape)
    ours, _, rate = first_arrival(
        *uniform(shape), start, minutes, res_m=RES, slope=slope * even, aspect_rad=np.radians(aspect) * even
    )
    area = np.isfinite(ours).sum() * RES**2
    assert area == pytest.approx(np.pi * (RATE * minutes) ** 2 * np.cos(np.radians(35)), rel=0.005)
    assert np.nanmax(np.abs(rate / RATE - 1)) < 0.02


def test_speed_that_changes_with_time():
    """A front at R1 for an hour, then at none, then at R2, is at R1 * 60 + R2 * (t - 120)."""
    shape, start = (81, 81), (40, 40)
    rate = np.stack([np.full(shape, r) for r in (2.0, 0.0, 4.0)])
    ours, _, _ = first_arrival(rate, 0 * rate, 0 * rate, start, 220, res_m=RES, starts_min=(0.0, 60.0, 120.0))
    far = np.hypot(*offsets(shape, start))
    truth = np.where(far <= 120, far / 2, 120 + (far - 120) / 4)
    seen = np.isfinite(ours) & (far > 0)
    assert np.abs(ours - truth)[seen].max() < 0.4
    assert not ((ours > 60.5) & (ours < 119.5)).any()
    assert seen.sum() == pytest.approx((truth <= 220).sum(), rel=0.005)


def test_a_cell_may_burn_over_many_periods():
    """A front whose rate is drawn anew every 5 min takes some twenty of them for a cell, and covers the sum of its ways."""
    shape, start, rng = (31, 31), (15, 15), np.random.default_rng(4)
    starts = np.arange(0.0, 1500.0, 5.0)
    speed = rng.uniform(0.02, 0.25, len(starts))
    rate = np.repeat(speed, shape[0] * shape[1]).reshape(-1, *shape)
    way = np.concatenate([[0.0], np.cumsum(speed * 5.0)])
    ours, _, _ = first_arrival(rate, 0 * rate, 0 * rate, start, 1000, res_m=RES, starts_min=starts.tolist())
    far = np.hypot(*offsets(shape, start))
    truth = np.interp(far, way, np.append(starts, 1500.0))
    seen = np.isfinite(ours) & (far > 0)
    assert seen.sum() > 300
    assert np.abs(ours - truth)[seen].max() < 0.03 * 1000


def test_a_perimeter_spreads_from_its_edge():
    shape = (40, 40)
    mask = np.zeros(shape, bool)
    mask[10:14, 8:20] = True
    ours, normal, _ = first_arrival(*uniform(shape), mask, 100, res_m=RES)
    assert (ours[mask] == 0).all()
    assert np.isnan(normal[mask]).all()
    area = shapely.box(8, 10, 20, 14)
    for row, col in ((30, 12), (5, 30), (12, 35), (0, 0)):
        assert ours[row, col] == pytest.approx(
            area.distance(shapely.Point(col + 0.5, row + 0.5)) * RES / RATE, rel=0.01
        )


def test_several_ignitions_are_the_first_of_each():
    ground, air = patchy(40, seed=3), wind(4.0, 250.0, hours=6)
    cells = [ground.nearest_burnable(10, 10), ground.nearest_burnable(30, 25)]
    alone = [spread(ground, air, cell, 6).arrival_min for cell in cells]
    assert spread(ground, air, cells, 6).arrival_min == pytest.approx(np.minimum(*alone), abs=0.05)


def test_a_solver_leaves_nothing_behind():
    ground, air = patchy(40, seed=4), wind(hours=3)
    solver = Solver(ground.grid.shape, ground.grid.res_m)
    cells = [ground.nearest_burnable(*at) for at in ((5, 5), (30, 30), (5, 5))]
    first, _, again = (spread(ground, air, cell, 3, solver=solver) for cell in cells)
    assert np.array_equal(first.arrival_min, again.arrival_min)
    assert np.array_equal(first.arrival_min, spread(ground, air, cells[0], 3).arrival_min)


# ------------------------------------------------------------------ from fuel and weather
def downwind(fire, start):
    """Direction on the grid from the start to the centre of the burned cells, none of them at the grid's edge."""
    edge = np.ones(fire.grid.shape, bool)
    edge[1:-1, 1:-1] = False
    assert not fire.burned[edge].any()
    rows, cols = np.nonzero(fire.burned)
    return np.degrees(np.arctan2(cols.mean() - start[1], start[0] - rows.mean()))


@pytest.mark.parametrize(("from_deg", "to"), [(180.0, 0.0), (270.0, 90.0), (225.0, 45.0), (0.0, 180.0)])
def test_wind_from_fire_to(from_deg, to):
    fire = spread(flat(121), wind(5.0, from_deg), (60, 60), 2)
    assert difference(downwind(fire, (60, 60)), to) < 0.5
    head = np.nanmax(fire.rate_m_min)
    assert difference(fire.bearing_deg[fire.rate_m_min > 0.999 * head], to).max() < 4


def test_true_north_is_not_grid_north():
    """At the edge of a UTM zone wind from true south drives the fire to true north, off the grid's columns."""
    at = Landscape.flat(grid(161, easting=743_000), 102)
    turn = at.grid.convergence_deg()
    assert abs(turn) > 1.4
    fire = spread(at, wind(5.0, 180.0), (140, 80), 3.0)
    assert downwind(fire, (140, 80)) == pytest.approx(-turn, abs=0.2)
    head = fire.rate_m_min > 0.9999 * np.nanmax(fire.rate_m_min)
    assert np.min(difference(fire.bearing_deg[head], 0.0)) < 0.3


@pytest.mark.parametrize(
    ("slope_deg", "aspect_deg", "from_deg"), [(0.0, np.nan, 180.0), (20.0, 180.0, 180.0), (25.0, 90.0, 200.0)]
)
def test_the_head_moves_as_the_point_model_says(slope_deg, aspect_deg, from_deg):
    from geolabel.bearings import convert_speed, wind_20ft_from_10m
    from geolabel.fire.behave.fuel import beds
    from geolabel.fire.behave.midflame import unsheltered_adjustment

    air = wind(6.0, from_deg)
    ground = sloping((121, 121), slope_deg=slope_deg, aspect_deg=aspect_deg, fuel=104)
    bed = beds([104])
    midflame = convert_speed(wind_20ft_from_10m(6.0), "m/s", "m/min") * unsheltered_adjustment(bed.depth_ft)
    head = head_fire(surface_fuel(bed, air.moisture), midflame, from_deg, np.tan(np.radians(slope_deg)), aspect_deg)
    fire = spread(ground, air, (60, 60), 1.0)
    assert np.nanmax(fire.rate_m_min) == pytest.approx(head.rate_m_min[0], rel=0.01)
    fastest = np.unravel_index(np.nanargmax(fire.rate_m_min), fire.rate_m_min.shape)
    assert difference(fire.bearing_deg[fastest], head.bearing_deg[0]) < 4
    assert np.nanmax(fire.flame_m) == pytest.approx(head.flame_m[0], rel=0.01)
    assert np.nanmax(fire.intensity_kw_m) == pytest.approx(head.intensity_kw_m[0], rel=0.01)


def test_constant_weather_by_the_hour_is_constant_weather():
    ground, air = patchy(60, seed=5), wind(5.0, 300.0, hours=8)
    start = ground.nearest_burnable(30, 30)
    whole, hourly = (spread(ground, w, start, 8).arrival_min for w in (air, air.hourly(8)))
    assert hourly == pytest.approx(whole, abs=0.02)


def test_rates_scale_times():
    ground, air = patchy(50, seed=6), wind(5.0, 100.0, hours=8)
    start = ground.nearest_burnable(25, 25)
    slow, fast = (spread(ground, air, start, h, rate_factor=f).arrival_min for h, f in ((8, 1.0), (4, 2.0)))
    assert (np.isfinite(slow) == np.isfinite(fast)).all()
    assert 2 * fast[np.isfinite(fast)] == pytest.approx(slow[np.isfinite(slow)], abs=0.1)


def test_fuel_too_wet_to_burn_stays():
    fire = spread(flat(21), wind(m1=0.4, m10=0.4, m100=0.4, live_herb=2.0), (10, 10), 12)
    assert fire.burned.sum() == 1


# ------------------------------------------------------------------ what is refused
def test_an_ignition_on_water():
    fuel = np.full((9, 9), 102, np.int16)
    fuel[4, 4] = 98
    with pytest.raises(FireError) as error:
        spread(flat(9, fuel=fuel), wind(), (4, 4), 1)
    assert "nearest burnable cell: row" in error.value.hint


def test_weather_that_ends_before_the_forecast():
    with pytest.raises(FireError, match="asks for 30 h"):
        spread(flat(9), wind(hours=24), (4, 4), 30)


def test_fields_that_cannot_be():
    with pytest.raises(FireError, match="eccentricity"):
        first_arrival(*uniform((5, 5), ecc=1.0), (2, 2), 10, res_m=RES)
    with pytest.raises(FireError, match="shapes"):
        first_arrival(np.ones((5, 5)), np.ones((4, 5)), np.zeros((5, 5)), (2, 2), 10, res_m=RES)
    with pytest.raises(FireError, match="outside"):
        first_arrival(*uniform((5, 5)), (5, 2), 10, res_m=RES)
    with pytest.raises(FireError, match="no cell of the burning area"):
        first_arrival(*uniform((5, 5)), np.zeros((5, 5), bool), 10, res_m=RES)
    with pytest.raises(FireError, match="setting"):
        first_arrival(*uniform((5, 5)), (2, 2), 10, res_m=RES, setting="exact")
