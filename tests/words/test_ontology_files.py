"""Ontologies as JSON and TOML: exact round trips, the published schema, and files that cannot be read."""

import copy
import errno
import json
import os
import tomllib
from importlib.resources import files

import jsonschema
import pytest

from geolabel.errors import InputError, OntologyError, SourceError
from geolabel.ontology import WILDFIRE, Attribute, Class, Ontology, known

SCHEMA = json.loads(files("geolabel.ontology").joinpath("ontology.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)
SMALL = Ontology(
    "own", 3,
    (
        Class("a", "Ä \"quoted\" \\ title\nwith lines", 7, "terrain", "#aabbcc", fuels={101: 0.25, 98: 0.75}),
        Class("z", "Z", 3, "object", "#000000", geometry=("box", "point"),
              attributes=(Attribute("c", "choice", choices=("no", "yes"), required=True),
                          Attribute("h_m", "number", "how high", "m")), standards={"coco": ("car",)}),
        Class("b", "B", 200, "object", "#ffffff", parent="z"),
    ),
    title="Own", description="two\nlines", standards={"coco": "COCO 2017"},
)  # fmt: skip


@pytest.mark.parametrize("ontology", [WILDFIRE, known("wildfire@1"), SMALL], ids=lambda o: o.id)
@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_what_is_written_is_read(tmp_path, ontology, suffix):
    path = ontology.write(tmp_path / "new" / f"own.{suffix}")
    back = Ontology.read(path)
    assert back == ontology
    assert back.digest == ontology.digest
    assert [c.name for c in back] == [c.name for c in ontology]
    before = path.read_bytes()
    assert back.write(path).read_bytes() == before


def test_rows_pass_through_json():
    assert Ontology.from_row(json.loads(json.dumps(WILDFIRE.to_row()))) == WILDFIRE


# ---------------------------------------------------------------------- the schema says what the reader does
def test_the_schema_is_a_schema_and_what_is_shipped_keeps_to_it():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for one in (WILDFIRE, known("wildfire@1"), SMALL):
        VALID.validate(one.to_row())
    for name in ("wildfire-1.toml", "wildfire-2.toml"):
        VALID.validate(tomllib.loads(files("geolabel.ontology").joinpath(name).read_text(encoding="utf-8")))


def broken():
    """(what is wrong, the row, words of the error)."""
    changes = [
        ((), "clases", [], "'clases'(.|\n)*did you mean 'classes'"),
        ((), "schema", "geolabel-ontology/2", "of the form 'geolabel-ontology/2'"),
        ((), "version", "3", "version = '3'(.|\n)*a whole number"),
        ((), "version", True, "version = True"),
        ((), "version", 0, "own@0"),
        ((), "name", "my own", "my own@3"),
        ((), "masks", {"unlabeled": 0, "nodata": 254}, "254"),
        ((), "standards", {"coco": 1}, "standard 1"),
        (("classes", 0), "color", "#ffffff", "'color'(.|\n)*did you mean 'colour'"),
        (("classes", 0), "colour", "white", "'white'"),
        (("classes", 0), "code", 255, "code 255"),
        (("classes", 0), "code", 7.5, "code = 7.5"),
        (("classes", 0), "kind", "land", "the kind 'land'"),
        (("classes", 0), "name", "a b", "'a b'"),
        (("classes", 0), "geometry", ["circle"], "the geometry 'circle'"),
        (("classes", 0), "geometry", [], "cannot be drawn"),
        (("classes", 0), "fuels", {"GR1": 1.0}, "the fuel 'GR1'"),
        (("classes", 0), "fuels", {"101": "all"}, "probability 'all'"),
        (("classes", 0), "fuels", {"101": 0.0, "102": 1.0}, "probability 0"),
        (("classes", 0), "parent", 3, "parent = 3"),
        (("classes", 1), "standards", {"coco": "car"}, "'car'"),
        (("classes", 1), "fuels", {"101": 1.0}, "object class 'z' has fuels"),
        (("classes", 1, "attributes", 0), "choices", [], "0 choices"),
        (("classes", 1, "attributes", 0), "choises", ["a"], "did you mean 'choices'"),
        (("classes", 1, "attributes", 0), "unit", "m", "in 'm'"),
        (("classes", 1, "attributes", 1), "choices", ["a"], "number with 1 choices"),
        (("classes", 1, "attributes", 1), "kind", "float", "the kind 'float'"),
        (("classes", 1, "attributes", 1), "required", "yes", "required = 'yes'"),
    ]
    for path, key, value, words in changes:
        row = copy.deepcopy(SMALL.to_row())
        place = row
        for step in path:
            place = place[step]
        place[key] = value
        yield pytest.param(row, words, id=f"{'.'.join(map(str, (*path, key)))}={value!r}")


@pytest.mark.parametrize(("row", "words"), list(broken()))
def test_the_reader_and_the_schema_refuse_the_same(row, words):
    with pytest.raises(OntologyError, match=words):
        Ontology.from_row(row)
    assert not VALID.is_valid(row)


@pytest.mark.parametrize(("path", "key"), [((), "schema"), ((), "classes"), (("classes", 0), "code"), (("classes", 0), "title")])  # fmt: skip
def test_what_is_needed_is_missed_by_both(path, key):
    row = copy.deepcopy(SMALL.to_row())
    place = row
    for step in path:
        place = place[step]
    del place[key]
    with pytest.raises(OntologyError, match=f"has no '{key}'"):
        Ontology.from_row(row)
    assert not VALID.is_valid(row)


def test_a_class_that_is_no_table_is_named():
    with pytest.raises(OntologyError, match="class 2 of this ontology is 'forest'"):
        Ontology.from_row(SMALL.to_row() | {"classes": [SMALL.to_row()["classes"][0], "forest"]})


# ---------------------------------------------------------------------- files
@pytest.mark.parametrize(("name", "text"), [("a.toml", "name = "), ("a.json", "{")])
def test_files_that_are_neither_are_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(OntologyError, match=f"{name} is not {name[2:].upper()}"):
        Ontology.read(tmp_path / name)


def test_other_names_missing_files_and_other_encodings(tmp_path):
    with pytest.raises(OntologyError, match=r"kept in 'a\.yaml'(.|\n)*\.json or \.toml"):
        WILDFIRE.write(tmp_path / "a.yaml")
    with pytest.raises(SourceError, match=r"none\.toml: No such file"):
        Ontology.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("name = 'Bäume'".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.toml is not UTF-8"):
        Ontology.read(tmp_path / "latin.toml")
    (tmp_path / "marked.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(SMALL.to_row()).encode())
    assert Ontology.read(tmp_path / "marked.json") == SMALL


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = SMALL.write(tmp_path / "own.json")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match="No space left"):
        WILDFIRE.write(path)
    assert Ontology.read(path) == SMALL
    assert [p.name for p in tmp_path.iterdir()] == ["own.json"]
