"""open_dem: one file or a folder of chips, on a grid, in metres."""

import numpy as np
import pytest
from affine import Affine

from geolabel.errors import BandError, CRSError, InputError, SourceError, UnitError
from geolabel.scene.open import open_dem
from rasters import metric_grid, write_raster

GRID = metric_grid(12, 10)


def plane(grid, east=0.5, north=-0.25):
    coords = grid.coords()
    return (east * (coords["x"][None, :] - 400_000) + north * (coords["y"][:, None] - 3_800_000)).astype(np.float32)


def test_a_plane_stays_that_plane_on_another_grid(tmp_path):
    coarse = metric_grid(8, 8, res_m=90.0, x=399_900.0, y=3_800_100.0)
    path = write_raster(tmp_path / "dem.tif", plane(coarse), transform=coarse.transform)
    dem = open_dem(path, GRID)
    np.testing.assert_allclose(dem.band("elevation").values, plane(GRID), atol=1e-3)
    assert (dem.quantity, dem.bands, dem.grid) == ("elevation_m", ("elevation",), GRID)
    assert dem.start.year < 1950 < 2090 < dem.end.year


def test_chips_of_several_grids_make_one_surface_and_overlaps_are_their_mean(tmp_path):
    left, right = metric_grid(14, 8, y=3_800_030.0), metric_grid(20, 12, res_m=20.0, x=400_140.0, y=3_800_030.0)
    write_raster(tmp_path / "a_dem.tif", plane(left) - 10, transform=left.transform)
    write_raster(tmp_path / "b_dem.tif", plane(right) + 10, transform=right.transform)
    write_raster(tmp_path / "picture.tif", np.zeros((4, 4), np.float32))
    dem = open_dem(tmp_path, GRID)
    error = dem.band("elevation").values - plane(GRID)
    np.testing.assert_allclose(error[:, :4], -10, atol=1e-3)
    np.testing.assert_allclose(error[:, 5:7], 0, atol=1e-3)
    np.testing.assert_allclose(error[:, 8:], 10, atol=1e-3)
    assert dem.source == ("a_dem.tif", "b_dem.tif")
    assert "mean of 2 files" in dem.audit[0]


@pytest.mark.parametrize("chunks", [1, 5, 512])
def test_the_surface_does_not_depend_on_the_chunks(tmp_path, chunks):
    far = metric_grid(9, 9, res_m=50.0, x=399_950.0, y=3_800_050.0)
    rough = np.random.default_rng(0).normal(500, 100, far.shape).astype(np.float32)
    rough[3, 4] = np.nan
    path = write_raster(tmp_path / "dem.tif", rough, transform=far.transform)
    cut, whole = (open_dem(path, GRID, chunks=c).band("elevation").values for c in (chunks, 512))
    np.testing.assert_array_equal(cut, whole)
    assert np.isnan(whole).any()


def test_nodata_stays_nodata(tmp_path):
    values = np.full((12, 10), 100, np.int16)
    values[4, 5] = -9999
    path = write_raster(tmp_path / "dem.tif", values, nodata=-9999)
    heights = open_dem(path, GRID).band("elevation").values
    assert np.argwhere(np.isnan(heights)).tolist() == [[4, 5]]
    assert np.nanmin(heights) == 100


def test_a_dem_in_degrees_is_refused_with_the_way_out(tmp_path):
    degrees = Affine(1e-3, 0, -118.1, 0, -1e-3, 34.35)
    path = write_raster(tmp_path / "dem.tif", np.zeros((50, 50), np.float32), crs="EPSG:4326", transform=degrees)
    with pytest.raises(CRSError, match="degrees") as error:
        open_dem(path, GRID)
    assert "gdalwarp" in error.value.hint


def test_a_private_crs_is_read_from_its_wkt(tmp_path):
    utm = 'PROJCS["mine",GEOGCS["GRS80",DATUM["unknown",SPHEROID["GRS80",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",-117],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]'
    path = write_raster(tmp_path / "dem.tif", plane(GRID), crs=utm, transform=GRID.transform)
    np.testing.assert_allclose(open_dem(path, GRID).band("elevation").values, plane(GRID), atol=0.05)


def test_what_is_no_dem_of_this_place_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"no \.tif"):
        open_dem(tmp_path, GRID)
    with pytest.raises(BandError, match="2 bands"):
        open_dem(write_raster(tmp_path / "two.tif", np.zeros((2, 3, 3), np.float32)), GRID)
    with pytest.raises(UnitError, match="'ft'"):
        open_dem(write_raster(tmp_path / "feet.tif", np.zeros((3, 3), np.float32), units="ft"), GRID)
    with pytest.raises(InputError, match="does not lie on the scene") as error:
        open_dem(
            write_raster(tmp_path / "far.tif", np.zeros((3, 3), np.float32), transform=Affine(30, 0, 5e5, 0, -30, 3e6)),
            GRID,
        )
    assert "lon -118" in error.value.hint
