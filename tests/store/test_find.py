"""Shapes are found by place, class, time and annotator, and what an answer can say comes back with them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from geolabel.errors import InputError, StoreError
from geolabel.nouns.answer import Answer
from geolabel.store import sqlite
from geolabel.store.lonlat import lonlat_boxes
from geolabel.tables import IGNORE, LABELS, check, empty
from labels import NOW, box_shapes

WEST, NORTH = 500_000, 4_200_000
CLASSES = np.array(["burned", "water", "grass"], dtype=object)


def an_answer(shapes, *, by="person:a", at=NOW, task="v/g/0_0#terrain", **more):
    return Answer(task, by, "labeled", shapes, empty(IGNORE, shapes.crs), at, **more)


def scattered(n, generator):
    """SHAPES of small squares over 30 km, of three classes, some with a time of their own."""
    x, y = WEST + 30_000 * generator.random(n), NORTH - 30_000 * generator.random(n)
    frame = box_shapes(list(zip(x, y, x + 200, y + 200, strict=True)))
    start = pd.to_datetime(NOW - pd.to_timedelta(generator.integers(1, 900, n), "D"), utc=True)
    start = pd.Series(start).where(generator.random(n) < 0.5)
    return frame.assign(
        **{"class": CLASSES[generator.integers(0, 3, n)].tolist()}, start=start, end=start + pd.Timedelta("2D")
    )


@pytest.mark.parametrize("wide", [30_000, 20], ids=["by the index", "by a walk"])
def test_what_is_found_is_what_a_look_at_every_shape_finds(ledger, monkeypatch, wide):
    monkeypatch.setattr(sqlite, "WIDE", wide)
    generator = np.random.default_rng(4)
    frames = [scattered(60, generator) for _ in range(4)]
    given = [an_answer(f, by=f"person:{n % 2}", at=NOW + timedelta(days=n)) for n, f in enumerate(frames)]
    ledger.append_answers(given, actor="a")
    lonlat = Transformer.from_crs("EPSG:32610", "EPSG:4326", always_xy=True)
    for _ in range(12):
        x, y, size = WEST + 25_000 * generator.random(), NORTH - 25_000 * generator.random(), 15_000
        bounds = lonlat.transform_bounds(x, y, x + size, y + size)
        first, last = sorted(NOW - timedelta(days=int(d)) for d in generator.integers(-5, 900, 2))[:2]
        asked = {"classes": ["water", "grass"], "start": first, "end": last, "annotator": "person:1"}
        found = ledger.shapes(bounds, limit=None, **asked)
        assert sorted(found["label_id"] + found["answer"]) == sorted(by_eye(given, bounds, **asked))
        assert list(ledger.shapes(bounds, limit=3, **asked)["label_id"]) == list(found["label_id"][:3])


def by_eye(given, bounds, *, classes, start, end, annotator):
    """The same without an index."""
    for one in given:
        boxes = one.shapes.to_crs("EPSG:4326").bounds.to_numpy()
        for row, (west, south, east, north) in zip(one.shapes.itertuples(), boxes, strict=True):
            since, until = (one.at, one.at) if pd.isna(row.start) else (row.start, row.end)
            place = west <= bounds[2] and east >= bounds[0] and south <= bounds[3] and north >= bounds[1]
            if place and row[2] in classes and since <= end and until >= start and one.annotator == annotator:
                yield row.label_id + one.uuid


def test_found_shapes_are_labels_with_all_they_say(ledger):
    """Times, attributes, class list and way come back, in the CRS they were drawn in."""
    start = pd.to_datetime(["2020-08-01T10:00:00.123456789Z", None], utc=True, format="ISO8601")
    drawn = box_shapes([(WEST, NORTH, WEST + 100, NORTH + 100), (WEST, NORTH, WEST + 200, NORTH + 200)])
    drawn = drawn.assign(start=start, attributes=['{"species":"oak"}', None], confidence=[0.5, np.nan])
    one = an_answer(drawn, ontology="wildfire@2", how="import:trees.gpkg@abc")
    ledger.append_answers([one], actor="a")
    found = check(ledger.shapes(), LABELS)
    assert found.crs == drawn.crs
    assert found.geometry.to_wkb().tolist() == drawn.geometry.to_wkb().tolist()
    assert found["start"].tolist() == start.tolist()
    assert found["attributes"].tolist() == ['{"species":"oak"}', None]
    assert set(found["annotator"]), set(found["task_id"]) == ({"person:a"}, {one.task_id})
    assert found["labeled_at"].tolist() == [NOW, NOW]
    (back,) = ledger.answers()
    assert (back.digest, back.ontology, back.how) == (one.digest, one.ontology, one.how)
    assert list(back.shapes.columns) == [*box_shapes([]).columns, "start", "attributes"]


def test_a_time_is_the_same_moment_in_every_zone(ledger):
    drawn = box_shapes([(WEST, NORTH, WEST + 100, NORTH + 100)])
    here = pd.to_datetime(["2020-08-01T00:00:00-07:00"]).tz_convert("America/Los_Angeles")
    one = an_answer(drawn.assign(start=here))
    same = replace(one, shapes=drawn.assign(start=here.tz_convert("UTC")))
    ledger.append_answers([one], actor="a")
    assert ledger.answers()[0].digest == one.digest == same.digest


def test_shapes_of_several_crs_are_found_in_degrees(ledger):
    utm = box_shapes([(WEST, NORTH, WEST + 100, NORTH + 100)])
    degrees = box_shapes([(-123, 37.9, -122.9, 38)], crs="EPSG:4326")
    ledger.append_answers([an_answer(utm), an_answer(degrees, by="person:b")], actor="a")
    found = ledger.shapes()
    assert found.crs.to_epsg() == 4326
    expected = [utm.to_crs(4326).geometry.iloc[0], degrees.geometry.iloc[0]]
    assert all(a.equals_exact(b, 1e-12) for a, b in zip(found.geometry, expected, strict=True))


def test_what_was_corrected_or_is_to_be_ignored_is_not_found(ledger):
    drawn = box_shapes([(WEST, NORTH, WEST + 100, NORTH + 100)])
    cloud = gpd.GeoDataFrame({"reason": ["cloud"]}, geometry=drawn.geometry, crs=drawn.crs)
    old = an_answer(drawn)
    new = replace(an_answer(drawn, supersedes=old.uuid), ignore=cloud)
    ledger.append_answers([old, new], actor="a")
    assert ledger.shapes()["answer"].tolist() == [new.uuid]
    assert ledger.shapes(current=False)["answer"].tolist() == [old.uuid, new.uuid]


def test_nothing_found_is_a_table_of_labels(ledger):
    assert not len(check(ledger.shapes(classes="water"), LABELS))
    with pytest.raises(InputError):
        ledger.shapes(limit=0)
    with pytest.raises(InputError, match="time zone"):
        ledger.shapes(start=datetime(2024, 7, 1).isoformat())


# ---------------------------------------------------------------------- boxes
def test_a_box_holds_the_whole_shape_not_only_its_corners():
    """The northern edge of a 1000 km wide rectangle in UTM bulges beyond its corners."""
    wide = shapely.box(0, 7_000_000, 1_000_000, 7_100_000)
    north = lonlat_boxes(np.array([wide], dtype=object), "EPSG:32610")[0, 3]
    top = gpd.GeoSeries([shapely.Point(500_000, 7_100_000)], crs=32610).to_crs(4326).iloc[0]
    assert north == pytest.approx(top.y, abs=1e-3)
    corner = gpd.GeoSeries([shapely.Point(0, 7_100_000)], crs=32610).to_crs(4326).iloc[0]
    assert top.y - corner.y > 0.2


@pytest.mark.parametrize(
    ("shape", "crs", "box"),
    [
        (shapely.box(-180, -90, 180, 90), "EPSG:4326", (-180, -90, 180, 90)),
        (shapely.box(-100, 0, 100, 1), "EPSG:4326", (-180, 0, 180, 1)),
        (shapely.MultiPolygon([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)]), "EPSG:4326", (179, 0, -179, 1)),
        (shapely.Point(0, 0).buffer(1_000_000), "EPSG:3995", (-180, 80.9, 180, 90)),  # around the north pole
        (shapely.Point(0, 0).buffer(1_000_000), "EPSG:3031", (-180, -90, 180, -80.9)),
    ],
    ids=["world", "half a world", "two sides", "north pole", "south pole"],
)  # fmt: skip
def test_boxes_of_shapes_that_are_far_from_small(shape, crs, box):
    assert lonlat_boxes(np.array([shape], dtype=object), crs)[0] == pytest.approx(box, abs=0.1)


def test_a_time_that_no_satellite_saw_is_refused(ledger):

    long_ago = pd.Series(np.array(["1066-10-14"], "datetime64[s]")).dt.tz_localize(UTC)
    drawn = box_shapes([(WEST, NORTH, WEST + 100, NORTH + 100)]).assign(start=long_ago)
    with pytest.raises(StoreError, match="no time of the ground"):
        ledger.append_answers([an_answer(drawn)], actor="a")
    assert ledger.events() == []
