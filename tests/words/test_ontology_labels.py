"""Labels held against their ontology: classes, sorts of geometry, attributes."""

import json

import geopandas as gpd
import pytest
from shapely import LineString, MultiPolygon, Point, box
from shapely.affinity import rotate

from geolabel.errors import OntologyError
from geolabel.ontology import WILDFIRE, Attribute, Class, Ontology, check_attributes, check_labels

ASKING = Ontology(
    "asking", 1,
    (
        Class("thing", "Thing", 1, "object", "#112233", attributes=(Attribute("state", "choice", choices=("ok", "gone"), required=True),)),
        Class("part", "Part", 2, "object", "#112233", parent="thing"),
    ),
)  # fmt: skip


def frame(name, *attributes, geometry=None):
    texts = [one if isinstance(one, str) or one is None else json.dumps(one) for one in attributes]
    ids = [f"l{i}" for i in range(len(texts))]
    shapes = [geometry or box(0, 0, 1, 1)] * len(texts)
    return gpd.GeoDataFrame({"label_id": ids, "class": name, "attributes": texts}, geometry=shapes, crs="EPSG:32610")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["", "oak"], [1, None, ["oak"]]),
        ("number", [1, 1.5, -2, 10**400], ["1", True, None, float("nan"), float("inf")]),
        ("integer", [1, 2.0, -3, 10**400], [1.5, "1", False, float("inf")]),
        ("boolean", [True, False], [0, 1, "true", None]),
        ("date", ["2009-08-26"], ["26.8.2009", "2009-08-26T00:00Z", "20090826", "2009-02-30", 2009]),
    ],
)
def test_values_of_each_kind(kind, good, bad):
    one = Attribute("x", kind)
    assert all(one.allows(value) for value in good)
    assert not any(one.allows(value) for value in bad)
    assert one.allowed


def test_a_choice_is_one_of_its_choices():
    one = Attribute("x", "choice", choices=("paved", "track"))
    assert one.allows("paved")
    assert not one.allows("Paved")
    assert not one.allows(None)
    assert one.allowed == "one of paved, track"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x", "kind": "choice"}, "0 choices"),
        ({"name": "x", "kind": "text", "choices": ("a",)}, "1 choices"),
        ({"name": "x", "kind": "text", "unit": "m"}, "in 'm'"),
        ({"name": "x y", "kind": "text"}, "'x y'"),
        ({"name": "x", "kind": "str"}, "the kind 'str'"),
    ],
)
def test_attributes_that_cannot_be_are_refused(values, words):
    with pytest.raises(OntologyError, match=words):
        Attribute(**values)


def test_labels_that_are_right_pass():
    given = frame("building", {"use": "farm", "height_m": 4.5}, None, {}, {"brought": "along", "roof": "tile"})
    assert check_labels(WILDFIRE, given) is given
    assert check_attributes(WILDFIRE, given.drop(columns="attributes")) is not None


def test_wrong_values_are_named_with_the_label_and_what_is_allowed():
    given = frame("building", {"use": "farm"}, {"use": "barn"}, {"height_m": "tall"})
    with pytest.raises(OntologyError, match=r"label 'l1' \(building\): use = 'barn' is not one of residential.*1 more"):
        check_attributes(WILDFIRE, given)
    with pytest.raises(
        OntologyError, match=r"height_m = 'tall' is not a number in m$|height_m = 'tall' is not a number in m\n"
    ):
        check_attributes(WILDFIRE, given.iloc[2:])


def test_attributes_of_others_pass_unless_they_must_not():
    given = frame("building", {"hight_m": 3})
    check_attributes(WILDFIRE, given)
    with pytest.raises(OntologyError, match=r"no attribute 'hight_m' \(did you mean 'height_m'"):
        check_attributes(WILDFIRE, given, foreign=False)


@pytest.mark.parametrize("name", ["thing", "part"])
@pytest.mark.parametrize("attributes", [None, {}, {"other": 1}])
def test_required_attributes_are_missed_down_the_hierarchy(name, attributes):
    with pytest.raises(OntologyError, match="state is missing: one of ok, gone"):
        check_attributes(ASKING, frame(name, attributes))
    check_attributes(ASKING, frame(name, {"state": "gone"}))


@pytest.mark.parametrize("text", ["{", "[1]", "3", "null"])
def test_attributes_are_a_json_object(text):
    with pytest.raises(OntologyError, match="are no JSON object"):
        check_attributes(WILDFIRE, frame("building", text))


def test_classes_are_the_ontologys():
    with pytest.raises(OntologyError, match=r"no class 'bilding'(.|\n)*'building'"):
        check_labels(WILDFIRE, frame("bilding", None))


SQUARE, LINE = box(0, 0, 2, 2), LineString([(0, 0), (1, 1)])


@pytest.mark.parametrize(
    ("name", "geometry", "right"),
    [
        ("forest", SQUARE, True), ("forest", MultiPolygon([SQUARE, box(3, 3, 4, 4)]), True), ("forest", LINE, False),
        ("forest", Point(0, 0), False), ("road", LINE, True), ("road", Point(0, 0), False), ("tower", Point(0, 0), True),
    ],
)  # fmt: skip
def test_classes_are_drawn_as_they_may_be(name, geometry, right):
    given = frame(name, None, geometry=geometry)
    if right:
        assert check_labels(WILDFIRE, given) is given
    else:
        with pytest.raises(OntologyError, match=f"'l0' is a {geometry.geom_type}; {name} is drawn as polygon"):
            check_labels(WILDFIRE, given)


def test_a_box_is_an_upright_rectangle():
    only = Class("crown", "Crown", 1, "object", "#112233", geometry=("box",))
    assert only.draws(SQUARE)
    assert only.draws(box(0, 0, 2, 2, ccw=False))
    assert not only.draws(rotate(SQUARE, 10))
    assert not only.draws(SQUARE - box(0.5, 0.5, 1, 1))
