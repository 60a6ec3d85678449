"""Speckle filters: uniform ground stays, variance falls, power is kept, edges stay sharper than under a mean."""

import numpy as np
import pytest
from scipy import ndimage

from geolabel.errors import BandError, InputError, UnitError
from geolabel.scene.radar import to_db
from geolabel.scene.speckle import lee, looks_of, refined_lee, temporal_mean
from rasters import metric_grid, scene_of

LOOKS = 4.4
FILTERS = [lambda scene: lee(scene, looks=LOOKS), lambda scene: refined_lee(scene, looks=LOOKS)]
NAMES = ["lee", "refined lee"]


def radar(values, quantity="gamma0_linear", **more):
    return scene_of({"vv": values}, quantity=quantity, **more)


def speckled(ground, looks=LOOKS, seed=0):
    """Fully developed speckle: gamma distributed about the ground, mean^2 / variance = looks (Goodman 1976)."""
    rng = np.random.default_rng(seed)
    return (ground * rng.gamma(looks, 1 / looks, np.shape(ground))).astype(np.float32)


@pytest.mark.parametrize("smooth", FILTERS, ids=NAMES)
class TestFilter:
    def test_uniform_ground_is_unchanged_and_gaps_stay_gaps(self, smooth):
        values = np.full((20, 21), 0.0731, np.float32)
        values[4:6, 7] = np.nan
        np.testing.assert_array_equal(smooth(radar(values)).band("vv").values, values)

    def test_variance_falls_and_power_is_kept(self, smooth):
        noisy = speckled(np.full((200, 200), 0.05))
        quiet = smooth(radar(noisy)).band("vv").values
        assert looks_of(quiet) > 3 * LOOKS
        assert quiet.mean() == pytest.approx(noisy.mean(), rel=0.01)

    def test_an_edge_is_kept_better_than_by_a_mean(self, smooth):
        ground = np.where(np.arange(120)[None, :] < 60, 0.02, 0.2) * np.ones((120, 1))
        noisy = speckled(ground)
        near = np.s_[10:-10, 58:62]
        ours = smooth(radar(noisy)).band("vv").values
        mean = ndimage.uniform_filter(noisy, 7)
        assert abs(ours - ground)[near].mean() < 0.6 * abs(mean - ground)[near].mean()

    @pytest.mark.parametrize("chunks", [(7, 5), (1, 40), (30, 2)])
    def test_chunks_change_nothing(self, smooth, chunks):
        values = speckled(np.full((33, 29), 0.05))
        values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
        cut = smooth(radar(values, chunks=chunks))
        assert cut.data.vv.chunks is not None
        np.testing.assert_array_equal(cut.band("vv").values, smooth(radar(values)).band("vv").values)

    def test_a_missing_pixel_counts_for_nothing(self, smooth):
        """A gap, not a dark pixel: its neighbours see only what is there."""
        values = np.full((15, 15), 0.1, np.float32)
        values[7, 7] = np.nan
        assert np.nanmin(smooth(radar(values)).band("vv").values) == np.float32(0.1)

    def test_dB_is_filtered_in_power_and_given_back_in_dB(self, smooth):
        linear = radar(speckled(np.full((40, 40), 0.05)))
        db = smooth(to_db(linear))
        assert db.quantity == "gamma0_db"
        assert "in linear power" in db.audit[-1]
        np.testing.assert_allclose(db.band("vv").values, to_db(smooth(linear)).band("vv").values, atol=1e-4)

    def test_what_is_no_radar_is_refused(self, smooth):
        with pytest.raises(UnitError, match="reflectance"):
            smooth(scene_of({"red": np.ones((9, 9))}))


def test_refined_windows_keep_corners_and_thin_water_sharper():
    ground = np.full((90, 90), 0.2)
    row, col = np.mgrid[:90, :90]
    ground[(row - col) > 10] = 0.02  # a slanted edge
    noisy = radar(speckled(ground, seed=3))
    near = abs((row - col) - 10.5) < 2
    plain, refined = (abs(f(noisy).band("vv").values - ground)[near].mean() for f in (FILTERS[0], FILTERS[1]))
    assert refined < plain


def test_strong_scatterers_survive():
    values = speckled(np.full((41, 41), 0.05))
    values[20, 20] = 30.0
    assert lee(radar(values), looks=LOOKS).band("vv").values[20, 20] > 20


@pytest.mark.parametrize(
    "bad", [{"looks": 0}, {"looks": float("nan")}, {"looks": 4, "window": 4}, {"looks": 4, "window": 1}]
)
def test_impossible_filters_are_refused(bad):
    with pytest.raises(InputError):
        lee(radar(np.ones((9, 9))), **bad)


# ---------------------------------------------------------------------- several dates
def test_the_mean_of_dates_is_taken_in_power():
    """DOMAIN, 1: the mean of .01 and .03 is -16.9897 dB; a date without a value counts for nothing."""
    grid = metric_grid(1, 3)
    values = [[0.01, 0.01, np.nan]], [[0.03, np.nan, np.nan]]
    one, two = (
        to_db(scene_of({"vv": v}, grid, quantity="gamma0_linear", name=n)) for v, n in zip(values, "ab", strict=True)
    )
    mean = temporal_mean([one, two])
    assert mean.band("vv").values[0, :2] == pytest.approx([-16.9897, -20], abs=1e-4)
    assert np.isnan(mean.band("vv").values[0, 2])
    assert mean.quantity == "gamma0_db"
    assert mean.source == ("a.tif", "b.tif")
    assert "a, b" in mean.audit[0]


def test_n_dates_have_n_times_the_looks():
    grid = metric_grid(150, 150)
    dates = [
        scene_of({"vv": speckled(np.full(grid.shape, 0.05), seed=i)}, grid, quantity="gamma0_linear", chunks=(64, 50))
        for i in range(5)
    ]
    assert looks_of(temporal_mean(dates).band("vv")) == pytest.approx(5 * LOOKS, rel=0.05)


def test_dates_that_do_not_belong_together_are_refused():
    one = radar(np.full((4, 5), 0.1))
    with pytest.raises(InputError, match="no scenes"):
        temporal_mean([])
    with pytest.raises(InputError, match="lies on"):
        temporal_mean([one, radar(np.full((5, 5), 0.1))])
    with pytest.raises(BandError, match="vh"):
        temporal_mean([one, scene_of({"vh": np.full((4, 5), 0.1)}, quantity="gamma0_linear")])
    with pytest.raises(UnitError, match="sigma0"):
        temporal_mean([one, radar(np.full((4, 5), 0.1), "sigma0_linear")])


def test_looks_of_what_has_no_speckle_is_refused():
    assert looks_of(speckled(np.full((300, 300), 0.1))) == pytest.approx(LOOKS, rel=0.03)
    with pytest.raises(InputError, match="no speckle"):
        looks_of(np.full((3, 3), np.nan))
