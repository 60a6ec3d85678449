"""What is lazy goes to another process and gives the same there: no graph holds a handle, a lock or a local function."""

import cloudpickle
import dask
import numpy as np
import pytest

from geolabel.scene.align import align
from geolabel.scene.flow import twi
from geolabel.scene.indices import index
from geolabel.scene.radar import to_db
from geolabel.scene.speckle import lee, refined_lee, temporal_mean
from geolabel.scene.terrain import hillshade, slope_aspect, tpi
from rasters import metric_grid, scene_of

GRID = metric_grid(30, 34)


def scene(quantity, *bands):
    rng = np.random.default_rng(0)
    return scene_of({band: rng.uniform(0.01, 0.5, GRID.shape) for band in bands}, GRID, quantity=quantity, chunks=13)


def dem():
    return scene("elevation_m", "elevation")


def radar():
    return scene("gamma0_linear", "vv")


THINGS = {
    "slope": lambda: slope_aspect(dem()).slope_deg,
    "hillshade": lambda: hillshade(dem()),
    "position": lambda: tpi(dem(), 100),
    "wetness": lambda: twi(dem()),
    "own index": lambda: index(scene("reflectance", "nir08", "swir22"), "nbr"),
    "spyndex": lambda: index(scene("reflectance", "green", "nir08"), "NDWI"),
    "dB": lambda: to_db(radar()).band("vv"),
    "lee": lambda: lee(radar(), looks=4).band("vv"),
    "refined lee": lambda: refined_lee(radar(), looks=4).band("vv"),
    "mean of dates": lambda: temporal_mean([radar(), radar()]).band("vv"),
    "aligned": lambda: align({"r": radar()}, grid=metric_grid(13, 14, res_m=70.0))["r"].band("vv"),
    "classes": lambda: align({"c": scene("classes", "fuel")}, grid=metric_grid(13, 14, res_m=70.0))["c"].band("fuel"),
}


@pytest.mark.parametrize("what", THINGS)
def test_a_graph_that_was_sent_gives_the_same_and_has_the_same_names(what):
    if what == "spyndex":
        pytest.importorskip("spyndex")
    here = THINGS[what]()
    assert here.chunks is not None
    (sent,) = dask.optimize(cloudpickle.loads(cloudpickle.dumps(here)))
    np.testing.assert_array_equal(sent.values, here.values)
    assert set(here.data.dask) == set(THINGS[what]().data.dask)
