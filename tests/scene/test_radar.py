"""Radar: dB or linear by metadata only, conversion, change, and values that contradict what was said (DOMAIN, 1)."""

import dataclasses
import pickle

import numpy as np
import pytest

from geolabel.errors import GeolabelWarning, UnitError
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.radar import Backscatter, backscatter_of, calibrated, log_ratio, to_db, to_linear
from rasters import metric_grid, scene_of


def radar(values, quantity="gamma0_linear", **more):
    return scene_of({"vv": values}, quantity=quantity, **more)


def land(shape=(40, 50), seed=0):
    """Backscatter of vegetated ground, linear: about -11 dB with speckle."""
    return np.random.default_rng(seed).gamma(4.4, 0.08 / 4.4, shape).astype(np.float32)


class ArrayReader:
    """A reader over arrays, as a file's would be."""

    block = (16, 16)

    def __init__(self, bands):
        self.bands = bands

    def read(self, bands, rows, cols):
        return np.stack([self.bands[name][rows, cols] for name in bands])


def with_reader(scene):
    values = {name: scene.band(name).values for name in scene.bands}
    return dataclasses.replace(scene, reader=ArrayReader(values))


# ---------------------------------------------------------------------- what the metadata say
@pytest.mark.parametrize(
    ("tags", "more", "quantity", "scale"),
    [
        ({}, {"units": ("dB", "dB"), "names": ("gamma0_VV", "gamma0_VH")}, "gamma0_db", "db"),
        ({}, {"names": ("Sigma0_VV_db",)}, "sigma0_db", "db"),
        ({"BACKSCATTER_UNIT": "decibel", "CALIBRATION": "sigma_nought"}, {}, "sigma0_db", "db"),
        ({"radiometry": "gamma naught", "scale": "linear power"}, {}, "gamma0_linear", "linear"),
        ({"DESCRIPTION": "Terrain-corrected γ0 in linear units"}, {}, "gamma0_linear", "linear"),
        ({}, {"product": "S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A_VV.tif"}, "gamma0_linear", "linear"),
        ({}, {"product": "S1A_IW_20180128T161201_DVP_RTC30_G_sdwfcm_FD6A_VH.tif"}, "sigma0_db", "db"),
        ({}, {"product": "S1B_IW_20180128T161201_DVP_RTC10_G_gauned_FD6A"}, "gamma0_linear", "amplitude"),
    ],
)
def test_dB_or_linear_is_read_from_the_metadata(tags, more, quantity, scale):
    said = backscatter_of(tags, **more)
    assert (said.quantity, said.scale) == (quantity, scale)


@pytest.mark.parametrize(
    ("tags", "more"),
    [
        ({}, {"names": ("VV", "VH")}),
        ({"RESAMPLING": "linear", "AREA_OR_POINT": "Area"}, {"units": (None, "")}),
        ({"calibration": "gamma0"}, {}),
        ({}, {"product": "S1A_db_of_someone.tif"}),
    ],
)
def test_a_product_that_does_not_say_is_refused_with_the_way_out(tags, more):
    with pytest.raises(UnitError, match="dB or linear") as error:
        backscatter_of(tags, **more)
    assert "quantity='gamma0_db'" in error.value.hint


def test_metadata_that_disagree_are_decided_in_order_with_a_warning_and_recorded():
    with pytest.warns(GeolabelWarning, match="disagree"):
        said = backscatter_of({"scale": "linear"}, units=("dB",), names=("gamma0_vv",))
    assert said.quantity == "gamma0_db"
    assert "although the tag scale says linear" in said.why


def test_a_coefficient_that_nobody_names_is_assumed_with_a_warning():
    with pytest.warns(GeolabelWarning, match="gamma0 or sigma0"):
        said = backscatter_of({}, units=("dB",))
    assert said.quantity == "gamma0_db"
    assert "assumed" in said.why


def test_a_user_may_say_it():
    assert Backscatter.given("sigma0_db").quantity == "sigma0_db"
    with pytest.raises(UnitError, match="reflectance"):
        Backscatter.given("reflectance")


def test_amplitude_is_squared_and_the_audit_says_so():
    said = backscatter_of({}, product="S1A_IW_20180128T161201_DVP_RTC30_G_gauned_FD6A_VV")
    scene = calibrated(scene_of({"vv": np.sqrt(land())}, quantity="dn"), said)
    assert scene.quantity == "gamma0_linear"
    assert "squared" in scene.audit[-1]
    np.testing.assert_allclose(scene.band("vv").values, land(), rtol=1e-6)


# ---------------------------------------------------------------------- values against words
def test_dB_given_as_linear_is_refused_when_it_is_computed():
    scene = calibrated(radar(10 * np.log10(land()), "dn"), Backscatter.given("gamma0_linear"))
    with pytest.raises(UnitError, match="dB given as linear"):
        scene.data.compute()
    with pytest.raises(UnitError, match="dB given as linear"):
        to_db(radar(10 * np.log10(land()))).data.compute()


