"""Indices by spyndex's names: our bands under its letters, what each needs, and what is refused with the reason."""

import sys

import numpy as np
import pytest

from geolabel.errors import BandError, MissingExtra, UnitError
from geolabel.scene.indices import index
from geolabel.scene.spectral import LETTERS, find
from rasters import scene_of

pytest.importorskip("spyndex")

ALL = {
    "coastal": 0.03, "blue": 0.04, "green": 0.07, "red": 0.06, "rededge071": 0.11, "rededge075": 0.22,
    "rededge078": 0.26, "nir": 0.28, "nir08": 0.30, "nir09": 0.29, "swir16": 0.22, "swir22": 0.12,
}  # fmt: skip


def value(name, bands=ALL, quantity="reflectance", **more):
    return float(index(scene_of(bands, quantity=quantity), name, **more).values[0, 0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NDWI", (0.07 - 0.30) / (0.07 + 0.30)),  # McFeeters 1996
        ("ndmi", (0.30 - 0.22) / (0.30 + 0.22)),  # Gao 1996
        ("gndvi", (0.30 - 0.07) / (0.30 + 0.07)),
        ("EVI", 2.5 * (0.30 - 0.06) / (0.30 + 6 * 0.06 - 7.5 * 0.04 + 1)),  # Huete et al. 2002
        ("CIRE", 0.30 / 0.11 - 1),  # Gitelson et al. 2003
        ("NDREI", (0.30 - 0.11) / (0.30 + 0.11)),
        ("NDCI", (0.11 - 0.06) / (0.11 + 0.06)),  # Mishra & Mishra 2012
    ],
)
def test_an_index_of_spyndex_is_that_of_its_paper_in_any_case(name, expected):
    assert value(name) == pytest.approx(expected, rel=1e-6)


def test_the_ten_metre_nir_is_taken_when_asked():
    assert value("gndvi", nir="nir") == pytest.approx((0.28 - 0.07) / (0.28 + 0.07), rel=1e-6)


def test_our_own_come_first_whatever_the_case():
    burned = {"nir08": 0.15, "swir22": 0.25}
    assert value("BAIM", burned) == pytest.approx(80.0, rel=1e-6)  # spyndex's brackets give 100
    assert (
        value("NBRplus")
        == value("nbr_plus")
        == pytest.approx((0.12 - 0.30 - 0.07 - 0.04) / (0.12 + 0.30 + 0.07 + 0.04))
    )
    with pytest.raises(BandError):
        find("BAIM")


def test_the_bareness_index_is_not_the_burned_area_index():
    assert value("BaI") == pytest.approx(0.06 + 0.22 - 0.30, rel=1e-5)  # Lin et al. 2005: R + SWIR1 - NIR
    assert value("BAI") == pytest.approx(1 / ((0.1 - 0.06) ** 2 + (0.06 - 0.30) ** 2), rel=1e-5)


def test_names_that_only_their_case_tells_apart_are_asked_for():
    with pytest.raises(BandError, match="MSR705 or mSR705"):
        value("msr705")
    assert value("MSR705") != value("mSR705")


@pytest.mark.parametrize("name", ["GNDVI", "NDMI", "CIG", "SR", "NDREI"])
def test_plain_ratios_take_dn(name):
    dn = {band: 10_000 * one for band, one in ALL.items()}
    assert value(name, dn, "dn") == pytest.approx(value(name), rel=1e-5)


@pytest.mark.parametrize("name", ["EVI", "SAVI", "ARI", "NBRSWIR", "BaI"])
def test_what_holds_constants_of_reflectance_refuses_dn(name):
    with pytest.raises(UnitError, match="needs reflectance"):
        value(name, quantity="dn")


@pytest.mark.parametrize("quantity", ["elevation_m", "gamma0_linear", "gamma0_db", "classes"])
@pytest.mark.parametrize("name", ["nbr", "mirbi", "NDWI"])
def test_numbers_of_another_kind_have_no_spectral_index(name, quantity):
    with pytest.raises(UnitError, match=quantity):
        value(name, quantity=quantity)


def test_radar_indices_take_linear_power_only():
    bands = {"vv": 0.1, "vh": 0.02}
    assert value("VHVVR", bands, "gamma0_linear") == pytest.approx(0.2, rel=1e-6)
    for quantity in ("gamma0_db", "reflectance"):
        with pytest.raises(UnitError, match="linear power"):
            value("VHVVR", bands, quantity)


@pytest.mark.parametrize(("name", "lacking"), [("NBRT1", "T"), ("kNDVI", "kNN"), ("FAI", "lambdaN")])
def test_what_asks_for_more_than_bands_is_refused_by_name(name, lacking):
    with pytest.raises(BandError, match=lacking):
        value(name)


def test_a_band_that_the_scene_lacks_is_named():
    with pytest.raises(BandError, match="rededge071"):
        value("NDREI", {"nir08": 0.3, "red": 0.1})


def test_without_spyndex_our_own_still_work_and_others_say_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "spyndex", None)
    assert value("nbr") == pytest.approx((0.30 - 0.12) / (0.30 + 0.12), rel=1e-6)
    with pytest.raises(MissingExtra, match="NDMI") as error:
        value("NDMI")
    assert "pip install" in error.value.hint


def computable():
    import spyndex

    for name in spyndex.indices:
        try:
            yield find(name)
        except BandError:
            continue


def test_every_index_that_bands_suffice_for_is_computed_without_a_warning_and_without_infinity():
    rng = np.random.default_rng(0)
    found = list(computable())
    assert len(found) > 200
    for what in found:
        assert set(what.bands) <= set(LETTERS.values())
        values = what.compute(*(np.append(rng.uniform(0.01, 0.6, 20), [0.0, np.nan]) for _ in what.bands))
        assert not np.isinf(values).any(), what.name
        assert np.isfinite(values).any(), what.name


@pytest.mark.parametrize("name", ["NDWI", "EVI"])
def test_they_are_lazy_the_same_in_any_chunks_and_named_the_same_every_time(name):
    rng = np.random.default_rng(0)
    bands = {band: rng.uniform(0.01, 0.6, (11, 13)) for band in ("blue", "green", "red", "nir08")}
    cut, whole, again = (index(scene_of(bands, chunks=c), name) for c in ((4, 3), -1, (4, 3)))
    assert cut.chunks is not None
    assert cut.dtype == np.float32
    np.testing.assert_array_equal(cut.values, whole.values)
    assert set(cut.data.dask) == set(again.data.dask)
