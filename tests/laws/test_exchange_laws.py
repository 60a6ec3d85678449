"""Laws of exchange: a format carries what it says, no more and no less; a loss is refused unless agreed to."""

import tempfile
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest
from benchmarks.roundtrip import WORST, both_ways, compared, measured, stated, there_and_back, worse
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import GRIDS, TILES, UTM, frame, labels, sample
from geolabel.dataset.formats.carries import Carries, refuse_loss
from geolabel.dataset.formats.registry import FORMATS, Writing, write
from geolabel.errors import InputError
from geolabel.grid import Tiling

PROPERTIES = ("geometry", "holes", "crs", "ids", "times", "attributes", "annotator", "confidence")
LEVELS = st.sampled_from(sorted(WORST))


@pytest.mark.parametrize("name", both_ways())
def test_a_format_carries_what_it_says_no_more_and_no_less(name, tmp_path):
    assert measured(name, sample(), tmp_path) == stated(name)


@pytest.mark.parametrize("where", GRIDS)
@pytest.mark.parametrize("name", both_ways())
def test_whatever_the_labels_no_format_loses_more_than_it_says(name, where):
    grid = GRIDS[where]

    @settings(max_examples=5 if where == "utm" else 3)
    @given(labels(grid))
    def law(one):
        with tempfile.TemporaryDirectory() as folder:
            found = measured(name, one, Path(folder), tiles=Tiling(grid, grid.tiles(32)))
        assert worse(found, stated(name)) == []

    law()


@cache
def given_back(name):
    """The sample as a format gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        return there_and_back(name, sample(), Path(folder))


@pytest.mark.parametrize(("first", "second"), list(permutations(both_ways(), 2)))
def test_from_format_to_format_no_more_is_lost_than_the_two_say(first, second, tmp_path):
    back = there_and_back(second, given_back(first), tmp_path)
    both = {key: max(stated(first)[key], stated(second)[key], key=WORST.__getitem__) for key in PROPERTIES}
    assert worse(compared(sample(), back, UTM), both) == []


@pytest.mark.parametrize("name", both_ways())
def test_no_labels_come_back_as_no_labels(name, tmp_path):
    assert len(there_and_back(name, sample().iloc[:0], tmp_path)) == 0


# ---------------------------------------------------------------------- a loss is refused unless agreed to
@st.composite
def carriers(draw):
    """What some format might carry."""
    return Carries(**{name: draw(LEVELS) for name in PROPERTIES})


SAID = {
    "times": ("start", "end", "labeled_at"),
    "attributes": ("severity", "severity_scheme", "masked_share", "attributes"),
    "annotator": ("annotator",),
    "confidence": ("confidence",),
}


@settings(max_examples=60)
@given(carriers(), labels(), st.data())
def test_an_export_is_refused_where_something_said_would_be_lost(carries, one, data):
    gone = {
        name
        for name, columns in SAID.items()
        if getattr(carries, name) == "no" and one[list(columns)].notna().any(axis=None)
    }
    holes = sum(len(part.interiors) for shape in one.geometry for part in getattr(shape, "geoms", [shape]))
    gone |= {"holes"} if holes and carries.holes == "no" else set()
    gone |= {"geometry"} if carries.geometry in ("box", "no") else set()
    lossy = data.draw(st.sets(st.sampled_from(sorted(SAID))) | st.booleans())
    left = set() if lossy is True else gone - (lossy or set())
    if left:
        with pytest.raises(InputError) as error:
            refuse_loss(one, carries, "it", lossy)
        assert all(name in error.value.message for name in left)
    else:
        refuse_loss(one, carries, "it", lossy)


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.writes])
@settings(max_examples=4)
@given(one=labels(kinds=("box",), holes=False, plain=True))
def test_plain_labels_are_never_refused(name, one):
    refuse_loss(one, FORMATS[name].carries, name, lossy=False)


def test_a_refusal_says_what_how_many_and_how_to_agree(tmp_path):
    with pytest.raises(InputError) as error:
        write(sample(), tmp_path / "yolo", "yolo", writing=Writing(tiles=TILES))
    words = str(error.value)
    assert "holes (2 holes)" in words
    assert "lossy=('holes', 'times', 'attributes', 'annotator', 'confidence')" in words
    assert not (tmp_path / "yolo").exists()


def test_agreeing_to_one_loss_is_not_agreeing_to_another(tmp_path):
    plain = frame({**row, "confidence": 0.5, "annotator": None} for row in _plain_rows())
    write(plain, tmp_path / "a", "yolo", writing=Writing(tiles=TILES), lossy=["confidence", "holes"])
    with pytest.raises(InputError, match="confidence"):
        write(plain, tmp_path / "b", "yolo", writing=Writing(tiles=TILES), lossy=["holes"])


def _plain_rows():
    return sample()[["label_id", "class", "geometry"]].to_dict("records")
