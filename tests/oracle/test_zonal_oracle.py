"""Zonal statistics against exactextract on the whole file, and rasterstats, which counts pixels by their centres."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from exactextract import exact_extract
from rasterstats import zonal_stats

from geolabel.scene.open import open_scene
from geolabel.scene.zonal import zonal
from rasters import metric_grid, write_raster

GRID = metric_grid(1300, 1100, 30.0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    generator = np.random.default_rng(4)
    values = generator.normal(300, 80, (2, *GRID.shape)).astype(np.float32)
    values[:, 200:420, 300:700] = np.nan
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "nodata": np.nan}
    return write_raster(
        tmp_path_factory.mktemp("zonal") / "two.tif", values, transform=GRID.transform, names=("red", "nir08"), **tiled
    )


@pytest.fixture(scope="module")
def zones():
    generator = np.random.default_rng(5)
    spots = generator.uniform(0, 1, (120, 2)) * GRID.shape[::-1]
    blobs = [
        shapely.Point(*(GRID.transform @ tuple(spot))).buffer(radius * 30)
        for spot, radius in zip(spots, generator.lognormal(3, 1, 120), strict=True)
    ]
    ring = blobs[0].buffer(6000).difference(blobs[0].buffer(2500))
    return gpd.GeoDataFrame(geometry=[*blobs, ring, shapely.union_all(blobs[5:9])], crs="EPSG:32611")


def test_equal_to_exactextract_on_the_whole_file(path, zones):
    scene = open_scene(path, sensor="generic", at="2020-06-01")
    ours = zonal(zones, scene, ("mean", "count", "std", "min", "max", "median"), memory_mb=6)
    theirs = exact_extract(str(path), zones, ["mean", "count", "stdev", "min", "max", "median"], output="pandas")
    for stat, its in (("mean", "mean"), ("count", "count"), ("std", "stdev"), ("min", "min"), ("max", "max"), ("median", "median")):  # fmt: skip
        for n, band in enumerate(scene.bands, start=1):
            expected = theirs[f"band_{n}_{its}"].to_numpy(float)
            np.testing.assert_allclose(ours[f"{band}_{stat}"], expected, rtol=2e-5, atol=1e-4, err_msg=f"{band} {stat}")


def test_near_rasterstats_on_large_polygons(path, zones):
    """Centres in or out against exact shares: on polygons of more than 500 pixels the means agree within one deviation."""
    large = zones[zones.area > 500 * 900]
    scene = open_scene(path, sensor="generic", at="2020-06-01")
    ours = zonal(large, scene, ("mean", "count"), bands=scene.bands[:1])
    theirs = zonal_stats(large, str(path), stats=["mean", "count"], band=1, nodata=np.nan)
    counts = np.array([one["count"] for one in theirs], float)
    many = counts > 500
    assert many.sum() > 20
    means = np.array([one["mean"] for one in theirs], float)
    band = scene.bands[0]
    np.testing.assert_allclose(ours[f"{band}_count"][many], counts[many], rtol=0.03)
    np.testing.assert_allclose(ours[f"{band}_mean"][many], means[many], atol=80 / np.sqrt(500))
