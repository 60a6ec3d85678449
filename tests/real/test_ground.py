"""Real ground: uncalibrated Landsat and a DEM whose code is wrong, slope and aspect of another program."""

import numpy as np
import pytest
import rasterio

from geolabel import bearings
from geolabel.errors import UnitError
from geolabel.grid import Grid
from geolabel.label.burned import burned_mask
from geolabel.label.objects import settlements
from geolabel.label.severity import relative
from geolabel.label.terrain import terrain_codes
from geolabel.nouns.view import View
from geolabel.ontology import WILDFIRE
from geolabel.scene.indices import dnbr, index, ndvi
from geolabel.scene.open import open_dem, open_scene
from geolabel.scene.paint import burn
from geolabel.scene.terrain import slope_aspect
from rasters import LANDSAT
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def olinda():
    return open_scene(data_folder("terrain-olinda-l7") / "L7_ETMs.tif", at="2000-08-01", bands=LANDSAT)


def test_olinda_opens_uncalibrated_and_refuses_what_needs_reflectance(olinda):
    assert (olinda.quantity, olinda.grid.shape, olinda.grid.res_m) == ("dn", (352, 349), pytest.approx(28.5))
    assert float((ndvi(olinda) > 0.2).mean()) == pytest.approx(0.24, abs=0.005)
    with pytest.raises(UnitError):
        index(olinda, "bai")


def test_olinda_dem_is_read_from_its_wkt_and_lies_on_the_coast(olinda):
    path = data_folder("terrain-olinda-l7") / "olinda_dem_utm25s.tif"
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == 32000  # the wrong code that must not be believed
    heights = open_dem(path, olinda.grid).band("elevation").values
    assert np.isfinite(heights).mean() > 0.99
    assert float((heights <= 0).mean()) == pytest.approx(0.17, abs=0.02)
    water = terrain_codes(olinda.data, quantity="dn").values == WILDFIRE["water"].code
    assert np.nanmedian(heights[water]) <= 0 < np.nanmedian(heights[~water])


def test_olinda_terrain_is_sea_city_and_green_hills(olinda):
    codes = terrain_codes(olinda.data, quantity="dn").values
    share = {c.name: float((codes == c.code).mean()) for c in WILDFIRE.of_kind("terrain")}
    assert 0.14 < share["water"] < 0.18
    assert share["built_up"] > 0.35
    assert share["grass"] + share["shrub"] + share["forest"] > 0.25
    sea = codes[150:300, 330:]
    assert (sea == WILDFIRE["water"].code).mean() > 0.98
    assert settlements(codes, olinda.grid).area_m2.max() > 2e7


def test_a_fire_painted_into_olinda_is_found_where_it_was_painted(olinda):
    codes = terrain_codes(olinda.data, quantity="dn").values
    row, col = np.mgrid[0:352, 0:349]
    truth = (np.hypot(row - 110, col - 120) < 30) & np.isin(codes, [4, 5, 6])
    painted = burn(olinda, np.where(truth, 0.8, 0).astype(np.float32), note="simulated fire on a real scene")
    view = View("olinda", olinda.grid, {"before": olinda, "after": painted})
    change = dnbr(view)
    assert float(np.median(change.values[truth])) > 0.4
    found = burned_mask(change, olinda.grid, scheme=relative(change))
    assert (found & truth).sum() / (found | truth).sum() > 0.75  # the clean-up rounds a ragged scar


def test_slope_and_aspect_equal_those_of_another_program_within_its_rounding():
    """Houffalize: slope in degrees and downslope azimuth of a DEM; all three are whole numbers, so none is exact."""
    folder = data_folder("fire-houffalize")
    with rasterio.open(folder / "elevation.tif") as file:
        grid = Grid.of(file.crs.to_wkt(), file.transform, file.shape)
    ours = slope_aspect(open_dem(folder / "elevation.tif", grid)).compute()
    with rasterio.open(folder / "slope.tif") as slope, rasterio.open(folder / "saz.tif") as azimuth:
        slope_deg, azimuth_deg = slope.read(1), azimuth.read(1)
    both = np.isfinite(ours.slope_deg.values) & (slope_deg >= 0)
    assert both.mean() > 0.9
    difference = (ours.slope_deg.values - slope_deg)[both]
    assert np.median(np.abs(difference)) < 1
    assert np.corrcoef(ours.slope_deg.values[both], slope_deg[both])[0, 1] > 0.99
    apart = bearings.difference(ours.aspect_deg.values, azimuth_deg)[both & (slope_deg > 5)]
    assert np.nanmedian(apart) < 3
    assert np.nanquantile(apart, 0.99) < 20
