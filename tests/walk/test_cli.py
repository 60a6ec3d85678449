"""The command line: every bad input is a sentence and a way out, exit 2, no traceback; what was stopped goes on."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from geolabel import __version__, cli, files
from geolabel.project import Project
from geolabel.stream import walk
from rasters import LANDSAT, write_raster
from small import IGNITION

TOWN = "-34.8610,-7.9985"


def process(*arguments, **more):
    command = [sys.executable, "-c", "from geolabel.cli import main; main()", *map(str, arguments)]
    # a shell that starts tests in the background lets them ignore Ctrl-C, and so would their children
    heeds = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **heeds, **more)


# ---------------------------------------------------------------------- it says what it is
def test_the_installed_script_says_its_version():
    script = Path(sys.executable).parent / "geolabel"
    said = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"geolabel {__version__}"


@pytest.mark.parametrize("verb", ["demo", "scene", "burned", "export", "risk", "check"])
def test_every_verb_has_help(geolabel, verb):
    code, said, _ = geolabel(verb, "--help")
    assert code == 0
    assert verb in geolabel("--help")[1]
    assert len(said.splitlines()) > 5


@pytest.mark.parametrize(
    "arguments", [["demo", "--bogus"], ["paint"], ["demo", "--hours", "0"], ["demo", "--members", "many"], ["check"]]
)
def test_a_wrong_command_line_points_to_help(geolabel, arguments):
    code, _, said = geolabel(*arguments)
    assert code == 2
    assert "--help" in said


# ---------------------------------------------------------------------- bad input of the demo
BAD = {
    "missing file": ({"before": "/nowhere/[bold]scene[/].tif"}, ["/nowhere/[bold]scene[/].tif does not exist"]),
    "some flags": ({"wind": None, "dem": None}, ["--dem, --wind missing"]),
    "unknown sensor": ({"sensor": "landsat-c2"}, ["unknown sensor 'landsat-c2'", "did you mean 'landsat-c2-l2'"]),
    "ignition text": ({"ignition": "north of [x]"}, ["'north of [x]'", "-118.07,34.34"]),
    "ignition outside": ({"ignition": "-118.07,34.34"}, ["lies outside", "spans"]),
    "wind text": ({"wind": "strong"}, ["'strong'", "25 km/h from 225"]),
    "wind without a unit": ({"wind": "20 from 110"}, ["no unit", "km/h"]),
    "wind file": ({"wind": "/nowhere/wind.csv"}, ["/nowhere/wind.csv", "check the path"]),
    "naive start": ({"start": "2003-05-31T12:00"}, ["has no time zone", "add Z"]),
    "no start": ({"start": "yesterday"}, ["yesterday"]),
    "acquisition": ({"before_at".replace("_", "-"): "May"}, ["May"]),
    "too few names": ({"bands": "red,nir08"}, ["2 names (red, nir08) for the 6 bands"]),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_a_way_out(refused, window, tmp_path, what):
    changes, words = BAD[what]
    said = refused("demo", *window.flags(out=tmp_path / "out", **changes))
    for word in words:
        assert word in said


@pytest.fixture
def other(tmp_path):
    """A raster like a scene, with something wrong with it."""

    def make(name="bad.tif", *, bands=6, size=32, **more):
        values = np.random.default_rng(0).integers(20, 200, (bands, size, size)).astype("uint8")
        return write_raster(tmp_path / name, values, **{"names": LANDSAT[:bands], **more})

    return make


def test_a_scene_without_crs_is_refused(refused, window, other, tmp_path):
    said = refused("demo", *window.flags(before=other(crs=None), out=tmp_path / "out"))
    assert "CRS" in said
    assert not (tmp_path / "out").exists()


def test_scenes_that_do_not_overlap_are_refused_and_both_extents_named(refused, window, other, tmp_path):
    said = refused("demo", *window.flags(after=other(), out=tmp_path / "out"))
    assert "does not overlap" in said
    assert "the view spans" in said


def test_a_file_without_band_names_is_refused_and_bands_are_the_way_out(refused, window, other, tmp_path):
    said = refused("demo", *window.flags(before=other(names=()), out=tmp_path / "out"))
    assert "have no names" in said
    assert "--bands blue,green,red,nir08,swir16,swir22" in said
    said = refused("demo", *window.flags(before=other(names=()), bands=",".join(LANDSAT), out=tmp_path / "out"))
    assert "have no names" not in said  # on to the next fault: it lies elsewhere
    assert "does not overlap" in said


def test_a_band_that_a_rule_needs_and_is_not_there_is_named(refused, window, tmp_path):
    for role in ("before", "after"):
        with rasterio.open(window.path(role)) as file:
            profile = {**file.profile, "count": 3}
            with rasterio.open(tmp_path / f"{role}.tif", "w", **profile) as cut:
                cut.write(file.read([1, 2, 3]))
                cut.descriptions = LANDSAT[:3]
    pair = {role: tmp_path / f"{role}.tif" for role in ("before", "after")}
    said = refused("demo", *window.flags(**pair, out=tmp_path / "out"))
    assert "nir08" in said or "swir22" in said


def test_a_dem_in_degrees_is_refused(refused, window, tmp_path):
    from affine import Affine

    dem = write_raster(
        tmp_path / "dem.tif",
        np.ones((40, 40), "float32"),
        crs="EPSG:4326",
        transform=Affine(0.01, 0, -35, 0, -0.01, -7.8),
    )
    said = refused("demo", *window.flags(dem=dem, out=tmp_path / "out"))
    assert "in degrees" in said
    assert "gdalwarp" in said


def test_a_mended_command_takes_the_place_of_one_that_never_began(refused, window, tmp_path):
    refused("demo", *window.flags(dem="/nowhere/dem.tif", out=tmp_path / "out"))
    said = refused("demo", *window.flags(ignition="10,50", out=tmp_path / "out"))
    assert "lies outside" in said  # not: "holds another job"


def test_foreign_files_are_left_alone(refused, window, tmp_path):
    folder = tmp_path / "[green]mine[/]"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    said = refused("demo", *window.flags(out=folder))
    assert f"{folder} exists and is not empty" in said
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    said = refused("demo", *window.flags(out=folder / "thesis.txt"))
    assert "thesis.txt" in said


def test_an_unknown_key_in_project_toml_names_the_nearest(refused, tmp_path):
    Project.create(tmp_path / "p").close()
    toml = tmp_path / "p" / "project.toml"
    toml.write_text(toml.read_text().replace("[risk]", "[risk]\nmember = 5"))
    said = refused("check", tmp_path / "p")
    assert "unknown key 'risk.member'" in said
    assert "did you mean 'members'" in said
    toml.write_text("title = ")
    assert "is not TOML" in refused("check", tmp_path / "p")
    toml.write_bytes(b'title = "\xff"')
    assert "UTF-8" in refused("check", tmp_path / "p")


def test_a_folder_without_a_project_says_so(refused, tmp_path):
    assert "no geolabel project" in refused("check", tmp_path / "[nothing]")


# ---------------------------------------------------------------------- scene
def test_a_scene_is_told_as_it_opens(geolabel, refused, window, monkeypatch):
    code, said, _ = geolabel("scene", window.path("after"), "--at", "2003-05-01/2003-05-31")
    assert code == 0
    assert re.search(r"^acquired +2003-05-01T00:00:00Z to 2003-05-31T23:59:59Z$", said, re.M)
    assert re.search(r"^bands +.*nir08.*swir22", said, re.M)
    assert "uncalibrated: DN as stored" in said
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    assert "http://127.0.0.1:9/x.tif: the server does not answer" in refused("scene", "http://127.0.0.1:9/x.tif")


# ---------------------------------------------------------------------- burned
def test_burned_walks(geolabel, refused, window, tmp_path):
    pair = ["burned", window.path("before"), window.path("after"), "--at", "2003-05-01", "2003-05-31", "--size", "64"]
    code, said, _ = geolabel(*pair, "--out", tmp_path / "tiles")
    assert code == 0
    assert "ha burned" in said
    folder = Path(said.strip().splitlines()[-1].removeprefix("open "))
    features = json.loads((folder / "0_64.geojson").read_text())["features"]
    assert features[0]["properties"]["feature_type"] == "tile"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a")
    assert "holds other files" in refused(*pair, "--out", tmp_path / "full")


def test_burned_takes_every_option_and_goes_on_in_its_folder(geolabel, refused, window, tmp_path, monkeypatch):
    monkeypatch.setattr("geolabel.stream.CONNECT_S", 1)
    pair = ["burned", window.path("before"), window.path("after"), "--at", "2003-05-01", "2003-05-31"]
    told = ["--index", "dnbr", "--threshold", "0.1", "--seed", "0.2", "--offset", "ring", "--min-area-ha", "1"]
    more = ["--no-severity", "--scheme", "key-benson-dnbr", "--threads", "1", "--work", tmp_path / "work"]
    code, said, shown = geolabel(*pair, *told, *more, "--out", tmp_path / "scar.gpkg")
    assert code == 0
    assert "finding scars" in shown
    frame = gpd.read_file(tmp_path / "scar.gpkg", layer="labels")
    assert f"{len(frame)} polygons" in said
    assert len(frame)
    assert frame.severity.isna().all()
    before = (tmp_path / "work" / "index.i2").stat().st_mtime_ns
    assert geolabel(*pair, *told, *more, "--out", tmp_path / "again.gpkg")[0] == 0
    assert gpd.read_file(tmp_path / "again.gpkg", layer="labels").label_id.tolist() == frame.label_id.tolist()
    assert (tmp_path / "work" / "index.i2").stat().st_mtime_ns == before
    assert "otsu" in refused(*pair, "--threshold", "otus", "--out", tmp_path / "x.gpkg")
    assert "change of dNBR" in refused(*pair, "--index", "rbr", "--offset", "ring", "--out", tmp_path / "x.gpkg")
    assert "no dask scheduler" in refused(*pair, "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path / "x.gpkg")


# ---------------------------------------------------------------------- full disk
def test_a_full_disk_is_said_and_nothing_is_half_written(refused, geolabel, window, tmp_path, monkeypatch):
    whole, out = files.os.fsync, tmp_path / "tiles"
    pair = ["burned", window.path("before"), window.path("after"), "--at", "2003-05-01", "2003-05-31", "--size", "32"]
    left = iter(range(7))

    def full(descriptor):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        said = refused(*pair, "--out", out)
    assert "No space left on device" in said
    assert "free some space, then run the same command again" in said
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*_*.geojson")}
    assert 0 < len(written) < 16
    assert not [path for path in out.rglob("*") if path.name.startswith(".") and path.name != ".journal"]
    for path in written:
        json.loads(path.read_text())
    assert geolabel(*pair, "--out", out)[0] == 0
    assert len(list(out.glob("[0-9]*.geojson"))) == 16
    kept = [path for path, at in written.items() if path.stat().st_mtime_ns == at]
    assert len(kept) >= len(written) - 1  # the last may not have been in the journal yet


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_an_error_of_the_disk_from_any_library_has_a_way_out(refused, tmp_path, monkeypatch, number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), str(tmp_path / "[x]" / "file"))

    monkeypatch.setattr(Project, "open", fail)
    assert os.strerror(number) in refused("check", tmp_path)


def test_a_fault_of_ours_is_not_dressed_up(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(Project, "open", fail)
    monkeypatch.setattr(sys, "argv", ["geolabel", "check", str(tmp_path)])
    with pytest.raises(ZeroDivisionError):
        cli.main()


# ---------------------------------------------------------------------- Ctrl-C
def in_training(folder, job):
    """Wait until a product after the labels is being made; whether that came."""
    while not (there := (folder / "labels.gpkg").exists() and any(folder.glob("products/.*.part"))):
        if job.poll() is not None:
            break
        time.sleep(0.05)
    return there


def test_an_interrupted_job_goes_on_where_it_stopped(geolabel, refused, window, tmp_path):
    out = tmp_path / "out"
    flags = ["demo", "--quick", *window.flags(out=out, start="2003-05-31T12:00Z")]
    with process(*flags) as job:
        assert in_training(out, job)
        job.send_signal(signal.SIGINT)
        _, said = job.communicate(timeout=120)
    assert job.returncode == 2
    assert "interrupted; run the same command again" in said
    assert "Traceback" not in said
    assert not (out / "report.json").exists()
    with Project.open(out) as project:
        assert project.check() == []
        before = project.ledger.events()
    assert {event.payload["name"] for event in before if event.kind == "product"} <= {
        "consensus",
        "labels",
        "spread-model",
    }

    said = refused(*["demo", "--quick", *window.flags(out=out, ignition=TOWN, start="2003-05-31T12:00Z")])
    assert "lies on fuel 91 (Urban or developed)" in said
    assert "nearest burnable cell" in said
    code, said, _ = geolabel(*flags)
    assert code == 0
    assert said.strip().splitlines()[-1] == f"open {out / 'maps' / 'field.html'}"
    with Project.open(out) as project:
        after = project.ledger.events()
        assert [event.digest for event in after[: len(before)]] == [event.digest for event in before]
        assert {event.kind for event in after[len(before) :]} == {"product"}
        assert [p["name"] for p in project.ledger.products()].count("consensus") == 1
    report = json.loads((out / "report.json").read_text())
    assert any("Quick run" in note for note in report["notes"])
    assert "Quick run" in (out / "maps" / "field.html").read_text()
    assert geolabel("check", out)[1].strip() == "every stream of the ledger and every product holds"
    said = refused("demo", *window.flags(out=out, start="2003-05-31T12:00Z"))
    assert "holds another job" in said


def test_an_interrupt_between_pieces_leaves_no_thread_and_starts_nothing_more():
    begun, there = [], set(threading.enumerate())

    def stop(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(walk(range(100), begun.append, what="work", progress=stop))
    assert len(begun) < 10
    assert set(threading.enumerate()) <= there


def test_an_interrupt_inside_a_worker_ends_the_walk():
    def work(number):
        if number == 3:
            raise KeyboardInterrupt
        return number

    seen, there = [], set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        seen.extend(walk(range(100), work, what="work"))
    assert seen == [0, 1, 2]
    assert set(threading.enumerate()) <= there


# ---------------------------------------------------------------------- a labeled project
def test_a_project_is_exported_and_forecast_from_the_command_line(geolabel, window, tmp_path):
    out, start = tmp_path / "out", "2003-05-31T12:00Z"
    assert geolabel("demo", "--quick", *window.flags(out=out, start=start))[0] == 0
    code, said, _ = geolabel("export", out, tmp_path / "labels.parquet", "--format", "geoparquet")
    assert code == 0
    assert str(tmp_path / "labels.parquet") in said
    where = [f"--ignition={IGNITION.lon},{IGNITION.lat}", "--wind", "12 km/h from SE", "--start", start, "--hindcast"]
    code, said, _ = geolabel("risk", out, *where, "--hours", "2", "--out", tmp_path / "maps")
    assert code == 0
    assert said.splitlines()[-1] == f"open {tmp_path / 'maps' / 'field.html'}"
    with Project.open(out) as project:
        assert project.config.risk.hours == (1.0, 2.0)
        assert project.check() == []
