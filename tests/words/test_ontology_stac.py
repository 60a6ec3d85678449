"""STAC `classification:classes` both ways, held against the extension's rules and against pystac."""

import re
from datetime import UTC, datetime

import pystac
import pytest
from pystac.extensions.classification import Classification, ClassificationExtension

from geolabel.errors import OntologyError
from geolabel.ontology import WILDFIRE, Ontology, from_stac, to_stac
from geolabel.ontology.stac import CYCLE, SCHEMA


def keeps_to_the_extension(row):
    """The rules of a Class Object (classification extension v2.0.0) on one row."""
    assert isinstance(row["value"], int)
    assert re.fullmatch(r"[0-9A-Za-z\-_]+", row["name"])
    assert all(isinstance(row[key], str) and row[key] for key in ("title", "description") if key in row)
    assert "color_hint" not in row or re.fullmatch(r"[0-9A-F]{6}", row["color_hint"])
    assert isinstance(row.get("nodata", False), bool)
    assert 0 <= row.get("percentage", 0) <= 100
    assert not {key for key in row if ":" in key and not key.startswith("geolabel:")}


def test_class_objects_keep_to_the_extension():
    rows = WILDFIRE.to_stac({"water": 0.25, "unlabeled": 0.5})
    for row in rows:
        keeps_to_the_extension(row)
    assert len({row["value"] for row in rows}) == len(rows) == len(WILDFIRE) + 2
    assert [row["value"] for row in rows if row.get("nodata")] == [255]
    shares = {row["name"]: row["percentage"] for row in rows if "percentage" in row}
    assert shares == {"water": 25, "unlabeled": 50}


def test_pystac_reads_what_is_written(tmp_path):
    item = pystac.Item("labels", None, None, datetime(2020, 1, 1, tzinfo=UTC), {})
    asset = pystac.Asset("mask.tif", extra_fields={"classification:classes": to_stac(WILDFIRE)})
    item.add_asset("mask", asset)
    item.stac_extensions.append(SCHEMA)
    item.save_object(include_self_link=False, dest_href=str(tmp_path / "item.json"))
    read = pystac.Item.from_file(str(tmp_path / "item.json"))
    classes = ClassificationExtension.ext(read.assets["mask"]).classes
    by_value = {one.value: one for one in classes}
    assert {255} == {value for value, one in by_value.items() if one.nodata}
    for one in WILDFIRE:
        theirs = by_value[one.code]
        assert (theirs.name, theirs.title, theirs.description) == (one.name, one.title, one.description or None)
        assert theirs.color_hint == one.colour[1:].upper()


def test_what_pystac_writes_is_read():
    rows = [
        Classification.create(value=0, name="nothing", nodata=True),
        Classification.create(value=1, name="Trees", title="Tree cover", description="Trees", color_hint="006400"),
        Classification.create(value=9, name="water-body"),
    ]
    read = from_stac([row.to_dict() for row in rows], "theirs", 3, kind="terrain")
    assert read.id == "theirs@3"
    assert [(c.name, c.title, c.code, c.kind, c.description) for c in read] == [
        ("Trees", "Tree cover", 1, "terrain", "Trees"), ("water-body", "water-body", 9, "terrain", ""),
    ]  # fmt: skip
    assert [c.colour for c in read] == ["#006400", CYCLE[1]]


def test_ours_come_back_with_kinds_and_parents():
    back = from_stac(WILDFIRE.to_stac(), "wildfire", 2, kind="object")
    facts = [(c.name, c.title, c.code, c.kind, c.colour, c.parent, c.description) for c in WILDFIRE]
    assert [(c.name, c.title, c.code, c.kind, c.colour, c.parent, c.description) for c in back] == facts
    assert from_stac(back.to_stac(), "wildfire", 2) == back


def test_objects_of_version_1_have_no_names():
    rows = [{"value": 3, "description": "Open Water, deep", "color-hint": "0000FF"}, {"value": 4, "title": "Land"}]
    read = from_stac(rows, "old")
    assert [(c.name, c.title, c.colour) for c in read] == [
        ("open_water_deep", "Open Water, deep", "#0000ff"), ("land", "Land", CYCLE[1]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"value": 0, "name": "clear"}, "'clear' has the value 0(.|\n)*recode"),
        ({"value": 256, "name": "x"}, "the value 256"),
        ({"value": "1", "name": "x"}, "no STAC class object"),
        ({"value": 1}, "no STAC class object"),
        ({"value": 1, "name": "x", "color_hint": "#FF0000"}, "color_hint '#FF0000'"),
        ({"value": 1, "name": "a b"}, "'a b'"),
        ({"value": 255, "name": "nothing", "nodata": True}, "no class among 1"),
    ],
)
def test_what_no_mask_of_ours_can_hold_is_refused(row, words):
    with pytest.raises(OntologyError, match=words):
        from_stac([row], "theirs")


@pytest.mark.parametrize("shares", [{"watr": 0.5}, {"water": 25}, {"water": float("nan")}])
def test_shares_of_nothing_or_more_than_all_are_refused(shares):
    with pytest.raises(OntologyError, match=r"watr|a share from 0 to 1"):
        Ontology.to_stac(WILDFIRE, shares)
