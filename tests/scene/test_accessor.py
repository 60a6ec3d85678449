"""ds.geolabel: scene -> dataset -> the same answers, also of a part of it."""

import json

import numpy as np
import pytest
import xarray as xr
from affine import Affine

from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid, Tile
from geolabel.scene.frame import dataset
from geolabel.scene.indices import nbr
from rasters import metric_grid, scene_of

ODD = Grid.of("EPSG:32611", Affine(30.1, 0, 400_000.123456, 0, -30.1, 3_800_000.987), (23, 31))


def pair(grid=ODD, **more):
    rng = np.random.default_rng(0)
    bands = {name: rng.uniform(0.05, 0.5, grid.shape) for name in ("nir08", "swir22")}
    bands["nir08"][2, 3] = np.nan
    return scene_of(bands, grid, chunks=7, **more)


def test_a_dataset_gives_the_answers_of_its_scene():
    scene = pair()
    ds = scene.data
    assert ds.geolabel.grid == scene.grid
    assert ds.geolabel.grid.digest == scene.grid.digest
    np.testing.assert_array_equal(ds.geolabel.valid.values, scene.valid.values)
    xr.testing.assert_identical(ds.geolabel.index("nbr").compute(), nbr(scene).compute())
    assert [tile.key for tile in ds.geolabel.tiles(10)] == [tile.key for tile in scene.grid.tiles(10)]
    again = ds.geolabel.scene()
    assert (again.id, again.start, again.end, again.sensor, again.quantity, again.licence) == (
        scene.id, scene.start, scene.end, scene.sensor, scene.quantity, scene.licence,
    )  # fmt: skip


def test_nothing_is_computed_until_asked():
    index = pair().data.geolabel.index("NBR")
    assert index.chunks is not None
    assert pair().data.geolabel.valid.chunks is not None


@pytest.mark.parametrize(
    "grid", [ODD, metric_grid(23, 31), Grid.of("EPSG:4326", Affine(1 / 3600, 0, -118, 0, -1 / 3600, 34.1), (23, 31))]
)
@pytest.mark.parametrize("tile", [Tile(2, 3, 5, 7), Tile(20, 30, 3, 1), Tile(22, 0, 1, 31), Tile(0, 0, 1, 1)])
def test_a_part_knows_its_own_place_to_the_last_bit(grid, tile):
    rows, cols = tile.slices
    part = pair(grid).data.isel(y=rows, x=cols)
    assert part.geolabel.grid.digest == grid.crop(tile).digest
    assert part.geolabel.grid.transform == grid.crop(tile).transform
    assert part.geolabel.index("nbr").shape == (tile.height, tile.width)


def test_every_second_pixel_and_rows_turned_over_are_grids_of_their_own():
    ds = pair(metric_grid(8, 10)).data
    assert ds.isel(y=slice(None, None, 2), x=slice(None, None, 2)).geolabel.grid.res_m == 60
    assert ds.isel(y=slice(None, None, -1)).geolabel.grid.transform.e == 30


def test_what_a_scene_is_travels_as_json_and_through_a_file(tmp_path):
    scene = pair()
    assert json.loads(json.dumps(scene.data.attrs)) == scene.about
    path = tmp_path / "scene.nc"
    scene.data.to_netcdf(path, engine="scipy")
    with xr.open_dataset(path, engine="scipy", decode_coords="all") as back:
        assert back.geolabel.grid.digest == scene.grid.digest
        np.testing.assert_array_equal(back.geolabel.index("nbr").values, nbr(scene).values)


def test_the_footprint_is_a_geodataframe_in_the_crs_that_is_asked():
    frame = pair().data.geolabel.footprint()
    assert frame.crs.to_epsg() == 4326
    assert frame.loc[0, ["scene", "quantity"]].tolist() == ["scene", "reflectance"]
    metric = pair().data.geolabel.footprint("EPSG:32611")
    assert metric.area[0] == pytest.approx(23 * 31 * 30.1**2, rel=1e-9)


def test_it_shows_itself_in_a_notebook_and_escapes_what_others_wrote():
    ds = pair(name="<b>evil</b>").data
    shown = ds.geolabel._repr_html_()
    assert "<b>evil" not in shown
    assert "nir08, swir22" in shown
    assert "nir08, swir22 on Grid(EPSG:32611, 23 x 31" in repr(ds.geolabel)


def test_what_a_dataset_does_not_say_is_asked_for():
    plain = dataset({"nir08": np.ones((4, 5)), "swir22": np.ones((4, 5))}, metric_grid(4, 5))
    assert plain.geolabel.grid.shape == (4, 5)
    with pytest.raises(UnitError) as error:
        plain.geolabel.index("nbr")
    assert "ds.attrs['quantity']" in error.value.hint
    plain.attrs["quantity"] = "reflectance"
    with pytest.raises(InputError, match="when"):
        plain.geolabel.index("nbr")
    plain.attrs |= {"start": "2009-10-15T18:00Z", "end": "2009-10-15T18:00Z"}
    assert (plain.geolabel.index("nbr").values == 0).all()


def test_what_has_no_grid_is_refused():
    ds = pair().data
    with pytest.raises(InputError, match="regular grid"):
        ds.isel(x=3).geolabel.grid  # noqa: B018
    with pytest.raises(InputError, match="regular grid"):
        ds.isel(x=[0, 1, 5]).geolabel.grid  # noqa: B018
    with pytest.raises(CRSError):
        xr.Dataset({"a": (("y", "x"), np.ones((2, 2)))}, {"y": [30.0, 0.0], "x": [0.0, 30.0]}).geolabel.grid  # noqa: B018
