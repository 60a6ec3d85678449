"""Remote files: few requests, bounded tries, errors that name the file and never its key."""

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geolabel.errors import SourceError
from geolabel.scene import remote
from geolabel.scene.open import open_dem, open_scene
from servers import serving
from stac import cog

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(1, 60_000, (1500, 1600), dtype=np.uint16)
DATA = cog(PIXELS)
BLOCK_BYTES = 512 * 512 * 2
"""Noise does not compress."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, value in {"LOW_SPEED_TIME": "1", "RETRY_DELAY": "0.05", "TIMEOUT": "3", "CONNECTTIMEOUT": "2"}.items():
        monkeypatch.setenv(f"GDAL_HTTP_{name}", value)


@pytest.fixture
def web():
    with serving(a_tif=DATA) as served:
        yield served


def opened(address, **more):
    return open_scene(address, bands=["red"], at="2023-07-14", **more)


# ---------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("url", "gdal"),
    [
        ("https://host/a/b.tif", "/vsicurl/https://host/a/b.tif"),
        ("http://host/b.tif?sig=x", "/vsicurl/http://host/b.tif?sig=x"),
        ("HTTPS://host/b.tif", "/vsicurl/https://host/b.tif"),
        ("s3://bucket/auth0|5c/b.tif", "/vsis3/bucket/auth0|5c/b.tif"),
        ("gs://bucket/b.tif", "/vsigs/bucket/b.tif"),
        ("az://box/b.tif", "/vsiaz/box/b.tif"),
        ("/data/a.tif", "/data/a.tif"),
        ("/vsizip/a.zip/b.tif", "/vsizip/a.zip/b.tif"),
    ],
)
def test_names_of_gdal_and_back(url, gdal):
    assert remote.gdal_path(url) == gdal
    assert remote.is_remote(url) == gdal.startswith(("/vsicurl", "/vsis3", "/vsigs", "/vsiaz"))
    if remote.is_remote(url):
        assert remote.plain(gdal).lower() == url.partition("?")[0].lower()


@pytest.mark.parametrize(
    "text",
    ["https://h/a.tif?X-Amz-Signature=SECRET&b=1", "HTTP://user:SECRET@h/a.tif", "error at 'https://h/a.tif?sv=SECRET' (403)",
     "/vsicurl/https://h/a.tif?sig=SECRET", "https://h/a.tif#SECRET"],
)  # fmt: skip
def test_keys_and_passwords_are_never_shown(text):
    assert "SECRET" not in remote.plain(text)
    assert remote.name_of("/vsicurl/https://h/x/a.tif?sig=SECRET") == "a.tif"


# ---------------------------------------------------------------- what is fetched
def test_only_what_is_needed_is_fetched_and_each_block_once(web):
    scene = opened(f"{web.url}/a.tif")
    header = sum(one.size for one in web.asked if one.method == "GET")
    assert header <= 40_000, "the pixels were not touched"
    web.forget()
    values = scene.read(["red"], slice(512, 1024), slice(512, 1024))[0]
    np.testing.assert_array_equal(values, PIXELS[512:1024, 512:1024])
    assert [one.method for one in web.asked] == ["GET"]
    assert web.bytes_sent < 1.3 * BLOCK_BYTES
    web.forget()
    scene.read(["red"], slice(600, 700), slice(600, 700))
    assert web.asked == [], "the block is still there"
    whole = scene.read(["red"], slice(0, 1500), slice(0, 1600))[0]
    np.testing.assert_array_equal(whole, PIXELS)
    assert web.bytes_sent < 1.05 * len(DATA)


def test_consecutive_blocks_come_in_one_request(web):
    scene = opened(f"{web.url}/a.tif")
    web.forget()
    scene.read(["red"], slice(0, 512), slice(0, 1600))
    assert len(web.asked) == 1


def test_the_lazy_way_gives_the_same_pixels_and_fetches_each_block_once(web):
    scene = opened(f"{web.url}/a.tif")
    web.forget()
    np.testing.assert_array_equal(scene.band("red").values, PIXELS)
    assert web.bytes_sent < 1.25 * len(DATA)
    firsts = [one.first for one in web.asked]
    assert len(firsts) == len(set(firsts))


def test_a_key_goes_to_the_server_and_nowhere_else(web):
    scene = opened(f"{web.url}/a.tif?sig=SECRET")
    scene.read(["red"], slice(0, 10), slice(0, 10))
    assert {one.query for one in web.asked} == {"sig=SECRET"}
    assert "SECRET" not in repr((scene, scene.source, scene.digest, scene.audit, scene.id))
    again = opened(f"{web.url}/a.tif?sig=OTHER")
    assert again.digest == scene.digest, "another key is the same scene"
    assert again.source == ("a.tif",)


def test_another_file_at_the_same_address_is_another_scene(web):
    before = opened(f"{web.url}/a.tif")
    web.files["/a.tif"] = cog(PIXELS[::-1].copy())
    after = opened(f"{web.url}/a.tif")
    assert before.digest != after.digest
    np.testing.assert_array_equal(after.read(["red"], slice(0, 600), slice(0, 9))[0], PIXELS[::-1][:600, :9])


def test_a_dem_is_read_in_place(web):
    grid = opened(f"{web.url}/a.tif").grid
    dem = open_dem(f"{web.url}/a.tif?sig=SECRET", grid)
    np.testing.assert_array_equal(dem.band("elevation")[:9].values, PIXELS[:9])
    assert "SECRET" not in repr((dem, dem.source, dem.audit, dem.digest))


def test_the_reader_of_a_remote_scene_works_on_another_machine(web):
    scene = opened(f"{web.url}/a.tif")
    other = pickle.loads(pickle.dumps(scene.reader))
    np.testing.assert_array_equal(other.read(["red"], slice(0, 600), slice(0, 9))[0], PIXELS[:600, :9])


def test_threads_read_side_by_side(web):
    scene = opened(f"{web.url}/a.tif")
    windows = [(slice(r, r + 512), slice(c, c + 512)) for r in (0, 512) for c in (0, 512, 1024)]
    with ThreadPoolExecutor(3) as pool:
        for (rows, cols), values in zip(
            windows, pool.map(lambda at: scene.read(["red"], *at)[0], windows), strict=True
        ):
            np.testing.assert_array_equal(values, PIXELS[rows, cols])


# ---------------------------------------------------------------- what goes wrong
def test_what_is_not_there_is_said_and_found_once_it_is_there(web):
    with pytest.raises(
        SourceError, match=r"cannot read b\.tif at http://127.*/b\.tif: it is not there \(404\)"
    ) as told:
        opened(f"{web.url}/b.tif?sig=SECRET")
    assert "SECRET" not in str(told.value)
    web.files["/b.tif"] = DATA
    assert opened(f"{web.url}/b.tif?sig=SECRET").grid.shape == (1500, 1600)


def test_a_denied_file_says_how_to_get_a_key_and_is_asked_once(web):
    web.status["/a.tif"] = [-403]
    with pytest.raises(SourceError, match=r"access is denied \(403\)") as told:
        opened(f"{web.url}/a.tif")
    assert "sign" in told.value.hint
    assert len(web.asked) <= 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_fails_twice_is_asked_a_third_time(web, status):
    web.status["/a.tif"] = [status, status]
    assert opened(f"{web.url}/a.tif").grid.shape == (1500, 1600)


def test_a_read_that_fails_is_tried_again(web):
    scene = opened(f"{web.url}/a.tif")
    web.status["/a.tif"] = [503] * 4
    np.testing.assert_array_equal(scene.read(["red"], slice(512, 1024), slice(0, 512))[0], PIXELS[512:1024, :512])


def test_a_server_that_goes_on_failing_is_asked_a_bounded_number_of_times(web):
    web.status["/a.tif"] = [-503]
    with pytest.raises(SourceError, match="the server answers 503") as told:
        opened(f"{web.url}/a.tif")
    assert "again" in told.value.hint
    assert len(web.asked) <= 6


def test_a_server_that_stalls_in_the_middle_of_a_read_ends_in_an_error_that_names_the_file(web):
    scene = opened(f"{web.url}/a.tif?sig=SECRET")
    web.stall_from = 1_000_000
    begun = time.monotonic()
    with pytest.raises(SourceError, match=r"a\.tif.*stopped sending") as told:
        scene.read(["red"], slice(512, 1024), slice(512, 1024))
    assert time.monotonic() - begun < 20, "it hangs"
    assert "SECRET" not in str(told.value)
    assert "again" in told.value.hint
    web.stall_from = None
    np.testing.assert_array_equal(
        scene.read(["red"], slice(512, 1024), slice(512, 1024))[0], PIXELS[512:1024, 512:1024]
    )


def test_a_connection_that_breaks_is_tried_again_and_then_named(web):
    scene = opened(f"{web.url}/a.tif")
    web.cut_from = 1_000_000
    with pytest.raises(SourceError, match=r"a\.tif"):
        scene.read(["red"], slice(512, 1024), slice(512, 1024))
    web.cut_from = None
    assert np.isfinite(scene.read(["red"], slice(512, 1024), slice(512, 1024))).all()


def test_a_file_that_is_cut_short_says_so_at_once(web):
    web.files["/t.tif"] = DATA[: len(DATA) // 2]
    scene = opened(f"{web.url}/t.tif")
    assert np.isfinite(scene.read(["red"], slice(0, 512), slice(0, 512))).all()
    with pytest.raises(SourceError, match=rf"t\.tif is cut short: {len(DATA) // 2} bytes"):
        scene.read(["red"], slice(1024, 1500), slice(1024, 1600))


@pytest.mark.parametrize(
    ("status", "words"), [(416, "shorter than its own index says"), (403, "access is denied"), (404, "not there")]
)
def test_a_read_that_is_refused_says_why(web, status, words):
    scene = opened(f"{web.url}/a.tif")
    web.status["/a.tif"] = [-status]
    with pytest.raises(SourceError, match=rf"a\.tif.*{words}") as told:
        scene.read(["red"], slice(512, 1024), slice(512, 1024))
    assert told.value.hint


def test_a_page_to_log_in_is_no_raster(web):
    web.files["/page.tif"] = b"<html>please log in</html>" * 50
    with pytest.raises(SourceError, match="what comes is no raster file") as told:
        opened(f"{web.url}/page.tif")
    assert "log in" in told.value.hint


def test_nobody_answers():
    with pytest.raises(SourceError, match="does not answer"):
        opened("http://127.0.0.1:9/a.tif")


def test_variables_of_gdal_decide_how_patient_it_is(monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "7")
    assert remote.seconds("GDAL_HTTP_TIMEOUT") == 7
    assert remote.options("https://h/a.tif")["GDAL_HTTP_TIMEOUT"] == "7"
    monkeypatch.delenv("GDAL_HTTP_TIMEOUT")
    assert remote.seconds("GDAL_HTTP_TIMEOUT") == 120
    assert remote.options("a.tif") == {}


def test_documents_are_fetched_with_the_same_patience(web):
    web.files["/item.json"] = b"{}"
    web.status["/item.json"] = [503, 503]
    assert remote.fetch(f"{web.url}/item.json") == b"{}"
    with pytest.raises(SourceError, match="not there"):
        remote.fetch(f"{web.url}/none.json?sig=SECRET")
    web.stall_from = 0
    begun = time.monotonic()
    with pytest.raises(SourceError, match="stopped sending"):
        remote.fetch(f"{web.url}/item.json")
    assert time.monotonic() - begun < 20
