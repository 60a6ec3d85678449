"""The offline map in a real browser with the network off: it opens from disk, speaks, folds, prints and expires."""

import io
import re
import time
from dataclasses import replace

import folium
import numpy as np
import pytest
from affine import Affine
from PIL import Image

from browser import chrome
from geolabel.grid import Grid
from geolabel.view import paint
from geolabel.view.draw import draw
from geolabel.view.field import field_map
from geolabel.view.page import OfflineMap, Page, image
from geolabel.view.warp import frame_of, warp_picture
from view import make

expect = pytest.importorskip("playwright.sync_api", reason="pip install geolabel[test]").expect
pytestmark = pytest.mark.browser
DURING, AFTER, BEFORE = "2024-11-20T16:00:00Z", "2024-11-21T15:00:01Z", "2024-11-20T14:59:00Z"


@pytest.fixture(scope="module")
def running():
    with chrome.browser() as found:
        yield found


@pytest.fixture(scope="module")
def risk():
    return make.risk()


@pytest.fixture(scope="module")
def path(risk, tmp_path_factory):
    return field_map(
        risk,
        tmp_path_factory.mktemp("field") / "field.html",
        scar=make.scar(risk.grid),
        scar_time="2024-11-20T14:40Z",
        objects=make.objects(risk.grid),
        elevation_m=make.elevation(risk.grid),
    )


@pytest.fixture
def page(running, path):
    with chrome.opened(running, path, now=DURING) as found:
        yield found
        assert found.tried == []
        assert found.complaints == []


def pixels(page, **options):
    return np.asarray(Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB")).astype(int)


def near(picture, colour, tolerance=14):
    return (np.abs(picture - np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])).max(axis=2) <= tolerance).mean()


def test_it_opens_from_disk_without_a_request_or_a_complaint_and_has_title_and_language(page):
    assert page.title() == "Olinda exercise fire - fire risk map"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length") == 0
    )


@pytest.mark.parametrize("text", ["Not for evacuation decisions", "Outside the coloured area does not mean safe.",
                                  "Valid to", "about even", "Does not burn", "Wed 20 Nov 2024, 12:00"])  # fmt: skip
def test_the_sheet_is_in_sight_without_hovering_or_scrolling(page, text):
    box = page.get_by_text(text, exact=False).locator("visible=true").first.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900


def test_scale_north_graticule_and_cursor_are_drawn(page):
    assert re.fullmatch(r"\d+ k?m", page.locator(".leaflet-control-scale-line").first.inner_text())
    expect(page.get_by_role("img", name="North is up")).to_be_visible()
    labels = page.locator(".gl-grat").all_inner_texts()
    assert {"7°56′ S", "34°54′ W"} <= set(labels)
    page.mouse.move(900, 450)
    assert re.match(r"Cursor\s+7°5\d\.\d{3}′ S, 34°5\d\.\d{3}′ W", page.locator("#gl-where").inner_text())


def test_the_cursor_tells_the_coordinates_of_the_start_when_it_is_over_it(page, risk):
    box = page.locator(".gl-start svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(
        box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 26
    )  # beside the mark, which takes the pointer
    told = re.search(r"\(−([\d.]+), −([\d.]+)\)", page.locator("#gl-where").inner_text())
    assert float(told[1]) == pytest.approx(-risk.ignition.lat, abs=0.01)
    assert float(told[2]) == pytest.approx(-risk.ignition.lon, abs=0.002)


def test_the_classes_are_painted_in_their_colours_and_hours_are_chosen_by_keyboard(page):
    last = near(pixels(page), "#4a0d3a")
    assert last > 0.005
    page.get_by_role("radio", name="24 h").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="3 h")).to_be_checked()
    assert "3 h after the start" in page.locator("#gl-until").inner_text()
    until = time.monotonic() + 10
    while near(pixels(page), "#4a0d3a") >= 0.5 * last and time.monotonic() < until:
        page.wait_for_timeout(100)  # the pictures are swapped when they are decoded
    assert near(pixels(page), "#4a0d3a") < 0.5 * last


def test_layers_are_toggled_by_keyboard(page):
    page.locator(".leaflet-control-layers-toggle").focus()
    page.keyboard.press("Enter")
    box, tags = (
        page.get_by_role("checkbox", name="Arrival lines"),
        page.locator(".gl-tag", has_text=re.compile(r"^\d+ h$")),
    )
    expect(box).to_be_visible()
    page.wait_for_timeout(250)  # Leaflet ignores clicks on the panel until its own timer has run
    box.focus()
    assert tags.count() >= 4
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    expect(tags).to_have_count(0)


