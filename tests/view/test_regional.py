"""A map of fires that start anywhere: other classes, other words, no start and no arrival; it comes back from disk."""

import re

import numpy as np
import pytest

from geolabel.errors import FireError, InputError
from geolabel.view import sheet
from geolabel.view.cog import load_risk, save_risk
from geolabel.view.draw import draw, focus
from geolabel.view.field import field_map
from geolabel.view.layers import scheme_of
from geolabel.view.lines import arrows, isochrones
from geolabel.view.lint import lint
from geolabel.view.palette import ANY_FIRE, ONE_FIRE, classes_of
from geolabel.view.warp import frame_of
from view import make

STARTS = "Anywhere on ground that burns, all places alike"


@pytest.fixture(scope="module")
def regional():
    one = make.risk((140, 160))
    nowhere = np.full(one.grid.shape, np.nan, np.float32)
    return make.risk(
        (140, 160),
        ignition=None,
        starts=STARTS,
        arrival_min=nowhere,
        probability=(one.probability * np.float32(0.12)).astype(np.float32),
    )


def test_classes_count_in_a_thousand_and_rise():
    edges = np.array(ANY_FIRE.edges)
    assert (np.diff(edges) > 0).all()
    assert classes_of(edges.astype(np.float32), ANY_FIRE).tolist() == [2, 3, 4, 5, 6, 7]
    assert classes_of([0.0, np.nan, 1e-4, 1.0], ANY_FIRE).tolist() == [0, 0, 1, 7]
    for fill, low, high in zip(ANY_FIRE.fills[1:-1], edges, edges[1:], strict=False):
        said = [float(n) / ANY_FIRE.outcomes for n in re.findall(r"\d+", fill.label)]
        assert said == pytest.approx([low, high])


def test_the_sheet_says_what_is_counted(regional, tmp_path):
    path = field_map(regional, tmp_path / "any.html")
    page = path.read_text()
    assert lint(path) == []
    assert "How often a fire that starts in this area burns a place" in page
    assert "in 1,000 simulated outcomes" in page
    assert STARTS in page
    assert "not the chance that a place burns this year" in page
    assert "gl-start" not in page.split("</style>")[-1]
    assert "very unlikely" not in page


def test_a_known_start_keeps_its_own_words(tmp_path):
    risk = make.risk((140, 160))
    assert scheme_of(risk) is ONE_FIRE
    page = draw(risk).get_root().render()
    assert "in 100 simulated outcomes" in page
    assert "gl-start" in page.split("</style>")[-1]


def test_no_line_of_arrival_and_the_whole_area_in_view(regional):
    frame = frame_of(regional.grid)
    assert isochrones(regional) == ()
    assert arrows(regional) == ()
    assert focus(regional, frame) == frame.corners


def test_areas_are_those_of_the_cells(regional):
    rows = sheet.areas(regional)
    most = float((regional.final >= 0.1).sum() * regional.grid.cell_area_m2() / 1e4)
    assert rows[0].label == "100 or more in 1,000"
    assert float(rows[0].areas[-1].removesuffix(" ha").replace(",", "")) == pytest.approx(most, rel=0.05)


def test_it_comes_back_from_disk(regional, tmp_path):
    save_risk(regional, tmp_path)
    again = load_risk(tmp_path)
    assert again.ignition is None
    assert again.starts == STARTS
    assert again.digest == regional.digest


def test_what_cannot_be(regional):
    with pytest.raises(InputError, match="starts"):
        make.risk((140, 160), ignition=None)
    with pytest.raises(InputError, match="starts"):
        make.risk((140, 160), starts=STARTS)
    with pytest.raises(FireError, match="arrival times"):
        make.risk((140, 160), ignition=None, starts=STARTS)
    assert STARTS in regional._repr_html_()
