"""Landforms: what simple surfaces are, and what turning, mirroring, raising and stretching a surface must do."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geolabel.errors import CRSError, InputError, UnitError
from geolabel.grid import Grid
from geolabel.label.landform import FORM_OF, LANDFORM, geomorphons, landform, landform_codes
from geolabel.ontology import NODATA
from geolabel.shapes import rasterise
from geolabel.steps.cover import landform as landform_of
from geolabel.tables import SHAPES, check
from rasters import metric_grid, scene_of

CODE = {one.name: one.code for one in LANDFORM}
UPSIDE_DOWN = {
    "flat": "flat",
    "peak": "pit",
    "ridge": "valley",
    "shoulder": "footslope",
    "spur": "hollow",
    "slope": "slope",
}
N = 41
Y, X = np.mgrid[:N, :N] - N // 2
HOW = {"reach": 8, "res_m": 30.0, "flat_deg": 1.0}


def names(z, **how):
    codes = geomorphons(np.asarray(z, float), **{**HOW, **how})
    return np.vectorize(lambda code: LANDFORM.by_code(code).name if code != NODATA else "-")(codes)


def test_simple_surfaces_are_what_they_are_called():
    middle, inner = N // 2, (slice(10, -10), slice(10, -10))
    assert (names(np.zeros((N, N))) == "flat").all()
    assert (names(20.0 * X + 10.0 * Y)[inner] == "slope").all()
    cone = -15 * np.hypot(X, Y)
    assert names(cone)[middle, middle] == "peak"
    assert names(-cone)[middle, middle] == "pit"
    assert (np.isin(names(cone)[inner], ["peak", "slope", "spur", "ridge"])).all()
    valley = 15.0 * np.abs(X)
    assert (names(valley)[10:-10, middle] == "valley").all()
    assert (names(-valley)[10:-10, middle] == "ridge").all()
    assert (names(valley)[10:-10, 12:16] == "slope").all()
    terrace = np.where(X < 0, 15.0 * X, 0.0)  # a flat above a slope
    assert (names(terrace)[10:-10, middle] == "shoulder").all()
    assert (names(-terrace)[10:-10, middle] == "footslope").all()


def test_the_ground_is_flat_up_to_the_given_angle():
    for degrees, flat in ((0.4, True), (0.8, False)):  # rising on one side and falling on the other: twice the angle
        z = 30 * np.tan(np.radians(degrees)) * X
        assert (names(z)[12:-12, 12:-12] == ("flat" if flat else "slope")).all()


def turned(codes):
    """Codes of the same surface upside down."""
    both = {**UPSIDE_DOWN, **{b: a for a, b in UPSIDE_DOWN.items()}}
    table = np.full(256, NODATA, np.uint8)
    for one, other in both.items():
        table[CODE[one]] = CODE[other]
    return table[codes]


def test_the_table_of_forms_is_its_own_mirror_image():
    there = np.add.outer(np.arange(9), np.arange(9)) <= 8
    np.testing.assert_array_equal(turned(FORM_OF)[there], FORM_OF.T[there])
    assert (FORM_OF[~there] == NODATA).all()
    assert set(FORM_OF[there]) == set(CODE.values())


@st.composite
def surfaces(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(4, 30)), draw(st.integers(4, 30))
    z = ndimage.gaussian_filter(rng.normal(0, 1, shape), draw(st.sampled_from([0.7, 2.0])))
    z = (
        np.round(z / max(z.std(), 1e-9) * draw(st.sampled_from([5.0, 40.0])) * 64) / 64
    )  # sums with whole metres are exact
    z[rng.random(shape) < draw(st.sampled_from([0.0, 0.05]))] = np.nan
    return z


@settings(max_examples=25, deadline=None)
@given(surfaces(), st.integers(1, 9), st.sampled_from([0.0, 1.0, 5.0]))
def test_forms_follow_the_surface(z, reach, flat_deg):
    how = {"reach": reach, "res_m": 30.0, "flat_deg": flat_deg}
    codes = geomorphons(z, **how)
    np.testing.assert_array_equal(codes == NODATA, np.isnan(z))
    for turn in (np.rot90, np.flipud, np.transpose):
        np.testing.assert_array_equal(geomorphons(turn(z).copy(), **how), turn(codes))
    np.testing.assert_array_equal(geomorphons(-z, **how), turned(codes))
    np.testing.assert_array_equal(geomorphons(z + 1024, **how), codes)
    np.testing.assert_array_equal(geomorphons(2 * z, reach=reach, res_m=60.0, flat_deg=flat_deg), codes)


@settings(max_examples=20, deadline=None)
@given(surfaces(), st.integers(1, 9), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_forms_do_not_depend_on_how_the_dem_is_cut(z, reach, chunks):
    grid = metric_grid(*z.shape)
    whole = landform_codes(z, grid, search_m=reach * 30.0)
    cut = landform_codes(da.from_array(z, chunks=chunks), grid, search_m=reach * 30.0)
    np.testing.assert_array_equal(whole.values, cut.values)


def test_polygons_cover_known_ground_once_under_their_own_class_list():
    rng = np.random.default_rng(0)
    z = 200 * ndimage.gaussian_filter(rng.normal(0, 1, (60, 50)), 4)
    z[:5, :5] = np.nan
    dem = scene_of({"elevation": z}, metric_grid(60, 50), quantity="elevation_m", chunks=(13, 17))
    found = landform_of(dem, search_m=240, min_area_ha=0)
    check(found, SHAPES)
    codes = landform_codes(z.astype(np.float32), dem.grid, search_m=240).values
    painted = rasterise(found, dem.grid, [LANDFORM[name].code for name in found["class"]], fill=NODATA)
    np.testing.assert_array_equal(painted, codes)
    merged = landform_of(dem, search_m=240, min_area_ha=2)
    assert merged.geometry.area.sum() == found.geometry.area.sum()
    assert len(merged) < len(found)


def test_what_is_no_dem_is_refused():
    grid = metric_grid(9, 9)
    with pytest.raises(UnitError, match="not of heights"):
        landform_of(scene_of({"elevation": np.ones((9, 9))}, grid))
    with pytest.raises(InputError, match="search of 10 m"):
        landform_codes(np.ones((9, 9)), grid, search_m=10)
    with pytest.raises(InputError, match="on a grid"):
        landform_codes(np.ones((3, 3)), grid)
    with pytest.raises(InputError, match="on a grid"):
        landform(np.ones((3, 3)), grid)
    with pytest.raises(CRSError):
        landform_codes(np.ones((9, 9)), Grid.of("EPSG:4326", grid.transform, grid.shape))
