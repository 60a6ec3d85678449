"""What each format carries, as a table in Markdown: `python -m benchmarks.matrix` prints it, documents quote it.

`both`: the format is written and read, and the line is measured (a law of the tests). `in`, `out`: one way only, as its
module says.
"""

from __future__ import annotations

import sys

from benchmarks.roundtrip import PROPERTIES, stated
from geolabel.dataset.formats.registry import FORMATS, Format

HEAD = ("format", "way", *PROPERTIES, "note")


def table() -> str:
    """The table in Markdown, a line a format."""
    lines = [_line(HEAD), _line(["---"] * len(HEAD)), *(_line(_row(one)) for one in FORMATS.values())]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _row(one: Format) -> list[str]:
    way = "both" if one.writes and one.reads else "out" if one.writes else "in"
    held = stated(one.name)
    return [f"{one.title} (`{one.name}`)", way, *(held[name] for name in PROPERTIES), one.carries.note]


if __name__ == "__main__":
    sys.stdout.write(table())
