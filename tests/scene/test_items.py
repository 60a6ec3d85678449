"""Items to choose from: a static catalog, a search over an API that answers in pages; what is said when it does not."""

import json

import pytest

from geolabel.errors import InputError, MissingExtra, SourceError
from geolabel.nouns.times import span, utc
from geolabel.scene.items import Items, items, search
from geolabel.scene.open import open_scene
from servers import serving
from stac import sentinel2

DAYS = [f"2023-07-{day:02d}T10:20:30Z" for day in range(1, 8)]
CLOUDS = [0.0, 80.0, 12.0, 35.0, 99.0, 5.0, 20.0]
CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, value in {"LOW_SPEED_TIME": "1", "RETRY_DELAY": "0.05", "TIMEOUT": "3"}.items():
        monkeypatch.setenv(f"GDAL_HTTP_{name}", value)


def week():
    pairs = zip(DAYS, CLOUDS, strict=True)
    return [
        sentinel2(f"day{i}", "https://host/", datetime=day, **{"eo:cloud_cover": cloud})
        for i, (day, cloud) in enumerate(pairs)
    ]


class Api:
    """A STAC API with item search by POST, three items a page (STAC API 1.0.0, item-search and pagination)."""

    def __init__(self, url, conforms=()):
        self.url, self.searches, self.conforms = url, [], [*CONFORMS, *conforms]

    def __call__(self, path, query, body, method):
        if path == "/":
            links = [
                {"rel": rel, "href": self.url + end, "type": "application/json"}
                for rel, end in (("self", "/"), ("root", "/"))
            ]
            links.append(
                {"rel": "search", "href": f"{self.url}/search", "type": "application/geo+json", "method": "POST"}
            )
            return json.dumps({"type": "Catalog", "id": "api", "stac_version": "1.0.0", "description": "a small one",
                               "conformsTo": self.conforms, "links": links}).encode()  # fmt: skip
        if path != "/search" or method != "POST":
            return None
        asked = json.loads(body)
        self.searches.append(asked)
        return json.dumps(self.page(asked)).encode()

    def page(self, asked):
        found = [one for one in week() if self.fits(one, asked)]
        start = int(asked.get("token", 0))
        links = []
        if start + 3 < len(found):
            links.append(
                {
                    "rel": "next",
                    "method": "POST",
                    "href": f"{self.url}/search",
                    "body": {"token": str(start + 3)},
                    "merge": True,
                }
            )
        return {"type": "FeatureCollection", "features": found[start : start + 3], "links": links}

    @staticmethod
    def fits(one, asked):
        if asked.get("collections", ["sentinel-2-l2a"]) != ["sentinel-2-l2a"]:
            return False
        most = asked.get("query", {}).get("eo:cloud_cover", {}).get("lte", 100)
        if one["properties"]["eo:cloud_cover"] > most:
            return False
        if "datetime" not in asked:
            return True
        first, last = asked["datetime"].split("/")
        when = utc(one["properties"]["datetime"])
        return (first == ".." or when >= utc(first)) and (last == ".." or when <= utc(last))


@pytest.fixture
def web():
    with serving() as served:
        served.answer = Api(served.url)
        yield served


# ---------------------------------------------------------------- search
def test_a_search_follows_its_pages_in_order(web):
    found = search(web.url, collections="sentinel-2-l2a", bbox=(8, 45, 9, 46))
    assert [one.id for one in found] == [f"day{i}" for i in range(7)]
    assert len(web.answer.searches) == 3
    assert web.answer.searches[0]["bbox"] == [8, 45, 9, 46]
    assert all(one["collections"] == ["sentinel-2-l2a"] for one in web.answer.searches)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("2023-07-03", [2]),
        (("2023-07-02", "2023-07-04"), [1, 2, 3]),
        ((None, "2023-07-02"), [0, 1]),
        (("2023-07-06", None), [5, 6]),
    ],
)
def test_a_day_or_a_span_of_days(web, days, expected):
    assert [one.id for one in search(web.url, datetime=days)] == [f"day{i}" for i in expected]


def test_clouds_and_a_limit(web):
    assert [one.id for one in search(web.url, max_cloud=20)] == ["day0", "day2", "day5", "day6"]
    assert [one.id for one in search(web.url, max_cloud=20, limit=2)] == ["day0", "day2"]
    web.answer.searches.clear()
    assert len(search(web.url, limit=3)) == 3
    assert len(web.answer.searches) == 1, "no page is asked for that is not needed"


def test_an_api_that_filters_by_clouds_is_asked_to(web):
    web.answer = Api(web.url, ["https://api.stacspec.org/v1.0.0/item-search#query"])
    assert [one.id for one in search(web.url, max_cloud=20)] == ["day0", "day2", "day5", "day6"]
    assert web.answer.searches[0]["query"] == {"eo:cloud_cover": {"lte": 20}}
    assert len(web.answer.searches) == 2


