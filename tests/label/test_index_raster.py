"""Burn scars of an index that somebody else computed: files, arrays and scenes; units; nothing is averaged."""

import numpy as np
import pytest
import rioxarray
import xarray as xr
from rasterio.transform import from_origin

from geolabel.errors import BandError, ConfigError, CRSError, InputError, UnitError
from geolabel.label.burned import burned
from geolabel.label.severity import SCHEMES
from geolabel.scene.frame import dataset
from geolabel.scene.given import given_index, some_values
from geolabel.scene.open import open_scene
from geolabel.shapes import rasterise
from geolabel.steps.burns import burned_index
from rasters import metric_grid, write_raster
from sources import same, scene

GRID = metric_grid(300, 260)
NODATA = -9999


@pytest.fixture(scope="module")
def values():
    """x1, in whole thousandths: what an integer raster x1000 can hold."""
    return (np.round(scene(5) * 1000) / 1000).astype(np.float32)


@pytest.fixture(scope="module")
def files(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    thousands = np.where(np.isfinite(values), np.round(values * 1000), NODATA).astype(np.int16)
    return {
        "x1": write_raster(folder / "x1.tif", values, transform=GRID.transform, nodata=np.nan),
        "x1000": write_raster(folder / "x1000.tif", thousands, transform=GRID.transform, nodata=NODATA),
    }


def alike(one, two):
    """Equal but for ids, which follow how a file spells its CRS."""
    return same(*(frame.drop(columns="label_id").set_crs("EPSG:32611", allow_override=True) for frame in (one, two)))


def test_a_file_an_array_and_a_scene_give_what_their_values_give(values, files):
    expected = burned(values, GRID, min_area_m2=5_000, offset="auto")
    assert len(expected) > 10
    array = rioxarray.open_rasterio(files["x1"])
    for raster in (files["x1"], str(files["x1"]), array, array.squeeze("band"), array.rename(x="lon", y="lat")):
        assert alike(burned_index(raster), expected)
    opened = open_scene(files["x1"], at="2020-08-01", bands=["change"])
    assert alike(burned_index(opened), expected)
    assert alike(burned_index(open_scene(files["x1"], at="2020-08-01", bands=["dnbr"]), threads=1), expected)


def test_an_index_times_1000_gives_the_same_ground(values, files):
    one, thousand = (burned_index(files[units], offset=0) for units in ("x1", "x1000"))
    assert one.label_id.tolist() == thousand.label_id.tolist()
    assert one.severity.tolist() == thousand.severity.tolist()
    assert thousand.dnbr_mean.to_numpy() == pytest.approx(1000 * one.dnbr_mean.to_numpy(), abs=0.1)
    assert thousand.confidence.to_numpy() == pytest.approx(one.confidence.to_numpy(), abs=1e-3)
    assert (one.attrs["units"], thousand.attrs["units"]) == ("x1", "x1000")
    assert thousand.attrs["breaks"] == [1000 * one for one in SCHEMES["key-benson-dnbr"].breaks]


def test_all_that_a_scar_may_be_told_holds_for_an_index(values, files):
    told = {"seed": 0.5, "threshold": 0.2, "min_burned_ha": 2.0, "cleanup": "none", "offset": 0.03}
    found = burned_index(files["x1"], **told)
    expected = burned(values, GRID, seed=0.5, threshold=0.2, min_area_m2=20_000, cleanup=None, offset=0.03)
    assert alike(found, expected)
    assert (found.masked_share > 0).any()
    assert sum(len(g.interiors) for g in found.geometry) > 5
    assert found.area_m2.min() >= 19_900


def test_breaks_of_the_analyst_are_in_the_units_of_the_raster(values, files):
    said = {"citation": "analyst of the test", "offset": 0}
    one = burned_index(files["x1"], breaks=(0.15, 0.3, 0.5), **said)
    thousand = burned_index(files["x1000"], breaks=(150, 300, 500), **said)
    assert one.label_id.tolist() == thousand.label_id.tolist()
    assert thousand.severity_scheme.unique().tolist() == ["analyst-dnbr(150, 300, 500)"]
    assert thousand.attrs["threshold"] == 150


def test_per_fire_and_relative_breaks_come_from_the_raster(files):
    own = burned_index(files["x1"], scheme="per-fire")
    assert own.severity_scheme.str.startswith("per-fire-dnbr(0.1, ").all()
    assert burned_index(files["x1"], scheme="relative").severity_scheme.unique().tolist() == ["relative-dnbr"]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"threshold": 100}, UnitError),  # on an index x1
        ({"units": "x1000"}, UnitError),
        ({"index": "nbr"}, ConfigError),
        ({"index": "rdnbr", "scheme": "key-benson-dnbr", "units": "x1"}, ConfigError),
        ({"index": "rbr", "offset": "ring", "units": "x1"}, ConfigError),
        ({"breaks": (0.1, 0.3, 0.6)}, InputError),  # by nobody
        ({"breaks": (0.1, 0.3, 0.6), "citation": "me", "scheme": "per-fire"}, ConfigError),
        ({"treshold": 0.1}, ConfigError),
    ],
)
def test_what_contradicts_the_raster_or_itself_is_refused(files, told, error):
    with pytest.raises(error):
        burned_index(files["x1"], **told)


def test_an_array_must_say_where_it_lies_and_a_scene_which_band(values, files):
    with pytest.raises(InputError, match="ndarray"):
        burned_index(values)
    cube = xr.DataArray(np.stack([values, values]), dims=("band", "y", "x")).rio.write_crs("EPSG:32611")
    with pytest.raises(InputError, match="one band"):
        burned_index(cube)
    with pytest.raises(CRSError, match="no CRS"):
        burned_index(xr.DataArray(values, dims=("y", "x")))
    both = open_scene(files["x1"], at="2020-08-01", bands=["one"])
    two = type(both)(**{f: getattr(both, f) for f in both.__slots__} | {"data": both.data.assign(two=both.data.one)})
    with pytest.raises(BandError, match="one, two"):
        burned_index(two)


def test_no_value_is_made_up_where_an_index_changes_its_grid(values, tmp_path):
    """In degrees, as many agencies publish it: every value of the metric view is one of the raster's own."""
    path = write_raster(
        tmp_path / "degrees.tif", values, crs="EPSG:4326", transform=from_origin(-118.5, 34.5, 3e-4, 3e-4)
    )
    view = given_index(path, "dnbr", at="2020-08-01")
    assert view.grid.crs.epsg == 32611
    there = view["index"].band("dnbr").values
    assert np.isin(there[np.isfinite(there)], values[np.isfinite(values)]).all()
    pixel_m2 = (3e-4 * 111_000) ** 2 * np.cos(np.radians(34.455))
    seen_m2 = np.isfinite(there).sum() * view.grid.res_m**2
    assert seen_m2 == pytest.approx(np.isfinite(values).sum() * pixel_m2, rel=0.01)


def test_units_are_looked_for_where_something_is_known():
    """A corner of an otherwise empty image, in none of the windows that are looked at first."""
    grid = metric_grid(3000, 3000)
    values = np.full(grid.shape, np.nan, np.float32)
    values[2440:2460, 560:580] = 420.0
    array = dataset({"dnbr": values}, grid)["dnbr"]
    assert some_values(given_index(array, "dnbr", at="2020-08-01"), "dnbr").size == 400
    scar = burned_index(array, offset=0)
    assert scar.attrs["units"] == "x1000"
    assert (rasterise(scar, grid) > 0).sum() == 400
