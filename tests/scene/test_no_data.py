"""A scene of which nothing is left (a wrong nodata value, all cloud): no warning on the way, an error where it matters."""

import numpy as np
import pytest

from geolabel.errors import InputError
from geolabel.scene.align import align
from geolabel.scene.flow import twi
from geolabel.scene.indices import dnbr, index, nbr, ring_offset
from geolabel.scene.open import open_scene
from geolabel.scene.radar import to_db
from geolabel.scene.speckle import lee, looks_of, refined_lee, temporal_mean
from geolabel.scene.terrain import hillshade, tpi
from rasters import metric_grid, scene_of, write_raster

NOTHING = np.full((20, 22), np.nan)


@pytest.fixture
def view(tmp_path):
    """A pair whose files declare as nodata the value of all their pixels."""
    values = np.full((2, 20, 22), 7000, np.uint16)
    paths = [write_raster(tmp_path / f"{n}.tif", values, names=["nir08", "swir22"], nodata=7000) for n in "ab"]
    before, after = (open_scene(path, sensor="reflectance", at="2020-06-01") for path in paths)
    return align({"before": before, "after": after})


def test_a_wrong_nodata_value_leaves_nothing_and_the_audit_names_it(view):
    assert not view["before"].valid.values.any()
    assert any("7000" in line for line in view["before"].audit)
    assert np.isnan(nbr(view["before"]).values).all()


def test_the_offset_of_unburned_ground_is_refused_where_no_ground_is_seen(view):
    with pytest.raises(InputError, match="no valid unburned pixel"):
        ring_offset(dnbr(view), np.zeros(view.grid.shape, bool), view.grid)


@pytest.mark.parametrize(
    ("quantity", "band", "what"),
    [
        ("elevation_m", "elevation", hillshade),
        ("elevation_m", "elevation", lambda scene: tpi(scene, 100)),
        ("gamma0_linear", "vv", lambda scene: to_db(scene).band("vv")),
        ("gamma0_db", "vv", lambda scene: lee(scene, looks=4).band("vv")),
        ("gamma0_db", "vv", lambda scene: refined_lee(scene, looks=4).band("vv")),
        ("gamma0_db", "vv", lambda scene: temporal_mean([scene, scene]).band("vv")),
        ("classes", "fuel", lambda scene: align({"c": scene}, grid=metric_grid(7, 7, res_m=90.0))["c"].band("fuel")),
        ("gamma0_db", "vv", lambda scene: align({"r": scene}, grid=metric_grid(7, 7, res_m=90.0))["r"].band("vv")),
    ],
)
def test_nothing_stays_nothing_without_a_warning(quantity, band, what):
    assert np.isnan(what(scene_of({band: NOTHING}, quantity=quantity)).values).all()


def test_what_must_have_ground_says_that_it_has_none():
    with pytest.raises(InputError, match="without any height"):
        twi(scene_of({"elevation": NOTHING}, quantity="elevation_m")).compute()
    with pytest.raises(InputError, match="0 valid pixels"):
        looks_of(NOTHING)


def test_an_index_of_nothing_is_nothing():
    assert np.isnan(index(scene_of({"red": NOTHING, "nir08": NOTHING}), "bai").values).all()
