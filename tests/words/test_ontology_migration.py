"""Labels moved from one version of a class list to the next: explicit, told in numbers, recorded."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from geolabel.errors import OntologyError
from geolabel.ontology import WILDFIRE, Attribute, Class, Migration, Ontology, Question, diff, known
from geolabel.tables import LABELS, SHAPES, check, empty


def ontology(version, *names, kind="object", **attributes):
    classes = [
        Class(name, name, code, kind, "#112233", attributes=attributes.get(name, ()))
        for code, name in enumerate(names, start=1)
    ]
    return Ontology("own", version, tuple(classes))


FIRST = ontology(
    1, "house", "shed", "car", "truck", "tree", car=(Attribute("plate", "text"), Attribute("age", "integer"))
)
SECOND = ontology(2, "building", "car", "truck", "conifer", "broadleaf", car=(Attribute("age", "integer"),))
MOVES = {
    "house": "building",
    "shed": "building",
    "tree": Question(("conifer", "broadleaf"), "sorts are told apart now"),
}
CHANGE = Migration(FIRST, SECOND, MOVES, "buildings are one class")


def shapes(*names, attributes=None):
    n = len(names)
    frame = gpd.GeoDataFrame(
        {
            "label_id": [f"l{i}" for i in range(n)], "class": list(names), "severity": None, "severity_scheme": None,
            "confidence": [0.5] * n, "masked_share": [0.0] * n, "attributes": attributes or [None] * n,
        },
        geometry=[box(i, 0, i + 1, 1) for i in range(n)], crs="EPSG:32610", index=[10 * i for i in range(n)],
    )  # fmt: skip
    return check(frame, SHAPES)


def test_renamed_merged_and_unchanged_keep_all_else():
    before = shapes("house", "shed", "car", attributes=[None, '{"a":1}', '{"age":3}'])
    after = CHANGE.apply(before)
    assert list(after["class"]) == ["building", "building", "car"]
    rest = [name for name in before.columns if name != "class"]
    pd.testing.assert_frame_equal(pd.DataFrame(after[rest]), pd.DataFrame(before[rest]))
    assert after.crs == before.crs
    assert list(before["class"]) == ["house", "shed", "car"]
    check(after, SHAPES)


def test_dropped_labels_are_left_out_and_counted():
    drop = Migration(FIRST, SECOND, {**MOVES, "car": None, "tree": None})
    frame = shapes("car", "house", "car", "tree")
    assert list(drop.apply(frame)["label_id"]) == ["l1"]
    tally = drop.tally(frame)
    assert tally.dropped == {"car": 2, "tree": 1}
    assert tally.moved == {"house -> building": 1}
    assert (tally.unchanged, tally.open) == (0, {})


def test_a_split_waits_for_a_person():
    frame = shapes("tree", "house", "tree")
    with pytest.raises(OntologyError, match=r"2 labels .*were split in own@2(.|\n)*l0, l2(.|\n)*broadleaf, conifer"):
        CHANGE.apply(frame)
    assert CHANGE.tally(frame).open == {"tree": ("l0", "l2")}
    after = CHANGE.apply(frame, {"l0": "conifer", "l2": "broadleaf"})
    assert list(after["class"]) == ["conifer", "building", "broadleaf"]
    with pytest.raises(OntologyError, match="1 labels"):
        CHANGE.apply(frame, {"l0": "conifer"})
    with pytest.raises(OntologyError, match=r"'l0' was decided to be 'building'(.|\n)*conifer, broadleaf"):
        CHANGE.apply(frame, {"l0": "building", "l2": "conifer"})


def test_a_class_that_nobody_named_stops_only_the_labels_that_have_it():
    silent = Migration(FIRST, SECOND)
    assert list(silent.apply(shapes("car", "truck"))["class"]) == ["car", "truck"]
    with pytest.raises(OntologyError, match=r"does not say what becomes of \['house'\](.|\n)*moves"):
        silent.apply(shapes("car", "house"))
    with pytest.raises(OntologyError, match=r"no class 'hose'(.|\n)*'house'"):
        silent.apply(shapes("hose"))


def test_a_class_of_the_same_name_and_another_kind_is_not_the_same():
    land = ontology(2, "house", kind="terrain")
    with pytest.raises(OntologyError, match=r"what becomes of \['house'\]"):
        Migration(FIRST, land).apply(shapes("house"))
    with pytest.raises(OntologyError, match="object class 'car' cannot become 'house', a terrain class"):
        Migration(FIRST, land, {"car": "house"})


@pytest.mark.parametrize("moves", [{"hose": "building"}, {"house": "bilding"}, {"tree": Question(("conifer", "leaf"))}])
def test_moves_name_classes_that_there_are(moves):
    with pytest.raises(OntologyError, match=r"no class '(hose|bilding|leaf)'"):
        Migration(FIRST, SECOND, moves)


def test_attributes_that_no_longer_exist_are_kept_and_reported():
    frame = shapes("car", "car", "house", attributes=['{"age":3,"plate":"x"}', '{"age":4}', '{"brought":"along"}'])
    assert list(CHANGE.apply(frame)["attributes"]) == list(frame["attributes"])
    assert CHANGE.tally(frame).foreign == {"car.plate": 1}


@pytest.mark.parametrize("columns", [SHAPES, LABELS], ids=lambda c: c.name)
def test_empty_frames_pass(columns):
    frame = empty(columns, "EPSG:4326")
    assert check(CHANGE.apply(frame), columns).empty
    assert CHANGE.tally(frame).unchanged == 0


def test_records_pass_through_json():
    own = {one.id: one for one in (FIRST, SECOND)}
    change = Migration(FIRST, SECOND, {**MOVES, "car": None}, "why")
    assert Migration.from_row(json.loads(json.dumps(change.to_row())), own.__getitem__) == change
    other = {**own, "own@2": ontology(2, "building")}
    with pytest.raises(OntologyError, match="own@2 is not the one that was migrated"):
        Migration.from_row(change.to_row(), other.__getitem__)


# ---------------------------------------------------------------------- one after another
def test_renamed_twice_split_and_merged_again():
    third = ontology(3, "structure", "car", "tree")
    after = Migration(
        SECOND, third, {"building": "structure", "truck": "car", "conifer": "tree", "broadleaf": "tree"}, "b"
    )
    both = CHANGE.then(after)
    assert both.id == "own@1->own@3"
    assert {c.name: both.move(c.name) for c in FIRST} == {
        "house": "structure", "shed": "structure", "car": "car", "truck": "car", "tree": "tree",
    }  # fmt: skip
    assert both.note == "buildings are one class; b"


def test_questions_are_passed_on():
    third = ontology(3, "structure", "pine", "fir", "oak")
    names = {"building": "structure", "car": None, "truck": None}
    after = Migration(SECOND, third, {**names, "conifer": Question(("pine", "fir")), "broadleaf": "oak"})
    assert CHANGE.then(after).move("tree") == Question(("fir", "oak", "pine"), "sorts are told apart now")
    lost = Migration(SECOND, third, {**names, "conifer": None, "broadleaf": None})
    assert CHANGE.then(lost).move("tree") is None


def test_what_the_first_did_not_say_stays_unsaid_though_the_last_has_the_name():
    third = ontology(3, "house", "car", "truck")
    both = Migration(FIRST, SECOND).then(Migration(SECOND, third, {"building": "house"}))
    with pytest.raises(OntologyError, match=r"what becomes of \['house'\]"):
        both.apply(shapes("house"))


def test_what_does_not_follow_is_refused():
    with pytest.raises(OntologyError, match="own@1->own@2 does not follow own@1->own@2"):
        CHANGE.then(CHANGE)


# ---------------------------------------------------------------------- the shipped lists
def test_labels_of_the_first_shipped_list_are_labels_of_the_second():
    names = [c.name for c in known("wildfire@1")]
    after = Migration(known("wildfire@1"), WILDFIRE).apply(shapes(*names))
    assert list(after["class"]) == names


def test_labels_of_the_second_list_go_back_to_the_first_by_its_hierarchy():
    first = known("wildfire@1")
    up = {name: to for name, to in WILDFIRE.within([c.name for c in first]).items() if name not in first}
    frame = shapes("forest_conifer", "crops", "wetland", "burned")
    assert list(Migration(WILDFIRE, first, up).apply(frame)["class"]) == ["forest", "grass", "burned"]


# ---------------------------------------------------------------------- in words
def test_differences_in_words():
    words = diff(known("wildfire@1"), WILDFIRE)
    assert "forest_conifer (terrain, code 69) is new, a sort of forest" in words
    assert not any("is gone" in one or "another code" in one for one in words)
    assert any(one.startswith("building has another geometry (none -> ['polygon', 'box', 'point'])") for one in words)
    back = diff(WILDFIRE, known("wildfire@1"))
    assert sum("is gone" in one for one in back) == len(WILDFIRE) - len(known("wildfire@1"))


def test_nothing_changed_is_nothing_said():
    assert diff(WILDFIRE, WILDFIRE) == ()
    assert diff(FIRST, ontology(2, *[c.name for c in FIRST], car=FIRST["car"].attributes)) == ()


def test_reused_codes_and_other_orders_are_said():
    words = diff(ontology(1, "a", "b"), ontology(2, "b", "a"))
    assert "code 1 was a and is b: masks written before show another class" in words
    assert "the order of the classes is another" in words
    assert "a has another code (1 -> 2): masks written before show another class" in words