def test_nothing_found_is_an_empty_list(web):
    found = search(web.url, collections=["naip"])
    assert (len(found), found.frame.empty) == (0, True)
    with pytest.raises(InputError, match="0 items"):
        open_scene(found)


def test_an_item_that_was_found_opens(web):
    scene = open_scene(search(web.url)[0])
    assert (scene.id, scene.bands) == ("day0", ("red", "nir08", "swir22"))


def test_an_api_that_fails_twice_is_asked_again(web):
    web.status["/search"] = [503, 503]
    assert len(search(web.url)) == 7


@pytest.mark.parametrize(("path", "status"), [("/", 503), ("/search", 503), ("/", 404), ("/search", 403)])
def test_an_api_that_does_not_answer_is_named_without_its_key(web, path, status):
    web.status[path] = [-status]
    with pytest.raises(SourceError, match=f"STAC API {web.url}") as told:
        search(f"{web.url}/?key=SECRET")
    assert "SECRET" not in str(told.value)
    assert told.value.hint


def test_nobody_at_the_address_of_an_api():
    with pytest.raises(SourceError, match="does not answer"):
        search("http://127.0.0.1:9/")


def test_a_page_that_is_no_api(web):
    web.files["/page"] = b"{}"
    with pytest.raises((InputError, SourceError), match="page"):
        search(f"{web.url}/page")


def test_a_missing_client_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pystac_client", None)
    with pytest.raises(MissingExtra) as told:
        search("http://127.0.0.1:9/")
    assert told.value.hint == "pip install 'geolabel[stac]'"


# ---------------------------------------------------------------- catalogs and files
def catalog(name, links):
    return {"type": "Catalog", "id": name, "stac_version": "1.0.0", "description": "x", "links": links}


@pytest.fixture
def tree(web):
    """A catalog with two below it, one of which links back to the root; seven items."""
    web.answer = None
    seven = week()
    web.files["/c/catalog.json"] = json.dumps(
        catalog("root", [{"rel": "child", "href": "./a/catalog.json"}, {"rel": "child", "href": "./b.json"}])
    ).encode()
    web.files["/c/a/catalog.json"] = json.dumps(
        catalog("a", [{"rel": "item", "href": f"./{i}.json"} for i in range(4)])
    ).encode()
    back = [{"rel": "item", "href": f"./a/{i}.json"} for i in range(3, 7)] + [
        {"rel": "child", "href": "./catalog.json"}
    ]
    web.files["/c/b.json"] = json.dumps(catalog("b", back)).encode()
    for i, one in enumerate(seven):
        web.files[f"/c/a/{i}.json"] = json.dumps(one).encode()
    return web


def test_all_items_of_a_catalog_and_those_below_it_each_once(tree):
    found = items(f"{tree.url}/c/catalog.json")
    assert sorted(one.id for one in found) == [f"day{i}" for i in range(7)]
    paths = [one.path for one in tree.asked]
    assert len(paths) == len(set(paths)), "each document is read once"


def test_items_are_kept_by_day_box_and_clouds(tree):
    address = f"{tree.url}/c/catalog.json"
    assert [one.id for one in items(address, datetime=("2023-07-02", "2023-07-03"))] == ["day1", "day2"]
    assert len(items(address, bbox=(8.5, 45.5, 20, 50))) == 7
    assert len(items(address, bbox=(9.5, 45.5, 20, 50))) == 0
    assert {one.id for one in items(address, max_cloud=10)} == {"day0", "day5"}


def test_a_catalog_says_how_many_items_it_has_and_how_to_choose(tree):
    with pytest.raises(InputError, match="holds 4 items") as told:
        open_scene(f"{tree.url}/c/a/catalog.json")
    assert "gl.items" in told.value.hint


def test_a_missing_document_of_a_catalog_is_named(tree):
    del tree.files["/c/a/2.json"]
    with pytest.raises(SourceError, match=r"2\.json"):
        items(f"{tree.url}/c/catalog.json")


def test_an_item_collection_opens_as_its_items(tmp_path):
    path = tmp_path / "found.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": week()}))
    found = items(path)
    assert len(found) == 7
    with pytest.raises(InputError, match="holds 7 items"):
        items(path) and open_scene(json.loads(path.read_text()))


def test_a_table_of_items_for_a_person_and_for_a_map():
    found = Items(tuple(items({"type": "FeatureCollection", "features": week()})))
    frame = found.frame
    assert list(frame.columns) == ["id", "collection", "start", "cloud_percent", "assets", "geometry"]
    assert frame.crs.to_epsg() == 4326
    assert tuple(frame.total_bounds) == (7, 45, 9, 47)
    assert frame["cloud_percent"].tolist() == CLOUDS
    assert [utc(text) for text in frame["start"]] == [span(day)[0] for day in DAYS]
    assert len(found[2:4]) == 2
    page = Items(tuple(found) * 4)._repr_html_()
    assert "28 items" in page
    assert "and 8 more" in page
    named = sentinel2("<script>", "https://host/")
    assert "<script>" not in items(named)._repr_html_()