def test_linear_given_as_dB_is_refused_when_it_is_computed():
    scene = calibrated(radar(land(), "dn"), Backscatter.given("gamma0_db"))
    with pytest.raises(UnitError, match="linear given as dB"):
        scene.data.compute()


def test_noise_below_zero_and_a_few_bright_pixels_are_no_contradiction():
    noise = land() - 0.08
    assert noise.min() < 0
    np.testing.assert_array_equal(calibrated(radar(noise, "dn"), Backscatter.given("gamma0_linear")).band("vv"), noise)
    roofs = np.full((4, 5), 0.5, np.float32)  # too few to speak
    np.testing.assert_array_equal(calibrated(radar(roofs, "dn"), Backscatter.given("gamma0_db")).band("vv"), roofs)
    city = np.random.default_rng(0).uniform(0, 15, (40, 40)).astype(np.float32)
    np.testing.assert_array_equal(calibrated(radar(city, "dn"), Backscatter.given("gamma0_db")).band("vv"), city)


# ---------------------------------------------------------------------- conversion and change
def test_there_and_back_is_the_same_lazy_and_named():
    scene = radar(land(), chunks=(7, 11))
    db = to_db(scene)
    assert (db.quantity, to_linear(db).quantity) == ("gamma0_db", "gamma0_linear")
    assert db.data.vv.chunks == scene.data.vv.chunks
    assert db.data.attrs["quantity"] == "gamma0_db"
    np.testing.assert_allclose(to_linear(db).band("vv"), land(), rtol=1e-6)
    assert to_linear(scene) is scene
    assert db.digest != scene.digest


def test_no_power_has_no_dB():
    assert np.isnan(to_db(radar([[0.0, -0.01, np.nan]])).band("vv").values).all()


def test_conversion_keeps_the_short_way_to_the_pixels():
    scene = to_db(with_reader(radar(land())))
    rows, cols = slice(3, 20), slice(5, 9)
    np.testing.assert_array_equal(scene.read(["vv"], rows, cols)[0], scene.band("vv").values[rows, cols])
    assert pickle.loads(pickle.dumps(scene.reader)).block == (16, 16)


@pytest.mark.parametrize("quantities", [("gamma0_linear", "gamma0_linear"), ("gamma0_db", "gamma0_linear")])
def test_change_is_a_difference_in_dB(quantities):
    grid = metric_grid(1, 2)
    scenes = [scene_of({"vh": [[v, 0.0]]}, grid) for v in (0.020, 0.012)]
    scenes = [dataclasses.replace(scene, quantity="gamma0_linear") for scene in scenes]
    scenes = [to_db(s) if q == "gamma0_db" else s for s, q in zip(scenes, quantities, strict=True)]
    change = log_ratio(View("v", grid, dict(zip(("before", "after"), scenes, strict=True))), "vh")
    assert float(change[0, 0]) == pytest.approx(-2.218487, abs=2e-6)
    assert np.isnan(float(change[0, 1]))
    assert change.attrs["units"] == "dB"
    assert change.chunks is not None


def test_gamma0_is_not_compared_with_sigma0_nor_radar_with_light():
    grid = metric_grid(4, 5)
    one, two = (scene_of({"vv": np.full((4, 5), 0.1)}, grid, quantity=q) for q in ("gamma0_linear", "sigma0_linear"))
    with pytest.raises(UnitError, match="sigma0"):
        log_ratio(View("v", grid, {"before": one, "after": two}), "vv")
    with pytest.raises(UnitError, match="reflectance"):
        to_db(scene_of({"red": 0.1}))


# ---------------------------------------------------------------------- onto another grid
def test_dB_off_the_grid_is_averaged_in_power():
    """DOMAIN, 1: the mean of .01 and .03 is -16.9897 dB."""
    fine, coarse = metric_grid(2, 2, res_m=10.0), metric_grid(1, 1, res_m=20.0)
    scene = scene_of({"vv": 10 * np.log10([[0.01, 0.03], [0.03, 0.01]])}, fine, quantity="gamma0_db")
    radar_scene = align({"radar": scene}, grid=coarse)["radar"]
    assert radar_scene.band("vv").values[0, 0] == pytest.approx(-16.9897, abs=1e-4)
    assert radar_scene.quantity == "gamma0_db"
    assert [line.split()[0] for line in radar_scene.audit] == ["dB", "resampled", "linear"]


def test_dB_and_linear_come_out_the_same_on_another_grid():
    source, target = metric_grid(40, 50, res_m=10.0), metric_grid(15, 18, res_m=25.0)
    linear = scene_of({"vv": land()}, source, quantity="gamma0_linear")
    one, two = (align({"r": scene}, grid=target)["r"] for scene in (to_db(linear), linear))
    np.testing.assert_allclose(one.band("vv").values, to_db(two).band("vv").values, atol=1e-4)