def test_an_object_opens_its_words_by_keyboard(page):
    page.locator(".gl-object").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup-content")).to_contain_text("very likely, 85 %")


@pytest.mark.parametrize(
    ("now", "text"),
    [(DURING, ""), (AFTER, "This map has expired: it was valid until Thu 21 Nov 2024, 12:00 (UTC−03:00)."),
     (BEFORE, "This map is not valid yet: it is valid from Wed 20 Nov 2024, 12:00 (UTC−03:00).")],
)  # fmt: skip
def test_an_expired_map_says_so(running, path, now, text):
    with chrome.opened(running, path, now=now) as page:
        banner = page.locator("#gl-expired")
        assert banner.is_visible() == bool(text)
        assert banner.inner_text() == text


def test_a_map_expires_while_it_is_open(running, path):
    with chrome.opened(running, path, now=DURING) as page:
        assert not page.locator("#gl-expired").is_visible()
        page.clock.install(time="2024-11-21T14:59:50Z")
        page.reload()
        assert not page.locator("#gl-expired").is_visible()
        page.clock.fast_forward(40_000)
        expect(page.locator("#gl-expired")).to_be_visible()


def test_on_a_phone_the_sheet_folds_and_the_legend_stays(running, path):
    with chrome.opened(running, path, now=DURING, width=390, height=844, has_touch=True) as page:
        expect(page.locator(".gl-ramp")).to_be_visible()
        expect(page.get_by_text("Not for evacuation decisions")).to_be_visible()
        expect(page.locator(".gl-brief")).to_be_visible()
        assert page.locator(".gl-brief").inner_text().startswith("Valid to Thu 21 Nov 2024, 12:00")
        assert not page.locator("#gl-body").is_visible()
        button = page.locator("#gl-more")
        assert button.get_attribute("aria-expanded") == "false"
        button.tap()
        assert button.get_attribute("aria-expanded") == "true"
        expect(page.locator(".gl-legend")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_prints_with_the_sheet_beside_the_map_on_the_first_page(running, path):
    with chrome.opened(running, path, now=DURING) as page:
        page.emulate_media(media="print")
        assert not page.locator(".leaflet-control-zoom").is_visible()
        expect(page.locator(".gl-about")).to_be_visible()
        pdf = page.pdf(prefer_css_page_size=True)
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 2
        boxes = [tuple(float(v) for v in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)]
        assert {(round(b[2]), round(b[3])) for b in boxes} == {(842, 595)}  # A4, landscape


def test_it_is_legible_in_black_and_white(page):
    """In grey the six classes lie in the order of their probability, each at least 12 of 255 from the next."""
    grey = [
        0.299 * r + 0.587 * g + 0.114 * b
        for r, g, b in (
            np.asarray(Image.open(io.BytesIO(page.locator(f".gl-legend tbody tr:nth-child({n}) img").screenshot())).convert("RGB"))[4:-4, 8:-8]
            .reshape(-1, 3).mean(axis=0) for n in range(1, 7)
        )
    ]  # fmt: skip
    assert np.diff(grey).min() >= 12


def test_every_control_has_a_name_and_every_id_is_its_own(page):
    for role in ("radio", "checkbox", "button"):
        named = "e => (e.labels && e.labels.length) || e.getAttribute('aria-label') || e.textContent.trim() || e.title"
        assert all(control.evaluate(named) for control in page.get_by_role(role).all())
    assert page.get_by_role("button", name="Settlement (group of buildings) · very likely").count() == 1
    assert page.locator("img:not([alt])").count() == 0
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == page.evaluate(
        "document.querySelectorAll('[id]').length"
    )


def test_hostile_names_stay_text(running, risk, tmp_path):
    nasty = "</script><img src=x onerror=alert(1)>`${alert(2)}`{{7*7}}"
    hostile = replace(risk, title=nasty, weather=nasty, notes=(nasty,), model=nasty)
    objects = make.objects(risk.grid).assign(name=nasty)
    drawn = draw(hostile, objects=objects)  # without the policy of the offline file, which would stop scripts anyway
    drawn.save(tmp_path / "hostile.html")
    with chrome.opened(running, tmp_path / "hostile.html", now=DURING) as page:
        page.locator(".gl-object").first.focus()
        page.keyboard.press("Enter")
        assert nasty in page.locator(".leaflet-popup-content").inner_text()
        assert page.locator("h1").inner_text() == nasty
        assert (page.tried, page.complaints) == ([], [])


def test_ordinary_folium_objects_show_offline(running, risk, tmp_path):
    drawn = draw(risk)
    at = [risk.ignition.lat + 0.02, risk.ignition.lon]
    folium.Marker(at, popup=folium.Popup("<b>here</b>")).add_to(drawn)
    folium.Marker([at[0], at[1] + 0.02], icon=folium.Icon(color="red", icon="fire", prefix="fa")).add_to(drawn)
    folium.Marker([at[0], at[1] - 0.02], icon=folium.Icon()).add_to(drawn)
    folium.GeoJson(make.objects(risk.grid), name="My places").add_to(drawn)
    folium.LayerControl(collapsed=False).add_to(drawn)
    drawn.save(tmp_path / "mine.html")
    with chrome.opened(running, tmp_path / "mine.html", now=DURING) as page:
        icon = page.locator("img.leaflet-marker-icon")
        assert icon.evaluate("e => e.naturalWidth") in (25, 50)
        icon.click()
        expect(page.locator(".leaflet-popup-content")).to_have_text("here")
        expect(page.get_by_role("checkbox", name="My places")).to_be_checked()
        assert page.locator(".leaflet-control-layers").count() == 1
        assert (
            page.locator(".awesome-marker-icon-red")
            .evaluate("e => getComputedStyle(e).backgroundImage")
            .startswith('url("data:image/png')
        )
        assert "Font Awesome" in page.locator(".fa-fire").evaluate("e => getComputedStyle(e).fontFamily")
        page.evaluate("document.fonts.ready")
        assert page.evaluate("document.fonts.check('900 14px \"Font Awesome 6 Free\"')")
        assert (page.tried, page.complaints) == ([], [])


def test_a_marker_lies_on_its_cross_at_the_corners_of_a_50_km_scene(running, tmp_path):
    where = Grid.of("EPSG:32611", Affine(50, 0, 350000, 0, -50, 3820000), (1000, 1000))
    corners = [(20, 20), (20, 979), (979, 20), (979, 979)]
    crosses = np.zeros((*where.shape, 3), np.uint8)
    for row, col in corners:
        crosses[row - 6 : row + 7, col] = crosses[row, col - 6 : col + 7] = (255, 0, 0)
    frame = frame_of(where)
    (south, west), (north, east) = frame.corners
    drawn = OfflineMap(((south + north) / 2, (west + east) / 2), zoom_start=13, zoom_control=False)
    Page("crosses").add_child(drawn)
    drawn.before_html = "<style>.folium-map{width:600px;height:600px}</style>"
    uri = paint.data_uri(paint.png(Image.fromarray(warp_picture(crosses, where, frame))))
    drawn.add_child(image(uri, frame.corners, name="crosses"))
    drawn.save(tmp_path / "crosses.html")
    with_marks = (tmp_path / "crosses.html").read_text().replace("</body>", '<span class="gl-grat"></span></body>')
    (tmp_path / "crosses.html").write_text(with_marks)
    with chrome.opened(running, tmp_path / "crosses.html", width=640, height=640) as page:
        for row, col in corners:
            at = where.lonlat(row, col)
            name = drawn.get_name()
            page.evaluate(f"{name}.setView([{at.lat}, {at.lon}], 13, {{animate: false}})")
            marker = page.evaluate(
                f"(() => {{ const p = {name}.latLngToContainerPoint([{at.lat}, {at.lon}]); return [p.x, p.y]; }})()"
            )
            page.wait_for_timeout(300)
            picture = pixels(page, clip={"x": 0, "y": 0, "width": 600, "height": 600})
            red = (picture[..., 0] > 120) & (picture[..., 1] < 60) & (picture[..., 2] < 60)
            rows, cols = np.nonzero(red)
            centre = (cols.min() + cols.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
            cell = 50 / (156543.03 * np.cos(np.radians(at.lat)) / 2**13)  # screen pixels a cell
            assert np.hypot(centre[0] - marker[0], centre[1] - marker[1]) < cell
