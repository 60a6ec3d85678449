"""Laws of class lists: files and STAC give back what was written, migrations compose and lose nothing unsaid."""

import json
from dataclasses import replace
from importlib.resources import files

import geopandas as gpd
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geolabel.errors import OntologyError
from geolabel.ontology import (
    GEOMETRIES,
    KINDS,
    Attribute,
    Class,
    Example,
    Instructions,
    Migration,
    Ontology,
    Question,
    check_attributes,
    diff,
    from_stac,
)

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(files("geolabel.ontology").joinpath("ontology.schema.json").read_text(encoding="utf-8"))
)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
QUICK = settings(max_examples=60, deadline=None)
names = st.text("abcXYZ019_-", min_size=1, max_size=6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
shares = st.sampled_from([{}, {98: 1.0}, {101: 0.25, 102: 0.75}, {91: 0.1, 93: 0.2, 122: 0.7}])


@st.composite
def attributes(draw):
    kind = draw(st.sampled_from(["text", "number", "integer", "boolean", "choice", "date"]))
    choices = draw(st.lists(texts, min_size=1, max_size=3)) if kind == "choice" else []
    unit = draw(st.sampled_from(["", "m", "kV"])) if kind in ("number", "integer") else ""
    return Attribute(draw(names), kind, draw(texts), unit, tuple(choices), draw(st.booleans()))


@st.composite
def ontologies(draw, kinds=KINDS, version=None):
    own = draw(st.lists(names, unique=True, min_size=1, max_size=6))
    codes = draw(st.lists(st.integers(1, 254), unique=True, min_size=len(own), max_size=len(own)))
    classes = []
    for n, (name, code) in enumerate(zip(own, codes, strict=True)):
        kind = draw(st.sampled_from(kinds))
        parents = [c.name for c in classes if c.kind == kind]
        classes.append(
            Class(
                name, draw(texts.filter(bool)), code, kind, f"#{draw(st.integers(0, 0xFFFFFF)):06x}",
                fuels=draw(shares) if kind == "terrain" else {},
                parent=draw(st.sampled_from([None, *parents])),
                geometry=tuple(draw(st.lists(st.sampled_from(GEOMETRIES), unique=True, min_size=1))),
                attributes=tuple(draw(st.lists(attributes(), max_size=2, unique_by=lambda a: a.name))),
                description=draw(texts),
                standards=draw(st.sampled_from([{}, {"theirs": (str(n), f"x{n}")}])),
            )
        )  # fmt: skip
    number = version or draw(st.integers(1, 99))
    return Ontology(draw(names), number, tuple(classes), draw(texts), draw(texts), {"theirs": draw(texts)})


# ---------------------------------------------------------------------- files
@SAME_FOLDER
@given(ontologies(), st.sampled_from(["json", "toml"]))
def test_files_give_back_what_was_written(tmp_path, ontology, suffix):
    back = Ontology.read(ontology.write(tmp_path / f"own.{suffix}"))
    assert back == ontology
    assert back.digest == ontology.digest


@SAME_FOLDER
@given(texts, texts, st.lists(st.builds(Example, texts, texts, texts, st.booleans()), max_size=2))
def test_instructions_give_back_what_was_written(tmp_path, text, title, examples):
    one = Instructions(1, "own@1", text, title, tuple(examples))
    assert Instructions.read(one.write(tmp_path / "own.md")) == one


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats()
    | texts
    | st.sampled_from(["terrain", "choice", "box"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts | st.just("101"), inner, max_size=2),
    max_leaves=4,
)


def places(value, path=()):
    """Paths of all values inside a JSON value."""
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in steps:
        yield from places(inner, (*path, key))


def put(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=300, deadline=None)
@given(ontologies(), st.data())
def test_a_row_with_anything_in_it_is_read_or_refused_by_name_and_the_schema_takes_what_is_read(ontology, data):
    row = ontology.to_row()
    path = data.draw(st.sampled_from(list(places(row))))
    changed = put(row, path, data.draw(junk))
    try:
        read = Ontology.from_row(changed)
    except OntologyError:
        return
    assert SCHEMA.is_valid(changed)
    assert Ontology.from_row(read.to_row()) == read


@settings(max_examples=200, deadline=None)
@given(ontologies(), st.data())
def test_class_objects_with_anything_in_them_are_read_or_refused_by_name(ontology, data):
    rows = ontology.to_stac()
    n = data.draw(st.integers(0, len(rows) - 1))
    key = data.draw(st.sampled_from(["value", "name", "title", "description", "color_hint", "geolabel:kind", "nodata"]))
    rows[n] = rows[n] | {key: data.draw(junk)}
    try:
        read = from_stac(rows, "theirs")
    except OntologyError:
        return
    assert from_stac(read.to_stac(), "theirs") == read


@QUICK
@given(ontologies())
def test_stac_gives_back_names_codes_titles_colours_kinds_and_parents(ontology):
    back = from_stac(json.loads(json.dumps(ontology.to_stac())), ontology.name, ontology.version)
    plain = [
        replace(c, fuels={}, geometry=("polygon",), attributes=(), standards={}) for c in ontology
    ]  # fmt: skip
    assert back == Ontology(ontology.name, ontology.version, tuple(plain))


@QUICK
@given(ontologies(), ontologies())
def test_nothing_is_said_to_differ_exactly_where_nothing_does(one, other):
    assert diff(one, replace(one, version=one.version + 1)) == ()
    assert (diff(one, other) == ()) == (replace(one, version=1) == replace(other, version=1))


# ---------------------------------------------------------------------- hierarchy
@QUICK
@given(ontologies())
def test_children_and_ancestors_are_each_others_inverse(ontology):
    for one in ontology:
        assert all(child.parent == one.name for child in ontology.children(one.name))
        below = [c for c in ontology if one.name in (c.name, *(a.name for a in ontology.ancestors(c.name)))]
        assert list(ontology.leaves(one.name)) == [c for c in below if not ontology.children(c.name)]
    everyone = [one.name for one in ontology]
    assert ontology.within(everyone) == {name: name for name in everyone}
    roots = [one.name for one in ontology.children()]
    assert set(ontology.within(roots).values()) == set(roots)


# ---------------------------------------------------------------------- migration
def labels(*classes):
    ids = [f"l{i}" for i in range(len(classes))]
    data = {"label_id": ids, "class": list(classes), "attributes": None}
    return gpd.GeoDataFrame(data, geometry=[Point(i, i) for i in range(len(ids))], crs="EPSG:32610")


@st.composite
def migrations(draw, source, target, *, questions=False):
    ends = st.sampled_from([c.name for c in target]) | st.none()
    split = st.lists(st.sampled_from([c.name for c in target]), min_size=1, unique=True).map(
        lambda c: Question(tuple(c))
    )
    said = draw(st.lists(st.sampled_from([c.name for c in source]), unique=True))
    return Migration(source, target, {name: draw(ends | split if questions else ends) for name in said})


@st.composite
def chains(draw, *, questions=False):
    a, b, c = (draw(ontologies(("object",), version)) for version in (1, 2, 3))
    first, second = draw(migrations(a, b, questions=questions)), draw(migrations(b, c, questions=questions))
    return first, second, labels(*draw(st.lists(st.sampled_from([one.name for one in a]), max_size=8)))


def outcome(*steps):
    """Labels after some steps, or None where one refuses."""
    *migrations, frame = steps
    try:
        for one in migrations:
            frame = one.apply(frame)
    except OntologyError:
        return None
    return list(frame[["label_id", "class"]].itertuples(index=False, name=None))


@QUICK
@given(chains())
def test_one_after_the_other_is_both_at_once(chain):
    first, second, frame = chain
    both = first.then(second)
    apart = outcome(first, second, frame)
    if apart is not None:
        assert outcome(both, frame) == apart
    assert (outcome(both, frame) is None) == (apart is None)


@QUICK
@given(chains(questions=True))
def test_every_label_is_counted_once_and_records_come_back(chain):
    first, second, frame = chain
    for one in (first, first.then(second)):
        tally = one.tally(frame)
        open_ones = sum(map(len, tally.open.values()))
        counted = tally.unchanged + sum(tally.moved.values()) + sum(tally.dropped.values()) + open_ones
        assert counted == len(frame)
        after = outcome(one, frame)
        assert (after is None) == (open_ones > 0)
        if after is not None:
            assert len(after) == len(frame) - sum(tally.dropped.values())
        found = {one.source.id: one.source, one.target.id: one.target}
        assert Migration.from_row(json.loads(json.dumps(one.to_row())), found.__getitem__) == one


@QUICK
@given(chains(questions=True))
def test_decisions_that_are_choices_settle_every_split(chain):
    first, _, frame = chain
    moves = {name: first.move(name) for name in frame["class"]}
    choices = {name: move.choices for name, move in moves.items() if isinstance(move, Question)}
    decided = {
        key: choices[name][0] for key, name in zip(frame["label_id"], frame["class"], strict=True) if choices.get(name)
    }
    if all(choices.values()):
        after = first.apply(frame, decided)
        assert all(after.set_index("label_id")["class"][key] == choice for key, choice in decided.items())


# ---------------------------------------------------------------------- attributes
@QUICK
@given(st.lists(attributes(), unique_by=lambda a: a.name, max_size=3), st.data())
def test_values_drawn_as_allowed_are_allowed_and_others_named(asked, data):
    ontology = Ontology("o", 1, (Class("a", "A", 1, "object", "#112233", attributes=tuple(asked)),))
    good = {
        "text": texts, "number": st.floats(allow_nan=False, allow_infinity=False), "integer": st.integers(-9, 9),
        "boolean": st.booleans(), "date": st.dates().map(lambda d: d.isoformat()),
    }  # fmt: skip
    values = {a.name: data.draw(st.sampled_from(a.choices) if a.choices else good[a.kind]) for a in asked}
    frame = labels("a").assign(attributes=json.dumps(values))
    assert check_attributes(ontology, frame, foreign=False) is frame
    for one in asked:
        with pytest.raises(OntologyError, match=one.name):
            check_attributes(ontology, frame.assign(attributes=json.dumps(values | {one.name: [1]})))
