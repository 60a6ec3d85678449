"""LANDFIRE's own files of two places: read as they are, and their slope and aspect caught where they mislead."""

import numpy as np
import pytest
import rasterio

from geolabel.errors import CRSError, FireError, InputError, SourceError
from geolabel.steps.landfire import files_in, landfire
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def napa():
    return data_folder("landscape-napa-landfire")


@pytest.fixture(scope="module")
def vermont():
    return data_folder("landscape-vermont-landfire")


def test_napa_is_read_as_it_is(napa):
    ground = landfire(napa)
    with rasterio.open(napa / "fbfm40.tif") as file:
        assert np.array_equal(ground.fuel[ground.known], file.read(1)[ground.known])
    inner = ground.known[1:-1, 1:-1]
    assert inner.all()  # the outermost ring has no slope
    assert ground.canopy.cover.max() == pytest.approx(0.85)
    assert ground.canopy.height_m.max() == pytest.approx(43.0)
    ground.canopy.crown_fuel()


def test_a_third_of_vermont_is_not_known(vermont):
    ground = landfire(vermont)
    assert 1 - ground.known.mean() == pytest.approx(0.32, abs=0.02)


@pytest.mark.parametrize(("where", "name", "turn"), [("napa", "asp.tif", 16), ("vermont", "LC20_Asp_220.tif", 14)])
def test_aspects_of_another_north(request, where, name, turn):
    folder = request.getfixturevalue(where)
    with pytest.raises(FireError, match=f"turned by -?{turn} degrees"):
        landfire({**files_in(folder), "aspect": folder / name})


def test_slope_in_percent(napa, vermont):
    landfire({**files_in(napa), "slope": napa / "slp.tif"})
    with pytest.raises(FireError) as error:
        landfire({**files_in(vermont), "slope": vermont / "LC20_SlpP_220.tif"})
    assert "percent" in error.value.hint


def test_what_is_refused(napa, vermont, tmp_path):
    with pytest.raises(SourceError, match="no dem and no fuel"):
        landfire(tmp_path)
    with pytest.raises(SourceError, match="no folder"):
        landfire(tmp_path / "none")
    with pytest.raises(SourceError, match="unknown layers"):
        landfire({**files_in(napa), "asp": napa / "asp.tif"})
    with pytest.raises(InputError, match="lies on"):
        landfire({**files_in(napa), "cc": vermont / "LC22_CC_230.tif"})
    with pytest.raises(FireError, match="do not exist"):
        landfire({**files_in(napa), "fuel": napa / "asp.tif"})


def test_a_grid_in_degrees(tmp_path):
    from affine import Affine

    for name in ("dem", "fbfm40"):
        profile = {"driver": "GTiff", "height": 9, "width": 9, "count": 1, "dtype": "int16", "crs": "EPSG:4326"}
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", transform=Affine(3e-4, 0, -122, 0, -3e-4, 38), **profile
        ) as file:
            file.write(np.full((1, 9, 9), 102, np.int16))
    with pytest.raises(CRSError):
        landfire(tmp_path)
