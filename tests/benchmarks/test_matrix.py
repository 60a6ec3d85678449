"""The table of formats, and that documents quote it as it is."""

from benchmarks.evidence import SOURCES
from benchmarks.evidence.__main__ import load_rooms
from benchmarks.matrix import table

from geolabel.dataset.formats.registry import FORMATS
from support import ROOT


def test_every_format_has_a_line_of_as_many_cells_as_the_head():
    head, _, *lines = table().splitlines()
    assert len(lines) == len(FORMATS)
    assert {line.count(" | ") for line in lines} == {head.count(" | ")}


def test_documents_quote_the_table_as_it_is():
    head = table().splitlines()[0]
    found = [p for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if head in p.read_text(encoding="utf-8")]
    assert found, "no document quotes the table of formats: FORMATS.md"
    for path in found:
        assert table() in path.read_text(encoding="utf-8"), f"{path.name}: python -m benchmarks.matrix"


def test_what_evidence_rests_on_is_there():
    """A kept figure is stale when its sources change: each of them is a file or a folder of the tree."""
    load_rooms()
    lost = {name for source in SOURCES for name in source.sources if not (ROOT / name).exists()}
    assert not lost
