"""What may be labeled: the lists geolabel ships, the hierarchy they stand in, and what no list may hold."""

import subprocess
import sys
from html.parser import HTMLParser

import pytest

from geolabel.errors import OntologyError
from geolabel.ontology import MASKS, NODATA, UNLABELED, WILDFIRE, Attribute, Class, Ontology, known

FIRST = known("wildfire@1")


def terrain(name, code, **more):
    return Class(name, name.title(), code, "terrain", "#112233", **more)


# ---------------------------------------------------------------------- what is shipped
def test_the_first_list_keeps_the_digest_that_products_were_made_under():
    assert FIRST.digest == "6429701a1f8bc461803aa4575b9ccbbb170ad050ee842295f53dd8405f4e7bbd"


def test_the_second_list_keeps_names_codes_kinds_and_fuels_of_the_first():
    assert WILDFIRE.id == "wildfire@2"
    for was in FIRST:
        now = WILDFIRE[was.name]
        assert (now.code, now.kind, dict(now.fuels), now.title) == (was.code, was.kind, dict(was.fuels), was.title)


def test_lists_that_are_not_shipped_are_refused_with_the_nearest():
    with pytest.raises(OntologyError, match=r"'wildfire@3'(.|\n)*did you mean 'wildfire@"):
        known("wildfire@3")


def test_mask_values_are_no_class():
    assert MASKS == {"unlabeled": 0, "nodata": 255} == {"unlabeled": UNLABELED, "nodata": NODATA}
    assert not {c.code for c in WILDFIRE} & set(MASKS.values())


def test_every_terrain_class_says_what_fuel_it_is_and_no_other_does():
    assert all(bool(c.fuels) == (c.kind == "terrain") for c in WILDFIRE)
    assert all(sum(c.fuels.values()) == pytest.approx(1, abs=1e-12) for c in WILDFIRE.of_kind("terrain"))


def test_every_class_is_described_and_every_quantity_carries_its_unit():
    assert all(c.description for c in WILDFIRE)
    units = {a.name: a.unit for c in WILDFIRE for a in c.attributes if a.kind == "number"}
    assert units
    assert all(name.lower().endswith(f"_{unit.lower()}") for name, unit in units.items())


def test_the_words_alone_read_no_file():
    code = (
        "import sys, geolabel.nouns.task, geolabel.ontology as o; assert 'WILDFIRE' not in vars(o);"
        "assert 'geolabel.ontology.shipped' not in sys.modules; assert o.WILDFIRE.id == 'wildfire@2'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_the_module_does_not_have_is_an_attribute_error():
    import geolabel.ontology

    with pytest.raises(AttributeError, match="WILDFLOWER"):
        _ = geolabel.ontology.WILDFLOWER
    assert all(hasattr(geolabel.ontology, name) for name in geolabel.ontology.__all__)


# ---------------------------------------------------------------------- hierarchy
def test_top_leaves_and_lines_of_the_hierarchy():
    top = [c.name for c in WILDFIRE.children() if c.kind == "terrain"]
    assert top[:6] == ["water", "built_up", "bare", "grass", "shrub", "forest"]
    assert {c.name for c in WILDFIRE.children("grass")} == {"grass_short", "grass_tall", "crops"}
    assert [c.name for c in WILDFIRE.ancestors("forest_conifer")] == ["forest"]
    assert {c.name for c in WILDFIRE.leaves("grass")} == {"grass_short", "grass_tall", "crops"}
    assert WILDFIRE.leaves("water") == (WILDFIRE["water"],)
    assert WILDFIRE["forest"] not in WILDFIRE.leaves()


def test_deeper_hierarchies():
    deep = Ontology("d", 1, (terrain("a", 1), terrain("b", 2, parent="a"), terrain("c", 3, parent="b")))
    assert [c.name for c in deep.ancestors("c")] == ["b", "a"]
    assert [c.name for c in deep.leaves("a")] == ["c"]
    assert deep.within(["a", "b"]) == {"a": "a", "b": "b", "c": "b"}


def test_a_detailed_map_is_told_in_coarser_classes():
    told = WILDFIRE.within([c.name for c in FIRST])
    assert told["forest_conifer"] == "forest"
    assert told["crops"] == "grass"
    assert told["wetland"] is None
    with pytest.raises(OntologyError, match=r"'forrest'(.|\n)*did you mean 'forest'"):
        WILDFIRE.within(["forrest"])


def test_attributes_come_down_from_ancestors_and_the_nearest_counts():
    top, near = Attribute("height_m", "number", unit="m"), Attribute("height_m", "integer", unit="m")
    classes = (
        terrain("a", 1, attributes=(top, Attribute("note", "text"))),
        terrain("b", 2, parent="a", attributes=(near,)),
    )
    assert Ontology("o", 1, classes).attributes("b") == {"height_m": near, "note": Attribute("note", "text")}


def test_crosswalks_read_other_class_lists():
    worldcover, corine = WILDFIRE.crosswalk("worldcover"), WILDFIRE.crosswalk("corine")
    # ESA WorldCover 10 m 2021 v200: 10 tree cover, 40 cropland, 80 permanent water, 95 mangroves, 100 moss and lichen
    assert [worldcover.get(code) for code in ("10", "40", "80", "95", "100")] == [
        "forest", "crops", "water", "wetland", None,
    ]  # fmt: skip
    # CORINE level 3: 221 vineyards, 311 broad-leaved, 312 coniferous, 323 sclerophyllous, 334 burnt areas
    assert [corine[code] for code in ("221", "311", "312", "323", "334")] == [
        "vineyard", "forest_broadleaf", "forest_conifer", "maquis", "burned",
    ]  # fmt: skip
    with pytest.raises(OntologyError, match=r"no crosswalk from 'corin'(.|\n)*did you mean 'corine'"):
        WILDFIRE.crosswalk("corin")


# ---------------------------------------------------------------------- what no list may hold
@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((terrain("a", 1), terrain("a", 2)), "the name \\['a'\\] twice"),
        ((terrain("a", 1), terrain("b", 1)), "the code \\[1\\] twice"),
        ((terrain("a", 1, parent="b"),), "no class 'b'"),
        ((terrain("a", 1, parent="a"),), "its own ancestor: a < a"),
        ((terrain("a", 1, parent="b"), terrain("b", 2, parent="a")), "its own ancestor"),
        ((terrain("a", 1), Class("b", "B", 2, "burn", "#112233", parent="a")), "burn class 'b' has the parent 'a', a ter"),
        ((terrain("a", 1, standards={"coco": ("car",)}),), "does not say what 'coco' is"),
    ],
)  # fmt: skip
def test_lists_that_contradict_themselves_are_refused(classes, words):
    with pytest.raises(OntologyError, match=words):
        Ontology("o", 1, classes)


