"""Indices: the numbers of DOMAIN sections 1 and 2, units, laziness, NaN."""

import numpy as np
import pytest

from geolabel.errors import BandError, InputError, UnitError
from geolabel.label.severity import classify, scheme_of
from geolabel.nouns.view import View
from geolabel.scene.indices import INDICES, dnbr, index, mndwi, nbr, ndvi, rbr, rdnbr, ring_offset, times_1000
from rasters import metric_grid, scene_of


def view_of(before, after, **more):
    grid = metric_grid(*np.atleast_2d(before["nir08"]).shape)
    return View("v", grid, {"before": scene_of(before, grid, **more), "after": scene_of(after, grid, **more)})


def value(array):
    return float(array.values[0, 0])


PRE, POST = {"nir08": 0.30, "swir22": 0.12}, {"nir08": 0.15, "swir22": 0.25}


def test_the_burn_indices_give_the_published_numbers():
    view = view_of(PRE, POST)
    assert value(nbr(view["before"])) == pytest.approx(0.428571, abs=1e-6)
    assert value(nbr(view["after"])) == pytest.approx(-0.25, abs=1e-6)
    assert value(dnbr(view)) == pytest.approx(0.678571, abs=1e-6)
    assert value(rdnbr(view)) == pytest.approx(1036.535, abs=1e-3)
    assert value(rbr(view)) == pytest.approx(0.474668, abs=1e-6)
    assert [a(view).attrs["units"] for a in (dnbr, rdnbr, rbr)] == ["x1", "x1000", "x1"]


def test_an_index_times_1000_says_so_and_feeds_its_scheme():
    index = times_1000(rbr(view_of(PRE, POST)))
    assert value(index) == pytest.approx(474.668, abs=1e-3)
    assert classify(index, scheme_of("parks-rbr")).values[0, 0] == 4
    with pytest.raises(UnitError, match="already"):
        times_1000(index)
    with pytest.raises(UnitError):
        classify(rbr(view_of(PRE, POST)), scheme_of("parks-rbr"))


def test_relative_change_has_a_value_where_the_burn_ratio_was_negative():
    """NBR -.05 before, dNBR .2."""
    view = view_of({"nir08": 0.475, "swir22": 0.525}, {"nir08": 0.375, "swir22": 0.625})
    assert value(rdnbr(view)) == pytest.approx(894.43, abs=0.01)


def test_nbr_of_landsat_reflectance_is_not_nbr_of_its_numbers():
    dn = np.array([18000.0, 12000.0])
    nir, swir = dn * 2.75e-5 - 0.2
    assert value(nbr(scene_of({"nir08": nir, "swir22": swir}))) == pytest.approx(0.388235, abs=1e-6)
    assert value(nbr(scene_of({"nir08": dn[0], "swir22": dn[1]}, quantity="dn"))) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (
            (0.04, 0.045, 0.05, 0.12, 0.14, 0.15, 0.24, 0.25),
            {"bais2": 0.898118, "mirbi": 2.148, "nbr2": -0.020408, "nbr_plus": 0.030928},
        ),
        (
            (0.03, 0.05, 0.03, 0.22, 0.28, 0.30, 0.16, 0.08),
            {"bais2": 0.138361, "mirbi": 1.232, "nbr2": 0.333333, "nbr_plus": -0.652174},
        ),
        ((0.04, 0.05, 0.08, 0.1, 0.1, 0.15, 0.2, 0.25), {"baim": 80.0, "bai": 1 / (0.02**2 + 0.09**2)}),
    ],
)
def test_the_spectral_indices_give_the_published_numbers(bands, expected):
    names = ("blue", "green", "red", "rededge075", "rededge078", "nir08", "swir16", "swir22")
    scene = scene_of(dict(zip(names, bands, strict=True)))
    assert {name: value(index(scene, name)) for name in expected} == pytest.approx(expected, rel=1e-6, abs=6e-7)


