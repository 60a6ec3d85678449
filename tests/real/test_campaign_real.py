"""Burn probability on LANDFIRE's Napa and Sonoma: chance is as large as the campaign says, fire stays where it can burn."""

import numpy as np
import pytest

from benchmarks import campaign
from geolabel.fire.campaign.campaign import burn_probability
from geolabel.grid import Tile
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def corner():
    """150 x 150 cells of it."""
    data_folder("landscape-napa-landfire")
    return campaign.napa().crop(Tile(300, 300, 150, 150))


def test_two_campaigns_differ_by_the_error_they_claim(corner):
    one, other = (
        burn_probability(corner, campaign.weather(30.0, 45.0), None, (1.0, 3.0), fires=120, seed=seed)
        for seed in (1, 2)
    )
    z = (one.probability - other.probability) / np.hypot(one.error, other.error)
    often = (one.counts + other.counts) >= 6
    assert often.sum() > 1000
    assert z[often].std() == pytest.approx(1, abs=0.25)
    assert np.abs(one.mean_area_ha - other.mean_area_ha) < 3 * np.hypot(
        one.mean_area_error_ha, other.mean_area_error_ha
    )
    assert not one.came[~corner.burnable].any()
    assert one.counts[-1].sum() * corner.grid.cell_area_m2() / 1e4 == pytest.approx(one.size_ha.sum())