def test_a_code_of_a_standard_belongs_to_one_class():
    with pytest.raises(OntologyError, match="two classes of o@1 are '10' of worldcover"):
        Ontology(
            "o", 1, (terrain("a", 1, standards={"worldcover": ("10",)}), terrain("b", 2, standards={"worldcover": ("10",)})),
            standards={"worldcover": "ESA"},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "wald und wiese"}, "'wald und wiese'"),
        ({"code": 0}, "code 0"),
        ({"code": 255}, "code 255"),
        ({"kind": "terain"}, "did you mean 'terrain'"),
        ({"colour": "green"}, "the colour 'green'"),
        ({"colour": "#AABBCC"}, "in lower case"),
        ({"fuels": {101: 0.5}}, "sum to 0.5, not 1"),
        ({"fuels": {101: 1.5, 102: -0.5}}, "probability -0.5"),
        ({"fuels": {101: float("nan")}}, "probability nan"),
        ({"kind": "object", "fuels": {101: 1.0}}, "object class 'a' has fuels"),
        ({"geometry": ()}, "cannot be drawn"),
        ({"geometry": ("polygone",)}, "did you mean 'polygon'"),
        ({"attributes": (Attribute("x", "text"), Attribute("x", "date"))}, "the attribute \\['x'\\] twice"),
    ],
)
def test_classes_that_cannot_be_are_refused_with_the_value_found(change, words):
    values = {"name": "a", "title": "A", "code": 1, "kind": "terrain", "colour": "#112233"} | change
    with pytest.raises(OntologyError, match=words):
        Class(**values)


@pytest.mark.parametrize(("name", "version"), [("wild fire", 1), ("wild@fire", 1), ("", 1), ("wildfire", 0)])
def test_names_and_versions_that_cannot_be_told_apart_are_refused(name, version):
    with pytest.raises(OntologyError, match="name@version"):
        Ontology(name, version, ())


def test_unknown_classes_and_codes_are_named():
    with pytest.raises(OntologyError, match=r"no class 'frest'(.|\n)*did you mean 'forest'"):
        _ = WILDFIRE["frest"]
    with pytest.raises(OntologyError, match="no class with code 200"):
        WILDFIRE.by_code(200)
    for name in ("children", "ancestors", "leaves", "attributes"):
        with pytest.raises(OntologyError, match="no class 'frest'"):
            getattr(WILDFIRE, name)("frest")


# ---------------------------------------------------------------------- digests and pages
def test_any_change_changes_the_digest():
    base = terrain("a", 1)
    changed = [
        terrain("b", 1), terrain("a", 2), terrain("a", 1, fuels={101: 1.0}), terrain("a", 1, description="x"),
        terrain("a", 1, geometry=("box",)), terrain("a", 1, attributes=(Attribute("x", "text"),)),
        terrain("a", 1, attributes=(Attribute("x", "text", required=True),)),
    ]  # fmt: skip
    lists = [Ontology("o", 1, (one,)) for one in (base, *changed)]
    lists += [
        Ontology("o", 2, (base,)),
        Ontology("o", 1, (base,), title="T"),
        Ontology("o", 1, (base,), description="T"),
    ]
    lists += [Ontology("o", 1, (base,), standards={"coco": "T"})]
    assert len({one.digest for one in lists}) == len(lists)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.rows, self.scripts = [], 0, 0

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.rows += tag == "tr"
        self.scripts += tag == "script"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_has_a_line_a_class_and_no_markup_of_its_texts():
    nasty = Ontology("o", 1, (Class("a", "<script>x</script>", 1, "terrain", "#112233", description="'><script>"),))
    for ontology in (WILDFIRE, nasty):
        page = _Page()
        page.feed(ontology._repr_html_())
        assert not page.open
        assert not page.scripts
        assert page.rows == len(ontology) + 1


def test_the_page_puts_each_class_below_its_parent():
    names = [c.name for c in WILDFIRE]
    page = WILDFIRE._repr_html_()
    at = {name: page.index(f"<code>{name}</code>") for name in names}
    assert all(at[c.name] > at[c.parent] for c in WILDFIRE if c.parent)
    shown = sorted(names, key=at.__getitem__)
    assert shown[shown.index("shrub") + 1 :][:4] == ["shrub_low", "shrub_open", "shrub_tall", "maquis"]
