"""The crosswalk from classes to fuel models, held against the published table and two mapped landscapes.

The landscapes were looked at while models were chosen for each class: what is asked here is that no change of the list
loses ground, not that the prior is right elsewhere.
"""

import csv

import numpy as np
import pytest
import rasterio

from geolabel.fire.behave.fuel import NON_BURNABLE, fuel_models
from geolabel.ontology import WILDFIRE
from support import data_folder

pytestmark = pytest.mark.real
SCOTT_BURGAN = range(101, 205)


def test_every_fuel_is_a_published_model_of_scott_and_burgan_or_does_not_burn():
    with (data_folder("fuel-models") / "fuel_models.csv").open(encoding="utf-8") as file:
        published = {int(row[0]): row[1] for row in csv.reader(file)}
    used = {number for one in WILDFIRE for number in one.fuels}
    assert len(used) > 20
    for number in used - set(NON_BURNABLE):
        assert number in SCOTT_BURGAN
        assert published[number] == fuel_models()[number].code


def mapped(name, fuel, cover):
    folder = data_folder(name)
    with rasterio.open(folder / fuel) as fuels, rasterio.open(folder / cover) as crowns:
        numbers, share = fuels.read(1), crowns.read(1)
        known = (numbers != fuels.nodata) & (share >= 0) & (share <= 100)
    return numbers[known], share[known]


NAPA = ("landscape-napa-landfire", "fbfm40.tif", "cc.tif")
VERMONT = ("landscape-vermont-landfire", "LC22_F40_230.tif", "LC22_CC_230.tif")


@pytest.mark.parametrize("where", [NAPA, VERMONT], ids=["napa", "vermont"])
def test_the_fuels_of_mapped_ground_are_among_those_of_its_class(where):
    fuels, crown_cover_percent = mapped(*where)
    forest = {number for one in WILDFIRE.leaves("forest") for number in one.fuels}
    everything = {number for one in WILDFIRE.leaves() for number in one.fuels}
    closed = fuels[crown_cover_percent >= 40]
    assert np.isin(closed, list(forest)).mean() > 0.99
    assert np.isin(fuels, list(everything)).mean() > 0.99
    assert np.isin(closed, list(everything - forest)).mean() < 0.01


def test_forest_as_mapped_is_likelier_under_forest_than_under_other_classes():
    fuels, crown_cover_percent = mapped(*NAPA)
    closed = fuels[crown_cover_percent >= 40]
    mean = {c.name: np.mean([c.fuels.get(int(n), 0.0) for n in closed[::50]]) for c in WILDFIRE.of_kind("terrain")}
    kin = {"forest", *(c.name for c in WILDFIRE.children("forest"))}
    assert max(mean, key=mean.get) in kin
    assert max(mean[name] for name in set(mean) - kin) < 0.5 * mean["forest"]
