"""Laws of exchange: a format carries what it says, no more and no less; a loss is refused unless agreed to."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.roundtrip import PROPERTIES, WORST, both_ways, converted, measured, stated, there_and_back, worse
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import GRIDS, TILES, frame, labels, sample
from geolabel.dataset.about import About
from geolabel.dataset.formats.carries import Carries, refuse_loss
from geolabel.dataset.formats.registry import FORMATS, Writing, write
from geolabel.errors import InputError
from geolabel.grid import Tiling

LEVELS = st.sampled_from(sorted(WORST))


@pytest.mark.parametrize("name", both_ways())
def test_a_format_carries_what_it_says_no_more_and_no_less(name, tmp_path):
    assert measured(name, sample(), tmp_path) == stated(name)


NORTH_UP = ("stac", "stac-geoparquet")
"""Formats made of labeled tiles, whose pixels are north-up."""
CASES = [(name, where) for name in both_ways() for where in GRIDS if not (where == "turned" and name in NORTH_UP)]


WHEN = pd.Timestamp("2009-08-26T22:00Z")


def dated(one):
    """Labels that all have a time: an item of STAC must have one."""
    return one.assign(start=one["start"].fillna(WHEN), end=one["end"].fillna(WHEN))


@pytest.mark.parametrize(("name", "where"), CASES)
def test_whatever_the_labels_no_format_loses_more_than_it_says(name, where):
    grid = GRIDS[where]

    @settings(max_examples=3 if where == "utm" else 2)
    @given(labels(grid))
    def law(one):
        with tempfile.TemporaryDirectory() as folder:
            given = dated(one) if name in NORTH_UP else one
            found = measured(name, given, Path(folder), tiles=Tiling(grid, grid.tiles(32)))
        assert worse(found, stated(name)) == []

    law()


def _neighbours():
    """Each format with the next: every one is once the source and once the target (all pairs: `make evidence`)."""
    names = both_ways()
    return list(zip(names, names[1:] + names[:1], strict=True))


@pytest.mark.parametrize(("first", "second"), _neighbours())
def test_from_format_to_format_no_more_is_lost_than_the_two_say(first, second, tmp_path):
    assert converted(first, second, tmp_path) == []


@pytest.mark.parametrize("name", both_ways())
def test_no_labels_come_back_as_no_labels(name, tmp_path):
    about = About(start=WHEN.to_pydatetime(), end=WHEN.to_pydatetime())
    assert len(there_and_back(name, sample().iloc[:0], tmp_path, about=about)) == 0


# ---------------------------------------------------------------------- a loss is refused unless agreed to
@st.composite
def carriers(draw):
    """What some format might carry."""
    shape = draw(st.sampled_from(["exact", "box"]))
    return Carries(geometry=shape, **{name: draw(LEVELS) for name in PROPERTIES if name != "geometry"})


SAID = {
    "times": ("start", "end", "labeled_at"),
    "attributes": ("severity", "severity_scheme", "masked_share", "attributes"),
    "annotator": ("annotator",),
    "confidence": ("confidence",),
}


@settings(max_examples=25)
@given(carriers(), labels(), st.data())
def test_an_export_is_refused_where_something_said_would_be_lost(carries, one, data):
    gone = {
        name
        for name, columns in SAID.items()
        if getattr(carries, name) == "no" and one[list(columns)].notna().any(axis=None)
    }
    holes = sum(len(part.interiors) for shape in one.geometry for part in getattr(shape, "geoms", [shape]))
    gone |= {"holes"} if holes and carries.holes == "no" else set()
    gone |= {"geometry"} if carries.geometry == "box" else set()
    gone |= {"ids"} if len(one) and carries.ids == "no" else set()
    lossy = data.draw(st.sets(st.sampled_from([*sorted(SAID), "ids"])) | st.booleans())
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
def test_plain_labels_are_refused_for_their_ids_at_most(name, one):
    assert set(FORMATS[name].carries.lost(one)) == ({"ids"} if FORMATS[name].carries.ids == "no" else set())
    refuse_loss(one, FORMATS[name].carries, name, lossy=("ids",))


def test_a_refusal_says_what_how_many_and_how_to_agree(tmp_path):
    with pytest.raises(InputError) as error:
        write(sample(), tmp_path / "yolo", "yolo", writing=Writing(tiles=TILES))
    words = str(error.value)
    assert "holes (2 holes)" in words
    assert "lossy=('holes', 'ids', 'times', 'attributes', 'annotator', 'confidence')" in words
    assert not (tmp_path / "yolo").exists()


def test_agreeing_to_one_loss_is_not_agreeing_to_another(tmp_path):
    plain = frame({**row, "confidence": 0.5, "annotator": None} for row in _plain_rows())
    write(plain, tmp_path / "a", "yolo", writing=Writing(tiles=TILES), lossy=["confidence", "holes", "ids"])
    with pytest.raises(InputError, match="confidence"):
        write(plain, tmp_path / "b", "yolo", writing=Writing(tiles=TILES), lossy=["holes", "ids"])


def _plain_rows():
    return sample()[["label_id", "class", "geometry"]].to_dict("records")
