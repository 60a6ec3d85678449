"""Labeling instructions: a Markdown file with a header, versioned beside the ontology."""

import pytest

from geolabel.errors import OntologyError, SourceError
from geolabel.ontology import WILDFIRE, Example, Instructions, known, shipped_instructions

OWN = Instructions(
    4, "wildfire@2", "# What\n\n### `forest` (trees)\n\nTrees.\n\n## Else\n\n+++\nmore\n", title='"Own"',
    examples=(Example("forest", "a.png", "crowns"), Example("shrub", "b.png", right=False)),
)  # fmt: skip


def test_shipped_instructions_speak_of_the_shipped_classes():
    one = shipped_instructions()
    assert one.check(WILDFIRE) is one
    assert one.version == 1
    assert {"burned", "forest", "building"} <= set(one.notes)
    assert one.notes["settlement"].startswith("One outline around buildings")
    with pytest.raises(OntologyError, match="no instructions 9"):
        shipped_instructions(9)


def test_what_is_written_is_read(tmp_path):
    path = OWN.write(tmp_path / "own.md")
    assert Instructions.read(path) == OWN
    assert Instructions.read(path).digest == OWN.digest
    assert shipped_instructions() == Instructions.read(shipped_instructions().write(tmp_path / "shipped.md"))


def test_line_ends_do_not_count(tmp_path):
    path = OWN.write(tmp_path / "own.md")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Instructions.read(path) == OWN
    assert Instructions(1, "o@1", "a\r\nb").digest == Instructions(1, "o@1", "a\nb").digest


def test_any_change_changes_the_digest():
    many = [
        OWN, Instructions(5, OWN.ontology, OWN.text, OWN.title, OWN.examples), Instructions(4, "own@1", OWN.text, OWN.title),
        Instructions(4, OWN.ontology, OWN.text + "!", OWN.title, OWN.examples),
        Instructions(4, OWN.ontology, OWN.text, "", OWN.examples), Instructions(4, OWN.ontology, OWN.text, OWN.title),
    ]  # fmt: skip
    assert len({one.digest for one in many}) == len(many)


def test_notes_end_at_the_next_heading():
    assert OWN.notes == {"forest": "Trees."}


def test_instructions_for_another_list_or_unknown_classes_are_refused():
    with pytest.raises(OntologyError, match="for wildfire@2, not for wildfire@1"):
        OWN.check(known("wildfire@1"))
    with pytest.raises(OntologyError, match="no class 'forrest'"):
        Instructions(1, "wildfire@2", "### `forrest`\n\nTrees.").check(WILDFIRE)
    with pytest.raises(OntologyError, match="no class 'bush'"):
        Instructions(1, "wildfire@2", "", examples=(Example("bush", "a.png"),)).check(WILDFIRE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# only text\n", "has no header"),
        ("+++\nversion = 1\n", "has no header"),
        ("+++\nversion = \n+++\n", "not TOML"),
        ("+++\nontology = 'o@1'\n+++\n", "no 'version'"),
        ("+++\nversion = 1\nontolgy = 'o@1'\n+++\n", "'ontolgy'(.|\n)*did you mean 'ontology'"),
        ("+++\nversion = '1'\nontology = 'o@1'\n+++\n", "version = '1'"),
        ("+++\nversion = true\nontology = 'o@1'\n+++\n", "version = True"),
        ("+++\nversion = 0\nontology = 'o@1'\n+++\n", "version 0"),
        ("+++\nversion = 1\nontology = 'o@1'\nexamples = ['a']\n+++\n", "example of own.md is 'a'"),
        ("+++\nversion = 1\nontology = 'o@1'\n[[examples]]\nname = 'a'\n+++\n", "no 'href'"),
    ],
)
def test_files_that_cannot_be_read_are_told(tmp_path, text, words):
    (tmp_path / "own.md").write_text(text)
    with pytest.raises(OntologyError, match=words):
        Instructions.read(tmp_path / "own.md")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"none\.md"):
        Instructions.read(tmp_path / "none.md")


def test_the_page_holds_no_markup_of_the_text():
    page = Instructions(1, "o@1", "<script>x</script>", title="<b>")._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
