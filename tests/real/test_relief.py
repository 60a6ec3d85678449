"""LANDFIRE's landscape of Napa: its slope, its aspect on another grid's north, its fuel numbers."""

import numpy as np
import pytest
import rasterio

from geolabel import bearings
from geolabel.errors import BandError
from geolabel.grid import Grid
from geolabel.scene.align import align
from geolabel.scene.flow import twi
from geolabel.scene.open import open_dem, open_scene
from geolabel.scene.resample import Place, convergence
from geolabel.scene.terrain import slope_aspect, tpi
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def napa():
    path = data_folder("landscape-napa-landfire") / "dem.tif"
    with rasterio.open(path) as file:
        return open_dem(path, Grid.of(file.crs.to_wkt(), file.transform, file.shape))


def layer(name):
    with rasterio.open(data_folder("landscape-napa-landfire") / f"{name}.tif") as file:
        return file.read(1).astype(float)


def test_aspect_of_another_grids_north_agrees_once_it_is_turned(napa):
    """Theirs was taken on CONUS Albers (EPSG:5070): 16 degrees off until the two norths are brought together."""
    ours = slope_aspect(napa).compute()
    theirs, steep = layer("asp"), (layer("slp") > 10) & np.isfinite(ours.aspect_deg.values)
    assert np.corrcoef(ours.slope_deg.values[1:-1, 1:-1].ravel(), layer("slp")[1:-1, 1:-1].ravel())[0, 1] > 0.9
    albers = Place.of(Grid.of("EPSG:5070", napa.grid.transform, (1, 1)))
    turned = theirs + convergence(Place.of(napa.grid), on=albers)
    signed = (ours.aspect_deg.values - turned + 180) % 360 - 180
    assert abs(np.median(signed[steep])) < 1
    assert np.median(bearings.difference(ours.aspect_deg.values, theirs)[steep]) > 15


def test_wet_ground_lies_low_and_ridges_are_dry(napa):
    wet, above = twi(napa).values, tpi(napa, 300).values
    known = np.isfinite(wet) & np.isfinite(above)
    assert known.mean() > 0.95
    low, high = above < np.quantile(above[known], 0.1), above > np.quantile(above[known], 0.9)
    assert np.median(wet[known & low]) > np.median(wet[known & high]) + 1


def test_fuel_numbers_on_a_coarser_grid_are_fuel_numbers():
    path = data_folder("landscape-napa-landfire") / "fbfm40.tif"
    fuel = open_scene(path, at="2022-01-01", bands=["fuel"], quantity="classes")
    coarse = Grid.of(fuel.grid.crs, fuel.grid.transform * fuel.grid.transform.scale(3), (266, 266))
    found = align({"fuel": fuel}, grid=coarse)["fuel"].band("fuel").values
    assert (fuel.grid.bounds[0], fuel.grid.bounds[3]) == (coarse.bounds[0], coarse.bounds[3])
    assert np.isfinite(found).all()
    assert set(np.unique(found)) <= set(np.unique(layer("fbfm40")))
    blocks = layer("fbfm40")[:798, :798].reshape(266, 3, 266, 3)
    assert ((blocks == found[:, None, :, None]).sum((1, 3)) >= 2).mean() > 0.95
    with pytest.raises(BandError, match="classes"):
        align({"fuel": fuel}, grid=coarse, resampling={"fuel": "bilinear"})
