"""A map and its sheet: what must stand on it, what may be added, and that it asks nothing of the network."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely

from geolabel.errors import InputError, SourceError, TableError
from geolabel.nouns.risk import NO_DATA
from geolabel.view import inline, sheet
from geolabel.view.draw import draw, focus
from geolabel.view.field import field_map
from geolabel.view.lint import lint
from geolabel.view.palette import EDGES
from geolabel.view.warp import frame_of
from view import make

NASTY = "</title></script><img src=x onerror=alert(1)>`${alert(2)}`{{7*7}}"


class Text(HTMLParser):
    """The text of a page, without its scripts and styles, and the tags it is in."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags, self.quiet = [], [], 0
        self.feed(page)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.quiet += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.quiet -= tag in ("script", "style")

    def handle_data(self, data):
        self.words += [] if self.quiet else [data]


@pytest.fixture(scope="module")
def risk():
    return make.risk((140, 160))


@pytest.fixture(scope="module")
def everything(risk):
    terrain = gpd.GeoDataFrame({"class": ["forest", "water"]},
                               geometry=[shapely.box(285000, 9122000, 287000, 9126000), shapely.box(287000, 9123000, 288000, 9126000)],
                               crs="EPSG:31985")  # fmt: skip
    objects = make.objects(risk.grid, (0.83, 0.41), (170.0, 512.0))
    objects["geometry"] = [
        shapely.box(*risk.grid.xy(60, 60), *risk.grid.xy(50, 70)),
        shapely.box(*risk.grid.xy(90, 90), *risk.grid.xy(80, 99)),
    ]
    return {
        "scar": make.scar(risk.grid), "scar_time": "2024-11-20T14:40Z", "terrain": terrain, "objects": objects,
        "backdrop": make.picture(risk.grid), "elevation_m": make.elevation(risk.grid),
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(risk, everything):
    return draw(risk, **everything).get_root().render()


def saved(tmp_path, page):
    path = tmp_path / "map.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "Olinda exercise fire", "Research", "Not for evacuation decisions", "Outside the coloured area does not mean safe.",
        "Issued", "Wed 20 Nov 2024, 11:30", "Wed 20 Nov 2024, 14:30 UTC", "Valid from", "Valid to",
        "Thu 21 Nov 2024, 12:00", "Thu 21 Nov 2024, 15:00 UTC", "UTC−03:00", "America/Recife",
        "in 100 simulated outcomes", "about even", "40 to 60", "under 1 (modelled)", "Does not burn", "Not known", "not reached",
        "ensemble:200 + spread@1f3a9c0b", "200 simulated fires", "Scenario: wind 6 m/s from SW", "isotonic, on 12 held-out",
        "Simulated fire on a real scene.", "WGS 84", "EPSG:31985", "Prepared", "geolabel", "Observed, Wed 20 Nov 2024, 11:40",
        "direction in which the fire spreads", "Front after", "Settlement (group of buildings)", "85 %", "after 2 h 45",
        "Forest", "Water",
    ],
)  # fmt: skip
def test_the_sheet_says(page, text):
    assert text in Text(page).text


def test_the_start_is_given_in_degrees_and_decimal_minutes_and_in_decimals(page, risk):
    text = Text(page).text
    assert re.search(r"7°5\d\.\d{3}′ S, 34°5\d\.\d{3}′ W \(−7\.\d{5}, −34\.\d{5}\)", text)


def test_a_saved_map_breaks_no_rule(tmp_path, page):
    assert lint(saved(tmp_path, page)) == []


def test_ordinary_folium_objects_may_be_added_and_still_nothing_is_asked_of_the_network(tmp_path, risk):
    drawn = draw(risk)
    assert isinstance(drawn, folium.Map)
    at = [risk.ignition.lat, risk.ignition.lon]
    folium.Marker(at, popup=folium.Popup("<b>here</b>")).add_to(drawn)
    folium.Marker(at, icon=folium.Icon(color="red", icon="fire", prefix="fa", angle=30)).add_to(drawn)
    folium.Marker(at, icon=folium.Icon()).add_to(drawn)
    folium.CircleMarker(at, tooltip="tip").add_to(drawn)
    folium.GeoJson(make.objects(risk.grid, (0.5,), (60.0,)).drop(columns="label_id"), name="mine").add_to(drawn)
    folium.LayerControl(collapsed=False).add_to(drawn)
    page = drawn.get_root().render()
    assert lint(saved(tmp_path, page)) == []
    assert page.count("L.control.layers(") == inline.script("leaflet.js").count("L.control.layers(") + 1
    assert page.index('"mine"') > page.index("geo_json")


def test_what_a_user_adds_that_loads_from_the_network_is_found(tmp_path, risk):
    drawn = draw(risk)
    folium.TileLayer("https://tiles.example.org/{z}/{x}/{y}.png", attr="x").add_to(drawn)
    assert any("tileLayer" in found for found in lint(saved(tmp_path, drawn.get_root().render())))


def test_every_text_of_the_users_is_text(risk, everything):
    nasty = replace(risk, title=NASTY, model=NASTY, weather=NASTY, calibration=NASTY, notes=(NASTY,))
    objects = everything["objects"].assign(name=NASTY)
    page = draw(nasty, objects=objects, author=NASTY).get_root().render()
    tags = Text(page).tags
    assert not [attrs for tag, attrs in tags if tag == "img" and attrs.get("src") == "x"]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    words = Text(page).text
    assert words.count("{{7*7}}") >= 8  # shown as it was written, never run as a template
    assert words.count("<img src=x onerror=alert(1)>`${alert(2)}`") >= 8
    scripts = page[page.index("geolabelPage(") :]
    assert "<img" not in scripts


