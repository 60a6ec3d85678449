"""A campaign on a cluster is that of threads to the last bit, though pieces of it come back from other processes."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fire.ground import patchy, wind
from geolabel.fire.campaign import campaign as module
from geolabel.fire.campaign.campaign import burn_probability, campaign
from geolabel.fire.campaign.ignitions import density_near
from geolabel.fire.landscape import fuel_from_terrain

RASTERS = ("arrivals", "flames", "rose", "east", "north", "rate_m_min", "size_ha")


@pytest.fixture(scope="module")
def address():
    """Address of a scheduler with two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def same(one, other):
    for name in RASTERS:
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name
    for name in ("arrival_min", "bearing_deg"):
        assert np.array_equal(getattr(one.communities, name), getattr(other.communities, name), equal_nan=True), name


@pytest.mark.parametrize("pieces", [1, 5])
def test_threads_and_cluster_give_one_ensemble(address, monkeypatch, pieces):
    monkeypatch.setattr(module, "PIECES", pieces)
    ground = patchy(48, seed=11)
    village = shapely.Point(*ground.grid.xy(20, 20)).buffer(50)
    towns = gpd.GeoDataFrame({"name": ["here"]}, geometry=[village], crs=ground.grid.crs.proj)
    given = {"seed": 5, "communities": towns, "sectors": 16}
    density = density_near(towns, ground.grid, reach_m=300.0)
    runs = [
        burn_probability(ground, [wind(5.0, 200.0), wind(8.0, 90.0)], density, (1.0, 2.0), fires=23, **given, **how)
        for how in ({"threads": 1}, {"threads": 3}, {"scheduler": address})
    ]
    same(runs[0], runs[1])
    same(runs[0], runs[2])
    assert len(set(runs[0].size_ha.tolist())) > 15


def test_fuel_is_drawn_on_the_workers_too(address):
    ground = patchy(30, seed=2)
    codes = np.where(ground.burnable, 4, 5).astype(np.uint8)
    towns = gpd.GeoDataFrame(
        {"name": ["here"]}, geometry=[shapely.Point(*ground.grid.xy(3, 3)).buffer(50)], crs=ground.grid.crs.proj
    )

    def draw(rng):
        return fuel_from_terrain(codes, {4: {102: 0.5, 104: 0.5}, 5: {99: 1.0}}, rng)

    start = ground.nearest_burnable(15, 15)
    here, there = (
        campaign(ground, wind(4.0), start, (1.0,), members=7, seed=1, fuels=draw, communities=towns, **how)
        for how in ({"threads": 2}, {"scheduler": address})
    )
    same(here, there)
