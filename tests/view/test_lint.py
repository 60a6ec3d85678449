"""Every kind of request and every missing part is found."""

import pytest

from geolabel.errors import SourceError
from geolabel.view import inline
from geolabel.view.field import field_map
from geolabel.view.lint import SHEET_PARTS, lint
from view import make


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = field_map(make.risk((60, 60)), tmp_path_factory.mktemp("lint") / "good.html")
    return path.read_text(encoding="utf-8")


def found(tmp_path, page):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    return lint(path)


def test_a_good_page_has_nothing(tmp_path, good):
    assert found(tmp_path, good) == []


@pytest.mark.parametrize(
    ("snippet", "told"),
    [
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn.example.org"),
        ('<script src="x.js"></script>', "loads x.js"),
        ('<link rel="stylesheet" href="//cdn.example.org/x.css">', "loads //cdn"),
        ('<img src="http://example.org/a.png">', "<img src> loads"),
        ('<img srcset="a.png 2x">', "<img srcset> loads"),
        ("<style>@import 'x.css';</style>", "@import"),
        ("<style>a { background: url(https://example.org/a.png) }</style>", "url(https"),
        ("<style>a { background: url('a.png') }</style>", "url('a.png"),
        ('<p style="background: url(b.png)">', "url(b.png"),
        ("<script>fetch('data.json')</script>", "calls fetch("),
        ("<script>new XMLHttpRequest()</script>", "XMLHttpRequest"),
        ("<script>L.tileLayer('x')</script>", "L.tileLayer"),
        ("<script>var a = 'https://example.org/a.json'</script>", "names https://example.org"),
        ("<script>import('./x.js')</script>", "import("),
        ('<script data-asset="jquery.js">fetch("x")</script>', "calls fetch("),
        ("<p onclick=\"fetch('x')\">", "calls fetch("),
        ('<iframe src="https://example.org"></iframe>', "<iframe src> loads"),
    ],
)
def test_a_request_is_found(tmp_path, good, snippet, told):
    sentences = found(tmp_path, good.replace("</body>", snippet + "</body>"))
    assert any(told in sentence for sentence in sentences), sentences


@pytest.mark.parametrize(
    "snippet", ['<a href="https://example.org">a link asks only when followed</a>', '<img src="data:,">']
)
def test_what_asks_nothing_is_left_alone(tmp_path, good, snippet):
    assert found(tmp_path, good.replace("</body>", snippet + "</body>")) == []


@pytest.mark.parametrize("part", SHEET_PARTS)
def test_a_missing_part_of_the_sheet_is_named(tmp_path, good, part):
    assert found(tmp_path, good.replace(f'data-sheet="{part}"', "")) == [f"the sheet lacks {part!r}"]


def test_title_language_scale_and_size(tmp_path, good):
    head, tail = good.split("<title>")[0], good.split("</title>")[1]
    assert found(tmp_path, head + tail) == ["no <title>"]
    assert found(tmp_path, good.replace(' lang="en"', "")) == ["no lang on <html>"]
    assert found(tmp_path, good.replace("L.control.scale({maxWidth", "void ({maxWidth")) == ["no scale bar"]
    assert found(tmp_path, good + "<!--" + "x" * 5_000_000 + "-->")[-1].endswith("MB is more than 5 MB")


def test_a_changed_asset_is_no_asset(tmp_path, good):
    changed = good.replace(inline.script("leaflet.js"), inline.script("leaflet.js") + "\nfetch('x');")
    assert changed != good
    assert any("fetch(" in sentence for sentence in found(tmp_path, changed))


def test_a_page_that_is_not_there(tmp_path):
    with pytest.raises(SourceError):
        lint(tmp_path / "none.html")