def test_status_lines(risk):
    exercise = draw(replace(risk, status="exercise")).get_root().render()
    operational = draw(replace(risk, status="operational", approver="A. Souza, Defesa Civil")).get_root().render()
    assert "Exercise only. Not for evacuation decisions" in Text(exercise).text
    assert "Approved by A. Souza, Defesa Civil" in Text(operational).text
    assert "Not for evacuation decisions" not in Text(operational).text


def test_the_table_of_areas_adds_up_to_the_whole_map(risk):
    rows = sheet.areas(risk)
    assert [row.words for row in rows[:7]] == [
        "very likely", "likely", "about even", "possible", "unlikely", "very unlikely", "very unlikely",
    ]  # fmt: skip
    whole = risk.grid.height * risk.grid.width * 0.09
    for hour in range(len(risk.hours)):
        told = [row.areas[hour] for row in rows]
        numbers = [0.5 if t.startswith("under") else float(t.removesuffix(" ha").replace(",", "")) for t in told]
        assert sum(numbers) == pytest.approx(whole, rel=0.05)


def test_the_table_counts_what_the_raster_holds(risk):
    top = int((risk.final >= EDGES[-1]).sum()) * 0.09
    last = sheet.areas(risk)[0].areas[-1]
    assert float(last.removesuffix(" ha").replace(",", "")) == pytest.approx(top, rel=0.05)


def test_equal_maps_give_equal_files(tmp_path, risk, everything):
    first = field_map(risk, tmp_path / "a.html", **everything)
    second = field_map(risk, tmp_path / "b.html", **everything)
    assert first.read_bytes() == second.read_bytes()


def test_the_first_view_holds_the_fire_and_its_start(risk):
    (south, west), (north, east) = focus(risk, frame_of(risk.grid))
    rows, cols = np.nonzero(np.nan_to_num(risk.final) >= 0.01)
    for row, col in ((rows.min(), cols.min()), (rows.max(), cols.max())):
        at = risk.grid.lonlat(row, col)
        assert south < at.lat < north
        assert west < at.lon < east
    assert south < risk.ignition.lat < north


def test_a_map_where_nothing_burns_can_still_be_drawn(tmp_path, risk):
    nothing = np.where(np.isnan(risk.probability), np.nan, 0).astype(np.float32)
    unreached = np.full(risk.grid.shape, np.nan, np.float32)
    calm = replace(risk, probability=nothing, arrival_min=unreached, bearing_deg=unreached, rate_m_min=unreached)
    assert field_map(calm, tmp_path / "calm.html").is_file()


def test_a_map_of_unknown_ground_only_can_still_be_drawn(tmp_path, risk):
    blank = np.full(risk.grid.shape, np.nan, np.float32)
    unknown = replace(risk, probability=np.full_like(risk.probability, np.nan), arrival_min=blank, bearing_deg=blank,
                      rate_m_min=blank, ground=np.full(risk.grid.shape, NO_DATA, np.uint8))  # fmt: skip
    assert field_map(unknown, tmp_path / "unknown.html").is_file()


@pytest.mark.parametrize(
    ("extras", "error", "match"),
    [
        ({"scar": True}, InputError, "without its time"),
        ({"scar": True, "scar_time": "2024-11-20T14:40"}, InputError, "no time zone"),
        ({"prepared": "2024-11-20T14:40"}, InputError, "no time zone"),
        ({"backdrop": np.zeros((3, 3), np.uint8)}, InputError, "on a grid of"),
        ({"elevation_m": np.zeros((9, 9))}, InputError, "on a grid of"),
        ({"objects": gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)}, TableError, "lacks"),
    ],
)
def test_bad_input_is_refused(risk, extras, error, match):
    extras = {**extras, **({"scar": make.scar(risk.grid)} if extras.get("scar") else {})}
    with pytest.raises(error, match=match):
        draw(risk, **extras)


def test_a_missing_asset_says_how_to_bring_it(risk):
    with pytest.raises(SourceError, match=r"no-such\.js is missing") as caught:
        inline.asset("no-such.js")
    assert "Node.js" in caught.value.hint


def test_a_page_that_breaks_a_rule_is_not_written(tmp_path, risk, monkeypatch):
    monkeypatch.setattr("geolabel.view.lint.MAX_BYTES", 1000)
    monkeypatch.setattr("geolabel.view.field.MAX_BYTES", 1000)
    with pytest.raises(InputError, match="more than 5 MB"):
        field_map(risk, tmp_path / "big.html")
    assert list(tmp_path.iterdir()) == []


def test_objects_beyond_twelve_are_counted(risk):
    rows = make.objects(risk.grid, (0.5, 0.4, 0.3), (60.0, 70.0, 80.0))
    many = gpd.GeoDataFrame(gpd.pd.concat([rows] * 6, ignore_index=True), crs=rows.crs)
    text = Text(draw(risk, objects=many).get_root().render()).text
    assert "and 6 more, less likely" in text


def test_a_speckled_map_of_a_large_scene_still_fits(tmp_path):
    """The worst case for a picture's size: every cell a class of its own, every hour another."""
    shape = (900, 900)
    rng = np.random.default_rng(1)
    probability = np.maximum.accumulate(rng.random((5, *shape), dtype=np.float32) ** 2, axis=0)
    speckled = make.risk(shape, probability=probability, ground=np.full(shape, 2, np.uint8),
                         arrival_min=(rng.random(shape, dtype=np.float32) * 1440),
                         bearing_deg=rng.random(shape, dtype=np.float32) * 360)  # fmt: skip
    assert field_map(speckled, tmp_path / "big.html").stat().st_size <= 5_000_000
