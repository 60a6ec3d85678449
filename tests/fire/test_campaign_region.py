"""Campaigns over a region: what is counted, in which class and direction, and when fires come to communities."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fire.ground import flat, grid, patchy, sloping, wind
from geolabel.bearings import FT, SECTORS
from geolabel.errors import CRSError, FireError
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.campaign.campaign import burn_probability, campaign, random_fires
from geolabel.fire.campaign.communities import Communities
from geolabel.fire.campaign.sums import FLAME_M, Account, Sums
from geolabel.fire.campaign.uncertainty import Uncertainty
from geolabel.fire.front.solver import Reached
from geolabel.fire.landscape import fuel_from_terrain
from geolabel.tables import REACHED, ROSE

HOURS = (0.5, 1.0, 2.0)
SURE = Uncertainty(speed_share=0, direction_deg=0, log_rate=0, log_moisture=0)


@pytest.fixture(scope="module")
def ground():
    return patchy(48, seed=11)


def squares(where, *cells, size_m=90.0):
    shapes = [shapely.Point(*where.xy(*cell)).buffer(size_m / 2, cap_style="square") for cell in cells]
    names = [f"village {i}" for i in range(len(cells))]
    return gpd.GeoDataFrame({"name": names}, geometry=shapes, crs=where.crs.proj)


@pytest.fixture(scope="module")
def region(ground):
    return burn_probability(
        ground,
        wind(5.0, 200.0),
        None,
        HOURS,
        fires=60,
        seed=3,
        communities=squares(ground.grid, (10, 12), (30, 33)).to_crs(4326),
        sectors=16,
    )


# ---------------------------------------------------------------------------------------------- one fire by hand
def test_one_fire_counts_as_the_rasters_of_the_same_fire_say(ground):
    """Two members without uncertainty: every count is 0 or 2, and as `spread` has it."""
    start = ground.nearest_burnable(24, 24)
    both = campaign(ground, wind(5.0, 200.0), start, HOURS, members=2, seed=1, unsure=SURE, sectors=16)
    (fire,) = random_fires(ground, wind(5.0, 200.0), [start], HOURS[-1], seed=1, unsure=SURE)
    assert np.array_equal(both.size_ha, [fire.area_ha] * 2)
    moving = np.isfinite(fire.bearing_deg)
    flame_class = np.digitize(np.where(moving, fire.flame_m, 0), FLAME_M)
    sector = np.where(moving, np.floor(fire.bearing_deg / 22.5 + 0.5) % 16, -1)
    edge = moving & (np.abs((fire.bearing_deg / 22.5 + 0.5) % 1 - 0.5) > 0.499)  # a float32 may fall on either side
    for i in range(4):
        assert np.array_equal(both.flames[i] == 2, moving & (flame_class == i))
    for i in range(16):
        assert np.array_equal((both.rose[i] == 2)[~edge], (moving & (sector == i))[~edge])
    assert both.flames.sum() == both.rose.sum() == 2 * moving.sum()
    assert both.flame_probability[:, moving].sum(0) == pytest.approx(1)
    assert np.isnan(both.rose_probability[:, ~moving]).all()
    assert both.rate_m_min[moving] == pytest.approx(fire.rate_m_min[moving], rel=1e-4)


def test_flames_up_to_four_eight_and_eleven_feet():
    assert pytest.approx((4 * FT, 8 * FT, 11 * FT)) == FLAME_M
    cell = np.zeros(1, np.int32)
    one = Reached(cell, np.ones(1, np.float32), np.array([[0, 1]], np.float32), np.ones(1, np.float32))
    for feet, which in ((0.5, 0), (3.99, 0), (4.01, 1), (7.99, 1), (8.01, 2), (10.99, 2), (11.01, 3), (80.0, 3)):
        sums = Sums(Account(grid(2), (1.0,), 2, None))
        sums.add(one, np.array([feet * FT]))
        assert np.flatnonzero(sums.flames[0]).tolist() == [which], feet


def test_the_rose_is_true_to_north():
    """Far from the middle of a UTM zone grid north is not true north; sector edges belong to the next sector."""
    for easting, sectors in ((500_000, 16), (200_000, 8), (800_000, 4)):
        where = grid(2, easting=easting)
        account = Account(where, (1.0,), 2, None, sectors)
        for true_deg in (1.0, 44.0, 91.0, 170.0, 246.0, 333.0, 359.0):
            to = np.radians(true_deg - where.convergence_deg())
            normal = np.array([[np.sin(to), np.cos(to)]], np.float32)
            one = Reached(np.zeros(1, np.int32), np.ones(1, np.float32), normal, np.ones(1, np.float32))
            sums = Sums(account)
            sums.add(one, np.ones(1))
            assert np.flatnonzero(sums.rose[0]).tolist() == [int(true_deg / (360 / sectors) + 0.5) % sectors], true_deg


# ---------------------------------------------------------------------------------------------- a region
def test_probability_is_the_mean_burned_share(ground, region):
    """Counted twice: by cells and by the sizes of the fires."""
    cells = region.size_ha.sum() * 1e4 / ground.grid.cell_area_m2()
    assert region.counts[-1].sum() == pytest.approx(cells, abs=1e-6)
    assert (np.diff(region.probability, axis=0) >= 0).all()
    assert not region.came[~ground.burnable].any()
    assert region.mean_area_ha == pytest.approx(region.size_ha.mean())
    assert region.exceeds([0, np.sort(region.size_ha)[29], 1e9]) == pytest.approx([1, 0.5, 0])
    assert (np.diff(region.size_quantiles_ha()) > 0).all()


def test_more_fires_make_the_claimed_error_smaller(ground):
    few, many = (burn_probability(ground, wind(5.0, 200.0), None, (1.0,), fires=n, seed=0) for n in (25, 100))
    assert np.median(many.error / few.error) < 0.7
    assert many.mean_area_error_ha == pytest.approx(many.size_ha.std(ddof=1) / 10)


def test_fires_start_where_the_density_is(ground):
    density = np.zeros(ground.grid.shape)
    density[:, :6] = 1
    west = burn_probability(ground, wind(0.5, 200.0), density, (0.2,), fires=20, seed=0)
    assert west.came.sum() > 20
    assert west.came[:, 20:].sum() == 0


def test_each_fire_draws_one_of_several_weathers():
    """Without error, under a wind from south or from west: the front goes north or east, about half each."""
    even = flat(41)
    airs = [wind(6.0, 180.0), wind(6.0, 270.0)]
    middle = np.zeros((41, 41))
    middle[20, 20] = 1
    both = burn_probability(even, airs, middle, (0.3,), fires=40, seed=2, unsure=SURE, sectors=4)
    north, east = both.came[16, 20], both.came[20, 24]
    assert set(np.unique(both.came[20, 20]).tolist()) == {40}
    assert 8 < north < 32
    assert both.rose[0, 16, 20] == north
    assert both.rose[1, 20, 24] == east
    assert len(set(both.size_ha.round(6).tolist())) <= 2


def test_under_drawn_fuel_each_fire_starts_on_its_own_burnable_ground():
    codes = np.full((24, 24), 4, np.uint8)
    codes[:, 12:] = 5
    fuels = {4: {102: 0.5, 99: 0.5}, 5: {102: 0.5, 99: 0.5}}

    def draw(rng):
        while True:  # ground of which nothing burns is another test
            drawn = fuel_from_terrain(codes, fuels, rng)
            if (drawn != 99).any():
                return drawn

    some = burn_probability(flat(24), wind(3.0), None, (0.2,), fires=30, seed=7, fuels=draw)
    assert (some.size_ha > 0).all()
    west, east = (some.flames[:, :, part].sum() > 0 for part in (slice(None, 12), slice(12, None)))
    assert west
    assert east


def test_arrivals_between_lead_times_are_binned_as_finely_as_asked(ground):
    start = ground.nearest_burnable(24, 24)
    fine, coarse = (
        campaign(ground, wind(5.0, 200.0), start, (0.4, 1.0), members=20, seed=5, bin_min=width)
        for width in (7.0, None)
    )
    assert fine.ends_min.tolist() == [7, 14, 21, 24, 28, 35, 42, 49, 56, 60]
    assert coarse.ends_min.tolist() == [24, 60]
    assert np.array_equal(fine.counts, coarse.counts)
    came = fine.came > 0
    assert np.abs(fine.arrival_min() - coarse.arrival_min())[came].max() <= 18 + 3.5


def test_more_members_than_two_bytes_count_are_counted_with_four():
    assert Account(grid(2), (1.0,), 65_535, None).counter is np.uint16
    account = Account(grid(2), (1.0,), 65_536, None)
    sums, full = Sums(account, 0, 1), Sums(account, 1, 2)
    full.arrivals[0, 0] = 65_535
    sums.add(
        Reached(np.zeros(1, np.int32), np.ones(1, np.float32), np.full((1, 2), np.nan), np.full(1, np.nan)),
        np.full(1, np.nan),
    )
    sums.merge(full)
    assert sums.arrivals[0, 0] == 65_536


# ---------------------------------------------------------------------------------------------- communities
def test_a_community_is_reached_when_the_first_flank_is_at_its_edge():
    """Fires from west under a wind from west: arrival is the earliest over its cells in each member, not of quantiles."""
    even = flat(41)
    village = squares(even.grid, (20, 30))
    start, air = (20, 10), wind(5.0, 270.0)
    ensemble = campaign(even, air, start, (1.0, 3.0), members=25, seed=4, communities=village)
    fires = list(random_fires(even, air, [start] * 25, 3.0, seed=4))
    near = np.zeros(even.grid.shape, bool)
    near[20 - 2 : 20 + 3, 30 - 2 : 30 + 3] = True  # 3 x 3 cells and those beside them
    first = np.array([np.where(near, fire.arrival_min, np.inf).min() for fire in fires])
    visits = ensemble.communities
    assert np.array_equal(visits.arrival_min[:, 0], first.astype(np.float32))
    row = visits.table().iloc[0]
    came = np.sort(first[np.isfinite(first)])
    assert (row["members"], row["came"]) == (25, len(came))
    assert row["arrival_p50_min"] == came[int(np.ceil(0.5 * len(came))) - 1]
    assert 60 < row["bearing_deg"] < 120
    assert visits.probability(1.0)[0] == np.mean(first <= 60)
    where = [int(np.where(near, fire.arrival_min, np.inf).argmin()) for fire in fires]
    bearing = [fire.bearing_deg.ravel()[cell] for fire, cell in zip(fires, where, strict=True)]
    known = np.isfinite(first)
    assert visits.bearing_deg[known, 0] == pytest.approx(np.array(bearing)[known], abs=1e-3)


def test_the_rose_of_a_community_counts_the_members_that_came(region):
    visits = region.communities
    rose, table = visits.rose(), visits.table()
    assert tuple(rose) == tuple(ROSE)
    assert tuple(table) == tuple(REACHED)
    assert rose["sector"].tolist() == list(SECTORS) * 2
    for name, own in rose.groupby("community"):
        moving = np.isfinite(visits.bearing_deg[:, visits.names.index(name)]).sum()
        assert own["came"].sum() == moving
        assert own["share"].sum() == pytest.approx(1 if moving else 0)
    assert (table["probability"] == table["came"] / 60).all()
    assert np.allclose(visits.probability(HOURS[-1]), table["probability"])


def test_communities_may_share_cells_and_lie_over_the_edge():
    even = grid(20)
    places = squares(even, (0, 0), (1, 1), (10, 10))
    found = Communities.on(places, even)
    fire = Reached(np.array([21, 0], np.int32), np.array([4, 2], np.float32), np.ones((2, 2), np.float32), np.ones(2))
    when, which = found.visit(fire)
    assert when.tolist() == [2, 2, np.inf]
    assert which.tolist() == [1, 1, -1]


def test_a_fire_comes_uphill_to_the_village_above():
    slope = sloping((31, 31), slope_deg=25, aspect_deg=180)  # falls to the south
    villages = squares(slope.grid, (5, 15), (25, 15))
    ensemble = campaign(slope, wind(0.5, 180.0), (15, 15), (4.0,), members=12, seed=1, communities=villages)
    above, below = ensemble.communities.table().to_dict("records")
    assert above["arrival_p50_min"] < below["arrival_p50_min"] or np.isnan(below["arrival_p50_min"])
    assert min(above["bearing_deg"], 360 - above["bearing_deg"]) < 30


def test_crowns_lengthen_flames_and_hasten_fires():
    """Under a closed stand of low crowns; both campaigns draw the same errors, so each fire can only grow."""
    bare = flat(41, fuel=165)
    trees = Canopy(cover=0.7, height_m=15.0, base_height_m=0.5, bulk_density_kg_m3=0.2)
    stand = replace(bare, canopy=trees)
    given = {"members": 8, "seed": 3, "unsure": Uncertainty(direction_deg=5)}
    below, above = (campaign(stand, wind(9.0), (38, 20), (0.5,), crown=crown, **given) for crown in (None, "rothermel"))
    assert (above.size_ha >= below.size_ha).all()
    assert above.mean_area_ha > 1.5 * below.mean_area_ha
    assert above.flames[3].sum() > below.flames[3].sum()


def test_what_is_refused(ground):
    air, start = wind(), ground.nearest_burnable(24, 24)
    with pytest.raises(FireError, match="no weather"):
        burn_probability(ground, [], None, HOURS, fires=2, seed=0)
    with pytest.raises(FireError, match="asks for 30 h"):
        burn_probability(ground, [wind(hours=48), wind(hours=24)], None, (30.0,), fires=2, seed=0)
    with pytest.raises(FireError, match="do not rise"):
        campaign(ground, air, start, (2.0, 1.0), members=2, seed=0)
    with pytest.raises(FireError, match="12 sectors"):
        campaign(ground, air, start, HOURS, members=2, seed=0, sectors=12)
    with pytest.raises(FireError, match="bins of 0"):
        campaign(ground, air, start, HOURS, members=2, seed=0, bin_min=0)
    places = squares(ground.grid, (5, 5))
    with pytest.raises(FireError, match="no names"):
        Communities.on(places.drop(columns="name"), ground.grid)
    with pytest.raises(CRSError, match="no CRS"):
        Communities.on(places.set_crs(None, allow_override=True), ground.grid)
    with pytest.raises(FireError, match="'village 0' does not lie"):
        Communities.on(squares(ground.grid, (500, 5)), ground.grid)