def test_ndvi_and_mndwi_part_plants_and_water():
    scene = scene_of({"green": [0.1, 0.08], "red": [0.05, 0.07], "nir08": [0.45, 0.03], "swir16": [0.2, 0.02]})
    assert ndvi(scene).values[0].tolist() == pytest.approx([0.8, -0.4], abs=1e-6)
    assert mndwi(scene).values[0].tolist() == pytest.approx([-1 / 3, 0.6], abs=1e-6)


@pytest.mark.parametrize("name", ["mirbi", "bai", "baim", "bais2"])
def test_indices_of_absolute_reflectance_refuse_dn(name):
    scene = scene_of(dict.fromkeys(INDICES[name].bands, 60.0), quantity="dn")
    with pytest.raises(UnitError, match="needs reflectance"):
        index(scene, name)


@pytest.mark.parametrize("name", sorted(INDICES))
def test_no_index_warns_or_makes_infinity_of_nothing(name):
    scene = scene_of({band: [0.0, np.nan, -0.01, 0.3] for band in INDICES[name].bands})
    values = index(scene, name).values[0]
    assert not np.isinf(values).any()
    assert np.isnan(values[1])


def test_nothing_over_nothing_is_nan():
    values = nbr(scene_of({"nir08": [0.0, 0.1], "swir22": [0.0, -0.1]})).values
    assert np.isnan(values).all()


@pytest.mark.parametrize("name", sorted(INDICES))
def test_indices_are_lazy_and_do_not_depend_on_the_chunks(name):
    rng = np.random.default_rng(0)
    bands = {band: rng.uniform(0.01, 0.6, (11, 13)) for band in INDICES[name].bands}
    cut, whole = (index(scene_of(bands, chunks=c), name) for c in ((4, 3), -1))
    assert cut.chunks is not None
    assert cut.dtype == np.float32
    np.testing.assert_array_equal(cut.values, whole.values)


def test_the_graph_has_the_same_names_every_time():
    view = view_of(PRE, POST)
    one, two = (set(dnbr(view, offset=-0.1).data.dask) for _ in range(2))
    assert one == two


def test_a_missing_band_and_an_unknown_index_are_named():
    scene = scene_of({"red": 0.1})
    with pytest.raises(BandError, match="nir08"):
        nbr(scene)
    with pytest.raises(BandError) as error:
        index(scene, "ndvy")
    assert "'ndvi'" in error.value.hint


def test_sentinel_ten_metre_nir_is_taken_only_when_asked():
    scene = scene_of({"nir": 0.3, "nir08": 0.35, "swir22": 0.1})
    assert value(nbr(scene)) == pytest.approx(0.25 / 0.45, abs=1e-6)
    assert value(nbr(scene, nir="nir")) == pytest.approx(0.5, abs=1e-6)


def test_the_unburned_ring_takes_the_drift_between_dates_away():
    """A scar that drops by .5 in a scene that drifts by .08: the offset is the drift."""
    grid = metric_grid(60, 60)
    scar = np.zeros(grid.shape, bool)
    scar[25:35, 25:35] = True
    change = np.where(scar, 0.58, 0.08)
    change[:5] = 9  # far away, another story
    assert ring_offset(change, scar, grid) == pytest.approx(0.08)
    before = {"nir08": np.full(grid.shape, 0.3), "swir22": np.full(grid.shape, 0.12)}
    after = {"nir08": np.where(scar, 0.15, 0.28), "swir22": np.where(scar, 0.25, 0.13)}
    view = view_of(before, after)
    corrected = dnbr(view, offset=ring_offset(dnbr(view), scar, grid)).values
    assert corrected[~scar].max() == pytest.approx(0, abs=1e-6)
    assert corrected[scar].min() == pytest.approx(0.678571 - (0.428571 - 0.15 / 0.41), abs=1e-5)


def test_a_ring_without_pixels_is_refused():
    grid = metric_grid(5, 5)
    with pytest.raises(InputError, match="no valid unburned"):
        ring_offset(np.zeros(grid.shape), np.ones(grid.shape, bool), grid)
