"""Laws of product metadata and files: three forms of an MTL are one, no cut of a JPEG 2000 file goes unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geolabel.errors import SourceError
from geolabel.scene.open import open_scene
from geolabel.scene.products.mtl import groups_of
from products import mtl_text, pixels, place, safe, write_jp2

KEYS = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True).filter(lambda key: key not in ("GROUP", "END_GROUP"))
VALUES = (
    st.text(st.characters(codec="ascii", exclude_characters='"<>&=\n\r'), max_size=20)
    .map(str.strip)
    .filter(lambda text: text.isprintable())
)
GROUPS = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(groups=GROUPS, form=st.sampled_from(["txt", "json", "xml"]))
def test_an_mtl_is_read_as_it_was_written_in_each_form(groups, form):
    assert groups_of(mtl_text(groups, form), f"a_MTL.{form}").groups == groups


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return write_jp2(tmp_path_factory.mktemp("jp2") / "a.jp2", pixels(20, 1), transform=place(20))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_cut_of_a_jpeg_2000_file_goes_unseen(image, data):
    whole = image.read_bytes()
    cut = image.with_name("cut.jp2")
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(SourceError, match=r"cut\.jp2"):
        open_scene(cut, at="2020-01-01", bands=["red"])


@settings(max_examples=8, deadline=None)
@given(offset=st.integers(-1500, 1500), divisor=st.sampled_from([1000, 10000, 20000]), seed=st.integers(0, 99))
def test_reflectance_is_plain_arithmetic_of_dn_whatever_the_metadata_list(tmp_path_factory, offset, divisor, seed):
    dn = pixels(20, seed, low=1, high=65535)
    folder = safe(
        tmp_path_factory.mktemp("s2"),
        bands=("B12",),
        dn={"B12": dn},
        offset=offset,
        quantification=divisor,
        baseline="x",
    )
    expected = np.where(dn == 0, np.nan, (dn.astype(np.float64) + offset) / divisor)
    np.testing.assert_allclose(open_scene(folder).data.swir22.values, expected, rtol=1e-6, atol=1e-7)
